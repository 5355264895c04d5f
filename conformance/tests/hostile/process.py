"""The process of a run, and what it takes. It must not know what the run is against."""

import multiprocessing
import os
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest

#: Seconds after which a run is ended, and counted as one that does not end.
LONGEST = 200.0
#: Each run begins as a copy of a process that has imported everything, which is most of what a run computes.
PROCESSES = multiprocessing.get_context("forkserver")
IMPORTED = (
    "pytest",
    "hostup_conformance.front.run",
    "hostup_conformance.front.session",
    "hostup_conformance.sources.generated",
    "schemathesis",
    __name__,
)
PROCESSES.set_forkserver_preload([*IMPORTED])


def pytest_in(folder: Path, options: list[str], environment: dict[str, str]) -> None:
    """Be pytest in a folder, with this environment alone; what it prints goes into a file."""
    os.chdir(folder)
    stream = os.open("output.txt", os.O_WRONLY | os.O_CREAT, 0o600)
    os.dup2(stream, 1)
    os.dup2(stream, 2)
    os.environ.clear()
    os.environ.update(environment)
    sys.exit(pytest.main(["-p", "no:cacheprovider", "--pyargs", "hostup_conformance", *options]))


@dataclass
class Usage:
    """What a run has taken so far.

    Its seconds are without those in which it waited for a processor that others used.
    """

    seconds: float = 0.0
    #: How many of the seconds it computed.
    computed: float = 0.0
    #: The largest resident memory, in MiB.
    mebibytes: float = 0.0

    def look(self, pid: int | None, seconds: float) -> None:
        """Take over what the system says of a process."""
        with suppress(OSError):
            of_process = Path(f"/proc/{pid}")
            waited = int((of_process / "schedstat").read_text().split()[1]) / 1e9
            times = (of_process / "stat").read_text().rpartition(")")[2].split()[11:13]
            self.seconds = seconds - waited
            self.computed = sum(map(int, times)) / os.sysconf("SC_CLK_TCK")
            for line in (of_process / "status").read_text().splitlines():
                if line.startswith("VmHWM:"):
                    self.mebibytes = int(line.split()[1]) / 1024


def wait(process: BaseProcess) -> tuple[int | None, Usage]:
    """Return the exit code, None for a run that had to be ended, and what the run took."""
    started, usage, ended = time.monotonic(), Usage(), False
    while process.is_alive():
        usage.look(process.pid, time.monotonic() - started)
        if usage.seconds > LONGEST and not ended:
            process.kill()
            ended = True
        process.join(0.1)
    return None if ended else process.exitcode, usage
