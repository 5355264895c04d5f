"""Takes the steps of a script in their order, several at once with a slow server, until the wire sends nothing more."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from itertools import groupby
from typing import TypeVar

from hostup_conformance.contract.ask import Exchange
from hostup_conformance.contract.ban import AFTER_A_PAUSE, Ban, ban_in, seems_banned
from hostup_conformance.contract.refusal import hopeless
from hostup_conformance.contract.responder import BURST
from hostup_conformance.contract.sending import Wire
from hostup_conformance.http.connections import CONNECTIONS
from hostup_conformance.http.exchange import AFTER_CONTENT
from hostup_conformance.http.pace import Unsent
from hostup_conformance.sources import follow_ups
from hostup_conformance.sources.generated_client import call
from hostup_conformance.sources.requests import EVERYTHING, Rank, Selection, Step, own_probe

T = TypeVar("T")

#: A server is slow if its median response takes longer than this, in seconds.
SLOW_RESPONSE_SECONDS = 0.08
#: The part of a request's time limit that a server may need which serves all requests under way one by one.
SHARE = 0.6
#: For how many seconds a run waits to see whether what seems to be a ban passes, and how often.
PAUSE, PAUSES = 2.0, 2
#: The purpose of probes where requests fail.
STILL_WORKS = "the probe, to see whether it still works"
#: For how many seconds a probe waits at most until nothing else is under way, to see whether the server still works.
ALONE_SECONDS = 10.0


def width(wire: Wire) -> int:
    """Return how many requests may be under way at a time, given how long the responses have taken so far.

    A server that serves requests one by one seems slower the more are under way, and so gets fewer. A server that could
    not take several at a time gets one.
    """
    seconds = sorted(exchange.seconds for exchange in wire.exchanges)
    usual = seconds[(len(seconds) - 1) // 2] if seconds else 0.0
    if usual <= SLOW_RESPONSE_SECONDS or wire.one_at_a_time:
        return 1
    return max(1, min(CONNECTIONS, int(SHARE * wire.limits.request_seconds / usual)))


def side_by_side(tasks: Iterable[Callable[[], T]], at_once: int) -> list[T]:
    """Do tasks that send requests, several at a time, beginning them in order; return their results."""
    if at_once == 1:
        return [task() for task in tasks]
    with ThreadPoolExecutor(at_once) as pool:
        return list(pool.map(lambda task: task(), tasks))


def take(
    wire: Wire,
    steps: Iterable[Step],
    beside: Iterable[Callable[[], object]] = (),
    only: Selection = EVERYTHING,
) -> None:
    """Take steps rank by rank, until the wire sends nothing more; a slow server gets several requests at a time.

    The tasks `beside` them are done before the steps of the first rank, or at the same time. What is not selected is
    left out.
    """
    beside = list(beside)
    for rank, of_rank in groupby(only.of(steps), lambda step: step.rank):
        at_once, in_burst = width(wire), rank in {Rank.BURST, Rank.BACKWARDS}
        if in_burst:
            if at_once < CONNECTIONS:  # else as many connections are open already
                wire.close_idle_connections()
            at_once = CONNECTIONS
        these = list(of_rank)
        with_follow_ups = rank == Rank.REST and only.with_follow_ups
        tasks: list[Callable[[], object]] = follow_ups.tasks(wire) if with_follow_ups else []
        tasks += [partial(step_through, wire, step, once=in_burst) for step in these]
        if these[0].alone:
            tasks = [partial(side_by_side, tasks, 1)]
        if rank in {Rank.ENDED, Rank.TELLING} and at_once > 1:
            beside += tasks
        else:
            side_by_side([*beside, *tasks], at_once)
            beside.clear()
    side_by_side(beside, 1)
    if wire.stopped and (ban := ban_in(wire.exchanges)):
        wire.pace.stopped = ban.why  # says more than that there was no response


def step_through(wire: Wire, step: Step, *, once: bool = False) -> Exchange | None:
    """Take a step, if the wire still sends anything; end the run where all else would be refused as well."""
    if wire.stopped:
        return None  # of a recording, no key need be known, and without one the client cannot be made
    with suppress(Unsent):
        if step.client:
            exchange = call(wire, step, step.client)
        else:
            exchange = wire.send(step.request, purpose=step.purpose, source=BURST if once else "probe", once=once)
        if exchange:
            end_if_pointless(wire)
            if exchange.followed:
                follow_content(wire, step.request.method)
        return exchange
    return None


def follow_content(wire: Wire, method: str) -> None:
    """Send a probe on the connection of a request with content, to see whether that was read."""
    probe = own_probe(wire.target)
    purpose = f"the probe, after a {method} with content on its connection"
    wire.send(probe, purpose=purpose, source=AFTER_CONTENT, once=True)


def end_if_pointless(wire: Wire) -> None:
    """Send nothing more where the server has refused everything, or does so since a while.

    A rate limit that is told with 403 looks like a ban, but passes: so the probe is sent again after a pause. Where
    several requests in a row got no response, the probe tells whether that is due to what they asked for.
    """

    def probe(purpose: str) -> None:
        with suppress(Unsent):
            wire.send(own_probe(wire.target), purpose=purpose)

    with wire.ending:
        if wire.is_failing:  # what is under way may keep the server from the probe
            wire.pace.wait_for_others(ALONE_SECONDS)
        if wire.is_failing or seems_banned(wire.exchanges):
            probe(STILL_WORKS)
        if wire.is_failing:  # what is lost now and then may be lost again
            probe(STILL_WORKS)
        if wire.is_failing:
            wire.stop_failing()
        if ban_at_the_end(wire) and may_wait(wire) and wire.pace.wait_for_the_server(PAUSE):
            probe(AFTER_A_PAUSE)
        ban = ban_at_the_end(wire)
        if why := ban.why if ban else hopeless(wire.exchanges, wire.target):
            wire.stop(why)


def may_wait(wire: Wire) -> bool:
    """Whether the run has not yet waited often enough to see whether a ban passes."""
    return sum(e.purpose == AFTER_A_PAUSE for e in wire.exchanges) < PAUSES


def ban_at_the_end(wire: Wire) -> Ban | None:
    """Return the ban that the last response was refused by, if there is one."""
    return ban_in(wire.exchanges) if wire.exchanges[-1].status == 403 else None
