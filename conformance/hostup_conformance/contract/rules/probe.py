"""PROBE: the availability, the response to a request without pid."""

from __future__ import annotations

from hostup_conformance.contract.ask import Exchange, Pid, Vps
from hostup_conformance.contract.content import (
    AVAILABILITY,
    OUTPUT,
    envelope_of,
    misspelled,
    named_members,
    present,
    status_of,
)
from hostup_conformance.contract.rules import Findings, FindingsAcross, across, each
from hostup_conformance.contract.selectors import asks_availability, has_json, is_availability, is_transient, succeeded
from hostup_conformance.contract.target import Target
from hostup_conformance.keeping.safe_text import short_json


def of_own(e: Exchange) -> bool:
    """An availability of the VPS whose agent is available."""
    return is_availability(e) and e.ask.vps == "own"


def of_unavailable(e: Exchange) -> bool:
    """A probe, by a key that has read:vm, of the VPS whose agent is not available."""
    return asks_availability(e) and e.ask.vps == "unavailable"


@each("PROBE-01", lambda e: asks_availability(e) and e.ask.vps == "own" and e.ask.credential == "full")
def probe_gets_200(e: Exchange) -> Findings:
    """Any status code but 200 is a finding."""
    if e.status != 200:
        yield "status 200", status_of(e)


@each("PROBE-02", lambda e: succeeded(e) and e.ask.pid == Pid.ABSENT and has_json(e))
def bare_object(e: Exchange) -> Findings:
    """The body must be a JSON object.

    A member with the name of a common envelope (data, result and the like) is a finding if none of the documented
    members stands beside it.
    """
    if not isinstance(e.body, dict):
        yield "a JSON object", e.body
    elif not present(e, AVAILABILITY) and (name := envelope_of(e.body)):
        yield "the members at the top level", f"an envelope with the member {name}"


@each("PROBE-03", is_availability)
def types_are_documented(e: Exchange) -> Findings:
    """Where present, available and vmRunning must be booleans, and reason a string or null. A missing member passes."""
    for name in ("available", "vmRunning"):
        if not isinstance(e.body.get(name, False), bool):
            yield f"{name}: a boolean", {name: e.body[name]}
    if not isinstance(e.body.get("reason"), str | None):
        yield "reason: a string or null", {"reason": e.body["reason"]}


@each("PROBE-04", is_availability)
def not_output(e: Exchange) -> Findings:
    """Any member of command output is a finding, in any spelling."""
    if found := [name for name in e.body if name in OUTPUT] + misspelled(e.body, OUTPUT):
        yield "the availability", f"command output ({', '.join(found)})"


@each("PROBE-05", of_own)
def available_here(e: Exchange) -> Findings:
    """Only available false is a finding. PROBE-03 judges a value that is not a boolean."""
    if e.body.get("available") is False:
        yield "available true, or absent", {"available": False, "reason": e.body.get("reason")}


@each("PROBE-06", of_own)
def has_available(e: Exchange) -> Findings:
    """A missing available is a finding.

    The VPS whose agent is not available is exempt: there a missing member says clearly enough that no command can be
    run.
    """
    if "available" not in e.body:
        yield "the member available", named_members(e.body)


@each("PROBE-07", lambda e: of_unavailable(e) and is_availability(e))
def not_available_there(e: Exchange) -> Findings:
    """Only available true is a finding."""
    if e.body.get("available") is True:
        yield "available false, or absent", {"available": True}


@each("PROBE-08", lambda e: of_unavailable(e) and is_availability(e))
def unavailable_has_a_reason(e: Exchange) -> Findings:
    """A reason that is null, empty or blank is a finding, and so is a body that has members but no documented one.

    A missing reason passes.
    """
    reason = e.body.get("reason")
    if "reason" in e.body and (reason is None or reason == "" or str(reason).isspace()):
        yield "a reason that is not empty", {"reason": reason}
    elif e.body and not present(e, AVAILABILITY):
        yield "an availability", f"{named_members(e.body)} alone"


@each("PROBE-12", of_unavailable)
def unavailable_gets_200(e: Exchange) -> Findings:
    """Any status code but 200 is a finding. A gateway's failure passes; HTTP-08 judges that."""
    if e.status != 200 and not is_transient(e):
        yield "status 200", status_of(e)


@each("PROBE-09", is_availability)
def members_agree(e: Exchange) -> Findings:
    """With available true, a reason that is not empty is a finding, and so is vmRunning false."""
    if e.body.get("available") is not True:
        return
    if e.body.get("reason"):
        yield "no reason with available true", {"reason": e.body["reason"]}
    if e.body.get("vmRunning") is False:
        yield "vmRunning not false with available true", {"vmRunning": False}


@each("PROBE-10", is_availability)
def spelling_is_documented(e: Exchange) -> Findings:
    """A member that differs from a missing documented one only in case, underscores or hyphens is a finding."""
    if found := misspelled(e.body, AVAILABILITY):
        yield f"the spelling {', '.join(AVAILABILITY)}", ", ".join(found)


@across("PROBE-11", is_availability)
def availability_is_steady(exchanges: list[Exchange], _target: Target) -> FindingsAcross:
    """All 200 responses for one VPS must have the same value of available. The first that differs is reported."""
    said: dict[Vps | None, Exchange] = {}
    for e in exchanges:
        before = said.setdefault(e.ask.vps, e)
        if before.body.get("available") != e.body.get("available") and e.ask.vps in {"own", "unavailable"}:
            earlier = short_json({"available": before.body.get("available")}, 60)
            yield e, f"{earlier}, as in request {before.number}", {"available": e.body.get("available")}
            return
