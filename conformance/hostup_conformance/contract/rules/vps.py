"""VPS: the list of VPSs and the status of one. A server need not offer them; what it offers must be as documented."""

import re
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import parse_qsl

from hostup_conformance.contract import ask, content, oracles, paths, responder, selectors
from hostup_conformance.contract.document import document
from hostup_conformance.contract.rules import Exchanges, Findings, rule
from hostup_conformance.keeping.safe_text import counted, short_json, shown

#: All states that the documentation of the status lists.
POWER_STATES = set(document()["components"]["schemas"]["VpsStatus"]["properties"]["powerState"]["x-known-values"])
#: The members of a status whose types are documented.
STATUS_TYPES: dict[str, tuple[str, tuple[type, ...]]] = {
    "id": ("a string", (str,)),
    "powerState": ("a string", (str,)),
    "uptimeSeconds": ("a number or null", (int, float, type(None))),
    "cpuCores": ("a number or null", (int, float, type(None))),
    "memory": ("an object or null", (dict, type(None))),
    "storage": ("an object or null", (dict, type(None))),
    "network": ("an object or null", (dict, type(None))),
}

#: The status codes of servers that do not offer a path.
ABSENT = {404, 405, 501}
#: The VPSs that are known to be the caller's.
CALLERS: set[ask.Vps | None] = {"own", "unavailable"}


def claims_list(e: ask.Exchange) -> bool:
    """A 200 for the list that says that it is JSON, whatever its body is."""
    labelled = e.response is not None and e.response.media_type.endswith("json")
    unreadable = selectors.is_asked(e, "list") and e.status == 200 and labelled and not selectors.has_json(e)
    return selectors.gives_list(e) or unreadable


@rule("VPS-01", seeks="list of VPSs")
def list_has_its_form(exchanges: Exchanges) -> Findings:
    """The body must be an object with the array data.

    Each item must be an object whose id is a string that is not empty.
    """
    for e in exchanges.each(claims_list):
        data = content.member(e, "data")
        if not isinstance(data, list):
            got: object = short_json(e.body, 60) if selectors.has_json(e) else "a body that is no JSON, or empty"
            if isinstance(e.body, dict):
                got = {"data": data} if "data" in e.body else content.named_members(e.body)
            yield e, "an object with the array data", got
            continue
        for item in data:
            if not (isinstance(item, dict) and isinstance(item.get("id"), str) and item["id"]):
                yield e, "data[].id: a string", item.get("id") if isinstance(item, dict) else item
                break


@rule("VPS-02", seeks="list of VPSs")
def list_is_the_callers(exchanges: Exchanges) -> Findings:
    """The VPS named in HOSTUP_FOREIGN_VPS_ID must not be in the list, whichever key asks."""
    for e in exchanges.each(selectors.gives_list, selectors.asking(credential={"full", "read"})):
        if exchanges.target.foreign_vps in content.listed_ids(e):
            yield e, "no VPS but the caller's", f"{exchanges.target.foreign_vps}, which belongs to another account"


def is_whole(e: ask.Exchange) -> bool:
    """A list, asked for without a limit, a cursor or a filter, that has no further page."""
    return selectors.gives_list(e) and not e.request.query and content.member(e, "hasMore") is not True


@rule("VPS-03", seeks="list of VPSs")
def list_is_whole(exchanges: Exchanges) -> Findings:
    """The caller's VPSs that were named must be in the list.

    A list with hasMore true is exempt, and so is a request with a limit, a cursor or a filter.
    """
    named = [id for id in (exchanges.target.vps, exchanges.target.unavailable_vps) if id]
    lists = exchanges.known(selectors.gives_list)
    complete = next((e for e in lists if set(named) <= set(content.listed_ids(e))), None)
    for e in exchanges.each(is_whole, selectors.asking(credential="full")):
        if missing := [id for id in named if id not in content.listed_ids(e)]:
            ids = content.listed_ids(e)
            others = counted(len(ids), "other VPS") + (f" ({', '.join(ids[:3])})" if ids else "")
            why = ""
            if complete:
                why = f", and all of them in request {complete.number}: the list differs from time to time"
            elif ids and form_of(missing[0]) not in map(form_of, ids):
                why = ": none has the form of an id that the endpoint takes, it seems"
            yield e, f"data with {missing[0]}, or hasMore true", f"{others}{why}"


def form_of(id: str) -> tuple[str, bool]:
    """Return what ids of one kind have in common: the signs between their parts, and whether they are numbers."""
    return re.sub("[0-9A-Za-z]+", "x", id), id.isdecimal()


@rule("VPS-04", seeks="status of a VPS")
def status_has_its_form(exchanges: Exchanges) -> Findings:
    """The body must be a JSON object without an envelope.

    Members that are present must have their documented types; a missing one passes, and true and false are no numbers.
    """
    for e in exchanges.each(selectors.gives_status):
        if not isinstance(e.body, dict):
            yield e, "a JSON object", content.in_place_of_object(e)
            continue
        if not content.present(e, content.STATUS) and (envelope := content.envelope_of(e.body)):
            yield e, "the members at the top level", envelope
        for name, (what, types) in STATUS_TYPES.items():
            if name in e.body and (not isinstance(e.body[name], types) or isinstance(e.body[name], bool)):
                yield e, f"{name}: {what}", e.body[name]


@rule("VPS-05", seeks="list or status")
def status_is_the_vpss(exchanges: Exchanges) -> Findings:
    """The id must be the one that was asked for, and each powerState one of the eight documented ones.

    VPS-04 judges values that are not strings. Of a server that is not said to know ids, no id is judged.
    """
    for e in exchanges.each(selectors.gives_either):
        id, data = content.member(e, "id"), content.member(e, "data")
        if exchanges.target.has("ids") and isinstance(id, str) and e.ask.id is not None and id != e.ask.id:
            yield e, f"id {e.ask.id}", {"id": id}
        for vps in data if isinstance(data, list) else [e.body]:
            state = vps.get("powerState") if isinstance(vps, dict) else None
            if isinstance(state, str) and state not in POWER_STATES:
                yield e, f"powerState: one of {', '.join(sorted(POWER_STATES))}", state


@rule("VPS-06", seeks="list or status")
def wants_a_key(exchanges: Exchanges) -> Findings:
    """A list or a status in a 200 is a finding; any refusal passes."""
    for e in exchanges.each(selectors.asks_either, selectors.keyless, lambda e: e.status not in ABSENT):
        if selectors.gives_either(e):
            yield e, "status 401", content.status_of(e)


@rule("VPS-07", seeks="status of another account's VPS")
def status_is_the_callers(exchanges: Exchanges) -> Findings:
    """A status in a 200 is a finding. Any error passes, since the server may not offer the status at all."""
    of_others = selectors.asking(credential={"full", "read"}, vps={"foreign", "unknown"})
    for e in exchanges.each(of_others, lambda e: selectors.is_asked(e, "status")):
        if selectors.gives_status(e):
            yield e, "status 404, or 403", content.status_of(e)


def tells_state(e: ask.Exchange) -> bool:
    """A status, or an availability, of one of the caller's own VPSs."""
    return e.ask.vps in CALLERS and (selectors.gives_status(e) or selectors.is_availability(e))


@rule("VPS-08", seeks="status of a VPS")
def status_agrees(exchanges: Exchanges) -> Findings:
    """powerState stopped is a finding if a probe of the same VPS says available true or vmRunning true.

    powerState running is one if a probe says vmRunning false.
    """
    selected = exchanges.each(tells_state)
    yield from contradictions(selected, [(e, e.ask.id, e.body) for e in selected if selectors.gives_status(e)])


@rule("VPS-09", seeks="list or status")
def as_the_document_says(exchanges: Exchanges) -> Findings:
    """The body must be valid by its schema in the OpenAPI document.

    Much in that schema is inferred, so null passes for any member. A documented name in another spelling is a finding
    too.
    """
    for e in exchanges.each(selectors.gives_either):
        schema = "VpsPage" if e.ask.resource == "list" else "VpsStatus"
        if isinstance(e.body, dict):
            for error in oracles.faults(schema, content.without_null(e.body), 3):
                yield e, f"{schema}.{'.'.join(map(str, error.instance_path))} as in the OpenAPI document", error.message
            names = content.PAGE if e.ask.resource == "list" else content.STATUS
            if found := content.misspelled(e.body, names):
                yield e, f"the spelling {', '.join(names)}", ", ".join(found)


@rule("VPS-10", seeks="list or status")
def read_is_enough(exchanges: Exchanges) -> Findings:
    """Where the full key got 200, a 4xx other than 429 for the key that has read:vm alone is a finding.

    So is a list without the VPS that the full key has in each of its own, unless hasMore says that there is another
    page.
    """
    selected = exchanges.each(selectors.asks_either, selectors.asking(credential={"full", "read"}, vps={"own", None}))
    given = {e.ask.resource for e in selected if e.ask.credential == "full" and e.status == 200}
    own = [e for e in selected if e.ask.credential == "full" and selectors.gives_list(e) and not e.request.query]
    listed = bool(own) and all(exchanges.target.vps in content.listed_ids(e) for e in own)
    for e in selected:
        if e.ask.credential == "read" and e.ask.resource in given and content.refused(e) and e.status != 429:
            yield e, "status 200", content.status_of(e)
        ids = content.listed_ids(e)
        if listed and is_whole(e) and e.ask.credential == "read" and exchanges.target.vps not in ids:
            yield e, f"data with {exchanges.target.vps}, as for the full key", counted(len(ids), "other VPS")


def query_of(e: ask.Exchange) -> dict[str, str]:
    """Return the parameters of a request."""
    return dict(parse_qsl(e.request.query, keep_blank_values=True))


def cursors_in(exchanges: Iterable[ask.Exchange]) -> set[str]:
    """Return the cursors that the server has given."""
    return {cursor for e in exchanges if isinstance(cursor := content.member(e, "nextCursor"), str)}


def offered_in(exchanges: Iterable[ask.Exchange]) -> set[paths.Resource]:
    """Return the resources that the server is seen to offer."""
    return {e.ask.resource for e in exchanges if e.status == 200}


def limit_of(e: ask.Exchange) -> int | None:
    """Return the limit that a request asks for, None for one that is not documented."""
    text = query_of(e).get("limit", "")
    return int(text) if re.fullmatch(r"[1-9]\d?|100", text, re.ASCII) else None


def of_all(e: ask.Exchange) -> bool:
    """A list, or a page of it, that is not filtered, for the full key."""
    return selectors.gives_list(e) and e.ask.credential == "full" and not query_of(e).keys() - {"limit", "cursor"}


def walks(exchanges: Iterable[ask.Exchange]) -> Iterator[list[ask.Exchange]]:
    """Yield each walk through the list: pages of which each has the nextCursor of the one before."""
    walk: list[ask.Exchange] = []
    for e in exchanges:
        query = query_of(e)
        follows = bool(walk) and query.get("cursor") == content.member(walk[-1], "nextCursor")
        if follows and query.get("limit") == query_of(walk[0]).get("limit"):
            walk.append(e)
        elif "cursor" not in query and limit_of(e):
            if walk:
                yield walk
            walk = [e]
    if walk:
        yield walk


@rule("VPS-11", seeks="list of VPSs")
def pages_are_the_list(exchanges: Exchanges) -> Findings:
    """No VPS may come on two pages of one walk, or twice on one page.

    A walk to the last page must show the VPSs of a list that was asked for without a limit and has no further page;
    where there is none, the caller's own VPS.
    """
    selected = exchanges.each(of_all)
    for e in selected:
        if twice := [id for id in content.listed_ids(e) if content.listed_ids(e).count(id) > 1]:
            yield e, "each VPS once", f"{twice[0]} twice"
            return
    whole = next(filter(is_whole, selected), None)
    for walk in walks(selected):
        seen: dict[str, ask.Exchange] = {}
        for page in walk:
            for id in content.listed_ids(page):
                if id in seen:
                    of, limit = len(content.listed_ids(page)), limit_of(page)
                    beyond = f", on a page of {of} VPSs where the limit is {limit}" if limit and of > limit else ""
                    yield page, f"no VPS of request {seen[id].number}", f"{id}{beyond}"
                    return
            seen |= dict.fromkeys(content.listed_ids(page), page)
        ids = content.listed_ids(whole) if whole else [exchanges.target.vps]
        missing = [id for id in ids if id not in seen]
        more = content.member(walk[-1], "hasMore")
        if missing and more is not True:
            got = f"pages without it, with {len(seen)} in all, and hasMore {short_json(more, 20)} with the last"
            yield walk[-1], f"{missing[0]} on one of the pages", got
            return


@rule("VPS-12", seeks="list of VPSs")
def pages_lead_on(exchanges: Exchanges) -> Findings:
    """A nextCursor beside hasMore false is a finding, and so is none beside hasMore true.

    So are a cursor that comes again and an empty page after it.
    """
    selected = exchanges.each(of_all)
    for e in selected:
        more, cursor = content.member(e, "hasMore"), content.member(e, "nextCursor")
        if isinstance(more, bool) and bool(cursor) is not more:
            expected = "a nextCursor with hasMore true" if more else "no nextCursor with hasMore false"
            yield e, expected, {"nextCursor": cursor}
            return
    for walk in walks(selected):
        cursors = [content.member(page, "nextCursor") for page in walk if content.member(page, "hasMore") is True]
        if any(cursor in cursors[:position] for position, cursor in enumerate(cursors) if cursor):
            yield walk[-1], "another nextCursor on each page", {"nextCursor": cursors[-1]}
        elif len(walk) > 1 and not content.listed_ids(walk[-1]):
            yield walk[-1], f"a VPS, since request {walk[-2].number} has hasMore true", "an empty page"


@rule("VPS-13", seeks="page of the list")
def limit_is_kept(exchanges: Exchanges) -> Findings:
    """A page with more VPSs than the limit is a finding.

    Fewer pass: a server may have a smaller limit of its own.
    """
    for e in exchanges.each(of_all, lambda e: limit_of(e) is not None):
        if len(content.listed_ids(e)) > (limit_of(e) or 0):
            yield e, f"no more VPSs than the limit of {limit_of(e)}", counted(len(content.listed_ids(e)), "VPS")


def has_odd_limit(e: ask.Exchange) -> bool:
    """A request for the list, with the full key, whose limit is not documented."""
    odd = "limit" in query_of(e) and limit_of(e) is None
    return odd and e.ask.credential == "full" and selectors.is_asked(e, "list")


@rule("VPS-15", seeks="made-up cursor")
def cursor_is_checked(exchanges: Exchanges) -> Findings:
    """Reports VPSs on a page if no page of the run had the cursor, and judges nothing."""
    selected = exchanges.each(of_all)
    given = cursors_in(selected)
    for e in selected:
        if (cursor := query_of(e).get("cursor")) and cursor not in given and content.listed_ids(e):
            yield e, "", f"a made-up cursor gets a page of {counted(len(content.listed_ids(e)), 'VPS')}"
            return


def is_filtered(e: ask.Exchange) -> bool:
    """A list for the full key of the VPSs with a name."""
    return selectors.gives_list(e) and e.ask.credential == "full" and "name" in query_of(e)


@rule("VPS-24", seeks="list of the VPSs with a name")
def name_is_looked_for(exchanges: Exchanges) -> Findings:
    """A VPS with another name is a finding, and so is one without a name if the run made the name up."""
    for e in exchanges.each(is_filtered):
        asked = query_of(e)["name"]
        unnamed = "" if paths.NONE in asked else asked
        others = [item for item in content.items_of(e) if item.get("name", unnamed) != asked]
        if others:
            yield e, f"no VPS with another name than {shown(asked, 60)}", counted(len(others), "VPS")


@rule("VPS-18", seeks="list of VPSs")
def order_is_stable(exchanges: Exchanges) -> Findings:
    """The VPSs that two responses have in common must come in the same order."""
    selected = exchanges.each(of_all, lambda e: not e.request.query)
    first = content.listed_ids(selected[0]) if selected else []
    for e in selected[1:]:
        ids = content.listed_ids(e)
        if [id for id in ids if id in first] != [id for id in first if id in ids]:
            yield e, f"the order of request {selected[0].number}", ", ".join(ids)
            return


@rule("VPS-19", seeks="list or status")
def list_agrees(exchanges: Exchanges) -> Findings:
    """An item of the list may not be stopped where a status or a probe says that the VPS runs, nor the other way round.

    Other states pass, since a VPS passes through them.
    """
    selected = exchanges.each(lambda e: selectors.gives_list(e) or tells_state(e))
    listed = [(e, item["id"], item) for e in selected if selectors.gives_list(e) for item in content.items_of(e)]
    yield from contradictions(selected, listed)


def contradictions(
    exchanges: Iterable[ask.Exchange], claims: Iterable[tuple[ask.Exchange, str | None, Any]]
) -> Findings:
    """Yield the first claim of a power state that a status or a probe of the same VPS contradicts."""
    said = {(e.ask.id, runs): e for e in exchanges if (runs := shows_running(e)) is not None}
    for e, id, body in claims:
        runs = runs_by(state := body.get("powerState") if isinstance(body, dict) else None)
        if runs is not None and (other := said.get((id, not runs))):
            expected = "running" if not runs else "stopped"
            yield e, f"powerState {expected}, as request {other.number} says", {"id": id, "powerState": state}
            return


def runs_by(state: object) -> bool | None:
    """Return whether a VPS runs by its power state; None if that does not say."""
    return {"running": True, "stopped": False}.get(state) if isinstance(state, str) else None


def shows_running(e: ask.Exchange) -> bool | None:
    """Return whether a status or a probe says that the VPS runs; None if it does not say."""
    if selectors.gives_status(e):
        return runs_by(content.member(e, "powerState"))
    if selectors.is_availability(e):
        running = e.body.get("vmRunning")
        return True if e.body.get("available") is True else running if isinstance(running, bool) else None
    return None


@rule("VPS-22", seeks="list or status")
def errors_are_problems(exchanges: Exchanges) -> Findings:
    """A 4xx of a list or a status that the server offers must be a JSON object with the strings type, code and detail.

    Of a request with a limit that is not documented, any 4xx passes, and so does what a firewall has refused.
    """
    selected = exchanges.each(selectors.asks_either, selectors.asking(vps={None, *CALLERS, "foreign", "unknown"}))
    offered = offered_in(selected)
    for e in selected:
        passes = has_odd_limit(e) or selectors.by_firewall(e)
        if e.ask.resource not in offered or not content.refused(e) or passes:
            continue
        if lacking := [name for name in ("type", "code", "detail") if not isinstance(content.member(e, name), str)]:
            got = f"{content.status_of(e)} without {', '.join(lacking)}"
            yield e, "a problem document with type, code and detail", got
            return


def is_plain(e: ask.Exchange, given: set[str]) -> bool:
    """Whether a request asks for all or a page, with a documented limit and one of the `given` cursors."""
    query = query_of(e)
    documented = "limit" not in query or limit_of(e) is not None
    return query.keys() <= {"limit", "cursor"} and documented and query.get("cursor") in {None, *given}


@rule("VPS-23", seeks="list or status")
def documented_is_served(exchanges: Exchanges) -> Findings:
    """A 4xx is a finding, and so are a 2xx other than 200 and a 5xx.

    403, 404, 405, 410 and 5xx pass where the path never got 200, since a server need not offer it; so do a redirection,
    and any response to a request with a filter. So does a 409 for the VPS without an agent, which may not be ready.
    HTTP-08 judges what may be a gateway's failure, and the RATE requirements a 429.
    """
    selected = exchanges.known(selectors.asks_either, selectors.asking(credential="full", vps={None, *CALLERS}))
    cursors = cursors_in(selected)
    offered = offered_in(selected)
    for e in selected:
        if e.status not in ABSENT:
            exchanges.take(e)
        passes = {429} if e.ask.resource in offered else {*ABSENT, 403, 410, 429}
        is_not_ready = e.status == 409 and e.ask.vps == "unavailable"
        denied = content.refused(e) and e.status not in passes and not is_not_ready
        failed = content.failed(e) and e.ask.resource in offered and e.status != 501 and not responder.is_gateways(e)
        if (denied or failed or 200 < (e.status or 0) < 300) and is_plain(e, cursors):
            yield e, "status 200", content.status_of(e)
            return
