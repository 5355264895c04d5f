"""Where a small limit is announced, a run finds out what a 429 does: the start and the poll that got it do nothing."""

import pytest
from faults.probe import refuse
from faults.rate import soon
from hostup_conformance.contract.commands import LOOK
from hostup_conformance.contract.paths import path_of
from hostup_conformance.sources import rate_limit
from hostup_conformance.sources.requests import authorized
from judging import verdict_by, wire_to
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
