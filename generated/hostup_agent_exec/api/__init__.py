"""What all operations share: from a response to a value or an error, how to wait, and how to turn pages."""

from __future__ import annotations

import json
import time
from collections.abc import (
    AsyncGenerator,
    AsyncIterable,
    AsyncIterator,
    Awaitable,
    Callable,
    Iterable,
    Mapping,
    Sequence,
)
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn, Protocol, Self, TypeVar
from urllib.parse import quote, unquote

import httpx

from ..errors import (
    AgentUnavailable,
    CommandFailed,
    CommandStillRunning,
    HostUpError,
    InvalidResponse,
    OutputLost,
    ResponseError,
    StartLost,
    asks,
    never_sent,
    quoted,
    retry_after,
    shown,
    status_error,
)
from ..models import Problem
from ..types import InvalidValue, Response, Unset, check, is_object

if TYPE_CHECKING:
    from types import TracebackType

    from ..client import Client

T = TypeVar("T")
R = TypeVar("R")
H = TypeVar("H", int, str)
E = TypeVar("E", bound=HostUpError)


class Model(Protocol):
    """What every class of ``models`` has."""

    known_keys: ClassVar[frozenset[str]]

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        """Read it from a JSON object."""
        ...


M = TypeVar("M", bound=Model)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        raise InvalidValue("JSON", "a name twice")  # which of the two is meant, nobody knows
    return members


def _refuse_constant(_: str) -> NoReturn:
    raise InvalidValue("JSON", "NaN or Infinity")


_JSON = json.JSONDecoder(object_pairs_hook=_unique, parse_constant=_refuse_constant)


def query(params: Mapping[str, Any]) -> str:
    """Write the query, with its question mark if there is one; much cheaper than to hand httpx the parameters."""
    present = {name: value for name, value in params.items() if value is not None and not isinstance(value, Unset)}
    return f"?{httpx.QueryParams(present)}" if present else ""


def _value(response: httpx.Response) -> Any:
    """Parse a body by RFC 8259: UTF-8 (a byte order mark is ignored), no name twice, no NaN."""
    try:
        return _JSON.decode(response.content.decode().removeprefix("\ufeff"))
    except InvalidValue:
        raise
    except UnicodeDecodeError:
        expected, got = "UTF-8", "other bytes"
    except (ValueError, RecursionError):  # not JSON; or a number or a nesting beyond what Python takes
        expected, got = "JSON", "something else"
    raise InvalidValue(expected, got)  # out here, since those errors hold the whole text once more


def _invalid(error: InvalidValue, response: httpx.Response) -> InvalidResponse:
    return InvalidResponse(f"{error} ({response.status_code}: {shown(response)})", response)


def decode(response: httpx.Response, read: Callable[[Any], T]) -> T:
    """Read the body of a success.

    Raises:
        InvalidResponse: it is not what the document says
    """
    try:
        return read(_value(response))
    except InvalidValue as error:
        raise _invalid(error, response) from None


def decode_chosen(response: httpx.Response, model: type[M], *others: type[Model]) -> M:
    """Read the one of several shapes that the request asked for, and refuse a body that is another one.

    A body is another one if it has some of that one's members, and none of this one's.

    Raises:
        InvalidResponse: it is not what the document says, or not what was asked for
    """
    try:
        value = _value(response)
        if is_object(value) and model.known_keys.isdisjoint(value):
            for other in others:
                if not other.known_keys.isdisjoint(value):
                    raise InvalidValue(model.__name__, other.__name__)
        return model.from_dict(value)
    except InvalidValue as error:
        raise _invalid(error, response) from None


def failure(response: httpx.Response) -> ResponseError:
    """Make the error of a response that is not the documented success, whatever its body."""
    value = None
    if response.status_code >= 400:
        try:
            value = _value(response)
        except InvalidValue:
            pass  # no problem document: the status alone has to do
    return status_error(response, value if is_object(value) else None)


def detailed(response: httpx.Response, parse: Callable[[httpx.Response], T]) -> Response[T | Problem]:
    """Pair a response with what it says, an error's problem document included."""
    parsed: T | Problem | None
    try:
        parsed = parse(response)
    except InvalidResponse:
        raise
    except ResponseError as error:
        parsed = error.problem
    return Response(response.status_code, response.content, response.headers, parsed)


LONGEST = 1e9
"""The longest wait in seconds; the system's own clocks do not take more."""


def unavailable(text: str, availability: Any, response: httpx.Response) -> AgentUnavailable:
    """Make the error of a probe that does not say yes, with the reason that it gives, if any."""
    reason = quoted(getattr(availability, "reason", None), response)
    error = AgentUnavailable(f"{text}{': ' if reason else ''}{reason} ({shown(response)})")
    error.availability = availability
    return error


def failed(noun: str, output: Any, code: object, printed: str, client: Client, **about: Any) -> CommandFailed:
    """Make the error of a command that has ended without success.

    Args:
        noun: what has ended
        output: its last state
        code: its exit code, if it has one
        printed: what it wrote to standard error, of which the end is shown
        client: whose key is not shown
        about: what it is known by
    """
    end = " ".join(printed.split())[-300:].replace(getattr(client, "token", None) or "\0", "[key]")
    ending = f"with exit code {code}" if isinstance(code, int) else "without an exit code: it was killed, or has none"
    visible = "".join(letter if letter.isprintable() else "\ufffd" for letter in end)
    error = CommandFailed(f"the {noun} ended {ending}" + (f": {visible}" if visible else ""))
    error.output = output
    for name, value in about.items():
        setattr(error, name, value)
    return error


def started(response: httpx.Response, name: str, kind: type[H], value: H | None | Unset, url: str | None | Unset) -> H:
    """Return the name of what was started: that in the response's member, in its URL, or in both.

    The URL counts only if it is a path (so on the same origin) that is the one just used. Nothing is ever sent to it:
    only the name is taken from it, whatever else a server writes there.

    Args:
        response: the response
        name: the parameter of the URL that names what was started
        kind: the type of its values
        value: the member that names it
        url: where it can be polled

    Raises:
        StartLost: nothing is named, or there are two
    """
    found = {named for named in (value, _in_query(response.request.url, name, kind, url)) if isinstance(named, kind)}
    if len(found) > 1:
        raise StartLost(f"the response to a start names two commands ({shown(response)})", response)
    if not found or any(isinstance(named, int) and named < 1 for named in found) or kind() in found:
        raise StartLost(f"the response to a start names no command ({shown(response)})", response)
    return found.pop()


def _in_query(asked: httpx.URL, name: str, kind: type[H], url: str | None | Unset) -> H | None:
    if not url or not url.startswith("/") or url.startswith("//"):
        return None
    try:
        target = httpx.URL(url)
        (text,) = target.params.get_list(name)
        if kind is int and not (text.isascii() and text.isdecimal() and int(text) > 0):
            return None
        return kind(text) if text and _segments(target) == _segments(asked) else None
    except (ValueError, httpx.InvalidURL):  # no URL, not one name, or a number of thousands of digits
        return None


def _segments(url: httpx.URL) -> list[str]:
    path = url.raw_path.partition(b"?")[0].decode()
    return [unquote(segment) for segment in path.split("/")]


class Waiting:
    """The decisions of a wait, apart from its sending and sleeping, which are synchronous or not.

    A ``with`` of it stands around the requests: by how far it has come, an exception gets a note, or becomes another one. (A
    generator in its place would hold the exception in a circle of frames, and so its response in memory.)

    Args:
        timeout: seconds to wait at most
        interval: seconds between polls; None for a quarter of one that grows to five
        noun: what is waited for, in a word
        request: what is sent at first
        client: whose key is not shown
        about: the attribute of errors that names it, if it is known, and its value

    Raises:
        TypeError, ValueError: the times are not what they have to be
    """

    def __init__(
        self,
        timeout: float,
        interval: float | None,
        noun: str,
        request: Mapping[str, Any],
        client: Client,
        **about: Any,
    ) -> None:
        check("timeout", timeout, int, float)
        if interval is not None:
            check("interval", interval, int, float)
        if not 0 <= timeout <= LONGEST:
            raise ValueError(f"timeout: expected a number of seconds from 0 to {LONGEST:g}")
        if interval is not None and not 0 < interval <= LONGEST:
            raise ValueError(f"interval: expected a number of seconds above 0, and {LONGEST:g} at most")
        self.end = time.monotonic() + timeout
        """When it ends, by ``time.monotonic()``."""
        self.latest = self.end if timeout else float("inf")
        """When it is too late to start what is waited for; never for a wait that polls once."""
        self._interval, self._growth = (0.25, 1.5) if interval is None else (interval, 1.0)
        self._noun, self._about = noun, about
        token = getattr(client, "token", None)
        self._asked = asks(request["method"], request["url"], [token] if token else [])
        self._state: Any = None
        self._upstream = False
        self._sleeps_until = float("-inf")
        # As functions: a bound method would be a circle.
        self._judge = Waiting._not_polled if about else Waiting._not_asked

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, frames: TracebackType | None
    ) -> None:
        if error is not None:
            self._judge(self, error)

    @property
    def left(self) -> float:
        """Seconds to the deadline."""
        return max(0.0, self.end - time.monotonic())

    def _not_asked(self, error: BaseException) -> None:
        if not isinstance(error, Exception):
            error.add_note(f"no {self._noun} was started")

    def starting(self) -> None:
        """From here on, a start that was not refused, and did not say what it started, is :class:`StartLost`."""
        self._judge = Waiting._not_started

    def _not_started(self, error: BaseException) -> None:
        if isinstance(error, StartLost):
            return
        if isinstance(error, ResponseError):
            # Any other redirect may come after the start was carried out (RFC 9110, section 15.4.4).
            if 400 <= error.status_code < 500 or error.status_code in (307, 308):
                return
            raise StartLost(
                f"the response to a start tells of no {self._noun}: {error}", error.response, error.problem
            ) from error
        if isinstance(error, Exception):  # of httpx, or of another library that a transport is made of
            if not never_sent(error):
                raise StartLost(f"the response to a start did not arrive ({self._asked})") from error
        elif time.monotonic() < self._sleeps_until:
            error.add_note(f"no {self._noun} was started: the server had refused it")
        else:
            error.add_note(f"a {self._noun} may have been started")

    def running(self, **about: Any) -> None:
        """From here on, every exception names what was started."""
        self._about, self._judge = about, Waiting._not_ended

    def _not_ended(self, error: BaseException) -> None:
        if isinstance(error, HostUpError):
            return
        told = ", ".join(f"{name} {value}" for name, value in self._about.items())
        if never_sent(error):  # it must not look like a start that was never sent
            text = f"the {self._noun} was started, and cannot be polled now ({told}; {self._asked})"
            raise self.named(CommandStillRunning(text)) from error
        error.add_note(f"the {self._noun} was started: {told}")

    def _not_polled(self, error: BaseException) -> None:
        if isinstance(error, ResponseError):
            self.named(error)
            if error.status_code >= 500:  # the server, or a gateway before it, failed after it had the request
                lost = f"the response to a poll was {error}"
                raise self.named(OutputLost(lost, error.response, error.problem)) from error
        elif isinstance(error, Exception) and not never_sent(error):
            raise self.named(OutputLost(f"the response to a poll did not arrive ({self._asked})")) from error

    def named(self, error: E) -> E:
        """Let an error tell what it is about."""
        for name, value in self._about.items():
            setattr(error, name, value)
        return error

    def seen(self, state: object) -> None:
        """Keep the last state, for the error."""
        self._state = state

    def pause(self, response: httpx.Response) -> float:
        """Tell how many seconds to sleep before the next poll: no longer than to the deadline.

        Raises:
            CommandStillRunning: the deadline has passed, or the server asks for a longer pause than is left
        """
        left = self.left
        asked = retry_after(response) or 0.0
        if left <= 0 or asked > left:
            raise self._late(response)
        return min(max(self._next(), asked), left)

    def _late(self, response: httpx.Response) -> CommandStillRunning:
        # Not where it is raised: an error that its own frame holds would stay in memory, with its response.
        text = f"the {self._noun} has not ended in time ({self._asked})"
        error = self.named(CommandStillRunning(text, response))
        error.state = self._state
        return error

    def _next(self) -> float:
        interval = self._interval
        self._interval = min(interval * self._growth, max(5.0, interval))
        return interval

    def refused(self, response: httpx.Response) -> float | None:
        """Tell how long to sleep before what was refused is sent again; None if it was not, or if that is too late."""
        if response.status_code != 429:
            return None
        pause = max(self._next(), retry_after(response) or 0.0)
        if pause >= self.left:
            return None
        self._sleeps_until = time.monotonic() + pause
        return pause

    def busy(self, response: httpx.Response) -> float | None:
        """As :meth:`refused`, of what may be repeated: a gateway that names a time is also believed, once."""
        if response.status_code == 503 and not self._upstream:
            asked = retry_after(response)
            self._upstream = True
            return max(asked, 0.1) if asked is not None and asked < self.left else None
        return self.refused(response)

    @staticmethod
    def once(response: httpx.Response) -> None:  # noqa: ARG004
        """Send nothing again: the wait itself decides."""


class Pages:
    """The decisions of turning pages."""

    def __init__(self) -> None:
        self._seen: set[int] = set()
        self._empty = 0
        self._last: object = None

    def next(
        self,
        response: httpx.Response,
        items: Sequence[object],
        cursor: str | None | Unset,
        more: bool | None | Unset = True,
    ) -> str | None:
        """Tell the cursor of the next page; None if this was the last one, or if the cursors go round in a circle.

        Raises:
            InvalidResponse: the pages have no end: a hundred hold nothing, or one holds what the one before does
        """
        if not cursor or more is False or more is None or hash(cursor) in self._seen:
            return None
        self._seen.add(hash(cursor))
        self._empty = 0 if items else self._empty + 1
        if self._empty >= 100 or (items and items == self._last):
            raise InvalidResponse(f"$: expected another page, got nothing new ({shown(response)})", response)
        self._last = items
        return cursor


async def _one_by_one(ids: Iterable[T]) -> AsyncIterator[T]:
    for id in ids:
        yield id


async def each(
    ids: Iterable[T] | AsyncIterable[T], call: Callable[[T], Awaitable[R]], limit: int
) -> AsyncGenerator[tuple[T, R | Exception], None]:
    """Call for each, some at once, and give what comes of it as it comes. When this is closed, so are the calls, and what they
    say of it is noted on the exception that closes it.

    Raises:
        TypeError, ValueError: ``limit`` is no number of calls, or ``ids`` is one str
        RuntimeError: another event loop than asyncio's runs
    """
    import asyncio  # noqa: PLC0415  (slow to import)

    check("limit", limit, int)
    if limit < 1:
        raise ValueError("limit: expected 1 or more")
    if isinstance(ids, str):
        raise TypeError("expected many, got one str")
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        raise RuntimeError("this runs on asyncio alone") from None
    under_way: dict[asyncio.Future[R], T] = {}

    left: AsyncIterator[T] | None = aiter(ids) if isinstance(ids, AsyncIterable) else _one_by_one(ids)
    try:
        while left is not None or under_way:
            while left is not None and len(under_way) < limit:
                try:
                    id = await anext(left)
                except StopAsyncIteration:
                    left = None
                else:
                    under_way[asyncio.ensure_future(call(id))] = id
            if under_way:
                done, _ = await asyncio.wait(under_way, return_when=asyncio.FIRST_COMPLETED)
                for future in done:
                    error = future.exception()
                    if error is not None and not isinstance(error, Exception):
                        raise error
                    yield under_way.pop(future), future.result() if error is None else error
    except BaseException as ended:
        for future in under_way:
            future.cancel()
        if under_way:
            await asyncio.wait(under_way)
        for future, id in under_way.items():
            try:
                future.result()
            except BaseException as one:  # noqa: BLE001  (a cancellation, which has a note of what was started)
                for note in getattr(one, "__notes__", ()):
                    ended.add_note(f"{id}: {note}")
        raise


def sleep(seconds: float) -> None:
    """Sleep."""
    time.sleep(seconds)


async def asleep(seconds: float) -> None:
    """Sleep, whichever event loop runs."""
    import anyio  # noqa: PLC0415  (slow to import, and loaded by httpx only if asynchronous)

    await anyio.sleep(seconds)


def segment(value: object) -> str:
    """Write a value as a segment of a path."""
    return quote(value if isinstance(value, str) else str(value), safe="")
