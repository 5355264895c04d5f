"""Who responded: the server's own application, or something before it that has forms of its own.

It is decided here alone, and judges nothing. A rule says whom it holds responsible: most, the application alone.
"""

import re
from collections.abc import Callable, Sequence
from enum import StrEnum
from itertools import pairwise
from urllib.parse import unquote_plus

from hostup_conformance.contract.ask import NO_ESCAPE, Exchange, Pid
from hostup_conformance.contract.content import STATE, below, failed, is_document, present, refused
from hostup_conformance.http.exchange import decided_once

#: The source of requests that are deliberately sent at once with others, or without a pause between them.
BURST = "burst"
#: What only a proxy tells of who somebody is, and only a framework of what it asks itself.
REMOTE_USER, SUBREQUEST = INNER_FIELDS = ("Remote-User", "X-Middleware-Subrequest")
#: What no firewall takes for an attack: a word, or a number, perhaps followed by letters, but not a hexadecimal one.
HARMLESS = re.compile(r"[A-Za-z]*|(?!0[xX])[+-]?\d+([.,]\d+)?[A-Za-z]*", re.ASCII)
LONGEST_VALUE = 100
#: What a gateway does at so many times has to do with no bad moment.
SEVERAL_TIMES = 3


class Who(StrEnum):
    """Who may have responded."""

    NOBODY = "nobody"
    #: A mock that obeyed `Prefer: code=NNN`: the response says nothing about how the request was understood.
    ORDERED = "a mock, as ordered"
    #: Whoever limits the rate of requests.
    LIMITER = "a rate limiter"
    #: A server under load, with a 5xx for a request that was sent at once with others on purpose, or with one that says
    #: when to come again for a poll that is sent only once.
    BUSY = "a busy server"
    #: A gateway whose server did not respond, which may pass.
    GATEWAY = "a gateway"
    #: A front end with its limits of size.
    FRONT_END = "a front end"
    #: A firewall that takes a request for an attack.
    FIREWALL = "a firewall"
    #: The framework, for what it decides before the server's own code is asked.
    FRAMEWORK = "the framework"
    #: The framework's parser, which cannot decode the request.
    PARSER = "the framework's parser"
    APPLICATION = "the application"


def responded(e: Exchange, *who: Who) -> bool:
    """Whether one of these responded."""
    return responder(e) in who


@decided_once
def responder(e: Exchange) -> Who:
    """Return who responded: the first reason that applies counts."""
    return next((one for one, applies in REASONS if applies(e)), Who.APPLICATION)


def may_pass(e: Exchange) -> bool:
    """Whether a response is a failure that may be gone a moment later: of a gateway, or of a server that is starting.

    So is 408: a connection that had been idle was closed just when the request was sent (RFC 9110 section 15.5.9).

    With a problem document it may be the proper response for a VPS without an agent, or to a start.
    """
    proper = is_document(e) and (e.ask.unavailable or e.ask.starts)
    return is_gateways(e) and not e.obeyed and not proper


def is_gateways(e: Exchange) -> bool:
    """Whether a status code is one that gateways have. Those from 520 on are a CDN's."""
    return e.status in {408, 502, 503, 504} or (e.status is not None and 520 <= e.status <= 527)


def says_it_is_busy(e: Exchange) -> bool:
    """Whether a server said with a 503 when to come again."""
    return e.status == 503 and e.header("retry-after") is not None


def is_unretried(e: Exchange) -> bool:
    """Whether a failure may have been a gateway's, whose request may be sent only once."""
    return may_pass(e) and not is_document(e) and (not e.ask.repeatable or e.source == BURST)


def given_up_often(exchanges: Sequence[Exchange]) -> list[Exchange]:
    """Return the requests that a gateway gave up with a page of its own, if that came at several times.

    Requests that were served lie between those times, so that this was no bad moment. A 503 says that the server is
    busy, or not there yet, and a 408 that the connection was idle, which may come at any time; and so may all of it
    where requests are sent at once on purpose.
    """
    up = [e for e in exchanges if is_gateways(e) and e.status not in {408, 503} and not is_document(e)]
    up = [e for e in up if not e.obeyed and e.source != BURST]
    served = [e.number for e in exchanges if below(e, 300)]
    apart = [e for before, e in pairwise(up) if any(before.number < number < e.number for number in served)]
    return up if len(apart) + 1 >= SEVERAL_TIMES else []


def is_limit_of_size(e: Exchange) -> bool:
    """Whether a request was refused because of its size, or because its length is unknown, as front ends may."""
    too_large = e.status in {414, 431} or (e.status == 413 and not is_document(e))
    return too_large or (e.status == 411 and is_chunked(e))


def is_taken_for_attack(e: Exchange) -> bool:
    """Whether a hostile query, or what a firewall may suspect, was refused in another form than a problem document.

    For some rule sets of firewalls, the name of a program is enough to take a start for an attack.
    """
    suspect = (
        is_hostile(e) or is_as_from_inside(e) or (e.status == 403 and e.ask.starts and b'"command"' in e.request.body)
    )
    return refused(e) and not is_document(e) and suspect and not (isinstance(e.body, dict) and "type" in e.body)


def is_as_from_inside(e: Exchange) -> bool:
    """Whether a request has a header field that a proxy or a framework sets, and that a front end may refuse."""
    return any(e.request.header(name.lower()) is not None for name in INNER_FIELDS)


def is_for_a_monitor(e: Exchange) -> bool:
    """Whether a front end took a request for that of a monitor, and said that all is well, but nothing of a VPS."""
    return is_as_from_inside(e) and below(e, 300) and not present(e, STATE)


def is_hostile(e: Exchange) -> bool:
    """Whether a firewall may refuse a query: with values that are neither words nor numbers, or that are very long.

    Or with several values of one parameter, which firewalls take for an attempt to get round them.
    """
    if e.ask.pid == Pid.REPEATED:
        return True
    values = [unquote_plus(text) for pair in e.request.query.split("&") for text in pair.split("=", 1)]
    return any(len(value) > LONGEST_VALUE or not HARMLESS.fullmatch(value) for value in values)


def is_hard_to_decode(e: Exchange) -> bool:
    """Whether some frameworks fail at a request before the server's own code is asked.

    Its id or pid is not UTF-8 once it is decoded, or its credential has bytes above 127: HTTP-08 judges that. Or it is
    a start whose body is not UTF-8 or is nested deeply, or whose command no guest can be given: START-26 judges that.
    """
    texts = "".join((e.ask.id or "", *e.ask.pids))
    credential = e.request.header("authorization") or ""
    odd = re.search("[\ud800-\udfff\ufffd]", texts) is not None or not credential.isascii()
    return odd or (e.ask.starts and not is_readable(e))


def is_readable(e: Exchange) -> bool:
    """Whether any server can read the body of a start, and pass its command on if it has one."""
    return has_utf_8_body(e) and not is_deep(e) and e.ask.is_passable


def has_utf_8_body(e: Exchange) -> bool:
    """Whether the body of a start is UTF-8."""
    try:
        e.request.body.decode()
    except UnicodeDecodeError:
        return False
    return True


def is_deep(e: Exchange) -> bool:
    """Whether the body of a start is nested more deeply than many parsers can recurse."""
    return b"[" * 100 in e.request.body


def is_page_of_parser(e: Exchange) -> bool:
    """Whether a start whose body is not UTF-8 got a 5xx in another form than a problem document.

    In some frameworks, whatever reads the body fails, although the server's own code is written as it should be.
    """
    return e.ask.starts and failed(e) and not has_utf_8_body(e) and not is_document(e)


def is_nothing_for_bad_encoding(e: Exchange) -> bool:
    """Whether a query that is no percent-encoding (RFC 3986 section 2.1) got a 200 without a body."""
    bad = NO_ESCAPE.search(e.request.query) is not None
    return bad and e.status == 200 and e.response is not None and not e.response.body


def is_chunked(e: Exchange) -> bool:
    """Whether a request was sent in chunks, without a Content-Length."""
    return e.request.header("transfer-encoding") is not None


#: Who responds when; what no reason applies to is the application's own.
REASONS: tuple[tuple[Who, Callable[[Exchange], bool]], ...] = (
    (Who.NOBODY, lambda e: e.response is None),
    (Who.ORDERED, lambda e: e.obeyed),
    (Who.FRAMEWORK, is_nothing_for_bad_encoding),
    (Who.APPLICATION, lambda e: below(e, 400)),
    (Who.LIMITER, lambda e: e.status == 429),
    # HTTP-08 judges it.
    (Who.BUSY, lambda e: e.source == BURST and e.request.method == "GET" and e.ask.endpoint and failed(e)),
    (Who.BUSY, lambda e: e.ask.pid.is_used_up and says_it_is_busy(e) and may_pass(e)),
    (Who.GATEWAY, is_unretried),
    (Who.FRONT_END, is_limit_of_size),
    # Unlike the documentation's, the Accept of these requests does not name JSON.
    (Who.FRAMEWORK, lambda e: e.status == 406 and "json" not in (e.request.header("accept") or "")),
    # A page of another origin is refused in a form of the framework's own.
    (Who.FRAMEWORK, lambda e: e.status == 403 and e.request.header("origin") is not None),
    # Some servers take bytes above 127 in header fields for no HTTP at all.
    (Who.PARSER, lambda e: refused(e) and not is_document(e) and not all(v.isascii() for _, v in e.request.headers)),
    (Who.FIREWALL, is_taken_for_attack),
    (Who.PARSER, lambda e: failed(e) and is_hard_to_decode(e)),
)
