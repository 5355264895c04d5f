"""Waivers: requirements that may be broken for a while, each with a reason and an expiry date."""

import re
from collections import Counter
from collections.abc import Hashable
from dataclasses import dataclass, replace
from datetime import date
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import yaml

from hostup_conformance.http.exchange import A
from hostup_conformance.judging.ledger import meant_by, requirements
from hostup_conformance.judging.verdict import Verdict
from hostup_conformance.keeping.files import read_plain
from hostup_conformance.keeping.misconfigured import Misconfigured
from hostup_conformance.keeping.safe_text import on_one_line, shown

#: A waiver in YAML.
EXAMPLE = "{id: POLL-03, reason: why, expires: 2027-01-31}"
#: In bytes. A waiver takes about a hundred.
LARGEST_FILE = 1 << 20
#: So many characters of what is no id are compared with those that there are.
SIMILAR = 20
#: A day as YAML 1.1 has it.
DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


@dataclass(frozen=True)
class Waiver:
    """A requirement that may be broken until the end of a day, and why."""

    id: str
    reason: str
    expires: date


class Loader(yaml.BaseLoader):
    """Makes texts, lists and mappings alone: tags, merge keys and numbers in base 60 may be bombs."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        """Return a mapping; raise `yaml.YAMLError` for a name that stands twice in it, of which one would be lost."""
        names = Counter(str(name.value) for name, _ in node.value)
        if twice := [name for name, times in names.items() if times > 1]:
            raise yaml.YAMLError(f"{twice[0]} stands twice in one mapping")
        return super().construct_mapping(node, deep)


def read_waivers(file: str | None) -> list[Waiver]:
    """Read a YAML list of id, reason and expires; raise `Misconfigured` if it is not such a list."""
    if file is None:
        return []
    form = f"a list of {EXAMPLE}"
    try:
        entries = yaml.load(read_plain(Path(file), LARGEST_FILE).decode(), Loader)  # noqa: S506 - it makes nothing else
        if not isinstance(entries, list):
            raise Misconfigured(f"--waivers {file}: not a list; give {form}")
        waivers = [read_waiver(file, entry) for entry in entries]
    except Misconfigured:
        raise
    except OSError as error:
        raise Misconfigured(f"--waivers {file}: {error.strerror}; give {form}") from None
    except Exception as error:  # whatever PyYAML raises for odd keys and depths; a list may hold itself
        said, mark = getattr(error, "problem", None) or str(error), getattr(error, "problem_mark", None)
        why = on_one_line((said.splitlines() or [type(error).__name__])[0][:300])
        where = f" in line {mark.line + 1}" if mark else ""
        raise Misconfigured(f"--waivers {file}: {why}{where}; give {form}") from None
    if twice := [id for id, times in Counter(waiver.id for waiver in waivers).items() if times > 1]:
        raise Misconfigured(f"--waivers {file}: {twice[0]} is waived twice; give one of them")
    return waivers


def read_waiver(file: str, entry: object) -> Waiver:
    """Return one waiver; raise `Misconfigured` if it is incomplete."""
    named = entry.get("id", entry) if isinstance(entry, dict) else entry
    if not isinstance(entry, dict) or set(entry) != {"id", "reason", "expires"}:
        raise Misconfigured(
            f"--waivers {file}: {shown(named)} does not have exactly id, reason and expires, as in {EXAMPLE}"
        )
    id, reason, expires = entry["id"], entry["reason"], entry["expires"]
    if not isinstance(id, str) or id not in requirements():
        meant = meant_by(id[:SIMILAR]) if isinstance(id, str) else ""
        near = [meant] if meant in requirements() else get_close_matches(meant, requirements(), n=1)
        similar = f", such as {near[0]}" if near else ""
        raise Misconfigured(
            f"--waivers {file}: there is no requirement {shown(id)}; give an id of the reports{similar}"
        )
    if requirements()[id].level == "OBSERVE":
        raise Misconfigured(f"--waivers {file}: {id} is only observed, and nothing can break it; remove it")
    if not isinstance(reason, str) or not reason.strip():
        raise Misconfigured(f"--waivers {file}: {id} needs a reason, which is a text")
    if not isinstance(expires, str) or not DAY.fullmatch(expires):
        raise Misconfigured(f"--waivers {file}: {id} expires: expected a date such as 2027-01-31, got {shown(expires)}")
    return Waiver(id, reason, date.fromisoformat(expires))


def apply_waivers(verdict: Verdict[A], waivers: list[Waiver], today: date, *, strict: bool) -> Verdict[A]:
    """Turn the failures of waived requirements into observations; an expired or unneeded waiver is a failure.

    With `strict`, a warning that is not waived becomes a failure.
    """
    by_id = {waiver.id: waiver for waiver in waivers}
    for id, result in verdict.results.items():
        waiver, is_broken = by_id.get(id), result.status in {"fail", "warn"}
        message, status = result.message, result.status
        if waiver and is_broken and waiver.expires >= today:
            message, status = f"waived until {waiver.expires} ({waiver.reason}): {message}", "observe"
        elif waiver and is_broken:
            message, status = f"the waiver expired on {waiver.expires} ({waiver.reason}): {message}", "fail"
        elif waiver and status == "pass":
            message, status = f"the waiver ({waiver.reason}) is not needed any more; remove it", "fail"
        elif strict and status == "warn":
            status = "fail"
        verdict.results[id] = replace(result, status=status, message=message)
    return verdict
