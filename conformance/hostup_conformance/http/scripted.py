"""Serves HTTP/1.1 byte for byte as a script says, and records each request with its bytes and times.

It must not know what the requests are about, nor judge them. The number and size of requests are bounded.
"""

import asyncio
import os
import socket
import ssl
import struct
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from email.utils import formatdate
from typing import Any, Literal, cast

from hostup_conformance.http.incoming import CRLF, LARGEST_HEAD, Malformed, read_request
from hostup_conformance.http.messages import Request, Response, says_to_close

#: The first byte of a connection that begins with TLS: the type of a record of the handshake (RFC 8446 section 5.1).
HANDSHAKE = b"\x16"

#: What happens to the connection after a response. `silence` keeps it open and sends nothing more.
After = Literal["keep", "close", "reset", "silence"]


@dataclass(frozen=True)
class Bounds:
    """How many requests, connections at once and bytes a client may send."""

    requests: int = 500
    connections: int = 100
    bytes: int = 2**22
    #: How many connections may wait to be accepted, which is how many are accepted at once.
    backlog: int = 16


@dataclass
class Reply:
    """What is sent in response to a request, and how. Times are in seconds."""

    status: int = 200
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes = b""
    #: Whether it is written as gateways write what came by HTTP/2: names in lower case, and no reason phrase.
    translated: bool = False
    #: Whether no blank follows the colons of header fields, whether it is a response of HTTP/1.0, and whether chunks
    #: have extensions: all of which readers must accept (RFC 9112, sections 5, 2.3 and 7.1.1).
    tight: bool = False
    old: bool = False
    extended: bool = False
    #: The body in its content coding, if it has one.
    coded: bytes | None = None
    #: How many seconds to wait before sending.
    delay: float = 0.0
    #: How many bytes of the body are sent, if not all of them; -1 sends nothing at all.
    cut: int | None = None
    #: In how many pieces the body is sent, with a pause before each, and whether they begin with the head.
    pieces: int = 1
    split_head: bool = False
    pause: float = 0.0
    chunked: bool = False
    #: Whether nothing but the end of the connection tells where the body ends.
    until_close: bool = False
    after: After = "keep"
    #: Whether the server stops listening before it is sent.
    last: bool = False

    @property
    def sent(self) -> bytes:
        """The content as it is sent."""
        return self.body if self.coded is None else self.coded

    def head(self) -> bytes:
        """Return status line and header section."""
        length = [("Transfer-Encoding", "chunked")] if self.chunked else [("Content-Length", str(len(self.sent)))]
        length = [("Connection", "close")] if self.until_close else length
        dated = any(name.lower() == "date" for name, _ in self.headers)
        fields = [*([] if dated else [("Date", formatdate(usegmt=True))]), *self.headers, *length]
        reason = "" if self.translated else "OK" if self.status == 200 else "Status"
        names = [name.lower() if self.translated else name for name, _ in fields]
        lines = [
            f"HTTP/1.{0 if self.old else 1} {self.status} {reason}",
            *(f"{name}:{'' if self.tight else ' '}{value}" for name, (_, value) in zip(names, fields, strict=True)),
        ]
        return "\r\n".join(lines).encode("latin-1") + 2 * CRLF

    def parts(self) -> list[bytes]:
        """Return the pieces in which the response is sent; none if it is withheld."""
        if self.cut == -1:
            return []
        body = self.sent[: self.cut]
        if self.split_head:
            return split(self.head() + body, self.pieces)
        parts = split(body, self.pieces)
        if self.chunked:
            more = ";part" if self.extended else ""
            parts = [f"{len(part):x}{more}\r\n".encode() + part + CRLF for part in parts]
            parts += [b"0\r\n\r\n"] if self.cut is None else []
        return [self.head() + b"".join(parts)] if self.pieces == 1 else [self.head(), *parts]

    def response(self) -> Response:
        """Return the response as a client that gets all of it sees it."""
        return Response(self.status, tuple(self.headers), self.body)

    async def send(self, received: "Received", reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> After:
        """Send it, and record when that began and whether all was sent; return what happens to the connection."""
        if self.delay:
            await asyncio.sleep(self.delay)
        received.responded = time.monotonic()
        parts = self.parts()
        received.failure = "the response did not arrive: the client had gone"
        for number, part in enumerate(parts):
            if number and self.pause:
                await asyncio.sleep(self.pause)
            writer.write(part)
            await writer.drain()
            if reader.at_eof() and await has_gone(writer):
                return self.after
        if self.cut is None:
            received.delivered, received.response, received.failure = True, self.response(), None
        else:
            whole = f"only {max(self.cut, 0)} bytes of {len(self.sent)} were sent"
            received.failure = f"the response was withheld: {whole}" if parts else "no response was sent"
        return self.after


def split(data: bytes, pieces: int) -> list[bytes]:
    """Return data in so many pieces, or fewer."""
    size = max(-(-len(data) // pieces), 1)
    return [data[at : at + size] for at in range(0, len(data), size)]


@dataclass
class Received:
    """A request as it was received, or what came instead of one. Times are in seconds on the monotonic clock."""

    request: Request
    host: str
    arrived: float
    #: The client's port, by which connections are told apart.
    port: int = 0
    #: Whether it came as plain text to a port that speaks TLS.
    without_tls: bool = False
    #: Why it is not a request, if it is not.
    malformed: str | None = None
    responded: float | None = None
    delivered: bool = False
    response: Response | None = None
    failure: str | None = None


#: Decides what is sent in response.
Script = Callable[[Received], Reply | Awaitable[Reply]]


def noticed(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Print nothing of connections that cannot be accepted since there are too many: that is the client's doing."""
    if not isinstance(context.get("exception"), OSError):
        loop.default_exception_handler(context)


class TooMuch(Exception):
    """A client has sent more requests, or more bytes, than it may."""


class ScriptedServer:
    """Serves on loopback ports that the system chooses, until it is closed. Belongs to one event loop."""

    def __init__(self, script: Script, bounds: Bounds | None = None) -> None:
        self._script = script
        self._bounds = bounds or Bounds()
        self.received: list[Received] = []
        #: The bound that the client exceeded, if any.
        self.exceeded: str | None = None
        self._bytes = 0
        self._servers: list[asyncio.Server] = []
        self._reserved: list[socket.socket] = []
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    async def listen(self, host: str, name: str, tls: ssl.SSLContext | None = None, port: int = 0) -> int:
        """Listen on a host, whose requests are recorded under a name; return the port, chosen unless given.

        For `localhost`, listen on IPv6 too if there is any. With a context, speak TLS to clients that begin with it.
        """
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, int(port > 0))
        listener.bind(("127.0.0.1", port))
        # Its connections have this too, without which they would keep the port from being reserved (`refuse`).
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        port = listener.getsockname()[1]
        listeners = [listener]
        if host == "localhost":
            with suppress(OSError):
                other = socket.socket(socket.AF_INET6, socket.SOCK_STREAM, socket.IPPROTO_TCP)
                other.bind(("::1", port))
                other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                listeners.append(other)

        async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await self._connection(reader, writer, name, tls)

        for one in listeners:
            server = await asyncio.start_server(connected, sock=one, limit=LARGEST_HEAD, backlog=self._bounds.backlog)
            self._servers.append(server)
        asyncio.get_running_loop().set_exception_handler(noticed)
        return port

    def refuse(self) -> None:
        """Accept no more connections, but keep the ports, so that no other server gets the requests."""
        for server in self._servers:
            addresses = [(one.family, one.getsockname()) for one in server.sockets]
            server.close()
            for family, address in addresses:
                reserved = socket.socket(family, socket.SOCK_STREAM)
                reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                with suppress(OSError):
                    reserved.bind(address)
                reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 0)
                self._reserved.append(reserved)

    async def close(self) -> None:
        """Close all connections, even if something is still to be sent."""
        for server in self._servers:
            for one in server.sockets:
                with suppress(NotImplementedError):  # on Windows
                    asyncio.get_running_loop().remove_reader(one.fileno())
        await asyncio.sleep(0)  # what was accepted is served; asyncio loses it where its server is closed by then
        self.refuse()
        for task in self._tasks:
            task.cancel()
        for writer in self._writers:
            writer.transport.abort()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for reserved in self._reserved:
            reserved.close()

    async def _connection(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, host: str, tls: ssl.SSLContext | None = None
    ) -> None:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - a coroutine that runs is in a task
        self._tasks.add(task)
        self._writers.add(writer)
        try:
            if len(self._writers) > self._bounds.connections:
                self.exceeded = self.exceeded or f"more than {self._bounds.connections} connections at once"
                self.refuse()  # or each would be accepted only to be closed
                return
            with suppress(ConnectionError, ssl.SSLError, asyncio.CancelledError, TooMuch):
                secured = tls is not None and await first_byte(writer) == HANDSHAKE
                if tls and secured:
                    await writer.start_tls(tls)
                while await self._exchange(reader, writer, host, without_tls=tls is not None and not secured):
                    pass
        finally:
            self._writers.discard(writer)
            self._tasks.discard(task)
            writer.close()

    def _count(self, size: int) -> None:
        """Count bytes of one more request as they come, whether it comes to an end or not; raise `TooMuch`."""
        self._bytes += size
        bounds = self._bounds
        too_many = f"more than {bounds.requests} requests" if len(self.received) >= bounds.requests else None
        too_large = f"more than {bounds.bytes >> 20} MiB of requests" if self._bytes > bounds.bytes else None
        if what := too_many or too_large:
            self.exceeded = self.exceeded or what
            raise TooMuch

    async def _exchange(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, host: str, *, without_tls: bool
    ) -> bool:
        """Serve one request; return whether the connection stays open for another.

        Raise `TooMuch` if the client has exceeded a bound by it.
        """
        port: int = writer.get_extra_info("peername")[1]
        try:
            came, malformed = await read_request(reader, writer, self._count), None
        except Malformed as error:
            came, malformed = (Request("", ""), False), str(error)
        if came is None:
            return False
        request, is_old = came
        self._count(0)
        received = Received(request, host, time.monotonic(), port, without_tls, malformed)
        decided = Reply(400, after="close") if malformed else self._script(received)
        reply = decided if isinstance(decided, Reply) else await decided
        if is_old:  # HTTP/1.0 has no chunks
            reply = replace(reply, chunked=False)
        if says_to_close(request.headers) and not reply.until_close:
            # Or a client that keeps connections may send its next request on this one (RFC 9112 section 9.6).
            reply = replace(reply, headers=[*reply.headers, ("Connection", "close")])
        self.received.append(received)
        if reply.last:
            self.refuse()
        after = await reply.send(received, reader, writer)
        if after == "silence":
            while await reader.read(LARGEST_HEAD):  # until the client goes
                pass
        if after == "reset":
            reset(writer)
        # A client of HTTP/1.0 waits for the end of the connection.
        return after == "keep" and not (reply.last or reply.until_close or is_old or says_to_close(request.headers))


async def first_byte(writer: asyncio.StreamWriter) -> bytes:
    """Wait for the first byte of a connection, and return it without taking it; nothing if the connection ends."""
    loop, came = asyncio.get_running_loop(), asyncio.Event()
    transport = cast("asyncio.Transport", writer.transport)
    transport.pause_reading()
    with socket.socket(fileno=os.dup(writer.get_extra_info("socket").fileno())) as connection:
        connection.setblocking(False)
        loop.add_reader(connection, came.set)
        try:
            await came.wait()
            return connection.recv(1, socket.MSG_PEEK)
        finally:
            loop.remove_reader(connection)
            transport.resume_reading()


async def has_gone(writer: asyncio.StreamWriter) -> bool:
    """Whether a client that sends no more reads no more either, by what it said to the last bytes that were sent."""
    await asyncio.sleep(0.01)
    connection = writer.get_extra_info("socket")
    return writer.transport.is_closing() or connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) != 0


def reset(writer: asyncio.StreamWriter) -> None:
    """Reset a connection (RST)."""
    connection = writer.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
