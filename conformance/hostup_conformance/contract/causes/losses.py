"""Why commands of a run were lost: what all that were lost have in common, and none that was spared. It judges nothing.

Each hypothesis is a small function of the evidence, which is refuted by one command that contradicts it.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from itertools import accumulate, pairwise
from math import comb, inf, log2

from hostup_conformance.contract.ask import SLEEP, Exchange, new_pid
from hostup_conformance.contract.causes.evidence import Bounds, Evidence, Sighting, alternates, is_late, is_poll
from hostup_conformance.contract.causes.mishaps import errors_of, plain, printed, stdout
from hostup_conformance.contract.causes.traits import of_one_kind
from hostup_conformance.contract.content import failed, is_page, member, refused
from hostup_conformance.contract.lives import Life, command_text, seconds_of
from hostup_conformance.keeping.safe_text import counted

#: So many commands must have been lost for what they have in common to be no accident, and so many things they may.
ENOUGH, MANY = 2, 3
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
#: From how many seconds on a poll takes long.
LONG_POLL = 0.5
#: From here on, doubles have gaps. A pid that fell on no gap by accident so seldom was rounded.
EXACT, BITS, LARGEST = 2**53, 7, 2**64

#: How many bytes a pipe holds.
PIPE = 1 << 16

#: The commands that leave a trace, of which another tells.
TRACED = {"once", "slow", "again"}

#: A measure of a poll of a command: what may have made it lost.
Measure = Callable[[Evidence, Sighting], Bounds]


def since_start(evidence: Evidence, seen: Sighting) -> Bounds:
    """Seconds since the start, from about halfway to its response.

    If they were known less exactly, what was polled at the same time would be parted.
    """
    return (sum(evidence.seconds(seen)) / 2,) * 2


def since_end(evidence: Evidence, seen: Sighting) -> Bounds:
    """Seconds since the end, as far as it is known when that was."""
    runs = member(seen.e, "exited") is False and not seen.life.is_short
    return (0.0 if runs else max(0.0, since_start(evidence, seen)[0] - seconds_of(seen.life)),) * 2


def others_started(evidence: Evidence, seen: Sighting) -> Bounds:
    """Commands that were started after it."""
    least, most = evidence.between("start", seen)
    return least, most - 1  # its own start


def polled(evidence: Evidence, seen: Sighting) -> Bounds:
    """Polls of it before this one."""
    least, most = evidence.between(("poll", seen.e.ask.number), seen)
    return least, most - 1  # this one


def parted(evidence: Evidence, measure: Measure, among: Callable[[Sighting], bool] = bool) -> Bounds | None:
    """Return how much of a measure the known had at most and the lost at least; None if it does not part them.

    Only those of the known are looked at `among` which the loss would have shown.
    """
    most = max((measure(evidence, seen)[0] for seen in evidence.known if among(seen)), default=inf)
    least = min((measure(evidence, seen)[1] for seen in evidence.lost), default=-inf)
    return (most, least) if most < least else None


def after_start(evidence: Evidence) -> str | None:
    """A command is forgotten some time after its start; what runs may be kept, if none was lost that ran."""
    whole, runs = parted(evidence, since_start), any(ran(evidence, seen) for seen in evidence.lost)
    ended = None if runs or parted(evidence, since_end) else parted(evidence, since_start, tells_the_end)
    found, kept = whole or ended, "" if whole else ", unless it runs"
    return found and f"{time_in_words(found)} after its start{', though it runs' if runs else kept}"


def ran(evidence: Evidence, seen: Sighting) -> bool:
    """Whether a command was still to run when it was polled."""
    return since_end(evidence, seen)[1] == 0 < seconds_of(seen.life)


def after_end(evidence: Evidence) -> str | None:
    """The output of a command is forgotten some time after its end."""
    found = parted(evidence, since_end)
    return found and f"{time_in_words(found)} after its end, polled or not"


def time_in_words(found: Bounds) -> str:
    """Return the time between which and which something happened."""
    least, most = (f"{max(0.0, seconds):.1f}" for seconds in found)
    return f"about {most} s" if least == most else f"{least} to {most} s"


def after_others(evidence: Evidence) -> str | None:
    """A command is forgotten once so many others have been started; what runs may be kept."""
    whole, ended = parted(evidence, others_started), parted(evidence, others_started, tells_the_end)
    found = whole or ended
    number = found and f"{count_in_words(found, 'other command')} {'has' if found[1] == 1 else 'have'}"
    return number and f"once {number} been started{'' if whole else ', unless it runs'}"


def after_polls(evidence: Evidence) -> str | None:
    """A command can be polled so many times."""
    found = parted(evidence, polled)
    return found and f"once it has been polled {count_in_words(found, 'time')}"


def count_in_words(found: Bounds, noun: str) -> str:
    """Return from how many of something on a command was lost."""
    least, most = int(found[0]) + 1, int(found[1])
    return counted(most, noun) if least == most else f"{least} to {counted(most, noun)}"


def tells_the_end(seen: Sighting) -> bool:
    """Whether a poll told the end of a command."""
    return member(seen.e, "exited") is True


#: Events that a command must outlive, and what is said where it does not.
EVENTS: dict[object, str] = {
    "probe": "by a probe of the availability",
    401: "by a poll of it that is refused with 401",
    403: "by a poll of it that is refused with 403",
    "unavailable": "by a poll of its pid under the VPS without an agent",
    "foreign": "by a poll of its pid under somebody else's VPS",
    "unknown": "by a poll of its pid under an unknown VPS",
    "OPTIONS": "by OPTIONS with its pid",
    "busy": "by a poll of it that is put off (429 or 409)",
    "5xx": "by a poll of it that gets a 5xx, and its output with that",
}


def after_event(kind: object) -> Callable[[Evidence], str | None]:
    """Return the hypothesis that one event of a kind makes a server forget a command."""

    def measure(evidence: Evidence, seen: Sighting) -> Bounds:
        return evidence.between(kind if kind == "probe" else (kind, seen.e.ask.number), seen)

    def hypothesis(evidence: Evidence) -> str | None:
        # What takes output away leaves a command alone that still runs; but what runs gets no 5xx.
        found = parted(evidence, measure, bool if kind in {"probe", "5xx"} else tells_the_end)
        ended = parted(evidence, probes_after_end) if kind == "probe" and not found else None
        unless = "" if found else ", unless it runs"
        return f"{EVENTS[kind]}{unless}" if (parts := found or ended) and parts[0] == 0 else None

    return hypothesis


def probes_after_end(evidence: Evidence, seen: Sighting) -> Bounds:
    """Probes between the end of a command and a poll of it."""
    return evidence.between("probe", seen, seconds_of(seen.life) + ENDED)


#: What may make a server forget a command for good. A 5xx is a fault itself, so that it is hardly there by chance.
FORGETTING = (
    after_event("5xx"),
    *(after_start, after_end, after_others, after_polls),
    *(after_event(kind) for kind in EVENTS if kind != "5xx"),
)


def rounded(evidence: Evidence) -> str | None:
    """The pids have passed through a double, as JavaScript's numbers are."""
    large = {pid for life in evidence.lives if EXACT < (pid := new_pid(life.start) or 0) < LARGEST}
    bits = sum(log2(pid / EXACT) for pid in large)
    if bits < BITS or any(int(float(pid)) != pid for pid in large):
        return None
    return f"the pid {min(large)} is one of the few above 2**53 that a double can hold: it was rounded, it seems"


def of_another_process(evidence: Evidence) -> str | None:
    """The pid of a start is not that of its command: no poll of it gets its output, and pollUrl has another."""
    asked = [life for life in evidence.lives if isinstance(member(life.start, "pollUrl"), str)]
    others = [
        life for life in asked if f"pid={new_pid(life.start)}" not in str(member(life.start, "pollUrl")).split("?")
    ]
    own = any(life.end and printed(life) and printed(life) in stdout(life) for life in evidence.lives)
    if own or len(evidence.lost_lives) < ENOUGH or not others or len(others) < len(asked):
        return None
    return "no poll of a pid gets what its command prints, and pollUrl has another: pid is not the command's, it seems"


def known_late(evidence: Evidence) -> str | None:
    """A command is not known at first, as where another database is read than was written."""
    back = came_back(evidence)
    found = parted(evidence, lambda e, seen: (-e.seconds(seen)[1], -e.seconds(seen)[0]))
    if not found or not back or any(before for _, _, before in back):
        return None
    latest = max(since_start(evidence, seen)[0] for seen in evidence.lost)
    early = sum(since_start(evidence, seen)[0] <= latest for seen in evidence.known)
    if early > len(evidence.lost) // EARLY:
        return None
    lost, known = -found[1], -found[0]
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
    """A command is not known as long as it runs."""
    times = [(since_start(evidence, seen)[0], seconds_of(seen.life)) for seen in evidence.lost]
    running = all(after < lasts + ENDED for after, lasts in times) and any(lasts > after for after, lasts in times)
    ended = evidence.known and all(map(tells_the_end, evidence.known))
    return "a command is not found as long as it runs, it seems" if running and ended else None


def found_once_ended(evidence: Evidence) -> str | None:
    """A command is not known as long as it runs, and some were found again when they had ended."""
    return known_once_ended(evidence) if came_back(evidence) else None


def taken_by_a_first_try(evidence: Evidence) -> str | None:
    """What takes long is sent again, and the first try has taken the output.

    That is not so where all that is unknown gets its refusal as late.
    """
    firsts = {id(seen.life): seen.e.seconds for seen in reversed(evidence.lost)}
    least, most = min(firsts.values(), default=0.0), max((seen.e.seconds for seen in evidence.known), default=inf)
    again = [seen.e.seconds for seen in evidence.lost]
    if least < max(LONG_POLL, 2 * most) or min(again) * 2 > least:
        return None
    said = f"each poll that lost one took {least:.1f} s or more, and none that was served more than {most:.1f} s"
    return f"{said}: what takes long is sent again, it seems, when the first try has taken the output"


def forgotten(evidence: Evidence) -> str | None:
    """One of the things that make a server forget a command, or a few between which nothing decides."""
    found = [words for hypothesis in FORGETTING if (words := hypothesis(evidence))]
    return f"a command is forgotten {', or '.join(found)}, it seems" if 0 < len(found) <= MANY else None


def at_some_moments(evidence: Evidence) -> str | None:
    """All commands are forgotten at once, as with a restart. No command may have been known before and after."""
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
            return None
        moments.append((max(begin, free[0]), free[1]))
    if not kept or not moments or len(evidence.lost_lives) < AT_ONE_MOMENT * len(moments):
        return None
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


def never_known(evidence: Evidence) -> str | None:
    """Some starts are lost: of others of their kind, some were known that were started before or after."""
    ever, lost = ({id(seen.life) for seen in sightings} for sightings in (evidence.known, evidence.lost))
    seen = [life for life in evidence.lives if id(life) in ever or id(life) in lost]
    if ever & lost or not alternates(id(life) in ever for life in seen) or not lost_early(evidence):
        return None
    if not alike(evidence.lost_lives, [life for life in seen if id(life) in ever]):
        return None
    said = f"{len(evidence.lost_lives)} of {counted(len(seen), 'command')} were never known, and others in between were"
    return f"{said}: these starts were lost, or what they started is forgotten at once, though they got a pid"


def lost_early(evidence: Evidence) -> bool:
    """Whether a command was lost that had outlived no more than another whose end was told."""

    def outlived(seen: Sighting) -> tuple[float, ...]:
        probes, others = evidence.between("probe", seen), others_started(evidence, seen)
        return probes[1], others[1], evidence.seconds(seen)[0]

    least = min(map(outlived, evidence.lost), default=())
    ends = (outlived(seen) for seen in evidence.known if tells_the_end(seen))
    return any(all(a >= b for a, b in zip(end, least, strict=True)) for end in ends) if least else False


#: Why commands were lost, the most telling first.
LOSSES: tuple[Callable[[Evidence], str | None], ...] = (
    rounded,
    taken_by_a_first_try,
    known_late,
    found_once_ended,
    known_in_turns,
    of_a_kind,
    forgotten,
    known_once_ended,
    at_some_moments,
    never_known,
)


def waits_for_others(evidence: Evidence) -> str | None:
    """Commands wait for one another: none ended that was started while another ran."""
    lasting = next((life for life in evidence.lives if life.start.ask.command == SLEEP), None)
    if lasting is None or any(evidence.sent(life.start) < evidence.done(lasting.start) for life in evidence.unending):
        return None
    begun, over = evidence.done(lasting.start), evidence.sent(lasting.start) + seconds_of(lasting)
    ended = [evidence.done(life.end) for life in evidence.lives if life.end and evidence.sent(life.start) > begun]
    if any(end < over for end in ended):
        return None
    said = f"none that was started while {SLEEP} ran has ended before it"
    return f"{said}: a command, or the news of its end, waits for those before it"


def kept_by_a_cache(evidence: Evidence) -> str | None:
    """A response is repeated: what was said to run by its first poll, soon after its start, is for ever, or for long.

    Others had ended, as their first polls told meanwhile, which had been started later.
    """
    running = [life for life in evidence.lives if life.is_short and says_it_runs(life)]
    late = any(life.seconds_until(life.polls[0]) > SOON for life in evidence.overdue)
    if late or not evidence.overdue or not evidence.ended or any(map(told_in_time, running)):
        return None
    for_ever = not any(life.end for life in evidence.overdue)
    if not for_ever and not any(ended_meanwhile(life, evidence) for life in evidence.overdue):
        return None
    how_long = "" if for_ever else ", for a while"
    return f"each poll gets what the first of its command got{how_long}: a cache keeps that, it seems"


def told_in_time(life: Life) -> bool:
    """Whether the end of a command was told not long after it."""
    return life.end is not None and not is_late(life, life.end)


def ended_meanwhile(life: Life, evidence: Evidence) -> bool:
    """Whether another command had ended, as was told, that was started later than one which is said to run on."""
    last = max(evidence.sent(e) for e in life.polls if member(e, "exited") is False)
    later = [one for one in evidence.ended if evidence.sent(one.start) > evidence.done(life.start)]
    return any(one.end and not says_it_runs(one) and evidence.done(one.end) < last for one in later)


def says_it_runs(life: Life) -> bool:
    """Whether the first poll of a command says that it runs."""
    return bool(life.polls) and member(life.polls[0], "exited") is False


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


def never_run(evidence: Evidence) -> str | None:
    """Some starts are lost: of others of their kind, started later, a poll told that they ran, or the end."""
    stuck, number = evidence.unending, len(evidence.unending)
    after = [life for life in evidence.ended if evidence.sent(life.start) > evidence.sent(stuck[0].start)]
    if len(after) < number or not alike(stuck, after):
        return None
    said = f"{number} of {counted(len(evidence.lives), 'command')} are said to run for ever, and others in between end"
    return f"{said}: these starts were lost, or such ends are not noticed, though they got a pid"


def nothing_at_all(evidence: Evidence) -> str | None:
    """Some starts are lost, and their commands reported to have ended well, whatever they are."""
    empty = {id(life) for life in evidence.empty}
    others = [life for life in evidence.ended if id(life) not in empty and (printed(life) or errors_of(life))]
    codes = any(life.command and life.command.exit_code for life in evidence.empty)
    if len(others) < len(empty) or not codes or not alike(evidence.empty, others):
        return None
    said = f"{len(empty)} of {counted(len(evidence.lives), 'command')} are said to have ended with exitCode 0"
    return f"{said} and without output, whatever they do, and others are whole: their starts were lost, it seems"


def alike(some: Sequence[Life], others: Sequence[Life]) -> bool:
    """Whether there are commands that do the same among some and among others."""
    return not set(map(kind_of, some)).isdisjoint(map(kind_of, others))


def kind_of(life: Life) -> str:
    """Return the name of a command, or that of its program."""
    return life.name or command_text(life).partition(" ")[0]


def nothing_ends(evidence: Evidence) -> str | None:
    """No command at all is said to have ended."""
    if evidence.ended:
        return None
    return "no poll of any command has exited true: no end is noticed, or a cache keeps what the first poll got"


def unending_kind(evidence: Evidence) -> str | None:
    """What all do is said to run on, and nothing else."""
    return so_is(evidence.unending, evidence.ended, "said to run on: no end of it is noticed")


def kept_or_never_run(evidence: Evidence) -> str | None:
    """A cache keeps what polls got first, or starts are lost; nothing else decides between the two."""
    return ", or ".join(filter(None, (kept_by_a_cache(evidence), never_run(evidence)))) or None


def noticed_by_starts(evidence: Evidence) -> str | None:
    """An end is noticed once another command is started: none was told before, and all that had one after them end.

    One at least must have been said to run for too long until then.
    """

    def starts_after(life: Life, e: Exchange, seconds: float) -> Bounds:
        return evidence.between("start", Sighting(life, e, known=True), seconds)

    told = [starts_after(life, life.end, 0.0)[1] - 1 for life in evidence.ended if life.end]
    stuck = [starts_after(life, life.polls[-1], seconds_of(life) + ENDED)[0] for life in evidence.unending]
    late = [
        starts_after(life, e, 0.0)[1] == 1
        for life in evidence.ended
        for e in life.polls
        if member(e, "exited") is False and life.seconds_until(e) > seconds_of(life) + ENDED
    ]
    if not told or min(told) < 1 or any(stuck) or not late or not all(late):
        return None
    said = f"each of {len(told)} that ended did after another start, and none of these had one after it"
    return f"{said}: an end is noticed when the next command is started, it seems"


def fills_a_pipe(life: Life) -> bool:
    """Whether a command writes more to standard error than fits into a pipe."""
    return len(errors_of(life)) >= PIPE


def unread(evidence: Evidence) -> str | None:
    """What fills a pipe waits for ever, since nobody reads it: standard error, where as much output came whole.

    One that only does that must wait as well: what prints much may take long.
    """
    whole = [life for life in evidence.ended if life.end and plain(stdout(life)) == plain(printed(life))]
    much = any(len(printed(life).encode()) >= PIPE for life in whole)
    fills = all(map(fills_a_pipe, evidence.unending))
    alone = any(life.name == "flood" for life in evidence.unending)
    if not alone or not fills or not much or any(map(fills_a_pipe, evidence.ended)):
        return None
    said = (
        "so does another that writes as much to standard error, more than a pipe holds, and as much output came whole"
    )
    return f"{said}: nobody reads standard error while a command runs, it seems"


#: Why commands are said to run on.
UNENDING = (nothing_ends, noticed_by_starts, waits_for_others, lost_together, unending_kind, kept_or_never_run)


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
        return first_of(LOSSES, self.evidence) if len(self.evidence.lost_lives) >= ENOUGH else None

    @cached_property
    def unending(self) -> str | None:
        """Why commands are said to run on, if that is known."""
        several = len(self.evidence.unending) >= ENOUGH
        return unread(self.evidence) or (first_of(UNENDING, self.evidence) if several else None)

    @cached_property
    def empty(self) -> str | None:
        """Why commands are said to have ended with nothing, if that is known."""
        return nothing_at_all(self.evidence) if len(self.evidence.empty) >= ENOUGH else None

    def not_known(self, e: Exchange) -> str | None:
        """Return that no hypothesis fits, if it is one of several lost commands that a finding is about."""
        several = self.lost is None and len(self.evidence.lost_lives) >= ENOUGH and self.evidence.known
        if not several or all(e is not seen.e for seen in self.evidence.lost):
            return None
        return "neither time nor what was sent in between tells the lost commands from the others"

    def of(self, e: Exchange) -> str | None:
        """Return why the command was lost that a finding is about, if the evidence tells that."""
        if is_poll(e) and e.ask.credential == "full" and e.ask.pid.known and e.status != 200:
            if refused(e) and is_page(e):
                return "it is a page in HTML: something in front of the server refuses it, such as a firewall, it seems"
            of_kind = so_is(self.evidence.failing, self.evidence.ended, "answered so") if failed(e) else None
            return None if e.status in {401, 403} else of_kind or self.lost
        if is_of(e, self.evidence.overdue, self.evidence):
            return self.unending or kept_by_a_cache(self.evidence)
        if is_of(e, self.evidence.empty, self.evidence):
            return self.empty
        return (rounded(self.evidence) or of_another_process(self.evidence)) if new_pid(e) is not None else None


def is_of(e: Exchange, some: Sequence[Life], evidence: Evidence) -> bool:
    """Whether an exchange started or polled one of some commands, or another with the same text, or tells of them."""
    life = evidence.life_of.get(e.number)
    if life is None:
        return False
    told = TRACED if life.name == "trace" else set[str]()
    return any(one.start.ask.command == life.start.ask.command or one.name in told for one in some)
