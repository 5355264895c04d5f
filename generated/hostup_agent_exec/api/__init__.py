"""What all operations share: from an answer to a value or an error, and how to wait."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn, Protocol, Self, TypeVar
from urllib.parse import unquote

import httpx

from ..errors import (
    AgentUnavailable,
    AnswerError,
    CommandStillRunning,
    HostUpError,
    InvalidResponse,
    OutputLost,
    StartLost,
    retry_after,
    status_error,
)
from ..models.problem import Problem
from ..types import InvalidValue, Response, Unset, check, is_object

if TYPE_CHECKING:
    from ..models.agent_availability import AgentAvailability
    from ..models.command_output import CommandOutput

T = TypeVar("T")
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
    return f"?{httpx.QueryParams(params)}" if params else ""


def _value(response: httpx.Response) -> Any:
    """Parse a body by RFC 8259: UTF-8 (a byte order mark is ignored), no name twice, no NaN."""
    try:
        return _JSON.decode(response.content.decode().removeprefix("\ufeff"))
    except InvalidValue:
        raise
    except UnicodeDecodeError:
        raise InvalidValue("UTF-8", "other bytes") from None
    except (ValueError, RecursionError):  # not JSON; or a number or a nesting beyond what Python takes
        raise InvalidValue("JSON", "something else") from None


def decode(response: httpx.Response, read: Callable[[Any], T]) -> T:
    """Read the body of a success.

    Raises:
        InvalidResponse: it is not what the document says
    """
    try:
        return read(_value(response))
    except InvalidValue as error:
        raise InvalidResponse(str(error), response) from None


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
        raise InvalidResponse(str(error), response) from None


def failure(response: httpx.Response) -> AnswerError:
    """Make the error of an answer that is not the documented success, whatever its body."""
    problem = None
    if response.status_code >= 400:
        try:
            problem = Problem.from_dict(_value(response))
        except InvalidValue:
            pass  # no problem document: the status alone has to do
    return status_error(response, problem)


def detailed(response: httpx.Response, parse: Callable[[httpx.Response], T]) -> Response[T | Problem]:
    """Pair an answer with what it says, an error's problem document included."""
    parsed: T | Problem | None
    try:
        parsed = parse(response)
    except InvalidResponse:
        raise
    except AnswerError as error:
        parsed = error.problem
    return Response(response.status_code, response.content, response.headers, parsed)


LONGEST = 1e9
"""Seconds that anybody may wait; more is more than the system's own clocks take."""

_NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError, httpx.UnsupportedProtocol)


def unavailable(availability: AgentAvailability) -> AgentUnavailable:
    """Make the error of a probe that does not say yes."""
    error = AgentUnavailable("commands cannot be run in this VPS now")
    error.availability = availability
    return error


@contextmanager
def starting() -> Generator[None, None, None]:
    """Around a start: one that was not refused, and did not say what it started, becomes :class:`StartLost`."""
    try:
        yield
    except _NEVER_SENT:
        raise
    except httpx.HTTPError as error:
        raise StartLost("the answer to a start did not arrive") from error
    except AnswerError as error:
        # Any other redirect may come after the start was carried out (RFC 9110, section 15.4.4).
        if 400 <= error.status_code < 500 or error.status_code in (307, 308):
            raise
        raise StartLost(f"the answer to a start tells of no command: {error}", error.response, error.problem) from error


def started(response: httpx.Response, name: str, value: int | Unset, url: str | Unset) -> int:
    """Tell which command was started: the answer's own member says so, or its URL, or both.

    The URL counts if it is a path, so on the same origin, and the one that was just used. Nothing is ever sent to it:
    of all that a server may write there, the number alone is taken.

    Args:
        response: the answer
        name: the parameter of the URL that names the command
        value: the member that names the command
        url: where the command can be polled

    Raises:
        StartLost: nothing names a command, or there are two
    """
    named = {number for number in (value, _in_query(response.request.url, name, url)) if isinstance(number, int)}
    if len(named) > 1:
        raise StartLost("the answer to a start names two commands", response)
    if not named or min(named) < 1:
        raise StartLost("the answer to a start names no command", response)
    return named.pop()


def _in_query(asked: httpx.URL, name: str, url: str | Unset) -> int | None:
    if not url or not url.startswith("/") or url.startswith("//"):
        return None
    try:
        target = httpx.URL(url)
        (text,) = target.params.get_list(name)
        number = int(text) if text.isascii() and text.isdecimal() else 0
    except (ValueError, httpx.InvalidURL):  # no URL, not one pid, or one of thousands of digits
        return None
    return number if number > 0 and _segments(target) == _segments(asked) else None


def _segments(url: httpx.URL) -> list[str]:
    path = url.raw_path.partition(b"?")[0].decode()
    return [unquote(segment) for segment in path.split("/")]


@contextmanager
def running(pid: int) -> Generator[None, None, None]:
    """Around all that follows a start: a poll that was never sent must not look like a start that was never sent."""
    try:
        yield
    except httpx.HTTPError as error:
        late = CommandStillRunning("the command was started, and cannot be polled now")
        late.pid = pid
        raise late from error


class Waiting:
    """The decisions of a wait, apart from its sending and sleeping, which are synchronous or not.

    Raises:
        TypeError, ValueError: the times are not what they have to be
    """

    def __init__(self, timeout: float, interval: float, pid: int | None = None) -> None:
        check("timeout", timeout, int, float)
        check("interval", interval, int, float)
        if not 0 <= timeout <= LONGEST:
            raise ValueError(f"timeout: expected a number of seconds from 0 to {LONGEST:g}")
        if not 0 < interval <= LONGEST:
            raise ValueError(f"interval: expected a number of seconds above 0, and {LONGEST:g} at most")
        self._deadline = time.monotonic() + timeout
        self._interval = interval
        self._pid = pid
        self._state: CommandOutput | None = None

    @property
    def left(self) -> float:
        """Seconds to the deadline."""
        return max(0.0, self._deadline - time.monotonic())

    @contextmanager
    def poll(self) -> Generator[None, None, None]:
        """Around each poll: one whose answer may have been lost becomes :class:`OutputLost`."""
        try:
            yield
        except _NEVER_SENT:
            raise
        except httpx.HTTPError as error:
            raise self._about(OutputLost("the answer to a poll did not arrive")) from error
        except AnswerError as error:
            self._about(error)
            if error.status_code < 500:
                raise
            # The server, or a gateway before it, failed after it had the request.
            lost = OutputLost(f"a poll was answered with {error}", error.response, error.problem)
            raise self._about(lost) from error

    def _about(self, error: E) -> E:
        error.pid = self._pid
        return error

    def seen(self, state: CommandOutput) -> None:
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
            error = self._about(CommandStillRunning("the command has not ended in time", response))
            error.state = self._state
            raise error
        return min(max(self._interval, asked), left)
