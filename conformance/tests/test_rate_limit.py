"""Where a small limit is announced, a run finds out what a 429 does: the start and the poll that got it do nothing."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from faults.probe import refuse
from faults.rate import soon
from hostup_conformance.contract.commands import LOOK
from hostup_conformance.contract.paths import path_of
from hostup_conformance.contract.target import Target
from hostup_conformance.contract.understanding import understand
from hostup_conformance.http import messages
from hostup_conformance.http.exchange import Exchange
from hostup_conformance.http.pace import retry_after
from hostup_conformance.sources import rate_limit
from hostup_conformance.sources.requests import authorized
from hostup_conformance.sources.start_steps import body_of, post
from judging import LIMITS, verdict_by, wire_to
from stage import Change, Request, Response, Stage

#: How many requests are served before the limit, and how many are refused at once.
SERVED, REFUSED = 4, 4


def limit(request: Request, response: Response) -> None:
    """Serve a few requests, refuse some, and serve the others."""
    number = request.nth()
    if response.is_output:
        request.memory[str(request.pid)] = response.json  # the mock forgets what it has told
    elif str(request.pid) in request.memory and request.full:
        response.become(200, request.memory[str(request.pid)])
    if SERVED < number <= SERVED + REFUSED:
        refuse(request, response, 429, "rate_limit_exceeded", "Too many requests")
        response.header("Retry-After", "0")
    response.header("X-RateLimit-Remaining", str(max(SERVED - number, 0)))
    response.header("X-RateLimit-Limit", str(SERVED))
    response.header("X-RateLimit-Reset", soon(seconds=0.02))


def limit_that_comes_late(request: Request, response: Response) -> None:
    """Do first what was asked for, and refuse it then."""
    limit(request, response)
    if response.status == 429 and b": hostup-refused_" in request.body:
        request.memory["ran"] = True
    if response.status == 429 and request.pid:
        request.memory["taken"] = request.pid
    if response.is_started and LOOK.encode() in request.body:
        request.memory["looks"] = str(response.json["pid"])
    if response.is_output and request.pid == request.memory.get("looks") and "ran" in request.memory:
        response.json = {"exited": True, "exitCode": 0, "stdout": f"refused_{rate_limit.LIMITED}\n", "stderr": ""}
    if response.is_output and request.pid == request.memory.get("taken"):
        refuse(request, response, 404, "not_found", "Not found")


@pytest.mark.parametrize(("change", "broken"), [(limit, set()), (limit_that_comes_late, {"START-17", "START-27"})])
def test_what_gets_a_429_does_nothing(change: Change, broken: set[str], monkeypatch: pytest.MonkeyPatch) -> None:
    with wire_to(Stage(change), kind="mock", allow_exec=True) as wire:
        monkeypatch.setattr(wire.pace, "wait", lambda _: None)
        wire.send(authorized(path_of(wire.target.vps), wire.target), purpose="a probe")
        rate_limit.run(wire, "a1b2c3d4e5f6")
    limited = [e.purpose for e in wire.exchanges if e.status == 429]
    assert len(limited) == REFUSED
    assert {"a start", "a poll"} <= {purpose.partition(" when")[0] for purpose in limited}
    results = verdict_by(wire).results
    assert {id for id in ("START-16", "START-17", "START-27") if results[id].status == "fail"} == broken


@pytest.mark.parametrize("everybody", [False, True])
def test_a_run_goes_on_without_those_whom_the_server_shuts_out(everybody: bool) -> None:
    def shuts_out(request: Request, response: Response) -> None:
        """Ask those without the key of all scopes, or everybody, for a longer wait than a run waits."""
        if everybody or not request.full:
            refuse(request, response, 429, "rate_limit_exceeded", "Too many requests")
            response.header("Retry-After", "3600")

    with wire_to(Stage(shuts_out), kind="mock") as wire:
        for key in ("hu_wrong", "hu_wrong", wire.target.key, "hu_wrong", wire.target.key):
            wire.try_to_send(authorized(path_of(wire.target.vps), wire.target, key=key), purpose="a probe")
    assert [e.status for e in wire.exchanges] == ([429, 429] if everybody else [429, 200, 200])
    assert bool(wire.stopped) is everybody


def test_no_start_is_sent_before_the_wait_is_over_that_another_was_told() -> None:
    def few_starts(request: Request, response: Response) -> None:
        """Refuse each start, and ask for a longer wait than a run waits for a start."""
        if request.method == "POST" and request.full:
            refuse(request, response, 429, "rate_limit_exceeded", "Too many requests")
            response.header("Retry-After", "60")

    with wire_to(Stage(few_starts), kind="mock", allow_exec=True) as wire:
        for body in (body_of("echo one"), body_of("echo two"), b"{}"):
            wire.try_to_send(post(wire.target, body), purpose="a start")
        for key in (None, "hu_wrong", wire.target.read_key):
            wire.try_to_send(post(wire.target, body_of("echo three"), key=key), purpose="a start with another key")
        wire.send(authorized(path_of(wire.target.vps), wire.target), purpose="a probe")
    assert [e.status for e in wire.exchanges] == [429, 200]


@pytest.mark.parametrize("hours", [-1, 0, 1])
def test_a_wait_until_a_date_is_by_the_clock_of_the_server(hours: int) -> None:
    now = datetime.now(UTC) + timedelta(hours=hours)
    dates = {"Date": now, "Retry-After": now + timedelta(seconds=8)}
    fields = tuple((name, format_datetime(moment, usegmt=True)) for name, moment in dates.items())
    request, target = messages.Request("GET", "/"), Target("http://localhost", "server", "key", "vps_1")
    limited = Exchange(1, request, messages.Response(429, fields, b""), understand(request, target))
    # A date is the end of its second.
    assert retry_after(limited) == 9.0


def test_a_limit_that_is_never_reached_uses_no_budget_up(monkeypatch: pytest.MonkeyPatch) -> None:
    def resets(request: Request, response: Response) -> None:
        """Announce a limit that has been reset whenever half of it is used up."""
        for name, value in (("Limit", "90"), ("Remaining", str(89 - request.nth() % 45)), ("Reset", soon(seconds=5))):
            response.header(f"X-RateLimit-{name}", value)

    with wire_to(Stage(resets), limits=replace(LIMITS, requests=40), kind="mock") as wire:
        wire.send(authorized(path_of(wire.target.vps), wire.target), purpose="a probe")
        monkeypatch.setattr(wire.pace, "wait", lambda _: None)
        rate_limit.run(wire, None)
    assert wire.stopped is None
