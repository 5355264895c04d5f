"""The one deadline of a run, and the end of code that takes too long, by a signal in this process.

It must not know what the code does. Loops in Python and regular expressions, which a server can slow down, react to
signals. Everything else is a single pass over an input of bounded size; if it is not, the process ends after all.
"""

import faulthandler
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TypeVar

T = TypeVar("T")
#: How many seconds code may take that begins after the deadline, and how often the signal comes again: what a signal
#: has ended may be followed by more that takes long.
AFTER_THE_DEADLINE, SIGNALLED_AGAIN = 0.05, 0.25
#: The names of functions that the interpreter calls while it frees memory; hypothesis has one of the first name.
CALLBACKS = {"gc_callback", "__del__"}
#: The modules whose functions it calls when what a weak reference is of has gone.
WEAK = {"weakref", "_weakrefset"}
#: What counts as no limit, in seconds.
A_DAY = 86400.0
#: So many seconds after the deadline what reacts to no signal is ended, with the process; a busy machine takes as long.
BY_FORCE = 60.0


class TimeUp(Exception):
    """The code took longer than it was allowed to."""


def end_now() -> None:
    """Let the time be up in what `at_most` limits at the moment; this may be called in any thread."""
    if hasattr(signal, "setitimer") and signal.getitimer(signal.ITIMER_PROF)[0]:
        signal.setitimer(signal.ITIMER_PROF, 1e-6)


@contextmanager
def at_most(seconds: float) -> Iterator[None]:
    """Raise `TimeUp` in the block once this process has used so many seconds of CPU, or as many as a block around has.

    CPU time counts, so that a busy machine makes no difference. There is no limit outside POSIX and in threads other
    than the main one, where the signal does not exist or cannot be handled.
    """
    if not hasattr(signal, "setitimer") or threading.current_thread() is not threading.main_thread():
        yield
        return

    def end(_number: int, frame: FrameType | None) -> None:
        if is_lost_in(frame):
            return  # the signal comes again
        raise TimeUp(f"more than {seconds:g} seconds{f', in {frame.f_code.co_name}' if frame else ''}")

    before, began = signal.signal(signal.SIGPROF, end), time.process_time()
    around = signal.getitimer(signal.ITIMER_PROF)[0]
    signal.setitimer(signal.ITIMER_PROF, min(seconds, around or A_DAY, A_DAY), SIGNALLED_AGAIN)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)
        if around:
            signal.setitimer(signal.ITIMER_PROF, max(around - (time.process_time() - began), 1e-6), SIGNALLED_AGAIN)


def is_lost_in(frame: FrameType | None) -> bool:
    """Whether an exception would only be printed, since the interpreter has called what runs: a callback of its own."""
    while frame:
        if frame.f_code.co_name in CALLBACKS or frame.f_globals.get("__name__") in WEAK:
            return True
        frame = frame.f_back
    return False


def done_by(deadline: float, step: Callable[[], T]) -> T:
    """Return what a step returns; raise `TimeUp` if it takes longer than until a deadline (on the monotonic clock).

    A step that no signal ends is ended with the process. The report that was written first says so then.
    """
    seconds = max(deadline - time.monotonic(), AFTER_THE_DEADLINE)
    with at_most(seconds), ending_by_force(seconds + BY_FORCE):
        return step()


@contextmanager
def ending_by_force(seconds: float) -> Iterator[None]:
    """End the process, with exit code 1, if the block takes so many seconds, whatever it does: even in C."""
    with open(os.devnull, "w", encoding="utf-8") as nowhere:
        faulthandler.dump_traceback_later(min(seconds, A_DAY), exit=True, file=nowhere)
        try:
            yield
        finally:
            faulthandler.cancel_dump_traceback_later()
