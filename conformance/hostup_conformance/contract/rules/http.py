"""HTTP: transport, media types, JSON, status codes and methods."""

import re
from bisect import bisect_left
from collections.abc import Iterable
from datetime import UTC, timedelta
from email.utils import format_datetime
from itertools import pairwise
from statistics import median
from typing import Any

from hostup_conformance.contract import ask, content, oracles, problems, responder, selectors
from hostup_conformance.contract.causes.widespread import few_connections
from hostup_conformance.contract.rules import Exchanges, Findings, rule
from hostup_conformance.http.messages import says_to_close
from hostup_conformance.http.times import http_date, is_imf_fixdate
from hostup_conformance.keeping.safe_text import counted, short_json

#: The status codes of errors that the endpoint's documentation and the error reference list.
DOCUMENTED = {*problems.codes_by_status(), *problems.RELATED_STATUSES}
#: How many connections a server may drop in a run, as when its workers are replaced; and how often it is down where it
#: does not just start again once.
FEW_RESTARTS, AGAIN_AND_AGAIN = 3, 3
#: The length (in characters) from which a path with its query is long: buffers of 4 KiB are common, which may have to
#: hold it twice, as that of uWSGI has to.
LONG = 2000
#: The header fields that are dates; Expires is often something else on purpose, such as 0.
DATES = ("Date", "Last-Modified")
#: What takes so many seconds, and so many times as long as is usual, takes long.
A_SECOND, MUCH_LONGER = 1.0, 5
#: How many probes at the beginning of a run, and at its end, show that a server gets slower.
FEW_PROBES = 3
#: RFC 9110, section 8.8.3.
ENTITY_TAG = re.compile(r'(W/)?"[\x21\x23-\x7e\x80-\xff]*"')
#: RFC 9211, section 2.1; and what lets a shared cache respond to a request with a key (RFC 9111, section 3.5).
HIT, LETS_SHARE = re.compile(r";\s*hit\b(?!\s*=\s*\?0)"), {"public", "s-maxage", "must-revalidate"}
LONE_SURROGATE = re.compile(r"[\ud800-\udfff]")


@rule("HTTP-25", seeks="request after one with content")
def content_is_read(exchanges: Exchanges) -> Findings:
    """A request that follows content on its connection must get what it gets otherwise: 200.

    The content is that of a GET, or of a start without a key. A connection that is closed after it passes, and so do a
    429, a gateway's failure, and any status code that other requests which should get 200 got as well; and what broke,
    where other responses did. No other rule judges that request, and it is judged only if the same request gets 200
    later in the run.
    """
    elsewhere = {e.status for e in exchanges.known(selectors.asks_availability)}
    elsewhere |= {e.status for e in exchanges.known(selectors.asks_output) if e.status in {401, 403}}
    elsewhere |= {e.status for e in exchanges.known(well_formed, content.failed) if e.status != 501}
    breaks = {e.lost for e in exchanges.known(lambda e: e.response is None)}
    probes = exchanges.known(lambda e: selectors.asks_availability(e) and e.status == 200)
    contents = {e.number: e.request.method for e in exchanges.known(lambda e: bool(e.request.body))}
    numbers = sorted(contents)
    for e in exchanges.each(lambda e: e.aside, whole_run=True):
        broke = e.lost in {"dropped", "refused"} or (e.response is None and e.lost in breaks)
        passes = broke or e.status in {200, 429, *elsewhere} or responder.may_pass(e)
        if not passes and any(one.request == e.request and one.number > e.number for one in probes):
            got = content.status_of(e) if e.response else e.failure
            before = numbers[max(0, bisect_left(numbers, e.number) - 1)] if numbers else 0
            unread = f"the server did not read the body of the {contents.get(before, 'request')} before, it seems"
            yield e, "status 200, as elsewhere", f"{got}: {unread}, and took it for a request"


def has_long_line(e: ask.Exchange) -> bool:
    """A request line that is longer than front ends have to accept."""
    return len(e.request.target) > LONG


def well_formed(e: ask.Exchange) -> bool:
    """A GET of the endpoint whose id and pid have the documented form."""
    return selectors.understood(e) and e.ask.vps != "malformed" and e.ask.pid.well_formed


def is_json(e: ask.Exchange) -> bool:
    """A GET of the endpoint, or a start, with a 200 or an error that claims to be JSON, whoever wrote it.

    A malformed id is no excuse: whatever a body quotes has to be escaped. Of the list and the status, which a server
    need not offer, only a 200 counts.
    """
    asked = ask.asks_start(e) or (e.request.method == "GET" and e.ask.endpoint)
    is_success = e.status == 200 and (asked or selectors.asks_either(e))
    is_success = is_success and not responder.is_nothing_for_bad_encoding(e)
    labelled = e.response is not None and e.response.media_type.endswith("json")
    return labelled and (is_success or (asked and (e.status or 0) >= 400))


@rule("HTTP-01")
def response_is_complete(exchanges: Exchanges) -> Findings:
    """The response must be complete, within the limits of time and size, and nothing may follow it.

    Its status code must lie between 200 and 599, it must not have both Content-Length and Transfer-Encoding, and the
    lines of its header section must end in CRLF, which some clients need. Up to three connections may be lost where the
    same request then gets a response, and twice the server may not accept any for a while, as when it is started anew;
    HTTP-08 warns of that. Content with another method than POST need not be read, and a connection that ends at once
    then passes (RFC 9110 section 9.3.1): the unread content may cost the response (RFC 9112 section 9.6). More may
    follow the response to a chunked request, as from a server that does not know chunks and takes them for another
    request; START-24 judges that. What got lost since it waited for the end of other connections, which the run kept
    open, passes if its like was served at once when none was kept.
    """
    queued = few_connections(exchanges.everything)
    waited = queued.numbers if queued else set[int]()
    selected = exchanges.each(selectors.is_unspoilt, lambda e: not has_long_line(e), whole_run=True)
    dropped = sum(e.recovered and e.lost == "dropped" for e in selected)
    passes = {"dropped": dropped <= FEW_RESTARTS, "refused": times_down(selected) < AGAIN_AND_AGAIN}
    for e in selected:
        ended = e.failure and not e.is_long and e.request.method != "POST" and e.request.body
        if ended or e.number in waited:
            continue
        if e.failure and not (e.recovered and passes.get(e.lost or "", True)):
            yield e, "one complete response", e.failure
        if e.status is not None and not 200 <= e.status < 600:
            yield e, "a status from 200 to 599", e.status
        if e.header("content-length") is not None and e.header("transfer-encoding") is not None:
            yield e, "Content-Length or Transfer-Encoding", "both"
        if e.response and e.response.has_bare_ends:
            yield e, "header lines that end in CRLF", "one that ends in a line feed alone, which some clients refuse"
        if e.response and e.response.surplus and e.request.method != "HEAD" and not responder.is_chunked(e):
            bare = f", since a {e.status} has no content" if e.status in {204, 304} else ""
            yield e, f"nothing after the response{bare}", e.response.surplus


def times_down(exchanges: list[ask.Exchange]) -> int:
    """Return how often a server did not accept connections, and did so before and after."""
    accepts = [e.lost != "refused" for e in exchanges if e.response or e.lost == "refused"]
    return sum(before and not now for before, now in pairwise(accepts))


@rule("HTTP-20", seeks="long request line")
def long_line_gets_a_response(exchanges: Exchanges) -> Findings:
    """Any response passes, such as a 414. A connection that is closed without a response is a finding."""
    for e in exchanges.each(has_long_line):
        if e.failure:
            yield e, "a response, 414 for instance", e.failure


def is_good(e: ask.Exchange) -> bool:
    """A GET of the endpoint, or the start of a command, that got a 200."""
    return selectors.succeeded(e) or ask.is_started(e)


def is_success(e: ask.Exchange) -> bool:
    """A 200 of any operation."""
    return is_good(e) or selectors.gives_either(e)


def not_for_a_monitor(e: ask.Exchange) -> bool:
    """Whether a response is none that a front end has for monitors alone."""
    return not responder.is_for_a_monitor(e)


@rule("HTTP-02", seeks="success with a media type")
def success_is_json(exchanges: Exchanges) -> Findings:
    """The header field must be application/json, once.

    A charset passes if it is UTF-8, or US-ASCII, which is a part of UTF-8. What a front end tells a monitor passes.
    """
    for e in exchanges.each(is_success, lambda e: e.header("content-type") is not None, not_for_a_monitor):
        content_type = ", ".join(dict.fromkeys(e.response.all("content-type"))) if e.response else ""
        if e.response and (e.response.media_type != "application/json" or "," in content_type.partition(";")[0]):
            yield e, "Content-Type: application/json", content_type
        if content.charset(content_type) not in content.UTF_8:
            yield e, "charset=utf-8, or none", content_type


@rule("HTTP-03", seeks="JSON")
def json_is_valid(exchanges: Exchanges) -> Findings:
    """The body must be one JSON text by the letter of RFC 8259, and nothing else.

    Each defect is a finding of its own. The page with which a front end refuses what is too large passes, and
    so does a rate limiter that repeats a path that is not UTF-8.
    """
    for e in exchanges.each(lambda e: is_success(e) or is_json(e), not_for_a_monitor):
        limited = responder.responded(e, responder.Who.LIMITER) and responder.is_hard_to_decode(e)
        if e.response and not limited and not selectors.by_front_end(e):
            for defect in e.response.json.defects:
                yield e, "one JSON text in UTF-8", defect


@rule("HTTP-04", seeks="JSON")
def json_reads_alike(exchanges: Exchanges) -> Findings:
    """At no depth may an object have the same member name twice, or a string half of a surrogate pair."""
    for e in exchanges.each(is_json):
        if e.response and e.response.json.duplicates:
            yield e, "each member name once", f"repeated: {', '.join(e.response.json.duplicates)}"
        if e.response and any(LONE_SURROGATE.search(text) for text in content.strings(e.body)):
            yield e, "strings of Unicode characters", "half of a surrogate pair"


@rule("HTTP-05")
def success_is_200(exchanges: Exchanges) -> Findings:
    """A 2xx status code other than 200 is a finding. Requests with a malformed id are exempt."""
    for e in exchanges.each(selectors.understood, lambda e: e.ask.vps != "malformed"):
        if e.status is not None and 200 < e.status < 300:
            yield e, "status 200, or an error", content.show_status(e)


@rule("HTTP-06")
def no_redirect(exchanges: Exchanges) -> Findings:
    """Any 3xx status code is a finding.

    Malformed ids and pids are exempt, since some routers redirect those to a cleaner path.
    """
    for e in exchanges.each(well_formed):
        if e.status == 304:
            yield e, "no 304, since the request asks for no condition", content.status_of(e)
        elif e.status is not None and 300 <= e.status < 400:
            yield e, "no redirect", f"{e.status} to {e.header('location')}"


@rule("HTTP-07")
def status_is_documented(exchanges: Exchanges) -> Findings:
    """The status code must be one that the endpoint's documentation or the error reference lists.

    Malformed ids and pids are exempt; PID-02 judges the status code for a malformed pid. A 410 passes for a poll: it is
    a 404 that says more, and a server may not know which pids were ever started.
    """
    for e in exchanges.each(well_formed, selectors.is_error):
        if e.status not in DOCUMENTED and not (e.status == 410 and e.ask.pid != ask.Pid.ABSENT):
            yield e, f"one of {', '.join(map(str, sorted(DOCUMENTED)))}", content.status_of(e)


def should_not_fail(e: ask.Exchange) -> bool:
    """A request that should not get a 5xx, or whose failure did not occur again when it was repeated."""
    return (
        e.recovered
        or well_formed(e)
        or (selectors.understood(e) and (responder.is_hard_to_decode(e) or e.ask.pid == ask.Pid.STRANGE))
        or responder.responded(e, responder.Who.BUSY, responder.Who.GATEWAY)
        or (selectors.asks_either(e) and e.status != 501)
        or (ask.is_start(e) and (e.ask.unavailable or responder.is_deep(e)))
        or responder.is_page_of_parser(e)
    )


def ends_its_connection(e: ask.Exchange) -> bool:
    """A response after which the connection is closed."""
    return e.response is not None and says_to_close(e.response.headers)


@rule("HTTP-08")
def no_5xx(exchanges: Exchanges) -> Findings:
    """A 5xx is a finding, and so is a failure or a lost connection that did not occur again when it was repeated.

    A 408 that ends its connection passes then: that had been idle until just before (RFC 9110 section 15.5.9).
    A VPS whose agent is not available is exempt if the response is a problem document with another status code than
    500, since the server's own request to the agent may fail, but that is not unexpected; so are another VPS of the
    list, whose agent may be unavailable, a recorded request with a key whose scopes are unknown, and a start that found
    the server busy, as one of a proper command did. A 501 passes for the list and the status, which a server need not
    offer.
    """
    for e in exchanges.each(selectors.is_unspoilt, should_not_fail, whole_run=True):
        waited_for_another = e.is_long and e.beside_open
        if e.recovered and (waited_for_another or (e.status == 408 and ends_its_connection(e))):
            continue
        if e.recovered:
            got = f"{content.status_of(e) if e.status else e.failure}, and another a moment later"
            yield e, "the same response each time", got
            continue
        if (e.ask.unavailable and content.is_document(e) and e.status != 500) or e.ask.credential == "unnamed":
            continue
        if e.ask.starts and exchanges.found_it_busy(e):
            continue
        if e.status is not None and 500 <= e.status < 600:
            yield e, "no 5xx", content.status_of(e)


def is_gzip(e: ask.Exchange) -> bool:
    """Whether a body begins as gzip does (RFC 1952), which no JSON can."""
    return e.response is not None and e.response.body.startswith(b"\x1f\x8b")


@rule("HTTP-09", seeks="Content-Encoding")
def coding_is_accepted(exchanges: Exchanges) -> Findings:
    """The coding must be identity or one that the request's Accept-Encoding lists, and the body must decode by it.

    A body that begins as gzip does, and is not said to be it, is a finding too. A weight of 0 is not looked at: the
    compression of many frameworks does not know it.
    """
    for e in exchanges.each(lambda e: e.header("content-encoding") is not None or is_gzip(e)):
        if e.header("content-encoding") is None:
            yield e, "Content-Encoding: gzip, since the body is in gzip", "no Content-Encoding"
        accepted = (e.request.header("accept-encoding") or "").lower()
        codings = {part.partition(";")[0].strip() for part in accepted.split(",")}
        coding = (e.header("content-encoding") or "").strip().lower()
        if e.response and e.response.miscoded:
            more = f", and {e.response.surplus}" if e.response.surplus else ""
            yield e, "a body in the coding it names", f"{e.response.miscoded}{more}"
        elif coding not in {"identity", ""} and coding.removeprefix("x-") not in codings:
            yield e, f"a coding of Accept-Encoding: {accepted}", f"Content-Encoding: {coding}"


def is_good_or_error(e: ask.Exchange) -> bool:
    """A 200 or an error of the endpoint."""
    return is_good(e) or selectors.is_error(e)


@rule("HTTP-10")
def no_shared_cache_keeps_it(exchanges: Exchanges) -> Findings:
    """public, s-maxage, and a max-age above 0 without private are findings, unless no-store or no-cache is there too.

    So is an Expires in the future without max-age and private.

    A response that says nothing about caching passes, and so do a validator such as ETag, and public where every use
    has to be validated with the server (max-age=0, must-revalidate).
    """
    for e in exchanges.each(is_good_or_error):
        if content.is_shared(e) or (content.fresh_seconds(e) > 0 and "private" not in content.cache_directives(e)):
            yield e, "Cache-Control: no-store or private, or no Cache-Control", shown_caching(e)


def shown_caching(e: ask.Exchange) -> str:
    """Return, for a finding, the header fields that say how long a response may be kept."""
    fields = ((name, e.header(name.lower())) for name in ("Cache-Control", "Expires"))
    return ", ".join(f"{name}: {value}" for name, value in fields if value is not None)


@rule("HTTP-11", seeks="method other than GET")
def other_methods_are_refused(exchanges: Exchanges) -> Findings:
    """PUT, PATCH and DELETE must be refused: 404, 405 and 501 all pass.

    A POST that starts nothing may succeed, but must not return the availability or command output. A 500 is
    a finding for every method. The response to a start is exempt, since others judge it.
    """
    for e in exchanges.each(selectors.has_response, lambda e: e.request.method != "GET"):
        if e.status == 500 and not e.ask.starts:
            yield e, "another status than 500", content.show_status(e)
        elif e.request.method in {"PUT", "PATCH", "DELETE"} and content.below(e, 400):
            starts = ", and a pid, as if it had started a command" if content.present(e, ("pid", "pollUrl")) else ""
            yield e, "a refusal (405)", f"{content.show_status(e)}{starts}"
        elif e.request.method == "POST" and ask.new_pid(e) is None and content.present(e, ("available", "exited")):
            yield e, "a refusal, or the pid of a started command", content.named_members(e.body)


@rule("HTTP-12", seeks="HEAD")
def head_has_no_body(exchanges: Exchanges) -> Findings:
    """Any byte after the header section of the response is a finding."""
    for e in exchanges.each(selectors.has_response, lambda e: e.request.method == "HEAD"):
        if e.response and e.response.surplus:
            yield e, "no body", e.response.surplus


def is_sound(e: ask.Exchange) -> bool:
    """Whether a client has no reason to refuse a response: it is labelled as JSON, valid, and what was asked for."""
    if e.response is None or e.response.json.defects or e.response.json.duplicates:
        return False
    other_shape = () if ask.is_start(e) else content.OUTPUT if e.ask.pid == ask.Pid.ABSENT else content.AVAILABILITY
    return e.response.media_type == "application/json" and not content.present(e, other_shape) and oracles.conforms(e)


@rule("HTTP-13", seeks="call by the generated client")
def generated_client_agrees(exchanges: Exchanges) -> Findings:
    """Where a plain GET got 200, the same call through the client must get 200 too, unless the server was busy.

    A poll that reported the end of a command is not compared, since that may be forgotten after it. What the client
    decodes from a 200 must equal the JSON body, and it must not raise an error for a valid one.
    """
    others = exchanges.known(selectors.understood, lambda e: e.decoded is None and e.ask.pid != ask.Pid.FINISHED)
    plain = {(e.ask, e.request.target): e for e in others}
    for e in exchanges.each(
        lambda e: e.decoded is not None and (selectors.understood(e) or e.obeyed or ask.is_start(e))
    ):
        if e.decoded is None:
            continue
        twin = plain.get((e.ask, e.request.target)) if e.request.method == "GET" else None
        ended = twin and content.member(twin, "exited") is True
        if twin and not ended and twin.status == 200 != e.status and e.status not in {429, 502, 503, 504}:
            accepted = f", for Accept: {e.request.header('accept')}" if e.status == 406 else ""
            yield e, f"status {twin.status}, as request {twin.number} got", f"{content.status_of(e)}{accepted}"
        if e.status == 200 and e.decoded.raised is None and e.decoded.value != e.body:
            yield e, "the body as the server sent it", f"decoded: {short_json(e.decoded.value, 400)}"
        if e.status == 200 and e.decoded.raised and is_sound(e):
            yield e, "the decoded body", f"{e.decoded.raised}, although the body is valid"


@rule("HTTP-15", seeks="405")
def allow_lists_the_methods(exchanges: Exchanges) -> Findings:
    """Allow must be there and must not list the refused method. On the endpoint's own path it must list GET.

    Where a request names another method to be taken for, either may be the refused one.

    TRACE is exempt: front ends refuse it for all paths alike, some without Allow.
    """
    refused = exchanges.each(lambda e: e.status == 405 and e.request.method != "TRACE")
    # A server should serve HEAD where it serves GET (RFC 9110 section 9.1), so that is told first.
    for e in sorted(refused, key=lambda e: e.request.method != "HEAD"):
        head = ", or better no 405 for HEAD" if e.request.method == "HEAD" else ""
        allowed = e.header("allow")
        methods = [method.strip() for method in (allowed or "").split(",")]
        meant = {e.request.method, *ask.overrides_of(e.request)}
        if allowed is None:
            yield e, f"an Allow header field{head}", "none"
        elif meant <= set(methods):
            method = " or ".join(sorted(meant))
            yield e, f"no 405 for {method} if Allow lists it, or else Allow without {method}", f"Allow: {allowed}"
        elif "GET" not in methods and e.ask.endpoint:
            yield e, "Allow with GET", f"Allow: {allowed}"


def is_beside(e: ask.Exchange) -> bool:
    """A request for another path below the agent's."""
    return e.ask.resource == "other" and "/agent/" in e.request.target and ".." not in e.request.target


@rule("HTTP-16", seeks="path beside the endpoint's")
def neighbouring_paths_are_refused(exchanges: Exchanges) -> Findings:
    """A status code below 300 for a GET is a finding. Any error passes, and so does a redirect."""
    for e in exchanges.each(selectors.has_response, is_beside):
        if content.below(e, 300) and e.request.method == "GET":
            yield e, "a refusal (404)", content.show_status(e)


def may_be_asked_for_its_date(e: ask.Exchange) -> bool:
    """A response that has a Date, or from which nobody can have left it out."""
    return e.header("date") is not None or e.source != "har"


@rule("HTTP-17")
def date_is_now(exchanges: Exchanges) -> Findings:
    """The header field must be there, within an hour of the clock of the machine that sent the request.

    A 5xx may do without (RFC 9110 section 6.6.1), and HTTP-26 judges a Date that is no date. Of a recording, from which
    it may have been left out, only one that is there is judged.
    """
    for e in exchanges.each(is_good_or_error, may_be_asked_for_its_date):
        text = e.header("date")
        date = http_date(text or "")
        if text is None and content.below(e, 500):
            yield e, "a Date", "none"
        elif e.when and date and abs(date - e.when) > timedelta(hours=1):
            yield e, f"Date: about {format_datetime(e.when.astimezone(UTC), usegmt=True)}", text


@rule("HTTP-26", seeks="Date or ETag")
def dates_have_their_form(exchanges: Exchanges) -> Findings:
    """Another form of a date is a finding, also one of the obsolete ones, which a server must not send.

    So is a Last-Modified more than a minute after Date, and an ETag without quotes.
    """
    for e in exchanges.each(lambda e: any(e.header(name.lower()) is not None for name in (*DATES, "etag"))):
        for name in DATES:
            text = e.header(name.lower())
            if text is not None and not is_imf_fixdate(text):
                yield e, f"{name}: a date such as Sun, 06 Nov 1994 08:49:37 GMT", text
        date, modified = (http_date(e.header(name.lower()) or "") for name in DATES)
        if date and modified and modified - date > timedelta(minutes=1):
            yield e, f"Last-Modified: at most Date, {e.header('date')}", e.header("last-modified")
        if (tag := e.header("etag")) is not None and not ENTITY_TAG.fullmatch(tag):
            yield e, f'ETag: "{tag}", in quotes', tag


@rule("HTTP-27", seeks="request for a part")
def parts_are_named(exchanges: Exchanges) -> Findings:
    """A 206 without Content-Range is a finding. So is a 200 whose body is no whole JSON text, where others are.

    A server may ignore a Range, and may refuse one that it cannot satisfy.
    """
    parts = exchanges.each(selectors.has_response, lambda e: e.ask.endpoint and e.request.header("range") is not None)
    others = exchanges.known(selectors.is_availability, lambda e: e.request.header("range") is None)
    for e in parts:
        if e.status == 206 and e.header("content-range") is None:
            yield e, "status 200, or a Content-Range with 206", "status 206 without Content-Range"
        elif e.status == 200 and others and not selectors.has_json(e):
            yield e, "the whole body with status 200", "a part of it"


@rule("HTTP-18")
def body_has_a_media_type(exchanges: Exchanges) -> Findings:
    """Every body of a 200, 4xx or 5xx must come with a Content-Type."""
    for e in exchanges.each(is_good_or_error, lambda e: e.response is not None and bool(e.response.body)):
        if e.header("content-type") is None:
            yield e, "a Content-Type header field", "none"


@rule("HTTP-19")
def size_is_bounded(exchanges: Exchanges) -> Findings:
    """A response above the limit for its kind is a finding: no correct server comes near it.

    The suite stops reading there, and judges no other requirement by such a response.
    """
    for e in exchanges.each(lambda e: e.response is not None or e.too_large is not None):
        if e.too_large:
            yield e, "a response within the limit for its kind", f"one above it: {e.too_large}"


def sent_with_others(exchanges: list[ask.Exchange]) -> set[int]:
    """Return the numbers of the exchanges that overlapped with others in time."""
    timed = sorted((e.when.timestamp(), e.when.timestamp() + e.seconds, e.number) for e in exchanges if e.when)
    found: set[int] = set()
    last_end, last_number = 0.0, 0
    for began, ended, number in timed:
        if began < last_end - 0.001:
            found |= {number, last_number}
        if ended > last_end:
            last_end, last_number = ended, number
    return found


def substance(e: ask.Exchange) -> dict[str, Any]:
    """Return the parts of a response that should be the same whenever the same request is sent."""
    body = e.body if isinstance(e.body, dict) else {}
    if e.status == 200:
        return {"status": 200, "available": body.get("available"), "is output": "exited" in body}
    path = body["instance"].partition("?")[0] if isinstance(body.get("instance"), str) else ""
    return {"status": e.status, "code": body.get("code"), "instance": path.endswith(e.request.path)}


#: Requests that should get the same response as any with the same kinds of key, VPS and pid, if that is below 2**31.
of_plain_kinds = selectors.asking(
    credential={"full", "read", "none", "wrong"},
    vps={"own", "unavailable", "foreign", "unknown"},
    pid={ask.Pid.ABSENT, ask.Pid.RUNNING, ask.Pid.UNKNOWN},
)


@rule("HTTP-21", seeks="request that was sent at once with others")
def responses_are_not_mixed_up(exchanges: Exchanges) -> Findings:
    """A request that was sent together with others must get the response that it got alone.

    Responses to requests with the same kind of key, VPS and pid are compared by the status code, available, whether
    they are command output, the code of an error, and whether instance is the path. A 429 and a 5xx pass, since the
    server may be busy, and so does all where a 5xx comes alone; and the availability for a poll, if polls get it alone
    too. What must be refused, and is served when it is alone, is no mistake when it is refused; and what cannot be read
    as JSON, though it is said to be, is no other request's. Nor is a 401 for a good key that gets it alone as well. A
    run judges only the requests that it sends together for this purpose: with a slow server most others are too.
    """
    selected = exchanges.known(selectors.understood, of_plain_kinds, lambda e: (e.ask.number or 0) < 2**31)
    together = sent_with_others(selected)
    if bursts := {e.number for e in selected if e.source == responder.BURST}:
        together &= bursts
    alone: dict[tuple[str, str | None, str], list[dict[str, Any]]] = {}
    for e in selected:
        if e.number not in together:
            alone.setdefault((e.ask.credential, e.ask.vps, e.ask.pid), []).append(substance(e))
    unknown = {e.ask.credential for e in selected if e.status == 401 and e.number not in together} & {"full", "read"}
    for e in selected:
        before = alone.get((e.ask.credential, e.ask.vps, e.ask.pid), [])
        ignored = exchanges.pid_ignored and e.ask.pid != ask.Pid.ABSENT and content.is_availability_alone(e)
        if e.number not in together or not before or e.status == 429 or content.failed(e) or ignored:
            continue
        if before[0]["status"] >= 500 or (before[0]["status"] == 200 and is_refused_as_it_must_be(e)):
            continue
        if (is_json(e) and not selectors.has_json(e)) or (e.status == 401 and e.ask.credential in unknown):
            continue
        exchanges.take(e)
        steady = {name for name in before[0] if all(s.get(name) == before[0][name] for s in before)}
        if changed := [name for name in sorted(steady) if substance(e).get(name) != before[0][name]]:
            alone_it_gets = short_json({n: before[0][n] for n in changed}, 120)
            yield e, f"what it gets alone: {alone_it_gets}", {n: substance(e).get(n) for n in changed}


def is_refused_as_it_must_be(e: ask.Exchange) -> bool:
    """A 4xx for a key that may not ask this, for a VPS that is not the caller's, or for a pid that nobody has."""
    nobodys = e.ask.vps in {"unknown", "foreign"} or e.ask.pid == ask.Pid.UNKNOWN
    may_not = e.ask.credential in {"none", "wrong"} or (e.ask.credential == "read" and e.ask.pid.known)
    return content.refused(e) and (nobodys or may_not)


def documented_members(e: ask.Exchange) -> dict[str, Any]:
    """Return the documented members of a response."""
    return {name: e.body[name] for name in content.present(e, content.STATE)}


def is_probe(e: ask.Exchange, method: str) -> bool:
    """A request without pid, by this method, that got a response."""
    return e.request.method == method and e.ask.pid == ask.Pid.ABSENT and e.response is not None


@rule("HTTP-22", seeks="HEAD")
def head_is_as_get(exchanges: Exchanges) -> Findings:
    """A HEAD must not be refused where a GET with the same key and path got 200; a 200 must have its Content-Length.

    A 429 passes, and what a busy server or a gateway may give up with. So does a HEAD without Content-Length, or with
    one if no such GET had it.
    """
    lengths: dict[tuple[str, str | None], set[str]] = {}
    for e in exchanges.known(lambda e: is_probe(e, "GET") and e.status == 200, not_for_a_monitor):
        known = lengths.setdefault((e.request.target, e.request.header("authorization")), set())
        length = e.header("content-length")
        if length and not e.header("content-encoding"):
            known.add(length)
    for e in exchanges.each(lambda e: is_probe(e, "HEAD")):
        expected = lengths.get((e.request.target, e.request.header("authorization")))
        length = e.header("content-length")
        if expected is not None and not (content.below(e, 400) or e.status in selectors.BUSY or responder.may_pass(e)):
            yield e, "status 200, as of GET", content.status_of(e)
        elif e.status == 200 and expected and length and length not in expected:
            yield e, f"Content-Length: {' or '.join(sorted(expected))}, as of GET", f"Content-Length: {length}"


def has_etag(e: ask.Exchange) -> bool:
    """A GET of the endpoint, conditional or not, that got an ETag, or what only a condition brings about."""
    by_condition = e.status == 304 or (e.status == 412 and e.request.header("if-none-match") is not None)
    return e.request.method == "GET" and e.ask.endpoint and (e.header("etag") is not None or by_condition)


@rule("HTTP-23", seeks="ETag")
def etag_belongs_to_one_state(exchanges: Exchanges) -> Findings:
    """A 304 or a 412 is a finding if the ETag in the request belongs to something else, or to nothing.

    So is one ETag for two different states. A 304 for an ETag of the same path, pid and key passes.
    """
    states: dict[tuple[str, str | None, str], ask.Exchange] = {}
    tagged = exchanges.each(has_etag)
    whatever = any(e.status == 304 and e.request.header("if-modified-since") is None for e in tagged)
    for e in tagged:
        tag = (e.header("etag") or "").removeprefix("W/") if e.status not in {304, 412} else ""
        before = states.setdefault((e.request.target, e.request.header("authorization"), tag), e) if tag else e
        if e.status == before.status == 200 and documented_members(e) != documented_members(before):
            yield e, f"another ETag than in request {before.number}, whose body differs", e.header("etag")
            return
        asked = (e.request.header("if-none-match") or "").removeprefix("W/")
        known = (e.request.target, e.request.header("authorization"), asked) in states
        if e.status in {304, 412} and asked and not known:
            why = "the ETag in If-None-Match is of something else"
            if not states:
                if_none = "no ETag was sent that If-None-Match could name"
                why = if_none if whatever else "If-None-Match comes before If-Modified-Since"
            yield e, f"status 200, since {why}", e.status


@rule("HTTP-28", seeks="Connection: close")
def what_is_closed_is_closed(exchanges: Exchanges) -> Findings:
    """A connection that is still open two seconds after the response is a finding.

    The first that is said to be closed is tried.
    """
    for e in exchanges.each(ends_its_connection):
        if e.response and e.response.kept_open:
            yield e, "a connection that the server closes, as its response says", "one that stays open"


@rule("HTTP-24")
def failures_are_told(exchanges: Exchanges) -> Findings:
    """Reports every 5xx of the run, one line for each kind of request and status code, and judges nothing.

    A 501 only says that a method is not offered.
    """
    found: dict[tuple[str, str, str | None, str], list[ask.Exchange]] = {}
    for e in exchanges.each(selectors.is_unspoilt, selectors.has_response, lambda e: not e.obeyed, whole_run=True):
        if content.failed(e) and e.status != 501:
            found.setdefault((e.request.method, e.ask.resource, e.ask.vps, content.named_status(e)), []).append(e)
    for alike in found.values():
        what = alike[0].purpose or alike[0].request.path
        yield alike[0], "", f"{content.named_status(alike[0])} for {what}{others_like_it(alike)}"


def others_like_it(alike: list[ask.Exchange]) -> str:
    """Return how many others there are beside the first of some exchanges that are alike, for a sentence about it."""
    return f", and {counted(len(alike) - 1, 'request')} like it" if len(alike) > 1 else ""


@rule("HTTP-29")
def what_takes_long(exchanges: Exchanges) -> Findings:
    """Reports what took a second or more, and five times as long as is usual, and judges nothing.

    One line for each kind of request, by its slowest; and one if the same probe takes longer and longer.
    """
    timed = sorted(exchanges.each(selectors.has_response), key=lambda e: -e.seconds)
    usual = median(e.seconds for e in timed) if timed else 0.0
    found: dict[str, list[ask.Exchange]] = {}
    for e in timed:
        if e.seconds >= max(A_SECOND, MUCH_LONGER * usual):
            found.setdefault(e.purpose or f"{e.request.method} {e.request.path}", []).append(e)
    for what, slow in found.items():
        took = f"{slow[0].seconds:.1f} s for {what}{others_like_it(slow)}"
        yield slow[0], "", f"{took} (as a rule: {1000 * usual:.0f} ms)"
    yield from slower_and_slower(e for e in timed if e.source != responder.BURST)


def slower_and_slower(alone: Iterable[ask.Exchange]) -> Findings:
    """Yield the last probe of the own VPS, if the last ones took much longer than the first ones."""
    probes = [e for e in alone if selectors.asks_availability(e) and e.ask.vps == "own"]
    probes.sort(key=lambda e: e.number)
    first, last = probes[:FEW_PROBES], probes[FEW_PROBES:][-FEW_PROBES:]
    longest = max((e.seconds for e in first), default=0.0)
    if len(last) == FEW_PROBES and min(e.seconds for e in last) >= max(A_SECOND / 4, MUCH_LONGER * longest):
        began = f"{1000 * longest:.0f} ms at most at the beginning"
        yield last[-1], "", f"{last[-1].seconds:.1f} s for a probe at the end, {began}: it gets slower and slower"


@rule("HTTP-30", seeks="response to a request with a key")
def no_cache_responds(exchanges: Exchanges) -> Findings:
    """An Age above 0 is a finding, and so is a Cache-Status with hit, unless Cache-Control lets shared caches respond.

    Age: 0 passes, which some proxies send with each response.
    """
    for e in exchanges.each(lambda e: e.request.header("authorization") is not None and e.response is not None):
        age, status = (e.header("age") or "").strip(), e.header("cache-status") or ""
        tells_age = age.isdecimal() and age.strip("0") != ""
        if (tells_age or HIT.search(status)) and not content.cache_directives(e).keys() & LETS_SHARE:
            told = f"Age: {age}" if tells_age else f"Cache-Status: {status}"
            yield e, "a response of the server, since the request has a key", told


def accepts_anything(e: ask.Exchange) -> bool:
    """A GET of the endpoint that accepts any media type: its Accept says so, or is not there."""
    return e.request.method == "GET" and e.ask.endpoint and (e.request.header("accept") or "*/*").strip() == "*/*"


@rule("HTTP-31", seeks="request that accepts anything, and one that accepts JSON and was served")
def anything_is_acceptable(exchanges: Exchanges) -> Findings:
    """A 406 is a finding where the same request got 200 with an Accept that names JSON."""
    probes = exchanges.known(selectors.asks_availability)
    served = {(e.request.target, e.ask.credential) for e in probes if e.status == 200 and not accepts_anything(e)}
    for e in exchanges.each(accepts_anything, lambda e: (e.request.target, e.ask.credential) in served):
        if e.status == 406:
            accept = e.request.header("accept")
            why = f"for Accept: {accept}" if accept else "although it has no Accept"
            yield e, f"status 200, {why}", content.status_of(e)
