"""The client object: where to send, as whom, and within which bounds."""

from __future__ import annotations

import logging
import os
import re
import sys
import threading
import time
import zlib
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import nullcontext, suppress
from copy import copy
from http.cookiejar import CookieJar, DefaultCookiePolicy
from io import BytesIO
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, Self
from weakref import WeakSet, ref

import httpx

from .errors import TooLarge, never_sent, request_id, retry_after, shown
from .types import check

if TYPE_CHECKING:
    import ssl
    from types import TracebackType

DEFAULT_TOTAL = 60.0
"""Seconds for a whole request: from the first byte sent to the last byte of the response, retries included."""

DEFAULT_TIMEOUT = httpx.Timeout(30.0, connect=10.0)
"""Seconds to wait for each part of it: a connection, the next bytes of a response, room for the next bytes of a request."""

DEFAULT_MAX_BODY_BYTES = 200 * 2**20
"""The largest body of a response, after decoding; that of an operation may be smaller."""

MAX_PROBLEM_BYTES = 1048576
"""The largest body of a response that is no success."""

MAX_VALUES = 500_000
"""How many names and values a body of more than a mebibyte may hold: each takes far more memory than its bytes."""

GRACE = 10.0
"""Seconds that a request has beyond the end of a wait that it is part of, since its response may be the only one."""

CONCURRENCY = 25
"""How many requests are sent at once, and so the connections of a pool; further ones wait for their turn.

With more, a request takes longer than it gains: the pool looks at all its connections, twice over, for each."""

_HEADERS = {
    "Accept": "application/json, application/problem+json",
    # What can be decoded within bounds, whatever else httpx would take.
    "Accept-Encoding": "gzip, deflate",
    "User-Agent": "hostup-agent-exec/3.0.0",
}

_LONGEST = 1e9
_VISIBLE = re.compile(r"[!-~]+")
_LOG = logging.getLogger("hostup_agent_exec")

Again = Callable[[httpx.Response], float | None]
"""Tells after which seconds a refused request is sent again, or None for never."""


class Unsendable(ValueError):
    """What was asked for cannot be sent, and nothing was."""


def _merged(*given: Mapping[str, str]) -> dict[str, str]:
    """Merge headers, whose names have no case (RFC 9110, section 5.1): the last one counts, spelled as it is there."""
    spelled = {name.lower(): (name, value) for headers in given for name, value in headers.items()}
    return dict(spelled.values())


def _times(timeout: float | httpx.Timeout | None) -> tuple[float | None, httpx.Timeout | None]:
    """Tell the total and the phases that a timeout means, each None if it says nothing of it."""
    if timeout is None or isinstance(timeout, httpx.Timeout):
        return None, timeout
    check("timeout", timeout, int, float, httpx.Timeout)
    if not 0 < timeout <= _LONGEST:
        raise ValueError(f"timeout: expected a number of seconds above 0, and {_LONGEST:g} at most")
    return float(timeout), None


def _within(phases: httpx.Timeout, seconds: float) -> httpx.Timeout:
    parts = (phases.connect, phases.read, phases.write, phases.pool)
    if all(part is not None and part <= seconds for part in parts):
        return phases
    connect, read, write, pool = (seconds if part is None else min(part, seconds) for part in parts)
    return httpx.Timeout(connect=connect, read=read, write=write, pool=pool)


def _check_token(named: str, token: str, prefix: str) -> None:
    """Say what is wrong with a key that cannot be one, without showing it."""
    if _VISIBLE.fullmatch(token):
        return
    bare = token.strip()
    if prefix and bare.lower().startswith(f"{prefix.lower()} "):
        flaw = f"give the key alone, without {prefix}"
    elif not bare:
        flaw = "it is empty"
    elif bare != token:
        kind = "a newline" if token[-1] in "\r\n" else "a blank"
        flaw = f"it ends in {kind}" if token[-1].isspace() else "it begins with a blank"
    else:
        flaw = "expected visible ASCII characters alone"
    raise Unsendable(f"{named}: {flaw}")


def _is_loopback(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


# The deadline of the request that this thread sends, for the streams of a pool made here.
_HERE = threading.local()


def _left(timeout: float | None) -> float | None:
    deadline: float | None = getattr(_HERE, "deadline", None)
    if deadline is None:
        return timeout
    left = deadline - time.monotonic()
    if left <= 0:
        from httpcore import ReadTimeout  # noqa: PLC0415  (slow to import, and loaded by now)

        raise ReadTimeout("the response was not complete in time")
    return left if timeout is None else min(timeout, left)


class _Stream:
    """A connection of httpcore on which no wait passes the deadline, however often some byte comes."""

    def __init__(self, stream: Any, known: WeakSet[_Stream]) -> None:
        self._stream, self._known = stream, known
        known.add(self)

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        data: bytes = self._stream.read(max_bytes, _left(timeout))
        return data

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, _left(timeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> _Stream:
        return _Stream(self._stream.start_tls(ssl_context, server_hostname, _left(timeout)), self._known)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)

    def abandon(self) -> None:
        """Close this process's copy of the socket alone: nothing is sent, and no lock is taken."""
        with suppress(Exception):
            os.close(self._stream.get_extra_info("socket").detach())


class _Backend:
    """Makes such connections."""

    def __init__(self, backend: Any, known: WeakSet[_Stream]) -> None:
        self._backend, self._known = backend, known

    def connect_tcp(self, host: str, port: int, timeout: float | None = None, **more: Any) -> _Stream:
        return _Stream(self._backend.connect_tcp(host, port, timeout=_left(timeout), **more), self._known)

    def connect_unix_socket(self, path: str, timeout: float | None = None, **more: Any) -> _Stream:
        return _Stream(self._backend.connect_unix_socket(path, timeout=_left(timeout), **more), self._known)

    def sleep(self, seconds: float) -> None:
        self._backend.sleep(seconds)


def _bound(client: httpx.Client, known: WeakSet[_Stream]) -> None:
    """Make the connections of a client keep the deadline; a transport that is not httpx's own is left as it is.

    httpx has no public way to do so. Without it only bytes of a body are bound by the deadline, and not those of headers.
    """
    for transport in (getattr(client, "_transport", None), *getattr(client, "_mounts", {}).values()):
        pool = getattr(transport, "_pool", None)
        backend = getattr(pool, "_network_backend", None)
        if backend is not None and not isinstance(backend, _Backend):
            setattr(pool, "_network_backend", _Backend(backend, known))


def _loop() -> object:
    """Tell which event loop runs here; None if none does."""
    asyncio, trio = sys.modules.get("asyncio"), sys.modules.get("trio")
    if asyncio is not None:
        try:
            return asyncio.get_running_loop()
        except RuntimeError:
            pass
    if trio is not None:
        try:
            return trio.lowlevel.current_trio_token()
        except RuntimeError:
            pass
    return None


async def _until_closed(client: httpx.AsyncClient) -> AsyncGenerator[None, None]:
    """Close the client when this is closed, as a loop does with the generators that are left when it ends."""
    try:
        yield
    finally:
        if _loop() is not None:  # else it is collected after its loop, which has not ended as it should
            await client.aclose()


class _Asynchronous:
    """The httpx client of one event loop."""

    def __init__(self, client: httpx.AsyncClient, size: int) -> None:
        self.client, self._size = client, size
        self.slots: Any = None
        self._end: AsyncGenerator[None, None] | None = None

    async def begin(self) -> Any:
        from anyio import Semaphore  # noqa: PLC0415  (slow to import, and loaded by httpx only if asynchronous)

        self.slots = Semaphore(self._size)
        self._end = _until_closed(self.client)
        await anext(self._end)
        return self.slots

    async def end(self) -> None:
        await (self._end.aclose() if self._end is not None else self.client.aclose())


# Taken to make connections; a new one in a child, since another thread may have held it when the process was forked.
_lock = threading.Lock()
_left_behind: list[object] = []


def _renew_lock() -> None:
    global _lock
    _lock = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_lock)


class _Pool:
    """The httpx clients that are made here: one for threads, one for each event loop, and all of them for one process.

    A client and those that its ``with_`` methods make share one; it is closed with the first one, or with the last user.
    """

    def __init__(self, owner: Client, arguments: Mapping[str, Any]) -> None:
        self.owner, self.arguments = ref(owner), arguments
        limits = arguments.get("limits")
        self.headers: dict[str, str] = dict(arguments["headers"])
        self.phases: httpx.Timeout = arguments["timeout"]
        parts = (self.phases.connect, self.phases.read, self.phases.write, self.phases.pool)
        self.longest = max(float("inf") if part is None else part for part in parts)
        self.size: int = getattr(limits, "max_connections", None) or CONCURRENCY
        self._begin()

    def _begin(self) -> None:
        self.process = os.getpid()
        self.users: WeakSet[Client] = WeakSet()
        self.slots = threading.BoundedSemaphore(self.size)
        self.client: httpx.Client | None = None
        self.loops: dict[object, _Asynchronous] = {}
        self.streams: WeakSet[_Stream] = WeakSet()

    def _here(self) -> None:
        """Leave what belongs to the process that this one was forked from."""
        if self.process != os.getpid():
            for stream in list(self.streams):
                stream.abandon()
            _left_behind.append((self.client, self.loops))  # to be collected, they would have to be closed
            self._begin()

    def synchronous(self, user: Client) -> httpx.Client:
        with _lock:
            self._here()
            self.users.add(user)
            if self.client is None:
                self.client = httpx.Client(**self.arguments)
                _bound(self.client, self.streams)
            return self.client

    def asynchronous(self, user: Client) -> _Asynchronous:
        loop = _loop()
        with _lock:
            self._here()
            self.users.add(user)
            for other, one in list(self.loops.items()):
                if one.client.is_closed or (hasattr(other, "is_closed") and getattr(other, "is_closed")()):
                    del self.loops[other]
            if loop not in self.loops:
                # One that was asked for before any loop ran is the first loop's.
                made = self.loops.pop(None, None) or _Asynchronous(httpx.AsyncClient(**self.arguments), self.size)
                self.loops[loop] = made
            return self.loops[loop]

    def _is_used_without(self, user: Client) -> bool:
        self.users.discard(user)
        return len(self.users) > 0 and user is not self.owner()

    def release(self, user: Client) -> httpx.Client | None:
        """Return what is to be closed now that ``user`` needs it no more."""
        with _lock:
            self._here()
            if self._is_used_without(user):
                return None
            client, self.client = self.client, None
            return client

    def release_asynchronous(self, user: Client) -> list[_Asynchronous]:
        """As :meth:`release`, of this event loop."""
        with _lock:
            self._here()
            if self._is_used_without(user):
                return []
            return [self.loops.pop(loop) for loop in {None, _loop()} if loop in self.loops]


class _Body:
    """Takes the chunks of a body, decodes them, and keeps the bounds of size and time."""

    _PIECE = 65536

    def __init__(self, response: httpx.Response, limit: int, deadline: float) -> None:
        self._response, self._limit, self._deadline = response, limit, deadline
        self._body, self._size = BytesIO(), 0  # which gives its bytes away without a copy
        self._received = 0
        sent = {name.lower(): value.decode("latin-1") for name, value in response.headers.raw}
        named = sent.get(b"content-encoding", "").lower().replace(" ", "").split(",")
        self._codings = [name for name in reversed(named) if name in ("gzip", "x-gzip", "deflate")]
        self._decoders: list[Any] = [None] * len(self._codings)
        self._decoded = [0] * len(self._codings)
        if len(self._codings) > 4:
            raise httpx.DecodingError("a body is encoded more than four times", request=response.request)
        length = sent.get(b"content-length", "")
        if not self._codings and length.isdecimal() and len(length) < 20 and int(length) > limit:
            raise _too_large(response, f"{limit} bytes")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Let go of what was read: errors hold their frames, and so would hold it too."""
        self._body, self._decoders = BytesIO(), []

    def feed(self, chunk: bytes) -> None:
        if time.monotonic() > self._deadline:
            raise httpx.ReadTimeout("the response was not complete in time", request=self._response.request)
        self._received += len(chunk)
        if self._received > self._limit:
            raise _too_large(self._response, f"{self._limit} bytes")
        self._decode(chunk, 0)

    def _decode(self, data: bytes, layer: int) -> None:
        if layer == len(self._codings):
            self._size += len(data)
            if self._size > self._limit:
                raise _too_large(self._response, f"{self._limit} bytes")
            self._body.write(data)
            return
        while data:
            try:
                piece, data = self._inflate(data, layer)
            except zlib.error:
                raise httpx.DecodingError(
                    "a body is not encoded as its headers say", request=self._response.request
                ) from None
            self._decoded[layer] += len(piece)
            if self._decoded[layer] > self._limit:
                raise _too_large(self._response, f"{self._limit} bytes")
            if piece:
                self._decode(piece, layer + 1)

    def _inflate(self, data: bytes, layer: int) -> tuple[bytes, bytes]:
        decoder = self._decoders[layer]
        if decoder is None:
            decoder = zlib.decompressobj(zlib.MAX_WBITS + (16 if "gzip" in self._codings[layer] else 0))
            self._decoders[layer] = decoder
            try:
                return decoder.decompress(data, self._PIECE), decoder.unconsumed_tail
            except zlib.error:
                if self._codings[layer] != "deflate":
                    raise
                # Many send it without the wrapper that RFC 9110, section 8.4.1.2 asks for.
                decoder = self._decoders[layer] = zlib.decompressobj(-zlib.MAX_WBITS)
        if decoder.eof:  # it would keep whatever comes after its end
            return b"", b""
        return decoder.decompress(data, self._PIECE), decoder.unconsumed_tail

    def end(self) -> None:
        """Give the body to the response, as reading it would."""
        for layer, decoder in enumerate(self._decoders):
            if decoder is not None:
                self._decode(decoder.flush(), layer + 1)
        setattr(self._response, "_content", self._body.getvalue())


# In the place of a stream that is over: httpx's own refers to the response, which would keep a large body in memory until
# the next collection of garbage.
_OVER = httpx.ByteStream(b"")


def _holds_many_values(body: bytes) -> bool:
    """Tell whether a large body is large by other things than its texts."""
    if len(body) <= 2**20:
        return False
    # Between the quotes that are left, every other piece stands outside of strings.
    pieces = body.replace(rb"\\", b"").replace(rb"\"", b"").split(b'"', MAX_VALUES)
    outside = b"".join(pieces[::2])
    return max(len(pieces), *(outside.count(mark) for mark in (b",", b"[", b"{"))) > MAX_VALUES


def _is_read(response: httpx.Response, limit: int) -> bool:
    """Tell whether somebody has read the body: a hook, or a transport without a network."""
    if not response.is_stream_consumed:
        return False
    if len(response.content) > limit:
        raise _too_large(response, f"{limit} bytes")
    return True


def _no_location(request: httpx.Request) -> httpx.RemoteProtocolError:
    """Make the error of a redirect whose Location makes no URL; httpx reads it although it is not followed."""
    return httpx.RemoteProtocolError("the Location of a redirect is not a URL", request=request)


def _too_large(response: httpx.Response, limit: str) -> TooLarge:
    setattr(response, "_content", b"")
    return TooLarge(f"{shown(response)}: a body of more than {limit}", response)


class _Request:
    """One request of an operation, and the decisions on its time and its repetition."""

    def __init__(
        self,
        client: Client,
        request: Mapping[str, Any],
        timeout: float | httpx.Timeout | None,
        headers: Mapping[str, str] | None,
        repeatable: bool,
        again: Again | None,
        end: float,
        latest: float,
        largest_body: int | None,
    ) -> None:
        total, self._phases = _times(timeout)
        if headers is not None:
            check("headers", headers, Mapping)
        self._client, self.request, self._repeatable, self._again, self._end = client, request, repeatable, again, end
        self._latest = latest
        self._largest = client.max_body_bytes if largest_body is None else min(client.max_body_bytes, largest_body)
        self._total = total if total is not None else client.total
        self.deadline = time.monotonic() + self._total
        self._attempts = 0

    @property
    def _asked(self) -> str:
        return f"{self.request['method']} {self.request['url'].partition('?')[0]}"

    def attempt(self) -> None:
        """Note that it is sent: its time begins now, when its turn has come, unless it is sent again within ``retries``.

        Raises:
            httpx.PoolTimeout: it is too late to send it
        """
        self._sent = time.monotonic()
        if self._sent >= self._latest:
            raise httpx.PoolTimeout(f"the time was over before {self._asked} could be sent")
        if self._again is not None or not self._attempts:
            self.deadline = self._sent + min(self._total, max(0.0, self._end - self._sent) + GRACE)

    def phases(self, own: httpx.Timeout | None, of_httpx: httpx.Timeout, longest: float) -> httpx.Timeout | None:
        """Tell the time for each part; None if those that httpx has by itself will do, the longest of which is told."""
        wanted, left = self._phases or own or of_httpx, max(0.001, self.deadline - time.monotonic())
        return None if wanted is of_httpx and longest <= left else _within(wanted, left)

    def largest(self, response: httpx.Response) -> int:
        """Tell how many bytes the body may have."""
        return self._largest if response.status_code < 300 else min(self._client.max_body_bytes, MAX_PROBLEM_BYTES)

    def after(self, response: httpx.Response) -> float | None:
        """Tell how long to sleep before the request is sent again; None if this is the response to return."""
        self._log(f"{response.status_code}", response)
        if self._again is not None:
            return self._again(response)
        if response.status_code == 429 or (self._repeatable and response.status_code in (502, 503, 504)):
            return self._pause(retry_after(response))
        return None

    def failed(self, error: Exception) -> float | None:
        """As :meth:`after`, of an attempt without a response."""
        self._log(type(error).__name__, None)
        if isinstance(error, Unsendable | httpx.UnsupportedProtocol | httpx.DecodingError | TooLarge):
            return None
        return self._pause(None) if self._repeatable or never_sent(error) else None

    def _pause(self, asked: float | None) -> float | None:
        if self._attempts >= self._client.retries:
            return None
        from random import uniform  # noqa: PLC0415  (needed by few)

        pause = max(asked or 0.0, uniform(0.5, 1.0) * min(8.0, 0.5 * 2**self._attempts))
        self._attempts += 1
        return pause if time.monotonic() + pause < min(self.deadline, self._end) else None

    def _log(self, outcome: str, response: httpx.Response | None) -> None:
        if _LOG.isEnabledFor(logging.INFO):
            asked = shown(response) if response is not None else self._asked
            named = request_id(response) if response is not None else ""
            _LOG.info(
                "%s -> %s%s in %.3f s", asked, outcome, f" ({named})" if named else "", time.monotonic() - self._sent
            )


def _without_key(error: Exception, header: str) -> None:
    """Take the key from what an error holds, since errors are logged, pickled and sent elsewhere."""
    if not isinstance(error, httpx.RequestError | httpx.HTTPStatusError):
        return
    with suppress(RuntimeError):  # it has no request
        request, secret = error.request, (header.lower(), "authorization", "cookie")
        headers = [(name, value) for name, value in request.headers.items() if name not in secret]
        error.request = httpx.Request(request.method, request.url, headers=headers)
        if isinstance(error, httpx.HTTPStatusError):
            error.response.request = error.request


class Client:
    """Where to send requests. It never follows a redirect, and may be used by many threads, event loops and processes.

    Args:
        base_url: scheme, host and perhaps a path prefix; the paths of the operations are added to it. If it is None, the environment's ``HOSTUP_BASE_URL`` or else
            https://cloud.hostup.se
        cookies: sent with each request
        headers: sent with each request; they go before this package's own Accept and User-Agent
        timeout: seconds for a whole request, 60 unless given; or an ``httpx.Timeout`` for its parts, within the same whole.
            Without one the parts are :data:`DEFAULT_TIMEOUT`, or what a given httpx client says
        verify_ssl: whether, or by which context, the server's certificate is verified
        httpx_args: further arguments for the httpx clients that are made here, such as ``transport`` or ``proxy``
        max_body_bytes: how large the body of any response may be, after decoding; what the document says of an operation
            goes before it where it is less
        retries: how often a request is sent again that was refused (429) or never sent, and also, where the document says that
            it may be repeated, after 502, 503, 504 and a response that did not arrive; all within the request's time
        application: name and perhaps version of your program, as in ``backup/1.2``: goes before this package's in User-Agent
        allow_plain_http: whether requests may be sent without TLS to another host than this one

    Raises:
        TypeError, ValueError: an argument is not what it has to be
    """

    def __init__(
        self,
        base_url: str | None = None,
        *,
        cookies: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float | httpx.Timeout | None = None,
        verify_ssl: bool | ssl.SSLContext = True,
        httpx_args: Mapping[str, Any] | None = None,
        max_body_bytes: int = DEFAULT_MAX_BODY_BYTES,
        retries: int = 0,
        application: str | None = None,
        allow_plain_http: bool = False,
    ) -> None:
        named = "base_url"
        if base_url is None:
            base_url = os.environ.get("HOSTUP_BASE_URL", "https://cloud.hostup.se")
            named = "HOSTUP_BASE_URL"
            if not base_url:
                raise ValueError(f"{named}: it is empty; unset it to send to https://cloud.hostup.se")
        try:
            url = httpx.URL(base_url)
        except httpx.InvalidURL:  # whose text may quote a password
            url = httpx.URL()
        if url.scheme not in ("http", "https") or not url.host or "?" in base_url or "#" in base_url:
            raise ValueError(
                f"{named}: expected http or https, a host, and neither query nor fragment, as in https://cloud.hostup.se"
            )
        if url.scheme == "http" and not allow_plain_http and not _is_loopback(url.host):
            raise ValueError(
                f"{named}: expected https, or a host on loopback, since http would show the key to the network; "
                "in Python, allow_plain_http=True allows it"
            )
        for name, value, least in (("max_body_bytes", max_body_bytes, 1), ("retries", retries, 0)):
            check(name, value, int)
            if value < least:
                raise ValueError(f"{name}: expected {least} or more")
        # Whatever stands before the host, httpx would log it.
        self._login = (url.username, url.password) if url.userinfo else None
        self._base_url = str(url.copy_with(userinfo=b"") if url.userinfo else base_url).rstrip("/")
        arguments = dict(httpx_args or {})
        more = httpx.Headers(arguments.pop("headers", None))
        spelled = {name.decode(more.encoding): value.decode(more.encoding) for name, value in more.raw}
        self._cookies = dict(cookies or {})
        self._headers = _merged(_HEADERS, spelled, headers or {})
        if application is not None:
            if not re.fullmatch(r"[ -~]+", application):
                raise ValueError("application: expected visible ASCII characters")
            self._headers = _merged(self._headers, {"User-Agent": f"{application} {_HEADERS['User-Agent']}"})
        set_total, self._phases = _times(timeout)
        if "timeout" in arguments:
            of_httpx = httpx.Timeout(arguments.pop("timeout"))
            self._phases = self._phases or of_httpx
        self.total = set_total if set_total is not None else DEFAULT_TOTAL
        """Seconds for a whole request."""
        self.max_body_bytes = max_body_bytes
        """How large the body of a response may be, after decoding."""
        self.retries = retries
        """How often a request is sent again."""
        self._arguments = {"verify": verify_ssl, **arguments}
        self._given: httpx.Client | None = None
        self._async_given: httpx.AsyncClient | None = None
        self._pool = _Pool(self, self._httpx_arguments())
        self._unlike: dict[str, str] = {}  # headers that the pool does not send by itself

    def _httpx_arguments(self) -> dict[str, Any]:
        return {
            "base_url": self._base_url,
            "headers": self._headers,
            "timeout": self._phases or DEFAULT_TIMEOUT,
            "limits": httpx.Limits(max_connections=CONCURRENCY, max_keepalive_connections=CONCURRENCY),
            # What a server wants to be remembered is not: callers share the connections.
            "cookies": CookieJar(policy=DefaultCookiePolicy(allowed_domains=[])),
            **self._arguments,
        }

    def __repr__(self) -> str:
        return f"{type(self).__name__}({httpx.URL(self._base_url)!r})"

    def __copy__(self) -> Self:
        other = self._like()
        other._pool = _Pool(other, other._httpx_arguments())
        other._unlike = {}
        return other

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return copy(self)  # what it is given, such as a transport, is not its own to copy

    def _like(self) -> Self:
        other = object.__new__(type(self))
        other.__dict__.update(self.__dict__)
        return other

    def __getstate__(self) -> dict[str, Any]:
        left_out = ("_pool", "_login", "_given", "_async_given")
        return {name: value for name, value in self.__dict__.items() if name not in left_out}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state, _login=None, _given=None, _async_given=None)
        self._pool = _Pool(self, self._httpx_arguments())

    def with_headers(self, headers: Mapping[str, str]) -> Self:
        """Make a client like this one with more headers, which shares its connections."""
        other = self._like()
        other._headers = _merged(self._headers, headers)
        other._unlike = _merged(self._unlike, headers)
        return other

    def with_cookies(self, cookies: Mapping[str, str]) -> Self:
        """Make a client like this one with more cookies, which shares its connections."""
        other = self._like()
        other._cookies = {**self._cookies, **cookies}
        return other

    def with_timeout(self, timeout: float | httpx.Timeout) -> Self:
        """Make a client like this one with another timeout, which shares its connections."""
        other = self._like()
        total, phases = _times(timeout)
        other.total = self.total if total is None else total
        other._phases = self._phases if phases is None else phases
        return other

    def set_httpx_client(self, client: httpx.Client) -> Self:
        """Send through ``client``, which stays yours to close. Base URL, headers, key and bounds still come from here."""
        _bound(client, WeakSet())
        self._given = client
        return self

    def set_async_httpx_client(self, async_client: httpx.AsyncClient) -> Self:
        """Send through ``async_client``, which stays yours to close. Base URL, headers and key still come from here."""
        self._async_given = async_client
        return self

    def get_httpx_client(self) -> httpx.Client:
        """The httpx client that was given, or else one that is made at the first call. It does not hold the key."""
        return self._given or self._pool.synchronous(self)

    def get_async_httpx_client(self) -> httpx.AsyncClient:
        """As :meth:`get_httpx_client`, for asynchronous calls, and one for each event loop."""
        return self._async_given or self._pool.asynchronous(self).client

    def send(
        self,
        request: Mapping[str, Any],
        *,
        timeout: float | httpx.Timeout | None = None,
        headers: Mapping[str, str] | None = None,
        repeatable: bool = False,
        again: Again | None = None,
        end: float = float("inf"),
        latest: float = float("inf"),
        largest_body: int | None = None,
    ) -> httpx.Response:
        """Send the request of an operation.

        Args:
            request: what it consists of
            timeout: as of the client, for this request
            headers: sent with this request, before those of the client
            repeatable: whether it may be sent again although it may have been answered, if the client has ``retries``
            again: asked of each response, in the place of ``retries``
            end: when the wait that it is part of ends, by ``time.monotonic()``; it ends :data:`GRACE` later at most
            latest: when it is too late to send it, by ``time.monotonic()``
            largest_body: bytes that the body of a success may have, if fewer than the client takes

        Raises:
            TypeError, ValueError: something cannot be sent; nothing was sent
            TooLarge: the body is larger than it may be
            httpx.RequestError: no response came, or not in time
        """
        one = _Request(self, request, timeout, headers, repeatable, again, end, latest, largest_body)
        while True:
            try:
                response = self._send(one, headers)
            except Exception as error:
                _without_key(error, getattr(self, "auth_header_name", ""))
                pause = one.failed(error)
                if pause is None:
                    raise
            else:
                pause = one.after(response)
                if pause is None:
                    return response
            time.sleep(pause)

    def _send(self, one: _Request, headers: Mapping[str, str] | None) -> httpx.Response:
        given = self._given
        client = given or self._pool.synchronous(self)
        with nullcontext() if given is not None else self._pool.slots:
            one.attempt()
            before, _HERE.deadline = getattr(_HERE, "deadline", None), one.deadline
            try:
                built, auth = self._build(one, headers, client)
                try:
                    response = client.send(built, auth=auth, stream=True, follow_redirects=False)
                except httpx.InvalidURL:
                    raise _no_location(built) from None
                try:
                    limit = one.largest(response)
                    if not _is_read(response, limit):
                        with _Body(response, limit, one.deadline) as body:
                            for chunk in response.iter_raw():
                                body.feed(chunk)
                            body.end()
                    if _holds_many_values(response.content):
                        raise _too_large(response, f"{MAX_VALUES} values")
                finally:
                    response.close()
                    response.stream = _OVER
            finally:
                _HERE.deadline = before
        return response

    async def asend(
        self,
        request: Mapping[str, Any],
        *,
        timeout: float | httpx.Timeout | None = None,
        headers: Mapping[str, str] | None = None,
        repeatable: bool = False,
        again: Again | None = None,
        end: float = float("inf"),
        latest: float = float("inf"),
        largest_body: int | None = None,
    ) -> httpx.Response:
        """As :meth:`send`, asynchronously."""
        import anyio  # noqa: PLC0415  (slow to import, and loaded by httpx only if asynchronous)

        one = _Request(self, request, timeout, headers, repeatable, again, end, latest, largest_body)
        while True:
            try:
                response = await self._asend(one, headers)
            except Exception as error:
                _without_key(error, getattr(self, "auth_header_name", ""))
                pause = one.failed(error)
                if pause is None:
                    raise
            else:
                pause = one.after(response)
                if pause is None:
                    return response
            await anyio.sleep(pause)

    async def _asend(self, one: _Request, headers: Mapping[str, str] | None) -> httpx.Response:
        if self._async_given is not None:
            return await self._exchange(one, headers, self._async_given)
        own = self._pool.asynchronous(self)
        async with own.slots or await own.begin():
            return await self._exchange(one, headers, own.client)

    async def _exchange(
        self, one: _Request, headers: Mapping[str, str] | None, client: httpx.AsyncClient
    ) -> httpx.Response:
        from anyio import move_on_after  # noqa: PLC0415

        one.attempt()
        built, auth = self._build(one, headers, client)
        # A little later than the parts, whose errors tell more.
        with move_on_after(one.deadline - time.monotonic() + 0.1):
            try:
                response = await client.send(built, auth=auth, stream=True, follow_redirects=False)
            except httpx.InvalidURL:
                raise _no_location(built) from None
            try:
                limit = one.largest(response)
                if not _is_read(response, limit):
                    with _Body(response, limit, one.deadline) as body:
                        async for chunk in response.aiter_raw():
                            body.feed(chunk)
                        body.end()
                if _holds_many_values(response.content):
                    raise _too_large(response, f"{MAX_VALUES} values")
            finally:
                await response.aclose()
                response.stream = _OVER
            return response
        raise httpx.ReadTimeout("the response was not complete in time", request=built)

    def _authority(self) -> tuple[dict[str, str], Any]:
        """Return as whom to send: headers, and httpx's auth."""
        return {}, httpx.BasicAuth(*self._login) if self._login else httpx.USE_CLIENT_DEFAULT

    def _build(
        self, one: _Request, headers: Mapping[str, str] | None, client: httpx.Client | httpx.AsyncClient
    ) -> tuple[httpx.Request, Any]:
        authority, auth = self._authority()
        arguments = dict(one.request)
        arguments["url"] = self._base_url + arguments["url"]
        if client.params:  # httpx would put them in the place of the query
            arguments["url"], _, arguments["params"] = arguments["url"].partition("?")
        is_given = client is self._given or client is self._async_given
        cookies = {**self._cookies, **arguments.pop("cookies", {})}
        own = self._headers if is_given else self._unlike
        if cookies:
            # As a header, since httpx would keep the cookies of one request for the next.
            authority["Cookie"] = "; ".join(f"{name}={value}" for name, value in cookies.items())
        parts = [part for part in (own, arguments.get("headers"), headers, authority) if part]
        arguments["headers"] = sent = _merged(*parts) if len(parts) != 1 else parts[0]  # mostly that of the key alone
        timeout = one.phases(self._phases, client.timeout if is_given else self._pool.phases, self._pool.longest)
        if is_given or client.params or client.cookies:
            if timeout is not None:
                arguments["timeout"] = timeout
            return client.build_request(**arguments), auth
        # What build_request makes, without its costs: they are a tenth of a call.
        names = {name.lower().encode() for name in sent}
        like_all: list[tuple[Any, Any]] = [pair for pair in client.headers.raw if pair[0].lower() not in names]
        arguments["headers"] = like_all + list(sent.items())
        extensions = {"timeout": (timeout or client.timeout).as_dict()}
        return httpx.Request(**arguments, extensions=extensions), auth

    def close(self) -> None:
        """Close the connections that were made here, unless another client shares them; the next call makes new ones."""
        own = self._pool.release(self)
        if own is not None:
            own.close()

    async def aclose(self) -> None:
        """As :meth:`close`, for asynchronous calls of this event loop."""
        for own in self._pool.release_asynchronous(self):
            await own.end()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.aclose()


class AuthenticatedClient(Client):
    """A client with a key (RFC 6750). A new key takes effect as soon as it is assigned to ``token``.

    Neither its repr nor a pickle holds the key. One that was unpickled takes it from the environment if the first one did, or sends nothing until it is given a key again.

    Args:
        base_url: as for :class:`Client`, and so are all other arguments not named here
        token: the key; if it is None, the environment's ``HOSTUP_API_KEY``
        prefix: goes before the key, with a space; the empty string for none
        auth_header_name: the header that carries the key

    Raises:
        TypeError, ValueError: an argument is not what it has to be, or there is no key
    """

    token: str
    prefix: str
    auth_header_name: str

    def __init__(
        self,
        base_url: str | None = None,
        token: str | None = None,
        prefix: str = "Bearer",
        auth_header_name: str = "Authorization",
        *,
        cookies: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float | httpx.Timeout | None = None,
        verify_ssl: bool | ssl.SSLContext = True,
        httpx_args: Mapping[str, Any] | None = None,
        max_body_bytes: int = DEFAULT_MAX_BODY_BYTES,
        retries: int = 0,
        application: str | None = None,
        allow_plain_http: bool = False,
    ) -> None:
        super().__init__(
            base_url,
            cookies=cookies,
            headers=headers,
            timeout=timeout,
            verify_ssl=verify_ssl,
            httpx_args=httpx_args,
            max_body_bytes=max_body_bytes,
            retries=retries,
            application=application,
            allow_plain_http=allow_plain_http,
        )
        self.prefix = prefix
        self.auth_header_name = auth_header_name
        self._is_of_environment = token is None
        if token is None:
            token = os.environ.get("HOSTUP_API_KEY") or None
            if token is None:
                raise ValueError("token: give an API key, or set HOSTUP_API_KEY")
            _check_token("HOSTUP_API_KEY", token, prefix)
        self.token = token
        self._authority()

    def __getstate__(self) -> dict[str, Any]:
        return {**super().__getstate__(), "token": ""}

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        if self._is_of_environment:
            self.token = os.environ.get("HOSTUP_API_KEY", "")

    def _authority(self) -> tuple[dict[str, str], Any]:
        # Checked here, since the error of a later check would quote the header.
        check("token", self.token, str)
        if not self.token:
            raise Unsendable("token: there is none; assign one to it, which a client from a pickle needs")
        _check_token("token", self.token, self.prefix)
        if not _VISIBLE.fullmatch(self.prefix or "-"):
            raise Unsendable("prefix: expected visible ASCII characters alone")
        # With no auth of httpx, so that neither a given client's own nor a user name in the URL takes its place.
        return {self.auth_header_name: f"{self.prefix} {self.token}" if self.prefix else self.token}, None
