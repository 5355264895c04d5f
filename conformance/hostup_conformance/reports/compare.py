"""Compares two reports of one target: what became worse, what became better, and what is new. It judges nothing."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from hostup_conformance.keeping.safe_text import shown
from hostup_conformance.reports.summary import code

#: The ranks of the statuses of judged requirements, from bad to good; an observation breaks nothing.
RANKS = {"error": 0, "fail": 0, "warn": 1, "observe": 2, "pass": 2}
#: The verdicts from bad to good: of a server that demonstrated nothing it is not known what it still keeps.
NOTHING = "not_demonstrated"
VERDICTS = (NOTHING, "not_conformant", "conformant")
#: The kinds of changes in the order in which they are listed, each with its name.
KINDS = {
    "worse": "worse",
    "better": "better",
    "judged": "newly judged",
    "unjudged": "no longer judged",
    "new": "new",
    "gone": "gone",
}
LONGEST_MESSAGE = 200
OTHER_CONTRACT = "The contract differs between the two: some changes may be the suite's, and not the server's."


@dataclass
class Comparison:
    """The changes between two reports, each as its kind and a line."""

    verdicts: tuple[str, str]
    lines: list[tuple[str, str]] = field(default_factory=list)

    def count(self, kind: str) -> int:
        """Return how many changes are of a kind."""
        return sum(kind == of_kind for of_kind, _ in self.lines)

    @property
    def is_worse(self) -> bool:
        """Whether the verdict or a requirement became worse. What is broken and was not judged before is neither."""
        before, after = map(VERDICTS.index, self.verdicts)
        return after < before or self.count("worse") > 0

    @property
    def sum(self) -> str:
        """The verdict, or its change, and the numbers of changes, in a line."""
        before, after = self.verdicts
        numbers = [f"{count} {called}" for kind, called in KINDS.items() if (count := self.count(kind))]
        change = after if before == after else f"{before} \N{RIGHTWARDS ARROW} {after}"
        return f"{change}: {', '.join(numbers) or 'nothing has changed'}"


def compare(old: dict[str, Any], new: dict[str, Any]) -> Comparison:
    """Compare two reports, by the ids that requirements have today."""
    before, after = entries(old), entries(new)
    comparison = Comparison((old["verdict"], new["verdict"]))
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
    """Return the entries of a report by their ids."""
    return {entry["id"]: entry for entry in report["requirements"]}


def kind_of_change(before: str, after: str) -> str | None:
    """Return the kind of a change of status; None if the requirement is as good as before."""
    if after not in RANKS:
        return "unjudged" if before in RANKS else None
    if before not in RANKS:
        return "judged"
    was, is_now = RANKS[before], RANKS[after]
    return "worse" if is_now < was else "better" if is_now > was else None


def line(id: str, change: str, entry: dict[str, Any]) -> str:
    """Return a change in one line."""
    message = f": {shown(entry['message'], LONGEST_MESSAGE)}" if entry.get("message") else ""
    return f"{shown(id)} {shown(change)}  {shown(entry['title'], LONGEST_MESSAGE)}{message}"


def text_of(comparison: Comparison, old: dict[str, Any], new: dict[str, Any]) -> Iterator[str]:
    """Yield the lines of a comparison: the verdict and the numbers first."""
    yield comparison.sum
    yield from (f"{name}: {of_report(report)}" for name, report in (("old", old), ("new", new)))
    if old["spec"] != new["spec"]:
        yield OTHER_CONTRACT
    yield from (f"{KINDS[kind]:16} {text}" for kind, text in comparison.lines)


def markdown_of(comparison: Comparison, old: dict[str, Any], new: dict[str, Any]) -> Iterator[str]:
    """Yield the same as Markdown, for the summary of a job or a comment."""
    yield f"## {'Worse' if comparison.is_worse else 'Not worse'}: {comparison.sum.replace('_', ' ')}"
    yield from ("", f"- old: {code(of_report(old))}", f"- new: {code(of_report(new))}")
    if old["spec"] != new["spec"]:
        yield from ("", OTHER_CONTRACT)
    if comparison.lines:
        yield from ("", "| | |", "|---|---|")
        yield from (f"| {KINDS[kind]} | {code(text)} |" for kind, text in comparison.lines)


def of_report(report: dict[str, Any]) -> str:
    """Return in a line what a report is about, and when it was made."""
    target, started, version = shown(report["target"]["base_url"]), shown(report["started"]), report["suite_version"]
    return f"{report['verdict']}  {target} at {started}, suite {shown(version)}"
