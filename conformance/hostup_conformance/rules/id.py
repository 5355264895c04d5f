"""ID: the VPS. Everything here has the right key."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hostup_conformance.rules import Findings, each
from hostup_conformance.rules.selectors import refused, status_of

if TYPE_CHECKING:
    from hostup_conformance.exchange import Exchange, Vps
    from hostup_conformance.rules import Selector

#: A key may also be refused for lack of a scope before the VPS is looked up; only the full key has none to lack.
WELL_FORMED = {"absent", "finished", "running", "unknown"}


def for_vps(vps: Vps) -> Selector:
    """Select well-formed requests with the full key for such a VPS."""
    return lambda e: e.judged and e.ask.credential == "full" and e.ask.vps == vps and e.ask.pid in WELL_FORMED


@each("ID-01", for_vps("unknown"))
def unknown(e: Exchange) -> Findings:
    """404, or 403 as for any VPS that is not the caller's. A 5xx is HTTP-08's."""
    if e.status not in {403, 404} and not (e.status or 0) >= 500:
        yield "status 404, or 403", status_of(e)


@each("ID-02", for_vps("foreign"))
def foreign(e: Exchange) -> Findings:
    """The page allows both. A 5xx is HTTP-08's."""
    if e.status not in {403, 404} and not (e.status or 0) >= 500:
        yield "status 404, or 403", status_of(e)


@each("ID-03", for_vps("similar"))
def exact(e: Exchange) -> Findings:
    """Any refusal, since the id may be of the wrong form."""
    if not refused(e) and not (e.status or 0) >= 500:
        yield "a 4xx", status_of(e)


@each("ID-04", for_vps("malformed"))
def malformed(e: Exchange) -> Findings:
    """A redirect to the path without its dot segments is some servers' habit, and no harm."""
    if e.status is not None and (e.status < 300 or e.status >= 500):
        yield "a 4xx", status_of(e)


@each("ID-05", for_vps("case"))
def case(e: Exchange) -> Findings:
    """Any refusal, since the id may be of the wrong form."""
    if e.status is not None and e.status < 300:
        yield "a 4xx", status_of(e)
