"""What a client did in a scene: the requests that it sent, and how its command ended. It judges nothing.

A scene is the behaviour of a server. The story of a client in it consists of exchanges: one for each request, and a
last one without a request, which contains the whole story.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from typing import Any, Literal, TypeAlias
from urllib.parse import parse_qsl, unquote

from hostup_conformance.clients import Does
from hostup_conformance.contract.paths import Resource, resource_of
from hostup_conformance.http import exchange as core
from hostup_conformance.http.json_text import read_json
from hostup_conformance.http.messages import Request
from hostup_conformance.http.scripted import Reply
from hostup_conformance.keeping.safe_text import split_url

#: The kinds of request that a client's task consists of.
TaskRequest = Literal["probe", "start", "poll"]
#: What a request asks for. `malformed` is what is not an HTTP request.
Kind = Resource | TaskRequest | Literal["malformed"]
#: Which origin received the request: that of the base URL, or the other one, which must never receive the key.
Origin = Literal["own", "other"]
#: How many seconds before its time is up a client may give up honestly: some count in whole seconds.
NEAR = 2.0
#: No response is on its way for so many seconds.
ARRIVED = 10.0
#: What ended the command; `unseen` is what a recording does not show, nor a scene that is served by hand.
EndedBy = Literal["itself", "deadline", "bound", "start", "unseen"]
#: A certificate that an own CA has issued, which SSL_CERT_FILE names; or one that nobody should trust.
Certificate = Literal["right", "self-signed", "wrong-name", "expired", "early"]
#: Responds to a request that the scene is about.
Act = Callable[[Any], Reply]
#: HOSTUP_TIMEOUT in seconds: in a scene in which the client may give up, and in one that it has to finish, which takes
#: longer on a busy machine.
SOON, PATIENT = 7.0, 25.0
#: What a command is given, if a scene says nothing else.
VPS = "vps_01hxa3b4c5d6e7f8g9h0j1k2m3"
PID = 4242
COMMAND = "uname -sr"


@dataclass(frozen=True)
class Scene:
    """How a server behaves, and what the client is given."""

    name: str
    doc: str
    #: Which kind of request it is about.
    at: TaskRequest | Literal["all"] = "all"
    #: What the server does with those requests, if anything but the right thing.
    act: Act | None = None
    #: How many requests of that kind the scene is about, from the first on; None for all.
    times: int | None = None
    #: The requirement that is broken if the client does not finish its task; None if it may give up.
    completes: str | None = None
    available: bool = True
    vps: str = VPS
    #: None in a recording, where it is not known, and the id is empty.
    command: str | None = COMMAND
    pid: int | None = PID
    #: How many polls find the command running, and the least number of seconds for which it runs.
    polls: int = 1
    runs: float = 0.0
    #: For how many seconds the whole scene lasts at least, where the server is slow.
    lasts: float = 0.0
    #: HOSTUP_TIMEOUT, in seconds.
    timeout: float = SOON
    #: How many bytes the command prints to a stream, if they are many.
    prints: int = 0
    #: The base URL before its port, and after it.
    origin: str = "http://127.0.0.1"
    below: str = ""
    #: Which certificate the server has, if it has one.
    certificate: Certificate | None = None
    #: Whether connections are refused from the beginning, or once the command has been started or polled.
    refused: bool = False
    refused_later: bool = False
    #: Whether the scene lasts long enough to see whether a client gives up by itself.
    long: bool = False

    @property
    def prefix(self) -> str:
        """The path of the base URL."""
        return self.below.rstrip("/")

    @property
    def form(self) -> str:
        """What is unusual about the base URL, as a predicate."""
        return "has a path" if self.prefix else "ends with a slash" if self.below else "has capitals"

    def suits(self, does: Does) -> bool:
        """Whether a client that does this sends the kind of request that the scene is about."""
        return does == "run" or self.at in {does, "all"}


@dataclass(frozen=True)
class Play:
    """One scene, played to one command, which gets a key."""

    scene: Scene
    does: Does
    key: str = field(repr=False)
    #: Whether it is a recording, whose format leaves some things out.
    recorded: bool = False

    @property
    def purpose(self) -> str:
        """Why its requests were sent, in words."""
        return self.scene.doc if self.recorded else f"{self.scene.name}: {self.scene.doc}"

    def environment(self, base_url: str) -> dict[str, str]:
        """Return what the command is given."""
        given = {
            "HOSTUP_BASE_URL": base_url,
            "HOSTUP_API_KEY": self.key,
            "HOSTUP_VPS_ID": self.scene.vps,
            "HOSTUP_TIMEOUT": f"{self.scene.timeout:g}",
            "HOSTUP_SCENE": self.scene.name,
        }
        if self.does == "run":
            given["HOSTUP_COMMAND"] = self.scene.command or ""
        if self.does == "poll":
            given["HOSTUP_PID"] = str(self.scene.pid)
        return given


@dataclass(frozen=True)
class Outcome:
    """How the command ended."""

    #: Its exit code; 128 plus the number of the signal that ended it, as in shells; None if the suite ended it.
    code: int | None
    stdout: bytes
    stderr: bytes
    seconds: float
    ended_by: EndedBy = "itself"
    #: The bound that it exceeded, or why it could not be started.
    reason: str = ""
    #: The programs of its processes that still ran after its end, and of those that had the key in their arguments;
    #: None where the system does not show them, or nobody looked.
    left_behind: frozenset[str] | None = None
    exposing: frozenset[str] | None = None

    @property
    def is_seen(self) -> bool:
        """Whether it is known how the command ended."""
        return self.ended_by != "unseen"

    @property
    def printed(self) -> dict[str, bytes]:
        """What it printed, by stream."""
        return {"standard output": self.stdout, "standard error": self.stderr}


UNSEEN = Outcome(None, b"", b"", 0.0, "unseen")


@dataclass(frozen=True)
class Seen(core.Meaning):
    """What a server knows of a request besides its bytes. Times are in seconds since the scene began."""

    play: Play
    kind: Kind
    origin: Origin = "own"
    #: The id as it is written in the path.
    segment: str | None = None
    #: When the request was complete, and when its response began to be sent.
    arrived: float = 0.0
    responded: float | None = None
    #: Whether the whole response was sent.
    delivered: bool = True
    #: Whether it came as plain text to a port that speaks TLS.
    without_tls: bool = False
    #: The whole story; only in the last exchange, which is not a request.
    story: "Story | None" = None
    #: The story that the request belongs to.
    within: "Story | None" = field(default=None, compare=False, repr=False)

    @property
    def id(self) -> str | None:
        """The id that the path names, decoded."""
        return None if self.segment is None else unquote(self.segment, errors="surrogateescape")


Exchange: TypeAlias = core.Exchange[Seen]


@dataclass(frozen=True)
class Story:
    """Everything that a command did in one scene."""

    play: Play
    requests: tuple[Exchange, ...]
    outcome: Outcome = UNSEEN

    def of(self, *kinds: Kind) -> list[Exchange]:
        """Return the requests of some kinds to the origin of the base URL, in order."""
        return [e for e in self.requests if e.ask.kind in kinds and e.ask.origin == "own"]

    @property
    def own(self) -> list[Exchange]:
        """The requests to the origin of the base URL that are HTTP."""
        return [e for e in self.requests if e.ask.origin == "own" and e.ask.kind != "malformed"]

    @property
    def awkward(self) -> bool:
        """Whether the id cannot be put into a path as it is."""
        return re.fullmatch(r"[A-Za-z0-9._~-]*", self.play.scene.vps) is None

    @cached_property
    def last_poll(self) -> Exchange | None:
        """The first poll whose complete response said that the command has ended."""
        return next((e for e in self.of("poll") if says(e, "exited", True)), None)

    @cached_property
    def availability(self) -> Exchange | None:
        """The first probe whose complete response said that commands can be run."""
        return next((e for e in self.of("probe") if says(e, "available", True)), None)

    @cached_property
    def output(self) -> dict[str, Any] | None:
        """The command's output, whole, if the client got it."""
        received = self.last_poll and self.last_poll.response
        return read_json(received.body, len(received.body)).value if received else None

    @property
    def gave_up(self) -> bool:
        """Whether the command ended by itself about when its time was up, with a code that says so and nothing wrong.

        It may have stopped listening while the response was on its way, or been ended while it printed it, so what the
        response said cannot be demanded; but it can if the response was there long before.
        """
        outcome, timeout = self.outcome, self.play.scene.timeout
        told = self.last_poll.ask.responded if self.last_poll and not self.play.scene.prints else None
        if outcome.ended_by != "itself" or not outcome.code or (told is not None and told < timeout - ARRIVED):
            return False
        text = (self.output or {}).get("stdout")
        begun = isinstance(text, str) and text.encode("utf-8", "surrogatepass").startswith(outcome.stdout)
        return outcome.seconds >= timeout - NEAR and (begun or outcome.stdout in {b"", *self.partial_outputs})

    @property
    def by_time(self) -> bool:
        """Whether the story may have ended otherwise on a machine that is not busy."""
        if self.outcome.ended_by == "deadline" or self.outcome.left_behind:
            return True
        abandoned = any(not e.ask.delivered and e.ask.origin == "own" for e in self.requests)
        return self.play.scene.completes is not None and not self.done and (self.gave_up or abandoned)

    @property
    def partial_outputs(self) -> list[bytes]:
        """What polls of the running command said that it had printed to its standard output, in UTF-8."""
        bodies = [e.body for e in self.of("poll") if got_200(e) and isinstance(e.body, dict)]
        texts = [body.get("stdout") for body in bodies if body.get("exited") is not True]
        return [text.encode("utf-8", "surrogatepass") for text in texts if isinstance(text, str)]

    @property
    def done(self) -> bool:
        """Whether the client got the result that it was asked for."""
        return self.result is not None

    @property
    def result(self) -> Exchange | None:
        """The exchange that gave it, if any did."""
        return self.availability if self.play.does == "probe" else self.last_poll

    @cached_property
    def pid(self) -> str | None:
        """The pid that the client was given, or that the response to a start had as `pid` or in `pollUrl`."""
        if self.play.does == "poll":
            return str(self.play.scene.pid)
        for e in self.of("start"):
            if got_200(e) and isinstance(e.body, dict):
                pid, url = e.body.get("pid"), e.body.get("pollUrl")
                in_url = dict(parse_qsl(split_url(url).query)).get("pid") if isinstance(url, str) else None
                if named := str(pid) if pid is not None else in_url:
                    return named
        return None


def told(
    play: Play,
    requests: Sequence[Exchange],
    outcome: Outcome,
    failure: str,
    seconds: float,
    when: datetime | None = None,
) -> list[Exchange]:
    """Return the requests of a story, which get to know it, and an exchange for its end.

    That came `seconds` after the beginning, or at a moment if it is known, for the reason `failure`.
    """
    story = Story(play, tuple(requests), outcome)
    for e in requests:
        e.ask = replace(e.ask, within=story)
    end = Seen(play, "other", arrived=seconds, story=story)
    return [*requests, core.Exchange(0, Request("", ""), None, end, failure, when=when, purpose=play.purpose)]


def got_200(e: Exchange) -> bool:
    """Whether the client got a complete response with status code 200."""
    return e.ask.delivered and e.status == 200


def accepted(e: Exchange) -> bool:
    """Whether the response to a start said that the command was started."""
    return got_200(e) and isinstance(e.body, dict) and bool({"pid", "pollUrl"} & e.body.keys())


def says(e: Exchange, member: str, value: object) -> bool:
    """Whether the client got a 200 whose member has exactly this value."""
    return got_200(e) and isinstance(e.body, dict) and e.body.get(member) is value


def kind_of(request: Request, prefix: str = "") -> tuple[Kind, str | None]:
    """Return what a request asks for, and the id as it is in the path, which is below the prefix."""
    if not request.path.startswith(prefix):
        return "other", None
    resource, segment = resource_of(request.path.removeprefix(prefix))
    if resource == "exec" and request.method == "POST":
        return "start", segment
    if request.method != "GET" or resource == "other":
        return "other", segment
    if resource == "exec":
        return ("poll" if pids_of(request) else "probe"), segment
    return resource, segment


def pids_of(request: Request) -> list[str]:
    """Return the values of `pid` in a query."""
    return [value for name, value in parse_qsl(request.query, keep_blank_values=True) if name == "pid"]


def how(outcome: Outcome) -> str:
    """Return in words how a command ended."""
    if outcome.ended_by == "deadline":
        return f"it was ended after {outcome.seconds:.0f} seconds"
    if outcome.ended_by in {"bound", "start"}:
        return outcome.reason
    return f"it exited with {outcome.code} after {outcome.seconds:.1f} seconds"
