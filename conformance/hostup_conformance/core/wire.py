"""Sends requests byte for byte, and bounds the time and the size of everything that comes back.

It must not know what a request is about: a classifier tells it, and a policy decides what may be sent. It uses httpcore
rather than httpx, since dot segments have to reach the server, and bytes beyond the response have to be noticed.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from io import BytesIO
from itertools import count
from typing import TYPE_CHECKING, Generic
from urllib.parse import urlsplit

import httpcore

from hostup_conformance.core.exchange import A, Classifier, Exchange
from hostup_conformance.core.json_text import count_values
from hostup_conformance.core.messages import Headers, Request, Response, firsts
from hostup_conformance.core.network import TooLarge, Unanswered, Watch, Watched, decode_content
from hostup_conformance.core.route import DIRECT, Pool, Route
from hostup_conformance.core.safe_text import counted
from hostup_conformance.core.times import reset_moment, retry_after_seconds

if TYPE_CHECKING:
    from collections.abc import Iterable

#: How many requests are sent at once to a slow server, if their order does not matter.
AT_ONCE = 4
#: The greatest number of connections, and of requests that are sent at once on purpose.
CONNECTIONS = 8
#: The longest Retry-After, in seconds, that is waited for before a request that the run can do without.
A_MOMENT = 5.0
#: The size (in bytes) from which a body is large, and after how many bodies above their limit no large one is read.
LARGE, ENOUGH = 1 << 20, 3
#: How many characters of a library's message are kept.
QUOTED = 1000
#: No response needs more header fields.
MOST_FIELDS = 1000
#: The bytes of a character in UTF-8 after its first.
CONTINUATION = bytes(range(0x80, 0xC0))
#: A character above U+FFFF, in UTF-8 or as a JSON escape.
WIDE = re.compile(rb"[\xf0-\xf7]|\\u[Dd][89ABab]")


@dataclass(frozen=True)
class Limits:
    """How long a server may take, and how much it may send. Times are in seconds, sizes in bytes."""

    request_seconds: float = 10.0
    #: The time limit of a request before any has got a response: an instance may have to be started first.
    first_seconds: float = 30.0
    #: The time limit of a request after the first timeout: one slow response is enough to judge.
    next_seconds: float = 4.0
    run_seconds: float = 110.0
    #: The largest body of one response, whatever its kind, and of all responses together.
    body_bytes: int = 200 * 2**20
    kept_bytes: int = 256 * 2**20
    #: The same for JSON values and header fields, which need more memory than their text.
    values: int = 100_000
    kept_values: int = 1_000_000
    #: The numbers of timeouts, and of failures of any kind, that end the run.
    timeouts: int = 3
    failures: int = 8
    #: How long the run may wait for the server's rate limits in all.
    waiting_seconds: float = 65.0
    #: How many requests may be sent in a second; None for no limit.
    rate: float | None = None
    #: How many times a request is sent again after a 429.
    repetitions: int = 3
    #: How long one waits before a request is sent again that met a failure which may pass.
    pauses: tuple[float, ...] = (0.25, 0.75, 1.5, 2.5)
    requests: int | None = None


class Stopped(Exception):
    """The run sends nothing more. The message says why."""


class Withheld(Exception):
    """This request is not sent, mostly for safety. The message says why."""


#: Raises `Withheld` for a request that must not be sent, given what it asks for and the exchanges before it.
Policy = Callable[[Request, A, Sequence[Exchange[A]]], None]
#: Whether a response is a failure that may be transient: that of a gateway while its server restarts, for instance.
Transient = Callable[[Exchange[A]], bool]


class Wire(Generic[A]):
    """The one way to the server at a base URL. It records every exchange."""

    def __init__(
        self,
        base_url: str,
        limits: Limits,
        classify: Classifier[A],
        policy: Policy[A],
        transient: Transient[A] = lambda _: False,
        route: Route = DIRECT,
    ) -> None:
        self.base_url, self.limits, self._route = base_url, limits, route
        self.exchanges: list[Exchange[A]] = []
        #: Why nothing more is sent, once that is so.
        self.stopped: str | None = None
        self._classify, self._policy, self._transient = classify, policy, transient
        self._began = time.monotonic()
        self._failures = self._timeouts = 0
        self._kept_bytes = self._kept_values = self._too_large = 0
        #: Held while a large response is read: several at once would need too much memory.
        self._one_large = threading.Lock()
        #: Until when (monotonic) the server asked for no requests, and how long the run has waited so far, in seconds.
        self._closed_until = self._waited = 0.0
        #: When (monotonic) our own rate allows the next request.
        self._next_turn = 0.0
        self._aborted = threading.Event()
        #: How many requests in a row have failed for good, and whether any request has worked.
        self._lasting, self._worked = 0, False
        self._responded = False
        #: How many requests are waiting for their response, and how many have been sent, those included.
        self._under_way = self._granted = 0
        #: Whether no connection is kept open for what is sent once.
        self._sparing = False
        #: Whether requests are sent one at a time, since the server could not take several.
        self.one_at_a_time = False
        self._one = threading.Lock()
        parts = urlsplit(base_url)
        self._prefix, self._netloc = parts.path, parts.netloc
        self._origin: tuple[bytes, bytes, int | None] = (
            parts.scheme.encode(),
            (parts.hostname or "").encode(),
            parts.port,
        )
        self._backend = Watched()
        context = route.context()
        self._kept, self._fresh = (
            route.pool(self._backend, context, most=CONNECTIONS, kept=kept) for kept in (CONNECTIONS, 0)
        )
        self._lock = threading.Lock()

    def close(self) -> None:
        """Close all connections."""
        self._kept.close()
        self._fresh.close()

    def close_idle_connections(self) -> None:
        """Close the connections that are kept open, while no request is under way.

        Each may occupy a worker of the server, and one with few workers would keep new connections waiting. So what is
        sent once has connections of its own from now on.
        """
        self._sparing = True
        self._kept.close()

    def abort(self, reason: str) -> None:
        """Send nothing from now on, and break off the requests that are under way: they count as not sent."""
        self.stop(reason)
        self._aborted.set()
        self._backend.abort()

    def wait(self, seconds: float) -> None:
        """Return after so many seconds, or as soon as the sending is broken off."""
        self._aborted.wait(seconds)

    def send(
        self,
        request: Request,
        *,
        purpose: str,
        source: str = "probe",
        once: bool = False,
    ) -> Exchange[A]:
        """Send a request and return its exchange.

        Unless `once`, it is sent again after a 429 that it did not order, and after a failure that may be transient.
        The next request, in whichever thread, obeys a Retry-After that came with either or with a 503.

        Raises:
            Stopped: a bound of the run is reached
            Withheld: the request is not safe, or the run does without it
        """
        self.check(request)
        if once:
            return self._send_in_turn(request, purpose, source, once=True)
        failed: list[Exchange[A]] = []
        while self._may_pass(exchange := self._send_in_turn(request, purpose, source)):
            failed.append(exchange)
            if not self._pause(exchange, len(failed)):
                self._give_up(exchange)
                return exchange
        for failure in failed:
            failure.recovered = exchange.response is not None
        if exchange.response:
            self._worked, self._lasting = True, 0
        return exchange

    def _may_pass(self, exchange: Exchange[A]) -> bool:
        """Whether the same request may be sent again, and might then get another response."""
        if exchange.lost == "refused":
            return True
        return exchange.ask.repeatable and (exchange.lost == "dropped" or self._transient(exchange))

    def _pause(self, exchange: Exchange[A], failures: int) -> bool:
        """Let nobody send for a moment, so that a failure may pass; return whether that is worth it."""
        most = 1 if exchange.lost == "dropped" else len(self.limits.pauses)
        if failures > most or self._lasting > 1 or self.stopped:
            return False
        with self._lock:
            self._closed_until = max(self._closed_until, time.monotonic() + self.limits.pauses[failures - 1])
        return True

    def _give_up(self, exchange: Exchange[A]) -> None:
        """Note that a request failed for good; end the run if the server has shown nothing but failures."""
        self._lasting += 1
        if exchange.lost == "refused":
            self.stop("the server does not accept connections")
        elif self._lasting > 1 and not self._worked:
            self.stop(f"every request got {f'status {exchange.status}' if exchange.status else 'no response'}")

    def _send_in_turn(self, request: Request, purpose: str, source: str, *, once: bool = False) -> Exchange[A]:
        """Send a request, and again while it gets a 429 that it did not order, unless `once`."""
        # Whoever has to wait keeps its turn, or it would meet the next 429 whenever another request was first.
        turn = None if once else self._one
        with ExitStack() as held:
            for repetition in count():
                if turn and self.one_at_a_time:
                    held.enter_context(turn)
                    turn = None
                exchange = self._send_once(request, purpose, source, once=once)
                if exchange.status != 429 or exchange.obeyed:
                    return exchange
                if once:
                    self._close(exchange)
                    return exchange
                times = counted(repetition + 1, "time")
                limited = f"the server responded 429 to one request {times}, although each was waited out"
                if exchange.ask.dispensable and (
                    repetition == self.limits.repetitions or seconds_asked(exchange) > A_MOMENT
                ):
                    raise Withheld(limited)  # the run can do without it
                if repetition == self.limits.repetitions:
                    raise self.stop(limited)
                self._close(exchange)
        raise AssertionError("unreachable: the count has no end")

    def _send_once(self, request: Request, purpose: str, source: str, *, once: bool) -> Exchange[A]:
        """Send a request when its time has come, record the exchange, and heed what the response says of waiting."""
        self._check_bounds()
        exchange = self._exchange_among_others(request, purpose, source, once=once)
        if self._aborted.is_set() and exchange.response is None:
            raise Stopped(self.stopped or "")
        self.record(exchange)
        if not once:
            self._heed_limit(exchange)
        may_wait = exchange.status == 503 or self._transient(exchange)
        if may_wait and not exchange.obeyed and retry_after(exchange) is not None:
            self._close(exchange)
        return exchange

    def _exchange_among_others(self, request: Request, purpose: str, source: str, *, once: bool) -> Exchange[A]:
        """Send a request once, and note whether it failed because others were under way."""
        before = self._under_way - 1
        try:
            exchange = self._exchange(request, purpose, source, once=once)
        finally:
            with self._lock:
                self._under_way -= 1
        refused = exchange.lost in {"refused", "dropped"} or exchange.status == 429 or self._transient(exchange)
        if refused and not exchange.obeyed and not once and (before or self._under_way):
            self.one_at_a_time = True
        return exchange

    def stop(self, reason: str) -> Stopped:
        """Send nothing from now on; return the exception to raise."""
        self.stopped = self.stopped or reason
        return Stopped(self.stopped)

    def check(self, request: Request) -> A:
        """Return what a request asks for; raise `Withheld` if the policy does not allow it."""
        ask = self._classify(request, self.exchanges)
        self._policy(request, ask, self.exchanges)
        return ask

    def record(self, exchange: Exchange[A]) -> None:
        """Number an exchange and add it to the others."""
        with self._lock:
            exchange.number = len(self.exchanges) + 1
            self.exchanges.append(exchange)

    def _check_bounds(self) -> None:
        """Wait until the next request may be sent.

        Raises:
            Stopped: no more requests may be sent
        """
        while True:
            if self.stopped:
                raise Stopped(self.stopped)
            if time.monotonic() - self._began > self.limits.run_seconds:
                raise self.stop(f"the run's {self.limits.run_seconds:g} seconds are used up (--max-seconds)")
            if (seconds := self._seconds_to_wait()) <= 0:
                return
            self.wait(seconds)

    def _seconds_to_wait(self) -> float:
        """Return how many seconds the next request has to wait; if none, count it.

        Raises:
            Stopped: the budget is used up
        """
        with self._lock:
            if self.limits.requests is not None and self._granted >= self.limits.requests:
                raise self.stop(f"the budget of {self.limits.requests} requests is used up (--max-requests)")
            now = time.monotonic()
            seconds = max(self._closed_until, self._next_turn) - now
            if seconds > 0:
                return seconds
            if self.limits.rate:
                self._next_turn = now + 1 / self.limits.rate
            self._granted += 1
            self._under_way += 1
            return 0.0

    def _heed_limit(self, exchange: Exchange[A]) -> None:
        """Hold back all requests until the rate limit resets, if a response says that it is used up.

        It is, if no more requests remain than are under way, since the server may not have counted those. If the wait
        would be longer than the run may wait, requests go on until the server responds with 429.
        """
        remaining = (exchange.header("x-ratelimit-remaining") or "").strip()
        reset = reset_moment(exchange.header("x-ratelimit-reset") or "", datetime.now(UTC))
        if not re.fullmatch("[0-9]{1,3}", remaining) or reset is None or exchange.status == 429:
            return
        with self._lock:
            if int(remaining) > self._under_way:
                return
            # In this order, so that a pause between the two clocks makes the wait longer, and not too short.
            seconds = max((reset - datetime.now(UTC)).total_seconds(), 0.0)
            until = time.monotonic() + seconds
            more = max(until - max(time.monotonic(), self._closed_until), 0.0)
            if self._waited + more <= self.limits.waiting_seconds:
                self._waited += more
                self._closed_until = max(until, self._closed_until)

    def _close(self, exchange: Exchange[A]) -> None:
        """Hold back all requests until a Retry-After has passed; stop the wire if that takes too long."""
        with self._lock:
            begin = max(time.monotonic(), self._closed_until)
            until = time.monotonic() + seconds_asked(exchange)
            more = max(until - begin, 0.0)
            if self._waited + more > self.limits.waiting_seconds:
                self.stop(
                    f"the server asks for a wait of more than {self.limits.waiting_seconds:g} seconds "
                    f"(Retry-After with {exchange.status}; --max-wait)"
                )
                return
            self._waited += more
            self._closed_until = max(until, self._closed_until)

    def _count_failure(self, error: Unanswered) -> None:
        with self._lock:
            self._failures += error.kind != "refused"
            self._timeouts += error.kind == "timeout"
        if error.kind in {"tls", "proxy"}:
            self.stop(str(error))
        if self._failures >= self.limits.failures or self._timeouts >= self.limits.timeouts:
            self.stop(f"{self._failures} requests got no whole response")

    def _exchange(self, request: Request, purpose: str, source: str, *, once: bool) -> Exchange[A]:
        seconds = self.limits.next_seconds if self._timeouts else self.limits.request_seconds
        if not self._responded and not self._timeouts:
            seconds = max(self.limits.first_seconds, seconds)
        started, when = time.monotonic(), datetime.now(UTC)
        ask = self._classify(request, self.exchanges)
        # A request on a kept connection may get lost and have to be sent again, which not every request may be.
        pool = self._kept if ask.repeatable and not (once and self._sparing) else self._fresh
        response, failure, too_large, lost = None, None, None, None
        try:
            response = self._attempt(request, ask, pool, seconds)
            self._responded = True
        except TooLarge as error:
            too_large = str(error)
            self._responded = True
            self._too_large += 1
        except Unanswered as error:
            failure, lost = str(error), error.lost
            if not self._aborted.is_set():
                self._count_failure(error)
        return Exchange(
            number=0,  # given when it is recorded
            request=request,
            response=response,
            ask=ask,
            failure=failure,
            too_large=too_large,
            lost=lost,
            seconds=time.monotonic() - started,
            when=when,
            purpose=purpose,
            source=source,
        )

    def _attempt(self, request: Request, ask: A, pool: Pool, seconds: float) -> Response:
        """Send the request, and again if a kept connection turns out to be closed."""
        watch = self._backend.begin(seconds)
        try:
            return self._roundtrip(request, ask, pool)
        except (
            httpcore.NetworkError,
            httpcore.ProtocolError,
            httpcore.ProxyError,
            httpcore.TimeoutException,
            OSError,
        ) as error:
            if failure := self._failure(error, watch, seconds):
                raise failure from None
        return self._attempt(request, ask, pool, seconds)

    def _failure(self, error: Exception, watch: Watch, seconds: float) -> Unanswered | None:
        """Return why there is no whole response; None if a kept connection had been closed in the meantime."""
        # The library may quote everything that it received.
        text = str(error)[:QUOTED].replace("\n", " ") or type(error).__name__
        if isinstance(error, httpcore.ProxyError):
            return Unanswered(f"the proxy {self._route.proxy_shown} does not connect to the server: {text}", "proxy")
        if self._route.proxy and isinstance(error, httpcore.ConnectError) and not watch.connected:
            return Unanswered(f"no connection to the proxy {self._route.proxy_shown}: {text}", "proxy")
        if "SSL" in text or (self._origin[0] == b"https" and watch.connected and not watch.secured):
            if not self._responded:
                return Unanswered.by_tls(text)
            # TLS is possible here: this one connection failed.
            return Unanswered(f"TLS broke down: {text}", "broken" if watch.received else "dropped")
        if isinstance(error, httpcore.TimeoutException):
            return Unanswered(f"no whole response within {seconds:g} seconds", "timeout")
        if isinstance(error, httpcore.ConnectError):
            # There never was a connection: the name is unknown, for instance, or nothing listens.
            return Unanswered(f"connection failed: {text}", "broken" if watch.connected else "refused")
        if isinstance(error, httpcore.RemoteProtocolError | httpcore.ReadError | httpcore.WriteError):
            if not (watch.connected or watch.received or self._aborted.is_set()):
                return None
            return Unanswered(f"broken response: {text}", "broken" if watch.received else "dropped")
        return Unanswered(f"{type(error).__name__}: {text}")

    def _roundtrip(self, request: Request, ask: A, pool: Pool) -> Response:
        headers = [("Host", self._netloc), *with_fields(request.headers, self._route.fields)]
        chunked = request.header("transfer-encoding") is not None
        if request.body and not chunked:
            headers.append(("Content-Length", str(len(request.body))))
        scheme, host, port = self._origin
        url = httpcore.URL(scheme=scheme, host=host, port=port, target=(self._prefix + request.target).encode("ascii"))
        raw = [(name.encode("ascii"), value.encode("latin-1")) for name, value in headers]
        content = iter([request.body]) if chunked else request.body or None
        with ExitStack() as turn:
            response = turn.enter_context(pool.stream(request.method, url, headers=raw, content=content))
            status = response.status
            if not (version := response.extensions.get("http_version", b"HTTP/1.1")).startswith(b"HTTP/1."):
                raise Unanswered(f"broken response: its status line says {version.decode('latin-1')}")
            if len(response.headers) > MOST_FIELDS:
                raise TooLarge(f"it has more than {MOST_FIELDS} header fields")
            limit = min(ask.longest_body(status), self.limits.body_bytes)
            if self._too_large >= ENOUGH:
                limit = min(limit, LARGE)
            take_turn = cache(lambda: turn.enter_context(self._one_large))
            body = read_within(limit, response.iter_stream(), take_turn)
            surplus = self._backend.watch.surplus(status, request.method)
            fields: Headers = tuple((k.decode("latin-1"), v.decode("latin-1")) for k, v in response.headers)
            if limit > LARGE and "content-encoding" in firsts(fields):
                take_turn()
            body, miscoded = decode_content(body, fields, limit)
            self._keep(body, fields)
        return Response(status, fields, body, surplus, miscoded)

    def _keep(self, body: bytes, fields: Headers) -> None:
        """Count a response that is kept; raise `TooLarge` if it needs too much memory, stop if all together do."""
        values = count_values(body)
        if values > self.limits.values:
            raise TooLarge(f"its body has more than {self.limits.values} JSON values")
        needed = bytes_in_memory(body)
        if needed > 2 * self.limits.body_bytes:
            raise TooLarge(f"its body needs more than {2 * self.limits.body_bytes >> 20} MiB of memory as text")
        with self._lock:
            self._kept_bytes += len(body)
            self._kept_values += values + len(fields)
            if self._kept_bytes > self.limits.kept_bytes or self._kept_values > self.limits.kept_values:
                self.stop(
                    f"the responses are larger than a run keeps ({self.limits.kept_bytes >> 20} MiB and "
                    f"{self.limits.kept_values} JSON values and header fields in all)"
                )


def with_fields(headers: Headers, more: Headers) -> Headers:
    """Return header fields with more of them, all cookies in one field (RFC 6265 section 5.4)."""
    cookies = "; ".join(value for name, value in (*headers, *more) if name.lower() == "cookie")
    if not more or not cookies:
        return (*headers, *more)
    return (*(pair for pair in (*headers, *more) if pair[0].lower() != "cookie"), ("Cookie", cookies))


def read_within(limit: int, chunks: Iterable[bytes], take_turn: Callable[[], object]) -> bytes:
    """Return a body; take the turn for large ones if it is one; raise `TooLarge` if it is longer than the limit."""
    body = BytesIO()  # which needs no copy at its end, as a list of the chunks would
    for chunk in chunks:
        body.write(chunk)
        if body.tell() > LARGE:
            take_turn()
        if body.tell() > limit:
            raise TooLarge(f"its body is larger than {limit / 2**20:g} MiB")
    return body.getvalue()


def bytes_in_memory(body: bytes) -> int:
    """Return how many bytes a body and its strings need as text: one rare character makes every character wide."""
    if len(body) < 2**20:
        return len(body)
    wide = 4 if WIDE.search(body) else 2 if not body.isascii() or b"\\u" in body else 1
    characters = len(body.translate(None, CONTINUATION))
    return characters * (1 if body.isascii() else wide) + wide * (characters - 5 * body.count(b"\\u"))


def retry_after(e: Exchange[A]) -> float | None:
    """Return how many seconds a response asks to wait, None if it does not ask."""
    return retry_after_seconds(e.header("retry-after"), datetime.now(UTC))


def seconds_asked(limited: Exchange[A]) -> float:
    """Return how many seconds a response asks to wait: one, as a patient client would, without a usable Retry-After."""
    seconds = retry_after(limited)
    return max(seconds if seconds is not None else 1.0, 0.05)
