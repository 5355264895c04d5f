"""Where no VPS was named: one whose agent is available, found in the list of VPSs."""

from __future__ import annotations

from contextlib import closing, suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from hostup_conformance.exchange import VPSS, Exchange, path_of
from hostup_conformance.sources.probe import authorized
from hostup_conformance.target import Misconfigured
from hostup_conformance.wire import Stopped, Wire

if TYPE_CHECKING:
    from hostup_conformance.target import Target
    from hostup_conformance.wire import Limits

#: How many VPSs of the list are asked.
CANDIDATES = 10


def with_vps(target: Target, limits: Limits) -> Target:
    """Return the target with a VPS of its list, by at most eleven GETs, none of them a poll.

    It is the first that says that its agent is available; or else the first that does not say that it is not, so that
    a server whose probe is at fault is judged as well.

    Raises:
        Misconfigured: there is no such VPS, or no list
    """
    with closing(Wire(target, replace(limits, requests=CANDIDATES + 1), live=True)) as wire:
        others = {target.unavailable_vps, target.foreign_vps}
        ids = [vps for vps in listed(get(wire, VPSS)) if vps not in others][:CANDIDATES]
        silent = None
        for vps in ids:
            exchange = get(wire, path_of(vps))
            available = exchange.body.get("available") if exchange and isinstance(exchange.body, dict) else None
            if available is True:
                return replace(target, vps=vps, looked_up=True)
            if available is not False:
                silent = silent or vps
    if silent is None:
        raise missing(f"none of the first {len(ids)} VPSs that GET {VPSS} lists has an available agent")
    return replace(target, vps=silent, looked_up=True)


def listed(exchange: Exchange | None) -> list[str]:
    """Return the ids in the answer to a request for the list."""
    if exchange is None or exchange.status != 200:
        said = "no answer" if exchange is None or exchange.status is None else f"status {exchange.status}"
        raise missing(f"GET {VPSS}, where one could be looked up, got {said}")
    ids = [id for id in exchange.listed_ids if id]
    if not ids:
        raise missing(f"GET {VPSS}, where one could be looked up, names none")
    return ids


def get(wire: Wire, path: str) -> Exchange | None:
    """Return the exchange of a GET with the key, or None if the wire sends no more."""
    with suppress(Stopped):
        return wire.send(authorized(path, wire.target), purpose="looking for a VPS")
    return None


def missing(why: str) -> Misconfigured:
    """Say why there is no VPS to judge with."""
    return Misconfigured(f"HOSTUP_VPS_ID is not set, and {why}; set it (README, judge your own server)")
