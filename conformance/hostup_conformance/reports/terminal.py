"""The summary in the terminal: the verdict in one line, then a line for each requirement that did not pass.

GitHub Actions shows some lines of it beside the summary of a job.
"""

import os
import re
import shutil
import textwrap
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol, TextIO

from hostup_conformance.keeping.safe_text import counted, listed, on_one_line
from hostup_conformance.keeping.screen import Guarded, say
from hostup_conformance.reports.figures import URGENT, about, doubts, mends, not_judged, totals
from hostup_conformance.reports.files import REPORTS

#: How many requirements of a list are named; the reports name all.
NAMED = 5
#: How many lines of what was skipped are printed where something is to be mended.
SKIPS = 6
#: The statuses of which there are lines, in their order.
SHOWN = (*URGENT, "observe", "skip", "disabled")
#: A word of a command line with its quotation marks.
SHELL_WORD = re.compile(r"""(?:[^\s'"\\]|\\.|'[^']*+'|"(?:[^"\\]|\\.)*+")++""")
#: GitHub's command for each status. It shows ten of each command in a step.
COMMANDS = {"fail": "error", "error": "error", "warn": "warning"}
ANNOTATIONS = 10
COLOURS: dict[str, dict[str, bool]] = {
    "conformant": {"green": True, "bold": True},
    "not_conformant": {"red": True, "bold": True},
    "not_demonstrated": {"yellow": True, "bold": True},
    "fail": {"red": True},
    "error": {"red": True},
    "warn": {"yellow": True},
}


class Reporter(Protocol):
    """pytest's terminal reporter, or something like it."""

    def section(self, title: str, sep: str) -> None:
        """Print a heading."""

    def write_line(self, line: str, **markup: bool) -> None:
        """Print a line."""


def width_of(stream: TextIO | Guarded | None) -> int | None:
    """Return how many columns a terminal has; None for what is not one."""
    return shutil.get_terminal_size().columns if stream and stream.isatty() else None


def finding_lines(entry: dict[str, Any]) -> Iterator[str]:
    """Yield the lines of a failing item: requirement, expected, got, and how to repeat the request."""
    yield f"{entry['id']} ({entry['level']}) {entry['title']}"
    yield f"  source: {entry['source']}"
    for shown in entry["evidence"]:
        yield f"  expected: {shown['expected']}"
        yield f"  got:      {shown['got']}"
        yield from ([f"  note:     {shown['note']}"] if shown.get("note") else [])
        yield f"  request:  {shown['curl']}"
    if not entry["evidence"]:
        yield f"  {entry['message']}"


def print_summary(reporter: Reporter, report: dict[str, Any], directory: Path, width: int | None = None) -> None:
    """Print the verdict, each requirement that did not pass, and where the reports are.

    What fails says more than why something was not seen to work, and so comes first.

    On a terminal, of so many columns, lines are wrapped between words; elsewhere each requirement has one line.
    """
    verdict = report["verdict"]

    def say_of_run(line: str, **markup: bool) -> None:
        for part in wrapped(line, width, "  ") if width else [line]:
            reporter.write_line(part, **markup)

    reporter.section("conformance", sep="=")
    say_of_run(f"{verdict}{about(report)}: {report['target']['base_url']} ({totals(report)})", **COLOURS[verdict])
    if not (fails := verdict == "not_conformant"):
        print_doubts(say_of_run, report)
    say_of_run(report["scope"])
    skipped, said = 0, set[str]()
    for entry, root, ids in told(report):
        skipped += entry["status"] == "skip"
        if fails and entry["status"] == "skip" and skipped > SKIPS:
            continue  # so that what is to be mended stays in sight
        for number, line in enumerate(lines_of(entry, root, ids, width, said)):
            reporter.write_line(line, **(COLOURS.get(entry["status"], {}) if number == 0 else {}))
    if fails and skipped > SKIPS:
        say_of_run(f"skip     for {counted(skipped - SKIPS, 'other reason')}, which the reports say")
    if fails:
        print_doubts(say_of_run, report)
    say_of_run(f"report: {on_one_line(', '.join(written(directory))) or 'none could be written'}")
    for line in annotations_for(report, os.environ):
        reporter.write_line(line)


def told(report: dict[str, Any]) -> Iterator[tuple[dict[str, Any], str | None, list[str]]]:
    """Yield the requirements that have lines, each with what it may follow from, and with those that are alike."""
    together = {key: ids for key, ids in not_judged(report).items() if len(ids) > 2}
    for mend in mends(report, SHOWN):
        for entry in (mend.entry, *mend.explains):
            ids = together.get((entry["status"], entry["message"]), [entry["id"]])
            if entry["id"] == ids[0]:
                yield entry, mend.entry["id"] if entry is not mend.entry else None, ids


def print_doubts(say_of_run: Callable[..., None], report: dict[str, Any]) -> None:
    """Print why the run does not show everything, if it does not, and what to give to finish it."""
    for words, reason in doubts(report):
        say_of_run(f"{words}: {reason}", yellow=True)
    if report["refused"] or not (missed := listed(report["unjudged"], NAMED)):
        return
    if report["stopped"] and report["target"]["kind"] != "har":
        more = "; to finish, give more with --max-requests, --max-wait or --max-seconds"
        say_of_run(f"MUSTs not judged: {missed}" + (more if "--max-" in report["stopped"] else ""))
    else:
        say_of_run(f"MUSTs not judged: {missed}; the responses were too large, or took too long to judge", yellow=True)


def lines_of(
    entry: dict[str, Any], root: str | None, ids: Sequence[str], width: int | None, said: set[str]
) -> list[str]:
    """Return the lines of a requirement that may follow from another, its `root`, or of several that are alike.

    Without a width they are one line. What of their notes was `said` before is not said again.
    """
    status, message = entry["status"], entry["message"]
    names = listed(ids, NAMED) if len(ids) > 1 else f"{entry['id']} may follow from {root}" if root else entry["id"]
    named = names if root or len(ids) > 1 else f"{names} {entry['title']}"
    head = f"    {status} {named}" if root else f"{status:8} {named}"
    shown = entry["evidence"][0] if entry["evidence"] and status in URGENT else {"curl": ""}
    notes = [part for part in (shown.get("note") or "").split("; ") if part and part not in said]
    said.update(notes)
    command, note = shown["curl"], "; ".join(notes)
    if width is None:
        return [f"{head}: {message}" + (f" ({note})" if note else "") + (f" | {command}" if command else "")]
    indent = " " * 9
    first = wrapped(f"{head}:", width, indent)
    return [
        *first,
        *wrapped(indent + message, width, indent),
        *(wrapped(indent + note, width, indent) if note else ()),
        *(command_lines(command, width, indent) if command else ()),
    ]


def wrapped(text: str, width: int, indent: str) -> list[str]:
    """Return a text in lines that are not broken within a word."""
    return textwrap.wrap(text, width, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False) or [""]


def command_lines(command: str, width: int, indent: str) -> list[str]:
    """Return a command line in lines that a shell takes for one, and that are not broken within its words."""
    units: list[str] = []
    words = SHELL_WORD.findall(command)
    for word in words:
        # An option stays with its argument; the last word is none.
        if units and re.fullmatch("-[^ ]+", units[-1]) and not word.startswith("-") and word is not words[-1]:
            units[-1] += f" {word}"
        else:
            units.append(word)
    lines, line = [], indent
    for unit in units:
        if line.strip() and len(line) + len(unit) + 2 > width:
            lines.append(line + "\\")
            line = f"{indent}  "
        line += f"{unit} "
    return [*lines, line.rstrip()]


def written(directory: Path) -> list[str]:
    """Return the reports that could be written, the first one with its folder."""
    names = [name for name in REPORTS if os.path.isfile(directory / name)]
    return [str(directory / name) for name in names[:1]] + names[1:]


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
    for command in plan["commands"]:
        say(f"      $ {command}")


def annotations_for(record: dict[str, Any], environment: Mapping[str, str]) -> Iterator[str]:
    """Yield a line for each requirement to mend, the most urgent first, if this is a job of GitHub Actions."""
    if environment.get("GITHUB_ACTIONS") != "true":
        return
    told = dict.fromkeys(COMMANDS.values(), 0)
    for mend in mends(record):
        command = COMMANDS[mend.entry["status"]]
        told[command] += 1
        if told[command] <= ANNOTATIONS:
            title = f"{mend.entry['id']} {mend.entry['title']}"
            yield f"::{command} title={escaped(title, ':,')}::{escaped(mend.entry['message'])}"


def escaped(text: str, also: str = "") -> str:
    """Return a text as one line in which GitHub finds the text alone, with its own escapes."""
    line = on_one_line(text).replace("%", "%25")
    for character in also:
        line = line.replace(character, f"%{ord(character):02X}")
    return line
