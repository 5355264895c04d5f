"""What tells the requests that got something from others that did not: what they carry, or when they were sent.

It judges nothing. Each teller is a hypothesis about all of both; it returns None where one of them contradicts it.
"""

import re
from bisect import bisect_left, bisect_right
from codecs import BOM_UTF8
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import accumulate, dropwhile, pairwise, takewhile
from math import comb, inf
from statistics import median
from typing import TypeAlias
from urllib.parse import unquote

from hostup_conformance.contract.ask import LARGEST_LINUX_PID, Ask, Exchange, Pid
from hostup_conformance.contract.causes.differences import alike
from hostup_conformance.contract.causes.evidence import both_ways, turns
from hostup_conformance.contract.causes.mishaps import errors_of, printed
from hostup_conformance.contract.causes.traits import (
    AFTER_A_REFUSAL,
    CALLERS,
    CHANCE,
    CLOCK,
    ENDED,
    FEWEST,
    NOBODYS,
    NOBODYS_ANY_LONGER,
    OUTSIDE_ASCII,
    PRINTS_OUTSIDE_ASCII,
    WHAT,
    all_beside,
    in_common,
    is_to_be_refused,
    mostly_asked,
    of_command,
    traits,
)
from hostup_conformance.contract.content import below, failed, member, refused
from hostup_conformance.contract.lives import Life, overlap
from hostup_conformance.contract.responder import BURST, is_chunked, is_gateways
from hostup_conformance.contract.selectors import is_availability, starts
from hostup_conformance.http.exchange import ALONE
from hostup_conformance.keeping.safe_text import counted, shown

#: So many requests of both kinds show a pattern in time that is hardly by chance.
ENOUGH = 5
#: After so many others, what came just before the first odd one hardly tells why.
MANY_BETWEEN = 10
#: One of so many ways in which the odd may lie among the others is hardly by chance that in which all come last.
UNLIKELY = 1000
#: In how many seconds the requests before one are counted, of which a server may take only so many.
WINDOWS = (0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 60.0)
#: Of how many servers each may get a request in turn, and how many pairs of requests show it, of which so many agree.
IN_TURN, PAIRS, MOST = (2, 3, 4, 5), 10, 0.9
#: By which part of it the number of requests from one that is odd to the next may differ, since some are sent at once.
OFF = 0.1
#: Which part of these numbers must be so alike; and from how many requests without an odd one on a new stretch begins.
AGREE, STRETCH = 0.75, 3
#: How many times as long after what has an effect for a while the first is sent that has none of it.
MARGIN = 1.5
#: So many characters of a key that is let in are hardly those of the right one by chance.
FEW_CHARACTERS = 8
#: After so many seconds a connection may have been idle for too long.
PAUSE = 0.25
#: For how many seconds a gateway waits at least for what is behind it, and how exactly.
LEAST_WAIT, SPREAD = 0.3, 0.15
#: How the size of a body is told that broke off; whole ones may be so many times as long, if they were sent otherwise.
RECEIVED, LONGER = re.compile(r"received (\d+) bytes, expected \d+"), 2
#: How the names of header fields begin by which a server, or what stands before it, says who it is.
RESPONDERS = re.compile(
    "server|via|cf-cache|cache-status|"
    "x-(powered-by|served-by|backend|upstream|instance|node|pod|host|(app-|api-)?version|proxy|amz|cache)"
)
#: The keys that the server knows.
VALID = {"full", "read"}
#: That which says what a response was made with.
MADE_WITH = "x-powered-by"


class Course:
    """How a run went: what its requests carry, and what was sent before them and with them."""

    def __init__(
        self,
        exchanges: Sequence[Exchange],
        key: str,
        life_of: Callable[[], Mapping[int, Life]] = dict,
        read_key: str | None = None,
    ) -> None:
        self.key, self.keys = key, [key, *filter(None, [read_key])]
        self._life_of = life_of
        self.ordered = sorted(exchanges, key=lambda e: e.number)
        self._traits = dict[int, frozenset[str]]()

    @cached_property
    def _beside(self) -> dict[int, int]:
        return all_beside(self.ordered)

    @cached_property
    def pause(self) -> dict[int, float]:
        """For how many seconds no other request had been under way when each was sent, by its number."""
        found, last = dict[int, float](), inf
        for e in (e for e in self.in_time if e.when):
            found[e.number] = max(0.0, sent_at(e) - last)
            last = max(sent_at(e) + e.seconds, last if last < inf else 0.0)
        return found

    @cached_property
    def in_time(self) -> list[Exchange]:
        """All exchanges in the order in which they were sent."""
        return sorted(self.ordered, key=sent_at)

    def carried(self, e: Exchange) -> frozenset[str]:
        """Return the traits of an exchange, each of which is looked at once."""
        if e.number not in self._traits:
            life = self.life_of.get(e.number)
            what = "for the start " if e.ask.starts else ""
            of_its_command = [f"{what}{does}" for does in (of_command(life) if life else ())]
            if life and is_chunked(life.start):
                of_its_command.append("of a command whose start was chunked")
            # What is refused, or comes before the end, has no output.
            tells = not (e.ask.starts or refused(e) or member(e, "exited") is False)
            polled = printed(life) + errors_of(life) if life and tells else ""
            if not (unquote(e.request.path) + polled).isascii():
                of_its_command.append(OUTSIDE_ASCII)
            if not polled.isascii():
                of_its_command.append(PRINTS_OUTSIDE_ASCII)
            self._traits[e.number] = frozenset([*traits(e, *self.keys), *of_its_command, *self._after_others(e)])
        return self._traits[e.number]

    def is_padded(self, e: Exchange) -> bool:
        """Whether a pid is digits alone that begin with 0, and no command has it."""
        digits = e.ask.pids[0] if e.ask.pid == Pid.LOOSE else ""
        return bool(re.fullmatch("0[0-9]+", digits)) and digits.lstrip("0") not in self._known

    @cached_property
    def _known(self) -> AbstractSet[str]:
        """The pids of commands, as they were polled."""
        return {e.ask.pids[0] for e in self.ordered if e.ask.pid.known}

    def kinds(self, e: Exchange) -> AbstractSet[str]:
        """Return what an exchange asks for and what it got, each in words that may follow "a request"."""
        return WHAT.intersection(self.carried(e)) | {f"that got {e.status}"}

    @cached_property
    def of_kind(self) -> Mapping[str, list[Exchange]]:
        """The exchanges of each of these kinds."""
        found = defaultdict[str, list[Exchange]](list)
        for e in self.ordered:
            for kind in self.kinds(e):
                found[kind].append(e)
        return found

    @cached_property
    def _first_with(self) -> Mapping[str | None, int]:
        """The number of the first request with each value of Authorization."""
        return {e.request.header("authorization"): e.number for e in reversed(self.ordered)}

    def _after_others(self, e: Exchange) -> Iterator[str]:
        """Yield what had come before a request, on its connection or with its key, as far as it is known."""
        life = self.life_of.get(e.number)
        end = life.end if life else None
        ended = end is not None and end is not e and (end.number < e.number or overlap(end, e))
        nobodys = e.ask.pid in {Pid.UNKNOWN, Pid.STRANGE} and e.ask.pids
        if nobodys or self.is_padded(e):
            yield from (NOBODYS, NOBODYS_ANY_LONGER)
        elif ended and not e.ask.starts:
            yield from (ENDED, NOBODYS_ANY_LONGER)
        if e.ask.credential == "wrong" and self._first_with[e.request.header("authorization")] < e.number:
            yield "with a wrong key that had come before"
        before = self._before(e)
        if before and e.source != ALONE:
            yield "on a connection that had carried others"
            if refused(before) and is_to_be_refused(before.ask):
                yield AFTER_A_REFUSAL
        elif connection_of(e) or e.source == ALONE:
            yield "as the first on a connection"
        keyed = self._before_with_key(e)
        if keyed and keyed.ask.credential == "full" != e.ask.credential:
            yield "that follow one with the full key on their connection"

    @cached_property
    def _before(self) -> Callable[[Exchange], Exchange | None]:
        """What tells the exchange before another on its connection."""
        return before_it(self.ordered, connection_of)

    @cached_property
    def _before_with_key(self) -> Callable[[Exchange], Exchange | None]:
        """What tells the last exchange with a credential before another on its connection."""
        return before_it(self.ordered, connection_of, has_credential)

    @property
    def life_of(self) -> Mapping[int, Life]:
        """The commands by the numbers of their starts and polls."""
        return self._life_of()

    @cached_property
    def _begun_and_told(self) -> list[list[float]]:
        lives = {id(life): life for life in self.life_of.values()}.values()
        times = ([life.start for life in lives], [life.end for life in lives if life.end])
        return [sorted(sent_at(e) + e.seconds for e in some if e.when) for some in times]

    def held(self, e: Exchange) -> int:
        """Return how many commands had been started when a request was sent, and their ends not been told."""
        begun, told = (bisect_right(some, sent_at(e)) for some in self._begun_and_told)
        return begun - told

    def beside(self, e: Exchange) -> int:
        """Return how many other requests were under way together with one."""
        return self._beside.get(e.number, 0)

    def is_alone(self, e: Exchange) -> bool:
        """Whether no other request was under way together with one."""
        return self.beside(e) == 0

    @cached_property
    def _sent(self) -> list[float]:
        return sorted(sent_at(e) for e in self.ordered if e.when)

    @cached_property
    def _sent_wrong(self) -> list[float]:
        return sorted(sent_at(e) for e in self.ordered if e.when and e.ask.credential == "wrong")

    def within(self, e: Exchange, seconds: float, *, wrong: bool = False) -> int:
        """Return how many requests, or those with a wrong key, were sent in the seconds up to one, which counts too."""
        moments = self._sent_wrong if wrong else self._sent
        return bisect_right(moments, sent_at(e)) - bisect_left(moments, sent_at(e) - seconds)


@dataclass(frozen=True)
class Split:
    """The requests of a run that got something, and others that did not."""

    odd: Sequence[Exchange]
    usual: Sequence[Exchange]
    course: Course

    @cached_property
    def every(self) -> list[tuple[Exchange, bool]]:
        """All of both in the order of the run, with whether each is odd."""
        marked = [*((e, True) for e in self.odd), *((e, False) for e in self.usual)]
        return sorted(marked, key=lambda one: one[0].number)

    @cached_property
    def is_refusal(self) -> bool:
        """Whether all that is odd was refused, or got no response."""
        return all(not below(e, 400) for e in self.odd)

    @cached_property
    def same(self) -> AbstractSet[object]:
        """What is asked for by requests of both, without what a poll may use up."""
        odd, usual = ({sent_as(e) for e in some if not uses_up(e)} for some in (self.odd, self.usual))
        return odd & usual

    @cached_property
    def alike(self) -> bool:
        """Whether requests of one kind are in both, all of which must be served or refused."""
        return not {e.kind for e in self.odd}.isdisjoint(e.kind for e in self.usual)

    @cached_property
    def only(self) -> str:
        """What a sentence about what is odd begins with."""
        return "only the request" if len(self.odd) == 1 else f"only the {len(self.odd)} requests"


def sent_at(e: Exchange) -> float:
    """Return when a request was sent, in seconds; 0 if that is unknown."""
    return e.when.timestamp() if e.when else 0.0


def connection_of(e: Exchange) -> int:
    """Return the number of the connection of an exchange; 0 if it is unknown."""
    return e.response.connection if e.response else 0


def by_connection(exchanges: Iterable[Exchange]) -> dict[int, list[Exchange]]:
    """Return what came on each connection, by its number, as far as that is known."""
    found = defaultdict[int, list[Exchange]](list)
    for e in exchanges:
        found[connection_of(e)].append(e)
    found.pop(0, None)
    return found


def has_credential(e: Exchange) -> bool:
    """Whether a request has a key, right or wrong."""
    return e.request.header("authorization") is not None


def has_valid_key(e: Exchange) -> bool:
    """Whether a request has a key that the server knows."""
    return e.ask.credential in VALID


def is_denied(e: Exchange) -> bool:
    """Whether a valid key was refused as such."""
    return has_valid_key(e) and e.status in {401, 403}


def before_it(
    exchanges: Iterable[Exchange],
    place: Callable[[Exchange], int],
    counts: Callable[[Exchange], bool] = lambda _: True,
) -> Callable[[Exchange], Exchange | None]:
    """Return what tells the last request that counts before another one in the same place."""
    last, found = dict[int, Exchange](), dict[int, Exchange]()
    for e in exchanges:
        if e.response and (at := place(e)):
            if at in last:
                found[e.number] = last[at]
            if counts(e):
                last[at] = e
    return lambda e: found.get(e.number)


def uses_up(e: Exchange) -> bool:
    """Whether a poll may be the last one that gets its output."""
    return e.ask.pid.is_used_up and e.ask.credential == "full"


def asked(e: Exchange) -> tuple[str, Ask]:
    """Return what a request asks for, with its method."""
    return e.request.method, e.ask


def sent_as(e: Exchange) -> tuple[object, ...]:
    """Return what decides the form of a response as well."""
    return *asked(e), e.request.header("accept-encoding"), e.request.body


Teller: TypeAlias = Callable[[Split], str | None]


def carries(split: Split) -> str | None:
    """The odd ones carry something that no other does."""
    return in_common(split.odd, split.usual, split.course.carried)


def asks(split: Split) -> str | None:
    """Most of the odd ones ask for what no other asks for."""
    return mostly_asked(split.odd, split.usual, split.course.carried)


def begins_as_the_key(split: Split) -> str | None:
    """The keys that are let in begin as a right one does, with more characters than any that is refused.

    Those that are longer or shorter may be refused for that.
    """
    keys = split.course.keys
    if not all(e.ask.credential == "wrong" and below(e, 300) for e in split.odd):
        return None
    least = min(right_characters(e, *keys) for e in split.odd)
    wrong = [e for e in split.usual if e.ask.credential == "wrong"]
    sized = [e for e in wrong if is_as_long(e, *keys)] if all(is_as_long(e, *keys) for e in split.odd) else wrong
    most, most_sized = (max((right_characters(e, *keys) for e in some), default=0) for some in (wrong, sized))
    if least < FEW_CHARACTERS or most_sized >= least:
        return None
    a_right_one = f"{'the' if len(keys) == 1 else 'a'} right one"
    if most >= least:
        begins = f"is as long as {a_right_one} and begins with its first {least} characters"
        how = "of the rest of a key, only the length or the form is looked at"
    else:
        begins = f"begins with the first {least} characters of {a_right_one}"
        signed = all(most <= key.rfind(".") <= least for key in keys)
        how = "what is behind its last dot is not verified" if signed else "only the beginning of a key is compared"
    return f"{split.only} whose key {begins}, none of {len(split.usual)} others: {how}, it seems"


def key_of(e: Exchange) -> str:
    """Return the key of a request, which stands behind the scheme."""
    return (e.request.header("authorization") or "").partition(" ")[2]


def is_as_long(e: Exchange, *keys: str) -> bool:
    """Whether the key of a request has as many characters as a right one."""
    return len(key_of(e)) in map(len, keys)


def right_characters(e: Exchange, *keys: str) -> int:
    """Return how many characters at the beginning of a key are those of a right one."""
    return max(alike(key_of(e), key) for key in keys)


def is_cut(split: Split) -> str | None:
    """All that is no JSON, but begins as such, has one size, and no other body is as long; or all broke off at one.

    Of whole ones beside what broke off, some may be longer, if they were sent otherwise.
    """
    cuts = {cut_of(e) for e in split.odd}
    how, size, longer = cuts.pop()
    longest = max((len(e.response.body) for e in split.usual if e.response), default=0)
    if cuts or len(split.odd) < FEWEST or longest >= longer * size:
        return None
    no_other = ", and no other is as long" if longer == 1 else ""
    return f"each {how} after {size:,} bytes{no_other}: longer bodies are cut, it seems"


def cut_of(e: Exchange) -> tuple[str, int, int]:
    """Return how a body ended too early, after how many bytes, and how many times as long no whole one may be."""
    if found := RECEIVED.search(e.failure or ""):
        return "broke off", int(found[1]), LONGER
    body = e.response.body if e.response and e.response.json.defects else b""
    return "ends", len(body) if body.lstrip().startswith((b"{", b"[")) else 0, 1


def refusals_fail(split: Split) -> str | None:
    """What is to be refused fails, at all or with 404, and hardly anything is refused so."""
    if len(split.odd) < ENOUGH or any(e.response and not failed(e) for e in split.odd):
        return None
    starts_alone = all(e.request.method == "POST" for e in split.odd)
    got = [e.status for e in split.course.ordered if e.response and (e.request.method == "POST" or not starts_alone)]
    what = "no POST" if starts_alone else "nothing"
    for status, of_it, is_due in (("a 4xx", range(400, 429), to_be_refused), ("404", (404,), to_be_not_found)):
        due, others = sum(map(is_due, split.odd)), sum(one in of_it for one in got)
        if 200 in got and others <= OFF * due and due >= AGREE * len(split.odd):
            who = counted(others, "request") if others else what
            return (
                f"{who} got {status}, and {due} of these {len(split.odd)} are due to: what responds so fails, it seems"
            )
    return None


def to_be_refused(e: Exchange) -> bool:
    """Whether a request is to be refused, whatever for: a POST that asks for no start among others."""
    return is_to_be_refused(e.ask) or (e.request.method == "POST" and not (e.ask.starts and e.ask.command))


def to_be_not_found(e: Exchange) -> bool:
    """Whether a request is for a VPS, a command or a path that there is not."""
    return e.ask.vps not in CALLERS or e.ask.resource == "other" or e.ask.pid in {Pid.UNKNOWN, Pid.IMPOSSIBLE}


def waits_no_longer(split: Split) -> str | None:
    """A gateway gave up on all that is odd after the same time, and hardly any other took so long."""
    seconds = [e.seconds for e in split.odd]
    least, most = min(seconds), max(seconds)
    longer = sum(e.seconds >= least for e in split.usual)
    alike = least >= LEAST_WAIT and most - least <= max(SPREAD, SPREAD * least)
    if len(split.odd) < FEWEST or not alike or longer > OFF * len(split.usual):
        return None
    gave_up = all(map(is_gateways, split.odd))
    return (
        f"each after {least:.1f} s or a little more: something in front waits no longer, it seems" if gave_up else None
    )


def responds(split: Split) -> str | None:
    """The responses to the odd ones carry what no other does, such as another name of the server."""

    # Where nothing else has it, it comes with a failure of what is named, as part of the same page.
    with_it = any(e.header(MADE_WITH) is not None for e in split.usual)

    def carried(e: Exchange) -> frozenset[str]:
        if e.response is None:
            return frozenset()
        fields = ((n, value) for n, value in e.response.headers if RESPONDERS.match(n.lower()))
        said = (f"{n}: {shown(value, 40)}" for n, value in fields if n.lower() != MADE_WITH or with_it)
        old = "a response with an Age" if (e.header("age") or "").strip("0") else ""
        body = e.response.body.removeprefix(BOM_UTF8)
        plain = body.isascii() or b"\0" in body or not below(e, 300)  # what is UTF-16 is no letter
        form = "" if plain else "a body with characters outside ASCII"
        end = "the end of a command" if member(e, "exited") not in (None, False, 0, "0", "false", "False") else ""
        return frozenset(f"that got {one}" for one in (*said, old, form, end) if one)

    return in_common(split.odd, [e for e in split.usual if e.response], carried)


def served_afterwards(split: Split) -> bool:
    """Whether what is odd came to its end before the run did: what was served then was not under way with it."""
    return any(odd and not later and split.course.is_alone(e) for (_, odd), (e, later) in pairwise(split.every))


def since(split: Split) -> str | None:
    """All that came after a moment are odd, and none before, although the same was asked for.

    What was sent at once with others on purpose shows no moment: so is all of it.
    """
    if all(e.source == BURST for e in split.odd):
        return None
    first = min(split.odd, key=lambda e: e.number)
    later = [e for e in split.usual if e.number > first.number and split.course.is_alone(e)]
    by_chance = min(len(split.odd), len(split.usual)) < ENOUGH and comb(len(split.every), len(split.odd)) < UNLIKELY
    few = min(len(split.odd), len(split.usual)) < FEWEST or by_chance or split.every[-1][1] is False
    if later or few or not (split.same or (split.is_refusal and split.alike)):
        return None
    silent = all(e.response is None for e in split.odd)
    what = shown(first.purpose or first.request.target, 80)
    if silent:
        why = f": it went down at that request ({what}), or drops what comes too fast"
    else:
        why = for_good(first, split) or just_after(first, split)
    return f"none of {len(split.usual)} before request {first.number}, and all {len(split.odd)} since{why}"


def for_good(first: Exchange, split: Split) -> str | None:
    """Return that all else fails as well, and since when, and how many requests had been served and refused before."""
    responded = [e for e in split.course.ordered if e.response]
    last = max((e for e in responded if not failed(e)), key=lambda e: e.number, default=None)
    begun = responded[: responded.index(last) + 1] if last else []
    if last is None or last.number > first.number or len(responded) - len(begun) <= len(split.odd):
        return None
    counts = f"{sum(below(e, 400) for e in begun)} requests were served and {sum(map(refused, begun))} refused"
    return f", as does all else, whatever it asks for: something has run out, or broke, after {counts}"


def just_after(first: Exchange, split: Split) -> str:
    """Return after which failure, refusal or start all got what the first odd one got, and which of these it was."""
    run = split.course.in_time
    spared = max((e.number for e in split.usual if e.number < first.number), default=0)
    between = [e for e in run if spared < e.number < first.number]
    if crash := next((e for e in between if failed(e) and not e.ask.unavailable), None):
        return f", after request {crash.number} ({shown(crash.purpose, 80)}) got {crash.status}"
    before = [*dropwhile(lambda e: e.status == first.status, reversed(run[: run.index(first)]))]
    keyless = [*takewhile(lambda e: not has_valid_key(e), before)]
    if is_denied(first) and len(keyless) >= ENOUGH:
        row = f"{len(keyless)} in a row without a valid key, to request {before[0].number}"
        return f", just after {row}: these are counted, it seems"
    if len(between) > MANY_BETWEEN:
        return f" (the last before it is request {spared})"
    last = before[0] if before else first
    served = below(last, 400)
    alike = sum(below(e, 400) is served and (e.ask.starts if served else e.status == last.status) for e in before)
    if not split.course.is_alone(last) or (served and not last.ask.starts):
        return ""
    what = f"start number {alike}" if served else f"number {alike} of the responses with {last.status}"
    return f", just after {what}, to request {last.number}"


def every_nth(split: Split) -> str | None:
    """Of so many requests in a row, each gets what the same one of the last so many got."""
    marked = {e.number: odd for e, odd in split.every}
    alone = {e.number for e in split.course.ordered if split.course.is_alone(e)}

    def pairs(step: int) -> list[tuple[bool, bool]]:
        """Return of each two that are so many apart, with none under way beside them, whether they are odd."""
        near = (n for n in marked if n + step in marked and alone.issuperset(range(n, n + step + 1)))
        return [(marked[n], marked[n + step]) for n in near]

    def agree(some: Sequence[tuple[bool, bool]]) -> float:
        return sum(one is other for one, other in some) / len(some)

    def is_turn(step: int) -> bool:
        some = pairs(step)
        telling = [pair for pair in some if any(pair)]  # two usual ones say nothing of a turn, since most are usual
        return len(some) >= PAIRS and len(telling) >= ENOUGH and agree(telling) >= MOST

    step = next(filter(is_turn, IN_TURN), 0)
    few = min(len(split.odd), len(split.usual)) < ENOUGH
    if few or not step or not (neighbours := pairs(1)) or agree(neighbours) > 1 - 1 / IN_TURN[-1]:
        return None
    number = min(step - 1, max(1, round(step * len(split.odd) / len(split.every))))
    said = f"{len(split.odd)} of {len(split.every)} requests, {number} of each {step} in a row"
    return f"{said}: {number} of {counted(step, 'server')} that take turns does so, or they are counted, it seems"


def each_so_many(split: Split) -> str | None:
    """About as many requests of the run come from each odd one to the next; or as many starts, or refusals."""
    run, kinds = split.course.in_time, {e.status for e in split.odd if failed(e)}
    # Of what is due alone, too few may have failed.
    all_odd = [e for e in run if e.status in kinds and not e.ask.unavailable and not e.obeyed] or split.odd
    odd = {e.number for e in all_odd}
    each = [at for at, e in enumerate(run) if e.number in odd]
    # What is under way with an odd one may come on either side of it.
    first = [at for at, before in zip(each, [-inf, *each], strict=False) if at - before > STRETCH]
    out_of = ": they are counted, it seems, or run out of something"
    patterns: dict[str, tuple[int, Callable[[Exchange], bool], list[int]]] = {
        f"about one of each {{:.0f}} requests in a row{out_of}": (IN_TURN[-1], lambda _: True, each),
        f"about one of each {{:.0f}} starts, and nothing else{out_of}": (IN_TURN[1], starts, each),
        "after each {:.0f} refusals or so (4xx): these are counted, it seems": (STRETCH, refused, first),
    }
    for words, (least, counts, begins) in patterns.items():
        until = [0, *accumulate(counts(e) for e in run)]
        gaps = [until[b] - until[a] for a, b in pairwise(begins)]
        usual = median(gaps) if len(gaps) >= ENOUGH else 0
        agree = sum(abs(gap - usual) <= max(1, OFF * usual) for gap in gaps)
        if usual >= least and agree >= AGREE * len(gaps) and all(map(counts, all_odd)) is (begins is each):
            return words.format(usual)
    return None


def back_and_forth(split: Split) -> str | None:
    """The same request gets it and does not get it, several times, and not once and for all."""
    return in_turns([(sent_as(e), odd) for e, odd in split.every if sent_as(e) in split.same])


def by_turns(split: Split) -> str | None:
    """Polls of commands get it and do not get it, whatever the command is."""
    return in_turns([(e.kind, odd) for e, odd in split.every if uses_up(e)])


def soon_after(split: Split) -> str | None:
    """All that is odd was sent soon after a request of a kind, and nothing else so soon after one."""
    if min(len(split.odd), len(split.usual)) < ENOUGH or not split.alike:
        return None
    course = split.course
    own = {kind for e, _ in split.every for kind in course.kinds(e)}
    times = {kind: since_last(some, split.odd, split.usual) for kind, some in course.of_kind.items() if kind not in own}
    margins = {kind: least / max(most, CLOCK) for kind, (most, least) in times.items() if least > MARGIN * most}
    if not margins:
        return None
    kind = max(margins, key=lambda one: (margins[one], one))
    within = f"sent within {times[kind][0]:.2g} s after a request {kind}"
    return f"{split.only} {within}, none of {len(split.usual)} others: it has an effect, it seems"


def only_soon_after(events: Sequence[Exchange], odd: Sequence[Exchange], usual: Sequence[Exchange]) -> float | None:
    """Return within how many seconds after an event all that is odd was sent, if nothing usual was so soon after one.

    None if there are few of either, or if times are unknown.
    """
    timed = [[e for e in some if e.when] for some in (odd, usual)]
    most, least = since_last(events, *timed)
    return most if min(map(len, timed)) >= FEWEST and most < least else None


def since_last(events: Sequence[Exchange], odd: Sequence[Exchange], usual: Sequence[Exchange]) -> tuple[float, float]:
    """Return how many seconds after an event what is odd was sent at the most, and what is usual at the least.

    When an event had its effect is known no better than that it was under way then, nor when a request was served.
    """
    spans = sorted((sent_at(e) + e.seconds, sent_at(e)) for e in events if e.when)
    latest = [-inf, *accumulate((begin for _, begin in spans), max)]

    def waited(e: Exchange) -> tuple[float, float]:
        at = bisect_right(spans, (sent_at(e), inf))
        return (sent_at(e) - spans[at - 1][0] if at else inf), sent_at(e) + e.seconds - latest[at]

    after, other = ([waited(e) for e in some if e.when] for some in (odd, usual))
    return max((least for least, _ in after), default=inf), min((most for _, most in other), default=inf)


def in_turns(marked: Sequence[tuple[object, bool]]) -> str | None:
    """Return that what is alike is odd and not, back and forth."""
    same = [odd for _, odd in marked]
    if turns(same) < ENOUGH or not both_ways(marked):
        return None
    often = f"{sum(same)} of {len(same)} such requests, back and forth"
    return f"{often}: it is not known what decides"


def is_lost(split: Split) -> str | None:
    """Some requests of a kind got no response, and others did."""
    kinds = {e.kind for e in split.odd}
    among = sum(e.kind in kinds for e, _ in split.every)
    lost = all(e.failure and e.lost != "dropped" for e in split.odd) and 2 * len(split.odd) < among
    return f"{len(split.odd)} of {among} such requests: it is not known what decides" if lost and split.alike else None


def undecided(split: Split) -> str | None:
    """The very same request is served and refused, or gets one body and another."""
    both = {e.request for e in split.odd if not uses_up(e)} & {e.request for e in split.usual}
    same = [odd for e, odd in split.every if e.request in both]
    served = {below(e, 400) for e, _ in split.every if e.request in both}
    changes = both_ways((e.request, odd) for e, odd in split.every if e.request in both)
    shows = changes and len(same) >= ENOUGH and (len(served) > 1 or is_availability(split.odd[0]))
    return f"{sum(same)} of {len(same)} such requests: it is not known what decides" if shows else None


@dataclass(frozen=True)
class Measure:
    """A teller by what a request may have too much of, in words for one that has so much, and the others at most."""

    words: str
    of: Callable[[Course, Exchange], float]
    #: Of which requests it is known, from how much on it may be too much, and how many requests show that.
    known: Callable[[Course, Exchange], bool] = lambda _, __: True
    enough: float = 1
    fewest: int = ENOUGH
    #: How many others, for each that is odd, may have as much, if that is hardly by chance.
    spared: float = 1
    #: What must be so of what is odd, and what it shows then.
    holds: Callable[[Split], bool] = lambda split: split.is_refusal and split.alike
    shows: Callable[[Split], str] = lambda _: ""

    def __call__(self, split: Split) -> str | None:
        """Return that only what is odd has so much, or so few others that this is hardly by chance; else None."""
        every = [(self.of(split.course, e), odd) for e, odd in split.every if self.known(split.course, e)]
        odd, usual = ([much for much, one in every if one is kind] for kind in (True, False))
        if len(odd) < self.fewest or len(usual) < FEWEST or not self.holds(split):
            return None
        least, most = min(odd), max(usual)
        others = sum(much >= least for much in usual)
        likely = others > self.spared * len(odd) or ((len(odd) + others) / len(every)) ** len(odd) > CHANCE
        if least < self.enough or (others and likely):
            return None
        which = f"only {len(odd)} of the {len(odd) + others} requests" if others else split.only
        so_much = shown(self.words.format(least, most), 120)
        return f"{which} {so_much}, none of {len(split.usual) - others} others{self.shows(split)}"


def crowded(split: Split) -> str:
    """Return why it may be that only what was sent with others is odd."""
    broken = any(e.broke_off for e in split.odd)
    disturbed = not split.is_refusal or broken or any(e.status in {500, 502} for e in split.odd)
    limit = "a limit on requests at once, or the shedding of load"
    return f": {'requests at the same time disturb each other' if disturbed else limit}, it seems"


def too_fast(split: Split) -> bool:
    """Whether there may be a limit on the rate: others were served afterwards, and nothing else tells the odd ones."""
    return split.is_refusal and split.alike and served_afterwards(split) and not carries(split)


def limits_the_rate(split: Split) -> str:
    """Return why requests may have been refused before which many others were sent: no limit says that it failed."""
    breaks = any(e.status == 500 for e in split.odd)
    return ": the server fails under load, it seems" if breaks else ": a limit on the rate of requests, it seems"


SIZE = partial(Measure, fewest=2, holds=lambda split: split.is_refusal)
#: How large a request is; of smaller pids, the larger have been given later.
SIZES = (
    SIZE(
        "with {:,} bytes of content or more, where others have {:,} at most",
        lambda _, e: len(e.request.body),
        enough=64,
    ),
    SIZE(
        "with {:,} characters in path and query, where others have {:,} at most",
        lambda _, e: len(e.request.target),
        enough=100,
    ),
    Measure(
        "that got {:,} bytes or more, where others got {:,} at most",
        lambda _, e: len(e.response.body) if e.response else 0,
        known=lambda _, e: e.response is not None,
        enough=1024,
        fewest=2,
        holds=lambda split: all(below(e, 300) for e in split.odd),  # an error is as large as its page
    ),
    SIZE(
        "of a command that prints {:,} bytes or more, where others print {:,} at most",
        lambda course, e: len(printed(course.life_of[e.number]).encode("utf-8", "replace")),
        # What came before the end of a command had no output.
        known=lambda course, e: e.number in course.life_of and not e.ask.starts and member(e, "exited") is not False,
        enough=1024,
    ),
    SIZE(
        "with the pid {} or one above it, where others have {} at most",
        lambda _, e: e.ask.number or 0,
        enough=LARGEST_LINUX_PID,
    ),
)
CROWDED = Measure(
    "sent while {} or more others were under way", Course.beside, spared=inf, holds=lambda _: True, shows=crowded
)
FAST = partial(Measure, known=Course.is_alone, enough=2, fewest=FEWEST, holds=too_fast, shows=limits_the_rate)
LOCKED = partial(
    Measure,
    known=lambda _, e: has_valid_key(e),
    enough=2,
    holds=lambda split: split.alike and served_afterwards(split) and all(map(is_denied, split.odd)),
    shows=lambda _: ": callers are locked out for a while, it seems",
)
#: What had been sent when a request was, or how long nothing had been.
TIMED = (
    Measure(
        "sent while the ends of {} or more commands had not been told",
        Course.held,
        known=lambda _, e: e.ask.starts,
        enough=2,
        fewest=FEWEST,
        holds=lambda split: all(e.ask.starts for e in split.odd) and split.is_refusal and served_afterwards(split),
        shows=lambda _: ": no more are kept at a time, it seems",
    ),
    *(
        LOCKED(
            f"sent when {{}} or more with a wrong key had been within {seconds:g} s",
            partial(Course.within, seconds=seconds, wrong=True),
        )
        for seconds in WINDOWS
    ),
    *(
        FAST(f"sent when {{}} or more had been within {seconds:g} s", partial(Course.within, seconds=seconds))
        for seconds in WINDOWS
    ),
    Measure(
        "sent {:.1f} s after the one before",
        lambda course, e: course.pause[e.number],
        known=lambda course, e: e.number in course.pause,  # a recording may lack the time
        enough=PAUSE,
        fewest=1,
        # Before what was refused by a limit, the run may have waited as it was asked to.
        holds=lambda split: split.is_refusal and split.alike and not all(e.status == 429 for e in split.odd),
        shows=lambda _: ": what is idle for a while is lost, such as a connection to a database, it seems",
    ),
)


#: What may tell what is odd from the others by the requests, the most telling first.
BY_REQUEST: tuple[Teller, ...] = (
    is_cut,
    waits_no_longer,
    refusals_fail,
    carries,
    begins_as_the_key,
    *SIZES,
    CROWDED,
    responds,
)
#: The same, by when they were sent.
IN_TIME: tuple[Teller, ...] = (CROWDED, every_nth, each_so_many, *TIMED, since, soon_after)
#: What is said if nothing does.
UNDECIDED: tuple[Teller, ...] = (asks, back_and_forth, undecided, is_lost)


def told(split: Split, tellers: Iterable[Teller] = (*BY_REQUEST, *IN_TIME, back_and_forth)) -> str | None:
    """Return what tells the odd ones from the others, by the first hypothesis that nothing contradicts."""
    if not split.odd or len(split.usual) < FEWEST:
        return None
    return next((words for tell in tellers if (words := tell(split))), None)
