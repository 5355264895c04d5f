"""RATE: the header fields of a 429."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from math import inf

from hostup_conformance.contract import ask
from hostup_conformance.contract.rules import Exchanges, Findings, rule
from hostup_conformance.contract.selectors import asks_availability, has_response
from hostup_conformance.http import times
from hostup_conformance.http.pace import leading_number
from hostup_conformance.keeping.safe_text import counted

#: By how many seconds two readings of the clock may differ.
CLOCK_OFF = 0.1
#: By how many seconds a moment may differ that is given in whole seconds, as the time of the response may be.
ROUNDED = 2.0
#: A day, in seconds; and from where on a number may be of milliseconds, since less is a short wait in either unit.
A_DAY, LEAST_MILLISECONDS = 86_400, 1_000
#: After how many waits in vain a limit does not reset, and how many responses in a row show that nothing was freed.
IN_VAIN, IN_A_ROW = 3, 4
LIMIT, REMAINING, RESET = "x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset"


def is_429(e: ask.Exchange) -> bool:
    """A GET, its HEAD, or a start that got a 429, by chance or because the request ordered one."""
    return (e.request.method in {"GET", "HEAD"} or ask.asks_start(e)) and e.status == 429


def field(e: ask.Exchange, name: str) -> str | None:
    """Return the value of a header field of the response, or None."""
    value = e.header(name)
    return value.strip() if value is not None else None


def reset_of(e: ask.Exchange) -> datetime | None:
    """Return when X-RateLimit-Reset says that the limit resets; None if it does not, or cannot be read."""
    return times.reset_moment(field(e, RESET) or "", e.server_time)


def seconds_to_wait(e: ask.Exchange) -> float | None:
    """Return for how many seconds Retry-After asks; None if it does not, or cannot be read."""
    return times.retry_after_seconds(field(e, "retry-after"), e.server_time)


@rule("RATE-01", seeks="429")
def has_retry_after(exchanges: Exchanges) -> Findings:
    """Retry-After must be there, with one value, which is a number of seconds or an HTTP-date."""
    for e in exchanges.each(is_429):
        text = field(e, "retry-after")
        if e.response and len(set(e.response.all("retry-after"))) > 1:
            yield e, "one Retry-After", ", ".join(e.response.all("retry-after"))
        elif seconds_to_wait(e) is None:
            got = f"Retry-After: {text}" if text is not None else "no such field"
            yield e, "Retry-After: seconds, or an HTTP-date", got


@rule("RATE-02", seeks="429")
def has_the_three_fields(exchanges: Exchanges) -> Findings:
    """Each of the three that is missing is a finding."""
    for e in exchanges.each(is_429):
        for name in ("X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset"):
            if field(e, name.lower()) is None:
                yield e, f"a header field {name}", "none"


def unreadable(e: ask.Exchange) -> Findings:
    """Yield a finding for each of the three header fields that is there and cannot be parsed."""
    for name in (LIMIT, REMAINING):
        if (text := field(e, name)) is not None and leading_number(text) is None:
            yield e, f"{name}: an integer of 0 or more", text
    limit, remaining = leading_number(field(e, LIMIT)), leading_number(field(e, REMAINING))
    if limit is not None and remaining is not None and remaining > limit:
        yield e, f"{REMAINING} at most {limit}", str(remaining)
    if (text := field(e, RESET)) is not None and reset_of(e) is None:
        yield e, f"{RESET}: a timestamp, or a number of seconds", text


@rule("RATE-03", seeks="429")
def fields_can_be_parsed(exchanges: Exchanges) -> Findings:
    """Only header fields that are there are judged: RATE-02 says which must be.

    For X-RateLimit-Reset, any common form of a timestamp passes, and so does a number of seconds. For the other two, an
    integer may be followed by a list.
    """
    for e in exchanges.each(is_429):
        yield from unreadable(e)


@rule("RATE-04", seeks="429 with an X-RateLimit-Reset")
def reset_is_a_date_time(exchanges: Exchanges) -> Findings:
    """A timestamp or number in any other form is a finding. RATE-03 judges a value that cannot be read at all."""
    for e in exchanges.each(is_429, lambda e: field(e, RESET) is not None):
        text = field(e, RESET) or ""
        if times.rfc3339(text) is None and reset_of(e) is not None:
            yield e, f"{RESET}: an RFC 3339 date-time", text


@rule("RATE-05", seeks="429 with an X-RateLimit-Remaining")
def nothing_remains(exchanges: Exchanges) -> Findings:
    """A number above 0 is a finding. RATE-03 judges one that is above the limit."""
    for e in exchanges.each(is_429, lambda e: leading_number(field(e, REMAINING)) is not None):
        remaining, limit = leading_number(field(e, REMAINING)) or 0, leading_number(field(e, LIMIT))
        if remaining and (limit is None or remaining <= limit):
            yield e, f"{REMAINING}: 0", str(remaining)


@rule("RATE-06", seeks="429 with a Retry-After")
def retry_after_agrees_with_reset(exchanges: Exchanges) -> Findings:
    """Retry-After must be at most a day, and as a date not more than two seconds past. RATE-07 judges other units.

    X-RateLimit-Reset, where it can be read, must be within a minute of the moment that Retry-After gives.
    """
    for e in exchanges.each(is_429, lambda e: seconds_to_wait(e) is not None and not in_another_unit(e)):
        now, wait, reset = e.server_time, seconds_to_wait(e) or 0.0, reset_of(e)
        over = now + timedelta(seconds=wait)
        off = (over - reset).total_seconds() if reset is not None else 0.0
        hours, why = round(off / 3600), ""
        if hours and abs(off - 3600 * hours) <= 2 * ROUNDED + 2:
            why = f": they are {counted(abs(hours), 'hour')} apart, as times of two zones, it seems"
        if wait > A_DAY:
            yield e, "a Retry-After of at most a day", f"{wait:g} seconds{why}"
        past = times.http_date(field(e, "retry-after") or "")
        if past and now - past > timedelta(seconds=2):
            yield e, "a Retry-After in the future", field(e, "retry-after")
        if reset is not None and abs(reset - over) > timedelta(minutes=1):
            yield e, f"{RESET} near {over.isoformat(timespec='seconds')} (Retry-After)", f"{field(e, RESET)}{why}"


@rule("RATE-07", seeks="429 with a Retry-After")
def retry_after_is_seconds(exchanges: Exchanges) -> Findings:
    """A Retry-After that is an HTTP-date is a finding. RATE-01 judges one that is neither.

    So is a number that is the time, in seconds since 1970, or a thousand times the seconds until X-RateLimit-Reset.
    """
    for e in exchanges.each(is_429, lambda e: field(e, "retry-after") is not None):
        value, unit = field(e, "retry-after") or "", in_another_unit(e)
        if times.http_date(value) or unit:
            yield e, "a number of seconds", f"{value}{unit}"


def in_another_unit(e: ask.Exchange) -> str:
    """Return which unit a Retry-After is in, if it is a number that is not of seconds to wait; else nothing."""
    wait, now, reset = leading_number(field(e, "retry-after")) or 0, e.server_time, reset_of(e)
    if abs(wait - now.timestamp()) < A_DAY:
        return ": it is the time at which the limit resets, in seconds since 1970, it seems"
    thousandth = reset is not None and abs((reset - now).total_seconds() - wait / 1000) <= ROUNDED
    return ": it is in milliseconds, it seems" if thousandth and wait >= LEAST_MILLISECONDS else ""


def has_limits(e: ask.Exchange) -> bool:
    """A response, other than a 429, with one of the three header fields."""
    given = any(field(e, name) is not None for name in (LIMIT, REMAINING, RESET))
    return e.response is not None and e.status != 429 and given


@rule("RATE-08", seeks="X-RateLimit header field")
def limits_make_sense(exchanges: Exchanges) -> Findings:
    """X-RateLimit-Limit and X-RateLimit-Remaining must be integers of 0 or more, the latter at most the former.

    X-RateLimit-Reset must be readable, at most ten seconds in the past and at most a year in the future, since some
    limits are for a month. Where none is ever in the future, it must not be past: then it says when the limit began. A
    missing header field passes, and so do a list after an integer, and -1 for a key without limits.
    """
    selected = exchanges.each(has_limits)
    ahead = {e.number: reset - e.server_time for e in selected if (reset := reset_of(e)) is not None}
    never = max(ahead.values(), default=timedelta.max) <= timedelta(seconds=ROUNDED)
    earliest, latest = -timedelta(seconds=ROUNDED if never else 10), timedelta(days=366)
    began = ": none is in the future, so it says when the limit began, it seems" if never else ""
    for e in selected:
        if field(e, LIMIT) == "-1":
            continue
        yield from unreadable(e)
        if e.number in ahead and not earliest <= ahead[e.number] <= latest:
            now = e.server_time.isoformat(timespec="seconds")
            yield e, f"{RESET} after {now}, within a year", f"{field(e, RESET)}{began}"


@rule("RATE-09", seeks="429 after which the run waited as told")
def waiting_is_enough(exchanges: Exchanges) -> Findings:
    """A second 429 is a finding if only the same request was sent again, after all of Retry-After had passed.

    The request may have been sent again several times, each time after all of the newest Retry-After. Since the
    first Retry-After may have been rounded, one more second than it asked for must have passed.

    If another request was under way in between, the second 429 passes, since that request may have used up the limit.
    So does one before which the run did not wait, and one for a start, since starts may have a limit of their own. A
    request of any other method is judged, since a limit counts them all.
    """
    selected = exchanges.known(has_response)
    for first, *later in waited_for(selected):
        again = [exchanges.take(e) for e in later]
        if e := next((e for e in again if is_in_vain(first, e, selected)), None):
            since = f"{seconds_between(first, e):.1f} s after Retry-After: {field(first, 'retry-after')}"
            yield e, f"no 429, {since}", "429"
            return


@rule("RATE-11", seeks="429 after which the run waited as told")
def limit_resets(exchanges: Exchanges) -> Findings:
    """The fourth 429 in a row is a finding, if only the same request was sent again, each time as late as was asked.

    A second and more must have passed beyond what the first Retry-After asked for. RATE-09 judges the second 429, and a
    Retry-After of 0, which does not say when the limit resets. Only requests with a valid key are judged, since a wrong
    one may be locked out; and no live server, since others may use its limit up meanwhile.
    """
    selected = exchanges.known(has_response) if not exchanges.target.is_live else []
    entitled = [row for row in waited_for(selected) if row[0].ask.credential in {"full", "read"}]
    for row in [row for row in entitled if seconds_to_wait(row[0])]:
        first, last = row[0], exchanges.take(row[-1])
        if len(row) > IN_VAIN and is_in_vain(first, last, selected):
            expected = f"another status code than 429 once Retry-After has passed {len(row) - 1} times"
            yield last, expected, f"429 again, {seconds_between(first, last):.1f} s after the first"
            return


def waited_for(selected: list[ask.Exchange]) -> Iterator[list[ask.Exchange]]:
    """Yield each request that was sent several times in a row, each time after all of the Retry-After of a 429."""
    row = selected[:1]
    for before, e in pairwise(selected):
        wait = seconds_to_wait(before) if before.limited else None
        again = is_again(e, before) and e.number == before.number + 1
        if again and wait is not None and seconds_between(before, e) >= wait - CLOCK_OFF:
            row.append(e)
            continue
        if len(row) > 1:
            yield row
        row = [e]
    if len(row) > 1:
        yield row


def is_in_vain(first: ask.Exchange, last: ask.Exchange, selected: list[ask.Exchange]) -> bool:
    """Whether a 429 came after all of the Retry-After of the first, and no other request was under way in between."""
    if not last.limited or seconds_between(first, last) < (seconds_to_wait(first) or 0.0) + 1:
        return False
    since = [e for e in selected if ended(e) >= ended(first)]
    return len([e for e in since if e.when and e.when <= ended(last)]) == last.number - first.number + 1


@rule("RATE-12", seeks="limit whose X-RateLimit-Reset passed during the run")
def resets_when_it_says(exchanges: Exchanges) -> Findings:
    """X-RateLimit-Remaining must not go down by one with each response, for twice as long as any of them says.

    By then, something must have been freed, whatever the limit is: of a window that is fixed or slides, or of a bucket.
    There must have been four responses, and two seconds more must have passed, since moments are rounded.
    """
    rows: dict[tuple[str | None, int | None], Row] = {}
    for e in exchanges.known(has_limits):
        key = e.request.header("authorization"), leading_number(field(e, LIMIT))
        remaining, announced = leading_number(field(e, REMAINING)), reset_of(e)
        if remaining is None or announced is None:
            continue
        row = rows.setdefault(key, Row(e))
        if timedelta() < row.longest < e.server_time - row.first.server_time:
            exchanges.take(e)
        if remaining != row.remaining - 1:
            row = rows[key] = Row(e)
        row.count, row.remaining = row.count + 1, remaining
        row.longest = max(row.longest, announced - e.server_time)
        passed = e.server_time - row.first.server_time
        if row.count >= IN_A_ROW and timedelta() < row.longest < (passed - timedelta(seconds=ROUNDED)) / 2:
            said = f"{REMAINING}: {remaining}, one less with each of {row.count} responses"
            expected = f"more to remain, {passed.total_seconds():.0f} s after request {row.first.number}"
            yield e, f"{expected}, which said {RESET}: {field(row.first, RESET)}", said
            return


@rule("RATE-13", seeks="request after X-RateLimit-Remaining: 0")
def what_is_beyond_gets_429(exchanges: Exchanges) -> Findings:
    """A probe that got 200 before must get 429 or be served, after a response with X-RateLimit-Remaining: 0.

    It is judged until X-RateLimit-Reset has passed. HTTP-08 judges a 5xx, but for a 503 where no request gets 429.
    """
    instead = {*range(400, 500)} - {429} | (set[int]() if any(e.limited for e in exchanges.everything) else {503})
    served, used_up = set[tuple[str | None, str]](), dict[str | None, datetime]()
    probes = {e.number for e in exchanges.known(asks_availability, has_response, lambda e: not e.obeyed)}
    for e in exchanges.everything:
        # A 429 or a 503 counts, though its request was sent again, and served.
        refused = e.limited or (e.status == 503 and 503 in instead)
        if e.number not in probes and not (refused and e.request.method == "GET"):
            continue
        key = e.request.header("authorization")
        until = used_up.get(key)
        if (key, e.request.target) in served and until and e.server_time < until:
            exchanges.take(e)
            if e.status in instead:
                yield e, "status 429, since none remained (X-RateLimit-Remaining: 0)", e.status
        if e.status == 200:
            served.add((key, e.request.target))
        reset = reset_of(e)
        if e.status == 200 and reset and leading_number(field(e, REMAINING)) == 0:
            used_up[key] = reset


@dataclass
class Row:
    """Responses to one key in a row, each of which says that one request less remains than before."""

    first: ask.Exchange
    count: int = 0
    remaining: int = 0
    #: The longest time after which the limit is said to reset.
    longest: timedelta = timedelta()


def is_again(e: ask.Exchange, before: ask.Exchange) -> bool:
    """Whether a request is the same as another, and neither a start nor one that ordered its response."""
    asked = {(x.request.method, x.request.target, x.request.header("authorization")) for x in (before, e)}
    return len(asked) == 1 and not any(x.obeyed or x.ask.starts for x in (before, e))


def seconds_between(before: ask.Exchange, e: ask.Exchange) -> float:
    """Return how many seconds passed between a response and a later request; less than none if that is unknown."""
    return (e.when - before.when).total_seconds() - before.seconds if e.when and before.when else -inf


def ended(e: ask.Exchange) -> datetime:
    """Return when a response was complete; if that is unknown, the earliest possible moment."""
    return e.when + timedelta(seconds=e.seconds) if e.when else datetime.min.replace(tzinfo=UTC)
