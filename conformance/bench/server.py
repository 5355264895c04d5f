"""What the suite costs and finds beside schemathesis alone, on the same document and the same servers, in one run.

Both ask the embedded mock in another process, in rotation: the figures are medians. With starts, our run has
--allow-exec, and schemathesis has the POST and its stateful phase; the mock only acts as if it ran commands. Then every
sixth fault of the catalogue is served to both. A fault is found by our run when it fails or warns of anything, and by
`st run` when a check fails that does not fail, with the same status, on the mock as it is.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from faults import FAULTS
from hostup_conformance.mock import Mock, serve
from stage import Request, Response, Stage

ROOT = Path(__file__).parents[2]
DOCUMENT = ROOT / "spec" / "openapi.yaml"
OPERATION = ["--include-name", "GET /api/v2/vps/{id}/agent/exec"]
START = ["--include-name", "POST /api/v2/vps/{id}/agent/exec"]
#: How long one run against a faulty server may take; both tools have bounds of their own.
LONGEST = 240
NAMES = {"suite": "our full run", "st": "st run --checks all -n 50"}
WITH_STARTS = {"suite+starts": "our run with starts", "st+starts": "st run with starts"}


@dataclass(frozen=True)
class Run:
    """One run of a tool: its time, and what it said."""

    seconds: float
    said: frozenset[str]


@dataclass
class Served:
    """A server in another process. `requests` is known when it has ended."""

    base_url: str
    environment: dict[str, str]
    requests: int = 0


@contextmanager
def served(fault: str = "") -> Iterator[Served]:
    """Serve a fault, or the mock as it is, until the end of the block."""
    program = [sys.executable, "-P", __file__, "--serve", fault]  # or client.py beside it hides a package of the tests
    with subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout  # noqa: S101 - for the type checker, as the next
        assert process.stdin  # noqa: S101
        server = Served(**json.loads(process.stdout.readline()))
        try:
            yield server
        finally:
            process.stdin.close()
            server.requests = int(process.stdout.readline() or 0)


def serve_here(fault: str) -> None:
    """Serve until stdin ends; print where and how to ask, and at the end how many requests came."""
    count = 0
    mock = Mock(limit=10**6)

    async def counted(scope: Any, receive: Any, send: Any) -> None:
        nonlocal count
        count += 1
        await mock.app(scope, receive, send)

    def change(request: Request, response: Response) -> None:
        nonlocal count
        count += 1
        FAULTS.named(fault).change(request, response)

    with Stage(change, mock=mock).serve() if fault else serve(counted) as base_url:
        print(json.dumps({"base_url": base_url, "environment": mock.environment()}), flush=True)
        sys.stdin.read()
    print(count, flush=True)


def command_of(tool: str, server: Served, directory: Path) -> list[str]:
    """Return the command line of a tool."""
    starts = tool in WITH_STARTS
    if tool.startswith("suite"):
        options = ["--allow-exec"] if starts else []
        ours = str(Path(sys.executable).with_name("hostup-conformance"))
        return [ours, "run", server.base_url, "--report-dir", str(directory), "--quiet", *options]
    st = [str(Path(sys.executable).with_name("st")), "run", str(DOCUMENT), "--url", server.base_url]
    key = f"Authorization: Bearer {server.environment['HOSTUP_API_KEY']}"
    return [*st, *OPERATION, *(START if starts else []), "-H", key, "--checks", "all", "-n", "50", "--seed", "1"]


def run(tool: str, server: Served) -> Run:
    """Run a tool against a server."""
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        began = time.perf_counter()
        try:
            done = subprocess.run(
                command_of(tool, server, directory),
                cwd=directory,
                env={**os.environ, **server.environment, "NO_COLOR": "1"},
                capture_output=True,
                text=True,
                timeout=LONGEST,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return Run(time.perf_counter() - began, frozenset({"no end"}))
        seconds = time.perf_counter() - began
        return Run(seconds, said_by(tool, directory, done))


def said_by(tool: str, directory: Path, done: subprocess.CompletedProcess[str]) -> frozenset[str]:
    """Return what a tool objected to."""
    if tool.startswith("suite"):
        report = json.loads((directory / "report.json").read_text("utf-8"))
        return frozenset(e["id"] for e in report["requirements"] if e["status"] in {"fail", "warn", "error"})
    said = set(re.findall(r"^ +🚫 ([^:\n]+): \d+", done.stdout, re.MULTILINE))
    open_checks: list[str] = []
    for line in done.stdout.splitlines():
        # Failed checks ("- ST103 Undocumented status code") stand before the response ("[405] Method Not Allowed:").
        if check := re.match(r"- (ST\d+) ", line):
            open_checks.append(check[1])
        elif open_checks and (status := re.match(r"\[(\d+)\]|Reproduce with", line)):
            said |= {f"{code} on {status[1]}" if status[1] else code for code in open_checks}
            open_checks.clear()
    return frozenset(said) or frozenset({f"exit {done.returncode}"} if done.returncode else ())


def measured(rounds: int) -> dict[str, dict[str, Any]]:
    """Return median time and requests of both, on the mock as it is, and what they say of it."""
    runs: dict[str, list[tuple[Run, int]]] = {tool: [] for tool in NAMES | WITH_STARTS}
    for _ in range(rounds):
        for tool, taken in runs.items():
            with served() as server:
                one = run(tool, server)
            taken.append((one, server.requests))
    return {
        tool: {
            "seconds": median(one.seconds for one, _ in taken),
            "requests": median(requests for _, requests in taken),
            "said": frozenset().union(*(one.said for one, _ in taken)),
        }
        for tool, taken in runs.items()
    }


def finds(tool: str, fault: str, clean: frozenset[str]) -> bool:
    """Whether a tool objects to a fault, and not as it does to the mock as it is."""
    with served(fault) as server:
        said = run(tool, server).said
    return "no end" not in said and bool(said - clean)


def print_ratio(costs: dict[str, dict[str, Any]], ours: str, other: str, found: str = "") -> None:
    """Print our time and requests as multiples of those of another tool."""
    seconds = costs[ours]["seconds"] / costs[other]["seconds"]
    requests = costs[ours]["requests"] / max(costs[other]["requests"], 1)
    print(f"{'ratio':28}{seconds:>11.2f}x{requests:>9.2f}x{found:>16}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--serve", metavar="FAULT", help=argparse.SUPPRESS)
    parser.add_argument("--rounds", type=int, default=3, help="runs on the mock as it is")
    parser.add_argument("--every", type=int, default=6, help="take every n-th fault")
    parser.add_argument("--list", action="store_true", help="name the faults that each of the two misses")
    options = parser.parse_args()
    if options.serve is not None:
        serve_here(options.serve)
        return
    costs = measured(options.rounds)
    # Schemathesis would start commands of its own making; neither side starts any.
    sample = [name for name, fault in FAULTS.all().items() if not fault.starts][:: options.every]
    found: dict[str, list[bool]] = {}
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for tool in NAMES:
            clean: frozenset[str] = costs[tool]["said"]
            found[tool] = list(pool.map(lambda fault, t=tool, c=clean: finds(t, fault, c), sample))
    print(f"{'':28}{'wall time':>12}{'requests':>10}{'faults found':>16}   on the mock as it is")
    for tool, name in NAMES.items():
        cost = costs[tool]
        said = ", ".join(sorted(cost["said"])) or "no objection"
        share = f"{sum(found[tool])} of {len(sample)}"
        print(f"{name:28}{cost['seconds']:>10.1f} s{cost['requests']:>10.0f}{share:>16}   {said}")
    print_ratio(costs, "suite", "st", f"{sum(found['suite']) / max(sum(found['st']), 1):.2f}x")
    for tool, name in WITH_STARTS.items():
        print(f"{name:28}{costs[tool]['seconds']:>10.1f} s{costs[tool]['requests']:>10.0f}")
    print_ratio(costs, *WITH_STARTS)
    if options.list:
        for tool, name in NAMES.items():
            missed = [fault for fault, is_found in zip(sample, found[tool], strict=True) if not is_found]
            print(f"missed by {name}: {', '.join(missed) or 'none'}")


if __name__ == "__main__":
    main()
