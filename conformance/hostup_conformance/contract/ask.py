"""What a request asks for: with which key, for which VPS, for which command. It judges nothing."""

import json
import re
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import lru_cache
from typing import Any, Literal, TypeAlias, get_args
from urllib.parse import parse_qsl

from hostup_conformance.contract.paths import LARGEST_PROBLEM, Resource, largest_success
from hostup_conformance.contract.target import Target
from hostup_conformance.http import exchange as core
from hostup_conformance.http.json_text import MOST_DIGITS
from hostup_conformance.http.messages import Request

#: `lowercase` is the full key under the scheme bearer, `other_scheme` under another one or none; `malformed` is any
#: other credential that is no bearer token, `query` the key in the URL, and `unnamed` a key in a recording whose scopes
#: are unknown.
Credential = Literal["full", "read", "none", "wrong", "malformed", "other_scheme", "lowercase", "query", "unnamed"]
#: The kinds of credential that are no valid key under the documented scheme.
WITHOUT_KEY: set[Credential] = {"none", "wrong", "malformed", "other_scheme"}
#: `own` is the target's VPS, and `other` another that the list shows; `similar` is an id that resembles the own one,
#: `case` is that in another case, `malformed` has characters that no id has, and `unnamed` is an id in a recording
#: whose owner is unknown.
Vps = Literal["own", "unavailable", "other", "foreign", "unknown", "similar", "case", "malformed", "unnamed"]

#: A Linux guest has no pid above this, so no command can have such a pid.
LARGEST_LINUX_PID = 4_194_304
#: The command that the run starts if it needs one that keeps running.
SLEEP = "sleep 60"
#: The cookie of a session that no server has opened.
NO_SESSION = "hostup_session=none"
#: What servers may call the id of a VPS in a body, where the documentation has none.
NAMES_OF_ID = ("id", "vpsId", "vps_id")
#: Header fields by which some servers let a request stand for another method.
OVERRIDES = ("x-http-method-override", "x-http-method", "x-method-override")
#: Status codes by which a server says that it does not offer a method.
NOT_OFFERED = {405, 501}


#: A % that begins no escape of a URL (RFC 3986 section 2.1): programs that read these strictly refuse it, or leave it.
NO_ESCAPE = re.compile("%(?![0-9A-Fa-f]{2})")


class Pid(StrEnum):
    """The kinds of pid, by their form and by what is known of the command."""

    ABSENT = "absent"
    #: The pids of the command that has ended and of the one that keeps running; each was named, or started by the run.
    FINISHED = "finished"
    RUNNING = "running"
    #: The pid of any other command that the run has started.
    STARTED = "started"
    #: The documented form, but no known command. In a recording such a pid is UNNAMED, since it may have a command.
    UNKNOWN = "unknown"
    UNNAMED = "unnamed"
    #: An integer that no process can have.
    IMPOSSIBLE = "impossible"
    #: LOOSE is what some parsers take for an integer (`+5`, `5.0`, `007`, or one with control characters), INVALID what
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
    def is_used_up(self) -> bool:
        """Whether a poll of it may be the last one that gets its output."""
        return self in {Pid.FINISHED, Pid.STARTED}

    @property
    def is_possible(self) -> bool:
        """Whether it has the documented form."""
        return self.known or self in {Pid.UNKNOWN, Pid.UNNAMED}

    @property
    def well_formed(self) -> bool:
        """Whether it has the documented form, or is absent."""
        return self.is_possible or self is Pid.ABSENT

    @property
    def ill_formed(self) -> bool:
        """Whether it does not have the documented form. A query with other parameters is neither."""
        return not self.well_formed and self is not Pid.STRANGE

    @property
    def is_integer(self) -> bool:
        """Whether the request asks for command output, whatever the number."""
        return self.known or self in {Pid.UNKNOWN, Pid.UNNAMED, Pid.IMPOSSIBLE}


#: The kinds that have the documented form.
WELL_FORMED = {pid for pid in Pid if pid.well_formed}


@dataclass(frozen=True)
class Ask:
    """What a request asks for."""

    credential: Credential
    resource: Resource
    #: Whose VPS it is for, and the id, decoded; both are None if the path has no id.
    vps: Vps | None
    id: str | None
    pid: Pid
    #: The values of the parameter pid, decoded.
    pids: tuple[str, ...]
    #: The status code ordered with `Prefer: code=NNN`, if any.
    ordered: int | None
    #: Whether it asks for the start of a command, valid or not.
    starts: bool = False
    #: The command that it asks to start, if that is valid by the document.
    command: str | None = None
    #: Whether servers may disagree on what it asks for: a GET with a body, a conditional or an overridden request, or
    #: one for a part.
    devious: bool = False

    @property
    def endpoint(self) -> bool:
        """Whether the path is the endpoint's."""
        return self.resource == "exec"

    @property
    def is_passable(self) -> bool:
        """Whether its command can reach any guest: a NUL would end it, and UTF-8 has no halves of surrogate pairs."""
        return re.search("[\0\ud800-\udfff]", self.command or "") is None

    @property
    def number(self) -> int | None:
        """The pid, if there is exactly one and it is written as an integer in JSON; else None."""
        return integer(self.pids[0]) if len(self.pids) == 1 else None

    @property
    def repeatable(self) -> bool:
        """Whether it may be sent twice: a start runs a command, and a poll that reports an end can get it only once."""
        return not self.starts and not self.pid.is_used_up

    @property
    def dispensable(self) -> bool:
        """Whether the run can do without a response: it can without started commands."""
        return self.starts

    @property
    def needed(self) -> bool:
        """Whether a run is over that may send no more such requests: those with another key, or none, show less."""
        return self.credential == "full"

    @property
    def limited_like(self) -> Hashable:
        """Who sends it, as rate limits count: by the key."""
        return self.credential

    @property
    def held_back_with(self) -> tuple[Hashable, ...]:
        """Of whom a limit holds the request back: where the full key has to wait, the address may have to."""
        return self.credential, "full"

    @property
    def needs_write(self) -> bool:
        """Whether it takes the scope write:vm: a start, or the poll of a command."""
        return self.starts or self.pid.known

    @property
    def served_like(self) -> tuple[Hashable, ...]:
        """What of it decides whether it is served, beside its method."""
        return self.resource, self.credential, self.vps, self.pid, self.starts, self.command is None

    @property
    def unavailable(self) -> bool:
        """Whether the request is for a VPS whose agent is known to be unavailable, or not known to be available."""
        return self.vps in {"unavailable", "other"}

    def longest_body(self, status: int) -> int:
        """Return the greatest number of bytes that a body can need, as the document says."""
        if status != 200:
            return LARGEST_PROBLEM
        return largest_success(self.resource, "post" if self.starts else "get", pid=self.pid != Pid.ABSENT)


Exchange: TypeAlias = core.Exchange[Ask]


def json_of(request: Request) -> Any:
    """Return the body of a start as JSON; None if it is none."""
    try:
        return json.loads(request.body)
    except (ValueError, RecursionError):
        return None


def has_object(request: Request) -> bool:
    """Whether the body of a start is a JSON object."""
    return isinstance(json_of(request), dict)


def command_of(request: Request) -> Any:
    """Return what a start has for its command, of whatever type; None if the body is no JSON object with one."""
    body = json_of(request)
    return body.get("command") if isinstance(body, dict) else None


def names_a_vps(request: Request) -> bool:
    """Whether the body of a start has a member that names a VPS."""
    body = json_of(request)
    return isinstance(body, dict) and not body.keys().isdisjoint(NAMES_OF_ID)


def with_started_commands(target: Target, exchanges: Sequence[Exchange]) -> Target:
    """Return the target with the pids of the commands that the exchanges started on its VPS.

    If the target names no running command, the first started one that keeps running takes its place; if it names no
    ended one, the first of the others does.
    """
    # One that should have been refused is not what the run polls.
    starts = sorted((e for e in exchanges if e.ask.starts), key=lambda e: e.ask.credential != "full")
    return with_started(target, tuple(pair for e in starts if (pair := started_by(e)))) if starts else target


@lru_cache(maxsize=64)
def with_started(target: Target, started: tuple[tuple[int, bool], ...]) -> Target:
    """Return the target with the pids of started commands, each with whether it keeps running."""
    running = target.running_pid or next((pid for pid, runs in started if runs), None)
    finished = target.finished_pid or next((pid for pid, runs in started if not runs and pid != running), None)
    others = frozenset(pid for pid, _ in started) - {running, finished}
    allow_exec = target.allow_exec or target.kind == "har"
    return replace(target, running_pid=running, finished_pid=finished, started_pids=others, allow_exec=allow_exec)


@core.decided_once
def started_by(e: Exchange) -> tuple[int, bool] | None:
    """Return the pid of the command that a start has started on the target's VPS, and whether it keeps running."""
    pid = new_pid(e) if e.ask.vps in {"own", "unnamed"} else None
    return None if pid is None else (pid, SLEEP.encode() in e.request.body)


def overrides_of(request: Request) -> set[str]:
    """Return the methods that a request names in header fields, to be taken for one of them."""
    return set(filter(None, map(request.header, OVERRIDES)))


def asks_start(e: Exchange) -> bool:
    """A start, valid or not, to a server that offers it."""
    return e.ask.starts and e.response is not None and e.status not in NOT_OFFERED


def is_start(e: Exchange) -> bool:
    """A start whose response shows how the server understood it, since it is neither ordered nor a 429."""
    return asks_start(e) and not e.obeyed and not e.limited


def is_started(e: Exchange) -> bool:
    """A start that was served, if with another 2xx than the 200 that is documented."""
    return is_start(e) and e.status is not None and 200 <= e.status < 300


def new_pid(e: Exchange) -> int | None:
    """Return the pid of the command that a start has started: its member pid, or that in its pollUrl."""
    if not (is_started(e) and isinstance(e.body, dict)):
        return None
    pid, url = e.body.get("pid"), e.body.get("pollUrl")
    if "pid" not in e.body and isinstance(url, str):
        pid = integer(dict(parse_qsl(url.partition("?")[2])).get("pid", ""))
    if isinstance(pid, float) and pid.is_integer():  # JSON has one kind of number
        pid = int(pid)
    return pid if isinstance(pid, int) and not isinstance(pid, bool) and pid > 0 else None


def integer(text: str) -> int | None:
    """Return the integer that a text stands for in JSON, or None if it stands for none."""
    digits = text.removeprefix("-")
    canonical = digits.isascii() and digits.isdecimal() and (digits == "0" or digits[0] != "0")
    return int(text[:MOST_DIGITS]) if canonical else None  # which is above any pid too


def noted(ask: Ask) -> dict[str, Any]:
    """Return what the suite notes in its recordings of a request: the kinds, which depend on redacted keys."""
    return {"credential": ask.credential, "vps": ask.vps, "pid": ask.pid.value}


def with_notes(ask: Ask, notes: dict[str, Any]) -> Ask:
    """Return what a request asks for, corrected by the notes in a recording; raise `ValueError` for unknown notes.

    Of the pid they tell whose it is. Its form is that of the request.
    """
    if not notes:
        return ask
    credential: Any = notes.get("credential")
    vps: Any = notes.get("vps")
    if credential not in get_args(Credential) or (vps is not None and vps not in get_args(Vps)):
        raise ValueError(f"a request notes the credential {credential!r} and the VPS {vps!r}")
    pid = Pid(str(notes.get("pid")))
    return replace(ask, credential=credential, vps=vps, pid=pid if pid.is_possible and ask.pid.is_possible else ask.pid)
