"""What the exchanges of a run show together and one finding does not, to be said with the message of a requirement.

It judges nothing: a requirement is broken or not, whatever is noted with it.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from functools import partial
from itertools import pairwise
from math import inf
from typing import TypeAlias

from hostup_conformance.contract.ask import LARGEST_LINUX_PID, WITHOUT_KEY, Ask, Exchange, Pid
from hostup_conformance.contract.causes.behind import Broken, behind, in_turns, mixed_up
from hostup_conformance.contract.causes.contrasts import (
    BY_REQUEST,
    FEW_CHARACTERS,
    IN_TIME,
    UNDECIDED,
    VALID,
    Course,
    Split,
    Teller,
    by_turns,
    right_characters,
    told,
)
from hostup_conformance.contract.causes.evidence import both_ways
from hostup_conformance.contract.causes.failings import FAILINGS, failures
from hostup_conformance.contract.causes.lost_commands import Reasons
from hostup_conformance.contract.causes.mishaps import VARYING, went_wrong
from hostup_conformance.contract.causes.traits import FEWEST, WHAT, of_one_kind
from hostup_conformance.contract.causes.widespread import CAUSES, Cause
from hostup_conformance.contract.commands import recognized
from hostup_conformance.contract.content import (
    OUTPUT,
    PAGE,
    STARTED,
    STATE,
    below,
    failed,
    is_document,
    is_page,
    member,
    output_members,
    present,
    refused,
)
from hostup_conformance.contract.lives import shows_traces, stream
from hostup_conformance.contract.selectors import is_availability, is_output, is_plain, ours, starts
from hostup_conformance.contract.target import KEYS
from hostup_conformance.http.exchange import ALONE
from hostup_conformance.judging.verdict import Alike, Result, Verdict
from hostup_conformance.keeping.safe_text import counted, listed, short_json, shown

#: So many commands that ended otherwise, and so many that did not, show that it has to do with when they were started.
FEW_STARTS = 4
#: What a poll tells of a command that has ended, and what of it is often told before anything is known.
TOLD, NOTHING = ("exitCode", "stdout", "stderr"), (None, "", 0)
#: The areas whose requirements say who must be refused.
LET_IN = {"AUTH", "SCOPE", "ID"}
#: What finds all that it judges to be wrong, so that one finding is the only one.
FIND_ALL = {"HTTP-01", "HTTP-08"}
#: So many problem documents show that the errors of a server itself are such.
ENOUGH_ERRORS = 5
#: Which part of what was found is most of it.
MOSTLY = 0.5
#: The harm that is done where somebody gets what is another's.
GETS_IN = {"key", "access"}
#: How that ends which is concluded from what came.
SEEMS = "it seems"
#: The areas whose requirements are about commands.
OF_COMMANDS = {"POLL", "START"}

#: What may be said with a finding, by what the whole run shows; None if nothing.
Note: TypeAlias = Callable[[Result[Ask], Broken], str | None]


def with_notes(
    verdict: Verdict[Ask], exchanges: Sequence[Exchange], key: str, read_key: str | None = None
) -> Verdict[Ask]:
    """Return a verdict whose broken requirements say what their first exchange has in common with others."""
    results = {id: r for id, r in verdict.results.items() if r.status in {"fail", "warn"} and r.findings}
    if not results:
        return verdict
    reasons = Reasons(exchanges)
    broken = Broken(results, Course(exchanges, key, lambda: reasons.evidence.life_of, read_key), reasons)
    broken = replace(broken, causes=causes_of(broken))
    notes = {id: note_on(result, broken) for id, result in results.items()}
    noted = {id: replace(results[id], message=f"{results[id].message}; {note}") for id, note in notes.items() if note}
    alike = tuple(
        Alike(cause.first if cause.first in results else None, behind)
        for cause in broken.causes
        if (behind := explained(cause, results))
    )
    return replace(verdict, results=verdict.results | noted, of_one_cause=alike)


def causes_of(broken: Broken) -> list[Cause]:
    """Return what explains several exchanges at once, the surest first."""
    course = broken.course
    found = [cause for find in CAUSES if (cause := find(broken.exchanges))]
    found += [cause for find in FAILINGS if (cause := find(course))]
    if mixed := mixed_up(broken):
        found = [mixed, *(cause for cause in found if cause.first != "AUTH-08" or not cause.numbers <= mixed.numbers)]
    return [*in_turns(broken), *found, *behind(broken), *failures(course)]


def explained(cause: Cause, broken: Mapping[str, Result[Ask]]) -> tuple[str, ...]:
    """Return the broken requirements of which all that was found has a cause, or most of it where that is enough.

    Who gets in is told by itself where a cause says no more than which requirement tells of the same exchanges.
    """
    shares = {id: share_of(r, cause.numbers) for id, r in broken.items()}
    itself = {id for id, r in broken.items() if r.requirement.harm in GETS_IN and not cause.words}
    itself = itself if cause.first not in {None, *itself} else set()
    return tuple(id for id, share in shares.items() if share >= (MOSTLY if cause.mostly else 1) and id not in itself)


def share_of(result: Result[Ask], numbers: AbstractSet[int]) -> float:
    """Return which part of what was found is among some exchanges."""
    return sum(one.exchange.number in numbers for one in result.findings) / len(result.findings)


def note_on(result: Result[Ask], broken: Broken) -> str | None:
    """Return what the first finding has in common with others, by the first note that says something."""
    return next((words for note in NOTES if (words := note(result, broken))), None)


def first_of(result: Result[Ask]) -> Exchange:
    """Return what was found first."""
    return result.findings[0].exchange


def causes_beside(result: Result[Ask], broken: Broken) -> list[Cause]:
    """Return the causes that say more than the message of a requirement does."""
    return [cause for cause in broken.causes if cause.first != result.requirement.id or cause.says_more]


def caused(result: Result[Ask], broken: Broken, *, weak: bool) -> str | None:
    """Return the words of the first strong cause of what was found first, or of the first weak one."""
    own = (cause for cause in causes_beside(result, broken) if first_of(result).number in cause.numbers)
    return next((cause.words for cause in own if cause.words and cause.weak is weak), None)


def strongly_caused(result: Result[Ask], broken: Broken) -> str | None:
    """Return the cause of what was found first, and which command ran nevertheless, if one did."""
    words = caused(result, broken, weak=False)
    ran = words and ran_nevertheless(first_of(result), broken)
    return f"{words}; {ran}" if ran else words


def of_most(result: Result[Ask], broken: Broken) -> str | None:
    """Return the cause of most of what was found, though not of what was found first."""
    causes = causes_beside(result, broken)
    found = ((share_of(result, cause.numbers), cause.words) for cause in causes if cause.words)
    share, words = max(found, key=lambda one: one[0], default=(0.0, None))
    return f"most of them: {words}" if share > MOSTLY and len(result.findings) > FEWEST else None


def of_errors(result: Result[Ask], _broken: Broken) -> str | None:
    """Return that errors alone are found, or what is served alone, of what is judged whatever its status code."""
    served = below(first_of(result), 300)
    others = [e for e in result.judged if e.response and below(e, 300) is not served]
    alike = all(below(one.exchange, 300) is served for one in result.findings)
    outputs = result.requirement.id == "SAFETY-03"  # which is served anyhow
    if result.requirement.area != "SAFETY" or outputs or not alike or len(others) < FEWEST:
        return None
    return f"only {'what is served' if served else 'errors'}, and none of {len(others)} other responses"


def nothing_came(result: Result[Ask]) -> bool:
    """Whether polls got no command output, or none that can be read, which nothing that was printed explains."""
    empty = result.requirement.id == "START-05" and 'got {"stdout": ""}' in result.message
    return empty or result.requirement.id in {"POLL-01", "POLL-04"}


def nothing_by_turns(result: Result[Ask], broken: Broken) -> str | None:
    """Return that polls get no output and get it back and forth."""
    return apart([by_turns])(result, broken) if nothing_came(result) else None


def not_known(result: Result[Ask], broken: Broken) -> str | None:
    """Return that nothing tells the commands that were lost from the others."""
    return broken.reasons.not_known(first_of(result))


def told_as_it_runs(result: Result[Ask], broken: Broken) -> str | None:
    """Return that polls without exited came before the ends of their commands, and that none got exited false."""
    found = [one.exchange for one in result.findings]
    if result.requirement.area != "POLL" or len(found) < FEWEST:
        return None

    def came_before_its_end(e: Exchange) -> bool:
        life = broken.evidence.life_of.get(e.number)
        before = life is not None and (life.end is None or e.number < life.end.number)
        return e.status == 200 and (before or e.ask.pid == Pid.RUNNING)

    said = [member(e, "exited") for e in broken.exchanges]
    if True not in said or False in said or not all(map(came_before_its_end, found)):
        return None
    return "no poll got exited false, and these came before the ends: so the server tells of a command that runs"


def what_befell(result: Result[Ask], broken: Broken) -> str | None:
    """Return what befell the command, or the VPS, that the first finding is about."""
    first, requirement = first_of(result), result.requirement
    if requirement.id == "POLL-09" and (words := lags_behind(result, broken)):
        return words
    if requirement.area == "PID" and (words := of_any_process(first, broken)):
        return words
    if requirement.area in OF_COMMANDS or requirement.harm == "output":
        return broken.reasons.of(first) or ran_nevertheless(first, broken)
    return given_to_any_probe(first, broken)


def lags_behind(result: Result[Ask], broken: Broken) -> str | None:
    """Return that the end of a command is told again after it was not: some copies of the data are behind others."""
    odd = {one.exchange.ask.number: one.exchange.number for one in result.findings}
    again = next(
        (e for e in broken.exchanges if e.number > odd.get(e.ask.number, inf) and member(e, "exited") is True), None
    )
    if again is None:
        return None
    told = f"after request {odd[again.ask.number]} got false, request {again.number} got exited true again"
    return f"{told}: one of several copies of the data lags behind, it seems"


def of_any_process(first: Exchange, broken: Broken) -> str | None:
    """Return that what polls get is of any process, if 1 is said to run, and no pid that no process can have."""
    unknown = [e for e in broken.exchanges if e.request.method == "GET" and e.ask.pid == Pid.UNKNOWN and e.response]
    mine = [e for e in unknown if ours(e) and not e.ask.devious]
    beyond = [e for e in mine if e.ask.number and e.ask.number > LARGEST_LINUX_PID]
    runs = any(e.ask.number == 1 and member(e, "exited") is False for e in mine)
    if not is_output(first) or not runs or not beyond or not all(map(refused, beyond)):
        return None
    words = "pid 1 is said to run, which no start gave, and no pid is that no process can have"
    return f"{words}: any process of the machine is taken for a command, it seems"


def error_within(e: Exchange) -> str:
    """Return what shows that the body of a response is an error, whatever its status code; empty if nothing does."""
    inner = member(e, "status")
    if is_document(e) and isinstance(inner, int) and 400 <= inner < 600:
        return f"the status {inner}"
    served = not isinstance(e.body, dict) or present(e, (*STATE, *STARTED, *PAGE))
    named = next((name for name in ("error", "errors") if member(e, name)), None)
    return f"the member {named}" if named and not served else ""


def refused_with_200(odd: Sequence[Exchange]) -> str | None:
    """Return what shows that requests were refused, though with a 200; None if nothing does."""
    if within := [shows for e in odd if below(e, 300) and (shows := error_within(e))]:
        some = f"{len(within)} of {len(odd)} are errors, as {within[0]} in their bodies says"
        return f"{some}: something changes the status code, it seems"
    if len(odd) < FEWEST:
        return None
    if all(e.ask.pid.is_integer and not present(e, OUTPUT) for e in odd):
        return f"none of {len(odd)} such requests got command output: they are refused with 200, it seems"
    available = [member(e, "available") for e in odd if e.request.method != "HEAD"]
    if available and all(one is False for one in available):
        return f"each of {len(odd)} such requests was told that available is false: they are refused so, it seems"
    return None


def with_keys(odd: Sequence[Exchange], course: Course) -> str:
    """Return why else, than that nothing checks this, none of some requests is refused for its key."""
    whole = f", {KEYS['read_key']} has write:vm after all" if all(e.ask.credential == "read" for e in odd) else ""
    kept = ", something in front adds a key, or the server keeps what it decided for another request"
    return f"{whole}{kept}{', or only how keys begin is compared' if begin_alike(odd, course.key) else ''}"


def is_let_in(result: Result[Ask]) -> bool:
    """Whether what was found first was served, and should have been refused."""
    return result.requirement.area in LET_IN and below(first_of(result), 300)


def parted(result: Result[Ask], blamed: AbstractSet[int] = frozenset()) -> tuple[list[Exchange], list[Exchange]]:
    """Return the requests that were found, and those that were judged and spared, of which none is blamed."""
    odd = {one.exchange.number: one.exchange for one in result.findings}
    # What another requirement tells of was not spared.
    errors = {e.status for e in odd.values() if not below(e, 400)}
    right = (e for e in result.judged if e.number not in odd and e.number not in blamed)
    spared = (e for e in right if e.response and e.status not in errors)
    # That all polls are odd, and no start, parts nothing.
    kinds = {e.ask.starts for e in odd.values()}
    usual = [e for e in spared if e.ask.starts in kinds and not (is_let_in(result) and below(e, 300))]
    if not any(e.ask.credential in WITHOUT_KEY for e in odd.values()):  # without a key, nothing is to be had
        usual = [e for e in usual if not (e.ask.credential in WITHOUT_KEY and e.status == 401)]
    if nothing_came(result):  # what prints nothing has nothing to lose
        usual = [e for e in usual if stream(e, "stdout")]
    return [*odd.values()], usual


def apart(tellers: Iterable[Teller], *, unblamed: bool = False) -> Note:
    """Return the note of what tells the requests that were found from those that were spared.

    These may be left out if something else is wrong with them.
    """

    def note(result: Result[Ask], broken: Broken) -> str | None:
        let_in = is_let_in(result)
        odd, usual = parted(result, broken.blamed if unblamed else frozenset())
        # Some rules stop at what they find first.
        found_all = let_in or result.requirement.id in FIND_ALL or tellers is UNDECIDED
        if (len(odd) == 1 and not found_all) or (let_in and unblamed):
            return None
        words = told(Split(odd, usual, broken.course), tellers)
        by_connection = let_in and words is not None and "on a connection" in words
        return f"{words}: the key of another request may count there" if by_connection else words

    return note


def apart_from_all(result: Result[Ask], broken: Broken) -> str | None:
    """Return what tells what no request at all may get from all that was sent."""
    whole = replace(result, judged=broken.exchanges)
    return apart(BY_REQUEST)(whole, broken) if result.requirement.id == "HTTP-08" else None


def why_let_in(result: Result[Ask], broken: Broken) -> str | None:
    """Return why requests may have been served that should have been refused, if all were, or all but a few."""
    odd, usual = parted(result)
    if not is_let_in(result):
        return None
    if words := refused_with_200(odd):
        return words
    if len(odd) < FEWEST or len(usual) >= FEWEST:
        return None
    if usual:
        return of_few(broken.course, odd, usual)
    by_keys = "" if result.requirement.area == "ID" else with_keys(odd, broken.course)
    return f"none of {len(odd)} such requests was refused: nothing checks this{by_keys}"


def which_were_let_in(result: Result[Ask], _broken: Broken) -> str | None:
    """Return which requests were served that should have been refused, as others of the kind were."""
    odd, usual = parted(result)
    if not is_let_in(result) or not usual or len(usual) < FEWEST <= len(odd) or "it seems" in result.message:
        return None
    some = f"{len(odd)} of {len(odd) + len(usual)} such requests"
    targets, others = (list(dict.fromkeys(e.request.target for e in of)) for of in (odd, usual))
    if set(targets).isdisjoint(others):
        which = listed([shown(target, 80) for target in targets], FEWEST)
        return f"{some}: {'that' if len(targets) == 1 else 'those'} of {which}"
    sent = ([e for e in of if e.source != ALONE] for of in (odd, usual))  # not those that came again
    purposes, others = (list(dict.fromkeys(e.purpose for e in of)) for of in sent)
    if all(purposes) and set(purposes).isdisjoint(others):
        return f"{some}: {listed([shown(purpose, 80) for purpose in purposes], FEWEST)}"
    return f"{some}: it is not known what decides"


def begin_alike(some: Iterable[Exchange], key: str) -> bool:
    """Whether keys begin as the one with all scopes does, with half of its characters, or more."""
    return all(right_characters(e, key) >= max(len(key) / 2, FEW_CHARACTERS) for e in some)


def of_few(course: Course, odd: Sequence[Exchange], usual: Sequence[Exchange]) -> str | None:
    """Return what several requests ask for that were let in, if the few that were refused ask for something else."""
    common = WHAT.intersection(*map(course.carried, odd)).difference(*map(course.carried, usual))
    requests = f"{counted(len(usual), 'other')} {'was' if len(usual) == 1 else 'were'}"
    words = f"so got the {len(odd)} requests {min(common, key=len)}, and {requests} refused" if common else None
    last, first = max(e.number for e in usual), min(e.number for e in odd)
    return f"{words} before; or it is so since request {first}" if words and last < first else words


def of_availability(result: Result[Ask], broken: Broken) -> str | None:
    """Return what tells the requests like one that got another availability from those that got the same."""
    first, course = first_of(result), broken.course
    if result.requirement.area != "PROBE" or not is_availability(first):
        return None
    if words := once_started(first, broken):
        return words
    by_known_keys = (e for e in course.ordered if e.ask.credential in VALID)
    alike = [e for e in by_known_keys if is_availability(e) and e.ask.id == first.ask.id]
    available = member(first, "available")
    odd, usual = ([e for e in alike if (member(e, "available") == available) is so] for so in (True, False))
    if available is False and first.ask.vps == "own" and not usual:
        return "if that is true, name a VPS in HOSTUP_VPS_ID whose agent is available"
    return told(Split(odd, usual, course), (*IN_TIME, *UNDECIDED))


def served_heads(exchanges: Sequence[Exchange]) -> dict[str, Exchange]:
    """Return the first HEAD of each URL that got 200."""
    return {e.request.target: e for e in reversed(exchanges) if e.request.method == "HEAD" and e.status == 200}


def kept_from_head(result: Result[Ask], broken: Broken) -> str | None:
    """Return that a GET came without its content because a HEAD had been sent before, if all such GETs came so."""
    heads = served_heads(broken.exchanges)
    first = first_of(result)
    broke = [e for e in broken.exchanges if e.request.method == "GET" and e.response is None and not e.lost]
    before = [heads[e.request.target].number < e.number if e.request.target in heads else False for e in broke]
    if first not in broke or not all(before):
        return None
    head = heads[first.request.target]
    return f"request {head.number}, a HEAD of it, got its header section: a cache keeps that for GET as well, it seems"


def used_up_by_head(result: Result[Ask], broken: Broken) -> str | None:
    """Return that a HEAD of each poll without the output had got 200 before, if those before all others got it not."""
    heads = served_heads(broken.exchanges)
    found = [one.exchange for one in result.findings if one.exchange.ask.pid.known]
    lost = [e for e in found if not (below(e, 300) and stream(e, "stdout"))]
    before = [head for e in lost if (head := heads.get(e.request.target)) and head.number < e.number]
    if result.requirement.harm != "output" or not before or len(before) < len(result.findings):
        return None
    if any(stream(e, "stderr") for e in lost):
        return None  # which would have been taken away as well
    return f"request {before[0].number}, a HEAD of it, had got 200 before: it took the output away, it seems"


def told_later(result: Result[Ask], broken: Broken) -> str | None:
    """Return what a later poll of a command said that the one that reported its end did not, of any that is blamed."""
    lost = result.findings if result.requirement.harm == "output" and result.requirement.area == "START" else []
    blamed = [one.exchange for one in lost if member(one.exchange, "exited") is True]
    firsts = {e.request.target: e for e in reversed(blamed)}
    ends = [e for e in broken.exchanges if e.ask.credential == "full" and is_plain(e) and member(e, "exited") is True]
    for e in ends:
        first = firsts.get(e.request.target)
        if first is None or e.number <= first.number:
            continue
        if more := {n: member(e, n) for n in TOLD if is_less(member(first, n), member(e, n))}:
            in_turns = both_ways((one.request.target, stream(one, "stdout") != "") for one in ends)
            early = "an end is told before the output is there"
            why = f": {'only some of several servers have it' if in_turns else early}, it seems"
            return f"a later poll, as request {e.number} after {first.number}, got {short_json(more, 80)}{why}"
    return None


def known_of_another(result: Result[Ask], _broken: Broken) -> str | None:
    """Return why other output was lost, where that is known and nothing is of what was found first."""
    first, *others = (one.got for one in result.findings)
    known = next((got.rpartition(": ")[2] for got in others if got.endswith(SEEMS)), None)
    return known if result.requirement.harm == "output" and not first.endswith(SEEMS) else None


def is_less(first: object, later: object) -> bool:
    """Whether what was told at first is nothing, or only the beginning of what was told later."""
    if isinstance(first, str) and isinstance(later, str):
        return len(first) < len(later) and later.startswith(first)
    return first in NOTHING and later not in NOTHING


def ran_nevertheless(first: Exchange, broken: Broken) -> str | None:
    """Return which command ran whose start got a 5xx, by the files that it wrote."""
    if not (starts(first) and failed(first)):
        return None
    said = " ".join(stream(life.end, "stdout") for life in broken.evidence.ended if life.end and shows_traces(life))
    ran = set(re.findall(r"\b(refused_\d+)\b|\b(\w+) [1-9]\d*\b", said))
    names = {name for pair in ran for name in pair if name}
    for e in broken.exchanges:
        known = recognized(e.ask.command or "") if starts(e) and failed(e) else None
        if known and known.name in names:
            return f"the command of request {e.number}, which got {e.status} as well, ran nevertheless"
    return None


def page_in_front(result: Result[Ask], broken: Broken) -> str | None:
    """Return that something in front refuses with a page in HTML, if the server's own errors are JSON."""
    first, errors = first_of(result), [e for e in broken.exchanges if e.response and not below(e, 400)]
    own = sum(is_document(e) for e in errors)
    if below(first, 400) or not is_page(first) or own < ENOUGH_ERRORS or sum(map(is_page, errors)) > own:
        return None
    crash = "an exception that nobody catches, or something in front"
    gives = crash if first.status == 500 else "a framework, or something in front"
    return f"it is a page in HTML, which probably comes from {gives}"


def of_one_command(result: Result[Ask], broken: Broken) -> str | None:
    """Return of which command all polls are that were found, with what it alone does, if several others have ended."""
    life_of = broken.evidence.life_of
    found = [life_of.get(one.exchange.number) for one in result.findings]
    life, ended = found[0], [one for one in broken.evidence.ended if one is not found[0]]
    others = any(one not in (life, None) for one in found)
    limited = result.requirement.area == "START" or first_of(result).status == 429
    if limited or life is None or not life.name or others or len(ended) < FEWEST:
        return None
    what = of_one_kind([life], ended)
    return f"it is a poll of the command named {life.name}{f', the only {what}' if what else ''}"


def by_their_starts(result: Result[Ask], broken: Broken) -> str | None:
    """Return when the commands were started whose ends were found, if those that ended as they should were not then."""
    evidence = broken.evidence
    found = [evidence.life_of.get(one.exchange.number) for one in result.findings]
    every = [life for life in evidence.lives_in_time if life.end]
    odd = [life for life in every if life in found]
    usual = [life for life in every if life not in odd and life.name not in VARYING and not went_wrong(life)]
    if result.requirement.area not in OF_COMMANDS or None in found or min(len(odd), len(usual)) < FEW_STARTS:
        return None
    numbers = {id(life): number for number, life in enumerate(evidence.lives_in_time, 1)}
    at, others = ([numbers[id(life)] for life in some] for some in (odd, usual))
    if max(others) < at[0]:
        ran_out = f"and none of {len(usual)} before: something has run out, it seems"
        return f"so ended all {len(odd)} commands from start number {at[0]} on, {ran_out}"
    gaps = {b - a for a, b in pairwise(at)}
    if len(gaps) == 1 and gaps != {1}:
        return f"so ended one of each {gaps.pop()} commands that were started: they are counted, it seems"
    longest, shortest = (
        how(evidence.since_last_start(life) for life in some) for how, some in ((max, odd), (min, usual))
    )
    if longest < shortest:
        alone = f"none of {len(usual)} others: starts at once disturb each other, it seems"
        return f"so ended only what was started within {longest:.2g} s after another, {alone}"
    return None


def once_started(first: Exchange, broken: Broken) -> str | None:
    """Return that probes got another availability once a command had been started, if all did, and none before."""
    alike = [e for e in broken.exchanges if is_availability(e) and e.ask.vps == "own" and e.ask.credential in VALID]
    differ = [member(e, "available") != member(first, "available") for e in alike]
    before = sum(differ)
    changed = min(e.number for e in alike[before:]) if 0 < before < len(alike) else 0
    started = [e.number for e in broken.exchanges if starts(e) and e.number < changed]
    if not started or not all(differ[:before]) or alike[before - 1].number > started[0]:
        return None
    others = f"{before} before the first command was started, and none of {len(alike) - before} later, got another"
    return f"{others}: what was started has changed it, it seems"


def given_to_any_probe(first: Exchange, broken: Broken) -> str | None:
    """Return that probes get command output, if a request got some that should not have."""
    if not output_members(first.body) or is_availability(first):
        return "a plain probe gets it" if output_members(first.body) else None
    probe = next((e for e in broken.exchanges if is_availability(e) and output_members(e.body)), None)
    return f"a plain probe gets command output as well, as request {probe.number} (PROBE-04)" if probe else None


def comes_and_goes(result: Result[Ask]) -> bool:
    """Whether a valid key is refused with 401 now and then, whatever it is used for."""
    plain = [e for e in result.judged if e.ask.pid.well_formed and not e.ask.devious]
    refused = {e.kind for e in plain if e.status == 401 and e.ask.credential in VALID}
    return any(e.kind in refused for e in plain if below(e, 400))


#: What may be said with a finding, the most telling first.
NOTES: tuple[Note, ...] = (
    strongly_caused,
    used_up_by_head,
    told_later,
    known_of_another,
    kept_from_head,
    of_availability,
    told_as_it_runs,
    what_befell,
    partial(caused, weak=True),
    why_let_in,
    apart(BY_REQUEST),
    apart_from_all,
    page_in_front,
    apart(IN_TIME),
    by_their_starts,
    of_one_command,
    of_errors,
    of_most,
    apart(BY_REQUEST, unblamed=True),
    apart(UNDECIDED),
    which_were_let_in,
    nothing_by_turns,
    not_known,
)
