"""Runs the scripted probe against a stage, in this process."""

from __future__ import annotations

from hostup_conformance.sources import probe
from hostup_conformance.target import Target
from hostup_conformance.verdict import Verdict, judge
from hostup_conformance.wire import Limits, Wire
from stage import Change, Stage

#: Short, so that a server that hangs does not make its tests slow.
LIMITS = Limits(request_seconds=0.5, next_seconds=0.25, body_bytes=2**22 * 8)


def verdict_on(change: Change | None, *, limits: Limits = LIMITS, mock: object = None) -> Verdict:
    """Return the verdict on a fault, a variant, or the mock as it is."""
    stage = Stage(change) if mock is None else Stage(change, mock)  # type: ignore[arg-type]
    with stage.serve() as url:
        target = Target.from_environment(url, stage.mock.environment(), kind="mock")
        wire = Wire(target, limits)
        try:
            probe.run(wire, probe.Script(target, careful=False).stages())
        finally:
            wire.close()
        return judge(wire.exchanges, target, wire.stopped)
