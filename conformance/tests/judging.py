"""Runs the scripted probe against a stage, in this process."""

from dataclasses import replace

from hostup_conformance.contract.ask import with_started_commands
from hostup_conformance.contract.judging import Verdict, check_against_oracle, judge
from hostup_conformance.contract.sending import Wire
from hostup_conformance.contract.target import Target
from hostup_conformance.front.test_generated import operations
from hostup_conformance.http.limits import Limits
from hostup_conformance.sources import commands, linked
from stage import Change, Stage

#: A body limit that tests reach quickly.
LIMITS = Limits(body_bytes=32 << 20, pauses=(0.01, 0.02))
#: Tests do not wait as long for the end of a command as runs do.
SLOW_SECONDS = 0.4
#: For servers that keep their clients waiting, so that they do not keep the tests waiting.
IMPATIENT = replace(LIMITS, request_seconds=0.5, first_seconds=0.5, next_seconds=0.25)


def run(
    change: Change | None, limits: Limits = LIMITS, *, live: bool = False, allow_exec: bool = False
) -> tuple[Target, Wire, Stage]:
    """Take the scripted probe against a fault, a variant, or the mock as it is; with the starts of commands or not."""
    stage = Stage(change)
    with stage.serve() as url:
        # Where commands may be started no pid is given.
        given = {name: value for name, value in stage.mock.environment().items() if not allow_exec or "PID" not in name}
        target = Target.from_environment(url, given, kind="mock")
        target = replace(target, allow_exec=allow_exec, live=live)
        wire = Wire(target, limits)
        try:
            commands.run(wire, slow_seconds=SLOW_SECONDS)
            if allow_exec:
                linked.run(wire, operations)
        finally:
            wire.close()
    return with_started_commands(target, wire.exchanges), wire, stage


def verdict_on(change: Change | None, limits: Limits = LIMITS, *, allow_exec: bool = False) -> Verdict:
    """Return the verdict on a fault, a variant, or the mock as it is."""
    target, wire, _ = run(change, limits, allow_exec=allow_exec)
    return check_against_oracle(judge(wire.exchanges, target, wire.stopped), wire.exchanges)
