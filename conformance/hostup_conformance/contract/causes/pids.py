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
    words = next((words for holds, words in WAYS.items() if holds(starts, pids)), "")
    if (new_pid(e) or 0) > EXACT:
        words = ", as it comes of a number above 2^53 that was rounded, it seems"
    if not words and e.ask.command == before.ask.command:
        words = " for the same command: one that is sent twice is started once, it seems"
    return words.format(len(pids), len(set(pids)), unit_of(starts, pids))


def is_one(_: Sequence[Exchange], pids: Sequence[int]) -> bool:
    """All have the same pid."""
    return len(pids) >= FEW and len(set(pids)) == 1


def is_rounded(_: Sequence[Exchange], pids: Sequence[int]) -> bool:
    """Each pid ends in 0."""
    return len(pids) >= FEW and all(pid % 10 == 0 for pid in pids)


def is_time(starts: Sequence[Exchange], pids: Sequence[int]) -> bool:
    """Each pid is about the time of its start."""
    return len(pids) >= FEW and unit_of(starts, pids) != ""


def unit_of(starts: Sequence[Exchange], pids: Sequence[int]) -> str:
    """Return in which unit all pids are times since 1970; empty if in none."""
    times = [start.when.timestamp() if start.when else 0.0 for start in starts]
    return next((unit for per_second, unit in UNITS.items() if are_near(pids, times, per_second)), "")


def are_near(pids: Sequence[int], times: Sequence[float], per_second: int) -> bool:
    """Whether each pid is about its time, in a unit of which a second has so many."""
    # In integers, since a pid may be larger than any float.
    return all(abs(pid - int(at) * per_second) < NEAR * per_second for pid, at in zip(pids, times, strict=True))


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
    if len(pids) < FEW or len(set(pids)) < 3 or len(times) < len(pids):
        return False
    ahead = {pid - at for pid, at in zip(pids, times, strict=True)}
    return max(ahead) - min(ahead) <= 1


def goes_round(_: Sequence[Exchange], pids: Sequence[int]) -> bool:
    """Pids are counted, and begin anew after some."""
    begins = [later for earlier, later in pairwise(pids) if later < earlier]
    steps = Counter(later - earlier for earlier, later in pairwise(pids) if later > earlier)
    return len(pids) >= FEW and len(begins) > 0 and len(set(begins)) == 1 and steps.most_common(1)[0][0] == 1


def is_shared_at_once(starts: Sequence[Exchange], pids: Sequence[int]) -> bool:
    """Only starts that were sent at the same time have the same pid."""
    latest, pairs = dict[int, Exchange](), list[tuple[Exchange, Exchange]]()
    for start, pid in zip(starts, pids, strict=True):
        pairs += [(latest[pid], start)] if pid in latest else []
        latest[pid] = start
    return all(overlap(earlier, later) for earlier, later in pairs)


#: In which ways pids may be given that come again; the words may hold how many were given, how many differ, and a unit.
WAYS: dict[Callable[[Sequence[Exchange], Sequence[int]], bool], str] = {
    is_one: ", as each of {0} starts",
    is_time: ", the time in {2}: starts at the same time share it, it seems",
    is_rounded: ", and each pid ends in 0: it is rounded, it seems",
    goes_by_seconds: ", and goes up by one a second: starts within one share it, it seems",
    ends_at_the_largest: ", the largest that is given: no later start gets another, it seems",
    goes_round: ", and {0} starts have {1} pids: they are counted, and begin anew, it seems",
    is_shared_at_once: ", as only starts that were sent at the same time: their pids are drawn at once, it seems",
}
