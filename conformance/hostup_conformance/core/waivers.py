"""Waivers: requirements that may be broken for a while, each with its reason and the day on which it expires."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from hostup_conformance.core.ledger import renamed, requirements
from hostup_conformance.core.misconfigured import Misconfigured

if TYPE_CHECKING:
    from hostup_conformance.core.exchange import A
    from hostup_conformance.core.verdict import Verdict


@dataclass(frozen=True)
class Waiver:
    """A requirement that may be broken until a day, and why."""

    id: str
    reason: str
    expires: date


def read_waivers(file: str | None) -> list[Waiver]:
    """Read a YAML list of id, reason and expires; raise `Misconfigured` if it is not such a list."""
    if file is None:
        return []
    form = "a list of {id: POLL-03, reason: why, expires: 2027-01-31}"
    try:
        entries = yaml.safe_load(Path(file).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise Misconfigured(f"--waivers {file}: {str(error).splitlines()[0]}; give {form}") from None
    if not isinstance(entries, list):
        raise Misconfigured(f"--waivers {file}: not a list; give {form}")
    return [read_waiver(file, entry) for entry in entries]


def read_waiver(file: str, entry: object) -> Waiver:
    """Return one waiver; raise `Misconfigured` if it is incomplete."""
    if not isinstance(entry, dict) or set(entry) != {"id", "reason", "expires"}:
        raise Misconfigured(f"--waivers {file}: {entry!r} does not have exactly id, reason and expires")
    id = renamed().get(entry["id"], entry["id"])
    if id not in requirements():
        raise Misconfigured(f"--waivers {file}: there is no requirement {entry['id']!r}")
    if not isinstance(entry["expires"], date) or not str(entry["reason"]).strip():
        raise Misconfigured(f"--waivers {file}: {entry['id']} needs a reason, and a date such as 2027-01-31")
    return Waiver(id, str(entry["reason"]), entry["expires"])


def apply_waivers(verdict: Verdict[A], waivers: list[Waiver], today: date, *, strict: bool) -> Verdict[A]:
    """Let waived requirements be observed instead of failing; an expired or unneeded waiver fails itself.

    With `strict`, a warn that is not waived becomes a fail.
    """
    by_id = {waiver.id: waiver for waiver in waivers}
    for id, result in verdict.results.items():
        waiver = by_id.get(id)
        if waiver and result.status in {"fail", "warn"} and waiver.expires >= today:
            message = f"waived until {waiver.expires} ({waiver.reason}): {result.message}"
            verdict.results[id] = replace(result, status="observe", message=message)
        elif waiver and result.status in {"fail", "warn"}:
            message = f"the waiver expired on {waiver.expires} ({waiver.reason}): {result.message}"
            verdict.results[id] = replace(result, status="fail", message=message)
        elif waiver and result.status == "pass":
            message = f"the waiver is not needed any more, remove it ({waiver.reason})"
            verdict.results[id] = replace(result, status="fail", message=message)
        elif strict and result.status == "warn":
            verdict.results[id] = replace(result, status="fail")
    return verdict
