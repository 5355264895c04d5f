"""Asks schemathesis, which runs in a process of its own: it is imported while a run sends, and cannot break a run."""

import atexit
import json
import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

from hostup_conformance.contract.document import document

#: For how many seconds an answer is waited for: a busy machine takes a while to import schemathesis.
ANSWER_SECONDS = 30.0
#: How often, in seconds, a wait can be broken off.
LOOK_SECONDS = 0.1
#: What runs there, and the operation of the document that it is about.
MODULE, OPERATION = "hostup_conformance.contract.schemathesis_process", "getAgentExec"
#: Variables that are no business of that process: the keys, and what a project's own tests want of these libraries.
KEPT_BACK = ("HOSTUP_", "SCHEMATHESIS_", "PYTHONWARNINGS", "PYTHONOPTIMIZE")


class Unanswered(Exception):
    """Schemathesis gave no answer; the text says why."""


class Schemathesis:
    """A process in which schemathesis runs. It is started when it is first needed, and ended if a question is."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._lines = queue.SimpleQueue[bytes]()

    def start(self) -> None:
        """Start the process, so that it is ready when it is asked.

        Raises:
            OSError: the system has no more processes, files or memory
        """
        with self._lock:
            self._started()

    def ask(self, what: str, send: Callable[[Any], Any] | None = None, **about: Any) -> Any:
        """Return the answer to a question; `send` returns what came of a request that the answer depends on.

        Raises:
            Unanswered: there is no answer, or none in time
            OSError: the system has no more processes, files or memory
        """
        with self._lock:
            process = self._started()
            try:
                say(process, {"what": what, "about": about})
                while "send" in (heard := self._heard()):
                    say(process, send(heard["send"]) if send else {})
            except BaseException:
                self._end()
                raise
        if "failed" in heard:
            raise Unanswered(f"schemathesis failed with {heard['failed']}")
        return heard["answer"]

    def end(self) -> None:
        """End the process."""
        with self._lock:
            self._end()

    def _started(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            self._lines = queue.SimpleQueue()
            process = self._process = subprocess.Popen(  # noqa: S603 - Python itself
                [sys.executable, "-P", "-m", MODULE],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=environment(),
                start_new_session=True,  # signals are for the run, which ends this process
            )
            threading.Thread(target=read, args=(process.stdout, self._lines.put), daemon=True).start()
            atexit.register(self.end)
            say(process, {"document": document(), "operation": OPERATION})
        return self._process

    def _heard(self) -> Any:
        until = time.monotonic() + ANSWER_SECONDS
        while time.monotonic() < until:
            with suppress(queue.Empty):
                if line := self._lines.get(timeout=LOOK_SECONDS):
                    return json.loads(line)
                raise Unanswered("the process of schemathesis ended")
        raise Unanswered(f"schemathesis took longer than {ANSWER_SECONDS:g} s")

    def _end(self) -> None:
        if process := self._process:
            self._process = None
            atexit.unregister(self.end)
            process.kill()
            process.wait()
            if process.stdin:
                with suppress(OSError):  # what it was not told, it need not be told
                    process.stdin.close()


def environment() -> dict[str, str]:
    """Return the environment of the process, in which the same modules are found as here.

    Hypothesis needs a second to make its Unicode tables, so they are kept in this package, if that is writable.
    """
    folder = str(Path(__file__).parents[1] / "__pycache__" / "hypothesis")
    given = {name: value for name, value in os.environ.items() if not name.startswith(KEPT_BACK)}
    return {"HYPOTHESIS_STORAGE_DIRECTORY": folder} | given | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}


def say(process: subprocess.Popen[bytes], words: Any) -> None:
    """Write a line of JSON."""
    assert process.stdin  # noqa: S101 - it was opened with the process
    try:
        process.stdin.write(json.dumps(words).encode() + b"\n")
        process.stdin.flush()
    except BrokenPipeError:
        raise Unanswered("the process of schemathesis ended") from None


def read(lines: IO[bytes], put: Callable[[bytes], None]) -> None:
    """Hand on each line, and nothing more than an empty one at the end."""
    with lines:
        for line in lines:
            put(line)
    put(b"")


#: The one that all runs in this process share.
schemathesis = Schemathesis()
