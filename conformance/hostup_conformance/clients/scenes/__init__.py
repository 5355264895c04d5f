"""The scenes: how a server behaves towards a client that is judged, a line or a short function each.

A scene has a name, a text for the reports, which says what the server does, the kind of request that it is about, and
what the server does with requests of that kind, an act. All other requests get the response of a conforming server.

    add("output-without-newline", "The output does not end with a newline.", "poll", act=says(stdout="no newline"))

    @scene("poll", completes="CLIENT-33")
    def output_without_newline(turn: Turn) -> Reply:
        \"\"\"The output does not end with a newline.\"\"\"
        return turn.right(stdout="no newline")

`completes` names the requirement that is broken if the client does not finish its task in the scene; without it, a
right client may give up. A scene about the start is not for a client that only polls. If several kinds of request are
given, there is a scene for each, whose name begins with the kind.
"""

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import unquote

from hostup_conformance.clients import Does
from hostup_conformance.clients.story import PATIENT, SOON, Act, Kind, Scene, TaskRequest, kind_of, pids_of
from hostup_conformance.contract import problems
from hostup_conformance.contract.paths import path_of
from hostup_conformance.http.messages import Request
from hostup_conformance.http.scripted import Received, Reply
from hostup_conformance.judging.catalogue import Catalogue

#: The requirement that a client finishes its task if the server behaves as documented.
THROUGH = "CLIENT-33"
#: The requirement that it does so whatever the form of the base URL.
BASE_URL = "CLIENT-42"
#: A made-up key that only the scenes accept, with all that a token may have (RFC 6750, section 2.1). It has no part of
#: the key of the mock, with which it would be redacted.
KEY = "hu_scene_9d3e-61b8.f520~7ca4+e8/=="
#: The one that comes first in the list, which nobody has asked for.
OTHER_VPS = "vps_01hxa3b4c5d6e7f8g9h0j1k2m4"
OUTPUT = {"exited": True, "exitCode": 0, "stdout": "Linux 6.12.0\n", "stderr": ""}
#: The scene in which all goes well, which is played first, and alone.
FIRST = "well"
#: The scenes that find most, in which a right client need not wait for long: those of a quick run.
_QUICK = """
    well unavailable available-missing available-as-text probe-failing probe-forbidden probe-lost
    id-with-delimiters awkward-id id-with-capitals awkward-command large-pid no-poll-url no-pid
    neither-pid-nor-poll-url start-lost start-unresponsive start-bad-gateway start-empty-body start-forbidden
    start-rate-limited start-redirected poll-found poll-url-elsewhere poll-url-without-scheme
    poll-url-of-the-console slow-command slow-server connection-closed-between never-ends poll-unresponsive
    poll-trickling poll-lost poll-not-found poll-empty-body poll-rate-limited poll-overloaded
    poll-redirected-to-plain-text plain-text-poll-url
    probe-rate-limited-until exited-missing exited-null exited-as-text poll-error-like-a-success exit-code-3
    exit-code-256 exit-code-missing output-of-16-mib output-without-newline output-with-space-around
    streams-null output-within-latin-1 output-outside-ascii output-escaped output-while-running
    output-on-stderr-alone unknown-members json-without-blanks json-in-ascii other-header-fields compressed
    base-url-with-slash base-url-with-path expired-certificate
    certificate-of-another-host
"""
QUICK = tuple(_QUICK.split())


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
        turn, scene = Turn(kind, segment, received.request, received.arrived, self), self.scene
        is_meant = scene.at in {"all", kind} and (scene.times is None or turn.nth <= scene.times)
        reply = scene.act(turn) if scene.act and is_meant else turn.right()
        reply.last = scene.refused_later and kind in {"start", "poll"}
        return reply


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
            why = "The VPS is not running, and so the guest agent does not respond."
            members = {"available": False, "reason": why, "vmRunning": False, **members}
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
    body = problems.problem(
        status,
        f"{problems.PROBLEMS[status][1]}.",
        instance="/api/v2/resource",
        request_id="req_01hxa3b4c5d6e7f8g9h0j1k2m3",
        timestamp="2026-04-27T12:34:56.000Z",
    )
    fields = [(name.replace("_", "-"), value) for name, value in headers.items()]
    return Reply(status, [("Content-Type", "application/problem+json"), *fields], json.dumps(body).encode())


def says(**members: Any) -> Act:
    """Return the act that changes members of the right response."""
    return lambda turn: turn.right(**members)


def without(*names: str, **members: Any) -> Act:
    """Return the act that leaves members of the right response out, and changes others."""

    def act(turn: Turn) -> Reply:
        reply = turn.right(**members)
        body = reply.response().json.value
        return success({k: v for k, v in body.items() if k not in names}) if reply.status == 200 else reply

    return act


def sent(**fields: Any) -> Act:
    """Return the act that sends the right response in another way; the fields are those of `Reply`."""
    return lambda turn: replace(turn.right(), **fields)


def refuses(status: int, **headers: str) -> Act:
    """Return the act that refuses the request with a problem document, as `problem` makes it."""
    return lambda _turn: problem(status, **headers)


SCENES: Catalogue[Scene] = Catalogue(__name__, "scene")


def add(name: str, doc: str, *kinds: TaskRequest, act: Act | None = None, **facts: Any) -> None:
    """Register a scene about all requests, or about those of a kind; the facts are fields of `Scene`."""
    facts = {"timeout": PATIENT if facts.get("completes") else SOON, **facts}
    for kind in kinds or ("all",):
        full_name = f"{kind}-{name}" if len(kinds) > 1 else name
        SCENES.add(full_name, Scene(full_name, doc.replace("{kind}", kind), kind, act, **facts))


def scene(*kinds: TaskRequest, **facts: Any) -> Callable[[Act], Act]:
    """Register a function as the act of a scene, with its name and docstring."""

    def register(act: Act) -> Act:
        add(act.__name__.replace("_", "-"), act.__doc__ or "", *kinds, act=act, **facts)
        return act

    return register
