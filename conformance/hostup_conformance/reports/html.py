"""The report as a self-contained page for people.

What a server sent can only ever be text there: the template escapes everything, and the page's content security policy
allows only our own script and style, by their hashes, and no requests.
"""

import base64
import hashlib
import re
from collections import Counter, defaultdict
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from markupsafe import Markup, escape

from hostup_conformance.reports import figures
from hostup_conformance.reports.figures import ORDER, URGENT, mends, rank
from hostup_conformance.reports.pictures import Row, sequence, timeline

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
#: In a word, of a section of the documentation, the worst status of what is based on it.
MARKS = {"fail": "failed", "error": "not shown", "warn": "warned", "pass": "passed", "observe": "observed"}
#: How many things to mend are shown at first: as many as people read in ten seconds.
FIRST = 8
#: The areas whose findings are shown with the whole life of the command.
WITH_STORY = {"POLL", "START", "CLIENT"}
#: How many exchanges at the beginning of each scene, and at its end, are shown.
IN_A_SCENE = 25
#: How many of the requirements that judge an exchange are named: those that judge few others say most.
JUDGES = 6


class ExchangeIndex:
    """The exchanges of a run, as the requirements that they break refer to them."""

    def __init__(self, report: dict[str, Any]) -> None:
        self.every: list[dict[str, Any]] = report.get("exchanges", [])
        self.status = {entry["id"]: entry["status"] for entry in report["requirements"]}
        self._by_number = {e["number"]: e for e in self.every}
        self.stories: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for e in self.every:
            if e["story"]:
                self.stories[e["story"]].append(e)
        self._judges: dict[int, list[str]] = defaultdict(list)
        for entry in sorted(report["requirements"], key=lambda entry: int(entry["exercised"])):
            for number in figures.numbers(entry.get("judged_on", "")):
                self._judges[number].append(entry["id"])
        #: The sequence diagram of each scene; none if a server was judged.
        self.scenes = {
            name: sequence(story, self.status, ends=IN_A_SCENE)
            for name, story in self.stories.items()
            if report["target"]["kind"] == "client"
        }
        self._shown = {row.number for rows in self.scenes.values() for row in rows} or set(self._by_number)

    def linked(self, text: str) -> Markup:
        """Return a text in which the numbers of requests lead to them."""

        def link(found: re.Match[str]) -> str:
            return f'<a href="#{found[0].replace(" ", "-")}">{found[0]}</a>' if self.has(int(found[1])) else found[0]

        return Markup(re.sub(r"\brequest ([1-9][0-9]{0,5})\b", link, str(escape(text))))  # noqa: S704 - it is escaped

    def first(self, entry: dict[str, Any]) -> str:
        """Return the request line of the first exchange that breaks a requirement; "" if there is none."""
        number = next((item.get("number") for item in entry["evidence"]), None)
        return str(self._by_number.get(number, {}).get("request", "")) if number else ""

    def has(self, number: int | None) -> bool:
        """Whether an exchange is listed."""
        return number in self._shown

    def diagrams(self, entry: dict[str, Any]) -> dict[int, list[Row]]:
        """Return the sequence diagrams for the evidence of a requirement, by its place; each story once."""
        found: dict[int, list[Row]] = {}
        told: set[str] = set()
        for place, item in enumerate(entry["evidence"] if entry["id"].partition("-")[0] in WITH_STORY else ()):
            story = self._by_number.get(item.get("number"), {}).get("story")
            if story and story not in told and len(self.stories[story]) > 1:
                told.add(story)
                found[place] = sequence(self.stories[story], self.status, {entry["id"]})
        return found

    def broken(self, e: dict[str, Any]) -> list[tuple[str, str]]:
        """Return the requirements that an exchange breaks, each with its status."""
        return [(id, status) for id in e["found"] if (status := self.status.get(id, "")) in URGENT]

    def judges(self, e: dict[str, Any]) -> tuple[list[str], int]:
        """Return the requirements that judge an exchange: those that judge fewest, and how many more."""
        others = [id for id in self._judges[e["number"]] if id not in {id for id, _ in self.broken(e)}]
        return others[:JUDGES], len(others[JUDGES:])

    def broken_in(self, story: str) -> list[tuple[str, str]]:
        """Return the requirements that the exchanges of a story break, each with its status, the worst first."""
        found = dict(pair for e in self.stories[story] for pair in self.broken(e))
        return sorted(found.items(), key=lambda pair: URGENT.index(pair[1]))


def render(report: dict[str, Any]) -> str:
    """Return the text of report.html."""
    entries = report["requirements"]
    exchanges = ExchangeIndex(report)
    word, meaning = VERDICTS[report["verdict"]]
    listed = mends(report)
    script, style = read("report.js"), read("report.css")
    text = template().render(
        report=report,
        word=word,
        meaning=meaning,
        figures=figures,
        when=f"{datetime.fromisoformat(report['started']).astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC",
        methods=", ".join(f"{count} {method}" for method, count in report.get("methods", {}).items()),
        counts=[(status, report["summary"].get(status, 0)) for status in ORDER],
        bar=bar(report["summary"]),
        meanings=MEANINGS,
        mends=listed[:FIRST],
        more=listed[FIRST:],
        areas=areas(entries),
        places=places(entries),
        exchanges=exchanges,
        timeline=timeline(exchanges.every, exchanges.status),
        # Both are files of this package, and the only text that is not escaped by the template.
        script=Markup(script),  # noqa: S704
        style=Markup(style),  # noqa: S704
        policy=f"default-src 'none'; script-src '{digest(script)}'; style-src '{digest(style)}'; "
        "base-uri 'none'; form-action 'none'",
    )
    return text.lstrip()


def areas(entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the areas, each with its requirements and how many have each status: what is to be mended comes first."""
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for entry in sorted(entries, key=urgent_first):
        found[entry["id"].partition("-")[0]].append(entry)
    numbers = {name: Counter(entry["status"] for entry in of_area) for name, of_area in found.items()}
    return [
        {
            "name": name,
            "entries": of_area,
            "counts": [(status, numbers[name][status]) for status in ORDER if numbers[name][status]],
            "urgent": of_area[0]["status"] in URGENT,
        }
        for name, of_area in found.items()
    ]


def urgent_first(entry: dict[str, Any]) -> int:
    """Return what to sort by so that what is to be mended comes first, and all else stays in the ledger's order."""
    return min(rank(entry), len(URGENT))


def places(entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the sections of the endpoint's documentation that requirements cite first, in their order there."""
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for entry in entries:
        if entry["source"].startswith("documentation"):
            found[place_of(entry["source"])].append(entry)
    order = ("first paragraph", "GET and POST", "Parameters", "Headers", "Response Schema", "Responses")

    def key(name: str) -> tuple[int, str]:
        return next((i for i, part in enumerate(order) if name.startswith(part)), len(order)), name

    def mark(name: str) -> str:
        statuses = {entry["status"] for entry in found[name]}
        return next((mark for status, mark in MARKS.items() if status in statuses), "not shown")

    return [{"name": name, "entries": found[name], "mark": mark(name)} for name in sorted(found, key=key)]


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
