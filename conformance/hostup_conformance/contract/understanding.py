"""Reads from a request what it asks for, from the request alone, so that it is the same for every source.

Which ids and pids are known depends on what the target names, and on what earlier exchanges show.
"""

import re
from base64 import b64decode
from collections.abc import Sequence
from contextlib import suppress
from urllib.parse import unquote, unquote_plus

from hostup_conformance.contract.ask import (
    Ask,
    Credential,
    Exchange,
    Pid,
    Vps,
    command_of,
    integer,
    overrides_of,
    with_started_commands,
)
from hostup_conformance.contract.content import listed_ids
from hostup_conformance.contract.paths import LONGEST_COMMAND, resource_of
from hostup_conformance.contract.target import Target
from hostup_conformance.http.messages import Request


def understand(request: Request, target: Target, exchanges: Sequence[Exchange] = ()) -> Ask:
    """Return what a request asks for, given the target and the exchanges before it."""
    resource, segment = resource_of(request.path)
    id = None if segment is None else unquote(segment, errors="surrogateescape")
    target = with_started_commands(target, exchanges)
    vps = None if id is None else vps_of(id, target)
    if vps in {"unknown", "similar"} and any(id in listed_ids(e) for e in exchanges if lists_own(e)):
        vps = "other"
    pids, others = pids_of(request.query)
    return Ask(
        credential=credential_of(request, target),
        resource=resource,
        vps=vps,
        id=id,
        pid=kind_of(pids, others, vps, target),
        pids=pids,
        ordered=ordered_by(request),
        starts=(starts := request.method == "POST" and bool(request.body) and resource == "exec"),
        command=proper(command_of(request)) if starts else None,
        devious=is_devious(request),
    )


def lists_own(e: Exchange) -> bool:
    """A response to the full key with VPSs of its account."""
    return e.ask.resource == "list" and e.ask.credential == "full" and e.status == 200


def proper(command: object) -> str | None:
    """Return a command if it is valid by the document, else None."""
    return command if isinstance(command, str) and 1 <= len(command) <= LONGEST_COMMAND else None


def is_devious(request: Request) -> bool:
    """Whether servers may disagree on what a request asks for."""
    with_body = request.method == "GET" and bool(request.body)
    in_part = bool(request.header("if-none-match") or request.header("range"))
    return with_body or bool(overrides_of(request)) or in_part


def credential_of(request: Request, target: Target) -> Credential:
    """Return which kind of key a request has, if any."""
    value = request.header("authorization")
    if value is None:
        return "query" if target.key and target.key in unquote(request.target) else "none"
    scheme, _, token = value.partition(" ")
    if scheme.lower() != "bearer" or not token.strip() or not token.isascii():
        return "other_scheme" if carries_key(value, target) else "malformed"
    if target.key and token == target.key:
        return "full" if scheme == "Bearer" else "lowercase"
    if token == target.read_key:
        return "read"
    return "unnamed" if target.kind == "har" else "wrong"


def carries_key(value: str, target: Target) -> bool:
    """Whether an Authorization field contains the full key under any scheme, plain or as user or password of Basic."""
    _, _, token = value.rpartition(" ")
    decoded = b""
    with suppress(ValueError):
        decoded = b64decode(token)
    return bool(target.key) and (token == target.key or target.key.encode() in decoded.split(b":"))


def vps_of(id: str, target: Target) -> Vps:
    """Return whose VPS an id names, or how it differs from an id."""
    named: dict[str | None, Vps] = {
        target.foreign_vps: "foreign",
        target.unavailable_vps: "unavailable",
        target.vps or None: "own",
    }
    if id in named:
        return named[id]
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,128}", id):
        return "malformed"
    if target.kind == "har":
        return "unnamed"
    if id.lower() == target.vps.lower():
        return "case"
    alike = id.startswith(target.vps[:-1]) or id.endswith(target.vps)
    return "similar" if alike and abs(len(id) - len(target.vps)) in {1, 2} else "unknown"


def pids_of(query: str) -> tuple[tuple[str, ...], bool]:
    """Return the values of pid in a query, decoded, and whether there are other parameters.

    A name that is percent-encoded is another one, since some frameworks do not decode names.
    """
    if not query:
        return (), False
    pairs = [part.partition("=")[::2] for part in query.split("&")]
    values = tuple(unquote_plus(value) for name, value in pairs if name == "pid")
    return values, len(values) < len(pairs)


def kind_of(values: tuple[str, ...], others: bool, vps: Vps | None, target: Target) -> Pid:
    """Return the kind of pid that a query has."""
    if others:
        return Pid.STRANGE
    if not values:
        return Pid.ABSENT
    if len(values) > 1:
        return Pid.REPEATED
    if not values[0]:
        return Pid.EMPTY
    if (number := integer(values[0])) is None:
        return Pid.LOOSE if is_whole(values[0]) else Pid.INVALID
    return kind_of_number(number, vps, target) if 0 < number < 2**63 else Pid.IMPOSSIBLE


def kind_of_number(number: int, vps: Vps | None, target: Target) -> Pid:
    """Return the kind of a possible pid; only commands on the target's own VPS are known."""
    if vps in {"own", "unnamed"}:
        if number == target.finished_pid:
            return Pid.FINISHED
        if number in target.started_pids:
            return Pid.STARTED
        if number == target.running_pid:
            return Pid.RUNNING
    return Pid.UNNAMED if target.kind == "har" else Pid.UNKNOWN


def is_whole(text: str) -> bool:
    """Whether some parsers take a text for an integer that JSON does not.

    Many accept `+5`, `5.0` and `007`, those of JavaScript `0x10`, and some frameworks first remove control characters.
    """
    bare = re.sub(r"[\x00-\x1f\x7f]", "", text)
    if integer(bare) is not None or re.fullmatch(r"0[xX][0-9a-fA-F]+", bare):
        return True
    try:
        return float(text.replace("_", "")).is_integer()
    except (ValueError, OverflowError):
        return False


def ordered_by(request: Request) -> int | None:
    """Return the status code that a request orders with `Prefer: code=NNN`, if any."""
    name, _, value = (request.header("prefer") or "").partition("=")
    return int(value) if name == "code" and value.isascii() and value.isdecimal() and len(value) == 3 else None
