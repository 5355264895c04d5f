"""From a start to the output of its command: what is asked, in which order, and what each trouble on the way means."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self, TypeVar
from urllib.parse import unquote

import httpx

from .errors import (
    AgentUnavailable,
    CommandFailed,
    CommandStillRunning,
    HostUpError,
    OutputLost,
    ResponseError,
    StartLost,
    TooLarge,
    is_refusal,
    quoted,
    retry_after,
    shown,
    without,
)
from .sending import LOST, Evidence, Options, Request, Steps, sending
from .values import check_callback, check_seconds

if TYPE_CHECKING:
    from types import TracebackType

    from hostup_agent_exec.models import AgentAvailability, CommandOutput, StartedCommand

    from .client import Client

E = TypeVar("E", bound=HostUpError)
OnStart = Callable[[int], object] | None
OnProgress = Callable[["CommandOutput"], object] | None


@dataclass(frozen=True, slots=True)
class Patience:
    """How a caller wants to wait.

    Args:
        timeout: seconds to wait at most; 0 polls once
        interval: seconds between polls; None for a quarter of one that grows to five
        on_progress: called with each state in which the command still runs
        check: whether a command that fails is an error

    Raises:
        TypeError, ValueError: one of them is not what it has to be
    """

    timeout: float
    interval: float | None
    on_progress: OnProgress
    check: bool

    def __post_init__(self) -> None:
        check_seconds("timeout", self.timeout, may_be_zero=True)
        if self.interval is not None:
            check_seconds("interval", self.interval)
        check_callback("on_progress", self.on_progress)


class Span:
    """The time of a wait, from now on."""

    def __init__(self, patience: Patience) -> None:
        self.end = time.monotonic() + patience.timeout
        """When it ends, by ``time.monotonic()``."""
        self._latest = self.end if patience.timeout else float("inf")
        self._interval, self._growth = (0.25, 1.5) if patience.interval is None else (patience.interval, 1.0)
        self._believed = False
        self.sleeps_until = float("-inf")
        """Until when what was refused is not sent again."""

    @property
    def left(self) -> float:
        """Seconds to the end."""
        return max(0.0, self.end - time.monotonic())

    def options(self, again: Callable[[httpx.Response], float | None]) -> Options:
        """Say how a request of this wait is sent."""
        return Options(end=self.end, latest=self._latest, again=again)

    def pause(self, response: httpx.Response | None) -> float | None:
        """Tell how many seconds to sleep before the next poll: no longer than to the end; None if it is too late."""
        left, asked = self.left, (retry_after(response) or 0.0) if response is not None else 0.0
        return min(max(self._next(), asked), left) if left > 0 and asked <= left else None

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
        self.sleeps_until = time.monotonic() + pause
        return pause

    def busy(self, response: httpx.Response) -> float | None:
        """As :meth:`refused`, of what may be repeated: a gateway that names a time is also believed, once."""
        if response.status_code != 503 or self._believed:
            return self.refused(response)
        asked, self._believed = retry_after(response), True
        return max(asked, 0.1) if asked is not None and asked < self.left else None


def _once(_: httpx.Response) -> None:
    """Send nothing again: the wait itself decides."""


def polling(
    client: Client, poll: Request[CommandOutput], pid: int, patience: Patience, span: Span | None = None
) -> Steps[CommandOutput]:
    """Poll a command until it has ended, or until the time is over.

    Args:
        client: which sends
        poll: the request
        pid: of the command
        patience: how long, how often, and who is told meanwhile
        span: the rest of a wait in which the command was started
    """
    polls = _Polls(client, poll, patience, span)
    try:
        while True:
            options, response = polls.span.options(_once), None
            try:
                response = yield from sending(client, poll, options)
            except Exception as error:
                polls.missed(error, options.evidence)
            else:
                output = polls.got(response)
                if output is not None:
                    return output
            yield polls.pause(response)
    except HostUpError as error:
        _name(error, pid)
        raise


def _name(error: HostUpError, pid: int) -> None:
    """Let an error have the pid; that of a callback's own call keeps the pid that it may have."""
    error.pid = pid if error.pid is None else error.pid


class _Polls:
    """What is known of a command by its polls.

    A poll whose response is lost may have taken the output with it, or not: the next one tells. So neither a broken
    connection nor a gateway's 502 ends a wait.
    """

    def __init__(self, client: Client, poll: Request[CommandOutput], patience: Patience, span: Span | None) -> None:
        self._client, self._poll, self._patience = client, poll, patience
        self.span = span or Span(patience)
        self._is_server_known = span is not None
        self._lost: Exception | None = None
        self._missed: Exception | None = None
        self._state: CommandOutput | None = None

    @property
    def _asked(self) -> str:
        return self._client.told(self._poll)

    def missed(self, error: Exception, evidence: Evidence) -> None:
        """Take that no response came.

        Raises:
            Exception: it is of no use to go on
        """
        is_lost = evidence.may_have_been_sent
        if isinstance(error, LOST) and (is_lost or self._is_server_known or not self.span.left):
            self._missed = error.with_traceback(None)  # without its frames, one of which would keep it
            self._lost = self._missed if is_lost else self._lost
        elif is_lost and not isinstance(error, HostUpError):  # of a hook, say, after the response
            raise OutputLost(f"the response to a poll was not read ({self._asked})") from error
        else:
            raise error

    def got(self, response: httpx.Response) -> CommandOutput | None:
        """Take a response; return the output if the command has ended.

        Raises:
            HostUpError: the response says that it is of no use to go on
        """
        self._is_server_known, self._missed = True, None
        if response.status_code >= 500:
            self._lost = self._client.failure(response)
        elif response.status_code == 404 and self._lost is not None:
            text = f"the command is forgotten, and the response to an earlier poll was lost ({self._asked})"
            raise OutputLost(text, response) from self._lost
        elif response.status_code not in (408, 429):  # with which it was not served
            self._state, self._lost = self._client.read(self._poll, response), None
            if self._state.exited:
                if self._patience.check and not self._state.ok:
                    raise _failed(self._client, self._state)
                return self._state
            if self._patience.on_progress is not None:
                self._patience.on_progress(self._state)
        return None

    def _late(self, response: httpx.Response | None) -> CommandStillRunning:
        # Not made where it is raised: a frame that holds its own error would keep it, and the response, in memory.
        error = CommandStillRunning(f"the command has not ended in time ({self._asked})", response)
        error.state = self._state
        return error

    def pause(self, response: httpx.Response | None) -> float:
        """Tell how many seconds to sleep before the next poll.

        Raises:
            CommandStillRunning, OutputLost: the time is over
        """
        pause = self.span.pause(response)
        if pause is not None:
            return pause
        if self._lost is None:
            raise self._late(response) from self._missed
        is_told = isinstance(self._lost, ResponseError)
        what = f"the response to a poll was {self._lost}" if is_told else "the response to a poll did not arrive"
        problem = getattr(self._lost, "problem", None)
        raise OutputLost(f"{what}, and none came in time ({self._asked})", response, problem) from self._lost


def _failed(client: Client, output: CommandOutput) -> CommandFailed:
    key = getattr(client, "token", None) or "\0"
    end = without([key], " ".join(output.stderr_text.split()))[-300:]  # a part of it is no key that is found
    code = output.exit_code
    ending = f"with exit code {code}" if code is not None else "without an exit code: it was killed, or has none"
    visible = "".join(letter if letter.isprintable() else "\ufffd" for letter in end)
    error = CommandFailed(f"the command ended {ending}" + (f": {visible}" if visible else ""))
    error.output = output
    return error


# Of these it is known whether a start was sent, but not of others, such as those of a signal's handler or of the log.
_TELL_THEMSELVES = (HostUpError, httpx.HTTPError, ValueError, TypeError)


class _Telling:
    """Tells with an exception what was begun by then. (A generator in its place would keep the exception in its
    frame.)"""

    def __init__(self, span: Span) -> None:
        self._span, self._is_sent = span, False
        self._pid: int | None = None

    def sent(self) -> None:
        """From here on, a command may have been started."""
        self._is_sent = True

    def started(self, pid: int) -> None:
        """From here on, this command was started."""
        self._pid = pid

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, frames: TracebackType | None
    ) -> None:
        if error is None:
            return
        if self._pid is not None:
            if getattr(error, "pid", None) != self._pid:
                error.add_note(f"the command was started: pid {self._pid}")
            if isinstance(error, HostUpError):
                _name(error, self._pid)
        elif not isinstance(error, _TELL_THEMSELVES if self._is_sent else Exception):
            error.add_note(self._interrupted())

    def _interrupted(self) -> str:
        if not self._is_sent:
            return "no command was started"
        if time.monotonic() < self._span.sleeps_until:
            return "no command was started: the server had refused it"
        return "a command may have been started"


def running(
    client: Client,
    probe: Request[AgentAvailability],
    start: Request[StartedCommand],
    poll: Callable[[int], Request[CommandOutput]],
    patience: Patience,
    on_start: OnStart,
) -> Steps[CommandOutput]:
    """Ask whether commands can be run, start one, and wait for its end. It is started at most once, whatever happens.

    Args:
        client: whose key is not shown
        probe, start: the requests
        poll: makes the request that polls a pid
        patience: how long, how often, and who is told meanwhile
        on_start: called with the pid
    """
    check_callback("on_start", on_start)
    span = Span(patience)
    with _Telling(span) as telling:
        response = yield from sending(client, probe, span.options(span.busy))
        availability = client.read(probe, response)
        if availability.available is not True:
            raise _unavailable(availability, response)
        telling.sent()
        try:
            response = yield from sending(client, start, span.options(span.refused))
        except TooLarge as error:
            raise _unless_refused(error) from error
        pid = _pid(client, start, response)
        telling.started(pid)
        if on_start is not None:
            on_start(pid)
        return (yield from polling(client, poll(pid), pid, patience, span))


def _unavailable(availability: AgentAvailability, response: httpx.Response) -> AgentUnavailable:
    reason = quoted(availability.reason, response)
    text = f"commands cannot be run in this VPS now{': ' if reason else ''}{reason}"
    error = AgentUnavailable(f"{text} ({shown(response)})")
    error.availability = availability
    return error


def _unless_refused(error: ResponseError) -> StartLost:
    """Make the error of a start that may have been carried out.

    Raises:
        ResponseError: it was not
    """
    if is_refusal(error.status_code):
        raise error
    return StartLost(f"the response to a start tells of no command: {error}", error.response, error.problem)


def _pid(client: Client, start: Request[StartedCommand], response: httpx.Response) -> int:
    """Return the pid of what was started: that in the response's ``pid``, in its ``pollUrl``, or in both.

    Raises:
        ResponseError: the start was refused
        StartLost: it was not, and there is no pid, or there are two
    """
    try:
        told = client.read(start, response)
    except ResponseError as error:
        raise _unless_refused(error) from error
    found = {pid for pid in (told.pid, _polled_at(told.poll_url, response.request.url)) if pid is not None}
    if len(found) > 1:
        raise StartLost(f"the response to a start names two commands ({shown(response)})", response)
    if not found or min(found) < 1:
        raise StartLost(f"the response to a start names no command ({shown(response)})", response)
    return found.pop()


def _polled_at(url: str | None, asked: httpx.URL) -> int | None:
    """Return the pid in a URL that is a path (so on the same origin), and the one just used.

    Nothing is ever sent to it: only the pid is taken from it, whatever else a server writes there.
    """
    if not url or not url.startswith("/") or url.startswith("//"):
        return None
    try:
        target = httpx.URL(url)
        (text,) = target.params.get_list("pid")
        is_pid = text.isascii() and text.isdecimal() and int(text) > 0
        return int(text) if is_pid and _segments(target) == _segments(asked) else None
    except (ValueError, httpx.InvalidURL):  # no URL, not one name, or a number of thousands of digits
        return None


def _segments(url: httpx.URL) -> list[str]:
    path = url.raw_path.partition(b"?")[0].decode()
    return [unquote(segment) for segment in path.split("/")]
