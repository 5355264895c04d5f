"""Why requests failed, or were refused: what tells them from those that were served. It judges nothing."""

from collections.abc import Callable
from itertools import product

from hostup_conformance.contract.ask import Exchange, Pid
from hostup_conformance.contract.causes.contrasts import (
    BY_REQUEST,
    CROWDED,
    IN_TIME,
    TIMED,
    UNDECIDED,
    VALID,
    Course,
    Split,
    asked,
    carries,
    told,
)
from hostup_conformance.contract.causes.traits import FEWEST
from hostup_conformance.contract.causes.widespread import Cause, seconds_between
from hostup_conformance.contract.content import (
    below,
    failed,
    is_document,
    is_page,
    refused,
)
from hostup_conformance.contract.selectors import is_plain, new_poll
from hostup_conformance.keeping.safe_text import counted, listed, shown

#: So many kinds of requests that get the same 5xx now and then show that it has nothing to do with what is asked for.
KINDS = 3
#: So many commands are named at one of whose polls a server went down.
POLLED = 6


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


#: What explains many failures or refusals at once.
FAILINGS: tuple[Callable[[Course], Cause | None], ...] = (refused_keys, let_in_keys, goes_down, not_served)
