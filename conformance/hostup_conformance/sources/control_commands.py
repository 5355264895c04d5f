"""Where commands were lost, or ended early or late, starts more, each of which is treated in one way alone.

So the cause shows. A server that does neither is sent nothing.
"""

import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import replace
from functools import partial
from secrets import token_hex

from hostup_conformance.contract.ask import SLEEP, Exchange, new_pid
from hostup_conformance.contract.causes.evidence import Evidence
from hostup_conformance.contract.causes.lost_commands import came_back, others_started, polled, since_start
from hostup_conformance.contract.causes.mishaps import cut_short, fills_a_pipe, printed, stdout
from hostup_conformance.contract.commands import flood, steady
from hostup_conformance.contract.content import member
from hostup_conformance.contract.lives import Life, seconds_to_end
from hostup_conformance.contract.paths import path_of
from hostup_conformance.contract.sending import Wire
from hostup_conformance.http.messages import Request
from hostup_conformance.http.pace import Unsent, Withheld
from hostup_conformance.sources import rate_limit
from hostup_conformance.sources.follow_ups import letters
from hostup_conformance.sources.requests import authorized, own_probe
from hostup_conformance.sources.start_steps import echo
from hostup_conformance.sources.started_commands import follow, poll, start

#: For how many seconds at most a command waits for its poll, how many are started after another, and how often one is
#: polled. How long a command is given to end, and how much longer than the first loss took is waited.
LONGEST_WAIT, MOST_OTHERS, MOST_POLLS, TO_END, LONGER = 3.0, 6, 6, 0.3, 0.2
#: The purpose of its starts.
PURPOSE = "the start of a command, to see what becomes of it"
#: The ways of being refused that a poll may have.
REFUSALS = (401, 403, "unavailable", "foreign", "unknown")
#: A command that runs for a moment, and for how many seconds it is waited for.
RUNS_SHORTLY, UNTIL_ENDED = "sleep 1", 1.5
#: A command that runs for longer than that, and that the run has not started before.
RUNS_ON = "sleep 30"
#: How long the command is silent that prints something now and then: a part of the time after which others ended.
SILENT, LONGEST_SILENCE = 1 / 6, 0.3
#: For how many seconds a command is followed that should end at once.
UNTIL_STUCK = 5.0
#: How many commands are polled once more that ended without output.
TWICE = 2
#: How many commands are started at most.
MOST_STARTED = 3 + 1 + 3 + 1 + MOST_OTHERS + len(REFUSALS)
#: How many requests are left to others: to the generated ones, and to those that use up a limit where one is announced.
ROOM, FOR_A_LIMIT = 10, 24
#: How many requests it may take to follow a command to its end.
TO_FOLLOW = 24


def run(wire: Wire) -> None:
    """Find out what makes the server forget commands, unless the run shows it, as far as there is room for more."""
    evidence = Evidence(wire.exchanges)
    if cut := cut_short(evidence.lives):
        with suppress(Unsent):
            soonest = min(map(seconds_to_end, cut))
            follow_steady(wire, min(LONGEST_SILENCE, SILENT * soonest))
            poll_at_last(wire, min(LONGEST_WAIT, soonest + LONGER))
    if evidence.unending and all(map(fills_a_pipe, evidence.unending)):
        with suppress(Unsent):
            follow_flood(wire)
    if any(life.end for life in evidence.overdue):
        with suppress(Unsent):
            ask_past_a_cache(wire)
    if empty := [life for life in evidence.ended if printed(life).strip() and not stdout(life).strip()]:
        with suppress(Unsent):
            poll_once_more(wire, empty[:TWICE])
    # What a gateway failed to pass on was not forgotten.
    lost = [seen for seen in evidence.lost if not evidence.between(("5xx", seen.e.ask.number), seen)[1]]
    if not lost or not evidence.known:
        return
    seconds, times, others = (
        min(measure(evidence, seen)[1] for seen in lost) for measure in (since_start, polled, others_started)
    )
    treatments: list[Callable[[], None]] = [
        partial(after_some_time, wire, seconds, times),
        partial(after_a_probe, wire),
        partial(after_others, wire, int(others)),
        partial(after_refusals, wire, evidence),
    ]
    for treat in [partial(after_some_time, wire, 0.0, MOST_POLLS)] if came_back(evidence) else treatments:
        with suppress(Unsent):
            treat()


def follow_steady(wire: Wire, pause: float) -> None:
    """Follow a command that is never silent for longer than a pause, and after which none is started."""
    leave_room(wire, TO_FOLLOW)
    pid = begin(wire, steady(token_hex(6), round(pause, 2)).text)
    if pid is not None:
        follow(wire, pid)


def poll_at_last(wire: Wire, seconds: float) -> None:
    """Poll a command that is silent at once, and then not until others had ended."""
    leave_room(wire, 3)
    pid = begin(wire, SLEEP)
    end(wire, pid)
    wire.pace.wait(seconds if pid is not None else 0.0)
    end(wire, pid)


def follow_flood(wire: Wire) -> None:
    """Follow a command that fills the pipe of its standard error, and does nothing else."""
    leave_room(wire, TO_FOLLOW)
    pid = begin(wire, flood(token_hex(6)).text)
    if pid is not None:
        follow(wire, pid, deadline=time.monotonic() + UNTIL_STUCK)


def ask_past_a_cache(wire: Wire) -> None:
    """Poll a command while it runs; and once it has ended, with a query that no cache knows, and as at first."""
    leave_room(wire, 4)
    pid = start(wire, RUNS_SHORTLY, "the start of a command, to see whether a cache keeps what its polls get")
    end(wire, pid)
    if pid is not None:
        wire.pace.wait(UNTIL_ENDED)
        new = authorized(f"{path_of(wire.target.vps)}?pid={pid}&{letters(token_hex(8))}", wire.target)
        if member(wire.send(new, purpose="a poll with a query that nothing has had before"), "exited") is True:
            end(wire, pid)


def poll_once_more(wire: Wire, empty: Iterable[Life]) -> None:
    """Poll commands of which the end was told before anything of what they print, to see whether that comes later."""
    for life in empty:
        again = wire.try_to_send(
            poll(wire.target, new_pid(life.start) or 0), purpose="a poll of what came without output"
        )
        if again is None or again.status != 200:
            return


def after_some_time(wire: Wire, seconds: float, times: float) -> None:
    """Poll a command that has ended, and one that runs, so late as one was lost, and the latter as often as one was."""
    polls = 1 + min(int(times), MOST_POLLS)
    leave_room(wire, 3 + polls)
    runs, ended = begin(wire, RUNS_ON), begin(wire)
    wire.pace.wait(min(LONGEST_WAIT, seconds + LONGER))
    end(wire, ended)
    for _ in range(polls):
        end(wire, runs)


def after_a_probe(wire: Wire) -> None:
    """Send a probe between the start of a command and its poll."""
    leave_room(wire, 3)
    pid = begin(wire)
    wire.pace.wait(TO_END)
    wire.send(own_probe(wire.target), purpose="a probe, to see whether it loses a command")
    end(wire, pid)


def after_others(wire: Wire, number: int) -> None:
    """Poll commands after so many others have been started."""
    commands = 1 + min(max(0, number), MOST_OTHERS)
    leave_room(wire, 2 * commands)
    for pid in [begin(wire) for _ in range(commands)]:
        end(wire, pid)


def after_refusals(wire: Wire, evidence: Evidence) -> None:
    """Poll commands after the refusals that polls of the lost ones got, one each."""
    found = {kind: e for kind, e in evidence.refusals.items() if kind in REFUSALS}
    leave_room(wire, 3 * len(found))
    pids = {kind: begin(wire) for kind in found}
    wire.pace.wait(TO_END if pids else 0.0)
    for kind, e in found.items():
        if (pid := pids[kind]) is not None:
            wire.try_to_send(with_pid(e, pid), purpose="a poll that is refused, to see whether it loses a command")
            end(wire, pid)


def begin(wire: Wire, command: str | None = None) -> int | None:
    """Start a command that may get lost; return its pid, None if it got none."""
    return start(wire, command or echo(), PURPOSE)


def leave_room(wire: Wire, requests: int) -> None:
    """Raise `Withheld` if so many requests would leave too few for others."""
    room = ROOM + (FOR_A_LIMIT if rate_limit.announced(wire)[0] is not None else 0)
    if wire.limits.requests and len(wire.exchanges) + requests + room > wire.limits.requests:
        raise Withheld("the requests that are left are for others")


def end(wire: Wire, pid: int | None) -> None:
    """Poll a command."""
    if pid is not None:
        wire.send(poll(wire.target, pid), purpose="a poll, to see what became of the command")


def with_pid(e: Exchange, pid: int) -> Request:
    """Return a poll with another pid."""
    return replace(e.request, target=e.request.target.replace(f"pid={e.ask.number}", f"pid={pid}"))
