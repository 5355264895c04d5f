"""Ends processes with all that they have left behind, of clients and of applications alike."""

import ctypes
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

#: How many seconds pass between two looks for adopted processes that have ended: a client may fork thousands a second.
SOON = 0.1
#: How many times to look for processes that have just been forked.
ROUNDS = 50
#: linux/prctl.h
PR_SET_CHILD_SUBREAPER = 36
PROC = Path("/proc")


def marked(mark: str) -> list[int]:
    """Return the processes with a text in their environment that have not ended."""
    return [pid for pid in processes() if mark.encode() in read(pid, "environ") and state(pid) not in "ZX"]


def marked_with(mark: str, argument: str = "") -> set[str]:
    """Return the programs of the processes with a text in their environment, and another one in their arguments."""
    found = (pid for pid in marked(mark) if argument.encode() in read(pid, "cmdline"))
    return {read(pid, "comm").decode("utf-8", "replace").strip() for pid in found}


def end_group(pid: int) -> None:
    """Kill all processes of a group."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)


def end_marked(mark: str) -> None:
    """Kill all processes with a text in their environment, if the system shows it, as often as they fork new ones."""
    for _ in range(ROUNDS):
        if not (found := marked(mark)):
            return
        for pid in found:
            end(pid)


@contextmanager
def adopting(*, many: bool = True) -> Iterator[None]:
    """Adopt orphaned descendants, and kill them and theirs at the end of the block.

    Where there may be `many`, those that have ended are taken note of meanwhile, in a thread, and so is every process
    that is not among `COMMANDS`.
    """
    if not sys.platform.startswith("linux"):
        yield
        return
    libc = ctypes.CDLL(None, use_errno=True)
    before, over = set(descendants()), threading.Event()
    reaper = threading.Thread(target=reap, args=(over,), daemon=True, name="reaper")
    if many:
        reaper.start()
    libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    try:
        yield
    finally:
        over.set()
        if many:
            reaper.join()
        for _ in range(ROUNDS):
            orphans = [pid for pid in descendants() if pid not in before]
            if not orphans:
                break
            for orphan in [*filter(end, orphans)]:
                with suppress(ChildProcessError):
                    os.waitpid(orphan, 0)
        libc.prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0)


#: The pids of the commands that are under way, for whose end somebody else waits.
COMMANDS: set[int] = set()
#: Held while a command is started, so that it is not taken for an adopted process.
STARTING = threading.Lock()


def reap(over: threading.Event) -> None:
    """Take note of adopted processes that have ended, again and again: each would keep its pid otherwise."""
    while not over.wait(SOON):
        with STARTING, suppress(ChildProcessError):
            while ended := os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT):
                if ended.si_pid in COMMANDS:
                    break  # until it has been waited for
                os.waitpid(ended.si_pid, 0)


def end(pid: int) -> bool:
    """Kill a process; return whether that was possible: it may be another user's, or have gone."""
    try:
        os.kill(pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def processes() -> list[int]:
    """Return all pids except our own; none if the system does not show them."""
    if not PROC.is_dir():
        return []
    return [int(entry.name) for entry in PROC.iterdir() if entry.name.isdigit() and int(entry.name) != os.getpid()]


def read(pid: int, name: str) -> bytes:
    """Return what the system shows of a process; nothing if it has gone."""
    try:
        return (PROC / str(pid) / name).read_bytes()
    except OSError:
        return b""


def state(pid: int) -> str:
    """Return the state of a process; X if it has gone."""
    return read(pid, "stat").rpartition(b") ")[2][:1].decode() or "X"


def descendants() -> list[int]:
    """Return our own children and all below them, from one look at all processes."""
    children: dict[int, list[int]] = {}
    for pid in processes():
        fields = read(pid, "stat").rpartition(b") ")[2].split()
        if len(fields) > 1:
            children.setdefault(int(fields[1]), []).append(pid)
    found = list(children.get(os.getpid(), []))
    for child in found:
        found += children.get(child, [])
    return found
