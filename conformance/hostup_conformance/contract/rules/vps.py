"""VPS: the list of VPSs and the status of one. A server need not offer them; what it offers must be as documented."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any

from hostup_conformance.contract.oracles import validator
from hostup_conformance.contract.rules import Findings, FindingsAcross, across, each
from hostup_conformance.contract.selectors import (
    envelope_of,
    gives_either,
    gives_list,
    gives_status,
    is_asked,
    is_availability,
    listed_ids,
    member,
    misspelled,
    status_of,
)
from hostup_conformance.core.ledger import members_of

if TYPE_CHECKING:
    from hostup_conformance.contract.ask import Exchange
    from hostup_conformance.contract.target import Target

#: All states that the documentation of the status lists.
POWER_STATES = {"running", "stopped", "starting", "stopping", "paused", "provisioning", "error", "unknown"}
#: The members of a status whose types are documented.
STATUS_TYPES: dict[str, tuple[str, tuple[type, ...]]] = {
    "id": ("a string", (str,)),
    "powerState": ("a string", (str,)),
    "uptimeSeconds": ("a number or null", (int, float, type(None))),
    "cpuCores": ("a number or null", (int, float, type(None))),
    "memory": ("an object", (dict,)),
    "storage": ("an object", (dict,)),
    "network": ("an object", (dict,)),
}

#: The status codes of servers that do not offer a path.
ABSENT = {404, 405, 501}
STATUS = members_of("VpsStatus")


@each("VPS-01", gives_list)
def list_has_its_form(e: Exchange) -> Findings:
    """The body must be an object with the array data.

    Each item must be an object whose id is a string that is not empty.
    """
    data = member(e, "data")
    if not isinstance(data, list):
        yield "an object with the array data", sorted(e.body) if isinstance(e.body, dict) else e.body
        return
    for item in data:
        if not (isinstance(item, dict) and isinstance(item.get("id"), str) and item["id"]):
            yield "data[].id: a string", item.get("id") if isinstance(item, dict) else item
            return


@across("VPS-02", lambda e: gives_list(e) and e.ask.credential in {"full", "read"})
def list_is_the_callers(exchanges: list[Exchange], target: Target) -> FindingsAcross:
    """The VPS named in HOSTUP_FOREIGN_VPS_ID must not be in the list, whichever key asks."""
    for e in exchanges:
        if target.foreign_vps in listed_ids(e):
            yield e, "no VPS but the caller's", f"{target.foreign_vps}, which is somebody else's"


@across("VPS-03", lambda e: gives_list(e) and e.ask.credential == "full" and member(e, "hasMore") is not True)
def list_is_whole(exchanges: list[Exchange], target: Target) -> FindingsAcross:
    """The caller's own VPS must be in the list. A list with hasMore true is exempt."""
    for e in exchanges:
        if target.vps not in listed_ids(e):
            yield e, f"data with {target.vps}, or hasMore true", f"{len(listed_ids(e))} other VPSs"


@each("VPS-04", gives_status)
def status_has_its_form(e: Exchange) -> Findings:
    """The body must be a JSON object without an envelope.

    Members that are present must have their documented types; a missing one passes, and true and false are no numbers.
    """
    if not isinstance(e.body, dict):
        yield "a JSON object", e.body
        return
    if not any(name in e.body for name in STATUS) and (name := envelope_of(e.body)):
        yield "the members at the top level", f"an envelope with the member {name}"
    for name, (what, types) in STATUS_TYPES.items():
        if name in e.body and (not isinstance(e.body[name], types) or isinstance(e.body[name], bool)):
            yield f"{name}: {what}", e.body[name]


@each("VPS-05", gives_either)
def status_is_the_vpss(e: Exchange) -> Findings:
    """The id must be the one that was asked for, and each powerState one of the eight documented ones.

    VPS-04 judges values that are not strings.
    """
    id, data = member(e, "id"), member(e, "data")
    if isinstance(id, str) and e.ask.id is not None and id != e.ask.id:
        yield f"id {e.ask.id}", {"id": id}
    for vps in data if isinstance(data, list) else [e.body]:
        state = vps.get("powerState") if isinstance(vps, dict) else None
        if isinstance(state, str) and state not in POWER_STATES:
            yield f"powerState: one of {', '.join(sorted(POWER_STATES))}", state


@each(
    "VPS-06",
    lambda e: is_asked(e, "list", "status") and e.ask.credential in {"none", "wrong"} and e.status not in ABSENT,
)
def wants_a_key(e: Exchange) -> Findings:
    """A list or a status in a 200 is a finding; any refusal passes."""
    if gives_either(e):
        yield "status 401", status_of(e)


@each(
    "VPS-07",
    lambda e: is_asked(e, "status") and e.ask.credential in {"full", "read"} and e.ask.vps in {"foreign", "unknown"},
)
def status_is_the_callers(e: Exchange) -> Findings:
    """A status in a 200 is a finding. Any error passes, since the server may not offer the status at all."""
    if gives_status(e):
        yield "status 404, or 403", status_of(e)


@across("VPS-08", lambda e: e.ask.vps == "own" and (gives_status(e) or is_availability(e)))
def status_agrees(exchanges: list[Exchange], _target: Target) -> FindingsAcross:
    """powerState stopped is a finding if a probe of the run says available true or vmRunning true."""
    stopped = [e for e in exchanges if gives_status(e) and member(e, "powerState") == "stopped"]
    for e in exchanges:
        if stopped and is_availability(e) and True in (e.body.get("available"), e.body.get("vmRunning")):
            yield stopped[0], f"powerState running, as request {e.number} says", {"powerState": "stopped"}
            return


@each("VPS-09", gives_either)
def as_the_document_says(e: Exchange) -> Findings:
    """The body must be valid by its schema in the OpenAPI document.

    Much in that schema is inferred, so null passes for any member. A documented name in another spelling, and hasMore
    true without nextCursor, are findings too.
    """
    schema = "VpsPage" if e.ask.resource == "list" else "VpsStatus"
    if isinstance(e.body, dict):
        for error in islice(validator(schema).iter_errors(without_null(e.body)), 3):
            yield f"{schema}.{'.'.join(map(str, error.instance_path))} as in the OpenAPI document", error.message
        if found := misspelled(e.body, members_of(schema)):
            yield f"the spelling {', '.join(members_of(schema))}", ", ".join(found)
        if e.body.get("hasMore") is True and not e.body.get("nextCursor"):
            yield "nextCursor with hasMore true", {"nextCursor": e.body.get("nextCursor")}


def without_null(value: Any) -> Any:
    """Return a JSON value without the members that are null."""
    if isinstance(value, list):
        return [without_null(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {name: without_null(member) for name, member in value.items() if member is not None}


@across(
    "VPS-10",
    lambda e: is_asked(e, "list", "status") and e.ask.credential in {"full", "read"} and e.ask.vps in {"own", None},
)
def read_is_enough(exchanges: list[Exchange], _target: Target) -> FindingsAcross:
    """Where the full key got 200, a 401 or 403 for the key that has read:vm alone is a finding."""
    given = {e.ask.resource for e in exchanges if e.ask.credential == "full" and e.status == 200}
    for e in exchanges:
        if e.ask.credential == "read" and e.ask.resource in given and e.status in {401, 403}:
            yield e, "status 200", status_of(e)
