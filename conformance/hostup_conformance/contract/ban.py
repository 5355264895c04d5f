"""Whether the server has shut the caller out during the run, as guards do that count wrong keys.

That is no fault of the server, so nothing is judged by what came after it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from hostup_conformance.contract.ask import WITHOUT_KEY, Exchange
from hostup_conformance.contract.content import member
from hostup_conformance.contract.refusal import asks_own, shows_core
from hostup_conformance.contract.selectors import asks_availability
from hostup_conformance.http.connections import CONNECTIONS
from hostup_conformance.http.pace import leading_number

#: So many requests in a row that should not get 403 raise the suspicion that everything gets it.
SUSPICIOUS = 3
#: What the server seems to do, and what to do about it.
SEEMS = "although the key worked before: it seems to ban an address that sends wrong keys or much that is refused"
EXEMPT = "(exempt the address of the suite, or judge the server behind the guard)"


#: Why the probe is sent again after a pause: where that is served, nobody is banned.
AFTER_A_PAUSE = "the probe, after a pause, to tell a ban from a rate limit"
#: What is said of a server that has served again after each pause.
PASSES = "although it served again after a pause: a rate limit, it seems, which is to get 429"


@dataclass(frozen=True)
class Ban:
    """From which exchange on, by its position, the server has shut the caller out, and what to say of it."""

    since: int
    why: str
    #: Whether no request gets a response any more, as from a server that is down.
    silent: bool = False


def should_not_be_forbidden(e: Exchange) -> bool:
    """A well-formed GET of the endpoint that no server has a reason to forbid.

    With the full key it is for a VPS of the caller; without one, or with a wrong one, it should get 401.
    """
    ours = e.ask.credential == "full" and e.ask.vps in {"own", "unavailable"}
    unknown = e.ask.credential in {"none", "wrong"} and e.ask.vps != "malformed"
    asked = e.request.method == "GET" and e.ask.endpoint and e.ask.pid.well_formed and not e.ask.devious
    return asked and not e.obeyed and (ours or unknown)


def is_forbidden(e: Exchange) -> bool:
    """A request that should not be forbidden, but got 403; that of a limit, which says when to try again, is none."""
    return is_for_good(e) and should_not_be_forbidden(e)


def is_for_good(e: Exchange) -> bool:
    """A 403 that does not say when to try again."""
    return e.status == 403 and e.header("retry-after") is None


def seems_banned(exchanges: Sequence[Exchange]) -> bool:
    """Whether the last requests of which none should, or the last of all kinds, got 403: then the probe is tried."""
    if not is_for_good(exchanges[-1]):
        return False
    recent = exchanges[-2 * CONNECTIONS :]
    undue = [e for e in recent if should_not_be_forbidden(e)][-SUSPICIOUS:]
    every = recent[-2 * SUSPICIOUS :]
    suspicious = is_forbidden(exchanges[-1]) and len(undue) == SUSPICIOUS and all(map(is_forbidden, undue))
    all_forbidden = len(every) == 2 * SUSPICIOUS and all(map(is_for_good, every))
    return (suspicious or all_forbidden) and any(map(shows_core, exchanges))


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
    since = end_of(exchanges, lambda e: not is_for_good(e))
    forbidden = exchanges[since:]
    if len(forbidden) < SUSPICIOUS or not any(asks_availability(e) and asks_own(e) for e in forbidden):
        return None
    if are_copies(forbidden) or any(has_used_a_limit_up(e) for e in exchanges[max(0, since - CONNECTIONS) : since]):
        return None
    # Of requests that were under way together, one that was forbidden may stand before one that was not.
    while early := [at for at in range(max(0, since - CONNECTIONS), since) if is_forbidden(exchanges[at])]:
        since = early[0]
    passes = any(e.purpose == AFTER_A_PAUSE and e.status == 200 for e in exchanges)
    refuses = f"after {since} requests the server refuses every request with the status 403"
    or_limits = f"{SEEMS}, or refuses with 403 what is beyond a rate limit {EXEMPT}"
    return Ban(since, f"{refuses} again, {PASSES}" if passes else f"{refuses}, {or_limits}")


def has_used_a_limit_up(e: Exchange) -> bool:
    """A response that says that the limit is reached: what follows is refused for that (RATE-13)."""
    return leading_number(e.header("x-ratelimit-remaining")) == 0 and not e.obeyed


def are_copies(refusals: Sequence[Exchange]) -> bool:
    """Whether most got a refusal that names another's request, as from a cache that keeps it."""
    whole = [e for e in refusals if e.response and e.response.body]
    named = {member(e, "requestId") for e in whole}
    return 2 * len(named) <= len(whole) and None not in named


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
    odd = any(e.ask.vps == "malformed" or e.ask.pid.ill_formed or e.ask.devious for e in together)
    if odd or not is_wrong_key_refused(exchanges[since - 1]):
        return None
    why = f"after {since} requests the server does not respond any more, {SEEMS} {EXEMPT}; or it is down"
    return Ban(since, why, silent=True)


def end_of(exchanges: Sequence[Exchange], of: Callable[[Exchange], bool]) -> int:
    """Return the position after the last exchange of a kind."""
    return next((at for at in range(len(exchanges), 0, -1) if of(exchanges[at - 1])), 0)
