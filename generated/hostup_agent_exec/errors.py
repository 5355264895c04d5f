"""Everything that a call raises, except what httpx raises if there is no response.

HostUpError
├── ResponseError        a response other than the documented success
│   ├── BadRequest 400 · Unauthorized 401 · Forbidden 403 · NotFound 404 · RateLimited 429 · InternalError 500
│   ├── UnexpectedStatus any other status
│   ├── InvalidResponse  a success whose body is not as documented
│   └── TooLarge         a body larger than the client accepts
├── AgentUnavailable     commands cannot be run in the VPS now; none was started
├── StartLost            a command was or may have been started, but its pid is not known
├── CommandStillRunning  a wait ended before the command did
├── OutputLost           a poll was sent, but its response was lost
└── CommandFailed        the command has ended without success
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from email.utils import parsedate_to_datetime
from http.client import responses as phrases
from math import isfinite
from typing import TYPE_CHECKING, Any, NamedTuple

import httpx

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .models import AgentAvailability, CommandOutput, Problem


class RateLimit(NamedTuple):
    """What the ``X-RateLimit-*`` headers say; None for one that is missing or cannot be read."""

    limit: int | None
    """Requests that the window allows."""
    remaining: int | None
    """Requests left in the window."""
    reset: datetime | None
    """When the window ends, with its time zone."""


class HostUpError(Exception):
    """Base of all errors. Its text is one short line without a key; what it may quote of a body is the reason why an agent is
    unavailable, and the end of what a failed command wrote to standard error.

    Pickled, it keeps its response's status, headers and body, but not the request, which holds the key.
    """

    def __init__(
        self, message: str, response: httpx.Response | None = None, problem: Problem | Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(message)
        self._response = response
        self._problem = problem
        self.pid: int | None = None
        """What was started or is waited for, if anything."""

    @property
    def response(self) -> httpx.Response | None:
        """The HTTP response, if there is one."""
        return self._response

    @property
    def problem(self) -> Problem | None:
        """The problem document (RFC 9457), if the response has one."""
        if isinstance(self._problem, Mapping):  # read now, since most callers look at the kind of the error alone
            from .models import Problem  # noqa: PLC0415  (needed by few)

            self._problem = Problem.from_dict(self._problem)
        return self._problem

    @property
    def status_code(self) -> int | None:
        """The HTTP status, if there is a response."""
        return self._response.status_code if self._response is not None else None

    @property
    def code(self) -> str | None:
        """The problem's stable name, for programs."""
        return (self.problem.code or None) if self.problem else None

    @property
    def request_id(self) -> str | None:
        """The problem's request id, to quote to the provider's support."""
        return (self.problem.request_id or None) if self.problem else None

    @property
    def retry_after(self) -> float | None:
        """Seconds to wait, if the response has a Retry-After of either form (RFC 9110, section 10.2.3)."""
        return retry_after(self._response) if self._response is not None else None

    @property
    def rate_limit(self) -> RateLimit | None:
        """What the ``X-RateLimit-*`` headers say, if there are any."""
        return rate_limit(self._response) if self._response is not None else None

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), self.args, {**self.__dict__, "_response": _without_request(self._response)}


class ResponseError(HostUpError):
    """A response other than the documented success."""

    _response: httpx.Response

    @property
    def response(self) -> httpx.Response:
        """The HTTP response."""
        return self._response

    @property
    def status_code(self) -> int:
        """The HTTP status."""
        return self._response.status_code


class BadRequest(ResponseError):
    """400: The request is not valid."""


class Unauthorized(ResponseError):
    """401: No valid key was given."""


class Forbidden(ResponseError):
    """403: The key lacks the scope, or the VPS belongs to somebody else."""


class NotFound(ResponseError):
    """404: There is no such VPS, or it belongs to somebody else."""


class RateLimited(ResponseError):
    """429: Too many requests; wait as long as the header fields say."""


class InternalError(ResponseError):
    """500: An unexpected error on the provider's side."""


class UnexpectedStatus(ResponseError):
    """Any other status, whether the document knows it or not."""


class InvalidResponse(ResponseError):
    """A success whose body is not as documented; the text names the place."""


class TooLarge(ResponseError):
    """The body is larger than the operation needs, or than the client's ``max_body_bytes``, or holds too many values.

    The rest of it was not read, and none of it is kept.
    """


class AgentUnavailable(HostUpError):
    """Commands cannot be run in the VPS now; none was started."""

    availability: AgentAvailability | None = None
    """What the probe said; the text has its ``reason``, if it gave one."""


class StartLost(HostUpError):
    """A command was started, or may have been, and the response does not tell which one it is.

    So the start was not repeated: a command that is run twice may do harm. ``__cause__`` is what happened, if anything did.
    """


class CommandStillRunning(HostUpError):
    """The time to wait is over, or polling failed, and the command has not ended as far as is known."""

    state: CommandOutput | None = None
    """The last known state; None if no poll has returned one."""


class OutputLost(HostUpError):
    """A poll was sent, but its response was lost.

    If the command had ended, its output was lost with that response: the guest agent forgets a process once it has
    reported its end. So the poll was not repeated. ``__cause__`` is what happened.
    """


class CommandFailed(HostUpError):
    """The command has ended without success; the text shows its exit code and the end of its standard error."""

    output: CommandOutput | None = None
    """What it printed, and how it ended."""


_BY_STATUS: dict[int, type[ResponseError]] = {
    400: BadRequest,
    401: Unauthorized,
    403: Forbidden,
    404: NotFound,
    429: RateLimited,
    500: InternalError,
}


# Compiled here, since an error is to cost little more than its response.
_NUMBER = re.compile(r"\w{1,40}=\d{1,20}", re.ASCII)
_NAME = re.compile(r"[\w.:-]{1,80}", re.ASCII)
_TWICE = re.compile(r"((?:/[^/?]+){2,})\1(?:/|$)")
_ORDINARY = {b"accept", b"accept-encoding", b"connection", b"content-length", b"content-type", b"host", b"user-agent"}


def _keys(response: httpx.Response) -> list[str]:
    """List what the request carries in its other headers, the key among them, should a server repeat it."""
    try:
        sent = response.request.headers.raw
    except RuntimeError:  # made by hand
        return []
    values = [value for name, value in sent if name.lower() not in _ORDINARY]
    return [word for word in b" ".join(values).decode("latin-1").split() if len(word) > 5]


def shown(response: httpx.Response, keys: Sequence[str] | None = None) -> str:
    """Tell what was asked for: method and path, and of the query what is a number."""
    try:
        request = response.request
    except RuntimeError:
        return "a request"
    target = request.url.raw_path.decode("ascii")
    return asks(request.method, target, _keys(response) if keys is None else keys)


def asks(method: str, target: str, keys: Sequence[str]) -> str:
    """As :func:`shown`, of what may not have been sent."""
    path, _, query = target.partition("?")
    numbers = "&".join(part for part in query.split("&") if _NUMBER.fullmatch(part)) if query else ""
    return without(keys, f"{method.upper()} {path[:300]}{'?' if numbers else ''}{numbers}")


def quoted(text: object, response: httpx.Response) -> str:
    """Return the beginning of what a server says to people, as one line without a key; nothing if it is no text."""
    if not isinstance(text, str):
        return ""
    line = "".join(letter if letter.isprintable() else "?" for letter in text[:1000])
    return without(_keys(response), line)[:300]


def without(keys: Sequence[str], text: str) -> str:
    """Return a text without the keys in it."""
    for key in keys:
        text = text.replace(key, "[key]")
    return text


def plain(text: object, keys: Sequence[str]) -> str:
    """Return a name that a server gave, if it may be shown; else nothing."""
    if not isinstance(text, str) or not _NAME.fullmatch(text):
        return ""
    for key in keys:
        if key in text:
            return ""
    return text


def request_id(response: httpx.Response) -> str:
    """Return the id that the server gave the request, in a header or a problem document; else nothing."""
    named = _field(response, "x-request-id")
    if not named and response.status_code >= 400:
        found = re.search(rb'"requestId"\s*:\s*"([\w.:-]{1,80})"', response.content[:65536])
        named = found[1].decode() if found else ""
    return plain(named, _keys(response))


def status_error(response: httpx.Response, members: Mapping[str, Any] | None) -> ResponseError:
    """Make the error that fits the status; ``members`` are those of the problem document, if there is one."""
    status, keys = response.status_code, _keys(response)
    asked = shown(response, keys)
    message = f"{status} {phrases[status]}: {asked}" if status in phrases else f"{status}: {asked}"
    if members is not None:
        code = plain(members.get("code"), keys)
        request = plain(members.get("requestId"), keys)
        message += f" ({code}, {request})" if code and request else f" ({code or request})" if code or request else ""
    segments = asked.split("/")
    if status == 404 and len(set(segments)) < len(segments) and (twice := _TWICE.search(asked)):
        message += f"; {twice[1]} stands in it twice: leave it out of base_url"
    return _BY_STATUS.get(status, UnexpectedStatus)(message, response, members)


_UNSENT = ("ConnectError", "ConnectTimeout", "PoolTimeout", "ProxyError", "UnsupportedProtocol", "Unsendable")


def never_sent(error: BaseException) -> bool:
    """Tell whether an error says that the request was not sent; by names, since there are libraries like httpx."""
    return any(kind.__name__ in _UNSENT for kind in type(error).__mro__)


def retry_after(response: httpx.Response) -> float | None:
    """Read Retry-After: seconds from now on, from either form; None if absent or senseless."""
    text = _field(response, "retry-after")
    seconds = _decimal(text)
    if seconds is not None:
        return seconds
    until = _date(text)
    return max(0.0, (until - _sent(response)).total_seconds()) if until else None


def rate_limit(response: httpx.Response) -> RateLimit | None:
    """Read the ``X-RateLimit-*`` headers; None if none of them was sent."""
    limit, remaining, reset = (_field(response, f"x-ratelimit-{name}") for name in ("limit", "remaining", "reset"))
    if not (limit or remaining or reset):
        return None
    return RateLimit(_count(limit), _count(remaining), _instant(response, reset))


def _field(response: httpx.Response, name: str) -> str:
    value: str = response.headers.get(name, "")
    return value.strip()


def _decimal(text: str) -> float | None:
    plain = text.isascii() and text.replace(".", "", 1).isdigit()
    return float(text) if plain and isfinite(float(text)) else None


def _count(text: str) -> int | None:
    number = _decimal(text)
    return int(number) if number is not None else None


def _date(text: str) -> datetime | None:
    for parse in (datetime.fromisoformat, parsedate_to_datetime):
        try:
            parsed = parse(text)
            aware = parsed if parsed.tzinfo else parsed.replace(tzinfo=timezone.utc)
            return aware.astimezone(timezone.utc)
        except (ValueError, TypeError, IndexError, OverflowError):
            continue
    return None


def _sent(response: httpx.Response) -> datetime:
    # By the server's own clock where it tells, since that is the clock its dates were made with.
    return _date(_field(response, "date")) or datetime.now(timezone.utc)


def _instant(response: httpx.Response, text: str) -> datetime | None:
    """Read a time: a date, or a number, which by its size is milliseconds or seconds since 1970, or from now on."""
    number = _decimal(text)
    if number is None:
        return _date(text)
    try:
        if number >= 1e11:
            return datetime.fromtimestamp(number / 1000, timezone.utc)
        if number >= 1e8:
            return datetime.fromtimestamp(number, timezone.utc)
        return _sent(response) + timedelta(seconds=number)
    except (ValueError, OverflowError, OSError):
        return None


def _without_request(response: httpx.Response | None) -> httpx.Response | None:
    if response is None:
        return None
    # The body is kept as it was decoded, so the headers that speak of its encoding no longer hold.
    encoded = {b"content-encoding", b"content-length", b"transfer-encoding"}
    headers = [(name, value) for name, value in response.headers.raw if name.lower() not in encoded]
    return httpx.Response(response.status_code, headers=headers, content=response.content)


AnswerError = ResponseError
"""The name of :class:`ResponseError` before version 3."""

__all__ = [
    "AgentUnavailable",
    "AnswerError",
    "BadRequest",
    "CommandFailed",
    "CommandStillRunning",
    "Forbidden",
    "HostUpError",
    "InternalError",
    "InvalidResponse",
    "NotFound",
    "OutputLost",
    "RateLimit",
    "RateLimited",
    "ResponseError",
    "StartLost",
    "TooLarge",
    "Unauthorized",
    "UnexpectedStatus",
]
