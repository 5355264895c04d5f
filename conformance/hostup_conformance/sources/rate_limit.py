"""Uses up a small rate limit that responses announce: what a 429 does, and whether waiting helps.

A run obeys announced limits otherwise, and would never get a 429.
"""

from datetime import timedelta
from functools import partial
from threading import Barrier

from hostup_conformance.contract.ask import Exchange
from hostup_conformance.contract.commands import look, refused
from hostup_conformance.contract.responder import BURST
from hostup_conformance.contract.sending import Wire
from hostup_conformance.http.connections import CONNECTIONS
from hostup_conformance.http.limits import LARGEST_LIMIT
from hostup_conformance.http.messages import Request
from hostup_conformance.http.pace import leading_number, retry_after
from hostup_conformance.http.times import reset_moment
from hostup_conformance.sources.queue import side_by_side
from hostup_conformance.sources.requests import own_probe
from hostup_conformance.sources.start_steps import body_of, echo, post
from hostup_conformance.sources.started_commands import follow, poll, start

#: The header field that says how many requests remain.
REMAINING = "x-ratelimit-remaining"
#: A rate limit is used up on purpose only if it resets within this time.
LONGEST_WAIT = timedelta(seconds=15)
#: How many probes show whether the limit resets while a client goes on, if it resets within so many seconds; and how
#: many are left of the limit at least.
STEADY, STEADY_WAIT, LEFT = 6, timedelta(seconds=5), 12
#: The number of the command that leaves a trace if it is started although its start is refused.
LIMITED = 99
#: How many requests follow once the limit is reached, at most.
MOST_AFTER = 20
#: How many commands are started at most: that one, one that is polled meanwhile, and one that looks for traces.
MOST_STARTED = 3


def run(wire: Wire, token: str | None) -> None:
    """Send probes until the limit is reached, and one after the wait that was asked for.

    With a token, commands may be started: one is started before, polled when the limit is reached, and polled again
    after the wait; and so is one started that is to leave no trace.
    """
    remaining, wait = announced(wire)
    if remaining is None or wait > LONGEST_WAIT:
        return
    probe = own_probe(wire.target)
    if remaining >= LEFT and timedelta() < wait <= STEADY_WAIT:
        go_on(wire, probe, wait)
        remaining = announced(wire)[0] or 0
    # The run may have used up the time that it may wait in all; this wait is its last.
    wire.pace.allow_waiting(2 * LONGEST_WAIT.total_seconds())
    pid = start(wire, echo(), "the start of a command, before the announced limit is reached") if token else None
    until = probe, "the probe, until the announced limit is reached"
    sent: list[Exchange] = []
    # The limit may be reset meanwhile, and never be reached.
    wire.pace.allow_requests_for_a_limit()
    most = min(
        remaining + max(remaining, few(wire.exchanges[-1], "x-ratelimit-limit") or 0),
        wire.pace.requests_left - MOST_AFTER,
    )
    left: int | None = announced(wire)[0]
    while left and len(sent) < most and not any(e.limited for e in sent):
        some = int(min(left, CONNECTIONS, most - len(sent)))
        latest = side_by_side([partial(once, wire, *until)] * some, some)
        sent += latest
        left = min((count for e in latest if (count := few(e, REMAINING)) is not None), default=None)
    # At once, since the first 429 ends the sending until the limit is reset; one more than announced may be served.
    meanwhile = [until, until]
    if token and pid:
        body = body_of(refused(LIMITED, token).text)
        meanwhile[1:1] = [
            (post(wire.target, body), "a start when the announced limit is reached"),
            (poll(wire.target, pid), "a poll when the announced limit is reached"),
        ]
    together = Barrier(len(meanwhile))
    tasks = [partial(once, wire, *one, together) for one in meanwhile]
    sent += side_by_side(tasks, len(tasks)) if not any(e.limited for e in sent) else []
    seconds = next((retry_after(e) for e in sent if e.limited), None)
    if seconds is None or seconds > LONGEST_WAIT.total_seconds():
        return
    wire.pace.wait(seconds + 1.1)  # the seconds may have been rounded down
    once(wire, probe, "the probe, after the wait that was asked for")
    if token and pid:
        follow(wire, pid)
        if looking := start(wire, look(token), "the start of a command that looks for traces"):
            follow(wire, looking)


def announced(wire: Wire) -> tuple[int | None, timedelta]:
    """Return how many requests remain by the last response, if that is a small number, and when the limit resets."""
    if not wire.exchanges:
        return None, timedelta()
    last = wire.exchanges[-1]
    remaining = few(last, REMAINING)
    reset = reset_moment(last.header("x-ratelimit-reset") or "", last.server_time)
    return (remaining, reset - last.server_time) if reset and remaining is not None else (None, timedelta())


def few(e: Exchange, name: str) -> int | None:
    """Return how many requests a header field of a response says, if they are few enough to be sent."""
    number = leading_number(e.header(name))
    return number if number is not None and number <= LARGEST_LIMIT else None


def go_on(wire: Wire, probe: Request, wait: timedelta) -> None:
    """Send probes at intervals, for more than twice as long as the limit is said to take to reset."""
    for number in range(STEADY):
        if number:
            wire.pace.wait(0.4 * wait.total_seconds() + 1.1)  # the moments may be rounded
        once(wire, probe, "the probe now and then, to see whether the limit resets")


def once(wire: Wire, request: Request, purpose: str, together: Barrier | None = None) -> Exchange:
    """Send a request once, whatever it gets."""
    return wire.send(request, purpose=purpose, source=BURST, once=True, together=together)
