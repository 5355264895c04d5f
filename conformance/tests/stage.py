"""A stage for faults and variants: the mock behind a server that lets a function change each response and its bytes."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import parse_qsl, unquote

from hostup_conformance.mock import API_KEY, READ_API_KEY, VPS_ID, Mock
from starlette.types import ASGIApp, Message

CRLF = b"\r\n"


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
    raw: list[bytes | float] | None = None
    #: Seconds before anything is sent.
    pause: float = 0.0

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
        if length is not None:
            lines.append(f"Content-Length: {len(self.body) if length == -1 else length}")
        return "\r\n".join(lines).encode("latin-1") + 2 * CRLF


#: What a fault or a variant is: a function that changes the response in place.
Change = Callable[[Request, Response], None]


@dataclass(kw_only=True)
class ByteServer:
    """Serves HTTP/1.1 byte for byte, in front of the mock. `memory` is kept for its whole life."""

    mock: Mock = field(default_factory=Mock)
    memory: dict[str, Any] = field(default_factory=dict)

    async def respond(self, request: Request) -> Response:
        """Return the response to a request: that of the mock, unless a server of this kind has another."""
        return await response_of(self.mock.app, request)

    async def converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Respond to the requests on a connection until one of the two closes it."""
        with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            while True:
                request = await read(reader, self.mock, self.memory)
                if not await write(writer, request, await self.respond(request)):
                    return


@dataclass
class Stage(ByteServer):
    """A server that asks the mock, and lets a change alter the response."""

    change: Change | None = None

    def serve(self) -> AbstractContextManager[str]:
        """Serve in a thread; give the base URL."""
        return served(self.converse)

    async def respond(self, request: Request) -> Response:
        """Return the mock's response, changed."""
        response = await super().respond(request)
        if self.change:
            self.change(request, response)
        return response


async def read(reader: asyncio.StreamReader, mock: Mock, memory: dict[str, Any]) -> Request:
    """Read a request."""
    head = (await reader.readuntil(2 * CRLF)).decode("latin-1").split("\r\n")
    method, target, _ = head[0].split(" ")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:]) if name}
    body = await (chunked(reader) if "transfer-encoding" in headers else sized(reader, headers))
    path, _, query = target.partition("?")
    return Request(method, path, query, headers, mock, memory, body)


async def write(writer: asyncio.StreamWriter, request: Request, response: Response) -> bool:
    """Send a response; return whether the connection stays open, as it does unless the response is raw, or says so."""
    await asyncio.sleep(response.pause)
    empty = request.method == "HEAD" or response.status in {204, 304}
    whole: list[bytes | float] = [response.head() + (b"" if empty else response.body)]
    for part in whole if response.raw is None else response.raw:
        if isinstance(part, bytes):
            writer.write(part)
            await writer.drain()
        else:
            await asyncio.sleep(part)
    return response.raw is None and ("Connection", "close") not in response.headers


async def sized(reader: asyncio.StreamReader, headers: dict[str, str]) -> bytes:
    """Read a body with a Content-Length, or none."""
    return await reader.readexactly(int(headers.get("content-length", 0)))


async def chunked(reader: asyncio.StreamReader) -> bytes:
    """Read a chunked body."""
    body = b""
    while size := int((await reader.readuntil(CRLF)).partition(b";")[0], 16):
        body += (await reader.readexactly(size + 2))[:-2]
    await reader.readexactly(2)
    return body


@contextmanager
def served(connection: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]) -> Iterator[str]:
    """Serve each connection by a function, in a thread; give the base URL."""
    loop = asyncio.new_event_loop()
    writers: list[asyncio.StreamWriter] = []

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        try:
            # asyncio would report the cancellation by `close` as an error of the connection.
            with suppress(asyncio.CancelledError):
                await connection(reader, writer)
        finally:
            writer.close()

    server = loop.run_until_complete(asyncio.start_server(connected, "127.0.0.1", 0))
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        asyncio.run_coroutine_threadsafe(close(server, writers), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


async def close(server: asyncio.Server, writers: list[asyncio.StreamWriter]) -> None:
    """Close a server and its connections, dropping what is still to be sent, and wait for their tasks."""
    server.close()
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    for writer in writers:
        writer.transport.abort()
    await asyncio.sleep(0)


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
