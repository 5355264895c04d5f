"""The report as data: what report.json holds. Everything that leaves the suite passes here, and loses the keys."""

from __future__ import annotations

import json
import re
import shlex
from collections import Counter
from typing import TYPE_CHECKING, Any

from hostup_conformance import __version__
from hostup_conformance.ledger import spec_identity
from hostup_conformance.redact import MARK, Redactor
from hostup_conformance.root_cause import root_causes

if TYPE_CHECKING:
    from hostup_conformance.exchange import Exchange
    from hostup_conformance.rules import Finding
    from hostup_conformance.session import Conformance
    from hostup_conformance.target import Target
    from hostup_conformance.verdict import Result, Verdict

#: What a terminal may take for a command, when somebody shows a report there.
CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
#: How many findings of one requirement are shown, and how much of a body.
EVIDENCE = 3
BODY_CHARACTERS = 2000
#: What counts as broken where causes are looked for; an error of the suite follows from nothing.
BROKEN = ("fail", "warn")


def report_of(run: Conformance, verdict: Verdict, seconds: float) -> dict[str, Any]:
    """Return the report of a run, redacted."""
    target = run.target
    roots = root_causes(result.requirement.id for result in verdict.results.values() if result.status in BROKEN)
    report: dict[str, Any] = {
        "verdict": verdict.name,
        "target": {"base_url": target.base_url, "kind": target.kind, "profile": target.profile},
        "spec": spec_identity(),
        "suite_version": __version__,
        "started": run.started.isoformat(timespec="milliseconds"),
        "duration_seconds": round(seconds, 3),
        "requests": len(run.exchanges),
        "methods": dict(Counter(e.request.method for e in run.exchanges)),
        "stopped": run.wire.stopped,
        "ignored": run.ignored,
        "summary": verdict.summary,
        "root_causes": [{"id": root, "explains": explained} for root, explained in roots.items()],
        "requirements": [entry(result, target, roots) for result in verdict.results.values()],
    }
    without_keys: dict[str, Any] = redacted(report, target)
    return without_keys


def entry(result: Result, target: Target, roots: dict[str, list[str]]) -> dict[str, Any]:
    """Return a requirement's entry; `root` is the requirement that it follows from, where there is one."""
    requirement = result.requirement
    return {
        "id": requirement.id,
        "level": requirement.level,
        "title": requirement.title,
        "source": requirement.source,
        "status": result.status,
        "exercised": result.exercised,
        "message": result.message,
        "root": next((root for root, explained in roots.items() if requirement.id in explained), None),
        "evidence": [evidence(finding, target) for finding in result.findings[:EVIDENCE]],
    }


def evidence(finding: Finding, target: Target) -> dict[str, Any]:
    """Return one finding with the exchange that shows it."""
    e = finding.exchange
    answer = e.answer
    return {
        "curl": curl(e, target),
        "purpose": e.purpose,
        "status": answer.status if answer else None,
        "headers": dict(answer.headers) if answer else {},
        "body": shortened(answer.body.decode("utf-8", "replace")) if answer else e.failure,
        "expected": finding.expected,
        "got": finding.got,
        "message": f"expected {finding.expected}, got {finding.got}" if finding.expected else finding.got,
    }


def curl(e: Exchange, target: Target) -> str:
    """Return a line for the shell that sends the request again, with variables in the place of the keys."""
    words = ["curl", "-i", *(["--path-as-is"] if "/." in e.request.target else [])]
    if e.request.method != "GET":
        words += ["--head"] if e.request.method == "HEAD" else ["-X", e.request.method]
    line = " ".join(words)
    variables = {target.key: "$HOSTUP_API_KEY", target.read_key: "$HOSTUP_READ_API_KEY"}
    for name, value in e.request.headers:
        if name.lower() in {"user-agent", "accept-encoding"}:
            continue
        line += f" -H {header_argument(name, value, variables)}"
    target_text = e.request.target if len(e.request.target) < 300 else e.request.target[:300] + "..."
    return f"{line} {shlex.quote(target.base_url + target_text)}"


def header_argument(name: str, value: str, variables: dict[str | None, str]) -> str:
    """Return a header for the shell; of an Authorization the scheme alone, and the variable of a key that is ours."""
    if name.lower() != "authorization":
        return shlex.quote(f"{name}: {value}")
    scheme, _, token = value.rpartition(" ")
    return f'"{name}: {scheme} {variables.get(token, MARK)}"'


def shortened(text: str) -> str:
    """Return the beginning of a text."""
    return text if len(text) <= BODY_CHARACTERS else f"{text[:BODY_CHARACTERS]}... ({len(text)} characters)"


def redacted(value: Any, target: Target) -> Any:
    """Return JSON with every key in it replaced, in names and values alike."""
    return _redacted(value, Redactor(target.nearly_secrets))


def _redacted(value: Any, redact: Redactor) -> Any:
    if isinstance(value, str):
        return CONTROL.sub(lambda found: found[0].encode("unicode_escape").decode(), redact(value))
    if isinstance(value, dict):
        return {redact(name): _redacted(member, redact) for name, member in value.items()}
    return [_redacted(item, redact) for item in value] if isinstance(value, list) else value


def as_json(report: dict[str, Any]) -> str:
    """Return the text of report.json."""
    return json.dumps(report, indent=2, ensure_ascii=False) + "\n"
