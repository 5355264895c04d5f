"""A client of the QEMU guest agent's protocol: JSON lines over a unix socket.

Source: QEMU's "Guest Agent Protocol Reference". An agent serves one connection, and on it one request after the other.
After a caller has given up on a reply, the next line may still be that reply: the two are out of step.
`guest-sync-delimited` brings them back in step, by a byte that no reply contains.
"""

import asyncio
import json
import random
from contextlib import suppress
from os import PathLike, fspath
from typing import Any

#: The length of the longest reply in bytes: two streams of 16 MiB each in base64, and some room for the rest.
LONGEST_REPLY = 48 * 2**20
#: Precedes the reply to `guest-sync-delimited`. Before a request, it makes the agent discard an incomplete one.
DELIMITER = b"\xff"


class AgentError(Exception):
    """The agent reported an error. `kind` is its class, such as GenericError or CommandNotFound."""

    def __init__(self, kind: str, description: str) -> None:
        super().__init__(description)
        self.kind = kind


class Reader(asyncio.StreamReader):
    """A stream that knows whether it has unread data."""

    def __init__(self) -> None:
        super().__init__(limit=LONGEST_REPLY)
        self._fed = self._taken = 0

    @property
    def has_more(self) -> bool:
        """Whether there is unread data."""
        return self._fed > self._taken

    def feed_data(self, data: bytes) -> None:  # type: ignore[override]
        """Count received bytes."""
        self._fed += len(data)
        super().feed_data(data)

    async def take(self, separator: bytes) -> bytes:
        """Return what is received up to a separator, which is included."""
        taken = await self.readuntil(separator)
        self._taken += len(taken)
        return taken


class GuestAgent:
    """The agent behind one socket. Requests take turns, and waiting for the turn counts towards their time limit.

    Every method raises `AgentError` for an error that the agent reports, `TimeoutError` if it does not reply in time,
    and another `OSError` if it cannot be reached or the connection is lost. The next request then opens a new
    connection.
    """

    def __init__(self, path: str | PathLike[str], seconds: float = 5.0) -> None:
        self._path = path
        #: How many seconds one request may take.
        self.seconds = seconds
        self._lock = asyncio.Lock()
        self._streams: tuple[Reader, asyncio.StreamWriter] | None = None
        #: The arguments of the request whose reply was not read, if any: then the connection is out of step.
        self._unheard: dict[str, Any] | None = None
        #: By pid, reports of an end that came after the caller had given up.
        self._late: dict[int, dict[str, Any]] = {}

    async def info(self) -> dict[str, Any]:
        """Return the agent's version and supported_commands (`guest-info`)."""
        return members(await self.request("guest-info"))

    async def start(self, path: str, *arguments: str) -> int:
        """Start a program, whose output the agent keeps; return its pid (`guest-exec`).

        After a `TimeoutError` it may still be started later.
        """
        result = await self.request("guest-exec", {"path": path, "arg": arguments, "capture-output": True})
        pid: int = members(result, pid=int)["pid"]
        self._late.pop(pid, None)
        return pid

    async def status(self, pid: int) -> dict[str, Any]:
        """Return a process's state and its output in base64 (`guest-exec-status`).

        The agent reports an end once and then forgets the pid. A report that came too late is kept for the next call.
        """
        try:
            result = members(await self.request("guest-exec-status", {"pid": pid}), exited=bool)
        except AgentError:
            if pid in self._late:
                return self._late.pop(pid)
            raise
        return result

    async def request(self, name: str, arguments: dict[str, Any] | None = None) -> Any:
        """Send one command of the protocol, and return its result."""
        try:
            async with asyncio.timeout(self.seconds), self._lock:
                reply = await self._exchange(name, arguments or {})
        except TimeoutError:
            raise TimeoutError(f"no reply within {self.seconds:g} seconds") from None
        if isinstance(error := reply.get("error"), dict):
            raise AgentError(str(error.get("class")), str(error.get("desc")))
        return reply["return"]

    async def aclose(self) -> None:
        """Close the connection."""
        if streams := self._disconnect():
            with suppress(OSError):
                await streams[1].wait_closed()

    async def _exchange(self, name: str, arguments: dict[str, Any]) -> dict[str, Any]:
        try:
            reader, writer = await self._in_step()
            self._unheard = arguments
            writer.write(line(name, arguments))
            await writer.drain()
            reply = read(await reader.take(b"\n"))
            self._unheard = None
        except OSError:
            self._disconnect()
            raise
        except (EOFError, ValueError, RecursionError, asyncio.LimitOverrunError) as error:
            self._disconnect()
            raise ConnectionResetError(f"the connection was lost: {error}") from None
        return reply

    async def _in_step(self) -> tuple[Reader, asyncio.StreamWriter]:
        """Return a connection on which the next line will be the reply to the next request."""
        if self._streams and self._streams[0].at_eof():
            self._disconnect()
        if self._streams is None:
            self._streams = await connect(self._path)
            self._unheard = {}
        reader, writer = self._streams
        if reader.has_more and self._unheard is None:
            # There is an unexpected line, which would be taken for the next reply.
            self._unheard = {}
        if self._unheard is not None:
            # Wait first, so that our requests do not pile up if the agent hangs.
            await writer.drain()
            token = random.SystemRandom().getrandbits(31)
            writer.write(DELIMITER + line("guest-sync-delimited", {"id": token}))
            reply = None
            while reply != {"return": token}:
                self._keep_late(await reader.take(DELIMITER))
                reply = read(await reader.take(b"\n"))
            self._unheard = None
        return self._streams

    def _keep_late(self, skipped: bytes) -> None:
        """Keep a report of an end from the skipped data, since the agent will not repeat it."""
        pid = (self._unheard or {}).get("pid")
        first, newline, _ = skipped.partition(b"\n")
        self._unheard = {}
        with suppress(ValueError, RecursionError):
            report = read(first).get("return")
            if pid is not None and newline and isinstance(report, dict) and report.get("exited") is True:
                self._late[pid] = report

    def _disconnect(self) -> tuple[Reader, asyncio.StreamWriter] | None:
        streams, self._streams = self._streams, None
        if streams:
            streams[1].close()
        return streams


async def connect(path: str | PathLike[str]) -> tuple[Reader, asyncio.StreamWriter]:
    """Return a connection to the agent behind a socket."""
    loop = asyncio.get_running_loop()
    reader = Reader()
    protocol = asyncio.StreamReaderProtocol(reader)
    transport, _ = await loop.create_unix_connection(lambda: protocol, fspath(path))
    return reader, asyncio.StreamWriter(transport, protocol, reader, loop)


def members(value: Any, **needed: type) -> dict[str, Any]:
    """Return a result that is an object with such members; else raise `ConnectionResetError`: it is no agent's."""
    if not isinstance(value, dict) or any(not isinstance(value.get(name), kind) for name, kind in needed.items()):
        raise ConnectionResetError(f"the agent returned no object with {', '.join(needed) or 'members'}")
    return value


def line(name: str, arguments: dict[str, Any]) -> bytes:
    """Return a request as a line of the protocol."""
    message = {"execute": name, "arguments": arguments} if arguments else {"execute": name}
    return json.dumps(message).encode() + b"\n"


def read(text: bytes) -> dict[str, Any]:
    """Return a reply; raise `ValueError` if the text is not one."""
    reply = json.loads(text)
    if not isinstance(reply, dict) or not ("return" in reply or isinstance(reply.get("error"), dict)):
        raise ValueError("the other side does not speak the guest agent's protocol")
    return reply
