"""SIGINT and SIGTERM: the first signal ends the sending, so that the run reports what it has; the second ends the run.

Under pytest-xdist the signal may reach only the controller, which then notifies the worker by creating a file.
"""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pytest


SIGNALS = (signal.SIGINT, signal.SIGTERM)
REASON = "the run was interrupted"
#: How many seconds pass between two checks for the controller's file.
LOOK = 0.2


class Interruption:
    """Whether and when the run was interrupted, and the functions to call then."""

    def __init__(self, notice: Path, *, watch: bool) -> None:
        #: The file that exists once the run was interrupted.
        self.notice = notice
        self._at: float | None = None
        self._listeners: list[Callable[[str], None]] = []
        self._before: dict[int, Any] = {}
        self._over = threading.Event()
        with suppress(ValueError):  # only the main thread can handle signals
            for number in SIGNALS:
                self._before[number] = signal.signal(number, self._received)
            if hasattr(signal, "pthread_sigmask"):
                signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)  # what `held_back` kept from a worker
        if watch and notice.exists():
            self._happen()
        elif watch:
            threading.Thread(target=self._watch, daemon=True, name="interruption").start()

    @property
    def happened(self) -> bool:
        """Whether the run was interrupted."""
        return self._at is not None

    def longer_ago_than(self, seconds: float) -> bool:
        """Whether the run was interrupted more than the given seconds ago."""
        return self._at is not None and time.monotonic() - self._at > seconds

    def tell(self, listener: Callable[[str], None]) -> None:
        """Call a function with the reason when the run is interrupted; at once if it already was."""
        self._listeners.append(listener)
        if self.happened:
            listener(REASON)

    def close(self) -> None:
        """Restore the signal handlers."""
        self._over.set()
        for number, handler in self._before.items():
            with suppress(ValueError, TypeError):
                signal.signal(number, handler)

    def _received(self, _number: int, _frame: object) -> None:
        for number in SIGNALS:
            signal.signal(number, signal.default_int_handler)
        # In a thread of its own, since the interrupted code may hold a lock that the listeners need.
        threading.Thread(target=self._happen, daemon=True).start()

    def _watch(self) -> None:
        while not self._over.wait(LOOK):
            if self.notice.exists():
                self._happen()
                return

    def _happen(self) -> None:
        if self.happened:
            return
        self._at = time.monotonic()
        with suppress(OSError):
            self.notice.touch()
        for listener in self._listeners:
            listener(REASON)


@contextmanager
def held_back() -> Iterator[None]:
    """Block the signals, also in processes that are started meanwhile: they would end one that has no handlers yet."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def interruption_of(config: pytest.Config) -> Interruption:
    """Begin to watch for an interruption of this run: for signals and, in a worker, for its controller's file."""
    if notice := getattr(config, "workerinput", {}).get("hostup_notice"):
        interruption = Interruption(Path(notice), watch=True)
    else:
        folder = TemporaryDirectory(prefix="hostup-conformance-")
        config.add_cleanup(folder.cleanup)
        interruption = Interruption(Path(folder.name) / "interrupted", watch=False)
    config.add_cleanup(interruption.close)
    return interruption
