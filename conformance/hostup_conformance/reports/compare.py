"""Compares two reports of one target: what became worse, what became better, and what is new. It judges nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from hostup_conformance.judging.ledger import renamed
from hostup_conformance.keeping.safe_text import shown

#: The ranks of the statuses of judged requirements, from bad to good; an observation breaks nothing.
RANKS = {"error": 0, "fail": 0, "warn": 1, "observe": 2, "pass": 2}
VERDICTS = ("not_conformant", "not_demonstrated", "conformant")
#: The kinds of changes in the order in which they are listed, each with its name in the last line.
KINDS = {"worse": "worse", "better": "better", "new": "new", "gone": "gone", "unjudged": "no longer judged"}
LONGEST = 200


@dataclass
class Comparison:
    """The changes between two reports, each as its kind and a line."""

    lines: list[tuple[str, str]] = field(default_factory=list)

    def count(self, kind: str) -> int:
        """Return how many changes are of a kind."""
        return sum(kind == of_kind for of_kind, _ in self.lines)


def compare(old: dict[str, Any], new: dict[str, Any]) -> Comparison:
    """Compare two reports, by the ids that requirements have today."""
    before, after = entries(old), entries(new)
    comparison = Comparison(list(verdict_change(old["verdict"], new["verdict"])))
    for id, entry in after.items():
        if id not in before:
            comparison.lines.append(("new", line(id, entry["status"], entry)))
        elif kind := kind_of_change(before[id]["status"], entry["status"]):
            levels = before[id]["level"], entry["level"]
            change = f"{before[id]['status']} \N{RIGHTWARDS ARROW} {entry['status']}"
            change += "" if levels[0] == levels[1] else f", and its level {levels[0]} is {levels[1]}"
            comparison.lines.append((kind, line(id, change, entry)))
    comparison.lines += [("gone", line(id, entry["status"], entry)) for id, entry in before.items() if id not in after]
    comparison.lines.sort(key=lambda change: list(KINDS).index(change[0]))
    return comparison


def entries(report: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the entries of a report by the ids that their requirements have today."""
    return {renamed().get(entry["id"], entry["id"]): entry for entry in report["requirements"]}


def kind_of_change(before: str, after: str) -> str | None:
    """Return the kind of a change of status; None if the requirement is as good as before.

    A broken requirement that was not judged before is worse; one that is no longer judged is neither worse nor better.
    """
    if after not in RANKS:
        return "unjudged" if before in RANKS else None
    was, is_now = RANKS.get(before, 2), RANKS[after]
    if is_now < was:
        return "worse"
    return "better" if is_now > was or before not in RANKS else None


def verdict_change(before: str, after: str) -> Iterator[tuple[str, str]]:
    """Yield a change of the verdict that no requirement shows: the endpoint is no longer seen to work, or is again."""
    if before != after and "not_conformant" not in {before, after}:
        kind = "worse" if VERDICTS.index(after) < VERDICTS.index(before) else "better"
        yield kind, f"verdict: {before} \N{RIGHTWARDS ARROW} {after}"


def line(id: str, change: str, entry: dict[str, Any]) -> str:
    """Return a change in one line."""
    message = f": {shown(entry['message'], LONGEST)}" if entry.get("message") else ""
    return f"{shown(id)} {shown(change)}  {shown(entry['title'], LONGEST)}{message}"


def text_of(comparison: Comparison, old: dict[str, Any], new: dict[str, Any]) -> Iterator[str]:
    """Yield the lines of a comparison: the two reports first, and the numbers last."""
    for name, report in (("old", old), ("new", new)):
        yield (
            f"{name}: {report['verdict']}  {shown(report['target']['base_url'])} at {shown(report['started'])}, "
            f"suite {shown(report['suite_version'])}"
        )
    if old["spec"] != new["spec"]:
        yield "The contract differs between the two: some changes may be the suite's, and not the server's."
    for kind, text in comparison.lines:
        yield f"{kind:8} {text}"
    yield ", ".join(f"{comparison.count(kind)} {called}" for kind, called in KINDS.items())
