"""The errors of all calls, and what a response's header fields say of them. Those of single statuses are generated."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from http.client import responses as phrases
from sys import float_info
from traceback import walk_tb
from typing import TYPE_CHECKING, Any, NamedTuple

import httpx

if TYPE_CHECKING:
    from types import FrameType

    # For the types that callers see. Nothing generated is imported by what runs.
    from hostup_agent_exec.models import AgentAvailability, CommandOutput, Problem


class RateLimit(NamedTuple):
    """What the ``X-RateLimit-*`` headers say; None for one that is missing or cannot be read."""

    limit: int | None
    """Requests that the window allows."""
    remaining: int | None
    """Requests left in the window."""
    reset: datetime | None
    """When the window ends, with its time zone."""


class HostUpError(Exception):
    """Base of all errors. Its text is one short line without a key; what it may quote of a body is the reason why an
    agent is unavailable, and the end of what a failed command wrote to standard error.

    Pickled, it keeps its response's status, headers and body, but not the request, which holds the key.
    """

    def __init__(self, message: str, response: httpx.Response | None = None, problem: Problem | None = None) -> None:
        super().__init__(message)
        self._response = response
        self.problem = problem
        """The problem document (RFC 9457), if the response has one."""
        self.pid: int | None = None
        """The command that was started or is waited for, if any."""

    @property
    def response(self) -> httpx.Response | None:
        """The HTTP response, if there is one."""
        return self._response

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


class UnexpectedStatus(ResponseError):
    """A status that has no error of its own, whether the document knows it or not."""


class InvalidResponse(ResponseError):
    """A success whose body is not as documented; the text names the place."""


class TooLarge(ResponseError):
    """The body of a success is larger than the operation needs, or than the client's ``max_body_bytes``.

    The rest of it was not read, and none of it is kept. An error whose body is too large has no problem document.
    """


def is_refusal(status: int) -> bool:
    """Tell whether a start with this status was not carried out.

    Any other redirect than these may come after it was (RFC 9110, section 15.4.4).
    """
    return 400 <= status < 500 or status in (307, 308)


class AgentUnavailable(HostUpError):
    """Commands cannot be run in the VPS now; none was started."""

    availability: AgentAvailability
    """What the probe said; the text has its ``reason``, if it gave one."""


class StartLost(HostUpError):
    """A command was started, or may have been, and the response does not tell which one it is.

    So the start was not repeated: a command that is run twice may do harm. ``__cause__`` is what happened, if
    anything did.
    """


class CommandStillRunning(HostUpError):
    """The time to wait is over, and the command has not ended as far as is known."""

    state: CommandOutput | None = None
    """The last known state; None if no poll has returned one."""


class OutputLost(HostUpError):
    """The response to a poll was lost, and no later poll could tell that the command's output is still there.

    The guest agent forgets a command once it has reported its end. ``__cause__`` is what happened to the response.
    """


class CommandFailed(HostUpError):
    """The command has ended without success; the text shows its exit code and the end of its standard error."""

    output: CommandOutput
    """What it printed, and how it ended."""


# Compiled here, since an error is to cost little more than its response.
SHORTEST_KEY = 6
_NUMBER = re.compile(r"\w{1,40}=\d{1,20}", re.ASCII)
_NAME = re.compile(r"[\w.:-]{1,80}", re.ASCII)
_TWICE = re.compile(r"((?:/[^/?]+){2,})\1(?:/|$)")
_ORDINARY = (b"accept", b"accept-encoding", b"connection", b"content-length", b"content-type", b"host", b"user-agent")
_ENCODING = (b"content-encoding", b"content-length", b"transfer-encoding")


def _keys(response: httpx.Response) -> list[str]:
    """List what the request carries in its other headers, the key among them, should a server repeat it."""
    try:
        sent = response.request.headers.raw
    except RuntimeError:  # made by hand
        return []
    values = [value for name, value in sent if name.lower() not in _ORDINARY]
    return [word for word in b" ".join(values).decode("latin-1").split() if len(word) >= SHORTEST_KEY]


def without(keys: Iterable[str], text: str) -> str:
    """Return a text without the keys in it; a short one would be found in ordinary words."""
    for key in keys:
        text = text.replace(key, "[key]") if len(key) >= SHORTEST_KEY else text
    return text


def asks(method: str, target: str, keys: Iterable[str]) -> str:
    """Tell what is asked for: method and path, and of the query what is a number."""
    path, _, query = target.partition("?")
    numbers = "&".join(part for part in query.split("&") if _NUMBER.fullmatch(part))
    return without(keys, f"{method.upper()} {path[:300]}{'?' if numbers else ''}{numbers}")


def shown(response: httpx.Response, keys: Iterable[str] | None = None) -> str:
    """As :func:`asks`, of a request that got a response."""
    try:
        request = response.request
    except RuntimeError:
        return "a request"
    return asks(request.method, request.url.raw_path.decode("ascii"), _keys(response) if keys is None else keys)


def printable(text: str) -> str:
    """Return a text as one line that does nothing to a terminal."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)


def quoted(text: object, response: httpx.Response) -> str:
    """Return the beginning of what a server says to people, as one line without a key; nothing if it is no text."""
    return without(_keys(response), printable(text))[:300] if isinstance(text, str) else ""


def _plain(text: object, keys: Iterable[str]) -> str:
    """Return a name that a server gave, if it may be shown; else nothing."""
    is_name = isinstance(text, str) and _NAME.fullmatch(text) and not any(key in text for key in keys)
    return str(text) if is_name else ""


def request_id(response: httpx.Response) -> str:
    """Return the id that the server gave the request, in a header or a problem document; else nothing."""
    named = _field(response, "x-request-id")
    if not named and response.status_code >= 400:
        found = re.search(rb'"requestId"\s*:\s*"([\w.:-]{1,80})"', response.content[:65536])
        named = found[1].decode() if found else ""
    return _plain(named, _keys(response))


def status_error(
    response: httpx.Response, problem: Problem | None, kinds: Mapping[int, type[ResponseError]]
) -> ResponseError:
    """Make the error that fits the status."""
    status, keys = response.status_code, _keys(response)
    asked = shown(response, keys)
    message = f"{status} {phrases[status]}: {asked}" if status in phrases else f"{status}: {asked}"
    if problem is not None:
        named = [_plain(name, keys) for name in (problem.code, problem.request_id)]
        told = ", ".join(name for name in named if name)
        message += f" ({told})" if told else ""
    if status == 404 and (twice := _TWICE.search(asked)):
        message += f"; {twice[1]} stands in it twice: leave it out of base_url"
    return kinds.get(status, UnexpectedStatus)(message, response, problem)


def without_key(error: BaseException, header: str) -> None:
    """Take the key from what an error of httpx holds, since errors are logged, pickled and sent elsewhere.

    So are the variables of the frames that any error went through, of which some hold the bytes that were sent.
    """
    for frame in _frames(error):
        if frame.f_globals.get("__name__", "").partition(".")[0] in _SENDERS:
            with suppress(RuntimeError):  # it has not ended
                frame.clear()
    if not isinstance(error, httpx.RequestError | httpx.HTTPStatusError):
        return
    with suppress(RuntimeError):  # it has no request
        request, secret = error.request, (header.lower(), "authorization", "cookie")
        headers = [(name, value) for name, value in request.headers.items() if name not in secret]
        error.request = httpx.Request(request.method, request.url, headers=headers)
        if isinstance(error, httpx.HTTPStatusError):
            error.response.request = error.request


_SENDERS = {
    *(__name__.partition(".")[0], "httpx", "httpcore", "h11", "h2", "hpack"),
    *("anyio", "asyncio", "trio", "ssl", "socket", "gevent"),  # which have its bytes
    *("urllib", "http", "email"),  # which have its header fields, where httpx looks for cookies
    *("httpx_aiohttp", "aiohttp"),
}
"""The packages that a request goes through on its way out."""


def _frames(error: BaseException) -> Iterator[FrameType]:
    """Yield the frames that an error went through, and those of the errors that it came of."""
    errors: list[BaseException | None] = [error]
    for one in errors:  # which grows meanwhile
        if one is not None:
            of_group: tuple[BaseException, ...] = getattr(one, "exceptions", ())
            errors += [other for other in (one.__cause__, one.__context__, *of_group) if other not in errors]
            yield from (frame for frame, _ in walk_tb(one.__traceback__))


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
    return min(float(text), float_info.max) if plain else None  # hundreds of digits are no reason to come soon


def _count(text: str) -> int | None:
    number = _decimal(text)
    return int(number) if number is not None else None


def _date(text: str) -> datetime | None:
    for parse in (datetime.fromisoformat, parsedate_to_datetime):
        try:
            parsed = parse(text)
            aware = parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)
            return aware.astimezone(UTC)
        except (ValueError, TypeError, IndexError, OverflowError):
            continue
    return None


def _sent(response: httpx.Response) -> datetime:
    # By the server's own clock where it tells, since that is the clock its dates were made with.
    return _date(_field(response, "date")) or datetime.now(UTC)


def _instant(response: httpx.Response, text: str) -> datetime | None:
    """Read a time: a date, or a number, which by its size is milliseconds or seconds since 1970, or from now on."""
    number = _decimal(text)
    if number is None:
        return _date(text)
    try:
        if number >= 1e11:
            return datetime.fromtimestamp(number / 1000, UTC)
        if number >= 1e8:
            return datetime.fromtimestamp(number, UTC)
        return _sent(response) + timedelta(seconds=number)
    except (ValueError, OverflowError, OSError):
        return None


def _without_request(response: httpx.Response | None) -> httpx.Response | None:
    if response is None:
        return None
    # The body is kept as it was decoded, so the headers that speak of its encoding no longer hold.
    headers = [(name, value) for name, value in response.headers.raw if name.lower() not in _ENCODING]
    return httpx.Response(response.status_code, headers=headers, content=response.content)
