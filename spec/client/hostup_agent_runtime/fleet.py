"""One command in many VPSs at once, on asyncio or trio."""

from __future__ import annotations

import logging
import sys
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Awaitable, Callable, Coroutine, Iterable
from functools import partial
from typing import TYPE_CHECKING, Any

from .connections import running_loop, whole
from .values import check, check_callback

if TYPE_CHECKING:
    from anyio import Event
    from hostup_agent_exec.models import CommandOutput

    from .client import Client

Result = tuple[str, "CommandOutput | Exception"]
Run = Callable[..., Awaitable["CommandOutput"]]

MOST_TOLD = 2000
"""How many characters of an output that nobody took are told."""


class _Fleet:
    """The commands that are under way, and the results that nobody has taken yet."""

    def __init__(self, run: Callable[[str], Awaitable[CommandOutput]], limit: int, log: logging.Logger) -> None:
        from anyio import Event  # (slow to import, and loaded by httpx only if asynchronous)

        self._run, self._limit, self._log, self._event = run, limit, log, Event
        self._cancels = dict[object, Callable[[], object]]()
        self._changed: Event = Event()
        self.results = deque[Result]()
        self.notes: list[str] = []
        self.failure: BaseException | None = None

    def _tell(self) -> None:
        self._changed.set()
        self._changed = self._event()

    def _spawn(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Let it run beside this task."""
        this = object()

        def over() -> None:
            del self._cancels[this]
            self._tell()

        self._cancels[this] = _start(partial(self._guarded, work), over)

    async def _guarded(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        from anyio import get_cancelled_exc_class

        try:
            await work()
        except get_cancelled_exc_class():
            raise
        except BaseException as error:
            self.failure = self.failure or error  # it is raised where the results are taken

    def feed(self, ids: Iterable[str] | AsyncIterable[str]) -> None:
        """Begin to run for each of these, as many at once as there may be."""
        self._spawn(partial(self._feeding, ids))

    async def _feeding(self, ids: Iterable[str] | AsyncIterable[str]) -> None:
        async for id in ids if isinstance(ids, AsyncIterable) else _one_by_one(ids):
            self._spawn(partial(self._running, id))
            while len(self._cancels) - 1 + len(self.results) >= self._limit:  # this task is one of them
                await self._changed.wait()

    async def _running(self, id: str) -> None:
        try:
            self.results.append((id, await self._run(id)))
        except Exception as error:
            self.results.append((id, error))
        except BaseException as ended:  # a cancellation, which has a note of what was started
            self.notes += [f"{id}: {note}" for note in getattr(ended, "__notes__", ())]
            raise

    async def take(self) -> Result | None:
        """Wait for a result; None after the last one.

        Raises:
            BaseException: the ids could not be read, or a callback ended the program
        """
        while not self.results:
            if self.failure is not None:
                raise self.failure
            if not self._cancels:
                return None
            await self._changed.wait()
        self._tell()
        return self.results.popleft()

    async def end(self, ended: BaseException) -> None:
        """Cancel what is under way, and note with the exception what was begun and not taken."""
        for cancel in list(self._cancels.values()):
            cancel()
        try:
            await whole(self._over)
        except BaseException as again:  # cancelled once more: it takes the place of the first one
            self._note(again)
            raise
        self._note(ended)

    async def _over(self) -> None:
        while self._cancels:
            await self._changed.wait()

    def _note(self, ended: BaseException) -> None:
        for note in self.notes + [f"{id}: {_told(result)}" for id, result in self.results]:
            ended.add_note(note)
            if isinstance(ended, GeneratorExit):
                self._log.warning("run_many was closed: %s", note)


def _told(result: CommandOutput | Exception) -> str:
    if isinstance(result, Exception):
        pid = getattr(result, "pid", None)
        notes = [*([f"pid {pid}"] if pid is not None else []), *getattr(result, "__notes__", ())]
        return f"{type(result).__name__}: {result}" + (f" ({'; '.join(notes)})" if notes else "")
    code = result.exit_code
    texts = {"stdout": result.stdout_text, "stderr": result.stderr_text}
    shown = [
        f"{name} {text[:MOST_TOLD]!r}" + (" and more" if len(text) > MOST_TOLD else "")
        for name, text in texts.items()
        if text
    ]
    return ", ".join([f"the command has ended with exit code {code}", *shown])


async def _one_by_one(ids: Iterable[str]) -> AsyncIterator[str]:
    for id in ids:
        yield id


_kept: set[object] = set()


def _start(work: Callable[[], Coroutine[Any, Any, None]], over: Callable[[], None]) -> Callable[[], object]:
    """Run it in the background of the event loop, which is not bound to a block as anyio's and trio's groups are.

    Returns:
        what cancels it
    """
    import asyncio  # (slow to import)

    loop = running_loop()
    if not isinstance(loop, asyncio.AbstractEventLoop):
        return _start_on_trio(work, over)
    # Not by the loop's own factory, which may begin it at once, before it is known and counted.
    task = asyncio.Task(work(), loop=loop)
    _kept.add(task)  # a loop itself refers to its tasks weakly

    def done(task: asyncio.Task[None]) -> None:
        _kept.discard(task)
        over()

    task.add_done_callback(done)
    return task.cancel


def _start_on_trio(work: Callable[[], Coroutine[Any, Any, None]], over: Callable[[], None]) -> Callable[[], object]:
    trio = sys.modules["trio"]
    scope = trio.CancelScope()

    async def run() -> None:
        try:
            with scope:
                await work()
        finally:
            over()

    trio.lowlevel.spawn_system_task(run)
    cancel: Callable[[], object] = scope.cancel
    return cancel


async def run_many(
    client: Client,
    ids: Iterable[str] | AsyncIterable[str],
    run: Run,
    limit: int,
    on_start: Callable[[str, int], object] | None,
    on_progress: Callable[[str, CommandOutput], object] | None,
) -> AsyncGenerator[Result, None]:
    """Run for each, some at once, and give each result as it comes.

    When this is closed or cancelled, what was under way or not taken is told in notes on the exception; where there
    is none, as after ``break``, it is logged as a warning.

    Raises:
        TypeError, ValueError: ``limit`` is no number of calls, or ``ids`` is one str
    """
    check("limit", limit, int)
    if limit < 1:
        raise ValueError("limit: expected 1 or more")
    if isinstance(ids, str):
        raise TypeError("expected many, got one str")
    check_callback("on_start", on_start)
    check_callback("on_progress", on_progress)

    def one(id: str) -> Awaitable[CommandOutput]:
        started, progress = on_start and partial(on_start, id), on_progress and partial(on_progress, id)
        return run(id, on_start=started, on_progress=progress)

    fleet = _Fleet(one, limit, logging.getLogger(client.contract.package))
    try:
        fleet.feed(ids)
        while (result := await fleet.take()) is not None:
            yield result
    except BaseException as ended:
        await fleet.end(ended)
        raise
