"""Predicates that select the exchanges a rule applies to, by request and response. They judge nothing."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote_plus

from hostup_conformance.contract.ask import Exchange, Pid, asks_start, is_devious, is_start, new_pid
from hostup_conformance.contract.content import AVAILABILITY, OUTPUT, present
from hostup_conformance.contract.paths import LONGEST_COMMAND, Resource
from hostup_conformance.http.messages import Request

#: Tells whether a rule applies to an exchange.
Selector = Callable[["Exchange"], bool]
#: The source of requests that are deliberately sent at once with others, or without a pause between them.
BURST = "burst"
#: What no firewall takes for an attack: a word, or a number, perhaps followed by letters, but not a hexadecimal one.
HARMLESS = re.compile(r"[A-Za-z]*|(?!0[xX])[+-]?\d+([.,]\d+)?[A-Za-z]*", re.ASCII)
LONGEST_VALUE = 100
#: Status codes with which a busy server refuses to start another command.
BUSY = {409, 429, 503}


def judged(e: Exchange) -> bool:
    """A GET of the endpoint whose response shows how the server understood it, since it is neither ordered nor a 429.

    A request that servers may understand differently is exempt, and so are a 5xx under load, a 406 for a request that
    does not accept JSON by name, and a 403 for one from a page of another origin.
    """
    asked = e.request.method == "GET" and e.ask.endpoint and not is_devious(e.request)
    understood = not (e.obeyed or e.status == 429 or is_busy(e) or is_not_acceptable(e) or is_cross_origin(e))
    return asked and e.response is not None and understood


def is_not_acceptable(e: Exchange) -> bool:
    """A 406 for a request whose Accept, unlike the documentation's, does not name JSON."""
    return e.status == 406 and "json" not in (e.request.header("accept") or "")


def is_cross_origin(e: Exchange) -> bool:
    """A 403 for a request from a page of another origin, which frameworks refuse in a form of their own."""
    return e.status == 403 and e.request.header("origin") is not None


def is_transient(e: Exchange) -> bool:
    """A failure of a gateway, or of a server that is starting, which may be gone a moment later.

    So is 408: a connection that had been idle was closed just when the request was sent (RFC 9110 section 15.5.9).

    With a problem document it may be the proper response for a VPS without an agent, or to a start. The status codes
    from 520 on are those of a CDN.
    """
    gateways = e.status in {408, 502, 503, 504} or (e.status is not None and 520 <= e.status <= 527)
    proper = is_document(e) and (e.ask.vps == "unavailable" or e.ask.starts)
    return gateways and not e.obeyed and not proper


def is_document(e: Exchange) -> bool:
    """A response with a problem document, which only the server itself writes, not something in front of it."""
    return isinstance(e.body, dict) and isinstance(e.body.get("code"), str)


def is_hostile(e: Exchange) -> bool:
    """A query that a firewall may refuse: with values that are neither words nor numbers, or that are very long.

    Or with several values of one parameter, which firewalls take for an attempt to get round them.
    """
    if e.ask.pid == Pid.REPEATED:
        return True
    values = [unquote_plus(text) for pair in e.request.query.split("&") for text in pair.split("=", 1)]
    return any(len(value) > LONGEST_VALUE or not HARMLESS.fullmatch(value) for value in values)


def is_busy(e: Exchange) -> bool:
    """A GET of the endpoint that was sent at once with others and got a 5xx. HTTP-08 judges it."""
    return e.source == BURST and e.request.method == "GET" and e.ask.endpoint and failed(e)


def new_poll(e: Exchange) -> str | None:
    """Return the path and query with which to poll the command that a start has started."""
    return None if (pid := new_pid(e)) is None else f"{e.request.target}?pid={pid}"


def is_permitted(e: Exchange) -> bool:
    """A well-formed request that the key is allowed to make, for a VPS of the caller."""
    allowed = {"full", "read"} if e.ask.pid == Pid.ABSENT else {"full"}
    return judged(e) and e.ask.credential in allowed and e.ask.vps in {"own", "unavailable"}


def asks_availability(e: Exchange) -> bool:
    """A probe of a VPS of the caller, by a key that has the scope for it."""
    return is_permitted(e) and e.ask.pid == Pid.ABSENT


def asks_output(e: Exchange) -> bool:
    """A poll of a known pid of the VPS, by a key that has the scope for it."""
    return is_permitted(e) and e.ask.pid.known


def succeeded(e: Exchange) -> bool:
    """A GET of the endpoint that got a 200."""
    return judged(e) and e.status == 200


def has_json(e: Exchange) -> bool:
    """A response whose body is JSON, perhaps with defects."""
    return e.response is not None and e.response.json.is_json


def is_good(e: Exchange) -> bool:
    """A GET of the endpoint, or the start of a command, that got a 200."""
    return succeeded(e) or (is_start(e) and e.status == 200)


def is_availability(e: Exchange) -> bool:
    """A 200 with a JSON object, in response to a probe."""
    return succeeded(e) and e.ask.pid == Pid.ABSENT and isinstance(e.body, dict)


def is_output(e: Exchange) -> bool:
    """A 200 with a JSON object, in response to a poll."""
    return succeeded(e) and is_poll(e) and isinstance(e.body, dict)


def is_poll(e: Exchange) -> bool:
    """A poll of a pid that is an integer, with any key."""
    return e.ask.pid.is_integer


def is_error(e: Exchange) -> bool:
    """A GET of the endpoint, or a start, that got a 4xx or 5xx.

    Errors for a malformed id, or for a request that is too large, are exempt, since a proxy or router may refuse those
    in a form of its own. So are a firewall's refusals of what it takes for an attack, refusals of bytes above 127, and
    a framework's failure at what it cannot decode.
    """
    return (
        e.response is not None
        and 400 <= e.response.status < 600
        and (e.request.method == "GET" or asks_start(e))
        and e.ask.endpoint
        and e.ask.vps != "malformed"
        and not (is_devious(e.request) or is_too_large(e) or is_of_unknown_length(e) or is_beyond_ascii(e))
        and not (is_from_firewall(e) or is_unretried_failure(e) or is_not_acceptable(e) or is_cross_origin(e))
        and not (is_undecodable(e) and e.response.status >= 500)
    )


def is_undecodable(e: Exchange) -> bool:
    """A request at which some frameworks fail before the server's own code is asked.

    Its id or pid is not UTF-8 once it is decoded, or its credential has bytes above 127: HTTP-08 judges that. Or it is
    a start whose body is not UTF-8 or is nested deeply, or whose command no guest can be given: START-26 judges that.
    """
    texts = "".join((e.ask.id or "", *e.ask.pids))
    credential = e.request.header("authorization") or ""
    odd = re.search("[\ud800-\udfff\ufffd]", texts) is not None or not credential.isascii()
    return odd or (e.ask.starts and not is_readable(e.request))


def is_readable(request: Request) -> bool:
    """Whether any server can read the body of a start, and pass its command on if it has one."""
    try:
        request.body.decode()
    except UnicodeDecodeError:
        return False
    return b"[" * 100 not in request.body and is_passable(proper_command(request) or "")


def is_beyond_ascii(e: Exchange) -> bool:
    """A refusal of a header field with bytes above 127, which some servers take for no HTTP at all."""
    return refused(e) and not is_document(e) and not all(value.isascii() for _, value in e.request.headers)


def is_chunked(e: Exchange) -> bool:
    """Whether the request was sent in chunks, without a Content-Length."""
    return e.request.header("transfer-encoding") is not None


def is_too_large(e: Exchange) -> bool:
    """A refusal because of the size of the request, for which front ends have limits and forms of their own."""
    return e.status in {414, 431} or (e.status == 413 and not is_document(e))


def is_of_unknown_length(e: Exchange) -> bool:
    """A chunked request that was refused with 411, since a server may demand a Content-Length."""
    return e.status == 411 and is_chunked(e)


def is_from_firewall(e: Exchange) -> bool:
    """A 4xx for a hostile query, or a 403 for a command, that is not a problem document.

    For some rule sets of firewalls, the name of a program is enough to take a start for an attack.
    """
    suspect = is_hostile(e) or (e.status == 403 and e.ask.starts and b'"command"' in e.request.body)
    return refused(e) and not is_document(e) and suspect and not (isinstance(e.body, dict) and "type" in e.body)


def is_unretried_failure(e: Exchange) -> bool:
    """A gateway's failure that may have been transient, but whose request was not sent again.

    That is so for requests that may be sent only once, and for those that were sent at once with others on purpose.
    """
    return is_transient(e) and not is_document(e) and (not e.ask.repeatable or e.source == BURST)


def is_asked(e: Exchange, *resources: Resource) -> bool:
    """A GET of one of these resources that got a response."""
    return e.ask.resource in resources and e.request.method == "GET" and e.response is not None


def gives(*resources: Resource) -> Selector:
    """Select the 200 responses of resources, without the endpoint's: HTTP-16 judges a server that ignores paths."""

    def selector(e: Exchange) -> bool:
        return is_asked(e, *resources) and e.status == 200 and has_json(e) and not present(e, (*AVAILABILITY, *OUTPUT))

    return selector


gives_list, gives_status, gives_either = gives("list"), gives("status"), gives("list", "status")


def is_problem(e: Exchange) -> bool:
    """An error whose body is a JSON object."""
    return is_error(e) and isinstance(e.body, dict)


def command_of(request: Request) -> Any:
    """Return what a start has for its command, of whatever type; None if the body is no JSON object with one."""
    try:
        body = json.loads(request.body)
    except (ValueError, RecursionError):
        return None
    return body.get("command") if isinstance(body, dict) else None


def proper_command(request: Request) -> str | None:
    """Return the command of a start if it is valid by the document, else None."""
    command = command_of(request)
    return command if isinstance(command, str) and 1 <= len(command) <= LONGEST_COMMAND else None


def is_passable(command: str) -> bool:
    """Whether a command can reach any guest unchanged: a NUL would end it, and UTF-8 has no half surrogate pairs."""
    return re.search("[\0\ud800-\udfff]", command) is None


def is_start_on_own(e: Exchange) -> bool:
    """A start with the full key, on the VPS whose agent is available; its command may be improper."""
    return is_start(e) and e.ask.credential == "full" and e.ask.vps == "own"


def starts(e: Exchange) -> bool:
    """The start of a valid command, with the full key, on the VPS whose agent is available."""
    command = proper_command(e.request) if is_start_on_own(e) else None
    return command is not None and is_passable(command)


def started(e: Exchange) -> bool:
    """A 200 with a JSON object, in response to a start."""
    return starts(e) and e.status == 200 and isinstance(e.body, dict)


def is_malformed(e: Exchange) -> bool:
    """A request with a mistake, or one that ordered an error as if it had a mistake."""
    return e.obeyed or e.ask.pid.ill_formed or (is_start(e) and proper_command(e.request) is None)


def below(e: Exchange, status: int) -> bool:
    """A response with a smaller status code than this."""
    return e.status is not None and e.status < status


def failed(e: Exchange) -> bool:
    """A response that reports a failure of the server: a 5xx."""
    return e.status is not None and e.status >= 500


def refused(e: Exchange) -> bool:
    """A response that refuses the request: a 4xx."""
    return e.status is not None and 400 <= e.status < 500
