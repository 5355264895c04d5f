"""Runs the scripted probe against a stage, in this process."""

from __future__ import annotations

from dataclasses import replace

from hostup_conformance.sources import commands, probe
from hostup_conformance.sources.linked import follow_links
from hostup_conformance.target import Target
from hostup_conformance.test_generated import operations
from hostup_conformance.verdict import Verdict, hold_against_oracle, judge
from hostup_conformance.wire import Limits, Wire
from stage import Change, Stage

#: A body limit that tests reach quickly.
LIMITS = Limits(body_bytes=32 << 20)
#: For servers that keep their clients waiting, so that they do not keep the tests waiting.
IMPATIENT = Limits(request_seconds=0.5, next_seconds=0.25, body_bytes=32 << 20)


def run(
    change: Change | None, limits: Limits = LIMITS, *, live: bool = False, allow_exec: bool = False
) -> tuple[Target, Wire, Stage]:
    """Take the scripted probe against a fault, a variant, or the mock as it is; with the starts of commands or not."""
    stage = Stage(change)
    with stage.serve() as url:
        # Where commands may be started no pid is given.
        given = {name: value for name, value in stage.mock.environment().items() if not allow_exec or "PID" not in name}
        target = Target.from_environment(url, given, kind="mock")
        wire = Wire(replace(target, allow_exec=allow_exec), limits, live=live)
        try:
            if allow_exec:
                commands.begin(wire)
            probe.run(wire, commands.stages(wire.target, careful=wire.careful))
            if allow_exec:
                follow_links(operations, wire)
        finally:
            wire.close()
    return wire.target, wire, stage


def verdict_on(change: Change | None, limits: Limits = LIMITS, *, allow_exec: bool = False) -> Verdict:
    """Return the verdict on a fault, a variant, or the mock as it is."""
    target, wire, _ = run(change, limits, allow_exec=allow_exec)
    return hold_against_oracle(judge(wire.exchanges, target, wire.stopped), wire.exchanges)
