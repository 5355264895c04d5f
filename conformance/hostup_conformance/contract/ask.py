"""What a request asks for: by which key, for which VPS, for which command. Read from the request, from any source.

It judges nothing. What is known of ids and pids is what the target names and what the exchanges before it show.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, get_args
from urllib.parse import unquote, unquote_plus

from hostup_conformance.contract.paths import Resource, resource_of
from hostup_conformance.core import exchange as core

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hostup_conformance.contract.target import Target
    from hostup_conformance.core.messages import Request

#: `lowercase` is the full key under the scheme bearer, `query` the key in the URL, and `unnamed` a key in a
#: recording of which we were not told what it may do.
Credential = Literal["full", "read", "none", "wrong", "malformed", "lowercase", "query", "unnamed"]
#: `similar` resembles the own id, `case` is it in another case, `malformed` has characters that no id has, and
#: `unnamed` is one in a recording of which we were not told whose it is.
Vps = Literal["own", "unavailable", "foreign", "unknown", "similar", "case", "malformed", "unnamed"]

#: A Linux guest has no pid above this, so no command can have such a pid.
LARGEST_LINUX_PID = 4_194_304
#: The command that the run starts where it needs one that keeps running.
SLEEP = "sleep 60"
#: Header fields by which some servers let a request be of another method than it says.
OVERRIDES = ("x-http-method-override", "x-http-method", "x-method-override")
#: Status codes by which a server says that it does not offer a method.
NOT_OFFERED = {405, 501}


class Pid(StrEnum):
    """The kinds of pid, by what is known of the command: whose it is, and whether there can be one."""

    ABSENT = "absent"
    #: The command that has ended, and the one that keeps running; both were named, or started by the run.
    FINISHED = "finished"
    RUNNING = "running"
    #: Another one that the run has started.
    STARTED = "started"
    #: Of the documented form, but of no command that we know. UNNAMED is such a pid in a recording, where there may be
    #: a command that nobody told us of.
    UNKNOWN = "unknown"
    UNNAMED = "unnamed"
    #: An integer that no process can have.
    IMPOSSIBLE = "impossible"
    #: LOOSE is what some readers take for an integer (`+5`, `5.0`, `007`, or one with control characters), INVALID what
    #: none does.
    LOOSE = "loose"
    INVALID = "invalid"
    EMPTY = "empty"
    REPEATED = "repeated"
    #: A query that has parameters other than pid.
    STRANGE = "strange"

    @property
    def known(self) -> bool:
        """Whether it belongs to a command that was named or started."""
        return self in {Pid.FINISHED, Pid.RUNNING, Pid.STARTED}

    @property
    def well_formed(self) -> bool:
        """Whether it has the documented form, as its absence has."""
        return self.known or self in {Pid.ABSENT, Pid.UNKNOWN, Pid.UNNAMED}

    @property
    def ill_formed(self) -> bool:
        """Whether it has another form than the documented one. A query with other parameters is neither."""
        return not self.well_formed and self is not Pid.STRANGE

    @property
    def is_integer(self) -> bool:
        """Whether the request asks for command output, whatever the number."""
        return self.known or self in {Pid.UNKNOWN, Pid.UNNAMED, Pid.IMPOSSIBLE}


@dataclass(frozen=True)
class Ask:
    """What a request asks for."""

    credential: Credential
    resource: Resource
    #: Whose VPS it is for (None if the path has no id), and the id itself, decoded.
    vps: Vps | None
    id: str | None
    pid: Pid
    #: The values of pid, decoded.
    pids: tuple[str, ...]
    #: The status code ordered with `Prefer: code=NNN`, if any.
    ordered: int | None
    #: Whether it asks for the start of a command, valid or not.
    starts: bool = False

    @property
    def endpoint(self) -> bool:
        """Whether the path is the endpoint's."""
        return self.resource == "exec"

    @property
    def number(self) -> int | None:
        """The pid, where there is one and it is an integer in JSON's form."""
        return integer(self.pids[0]) if len(self.pids) == 1 else None

    @property
    def repeatable(self) -> bool:
        """Whether it may be sent twice: a start runs a command, and the agent forgets an ended one once reported."""
        return not self.starts and self.pid not in {Pid.FINISHED, Pid.STARTED}

    @property
    def dispensable(self) -> bool:
        """Whether the run can do without it, as it can without started commands."""
        return self.starts

    def longest_body(self, status: int) -> int:
        """Return how many bytes a body can need.

        A list has at most a hundred entries. Command output is two streams of 16 MiB, with up to six bytes of JSON
        for each byte. All else is a page of text.
        """
        if status != 200 or self.starts:
            return 1 << 20
        if self.resource == "list":
            return 8 << 20
        return 1 << 20 if not self.endpoint or self.pid == Pid.ABSENT else 200 << 20


Exchange: TypeAlias = core.Exchange[Ask]


def understand(request: Request, target: Target, exchanges: Sequence[Exchange] = ()) -> Ask:
    """Say what a request asks for, given the target's keys and fixtures and the exchanges before it."""
    resource, segment = resource_of(request.path)
    id = None if segment is None else unquote(segment, errors="surrogateescape")
    target = with_started_commands(target, exchanges)
    vps = None if id is None else vps_of(id, target)
    pids, others = pids_of(request.query)
    return Ask(
        credential=credential_of(request, target),
        resource=resource,
        vps=vps,
        id=id,
        pid=kind_of(pids, others, vps, target),
        pids=pids,
        ordered=ordered_by(request),
        starts=request.method == "POST" and bool(request.body) and resource == "exec",
    )


def with_started_commands(target: Target, exchanges: Sequence[Exchange]) -> Target:
    """Return the target with what the exchanges show of it: the commands that were started on its VPS.

    Where none was named, the first that keeps running is the running one, and the first of the others the ended one.
    """
    starts = [e for e in exchanges if e.ask.starts]
    return _with_started(target, tuple(pair for e in starts if (pair := started_by(e)))) if starts else target


@lru_cache(maxsize=64)
def _with_started(target: Target, started: tuple[tuple[int, bool], ...]) -> Target:
    running = target.running_pid or next((pid for pid, runs in started if runs), None)
    finished = target.finished_pid or next((pid for pid, runs in started if not runs and pid != running), None)
    others = frozenset(pid for pid, _ in started) - {running, finished}
    allow_exec = target.allow_exec or target.kind == "har"
    return replace(target, running_pid=running, finished_pid=finished, started_pids=others, allow_exec=allow_exec)


def started_by(e: Exchange) -> tuple[int, bool] | None:
    """Return the pid of the command that a start has started on the own VPS, and whether the command runs on."""
    pid = new_pid(e) if e.ask.vps in {"own", "unnamed"} else None
    return None if pid is None else (pid, SLEEP.encode() in e.request.body)


def is_devious(request: Request) -> bool:
    """Whether servers may differ on what a request asks for.

    It is a GET with a body, overrides its method, or asks for what it asks only if that has changed.
    """
    fields = (*OVERRIDES, "if-none-match")
    return (request.method == "GET" and bool(request.body)) or any(request.header(name) for name in fields)


def asks_start(e: Exchange) -> bool:
    """A request for the start of a command, valid or not, to a server that offers the start."""
    return e.ask.starts and e.response is not None and e.status not in NOT_OFFERED


def is_start(e: Exchange) -> bool:
    """A start whose response is neither ordered nor a 429, so that it tells how the server understood the request."""
    return asks_start(e) and not e.obeyed and e.status != 429


def new_pid(e: Exchange) -> int | None:
    """Return the pid of the command that a start has started."""
    pid = e.body.get("pid") if is_start(e) and e.status == 200 and isinstance(e.body, dict) else None
    return pid if isinstance(pid, int) and not isinstance(pid, bool) and pid > 0 else None


def credential_of(request: Request, target: Target) -> Credential:
    """Say which key a request has, if any."""
    value = request.header("authorization")
    if value is None:
        return "query" if target.key and target.key in unquote(request.target) else "none"
    scheme, _, token = value.partition(" ")
    if scheme.lower() != "bearer" or not token.strip() or not token.isascii():
        return "malformed"
    if target.key and token == target.key:
        return "full" if scheme == "Bearer" else "lowercase"
    if token == target.read_key:
        return "read"
    return "unnamed" if target.kind == "har" else "wrong"


def vps_of(id: str, target: Target) -> Vps:
    """Say whose VPS an id names, or in which way it is not an id."""
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
    """Return the values of pid in a query, decoded, and whether there are other parameters."""
    if not query:
        return (), False
    pairs = [
        (unquote_plus(name), unquote_plus(value)) for name, _, value in (p.partition("=") for p in query.split("&"))
    ]
    values = tuple(value for name, value in pairs if name == "pid")
    return values, len(values) < len(pairs)


def kind_of(values: tuple[str, ...], others: bool, vps: Vps | None, target: Target) -> Pid:
    """Say what kind of pid a query has."""
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
    """Say whether a pid is known. Only those of commands on the target's own VPS are."""
    if vps in {"own", "unnamed"}:
        if number == target.finished_pid:
            return Pid.FINISHED
        if number in target.started_pids:
            return Pid.STARTED
        if number == target.running_pid:
            return Pid.RUNNING
    return Pid.UNNAMED if target.kind == "har" else Pid.UNKNOWN


def integer(text: str) -> int | None:
    """Return the integer that a text is in JSON's form, or None if it is none."""
    digits = text.removeprefix("-")
    canonical = digits.isascii() and digits.isdecimal() and (digits == "0" or digits[0] != "0")
    # Python refuses to read more than 4300 digits; the first thousand tell as well that no pid is so large.
    return int(text[:1000]) if canonical else None


def is_whole(text: str) -> bool:
    """Whether some readers take a text for an integer although it is not written as one.

    Many parsers accept `+5`, `5.0` and `007`, and those of JavaScript `0x10`; some frameworks remove control characters
    before anything is parsed.
    """
    bare = re.sub(r"[\x00-\x1f\x7f]", "", text)
    if integer(bare) is not None or re.fullmatch(r"0[xX][0-9a-fA-F]+", bare):
        return True
    try:
        return float(text.replace("_", "")).is_integer()
    except (ValueError, OverflowError):
        return False


def ordered_by(request: Request) -> int | None:
    """Return the status code that a request orders with Prefer."""
    name, _, value = (request.header("prefer") or "").partition("=")
    return int(value) if name == "code" and value.isascii() and value.isdecimal() and len(value) == 3 else None


def noted(ask: Ask) -> dict[str, Any]:
    """Return what the suite's own recordings note of a request: the kinds, which a reader could not work out."""
    return {"credential": ask.credential, "vps": ask.vps, "pid": ask.pid.value}


def with_notes(ask: Ask, notes: dict[str, Any]) -> Ask:
    """Return what a request asks for, completed from the notes in a recording; raise `ValueError` for unknown notes."""
    if not notes:
        return ask
    credential: Any = notes.get("credential")
    vps: Any = notes.get("vps")
    if credential not in get_args(Credential) or (vps is not None and vps not in get_args(Vps)):
        raise ValueError(f"a request notes the credential {credential!r} and the VPS {vps!r}")
    return replace(ask, credential=credential, vps=vps, pid=Pid(str(notes.get("pid"))))
