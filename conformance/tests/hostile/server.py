"""A hostile server: it asks the mock for the correct response, and lets a function send what it likes instead."""

import json
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any

import stage
from client.serving import Part, Raw
from hostup_conformance.http.incoming import CRLF
from hostup_conformance.http.scripted import Received, Reply
from hostup_conformance.mock import API_KEY, READ_API_KEY
from stage import ByteServer, Response, response_of

#: What becomes of a connection after parts, which is closed otherwise: it is reset; stays open; waits for a request.
RESET: Part = "reset"
KEEP: Part = "keep"
IDLE: Part = "idle"
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


@dataclass(kw_only=True)
class Request(stage.Request):
    """A request. `memory` is the server's own for the whole run, `number` counts its requests from 1."""

    number: int
    good: Good
    #: The key that was sent, or the one that the server knows of, where none was.
    key: str

    @property
    def target(self) -> str:
        """Path and query."""
        return f"{self.path}?{self.query}" if self.query else self.path

    @property
    def is_list(self) -> bool:
        """Whether it is for the list of VPSs."""
        return self.path == "/api/v2/vps"

    def sent(self, more: bytes = b"", body: bytes | None = None) -> bytes:
        """Return the correct response, with more header lines or another body; without any for HEAD."""
        whole = self.good.sent(more, body)
        return whole.partition(2 * CRLF)[0] + 2 * CRLF if self.method == "HEAD" else whole

    def json(self, **members: Any) -> bytes:
        """Return the correct response with members of its body added or changed."""
        value = self.good.json
        return self.sent(body=json.dumps({**value, **members} if isinstance(value, dict) else members).encode())


#: What is sent: a whole response, after which the connection stays open; or parts, after which it is closed.
Behaviour = Callable[[Request], bytes | Iterable[Part]]


@dataclass
class HostileServer(ByteServer):
    """Serves one behaviour, with keys of its own."""

    behave: Behaviour
    special_keys: bool = False
    keys: tuple[str, str] = ("", "")
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def __post_init__(self) -> None:
        self.keys = SPECIAL_KEYS if self.special_keys else KEYS

    def given(self, *, starts: bool = False) -> dict[str, str]:
        """Return what makes it a target, with its own keys."""
        key, read_key = self.keys
        return {**super().given(starts=starts), "HOSTUP_API_KEY": key, "HOSTUP_READ_API_KEY": read_key}

    async def reply(self, received: Received) -> Reply:
        """Return what the behaviour sends."""
        request = self.request(received)
        token = request.headers.get("authorization", "").rpartition(" ")[2]
        good = await self.good(request)
        asked = Request(**vars(request), number=next(self._numbers), good=good, key=token or self.keys[0])
        sent = self.behave(asked)
        return Raw(raw=[sent]) if isinstance(sent, bytes) else Raw(raw=sent, after="close")

    async def good(self, request: stage.Request) -> Good:
        """Ask the mock, to which our keys are its own."""
        own = dict(zip(self.keys, (API_KEY, READ_API_KEY), strict=True))
        headers = dict(request.headers)
        if "authorization" in headers:
            scheme, space, token = headers["authorization"].partition(" ")
            headers["authorization"] = scheme + space + own.get(token, token)
        response = await response_of(self.mock.app, replace(request, headers=headers))
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
