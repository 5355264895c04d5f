"""The report as a self-contained page for people.

What a server sent can only ever be text there: the template escapes everything, and the page's content security policy
allows only our own script and style, by their hashes, and no requests.
"""

from __future__ import annotations

import base64
import hashlib
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from markupsafe import Markup

HERE = Path(__file__).parent

VERDICTS = {
    "conformant": (
        "Conformant",
        "No MUST is broken in anything that was judged, and the endpoint's core was seen to work.",
    ),
    "not_conformant": ("Not conformant", "At least one MUST of the contract is broken."),
    "not_demonstrated": (
        "Not demonstrated",
        "Nothing failed, but nothing is proved: the endpoint was not seen to work, or not all could be judged.",
    ),
}
#: What each status means, for a reader who sees a report for the first time.
MEANINGS = {
    "pass": "kept in every exchange in which it could be judged",
    "fail": "a MUST is broken",
    "warn": "a SHOULD is broken",
    "observe": "what was seen where the contract leaves it open, or a broken requirement that is waived",
    "skip": "no exchange made it possible to judge this",
    "disabled": "not judged, since something that it needs was not given",
    "error": "the suite itself failed to judge it",
}
#: The order in which the statuses are shown.
ORDER = ("fail", "error", "warn", "pass", "observe", "skip", "disabled")
#: The order in which to mend things. An error comes before a warning, since it may hide a failure.
URGENT = ("fail", "error", "warn")
#: How many of these are shown at first: as many as people read in ten seconds.
FIRST = 8


@dataclass(frozen=True)
class Mend:
    """A requirement to mend, and the other broken requirements that it may explain."""

    entry: dict[str, Any]
    explains: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Place:
    """A section of the endpoint's documentation, with the requirements that are based on it."""

    name: str
    entries: list[dict[str, Any]]

    @property
    def mark(self) -> str:
        """The worst status among them, in a word."""
        statuses = {entry["status"] for entry in self.entries}
        marks = {"fail": "failed", "error": "not shown", "warn": "warned", "pass": "passed", "observe": "observed"}
        return next((mark for status, mark in marks.items() if status in statuses), "not shown")


def render(report: dict[str, Any]) -> str:
    """Return the text of report.html."""
    entries = report["requirements"]
    word, meaning = VERDICTS[report["verdict"]]
    listed = mends(report)
    script, style = read("report.js"), read("report.css")
    text = template().render(
        report=report,
        entries=entries,
        word=word,
        meaning=meaning,
        when=shown_time(report["started"]),
        methods=", ".join(f"{count} {method}" for method, count in report.get("methods", {}).items()),
        counts=[(status, report["summary"].get(status, 0)) for status in ORDER],
        bar=bar(report["summary"]),
        meanings=MEANINGS,
        mends=listed[:FIRST],
        more=listed[FIRST:],
        places=places(entries),
        areas=list(dict.fromkeys(entry["id"].partition("-")[0] for entry in entries)),
        # Both are files of this package, and the only text that is not escaped by the template.
        script=Markup(script),  # noqa: S704
        style=Markup(style),  # noqa: S704
        policy=f"default-src 'none'; script-src '{digest(script)}'; style-src '{digest(style)}'; "
        "base-uri 'none'; form-action 'none'",
    )
    return text.lstrip()


def mends(report: dict[str, Any]) -> list[Mend]:
    """Return what to mend, the most urgent first; a requirement that another explains is listed with that one."""
    broken = [entry for status in URGENT for entry in report["requirements"] if entry["status"] == status]
    status = {entry["id"]: entry["status"] for entry in broken}
    behind = defaultdict(list)
    for entry in broken:
        if entry.get("root") in status.keys() - {entry["id"]}:
            behind[entry["root"]].append(entry["id"])
    # A requirement that explains others is never hidden, so nothing is lost if causes form a circle.
    hidden = {id for explained in behind.values() for id in explained} - set(behind)
    listed = [Mend(entry, behind.get(entry["id"], [])) for entry in broken if entry["id"] not in hidden]

    def urgency(mend: Mend) -> tuple[int, int]:
        # A warning that explains a failure is as urgent as the failure.
        return min(URGENT.index(status[id]) for id in (mend.entry["id"], *mend.explains)), -len(mend.explains)

    return sorted(listed, key=urgency)


def places(entries: list[dict[str, Any]]) -> list[Place]:
    """Return the sections of the endpoint's documentation that requirements cite first, in their order there."""
    found = defaultdict(list)
    for entry in entries:
        if entry["source"].startswith("documentation"):
            found[place_of(entry["source"])].append(entry)
    order = ("first paragraph", "GET and POST", "Parameters", "Headers", "Response Schema", "Responses")

    def key(name: str) -> tuple[int, str]:
        return next((i for i, part in enumerate(order) if name.startswith(part)), len(order)), name

    return [Place(name, found[name]) for name in sorted(found, key=key)]


def place_of(source: str) -> str:
    """Return the section that a source cites, without other sources and remarks."""
    return source.partition(";")[0].partition(" (")[0].removeprefix("documentation").strip(", ") or "as a whole"


def bar(summary: dict[str, int]) -> list[tuple[str, float, float]]:
    """Return the status, start and width (in percent) of each part of the bar."""
    total = sum(summary.values()) or 1
    parts, begin = [], 0.0
    for status in ORDER:
        width = 100 * summary.get(status, 0) / total
        if width:
            parts.append((status, round(begin, 3), round(width, 3)))
            begin += width
    return parts


def shown_time(started: str) -> str:
    """Return a time for people."""
    return f"{datetime.fromisoformat(started).astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def digest(text: str) -> str:
    """Return the hash of a script or a style for the content security policy."""
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


@cache
def read(name: str) -> str:
    """Return the text of a file beside this one."""
    return (HERE / name).read_text(encoding="utf-8")


@cache
def template() -> Template:
    """Return the page's template."""
    environment = Environment(
        loader=FileSystemLoader(HERE), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.get_template("report.html.jinja")
