"""The scenes: how a server behaves towards a client that is judged, one short function each.

A scene is a function of one request that returns the response; `turn.right()` is that of a conforming server. Its
docstring, which the reports show, says what the server does.

    @scene(at="poll", completes="CLIENT-33")
    def output_without_newline(turn: Turn) -> Reply:
        \"\"\"The output does not end with a newline.\"\"\"
        return turn.right(stdout="no newline")

`completes` names the requirement that is broken if the client does not finish its task in the scene; without it, a
right client may give up. `at` is the kind of request that the scene is about: a scene about the start is not for a
client that only polls. `@scene_at(...)` makes one scene for each kind of request.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Literal
from urllib.parse import unquote

from hostup_conformance.clients.story import Does, Kind, Play, Task, kind_of, pids_of
from hostup_conformance.contract.paths import path_of
from hostup_conformance.contract.problems import ERRORS, PROBLEMS
from hostup_conformance.http.messages import Request
from hostup_conformance.http.scripted import Received, Reply
from hostup_conformance.judging.catalogue import Catalogue

#: The requirement that a client finishes its task if the server behaves as documented.
THROUGH = "CLIENT-33"
#: The requirement that it does so whatever the form of the base URL.
BASE_URL = "CLIENT-42"
#: A made-up key that only the scenes accept.
KEY = "hu_scene_4f0c9a27d1e84b6c"
VPS = "vps_01hxa3b4c5d6e7f8g9h0j1k2m3"
#: The one that comes first in the list, which nobody has asked for.
OTHER_VPS = "vps_01hxa3b4c5d6e7f8g9h0j1k2m4"
PID = 4242
COMMAND = "uname -sr"
OUTPUT = {"exited": True, "exitCode": 0, "stdout": "Linux 6.12.0\n", "stderr": ""}
#: The scene in which all goes well, which is played first, and alone.
FIRST = "well"
#: The scenes that find most, in which a right client need not wait for long: those of a quick run.
_QUICK = """
    well unavailable available-missing available-as-text probe-failing probe-forbidden probe-lost
    id-with-delimiters awkward-id id-with-capitals awkward-command large-pid no-poll-url no-pid
    neither-pid-nor-poll-url start-lost start-bad-gateway start-empty-body start-forbidden start-rate-limited
    start-redirected poll-found poll-url-elsewhere poll-url-without-scheme poll-url-of-the-console slow-command
    slow-server connection-closed-between never-ends poll-unresponsive poll-trickling poll-lost poll-not-found
    poll-empty-body poll-rate-limited poll-overloaded probe-rate-limited-until exited-missing exited-null
    exited-as-text poll-error-like-a-success exit-code-3 exit-code-256 exit-code-missing output-of-16-mib
    output-without-newline output-with-space-around streams-null output-within-latin-1 output-outside-ascii
    output-escaped output-while-running output-on-stderr-alone unknown-members compressed base-url-with-slash
    base-url-with-path expired-certificate certificate-of-another-host
"""
QUICK = tuple(_QUICK.split())
#: HOSTUP_TIMEOUT in seconds: in a scene in which the client may give up, and in one that it has to finish, which takes
#: longer on a busy machine.
SOON, PATIENT = 7.0, 25.0
#: Which kind of request a scene is about.
One = Literal["probe", "start", "poll"]
At = One | Literal["all"]
#: A certificate that an own CA has issued, which SSL_CERT_FILE names; or one that nobody should trust.
Certificate = Literal["right", "self-signed", "wrong-name", "expired"]
Act = Callable[["Turn"], Reply]
ActAt = Callable[["Turn", One], Reply]


@dataclass(frozen=True)
class Scene:
    """How a server behaves, and what the client is given."""

    name: str
    words: str
    act: Act
    at: At
    completes: str | None = None
    available: bool = True
    vps: str = VPS
    command: str = COMMAND
    pid: int = PID
    #: How many polls find the command running, and the least number of seconds for which it runs.
    polls: int = 1
    runs: float = 0.0
    #: HOSTUP_TIMEOUT, in seconds.
    timeout: float = SOON
    #: How many bytes the command prints to a stream, if they are many.
    prints: int = 0
    #: The base URL before its port, and after it.
    origin: str = "http://127.0.0.1"
    below: str = ""
    #: Which certificate the server has, if it has one.
    certificate: Certificate | None = None
    #: Whether connections are refused from the beginning.
    refused: bool = False
    #: Whether the scene lasts long enough to see whether a client gives up by itself.
    long: bool = False

    @property
    def prefix(self) -> str:
        """The path of the base URL."""
        return self.below.rstrip("/")

    def suits(self, does: Does) -> bool:
        """Whether a client that does this sends the kind of request that the scene is about."""
        return does == "run" or self.at in {does, "all"}

    def play(self, does: Does) -> Play:
        """Return what is judged in the scene."""
        task = Task(does, self.vps, KEY, self.command, self.pid if does == "poll" else None)
        return Play(
            self.name,
            task,
            self.words,
            self.available,
            self.completes,
            self.timeout,
            bool(self.prints),
            self.prefix,
            self.certificate not in {None, "right"},
        )

    def environment(self, does: Does, base_url: str) -> dict[str, str]:
        """Return what the command is given."""
        given = {
            "HOSTUP_BASE_URL": base_url,
            "HOSTUP_API_KEY": KEY,
            "HOSTUP_VPS_ID": self.vps,
            "HOSTUP_TIMEOUT": f"{self.timeout:g}",
            "HOSTUP_SCENE": self.name,
        }
        if does == "run":
            given["HOSTUP_COMMAND"] = self.command
        if does == "poll":
            given["HOSTUP_PID"] = str(self.pid)
        return given


@dataclass
class SceneState:
    """What a server remembers while it plays a scene."""

    scene: Scene
    does: Does
    #: The other origin, as a URL.
    elsewhere: str = ""
    counts: Counter[Kind] = field(default_factory=Counter)
    #: When the command began, whether it was started, and whether its end was reported.
    began: float | None = None
    started: bool = False
    reported: bool = False

    def reply(self, received: Received) -> Reply:
        """Return the scene's reply to a request."""
        kind, segment = kind_of(received.request, self.scene.prefix)
        if received.host != "own":
            return problem(401)
        self.counts[kind] += 1
        return self.scene.act(Turn(kind, segment, received.request, received.arrived, self))


@dataclass(frozen=True)
class Turn:
    """One request in a scene. `arrived` is in seconds on the monotonic clock."""

    kind: Kind
    segment: str | None
    request: Request
    arrived: float
    state: SceneState

    @property
    def nth(self) -> int:
        """The number of this request among those of its kind, from 1."""
        return self.state.counts[self.kind]

    def first(self, kind: Kind) -> bool:
        """Whether this is the first request of a kind."""
        return self.kind == kind and self.nth == 1

    @property
    def path(self) -> str:
        """The endpoint's path."""
        return path_of(self.state.scene.vps)

    @property
    def ends(self) -> bool:
        """Whether it is a poll that finds the command ended."""
        state, scene = self.state, self.state.scene
        if self.kind != "poll" or state.reported or not (state.started or state.does == "poll"):
            return False
        began = state.began if state.began is not None else self.arrived
        state.began = began
        return self.nth > scene.polls and self.arrived - began >= scene.runs

    def right(self, **members: Any) -> Reply:
        """Carry out the request and return the response of a conforming server, with changed members."""
        scheme, _, key = (self.request.header("authorization") or "").partition(" ")
        if scheme.lower() != "bearer" or key != KEY:
            return problem(401)
        if self.segment is not None and unquote(self.segment) != self.state.scene.vps:
            return problem(404)
        match self.kind:
            case "probe":
                return self._availability(**members)
            case "start":
                return self._start(**members)
            case "poll":
                return self._poll(**members)
            case "list":
                vpss = [{"id": OTHER_VPS}, {"id": self.state.scene.vps}]
                return success({"data": vpss, "hasMore": False, "nextCursor": None})
            case "status":
                return success({"id": self.state.scene.vps, "powerState": "running"})
        return problem(404)

    def _availability(self, **members: Any) -> Reply:
        if not self.state.scene.available:
            members = {"available": False, "reason": "The guest agent does not respond.", **members}
        return success({"available": True, "reason": None, "vmRunning": True, **members})

    def _start(self, **members: Any) -> Reply:
        if not self.state.scene.available:
            return problem(503)
        self.state.started, self.state.began = True, self.arrived
        pid = self.state.scene.pid
        return success({"pid": pid, "pollUrl": f"{self.path}?pid={pid}", **members})

    def _poll(self, **members: Any) -> Reply:
        if pids_of(self.request) != [str(self.state.scene.pid)] or self.state.reported:
            return problem(404)
        if self.ends:
            self.state.reported = True
            return success({**OUTPUT, **members})
        if not (self.state.started or self.state.does == "poll"):
            return problem(404)
        return success({"exited": False})


def success(body: Any) -> Reply:
    """Return a 200 with a JSON body."""
    return Reply(200, [("Content-Type", "application/json")], json.dumps(body, ensure_ascii=False).encode())


def problem(status: int, **headers: str) -> Reply:
    """Return a problem document (RFC 9457) in the provider's form; `headers` have underscores for hyphens."""
    code, title = PROBLEMS[status]
    body = {
        "type": ERRORS + code,
        "title": title,
        "status": status,
        "detail": f"{title}.",
        "code": code,
        "instance": "/api/v2/resource",
        "requestId": "req_01hxa3b4c5d6e7f8g9h0j1k2m3",
        "timestamp": "2026-04-27T12:34:56.000Z",
    }
    fields = [(name.replace("_", "-"), value) for name, value in headers.items()]
    return Reply(status, [("Content-Type", "application/problem+json"), *fields], json.dumps(body).encode())


_SCENES: Catalogue[Scene] = Catalogue(__name__)


def scene(at: At = "all", **facts: Any) -> Callable[[Act], Act]:
    """Register a scene; the facts are fields of `Scene`."""

    def register(act: Act) -> Act:
        _add(act.__name__.replace("_", "-"), act.__doc__ or "", act, at, facts)
        return act

    return register


def scene_at(*kinds: One, **facts: Any) -> Callable[[ActAt], ActAt]:
    """Register a scene for each of several kinds of request; the function gets the kind as its second argument."""

    def register(act: ActAt) -> ActAt:
        for kind in kinds:
            name = f"{kind}-{act.__name__.replace('_', '-')}"
            words = (act.__doc__ or "").format(kind=kind)
            _add(name, words, partial(at_kind, act, kind), kind, facts)
        return act

    return register


def at_kind(act: ActAt, kind: One, turn: Turn) -> Reply:
    """Play a scene about one kind of request."""
    return act(turn, kind)


def _add(name: str, words: str, act: Act, at: At, facts: Mapping[str, Any]) -> None:
    patience = PATIENT if facts.get("completes") else SOON
    _SCENES.add(name, Scene(name, words, act, at, **{"timeout": patience, **facts}))


def scenes() -> dict[str, Scene]:
    """Return all scenes by name."""
    return _SCENES.all()
