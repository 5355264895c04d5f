"""ID: the VPS. Everything here has the right key."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from hostup_conformance.contract.ask import is_start
from hostup_conformance.contract.rules import Findings, FindingsAcross, across, each
from hostup_conformance.contract.selectors import judged, refused, status_of

if TYPE_CHECKING:
    from hostup_conformance.contract.ask import Exchange, Vps
    from hostup_conformance.contract.rules import Selector
    from hostup_conformance.contract.target import Target


def for_vps(vps: Vps) -> Selector:
    """Select well-formed requests for such a VPS with the full key, which lacks no scope to be refused for first."""
    return lambda e: judged(e) and e.ask.credential == "full" and e.ask.vps == vps and e.ask.pid.well_formed


@across("ID-01", for_vps("unknown"))
def unknown(exchanges: list[Exchange], target: Target) -> FindingsAcross:
    """404, or 403 as for any VPS that is not the caller's; and 400 for an id that is not of the own one's form."""
    for e in exchanges:
        refusals = {403, 404} if form(e.ask.id or "") == form(target.vps) else {400, 403, 404}
        if e.status not in refusals:
            yield e, "status 404, or 403", status_of(e)


def form(id: str) -> str:
    """Return an id with every digit and every letter alike."""
    return re.sub("[a-z]", "a", re.sub("[A-Z]", "A", re.sub("[0-9]", "0", id)))


def of_foreign(e: Exchange) -> bool:
    """A request with a right key, GET or HEAD, for somebody else's VPS."""
    right = e.ask.credential in {"full", "read"} and e.ask.vps == "foreign" and e.ask.pid.well_formed
    return right and (judged(e) or (e.request.method == "HEAD" and e.response is not None))


@each("ID-02", of_foreign)
def foreign(e: Exchange) -> Findings:
    """The page allows both. A server that knows no HEAD refuses it in its own way."""
    if e.request.method == "GET" and e.status not in {403, 404}:
        yield "status 404, or 403", status_of(e)
    elif e.request.method == "HEAD" and e.status is not None and e.status < 400:
        yield "a refusal, as GET gets", status_of(e)


@each("ID-03", for_vps("similar"))
def exact(e: Exchange) -> Findings:
    """Any refusal, since the id may be of the wrong form."""
    if not refused(e):
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


@each("ID-06", lambda e: is_start(e) and e.ask.credential == "full" and e.ask.vps in {"unknown", "foreign"})
def no_start_elsewhere(e: Exchange) -> Findings:
    """404 or 403; and 400 for an id that some form does not allow."""
    if e.status not in {403, 404} and not (e.ask.vps == "unknown" and e.status == 400):
        yield "status 404, or 403", status_of(e)
