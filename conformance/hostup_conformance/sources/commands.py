"""The scripted probe: sends the script and, with `--allow-exec`, starts commands and follows them to their end.

Where commands may be started, no pids need be given: those of the run take their place.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from hostup_conformance.contract.ask import Pid
from hostup_conformance.contract.commands import SLOW_SECONDS
from hostup_conformance.contract.content import member
from hostup_conformance.contract.sending import Wire
from hostup_conformance.contract.target import Target
from hostup_conformance.sources import control_commands, follow_ups, rate_limit
from hostup_conformance.sources.queue import STILL_WORKS, take, width
from hostup_conformance.sources.requests import EVERYTHING, Rank, Selection, Step, own_probe
from hostup_conformance.sources.script import Script
from hostup_conformance.sources.start_steps import CommandScript
from hostup_conformance.sources.started_commands import MARKED, MOST_AGAIN, StartedCommands, follow

#: How many scenarios of linked requests there are, and of how many requests each.
SCENARIOS, STEPS = 2, 3
#: How many probes are sent to a server that was down, and how many seconds apart.
WATCHING, NOW_AND_THEN = 9, 0.8
#: The greatest number of commands that are started: by `StartedCommands`, and more where starts fail; by the scenarios;
#: and where commands were lost.
MOST_COMMANDS = (
    39 + len(MARKED) + MOST_AGAIN + SCENARIOS * STEPS + control_commands.MOST_STARTED + rate_limit.MOST_STARTED
)


def script(target: Target, token: str | None = None) -> list[Step]:
    """Return the steps of the scripted probe, including starts that must be refused if commands may be started."""
    if target.allow_exec:
        return CommandScript(target, token).steps()
    return Script(target).steps()


def run(
    wire: Wire,
    *,
    slow_seconds: float = SLOW_SECONDS,
    only: Selection = EVERYTHING,
    links: Callable[[], None] = lambda: None,
) -> None:
    """Send the scripted requests; if commands may be started, start some first, and poll them to their end in between.

    The first command started is the ended one that the last steps need, so it has ended by then. `links` starts some
    more and polls them: with a slow server, while other requests are under way.
    """
    token = None
    if wire.target.allow_exec and only.with_commands:
        token = run_with_commands(wire, slow_seconds, only, links)
    else:
        take(wire, script(replace(wire.target, allow_exec=False)), only=only)
    said = [member(e, "exited") for e in wire.exchanges if e.ask.pid == Pid.FINISHED and e.status == 200]
    if (pid := wire.target.finished_pid) and said and said[-1] is False:
        # A server that asks the agent only now and then notices an end late.
        follow(wire, pid)
    if only == EVERYTHING:
        follow_ups.unless_stopped(partial(follow_ups.once_more_alone, wire))
        worked = next((e.number for e in wire.exchanges if e.response), len(wire.exchanges))
        if any(e.lost == "refused" for e in wire.exchanges[worked:]):
            follow_ups.unless_stopped(partial(watch, wire))
        if wire.target.allow_exec:
            control_commands.run(wire)
    if not wire.target.is_live and only == EVERYTHING:
        follow_ups.unless_stopped(partial(rate_limit.run, wire, token))


def run_with_commands(wire: Wire, slow_seconds: float, only: Selection, links: Callable[[], None]) -> str | None:
    """Start the commands, take the script, follow the commands to their end, and take the last steps of the script.

    With a slow server, what needs no order is done at the same time. Return what the files of commands are named by in
    the guest, if it has any.
    """
    started = StartedCommands(wire, slow_seconds)
    take(wire, of(script(wire.target), Rank.WARMING, Rank.FORBIDDEN_STARTS), only=only)
    started.begin()
    steps = script(wire.target, started.token if started.traced else None)
    endings, slow = started.endings(), width(wire) > 1
    take(wire, of(steps, Rank.CORE, Rank.CORE), beside=endings if slow else (), only=only)
    if slow:
        take(wire, of(steps, Rank.ENDED, Rank.REFUSED_STARTS), beside=started.rest(), only=only)
    else:
        take(wire, of(steps, Rank.ENDED, Rank.TELLING), only=only)
        started.at_once(*endings)
        started.at_once(*started.rest())
        take(wire, of(steps, Rank.REFUSED_STARTS, Rank.REFUSED_STARTS), only=only)
    take(wire, of(steps, Rank.REST, Rank.BACKWARDS), beside=(started.conclude, *[links] * slow), only=only)
    started.take_leave()
    if not slow:
        links()
    return started.token if started.traced else None


def watch(wire: Wire) -> None:
    """Send probes now and then, to see whether a server that was down is so again and again."""
    for _ in range(WATCHING):
        wire.pace.wait(NOW_AND_THEN)
        wire.send(own_probe(wire.target), purpose=STILL_WORKS)


def of(steps: list[Step], first: Rank, last: Rank) -> list[Step]:
    """Return the steps of some ranks."""
    return [step for step in steps if first <= step.rank <= last]
