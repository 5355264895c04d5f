"""What the exchanges of a run show together and one finding does not, to be said with the message of a requirement.

It judges nothing: a requirement is broken or not, whatever is noted with it.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from itertools import pairwise, product
from math import inf

from hostup_conformance.contract.ask import LARGEST_LINUX_PID, WITHOUT_KEY, Ask, Exchange, Pid, new_pid
from hostup_conformance.contract.causes.contrasts import (
    BY_REQUEST,
    CROWDED,
    FEW_CHARACTERS,
    IN_TIME,
    IN_TURN,
    TIMED,
    UNDECIDED,
    VALID,
    Course,
    Split,
    Teller,
    asked,
    by_turns,
    carries,
    is_denied,
    right_characters,
    told,
)
from hostup_conformance.contract.causes.evidence import Evidence, both_ways
from hostup_conformance.contract.causes.lost_commands import ONCE_PRINTED, Reasons, known_in_turns
from hostup_conformance.contract.causes.mishaps import ALTERED, VARYING, plain, printed, stdout, went_wrong
from hostup_conformance.contract.causes.output import FEW_TEXTS, looks, owner_of, owners, texts_of
from hostup_conformance.contract.causes.traits import FEWEST, WHAT, of_one_kind
from hostup_conformance.contract.causes.widespread import CAUSES, Cause, seconds_between
from hostup_conformance.contract.commands import recognized
from hostup_conformance.contract.content import (
    OUTPUT,
    PAGE,
    STARTED,
    STATE,
    below,
    failed,
    is_availability_alone,
    is_document,
    is_page,
    member,
    named_members,
    output_members,
    present,
    refused,
)
from hostup_conformance.contract.lives import Life, command_text, overlap, shows_traces, stream
from hostup_conformance.contract.responder import BURST
from hostup_conformance.contract.selectors import is_availability, is_output, is_plain, new_poll, starts
from hostup_conformance.contract.target import KEYS
from hostup_conformance.http.exchange import ALONE
from hostup_conformance.http.messages import Request
from hostup_conformance.judging.verdict import Alike, Result, Verdict
from hostup_conformance.keeping.safe_text import counted, listed, short_json, shown

#: So many kinds of requests that get the same 5xx now and then show that it has nothing to do with what is asked for.
KINDS = 3
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
#: By so many commands it is known whose output they get, and which part of them shows it.
MOST_OWNERS, ALMOST_ALL = 50, 0.85
#: Which part of what was found is most of it.
MOSTLY = 0.5
#: So many requests that got what others were to get explain what else is wrong with those that had others beside them.
FEW_MIXED = 2
#: A request that is sent so often alone shows whether two or three servers take turns.
ROW = 6
#: So many commands are named at one of whose polls a server went down.
POLLED = 6
#: What stands above whatever else is wrong with the same responses.
ABOVE = ("HTTP-09", "POLL-04")
#: The harm that is done where somebody gets what is another's.
GETS_IN = {"key", "access"}
#: How that ends which is concluded from what came.
SEEMS = "it seems"
#: How a finding says that output is that of another command.
OF_ANOTHER = "that the command of request "
#: The areas whose requirements are about commands.
OF_COMMANDS = {"POLL", "START"}


def with_notes(
    verdict: Verdict[Ask], exchanges: Sequence[Exchange], key: str, read_key: str | None = None
) -> Verdict[Ask]:
    """Return a verdict whose broken requirements say what their first exchange has in common with others."""
    broken = {id: r for id, r in verdict.results.items() if r.status in {"fail", "warn"} and r.findings}
    reasons = Reasons(exchanges)
    course = Course(exchanges, key, lambda: reasons.evidence.life_of, read_key)
    found = [cause for find in CAUSES if broken and (cause := find(exchanges))]
    found += [
        cause for find in (refused_keys, let_in_keys, goes_down, not_served) if broken and (cause := find(course))
    ]
    if mixed := mixed_up(course, broken):
        found = [mixed, *(cause for cause in found if cause.first != "AUTH-08" or not cause.numbers <= mixed.numbers)]
    found = [*in_turns(course, broken), *found, *of_commands(broken, reasons), *of_what_is_told(broken, exchanges)]
    causes = [*found, *failures(course)]
    blamed = {one.exchange.number for r in broken.values() for one in r.findings}
    notes = {id: note_on(r, exchanges, causes, course, reasons, blamed) for id, r in broken.items()}
    noted = {id: replace(broken[id], message=f"{broken[id].message}; {note}") for id, note in notes.items() if note}
    alike = tuple(
        Alike(cause.first if cause.first in broken else None, behind)
        for cause in causes
        if (behind := explained(cause, broken))
    )
    return replace(verdict, results=verdict.results | noted, of_one_cause=alike)


def in_turns(course: Course, broken: Mapping[str, Result[Ask]]) -> Iterator[Cause]:
    """Yield what was found of requests that got this and that by turns when they were sent several times in a row."""
    rows = defaultdict[Request, list[Exchange]](list)
    for e in course.ordered:
        if e.source == ALONE and e.response:
            rows[e.request].append(e)
    for row in rows.values():
        got = [(e.status, member(e, "available"), *sorted(e.body if isinstance(e.body, dict) else ())) for e in row]
        turns = any(all(a == b for a, b in zip(got, got[step:ROW], strict=False)) for step in IN_TURN[:2])
        if len(row) < ROW or not turns or len(set(got[:ROW])) < 2:
            continue
        statuses, told = [str(e.status) for e in row], [short_json(member(e, "available"), 20) for e in row]
        ways = (statuses, told, [named_members(e.body) for e in row])
        each = next((way for way in ways if len(set(way)) > 1), statuses)
        what = "available " if each is told else ""
        words = f"the same request got {what}{', '.join(each)} in a row: servers or versions take turns, it seems"
        found = {id: result for id, result in broken.items() if is_about(result, row[0])}
        for id, result in found.items():
            first = next((one for one in found if one != "HTTP-21"), id)
            yield Cause({one.exchange.number for one in result.findings}, words, first, says_more=True)


def is_about(result: Result[Ask], e: Exchange) -> bool:
    """Whether a request is among those that were found, or one of its key was sent with others of which one was."""
    found = [one.exchange for one in result.findings]
    mixed = result.requirement.id == "HTTP-21" and all(one.ask.credential == e.ask.credential for one in found)
    return mixed or any(one.request == e.request for one in found)


def mixed_up(course: Course, broken: Mapping[str, Result[Ask]]) -> Cause | None:
    """Return all that was sent with others, if many of these requests got what others were to get.

    Where a valid key is refused when it is alone as well, that is no sign of it.
    """
    found = broken["HTTP-21"].findings if "HTTP-21" in broken else ()
    refused_alone = any(is_denied(e) and e.status == 401 and course.is_alone(e) for e in course.ordered)
    if refused_alone and all(one.exchange.status == 401 for one in found):
        return None
    # What came of commands is no other request's, unless it says so.
    own = {id for id, r in broken.items() if r.requirement.area == "START" and OF_ANOTHER not in r.message}
    theirs = {one.exchange.number for id in own for one in broken[id].findings}
    beside = {e.number for e in course.ordered if not course.is_alone(e)} - theirs
    return Cause(beside, first="HTTP-21") if len(found) >= FEW_MIXED else None


def of_commands(broken: Mapping[str, Result[Ask]], reasons: Reasons) -> Iterator[Cause]:
    """Yield what befell commands: whatever else is wrong with these stands with the requirement that tells of it."""
    lives, life_of = reasons.evidence.lives, reasons.evidence.life_of
    altered = [life_of.get(one.exchange.number) for one in broken["START-19"].findings] if "START-19" in broken else []
    if altered and ALTERED in broken["START-19"].message:
        ran_otherwise = {e.number for life in altered if life for e in (life.start, *life.polls)}
        yield Cause(ran_otherwise, first="START-19", mostly=True)
    if "HTTP-03" in broken and "got not UTF-8" in broken["HTTP-03"].message:
        beyond = (life for life in lives if not printed(life).isascii())
        yield Cause({e.number for life in beyond for e in life.polls}, first="HTTP-03")
    elif "START-07" in broken:
        beyond = (life for life in lives if not (printed(life) + command_text(life)).isascii())
        yield Cause({e.number for life in beyond for e in life.polls}, first="START-07")
    if "START-22" in broken and ONCE_PRINTED in broken["START-22"].message:
        yield Cause({e.number for life in lives for e in life.polls}, first="START-22")
    if "POLL-09" in broken:
        yield Cause({e.number for life in lives for e in life.polls if member(e, "exited") is False}, first="POLL-09")
    if "START-05" in broken and (cause := whose_output(reasons.evidence)):
        # Where the pid is not looked at, a pid of nobody or of another VPS gets the same.
        unseen = [r for r in broken.values() if r.requirement.area == "PID" and LAST in str(cause.words)]
        yield replace(cause, numbers=cause.numbers | {one.exchange.number for r in unseen for one in r.findings})
    if "START-27" in broken and known_in_turns(reasons.evidence):
        unknown = (e for life in lives for e in life.polls if refused(e))
        yield Cause({*(life.start.number for life in lives), *(e.number for e in unknown)}, first="START-27")


def of_what_is_told(broken: Mapping[str, Result[Ask]], exchanges: Sequence[Exchange]) -> Iterator[Cause]:
    """Yield what other requirements say less plainly of the same exchanges than one that is broken as well."""
    beside = broken["HTTP-21"].findings if "HTTP-21" in broken else ()
    others = [one.exchange for id in broken for one in broken[id].findings if id != "HTTP-21"]
    alone = {
        e.ask.credential for e in others if e.source != BURST and below(e, 300) and e.ask.credential in WITHOUT_KEY
    }
    let_in = [one.exchange for one in beside if one.exchange.ask.credential in alone and below(one.exchange, 300)]
    if first := next((id for id in ("AUTH-01", "AUTH-02") if id in broken), None):
        yield Cause({e.number for e in let_in}, first=first)
    if "PROBE-04" in broken:
        probes = (e for e in exchanges if output_members(e.body) and not e.ask.pid.is_integer)
        yield Cause({e.number for e in probes}, first="PROBE-04")
    if "HTTP-03" in broken:
        found = broken["HTTP-03"].findings
        yield Cause({one.exchange.number for one in found if one.got.startswith("something stands")}, first="HTTP-03")
    if "PID-03" in broken:
        # POLL-02 judges the availability.
        odd = [one.exchange for one in broken["PID-03"].findings if not is_availability_alone(one.exchange)]
        alike = {e.number for e in odd if sum(one.body == e.body for one in odd) >= FEWEST}  # which is no command's
        yield Cause(alike, f"{len(alike)} such pids get the same", "PID-03", says_more=True)
    if {"START-10", "HTTP-01"} <= broken.keys():
        again = [one.exchange.number for one in broken["START-10"].findings]
        before = [e for e in exchanges if e.number < again[0]]
        broke = next((e for e in before if e.lost == "dropped"), None)
        # Where each start gets the same pid, none is counted.
        if broke and len({new_pid(e) for e in before} - {None}) > 1:
            words = f"the server restarted, it seems, when request {broke.number} broke off, and counts its pids anew"
            yield Cause({*again}, words, "HTTP-01")
    if "START-31" in broken:
        large = {new_poll(one.exchange) for one in broken["START-31"].findings}
        polls = {e.number for e in exchanges if e.request.target in large}
        yield Cause(polls, "its pid is above 2^53, and was rounded by a reader of JSON, it seems (START-31)")
    yield from (Cause({one.exchange.number for one in broken[id].findings}, first=id) for id in ABOVE if id in broken)
    yield from of_whom_it_came_to(broken)
    if "AUTH-11" in broken:
        oddly = (e for e in exchanges if e.ask.credential == "read" and output_members(e.body) and not is_plain(e))
        yield Cause({e.number for e in oddly}, "so does one without a key (AUTH-11)", "AUTH-11")
    pages = {one.exchange.number for one in broken["VPS-11"].findings} if "VPS-11" in broken else set[int]()
    yield from (Cause(pages, first=id) for id in ("VPS-12", "VPS-18") if pages and id in broken)


def of_whom_it_came_to(broken: Mapping[str, Result[Ask]]) -> Iterator[Cause]:
    """Yield the output that came to nobody but those of whom a requirement says that they get nothing."""
    got = [one.exchange for one in broken["SAFETY-03"].findings] if "SAFETY-03" in broken else []
    keys = {e.ask.credential for e in got}
    for credential, id in {"none": "AUTH-01", "wrong": "AUTH-02", "read": "SCOPE-02"}.items():
        if keys == {credential} and id in broken:
            yield Cause({e.number for e in got}, first=id)


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


def note_on(
    result: Result[Ask],
    exchanges: Sequence[Exchange],
    causes: Sequence[Cause],
    course: Course,
    reasons: Reasons,
    blamed: AbstractSet[int],
) -> str | None:
    """Return what the first finding has in common with others; in those that are blamed, something else is wrong."""
    first = result.findings[0].exchange
    of_others = [cause for cause in causes if cause.first != result.requirement.id or cause.says_more]
    own = [cause for cause in of_others if first.number in cause.numbers]
    strong, weak = (next((c.words for c in own if c.words and c.weak is one), None) for one in (False, True))
    if strong and (ran := ran_nevertheless(first, exchanges, reasons)):
        return f"{strong}; {ran}"
    return strong or (
        used_up_by_head(result, exchanges)
        or told_later(result, exchanges)
        or known_of_another(result)
        or kept_from_head(first, exchanges)
        or (of_availability(first, exchanges, course) if result.requirement.area == "PROBE" else None)
        or told_as_it_runs(result, exchanges, reasons)
        or what_befell(result, exchanges, reasons)
        or weak
        or told_apart(result, course, BY_REQUEST)
        or told_apart(of_whole_run(result, course), course, BY_REQUEST)
        or page_in_front(first, exchanges)
        or told_apart(result, course, IN_TIME)
        or by_their_starts(result, reasons)
        or of_one_command(result, reasons)
        or of_errors(result)
        or of_most(result, of_others)
        or told_apart(result, course, BY_REQUEST, blamed)
        or told_apart(result, course, UNDECIDED)
        or (told_apart(result, course, [by_turns]) if nothing_came(result) else None)
        or reasons.not_known(first)
    )


def of_most(result: Result[Ask], causes: Sequence[Cause]) -> str | None:
    """Return the cause of most of what was found, though not of what was found first."""
    found = ((share_of(result, cause.numbers), cause.words) for cause in causes if cause.words)
    share, words = max(found, key=lambda one: one[0], default=(0.0, None))
    return f"most of them: {words}" if share > MOSTLY and len(result.findings) > FEWEST else None


def of_errors(result: Result[Ask]) -> str | None:
    """Return that errors alone are found, or what is served alone, of what is judged whatever its status code."""
    served = below(result.findings[0].exchange, 300)
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


def told_as_it_runs(result: Result[Ask], exchanges: Sequence[Exchange], reasons: Reasons) -> str | None:
    """Return that polls without exited came before the ends of their commands, and that none got exited false."""
    found = [one.exchange for one in result.findings]
    if result.requirement.area != "POLL" or len(found) < FEWEST:
        return None

    def came_before_its_end(e: Exchange) -> bool:
        life = reasons.evidence.life_of.get(e.number)
        before = life is not None and (life.end is None or e.number < life.end.number)
        return e.status == 200 and (before or e.ask.pid == Pid.RUNNING)

    said = [member(e, "exited") for e in exchanges]
    if True not in said or False in said or not all(map(came_before_its_end, found)):
        return None
    return "no poll got exited false, and these came before the ends: that is how a command is told that runs, it seems"


def what_befell(result: Result[Ask], exchanges: Sequence[Exchange], reasons: Reasons) -> str | None:
    """Return what befell the command, or the VPS, that the first finding is about."""
    first, requirement = result.findings[0].exchange, result.requirement
    if requirement.id == "POLL-09" and (words := lags_behind(result, exchanges)):
        return words
    if requirement.area == "PID" and (words := of_any_process(first, exchanges)):
        return words
    if requirement.area in OF_COMMANDS or requirement.harm == "output":
        return reasons.of(first) or ran_nevertheless(first, exchanges, reasons)
    return given_to_any_probe(first, exchanges)


def lags_behind(result: Result[Ask], exchanges: Sequence[Exchange]) -> str | None:
    """Return that the end of a command is told again after it was not: some copies of the data are behind others."""
    odd = {one.exchange.ask.number: one.exchange.number for one in result.findings}
    again = next((e for e in exchanges if e.number > odd.get(e.ask.number, inf) and member(e, "exited") is True), None)
    if again is None:
        return None
    told = f"after request {odd[again.ask.number]} got false, request {again.number} got exited true again"
    return f"{told}: one of several copies of the data lags behind, it seems"


def of_any_process(first: Exchange, exchanges: Sequence[Exchange]) -> str | None:
    """Return that what polls get is of any process, if 1 is said to run, and no pid that no process can have."""
    unknown = [e for e in exchanges if e.request.method == "GET" and e.ask.pid == Pid.UNKNOWN and e.response]
    mine = [e for e in unknown if e.ask.credential == "full" and e.ask.vps == "own" and not e.ask.devious]
    beyond = [e for e in mine if e.ask.number and e.ask.number > LARGEST_LINUX_PID]
    runs = any(e.ask.number == 1 and member(e, "exited") is False for e in mine)
    if not is_output(first) or not runs or not beyond or not all(map(refused, beyond)):
        return None
    words = "pid 1 is said to run, which no start gave, and no pid is that no process can have"
    return f"{words}: any process of the machine is taken for a command, it seems"


def of_whole_run(result: Result[Ask], course: Course) -> Result[Ask]:
    """Return the result as if all had been judged, of what no request at all may get."""
    return replace(result, judged=course.ordered) if result.requirement.id == "HTTP-08" else result


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


def told_apart(
    result: Result[Ask], course: Course, tellers: Iterable[Teller], blamed: AbstractSet[int] = frozenset()
) -> str | None:
    """Return what tells the requests that were found from the others that were judged, and are not blamed."""
    odd = {one.exchange.number: one.exchange for one in result.findings}
    let_in = result.requirement.area in LET_IN and below(result.findings[0].exchange, 300)
    # Some rules stop at what they find first.
    found_all = let_in or result.requirement.id in FIND_ALL or tellers is UNDECIDED
    if (len(odd) == 1 and not found_all) or (let_in and blamed):
        return None
    # What another requirement tells of was not spared.
    errors = {e.status for e in odd.values() if not below(e, 400)}
    right = (e for e in result.judged if e.number not in odd and e.number not in blamed)
    spared = (e for e in right if e.response and e.status not in errors)
    # That all polls are odd, and no start, parts nothing.
    kinds = {e.ask.starts for e in odd.values()}
    usual = [e for e in spared if e.ask.starts in kinds and not (let_in and below(e, 300))]
    if not any(e.ask.credential in WITHOUT_KEY for e in odd.values()):  # without a key, nothing is to be had
        usual = [e for e in usual if not (e.ask.credential in WITHOUT_KEY and e.status == 401)]
    if nothing_came(result):  # what prints nothing has nothing to lose
        usual = [e for e in usual if stream(e, "stdout")]
    if let_in and (words := refused_with_200([*odd.values()])):
        return words
    if let_in and not usual and len(odd) >= FEWEST:
        said = f"none of {len(odd)} such requests was refused"
        by_keys = "" if result.requirement.area == "ID" else with_keys([*odd.values()], course)
        return f"{said}: nothing checks this{by_keys}"
    if let_in and usual and len(usual) < FEWEST <= len(odd):
        return of_few(course, [*odd.values()], usual)
    words = told(Split([*odd.values()], usual, course), tellers)
    if not words and let_in and usual and tellers is UNDECIDED and "it seems" not in result.message:
        some = f"{len(odd)} of {len(odd) + len(usual)} such requests"
        targets, others = (list(dict.fromkeys(e.request.target for e in of)) for of in (odd.values(), usual))
        if set(targets).isdisjoint(others):
            which = listed([shown(target, 80) for target in targets], FEWEST)
            return f"{some}: {'that' if len(targets) == 1 else 'those'} of {which}"
        sent = ([e for e in of if e.source != ALONE] for of in (odd.values(), usual))  # not those that came again
        purposes, others = (list(dict.fromkeys(e.purpose for e in of)) for of in sent)
        if all(purposes) and set(purposes).isdisjoint(others):
            return f"{some}: {listed([shown(purpose, 80) for purpose in purposes], FEWEST)}"
        return f"{some}: it is not known what decides"
    by_connection = let_in and words is not None and "on a connection" in words
    return f"{words}: the key of another request may count there" if by_connection else words


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


def of_availability(first: Exchange, exchanges: Sequence[Exchange], course: Course) -> str | None:
    """Return what tells the requests like one that got another availability from those that got the same."""
    if not is_availability(first):
        return None
    if words := once_started(first, exchanges):
        return words
    by_known_keys = (e for e in course.ordered if e.ask.credential in VALID)
    alike = [e for e in by_known_keys if is_availability(e) and e.ask.id == first.ask.id]
    available = member(first, "available")
    odd, usual = ([e for e in alike if (member(e, "available") == available) is so] for so in (True, False))
    if available is False and first.ask.vps == "own" and not usual:
        return "if that is true, name a VPS in HOSTUP_VPS_ID whose agent is available"
    return told(Split(odd, usual, course), (*IN_TIME, *UNDECIDED))


def refused_keys(course: Course) -> Cause | None:
    """Return the requests with a valid key that got 401, if something tells them from those whose key was known.

    Several of them must have been due.
    """
    sent = [e for e in course.ordered if e.ask.credential in VALID and e.response and not e.obeyed and e.status != 429]
    plain = [e for e in sent if is_plain(e)]
    odd, usual = ([e for e in plain if (e.status == 401) is refused] for refused in (True, False))
    due = [e for e in odd if e.ask.vps in {"own", None} and (e.ask.credential == "full" or e.ask.pid == Pid.ABSENT)]
    words = told(Split(odd, usual, course)) if len(due) >= FEWEST else None
    found = {e.number for e in sent if e.status == 401}
    return Cause(found, f"a valid key gets 401: {words}", "AUTH-08", says_more=True) if words else None


def let_in_keys(course: Course) -> Cause | None:
    """Return the requests with a wrong key that were let in, if something tells them from those that were refused."""
    sent = [e for e in course.ordered if e.ask.credential == "wrong" and e.response and is_plain(e)]
    odd = [e for e in sent if below(e, 300)]
    words = told(Split(odd, [e for e in sent if e.status == 401], course), BY_REQUEST) if len(odd) >= FEWEST else None
    return Cause({e.number for e in odd}, words) if words else None


def not_served(course: Course) -> Cause | None:
    """Return what got one status code of errors, if something tells what is due and got it from what is served."""
    own = [e for e in course.ordered if is_plain(e) and e.ask.credential == "full" and e.ask.vps in {"own", None}]
    steady = [e for e in own if e.ask.pid in {Pid.ABSENT, Pid.RUNNING} and e.ask.resource != "other" and not e.obeyed]
    due = [e for e in steady if e.response and (not e.ask.starts or (e.ask.command is not None and e.ask.is_passable))]
    kinds = {"what is to be served": due, "a proper start": [e for e in due if e.ask.starts]}
    ways = product((IN_TIME, BY_REQUEST, UNDECIDED), sorted({e.status or 0 for e in due} - {401, 429}), kinds)
    for tellers, status, kind in ways:
        if status < 400 or (status >= 500 and tellers is UNDECIDED):  # which is told of all 5xx
            continue
        odd = [e for e in kinds[kind] if e.status == status]
        usual = [e for e in kinds[kind] if below(e, 300)]
        if len(odd) >= FEWEST and (words := told(Split(odd, usual, course), tellers)):
            found, in_time = {e.number for e in course.ordered if e.status == status}, tellers is IN_TIME
            tells = "HTTP-08" if status >= 500 and in_time else None
            return Cause(found, f"{kind} gets {status}: {words}", tells, says_more=True, weak=not in_time)
    return None


def goes_down(course: Course) -> Cause | None:
    """Return the requests whose connection broke, or was refused just after that, if the server was up before."""
    broken, refusals = ([e for e in course.ordered if e.lost == how] for how in ("dropped", "refused"))
    responded = [e for e in course.ordered if e.response]
    if not (broken and refusals and responded) or not responded[0].number < broken[0].number < refusals[0].number:
        return None
    # What is down serves nothing from the last break on until it refuses connections.
    last = max((e for e in broken if e.number < refusals[0].number), key=lambda e: e.number)
    if any(last.seconds < seconds_between(last, e) < seconds_between(last, refusals[0]) for e in responded):
        return None
    words = f"{counted(len(broken), 'connection')} broke, and others were refused just after: the server goes down"
    urls = {e.request.target for e in broken if e.ask.pid.known}
    polled = sorted({life.name for life in course.life_of.values() if life.name and new_poll(life.start) in urls})
    keys = {e.ask.credential for e in broken}
    usual = [e for e in responded if e.ask.credential in keys]
    of_polls = f"at a poll of one of the commands {listed(polled, POLLED)}, it seems" if polled else None
    each = " or ".join(f"{e.number} ({shown(e.purpose, 80)})" for e in broken)
    of_each = f"at request {each}" if len(broken) <= FEWEST else None
    at = told(Split(broken, usual, course), BY_REQUEST) or of_each or of_polls or "it is not known at what"
    return Cause({e.number for e in (*broken, *refusals)}, f"{words}: {at}", "HTTP-01", says_more=True)


def served_heads(exchanges: Sequence[Exchange]) -> dict[str, Exchange]:
    """Return the first HEAD of each URL that got 200."""
    return {e.request.target: e for e in reversed(exchanges) if e.request.method == "HEAD" and e.status == 200}


def kept_from_head(first: Exchange, exchanges: Sequence[Exchange]) -> str | None:
    """Return that a GET came without its content because a HEAD had been sent before, if all such GETs came so."""
    heads = served_heads(exchanges)
    broken = [e for e in exchanges if e.request.method == "GET" and e.response is None and not e.lost]
    before = [heads[e.request.target].number < e.number if e.request.target in heads else False for e in broken]
    if first not in broken or not all(before):
        return None
    head = heads[first.request.target]
    return f"request {head.number}, a HEAD of it, got its header section: a cache keeps that for GET as well, it seems"


def used_up_by_head(result: Result[Ask], exchanges: Sequence[Exchange]) -> str | None:
    """Return that a HEAD of each poll without the output had got 200 before, if those before all others got it not."""
    heads = served_heads(exchanges)
    found = [one.exchange for one in result.findings if one.exchange.ask.pid.known]
    lost = [e for e in found if not (below(e, 300) and stream(e, "stdout"))]
    before = [head for e in lost if (head := heads.get(e.request.target)) and head.number < e.number]
    if result.requirement.harm != "output" or not before or len(before) < len(result.findings):
        return None
    if any(stream(e, "stderr") for e in lost):
        return None  # which would have been taken away as well
    return f"request {before[0].number}, a HEAD of it, had got 200 before: it took the output away, it seems"


def told_later(result: Result[Ask], exchanges: Sequence[Exchange]) -> str | None:
    """Return what a later poll of a command said that the one that reported its end did not, of any that is blamed."""
    lost = result.findings if result.requirement.harm == "output" and result.requirement.area == "START" else []
    blamed = [one.exchange for one in lost if member(one.exchange, "exited") is True]
    firsts = {e.request.target: e for e in reversed(blamed)}
    ends = [e for e in exchanges if e.ask.credential == "full" and is_plain(e) and member(e, "exited") is True]
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


def known_of_another(result: Result[Ask]) -> str | None:
    """Return why other output was lost, where that is known and nothing is of what was found first."""
    first, *others = (one.got for one in result.findings)
    known = next((got.rpartition(": ")[2] for got in others if got.endswith(SEEMS)), None)
    return known if result.requirement.harm == "output" and not first.endswith(SEEMS) else None


def is_less(first: object, later: object) -> bool:
    """Whether what was told at first is nothing, or only the beginning of what was told later."""
    if isinstance(first, str) and isinstance(later, str):
        return len(first) < len(later) and later.startswith(first)
    return first in NOTHING and later not in NOTHING


def ran_nevertheless(first: Exchange, exchanges: Sequence[Exchange], reasons: Reasons) -> str | None:
    """Return which command ran whose start got a 5xx, by the files that it wrote."""
    if not (starts(first) and failed(first)):
        return None
    said = " ".join(stream(life.end, "stdout") for life in reasons.evidence.ended if life.end and shows_traces(life))
    ran = set(re.findall(r"\b(refused_\d+)\b|\b(\w+) [1-9]\d*\b", said))
    names = {name for pair in ran for name in pair if name}
    for e in exchanges:
        known = recognized(e.ask.command or "") if starts(e) and failed(e) else None
        if known and known.name in names:
            return f"the command of request {e.number}, which got {e.status} as well, ran nevertheless"
    return None


def form_of_failure(e: Exchange) -> tuple[int, bool, bool]:
    """Return what tells failures apart: the status code, and whether it is a problem document or a page."""
    return e.status or 0, is_document(e), is_page(e)


def failures(course: Course) -> list[Cause]:
    """Return what got each 5xx, so that whatever else is wrong with these responses stands with that.

    If requests of several kinds get it now and then, it has nothing to do with what they ask for.
    """
    causes = list[Cause]()
    # By 501 a server says of a method such as HEAD that it has none, of whatever cause another 501 is.
    served = {"GET", "POST"}
    failing = [
        e for e in course.ordered if failed(e) and not e.obeyed and (e.status != 501 or e.request.method in served)
    ]
    for status, *form in sorted({form_of_failure(e) for e in failing}):
        every = [e for e in failing if form_of_failure(e) == (status, *form)]
        alike = [e for e in every if not e.ask.unavailable] or every
        others = [e for e in course.ordered if e.response and not failed(e)]
        kinds, numbers = set(map(asked, alike)), {e.number for e in every}
        if len(kinds.intersection(asked(e) for e in others if not e.ask.pid.is_used_up)) < KINDS:
            # What they carry tells more than that others were sent with them, as all starts are.
            split = Split(alike, others, course)
            causes.append(Cause(numbers, None if carries(split) else told(split, [CROWDED, *TIMED])))
            continue
        what, of = "requests", course.ordered
        if all(e.ask.starts for e in alike):
            # Those that are refused may not be counted by a server that fails every few.
            what, of = "starts", [e for e in of if e.ask.starts and not refused(e)]
        often = f"{len(alike)} of {len(of)} {what} got {status}, of {len(kinds)} kinds"
        responded = [e for e in of if e.response and not failed(e)]
        common = told(Split(alike, responded, course), [*BY_REQUEST, *IN_TIME]) or "others of which did not"
        causes.append(Cause(numbers, f"{often}: {common}", "HTTP-08", says_more=True, weak=True))
    return causes


def page_in_front(first: Exchange, exchanges: Sequence[Exchange]) -> str | None:
    """Return that something in front refuses with a page in HTML, if the server's own errors are JSON."""
    errors = [e for e in exchanges if e.response and not below(e, 400)]
    own = sum(is_document(e) for e in errors)
    if below(first, 400) or not is_page(first) or own < ENOUGH_ERRORS or sum(map(is_page, errors)) > own:
        return None
    crash = "an exception that nobody catches, or something in front"
    gives = crash if first.status == 500 else "a framework, or something in front"
    return f"it is a page in HTML, as no error of the application: {gives}, it seems"


def whose_output(evidence: Evidence) -> Cause | None:
    """Return whose output commands got in place of their own, if it is told in one way of almost all that did."""
    texts = texts_of(evidence.lives)
    known, alike = owners(texts), defaultdict[str, list[Life]](list)
    for text in texts:
        alike[looks(text.sent)].append(text.life)
    others = [(text, one) for text in texts if plain(text.came) and (one := owner_of(text, known))]
    pairs = [(text.life, alike[looks(one.sent)][:MOST_OWNERS]) for text, one in others[:MOST_OWNERS]]
    fits = {
        words: sum(any(holds(evidence, own, one) for one in ones if one is not own) for own, ones in pairs)
        for words, holds in WHOSE.items()
    }
    words = max(fits, key=fits.__getitem__)
    found = {e.number for life in evidence.lives for e in (life.start, *life.full_polls)}
    silent = not any(text.sent for text, _ in others)
    words = "that of another, and only where nothing is to be written: a buffer keeps it" if silent else words
    told = len(pairs) >= FEW_TEXTS and (silent or fits[words] >= ALMOST_ALL * len(pairs))
    return Cause(found, f"each got {words}, it seems", "START-05", says_more=True) if told else None


def has_last(evidence: Evidence, own: Iterable[Exchange], then: Exchange | None, among: Iterable[Exchange]) -> bool:
    """Whether one of some exchanges came before another one, or with it, and none of others came between them."""
    if then is None:
        return False
    sent, done = evidence.sent, evidence.done
    latest = max((sent(o) for o in among if done(o) < sent(then)), default=-inf)
    return any(e is not then and sent(e) <= done(then) and latest <= done(e) for e in own)


def last_started(evidence: Evidence, other: Life, then: Exchange | None) -> bool:
    """Whether a command was the last to be started before a request."""
    return has_last(evidence, [other.start], then, (life.start for life in evidence.lives))


def last_polled(evidence: Evidence, other: Life, then: Exchange | None) -> bool:
    """Whether a command was the last to be polled before a request."""
    return has_last(evidence, other.polls, then, (e for life in evidence.lives for e in life.polls))


def has_pid_beside(own: Life, other: Life) -> bool:
    """Whether the pids of two commands differ by one."""
    return abs((new_pid(own.start) or 0) - (new_pid(other.start) or 0)) == 1


#: What they get where the pid is not looked at.
LAST = "the output of the command that was started last: the pid is not looked at"
#: Whose output commands may get in place of their own.
WHOSE: dict[str, Callable[[Evidence, Life, Life], bool]] = {
    "what another poll was to get that was under way with it: responses are mixed up": (
        lambda _, own, other: any(own.end and overlap(own.end, e) for e in other.polls)
    ),
    "that of a command that was started at the same time: starts at once get each other's command": (
        lambda _, own, other: overlap(own.start, other.start)
    ),
    "what another was to get, which got its own: the two are exchanged": (
        lambda _, own, other: plain(printed(own)) != "" and plain(printed(own)) in plain(stdout(other))
    ),
    "that of the pid beside its own, or of the start before: a start gives a pid that is one off, or the one before": (
        lambda evidence, own, other: has_pid_beside(own, other) or last_started(evidence, other, own.start)
    ),
    LAST: (lambda evidence, own, other: last_started(evidence, other, own.end)),
    "the output of the command that was polled before it: what comes is one poll late": (
        lambda evidence, own, other: last_polled(evidence, other, own.end)
    ),
}


def of_one_command(result: Result[Ask], reasons: Reasons) -> str | None:
    """Return of which command all polls are that were found, with what it alone does, if several others have ended."""
    life_of = reasons.evidence.life_of
    found = [life_of.get(one.exchange.number) for one in result.findings]
    life, ended = found[0], [one for one in reasons.evidence.ended if one is not found[0]]
    others = any(one not in (life, None) for one in found)
    limited = result.requirement.area == "START" or result.findings[0].exchange.status == 429
    if limited or life is None or not life.name or others or len(ended) < FEWEST:
        return None
    what = of_one_kind([life], ended)
    return f"it is a poll of the command named {life.name}{f', the only {what}' if what else ''}"


def by_their_starts(result: Result[Ask], reasons: Reasons) -> str | None:
    """Return when the commands were started whose ends were found, if those that ended as they should were not then."""
    evidence = reasons.evidence
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


def once_started(first: Exchange, exchanges: Sequence[Exchange]) -> str | None:
    """Return that probes got another availability once a command had been started, if all did, and none before."""
    alike = [e for e in exchanges if is_availability(e) and e.ask.vps == "own" and e.ask.credential in VALID]
    differ = [member(e, "available") != member(first, "available") for e in alike]
    before = sum(differ)
    changed = min(e.number for e in alike[before:]) if 0 < before < len(alike) else 0
    started = [e.number for e in exchanges if starts(e) and e.number < changed]
    if not started or not all(differ[:before]) or alike[before - 1].number > started[0]:
        return None
    others = f"{before} before the first command was started, and none of {len(alike) - before} later, got another"
    return f"{others}: what was started has changed it, it seems"


def given_to_any_probe(first: Exchange, exchanges: Sequence[Exchange]) -> str | None:
    """Return that probes get command output, if a request got some that should not have."""
    if not output_members(first.body) or is_availability(first):
        return "a plain probe gets it" if output_members(first.body) else None
    probe = next((e for e in exchanges if is_availability(e) and output_members(e.body)), None)
    return f"a plain probe gets command output as well, as request {probe.number} (PROBE-04)" if probe else None


def comes_and_goes(result: Result[Ask]) -> bool:
    """Whether a valid key is refused with 401 now and then, whatever it is used for."""
    plain = [e for e in result.judged if e.ask.pid.well_formed and not e.ask.devious]
    refused = {e.kind for e in plain if e.status == 401 and e.ask.credential in VALID}
    return any(e.kind in refused for e in plain if below(e, 400))
