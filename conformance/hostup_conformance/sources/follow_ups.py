"""Requests that depend on earlier responses, and so cannot be steps of the script.

They ask for the list of VPSs, page by page, for the statuses once more, again for what has an ETag, and with the
cookies that were set.
"""

import re
from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from secrets import token_hex
from typing import Any, TypeGuard
from urllib.parse import quote

from hostup_conformance.contract.ask import LARGEST_LINUX_PID, WITHOUT_KEY, Exchange, Pid
from hostup_conformance.contract.content import items_of, member
from hostup_conformance.contract.paths import NONE, VPSS, path_of
from hostup_conformance.contract.responder import BURST
from hostup_conformance.contract.selectors import gives_list, gives_status, is_availability
from hostup_conformance.contract.sending import Wire
from hostup_conformance.http.exchange import ALONE
from hostup_conformance.http.messages import Request
from hostup_conformance.http.pace import Unsent
from hostup_conformance.sources.requests import BASE_HEADERS, authorized

#: How many of the requests are sent again that should have been refused, or that others may have disturbed.
MOST_ALONE = 5
#: How many requests show whether a cache let in what should have been refused.
FOR_CACHES = 2 * 3
#: How many requests that get now this, now that are sent in a row, and how often: servers may take turns.
MOST_ROWS, IN_A_ROW, MOST_ALIKE = 2, 6, 2
#: A pid that no command of any guest has.
NOBODYS_PID = LARGEST_LINUX_PID + 3
#: A cookie that can be sent back as it is.
COOKIE = re.compile(r"[!#-+\--:<->?-~]{1,4000}")
#: How many pages are requested.
PAGES = 5
#: The greatest number of requests that this module sends: for statuses, for the list again, for its pages and one of
#: them without a key, with an odd limit, a name and a cursor, with ETags and cookies, for what is to be refused, and in
#: rows.
MOST_REQUESTS = 2 + 1 + PAGES + 1 + 3 + 4 + 2 + MOST_ALONE + FOR_CACHES + MOST_ROWS * IN_A_ROW


def tasks(wire: Wire) -> list[Callable[[], object]]:
    """Return the tasks for what the server was found to offer: the list, the statuses, ETags.

    The tasks may run in any order and at the same time; each sends its own requests one after the other.
    """
    found: list[Callable[[], object]] = []
    listed = next((e for e in wire.exchanges if gives_list(e) and e.ask.credential == "full"), None)
    if listed and "ids" in wire.target.capabilities:
        found += listing(wire, items_of(listed))
    if any(map(gives_status, wire.exchanges)):
        found.append(partial(statuses, wire))
    tagged = next((e for e in wire.exchanges if e.ask.vps == "own" and is_availability(e) and e.header("etag")), None)
    if tagged:
        found.append(partial(revalidation, wire, tagged.header("etag") or ""))
    session = next((e for e in wire.exchanges if e.ask.vps == "own" and is_availability(e) and cookies_of(e)), None)
    if session and "credentials" in wire.target.capabilities:
        found.append(partial(without_key_but_cookies, wire, cookies_of(session)))
    return [partial(unless_stopped, task) for task in found]


def unless_stopped(task: Callable[[], object]) -> None:
    """Do a task until the wire sends nothing more."""
    with suppress(Unsent):
        task()


def statuses(wire: Wire) -> None:
    """Request the statuses once more, to compare ids."""
    for vps in (wire.target.vps, wire.target.unavailable_vps):
        if vps:
            get(wire, path_of(vps, "status"), "the status once more, to compare ids")


def once_more_alone(wire: Wire) -> None:
    """Send some of the requests again that should have been refused, or that got something else together with others.

    They are sent as curl would: alone, on a new connection.
    """
    in_a_row(wire)
    odd: dict[tuple[str, str | None, str], Exchange] = {}
    usual: dict[Request, Exchange] = {}
    for e in filter(is_plain_get, wire.exchanges):
        changed = e.source == BURST and kind_of(e) != kind_of(usual.get(e.request, e))
        strange = e.ask.credential != "read" or e.ask.pid.is_integer  # which may see another VPS's availability
        if (is_undue(e) and strange and e.status == 200) or changed:
            odd.setdefault((e.ask.credential, e.ask.vps, e.ask.pid), e)
        usual.setdefault(e.request, e)
    for e in list(odd.values())[:MOST_ALONE]:
        if e.ask.credential != "other_scheme":  # the server takes the key under this scheme
            wire.send(e.request, purpose="what got something odd, again, alone on a new connection", source=ALONE)
    without_a_cache(wire, [e for e in odd.values() if e.status == 200 and e.ask.credential != "other_scheme"])


def is_plain_get(e: Exchange) -> bool:
    """Whether a request is a GET of the endpoint as it is usually sent."""
    return e.ask.endpoint and e.request.method == "GET" and not e.request.body


def is_undue(e: Exchange) -> bool:
    """Whether a request is to be refused, by its key, its scope or its VPS."""
    stranger = e.ask.vps in {"unknown", "foreign"} and e.ask.pid == Pid.ABSENT
    return e.ask.credential in WITHOUT_KEY or stranger or (e.ask.credential == "read" and e.ask.pid.is_integer)


def in_a_row(wire: Wire) -> None:
    """Send what got now this, now that several times in a row, since servers, or versions of one, may take turns.

    Of what is to be refused, some may have been served whose like was not.
    """
    firsts, found = dict[Hashable, Exchange](), dict[Hashable, Exchange]()
    for e in filter(is_plain_get, wire.exchanges):
        steady = not (e.ask.pid.is_used_up or e.ask.ordered or e.recovered) and e.source not in {BURST, ALONE}
        if not steady or e.status in {None, 429, 503}:
            continue
        alike = (e.ask.credential, e.ask.vps, e.ask.pid) if is_undue(e) else e.request
        first = firsts.setdefault(alike, e)
        if kind(e) != kind(first) and (not is_undue(e) or 200 in {e.status, first.status}):
            found.setdefault(alike, e if e.status == 200 else first)
    for e in [*found.values()][:MOST_ROWS]:
        row = list[Exchange | None]()
        # What gets the same each time is no matter of turns.
        while len(row) < IN_A_ROW and (len(row) < MOST_ALIKE or any(kind(one) != kind(e) for one in row)):
            row.append(wire.try_to_send(e.request, purpose="what got now this, now that, in a row", source=ALONE))


def without_a_cache(wire: Wire, odd: Sequence[Exchange]) -> None:
    """Send what was let in with a query that nothing has had before, until the same was served to whom it is due.

    If only a cache let it in, it is refused before that, and served afterwards.
    """
    for e in first_of_each(odd):
        path, query = e.request.target.partition("?")[::2]
        own = path if e.ask.credential != "full" else path_of(wire.target.vps)
        new = "&".join(filter(None, (query, letters(token_hex(8)))))
        again, due = replace(e.request, target=f"{path}?{new}"), authorized(f"{own}?{new}", wire.target)
        for request in (again, due, again):
            wire.try_to_send(
                request, purpose="what got something odd, and who may get it, with a new query", source=ALONE
            )


def letters(digits: str) -> str:
    """Return letters for hexadecimal digits: nothing takes them for a number."""
    return digits.translate({ord(digit): chr(ord("g") + int(digit)) for digit in "0123456789"})


def first_of_each(odd: Sequence[Exchange]) -> list[Exchange]:
    """Return the first that its key should have kept out, and the first of which it is the VPS."""
    return [*{e.ask.credential == "full": e for e in reversed(odd)}.values()]


def kind_of(e: Exchange) -> tuple[int | None, list[str]]:
    """Return what tells responses to one request apart: the status code, and the names of the members."""
    return e.status, sorted(e.body) if isinstance(e.body, dict) else []


def kind(e: Exchange | None) -> tuple[object, ...]:
    """Return the same, with whether commands can be run."""
    return (*kind_of(e), member(e, "available")) if e else ()


def revalidation(wire: Wire, tag: str) -> None:
    """Request a resource with its ETag in If-None-Match, then with that ETag other resources, and without a key."""
    own = path_of(wire.target.vps)
    requests = {"the resource that has this ETag": authorized(own, wire.target)}
    if wire.target.unavailable_vps:
        requests["another VPS's availability"] = authorized(path_of(wire.target.unavailable_vps), wire.target)
    if wire.target.running_pid:
        requests["command output"] = authorized(f"{own}?pid={wire.target.running_pid}", wire.target)
    if "credentials" in wire.target.capabilities:
        requests["the resource that has this ETag, without a key"] = Request("GET", own, BASE_HEADERS)
    for what, request in requests.items():
        if not (tag.isascii() and tag.isprintable() and len(tag) < 200):
            return
        conditional = replace(request, headers=(*request.headers, ("If-None-Match", tag)))
        e = wire.send(conditional, purpose=f"{what}, with the ETag of the availability in If-None-Match")
        if request.target == own:
            tag = e.header("etag") or tag


def cookies_of(e: Exchange) -> str:
    """Return the cookies that a response sets, as a request sends them back (RFC 6265 section 4.2)."""
    fields = e.response.headers if e.response else ()
    pairs = (value.partition(";")[0].strip() for name, value in fields if name.lower() == "set-cookie")
    return "; ".join(pair for pair in pairs if COOKIE.fullmatch(pair))


def without_key_but_cookies(wire: Wire, cookies: str) -> None:
    """Send back what was set for the full key, without a key and with read:vm alone: no session stands for a key."""
    own, sent = path_of(wire.target.vps), (("Cookie", cookies),)
    wire.send(Request("GET", own, (*BASE_HEADERS, *sent)), purpose="the probe without a key, with the server's cookies")
    if wire.target.read_key and "scopes" in wire.target.capabilities:
        pid = wire.target.running_pid or wire.target.finished_pid or NOBODYS_PID
        poll = authorized(f"{own}?pid={pid}", wire.target, sent, key=wire.target.read_key)
        wire.send(poll, purpose="a poll with read:vm alone, with the server's cookies for the other key")


def listing(wire: Wire, items: list[dict[str, Any]]) -> Iterator[Callable[[], object]]:
    """Yield the tasks that request a list of these items again: in pages, with an odd limit, a name and a cursor."""
    # What is lost between two pages may be somebody else's, so there should be as many borders as can be.
    size = 1 if len(items) < PAGES else 2
    yield partial(pages, wire, size)
    yield partial(get_list, wire, "", "the list of VPSs once more")
    yield partial(get_list, wire, "?limit=0", "a page with a limit that is not documented")
    nobodys = f"?name={NONE}%27{token_hex(8)}"
    yield partial(get_list, wire, nobodys, "the list of VPSs with a name that none has, and a quotation mark in it")
    # A server that compares cursors as strings finds nothing after this one.
    unknown = f"?limit={size}&cursor=~{token_hex(8)}"
    yield partial(get_list, wire, unknown, "the page behind a cursor that was never given")


def pages(wire: Wire, size: int) -> None:
    """Go from page to page."""
    query = f"?limit={size}"
    for number in range(PAGES):
        page = get_list(wire, query, f"page {number + 1} of the list, of {size} at most")
        cursor = member(page, "nextCursor")
        if member(page, "hasMore") is not True or not is_short(cursor):
            return
        query = f"?limit={size}&cursor={quote(cursor, safe='', errors='replace')}"
        if number == 0 and "credentials" in wire.target.capabilities:
            wire.send(Request("GET", VPSS + query, BASE_HEADERS), purpose="the next page of the list, without a key")


def is_short(value: object) -> TypeGuard[str]:
    """Whether a value is a text that can stand in a URL, which no server need read beyond 8000 octets."""
    return isinstance(value, str) and 0 < len(value) < 1000


def get_list(wire: Wire, query: str, purpose: str) -> Exchange:
    """Send a GET for the list."""
    return get(wire, VPSS + query, purpose)


def get(wire: Wire, path: str, purpose: str) -> Exchange:
    """Send a GET with the full key."""
    return wire.send(authorized(path, wire.target), purpose=purpose)
