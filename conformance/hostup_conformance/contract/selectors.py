"""Predicates that select the exchanges a rule applies to, by request and response. They judge nothing."""

from collections.abc import Set as AbstractSet
from typing import TypeAlias

from hostup_conformance.contract.ask import (
    Ask,
    Credential,
    Exchange,
    Pid,
    Vps,
    asks_start,
    is_start,
    is_started,
    new_pid,
)
from hostup_conformance.contract.content import STATE, below, failed, present, refused
from hostup_conformance.contract.paths import Resource
from hostup_conformance.contract.responder import Who, is_unretried, responded
from hostup_conformance.judging import rule as core

#: Tells whether a rule applies to an exchange.
Selector: TypeAlias = core.Selector[Ask]
#: Status codes with which a busy server refuses to start another command.
BUSY = {409, 429, 503}


def understood(e: Exchange) -> bool:
    """A GET of the endpoint whose response shows how the server understood it.

    A request that servers may understand differently is exempt, and so is a response that a mock was ordered to give, a
    429, a 5xx under load, and what the framework decides before the server's own code is asked.
    """
    asked = e.request.method == "GET" and e.ask.endpoint and not e.ask.devious
    return asked and not responded(e, Who.NOBODY, Who.ORDERED, Who.LIMITER, Who.BUSY, Who.FRAMEWORK)


def by(who: Who) -> Selector:
    """Select what one has responded to."""
    return lambda e: responded(e, who)


by_firewall, by_front_end = by(Who.FIREWALL), by(Who.FRONT_END)
by_gateway, by_parser = by(Who.GATEWAY), by(Who.PARSER)


def asking(
    *,
    credential: Credential | AbstractSet[Credential] | None = None,
    vps: Vps | AbstractSet[Vps | None] | None = None,
    pid: Pid | AbstractSet[Pid] | None = None,
) -> Selector:
    """Select requests by their kinds of credential, VPS and pid: for each that is given, by one kind or several."""

    given = {"credential": credential, "vps": vps, "pid": pid}
    wanted = {name: kinds if isinstance(kinds, AbstractSet) else {kinds} for name, kinds in given.items() if kinds}
    return lambda e: all(getattr(e.ask, name) in kinds for name, kinds in wanted.items())


#: Requests without a key, or with one that was never issued.
keyless = asking(credential={"none", "wrong"})
#: Requests with the full key for the VPS whose agent is available.
ours = asking(credential="full", vps="own")


def is_unspoilt(e: Exchange) -> bool:
    """A request whose response no other request may have spoilt."""
    return not e.aside


def has_response(e: Exchange) -> bool:
    """A request that got a response, which was kept."""
    return e.response is not None


def new_poll(e: Exchange) -> str | None:
    """Return the path and query with which to poll the command that a start has started."""
    return None if (pid := new_pid(e)) is None else f"{e.request.target}?pid={pid}"


def is_permitted(e: Exchange) -> bool:
    """A well-formed request that the key is allowed to make, for a VPS of the caller."""
    allowed = {"full", "read"} if e.ask.pid == Pid.ABSENT else {"full"}
    return understood(e) and e.ask.credential in allowed and e.ask.vps in {"own", "unavailable"}


def asks_availability(e: Exchange) -> bool:
    """A probe of a VPS of the caller, by a key that has the scope for it."""
    return is_permitted(e) and e.ask.pid == Pid.ABSENT


def asks_output(e: Exchange) -> bool:
    """A poll of a known pid of the VPS, by a key that has the scope for it."""
    return is_permitted(e) and e.ask.pid.known


def succeeded(e: Exchange) -> bool:
    """A GET of the endpoint that got a 200."""
    return understood(e) and e.status == 200


def has_json(e: Exchange) -> bool:
    """A response whose body is JSON, perhaps with defects."""
    return e.response is not None and e.response.json.is_json


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
    """A GET of the endpoint, or a start, that got a 4xx or 5xx from the application, or from what limits its rate.

    Errors for a malformed id are exempt, since a proxy or router may refuse those in a form of its own. A gateway that
    fails under load is no application either.
    """
    asked = (e.request.method == "GET" or asks_start(e)) and e.ask.endpoint and e.ask.vps != "malformed"
    if not asked or e.ask.devious or not (refused(e) or (failed(e) and below(e, 600))):
        return False
    by_itself = responded(e, Who.APPLICATION, Who.LIMITER, Who.ORDERED)
    return by_itself or (responded(e, Who.BUSY) and not is_unretried(e))


def is_asked(e: Exchange, *resources: Resource) -> bool:
    """A GET of one of these resources that got a response."""
    return e.ask.resource in resources and e.request.method == "GET" and e.response is not None


def asks_either(e: Exchange) -> bool:
    """A GET of the list or of a status that got a response."""
    return is_asked(e, "list", "status")


def gives(*resources: Resource) -> Selector:
    """Select the 200 responses of resources, without the endpoint's: HTTP-16 judges a server that ignores paths."""

    def selector(e: Exchange) -> bool:
        return is_asked(e, *resources) and e.status == 200 and has_json(e) and not present(e, STATE)

    return selector


gives_list, gives_status, gives_either = gives("list"), gives("status"), gives("list", "status")


def is_plain(e: Exchange) -> bool:
    """A GET, or a start, that everybody understands."""
    asks = e.request.method == "GET" or e.ask.starts
    known = e.ask.vps != "malformed" and e.ask.resource != "other"
    return asks and known and (e.ask.pid.well_formed or not e.ask.endpoint) and not e.ask.devious


def is_start_on_own(e: Exchange) -> bool:
    """A start with the full key, on the VPS whose agent is available; its command may be improper."""
    return is_start(e) and ours(e)


def starts(e: Exchange) -> bool:
    """The start of a valid command, with the full key, on the VPS whose agent is available."""
    return is_start_on_own(e) and e.ask.command is not None and e.ask.is_passable


def started(e: Exchange) -> bool:
    """A success with a JSON object, in response to a start."""
    return starts(e) and is_started(e) and isinstance(e.body, dict)
