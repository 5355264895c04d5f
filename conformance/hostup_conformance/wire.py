"""Sends requests, byte for byte, and bounds everything that comes back in time and size.

Below httpx, on httpcore: dot segments must reach the server, and what it sends beyond its answer must be seen.
"""

from __future__ import annotations

import re
import socket
import ssl
import threading
import time
import zlib
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import parse_qsl, urlsplit

import certifi
import httpcore
import httpx

from hostup_conformance.exchange import LARGEST_LINUX_PID, Answer, Ask, Exchange, Headers, Request, understand
from hostup_conformance.redact import Redactor
from hostup_conformance.times import retry_after_seconds

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hostup_conformance.target import Target

#: The methods that change nothing (RFC 9110 section 9.2.1), and all that a live server gets.
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
#: Nothing listens; the time is up; or whatever else is wrong.
FailureKind = Literal["refused", "timeout", "broken"]
#: Seconds that a start is worth waiting for.
A_MOMENT = 5.0
#: How many requests may be under way, where their order does not matter and the server is slow.
AT_ONCE = 4
#: Linux alone has it.
QUICK_ACKNOWLEDGEMENT: int | None = getattr(socket, "TCP_QUICKACK", None)


@dataclass(frozen=True)
class Limits:
    """How far a server may go. Times in seconds, sizes in bytes."""

    request_seconds: float = 10.0
    #: After a first timeout the server has shown what it does; it need not be shown at length.
    next_seconds: float = 4.0
    run_seconds: float = 110.0
    #: Two streams of 16 MiB, each byte escaped as \u00XX.
    body_bytes: int = 200 * 2**20
    #: How many requests may time out, and how many may fail in whatever way.
    timeouts: int = 3
    failures: int = 8
    waiting_seconds: float = 45.0
    #: How often one request is sent again because of a 429.
    repetitions: int = 3
    requests: int | None = None


class Stopped(Exception):
    """The run sends no more; the message says why."""


class Withheld(Exception):
    """This request is not sent, for safety; the message says why."""


class Wire:
    """The one way to the target. Records every exchange."""

    def __init__(self, target: Target, limits: Limits, *, live: bool = False) -> None:
        self.target, self.limits = target, limits
        #: A server that may be somebody's: see Safety in the README.
        self.careful = live or not target.is_loopback
        self.exchanges: list[Exchange] = []
        self.stopped: str | None = None
        self._began = time.monotonic()
        self._waited = 0.0
        self._failures = self._timeouts = 0
        parts = urlsplit(target.base_url)
        self._prefix, self._netloc = parts.path, parts.netloc
        self._origin: tuple[bytes, bytes, int | None] = (
            parts.scheme.encode(),
            (parts.hostname or "").encode(),
            parts.port,
        )
        self._backend = Watched()
        context = ssl.create_default_context(cafile=certifi.where())
        with suppress(ssl.SSLError, OSError):
            context.load_default_certs()
        self._kept, self._fresh = (
            httpcore.ConnectionPool(
                ssl_context=context,
                network_backend=self._backend,
                max_connections=AT_ONCE,
                max_keepalive_connections=keepalive,
            )
            for keepalive in (AT_ONCE, 0)
        )
        self._lock = threading.Lock()

    def close(self) -> None:
        """Close all connections."""
        self._kept.close()
        self._fresh.close()

    def send(
        self,
        request: Request,
        *,
        purpose: str,
        source: Literal["probe", "generated"] = "probe",
    ) -> Exchange:
        """Send a request and return its exchange; wait and send again while the server says 429 unasked.

        Raises `Stopped` when the run's bounds are used up, and `Withheld` for a request that is not safe.
        """
        self.check_safe(request)
        for repetition in count():
            self._check_bounds()
            exchange = self._exchange(request, purpose, source)
            with self._lock:
                exchange.number = len(self.exchanges) + 1
                self.exchanges.append(exchange)
            if exchange.status != 429 or exchange.obeyed:
                return exchange
            limited = f"the server answers 429 to one request {repetition + 1} times, whatever we wait"
            if exchange.asks_start and (repetition == self.limits.repetitions or seconds_asked(exchange) > A_MOMENT):
                raise Withheld(limited)  # the probe can do without commands
            if repetition == self.limits.repetitions:
                raise self.stop(limited)
            self._wait(exchange)
        raise AssertionError("unreachable: the count has no end")

    def stop(self, reason: str) -> Stopped:
        """Send nothing from now on."""
        self.stopped = self.stopped or reason
        return Stopped(self.stopped)

    def check_safe(self, request: Request) -> None:
        """Raise `Withheld` for a request that could do harm to a server not our own, or that was not allowed."""
        starts = request.method == "POST" and bool(request.body)
        if starts and not self.target.allow_exec:
            raise Withheld("a command is not started without --allow-exec")
        if not self.careful:
            return
        ask = understand(request, self.target)
        if starts and ask.vps not in {"own", "unknown"}:
            raise Withheld("a command is started on no other VPS than the given one")
        if not starts and request.method not in SAFE_METHODS:
            raise Withheld(f"{request.method} is not sent to a server that is not on loopback, or with --live")
        if Redactor(self.target.secrets).finds_in(request.target):
            raise Withheld("a key in a URL is not sent to a server that is not on loopback, or with --live")
        if not self._is_nobodys_pid(request, ask):
            raise Withheld("a pid that may be somebody's command is not polled: the poll would take its output away")

    def _is_nobodys_pid(self, request: Request, ask: Ask) -> bool:
        """Whether no poll in the request can meet a command that we were not given.

        A Linux guest has no pids above 4194304, and Windows has even ones alone.
        """
        if (
            ask.pid in {"finished", "running", "started", "absent", "impossible", "empty"}
            or request.method == "OPTIONS"
        ):
            return True
        if ask.vps == "unavailable" and self.target.finished_pid:
            pids = {self.target.finished_pid, self.target.running_pid}
        else:
            pids = {self.target.running_pid}
        values = [value for name, value in parse_qsl(urlsplit(request.target).query) if name == "pid"]
        numbers = [int(digits[0]) for value in values if (digits := re.match(r"\d{1,30}", value))]
        return all(number in pids or (number > LARGEST_LINUX_PID and number % 2) for number in numbers)

    def _check_bounds(self) -> None:
        if self.stopped:
            raise Stopped(self.stopped)
        if self.limits.requests is not None and len(self.exchanges) >= self.limits.requests:
            raise self.stop(f"the budget of {self.limits.requests} requests is used up (--max-requests)")
        if time.monotonic() - self._began > self.limits.run_seconds:
            raise self.stop(f"the run's {self.limits.run_seconds:g} seconds are used up")

    def _count_failure(self, error: Unanswered) -> None:
        with self._lock:
            self._failures += 1
            self._timeouts += error.kind == "timeout"
        if error.kind == "refused":
            self.stop("the server does not accept connections")
        if self._failures >= self.limits.failures or self._timeouts >= self.limits.timeouts:
            self.stop(f"{self._failures} requests got no whole answer")

    def _wait(self, exchange: Exchange) -> None:
        seconds = seconds_asked(exchange)
        if self._waited + seconds > self.limits.waiting_seconds:
            raise self.stop(f"the server limits our rate (429) for longer than {self.limits.waiting_seconds:g} seconds")
        self._waited += seconds
        time.sleep(seconds)

    def _exchange(self, request: Request, purpose: str, source: Literal["probe", "generated"]) -> Exchange:
        seconds = self.limits.next_seconds if self._timeouts else self.limits.request_seconds
        started, when = time.monotonic(), datetime.now(UTC)
        ask = understand(request, self.target)
        # The agent forgets an ended command once it has reported it: that poll must not need to be sent twice.
        pool = self._fresh if ask.pid == "finished" else self._kept
        answer, failure = None, None
        try:
            answer = self._attempt(request, pool, seconds)
        except Unanswered as error:
            failure = str(error)
            self._count_failure(error)
        return Exchange(
            number=0,  # given when it is recorded
            request=request,
            answer=answer,
            ask=ask,
            failure=failure,
            seconds=time.monotonic() - started,
            when=when,
            purpose=purpose,
            source=source,
        )

    def _attempt(self, request: Request, pool: httpcore.ConnectionPool, seconds: float) -> Answer:
        """Send once; once more if a connection that was kept open turns out to be closed."""
        watch = self._backend.begin(seconds)
        try:
            return self._roundtrip(request, pool)
        except (httpcore.RemoteProtocolError, httpcore.ReadError, httpcore.WriteError) as error:
            if watch.connected or watch.received:
                raise Unanswered(f"broken answer: {error}") from None
        except httpcore.TimeoutException:
            raise Unanswered(f"no whole answer within {seconds:g} seconds", "timeout") from None
        except httpcore.ConnectError as error:
            kind: FailureKind = "refused" if "refused" in str(error) else "broken"
            raise Unanswered(f"connection failed: {error}".replace("\n", " "), kind) from None
        except (httpcore.NetworkError, httpcore.ProtocolError, OSError) as error:
            raise Unanswered(f"{type(error).__name__}: {error}") from None
        return self._attempt(request, pool, seconds)

    def _roundtrip(self, request: Request, pool: httpcore.ConnectionPool) -> Answer:
        headers = [("Host", self._netloc), *request.headers]
        if request.body:
            headers.append(("Content-Length", str(len(request.body))))
        scheme, host, port = self._origin
        url = httpcore.URL(scheme=scheme, host=host, port=port, target=(self._prefix + request.target).encode("ascii"))
        raw = [(name.encode("ascii"), value.encode("latin-1")) for name, value in headers]
        with pool.stream(request.method, url, headers=raw, content=request.body or None) as response:
            body = self._body(response.iter_stream())
            surplus = self._backend.watch.surplus(response.status, request.method)
            answered: Headers = tuple((k.decode("latin-1"), v.decode("latin-1")) for k, v in response.headers)
            status = response.status
        body, miscoded = decode_content(body, answered, self.limits.body_bytes)
        return Answer(status, answered, body, surplus, miscoded)

    def _body(self, chunks: Iterable[bytes]) -> bytes:
        body = bytearray()
        for chunk in chunks:
            body += chunk
            if len(body) > self.limits.body_bytes:
                raise Unanswered(f"a body of more than {self.limits.body_bytes >> 20} MiB")
        return bytes(body)


def seconds_asked(limited: Exchange) -> float:
    """Return how long a 429 asks to wait; without a usable Retry-After, the second that a patient client would try."""
    seconds = retry_after_seconds(limited.header("retry-after"), datetime.now(UTC))
    return max(seconds if seconds is not None else 1.0, 0.05)


class Unanswered(Exception):
    """No whole, bounded answer came."""

    def __init__(self, text: str, kind: FailureKind = "broken") -> None:
        super().__init__(text)
        self.kind = kind


def decode_content(body: bytes, headers: Headers, limit: int) -> tuple[bytes, str | None]:
    """Undo the content coding within a size; return the body and what was wrong with the coding."""
    coding = next((value.strip().lower() for name, value in headers if name.lower() == "content-encoding"), "identity")
    if coding in {"identity", ""} or not body:
        return body, None
    if coding not in {"gzip", "x-gzip", "deflate"}:
        return body, f"Content-Encoding {coding} was not asked for"
    decompressor = zlib.decompressobj(zlib.MAX_WBITS | 32)
    try:
        decoded = decompressor.decompress(body, limit)
    except zlib.error:
        return body, f"the body is not {coding}"
    if decompressor.unconsumed_tail:
        raise Unanswered(f"a body that decompresses to more than {limit >> 20} MiB")
    return decoded, None if decompressor.eof else f"the {coding} body is cut short"


@dataclass
class Watch:
    """One request's deadline, and what was received for it."""

    deadline: float
    connected: bool = False
    received: int = 0
    head: bytearray = field(default_factory=bytearray)

    def remaining(self) -> float:
        """Return the seconds left; raise `httpcore.ReadTimeout` when there are none."""
        if (left := self.deadline - time.monotonic()) <= 0:
            raise httpcore.ReadTimeout
        return left

    def count(self, data: bytes) -> bytes:
        """Note what was received; keep enough of it to find the end of the header section."""
        self.received += len(data)
        if len(self.head) < 2**17:
            self.head += data
        return data

    def surplus(self, status: int, method: str) -> str | None:
        """Say whether more was received than the header section declares."""
        head, _, _ = bytes(self.head).partition(b"\r\n\r\n")
        if head.startswith(b"HTTP/1.1 1"):
            return None
        names = dict(line.lower().partition(b":")[::2] for line in head.split(b"\r\n")[1:])
        length = names.get(b"content-length", b"").strip()
        if b"transfer-encoding" in names or not length.isdigit():
            return None
        declared = 0 if method == "HEAD" or status in {204, 304} else int(length)
        extra = self.received - len(head) - 4 - declared
        return f"{extra} bytes more than the answer declares" if extra > 0 else None


class Watched(httpcore.NetworkBackend):
    """A network on which every thread's request has one deadline, and every byte received for it is counted."""

    def __init__(self) -> None:
        self._network = httpcore.SyncBackend()
        self._of_thread = threading.local()

    def begin(self, seconds: float) -> Watch:
        """Start the clock and the count for a request of this thread."""
        self._of_thread.watch = Watch(time.monotonic() + seconds)
        return self.watch

    @property
    def watch(self) -> Watch:
        """The watch over this thread's request."""
        watch: Watch = self._of_thread.watch
        return watch

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ARG002 - the deadline decides
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """Connect within what is left of the request's time."""
        seconds = min(self.watch.remaining(), 5)
        try:
            stream = self._network.connect_tcp(host, port, seconds, local_address, socket_options)
        except httpcore.ConnectTimeout:
            raise httpcore.ConnectError(f"no connection within {seconds:.0f} seconds") from None
        self.watch.connected = True
        return WatchedStream(stream, self)


class WatchedStream(httpcore.NetworkStream):
    """A connection whose reads and writes end at the request's deadline."""

    def __init__(self, stream: httpcore.NetworkStream, network: Watched) -> None:
        self._stream, self._network = stream, network

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ARG002
        """Read and count; acknowledge at once, or servers that send in two writes wait 40 ms for it."""
        if QUICK_ACKNOWLEDGEMENT is not None and (connection := self._stream.get_extra_info("socket")):
            connection.setsockopt(socket.IPPROTO_TCP, QUICK_ACKNOWLEDGEMENT, 1)
        watch = self._network.watch
        return watch.count(self._stream.read(max_bytes, watch.remaining()))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ARG002
        """Write."""
        self._stream.write(buffer, self._network.watch.remaining())

    def close(self) -> None:
        """Close the connection."""
        self._stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ARG002
    ) -> httpcore.NetworkStream:
        """Begin TLS on the connection."""
        stream = self._stream.start_tls(ssl_context, server_hostname, self._network.watch.remaining())
        return WatchedStream(stream, self._network)

    def get_extra_info(self, info: str) -> Any:
        """Return what httpcore asks of the connection below."""
        return self._stream.get_extra_info(info)


class WireTransport(httpx.BaseTransport):
    """Lets an httpx client, and so the generated one, send through the wire."""

    def __init__(self, wire: Wire, purpose: str) -> None:
        self._wire, self._purpose = wire, purpose
        self.exchange: Exchange | None = None

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send; raise httpx's own error where no answer came."""
        base = urlsplit(self._wire.target.base_url).path
        target = request.url.raw_path.decode("ascii").removeprefix(base)
        dropped = {"host", "connection", "content-length"}
        headers = tuple((k, v) for k, v in request.headers.multi_items() if k.lower() not in dropped)
        self.exchange = self._wire.send(Request(request.method, target, headers, request.read()), purpose=self._purpose)
        if self.exchange.answer is None:
            raise httpx.ReadError(self.exchange.failure or "", request=request)
        return self.exchange.answer.as_httpx(request)
