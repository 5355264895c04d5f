"""HTTP: transport, media types, JSON, statuses, methods."""

from __future__ import annotations

import re
from datetime import UTC, timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING

from hostup_conformance.contract.ask import Pid, is_start, new_pid
from hostup_conformance.contract.oracles import conforms, header_notes
from hostup_conformance.contract.rules import Findings, FindingsAcross, across, each
from hostup_conformance.contract.rules.safety import strings
from hostup_conformance.contract.selectors import (
    gives_either,
    is_asked,
    is_error,
    is_good,
    judged,
    show_status,
    status_of,
    succeeded,
)
from hostup_conformance.core.times import http_date

if TYPE_CHECKING:
    from hostup_conformance.contract.ask import Exchange
    from hostup_conformance.contract.target import Target

#: The page's own and the error reference's.
DOCUMENTED = {200, 400, 401, 403, 404, 429, 500, 409, 502, 503}
LONE_SURROGATE = re.compile(r"[\ud800-\udfff]")


def well_formed(e: Exchange) -> bool:
    """A request whose id and pid have the documented form."""
    return judged(e) and e.ask.vps != "malformed" and e.ask.pid.well_formed


def is_json(e: Exchange) -> bool:
    """A GET of the endpoint, or a start, whose answer claims to be JSON."""
    return (is_good(e) or is_error(e)) and e.response is not None and e.response.media_type.endswith("json")


@each("HTTP-01", lambda _: True)
def whole_answer(e: Exchange) -> Findings:
    """Complete, within its time and size, and nothing after it."""
    if e.failure:
        yield "one whole answer", e.failure
    if e.status is not None and not 200 <= e.status < 600:
        yield "a status from 200 to 599", e.status
    if e.header("content-length") is not None and e.header("transfer-encoding") is not None:
        yield "Content-Length or Transfer-Encoding", "both"
    if e.response and e.response.surplus and e.request.method != "HEAD":
        yield "nothing after the answer", e.response.surplus


@each("HTTP-02", lambda e: (is_good(e) or gives_either(e)) and e.header("content-type") is not None)
def media_type(e: Exchange) -> Findings:
    """application/json, once, and UTF-8 where a charset is named."""
    content_type = ", ".join(dict.fromkeys(e.response.all("content-type"))) if e.response else ""
    if e.response and (e.response.media_type != "application/json" or "," in content_type.partition(";")[0]):
        yield "Content-Type: application/json", content_type
    charset = re.search(r"charset\s*=\s*\"?([^\s\";]+)", content_type, re.IGNORECASE)
    if charset and charset[1].lower() not in {"utf-8", "utf8", "us-ascii"}:
        yield "charset=utf-8, or none", content_type


@each("HTTP-03", lambda e: is_good(e) or is_json(e))
def sound_json(e: Exchange) -> Findings:
    """One JSON text by the letter of RFC 8259."""
    if e.response:
        for defect in e.response.json.defects:
            yield "one JSON text in UTF-8", defect


@each("HTTP-04", is_json)
def interoperable_json(e: Exchange) -> Findings:
    """At any depth."""
    if e.response and e.response.json.duplicates:
        yield "each name once", f"twice: {', '.join(e.response.json.duplicates)}"
    if e.response and any(LONE_SURROGATE.search(text) for text in strings(e.body)):
        yield "strings of Unicode characters", "half of a surrogate pair"


@each("HTTP-05", lambda e: judged(e) and e.ask.vps != "malformed")
def exact_success(e: Exchange) -> Findings:
    """200 or no success."""
    if e.status is not None and 200 < e.status < 300:
        yield "200, or an error", show_status(e)


@each("HTTP-06", well_formed)
def no_redirect(e: Exchange) -> Findings:
    """Not for well-formed requests; some routers redirect others to a cleaner path."""
    if e.status is not None and 300 <= e.status < 400:
        yield "no redirect", f"{e.status} to {e.header('location')}"


@each("HTTP-07", lambda e: well_formed(e) and is_error(e))
def documented_status(e: Exchange) -> Findings:
    """422 for a pid is PID-02's."""
    if e.status not in DOCUMENTED:
        yield f"one of {sorted(DOCUMENTED - {200})}", status_of(e)


@each("HTTP-08", lambda e: well_formed(e) or (is_asked(e, "list", "status") and e.status != 501))
def no_5xx(e: Exchange) -> Findings:
    """A VPS without an agent may make the server's own request fail; in a recording we may not know which that is."""
    if e.ask.vps == "unavailable" or e.ask.credential == "unnamed":
        return
    if e.status is not None and 500 <= e.status < 600:
        yield "no 5xx", status_of(e)


@each("HTTP-09", lambda e: e.header("content-encoding") is not None)
def content_coding(e: Exchange) -> Findings:
    """Asked for, and what it says."""
    accepted = (e.request.header("accept-encoding") or "").lower()
    coding = (e.header("content-encoding") or "").strip().lower()
    if coding not in {"identity", ""} and coding.removeprefix("x-") not in accepted:
        yield f"a coding of Accept-Encoding: {accepted}", f"Content-Encoding: {coding}"
    if e.response and e.response.miscoded:
        yield "a body in the coding it names", e.response.miscoded


@each("HTTP-10", lambda e: is_good(e) or is_error(e))
def not_shared(e: Exchange) -> Findings:
    """What the server says of caches; a validator such as ETag is free."""
    text = e.header("cache-control") or ""
    directives = dict(d.strip().lower().partition("=")[::2] for d in text.split(","))
    fresh = int(age) if (age := directives.get("max-age", "").strip('"')).isdecimal() and len(age) < 12 else 0
    if "no-store" in directives or "no-cache" in directives:
        return
    if "public" in directives or "s-maxage" in directives or (fresh and "private" not in directives):
        yield "Cache-Control: no-store, or no word of caching", f"Cache-Control: {text}"


@each("HTTP-11", lambda e: e.response is not None and e.request.method != "GET")
def other_methods(e: Exchange) -> Findings:
    """404, 405 and 501 are all refusals; a POST may be answered, but not as GET is."""
    if e.status is None:
        return
    if e.status == 500:
        yield "no 500", show_status(e)
    elif e.request.method in {"PUT", "PATCH", "DELETE"} and e.status < 400:
        yield "a refusal (405)", show_status(e)
    elif (
        e.request.method == "POST"
        and new_pid(e) is None
        and isinstance(e.body, dict)
        and {"available", "exited"} & e.body.keys()
    ):
        yield "a refusal, or what a started command gets", f"members {sorted(e.body)}"


@each("HTTP-12", lambda e: e.response is not None and e.request.method == "HEAD")
def head(e: Exchange) -> Findings:
    """Nothing after the header section."""
    if e.response and e.response.surplus:
        yield "no body", e.response.surplus


def is_sound(e: Exchange) -> bool:
    """Whether no rule has anything to say of the body's form."""
    return e.response is not None and not e.response.json.defects and not e.response.json.duplicates and conforms(e)


@across("HTTP-13", lambda e: judged(e) or (e.decoded is not None and (e.obeyed or is_start(e))))
def client_agrees(exchanges: list[Exchange], _target: Target) -> FindingsAcross:
    """The client's own headers make no difference, and its decoding loses nothing."""
    plain = {(e.ask, e.request.target): e for e in exchanges if e.decoded is None and e.ask.pid != Pid.FINISHED}
    for e in exchanges:
        if e.decoded is None:
            continue
        twin = plain.get((e.ask, e.request.target)) if e.request.method == "GET" else None
        if twin and twin.status == 200 != e.status:
            yield e, f"status {twin.status}, as request {twin.number} got", status_of(e)
        if e.status == 200 and e.decoded.raised is None and e.decoded.value != e.body:
            yield e, "what was sent", f"decoded: {e.decoded.value}"
        if e.status == 200 and e.decoded.raised and is_sound(e):
            yield e, "the decoded answer", f"{e.decoded.raised} for a valid one"


@each("HTTP-14", lambda e: succeeded(e) and e.source == "probe")
def second_opinion(e: Exchange) -> Findings:
    """httplint's notes of level bad."""
    for note in header_notes(e):
        yield "", note


@each("HTTP-15", lambda e: e.status == 405)
def says_what_is_allowed(e: Exchange) -> Findings:
    """An Allow that does not name the method it refuses."""
    allowed = e.header("allow")
    methods = [method.strip() for method in (allowed or "").split(",")]
    if allowed is None:
        yield "Allow", "no Allow"
    elif e.request.method in methods or ("GET" not in methods and e.ask.endpoint):
        yield f"Allow with GET and without {e.request.method}", f"Allow: {allowed}"


@each(
    "HTTP-16",
    lambda e: (
        e.response is not None and not e.ask.endpoint and "/agent/" in e.request.target and ".." not in e.request.target
    ),
)
def other_paths(e: Exchange) -> Findings:
    """Any refusal, or a redirect."""
    if e.status is not None and e.status < 300 and e.request.method == "GET":
        yield "a refusal (404)", show_status(e)


@each("HTTP-17", lambda e: e.header("date") is not None and e.source != "har")
def date_is_now(e: Exchange) -> Findings:
    """An HTTP-date, within an hour of our clock."""
    text = e.header("date") or ""
    date = http_date(text)
    if date is None:
        yield "Date: an HTTP-date", text
    elif e.when and abs(date - e.when) > timedelta(hours=1):
        yield f"Date: about {format_datetime(e.when.astimezone(UTC), usegmt=True)}", text


@each("HTTP-18", lambda e: (is_good(e) or is_error(e)) and e.response is not None and bool(e.response.body))
def names_media_type(e: Exchange) -> Findings:
    """For every body."""
    if e.header("content-type") is None:
        yield "a Content-Type", "none"
