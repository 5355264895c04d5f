"""Whatever a server sends is judged, and whatever a file contains is judged or refused; `make fuzz` tries more."""

import copy
import json
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import cycle
from pathlib import Path
from random import Random
from typing import Any

import httpcore
import pytest
import yaml
from fuzzing import CASES, by_chance, each, mangled, problems, some_text
from hostile.server import KEYS
from hostup_conformance.clients import recording as client_recording
from hostup_conformance.clients.judging import judge_client
from hostup_conformance.contract.ask import Exchange
from hostup_conformance.contract.document import document
from hostup_conformance.contract.paths import VPSS, path_of
from hostup_conformance.contract.sending import Wire
from hostup_conformance.contract.server_verdict import check_against_oracle, judge, root_causes
from hostup_conformance.contract.target import Target
from hostup_conformance.front.record import RunInfo, record_of
from hostup_conformance.front.reported_server import server
from hostup_conformance.http.limits import Limits
from hostup_conformance.http.pace import Unsent
from hostup_conformance.judging.waivers import read_waivers
from hostup_conformance.keeping.misconfigured import Misconfigured
from hostup_conformance.mock import VPS_ID
from hostup_conformance.sources import recording
from hostup_conformance.sources.requests import authorized
from hostup_conformance.sources.start_steps import body_of, post
from hostup_conformance.sources.started_commands import poll
from hypothesis import example, given, settings
from hypothesis import strategies as st
from judging import run_on_mock

# Whole runs, or many cases of one kind: `make catalogue` runs them.
pytestmark = pytest.mark.catalogue

#: So many responses make a run, whose reports cost more than any response.
RESPONSES = 16

TARGET = Target(
    "http://127.0.0.1:9", "server", KEYS[0], VPS_ID, read_key=KEYS[1], running_pid=7, finished_pid=8, allow_exec=True
)
#: What is asked for, in turn.
REQUESTS = (
    authorized(path_of(VPS_ID), TARGET), poll(TARGET, 7), authorized(VPSS, TARGET), poll(TARGET, 8),
    authorized(path_of(VPS_ID, "status"), TARGET), post(TARGET, body_of("echo fuzz")), poll(TARGET, 4194305),
    authorized(path_of("vps_unknown"), TARGET), authorized(f"{path_of(VPS_ID)}?pid=x", TARGET),
)  # fmt: skip
NAMES = (
    *("available", "reason", "vmRunning", "exited", "exitCode", "stdout", "stderr", "pid", "data", "id", "hasMore"),
    *("type", "title", "status", "detail", "code", "instance", "requestId", "timestamp", "errors", "pointer"),
    *("nextCursor", "powerState", "uptimeSeconds", "memory", "network", "pendingTasks", "extensions", "pollUrl"),
    *("", "\0", "__class__", "\ud800", KEYS[0]),
)
NUMBERS = (
    0, 1, -1, 7, 8, 200, 401, 429,
    2**31, 2**63, 10**30, -(10**400), 1e308, -0.0, 0.1, float("nan"), float("inf"),
)  # fmt: skip
FIELDS = (
    *("Content-Type", "Content-Length", "Transfer-Encoding", "Content-Encoding", "Retry-After", "X-RateLimit-Limit"),
    *("X-RateLimit-Remaining", "X-RateLimit-Reset", "Allow", "WWW-Authenticate", "Cache-Control", "Date", "Location"),
    *("Access-Control-Allow-Origin", "Connection", "Upgrade", "X-A", "Set-Cookie", "ETag", "Age", "Expires", "Vary"),
)
VALUES = (
    *("application/json", "application/problem+json", "text/html; charset=rot13", "chunked", "gzip", "0", "1", "-1"),
    *("2", "9" * 30, "Fri, 31 Dec 9999 23:59:59 GMT", "Fri, 31 Dec 99999999999 23:59:59 GMT", "GET", "Bearer", "*"),
    *("max-age=99999999999999999999", "9999-12-31T23:59:59Z", "Malm\xf6", KEYS[0], "", ",", '"', "close", "true"),
)
STATUSES = (200, 200, 200, 200, 204, 302, 400, 401, 403, 404, 405, 429, 500, 503, 99, 1000, 103)


def examples_in(value: Any) -> Iterator[Any]:
    """Yield the examples of bodies in the OpenAPI document."""
    for name, inner in value.items() if isinstance(value, dict) else ():
        if name == "example":
            yield inner
        elif name == "examples" and isinstance(inner, dict):
            yield from (one["value"] for one in inner.values() if isinstance(one, dict) and "value" in one)
        else:
            yield from examples_in(inner)
    for inner in value if isinstance(value, list) else ():
        yield from examples_in(inner)


#: Correct bodies, each with the paths to its values.
BODIES = [one for one in examples_in(document()["paths"]) if isinstance(one, dict)]


values, responses = by_chance(lambda chance: some_value(chance)), by_chance(lambda chance: some_response(chance))


def some_value(chance: Random, depth: int = 3) -> Any:
    """Return any JSON."""
    kind = chance.randrange(10 if depth else 7)
    if kind < 3:
        return some_text(chance)
    if kind < 5:
        return chance.choice(NUMBERS)
    if kind < 7:
        return chance.choice((None, True, False))
    inner = [some_value(chance, depth - 1) for _ in range(chance.randrange(5))]
    return inner if kind == 7 else {some_name(chance): value for value in inner}


def some_name(chance: Random) -> str:
    return chance.choice(NAMES) if chance.random() < 0.9 else some_text(chance)


def some_body(chance: Random) -> bytes:
    """Return a correct body with some places changed, any JSON, or bytes."""
    if chance.random() < 0.1:
        return chance.randbytes(chance.randrange(60))
    value = chance.choice(BODIES) if chance.random() < 0.7 else some_value(chance)
    for _ in range(chance.randrange(3)):
        value = replaced(value, chance.choice(list(places(value))), some_value(chance))
    return json.dumps(value, ensure_ascii=chance.random() < 0.5).encode("utf-8", "surrogatepass")


def some_response(chance: Random) -> bytes:
    """Return what might be a response: mostly one by its form, with bytes changed here and there."""
    status, body = chance.choice(STATUSES), some_body(chance)
    lines = [f"HTTP/1.{chance.choice('1110')} {status} X"]
    for _ in range(chance.randrange(6)):
        value = chance.choice(VALUES) if chance.random() < 0.8 else some_text(chance)
        lines.append(f"{chance.choice(FIELDS)}: {value}")
    if chance.random() < 0.5:
        lines.append(f"Content-Length: {len(body)}")
    if status == 429:
        lines.append("X-RateLimit-Limit: 60")
    return mangled("\r\n".join(lines).encode("utf-8", "surrogatepass") + b"\r\n\r\n" + body, chance)


@pytest.fixture(scope="module")
def wire() -> Iterator[Wire]:
    made = Wire(TARGET, Limits(waiting_seconds=0.0, request_seconds=5.0, run_seconds=1e9, pauses=(0.0,)))
    yield made
    made.close()


def record(wire: Wire, sent: Sequence[bytes]) -> dict[str, Any]:
    """Return the record of a short run against a server that sends these bytes, one after the other."""
    network = wire._connections._network
    network._addresses = {("127.0.0.1", 9): ["127.0.0.1"]}
    wire.exchanges.clear()
    for request, part in zip(cycle(REQUESTS), sent, strict=False):
        wire.pace.stopped = None
        wire._failures = wire._timeouts = wire._lasting = wire._connections._memory._values = 0
        network._network = httpcore.MockBackend([part])
        wire.close_idle_connections()
        with suppress(Unsent):
            wire.send(request, purpose="fuzz")
    assert len(wire.exchanges) >= len(sent)
    return judged(wire.exchanges, TARGET)


def judged(exchanges: Sequence[Exchange], target: Target) -> dict[str, Any]:
    verdict = check_against_oracle(judge(exchanges, target), exchanges)
    return record_of(verdict, exchanges, server(target), RunInfo(), root_causes)


@settings(each, max_examples=max(CASES // RESPONSES, 1))
@given(sent=st.lists(responses, min_size=RESPONSES, max_size=RESPONSES))
@example([b"HTTP/1.1 429 X\r\nRetry-After: Fri, 31 Dec 99999999999 23:59:59 GMT\r\nContent-Length: 0\r\n\r\n"])
@example([b'HTTP/1.1 200 OK\r\nX-Served-By: Malm\xf6\r\nContent-Length: 19\r\n\r\n{"available": true}'])
@example([b"HTTP/1.1 200 OK\r\n\r\n" + KEYS[0].encode()])
@example([b'HTTP/1.1 200 OK\r\n\r\n{"data": ["\\udfff"], "\\ud800": 1}'] * 5)
@example([b'HTTP/1.1 200 OK\r\n\r\n{"exited": true, "exitCode": [], "powerState": {}, "uptimeSeconds": 5}'] * 9)
def test_any_sixteen_responses_are_judged(wire: Wire, sent: list[bytes]) -> None:
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


#: What may stand in a member, of each type of JSON, in place of what it has.
ODD_VALUES: tuple[Any, ...] = ({"value": [1]}, [{}], None, True, -1.5, 10**400, "", "\ud800")
#: The members of responses, in groups that are changed together, each of which is in two of them.
GROUPS = [NAMES[n::step] for step in (4, 5) for n in range(step)]


@pytest.mark.parametrize("value", ODD_VALUES, ids=str)
def test_members_of_any_type_are_judged(value: Any) -> None:
    """In all responses of a run that have some members, or might have them."""
    target, wire, _ = run_on_mock(allow_exec=True)
    for names in GROUPS:
        changed = [
            replace(e, response=replace(e.response, body=json.dumps(e.body | dict.fromkeys(names, value)).encode()))
            if e.response and isinstance(e.body, dict)
            else e
            for e in wire.exchanges
        ]
        verdict = check_against_oracle(judge(changed, target), changed)
        assert {id: r.message for id, r in verdict.results.items() if r.message.startswith("the rule failed")} == {}
        assert verdict.defects.message == ""
        root_causes(verdict)


PLACES = [path for path in places(har()) if path]


def replaced(value: Any, path: tuple[Any, ...], by: Any) -> Any:
    """Return JSON with another value at a place."""
    if not path:
        return by
    changed = copy.deepcopy(value)
    inner = changed
    for name in path[:-1]:
        inner = inner[name]
    inner[path[-1]] = by
    return changed


@each
@given(path=st.sampled_from(PLACES), by=values)
@example(("log", "entries", 0, "startedDateTime"), "2016-12-31T23:59:60Z")
@example(("log", "entries", 0, "time"), float("nan"))
@example(("log", "entries", 0, "request", "method"), 7)
@example(("log", "entries", 0, "request", "method"), KEYS[1])
@example(("log", "entries", 0, "request", "headers", 0, "name"), "Schlüssel 🗝")
@example(("log", "entries", 0, "response", "headers", 0, "value"), "a 🗝")
@example(("log", "entries", 0, "response", "content", "encoding"), "base64")
@example(("log", "entries", 0, "request", "url"), "http://[::1")
@example(("log", "_target", "running_pid"), "7")
@example(("log", "entries", 0, "request", "_asks", "pid"), "loose")
@example(("log", "entries", 0, "request", "url"), f"https://h.invalid{path_of(VPS_ID)}")
def test_any_recording_is_judged_or_refused(tmp_path: Path, path: tuple[Any, ...], by: Any) -> None:
    file = tmp_path / "x.har"
    file.write_text(json.dumps(replaced(har(), path, by)), encoding="utf-8")
    target = Target("http://har.invalid", "har", "", "")
    with suppress(Misconfigured):
        exchanges, target, _ = recording.read(file, target)
        # Of the keys, it shows one as a credential.
        assert problems(judged(exchanges, target), KEYS[1:]) == []
    with suppress(Misconfigured):
        results = judge_client(client_recording.read(file, {})).results.values()
        assert [result.message for result in results if result.status == "error"] == []


waivers = st.fixed_dictionaries(
    {
        "id": st.sampled_from(("POLL-03", "X")) | values,
        "reason": values,
        "expires": st.dates() | st.datetimes() | values,
    }
)


@each
@given(text=st.lists(waivers, max_size=2).map(yaml.dump) | st.text(max_size=60))
@example("- {id: POLL-03, reason: x, expires: 2027-13-01}")
@example("- {id: POLL-03, reason: x, expires: 2027-01-01 12:00:00}")
@example("- {id: [a], reason: x, expires: 2027-01-01}")
@example("- {id: POLL-03, reason: x, expires: 2027-01-01}")
@example("[" * 2000)
@example("&a [*a]")
@example("- {id: POLL-03, reason: x, expires: 2027-01-01}\n" * 2)
@example("a: &a [x]\n" + "".join(f"b{n}: &b{n} [*a, *a]\n" for n in range(3)))
def test_any_waivers_are_read_or_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "waivers.yaml"
    file.write_text(text, encoding="utf-8", errors="replace")
    with suppress(Misconfigured):
        assert len(read_waivers(str(file))) < 3
