"""PROBE: the availability, the response to a request without pid."""

from hostup_conformance.contract import ask, content, responder, selectors
from hostup_conformance.contract.rules import Exchanges, Findings, rule
from hostup_conformance.keeping.safe_text import short_json

of_own, of_unavailable = selectors.asking(vps="own"), selectors.asking(vps="unavailable")


@rule("PROBE-01")
def probe_gets_200(exchanges: Exchanges) -> Findings:
    """Any status code but 200 is a finding."""
    for e in exchanges.each(selectors.asks_availability, selectors.ours):
        if e.status != 200:
            yield e, "status 200", content.status_of(e)


@rule("PROBE-02")
def bare_object(exchanges: Exchanges) -> Findings:
    """The body must be a JSON object.

    A member with the name of a common envelope (data, result and the like) is a finding if none of the documented
    members stands beside it. So is an object without any member where commands can be run: it does not say whether.
    """
    for e in exchanges.each(selectors.succeeded, selectors.has_json, selectors.asking(pid=ask.Pid.ABSENT)):
        if not isinstance(e.body, dict):
            yield e, "a JSON object", content.in_place_of_object(e)
        elif not content.present(e, content.AVAILABILITY) and (envelope := content.envelope_of(e.body)):
            yield e, "the members at the top level", envelope
        elif not e.body and of_own(e):
            yield e, "members that say whether commands can be run", "an empty object"


@rule("PROBE-03")
def types_are_documented(exchanges: Exchanges) -> Findings:
    """Where present, available and vmRunning must be booleans, and reason a string or null. A missing member passes."""
    for e in exchanges.each(selectors.is_availability):
        for name in ("available", "vmRunning"):
            if not isinstance(e.body.get(name, False), bool):
                yield e, f"{name}: a boolean", {name: e.body[name]}
        if not isinstance(e.body.get("reason"), str | None):
            yield e, "reason: a string or null", {"reason": e.body["reason"]}


def has_empty_pid(e: ask.Exchange) -> bool:
    """A request with an empty pid, which names no command."""
    return selectors.understood(e) and e.ask.pid == ask.Pid.EMPTY


@rule("PROBE-04")
def not_output(exchanges: Exchanges) -> Findings:
    """Any member of command output is a finding, in any spelling. An empty pid may be refused as well.

    A member that is null is none: a server that has one type for both bodies sends those of the other as null.
    """
    for e in exchanges.each(lambda e: selectors.is_availability(e) or has_empty_pid(e)):
        body = content.without_null(e.body) if e.status == 200 and isinstance(e.body, dict) else {}
        empty = " for an empty pid" if has_empty_pid(e) else ""
        if found := [name for name in body if name in content.OUTPUT] + content.misspelled(body, content.OUTPUT):
            yield e, "the availability", f"command output ({', '.join(found)}){empty}"


@rule("PROBE-05")
def available_here(exchanges: Exchanges) -> Findings:
    """Only available false is a finding. PROBE-03 judges a value that is not a boolean."""
    for e in exchanges.each(selectors.is_availability, of_own):
        if e.body.get("available") is False:
            yield e, "available true, or absent", {"available": False, "reason": e.body.get("reason")}


@rule("PROBE-06")
def has_available(exchanges: Exchanges) -> Findings:
    """A missing available is a finding.

    The VPS whose agent is not available is exempt: there a missing member says clearly enough that no command can be
    run.
    """
    for e in exchanges.each(selectors.is_availability, of_own):
        if "available" not in e.body:
            yield e, "the member available", content.named_members(e.body)


@rule("PROBE-07", seeks="availability of the VPS without an agent")
def not_available_there(exchanges: Exchanges) -> Findings:
    """Only available true is a finding."""
    for e in exchanges.each(selectors.asks_availability, selectors.is_availability, of_unavailable):
        if e.body.get("available") is True:
            yield e, "available false, or absent", {"available": True}


@rule("PROBE-08", seeks="availability of the VPS without an agent")
def unavailable_has_a_reason(exchanges: Exchanges) -> Findings:
    """A reason that is null, empty or blank is a finding, and so is a body that has members but no documented one.

    A missing reason passes.
    """
    for e in exchanges.each(selectors.asks_availability, selectors.is_availability, of_unavailable):
        reason = e.body.get("reason")
        if "reason" in e.body and (reason is None or reason == "" or str(reason).isspace()):
            yield e, "a reason that is not empty", {"reason": reason}
        elif e.body and not content.present(e, content.AVAILABILITY):
            yield e, "an availability", f"{content.named_members(e.body)} alone"


@rule("PROBE-12", seeks="probe of the VPS without an agent")
def unavailable_gets_200(exchanges: Exchanges) -> Findings:
    """Any status code but 200 is a finding. A gateway's failure passes; HTTP-08 judges that.

    So does a 503 or the like in a problem document, if the same VPS gets 200 at another time.
    """
    selected = exchanges.each(selectors.asks_availability, selectors.asking(credential="full", vps="unavailable"))
    works = any(e.status == 200 for e in selected)
    for e in selected:
        if e.status != 200 and not responder.may_pass(e) and not (works and responder.is_gateways(e)):
            known = ", if HOSTUP_UNAVAILABLE_VPS_ID is a VPS of the caller" if e.status in {403, 404} else ""
            yield e, f"status 200{known}", content.status_of(e)


@rule("PROBE-09")
def members_agree(exchanges: Exchanges) -> Findings:
    """With available true, a reason that is not empty is a finding, and so is vmRunning false."""
    for e in exchanges.each(selectors.is_availability):
        if e.body.get("available") is not True:
            continue
        if e.body.get("reason"):
            yield e, "no reason with available true", {"reason": e.body["reason"]}
        if e.body.get("vmRunning") is False:
            yield e, "vmRunning not false with available true", {"vmRunning": False}


@rule("PROBE-10")
def spelling_is_documented(exchanges: Exchanges) -> Findings:
    """A member that differs from a missing documented one in case, underscores, hyphens or an is alone is a finding."""
    for e in exchanges.each(selectors.is_availability):
        if found := content.misspelled(e.body, content.AVAILABILITY):
            yield e, f"the spelling {', '.join(content.AVAILABILITY)}", ", ".join(found)


@rule("PROBE-11")
def availability_is_steady(exchanges: Exchanges) -> Findings:
    """All 200 responses for one VPS must have the same value of available. The first that differs is reported."""
    said: dict[ask.Vps | None, ask.Exchange] = {}
    for e in exchanges.each(selectors.is_availability):
        before = said.setdefault(e.ask.vps, e)
        if before.body.get("available") != e.body.get("available") and e.ask.vps in {"own", "unavailable"}:
            earlier = short_json({"available": before.body.get("available")}, 60)
            yield e, f"{earlier}, as in request {before.number}", {"available": e.body.get("available")}
            return
