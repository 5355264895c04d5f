"""Why commands of a run were lost, or ended early, or never end: what parts these from those that were spared.

It judges nothing. Each hypothesis is a small function of both, which is refuted by one command that contradicts it.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import accumulate, pairwise
from math import comb, inf
from typing import NamedTuple

from hostup_conformance.contract.ask import SLEEP, Exchange
from hostup_conformance.contract.causes.evidence import (
    END_TOLD,
    FAILURE,
    NOBODYS,
    Bounds,
    Evidence,
    Sighting,
    alternates,
    is_late,
    is_poll,
)
from hostup_conformance.contract.causes.mishaps import exit_code, printed, stdout
from hostup_conformance.contract.causes.traits import of_one_kind
from hostup_conformance.contract.commands import WRITING
from hostup_conformance.contract.content import failed, is_page, member, refused
from hostup_conformance.contract.lives import Life, command_text, seconds_of, seconds_to_end
from hostup_conformance.keeping.safe_text import counted

#: So many commands must have been lost for what they have in common to be no accident, and so many things they may.
ENOUGH, MANY_HYPOTHESES = 2, 3
#: So many bytes of output may be too much to be stored.
MUCH_OUTPUT = 1 << 16
#: So many commands must have been forgotten at one moment, on average.
AT_ONE_MOMENT = 3
#: How improbable it is that by chance only those were lost that were started with others.
SELDOM = 0.01
#: Of so many that are lost at first, one other may be known a moment earlier, since times are not known exactly.
EARLY = 4
#: By so many seconds after its start, the run's quick commands have ended, and a server that asks seldom may not know.
SOON = 2.0
#: By so many seconds after its time a command has ended, even where the machine is busy.
ENDED = 0.5
#: So many seconds after its start, or a poll, a command may not have printed yet, or not be seen to have ended.
MOMENT = 0.1
#: So many were lost later than all that were known, and known sooner than all that were lost.
CLEARLY = 3
#: What ends a command sooner than that is hardly a time limit.
SHORTEST_LIMIT = 1.0

#: A measure of a poll of a command: what may have befallen it by then.
Measure = Callable[[Evidence, Sighting], Bounds]


class Gap(NamedTuple):
    """How much of a measure the spared had at most, and the odd at least, where one parts them."""

    spared_at_most: float
    odd_at_least: float


@dataclass(frozen=True)
class Parting:
    """The polls that show what has befallen commands, and those of commands that were spared until then."""

    evidence: Evidence
    odd: Sequence[Sighting]
    spared: Sequence[Sighting]

    def by(self, measure: Measure, among: Callable[[Sighting], bool] = lambda _: True) -> Gap | None:
        """Return between which values of a measure it happens; None if the measure does not part them.

        Commands that were lost 6 s and 9 s after their start, and known for up to 4 s, are parted by the seconds since
        the start, 4 and 6. Only those of the spared are looked at `among` which it would have shown.
        """
        most = max((measure(self.evidence, seen)[0] for seen in self.spared if among(seen)), default=inf)
        least = min((measure(self.evidence, seen)[1] for seen in self.odd), default=-inf)
        return Gap(most, least) if most < least else None


def exactly(value: float) -> Bounds:
    """Return the bounds of what is known exactly."""
    return value, value


def since_start(evidence: Evidence, seen: Sighting) -> Bounds:
    """Seconds since the start, from about halfway to its response.

    If they were known less exactly, what was polled at the same time would be parted.
    """
    return exactly(sum(evidence.seconds(seen)) / 2)


def since_end(evidence: Evidence, seen: Sighting) -> Bounds:
    """Seconds since the end, as far as it is known when that was."""
    runs = member(seen.e, "exited") is False and not seen.life.is_short
    return exactly(0.0 if runs else max(0.0, since_start(evidence, seen)[0] - seconds_of(seen.life)))


def others_started(evidence: Evidence, seen: Sighting) -> Bounds:
    """Commands that were started after it."""
    least, most = evidence.between("start", seen)
    return least, most - 1  # its own start


def others_ended(evidence: Evidence, seen: Sighting) -> Bounds:
    """Commands that have ended after it."""
    own, lasts = evidence.span(seen.life.start), seconds_of(seen.life)
    others = [(*evidence.span(one.start), seconds_of(one)) for one in evidence.lives if one is not seen.life]
    polled = evidence.span(seen.e)
    least = sum(own[1] + lasts < sent + after and done + after + ENDED <= polled[0] for sent, done, after in others)
    return least, sum(own[0] + lasts <= done + after and sent + after <= polled[1] for sent, done, after in others)


def printed_by_others(evidence: Evidence, seen: Sighting) -> Bounds:
    """Bytes that other commands print which were started after it."""
    begun, since = evidence.span(seen.life.start)
    until, ended = evidence.span(seen.e)
    others = [one for one in evidence.outputs if one[0] is not seen.life]
    least = sum(size for _, sent, done, size in others if since <= sent and done <= until)
    return least, sum(size for _, sent, done, size in others if begun <= done and sent <= ended)


def polled(evidence: Evidence, seen: Sighting) -> Bounds:
    """Polls of it before this one."""
    least, most = evidence.between(("poll", seen.e.ask.number), seen)
    return least, most - 1  # this one


def silent(evidence: Evidence, seen: Sighting) -> Bounds:
    """Seconds since it has printed something, or was started, if it prints nothing meanwhile."""
    return exactly(0.0) if seen.life.name == "steady" else since_start(evidence, seen)


def after_start(parting: Parting) -> str | None:
    """It is some time after the start; what runs may be spared, if none is odd that ran."""
    whole, runs = parting.by(since_start), any(ran(parting.evidence, seen) for seen in parting.odd)
    ended = None if runs or parting.by(since_end) else parting.by(since_start, tells_the_end)
    found, kept = whole or ended, "" if whole else ", unless it runs"
    return found and f"{time_in_words(found)} after its start{', though it runs' if runs else kept}"


def ran(evidence: Evidence, seen: Sighting) -> bool:
    """Whether a command was still to run when it was polled."""
    return since_end(evidence, seen)[1] == 0 < seconds_of(seen.life)


def after_end(parting: Parting) -> str | None:
    """It is some time after the end."""
    found = parting.by(since_end)
    return found and f"{time_in_words(found)} after its end, polled or not"


def time_in_words(found: Gap) -> str:
    """Return the time between which and which something happened."""
    least, most = (f"{max(0.0, seconds):.1f}" for seconds in found)
    return f"about {most} s" if least == most else f"{least} to {most} s"


def after_others(parting: Parting) -> str | None:
    """It is once so many others have been started, or have ended; what runs may be spared."""
    whole, ended = parting.by(others_started), parting.by(others_started, tells_the_end)
    found, what = (whole or ended), f"been started{'' if whole else ', unless it runs'}"
    if not found:
        found, what = parting.by(others_ended, tells_the_end), "ended"
    number = found and f"{count_in_words(found, 'other command')} {'has' if found.odd_at_least == 1 else 'have'}"
    return number and f"once {number} {what}"


def after_output(parting: Parting) -> str | None:
    """It is once others have printed so much."""
    found = parting.by(printed_by_others, tells_the_end)
    much = found and found.odd_at_least >= MUCH_OUTPUT and "{:,.0f} to {:,.0f} bytes".format(*found)
    return f"once others have printed {much}" if much else None


def after_polls(parting: Parting) -> str | None:
    """It is at one poll of so many."""
    found = parting.by(polled)
    return found and f"once it has been polled {count_in_words(found, 'time')}"


def count_in_words(found: Gap, noun: str) -> str:
    """Return from how many of something on a command was lost."""
    least, most = int(found.spared_at_most) + 1, int(found.odd_at_least)
    return counted(most, noun) if least == most else f"{least} to {counted(most, noun)}"


def tells_the_end(seen: Sighting) -> bool:
    """Whether a poll told the end of a command."""
    return member(seen.e, "exited") is True


#: Events that a command must outlive, and what is said where it does not.
EVENTS: dict[object, str] = {
    "probe": "by a probe of the availability",
    NOBODYS: "by a poll of a pid that no command has",
    401: "by a poll of it that is refused with 401",
    403: "by a poll of it that is refused with 403",
    "unavailable": "by a poll of its pid under the VPS without an agent",
    "foreign": "by a poll of its pid under somebody else's VPS",
    "unknown": "by a poll of its pid under an unknown VPS",
    "OPTIONS": "by OPTIONS with its pid",
    "busy": "by a poll of it that is put off (429 or 409)",
    "5xx": "by a poll of it that gets a 5xx, and its output with that",
    FAILURE: "by a request that gets a 5xx, as where that ends the server",
}


#: Those that may make a server forget whatever command there is.
OF_ALL = {"probe", NOBODYS, FAILURE}


def after_event(kind: object) -> Callable[[Parting], str | None]:
    """Return the hypothesis that one event of a kind brings it about."""

    def measure(evidence: Evidence, seen: Sighting) -> Bounds:
        return evidence.between(kind if kind in OF_ALL else (kind, seen.e.ask.number), seen)

    def hypothesis(parting: Parting) -> str | None:
        # What takes output away leaves a command alone that still runs; but what runs gets no 5xx.
        found = parting.by(measure) if kind in {*OF_ALL, "5xx"} else parting.by(measure, tells_the_end)
        ended = parting.by(partial(after_its_end, kind=kind)) if kind in OF_ALL and not found else None
        unless = "" if found else ", unless it runs"
        return f"{EVENTS[kind]}{unless}" if (gap := found or ended) and gap.spared_at_most == 0 else None

    return hypothesis


def after_its_end(evidence: Evidence, seen: Sighting, kind: object) -> Bounds:
    """Events of a kind between the end of a command and a poll of it."""
    return evidence.between(kind, seen, seconds_of(seen.life) + ENDED)


#: What may make a server forget a command for good. A 5xx is a fault itself, so that it is hardly there by chance.
FORGETTING = (
    after_event("5xx"),
    after_event(FAILURE),
    *(after_start, after_end, after_others, after_output, after_polls),
    *(after_event(kind) for kind in EVENTS if kind not in {"5xx", FAILURE}),
)


def after_silence(parting: Parting) -> str | None:
    """Silence is taken for the end: what is never silent for long was seen to run for longer, and nothing else."""
    found = None if parting.by(since_start) else parting.by(silent)
    return found and f"after {time_in_words(found)} of silence"


def within_a_time(parting: Parting) -> str | None:
    """There is a time limit. So short a one may as well be the end of a request."""
    found = parting.by(since_start)
    or_so = ", or at the end of its start" if found and found.odd_at_least < SHORTEST_LIMIT else ""
    return found and f"{time_in_words(found)} after its start{or_so}"


def by_polls(parting: Parting) -> str | None:
    """The first poll ends it: all had been polled before, and none is seen to run a moment later. Or a later one."""
    sent = parting.evidence.sent
    later = (sent(seen.e) - sent(seen.life.polls[0]) for seen in parting.spared)
    before = all(member(seen.life.polls[0], "exited") is False for seen in parting.odd)
    first = before and max(later) < MOMENT
    return "by the first poll that finds it running" if first else after_polls(parting)


#: When a command is ended by what it prints.
ONCE_PRINTED = "as soon as it has printed something"


def by_output(parting: Parting) -> str | None:
    """What it prints is taken for the end: only what prints nothing is seen to run for more than a moment."""
    on = [seen for seen in parting.spared if since_start(parting.evidence, seen)[0] > MOMENT]
    silent = on and not any(printed(seen.life) for seen in on)
    return ONCE_PRINTED if silent and all(stdout(seen.life) for seen in parting.odd) else None


#: What may end a command before its time.
ENDING = (within_a_time, after_silence, by_polls, by_output, after_others, after_event("probe"))


def of_what(parting: Parting, hypotheses: Iterable[Callable[[Parting], str | None]]) -> str | None:
    """Return what may bring it about, if these are not many between which nothing decides."""
    found = [words for hypothesis in hypotheses if (words := hypothesis(parting))]
    return ", or ".join(found) if 0 < len(found) <= MANY_HYPOTHESES else None


def forgotten(evidence: Evidence) -> str | None:
    """Something makes a server forget a command; where all may be forgotten at once, it may as well be a restart."""
    what = of_what(Parting(evidence, evidence.lost, evidence.known), FORGETTING)
    if what is None:
        return None
    said = f"a command is forgotten {what}, it seems"
    counted_exactly = what.startswith("once ") and " to " not in what
    moments = [] if counted_exactly else moments_of_loss(evidence)
    if not moments:
        return said
    told = moments_in_words(evidence, moments)  # one moment is the simpler explanation
    return f"{told}; or {said}" if len(moments) == 1 else f"{said}; or {told}"


def known_late(evidence: Evidence) -> str | None:
    """A command is not known at first, as where another database is read than was written."""
    back = came_back(evidence)
    found = Parting(evidence, evidence.known, evidence.lost).by(Evidence.seconds)
    if not found or not back or any(before for _, _, before in back):
        return None
    latest = max(since_start(evidence, seen)[0] for seen in evidence.lost)
    if sum(since_start(evidence, seen)[0] <= latest for seen in evidence.known) > len(evidence.lost) // EARLY:
        return None
    lost, known = found
    return f"a command is not known at first, it seems: not {lost:.2f} s after its start, but {known:.2f} s after it"


def known_in_turns(evidence: Evidence) -> str | None:
    """A command is known to some of several servers."""
    back = came_back(evidence)
    if len(back) < ENOUGH:
        return None
    lost, known, _ = back[0]
    here = f"the same poll gets 200 again, as request {known.number} did after {lost.number} got {lost.status}"
    if any(before for _, _, before in back):
        return f"{here}, and was known before: only some of several servers know a command, it seems"
    return f"{here}: not each of several servers knows a command, or none at once, it seems"


def came_back(evidence: Evidence) -> list[tuple[Exchange, Exchange, bool]]:
    """Return, for each command that was found again, the polls that show it, and whether it was known before both."""
    known, last = set[int](), dict[int, Exchange]()
    found: dict[int, tuple[Exchange, Exchange, bool]] = {}
    for seen in evidence.sightings:
        life = id(seen.life)
        if not seen.known:
            last[life] = seen.e
            continue
        if lost := last.pop(life, None):
            found[life] = lost, seen.e, life in known
        known.add(life)
    return sorted(found.values(), key=lambda pair: not pair[2])


def known_once_ended(evidence: Evidence) -> str | None:
    """A command is not known as long as it runs, and some were found again, or nothing else is the cause."""
    if not came_back(evidence) and forgotten(evidence):
        return None
    times = [(since_start(evidence, seen)[0], seconds_of(seen.life)) for seen in evidence.lost]
    running = all(after < lasts + ENDED for after, lasts in times) and any(lasts > after for after, lasts in times)
    ended = evidence.known and all(map(tells_the_end, evidence.known))
    return "a command is not found as long as it runs, it seems" if running and ended else None


def lost_as_it_runs(evidence: Evidence) -> str | None:
    """From some time after its start on, a command is not known as long as it runs; until then all are, and later."""
    running, ended = list[Sighting](), list[Sighting]()
    for seen in evidence.known:
        (running if ran(evidence, seen) else ended).append(seen)
    found = Parting(evidence, evidence.lost, running).by(since_start)
    if not found or min(len(evidence.lost), len(ended)) < CLEARLY or not all(ran(evidence, s) for s in evidence.lost):
        return None
    if max(since_start(evidence, seen)[0] for seen in ended) < found.odd_at_least:
        return None  # it may be so whether it runs or not
    return f"a command is not known from {time_in_words(found)} after its start until it has ended, it seems"


def at_some_moments(evidence: Evidence) -> str | None:
    """All commands are forgotten at once, as with a restart."""
    moments = moments_of_loss(evidence)
    return moments_in_words(evidence, moments) if moments else None


def moments_of_loss(evidence: Evidence) -> list[tuple[float, float]]:
    """Return at which few moments, each between two times, all commands were lost that there were; none if not so.

    No command may have been known before and after.
    """
    kept = merged([(evidence.done(seen.life.start), evidence.sent(seen.e)) for seen in evidence.known])
    spans: dict[int, tuple[float, float]] = {}
    for seen in evidence.sightings:
        if seen.known:
            spans[id(seen.life)] = evidence.sent(seen.e), inf
        else:
            begin, end = spans.get(id(seen.life), (evidence.sent(seen.life.start), inf))
            spans[id(seen.life)] = begin, min(end, evidence.done(seen.e))
    moments: list[tuple[float, float]] = []
    for begin, end in sorted((span for span in spans.values() if span[1] < inf), key=lambda span: span[1]):
        if moments and begin <= moments[-1][1]:
            moments[-1] = max(begin, moments[-1][0]), moments[-1][1]
            continue
        free = latest_free(kept, end)
        if free[1] < begin:
            return []
        moments.append((max(begin, free[0]), free[1]))
    return moments if kept and len(evidence.lost_lives) >= AT_ONE_MOMENT * len(moments) else []


def moments_in_words(evidence: Evidence, moments: Sequence[tuple[float, float]]) -> str:
    """Return when all commands were forgotten."""
    times = "at one moment" if len(moments) == 1 else f"at {len(moments)} moments, the first of them"
    first, last = (evidence.number_at(at) for at in moments[0])
    where = f"between requests {first} and {last}" if first < last else f"at about request {last}"
    return f"all commands were forgotten {times} {where}: by a restart, or by what was sent then"


def merged(spans: Iterable[tuple[float, float]]) -> list[tuple[float, float]]:
    """Return spans of time without overlaps, in order."""
    found: list[tuple[float, float]] = []
    for begin, end in sorted(spans):
        if found and begin <= found[-1][1]:
            found[-1] = found[-1][0], max(found[-1][1], end)
        elif begin < end:
            found.append((begin, end))
    return found


def latest_free(spans: Sequence[tuple[float, float]], moment: float) -> tuple[float, float]:
    """Return the latest time up to a moment that lies within none of some spans, from its beginning to its end."""
    at = bisect_left(spans, (moment, -inf)) - 1
    if at < 0 or spans[at][1] <= moment:
        return (spans[at][1] if at >= 0 else -inf), moment
    return (spans[at - 1][1] if at else -inf), spans[at][0]


def of_a_kind(evidence: Evidence) -> str | None:
    """What all do is lost, and nothing else."""
    lost = {id(life) for life in evidence.lost_lives}
    known = list({id(seen.life): seen.life for seen in evidence.known if id(seen.life) not in lost}.values())
    return so_is(evidence.lost_lives, known, "lost, it seems")


def so_is(some: Sequence[Life], others: Sequence[Life], what: str) -> str | None:
    """Return that something is so of all commands of a kind, and of no other, if that tells them apart."""
    kind = of_one_kind(some, others) if len(some) >= ENOUGH else None
    return kind and f"each {kind} ({len(some)}), and none of {counted(len(others), 'other')}, is {what}"


def taken_with_another(evidence: Evidence) -> str | None:
    """A poll that tells the end of one command takes the others away; where many show it, and nothing else fits."""

    def ends_told(evidence: Evidence, seen: Sighting) -> Bounds:
        return evidence.between(END_TOLD, seen, seconds_of(seen.life) + MOMENT)

    found = Parting(evidence, evidence.lost, evidence.known).by(ends_told)
    if not found or found.spared_at_most > 0 or len(evidence.lost_lives) < AT_ONE_MOMENT:
        return None
    return "a command is forgotten by a poll that tells the end of another command, unless it runs, it seems"


def never_known(evidence: Evidence) -> str | None:
    """Some starts are lost: of others of their kind, some were known that were started before or after."""
    ever, lost = ({id(seen.life) for seen in sightings} for sightings in (evidence.known, evidence.lost))
    seen = [life for life in evidence.lives if id(life) in ever or id(life) in lost]
    if ever & lost or not alternates(id(life) in ever for life in seen):
        return None
    elsewhere = ", or their polls go to another server, or another store"
    return in_between(evidence.lost_lives, [life for life in seen if id(life) in ever], "never known", elsewhere)


def known_no_longer(evidence: Evidence) -> str | None:
    """From one start on, no command is known, and all before it were: a store is full, or has broken."""
    ever = {id(seen.life) for seen in evidence.known}
    lost = [life for life in evidence.lost_lives if id(life) not in ever]
    known = [life for life in evidence.lives if id(life) in ever]
    first = min(map(evidence.done, (life.start for life in lost)), default=-inf)
    if len(lost) < len(evidence.lost_lives) or len(lost) < AT_ONE_MOMENT or len(known) < AT_ONE_MOMENT:
        return None
    if any(evidence.sent(life.start) >= first for life in known):
        return None
    before = f"all {len(known)} that were started before them were"
    return f"none of the last {len(lost)} commands is ever known, and {before}: no more are kept, it seems"


def never_found(evidence: Evidence) -> str | None:
    """No command is known to any poll. Each start has a connection of its own."""
    if evidence.known or len(evidence.lost_lives) < AT_ONE_MOMENT:
        return None
    lost = f"no poll finds any of {len(evidence.lost_lives)} commands"
    return f"{lost}: they are kept where polls do not look, or for the connection of their start alone, it seems"


def by_whole_seconds(evidence: Evidence) -> str | None:
    """It is some time after the end, but for less than a second: a server may keep times without their fractions."""
    lost, kept = ([since_end(evidence, seen)[0] for seen in some] for some in (evidence.lost, evidence.known))
    least, most = min(lost, default=inf), max(kept, default=inf)
    if not 0 <= most - least < 1 or min(sum(s > most for s in lost), sum(s < least for s in kept)) < CLEARLY:
        return None
    when = f"{least:.1f} to {most:.1f} s after its end, by a clock of whole seconds"
    return f"a command is forgotten {when}, it seems"


def in_between(some: Sequence[Life], others: Sequence[Life], what: str, more: str = "") -> str | None:
    """Return that something is so of some commands, and not of others that do the same."""
    if set(map(kind_of, some)).isdisjoint(map(kind_of, others)):
        return None
    said = f"{len(some)} of {counted(len(some) + len(others), 'command')} are {what}, and others in between are not"
    return f"{said}: these starts were lost, or what became of them, though they got a pid{more}"


def kind_of(life: Life) -> str:
    """Return the name of a command, or that of its program."""
    return life.name or command_text(life).partition(" ")[0]


#: Why commands were lost, the most telling first.
LOSSES: tuple[Callable[[Evidence], str | None], ...] = (
    known_late,
    lost_as_it_runs,
    known_once_ended,
    known_in_turns,
    of_a_kind,
    forgotten,
    at_some_moments,
    known_no_longer,
    taken_with_another,
    by_whole_seconds,
    never_known,
    never_found,
)


def began_to_wait(evidence: Evidence, life: Life) -> bool:
    """Whether a command was started while one ran that lasts."""
    lasting = next((one for one in evidence.lives if one.start.ask.command == SLEEP), None)
    if lasting is None:
        return False
    over = evidence.sent(lasting.start) + seconds_of(lasting)
    ended_later = life.end is not None and evidence.done(life.end) >= over
    return evidence.sent(life.start) > evidence.done(lasting.start) and not ended_later


def says_it_runs(life: Life) -> bool:
    """Whether the first poll of a command says that it runs, not long after its start."""
    first = life.polls[0] if life.is_short and life.polls else None
    return first is not None and member(first, "exited") is False and life.seconds_until(first) <= SOON


def is_followed_by_none(evidence: Evidence, life: Life) -> bool:
    """Whether no command was started between the end of one, or the poll that told it, and its last poll."""
    last = Sighting(life, life.end or life.polls[-1], known=True)
    if life.end:
        return evidence.between("start", last)[1] == 1
    return evidence.between("start", last, seconds_of(life) + ENDED)[0] == 0


#: What all that never end may have in common, and why.
STUCK: dict[str, tuple[Callable[[Evidence, Life], bool], str]] = {
    "had no other start after it": (is_followed_by_none, "an end is noticed when the next command is started"),
    f"was started while {SLEEP} ran": (began_to_wait, "a command, or the news of its end, waits for those before it"),
    "was said to run by its first poll": (
        lambda _, life: says_it_runs(life),
        "a cache keeps what the first poll of a command got",
    ),
}


def in_common(some: Sequence[Life], others: Sequence[Life], evidence: Evidence) -> str:
    """Return what some commands have in common, and none of several others, with why that may be."""
    which = f"each of {len(some)} that do not end" if len(some) > 1 else "the one that does not end"
    found = [
        f"{which} in time {words}, and none of {len(others)} others: {why}, it seems"
        for words, (has, why) in STUCK.items()
        if all(has(evidence, one) for one in some) and not any(has(evidence, one) for one in others)
    ]
    return ", or ".join(found)


def lost_together(evidence: Evidence) -> str | None:
    """Starts are lost that are sent at the same time: none was that was alone, which is hardly by chance."""
    ordered = sorted(evidence.lives, key=lambda life: evidence.sent(life.start))
    until = list(accumulate((evidence.done(life.start) for life in ordered), max))
    after = pairwise(range(len(ordered)))
    beside = {at for a, b in after if evidence.sent(ordered[b].start) < until[a] for at in (a, b)}
    alone = [life for at, life in enumerate(ordered) if at not in beside]
    stuck = {id(life) for life in evidence.unending}
    ended = sum(life.end is not None for life in alone)
    if any(id(life) in stuck for life in alone) or not all_beside(len(stuck), len(beside), ended):
        return None
    said = f"each of the {len(stuck)} that never end was started at the same time as others"
    return f"{said}, and none of {ended} that were started alone: starts at the same time get lost, it seems"


def all_beside(lost: int, beside: int, alone: int) -> bool:
    """Whether it is hardly by chance that all that were lost are among those that had others beside them."""
    return lost <= beside and comb(beside, lost) <= SELDOM * comb(beside + alone, lost)


def nothing_ends(evidence: Evidence) -> str | None:
    """No command at all is said to have ended."""
    if evidence.ended:
        return None
    return "no poll of any command has exited true: no end is noticed, or a cache keeps what the first poll got"


def all_end_late(evidence: Evidence) -> str | None:
    """All commands whose end is told took longer than the others were polled."""
    polled = max((life.seconds_polled for life in evidence.unending), default=inf)
    took = [life.seconds_until(life.end) - seconds_of(life) for life in evidence.ended if life.end]
    if len(took) < ENOUGH or not polled < min(took) < inf:
        return None
    soonest = f"{min(took):.1f} s after its start"
    return f"none of {len(took)} that ended did so sooner than {soonest}: every command takes so long, it seems"


def never_ending(evidence: Evidence) -> str | None:
    """Why several commands are said to run on that should have ended."""
    stuck, ended = evidence.unending, evidence.ended
    after = [life for life in ended if stuck and evidence.sent(life.start) > evidence.sent(stuck[0].start)]
    return (
        nothing_ends(evidence)
        or in_common(stuck, ended, evidence)
        or all_end_late(evidence)
        or lost_together(evidence)
        or so_is(stuck, ended, "said to run on: its end is not noticed, or nobody reads all that it writes")
        or (in_between(stuck, after, "said to run for ever") if len(after) >= len(stuck) else None)
    )


def kept_for_a_while(evidence: Evidence) -> str | None:
    """A cache keeps what the first poll of a command got: others had ended meanwhile, as their first polls told."""
    late = evidence.overdue
    until = max((evidence.sent(e) for life in late for e in life.polls if member(e, "exited") is False), default=0.0)
    in_time = [life for life in evidence.ended if life.end and not is_late(life, life.end)]
    shows = any(life.end and not says_it_runs(life) and evidence.done(life.end) < until for life in evidence.ended)
    return in_common(late, in_time, evidence) if shows else None


def ended_by(cut: Sequence[Life], every: Sequence[Life]) -> str:
    """Return why commands were ended before their time, in words that follow how they ended; empty if unknown."""
    evidence = Evidence(sorted((e for life in every for e in (life.start, *life.polls)), key=lambda e: e.number))
    starts = {life.start.number for life in cut}
    odd = [Sighting(one, one.end, known=False) for one in evidence.lives if one.end and one.start.number in starts]
    running = [Sighting(one, e, known=True) for one in evidence.lives for e in one.polls if runs_still(one, e)]
    silent = any(e.status == 200 and not isinstance(member(e, "exited"), bool) for one in every for e in one.polls)
    if not odd or (silent and not running):
        return ""
    if not running:
        return never_runs(Parting(evidence, odd, running))
    early = [one.life for one in odd if seconds_to_end(one.life) < seconds_of(one.life)]
    if [life.name for life in early] == ["closed"]:
        return ", when it had closed its output: the end of that is taken for its own, it seems"
    what = of_what(Parting(evidence, odd, running), ENDING) if len(odd) >= ENOUGH else None
    return f": a command is ended {what}, it seems" if what else ""


def runs_still(life: Life, e: Exchange) -> bool:
    """Whether a poll said that a command runs, before its end was told."""
    return member(e, "exited") is False and (life.end is None or e.number < life.end.number)


def never_runs(parting: Parting) -> str:
    """Return what may be if no poll said that a command runs: nothing ends it if its code is 0 and no signal's."""
    well = all(exit_code(seen.life) == 0 for seen in parting.odd)
    killed = any(exit_code(seen.life) is not None or member(seen.e, "signal") for seen in parting.odd)
    alone = any(others_started(parting.evidence, seen)[1] == 0 for seen in parting.odd)
    early = "exited is true too soon, or " if well or not killed else ""
    ends = f": {early}a command ends with the request that starts it" if alone else ""
    return f", and no poll of any command got exited false{ends}, it seems"


def first_of(hypotheses: Iterable[Callable[[Evidence], str | None]], evidence: Evidence) -> str | None:
    """Return what the first hypothesis says that nothing contradicts."""
    return next((words for hypothesis in hypotheses if (words := hypothesis(evidence))), None)


class Reasons:
    """Why commands of a run were lost, of each of the three ways in which they may be."""

    def __init__(self, exchanges: Iterable[Exchange]) -> None:
        self.evidence = Evidence(exchanges)

    @cached_property
    def lost(self) -> str | None:
        """Why commands were not found, if that is known."""
        several = len(self.evidence.lost_lives) >= ENOUGH
        return first_of(LOSSES, self.evidence) if several else None

    @cached_property
    def unending(self) -> str | None:
        """Why commands are said to run on, if that is known."""
        return never_ending(self.evidence) if len(self.evidence.unending) >= ENOUGH else None

    def not_known(self, e: Exchange) -> str | None:
        """Return that no hypothesis fits, if it is one of several commands, and others were spared."""
        evidence = self.evidence
        lost = self.lost is None and len(evidence.lost_lives) >= ENOUGH and any(e is seen.e for seen in evidence.lost)
        fails = len(evidence.failing) >= ENOUGH and failed(e) and evidence.life_of.get(e.number) in evidence.failing
        if not (lost and evidence.known) and not (fails and evidence.ended):
            return None
        return "neither time nor what was sent in between tells these commands from the others, nor what they do"

    def of(self, e: Exchange) -> str | None:
        """Return why the command was lost that a finding is about, if the evidence tells that."""
        if is_poll(e) and e.ask.credential == "full" and e.ask.pid.known and e.status != 200:
            if refused(e) and is_page(e):
                return "it is a page in HTML: something in front of the server refuses it, such as a firewall, it seems"
            of_kind = so_is(self.evidence.failing, self.evidence.ended, "given that") if failed(e) else None
            return None if e.status in {401, 403} else of_kind or self.lost
        if is_of(e, self.evidence.overdue, self.evidence):
            return self.unending or kept_for_a_while(self.evidence)
        return None


def is_of(e: Exchange, some: Sequence[Life], evidence: Evidence) -> bool:
    """Whether an exchange started or polled one of some commands, or another with the same text, or tells of them."""
    life = evidence.life_of.get(e.number)
    if life is None:
        return False
    told = WRITING if life.name == "trace" else set[str]()
    return any(one.start.ask.command == life.start.ask.command or one.name in told for one in some)
