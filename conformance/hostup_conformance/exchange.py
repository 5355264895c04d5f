"""An exchange: one request and its answer, raw bytes included, and what the request stood for."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import quote, unquote, unquote_plus

import httpx

if TYPE_CHECKING:
    from datetime import datetime

    from hostup_conformance.target import Target

#: `lowercase` is the full key under the scheme bearer, `query` the key in the URL, and `unnamed` a key in a
#: recording when we were not told which keys there are.
Credential = Literal["full", "read", "none", "wrong", "malformed", "lowercase", "query", "unnamed"]
#: `similar` resembles the own id, `case` is it in another case, `malformed` has characters that no id has.
Vps = Literal["own", "unavailable", "foreign", "unknown", "similar", "case", "malformed"]
#: `loose` is what some parsers take for an integer, `strange` a query with other parameters than pid.
Pid = Literal[
    "absent",
    "finished",
    "running",
    "started",
    "unknown",
    "impossible",
    "loose",
    "invalid",
    "empty",
    "repeated",
    "strange",
]

#: Whose path was asked for: the endpoint's, the list's of VPSs, that of a VPS's status, or none of the contract's.
Resource = Literal["exec", "list", "status", "other"]

Headers = tuple[tuple[str, str], ...]

#: Above this a Linux guest has no pids, so such a pid is nobody's.
LARGEST_LINUX_PID = 4_194_304
#: Where the list of VPSs is, and where what a VPS has is below it.
VPSS = "/api/v2/vps"
BELOW: dict[Resource, str] = {"exec": "/agent/exec", "status": "/status"}
#: How a server answers that has no such method.
NOT_OFFERED = {405, 501}
#: How many characters a command may have.
LONGEST_COMMAND = 4096


@dataclass(frozen=True)
class Request:
    """A request as it goes over the wire. `target` is path and query below the base URL, percent-encoded."""

    method: str
    target: str
    headers: Headers = field(default=(), repr=False)
    body: bytes = b""

    def header(self, name: str) -> str | None:
        """Return the first header of that name."""
        return first(self.headers, name)


@dataclass(frozen=True)
class Answer:
    """An answer as it came. `body` is without transfer and content coding."""

    status: int
    headers: Headers
    body: bytes
    #: What came beyond the answer, if anything did.
    surplus: str | None = None
    #: What was wrong with the content coding although the answer could be read.
    miscoded: str | None = None

    def header(self, name: str) -> str | None:
        """Return the first header of that name."""
        return first(self.headers, name)

    def all(self, name: str) -> list[str]:
        """Return all headers of that name."""
        return [value.strip() for key, value in self.headers if key.lower() == name]

    @property
    def media_type(self) -> str:
        """The Content-Type without parameters, in lower case."""
        return (self.header("content-type") or "").partition(";")[0].strip().lower()

    def as_httpx(self, request: httpx.Request) -> httpx.Response:
        """Return the answer as httpx has it, without the headers of codings that are undone."""
        undone = {"content-encoding", "transfer-encoding"}
        headers = [(name, value) for name, value in self.headers if name.lower() not in undone]
        return httpx.Response(self.status, headers=headers, content=self.body, request=request)

    @cached_property
    def json(self) -> Json:
        """The body as JSON, read leniently, with everything that is wrong with it."""
        return read_json(self.body)


@dataclass(frozen=True)
class Json:
    """A JSON text: its value (None where there is none) and its defects."""

    value: Any
    is_json: bool
    defects: tuple[str, ...] = ()
    duplicates: tuple[str, ...] = ()


@dataclass(frozen=True)
class Ask:
    """What a request stands for, read from the request itself, whoever made it."""

    credential: Credential
    vps: Vps
    pid: Pid
    #: The status ordered with `Prefer: code=NNN`, if any.
    ordered: int | None
    resource: Resource

    @property
    def endpoint(self) -> bool:
        """Whether the path is the endpoint's."""
        return self.resource == "exec"


@dataclass
class Exchange:
    """One request and its answer, or the failure that came in its place."""

    number: int
    request: Request
    answer: Answer | None
    ask: Ask
    #: Why no whole answer came.
    failure: str | None = None
    seconds: float = 0.0
    when: datetime | None = None
    #: What the request was for, as the source names it.
    purpose: str = ""
    source: Literal["probe", "generated", "har"] = "probe"
    #: What the generated client made of the answer, where it was the one that asked.
    decoded: Decoded | None = None

    @property
    def status(self) -> int | None:
        """The status of the answer."""
        return self.answer.status if self.answer else None

    def header(self, name: str) -> str | None:
        """Return the first header of that name, None also where no answer came."""
        return self.answer.header(name) if self.answer else None

    @property
    def body(self) -> Any:
        """The value of the JSON body, or None."""
        return self.answer.json.value if self.answer else None

    @property
    def obeyed(self) -> bool:
        """Whether this answer was ordered with Prefer, and says nothing about the request otherwise."""
        return self.ask.ordered is not None and self.status == self.ask.ordered

    @property
    def asks_start(self) -> bool:
        """Whether it asked for the start of a command, proper or not, of a server that starts some."""
        starts = self.request.method == "POST" and bool(self.request.body) and self.ask.endpoint
        return starts and self.answer is not None and self.status not in NOT_OFFERED

    @property
    def is_start(self) -> bool:
        """Whether the answer tells how a start was understood: neither ordered nor limited."""
        return self.asks_start and not self.obeyed and self.status != 429

    @property
    def new_pid(self) -> int | None:
        """The pid of the command that a start has started."""
        pid = self.body.get("pid") if self.is_start and self.status == 200 and isinstance(self.body, dict) else None
        return pid if isinstance(pid, int) and not isinstance(pid, bool) and pid > 0 else None

    @property
    def new_poll(self) -> str | None:
        """Path and query by which the command that a start has started is polled."""
        return None if self.new_pid is None else f"{self.request.target}?pid={self.new_pid}"

    @property
    def listed_ids(self) -> list[str]:
        """The ids in a list of VPSs, as far as it has its form."""
        data = self.body.get("data") if isinstance(self.body, dict) else None
        items = data if isinstance(data, list) else []
        return [item["id"] for item in items if isinstance(item, dict) and isinstance(item.get("id"), str)]

    @property
    def judged(self) -> bool:
        """Whether the answer tells how the request was understood: a GET, neither ordered nor limited."""
        return (
            self.answer is not None
            and self.request.method == "GET"
            and self.ask.endpoint
            and not self.obeyed
            and self.status != 429
        )


@dataclass(frozen=True)
class Decoded:
    """What the generated client returned, as JSON, or the exception it raised."""

    value: Any = None
    raised: str | None = None


def first(headers: Headers, name: str) -> str | None:
    """Return the value of the first header of that name, whatever its case."""
    return next((value for key, value in headers if key.lower() == name), None)


def read_json(body: bytes) -> Json:
    """Read bytes as JSON, going on after each defect as lenient parsers do."""
    defects: list[str] = []
    duplicates: list[str] = []
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        defects.append(f"not UTF-8: {error.reason} at byte {error.start}")
        text = body.decode("utf-16" if body[:2] in {b"\xff\xfe", b"\xfe\xff"} else "latin-1", "replace")
    if text.startswith("\ufeff"):
        defects.append("begins with a byte order mark")
        text = text.removeprefix("\ufeff")

    def pairs(members: list[tuple[str, Any]]) -> dict[str, Any]:
        names = [name for name, _ in members]
        duplicates.extend(sorted({name for name in names if names.count(name) > 1}) if len(names) < 1000 else ())
        return dict(members)

    def constant(name: str) -> float:
        defects.append(f"{name} is no JSON")
        return float(name)

    def integer(digits: str) -> int | float:
        # Python refuses to read more than 4300 digits; so long an integer is none that anybody means.
        return int(digits) if len(digits) < 1000 else float("inf")

    decoder = json.JSONDecoder(object_pairs_hook=pairs, parse_constant=constant, parse_int=integer)
    stripped = text.strip(" \t\r\n")
    try:
        value, end = decoder.raw_decode(stripped)
    except RecursionError:
        return Json(None, False, (*defects, "nested too deeply"))
    except ValueError as error:
        return Json(None, False, (*defects, f"no JSON: {error}" if stripped else "empty"))
    if end < len(stripped):
        defects.append(f"something follows the JSON text: {stripped[end : end + 20]!r}")
    return Json(value, True, tuple(defects), tuple(duplicates))


def understand(request: Request, target: Target) -> Ask:
    """Say what a request stands for, with the target's keys and fixtures."""
    path, _, query = request.target.partition("?")
    resource, segment = resource_of(path)
    vps = "malformed" if segment is None else vps_of(unquote(segment), target)
    return Ask(credential_of(request, target), vps, pid_of(query, vps, target), ordered_by(request), resource)


def path_of(vps: str, resource: Resource = "exec") -> str:
    """Return the path of what a VPS has, whatever its id."""
    return f"{VPSS}/{quote(vps, safe='', errors='surrogateescape')}{BELOW[resource]}"


def resource_of(path: str) -> tuple[Resource, str | None]:
    """Return what a path is of, and the id in it as it is there."""
    if path == VPSS:
        return "list", None
    for resource, after in BELOW.items():
        segment = path.removeprefix(VPSS + "/").removesuffix(after)
        if path == f"{VPSS}/{segment}{after}" and "/" not in segment:
            return resource, segment
    return "other", None


def credential_of(request: Request, target: Target) -> Credential:
    """Say which key a request has, if any."""
    value = request.header("authorization")
    if value is None:
        return "query" if target.key and target.key in unquote(request.target) else "none"
    scheme, _, token = value.partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        return "malformed"
    if target.kind == "har" and not target.key:
        return "unnamed"
    if token == target.key:
        return "full" if scheme == "Bearer" else "lowercase"
    return "read" if token == target.read_key else "wrong"


def vps_of(vps: str, target: Target) -> Vps:
    """Say whose VPS an id is, or in which way it is none."""
    known: dict[str | None, Vps] = {
        target.foreign_vps: "foreign",
        target.unavailable_vps: "unavailable",
        target.vps: "own",
    }
    if vps in known:
        return known[vps]
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,128}", vps):
        return "malformed"
    if vps.lower() == target.vps.lower():
        return "case"
    alike = vps.startswith(target.vps[:-1]) or vps.endswith(target.vps)
    return "similar" if alike and abs(len(vps) - len(target.vps)) in {1, 2} else "unknown"


def pid_of(query: str, vps: Vps, target: Target) -> Pid:
    """Say what kind of pid a query holds. The given pids are known on the VPS of the target alone."""
    if not query:
        return "absent"
    pairs = [
        (unquote_plus(name), unquote_plus(value)) for name, _, value in (p.partition("=") for p in query.split("&"))
    ]
    values = [value for name, value in pairs if name == "pid"]
    if len(values) < len(pairs):
        return "strange"
    if len(values) > 1:
        return "repeated"
    if not values[0]:
        return "empty"
    number = integer(values[0])
    if number is None:
        return "loose" if is_whole(values[0]) else "invalid"
    if not 0 < number < 2**63:
        return "impossible"
    if vps == "own" and number == target.finished_pid:
        return "finished"
    if vps == "own" and number in target.started_pids:
        return "started"
    return "running" if vps == "own" and number == target.running_pid else "unknown"


def integer(text: str) -> int | None:
    """Return the integer that a text is in JSON's form, None where it is none."""
    digits = text.removeprefix("-")
    canonical = digits.isascii() and digits.isdecimal() and (digits == "0" or digits[0] != "0")
    # Python refuses to read more than 4300 digits; the first thousand tell as well that no pid is so large.
    return int(text[:1000]) if canonical else None


def is_whole(text: str) -> bool:
    """Whether some parsers take a text for an integer although it is not written as one (`+5`, `5.0`, `007`)."""
    try:
        return float(text.replace("_", "")).is_integer()
    except (ValueError, OverflowError):
        return False


def ordered_by(request: Request) -> int | None:
    """Return the status that a request orders with Prefer."""
    name, _, value = (request.header("prefer") or "").partition("=")
    return int(value) if name == "code" and value.isdecimal() else None
