"""Several requests at a time to a slow server find the same as one at a time."""

import threading
import time
from functools import partial
from itertools import takewhile
from types import SimpleNamespace
from typing import Any

import pytest
from faults import FAULTS
from hostup_conformance.contract.paths import path_of
from hostup_conformance.contract.responder import BURST
from hostup_conformance.http.connections import CONNECTIONS
from hostup_conformance.http.limits import Limits
from hostup_conformance.sources import generated, queue
from hostup_conformance.sources.requests import authorized
from judging import run, verdict_on, wire_to
from stage import Change, Request, Response, Stage
from variants import VARIANTS

# Whole runs, or many cases of one kind: `make catalogue` runs them.
pytestmark = pytest.mark.catalogue


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every server counts as slow."""
    monkeypatch.setattr(queue, "SLOW_RESPONSE_SECONDS", 0.0)


@pytest.mark.parametrize(
    ("seconds", "width"),
    [([], 1), ([0.01] * 9, 1), ([2.0, 0.01], 1), ([0.1], CONNECTIONS), ([0.3] * 5, CONNECTIONS), ([2.0], 3), ([9], 1)],
)
def test_the_width_depends_on_the_usual_response(seconds: list[float], width: int) -> None:
    wire: Any = SimpleNamespace(
        exchanges=[SimpleNamespace(seconds=s) for s in seconds], limits=Limits(), one_at_a_time=False
    )
    assert queue.width(wire) == width


def test_tasks_run_at_once_up_to_the_width() -> None:
    together, seen = threading.Barrier(3), []

    def task() -> None:
        together.wait(30)
        seen.append(threading.current_thread().name)

    queue.side_by_side([task] * 6, 3)
    assert len(seen) == 6
    assert len(set(seen)) == 3


def found(change: Change | None) -> dict[str, str]:
    return {id: result.status for id, result in verdict_on(change).results.items() if result.status != "observe"}


@pytest.mark.parametrize(
    "fault", ["", "available_is_text", "any_key_will_do", "key_in_a_problem", "type_is_out_of_step", "no_challenge"]
)
def test_the_same_is_found(fault: str, request: pytest.FixtureRequest) -> None:
    change = FAULTS.named(fault).change if fault else None
    one_by_one = found(change)
    request.getfixturevalue("at_once")
    assert found(change) == one_by_one


@pytest.mark.usefixtures("at_once")
def test_a_server_of_one_connection_is_right() -> None:
    assert set(found(VARIANTS.named("few_at_a_time").change).values()).isdisjoint({"fail", "error"})


@pytest.mark.usefixtures("at_once")
def test_other_servers_get_several_to_the_end() -> None:
    _, wire, _ = run(None)
    assert not wire.one_at_a_time


@pytest.mark.usefixtures("at_once")
def test_the_ended_command_is_still_polled_in_order() -> None:
    polls: list[Request] = []

    def change(request: Request, _response: Response) -> None:
        polls.append(request)

    target, _, _ = run(change)
    own = [request for request in polls if request.pid == str(target.finished_pid) and request.own]
    entitled = [number for number, request in enumerate(own) if request.full]
    assert len(entitled) >= 3
    *before, after = [number for number, request in enumerate(own) if request.reading]
    assert before
    assert all(number < entitled[0] for number in before)
    assert after > entitled[-1]


@pytest.mark.usefixtures("at_once")
def test_a_rate_limit_is_not_overrun() -> None:
    """Until the bursts, which are sent whatever remains."""
    counted: dict[int, int] = {}

    def limit(_request: Request, response: Response) -> None:
        window = int(time.time()) // 2
        counted[window] = counted.get(window, 0) + 1
        response.header("X-RateLimit-Limit", "80")
        response.header("X-RateLimit-Remaining", str(80 - counted[window]))
        response.header("X-RateLimit-Reset", str(2 * window + 2))

    _, wire, _ = run(limit, live=True)
    before = takewhile(lambda e: e.source != BURST, wire.exchanges)
    remaining = [int(e.header("x-ratelimit-remaining") or 0) for e in before]
    assert len(remaining) > 100
    assert min(remaining) >= 0


@pytest.mark.usefixtures("at_once")
def test_a_generated_request_is_sent_once() -> None:
    with wire_to(Stage(), limits=Limits(), kind="mock") as wire:
        cases = [{"method": "GET", "positive": True, "vps": "", "query": {"pid": n // 3}} for n in range(60)]
        generated.run(wire, cases)
    targets = [e.request.target for e in wire.exchanges]
    assert len(targets) == len(set(targets)) == generated.MOST_CASES


def test_who_has_to_wait_keeps_its_turn() -> None:
    """A server that takes a request only if no other came since its refusal: none is refused more than twice."""
    refused: list[str] = []

    def change(request: Request, response: Response) -> None:
        response.pause = 0.02
        if request.memory.get("refused") != request.query:
            request.memory["refused"] = request.query
            refused.append(request.query)
            response.become(429)
            response.header("Retry-After", "0")

    with wire_to(Stage(change), limits=Limits(), kind="mock") as wire:
        paths = [f"{path_of(wire.target.vps)}?x={number}" for number in range(12)]
        tasks = [partial(wire.send, authorized(path, wire.target), purpose="one among others") for path in paths]
        taken = queue.side_by_side(tasks, CONNECTIONS)
    assert [e.status for e in taken] == [400] * 12 or [e.status for e in taken] == [200] * 12
    assert max(map(refused.count, refused)) <= 2
