"""How a server gives pids, where one came again: the first way that fits all which were given in a run."""

from collections import Counter
from collections.abc import Callable, Sequence
from itertools import pairwise

from hostup_conformance.contract.ask import Exchange, new_pid
from hostup_conformance.contract.lives import overlap

#: From so many pids on, what they have in common is hardly chance.
FEW = 4
#: The largest integer up to which each is exact as a JavaScript number, or a double.
EXACT = 2**53
#: By how many seconds a pid that is a time may differ from when its start was sent.
NEAR = 100_000
#: Units of time by how many of them a second has.
UNITS = {1: "seconds", 10**3: "milliseconds", 10**6: "microseconds"}


def how_given(starts: Sequence[Exchange], e: Exchange, before: Exchange) -> str:
    """Return how all starts are given their pids, in words that follow one that came again; empty if unknown."""
    pids = [new_pid(start) or 0 for start in starts]
    words = next((words for words, holds in WAYS.items() if len(pids) >= FEW and holds(starts, pids)), "")
    if not words and is_shared_at_once(starts, pids):
        words = ", as only starts that were sent at the same time: their pids are drawn at once, it seems"
    if (new_pid(e) or 0) > EXACT:
        words = ", as it comes of a number above 2^53 that was rounded, it seems"
    if not words and e.ask.command == before.ask.command:
        words = " for the same command: one that is sent twice is started once, it seems"
    return words.format(len(pids), len(set(pids)), unit_of(starts, pids))


def unit_of(starts: Sequence[Exchange], pids: Sequence[int]) -> str:
    """Return in which unit since 1970 each pid is about the time of its start; empty if in none."""
    times = [int(start.when.timestamp()) if start.when else 0 for start in starts]
    for per_second, unit in UNITS.items():
        # In integers, since a pid may be larger than any float.
        if all(abs(pid - at * per_second) < NEAR * per_second for pid, at in zip(pids, times, strict=True)):
            return unit
    return ""


def ends_at_the_largest(_: Sequence[Exchange], pids: Sequence[int]) -> bool:
    """From the first that has the largest pid on, all have it, and no other came twice."""
    largest = max(pids, default=0)
    first = pids.index(largest) if pids else 0
    rest = pids[first:]
    differ = len(set(pids[:first])) == first
    return len(pids) > len(rest) >= FEW and set(rest) == {largest} and differ


def goes_by_seconds(starts: Sequence[Exchange], pids: Sequence[int]) -> bool:
    """Pids that differ do so by as many as there were seconds between their starts."""
    times = [int(start.when.timestamp()) for start in starts if start.when]
    if len(set(pids)) < 3 or len(times) < len(pids):
        return False
    ahead = {pid - at for pid, at in zip(pids, times, strict=True)}
    return max(ahead) - min(ahead) <= 1


def goes_round(_: Sequence[Exchange], pids: Sequence[int]) -> bool:
    """Pids are counted, and begin anew after some."""
    begins = [later for earlier, later in pairwise(pids) if later < earlier]
    steps = Counter(later - earlier for earlier, later in pairwise(pids) if later > earlier)
    return len(set(begins)) == 1 and max(steps, key=steps.__getitem__, default=0) == 1


def is_shared_at_once(starts: Sequence[Exchange], pids: Sequence[int]) -> bool:
    """Only starts that were sent at the same time have the same pid."""
    latest, pairs = dict[int, Exchange](), list[tuple[Exchange, Exchange]]()
    for start, pid in zip(starts, pids, strict=True):
        pairs += [(latest[pid], start)] if pid in latest else []
        latest[pid] = start
    return all(overlap(earlier, later) for earlier, later in pairs)


#: In which ways pids may be given that come again; the words may hold how many were given, how many differ, and a unit.
WAYS: dict[str, Callable[[Sequence[Exchange], Sequence[int]], bool]] = {
    ", as each of {0} starts": lambda _, pids: len(set(pids)) == 1,
    ", the time in {2}: starts at the same time share it, it seems": lambda starts, pids: unit_of(starts, pids) != "",
    ", and each pid ends in 0: it is rounded, it seems": lambda _, pids: all(pid % 10 == 0 for pid in pids),
    ", and goes up by one a second: starts within one share it, it seems": goes_by_seconds,
    ", the largest that is given: no later start gets another, it seems": ends_at_the_largest,
    ", and {0} starts have {1} pids: they are counted, and begin anew, it seems": goes_round,
}
