"""Whether the endpoint was seen to work, and how it was refused as a whole: by the server, or by what stands before it.

It judges no requirement. What it finds is no fault of the server: the base URL, the key or the id may be wrong, or a
proxy may want a login.
"""

from collections.abc import Sequence
from contextlib import suppress

from hostup_conformance.contract.ask import Exchange, Pid, is_started, new_pid
from hostup_conformance.contract.content import is_page, named_status, refused
from hostup_conformance.contract.lives import lives
from hostup_conformance.contract.paths import VPSS
from hostup_conformance.contract.selectors import asks_availability, is_permitted, ours, started, starts
from hostup_conformance.contract.target import Target
from hostup_conformance.keeping.safe_text import counted, split_url

#: What the path of every operation begins with.
BEGINNING = "/" + VPSS.split("/")[1]
#: What to give where something stands before the server.
BEHIND = "give a base URL behind it, or what it asks for, with --header or --client-cert"
#: What to check, by the status code that all requests for the core got.
CHECK = {
    401: "check the key, and whether the Authorization header field reaches the server",
    403: "check the key, its scopes and the VPS id",
    404: "check the base URL and the VPS id",
}
#: What to check, by how all requests were lost, if not the base URL alone.
CHECK_LOST: dict[str | None, str] = {
    "dropped": "check the base URL, and whether it is https",
    "proxy": "check the base URL and the proxy, or name the host in NO_PROXY",
}
#: After how many seconds of polling a recording shows that a command does not end.
POLLED_LONG_ENOUGH = 10.0
#: A later request may get something else than these: one that accepts more, or that is sent after a while.
NOT_FINAL = {406, 429}


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
    return e.ask.endpoint and ours(e)


def refusal_of_starts(exchanges: Sequence[Exchange]) -> str | None:
    """Say with which 4xx every start of a proper command was refused; None if one was not, or if there was none."""
    first = next(filter(starts, exchanges), None)
    if first is None or not refused(first) or any(e.status != first.status for e in filter(starts, exchanges)):
        return None
    return f"every start was refused with {named_status(first)} (does HOSTUP_API_KEY have write:vm?)"


def refusal_of_polls(exchanges: Sequence[Exchange]) -> str | None:
    """Say that the key seems to lack write:vm, if it may probe, starts nothing, and every poll got 403; else None.

    Where the other key may start, the two may have been given in each other's place.
    """
    whole = [e for e in exchanges if is_permitted(e) and e.ask.vps == "own" and e.ask.pid.well_formed]
    polls = [e for e in whole if e.ask.pid != Pid.ABSENT]
    forbidden = len(polls) > 1 and all(e.status == 403 for e in polls) and any(map(shows_core, exchanges))
    if not forbidden or any(map(started, exchanges)):
        return None
    reader_starts = any(is_started(e) and e.ask.credential == "read" for e in exchanges)
    lacks = (
        "HOSTUP_API_KEY and HOSTUP_READ_API_KEY are exchanged, or the check of their scopes is inverted, it seems"
        if reader_starts
        else "HOSTUP_API_KEY seems to lack write:vm, or the server not to see it there"
    )
    return f"{lacks}: each of {counted(len(polls), 'poll')} got {named_status(polls[0])}"


def doubt_about(exchanges: Sequence[Exchange], target: Target) -> str | None:
    """Say why the endpoint was not seen to work although its probe was: no command ended, or none could be polled.

    That a key may only probe is a doubt where the user gave what takes more.
    """
    polled = [life for life in lives(list(exchanges)) if life.is_short and life.polls]
    # A recording may have been cut, and shows little of a command then.
    long_enough = target.kind != "har" or any(life.seconds_polled >= POLLED_LONG_ENOUGH for life in polled)
    if polled and long_enough and not any(life.end for life in polled):
        statuses = {e.status for life in polled for e in life.polls}
        got = f": each got {statuses.pop()}" if len(statuses) == 1 and statuses - {200, None} else ""
        return f"{counted(len(polled), 'command')} ran and should have ended, and no poll reported the end of one{got}"
    begun = [e for e in exchanges if started(e)]
    if begun and not any(new_pid(e) for e in begun):
        return "commands were started, and no response had a pid by which to poll them"
    presupposed = target.read_key or target.finished_pid or target.running_pid or target.allow_exec
    return refusal_of_polls(exchanges) if presupposed and target.kind != "har" else None


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
        page = f"a page in HTML with the status {named}, perhaps of another server, or of a proxy in front of it"
        return f"every probe got {page} (check the base URL; {BEHIND})"
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
    if any(asks_own(e) and (e.status in NOT_FINAL or (e.status == 200 and not is_page(e))) for e in exchanges):
        return None
    listed = any(e.ask.resource == "list" and e.ask.credential == "full" for e in exchanges)
    named = target.finished_pid or target.running_pid
    if not listed or (named and not any(asks_own(e) and e.ask.pid.known for e in exchanges)):
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
        if asked[0].lost == "tls":
            return failures[0]  # it says what to do
        if foreign := [e.failure for e in asked if e.lost == "foreign"]:
            return f"what responds there does not speak HTTP/1.1: {foreign[0]} (check the base URL)"
        return f"{failures[0]} ({CHECK_LOST.get(asked[0].lost, 'check the base URL')})"
    if len(failures) or len(asked) != sum(e.status is not None for e in asked):
        return None
    if statuses[0] >= 500:
        return f"every request got the status {named}: the server is down, or is starting (try again later)"
    if statuses[0] >= 300 and statuses[-1] < 400:
        return f"every request got the status {named}, {redirected(asked)}"
    if statuses == [200] and all(map(is_page, asked)):
        return f"every request got a page in HTML, perhaps a login page ({BEHIND})"
    return None


def redirected(asked: Sequence[Exchange]) -> str:
    """Say how the targets of redirects differ from what was asked for, or to which host they are, and what to give."""
    changed = {rewritten(e) for e in asked}
    if len(changed) == 1 and (words := changed.pop()):
        queries = [e for e in asked if e.request.query]
        without = queries and not any(split_url(e.header("location") or "").query for e in queries)
        return f"a redirect to the same path {words}{', and without its query' if without else ''}"
    hosts = sorted({host_of(e.header("location") or "")[:100] for e in asked})
    return f"a redirect to {', '.join(hosts[:3])}, perhaps a login page of an access proxy ({BEHIND})"


def rewritten(e: Exchange) -> str | None:
    """Say how the target of a redirect differs from what was asked for; None if it is not that, a little changed."""
    try:
        target = split_url(e.header("location") or "")
    except ValueError:
        return None
    own = e.request.path
    if target.path.endswith(own):
        return f"at {target.scheme}://{target.hostname}"[:100] if target.hostname else None
    if target.path.endswith(own + "/"):
        return "with a slash behind it"
    return "in another case" if target.path.lower().endswith(own.lower()) else None


def host_of(location: str) -> str:
    """Return the host of a URL reference, or what there is in its place."""
    with suppress(ValueError):
        return split_url(location).hostname or "another path"
    return "something that is not a URL"
