"""SIGINT, SIGTERM, SIGHUP: the first ends the sending, so that the run reports what it has; the second ends the run."""

import os
import signal
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from types import FrameType
from typing import Any, NoReturn

from hostup_conformance.keeping.time_limit import is_lost_in

#: Windows has no SIGHUP, which a terminal sends that is closed.
SIGNALS = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
REASON = "the run was interrupted"
#: How many seconds pass until an exception is raised that would be lost.
RAISED_WITHIN = 0.05


def ended_at_once(_number: int, _frame: object) -> NoReturn:
    """End the process, and say so."""
    os.write(2, b"hostup-conformance: interrupted\n")
    os._exit(2)


def interrupted(_number: int, frame: FrameType | None) -> None:
    """Raise `KeyboardInterrupt`, a moment later where it would only be printed."""
    if not is_lost_in(frame) or not hasattr(signal, "setitimer"):
        raise KeyboardInterrupt
    signal.signal(signal.SIGALRM, interrupted)
    signal.setitimer(signal.ITIMER_REAL, RAISED_WITHIN)


class Interruption:
    """Whether and when the run was interrupted, and the functions to call then; `again` is called the second time."""

    def __init__(self, again: Callable[[int, FrameType | None], object] = interrupted) -> None:
        self._again = again
        self._at: float | None = None
        self._listeners: list[Callable[[str], None]] = []
        self._before: dict[int, Any] = {}
        with suppress(ValueError):  # only the main thread can handle signals
            for number in SIGNALS:
                if number in SIGNALS[:2] or signal.getsignal(number) != signal.SIG_IGN:  # which nohup sets
                    self._before[number] = signal.signal(number, self._received)
            if hasattr(signal, "SIGCHLD") and signal.getsignal(signal.SIGCHLD) == signal.SIG_IGN:
                # Where whoever began the run ignores it, the system forgets with which codes our processes exit.
                self._before[signal.SIGCHLD] = signal.signal(signal.SIGCHLD, signal.SIG_DFL)

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
        for number, handler in self._before.items():
            with suppress(ValueError, TypeError):
                signal.signal(number, handler)

    def _received(self, _number: int, _frame: object) -> None:
        for number in self._before:
            signal.signal(number, self._again)
        # In a thread of its own, since the interrupted code may hold a lock that the listeners need.
        with suppress(RuntimeError):  # there are no more threads; the second signal ends the run
            threading.Thread(target=self._happen, daemon=True).start()

    def _happen(self) -> None:
        if self.happened:
            return
        self._at = time.monotonic()
        for listener in self._listeners:
            listener(REASON)
