"""What explains many of a run's exchanges at once: a rate limit, a cache, a gateway. It judges nothing.

A cause is only returned if all that it should explain agrees with it, and nothing else contradicts it.
"""

from collections import Counter, defaultdict, deque
from collections.abc import Callable, Hashable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from itertools import groupby, pairwise
from math import inf

from hostup_conformance.contract.ask import SLEEP, WITHOUT_KEY, Exchange, Pid, Vps, has_object, is_start, new_pid
from hostup_conformance.contract.ban import are_copies, should_not_be_forbidden
from hostup_conformance.contract.causes.contrasts import (
    VALID,
    asked,
    before_it,
    by_connection,
    connection_of,
    has_credential,
    has_valid_key,
    only_soon_after,
)
from hostup_conformance.contract.causes.traits import all_beside, is_to_be_refused
from hostup_conformance.contract.content import (
    below,
    failed,
    is_availability_alone,
    is_document,
    is_page,
    member,
    named_members,
    named_status,
    output_members,
    refused,
)
from hostup_conformance.contract.lives import Life, lives, overlap, seconds_asked, seconds_of, stream
from hostup_conformance.contract.responder import BURST, says_it_is_busy
from hostup_conformance.contract.selectors import is_error, is_output, is_plain, is_start_on_own, ours
from hostup_conformance.http.exchange import decided_once
from hostup_conformance.keeping.safe_text import counted, listed, short_json, shown

#: So many requests are served before a refusal may be that of a limit, and so many in a row are refused by one.
BEFORE, IN_A_ROW = 5, 3
#: What takes so many seconds may have waited for the end of a command, if that is most of what it goes on for.
AT_ONCE, TO_THE_END = 1.0, 0.7
#: So many requests without a response at the end of a run are no accident.
FEWEST_LOST = 2
#: The status codes with which servers are known to limit the rate of requests instead of with 429.
INSTEAD = {400, 403, 503}
#: So many requests back a connection may be that is out of step.
STEPS = 4
#: Which part of the copies of a cache have what it knows a request by.
NEARLY = 0.9
#: So many exchanges show what each of them alone would not, where they are requests for other VPSs, and elsewhere.
FEW, STRAYS = 3, 5
#: The mistakes that are known by their own status codes.
ABOUT_KEYS = {"a wrong key", "too small a scope"}
#: So many kinds of mistakes are named.
KINDS = 3
#: The status codes with which mistakes may be refused, by what is wrong.
DUE: dict[str, AbstractSet[int]] = {
    "a wrong key": {401},
    "too small a scope": {403},
    "a wrong VPS": {403, 404},
    "a pid of no command": {404},
    "no valid command": {400, 422},
    "an invalid pid": {400, 404, 422},
}
#: What is wrong with requests for VPSs that are not the caller's, in words that may follow "with".
WRONG_VPS: dict[Vps | None, str] = dict.fromkeys(("unknown", "foreign", "similar"), "a wrong VPS")

#: The members that responses of one form have, and no others.
FORMS = {"data": "list", "powerState": "status", "exited": "output", "available": "availability", "pollUrl": "start"}


@dataclass(frozen=True)
class Cause:
    """What explains several exchanges: their numbers, words for it, and the requirement that tells of it best."""

    numbers: AbstractSet[int]
    words: str | None = None
    first: str | None = None
    #: Whether the words say more than the message of that requirement does.
    says_more: bool = False
    #: Whether what befell a command, or another body, says more than its words.
    weak: bool = False
    #: Whether it explains a requirement of which it explains most that was found.
    mostly: bool = False


def limited(exchanges: Sequence[Exchange]) -> Cause | None:
    """Return the responses that seem to be those of a rate limit, without its 429; None if few do.

    They say when to try again, or that no requests remain; or several in a row have the same status code, whatever was
    asked for, or one is the same as such a one. Others must have been served before and after.
    """
    found = {at for at, e in enumerate(exchanges) if says_to_wait(e)}
    rows = dict[int | None, set[int]]()
    for status, row in groupby(range(len(exchanges)), lambda at: exchanges[at].status):
        stretch = list(row)
        of_stretch = [exchanges[at] for at in stretch if should_not_be_forbidden(exchanges[at])]
        # A pid that nobody has got may be too large.
        of_stretch = [e for e in of_stretch if status != 400 or e.ask.pid != Pid.UNKNOWN]
        # A wrong key, or none, may always get this.
        undue = {e.ask for e in of_stretch if e.ask.credential in VALID}
        if status in INSTEAD and len(stretch) >= IN_A_ROW and len(undue) > 1:
            rows.setdefault(status, set()).update(stretch)
    same = {status_and_body(exchanges[at]) for at in found.union(*rows.values())}
    found |= {at for at, e in enumerate(exchanges) if not below(e, 400) and status_and_body(e) in same}
    served = [at for at, e in enumerate(exchanges) if at not in found and below(e, 400)]
    first = min(found, default=0)
    enough = len(found) > 1 and sum(at < first for at in served) >= BEFORE and served[-1] > first
    refusals = [exchanges[at] for at in found]
    # Where none is told that its command runs, what is refused may be the polls of those that do.
    polls = all(e.ask.pid != Pid.ABSENT for e in refusals)
    of_running = polls and not any(member(e, "exited") is False for e in exchanges)
    # Where requests at the same time disturb each other, one may be refused in another's name.
    beside = all_beside(exchanges)
    mixed = all(e.status in {400, 403} and beside.get(e.number) for e in refusals)
    # What says that a scope is lacking, as to who lacks it, speaks of no limit.
    forbidden = {said_of(e) for e in exchanges if e.status == 403 and not should_not_be_forbidden(e)}
    as_due = all(said_of(e) in forbidden and (e.ask.starts or e.ask.pid != Pid.ABSENT) for e in refusals)
    # What comes wherever a refusal is due is one that something has changed.
    kinds, numbers = {e.kind for e in refusals}, {e.number for e in refusals}
    otherwise = any(e.kind in kinds and e.number not in numbers and not below(e, 400) for e in exchanges if e.response)
    due = (is_to_be_refused(e.ask) or not e.ask.pid.well_formed for e in refusals)
    as_due |= all(due) and not otherwise and any(map(has_valid_key, refusals))
    if not enough or of_running or mixed or as_due or are_copies(refusals):
        return None
    return Cause({e.number for e in refusals}, in_words(exchanges, sorted(found)))


def enveloped(exchanges: Sequence[Exchange]) -> Cause | None:
    """Return the responses whose body is that of an adapter: status code, header fields and body, all with 200."""
    every = [e for e in exchanges if e.response and e.response.body and isinstance(e.body, dict)]
    found = [e for e in every if e.status == 200 and {"statusCode", "body"} <= e.body.keys()]
    words = "each body has statusCode and body: what a function returned was not unwrapped by what stands before it"
    enough = len(found) >= BEFORE and 2 * len(found) > len(every)
    return Cause({e.number for e in found}, f"{words}, it seems", "PROBE-01", says_more=True) if enough else None


def kept_start(exchanges: Sequence[Exchange]) -> Cause | None:
    """Return the starts that got the very body of another start, if so did several that have no valid command."""
    sent = [e for e in exchanges if e.ask.starts and e.ask.vps == "own" and e.status == 200 and new_pid(e)]
    firsts = dict[tuple[int | None, bytes], Exchange]()
    first_of = {e.number: firsts.setdefault(status_and_body(e), e) for e in sent}
    copies = [e for e in sent if first_of[e.number].request.body != e.request.body]
    if sum(e.ask.command is None for e in copies) < FEW:
        return None
    like = f"as request {copies[0].number} that of {first_of[copies[0].number].number}"
    words = f"{len(copies)} of {len(sent)} starts got the whole body that another start had got, {like}"
    return Cause({e.number for e in copies}, f"{words}: a cache keeps what a POST got, or all get the same, it seems")


def as_a_get(exchanges: Sequence[Exchange]) -> Cause | None:
    """Return all that was sent by POST and got the availability, as a GET does, if no start got a pid."""
    sent = [e for e in exchanges if e.request.method == "POST" and e.ask.endpoint and e.status == 200]
    found = [e for e in sent if is_availability_alone(e)]
    if len(found) < FEW or any(map(new_pid, exchanges)):
        return None
    words = f"{len(found)} POSTs got the availability, as a GET does, and none a pid"
    return Cause({e.number for e in found}, f"{words}: the method is lost, or a cache takes no notice of it, it seems")


def kept_decision(exchanges: Sequence[Exchange]) -> Cause | None:
    """Return what the full key was refused for a while after another had been, if it got all that it asked for else."""
    denied = [e for e in exchanges if e.ask.credential == "read" and e.status == 403]
    # What a request without a key gets as well has nothing to do with its scope.
    told = set(map(named_status, denied)) - {named_status(e) for e in exchanges if e.ask.credential in WITHOUT_KEY}
    own = [e for e in exchanges if ours(e) and is_plain(e) and e.ask.needs_write]
    # What is decided for starts, and by them, may be kept apart.
    polls, starts = [e for e in own if not e.ask.starts], [e for e in own if e.ask.starts]
    for events, due in ((denied, polls), ([e for e in denied if not e.ask.starts], polls), (denied, starts)):
        odd, usual = ([e for e in due if e.status in got] for got in ({403}, {200, 404}))
        if not told.issuperset(map(named_status, odd)):
            continue
        if (seconds := only_soon_after(events, odd, usual)) is not None:
            often = f"{counted(len(odd), 'time')}, and only within {seconds:.1g} s after the other key did"
            words = f"the full key got 403 {often}: what was decided for one key is kept for all, it seems"
            return Cause({e.number for e in odd}, words)
    return None


def locked_out(exchanges: Sequence[Exchange]) -> Cause | None:
    """Return the requests with a valid key that got 401 for a while after one with a wrong key, and only then.

    OPTIONS may be served without a key.
    """
    tried = [e for e in exchanges if e.ask.credential == "wrong"]
    sent = [e for e in exchanges if e.response and has_valid_key(e) and not e.obeyed and e.request.method != "OPTIONS"]
    odd, usual = [e for e in sent if e.status == 401], [e for e in sent if below(e, 300)]
    seconds = only_soon_after(tried, odd, usual)
    if seconds is None and (seconds := since_the_first(tried, odd, usual)) is None:
        return None
    words = f"a valid key got 401 {len(odd)} times, and only within {seconds:.1f} s after a wrong one was tried"
    found = {e.number for e in odd}
    return Cause(found, f"{words}: callers are locked out for a while, it seems", "AUTH-08", says_more=True)


def shut_out(exchanges: Sequence[Exchange]) -> Cause | None:
    """Return the 429s that came to requests without a valid key alone, though many had been served with one."""
    odd = [e for e in exchanges if e.limited]
    tried = [e for e in exchanges if e.status in {400, 401, 403} and e.ask.credential in WITHOUT_KEY]
    since = [e for e in exchanges if odd and e.number > odd[0].number and has_valid_key(e) and below(e, 300)]
    if len(odd) < IN_A_ROW or len(since) < IN_A_ROW or any(has_valid_key(e) for e in odd):
        return None
    refused = sum(e.number < odd[0].number for e in tried)
    words = (
        f"only requests without a valid key got 429, once {refused} had been refused, and {len(since)} with one got 2xx"
    )
    return Cause({e.number for e in odd}, f"{words}: those who try keys are shut out, it seems", says_more=True)


def since_the_first(events: Sequence[Exchange], odd: Sequence[Exchange], usual: Sequence[Exchange]) -> float | None:
    """Return the same of a time that begins with the first event since something usual, and that no other prolongs."""
    moments = [(e.when.timestamp() + e.seconds, "event") for e in events if e.when]
    moments += [(e.when.timestamp(), kind) for kind, some in (("odd", odd), ("usual", usual)) for e in some if e.when]
    began, longest, shortest, stretches, in_it = -inf, 0.0, inf, 0, False
    for moment, kind in sorted(moments):
        if kind == "event":
            began = moment if began == -inf else began
        elif kind == "odd":
            longest, stretches, in_it = max(longest, moment - began), stretches + (not in_it), True
        else:
            shortest, began, in_it = min(shortest, moment - began), -inf, False
    return longest if stretches > 1 and len(odd) >= IN_A_ROW and longest < shortest else None


def status_and_body(e: Exchange) -> tuple[int | None, bytes]:
    """Return the status code and the body of a response."""
    return e.status, e.response.body if e.response else b""


def said_of(e: Exchange) -> tuple[object, ...]:
    """Return what a refusal says, without what differs from one to the next: its time, for instance."""
    return (e.status, *(short_json(member(e, name), 200) for name in ("code", "title", "detail", "message", "error")))


def says_to_wait(e: Exchange) -> bool:
    """A response with a Retry-After and no status code that has one, or an error after which no requests remain."""
    if e.status is None or e.obeyed or e.status == 429 or 300 <= e.status < 400 or e.ask.unavailable:
        return False
    no_more = e.status >= 400 and (e.header("x-ratelimit-remaining") or "").strip() == "0"
    return no_more or e.header("retry-after") is not None


def in_words(exchanges: Sequence[Exchange], limited: list[int]) -> str:
    """Return when a limit was met, and when others were served again."""
    first = limited[0]
    later = next(e for at, e in enumerate(exchanges) if at > first and at not in limited and below(e, 400))
    sent = f", in {seconds_between(exchanges[0], exchanges[first]):.1f} s" if exchanges[0].when else ""
    seconds = seconds_between(exchanges[first], later)
    again = f" {seconds:.1f} s later" if seconds > 0 else ""
    what = f"{len(limited)} responses are like this, the first after {first} requests{sent}"
    if all(says_it_is_busy(exchanges[at]) for at in limited):
        return f"{what}, and others were served{again}: the server is busy, or limits the rate, which is to get 429"
    beside = all_beside(exchanges)
    at_once = exchanges[0].when and all(beside[exchanges[at].number] for at in limited)
    of_what = "a limit on requests at once, or the shedding of load" if at_once else "a rate limit"
    return f"{what}, and others were served{again}: {of_what}, it seems, which is to get 429"


def seconds_between(before: Exchange, e: Exchange) -> float:
    """Return how many seconds one request was sent after another; 0 if that is unknown."""
    return (e.when - before.when).total_seconds() if before.when and e.when else 0.0


def blocked(exchanges: Sequence[Exchange]) -> Cause | None:
    """Return the requests with a valid key from one on that got no response, if all before did; or the starts alone."""
    sent = [e for e in exchanges if e.ask.credential in VALID]
    starts = [e for e in sent if e.ask.starts and ours(e)]
    proper = [e for e in starts if e.ask.command is not None]
    any_start = blocked_among("start", starts)
    of_proper = any_start and not any_start.numbers.isdisjoint(e.number for e in proper)
    return blocked_among("request", sent) or (any_start if of_proper else blocked_among("start", proper))


def blocked_among(what: str, sent: Sequence[Exchange]) -> Cause | None:
    """Return those of some requests from one on that got no response, if all before did."""
    responded = [e for e in sent if e.response]
    last = responded[-1] if responded else None
    after = [e for e in sent if last and e.number > last.number]
    if not last or len(after) < FEWEST_LOST or len(responded) + len(after) < len(sent):
        return None
    begun = min((e.when for e in after if e.when), default=None)
    if begun and any(e.when and e.when > begun for e in responded):
        return None  # what was sent meanwhile got a response
    words = f"no {what} after {last.number} ({last.purpose}) got a response, and all before did"
    words += f": it hangs since then, or at such requests as these {len(after)}"
    first, *others = after
    if first.ask.command == SLEEP:
        words = f'neither request {first.number}, which starts "{SLEEP}", nor any {what} after it got a response'
        words += ": a start waits for the end of its command, and blocks all, it seems"
    elif first.lost == "dropped" and all(e.lost == "refused" for e in others):
        words = f"request {first.number} ({first.purpose}) broke off, and all connections after it were refused"
        words += ": the server went down at it, it seems"
    elif last.ask.command == SLEEP:
        words = (
            f'no {what} after {last.number}, which started "{SLEEP}", got a response: what runs blocks all, it seems'
        )
    elif {e.request.method for e in after} == {"POST"} and all(e.request.method != "POST" for e in responded):
        words = f"none of {len(after)} starts got a response, and each GET did: their content does not arrive, it seems"
    return Cause({e.number for e in after}, words)


def few_connections(exchanges: Sequence[Exchange]) -> Cause | None:
    """Return the requests that waited as long as so many other connections were open, and not once none was kept."""
    waited = [e for e in exchanges if e.beside_open and e.is_long]
    least = min((e.beside_open for e in waited), default=0)
    most = max((e.beside_open for e in exchanges if e.response and not e.is_long), default=0)
    last = waited[-1].number if waited else 0
    served = {e.kind for e in exchanges if e.number > last and e.response and not e.is_long}
    if least <= most or served.isdisjoint(e.kind for e in waited):
        return None
    others = "another connection was" if least == 1 else f"{least} others were"
    words = (
        f"{counted(len(waited), 'request')} waited as long as {others} kept open, and the like did not once none was"
    )
    at_a_time = f"{counted(least, 'connection')} {'is' if least == 1 else 'are'} served at a time, it seems"
    return Cause({e.number for e in waited if not e.response}, f"{words}: {at_a_time}", "HTTP-01", says_more=True)


def waiting(exchanges: Sequence[Exchange]) -> Cause | None:
    """Return the starts of commands that last, or the polls of those that run, if they seem to wait for the end.

    Some got no response, or a 5xx of a gateway that waits no longer, and the others theirs at the end; of other
    commands, some were served. Once they wait, what asks for something else may have to as well.
    """
    own = [e for e in exchanges if ours(e) and not e.ask.devious]
    begun = [(e, seconds_asked(e)) for e in own if e.ask.starts and e.ask.command]
    life_of = {e.request.target: life for life in lives(own) for e in life.polls}
    polls = [e for e in own if e.ask.pid.known and e.request.method == "GET"]
    polled = [(e, seconds_left(e, life_of.get(e.request.target))) for e in polls]
    for what, sent in {"start": begun, "poll": polled}.items():
        lasting = [e for e, left in sent if left >= AT_ONCE]
        lost = [e for e in lasting if e.response is None or gave_up_waiting(e)]
        told = [e for e, left in sent if left >= AT_ONCE and e not in lost and e.seconds < TO_THE_END * left]
        if lost and not told and any(left <= 0 and below(e, 300) for e, left in sent):
            found = [e for e in exchanges if e.number >= lost[0].number and e.status in {one.status for one in lost}]
            words = f"no {what} of a command that goes on for a while got a response before its end, and others did"
            return Cause({e.number for e in found if not e.obeyed}, f"{words}: a {what} waits for the end, it seems")
    return None


def gave_up_waiting(e: Exchange) -> bool:
    """Whether a 5xx may be that of a gateway that waits no longer: one that says when to come again is none."""
    return failed(e) and not says_it_is_busy(e) and (e.status != 500 or e.seconds > AT_ONCE)


def seconds_left(poll: Exchange, life: Life | None) -> float:
    """Return for how many seconds more a command runs at the time of a poll, as far as that is known."""
    given = inf if poll.ask.pid == Pid.RUNNING else 0.0
    return seconds_of(life) - life.seconds_until(poll) if life else given


def redirected(exchanges: Sequence[Exchange]) -> Cause | None:
    """Return the responses that only send the caller elsewhere, or say that nothing has changed.

    They are no service and no refusal. What gets a 304 on a condition may be as it should. HTTP-06 judges GETs, so only
    of starts it is said where they are sent.
    """
    sent = [e for e in exchanges if e.status is not None and 300 <= e.status < 400]
    undue = {e.status for e in sent if not e.ask.devious}
    found = {e.number for e in sent if e.status in undue}
    starts = [e for e in sent if e.ask.starts]
    if not starts or any(e.request.method == "GET" and e.ask.vps == "own" and e.ask.pid.well_formed for e in sent):
        return Cause(found, first="HTTP-06") if found else None
    to = f"{starts[0].status} to {shown(starts[0].header('location'), 100)}"
    words = f"{counted(len(starts), 'start')} got a redirect, as {to}, which clients follow with a GET or not at all"
    return Cause(found, words, "START-01", says_more=True)


def repeated(exchanges: Sequence[Exchange]) -> Cause | None:
    """Return the requests of a URL of which a body has a member more than once, so that readers differ."""
    twice = [e for e in exchanges if e.response and e.response.json.duplicates]
    if not twice:
        return None
    targets = {e.request.target for e in twice}
    names = ", ".join(shown(name, 40) for name in twice[0].response.json.duplicates[:3]) if twice[0].response else ""
    words = f"a body of this URL has {names} more than once (HTTP-04), of which the last is read here"
    return Cause({e.number for e in exchanges if e.request.target in targets}, words, "HTTP-04")


def unreadable(exchanges: Sequence[Exchange]) -> Cause | None:
    """Return the successes whose body is no JSON, or not in UTF-8: nothing of it may be read as it was meant.

    It may be that all that have characters outside ASCII end too early, and no others.
    """
    bodies = [(e, got) for e in exchanges if e.status == 200 and (got := e.response) and got.body]
    beyond = {e.number for e, got in bodies if not got.body.isascii()}
    found = {e.number for e, got in bodies if got.json.defects}
    cut = {e.number for e, got in bodies if got.body.strip()[:1] == b"{" and got.body.strip()[-1:] != b"}"}
    words = "each body with characters outside ASCII ends too early, and no other: Content-Length counts characters"
    counts = len(found) >= FEW and found == beyond == cut
    told = f"{words} in place of bytes, it seems" if counts else None
    return Cause(found, told, "HTTP-03", says_more=counts) if found else None


def of_wrong_types(exchanges: Sequence[Exchange]) -> Cause | None:
    """Return the command output with a stream that is no string, in which nothing of what was printed is looked for."""
    streams = [(e, member(e, name)) for e in exchanges if is_output(e) for name in ("stdout", "stderr")]
    found = {e.number for e, value in streams if value is not None and not isinstance(value, str)}
    return Cause(found, first="POLL-03") if found else None


def is_undue(e: Exchange) -> bool:
    """Whether a request was served whose key may not see what it got."""
    may_not = e.ask.credential == "read" and (e.ask.needs_write or output_members(e.body))
    return e.status == 200 and (e.ask.credential in {"none", "wrong"} or bool(may_not))


def copied(exchanges: Sequence[Exchange]) -> Cause | None:
    """Return the requests that got what another key had got of the same URL, if all did whose key may not see it.

    The same request must have got something else before that earlier one, and never between the two; one that was sent
    at once with others on purpose shows nothing.
    """
    due, others = dict[Hashable, Exchange](), dict[Hashable, Exchange]()
    copies, words = set[int](), None
    for e in exchanges:
        if e.request.method != "GET" or e.ask.resource == "other" or e.response is None or e.aside:
            continue
        part = e.ask.pids[-1] if e.ask.pids else e.request.query
        what, who = (e.request.path, part, e.response.body), (e.request.target, e.request.headers)
        if e.status == 200 and not is_undue(e) and e.ask.credential in VALID:
            due[what] = others[who] = e
        elif e.status == 200 and (origin := due.get(what)):
            copies.add(e.number)
            if (other := others.get(who)) and other.number > origin.number:
                return None  # it was not kept by then
            if other and e.source != BURST:
                before = f"but {other.status} before that, as request {other.number}"
                got = f"request {e.number} got what request {origin.number} had got, {before}"
                words = words or f"{got}: a cache takes no notice of the key, it seems"
        elif is_undue(e):
            return None
        elif e.status in {400, 401, 403, 404}:
            others[who] = e
    # What keeps the refusals of other keys keeps what it let in, too.
    words = words or (refusals.words if copies and (refusals := kept_refusal(exchanges)) else None)
    return Cause(copies, words) if words else None


def kept_refusal(exchanges: Sequence[Exchange]) -> Cause | None:
    """Return the requests with the full key that got the very refusal which another key had got of the same URL.

    The refusal names its request.
    """
    refusals, copies, words = dict[Hashable, Exchange](), set[int](), None
    for e in exchanges:
        if e.request.method != "GET" or e.ask.vps != "own" or e.response is None or e.aside:
            continue
        what = e.request.target, e.status, e.response.body
        if may_not(e) and refused(e) and names_its_request(e):
            refusals[what] = e
        elif e.ask.credential == "full" and (origin := refusals.get(what)):
            copies.add(e.number)
            got = f"request {e.number} got what request {origin.number} with another key had got, with its requestId"
            words = words or f"{got}: a cache takes no notice of the key, and keeps refusals, it seems"
    return Cause(copies, words) if words else None


def without_query(exchanges: Sequence[Exchange]) -> Cause | None:
    """Return the requests with a pid that got the availability, if no poll of the run got command output."""
    found = {e.number for e in exchanges if e.status == 200 and e.ask.pid != Pid.ABSENT and is_availability_alone(e)}
    # Where an unknown pid is refused as such, pid was read.
    read = any(e.status == 404 and e.ask.pid == Pid.UNKNOWN and is_plain(e) and e.ask.vps == "own" for e in exchanges)
    if len(found) < STRAYS or read or any(is_output(e) and output_members(e.body) for e in exchanges):
        return None
    return Cause(
        found,
        "no poll got command output: pid is not read or is lost on the way, or a cache takes no notice of the query",
    )


def without_query_at_times(exchanges: Sequence[Exchange]) -> Cause | None:
    """Return the polls and probes that got what another request of the same path had got, if some of both got such.

    Each got a body that had come before, for another query; and perhaps so did all that should have been refused.
    """
    asked = [e for e in exchanges if e.request.method == "GET" and e.ask.endpoint and e.status == 200 and not e.aside]
    before, copies, undue = dict[tuple[str, bytes], Exchange](), list[Exchange](), list[Exchange]()
    for e in asked:
        what = e.request.path, e.response.body if e.response else b""
        if before.setdefault(what, e).request.query != e.request.query:
            copies.append(e)
        undue += [e] if may_not(e) and before[what] is not e else []
    odd, copied = [e for e in asked if shows(e) not in {"", form_due(e)}], {e.number for e in copies}
    strays = sum(shows(e) != form_due(e) for e in copies)
    if len(set(map(form_due, odd))) < 2 or strays < STRAYS or any(e.number not in copied for e in odd):
        return None
    words = f"{strays} probes and polls got what another request of the same path had got before"
    whoever = len(undue) >= FEW and all(e in undue for e in asked if may_not(e))
    key = " and of the key" if whoever else ""
    found = copied | {e.number for e in undue if whoever}
    return Cause(found, f"{words}: a cache takes no notice of the query{key}, it seems")


def of_the_own_vps(exchanges: Sequence[Exchange]) -> Cause | None:
    """Return the requests for other VPSs that got what is of the caller's own, if all of a kind did.

    Where more probes were refused, those of VPSs that are not the caller's, it may have another reason.
    """
    by_full = [
        e for e in exchanges if e.request.method == "GET" and e.ask.credential == "full" and e.ask.id is not None
    ]
    served = [e for e in by_full if e.status == 200 and not e.ask.devious and e.ask.pid != Pid.STRANGE]
    own = {shown_of(e) for e in served if e.ask.vps == "own"}
    own -= {False} if True in own else set()  # no command of the own VPS
    others = [e for e in served if e.ask.vps != "own"]
    kinds = {kind_of(e) for e in others}
    alike = kinds - {kind_of(e) for e in others if shown_of(e) not in own}
    polls = [e for e in others if e.ask.pid.is_integer]
    if not any(stream(e, "stdout") or member(e, "pid") == e.ask.number for e in polls):
        alike -= set(map(kind_of, polls))  # which may be of no command
    strangers = [e for e in by_full if refused(e) and e.ask.vps in {"unknown", "foreign"}]
    found = {e.number for e in others if kind_of(e) in alike}
    refusals = [e for e in strangers if e.request.query]
    if len(found) < FEW or (len(kinds) == 1 and alike == {("exec", False)} and len(refusals) < FEW):
        return None
    part = "" if alike == kinds and len(kinds) > 1 else "poll " if alike == {("exec", True)} else "probe "
    words = f"each {part}that was served under another VPS got what it gets under its own: the id is not looked at"
    refused_probes = [e for e in strangers if not e.ask.pid.is_integer]
    doubt = ", or available does not tell whether the agent responds" if len(refused_probes) > len(found) else ""
    return Cause(found, f"{words}, or a cache takes no notice of it{doubt if alike == {('exec', False)} else ''}")


def kind_of(e: Exchange) -> tuple[str, bool]:
    """Return whether a request is for a status, a probe or a poll."""
    return e.ask.resource, e.ask.pid.is_integer


def shown_of(e: Exchange) -> Hashable:
    """Return what a response shows of its VPS: the id in a status, and whether a poll got output."""
    if e.ask.pid.is_integer:
        return bool(output_members(e.body))
    body = e.response.body if e.response else b""
    return (e.ask.resource, e.request.query, short_json(member(e, "id"), 200) if e.ask.resource == "status" else body)


def out_of_step(exchanges: Sequence[Exchange]) -> Cause | None:
    """Return the responses with the body of another request just before them, of which several name that request.

    Those must have been for another URL, and few of these bodies may have come several times, as from a cache.
    """
    copies, found, strays = 0, set[int](), Counter[bytes]()
    latest = deque[Exchange](maxlen=STEPS)
    for e in exchanges:
        if e.response and (body := e.response.body):
            if before := [o for o in latest if o.response and o.response.body == body and asked(o) != asked(e)]:
                copies += 1
                # Of those that were under way together, either may have come first.
                found |= {e.number, *(o.number for o in before if overlap(o, e))}
                elsewhere = before[-1].request.target != e.request.target
                strays.update([body] if elsewhere and names_its_request(e) else [])
            latest.append(e)
    again = strays.total() - len(strays)
    if len(strays) < STRAYS or again * STRAYS > len(strays):
        return None
    words = f"{counted(copies, 'response')} like this one have the body of another request just before them"
    return Cause(found, f"{words}: a connection is out of step, it seems")


def one_late(exchanges: Sequence[Exchange]) -> Cause | None:
    """Return what came on a connection since its responses do not fit their own requests, but those before them.

    Most of these must fit so, some of them served, and some refused.
    """
    for on_it in by_connection(exchanges).values():
        astray = [(e, fits(e, before)) for before, e in pairwise(on_it) if fits(e, e) is False]
        late, neither = ([e for e, fit in astray if fit is one] for one in (True, False))
        both = len({below(e, 300) for e in late}) > 1
        if both and len(late) >= STRAYS and len(late) > len(neither):
            words = f"{len(late)} responses like this one are due to the request before them on their connection"
            since = {e.number for e in on_it if e.number >= late[0].number}
            return Cause(since, f"{words}, and not to their own: it is out of step, it seems")
    return None


def fits(e: Exchange, asked: Exchange) -> bool | None:
    """Whether a response may be due to a request, its own or another; None if that is open."""
    mistake = mistake_in(asked)
    if mistake is None or e.response is None:
        return None
    return e.status in DUE[mistake] if mistake else below(e, 300) and shows(e) == form_due(asked)


def one_for_all(exchanges: Sequence[Exchange]) -> Cause | None:
    """Return the successes with one body, or with pages in HTML, that several kinds of requests got now and then.

    Others that ask for the same must have got something else.
    """
    groups = defaultdict[str, list[Exchange]](list)
    for e in exchanges:
        if e.response and below(e, 300) and (e.body is not None or is_page(e)):
            groups[outcome_of(e)].append(e)
    got, alike = max(groups.items(), key=lambda group: len(set(map(form_due, group[1]))), default=("", []))
    found = {e.number for e in alike}
    others = {asked(e) for e in exchanges if e.response and e.response.body and e.number not in found}
    kinds, mixed = set(map(form_due, alike)), {asked(e) for e in alike} & others
    enough = len(alike) >= STRAYS and len(mixed) >= FEW
    if not enough or not (is_page(alike[0]) or (len(kinds) >= FEW and ("start" in kinds or not shows(alike[0])))):
        return None
    words = f"{len(alike)} responses are {got}, whatever was asked for"
    return Cause(found, f"{words}: something in front responds, such as a load balancer or a rate limit, it seems")


def form_due(e: Exchange) -> str:
    """Return of which form the response to a request is to be, if it is served."""
    if e.ask.starts or e.ask.resource != "exec":
        return "start" if e.ask.starts else e.ask.resource
    return "availability" if e.ask.pid == Pid.ABSENT else "output"


def mistake_in(e: Exchange) -> str | None:
    """Return why a request is to be refused, in words that may follow "with"; empty if it is not, None if unknown."""
    ask, polls = e.ask, e.request.method == "GET"
    if (
        ask.devious
        or ask.ordered
        or e.source == BURST
        or ask.resource in {"list", "other"}
        or not (polls or is_start(e))
    ):
        return None
    if ask.credential not in {"full", "read"}:
        return "a wrong key" if ask.credential in {"none", "wrong"} and ask.vps == "own" else None
    if ask.vps != "own":
        return WRONG_VPS.get(ask.vps)
    if ask.starts and ask.command is None:
        return "no valid command" if has_object(e.request) else None
    if ask.credential == "read" and ask.needs_write:
        return "too small a scope"
    if ask.pid in {Pid.INVALID, Pid.IMPOSSIBLE}:
        return "an invalid pid"
    if ask.pid == Pid.UNKNOWN and ask.credential == "full" and ask.number != 1:
        return "a pid of no command"
    # The agent may have forgotten any other command.
    return "" if (ask.is_passable if ask.starts else ask.pid in {Pid.ABSENT, Pid.RUNNING}) else None


def shows(e: Exchange) -> str:
    """Return of which form a response is, as far as that can be told from its members; empty if it cannot."""
    return next((form for name, form in FORMS.items() if member(e, name) is not None), "")


def names_its_request(e: Exchange) -> bool:
    """Whether few requests get the same body: it has the id of a request, or the pid of a command that has ended."""
    ended = isinstance(member(e, "pid"), int) and member(e, "exited") is not False
    return ended or isinstance(member(e, "requestId"), str)


def kept(exchanges: Sequence[Exchange]) -> Cause | None:
    """Return the responses with the body of an earlier one that names its request, if almost all are of one path.

    An error names its request by its requestId, and output the command by its pid.
    """
    before = defaultdict[bytes, list[Exchange]](list)
    found, of_path, of_url = list[Exchange](), 0, 0
    for e in exchanges:
        if e.response is None or e.request.method != "GET" or e.ask.resource == "other":
            continue
        earlier = before[e.response.body]
        named = isinstance(member(e, "requestId"), str) or is_of_another(e)
        if named and earlier and not overlap(earlier[0], e):
            found.append(e)
            of_path += any(one.request.path == e.request.path for one in earlier)
            of_url += any(one.request.target == e.request.target for one in earlier)
        earlier.append(e)
    if of_path < NEARLY * len(found) or len({e.response.body for e in found if e.response}) < FEW:
        return None
    errors = "errors have the body of an earlier one of the same URL, with its requestId: a cache keeps errors"
    others = "responses have the body of an earlier one of the same path, with its requestId or pid: a cache takes no"
    words = errors if of_url >= NEARLY * len(found) else f"{others} notice of the query"
    return Cause({e.number for e in found}, f"{len(found)} {words}, it seems")


def is_of_another(e: Exchange) -> bool:
    """Whether a poll got the end of another command, by its pid."""
    pid = member(e, "pid")
    return isinstance(pid, int) and member(e, "exited") is True and e.ask.number not in {pid, None}


def inherited(exchanges: Sequence[Exchange]) -> Cause | None:
    """Return the requests that should be refused, if they are let in after others whose keys may get what they get.

    These came on the same connection, first of all or at last, or in the whole run.
    """
    ways: dict[str, Callable[[Exchange], Exchange | None]] = {
        "the first request of its connection": first_of_connection(exchanges),
        "the request before it on its connection": before_it(exchanges, connection_of, has_valid_key),
        "the last request with any key on its connection": before_it(exchanges, connection_of, has_credential),
        "the request before it": before_it(exchanges, lambda _: 1, has_valid_key),
    }
    undue = [e for e in exchanges if may_not(e) and e.ask.endpoint and (below(e, 300) or e.status in {401, 403})]
    let_in = [e for e in undue if below(e, 300)]
    kinds = {e.ask.credential for e in let_in}
    refusals = [e for e in undue if not below(e, 300) and e.ask.credential in kinds]
    # What has no valid key gets 403 for the lack of a scope only if it is taken for a key.
    tells = len(refusals) >= FEW or any(e.status == 403 and e.ask.credential != "read" for e in refusals)
    for which, origin_of in ways.items():
        origins = [(e, origin_of(e)) for e in (*let_in, *refusals)]
        # Nobody knows in which order those came that were sent at once.
        ordered = [(e, origin) for e, origin in origins if not origin or BURST not in {origin.source, e.source}]
        agree = all(may_get(origin, e) is below(e, 300) for e, origin in ordered)
        if agree and tells and len(let_in) >= FEW:
            each = f"each of {len(let_in)} such requests came after one whose key may get that"
            counts = f"the key of {which} counts, it seems"
            return Cause({e.number for e in let_in}, f"{each}, and none of {len(refusals)} that were refused: {counts}")
    return None


def may_get(origin: Exchange | None, e: Exchange) -> bool:
    """Whether the key of another request may get what a request asks for."""
    reads = not e.ask.needs_write
    return origin is not None and (origin.ask.credential == "full" or (origin.ask.credential == "read" and reads))


def may_not(e: Exchange) -> bool:
    """A request for what its key may not see: any without a valid one, and polls and starts with read:vm alone.

    A poll of no command shows nothing, whoever may see it.
    """
    beyond_scope = e.ask.credential == "read" and e.ask.needs_write
    asks = e.ask.starts or (e.request.method == "GET" and (e.ask.pid.known or not e.ask.pid.is_integer))
    own = e.ask.vps == "own" and not e.ask.devious and not e.obeyed
    return own and asks and (e.ask.credential in {"none", "wrong"} or beyond_scope)


def first_of_connection(exchanges: Sequence[Exchange]) -> Callable[[Exchange], Exchange | None]:
    """Return what tells the first request of the connection of another one."""
    connections = by_connection(exchanges)
    return lambda e: connections[connection_of(e)][0] if connection_of(e) else None


def open_to_all(exchanges: Sequence[Exchange]) -> Cause | None:
    """Return the requests that should be refused, if what they got is given to each one without a key, or a wrong one.

    So it is not asked which key may see it.
    """
    undue = [e for e in exchanges if (may_not(e) or is_undue(e)) and e.response and not e.obeyed]
    for credential, id in {"none": "AUTH-01", "wrong": "AUTH-02"}.items():
        plain = [e for e in undue if e.ask.credential == credential and may_not(e) and e.request.method == "GET"]
        given = {form_due(e) for e in plain if below(e, 300)} - {form_due(e) for e in plain if not below(e, 300)}
        if given:
            found = {e.number for e in undue if below(e, 300) and (shows(e) or form_due(e)) in given}
            who = "without a key" if credential == "none" else "with a wrong key"
            told = f" ({id})" if any(below(e, 300) and e.ask.endpoint for e in plain) else ""
            return Cause(found, f"a request {who} gets it as well{told}", id)
    return None


def without_command(exchanges: Sequence[Exchange]) -> Cause | None:
    """Return the proper starts, if each was refused as one without a command is."""
    sent = [e for e in exchanges if is_start_on_own(e)]
    proper = [e for e in sent if e.ask.command is not None and e.ask.is_passable]
    got = {named_status(e) for e in proper}
    improper = {named_status(e) for e in sent if e.ask.command is None and has_object(e.request)}
    if len(proper) < FEW or len(got) > 1 or not got <= improper or proper[0].status not in {400, 422}:
        return None
    words = f"each start got {got.pop()}, as one without a command does: the command is not found in the body, it seems"
    return Cause({e.number for e in proper}, words)


def left_out(exchanges: Sequence[Exchange]) -> Cause | None:
    """Return the command output in which exited or exitCode is missing, if none has either of them false or 0.

    So do serializers that leave out what is false, 0 or empty (omitempty of Go, array_filter of PHP).
    """
    outputs = [e for e in exchanges if is_output(e) and e.ask.credential == "full" and e.ask.pid.known]
    missing = [e for e in outputs if "exited" not in e.body or ("exitCode" not in e.body and e.body["exited"] is True)]
    due = [e.body[name] for e in outputs for name in ("exited", "exitCode") if name in e.body]
    if len(missing) < FEW or len({"exited" in e.body for e in missing}) < 2 or not due or not all(due):
        return None
    words = "no command output has a member that is false or 0: what is false, 0 or empty is left out, it seems"
    return Cause({e.number for e in missing}, words, "POLL-01", says_more=True)


def refused_otherwise(exchanges: Sequence[Exchange]) -> Cause | None:
    """Return what all that should be refused for some mistakes got instead, if nothing got it that is to be served.

    Each kind of mistake must always get it, or never; but a page may come almost always, whatever else does.
    """
    outcomes = defaultdict[str, list[str]](list)
    for e in exchanges:
        if e.response and e.status != 429 and (mistake := mistake_in(e)) is not None:
            outcomes[mistake].append(form_of(e))
    served = set(outcomes.pop("", ()))
    most = {what: Counter(got).most_common(1)[0] for what, got in outcomes.items()}
    pages = {what for what, (got, number) in most.items() if "page" in got and number >= NEARLY * len(outcomes[what])}
    whole = {what: got for what, (got, number) in most.items() if what in pages or number == len(outcomes[what])}
    for got, number in Counter(whole.values()).most_common():
        kinds = {what for what in whole if whole[what] == got}
        undue = sorted(what for what in kinds if got not in map(str, DUE[what]))
        alike = [e for e in exchanges if e.response and not e.obeyed and form_of(e) == got]
        about_keys = len(undue) == 1 and undue[0] in ABOUT_KEYS
        mixed = any(got in others for what, others in outcomes.items() if what not in kinds)
        strange = below(alike[0], 300) and not shows(alike[0])
        # What fails for several mistakes, always, and for nothing that is to be served, may fail for some of another.
        fails = failed(alike[0]) and number > 1
        sure = about_keys or kinds <= pages or fails or (not mixed and (number >= FEW or strange))
        if undue and sure and got not in served and sum(len(outcomes[what]) for what in undue) >= STRAYS:
            (alike_all, *others) = {outcome_of(e) for e in alike}
            what = got if others else alike_all
            words = f"each request with {listed(undue, KINDS)} got {what}, and none that is to be served"
            numbers = {e.number for e in alike}
            return Cause(
                numbers,
                f"{words}: refusals are turned into that, it seems",
                weak=about_keys and not below(alike[0], 300),
            )
    return None


@decided_once
def outcome_of(e: Exchange) -> str:
    """Return the form of a response in words: its status code, or what it is with one of a success."""
    if not below(e, 300):
        return "a 5xx" if failed(e) else str(e.status)
    kind = "a page in HTML" if is_page(e) else "an error" if is_document(e) else short_json(e.body, 80)
    return f"{kind} with the status {e.status}"


def form_of(e: Exchange) -> str:
    """Return the same, but of an envelope its members alone: what they say differs from mistake to mistake."""
    is_envelope = below(e, 300) and isinstance(e.body, dict) and e.body and not (shows(e) or is_document(e))
    return f"a body with {named_members(e.body)}, with the status {e.status}" if is_envelope else outcome_of(e)


def of_another_form(exchanges: Sequence[Exchange]) -> Cause | None:
    """Return the errors that are no problem documents, where others are, if just those of one status or mistake are."""
    errors = [e for e in exchanges if is_error(e)]
    others = [e for e in errors if isinstance(e.body, dict) and {"type", "code"} & e.body.keys()]
    odd = [e for e in errors if e not in others]
    # What fails may well be no document, but the failure says more than its form.
    if len(odd) < STRAYS or 0 < len(others) < STRAYS or (others and all(map(failed, odd))):
        return None
    common = frozenset.intersection(*map(what_failed, odd)).difference(*map(what_failed, others)) if others else ()
    which = f"only the {len(odd)} errors {max(common)}" if common else of_few_statuses(odd, others)
    if not others and all(map(is_page, odd)):
        which = f"each of {len(odd)} errors is a page in HTML"
    elif not others and all(e.response and e.response.media_type.startswith("text/") for e in odd):
        which = f"each of {len(odd)} errors is sent as text, and not as JSON"
    which += f", none of {len(others)} others" if which and others else ""
    words = f"{which}: they are the framework's own, or of something in front, it seems"
    limits = "RATE-01" if {e.status for e in odd} == {429} else None
    return Cause({e.number for e in odd}, words, limits, says_more=True, weak=True) if which else None


def of_few_statuses(odd: Sequence[Exchange], others: Sequence[Exchange]) -> str:
    """Return that only errors of a few statuses are odd; empty if others have one of these as well."""
    of_odd, of_others = ({e.status for e in some} for some in (odd, others))
    if not of_others or not of_odd.isdisjoint(of_others) or len(of_odd) > KINDS:
        return ""
    return f"only the {len(odd)} errors with the status {listed(sorted(map(str, of_odd)), KINDS)}"


def what_failed(e: Exchange) -> frozenset[str]:
    """Return what an error is about, in words that may follow "an error"."""
    mistake = "a wrong key" if e.ask.credential in WITHOUT_KEY else mistake_in(e)
    return frozenset([f"with the status {e.status}", f"for {mistake}" if mistake else ""]) - {""}


#: What may explain several exchanges, the surest first.
CAUSES: tuple[Callable[[Sequence[Exchange]], Cause | None], ...] = (
    enveloped,
    kept_start,
    as_a_get,
    kept_decision,
    locked_out,
    shut_out,
    limited,
    few_connections,
    blocked,
    waiting,
    redirected,
    repeated,
    unreadable,
    of_wrong_types,
    refused_otherwise,
    without_query,
    without_query_at_times,
    out_of_step,
    one_late,
    one_for_all,
    kept_refusal,
    kept,
    copied,
    of_the_own_vps,
    inherited,
    without_command,
    left_out,
    of_another_form,
    open_to_all,
)
