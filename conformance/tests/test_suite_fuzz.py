"""Whatever a server sends is judged, whatever stands in a file is judged or refused; `make fuzz` tries more."""

from __future__ import annotations

import copy
import json
import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpcore
import pytest
import yaml
from hostile.outcome import leaks
from hostile.server import KEYS
from hostup_conformance.contract.ask import Exchange
from hostup_conformance.contract.judging import check_against_oracle, judge, root_causes
from hostup_conformance.contract.paths import VPSS, path_of
from hostup_conformance.contract.sending import Wire, wire_to
from hostup_conformance.contract.target import Target
from hostup_conformance.core.misconfigured import Misconfigured
from hostup_conformance.core.waivers import read_waivers
from hostup_conformance.core.wire import Limits, Stopped
from hostup_conformance.mock import VPS_ID
from hostup_conformance.record import Course, record_of, server
from hostup_conformance.reports.files import REPORTS
from hostup_conformance.sources import recording
from hostup_conformance.sources.requests import authorized
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

# Whole runs, or many cases of one kind: `make catalogue` runs them.
pytestmark = pytest.mark.catalogue

#: `make fuzz` gives more.
EXAMPLES = int(os.environ.get("HOSTUP_FUZZ_EXAMPLES", "100"))
fuzz = settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture, HealthCheck.data_too_large],
)

TARGET = Target("http://127.0.0.1:9", "server", KEYS[0], VPS_ID, read_key=KEYS[1], running_pid=7, finished_pid=8)
NAMES = (
    *("available", "reason", "vmRunning", "exited", "exitCode", "stdout", "stderr", "pid", "data", "id", "hasMore"),
    *("type", "title", "status", "detail", "code", "instance", "requestId", "timestamp", "errors", "pointer"),
    *("nextCursor", "powerState", "uptimeSeconds", "memory", "network", "pendingTasks", "extensions", KEYS[0]),
)
TEXTS = (
    *("", "x", "unauthorized", "running", "/api/v2/resource", "2026-04-27T12:34:56.000Z", "9999-12-31T23:59:60Z"),
    *("https://developer.hostup.se/errors/not_found", "\ud800", "\x1b[2J", "\u202e", "at a(a/b.c:1)", KEYS[0], "null"),
)
FIELDS = (
    *("Content-Type", "Content-Length", "Transfer-Encoding", "Content-Encoding", "Retry-After", "X-RateLimit-Limit"),
    *("X-RateLimit-Remaining", "X-RateLimit-Reset", "Allow", "WWW-Authenticate", "Cache-Control", "Date", "Location"),
    *("Access-Control-Allow-Origin", "Connection", "Upgrade", "X-A", "Set-Cookie"),
)
VALUES = (
    *("application/json", "application/problem+json", "text/html; charset=rot13", "chunked", "gzip", "0", "1", "-1"),
    *("2", "9" * 30, "Fri, 31 Dec 9999 23:59:59 GMT", "Fri, 31 Dec 99999999999 23:59:59 GMT", "GET", "Bearer", "*"),
    *("max-age=99999999999999999999", "9999-12-31T23:59:59Z", "Malm\xf6", KEYS[0], "", ",", '"', "close", "true"),
)

texts = st.sampled_from(TEXTS) | st.text(max_size=20)
numbers = st.integers() | st.floats() | st.sampled_from([0, 200, 401, 10**30, -(10**400), 1e308])
values = st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(NAMES) | texts, inner, max_size=6),
    max_leaves=15,
)
bodies = values.map(lambda value: json.dumps(value).encode("utf-8", "surrogatepass")) | st.binary(max_size=60)
fields = st.lists(st.tuples(st.sampled_from(FIELDS), st.sampled_from(VALUES) | st.text(max_size=12)), max_size=6)


@st.composite
def responses(draw: st.DrawFn) -> bytes:
    """Return what might be a response: mostly one by its form, with bytes changed here and there."""
    status = draw(st.sampled_from((200, 200, 200, 204, 302, 400, 401, 403, 404, 405, 429, 500, 503, 99, 1000, 103)))
    body = draw(bodies)
    lines = [f"HTTP/1.{draw(st.sampled_from('1110'))} {status} X"]
    lines += [f"{name}: {value}" for name, value in draw(fields)]
    if draw(st.booleans()):
        lines.append(f"Content-Length: {len(body)}")
    if status == 429:
        lines.append("X-RateLimit-Limit: 60")
    whole = bytearray("\r\n".join(lines).encode("utf-8", "surrogatepass") + b"\r\n\r\n" + body)
    for at, byte in draw(st.lists(st.tuples(st.integers(0, 400), st.integers(-1, 255)), max_size=3)):
        if at < len(whole):
            whole[at : at + 1] = bytes([byte]) if byte >= 0 else b""
    return bytes(whole)


@pytest.fixture(scope="module")
def wire() -> Iterator[Wire]:
    limits = Limits(waiting_seconds=0.0, request_seconds=5.0)
    made = wire_to(TARGET, limits, careful=False)
    yield made
    made.close()


def record(wire: Wire, sent: bytes) -> dict[str, Any]:
    """Return the record of a short run against a server that sends the same bytes, whatever it is asked."""
    wire._backend._network = httpcore.MockBackend([sent])
    wire._backend._addresses = {("127.0.0.1", 9): ["127.0.0.1"]}
    wire.exchanges.clear()
    for path in (path_of(VPS_ID), path_of(VPS_ID) + "?pid=7", VPSS, path_of(VPS_ID, "status")):
        wire.stopped, wire._failures, wire._timeouts, wire._kept_values = None, 0, 0, 0
        with suppress(Stopped):
            wire.send(authorized(path, TARGET), purpose="fuzz")
    return judged(wire.exchanges, TARGET)


def judged(exchanges: Sequence[Exchange], target: Target) -> dict[str, Any]:
    verdict = check_against_oracle(judge(exchanges, target), exchanges)
    return record_of(verdict, exchanges, server(target), Course(), root_causes(verdict))


def problems(record: dict[str, Any]) -> list[str]:
    """Return what must not be: errors of the suite, reports that cannot be made, and keys in them."""
    errors = [f"{e['id']}: {e['message']}" for e in record["requirements"] if e["status"] == "error"]
    texts = {name: make(record) for name, make in REPORTS.items()}
    for text in texts.values():
        text.encode("utf-8")
    return errors + leaks(texts, KEYS)


@fuzz
@given(sent=responses())
@example(b"HTTP/1.1 429 X\r\nRetry-After: Fri, 31 Dec 99999999999 23:59:59 GMT\r\nContent-Length: 0\r\n\r\n")
@example(b'HTTP/1.1 200 OK\r\nX-Served-By: Malm\xf6\r\nContent-Length: 19\r\n\r\n{"available": true}')
@example(b"HTTP/1.1 200 OK\r\n\r\n" + KEYS[0].encode())
def test_any_response_is_judged(wire: Wire, sent: bytes) -> None:
    assert problems(record(wire, sent)) == []


def har(**changes: Any) -> dict[str, Any]:
    """Return a recording of one probe."""
    entry = {
        "startedDateTime": "2026-04-27T12:34:56.000Z",
        "time": 12.5,
        "request": {
            "method": "GET", "url": f"https://h.invalid{path_of(VPS_ID)}?pid=7", "postData": {"text": "x"},
            "headers": [{"name": "Authorization", "value": "Bearer " + KEYS[1]}],
            "_asks": {"credential": "full", "vps": "own", "pid": "running"},
        },
        "response": {
            "status": 200, "headers": [{"name": "Content-Type", "value": "application/json"}],
            "content": {"text": '{"exited": false}', "encoding": None},
        },
    }  # fmt: skip
    return {"log": {"version": "1.2", "_target": {"vps": VPS_ID, "running_pid": 7}, "entries": [entry], **changes}}


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the path to each value in JSON."""
    yield path
    for name, inner in (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    ):
        yield from places(inner, (*path, name))


PLACES = [path for path in places(har()) if path]


def replaced(value: Any, path: tuple[Any, ...], by: Any) -> Any:
    """Return JSON with another value at a place."""
    changed = copy.deepcopy(value)
    inner = changed
    for name in path[:-1]:
        inner = inner[name]
    inner[path[-1]] = by
    return changed


@fuzz
@given(path=st.sampled_from(PLACES), by=values)
@example(("log", "entries", 0, "startedDateTime"), "2016-12-31T23:59:60Z")
@example(("log", "entries", 0, "time"), float("nan"))
@example(("log", "entries", 0, "request", "method"), 7)
@example(("log", "entries", 0, "request", "headers", 0, "name"), "Schlüssel 🗝")
@example(("log", "entries", 0, "response", "headers", 0, "value"), "a 🗝")
@example(("log", "entries", 0, "response", "content", "encoding"), "base64")
@example(("log", "entries", 0, "request", "url"), "http://[::1")
@example(("log", "_target", "running_pid"), "7")
def test_any_recording_is_judged_or_refused(tmp_path: Path, path: tuple[Any, ...], by: Any) -> None:
    file = tmp_path / "x.har"
    file.write_text(json.dumps(replaced(har(), path, by)), encoding="utf-8")
    target = Target("http://har.invalid", "har", "", "")
    with suppress(Misconfigured):
        exchanges, target, _ = recording.read(file, target)
        assert problems(judged(exchanges, target)) == []


waivers = st.fixed_dictionaries(
    {
        "id": st.sampled_from(("POLL-03", "X")) | values,
        "reason": values,
        "expires": st.dates() | st.datetimes() | values,
    }
)


@fuzz
@given(text=st.lists(waivers, max_size=2).map(yaml.dump) | st.text(max_size=60))
@example("- {id: POLL-03, reason: x, expires: 2027-13-01}")
@example("- {id: POLL-03, reason: x, expires: 2027-01-01 12:00:00}")
@example("- {id: [a], reason: x, expires: 2027-01-01}")
@example("- {id: POLL-03, reason: x, expires: 2027-01-01}")
@example("[" * 2000)
@example("a: &a [x]\n" + "".join(f"b{n}: &b{n} [*a, *a]\n" for n in range(3)))
def test_any_waivers_are_read_or_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "waivers.yaml"
    file.write_text(text, encoding="utf-8", errors="replace")
    with suppress(Misconfigured):
        assert len(read_waivers(str(file))) < 3
