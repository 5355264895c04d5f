"""Runs a command to its end or its deadline, bounds what it prints, and leaves no process of it behind."""

import os
import select
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import IO

from hostup_conformance.clients.story import Outcome
from hostup_conformance.keeping.processes import COMMANDS, PROC, STARTING, end_group, end_marked, marked_with
from hostup_conformance.keeping.shortage import shortage

#: How many seconds to wait, once the command has ended, for the rest of the output, and for the end of its processes.
OUTPUT_SECONDS, PROCESSES_SECONDS = 1.0, 3.0
#: How many seconds pass between two checks whether to stop the command.
LOOK = 0.5


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
        with suppress(subprocess.TimeoutExpired):  # one that runs as another user may not be killed
            process.wait(PROCESSES_SECONDS)
        COMMANDS.discard(process.pid)
    stdout, stderr = (stream.finish(OUTPUT_SECONDS) for stream in streams)
    if any(stream.excess for stream in streams):
        return Outcome(None, stdout, stderr, took, "bound", f"it printed more than {most >> 20} MiB")
    if code is None:
        return Outcome(None, stdout, stderr, took, "deadline")
    return Outcome(
        code if code >= 0 else 128 - code, stdout, stderr, took, left_behind=left_behind
    )  # as shells have it


def still_running(mark: str) -> frozenset[str]:
    """Return the programs of the processes that still run a while after the command has ended."""
    latest = time.monotonic() + PROCESSES_SECONDS
    while (found := frozenset(marked_with(mark))) and time.monotonic() < latest:
        time.sleep(0.05)
    return found
