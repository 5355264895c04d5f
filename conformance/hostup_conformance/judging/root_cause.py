"""Finds out by a kill matrix which of several broken requirements explains the others. It knows no requirement.

A kill matrix lists, for each fault of a catalogue, the requirement that it breaks and the requirements that report it.
"""

import json
from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hostup_conformance.judging.ledger import HARMS

#: Which part of the places of a requirement must be places of another that it may follow from: what is broken
#: everywhere does not follow from what is broken in a few places.
SHARE = 0.5
#: Which part of the places of one requirement are most of them.
MOST_PLACES = 0.75
#: The rank of what does no harm but to the form of something.
FORM = HARMS.index("form")


def read_matrix(file: Path) -> dict[str, Any]:
    """Return a kill matrix; an empty one if the file does not exist."""
    empty: dict[str, Any] = {"faults": {}, "variants": {}, "examples": {}}
    return json.loads(file.read_text(encoding="utf-8")) if file.is_file() else empty


@dataclass(frozen=True)
class Breach:
    """A broken requirement, and what decides which others it follows from, and which follow from it."""

    id: str
    #: Whether it makes the verdict not conformant.
    fails: bool = False
    #: Where it is broken, in exchanges, commands or scenes; None if that is not known.
    places: AbstractSet[Hashable] | None = None
    #: How much harm it does: the lower, the more.
    rank: int = 1
    #: Whether its places are mostly those of responses that should not have come at all.
    undue: bool = False
    #: Whether it only says in general what others, in the same places, are known to say more exactly.
    general: bool = False
    #: Of two that do the same harm, which comes later: what stands beside the contract's core, or is seldom asked for.
    later: int = 0


def root_causes(breaches: Sequence[Breach], faults: dict[str, Any]) -> dict[str, list[str]]:
    """Return the requirements that explain others, or that no other explains, each with those that follow from it.

    What fails comes before what only warns, and what does most harm before all else of its kind.

    Args:
        breaches: the broken requirements, in the ledger's order
        faults: the faults of a kill matrix
    """
    by_id = {breach.id: breach for breach in breaches}
    #: For each pair of requirements, how many faults of the first make the second one report too.
    counts = Counter((fault["requirement"], other) for fault in faults.values() for other in fault["reported"])
    as_consequence = Counter(b for fault in faults.values() for b in fault["reported"] if b != fault["requirement"])
    behind = {
        a.id: [b.id for b in breaches if a is not b and may_follow(b, a) and is_cause(a, b, counts)] for a in breaches
    }

    def fails(root: str, followers: Iterable[str]) -> bool:
        return any(by_id[id].fails for id in (root, *followers))

    left, roots = list(by_id), dict[str, list[str]]()
    while left:
        explained = {a: [b for b in behind[a] if b in left] for a in left}
        by_others = Counter(b for followers in explained.values() for b in followers)
        # Of two that explain equally many, the one that fewer others explain is closer to the cause. In the end the
        # ledger's order decides.
        root = max(left, key=lambda one: (
            fails(one, explained[one]), len(explained[one]) - by_others[one], len(explained[one]), by_id[one].fails,
            -as_consequence[one],
        ))  # fmt: skip
        roots[root] = explained[root]
        left = [id for id in left if id != root and id not in explained[root]]

    def worst_first(root: str) -> tuple[bool, int, int, int, int]:
        breach = by_id[root]
        return not fails(root, roots[root]), breach.rank, breach.later, -len(roots[root]), -len(breach.places or ())

    return {root: roots[root] for root in sorted(roots, key=worst_first)}


def may_follow(consequence: Breach, cause: Breach) -> bool:
    """Whether a breach may follow from another: one in the same places that does as much harm.

    A failure follows from no warning of another area, and one that does harm beyond the form of something from none.
    """
    shared = in_common(consequence, cause)
    same_place = shared is None or shared >= max(1, SHARE * len(consequence.places or ()))
    hides_harm = cause.rank > consequence.rank and not consequence.general
    does_harm = consequence.rank < FORM or area_of(cause.id) != area_of(consequence.id)
    warning = consequence.fails and not cause.fails and does_harm
    return same_place and not hides_harm and not warning


def is_cause(cause: Breach, consequence: Breach, counts: Counter[tuple[str, str]]) -> bool:
    """Whether a breach is known to bring another with it, or must, since a response does most harm or was not due."""
    shared, certain = in_common(consequence, cause), cause.rank == 0 or (cause.undue and not consequence.undue)
    if shared is not None and cause.general != consequence.general:
        return consequence.general and counts[cause.id, consequence.id] > 0
    most = (1.0 if cause.rank == 0 else MOST_PLACES) * len(consequence.places or ())
    if shared is not None and certain and shared >= most:
        return True  # whatever else is wrong with a response that should not have come
    # Faults of the cause are known to break the other as well, at least as often as the reverse.
    return 0 < counts[cause.id, consequence.id] >= counts[consequence.id, cause.id]


def in_common(consequence: Breach, cause: Breach) -> int | None:
    """Return how many places two breaches have in common; None if that is not known."""
    if consequence.places is None or cause.places is None:
        return None
    return len(consequence.places & cause.places)


def area_of(id: str) -> str:
    """Return the area of a requirement."""
    return id.partition("-")[0]
