"""The record of a run: the plain data from which its reports are made.

Everything that leaves the suite passes through here, and loses its keys.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from itertools import takewhile
from math import inf, isfinite
from typing import Any, Generic

from hostup_conformance import __version__
from hostup_conformance.contract.document import spec_identity
from hostup_conformance.contract.paths import parameter_names
from hostup_conformance.http import credentials
from hostup_conformance.http.exchange import A, Exchange
from hostup_conformance.http.messages import Request, Response
from hostup_conformance.http.pace import retry_after
from hostup_conformance.judging.rule import Finding
from hostup_conformance.judging.verdict import Result, Verdict
from hostup_conformance.keeping.safe_text import CommandLine, Redact, beginning, counted, on_one_line, spelt_out
from hostup_conformance.reports.figures import PARTS
from hostup_conformance.reports.schema import FORMAT

#: The members that quote what was sent or received. All others are the suite's own words (statuses, ids, titles), which
#: must stay even if they look like a piece of a key.
FREE = {
    *("base_url", "methods", "stopped", "refused", "doubt", "scope", "message", "curl", "purpose", "headers", "body"),
    *("expected", "got", "withheld", "request", "sent", "failure"),
}
#: How many findings of a requirement are shown; of a response's body, and of a request's target and body, how many
#: characters; and how many header fields, and of all of these, how many characters.
EVIDENCE, BODY_CHARACTERS, SHORT_CHARACTERS = 3, 2000, 300
FIELDS, FIELDS_CHARACTERS = 100, 8000
#: Why something is missing that the reports would show.
LATE = "the time of the run was used up: not all is judged and shown"
#: How many exchanges are listed, and how many characters of a request's and of a response's body the list shows.
EXCHANGES, GIST_CHARACTERS = 2000, 100
#: How many requirements are named that a run is about, if not about all.
NAMED = 5


@dataclass(frozen=True)
class RunInfo:
    """How a run went: when it began, how many seconds it took, and why its sending ended early, if it did."""

    started: datetime = field(default_factory=lambda: datetime.now(UTC))
    seconds: float = 0.0
    stopped: str | None = None
    #: How many entries of a recording are about other paths.
    ignored: int = 0
    #: The requirements that the run is about, if not about all; of a client, the scenes.
    only: tuple[str, ...] = ()
    #: How many scenes there are that a client may be tried in.
    scenes: int = 0


@dataclass(frozen=True)
class ReportedTarget(Generic[A]):
    """What a run is about, and how its reports show it."""

    described: dict[str, Any]
    redact: Redact
    #: Return, for an exchange, the command line that repeats it, and the text for what came.
    again: Callable[[Exchange[A]], CommandLine]
    came: Callable[[Exchange[A]], str | None]
    #: Return, by its number, the story that an exchange belongs to: the life of a command, or a scene.
    stories: Callable[[Sequence[Exchange[A]]], Mapping[int, str]]


def judged_counts(verdict: Verdict[A]) -> dict[str, int]:
    """Return how many MUSTs and SHOULDs were judged, and how many there are that are not disabled."""
    results = [r for r in verdict.results.values() if r.requirement.level != "OBSERVE" and r.status != "disabled"]
    return {"requirements": sum(r.status != "skip" for r in results), "of": len(results)}


def scope_of(verdict: Verdict[A], info: RunInfo, kind: str) -> str:
    """Return in a line what the verdict is about: how much was judged, what was never seen, what would show more."""
    counts = judged_counts(verdict)
    said = [f"judged {counts['requirements']} of {counts['of']} MUSTs and SHOULDs", *verdict.not_shown]
    if not (only := info.only):
        return "; ".join(said)
    of = f" of {info.scenes}" if info.scenes else ""
    about = ", ".join(only) if len(only) <= NAMED else f"{len(only)}{of} {PARTS.get(kind, 'requirements')}"
    rest = said if kind in PARTS else ["nothing else was judged"]
    return "; ".join([f"this is about {about} alone", *rest])


def record_of(
    verdict: Verdict[A],
    exchanges: Sequence[Exchange[A]],
    reported: ReportedTarget[A],
    info: RunInfo,
    root_causes: Callable[[Verdict[A]], dict[str, list[str]]],
    by: float = inf,
) -> dict[str, Any]:
    """Return the record of a run, redacted, in the form of report.json.

    What fails of it is left out, and so is what is not built by a moment on the monotonic clock.
    """
    defects = verdict.defects
    roots: dict[str, list[str]] = defects.survive(lambda: root_causes(verdict), {}, by)
    methods = Counter(e.request.method for e in exchanges if e.request.method)
    account: dict[str, Any] = {
        "target": reported.described,
        "requests": methods.total(),
        "methods": dict(methods),
        "stopped": info.stopped,
        "refused": verdict.core.refused,
        "doubt": verdict.core.doubt,
    }
    account = defects.survive(lambda: redacted(account, reported.redact), {}, by)
    entries = []
    for result in verdict.results.values():
        root = next((root for root, explained in roots.items() if result.requirement.id in explained), None)
        quoted: dict[str, Any] = defects.survive(partial(quoted_in, result, reported), {}, by)
        entries.append({**in_own_words(result), "root": root, **quoted})
    listed: list[dict[str, Any]] = defects.survive(lambda: exchanges_in_short(verdict, exchanges, reported, by), [], by)
    if defects.late and not account.get("stopped"):
        account["stopped"] = LATE
    # At last, since it says what has failed until now.
    entries += [in_own_words(result) for result in verdict.outcomes[len(entries) :]]
    return {
        **outline(verdict, info, reported.described["kind"]),
        **account,
        "root_causes": [{"id": root, "explains": explained} for root, explained in roots.items()],
        "requirements": entries,
        "exchanges": listed,
    }


def exchanges_in_short(
    verdict: Verdict[A], exchanges: Sequence[Exchange[A]], reported: ReportedTarget[A], by: float
) -> list[dict[str, Any]]:
    """Return all exchanges in their order, each in a few words, with the requirements whose findings it shows."""
    found: dict[int, list[str]] = {}
    for result in verdict.results.values():
        for number in dict.fromkeys(finding.exchange.number for finding in result.findings):
            found.setdefault(number, []).append(result.requirement.id)
    stories, kind = reported.stories(exchanges), reported.described["kind"]
    first = min((e.when for e in exchanges if e.when), default=None)
    return [
        redacted(
            {
                "number": e.number,
                "request": f"{e.request.method} {shortened(as_shown(e.request, kind).target)}".strip(),
                "sent": gist(e.request.body, reported.redact),
                "status": e.status,
                "failure": e.failure or e.too_large,
                "body": gist(e.response.body if e.response else b"", reported.redact),
                "began": round((e.when - first).total_seconds(), 4) if e.when and first else None,
                "seconds": round(e.seconds, 4) if isfinite(e.seconds) else 0.0,  # a recording may say anything
                "asks_to_wait": retry_after(e),
                "purpose": e.purpose,
                "story": stories.get(e.number),
                "found": found.get(e.number, []),
            },
            reported.redact,
        )
        for e in takewhile(lambda _: time.monotonic() < by, exchanges[:EXCHANGES])
    ]


def as_shown(request: Request, kind: str) -> Request:
    """Return a request as it is shown: somebody else's recording may hold credentials that nobody has named."""
    return credentials.without_credentials(request, parameter_names()) if kind == "har" else request


def gist(body: bytes, redact: Redact) -> str:
    """Return the beginning of a body as one line."""
    text, more = beginning(body, GIST_CHARACTERS, redact)
    return on_one_line(text + "..." if more else text)


def outline(verdict: Verdict[A], info: RunInfo, kind: str) -> dict[str, Any]:
    """Return the record of a run without what was sent and received."""
    return {
        "format": FORMAT,
        "verdict": verdict.name,
        "target": {"base_url": "", "kind": kind, "profile": ""},
        "spec": spec_identity(),
        "suite_version": __version__,
        "started": info.started.isoformat(timespec="milliseconds"),
        "duration_seconds": round(info.seconds, 3),
        "requests": 0,
        "methods": {},
        "stopped": None,
        "judged": judged_counts(verdict),
        "unjudged": list(verdict.unjudged),
        "refused": None,
        "doubt": None,
        "scope": scope_of(verdict, info, kind),
        "only": list(info.only),
        "ignored": info.ignored,
        "summary": verdict.summary,
    }


def in_own_words(result: Result[A]) -> dict[str, Any]:
    """Return the entry of a requirement without what was sent and received."""
    requirement = result.requirement
    return {
        "id": requirement.id,
        "level": requirement.level,
        "title": requirement.title,
        "statement": requirement.statement,
        "why": requirement.why,
        "source": requirement.source,
        "status": result.status,
        "exercised": result.exercised,
        "judged_on": ranges(e.number for e in result.judged),
        "message": result.message if result.status == "error" else "",  # which never quotes a key
        "root": None,
        "findings": 0,
        "evidence": [],
    }


def quoted_in(result: Result[A], reported: ReportedTarget[A]) -> dict[str, Any]:
    """Return what the entry of a requirement quotes, redacted."""
    groups = alike(result.findings, reported)
    quoted = {
        "message": result.message,
        "findings": len(result.findings),
        "evidence": [evidence(group, reported) for group in groups[:EVIDENCE]],
    }
    found: dict[str, Any] = redacted(quoted, reported.redact)
    return found


def ranges(numbers: Iterable[int]) -> str:
    """Return numbers as ranges, as in 1-3, 7."""
    found: list[list[int]] = []
    for number in sorted(set(numbers)):
        if found and number == found[-1][-1] + 1:
            found[-1][1:] = [number]
        else:
            found.append([number])
    return ", ".join("-".join(map(str, ends)) for ends in found)


def alike(findings: Sequence[Finding[A]], reported: ReportedTarget[A]) -> list[list[Finding[A]]]:
    """Return findings in groups that say the same, and that the same command line shows again."""
    groups: dict[tuple[str, str, str], list[Finding[A]]] = {}
    for finding in findings:
        words = str(reported.again(finding.exchange).words)
        groups.setdefault((words, finding.expected, finding.got), []).append(finding)
    return list(groups.values())


def evidence(group: Sequence[Finding[A]], reported: ReportedTarget[A]) -> dict[str, Any]:
    """Return the first of the findings that are alike, with the exchange that shows it, and how many more there are."""
    finding = group[0]
    e = finding.exchange
    response, line = e.response, reported.again(e)
    return {
        "curl": line,
        "note": line.note,
        "number": e.number,
        "alike": len(group) - 1,
        "purpose": e.purpose,
        "status": response.status if response else None,
        "headers": headers_of(response, reported) if response else {},
        "body": reported.came(e),
        "expected": finding.expected,
        "got": finding.got,
        "message": finding.words,
    }


def shortened(text: str) -> str:
    """Return the beginning of a long text, with three dots."""
    return text if len(text) < SHORT_CHARACTERS else text[:SHORT_CHARACTERS] + "..."


def headers_of(response: Response, reported: ReportedTarget[A]) -> dict[str, str]:
    """Return the header fields of a response, joining those of one name and cutting long values, up to a length."""
    fields: dict[str, str] = {}
    left = FIELDS_CHARACTERS
    strange = reported.described["kind"] == "har"
    for number, (name, value) in enumerate(response.headers):
        if number >= FIELDS or left <= 0:
            return {**fields, "...": f"and {counted(len(response.headers) - number, 'field')} more"}
        shown = credentials.masked(name, value) if strange else value
        text, more = beginning(shown, min(BODY_CHARACTERS, left), reported.redact)
        text += "..." if more else ""
        left -= len(name) + len(text)
        fields[name] = f"{fields[name]}, {text}" if name in fields else text
    return fields


def body_of(response: Response, redact: Redact) -> str:
    """Return the beginning of a body."""
    text, more = beginning(response.body, BODY_CHARACTERS, redact)
    return f"{text}... ({len(response.body)} bytes)" if more else text


def redacted(value: Any, redact: Redact) -> Any:
    """Return JSON with the keys replaced in the members of `FREE`."""
    if isinstance(value, dict):
        return {
            name: _safe(member, redact, whole=name == "body") if name in FREE else redacted(member, redact)
            for name, member in value.items()
        }
    return [redacted(item, redact) for item in value] if isinstance(value, list) else value


def _safe(value: Any, redact: Redact, *, whole: bool) -> Any:
    """Return a text, or the texts in an object, without keys: on one line, unless it is to be shown whole."""
    if isinstance(value, CommandLine):
        return value.shown(redact)
    if isinstance(value, str):
        return spelt_out(redact(value)) if whole else on_one_line(redact(value))
    if isinstance(value, dict):
        return {on_one_line(redact(name)): _safe(member, redact, whole=whole) for name, member in value.items()}
    return value
