"""The summary in the terminal: the verdict in one line, then a line for each requirement that is not pass."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hostup_conformance.redact import Redactor
from hostup_conformance.reports.data import EVIDENCE, curl
from hostup_conformance.sources.commands import MOST_COMMANDS, SLEEP
from hostup_conformance.wire import Withheld

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import pytest

    from hostup_conformance.session import Conformance
    from hostup_conformance.target import Target
    from hostup_conformance.verdict import Result

ORDER = ("error", "fail", "warn", "observe", "skip", "disabled")
COLOURS: dict[str, dict[str, bool]] = {
    "conformant": {"green": True, "bold": True},
    "not_conformant": {"red": True, "bold": True},
    "not_demonstrated": {"yellow": True, "bold": True},
    "fail": {"red": True},
    "error": {"red": True},
    "warn": {"yellow": True},
}


def finding_lines(result: Result, target: Target) -> Iterator[str]:
    """Yield what a failing item shows: requirement, expected, got, and how to ask again."""
    redact = Redactor(target.nearly_secrets)
    requirement = result.requirement
    yield f"{requirement.id} ({requirement.level}) {requirement.title}"
    yield f"  source: {requirement.source}"
    for finding in result.findings[:EVIDENCE]:
        yield f"  expected: {finding.expected}"
        yield redact(f"  got:      {finding.got}")
        yield redact(f"  request:  {curl(finding.exchange, target)}")
    if not result.findings:
        yield redact(f"  {result.message}")


def print_summary(reporter: pytest.TerminalReporter, report: dict[str, Any], directory: Path) -> None:
    """Print the verdict and what is not pass."""
    counts = ", ".join(f"{count} {status}" for status, count in report["summary"].items() if count)
    verdict = report["verdict"]
    reporter.section("conformance", sep="=")
    reporter.write_line(
        f"{verdict}: {report['target']['base_url']} ({counts}; {report['requests']} requests, "
        f"{report['duration_seconds']:.1f} s)",
        **COLOURS[verdict],
    )
    if report["stopped"] and report["target"]["kind"] != "har":
        reporter.write_line(f"sending ended early: {report['stopped']}", yellow=True)
    together = alike(report)
    for entry, root in in_order(report):
        status = entry["status"]
        line = f"{status:8} {entry['id']} {entry['title']}: {entry['message']}"
        if ids := together.get((status, entry["message"])):
            if entry["id"] != ids[0]:
                continue
            line = f"{status:8} {', '.join(ids)}: {entry['message']}"
        if root:
            line = f"    {status} {entry['id']} follows from {root}: {entry['message']}"
        if entry["evidence"] and status in {"fail", "warn", "error"}:
            line += f" | {entry['evidence'][0]['curl']}"
        reporter.write_line(line, **COLOURS.get(status, {}))
    reporter.write_line(f"report: {directory / 'report.html'}, report.json, junit.xml")


def alike(report: dict[str, Any]) -> dict[tuple[str, str], list[str]]:
    """Return the ids of requirements that were not judged for the same reason, where there are several."""
    found: dict[tuple[str, str], list[str]] = {}
    for entry in report["requirements"]:
        if entry["status"] in {"skip", "disabled"}:
            found.setdefault((entry["status"], entry["message"]), []).append(entry["id"])
    return {key: ids for key, ids in found.items() if len(ids) > 2}


def in_order(report: dict[str, Any]) -> Iterator[tuple[dict[str, Any], str | None]]:
    """Yield the requirements that are not pass, the worst first; what follows from another one right behind that."""
    entries = {entry["id"]: entry for entry in report["requirements"] if entry["status"] in ORDER}
    explained = {cause["id"]: cause["explains"] for cause in report["root_causes"]}
    followers = {id for ids in explained.values() for id in ids}

    def worst(id: str) -> tuple[int, int]:
        group = [id, *explained.get(id, [])]
        return min(ORDER.index(entries[one]["status"]) for one in group), -len(group)

    for id in sorted(entries.keys() - followers, key=lambda one: (*worst(one), list(entries).index(one))):
        yield entries[id], None
        for follower in explained.get(id, []):
            yield entries[follower], id


def print_plan(run: Conformance) -> None:
    """List the requests of the scripted probe, and the bounds of the others."""
    target, wire = run.target, run.wire
    redact = Redactor(target.nearly_secrets)
    print()
    most = f", {wire.limits.requests} requests at most" if wire.limits.requests else ""
    print(f"Nothing is sent. To {target.base_url} would go{most}:")
    for number, step in enumerate((step for stage in run.script() for step in stage.steps), 1):
        try:
            wire.check_safe(step.request)
        except Withheld as withheld:
            print(f"   -  withheld: {step.purpose} ({withheld})")
            continue
        shown = step.request.target if len(step.request.target) < 120 else step.request.target[:117] + "..."
        print(redact(f"{number:4}  {step.request.method:8} {target.base_url}{shown}  # {step.purpose}"))
    print(
        "   …  GET requests generated by schemathesis, with the configured VPS id or a made-up one, for up to 4 seconds"
    )
    if target.allow_exec:
        print(
            f"   …  POST requests that start echo or {SLEEP}, {MOST_COMMANDS} at most, and polls until they have ended"
        )
