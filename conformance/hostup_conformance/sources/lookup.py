"""Finds a VPS with an available agent in the list of VPSs, if the user named none."""

from dataclasses import replace
from itertools import islice

from hostup_conformance.contract.ask import Exchange
from hostup_conformance.contract.content import listed_ids, member
from hostup_conformance.contract.paths import VPSS, path_of
from hostup_conformance.contract.refusal import CHECK, what_stands_between
from hostup_conformance.contract.sending import Wire
from hostup_conformance.contract.target import Target, is_id
from hostup_conformance.keeping.misconfigured import Misconfigured
from hostup_conformance.keeping.redact import redactor
from hostup_conformance.keeping.safe_text import counted
from hostup_conformance.sources.requests import authorized

#: How many VPSs of the list are probed.
CANDIDATES = 10
#: What to do where the list has none to judge with.
SET = "set it (README, Judge your server)"
#: What to do instead, by the status code that the list got; who does not offer a list has no page at its path.
REMEDIES: dict[int | None, str] = {401: CHECK[401], 404: f"{SET}, or check the base URL"}


def run(wire: Wire) -> None:
    """Send GETs, none of them a poll: the list, then probes of up to ten of its VPSs, until one is available."""
    exchange = get(wire, VPSS)
    for vps in candidates(exchange, wire.target):
        if says(get(wire, path_of(vps))) is True:
            return


def found(target: Target, exchanges: list[Exchange]) -> Target:
    """Return the target with the VPS that was looked up.

    It is the first with an available agent, or else the first whose probe does not say that it is unavailable, so that
    a server with a faulty probe can be judged too.

    Raises:
        Misconfigured: there is no such VPS, or no list
    """
    listing = next((e for e in exchanges if e.ask.resource == "list"), None)
    if listing is None or listing.status != 200:
        if between := what_stands_between(exchanges):
            raise Misconfigured(f"{target.base_url}: {between}; HOSTUP_VPS_ID is not set, and could not be looked up")
        why = f"the list of VPSs (GET {VPSS}), where one could be looked up, got {what_came(listing)}"
        raise missing(why, REMEDIES.get(listing.status if listing else None, SET))
    ids = candidates(listing, target)
    if not ids:
        raise missing(f"the list of VPSs (GET {VPSS}), where one could be looked up, has no VPS to probe")
    said = {e.ask.id: says(e) for e in exchanges if e.ask.endpoint}
    available = [id for id in ids if said.get(id) is True]
    silent = [id for id in ids if said.get(id) is not False]
    if not available + silent:
        raise missing(f"none of the first {counted(len(ids), 'VPS')} in the list (GET {VPSS}) has an available agent")
    return replace(target, vps=(available + silent)[0], looked_up=True)


def what_came(listing: Exchange | None) -> str:
    """Return what came instead of a list, in words."""
    if listing and listing.too_large:
        return f"a response that is too large ({listing.too_large})"
    return "no response" if listing is None or listing.status is None else f"the status {listing.status}"


def candidates(listing: Exchange | None, target: Target) -> list[str]:
    """Return the ids in a list that may be probed. They pass the same check as one from the environment."""
    others = {target.unavailable_vps, target.foreign_vps}
    redact = redactor(target.secrets)
    ids = (vps for vps in listed_ids(listing) if is_id(vps) and vps not in others) if listing else ()
    return [vps for vps in islice(ids, CANDIDATES) if redact(vps) == vps]


def says(e: Exchange | None) -> object:
    """Return the value of available in the response to a probe."""
    return member(e, "available") if e else None


def get(wire: Wire, path: str) -> Exchange | None:
    """Return the exchange of a GET with the key, or None if the wire sends no more."""
    return wire.try_to_send(authorized(path, wire.target), purpose="looking for a VPS")


def missing(why: str, remedy: str = SET) -> Misconfigured:
    """Return the error that says why there is no VPS to judge with, and what to do."""
    return Misconfigured(f"HOSTUP_VPS_ID is not set, and {why}; {remedy}")
