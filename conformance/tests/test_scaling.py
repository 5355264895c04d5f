"""What takes foreign text takes a time that grows no faster than the text, on the worst that a search finds.

CPU times at n, 2n, 4n and 8n are compared with each other, and with nothing else, so that no machine is too slow.
"""

import json
import random
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from catalogue import every, first_of
from hostup_conformance.clients import recording as client_recording
from hostup_conformance.contract import content, oracles
from hostup_conformance.contract.ask import Exchange
from hostup_conformance.contract.content import strings
from hostup_conformance.contract.policy import readings as numbers
from hostup_conformance.contract.rules import Exchanges, rules
from hostup_conformance.contract.rules.safety import details, internals
from hostup_conformance.contract.server_verdict import judge
from hostup_conformance.contract.target import Target
from hostup_conformance.contract.understanding import understand
from hostup_conformance.front.record import body_of, redacted
from hostup_conformance.front.reported_server import curl
from hostup_conformance.http import credentials
from hostup_conformance.http import exchange as core
from hostup_conformance.http.bodies import decode_content
from hostup_conformance.http.json_text import bytes_in_memory, count_values, has_more, is_deeper, read_json
from hostup_conformance.http.messages import Request, Response
from hostup_conformance.http.pace import retry_after
from hostup_conformance.http.times import http_date, reset_moment, retry_after_seconds, rfc3339
from hostup_conformance.judging.waivers import read_waivers
from hostup_conformance.keeping.misconfigured import Misconfigured
from hostup_conformance.keeping.redact import Redactor
from hostup_conformance.keeping.safe_text import (
    beginning,
    normal_form,
    on_one_line,
    shown,
    spelt_out,
    split_url,
    unchanged,
    visible,
)
from hostup_conformance.reports import junit, summary
from hostup_conformance.reports.terminal import escaped
from hostup_conformance.sources import recording
from judging import run_on_mock
from recordings import Entry, entry, recorded

KEY = "zq7VxK2mZf8Lw3Tn"
TARGET = Target("http://127.0.0.1:1", "har", KEY, "vps_1")
REDACT = Redactor([KEY])
#: What a text may be made of to be read slowly: marks that begin something, repeat, escape, nest, or nearly end it.
BEGINNINGS = ["", "[", '"', '{"a": "', "[" + "," * 10_000 + '"', "Bearer ", "a" * 40 + "=", "1"]
UNITS = [
    *('\\"', '"', "\\", "\\\\", ",", "[", "{", "[[", "a", "A=", "1", "1.", ".", "0x", "1e", "e1", " ", "\n"),
    *("\r\n", "\0", "%", "%25", "%41", "&#65;", "&amp;", "&", "\\u0041", "\\x41", "=41", "65,", "65, ", "41 "),
    *("41:", "<", "<a>", "<b>z</b>", '"0":"z",', "at /a", "at a(", "Traceback", "SELECT ", " FROM", "/home/"),
    *("charset=", "bearer ", ", bearer", "error =", "error", "pid=1&", "pid=", ";", "::", "##[", "\u200b", "é"),
    *("\uff5a", "\U0001d5ba", "\ud800", KEY, KEY[:9], KEY[::-1], "java.", "org.a.b.", "File \"", ".py:1"),
    *("x:1\n", "(a/", "~0", "/~", "#/", "W/", "a=b; ", "Mon, ", "2026-01-01T", "+"),
    *("1:59:", ":59", "- ", "*a ", "&a ", "? ", "!!int "),
    *("\x1b[1mz", "\x1b]", "\x9b", "\\e[", "[1m", "[1", "\na", "1 a\n", "\\na", "  \n", "1: 'a'\n"),
    *("(1, 'a')", "U+0041 ", "65;", "\u0316\u0300", "\u0f73", "\uff9e\u0316"),
]  # fmt: skip
ENDS = ["", '"', "]", "!"]


def exchange(
    target: str = "", headers: tuple[tuple[str, str], ...] = (), body: bytes = b"", status: int = 200
) -> Exchange:
    request = Request("GET", f"/api/v2/vps/vps_1/agent/exec{target}", (("Authorization", f"Bearer {KEY}"),))
    fields = (("Content-Type", "application/json"), *headers)
    asked = understand(request, TARGET)
    return core.Exchange(1, request, Response(status, fields, body), asked, when=datetime.now(UTC))


def encode(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def problem(text: str) -> bytes:
    return encode(json.dumps(dict.fromkeys(("type", "title", "detail", "code", "instance", "requestId"), text)))


def waivers(text: str) -> None:
    """Read a text as a file of waivers, in a value of one and as the whole file."""
    for whole in (f"- {{id: POLL-01, reason: x, expires: {text}}}", text):
        with TemporaryDirectory() as folder, suppress(Misconfigured):
            file = Path(folder) / "waivers.yaml"
            file.write_bytes(encode(whole))
            read_waivers(str(file))


def tried(function: Callable[[str], object], text: str) -> None:
    with suppress(ValueError):
        function(text)


NOW = datetime.now(UTC)
#: Every function that takes what a server, a recording or a client has sent, as a function of a text.
FUNCTIONS: dict[str, Callable[[str], object]] = {
    "count_values": lambda text: count_values(encode(text)),
    "read_json": lambda text: read_json(encode(text)),
    "has_more": lambda text: has_more([text, {text: text}] * 10, 5),
    "waivers": lambda text: waivers(text),
    "is_deeper": lambda text: is_deeper([text] * 10, 5),
    "bytes_in_memory": lambda text: bytes_in_memory(encode(text) * 4),
    "decode_content": lambda text: decode_content(encode(text), (("Content-Encoding", "gzip"),), 1 << 20),
    "redact": REDACT._redacted,
    "finds_in": REDACT.finds_in,
    "spelt_out": spelt_out,
    "on_one_line": on_one_line,
    "visible": visible,
    "normal_form": lambda text: normal_form("NFKC", text),
    "split_url": lambda text: tried(split_url, f"https://{text}/{text}"),
    "shown": lambda text: shown(text, len(text), REDACT._redacted),
    "shown as JSON": lambda text: shown({"a": [text]}, len(text)),
    "beginning": lambda text: beginning(encode(text), len(text), unchanged),
    "rfc3339": rfc3339,
    "http_date": http_date,
    "retry_after_seconds": lambda text: retry_after_seconds(text, NOW),
    "reset_moment": lambda text: reset_moment(text, NOW),
    "retry_after": lambda text: retry_after(exchange(headers=(("Retry-After", text),))),
    "understand": lambda text: understand(Request("GET", f"/api/v2/vps/{text}/agent/exec?pid={text}"), TARGET),
    "policy": lambda text: list(numbers(Request("GET", f"/?pid={text}"))),
    "internals": internals,
    "details": lambda text: details(exchange(body=problem(text), status=404)),
    "strings": lambda text: strings({"a": [text]}),
    "curl": lambda text: curl(exchange(f"?{text}", body=encode(text)), TARGET).shown(unchanged),
    "body_of": lambda text: body_of(Response(200, (), encode(text)), unchanged),
    "redacted": lambda text: redacted({"message": text, "body": text, "headers": {text: text}}, unchanged),
    "without_credentials": lambda text: credentials.without_credentials(Request("GET", f"/?{text}", ((text, text),))),
    "is_credential": credentials.is_credential,
    "secrets_in": lambda text: credentials.secrets_in(
        [exchange(f"?{text}", (("Set-Cookie", text), ("Location", text)))]
    ),
    "members": lambda text: list(credentials.members(encode(text))),
    "members of JSON": lambda text: list(credentials.members(encode(json.dumps([{text: text, "token": text}])))),
    "escaped for GitHub": escaped,
    "code in Markdown": summary.code,
    "junit": lambda text: junit.render(record_with(text)),
    "schemathesis": lambda text: oracles.schema_note(exchange(body=problem(text))),
}


def record_with(text: str) -> dict[str, object]:
    entry = {
        "id": "A-01",
        "title": "",
        "source": "",
        "level": "MUST",
        "status": "fail",
        "message": text,
        "evidence": [],
    }
    summary = dict.fromkeys(("fail", "error", "skip", "disabled"), 1)
    return {"requirements": [entry], "summary": summary, "duration_seconds": 1, "started": "x"}


def seconds(function: Callable[[str], object], text: str, trying: float = 0.003) -> float:
    """Return how much CPU time a call takes at least, so that what else the machine does makes no difference."""
    best, began = float("inf"), time.thread_time()
    while best == float("inf") or (best < 0.0005 and time.thread_time() - began < trying):
        start = time.thread_time()
        function(text)
        best = min(best, time.thread_time() - start)
    return best


#: For how long a call is repeated to find the slowest texts, of which some are tried longer.
BRIEFLY = 0.0006
#: A function that takes more than this for 2,000 characters is tried with fewer texts.
LONG = 0.002
#: What takes less at 8n has no time that grows: where it did, it would be a hundred times as much.
QUICK = 0.0024


def grows_too_fast(function: Callable[[str], object], make: Callable[[int], str], n: int) -> bool:
    """Whether the time grows faster than the text at each step from n to 8n, every time that it is measured."""
    longest = make(n * 8)
    for _ in range(3):
        before = time.thread_time()
        function(longest)
        if time.thread_time() - before < QUICK:
            return False
        steps = [seconds(function, make(n * factor)) for factor in (1, 2, 4, 8)]
        if steps[3] < 3 * 8 * steps[0]:
            return False
    return True


def worst_of(function: Callable[[str], object], chance: random.Random) -> list[tuple[str, str, str]]:
    """Return the texts that are read the most slowly: all of one unit, and what grows out of the slowest of them."""
    shapes, plain = list(product(BEGINNINGS, UNITS, ENDS)), [("", unit, "") for unit in UNITS]
    slow = seconds(function, made(plain[0], 2000)) > LONG
    first = chance.sample(shapes, 20) + plain[::4] if slow else chance.sample(shapes, 150) + plain

    def cost(shape: tuple[str, str, str]) -> float:
        text = made(shape, 2000)
        return seconds(function, text, BRIEFLY) / len(text)

    slowest = sorted(first, key=cost, reverse=True)[:6]
    crossed = [(a[0], a[1] + b[1], c[2]) for a, b, c in product(slowest[:3], slowest[:3], slowest[:2])]
    return sorted({*slowest, *crossed}, key=cost, reverse=True)[:4]


def made(shape: tuple[str, str, str], length: int) -> str:
    begin, unit, end = shape
    return begin + unit * (length // len(unit) + 1) + end


@pytest.mark.parametrize("name", every(8, [(name, name) for name in FUNCTIONS]))
def test_the_time_grows_no_faster_than_the_text(name: str) -> None:
    function = FUNCTIONS[name]
    for shape in worst_of(function, random.Random(name)):  # noqa: S311 - it only chooses the cases
        assert not grows_too_fast(function, partial(made, shape), 4000), shape


#: How a response is written of so many characters in all, by what it is about.
RESPONSES: dict[str, Callable[[str], Exchange]] = {
    "problem": lambda text: exchange(body=problem(text), status=404),
    "availability": lambda text: exchange(body=encode(json.dumps({"available": text, "reason": text}))),
    "output": lambda text: exchange(
        "?pid=7", body=encode(json.dumps({"exited": True, "stdout": text, "stderr": text}))
    ),
    "raw": lambda text: exchange(body=encode(text)),
    "header fields": lambda text: exchange(
        headers=tuple((name, text) for name in ("WWW-Authenticate", "Cache-Control", "ETag", "Vary", "Allow", "Link"))
    ),
}


@pytest.mark.catalogue
@pytest.mark.parametrize("kind", RESPONSES)
def test_a_rule_takes_no_longer_than_its_text(kind: str) -> None:
    def judged(rule: str, text: str) -> object:
        return rules()[rule](Exchanges([RESPONSES[kind](text)], TARGET))

    for unit in random.Random(kind).sample(UNITS, 12):  # noqa: S311 - it only chooses the cases
        for rule in rules():
            assert not grows_too_fast(partial(judged, rule), partial(made, ("", unit, "")), 2000), (rule, unit)


def entry_of(number: int, *, poll: bool, id: str) -> Entry:
    """Return an entry of a recording: a start, or a poll, each with a cookie of its own."""
    url = f"https://h.example/api/v2/vps/{id}/agent/exec{f'?pid={number}' if poll else ''}"
    fields = {"Authorization": f"Bearer {KEY}", "Cookie": f"session={number:016x}"}
    body = {"exited": True, "stdout": ""} if poll else {"pid": number}
    when = f"2026-01-01T{number // 3600 % 24:02}:{number // 60 % 60:02}:{number % 60:02}Z"
    if poll:
        return entry(url, text=json.dumps(body), sent=fields, when=when)
    command = '{"command": "sleep 60"}'
    return entry(url, text=json.dumps(body), method="POST", sent=fields, body=command, when=when)


RECORDINGS: dict[str, Callable[[int], list[Entry]]] = {
    "starts": lambda n: [entry_of(at, poll=False, id="vps_1") for at in range(n)],
    "polls": lambda n: [entry_of(at, poll=True, id="vps_1") for at in range(n)],
    "both": lambda n: [entry_of(at // 2, poll=bool(at % 2), id="vps_1") for at in range(n)],
    "many ids": lambda n: [entry_of(at, poll=bool(at % 3), id=f"vps_{at}") for at in range(n)],
}
READERS: dict[str, Callable[[Path], object]] = {
    "server": lambda file: recording.read(file, TARGET),
    "client": lambda file: client_recording.read(file, {}),
}


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("kind", every(4, RECORDINGS.items()))
def test_a_recording_is_read_in_a_time_that_grows_with_it(
    tmp_path: Path, kind: Callable[[int], list[Entry]], reader: str
) -> None:
    def read(number: str) -> object:
        file = tmp_path / number
        if not file.exists():
            recorded(file, kind(int(number)))
        return READERS[reader](file)

    assert not grows_too_fast(read, str, 200)


@pytest.mark.catalogue
def test_a_search_finds_what_grows_too_fast() -> None:
    """The test itself: it is not content with a regular expression that starts again at each quotation mark."""
    import re

    slow = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"')
    found = worst_of(slow.findall, random.Random(1))  # noqa: S311
    assert any(grows_too_fast(slow.findall, partial(made, shape), 1000) for shape in found)


@pytest.mark.catalogue
@pytest.mark.parametrize("unit", ["\u0316\u0300", "\ufffd", *random.Random(7).sample(UNITS, 4)])  # noqa: S311
def test_a_verdict_on_output_takes_no_longer_than_that(unit: str) -> None:
    """Each command of a run printed the text."""
    target, wire, _ = run_on_mock(allow_exec=True)

    def judged(text: str) -> object:
        return judge([printing(text, e) for e in wire.exchanges], target)

    assert not grows_too_fast(judged, partial(made, ("", unit, "")), 2000)


def printing(text: str, e: Exchange) -> Exchange:
    if e.response is None or content.member(e, "exited") is not True:
        return e
    return replace(e, response=replace(e.response, body=encode(json.dumps({**e.body, "stdout": text}))))


@pytest.mark.parametrize("first", first_of("a", "\u4e00", "\U00010000"))
def test_a_redactor_is_made_in_a_time_that_grows_no_faster_than_its_key(first: str) -> None:
    def made_for(key: str) -> object:
        return Redactor([key])(key[:80])

    assert not grows_too_fast(made_for, lambda n: "".join(chr(ord(first) + at % 5000) for at in range(n)), 1000)
