"""How much a run has shown after so many requests: requirements judged, and faults of the catalogue killed.

The requests are those to a live server, whose order the script decides. A fault is killed as soon as the requirement
that it breaks fails or warns. Beside that stands what an order could do at best that knew all faults: a greedy cover of
them by the requests that show them, after those of the core.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace

from faults import faults
from hostup_conformance.contract.ask import Exchange
from hostup_conformance.contract.judging import judge
from judging import LIMITS, run

AFTER = (5, 10, 20, 30, 40, 60, 80, 120, 200)
JUDGED, KILLED = {"pass", "fail", "warn"}, {"fail", "warn"}
#: Faults that keep their clients waiting must not keep this waiting.
UNHURRIED = replace(LIMITS, request_seconds=1.0, first_seconds=1.0, next_seconds=0.5)
#: A request by its purpose, and how many with the same purpose came before it.
Name = tuple[str, int]


@dataclass(frozen=True)
class Death:
    """When a fault is killed, if it is, by which request, and which requests show it."""

    fault: str
    starts: bool
    after: int | None
    by: str = ""
    shown_by: frozenset[Name] = frozenset()


def names_of(exchanges: Sequence[Exchange]) -> list[Name]:
    """Return the names of requests."""
    seen: dict[str, int] = defaultdict(int)
    names = []
    for e in exchanges:
        names.append((e.purpose, seen[e.purpose]))
        seen[e.purpose] += 1
    return names


def death_of(name: str) -> Death:
    """Run a fault, and find the smallest number of its requests that kills it."""
    fault = faults()[name]
    target, wire, _ = run(fault.change, UNHURRIED, live=True, allow_exec=fault.starts)
    exchanges = list(wire.exchanges)

    def killed(count: int) -> bool:
        return judge(exchanges[:count], target).results[fault.requirement].status in KILLED

    if not killed(len(exchanges)):
        return Death(name, fault.starts, None)
    alive, dead = 0, len(exchanges)
    while dead - alive > 1:
        middle = (alive + dead) // 2
        alive, dead = (alive, middle) if killed(middle) else (middle, dead)
    names = names_of(exchanges)
    findings = judge(exchanges, target).results[fault.requirement].findings
    shown_by = frozenset(names[finding.exchange.number - 1] for finding in findings)
    return Death(name, fault.starts, dead, exchanges[dead - 1].purpose, shown_by)


def greedy(deaths: Iterable[Death], first: Sequence[Name]) -> Iterator[tuple[Name, int]]:
    """Yield requests: those of the core, then each time the one that shows most faults yet unseen, and how many."""
    left = {death.fault: death.shown_by for death in deaths}
    pending = list(first)
    while left:
        counts: dict[Name, int] = defaultdict(int)
        for shown_by in left.values():
            for name in shown_by:
                counts[name] += 1
        name = pending.pop(0) if pending else max(counts, key=lambda one: (counts[one], one))
        yield name, counts[name]
        left = {fault: shown_by for fault, shown_by in left.items() if name not in shown_by}


def judged_after(counts: Iterable[int]) -> Iterator[tuple[int, int, int]]:
    """Yield numbers of requests, how many MUSTs and SHOULDs are judged after them, and how many in the end."""
    target, wire, _ = run(None, live=True)

    def judged(count: int) -> int:
        results = judge(wire.exchanges[:count], target).results.values()
        return sum(r.requirement.level != "OBSERVE" and r.status in JUDGED for r in results)

    total = len(wire.exchanges)
    for count in (*(count for count in counts if count < total), total):
        yield count, judged(count), judged(total)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--core", type=int, default=12, help="so many requests come first in any order")
    parser.add_argument("--late", type=int, default=60, help="name the requests that first show a fault after so many")
    parser.add_argument("--order", action="store_true", help="print the greedy order")
    options = parser.parse_args()
    with ProcessPoolExecutor() as pool:
        everything = list(pool.map(death_of, faults()))
    deaths = [death for death in everything if death.after and not death.starts]
    with_starts = [death for death in everything if death.after and death.starts]
    _, wire, _ = run(None, live=True)
    order = list(greedy(deaths, names_of(wire.exchanges)[: options.core]))
    print("after so many requests to a live server, without --allow-exec; the last column has the faults that need it")
    print(f"{'requests':>10}{'judged':>14}{'killed':>9}{'greedy':>9}{'starts':>9}")
    for count, judged, last in judged_after(AFTER):
        killed = sum(death.after <= count for death in deaths if death.after) / len(deaths)
        best = sum(faults_shown for _, faults_shown in order[:count]) / len(deaths)
        started = sum(death.after <= count for death in with_starts if death.after) / len(with_starts)
        print(f"{count:>10}{judged:>7} of {last:>3}{killed:>8.0%}{best:>9.0%}{started:>9.0%}")
    print(f"not killed with a live server: {', '.join(death.fault for death in everything if not death.after)}")
    print(f"\nthe requests that are the first to show a fault, after more than {options.late}:")
    late = defaultdict(list)
    for death in deaths:
        if death.after and death.after > options.late:
            late[death.by].append(death)
    for purpose, some in sorted(late.items(), key=lambda pair: -len(pair[1])):
        print(f"{len(some):>4} {purpose} (from {min(death.after or 0 for death in some)}): "
              f"{', '.join(death.fault for death in some)}")  # fmt: skip
    if options.order:
        print("\nthe greedy order:")
        for (purpose, occurrence), count in order:
            print(f"{count:>4} {purpose}{f', number {occurrence + 1}' if occurrence else ''}")


if __name__ == "__main__":
    main()
