"""`make deployments`: judges the whole catalogue, and prints a table."""

import argparse
import shutil
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

from running import KEPT as CLEAN
from running import exit_with

from deployments.catalogue import DEPLOYMENTS, KEPT, PYTHON, Deployment
from deployments.running import Outcome, copy_node, missing, run


def install(chosen: list[Deployment]) -> None:
    """Install what is missing and can be had: programs by apt, packages by pip and npm into a folder of their own."""
    lacking = [one for one in chosen if missing(one)]
    apt, pip, npm = (sorted({name for one in lacking for name in getattr(one, kind)}) for kind in ("apt", "pip", "npm"))
    if apt and shutil.which("apt-get"):
        quiet = {**CLEAN, "DEBIAN_FRONTEND": "noninteractive"}
        subprocess.run(["apt-get", "update", "-q"], env=quiet, stdout=sys.stderr, check=False)
        options = ["-y", "-q", "--no-install-recommends"]
        subprocess.run(["apt-get", "install", *options, *apt], env=quiet, stdout=sys.stderr, check=False)
    if pip:
        if not PYTHON.exists():
            subprocess.run([sys.executable, "-m", "venv", str(KEPT / "python")], check=True)
        options = ["--quiet", "--disable-pip-version-check"]
        subprocess.run([str(PYTHON), "-m", "pip", "install", *options, *pip], check=False)
    if npm and shutil.which("npm"):
        options = ["--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"]
        (KEPT / "node").mkdir(parents=True, exist_ok=True)
        subprocess.run(
            ["npm", "install", "--prefix", str(KEPT / "node"), *options, *npm], stdout=sys.stderr, check=False
        )


def row(outcome: Outcome) -> str:
    """Return the line of a deployment in the table."""
    name, report = outcome.deployment.name, outcome.report
    if report is None:
        return f"{name:26} {outcome.verdict:17} {' '.join(outcome.reason.split())}"
    blamed = [f"{status}: {', '.join(ids)}" for status in ("error", "fail", "warn") if (ids := outcome.ids(status))]
    mark = " " if outcome.as_expected else "!"
    figures = f"{report['requests']:4} requests {report['duration_seconds']:6.1f} s"
    return f"{name:26} {report['verdict']:17}{mark}{figures}  {'; '.join(blamed)}".rstrip()


def main() -> int:
    """Judge the chosen deployments; 1 if one of them was not found to be what it is."""
    parser = argparse.ArgumentParser(prog="make deployments", description=__doc__)
    parser.add_argument("names", nargs="*", help="deployments, * for any characters; all where none is given")
    parser.add_argument("--install", action="store_true", help="install what is missing")
    parser.add_argument("--jobs", type=int, default=2, help="how many at a time")
    parser.add_argument("--list", action="store_true", help="name them, and do nothing")
    options = parser.parse_args()
    chosen = [*DEPLOYMENTS.chosen(options.names).values()]
    if options.list:
        print("\n".join(one.name for one in chosen))
        return 0
    if options.install:
        install(chosen)
    copy_node()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # what was started is ended as on Ctrl-C
    outcomes = []
    with ThreadPoolExecutor(options.jobs) as pool:
        for outcome in pool.map(run, chosen):
            outcomes.append(outcome)
            print(row(outcome), flush=True)
    judged = [outcome for outcome in outcomes if outcome.verdict != "skipped"]
    wrong = [outcome.deployment.name for outcome in judged if not outcome.as_expected]
    print(f"{len(judged)} judged, {len(outcomes) - len(judged)} skipped, not as expected: {', '.join(wrong) or 'none'}")
    return 1 if wrong else 0


if __name__ == "__main__":
    exit_with(main)
