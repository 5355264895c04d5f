"""A stage for faults and variants: the mock behind a server that lets a function change each response and its bytes."""

import json
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from email.utils import formatdate
from functools import cached_property
from typing import Any
from urllib.parse import parse_qsl, unquote

from client.serving import Part, Raw, serving
from hostup_conformance.http.incoming import CRLF
from hostup_conformance.http.scripted import Received, Reply
from hostup_conformance.mock import API_KEY, READ_API_KEY, VPS_ID, Mock
from starlette.types import ASGIApp, Message


@dataclass
class Request:
    """A request as the stage got it. `memory` is kept for the whole run of a server."""

    method: str
    path: str
    query: str
    headers: dict[str, str]
    mock: Mock
    memory: dict[str, Any]
    body: bytes = b""
    #: The client's port, by which connections are told apart.
    port: int = 0

    @cached_property
    def vps(self) -> str:
        """The id in the path, decoded."""
        return unquote(self.path.removeprefix("/api/v2/vps/").removesuffix("/agent/exec"))

    @cached_property
    def pid(self) -> str | None:
        """The first pid."""
        return dict(reversed(parse_qsl(self.query, keep_blank_values=True))).get("pid")

    @property
    def token(self) -> str | None:
        """The credential, whatever its scheme."""
        return self.headers.get("authorization", "").rpartition(" ")[2] or None

    @property
    def full(self) -> bool:
        """Whether it has the key with both scopes."""
        return self.headers.get("authorization") == f"Bearer {API_KEY}"

    @property
    def reading(self) -> bool:
        """Whether it has the key with read:vm alone."""
        return self.headers.get("authorization") == f"Bearer {READ_API_KEY}"

    @property
    def own(self) -> bool:
        """Whether it is for the VPS whose agent is available."""
        return self.vps == VPS_ID

    def nth(self, name: str = "requests") -> int:
        """Count, from 1."""
        self.memory[name] = self.memory.get(name, 0) + 1
        return int(self.memory[name])


@dataclass
class Response:
    """The mock's response, to be changed. What is in `raw` is sent instead: bytes, and seconds to wait."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes
    reason: str = "X"
    raw: Sequence[Part] | None = None
    #: Seconds before anything is sent.
    pause: float = 0.0
    #: Whether it has a Date, of now unless there is another among the header fields.
    dated: bool = True

    @property
    def json(self) -> Any:
        """The body as JSON, None where it is none."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None

    @json.setter
    def json(self, value: Any) -> None:
        self.body = json.dumps(value, ensure_ascii=False).encode()

    @property
    def is_problem(self) -> bool:
        """Whether it is an error with a body."""
        return self.status >= 400 and isinstance(self.json, dict)

    @property
    def is_availability(self) -> bool:
        """Whether it is what the probe gets."""
        return self.status == 200 and isinstance(self.json, dict) and "available" in self.json

    @property
    def is_started(self) -> bool:
        """Whether it is what a start gets."""
        return self.status == 200 and isinstance(self.json, dict) and "pollUrl" in self.json

    @property
    def is_output(self) -> bool:
        """Whether it is what a poll gets."""
        return self.status == 200 and isinstance(self.json, dict) and "exited" in self.json

    def change(self, **members: Any) -> None:
        """Change or add members of the body."""
        self.json = {**self.json, **members}

    def drop(self, *names: str) -> None:
        """Drop members of the body."""
        self.json = {name: value for name, value in self.json.items() if name not in names}

    def rename(self, **names: str) -> None:
        """Rename members of the body."""
        self.json = {names.get(name, name): value for name, value in self.json.items()}

    def header(self, name: str, value: str | None) -> None:
        """Set a header, or drop it with None."""
        self.headers = [pair for pair in self.headers if pair[0].lower() != name.lower()]
        if value is not None:
            self.headers.append((name, value))

    def become(self, status: int, body: Any = None, content_type: str = "application/json") -> None:
        """Become another response."""
        self.status = status
        self.headers = [("Content-Type", content_type)]
        self.body = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()

    def head(self, length: int | None = -1) -> bytes:
        """Return status line and headers; with a Content-Length unless it is None."""
        lines = [f"HTTP/1.1 {self.status} {self.reason}", *(f"{name}: {value}" for name, value in self.headers)]
        if self.dated and not any(name.lower() == "date" for name, _ in self.headers):
            lines.append(f"Date: {formatdate(usegmt=True)}")
        if length is not None:
            lines.append(f"Content-Length: {len(self.body) if length == -1 else length}")
        return "\r\n".join(lines).encode("latin-1") + 2 * CRLF


#: What a fault or a variant is: a function that changes the response in place.
Change = Callable[[Request, Response], None]


@dataclass(kw_only=True)
class ByteServer:
    """Serves the mock byte for byte. `memory` is kept for its whole life."""

    mock: Mock = field(default_factory=Mock)
    memory: dict[str, Any] = field(default_factory=dict)

    def serve(self) -> AbstractContextManager[str]:
        """Serve in a thread; give the base URL."""
        return serving(self.reply)

    def given(self, *, starts: bool = False) -> dict[str, str]:
        """Return what makes it a target; where commands may be started, no pid is given."""
        return {name: value for name, value in self.mock.environment().items() if not starts or "PID" not in name}

    async def respond(self, request: Request) -> Response:
        """Return the response to a request: that of the mock, unless a server of this kind has another."""
        return await response_of(self.mock.app, request)

    async def reply(self, received: Received) -> Reply:
        """Return what is sent in response; the connection stays open unless that is raw, or says that it does not."""
        request = self.request(received)
        response = await self.respond(request)
        if response.raw is not None:
            return Raw(raw=response.raw, after="close", delay=response.pause)
        empty = request.method == "HEAD" or response.status in {204, 304}
        whole = response.head() + (b"" if empty else response.body)
        ends = ("Connection", "close") in response.headers
        return Raw(raw=[whole], after="close" if ends else "keep", delay=response.pause)

    def request(self, received: Received) -> Request:
        """Return a request as it was received."""
        sent = received.request
        path, _, query = sent.target.partition("?")
        headers = {name.lower(): value for name, value in sent.headers}
        return Request(sent.method, path, query, headers, self.mock, self.memory, sent.body, received.port)


@dataclass
class Stage(ByteServer):
    """A server that asks the mock, and lets a change alter the response."""

    change: Change | None = None
    #: Whether any response differed from the mock's.
    changed: bool = False

    async def respond(self, request: Request) -> Response:
        """Return the mock's response, changed."""
        response = await super().respond(request)
        if self.change:
            before = replace(response, headers=[*response.headers])
            self.change(request, response)
            self.changed = self.changed or response != before
        return response


async def response_of(app: ASGIApp, request: Request) -> Response:
    """Ask an ASGI application."""
    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": request.method,
        "path": unquote(request.path),
        "raw_path": request.path.encode("latin-1"),
        "query_string": request.query.encode("latin-1"),
        "root_path": "",
        "scheme": "http",
        "headers": [(name.encode(), value.encode("latin-1")) for name, value in request.headers.items()],
    }
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": request.body, "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    await app(scope, receive, send)
    headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in sent[0]["headers"]]
    kept = [pair for pair in headers if pair[0].lower() != "content-length"]
    return Response(sent[0]["status"], kept, b"".join(message.get("body", b"") for message in sent[1:]))
