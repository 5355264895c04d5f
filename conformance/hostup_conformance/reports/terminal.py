"""The summary in the terminal: the verdict in one line, then a line for each requirement that did not pass."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol, TextIO

from hostup_conformance.keeping.safe_text import Redact
from hostup_conformance.reports.figures import totals

#: How many requirements of a list are named; the reports name all.
NAMED = 5
ORDER = ("error", "fail", "warn", "observe", "skip", "disabled")
COLOURS: dict[str, dict[str, bool]] = {
    "conformant": {"green": True, "bold": True},
    "not_conformant": {"red": True, "bold": True},
    "not_demonstrated": {"yellow": True, "bold": True},
    "fail": {"red": True},
    "error": {"red": True},
    "warn": {"yellow": True},
}


class Redacting(io.TextIOBase):
    """A stream that redacts everything written to it, including tracebacks of any origin.

    If writing fails (a full disk, a closed pipe), the run goes on, since it also has its reports.
    """

    def __init__(self, stream: TextIO, redact: Redact) -> None:
        self._stream, self._redact = stream, redact
        #: Why something could not be written, if that happened.
        self.lost: str | None = None

    def write(self, text: str) -> int:
        """Redact and write."""
        try:
            self._stream.write(self._redact(text))
        except OSError as error:
            self.lost = error.strerror
        return len(text)

    def flush(self) -> None:
        """Flush the stream below."""
        try:
            self._stream.flush()
        except OSError as error:
            self.lost = error.strerror

    def isatty(self) -> bool:
        """Whether the stream below is a terminal."""
        return self._stream.isatty()

    @property
    def encoding(self) -> str:  # type: ignore[override]
        """The encoding of the stream below."""
        return self._stream.encoding


def say(line: str = "") -> None:
    """Print a line. If its reader is gone, as head may be, nothing more is printed, and the program goes on."""
    try:
        print(line, flush=True)
    except BrokenPipeError:
        # Python's flush at exit must not fail on it again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


class Reporter(Protocol):
    """pytest's terminal reporter, or something like it."""

    def section(self, title: str, sep: str) -> None:
        """Print a heading."""

    def write_line(self, line: str, **markup: bool) -> None:
        """Print a line."""


def finding_lines(entry: dict[str, Any]) -> Iterator[str]:
    """Yield the lines of a failing item: requirement, expected, got, and how to repeat the request."""
    yield f"{entry['id']} ({entry['level']}) {entry['title']}"
    yield f"  source: {entry['source']}"
    for shown in entry["evidence"]:
        yield f"  expected: {shown['expected']}"
        yield f"  got:      {shown['got']}"
        yield f"  request:  {shown['curl']}"
    if not entry["evidence"]:
        yield f"  {entry['message']}"


def print_summary(reporter: Reporter, report: dict[str, Any], directory: Path) -> None:
    """Print the verdict, each requirement that did not pass, and where the reports are."""
    verdict = report["verdict"]
    reporter.section("conformance", sep="=")
    reporter.write_line(f"{verdict}: {report['target']['base_url']} ({totals(report)})", **COLOURS[verdict])
    reporter.write_line(report["scope"])
    print_doubts(reporter, report)
    together = alike(report)
    for entry, root in in_order(report):
        ids = together.get((entry["status"], entry["message"]), [entry["id"]])
        if entry["id"] == ids[0]:
            reporter.write_line(line_of(entry, root, ids), **COLOURS.get(entry["status"], {}))
    reporter.write_line(f"report: {', '.join(written(directory)) or 'none could be written'}")


def print_doubts(reporter: Reporter, report: dict[str, Any]) -> None:
    """Print why the run does not show everything, if it does not, and what to give to finish it."""
    missed = report["unjudged"]
    if report["doubt"]:
        reporter.write_line(f"the endpoint was not seen to work whole: {report['doubt']}", yellow=True)
    if report["refused"]:
        reporter.write_line(f"the endpoint was never seen to work: {report['refused']}", yellow=True)
    elif report["stopped"] and report["target"]["kind"] != "har":
        reporter.write_line(f"sending ended early: {report['stopped']}", yellow=True)
        if missed:
            judged = report["judged"]
            text = f"judged {judged['requirements']} of {judged['of']} requirements, but not {listed(missed)}"
            more = ": to finish, give more with --max-requests, --max-wait or --max-seconds"
            reporter.write_line(text + (more if "--max-" in report["stopped"] else ""))
    elif missed:
        reporter.write_line(
            f"not judged: {listed(missed)}; the responses were too large, or took too long to be judged", yellow=True
        )


def line_of(entry: dict[str, Any], root: str | None, ids: Sequence[str]) -> str:
    """Return the line of a requirement that may follow from another, its `root`, or of several that are alike."""
    status, message = entry["status"], entry["message"]
    if root:
        line = f"    {status} {entry['id']} may follow from {root}: {message}"
    elif len(ids) > 1:
        line = f"{status:8} {listed(ids)}: {message}"
    else:
        line = f"{status:8} {entry['id']} {entry['title']}: {message}"
    if entry["evidence"] and status in {"fail", "warn", "error"}:
        line += f" | {entry['evidence'][0]['curl']}"
    return line


def listed(ids: Sequence[str]) -> str:
    """Return a list of requirements, or the beginning of a long one."""
    more = len(ids) - NAMED
    return ", ".join(ids[:NAMED]) + (f" and {more} more" if more > 0 else "")


def written(directory: Path) -> list[str]:
    """Return the reports that could be written, the first one with its folder."""
    names = [name for name in ("report.html", "report.json", "junit.xml") if (directory / name).is_file()]
    return [str(directory / name) for name in names[:1]] + names[1:]


def alike(report: dict[str, Any]) -> dict[tuple[str, str], list[str]]:
    """Return the ids of requirements that were not judged, by status and reason, if more than two share them."""
    found: dict[tuple[str, str], list[str]] = {}
    for entry in report["requirements"]:
        if entry["status"] in {"skip", "disabled"}:
            found.setdefault((entry["status"], entry["message"]), []).append(entry["id"])
    return {key: ids for key, ids in found.items() if len(ids) > 2}


def in_order(report: dict[str, Any]) -> Iterator[tuple[dict[str, Any], str | None]]:
    """Yield the requirements that did not pass, the worst first, each followed by those that it explains."""
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


def print_plan(plan: dict[str, Any]) -> None:
    """Print the scripted requests, and descriptions of the others that may be sent."""
    say()
    most = f", at most {plan['most']} requests" if plan["most"] else ""
    say(f"Nothing was sent. A run would send these to {plan['base_url']}{most}:")
    for number, step in enumerate(plan["steps"], 1):
        if "withheld" in step:
            say(f"   -  withheld: {step['purpose']} ({step['withheld']})")
            continue
        target = step["target"] if len(step["target"]) < 120 else step["target"][:117] + "..."
        say(f"{number:4}  {step['method']:8} {plan['base_url']}{target}  # {step['purpose']}")
    for other in plan["others"]:
        say(f"   …  {other}")
