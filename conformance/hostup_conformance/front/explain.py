"""Explains a requirement: what it demands and why, how it is judged, an example of each kind, and how to waive it."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from textwrap import fill, indent

from hostup_conformance.clients.judging import MATRIX as CLIENT_KILL_MATRIX
from hostup_conformance.clients.rules import client_rules
from hostup_conformance.clients.traps import traps_of
from hostup_conformance.contract.rules import rules
from hostup_conformance.contract.server_verdict import MATRIX as KILL_MATRIX
from hostup_conformance.contract.target import CAPABILITIES
from hostup_conformance.front import UNUSABLE
from hostup_conformance.judging.ledger import Requirement, meant_by, requirements
from hostup_conformance.judging.root_cause import read_matrix
from hostup_conformance.keeping.redact import PIECE
from hostup_conformance.keeping.screen import complain, say

WIDTH = 100
#: How many days the waiver in an explanation is valid.
WAIVED_DAYS = 60

BROKEN = {
    "MUST": "if it is broken, the requirement fails and the verdict is not conformant",
    "SHOULD": "if it is broken, the requirement is a warning (with --strict, which is for CI, it fails)",
    "OBSERVE": "the report says what was seen; nothing fails",
}
#: The words of a source that need an explanation, as the head of the ledger gives it.
SOURCES = {
    "related": "other documentation of the provider than the endpoint's",
    "task": "what a client is run to do, as in hostup-conformance client --help",
}


def explain(id: str) -> int:
    """Print an explanation of a requirement, or hints for an unknown id; return the exit code."""
    meant = meant_by(id)
    requirement = requirements().get(meant)
    if requirement is None:
        complain(f"there is no requirement {id}; {hint(meant)}")
        return UNUSABLE
    say("\n".join(explanation(requirement)))
    return 0


def list_all() -> int:
    """Print the ids and titles of all requirements; return the exit code."""
    say("\n".join(f"{one.id:11}{one.level:8}{one.title}" for one in requirements().values()))
    return 0


def hint(id: str) -> str:
    """Return what an unknown id may stand for: the ids of an area, or similar ids; else name the areas."""
    areas: dict[str, list[str]] = {}
    for requirement in requirements().values():
        areas.setdefault(requirement.area, []).append(requirement.id)
    if id in areas:
        return f"{id} has {', '.join(areas[id])}"
    same = areas.get(id.partition("-")[0], [])
    if near := get_close_matches(id, same, n=3) or get_close_matches(id, requirements(), n=3):
        return f"similar ids are {', '.join(near)}"
    return f"the areas are {', '.join(areas)}"


def explanation(requirement: Requirement) -> Iterator[str]:
    """Yield the paragraphs of the explanation of a requirement."""
    yield f"{requirement.id} ({requirement.level}) {requirement.title}\n"
    yield fill(requirement.statement, WIDTH, break_on_hyphens=False) + "\n"
    yield labelled("level", f"{requirement.level}: {BROKEN[requirement.level]}")
    yield labelled("source", requirement.source)
    for word, meaning in SOURCES.items():
        if word in re.split(r"\W+", requirement.source):
            yield labelled("", f"({word}: {meaning})")
    yield labelled("why", requirement.why)
    rule = client_rules().get(requirement.id) or rules().get(requirement.id)
    yield labelled("rule", rule.doc if rule else "there is none yet")
    if requirement.needs:
        yield labelled("needs", ", ".join(needed(need) for need in requirement.needs))
    if requirement.wfc is not None:
        yield labelled("wfc", f"fault category {requirement.wfc} of Web Fuzzing Commons")
    for number, trap in enumerate(traps_of(requirement.id)):
        yield labelled("" if number else "traps", trap.replace("`", ""))
    for kind, exchange in examples(requirement.id).items():
        yield f"\na {kind} exchange:\n{indent(exchange.rstrip(), '    ')}"
    yield "\n" + waiving(requirement)


def labelled(label: str, text: str) -> str:
    """Return a text with its label in the margin."""
    words = " ".join(text.split())
    return fill(words, WIDTH, initial_indent=f"{label:8}", subsequent_indent=" " * 8, break_on_hyphens=False)


def needed(need: str) -> str:
    """Return a need in words: a capability with its meaning, anything else as it is."""
    if need == "long keys":
        return f"{need} (of at least {PIECE} characters)"
    return f"{need} (a target that {CAPABILITIES[need]})" if need in CAPABILITIES else need


def examples(id: str) -> dict[str, str]:
    """Return the good and the bad exchange that the kill matrices have for a requirement, if any."""
    matrices = (read_matrix(file).get("examples", {}) for file in (KILL_MATRIX, CLIENT_KILL_MATRIX))
    found: dict[str, str] = next((matrix[id] for matrix in matrices if id in matrix), {})
    return {kind: found[kind] for kind in ("good", "bad") if found.get(kind)}


def waiving(requirement: Requirement) -> str:
    """Return how to waive a requirement."""
    if requirement.level == "OBSERVE":
        return "There is nothing to waive: this requirement never fails."
    until = datetime.now(UTC).date() + timedelta(days=WAIVED_DAYS)
    return f"""\
To waive it for a while, write this into a file, and name the file with --waivers FILE:

    - id: {requirement.id}
      reason: why it is broken, and who will fix it
      expires: {until}

Through that day (UTC), the requirement is only observed. A waiver that has expired, or is no longer needed, fails."""
