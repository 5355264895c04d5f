"""Ends code that takes too long, in this process: it must not know what the code does.

A child process that can be killed is not needed for that: what a server can make slow without bound are loops in Python
and regular expressions, and both look for signals. All else is a single pass over an input of bounded size.
"""

from __future__ import annotations

import signal
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType


class TimeUp(Exception):
    """The code took longer than it may."""


@contextmanager
def at_most(seconds: float) -> Iterator[None]:
    """Raise `TimeUp` in what runs within, once this process has computed for so many seconds.

    Time of the processor is what counts, so that a busy machine changes nothing. Only where there is such a clock, and
    in the main thread: on POSIX.
    """
    if not hasattr(signal, "setitimer") or threading.current_thread() is not threading.main_thread():
        yield
        return

    def end(_number: int, frame: FrameType | None) -> None:
        raise TimeUp(f"more than {seconds:g} seconds{f', in {frame.f_code.co_name}' if frame else ''}")

    before = signal.signal(signal.SIGPROF, end)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)
