"""The scenes: what a server does to a client that is judged, one short function each.

A scene is a function of one request. It returns what is sent in response, `asked.right()` where that is what a server
that conforms would send. Its docstring says what the server does, and stands in the reports.

    @scene(at="poll", completes="CLIENT-33")
    def output_without_newline(asked: Asked) -> Reply:
        \"\"\"The output does not end with a newline.\"\"\"
        return asked.right(stdout="no newline")

`completes` names the requirement that is broken where a command does not come to its end in the scene; without it a
right client may give up. `at` says which requests the scene is about: a scene about the start is not for a client that
only polls. `@scene_at(...)` makes one scene for each kind of request.
"""

from __future__ import annotations

import json
import pkgutil
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import unquote

from hostup_conformance.contract.paths import path_of
from hostup_conformance.contract.story import Does, Kind, Play, Task, kind_of, pids_of
from hostup_conformance.servers.scripted import Received, Reply

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hostup_conformance.core.messages import Request

#: The requirement that a command comes to its end where the server does as documented.
THROUGH = "CLIENT-33"
#: Of use for nothing but a scene.
KEY = "hu_scene_4f0c9a27d1e84b6c"
VPS = "vps_01hxa3b4c5d6e7f8g9h0j1k2m3"
PID = 4242
COMMAND = "uname -sr"
OUTPUT = {"exited": True, "exitCode": 0, "stdout": "Linux 6.12.0\n", "stderr": ""}
ERRORS = "https://developer.hostup.se/errors/"
#: code and title by status, as the endpoint's documentation has them.
PROBLEMS = {
    400: ("invalid_request", "Invalid request"),
    401: ("unauthorized", "Unauthorized"),
    403: ("forbidden", "Forbidden"),
    404: ("not_found", "Not found"),
    429: ("rate_limit_exceeded", "Too many requests"),
    500: ("internal_error", "Internal server error"),
    503: ("upstream_unavailable", "Guest agent unavailable"),
}
#: How many seconds a client is told to take at most: where it may give up, and where it has to come to its end, which
#: takes longer on a machine that is busy.
SOON, PATIENT = 7.0, 25.0
#: Which kind of request a scene is about.
One = Literal["probe", "start", "poll"]
At = One | Literal["all"]
Act = Callable[["Asked"], Reply]
ActAt = Callable[["Asked", One], Reply]


@dataclass(frozen=True)
class Scene:
    """What a server does to a client, and what the client is given for it."""

    name: str
    words: str
    act: Act
    at: At
    completes: str | None = None
    available: bool = True
    vps: str = VPS
    command: str = COMMAND
    pid: int = PID
    #: How many polls find the command running, and for how many seconds it runs at least.
    polls: int = 1
    runs: float = 0.0
    #: Seconds that the client is told to take at most (HOSTUP_TIMEOUT).
    timeout: float = SOON
    #: How many bytes the command prints to a stream, where that is much.
    prints: int = 0
    #: Whether nobody listens from the beginning.
    refused: bool = False
    #: Whether it lasts long, to see whether a client that was not told when to give up does so.
    long: bool = False

    def suits(self, does: Does) -> bool:
        """Whether a client that does this meets what the scene is about."""
        return does == "run" or self.at in {does, "all"}

    def play(self, does: Does) -> Play:
        """Return what is judged in the scene."""
        task = Task(does, self.vps, KEY, self.command, self.pid if does == "poll" else None)
        return Play(self.name, task, self.words, self.available, self.completes, self.timeout)

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
class Stage:
    """What a server knows while it plays a scene."""

    scene: Scene
    does: Does
    #: The other origin, as a URL.
    elsewhere: str = ""
    counts: Counter[Kind] = field(default_factory=Counter)
    #: When the command was started, whether it was, and whether its end was reported.
    began: float | None = None
    started: bool = False
    reported: bool = False

    def reply(self, received: Received, host: str) -> Reply:
        """Return the scene's reply to a request."""
        kind, segment = kind_of(received.request)
        if host != "own":
            return problem(401)
        self.counts[kind] += 1
        return self.scene.act(Asked(kind, segment, received.request, received.arrived, self))


@dataclass(frozen=True)
class Asked:
    """One request to the stage. `arrived` is in seconds on the monotonic clock."""

    kind: Kind
    segment: str | None
    request: Request
    arrived: float
    stage: Stage

    @property
    def nth(self) -> int:
        """How many requests of this kind there were, this one included."""
        return self.stage.counts[self.kind]

    def first(self, kind: Kind) -> bool:
        """Whether this is the first request of a kind."""
        return self.kind == kind and self.nth == 1

    @property
    def path(self) -> str:
        """The endpoint's path."""
        return path_of(self.stage.scene.vps)

    @property
    def ends(self) -> bool:
        """Whether it is a poll that finds the command ended."""
        stage, scene = self.stage, self.stage.scene
        if self.kind != "poll" or stage.reported or not (stage.started or stage.does == "poll"):
            return False
        began = stage.began if stage.began is not None else self.arrived
        stage.began = began
        return self.nth > scene.polls and self.arrived - began >= scene.runs

    def right(self, **members: Any) -> Reply:
        """Return what a server that conforms responds with, with changed members; what it asks for is done."""
        scheme, _, key = (self.request.header("authorization") or "").partition(" ")
        if scheme.lower() != "bearer" or key != KEY:
            return problem(401)
        if self.segment is not None and unquote(self.segment) != self.stage.scene.vps:
            return problem(404)
        match self.kind:
            case "probe":
                return self._availability(**members)
            case "start":
                return self._start(**members)
            case "poll":
                return self._poll(**members)
            case "list":
                return success({"data": [{"id": self.stage.scene.vps}], "hasMore": False, "nextCursor": None})
            case "status":
                return success({"id": self.stage.scene.vps, "powerState": "running"})
        return problem(404)

    def _availability(self, **members: Any) -> Reply:
        if not self.stage.scene.available:
            members = {"available": False, "reason": "The guest agent does not respond.", **members}
        return success({"available": True, "reason": None, "vmRunning": True, **members})

    def _start(self, **members: Any) -> Reply:
        if not self.stage.scene.available:
            return problem(503)
        self.stage.started, self.stage.began = True, self.arrived
        pid = self.stage.scene.pid
        return success({"pid": pid, "pollUrl": f"{self.path}?pid={pid}", **members})

    def _poll(self, **members: Any) -> Reply:
        if pids_of(self.request) != [str(self.stage.scene.pid)] or self.stage.reported:
            return problem(404)
        if self.ends:
            self.stage.reported = True
            return success({**OUTPUT, **members})
        if not (self.stage.started or self.stage.does == "poll"):
            return problem(404)
        return success({"exited": False})


def success(body: Any) -> Reply:
    """Return a 200 with a JSON body."""
    return Reply(200, [("Content-Type", "application/json")], json.dumps(body, ensure_ascii=False).encode())


def problem(status: int, **headers: str) -> Reply:
    """Return a problem document (RFC 9457) in the provider's form; underscores in header fields are hyphens."""
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


_SCENES: dict[str, Scene] = {}


def scene(at: At = "all", **facts: Any) -> Callable[[Act], Act]:
    """Register a scene; the facts are fields of `Scene`."""

    def register(act: Act) -> Act:
        _add(act.__name__.replace("_", "-"), act.__doc__ or "", act, at, facts)
        return act

    return register


def scene_at(*kinds: One, **facts: Any) -> Callable[[ActAt], ActAt]:
    """Register a scene for each of some kinds of request, which the function is told."""

    def register(act: ActAt) -> ActAt:
        for kind in kinds:
            name = f"{kind}-{act.__name__.replace('_', '-')}"
            words = (act.__doc__ or "").format(kind=kind)
            _add(name, words, partial(at_kind, act, kind), kind, facts)
        return act

    return register


def at_kind(act: ActAt, kind: One, asked: Asked) -> Reply:
    """Play a scene about one kind of request."""
    return act(asked, kind)


def _add(name: str, words: str, act: Act, at: At, facts: Mapping[str, Any]) -> None:
    if name in _SCENES:
        raise ValueError(f"two scenes {name}")
    _SCENES[name] = Scene(name, words, act, at, **{"timeout": PATIENT if facts.get("completes") else SOON, **facts})


def scenes() -> dict[str, Scene]:
    """Return all scenes by name."""
    for module in pkgutil.iter_modules(__path__):
        import_module(f"{__name__}.{module.name}")
    return _SCENES
