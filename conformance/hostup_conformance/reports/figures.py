"""What all reports say alike: in which order requirements stand, and the figures of a run in words."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from hostup_conformance.keeping.safe_text import counted

#: The order of the statuses, the worst first. An error comes before a warning, since it may hide a failure.
ORDER = ("fail", "error", "warn", "pass", "observe", "skip", "disabled")
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


#: What a run can be about in part, if not some of the requirements, by the kind of what it judges.
PARTS = {"client": "scenes"}


def about(record: dict[str, Any]) -> str:
    """Return which part of the requirements, or of the scenes, a verdict is about, in parentheses; empty for all."""
    only, parts = record.get("only", []), PARTS.get(record["target"]["kind"], "requirements")
    return f" ({only[0] if len(only) == 1 else f'{len(only)} {parts}'} alone)" if only else ""


def totals(record: dict[str, Any]) -> str:
    """Return how many requirements have each status, how many requests were sent, and how long that took."""
    counts = ", ".join(f"{count} {status}" for status, count in record["summary"].items() if count)
    return f"{counts}; {counted(record['requests'], 'request')}, {record['duration_seconds']:.1f} s"


def doubts(record: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield why a run does not show everything, if it does not: what is so, and the reason."""
    if record["doubt"]:
        yield "not all of the endpoint was seen to work", record["doubt"]
    if record["refused"]:
        yield "the endpoint was never seen to work", record["refused"]
    elif record["stopped"] and record["target"]["kind"] != "har":
        yield "sending ended early", record["stopped"]


def not_judged(record: dict[str, Any]) -> dict[tuple[str, str], list[str]]:
    """Return the ids of the requirements that were not judged, by their status and the reason."""
    found: dict[tuple[str, str], list[str]] = {}
    for entry in record["requirements"]:
        if entry["status"] in {"skip", "disabled"}:
            found.setdefault((entry["status"], entry["message"]), []).append(entry["id"])
    return found


def more_alike(entry: dict[str, Any], shown: int) -> str:
    """Return how many findings of a requirement are not shown, in words; empty if all are."""
    more = entry.get("findings", 0) - sum(1 + item.get("alike", 0) for item in entry["evidence"][:shown])
    return f"and {counted(more, 'more finding')}" if more > 0 else ""


def duration(seconds: float) -> str:
    """Return a duration in the unit that suits it."""
    if seconds < 0.9995:
        return f"{1000 * seconds:.0f} ms" if seconds >= 0.0095 else f"{1000 * seconds:.1f} ms"
    return f"{seconds:.1f} s" if seconds < 100 else f"{seconds:.0f} s"


def numbers(ranges: str) -> Iterator[int]:
    """Yield the numbers of ranges such as 1-3, 7."""
    for part in filter(None, ranges.split(", ")):
        first, _, last = part.partition("-")
        yield from range(int(first), int(last or first) + 1)
