"""Runs the suite against every hostile server, as its users do, and prints what became of each: `make hostile`."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from running import KEPT, command

from hostile import Hostile, hostile_servers
from hostile.outcome import Outcome, outcome_of
from hostile.server import HostileServer

#: Seconds after which a run is ended, and counted as one that does not end.
LONGEST = 200.0


def run(hostile: Hostile, folder: Path) -> Outcome:
    """Run the suite against one server, in a process of its own."""
    server = HostileServer(hostile.behave, special_keys=hostile.special_keys)
    environment = dict(server.environment)
    if hostile.lookup:
        environment = {name: value for name, value in environment.items() if "KEY" in name}
    output = folder / "output.txt"
    with server.serve(hostile.backlog) as url, output.open("wb") as stream:
        started = time.monotonic()
        process = subprocess.Popen(
            command("--report-dir", folder / "report", "--base-url", url, "--record", folder / "run.har"),
            cwd=folder, env={**KEPT, **environment}, stdout=stream, stderr=subprocess.STDOUT,
        )  # fmt: skip
        code, mebibytes, computed = wait(process, started + LONGEST)
        seconds = time.monotonic() - started
    return outcome_of(hostile, folder, server.keys, code=code, seconds=seconds, mebibytes=mebibytes, computed=computed)


def wait(process: subprocess.Popen[bytes], until: float) -> tuple[int | None, float, float]:
    """Return the exit code, None for a run that had to be ended, the largest resident memory in MiB,
    and the seconds that it computed.
    """
    ended, most = False, 0.0
    while True:
        pid, status, usage = os.wait4(process.pid, os.WNOHANG)
        if pid:
            process.returncode = os.waitstatus_to_exitcode(status)
            return None if ended else process.returncode, most, usage.ru_utime + usage.ru_stime
        most = max(most, resident(process.pid))
        if not ended and time.monotonic() > until:
            process.kill()
            ended = True
        time.sleep(0.05)


def resident(pid: int) -> float:
    """Return the largest resident memory of a process so far, in MiB.

    Not that of its usage, which begins with the memory of the process that started it: ours, which holds the bombs.
    """
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
    return 0.0


def run_in_a_folder(hostile: Hostile) -> Outcome:
    """Run the suite against one server in a folder of its own, and print what became of it."""
    with TemporaryDirectory(prefix="hostile-") as folder:
        outcome = run(hostile, Path(folder))
    print(outcome.row, flush=True)
    return outcome


def main() -> int:
    """Run those that are named, or all; return 1 if anything was wrong."""
    parser = argparse.ArgumentParser(prog="python -m hostile", description=__doc__)
    parser.add_argument("names", nargs="*", help="hostile servers, or parts of their names; all where none is given")
    parser.add_argument("--jobs", type=int, default=2, help="how many run at once (2)")
    arguments = parser.parse_args()
    chosen = [
        hostile
        for name, hostile in hostile_servers().items()
        if not arguments.names or any(part in name for part in arguments.names)
    ]
    print(Outcome.header, flush=True)
    with ThreadPoolExecutor(arguments.jobs) as pool:
        outcomes = list(pool.map(run_in_a_folder, chosen))
    wrong = [outcome for outcome in outcomes if outcome.wrong]
    slowest = max(outcome.seconds for outcome in outcomes)
    largest = max(outcome.mebibytes for outcome in outcomes)
    computed = max(outcome.computed for outcome in outcomes)
    print(
        f"{len(outcomes)} hostile servers, {len(wrong)} wrong; at most {slowest:.0f} s ({computed:.0f} s of them "
        f"computing) and {largest:.0f} MiB"
    )
    for outcome in wrong:
        print(f"  {outcome.hostile.name}: {'; '.join(outcome.wrong)}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
