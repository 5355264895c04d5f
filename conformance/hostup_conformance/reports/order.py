"""In which order a record's requirements are shown: what to mend first stands first, in every report."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

#: The order of the statuses, the worst first. An error comes before a warning, since it may hide a failure.
ORDER = ("fail", "error", "warn", "observe", "skip", "disabled", "pass")
#: The statuses of what is to be mended.
URGENT = ("fail", "error", "warn")


@dataclass(frozen=True)
class Mend:
    """A requirement to mend, and the other broken requirements that it may explain."""

    entry: dict[str, Any]
    explains: list[dict[str, Any]] = field(default_factory=list)


def mends(record: dict[str, Any], statuses: tuple[str, ...] = URGENT) -> list[Mend]:
    """Return what to mend, the most urgent first; a requirement that another explains is listed with that one.

    Failures come first, and of those the one that the record names first as a cause: it has them in the order of harm.
    """
    broken = [entry for status in statuses for entry in record["requirements"] if entry["status"] == status]
    by_id = {entry["id"]: entry for entry in broken}
    causes = {cause["id"]: cause["explains"] for cause in record.get("root_causes", ()) if cause["id"] in by_id}
    behind = {id: [by_id[one] for one in explained if one in by_id.keys() - {id}] for id, explained in causes.items()}
    # A requirement that explains others is never hidden, so nothing is lost if causes form a circle.
    hidden = {entry["id"] for explained in behind.values() for entry in explained if not behind.get(entry["id"])}
    listed = [Mend(entry, behind.get(entry["id"], [])) for entry in broken if entry["id"] not in hidden]
    places = {id: place for place, id in enumerate(causes)}

    def urgency(mend: Mend) -> tuple[int, int]:
        # A warning that explains a failure is as urgent as the failure.
        return min(rank(entry) for entry in (mend.entry, *mend.explains)), places.get(mend.entry["id"], len(places))

    return sorted(listed, key=urgency)


def rank(entry: dict[str, Any]) -> int:
    """Return the rank of an entry's status, 0 for the worst."""
    return ORDER.index(entry["status"])
