"""A server on raw sockets: it asks the mock for the correct response, and lets a hostile one send what it likes."""

from __future__ import annotations

import asyncio
import json
import select
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cached_property
from itertools import count
from typing import Any

import stage
from hostup_conformance.mock import API_KEY, READ_API_KEY, VPS_ID, Mock
from stage import CRLF, Response

#: What a hostile server sends: bytes, a pause in seconds, or how the connection goes on.
Part = bytes | float | str
#: The connection is reset; stays open for the next request; waits a moment for that. Otherwise it is closed.
RESET, KEEP, IDLE = "reset", "keep", "idle"
#: How many seconds a connection may be idle.
A_MOMENT = 0.2
#: No part of a response waits longer: clients must have gone before.
PATIENCE = 300.0


@dataclass
class Good(Response):
    """The correct response, to be changed."""

    @property
    def lines(self) -> bytes:
        """Status line and header lines, without length and end."""
        return self.head(None)[: -len(CRLF)]

    def sent(self, more: bytes = b"", body: bytes | None = None) -> bytes:
        """Return the whole response, with more header lines (each with its end) or another body."""
        content = self.body if body is None else body
        return self.lines + more + b"Content-Length: %d\r\n\r\n" % len(content) + content


@dataclass
class Request:
    """A request. `memory` is the server's own for the whole run, `number` counts its requests from 1."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes
    number: int
    memory: dict[str, Any]
    _server: HostileServer = field(repr=False)

    @property
    def key(self) -> str:
        """The key that was sent, or the one that the server knows of, where none was."""
        return self.headers.get("authorization", "").rpartition(" ")[2] or self._server.keys[0]

    @property
    def is_list(self) -> bool:
        """Whether it is for the list of VPSs."""
        return self.target.partition("?")[0] == "/api/v2/vps"

    @cached_property
    def good(self) -> Good:
        """The correct response."""
        return self._server.good(self)

    def sent(self, more: bytes = b"", body: bytes | None = None) -> bytes:
        """Return the correct response, with more header lines or another body; without any for HEAD."""
        whole = self.good.sent(more, body)
        return whole.partition(2 * CRLF)[0] + 2 * CRLF if self.method == "HEAD" else whole

    def json(self, **members: Any) -> bytes:
        """Return the correct response with members of its body added or changed."""
        value = self.good.json
        return self.sent(body=json.dumps({**value, **members} if isinstance(value, dict) else members).encode())


Behaviour = Callable[[Request], Iterable[Part]]


class HostileServer:
    """Serves one behaviour, each connection in a thread of its own."""

    def __init__(self, behave: Behaviour, *, special_keys: bool = False) -> None:
        self.behave = behave
        self.mock = Mock()
        self.keys = SPECIAL_KEYS if special_keys else KEYS
        self.memory: dict[str, Any] = {}
        self._numbers = count(1)
        self._closing = threading.Event()
        self._open: set[socket.socket] = set()

    @property
    def environment(self) -> dict[str, str]:
        """What makes this server a target."""
        key, read_key = self.keys
        return {**self.mock.environment(), "HOSTUP_API_KEY": key, "HOSTUP_READ_API_KEY": read_key}

    @property
    def requests(self) -> int:
        """How many requests have come."""
        return next(self._numbers) - 1

    @contextmanager
    def serve(self, backlog: int = 128) -> Iterator[str]:
        """Serve; give the base URL."""
        listener = socket.create_server(("127.0.0.1", 0), backlog=backlog)
        thread = threading.Thread(target=self._accept, args=(listener,), daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            self._closing.set()
            with suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            listener.close()
            for connection in list(self._open):
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)

    def _accept(self, listener: socket.socket) -> None:
        while not self._closing.is_set():
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            self._open.add(connection)
            threading.Thread(target=self._converse, args=(connection,), daemon=True).start()

    def _converse(self, connection: socket.socket) -> None:
        try:
            with connection, suppress(OSError, ValueError), connection.makefile("rb") as reader:
                while (request := self._read(reader)) and self._respond(connection, request):
                    pass
        finally:
            self._open.discard(connection)

    def _read(self, reader: Any) -> Request | None:
        words = reader.readline().decode("latin-1").split()
        if len(words) != 3:
            return None
        headers: dict[str, str] = {}
        while line := reader.readline().decode("latin-1").strip():
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
        body = reader.read(int(headers.get("content-length", 0)))
        return Request(words[0], words[1], headers, body, next(self._numbers), self.memory, self)

    def _respond(self, connection: socket.socket, request: Request) -> bool:
        """Send what the behaviour says; return whether the connection stays open."""
        connection.settimeout(PATIENCE)
        for part in self.behave(request):
            if isinstance(part, bytes):
                connection.sendall(part)
            elif part == RESET:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                return False
            elif part == KEEP or (part == IDLE and select.select([connection], [], [], A_MOMENT)[0]):
                return True
            elif isinstance(part, float) and self._closing.wait(part):
                return False
        return False

    def good(self, request: Request) -> Good:
        """Ask the mock, to which our keys are its own."""
        own = dict(zip(self.keys, (API_KEY, READ_API_KEY), strict=True))
        scheme, space, token = request.headers.get("authorization", "").partition(" ")
        headers = {**request.headers, "authorization": scheme + space + own.get(token, token)}
        if not scheme:
            del headers["authorization"]
        path, _, query = request.target.partition("?")
        asked = stage.Request(request.method, path, query, headers, self.mock, {}, request.body)
        response = asyncio.run(stage.response_of(self.mock.app, asked))
        return Good(response.status, [(name.title(), value) for name, value in response.headers], response.body)


#: Nothing that a report says of itself is like these.
KEYS = ("zq7VxK2mWf9LbT4cRj8Yp3Gd", "qw5HnXk8Zr1VtB6yMj2Fs9Lc")
#: Characters that each escape treats in its own way.
SPECIAL_KEYS = ("zq7\"V\\x%K+2/m=W<f&9'LbT4c", "qw5'H&n<X=k/8+Z%r1\\V\"tB6y")


def pauses(parts: Iterable[bytes], seconds: float) -> Iterator[Part]:
    """Yield parts with a pause before each."""
    for part in parts:
        yield seconds
        yield part


def single(data: bytes) -> Iterator[bytes]:
    """Yield bytes one by one."""
    return (data[at : at + 1] for at in range(len(data)))


def forever(part: bytes) -> Iterator[bytes]:
    """Yield the same bytes until the client has gone, or too much time has passed for any client."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        yield part


__all__ = [
    "CRLF",
    "IDLE",
    "KEEP",
    "KEYS",
    "RESET",
    "VPS_ID",
    "Behaviour",
    "Good",
    "HostileServer",
    "Part",
    "Request",
    "forever",
    "pauses",
    "single",
]  # fmt: skip
