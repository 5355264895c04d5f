"""What became of the commands of a run, and what befell them: the facts that hypotheses are refuted by.

It judges nothing, and knows no hypothesis.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from math import inf

from hostup_conformance.contract.ask import Exchange, Pid, new_pid
from hostup_conformance.contract.causes.mishaps import errors_of, printed
from hostup_conformance.contract.content import failed, member, refused
from hostup_conformance.contract.lives import RETAINED, Life, lives, seconds_of
from hostup_conformance.contract.selectors import BUSY, asks_output, is_availability, new_poll, ours, starts

#: After how many seconds a command that ends at once should have ended.
LONG_ENOUGH = 4.0

#: What stands for a poll of a pid that no command has.
NOBODYS = "nobody's"

#: What stands for a poll that tells the end of a command.
END_TOLD = "the end of one is told"
#: What stands for any request that gets a 5xx.
FAILURE = "a failure"

#: A value that changes so often goes back and forth: neither is of one time.
TURNS = 3
#: What a count or a time has been at least, and at most, since requests take a while and may overlap.
Bounds = tuple[float, float]


def turns(values: Iterable[bool]) -> int:
    """Return how often a value changes."""
    return sum(a != b for a, b in pairwise(values))


def alternates(values: Iterable[bool]) -> bool:
    """Whether a value goes back and forth."""
    return turns(values) >= TURNS


def both_ways(marked: Iterable[tuple[Hashable, bool]]) -> bool:
    """Whether what is asked for again gets a value after the other, and the other after that: neither is for good."""
    last, changes = dict[Hashable, bool](), set[bool]()
    for what, value in marked:
        changes |= {value} if last.get(what, value) != value else set()
        last[what] = value
    return len(changes) > 1


@dataclass(frozen=True)
class Sighting:
    """A poll of a command before its end was told, which was known or lost by then."""

    life: Life
    e: Exchange
    known: bool


class Evidence:
    """What became of the commands of a run, and the events between that may have had to do with it."""

    def __init__(self, exchanges: Iterable[Exchange]) -> None:
        self._all = [e for e in exchanges if not e.recovered and not e.aside]
        self._timed = all(e.when for e in self._all)
        #: The commands, with all that was polled of them, by whatever key.
        self.lives = lives([e for e in self._all if starts(e) or is_poll(e)])

    @cached_property
    def sightings(self) -> list[Sighting]:
        """The polls by the full key of each command until its end was told."""
        return [seen for life in self.lives for seen in self._seen(life)]

    def _seen(self, life: Life) -> Iterable[Sighting]:
        ends = [e for e in (*life.polls, *life.elsewhere) if member(e, "exited") is True]
        until = min(map(self.sent, ends), default=inf)
        for e in life.polls:
            seen = Sighting(life, e, e.status == 200 and isinstance(member(e, "exited"), bool))
            if e.ask.credential == "full" and self.sent(e) <= until and (seen.known or self._is_lost(seen, until)):
                yield seen

    def _is_lost(self, seen: Sighting, until: float) -> bool:
        """Whether a poll should have been served: none got the output meanwhile, and somebody has polled in time."""
        e = seen.e
        late = self._timed and self.sent(e) - self.done(seen.life.start) > RETAINED
        headed = self.between(("HEAD", e.ask.number), seen)[1] > 0  # which may be served as a poll
        gone = refused(e) and e.status not in {401, 403, *BUSY}
        return gone and self.done(e) < until and not late and not headed

    @cached_property
    def lost(self) -> list[Sighting]:
        """The polls of commands that were lost."""
        return [seen for seen in self.sightings if not seen.known]

    @cached_property
    def known(self) -> list[Sighting]:
        """The polls of commands that were known."""
        return [seen for seen in self.sightings if seen.known]

    @cached_property
    def lost_lives(self) -> list[Life]:
        """The commands of which a poll was lost."""
        return list({id(seen.life): seen.life for seen in self.lost}.values())

    @cached_property
    def life_of(self) -> dict[int, Life]:
        """The commands by the numbers of their starts and polls, with those polls that got no response."""
        found = {e.number: life for life in self.lives for e in (life.start, *life.polls)}
        asked = {new_poll(life.start): life for life in self.lives}
        lost = [e for e in self._all if e.response is None and is_poll(e) and e.request.target in asked]
        return {e.number: asked[e.request.target] for e in lost} | found

    @cached_property
    def unending(self) -> list[Life]:
        """The commands that should have ended soon, and are said to run on."""
        return [life for life in self.overdue if not life.end and member(life.full_polls[-1], "exited") is False]

    @cached_property
    def overdue(self) -> list[Life]:
        """The commands that were said to run long after they should have ended."""
        return [life for life in self.lives if life.is_short and any(is_overdue(life, e) for e in life.full_polls)]

    @cached_property
    def failing(self) -> list[Life]:
        """The commands whose last poll got a 5xx, before the end of any was told by another."""
        found = [life for life in self.lives if not life.end or failed(life.end)]
        return [life for life in found if any(map(failed, life.full_polls[-1:]))]

    @cached_property
    def ended(self) -> list[Life]:
        """The commands whose end was told, by a 200."""
        return [life for life in self.lives if life.end and not failed(life.end)]

    def sent(self, e: Exchange) -> float:
        """Return when a request was sent, in seconds; where times are unknown, its number."""
        return e.when.timestamp() if self._timed and e.when else float(e.number)

    def done(self, e: Exchange) -> float:
        """Return when the response to a request had come."""
        return self.sent(e) + (e.seconds if self._timed else 0.0)

    def span(self, e: Exchange) -> tuple[float, float]:
        """Return from when to when a request was under way."""
        return self.sent(e), self.done(e)

    @cached_property
    def outputs(self) -> list[tuple[Life, float, float, int]]:
        """The commands, each with from when to when its start was under way, and how many bytes it prints."""
        return [(life, *self.span(life.start), len((printed(life) + errors_of(life)).encode())) for life in self.lives]

    @cached_property
    def lives_in_time(self) -> list[Life]:
        """The commands in the order in which their starts were sent."""
        return sorted(self.lives, key=lambda life: self.sent(life.start))

    def since_last_start(self, life: Life) -> float:
        """Return how long before the start of a command another was sent."""
        at = bisect_left(self._starts, self.sent(life.start))
        return self._starts[at] - self._starts[at - 1] if at else inf

    @cached_property
    def _starts(self) -> list[float]:
        return [self.sent(life.start) for life in self.lives_in_time]

    def number_at(self, moment: float) -> int:
        """Return the number of the last request that was sent by a moment."""
        return max(e.number for e in self._all if self.sent(e) <= moment)

    @cached_property
    def _events(self) -> dict[object, tuple[list[float], list[float]]]:
        found: dict[object, list[Exchange]] = {}
        for e in self._all:
            for kind in kinds_of(e):
                found.setdefault(kind, []).append(e)
        return {kind: (sorted(map(self.sent, of)), sorted(map(self.done, of))) for kind, of in found.items()}

    @cached_property
    def refusals(self) -> dict[object, Exchange]:
        """The last refusal of each kind that a poll of a lost command got before it was lost, by that kind."""
        lost = {seen.e.ask.number: seen.e.number for seen in reversed(self.lost)}
        before = [e for e in self._all if e.number < lost.get(e.ask.number, 0)]
        return {kind[0]: e for e in before for kind in kinds_of(e) if isinstance(kind, tuple)}

    def between(self, kind: object, seen: Sighting, least_after: float = 0.0) -> Bounds:
        """Return how many events of a kind there were between the start of a command and a poll of it.

        The least number is that from so many seconds after the start on.
        """
        begun, ended = self._events.get(kind, ([], []))
        start, poll = seen.life.start, seen.e
        least = bisect_right(ended, self.sent(poll)) - bisect_left(begun, self.done(start) + least_after)
        most = bisect_right(begun, self.done(poll)) - bisect_left(ended, self.sent(start))
        return max(0, least), most

    def seconds(self, seen: Sighting) -> Bounds:
        """Return how long after the start of a command a poll of it was served."""
        start = seen.life.start
        return self.sent(seen.e) - self.done(start), self.done(seen.e) - self.sent(start)


def is_overdue(life: Life, e: Exchange) -> bool:
    """Whether a poll said that a command runs that should have ended long before."""
    return member(e, "exited") is False and is_late(life, e)


def is_late(life: Life, e: Exchange) -> bool:
    """Whether a poll was sent long after its command should have ended."""
    return life.seconds_until(e) > LONG_ENOUGH + seconds_of(life)


def is_poll(e: Exchange) -> bool:
    """A poll of one pid, whatever the key and the VPS."""
    return e.request.method == "GET" and e.ask.endpoint and e.ask.number is not None and not e.ask.devious


def kinds_of(e: Exchange) -> list[object]:
    """Return what an exchange may have done to commands, or to the one whose pid it has."""
    if failed(e) and e.status not in BUSY and not e.obeyed and not asks_output(e):
        return [FAILURE]
    if new_pid(e) is not None:
        return ["start"]
    if is_availability(e):
        return ["probe"] if e.ask.vps == "own" else []
    pid, response = e.ask.number, e.response
    if pid is None or response is None or not e.ask.endpoint or e.ask.devious:
        return []
    if e.request.method != "GET":
        return [(e.request.method, pid)] if e.ask.credential == "full" else []
    if e.ask.pid == Pid.UNKNOWN and ours(e):
        return [NOBODYS] if refused(e) else []
    if not asks_output(e):
        return [(e.status if e.ask.vps == "own" else e.ask.vps, pid)] if refused(e) else []
    troubled = [("busy", pid)] if e.status in BUSY - {503} else [("5xx", pid)] if failed(e) else []
    told = [END_TOLD] if member(e, "exited") is True else []
    return [("poll", pid), *troubled, *told]
