"""Runs the scripted probe against a stage, in this process."""

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, nullcontext
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from typing import Any

import pytest
from hostup_conformance.contract.ask import with_started_commands
from hostup_conformance.contract.sending import Wire
from hostup_conformance.contract.server_verdict import Result, Verdict, check_against_oracle, judge
from hostup_conformance.contract.target import Target
from hostup_conformance.front.selection import rehearsal, selection
from hostup_conformance.http.limits import Limits
from hostup_conformance.judging import verdict as core
from hostup_conformance.mock import Mock
from hostup_conformance.sources import commands, stateful
from hostup_conformance.sources.requests import Selection
from stage import ByteServer, Change, Stage

#: A body limit that tests reach quickly.
LIMITS = Limits(body_bytes=32 << 20, pauses=(0.01, 0.02))
#: Tests do not wait as long for the end of a command as runs do.
SLOW_SECONDS = 0.4
#: For servers that keep their clients waiting, so that they do not keep the tests waiting.
IMPATIENT = replace(LIMITS, request_seconds=0.5, first_seconds=0.5, next_seconds=0.25)


@contextmanager
def wire_to(
    server: ByteServer,
    given: Mapping[str, str] | None = None,
    limits: Limits = LIMITS,
    *,
    profile: str = "full",
    **facts: Any,
) -> Iterator[Wire]:
    """Serve, and give a wire to the server.

    `given` is the environment, where it is not that of the server; the facts are other fields of the target.
    """
    given = server.given(starts=facts.get("allow_exec", False)) if given is None else given
    with server.serve() as url:
        target = replace(Target.from_environment(url, given, profile=profile), **facts)
        with closing(Wire(target, limits)) as wire:
            yield wire


@contextmanager
def without_waiting(wire: Wire) -> Iterator[None]:
    """Let what a wire waits pass at once, for all that tells the time by the monotonic clock: the mock too.

    The times of the exchanges are those of another clock, so rules that compare them judge a run that has waited.
    """
    skipped, clock = [0.0], time.monotonic
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(time, "monotonic", lambda: clock() + sum(skipped))
        patch.setattr(wire.pace, "wait", lambda seconds: skipped.append(max(seconds, 0.0)))
        yield


def run(
    change: Change | None, limits: Limits = LIMITS, *, live: bool = False, allow_exec: bool = False, waits: bool = True
) -> tuple[Target, Wire, Stage]:
    """Take the scripted probe against a fault, a variant, or the mock as it is; with the starts of commands or not."""
    stage = Stage(change)
    with (
        wire_to(stage, limits=limits, kind="mock", live=live, allow_exec=allow_exec) as wire,
        nullcontext() if waits else without_waiting(wire),
    ):
        commands.run(wire, slow_seconds=SLOW_SECONDS, links=partial(stateful.run, wire))
    return with_started_commands(wire.target, wire.exchanges), wire, stage


@cache
def run_on_mock(*, allow_exec: bool = False, live: bool = False) -> tuple[Target, Wire, Stage]:
    """Take the scripted probe against the mock as it is, once for all who look at what that sends."""
    return run(None, live=live, allow_exec=allow_exec)


def verdict_on(
    change: Change | None, limits: Limits = LIMITS, *, allow_exec: bool = False, waits: bool = True
) -> Verdict:
    """Return the verdict on a fault, a variant, or the mock as it is."""
    _, wire, _ = run(change, limits, allow_exec=allow_exec, waits=waits)
    return check_against_oracle(verdict_by(wire), wire.exchanges)


@cache
def rehearsed(allow_exec: bool) -> Wire:
    """Return a wire to the mock that has sent nothing, and knows what a run would send."""
    target = Target.from_environment("http://127.0.0.1:1", Mock().environment(), kind="mock")
    return rehearsal(replace(target, allow_exec=allow_exec))


def selected(id: str, *, allow_exec: bool) -> Selection:
    """Return what is sent for one requirement alone."""
    return selection([id], rehearsed(allow_exec))


def result_on(stage: Stage, id: str, limits: Limits = LIMITS, *, allow_exec: bool = False) -> Result:
    """Return what one requirement says of a server, by what is sent for it alone."""
    with wire_to(stage, limits=limits, kind="mock", allow_exec=allow_exec) as wire:
        commands.run(wire, slow_seconds=SLOW_SECONDS, only=selected(id, allow_exec=allow_exec))
    return judge(wire.exchanges, wire.target, wire.cut, only=[id]).results[id]


def reported(verdict: core.Verdict[Any]) -> list[str]:
    """Return the requirements that fail or warn, in the ledger's order."""
    return [id for id, result in verdict.results.items() if result.status in {"fail", "warn", "error"}]


def verdict_by(wire: Wire) -> Verdict:
    """Return the verdict on what was sent."""
    return judge(wire.exchanges, wire.target, wire.cut)


def write_matrix(file: Path, matrix: Mapping[str, Mapping[str, Any]]) -> None:
    """Write a kill matrix, one line an entry, so that a change of it shows what has changed."""
    text = partial(json.dumps, ensure_ascii=False, sort_keys=True)
    parts = []
    for part, entries in sorted(matrix.items()):
        lines = ",\n".join(f"{text(name)}: {text(entry)}" for name, entry in sorted(entries.items()))
        parts.append(f"{text(part)}: {{\n{lines}\n}}")
    file.write_text(f"{{{', '.join(parts)}}}\n", encoding="utf-8")
