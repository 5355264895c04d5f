"""One request: what it consists of, the evidence of how far it came, its body within bounds, and when it is sent again.

Whatever takes time is written once, as *steps*: a generator that yields an :class:`Attempt` to get its response, or a
number of seconds to sleep. ``perform`` of a client drives them with blocking calls, ``aperform`` with ``await``.
"""

from __future__ import annotations

import json
import logging
import re
import time
import zlib
from collections.abc import Callable, Generator, Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from io import BytesIO
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar
from urllib.parse import quote
from weakref import ref

import httpx

from .connections import AsyncLine, Line, is_loopback, leads_to, refuse_if_more_came
from .errors import InvalidResponse, StartLost, TooLarge, is_refusal, request_id, retry_after, shown, without_key
from .values import InvalidValue, Unset, as_text, check_seconds, parse, to_json

if TYPE_CHECKING:
    from .client import Client

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

GRACE = 10.0
"""Seconds that a request has beyond the end of a wait that it is part of, since its response may be the only one."""


class Unsendable(ValueError):
    """What was asked for cannot be sent, and nothing was."""


def without_tls(named: str) -> Unsendable:
    """Make the error of what would go to the network without TLS."""
    expected = "expected https, or a host on loopback without a proxy"
    why = "since http would show the key to the network; in Python, allow_plain_http=True allows it"
    return Unsendable(f"{named}: {expected}, {why}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Request(Generic[T_co]):
    """A request of an operation, and how its response is read.

    Args:
        method, target: of the request line; the base URL goes before the target
        reads: for each status that is a success, what reads the response
        headers: those that the document knows
        json: the body
        is_repeatable: whether it may be sent again although it may have been carried out
        starts_a_command: whether it is a :class:`StartLost` if its response is lost
        largest_body: bytes that the body of a success may have
    """

    method: str
    target: str
    reads: Mapping[int, Callable[[httpx.Response], T_co]]
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    json: Any = None
    is_repeatable: bool = False
    starts_a_command: bool = False
    largest_body: int | None = None

    def read(self, response: httpx.Response) -> T_co:
        """Read the body of a success.

        Raises:
            InvalidResponse: it is not what the document says
        """
        try:
            return self.reads[response.status_code](response)
        except InvalidValue as error:
            raise InvalidResponse(f"{error} ({response.status_code}: {shown(response)})", response) from None


def json_body(read: Callable[[Any], T]) -> Callable[[httpx.Response], T]:
    """Make what reads a response whose body is JSON."""
    return lambda response: read(parse(response.content))


def segment(value: object) -> str:
    """Write a value as a segment of a path."""
    return quote(as_text(value), safe="")


def query(parameters: Mapping[str, Any]) -> str:
    """Write the query, with its question mark if there is one; much cheaper than to hand httpx the parameters."""
    present = {name: to_json(value) for name, value in parameters.items() if not isinstance(value, Unset)}
    return f"?{httpx.QueryParams(present)}" if present else ""


def fields(parameters: Mapping[str, Any]) -> dict[str, str]:
    """Write header fields."""
    present = {name: to_json(value) for name, value in parameters.items() if not isinstance(value, Unset)}
    return {name: value if isinstance(value, str) else json.dumps(value) for name, value in present.items()}


_NAME = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE = re.compile(rb"(?:[^\0\s]+(?:[ \t]+[^\0\s]+)*)?")
_FRAMING = {b"content-length", b"transfer-encoding"}


def check_fields(fields: Iterable[tuple[bytes, bytes]], length: int) -> None:
    """Refuse header fields with what no field can have (RFC 9110, sections 5.1 and 5.5), without showing a value.

    A server would read no request, or another one, whose body is not as long as its header section says.

    Raises:
        Unsendable: there is one; nothing was sent
    """
    for name, value in fields:
        if not _NAME.fullmatch(name):
            raise Unsendable("headers: expected names of letters, digits and hyphens, or another mark of RFC 9110")
        if not _VALUE.fullmatch(value):
            flaw = "expected a value of one line, with no blank at its ends"
            raise Unsendable(f"headers: {name.decode()}: {flaw}")
        if name.lower() in _FRAMING and value != b"%d" % length:
            raise Unsendable(f"headers: {name.decode()}: expected none, since the client tells where the body ends")


class Evidence:
    """How far a request came, by what httpx's transport tells through its ``trace`` extension.

    The name of an exception is no evidence: hooks and transports that wrap others raise those of their own requests.
    """

    def __init__(self) -> None:
        self._is_handed_over = self._is_told = self._is_begun = self._is_seen = self._is_refused = False
        self._is_astray = False
        self.only_to: tuple[str, int] | None = None
        """The host and port that it may go to, on this machine, if it has no TLS."""
        self.is_once = False
        """Whether a transport that would send it a second time is stopped."""
        self.begins_by = float("inf")
        """When it is too late to send its first byte, by ``time.monotonic()``."""
        self._line: Callable[[], Line | AsyncLine | None] = lambda: None

    def handed_over(self, line: Line | AsyncLine) -> None:
        """Note that a client of httpx has it from now on.

        Raises:
            httpx.PoolTimeout: it is too late to send it
        """
        self._refuse_too_late()
        self._line, self._is_handed_over = ref(line), not line.client.is_closed

    def trace(self, event: str, info: Mapping[str, Any]) -> None:
        """Take an event of the transport."""
        self._is_told = True
        if self.only_to is not None:
            self._refuse_other_places(event, info)
        # A CONNECT to a proxy is told of with the same extension.
        if event.endswith(".send_request_headers.started") and info["request"].method != b"CONNECT":
            if self.is_once and self._is_begun and not self._is_refused:
                raise httpx.WriteError("a start that may have been carried out is not sent again")
            self._refuse_too_late()  # its connection may have taken long
            if (line := self._line()) is not None:
                refuse_if_more_came(line.client, self)
            self._is_begun, self._is_seen, self._is_refused = True, False, False
        if event == "http11.receive_response_headers.complete":
            self._is_refused = is_refusal(info["return_value"][1])
        if event == "http2.receive_response_headers.complete":
            self._is_seen, self._is_refused = True, is_refusal(info["return_value"][0])
        if event.startswith("http2.") and event.endswith(".failed") and is_goodbye(info["exception"]):
            self._is_begun = self._is_begun and self._is_seen

    async def atrace(self, event: str, info: Mapping[str, Any]) -> None:
        """As :meth:`trace`, for asynchronous transports."""
        self.trace(event, info)

    def _refuse_too_late(self) -> None:
        if time.monotonic() >= self.begins_by:
            raise httpx.PoolTimeout("the time was over before the command could be started")

    def _refuse_other_places(self, event: str, info: Mapping[str, Any]) -> None:
        if (place := leads_to(event, info)) is None:
            return
        host, port = place
        self._is_astray |= place != self.only_to if port is not None else not is_loopback(host)
        if self._is_astray and event.endswith(".started"):  # httpcore closes what it then sends nothing on
            raise without_tls(f"{host}, to which a proxy (NO_PROXY leaves a host out) or a resolver leads")

    @property
    def may_have_been_sent(self) -> bool:
        """Whether the request may have reached a server; so may any that its transport tells nothing of."""
        return self._is_handed_over and (self._is_begun or not self._is_told)


def is_goodbye(error: BaseException) -> bool:
    """Tell whether a server of HTTP/2 has said goodbye: it will not look at what it has not begun to respond to
    (RFC 9113, section 6.8)."""
    from httpcore import ConnectionNotAvailable

    return isinstance(error, ConnectionNotAvailable)


@dataclass(slots=True, kw_only=True)
class Options:
    """How a request is sent.

    Args:
        timeout: seconds for the whole of it, or an ``httpx.Timeout`` for its parts; as of the client if None
        headers: sent with it, before those of the client
        end: when the wait that it is part of ends, by ``time.monotonic()``; it ends :data:`GRACE` later at most
        latest: when it is too late to wait for a turn, and to start a command, by ``time.monotonic()``
        again: asked of each response after how many seconds it is sent again, in the place of the client's ``retries``
        evidence: takes what is known of the last attempt
    """

    timeout: float | httpx.Timeout | None = None
    headers: Mapping[str, str] | None = None
    end: float = float("inf")
    latest: float = float("inf")
    again: Callable[[httpx.Response], float | None] | None = None
    evidence: Evidence = field(default_factory=Evidence)


@dataclass(slots=True)
class Attempt:
    """A request that is sent once."""

    request: Request[Any]
    options: Options
    deadline: float
    phases: httpx.Timeout | None
    evidence: Evidence = field(default_factory=Evidence)

    def __post_init__(self) -> None:
        self.options.evidence = self.evidence
        if self.request.starts_a_command:
            self.evidence.is_once, self.evidence.begins_by = True, self.options.latest

    @property
    def turn_by(self) -> float:
        """How long it may wait for its turn, by ``time.monotonic()``."""
        return min(self.deadline, self.options.latest)


Steps = Generator[Attempt | float, Any, T]
"""What takes several requests and pauses."""


def times(timeout: float | httpx.Timeout | None) -> tuple[float | None, httpx.Timeout | None]:
    """Tell the total and the phases that a timeout means, each None if it says nothing of it.

    Raises:
        TypeError, ValueError: it is no time
    """
    if timeout is None or isinstance(timeout, httpx.Timeout):
        return None, timeout
    check_seconds("timeout", timeout)
    return float(timeout), None


def within(phases: httpx.Timeout, seconds: float) -> httpx.Timeout:
    """Let no phase be longer than so many seconds."""
    parts = (phases.connect, phases.read, phases.write, phases.pool)
    if all(part is not None and part <= seconds for part in parts):
        return phases
    connect, read, write, pool = (seconds if part is None else min(part, seconds) for part in parts)
    return httpx.Timeout(connect=connect, read=read, write=write, pool=pool)


def sending(client: Client, request: Request[Any], options: Options) -> Steps[httpx.Response]:
    """Send a request until it has the response to return.

    Raises:
        Unsendable: something cannot be sent; nothing was sent
        TooLarge: the body is larger than it may be
        StartLost: a command may have been started
        httpx.RequestError: no response came, or not in time
    """
    total, phases = times(options.timeout)
    begun = time.monotonic()
    deadline = begun + min(client.total if total is None else total, max(0.0, options.end - begun) + GRACE)
    tried = 0
    while True:
        attempt = Attempt(request, options, deadline, phases)
        sent = time.monotonic()
        try:
            response: httpx.Response = yield attempt
        except BaseException as raised:
            _tell(raised, client, request)
            if not isinstance(raised, Exception):
                raise
            error = httpx.RemoteProtocolError("the server said goodbye") if is_goodbye(raised) else raised
            _log(client, request, type(error).__name__, sent)
            pause = _pause_after(error, attempt, client, tried)
            if pause is None:
                is_lost = attempt.evidence.may_have_been_sent and not isinstance(error, TooLarge)
                if request.starts_a_command and is_lost:
                    raise StartLost(f"the response to a start did not arrive ({client.told(request)})") from error
                if error is raised:
                    raise
                raise error from None  # httpx knows no error for it
        else:
            _log(client, request, response, sent)
            if options.again is not None:
                pause = options.again(response)
                begun = time.monotonic() + (pause or 0.0)
                deadline = begun + min(client.total, max(0.0, options.end - begun) + GRACE)
            else:
                is_refused = response.status_code == 429
                is_gone = request.is_repeatable and response.status_code in (502, 503, 504)
                pause = _pause(attempt, client, tried, retry_after(response)) if is_refused or is_gone else None
            if pause is None:
                return response
        yield pause
        tried += 1


# Transports that are not httpx's may raise what the system does.
_OF_SYSTEM = (ConnectionError, TimeoutError)
LOST = (httpx.TransportError, *_OF_SYSTEM)
_IN_BETWEEN = (httpx.NetworkError, httpx.TimeoutException, httpx.RemoteProtocolError, httpx.ProxyError, *_OF_SYSTEM)


def _tell(raised: BaseException, client: Client, request: Request[Any]) -> None:
    """Let an error be without the key, and have words."""
    without_key(raised, client.key_header)
    if isinstance(raised, httpx.TransportError) and not str(raised):  # for some, anyio has none
        raised.args = (f"no response came ({client.told(request)})",)


def _pause_after(error: Exception, attempt: Attempt, client: Client, tried: int) -> float | None:
    is_harmless = attempt.request.is_repeatable or not attempt.evidence.may_have_been_sent
    return _pause(attempt, client, tried, None) if is_harmless and isinstance(error, _IN_BETWEEN) else None


def _pause(attempt: Attempt, client: Client, tried: int, asked: float | None) -> float | None:
    """Tell after how many seconds it is sent again; None for never."""
    if tried >= client.retries:
        return None
    from random import uniform  # (needed by few)

    pause = max(asked or 0.0, uniform(0.5, 1.0) * min(8.0, 0.5 * 2**tried))  # noqa: S311  (no secret)
    return pause if time.monotonic() + pause < min(attempt.deadline, attempt.options.end) else None


# logging takes a lock to find one, in Python, where a signal can come after it was taken and keep it for good.
_log_of = lru_cache(logging.getLogger)


def _log(client: Client, request: Request[Any], outcome: httpx.Response | str, sent: float) -> None:
    log = _log_of(client.contract.package)
    if log.isEnabledFor(logging.INFO):
        asked, named, told = client.told(request), "", outcome
        if isinstance(outcome, httpx.Response):
            told, named = str(outcome.status_code), request_id(outcome)
        log.info("%s -> %s%s in %.3f s", asked, told, f" ({named})" if named else "", time.monotonic() - sent)


# What a server may use although it was not asked for. Other words in Content-Encoding, such as utf-8, are mistakes.
_UNDECODED = {"deflate", "br", "zstd", "compress"}


class Body:
    """Takes the chunks of a body, decodes them, and keeps the bounds of size and time."""

    def __init__(self, response: httpx.Response, limit: int, deadline: float) -> None:
        self._response, self._limit, self._deadline, self._received = response, limit, deadline, 0
        self._body = BytesIO()  # which gives its bytes away without a copy
        # Read once: httpx looks through all header fields for each.
        sent = {name.lower(): value.decode("latin-1") for name, value in response.headers.raw}
        codings = sent.get(b"content-encoding", "").lower().replace(" ", "").split(",")
        zipped = [coding for coding in codings if coding in ("gzip", "x-gzip")]
        self._is_strange = len(zipped) > 1 or not _UNDECODED.isdisjoint(codings)
        self._decoder = zlib.decompressobj(zlib.MAX_WBITS + 16) if zipped else None
        length = sent.get(b"content-length", "")
        is_known = self._decoder is None and length.isdecimal() and len(length) < 20
        self._announced = int(length) if is_known else 0

    def _undecodable(self, text: str) -> httpx.DecodingError:
        return httpx.DecodingError(text, request=self._response.request)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _: object, error: BaseException | None, __: object) -> bool:
        """Let go of what was read: errors hold their frames, and so would hold it too.

        A body that cannot be read is left out of an error, which its status tells.
        """
        self._body = BytesIO()
        is_left_out = isinstance(error, httpx.DecodingError | TooLarge) and self._response.status_code >= 400
        if is_left_out:
            setattr(self._response, "_content", b"")
        return is_left_out

    def begin(self) -> None:
        """Read nothing of what cannot be read, by the header fields.

        Raises:
            httpx.DecodingError: it has a coding that was not asked for
            TooLarge: it is too much
        """
        if self._is_strange:
            raise self._undecodable("a body is encoded in a way that was not asked for")
        if self._announced > self._limit:
            raise too_large(self._response, self._limit)

    def feed(self, chunk: bytes) -> None:
        """Take what has come.

        Raises:
            httpx.ReadTimeout: it came too late
            httpx.DecodingError: it is not encoded as the header fields say
            TooLarge: it is too much
        """
        if time.monotonic() > self._deadline:
            raise late(self._response.request)
        self._received += len(chunk)
        if self._received > self._limit:
            raise too_large(self._response, self._limit)
        if self._decoder is None:
            self._keep(chunk)
            return
        try:
            while chunk:
                if self._decoder.eof:
                    if chunk[:1] != b"\x1f":  # padding
                        return
                    self._decoder = zlib.decompressobj(
                        zlib.MAX_WBITS + 16
                    )  # for one more member (RFC 1952, section 2.2)
                self._keep(self._decoder.decompress(chunk, 65536))
                chunk = self._decoder.unconsumed_tail or self._decoder.unused_data
        except zlib.error:
            raise self._undecodable("a body is not encoded as its headers say") from None

    def _keep(self, data: bytes) -> None:
        if self._body.tell() + len(data) > self._limit:
            raise too_large(self._response, self._limit)
        self._body.write(data)

    def end(self) -> None:
        """Give the body to the response, as reading it would."""
        if self._decoder is not None:
            self._keep(self._decoder.flush())
        setattr(self._response, "_content", self._body.getvalue())


def late(request: httpx.Request) -> httpx.ReadTimeout:
    """Make the error of a response that has not come in time."""
    return httpx.ReadTimeout("the response was not complete in time", request=request)


def too_large(response: httpx.Response, limit: int) -> TooLarge:
    """Make the error of a body that is not kept."""
    setattr(response, "_content", b"")
    return TooLarge(f"{shown(response)}: a body of more than {limit} bytes", response)


def is_read(response: httpx.Response, limit: int) -> bool:
    """Tell whether somebody has read the body: a hook, or a transport without a network.

    Raises:
        TooLarge: that was too much of a success
    """
    if not response.is_stream_consumed:
        return False
    if len(response.content) > limit:
        error = too_large(response, limit)
        if response.status_code < 400:
            raise error
    return True
