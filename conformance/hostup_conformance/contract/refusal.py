"""Whether the endpoint was seen to work, and how it was refused as a whole: by the server, or by what stands before it.

It judges no requirement. What it finds is no fault of the server: the base URL, the key or the id may be wrong, a proxy
may want a login, and who sends many wrong keys may be banned.
"""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from hostup_conformance.contract.ask import WITHOUT_KEY, is_devious
from hostup_conformance.contract.paths import VPSS
from hostup_conformance.contract.selectors import asks_availability, refused, starts, status_of
from hostup_conformance.core.connections import CONNECTIONS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from hostup_conformance.contract.ask import Exchange
    from hostup_conformance.contract.target import Target

#: What the path of every operation begins with.
BEGINNING = "/" + VPSS.split("/")[1]
#: What to give where something stands before the server.
BEHIND = "give a base URL behind it, or what it asks for, with --header or --client-cert"
#: What to check, by the status code that all requests for the core got.
CHECK = {
    401: "check the key",
    403: "check the key, its scopes and the VPS id",
    404: "check the base URL and the VPS id",
}
#: The failure of a response that does not even begin as one of HTTP/1.1.
NO_HTTP = re.compile("illegal (status|request) line")
#: A later request may get something else than these: one that accepts more, or that is sent after a while.
NOT_FINAL = {406, 429}
#: So many requests in a row that should not get 403 raise the suspicion that everything gets it.
SUSPICIOUS = 3
#: What to do about a ban.
EXEMPT = (
    "although the key worked before: it seems to ban an address that sends wrong keys or much that is refused "
    "(exempt the address of the suite, or judge the server behind the guard)"
)


@dataclass(frozen=True)
class Ban:
    """From which exchange on, by its position, the server has shut the caller out, and what to say of it."""

    since: int
    why: str
    #: Whether no request gets a response any more, as from a server that is down.
    silent: bool = False


def shows_core(e: Exchange) -> bool:
    """A correct 200 of the probe, with the key, for the VPS whose agent is available."""
    return (
        asks_availability(e)
        and e.ask.credential == "full"
        and e.ask.vps == "own"
        and e.status == 200
        and isinstance(e.body, dict)
        and e.body.get("available", True) is True
    )


def asks_own(e: Exchange) -> bool:
    """A request of the endpoint with the full key, for the VPS whose agent is available."""
    return e.ask.endpoint and e.ask.credential == "full" and e.ask.vps == "own"


def refusal_of_starts(exchanges: Sequence[Exchange]) -> str | None:
    """Say with which 4xx every start of a proper command was refused; None if one was not, or if there was none."""
    first = next(filter(starts, exchanges), None)
    if first is None or not refused(first) or any(e.status != first.status for e in filter(starts, exchanges)):
        return None
    return f"every start was refused with {status_of(first)} (does HOSTUP_API_KEY have write:vm?)"


def refusal_of_core(exchanges: Sequence[Exchange], target: Target) -> str | None:
    """Say how the core was refused, by the server or by what stands before it; None if one request for it was not."""
    if any(map(shows_core, exchanges)):
        return None
    if in_between := what_stands_between(exchanges):
        return in_between
    core = [e.status for e in exchanges if e.request.method == "GET" and asks_own(e)]
    if not core or not all(status is not None and 400 <= status < 500 for status in core):
        return None
    probes = [e for e in exchanges if asks_availability(e)]
    if probes and all(map(is_page, probes)):
        named = ", ".join(sorted({str(e.status) for e in probes}))
        return f"every probe got a page in HTML with the status {named}, perhaps of a proxy in front of it ({BEHIND})"
    seen = sorted(
        {e.status for e in exchanges if e.status == 429 or (e.status and asks_availability(e) and asks_own(e))}
    )
    statuses = ", ".join(map(str, seen))
    return f"HOSTUP_API_KEY gets the status {statuses} for HOSTUP_VPS_ID ({what_to_check(seen, exchanges, target)})"


def what_to_check(statuses: Sequence[int], exchanges: Sequence[Exchange], target: Target) -> str:
    """Say what to check where requests for the core got these status codes."""
    good = {(e.ask.credential, e.ask.vps) for e in exchanges if asks_availability(e) and e.status == 200}
    if ("read", "own") in good:
        return "HOSTUP_READ_API_KEY gets 200 for it: check HOSTUP_API_KEY"
    if ("full", "unavailable") in good:
        return "it gets 200 for HOSTUP_UNAVAILABLE_VPS_ID: check HOSTUP_VPS_ID"
    if 404 in statuses and target.base_url.endswith(BEGINNING):
        return f"the base URL ends in {BEGINNING}, which is added: give what is before it"
    if any(e.ask.resource == "list" and e.ask.credential == "full" and e.status == 200 for e in exchanges):
        return "the same key gets the list of VPSs: check the VPS id"
    return CHECK.get(statuses[0] if len(statuses) == 1 else 0, "check the base URL, the key and the VPS id")


def hopeless(exchanges: Sequence[Exchange], target: Target) -> str | None:
    """Say why no more need be sent: every request for the core was refused, and the list of VPSs was asked for too.

    None as long as another request may still show something: a poll of a command that was named, or one that accepts
    other media types.
    """
    own = [e for e in exchanges if asks_own(e)]
    listed = any(e.ask.resource == "list" and e.ask.credential == "full" for e in exchanges)
    named = target.finished_pid or target.running_pid
    if not listed or (named and not any(e.ask.pid.known for e in own)):
        return None
    if any(e.status in NOT_FINAL or (e.status == 200 and not is_page(e)) for e in own):
        return None
    return refusal_of_core(exchanges, target)


def what_stands_between(exchanges: Sequence[Exchange]) -> str | None:
    """Say what kept every request from the endpoint, where something did, and what to give instead."""
    asked = [
        e for e in exchanges if e.request.method == "GET" and not e.ask.pid.ill_formed and e.ask.vps != "malformed"
    ]
    if not asked:
        return None
    failures = [e.failure for e in asked if e.lost]
    statuses = sorted({e.status for e in asked if e.status})
    named = ", ".join(map(str, statuses))
    if len(failures) == len(asked):
        return f"{failures[0]} (check the base URL{', and whether it is https' if asked[0].lost == 'dropped' else ''})"
    if all(e.failure and NO_HTTP.search(e.failure) and "HTTP/" not in e.failure for e in asked):
        return f"what responds there does not speak HTTP/1.1: {asked[0].failure} (check the base URL)"
    if len(failures) or len(asked) != sum(e.status is not None for e in asked):
        return None
    if statuses[0] >= 500:
        return f"every request got the status {named}: the server is down, or is starting (try again later)"
    if statuses[0] >= 300 and statuses[-1] < 400:
        return f"every request got the status {named}, {redirected(asked)} ({BEHIND})"
    if statuses == [200] and all(map(is_page, asked)):
        return f"every request got a page in HTML, perhaps a login page ({BEHIND})"
    return None


def is_page(e: Exchange) -> bool:
    """Whether a response is a page for people."""
    return e.response is not None and e.response.media_type == "text/html"


def redirected(asked: Sequence[Exchange]) -> str:
    """Say to which host requests were redirected, as a login page of an access proxy does."""
    hosts = sorted({host_of(e.header("location") or "")[:100] for e in asked})
    return f"a redirect to {', '.join(hosts[:3])}, perhaps a login page of an access proxy"


def host_of(location: str) -> str:
    """Return the host of a URL reference, or what there is in its place."""
    with suppress(ValueError):
        return urlsplit(location).hostname or "another path"
    return "something that is not a URL"


def is_plain(e: Exchange) -> bool:
    """A well-formed GET of the endpoint that no server has a reason to forbid.

    With the full key it is for a VPS of the caller; without one, or with a wrong one, it should get 401.
    """
    ours = e.ask.credential == "full" and e.ask.vps in {"own", "unavailable"}
    unknown = e.ask.credential in {"none", "wrong"} and e.ask.vps != "malformed"
    asked = e.request.method == "GET" and e.ask.endpoint and e.ask.pid.well_formed and not is_devious(e.request)
    return asked and not e.obeyed and (ours or unknown)


def is_forbidden(e: Exchange) -> bool:
    """A plain request that got 403."""
    return e.status == 403 and is_plain(e)


def seems_banned(exchanges: Sequence[Exchange]) -> bool:
    """Whether the last plain requests, or the last of all kinds, got 403, so that the probe should be tried."""
    recent = exchanges[-2 * CONNECTIONS :]
    plain = [e for e in recent if is_plain(e)][-SUSPICIOUS:]
    every = recent[-2 * SUSPICIOUS :]
    if is_forbidden(exchanges[-1]) and len(plain) == SUSPICIOUS and all(map(is_forbidden, plain)):
        return any(map(shows_core, exchanges))
    return all(e.status == 403 for e in every) and len(every) == 2 * SUSPICIOUS and any(map(shows_core, exchanges))


def ban_in(exchanges: Sequence[Exchange]) -> Ban | None:
    """Return since when the server has shut the caller out, if it has: all requests got 403, or none a response.

    The probe must have worked before, and a wrong key must have been refused. So do guards that count wrong keys, or
    whatever is refused (fail2ban, CrowdSec, BunkerWeb, Rack::Attack).
    """
    ban = forbidden_in(exchanges) or silence_in(exchanges)
    before = exchanges[: ban.since] if ban else []
    return ban if any(map(shows_core, before)) and any(map(is_wrong_key_refused, before)) else None


def is_wrong_key_refused(e: Exchange) -> bool:
    """A 401 for a request without a key, or with a wrong one."""
    return e.status == 401 and e.ask.credential in WITHOUT_KEY


def forbidden_in(exchanges: Sequence[Exchange]) -> Ban | None:
    """Return since when every request has got 403, if the probe is one of several."""
    since = end_of(exchanges, lambda e: e.status != 403)
    forbidden = exchanges[since:]
    if len(forbidden) < SUSPICIOUS or not any(asks_availability(e) and asks_own(e) for e in forbidden):
        return None
    # Of requests that were under way together, one that was forbidden may stand before one that was not.
    while early := [at for at in range(max(0, since - CONNECTIONS), since) if is_forbidden(exchanges[at])]:
        since = early[0]
    return Ban(since, f"after {since} requests the server refuses every request with the status 403, {EXEMPT}")


def silence_in(exchanges: Sequence[Exchange]) -> Ban | None:
    """Return since when no request has got a response, if that began just after a wrong key was refused.

    A server that a malformed id or pid has crashed does not look so. That it is down for another reason nobody can
    tell from a ban.
    """
    since = end_of(exchanges, lambda e: e.response is not None or e.too_large is not None)
    silent = exchanges[since:]
    if len(silent) < SUSPICIOUS or not since:
        return None
    ended = silent[0].when and silent[0].when + timedelta(seconds=silent[0].seconds)
    together = [e for e in silent if ended and e.when and e.when < ended]
    odd = any(e.ask.vps == "malformed" or e.ask.pid.ill_formed or is_devious(e.request) for e in together)
    if odd or not is_wrong_key_refused(exchanges[since - 1]):
        return None
    why = f"after {since} requests the server does not respond any more, {EXEMPT}; or it is down"
    return Ban(since, why, silent=True)


def end_of(exchanges: Sequence[Exchange], of: Callable[[Exchange], bool]) -> int:
    """Return the position after the last exchange of a kind."""
    return next((at for at in range(len(exchanges), 0, -1) if of(exchanges[at - 1])), 0)
