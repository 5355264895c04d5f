"""The habits of deployments: one correct server that behaves, by name, as some stack does around it.

A habit is a coroutine that gets a request and a function that returns the correct response to it; the server sends what
the habit returns. So a habit can refuse a request before the application sees it, as a front end does, or change the
response. `serve` serves one.
"""

import asyncio
import json
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from secrets import token_hex

from client.serving import UNBOUNDED
from faults.probe import problem
from hostup_conformance.http.scripted import ScriptedServer
from hostup_conformance.judging.catalogue import Catalogue
from hostup_conformance.mock import FOREIGN_VPS_ID, UNAVAILABLE_VPS_ID, VPS_ID
from stage import ByteServer, Request, Response

Next = Callable[[Request], Awaitable[Response]]
Behaviour = Callable[["Server", Request, Next], Awaitable[Response]]
KNOWN = (VPS_ID, UNAVAILABLE_VPS_ID, FOREIGN_VPS_ID)


@dataclass(frozen=True)
class Habit:
    """What a deployment does, and what the suite should say of it."""

    name: str
    behave: Behaviour
    starts: bool = False
    verdict: str = "conformant"
    deserves: Mapping[str, str] = field(default_factory=dict)


HABITS: Catalogue[Habit] = Catalogue(__name__, "habit")


def habit(
    *, starts: bool = False, verdict: str = "conformant", deserves: Mapping[str, str] | None = None
) -> Callable[[Behaviour], Behaviour]:
    """Register a habit."""

    def register(behave: Behaviour) -> Behaviour:
        name = behave.__name__.strip("_")
        HABITS.add(name, Habit(name, behave, starts, verdict, deserves or {}))
        return behave

    return register


class Server(ByteServer):
    """Serves a habit on one port."""

    def __init__(self, behave: Behaviour, port: int) -> None:
        super().__init__()
        self.behave, self.port = behave, port
        self.mock.environment()  # adds the command that has ended
        self.lock = asyncio.Lock()
        self._server = ScriptedServer(self.reply, UNBOUNDED)

    def nth(self, name: str = "requests") -> int:
        """Count, from 1."""
        self.memory[name] = self.memory.get(name, 0) + 1
        return int(self.memory[name])

    async def listen(self) -> None:
        """Begin to accept connections."""
        await self._server.listen("127.0.0.1", "", port=self.port)

    async def go_away(self, seconds: float) -> None:
        """Refuse connections for a time, and drop those that are open; not for a request of one of them."""
        await self._server.close()
        await asyncio.sleep(seconds)
        self._server = ScriptedServer(self.reply, UNBOUNDED)
        await self.listen()

    async def respond(self, request: Request) -> Response:
        """Return what the habit makes of the application's response."""
        return await self.behave(self, request, super().respond)


def page(status: int, title: str, server: str = "nginx") -> Response:
    """Return an error page in HTML, as front ends have."""
    body = f"<html>\r\n<head><title>{status} {title}</title></head>\r\n<body>\r\n"
    body += f"<center><h1>{status} {title}</h1></center>\r\n<hr><center>{server}</center>\r\n</body>\r\n</html>\r\n"
    return Response(status, [("Server", server), ("Content-Type", "text/html")], body.encode(), title)


def text(status: int, body: str, content_type: str = "text/plain; charset=utf-8") -> Response:
    """Return a response with a body that is no problem document."""
    return Response(status, [("Content-Type", content_type)] if body else [], body.encode())


def refusal(request: Request, status: int, code: str, title: str) -> Response:
    """Return a problem document."""
    body = problem(request, status, code, title) | {"requestId": f"req_{token_hex(13)}"}
    return Response(status, [("Content-Type", "application/problem+json")], json.dumps(body).encode())


def is_endpoint(request: Request) -> bool:
    """Whether the path is that of the endpoint or of what is beside it, by its form."""
    return bool(re.fullmatch(r"/api/v2/vps(/[^/]+/(agent/exec|status))?", request.path))


def is_odd(request: Request) -> bool:
    """Whether a strict front end would refuse the path."""
    return bool(re.search(r"%(00|2f|5c|25|ff|0a|0d)|/\.\.?(/|$)", request.path, re.IGNORECASE))


PASSED = {"HTTP-08": "RFC 9110 section 15.6: a failure that was met, and passed"}


def add(response: Response, **fields: str) -> Response:
    """Add header fields, written with _ for -."""
    response.headers += [(name.replace("_", "-"), value) for name, value in fields.items()]
    return response
