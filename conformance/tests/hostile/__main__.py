"""Runs the suite against every hostile server, as its users do, and prints what became of each: `make hostile`."""

import argparse
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory

from running import KEPT, exit_with

from hostile import HOSTILE_SERVERS, Hostile
from hostile.outcome import Outcome, outcome_of
from hostile.process import PROCESSES, pytest_in, wait
from hostile.server import HostileServer


def run(hostile: Hostile, folder: Path) -> Outcome:
    """Run the suite against one server, in a process of its own."""
    server = HostileServer(hostile.behave, special_keys=hostile.special_keys)
    environment = {name: value for name, value in server.given().items() if not hostile.lookup or "KEY" in name}
    with server.serve() as url:
        options = ["--report-dir", folder / "report", "--base-url", url, "--record", folder / "run.har"]
        options += ["--allow-exec"] if hostile.commands else []
        process = PROCESSES.Process(target=pytest_in, args=(folder, [*map(str, options)], {**KEPT, **environment}))
        process.start()
        code, usage = wait(process)
    return outcome_of(
        hostile, folder, server.keys,
        code=code, seconds=usage.seconds, mebibytes=usage.mebibytes, computed=usage.computed,
    )  # fmt: skip


def run_in_a_folder(hostile: Hostile) -> Outcome:
    """Run the suite against one server in a folder of its own, and print what became of it."""
    with TemporaryDirectory(prefix="hostile-") as folder:
        outcome = run(hostile, Path(folder))
    print(outcome.row, flush=True)
    return outcome


def main() -> int:
    """Run those that are named, or all; return 1 if anything was wrong."""
    parser = argparse.ArgumentParser(prog="python -m hostile", description=__doc__)
    parser.add_argument("names", nargs="*", help="hostile servers, * for any characters; all where none is given")
    parser.add_argument("--jobs", type=int, default=2, help="how many run at once (2)")
    arguments = parser.parse_args()
    chosen = HOSTILE_SERVERS.chosen(arguments.names).values()
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
    exit_with(main)
