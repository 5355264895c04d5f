"""Runs a command to its end or its deadline, bounds what it prints, and leaves no process of it behind."""

from __future__ import annotations

import ctypes
import os
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from hostup_conformance.clients.story import Outcome
from hostup_conformance.keeping.shortage import shortage

#: How many seconds to wait, once the command has ended, for the rest of the output, and for the end of its processes.
A_MOMENT, A_WHILE = 1.0, 3.0
#: How many seconds pass between two checks whether to stop the command.
LOOK = 0.5
#: How many seconds pass between two looks for adopted processes that have ended: a client may fork thousands a second.
SOON = 0.1
#: How many times to look for processes that have just been forked.
ROUNDS = 50
#: linux/prctl.h
PR_SET_CHILD_SUBREAPER = 36
PROC = Path("/proc")


class Stream:
    """Reads what a command prints, in a thread."""

    def __init__(self, pipe: IO[bytes], process: subprocess.Popen[bytes], most: int) -> None:
        self.text = bytearray()
        self.excess = False
        self._pipe, self._process, self._most = pipe, process, most
        self._enough = threading.Event()
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        ready = select.poll()  # unlike select, it knows descriptors of any number
        ready.register(self._pipe, select.POLLIN)
        with self._pipe:
            while not self._enough.is_set():
                if not ready.poll(100):
                    continue
                if not (found := os.read(self._pipe.fileno(), 2**16)):
                    return
                self.text += found
                if len(self.text) > self._most:
                    self.excess = True
                    end_group(self._process.pid)
                    return

    def finish(self, seconds: float) -> bytes:
        """Return what was printed, including what is read within the given seconds."""
        self._thread.join(seconds)
        self._enough.set()
        self._thread.join()
        return bytes(self.text)


def run_command(
    command: Sequence[str],
    environment: Mapping[str, str],
    mark: str,
    *,
    left: Callable[[], float],
    most: int,
    stop: threading.Event,
) -> Outcome:
    """Run a command, and end it with all its processes.

    Args:
        command: the program and its arguments
        environment: all of its environment
        mark: a text in the environment that no other process has
        left: returns the number of seconds after which it is ended
        most: how many bytes it may print to each stream
        stop: ends it at once when it is set
    Raises:
        OSError, RuntimeError: the system has no more processes, threads or files
    """
    began = time.monotonic()
    try:
        with STARTING:
            process = subprocess.Popen(  # noqa: S603 - the user asked to run it
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=environment,
                start_new_session=True,
            )
            COMMANDS.add(process.pid)
    except (OSError, ValueError) as error:
        if shortage(error):
            raise
        reason = getattr(error, "strerror", None) or str(error)
        return Outcome(None, b"", b"", 0.0, "start", f"{command[0]} cannot be started: {reason}")
    code = left_behind = None
    took = 0.0
    try:
        streams = [Stream(pipe, process, most) for pipe in (process.stdout, process.stderr) if pipe]
        while code is None and not stop.is_set() and (seconds := left()) > 0:
            with suppress(subprocess.TimeoutExpired):
                code = process.wait(min(seconds, LOOK))
        took = time.monotonic() - began
        left_behind = still_running(mark) if PROC.is_dir() and code is not None else None
    finally:
        end_group(process.pid)
        end_marked(mark)
        process.wait()
        COMMANDS.discard(process.pid)
    stdout, stderr = (stream.finish(A_MOMENT) for stream in streams)
    if any(stream.excess for stream in streams):
        return Outcome(None, stdout, stderr, took, "bound", f"it printed more than {most >> 20} MiB")
    if code is None:
        return Outcome(None, stdout, stderr, took, "deadline")
    return Outcome(
        code if code >= 0 else 128 - code, stdout, stderr, took, left_behind=left_behind
    )  # as shells have it


def still_running(mark: str) -> frozenset[str]:
    """Return the programs of the processes that still run a while after the command has ended."""
    latest = time.monotonic() + A_WHILE
    while (found := frozenset(marked_with(mark))) and time.monotonic() < latest:
        time.sleep(0.05)
    return found


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
def adopting() -> Iterator[None]:
    """Adopt orphaned descendants, and kill them and theirs at the end of the block."""
    if not sys.platform.startswith("linux"):
        yield
        return
    libc = ctypes.CDLL(None, use_errno=True)
    before, over = set(descendants()), threading.Event()
    reaper = threading.Thread(target=reap, args=(over,), daemon=True, name="reaper")
    reaper.start()
    libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    try:
        yield
    finally:
        over.set()
        reaper.join()
        for _ in range(ROUNDS):
            orphans = [pid for pid in descendants() if pid not in before]
            if not orphans:
                break
            for orphan in orphans:
                end(orphan)
            for orphan in orphans:
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


def end(pid: int) -> None:
    """Kill a process."""
    with suppress(ProcessLookupError, PermissionError):
        os.kill(pid, signal.SIGKILL)


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
