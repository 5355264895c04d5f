"""Calls the client, synchronous and not, against every hostile server, and prints what came of it: `make hostile`.

Each call has three seconds. It may return, or raise an error that its documentation names, five seconds later at most;
the process of the client has 300 MiB; and no error shows the key. Output that is itself almost as large as it may be
(200 MiB) may take three times that, since it is read, decoded and parsed.
"""

import argparse
import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
from hostup_agent_exec import AuthenticatedClient
from hostup_agent_exec.api.agent import get_agent_exec, start_agent_exec
from hostup_agent_exec.api.vps import list_vps
from hostup_agent_exec.errors import HostUpError
from running import exit_with

from hostile import HOSTILE_SERVERS, Hostile
from hostile.server import HostileServer

#: Seconds that a call is given, and how many more it may take; MiB; and seconds for all calls of one server.
DEADLINE, MORE, MEBIBYTES, ALL = 3.0, 5.0, 300, 240
#: Servers that send such output, and what it may take.
LARGE_OUTPUT = {
    *("many_small_bombs", "output_of_190_mebibytes", "bomb_of_letters", "bomb_of_escaped_emoji", "bomb_of_emoji"),
    *("bomb_of_quotes",),
}
OF_LARGE_OUTPUT = 3 * 200 + 50
CALLS = ("probe", "poll", "wait", "run", "iterate")


def synchronous(client: AuthenticatedClient, vps: str, pid: int) -> dict[str, Callable[[], object]]:
    """Return the calls by name."""

    def iterate() -> None:
        end = time.monotonic() + DEADLINE
        for _ in list_vps.iterate(client=client):
            if time.monotonic() > end:
                break

    return {
        "probe": lambda: get_agent_exec.sync(vps, client=client),
        "poll": lambda: get_agent_exec.sync(vps, client=client, pid=pid),
        "wait": lambda: get_agent_exec.wait(vps, pid, client=client, timeout=DEADLINE),
        "run": lambda: start_agent_exec.run(vps, "uname", client=client, timeout=DEADLINE),
        "iterate": iterate,
    }


def asynchronous(client: AuthenticatedClient, vps: str, pid: int) -> dict[str, Callable[[], object]]:
    """Return the same calls, each in an event loop of its own."""

    async def iterate() -> None:
        end = time.monotonic() + DEADLINE
        async for _ in list_vps.asyncio_iterate(client=client):
            if time.monotonic() > end:
                break

    calls: dict[str, Callable[[], Any]] = {
        "probe": lambda: get_agent_exec.asyncio(vps, client=client),
        "poll": lambda: get_agent_exec.asyncio(vps, client=client, pid=pid),
        "wait": lambda: get_agent_exec.asyncio_wait(vps, pid, client=client, timeout=DEADLINE),
        "run": lambda: start_agent_exec.asyncio_run(vps, "uname", client=client, timeout=DEADLINE),
        "iterate": iterate,
    }
    return {name: lambda call=call: asyncio.run(call()) for name, call in calls.items()}  # type: ignore[misc]


def waited() -> float:
    """Return for how many seconds this process has waited for a processor that others used."""
    try:
        return int(Path("/proc/self/schedstat").read_text().split()[1]) / 1e9
    except OSError:
        return 0.0


def largest() -> int:
    """Return how many MiB this process had at most, where the system tells; getrusage would count the parent's too."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return 0
    return next(int(line.split()[1]) >> 10 for line in lines if line.startswith("VmHWM:"))


def called(call: Callable[[], object], key: str) -> tuple[str, float, str]:
    """Make a call; return its outcome in a word, its seconds, and what was wrong with it."""
    began, before, wrong = time.monotonic(), waited(), ""
    try:
        outcome = type(call()).__name__.replace("NoneType", "pages")
    except (HostUpError, httpx.RequestError) as error:
        outcome = type(error).__name__
        if key in f"{error}{error.__cause__}":
            wrong = "its error shows the key"
    except Exception as error:  # this is what is looked for
        outcome = wrong = type(error).__name__
    seconds = time.monotonic() - began - (waited() - before)
    return outcome, seconds, wrong or (f"it took {seconds:.0f} s" if seconds > DEADLINE + MORE else "")


def calls_to(url: str) -> None:
    """Make all calls to a server, as the process that is measured; print what came of them."""
    key, vps, pid = (os.environ[f"HOSTUP_{name}"] for name in ("API_KEY", "VPS_ID", "FINISHED_PID"))
    found: dict[str, Any] = {}
    for voice, made in (("sync", synchronous), ("async", asynchronous)):
        with AuthenticatedClient(url, key, timeout=DEADLINE) as client:
            for name, call in made(client, vps, int(pid)).items():
                found[f"{voice} {name}"] = called(call, key)
    print(json.dumps({"calls": found, "mebibytes": largest()}))


def judged(hostile: Hostile) -> list[str]:
    """Let a process call one server, print a row, and return what was wrong."""
    server = HostileServer(hostile.behave, special_keys=hostile.special_keys)
    with server.serve() as url:
        command = [sys.executable, "-m", "hostile.with_client", "--url", url]
        environment = {**os.environ, **server.given()}
        try:
            done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=ALL, check=False)
        except subprocess.TimeoutExpired:
            done = subprocess.CompletedProcess(command, -1, "", f"not ended after {ALL} s")
    if done.returncode:
        wrong, row = [done.stderr.strip().splitlines()[-1]], ["it ended"]
    else:
        found = json.loads(done.stdout)
        wrong = [f"{name}: {what}" for name, (_, _, what) in found["calls"].items() if what]
        if found["mebibytes"] > (OF_LARGE_OUTPUT if hostile.name in LARGE_OUTPUT else MEBIBYTES):
            wrong.append(f"{found['mebibytes']} MiB")
        row = []
        for name in CALLS:
            both = list(dict.fromkeys(found["calls"][f"{voice} {name}"][0] for voice in ("sync", "async")))
            row.append("/".join(both))
        row += [f"{max(seconds for _, seconds, _ in found['calls'].values()):.1f} s", f"{found['mebibytes']} MiB"]
    print(" | ".join([hostile.name, *row, "; ".join(wrong) or "ok"]), flush=True)
    return [f"{hostile.name}: {what}" for what in wrong]


def main() -> int:
    """Run those that are named, or all; return 1 if anything was wrong."""
    parser = argparse.ArgumentParser(prog="python -m hostile.with_client", description=__doc__)
    parser.add_argument("names", nargs="*", help="hostile servers, * for any characters; all where none is given")
    parser.add_argument("--jobs", type=int, default=4, help="how many run at once (4)")
    parser.add_argument("--url", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.url:
        calls_to(arguments.url)
        return 0
    chosen = [hostile for hostile in HOSTILE_SERVERS.chosen(arguments.names).values() if not hostile.lookup]
    print(" | ".join(["server", *CALLS, "slowest", "memory", ""]), flush=True)
    with ThreadPoolExecutor(arguments.jobs) as pool:
        wrong = [what for found in pool.map(judged, chosen) for what in found]
    print(f"{len(chosen)} hostile servers, {len(CALLS)} calls of the client in both voices: {len(wrong)} wrong")
    print("\n".join(f"  {what}" for what in wrong))
    return 1 if wrong else 0


if __name__ == "__main__":
    exit_with(main)
