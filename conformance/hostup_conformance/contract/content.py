"""What a response says, in its body and of caches, and how findings name that. It judges nothing."""

import re
from collections.abc import Iterable
from http import HTTPStatus
from typing import Any

from hostup_conformance.contract.ask import Exchange
from hostup_conformance.contract.document import members_of
from hostup_conformance.http.times import http_date
from hostup_conformance.keeping.safe_text import counted, short_json

#: The members of each 200, from the OpenAPI document: of a probe, a poll and a start, and of the list and a status.
AVAILABILITY, OUTPUT = members_of("AgentAvailability"), members_of("CommandOutput")
#: Those of either, which a GET of the endpoint tells of a VPS.
STATE = (*AVAILABILITY, *OUTPUT)
#: What the QEMU Guest Agent calls the members of output (guest-exec-status), but for their hyphens.
OF_THE_AGENT = {"outdata": "stdout", "errdata": "stderr"}
STARTED, PAGE, STATUS = members_of("StartedCommand"), members_of("VpsPage"), members_of("VpsStatus")
#: The charsets in which JSON may be.
UTF_8 = {"utf-8", "utf8", "us-ascii"}
#: The members of an error that say what was wrong, and how much of that is told.
REASONS, SAID = ("detail", "message", "error", "title"), 80
#: The title of a page, and in how many bytes it is looked for.
TITLE, WHERE_TITLES_ARE = re.compile(r"<title>([^<]*)", re.IGNORECASE), 1 << 11
#: Members in which servers are known to wrap a body.
ENVELOPES = ("data", "result", "response", "payload", "availability", "agent", "attributes", "body")


def member(e: Exchange, name: str) -> Any:
    """Return a member of the body, or None."""
    return e.body.get(name) if isinstance(e.body, dict) else None


def present(e: Exchange, names: Iterable[str]) -> list[str]:
    """Return those of some members that the body has."""
    return [name for name in names if name in e.body] if isinstance(e.body, dict) else []


def without_null(value: Any) -> Any:
    """Return a JSON value without the members that are null."""
    if isinstance(value, list):
        return [without_null(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {name: without_null(item) for name, item in value.items() if item is not None}


def items_of(e: Exchange) -> list[dict[str, Any]]:
    """Return the VPSs in a list, as far as it has the documented form."""
    data = member(e, "data")
    items = data if isinstance(data, list) else []
    return [item for item in items if isinstance(item, dict) and isinstance(item.get("id"), str)]


def listed_ids(e: Exchange) -> list[str]:
    """Return the ids in a list of VPSs, as far as it has the documented form."""
    return [item["id"] for item in items_of(e)]


def envelope_of(body: dict[str, Any]) -> str:
    """Return the member in which a body seems to be wrapped, for a finding; empty if there is none."""
    names = (name for name in ENVELOPES if isinstance(body.get(name), dict | list))
    return next((f"an envelope with the member {name}" for name in names), "")


def is_availability_alone(e: Exchange) -> bool:
    """Whether a body has members of the availability, and none of command output."""
    return bool(present(e, AVAILABILITY)) and not output_members(e.body)


def availability_in(e: Exchange) -> list[str]:
    """Return the members of the availability that a body has; one that is null beside command output is none."""
    alone = is_availability_alone(e)
    return [name for name in present(e, AVAILABILITY) if alone or member(e, name) is not None]


def misspelled(body: dict[str, Any], names: tuple[str, ...]) -> list[str]:
    """Return the members that are another spelling of a name that is missing.

    That is in another case, with underscores or hyphens, with is before it, or as the guest agent itself names it.
    """
    plain = {name.lower(): name for name in names} | {own: name for own, name in OF_THE_AGENT.items() if name in names}
    bare = {member: member.replace("_", "").replace("-", "").lower() for member in body}
    found = {member: plain.get(text) or plain.get(text.removeprefix("is")) for member, text in bare.items()}
    return [member for member, name in found.items() if name and member != name and name not in body]


def strings(value: Any) -> list[str]:
    """Return all strings in a JSON value."""
    return [text for _, text in named_strings(value)]


def named_strings(value: Any, name: str = "") -> list[tuple[str, str]]:
    """Return all strings in a JSON value, each with the name of the member that it is in."""
    if isinstance(value, str):
        return [(name, value)]
    if isinstance(value, list):
        return [found for member in value for found in named_strings(member, name)]
    members = value.items() if isinstance(value, dict) else ()
    return [found for inner, member in members for found in named_strings(member, inner)]


def output_members(value: Any) -> set[str]:
    """Return the names of members, at any depth, that hold a command's state or output.

    Beside available, exited is the state of no command: some servers have one type for both bodies.
    """
    if isinstance(value, list):
        return set().union(*map(output_members, value)) if value else set()
    if not isinstance(value, dict):
        return set()
    own = {name for name in ("stdout", "stderr") if isinstance(value.get(name), str) and value[name]}
    own |= {"exited"} if isinstance(value.get("exited"), bool) and value.get("available") is None else set()
    return own.union(*(output_members(member) for member in value.values()))


def in_place_of_object(e: Exchange) -> Any:
    """Return a body that is no JSON object, for a finding.

    A string is told as one, since it may hold JSON, encoded twice, and a number, which could be a status code.
    """
    kind = {str: "the string", int: "the number", float: "the number"}.get(type(e.body))
    return f"{kind} {short_json(e.body, 80)}" if kind else e.body


def named_members(names: Iterable[str] | None) -> str:
    """Return the names of members, sorted, for a finding; None has none, as a body that is no JSON."""
    listed = sorted(names or ())
    return f"the member{'s' if len(listed) > 1 else ''} {', '.join(listed)}" if listed else "no members"


def status_of(e: Exchange) -> str:
    """Return the status code, for a finding, with the problem's code and what a refusal or a failure says of itself."""
    said = None if below(e, 400) or e.response is None else reason_of(e)
    return f"{named_status(e)}: {short_json(said, SAID)}" if said else named_status(e)


def reason_of(e: Exchange) -> str | None:
    """Return the beginning of what an error says of itself: its detail, the title of a page, or its first line."""
    text = next((text for name in REASONS if isinstance(text := member(e, name), str)), None)
    if text is None and e.response and not e.response.json.is_json:
        text = e.response.body[:WHERE_TITLES_ARE].decode("utf-8", "replace")
        text = found[1] if (found := TITLE.search(text)) else "" if is_page(e) else text
    first = (text or "").strip().partition("\n")[0].strip()
    # The name of a status code says nothing more.
    known = {str(e.status), *(str(member(e, name)).lower() for name in ("code", "title"))}
    known |= {status.phrase.lower() for status in HTTPStatus if status == e.status}
    return first[:SAID] if first.removeprefix(f"{e.status} ").rstrip(".").lower() not in {"", *known} else None


def named_status(e: Exchange) -> str:
    """Return the status code, with the problem's code if there is one; of a 200, that it is empty."""
    code = member(e, "code")
    if isinstance(code, str):
        return f"{e.status} {code}"
    has_body = e.response is None or e.response.body or e.request.method in {"HEAD", "OPTIONS"}
    return f"{e.status}" if has_body or e.status != 200 else "200 with an empty body"


def show_status(e: Exchange) -> str:
    """Return the status code with the size of the body, for a finding about a success."""
    return f"{e.status}, with {counted(len(e.response.body), 'byte')}" if e.response else "no response"


def if_valid(e: Exchange) -> str:
    """Return the condition of what is expected where a 401 may as well be right, since the key may be mistyped."""
    return ", if HOSTUP_READ_API_KEY is a valid key" if e.status == 401 and e.ask.credential == "read" else ""


def is_document(e: Exchange) -> bool:
    """A response with a problem document, which only the server itself writes, not something in front of it."""
    return isinstance(e.body, dict) and isinstance(e.body.get("code"), str)


def is_page(e: Exchange) -> bool:
    """A response in HTML, which is a page for people, unless it is JSON after all."""
    return e.response is not None and e.response.media_type == "text/html" and not e.response.json.is_json


def below(e: Exchange, status: int) -> bool:
    """A response with a smaller status code than this."""
    return e.status is not None and e.status < status


def served_first(exchanges: Iterable[Exchange]) -> list[Exchange]:
    """Return what was served before all else: of what is to be refused, that does most harm."""
    return sorted(exchanges, key=lambda e: not below(e, 300))


def failed(e: Exchange) -> bool:
    """A response that reports a failure of the server: a 5xx."""
    return e.status is not None and e.status >= 500


def refused(e: Exchange) -> bool:
    """A response that refuses the request: a 4xx."""
    return e.status is not None and 400 <= e.status < 500


def refusal(e: Exchange) -> tuple[int | None, str, str]:
    """Return with which status code and code a request was refused, and in which words, without ids and numbers."""
    detail = str(member(e, "detail")).replace(e.ask.id or "\0", "")
    return e.status, str(member(e, "code")), re.sub(r"\d+", "", detail)


def fresh_seconds(e: Exchange) -> int:
    """Return for how many seconds a private cache may reuse a response without asking (RFC 9111 section 4.2.1)."""
    directives = cache_directives(e)
    if "no-store" in directives or "no-cache" in directives:
        return 0
    if (age := directives.get("max-age", "").strip('"')).isdecimal():
        return int(age[:12])
    expires, date = http_date(e.header("expires") or ""), http_date(e.header("date") or "") or e.when
    return max(0, int((expires - date).total_seconds())) if expires and date and "max-age" not in directives else 0


def is_shared(e: Exchange) -> bool:
    """Whether a response may be given to others by a cache that has not asked the server again (RFC 9111 section 3.5).

    With `public, max-age=0, must-revalidate`, as some platforms have it by default, every use has to be asked for;
    s-maxage implies proxy-revalidate (section 5.2.2.10).
    """
    directives = cache_directives(e)
    if directives.keys() & {"no-store", "no-cache", "private"} or not directives.keys() & {"public", "s-maxage"}:
        return False
    asks_again = directives.keys() & {"must-revalidate", "proxy-revalidate", "s-maxage"}
    return not asks_again or directives.get("s-maxage", directives.get("max-age", "")).strip('"') != "0"


def cache_directives(e: Exchange) -> dict[str, str]:
    """Return the directives of Cache-Control, with their values."""
    return dict(part.strip().lower().partition("=")[::2] for part in (e.header("cache-control") or "").split(","))


def charset(content_type: str) -> str:
    """Return the charset that a Content-Type names, in lower case; utf-8 if it names none."""
    found = re.search(r"charset\s*=\s*\"?([^\s\";]+)", content_type, re.IGNORECASE)
    return found[1].lower() if found else "utf-8"


def is_utf_8(e: Exchange) -> bool:
    """A response that is said to be in UTF-8, or in US-ASCII, which is a part of it; so is one that says nothing."""
    return charset(e.header("content-type") or "") in UTF_8
