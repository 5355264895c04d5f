"""Finds out by a kill matrix which of several broken requirements explains the others. It knows no requirement.

A kill matrix lists, for each fault of a catalogue, the requirement that it breaks and the requirements that report it.
"""

import json
from collections import Counter
from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

#: Which part of the places of one requirement are mostly those of another.
MOST = 0.75


def read_matrix(file: Path) -> dict[str, Any]:
    """Return a kill matrix; an empty one if the file does not exist."""
    empty: dict[str, Any] = {"faults": {}, "variants": {}, "examples": {}}
    return json.loads(file.read_text(encoding="utf-8")) if file.is_file() else empty


def write_matrix(file: Path, matrix: Mapping[str, Mapping[str, Any]]) -> None:
    """Write a kill matrix, one line an entry, so that a change of it shows what has changed."""
    text = partial(json.dumps, ensure_ascii=False, sort_keys=True)
    parts = []
    for part, entries in sorted(matrix.items()):
        lines = ",\n".join(f"{text(name)}: {text(entry)}" for name, entry in sorted(entries.items()))
        parts.append(f"{text(part)}: {{\n{lines}\n}}")
    file.write_text(f"{{{', '.join(parts)}}}\n", encoding="utf-8")


def root_causes(
    broken: Iterable[str],
    ids: Sequence[str],
    faults: dict[str, Any],
    failing: Collection[str] = (),
    places: Mapping[str, Collection[Hashable]] | None = None,
    ranks: Mapping[str, int] = MappingProxyType({}),
    share: float = 0.0,
    undue: Collection[str] = (),
    general: Collection[str] = (),
) -> dict[str, list[str]]:
    """Return the requirements that explain others, or that no other explains, each with those that follow from it.

    What fails comes before what only warns, and what does most harm before all else of its kind. Nothing is explained
    by what does less harm than itself, nor a failure by a warning of another area.

    Args:
        broken: the ids of the broken requirements
        ids: all ids, in the ledger's order
        faults: the faults of a kill matrix
        failing: the ids of the broken requirements that make the verdict not conformant
        places: where each is broken: exchanges, commands or scenes; one can only follow from another that is broken in
            one of the same places
        ranks: how much harm each does: the lower, the more; the least for those that are not named
        undue: the ids of those whose places are mostly those of responses that should not have come at all
        general: the ids of those that only say in general what others, in the same places, are known to say more
            exactly
        share: which part of the places of one that follows must be places of the other; at least one place
    """
    order = {id: position for position, id in enumerate(ids)}
    left = sorted(set(broken), key=lambda one: order.get(one, len(order)))
    counts = also_reported(faults)
    least = max(ranks.values(), default=0)

    def may_follow(consequence: str, cause: str) -> bool:
        own = set(places[consequence]) if places else set[Hashable]()
        same_place = places is None or len(own.intersection(places[cause])) >= max(1, share * len(own))
        hides_harm = ranks.get(cause, least) > ranks.get(consequence, least) and consequence not in general
        warning = consequence in failing and cause not in failing and area_of(cause) != area_of(consequence)
        return same_place and not hides_harm and not warning

    def is_cause(cause: str, consequence: str) -> bool:
        if places and (cause in general) != (consequence in general):
            return consequence in general and counts[cause, consequence] > 0
        if places and (ranks.get(cause) == 0 or (cause in undue and consequence not in undue)):
            own = set(places[consequence])
            most = 1.0 if ranks.get(cause) == 0 else MOST
            if len(own.intersection(places[cause])) >= most * len(own):
                return True  # whatever else is wrong with a response that should not have come
        return explains(counts, cause, consequence)

    as_consequence = Counter(b for fault in faults.values() for b in fault["reported"] if b != fault["requirement"])
    roots: dict[str, list[str]] = {}
    while left:
        explained = {a: [b for b in left if a != b and may_follow(b, a) and is_cause(a, b)] for a in left}
        by_others = Counter(b for followers in explained.values() for b in followers)
        fails = {one: any_of(failing, one, explained[one]) for one in left}
        # Of two that explain equally many, the one that fewer others explain is closer to the cause. In the end the
        # ledger's order decides.
        root = max(left, key=lambda one: (
            fails[one], len(explained[one]) - by_others[one], len(explained[one]), one in failing, -as_consequence[one],
        ))  # fmt: skip
        roots[root] = explained[root]
        left = [id for id in left if id != root and id not in explained[root]]

    def worst_first(root: str) -> tuple[bool, int, int, int]:
        seen = len(places[root]) if places else 0
        return not any_of(failing, root, roots[root]), ranks.get(root, least), -len(roots[root]), -seen

    return {root: roots[root] for root in sorted(roots, key=worst_first)}


def area_of(id: str) -> str:
    """Return the area of a requirement."""
    return id.partition("-")[0]


def any_of(failing: Collection[str], root: str, followers: list[str]) -> bool:
    """Whether a root cause, or a requirement that follows from it, fails."""
    return any(id in failing for id in (root, *followers))


def also_reported(faults: dict[str, Any]) -> Counter[tuple[str, str]]:
    """Count, for each pair of requirements, how many faults of the first make the second one report too."""
    return Counter((fault["requirement"], other) for fault in faults.values() for other in fault["reported"])


def explains(counts: Counter[tuple[str, str]], a: str, b: str) -> bool:
    """Whether faults of requirement a are known to break b as well, at least as often as the reverse."""
    return 0 < counts[a, b] >= counts[b, a]
