"""The connections of a client: turns, a deadline for every wait on a socket, and httpx clients that are given up once
in doubt.

httpx bounds each wait for some bytes but not all waits together, mixes up responses after a fork, and loses
connections when a request is interrupted. What is private in httpx is touched here alone.
"""

from __future__ import annotations

import os
import socket
import sys
import threading
import time
from collections import deque
from collections.abc import AsyncGenerator, Callable, Coroutine, Generator, Mapping
from contextlib import contextmanager, suppress
from importlib import import_module
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from weakref import WeakSet, finalize, ref

import httpx

if TYPE_CHECKING:
    import ssl

CONCURRENCY = 25
"""How many requests are sent at once; further ones wait for their turn.

With more, a request takes longer than it gains: httpx looks at all its connections, twice over, for each."""

PIECE = 1 << 14
"""How many bytes are sent at a time: few enough to be sent whole, once any can be."""

_TRANSPORTS = (httpx.BaseTransport, httpx.AsyncBaseTransport)

_OF_HTTPX = {httpx.Client, httpx.AsyncClient, httpx.HTTPTransport, httpx.AsyncHTTPTransport, type(None)}

SENT_BY = "hostup_agent_runtime.sent_by"
"""The extension of httpx's that names what sends a request: its ``trace``, others may wrap."""

HERE = threading.local()
"""Holds the ``deadline`` of the request that this thread sends, for the streams of its client."""


def _left(timeout: float | None, *, connected: bool = True) -> float | None:
    deadline: float | None = getattr(HERE, "deadline", None)
    if deadline is None:
        return timeout
    left = deadline - time.monotonic()
    if left <= 0:
        from httpcore import ConnectTimeout, ReadTimeout

        if not connected:
            raise ConnectTimeout("the time was over before there was a connection")
        raise ReadTimeout("the response was not complete in time")
    return left if timeout is None else min(timeout, left)


def _until(moment: float | None) -> float | None:
    return None if moment is None else max(moment - time.monotonic(), 0.001)


@contextmanager
def _ending(outer: socket.socket | None, left: float | None, *, connected: bool = True) -> Generator[None]:
    """End the TLS of a proxy when the time is over, if another runs within it: httpcore bounds each wait for bytes of
    that one, but not all together."""
    if outer is None or left is None:
        yield
        return
    timer = threading.Timer(left, _shut_down, [outer])
    timer.daemon = True
    timer.start()
    try:
        yield
    except Exception:
        _left(None, connected=connected)  # which says if it was the time
        raise
    finally:
        timer.cancel()


def _shut_down(connection: socket.socket) -> None:
    with suppress(OSError):
        socket.socket.shutdown(connection, socket.SHUT_RDWR)  # and not that of TLS, which another thread may be using


class _Stream:
    """A connection of httpcore on which no wait passes the deadline, however often some byte comes."""

    def __init__(self, stream: Any, known: WeakSet[_Stream], outer: socket.socket | None = None) -> None:
        self._stream, self._known, self._outer = stream, known, outer
        known.add(self)

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        with _ending(self._outer, left := _left(timeout)):
            data: bytes = self._stream.read(max_bytes, left)
        return data

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        for at in range(0, len(buffer), PIECE):  # httpcore gives all of the time again to whatever was sent in part
            with _ending(self._outer, left := _left(timeout)):
                self._stream.write(buffer[at : at + PIECE], left)

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> _Stream:
        left, is_within = _left(timeout, connected=False), self.get_extra_info("ssl_object") is not None
        outer = self.get_extra_info("socket") if is_within else None
        with _ending(outer, left, connected=False):
            stream = self._stream.start_tls(ssl_context, server_hostname, left)
        return _Stream(stream, self._known, outer)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)

    def abandon(self) -> None:
        """Close this process's copy of the socket alone: nothing is sent, and no lock is taken.

        Its number is never without its object, which closes it in the end if this is interrupted.
        """
        with suppress(Exception):
            self._stream.get_extra_info("socket").close()


class _Backend:
    """Makes such connections."""

    def __init__(self, backend: Any, known: WeakSet[_Stream]) -> None:
        self._backend, self._known = backend, known

    def connect_tcp(self, host: str, port: int, timeout: float | None = None, **more: Any) -> _Stream:
        """Connect to one of a host's addresses, each of which gets a share of the time: of Python, it would get all."""
        from httpcore import ConnectError, ConnectTimeout

        *others, last = self._addresses(host, port)
        until = None if timeout is None else time.monotonic() + timeout
        for number, address in enumerate(others):
            left = _left(_until(until), connected=False)
            share = left and left / (len(others) + 1 - number)
            with suppress(ConnectError, ConnectTimeout):
                return _Stream(self._backend.connect_tcp(address, port, timeout=share, **more), self._known)
        left = _left(_until(until), connected=False)
        return _Stream(self._backend.connect_tcp(last, port, timeout=left, **more), self._known)

    def _addresses(self, host: str, port: int) -> list[str]:
        """List the addresses of a host; the host itself if it has none, or if a backend of others may find them."""
        from httpcore import SyncBackend

        found = list[Any]()
        if isinstance(self._backend, SyncBackend):
            with suppress(OSError, UnicodeError):
                found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        return list(dict.fromkeys(str(address[0]) for *_, address in found)) or [host]

    def connect_unix_socket(self, path: str, timeout: float | None = None, **more: Any) -> _Stream:
        left = _left(timeout, connected=False)
        return _Stream(self._backend.connect_unix_socket(path, timeout=left, **more), self._known)

    def sleep(self, seconds: float) -> None:
        self._backend.sleep(seconds)


def _transports(client: httpx.Client | httpx.AsyncClient) -> list[Any]:
    return [getattr(client, "_transport", None), *getattr(client, "_mounts", {}).values()]


def _pools(client: httpx.Client | httpx.AsyncClient) -> list[Any]:
    """List the pools of connections of a client, as far as its transports are httpx's own, or hold one of these."""
    transports = _transports(client)
    for transport in transports:  # which grows
        held = (one for one in getattr(transport, "__dict__", {}).values() if isinstance(one, _TRANSPORTS))
        transports += [one for one in held if all(one is not known for known in transports)]
    return [pool for pool in (getattr(transport, "_pool", None) for transport in transports) if pool is not None]


def only_http1(client: httpx.Client | httpx.AsyncClient) -> None:
    """Let new connections of a client speak HTTP/1.1.

    Requests that share one of HTTP/2 wait for each other in httpcore, without bound, and one that is late ends the
    others; and hpack logs the key.

    Raises:
        ValueError: the client may not speak HTTP/1.1
    """
    for pool in _pools(client):
        if not getattr(pool, "_http1", True):
            raise ValueError("http1=False: expected a client that may speak HTTP/1.1, since HTTP/2 is not used")
        setattr(pool, "_http2", False)


def bound(client: httpx.Client, known: WeakSet[_Stream], *, is_own: bool) -> None:
    """Make the connections of a client keep the deadline; a transport that has none of httpx's is left as it is.

    httpx has no public way to do so. Without it only bytes of a body are bound by the deadline, and not those of
    headers.
    """
    only_http1(client)
    for pool in _pools(client):
        backend = getattr(pool, "_network_backend", None)
        if backend is not None and not isinstance(backend, _Backend):
            setattr(pool, "_network_backend", _Backend(backend, known))
            for connection in getattr(pool, "_connections", ()):
                _bound_stream(connection, known)
            # httpcore's own lock is entered in Python, where a signal can come after it was taken and keep it for good.
            # Nor would it let the thread in that has it, whose signal's handler may close the client.
            # One that was given may be in use, and its lock held.
            if is_own:
                setattr(pool, "_optional_thread_lock", threading.RLock())


def _bound_stream(connection: Any, known: WeakSet[_Stream]) -> None:
    """Make a connection that is open already keep the deadline."""
    inner = _innermost(connection)
    stream = getattr(inner, "_network_stream", None)
    if stream is not None and not isinstance(stream, _Stream):
        setattr(inner, "_network_stream", _Stream(stream, known))


def _innermost(connection: Any) -> Any:
    """Return what speaks HTTP on a connection of httpcore, which others may hold: those to an origin, or to a proxy."""
    while (within := getattr(connection, "_connection", None)) is not None:
        connection = within
    return connection


def keeps_connections(client: httpx.Client | httpx.AsyncClient) -> bool:
    """Tell whether requests may leave their connections open: httpx itself sends each of them as it is.

    Whatever may send another one in its place, unseen, leaves bytes there that nobody looks for.
    """
    return all(type(part) in _OF_HTTPX for part in (client, *_transports(client)))


class Seen(httpx.Request):
    """A request whose ``trace`` tells where it goes: hooks may add to its extensions, and not leave that out."""

    @property
    def extensions(self) -> dict[str, Any]:
        """What httpx's transport is told, beside the request itself."""
        told: dict[str, Any] = self.__dict__["extensions"]
        return told

    @extensions.setter
    def extensions(self, told: Mapping[str, Any]) -> None:
        before = self.__dict__.get("extensions", {})
        self.__dict__["extensions"] = {**{name: before[name] for name in ("trace", SENT_BY) if name in before}, **told}


class Named(httpx.Headers):
    """Header fields whose repr has no value: httpx hides that of Authorization, and the key may be in another one."""

    def __repr__(self) -> str:
        return f"Headers({', '.join(self)})"


def refuse_if_more_came(client: httpx.Client | httpx.AsyncClient, sent_by: object) -> None:
    """Send nothing on a connection from which more was read than the responses before, whoever got these.

    It would be the response to this request: httpcore looks at the socket alone before it uses one again. The
    connection is known by its request, which others may wrap.

    Raises:
        httpcore.ConnectionNotAvailable: there is more; httpcore closes the connection, and sends on another one
    """
    from httpcore import ConnectionNotAvailable

    for request in [request for pool in _pools(client) for request in getattr(pool, "_requests", ())]:
        if request.request.extensions.get(SENT_BY) is sent_by:
            connection = _innermost(request.connection)
            state = getattr(connection, "_h11_state", None)
            if (state is not None and state.trailing_data[0]) or _has_more(connection):
                raise ConnectionNotAvailable


def leads_to(event: str, info: Mapping[str, Any]) -> tuple[str, int | None] | None:
    """Tell the host and port to which a connection is made, or a request sent, by an event of httpcore's ``trace``.

    Of a connection that was made it is the address; to a socket of this machine there is none. A proxy is told as such.
    """
    if event.endswith(".connect_tcp.started"):
        return info["host"], info["port"]
    if event.endswith(".connect_tcp.complete"):
        address: tuple[str, int] | None = info["return_value"].get_extra_info("server_addr")
        return (address[0], None) if address else None
    if event.endswith(".send_request_headers.started"):
        origin = info["request"].url.origin
        return origin.host.decode("ascii"), origin.port
    return None


def is_loopback(host: str) -> bool:
    """Tell whether a host is this machine, by its address or its name."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"  # many resolvers ask others for names below it


def _has_more(connection: Any) -> bool:
    """Tell whether more was read from a connection than anybody has asked for, as anyio and trio do."""
    inner: Any = getattr(connection, "_network_stream", None)
    while inner is not None:
        of_tls = [getattr(inner, name, None) for name in ("_read_bio", "_incoming")]
        if getattr(getattr(inner, "_protocol", None), "read_queue", ()) or any(bio and bio.pending for bio in of_tls):
            return True
        inner = getattr(inner, "_stream", None) or getattr(inner, "transport_stream", None)
    return False


class Turns:
    """Lets so many threads in at a time.

    Who is in is known by an object that dies with its frame: a signal may interrupt a thread anywhere, and a count
    would be wrong for good.
    """

    class Turn:
        """A turn that is taken."""

    def __init__(self, size: int) -> None:
        self._size, self._taken = size, WeakSet[Turns.Turn]()
        self._waiting = deque[threading.Event]()

    def take(self, deadline: float) -> Turn | None:
        """Wait for a turn; None if none came before the deadline, by ``time.monotonic()``."""
        mine = Turns.Turn()
        while True:
            with _lock:
                if len(self._taken) < self._size:
                    self._taken.add(mine)
                    return mine
            left = deadline - time.monotonic()
            if left <= 0:
                return None
            woken = threading.Event()
            self._waiting.append(woken)
            woken.wait(min(left, 0.1))  # looking again now and then, should the one who was woken be interrupted
            with suppress(ValueError):  # nobody woke this one: another is to be woken in its place
                self._waiting.remove(woken)

    def give(self, turn: Turn) -> None:
        """End a turn, and wake the next one who waits."""
        self._taken.discard(turn)
        with suppress(IndexError):
            self._waiting.popleft().set()


def running_loop() -> object:
    """Tell which event loop runs here; None if none does."""
    asyncio, trio = sys.modules.get("asyncio"), sys.modules.get("trio")
    if trio is not None:
        sniffio = sys.modules["sniffio"]  # knows which of the two it is, should trio be a guest of asyncio's loop
        with suppress(sniffio.AsyncLibraryNotFoundError):
            if sniffio.current_async_library() == "trio":
                return trio.lowlevel.current_trio_token()
    if asyncio is not None:
        with suppress(RuntimeError):
            return asyncio.get_running_loop()
    return None


def _abandon(streams: WeakSet[_Stream]) -> None:
    for stream in list(streams):
        stream.abandon()


C = TypeVar("C")


class Unmade(ValueError):
    """What the environment names as a proxy or for TLS is of no use, so nothing can be sent."""


_PROXY = "a proxy, in httpx_args or HTTPS_PROXY, HTTP_PROXY or ALL_PROXY, or what NO_PROXY names"
_OF_TLS = ("SSL_CERT_FILE", "SSL_CERT_DIR", "SSLKEYLOGFILE")


def _made(kind: Callable[..., C], arguments: Mapping[str, Any]) -> C:
    """Make what httpx makes with the proxies and the files for TLS that the environment names.

    Raises:
        Unmade: one of them is of no use; a proxy is not quoted, since it may have a password
    """
    try:
        pipes = [name for name in _OF_TLS if Path(os.environ.get(name, "")).is_fifo()]
        if pipes:
            raise Unmade(f"{pipes[0]}: expected a file, and it names a pipe, for which a program may wait for ever")
        return kind(**arguments)
    except httpx.InvalidURL:
        raise Unmade(f"{_PROXY}: expected URLs and hosts; httpx takes no range of IPv6 addresses") from None
    except ImportError as error:  # such as that of SOCKS
        raise Unmade(f"{_PROXY}: {error}") from None
    except OSError as error:
        at_fault = [name for name in _OF_TLS if error.filename and error.filename == os.environ.get(name)]
        named = at_fault[:1] or [name for name in _OF_TLS[:2] if name in os.environ] or _OF_TLS
        raise Unmade(f"{' or '.join(named)}: {error}") from None


class Line:
    """An httpx client for threads. It is given up once a request on it was interrupted: what state it is in, nobody
    knows.

    Then the next request gets a new one, and the sockets of this one are closed when the last request on it has ended.
    """

    def __init__(self, client: httpx.Client, *, is_own: bool = True) -> None:
        self.client, self.is_in_doubt = client, False
        streams = WeakSet[_Stream]()
        bound(client, streams, is_own=is_own)
        self.end = finalize(self, _abandon, streams if is_own else WeakSet())
        self.end.atexit = False


async def whole(work: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Do something to its end, however often this is cancelled meanwhile, and be cancelled only then.

    A shield of anyio keeps off what cancels its scopes, and no second ``task.cancel()``.
    """
    import asyncio  # (slow to import)

    from anyio import CancelScope

    with CancelScope(shield=True):
        if not isinstance(running_loop(), asyncio.AbstractEventLoop):
            await work()
            return
        task, cancelled = asyncio.create_task(work()), list[BaseException]()
        while not task.done():
            try:
                await asyncio.wait([task])
            except asyncio.CancelledError as error:
                cancelled[:] = [error]
        if cancelled:
            raise cancelled.pop()
        task.result()


class AsyncLine:
    """As :class:`Line`, of one event loop; the last request on it closes it."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        from anyio import Lock

        only_http1(client)
        self.client, self.is_in_doubt, self.users = client, False, 0
        self._end: AsyncGenerator[None, None] | None = None
        # At a shutdown, requests that are cancelled close it, and so does the program meanwhile.
        self._closing = Lock(fast_acquire=True)

    async def begin(self) -> None:
        """Let the loop close it when that ends, as it does with the generators that are left."""
        if self._end is None:
            self._end = _until_closed(self.client)
            await anext(self._end)

    async def close(self) -> None:
        """Close the client, whatever is cancelled meanwhile."""
        await whole(self._close)

    async def _close(self) -> None:
        async with self._closing:
            await (self._end.aclose() if self._end is not None else self.client.aclose())


async def _until_closed(client: httpx.AsyncClient) -> AsyncGenerator[None, None]:
    try:
        yield
    finally:
        if running_loop() is not None:  # else it is collected after its loop, which has not ended as it should
            await client.aclose()


# Taken for a moment at a time; a new one in a child, since another thread may have held it when the process was forked.
# The same thread may take it again: a handler of a signal may close a client meanwhile, and so may the collection of
# garbage, by a ``__del__``.
_lock = threading.RLock()
_left_behind: list[object] = []


def _renew_lock() -> None:
    global _lock
    _lock = threading.RLock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_lock)


class Loop:
    """The turns and the line of one event loop."""

    def __init__(self, arguments: Mapping[str, Any], size: int) -> None:
        from anyio import Semaphore

        self.turns = Semaphore(size, fast_acquire=True)
        self._arguments = arguments
        self.current: AsyncLine | None = None

    def line(self) -> AsyncLine:
        """Return the line to send on, which a loop that runs has begun or will begin.

        Who waited for a turn while the client was closed gets a new one, as the next call does.
        """
        if self.current is None or self.current.is_in_doubt or self.current.client.is_closed:
            self.current = AsyncLine(_made(httpx.AsyncClient, self._arguments))
        return self.current

    @property
    def is_over(self) -> bool:
        """Whether its client was closed, as when the loop has ended."""
        return self.current is not None and self.current.client.is_closed and not self.current.is_in_doubt

    async def close(self) -> None:
        """Close the line."""
        if self.current is not None:
            await self.current.close()


class Pool:
    """The httpx clients that are made here: one for threads, one for each event loop, and all of them for one process.

    A client and those that its ``with_`` methods make share one; it is closed with the first one, or with the last
    user.
    """

    def __init__(self, owner: object, arguments: Mapping[str, Any]) -> None:
        limits = arguments.get("limits") or httpx.Limits()
        self.size: int = limits.max_connections or CONCURRENCY
        # The turns alone limit requests: a connection that httpx has lost must not count.
        unlimited = httpx.Limits(max_keepalive_connections=self.size, keepalive_expiry=limits.keepalive_expiry)
        self._arguments: dict[str, Any] = {**arguments, "limits": unlimited}
        self._owner = ref(owner)
        # httpx imports it at its first use: who is forked meanwhile would wait for the lock of that import for ever.
        import_module("httpcore")
        self._begin()

    @property
    def arguments(self) -> dict[str, Any]:
        """Those of an httpx client. A context for TLS is made once, with the CAs of the environment."""
        if self._arguments["verify"] is True:
            self._arguments["verify"] = _made(httpx.create_ssl_context, {})
        return self._arguments

    def _begin(self) -> None:
        self.process, self.users = os.getpid(), WeakSet[Any]()
        self.turns = Turns(self.size)
        self.line: Line | None = None
        self.loops: dict[object | None, Loop] = {}

    def _here(self) -> None:
        """Leave what belongs to the process that this one was forked from."""
        if self.process != os.getpid():
            if self.line is not None:
                self.line.end()
            _left_behind.append((self.line, self.loops))  # to be collected, they would have to be closed
            self._begin()

    def turn(self, deadline: float) -> Turns.Turn | None:
        """Wait for a turn of a thread; None if none came before the deadline, by ``time.monotonic()``."""
        with _lock:
            self._here()
        return self.turns.take(deadline)

    def synchronous(self, user: object) -> Line:
        """Return the line for threads."""
        with _lock:
            self._here()
            self.users.add(user)
            if self.line is None or self.line.is_in_doubt:
                self.line = Line(_made(httpx.Client, self.arguments))
            return self.line

    def asynchronous(self, user: object) -> Loop:
        """Return what this event loop has."""
        here = running_loop()
        with _lock:
            self._here()
            self.users.add(user)
            for other, loop in list(self.loops.items()):
                if loop.is_over or getattr(other, "is_closed", bool)():
                    del self.loops[other]
            if here not in self.loops:
                # One that was asked for before any loop ran is the first loop's.
                early = self.loops.pop(None) if None in self.loops else None
                self.loops[here] = early or Loop(self.arguments, self.size)
            return self.loops[here]

    def release(self, user: object) -> bool:
        """Tell whether a user who needs it no more was the last one, or the one it was made for."""
        with _lock:
            self._here()
            self.users.discard(user)
            return not self.users or user is self._owner()

    def close(self) -> None:
        """Close what threads use."""
        line, self.line = self.line, None
        if line is not None:
            line.client.close()

    async def aclose(self) -> None:
        """Close what this event loop uses."""
        for loop in [self.loops.pop(loop) for loop in {None, running_loop()} if loop in self.loops]:
            await loop.close()
