"""Serves scripts on loopback, byte for byte, in a thread: the one server of the tests that have one of their own."""

import asyncio
import json
import socket
import ssl
import threading
import time
from collections.abc import Callable, Coroutine, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, Literal

from hostup_conformance.http.scripted import After, Bounds, Received, Reply, Script, ScriptedServer

#: What is tested may send as much as it likes.
UNBOUNDED = Bounds(requests=2**40, connections=2**40, bytes=2**40, backlog=128)
Run = Callable[[Coroutine[Any, Any, Any]], Any]
#: What is sent in the place of a response: bytes, a pause in seconds, or what happens to the connection then. `idle`
#: keeps it open if a request begins within a moment, and goes on with the next part otherwise.
Part = bytes | float | After | Literal["idle"]
#: How many seconds a connection may be idle.
IDLE_SECONDS = 0.2


@dataclass
class Raw(Reply):
    """What is sent byte for byte; what it says of the connection goes before `after`."""

    raw: Iterable[Part] = ()

    async def send(self, received: Received, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> After:
        await asyncio.sleep(self.delay)
        received.responded = time.monotonic()
        for part in self.raw:
            if isinstance(part, bytes):
                writer.write(part)
                await writer.drain()
                await asyncio.sleep(0)  # a client that reads quickly does not keep the others waiting
            elif isinstance(part, float):
                await asyncio.sleep(part)
            elif part != "idle":
                return part
            elif await begins(reader):
                return "keep"
        return self.after


async def begins(reader: asyncio.StreamReader) -> bool:
    """Whether a request begins within a moment, or the connection ends; nothing is read of either."""
    until = time.monotonic() + IDLE_SECONDS
    while time.monotonic() < until:
        if reader._buffer or reader.at_eof():  # type: ignore[attr-defined]
            return True
        await asyncio.sleep(0.005)
    return False


@contextmanager
def loop_in_a_thread() -> Iterator[Run]:
    """Run an event loop; give a function that runs a coroutine there, and returns what that returns."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield lambda coroutine: asyncio.run_coroutine_threadsafe(coroutine, loop).result(60)
    finally:
        asyncio.run_coroutine_threadsafe(end_all(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


async def end_all() -> None:
    """Cancel all other tasks, and wait until they have ended: what is left pending would say so when the loop goes."""
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)


@contextmanager
def dropping() -> Iterator[str]:
    """Close each connection at once; give the base URL."""

    def drop(listener: socket.socket) -> None:
        with suppress(OSError):  # once it is closed
            while True:
                listener.accept()[0].close()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=drop, args=(listener,), daemon=True).start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


def replied(body: object, status: int = 200) -> Reply:
    """Make a response with a body of JSON."""
    return Reply(status, [("Content-Type", "application/json")], json.dumps(body, ensure_ascii=False).encode())


@contextmanager
def serving(script: Script, tls: ssl.SSLContext | None = None) -> Iterator[str]:
    """Serve a script, with TLS if a context is given; give the base URL."""
    server = ScriptedServer(script, UNBOUNDED)
    with loop_in_a_thread() as run:
        port = run(server.listen("127.0.0.1", "", tls))
        try:
            yield f"https://localhost:{port}" if tls else f"http://127.0.0.1:{port}"
        finally:
            run(server.close())
