"""A thousand callers at once, for a while: of the embedded mock, and of a real guest agent if it is installed.

Each caller, through the asynchronous client, goes through the life of a command again and again: probe, start, poll
until it has ended; and compares the output with what it asked for. Exit 1 if any output was lost or mixed up, anything
but a success was returned, a socket or a task was left behind, or memory grew.

    python conformance/bench/soak.py --seconds 60 --callers 1000
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import os
import resource
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
from hostup_agent_exec import AuthenticatedClient
from hostup_agent_exec.api.agent import get_agent_exec, start_agent_exec
from hostup_agent_exec.models.command_start import CommandStart
from hostup_conformance import mock
from hostup_conformance.keeping.misconfigured import Misconfigured
from hostup_conformance.mock import agent_server

#: More than anybody here sends in a minute.
UNLIMITED = 10**9
#: How many callers share a client: what httpx's pool costs grows with the square of what is under way in it.
TOGETHER = 20
#: Seconds that a request may wait for its turn at the agent, which does one thing at a time.
PATIENCE = 60.0
#: Bytes by which memory may differ between the end of the first third and the end.
SLACK = 24 * 2**20


@dataclass
class Figures:
    """What was measured against one server. Times in seconds, memory in bytes."""

    name: str
    callers: int
    requests: int = 0
    under_way: int = 0
    most: int = 0
    commands: int = 0
    times: list[float] = field(default_factory=list)
    troubles: list[str] = field(default_factory=list)
    memory: list[int] = field(default_factory=list)
    seconds: float = 0.0

    def growth(self) -> int:
        """Return by how much memory grew after the first third, when all caches are warm."""
        return self.memory[-1] - max(self.memory[: len(self.memory) // 3 + 1])

    def lines(self) -> list[str]:
        """Return the figures for people."""
        times = sorted(self.times)
        p50, p99 = (times[int(len(times) * share)] * 1000 for share in (0.5, 0.99))
        return [
            f"{self.name}: {self.callers} callers, {self.seconds:.1f} s",
            f"  {self.requests} requests, {self.requests / self.seconds:.0f} a second, up to {self.most} under way",
            f"  a request took {p50:.0f} ms (median), {p99:.0f} ms (99 of 100)",
            f"  {self.commands} commands started, each output as expected" if not self.troubles else "  TROUBLE:",
            *(f"    {trouble}" for trouble in self.troubles[:10]),
            f"  memory {self.memory[0] >> 20} MiB at first, {self.growth() / 2**20:+.0f} MiB since the first third",
        ]


class Caller:
    """One caller, who lives through one command after the other."""

    def __init__(self, client: AuthenticatedClient, vps: str, figures: Figures) -> None:
        self._client, self._vps, self._figures = client, vps, figures

    async def live(self, number: int, until: float) -> None:
        """Go on until the time is over; a command that was started is always seen through."""
        while time.monotonic() < until:
            await self._probe()
            text = f"caller-{number}-{time.monotonic_ns()}"
            pid = await self._start(f"echo {text}")
            self._figures.commands += 1
            if (output := await self._output(pid)) != f"{text}\n":
                self._figures.troubles.append(f"the output of {text} is {output!r}")

    async def _probe(self) -> None:
        with self._measured():
            availability = await get_agent_exec.asyncio(self._vps, client=self._client)
        if availability.available is not True:
            self._figures.troubles.append(f"not available: {availability.reason}")

    async def _start(self, command: str) -> int:
        with self._measured():
            started = await start_agent_exec.asyncio(self._vps, client=self._client, body=CommandStart(command))
        assert isinstance(started.pid, int)  # noqa: S101 - both servers say it
        return started.pid

    async def _output(self, pid: int) -> object:
        while True:
            with self._measured():
                state = await get_agent_exec.asyncio(self._vps, client=self._client, pid=pid)
            if state.exited:
                return state.stdout
            await asyncio.sleep(0.05)

    @contextmanager
    def _measured(self) -> Iterator[None]:
        began = time.monotonic()
        self._figures.under_way += 1
        self._figures.most = max(self._figures.most, self._figures.under_way)
        yield
        self._figures.under_way -= 1
        self._figures.requests += 1
        # Enough for percentiles, and no memory to speak of.
        if len(self._figures.times) < 100_000:
            self._figures.times.append(time.monotonic() - began)


async def soak(name: str, base_url: str, environment: dict[str, str], callers: int, seconds: float) -> Figures:
    """Let callers loose on a server; return the figures."""
    figures, began = Figures(name, callers), time.monotonic()
    watching = asyncio.create_task(watch(figures))
    async with AsyncExitStack() as stack:
        lives = []
        for number in range(callers):
            if number % TOGETHER == 0:
                own = AuthenticatedClient(base_url, environment["HOSTUP_API_KEY"], timeout=httpx.Timeout(2 * PATIENCE))
                client = await stack.enter_async_context(own)
            caller = Caller(client, environment["HOSTUP_VPS_ID"], figures)
            lives.append(caller.live(number, began + seconds))
        outcomes = await asyncio.gather(*lives, return_exceptions=True)
    figures.seconds = time.monotonic() - began
    figures.troubles += [f"{type(outcome).__name__}: {outcome}" for outcome in outcomes if outcome is not None]
    watching.cancel()
    await asyncio.gather(watching, return_exceptions=True)
    figures.memory.append(memory())
    left = asyncio.all_tasks() - {asyncio.current_task()}
    figures.troubles += [f"a task is left: {task.get_name()}" for task in left]
    if figures.growth() > SLACK:
        figures.troubles.append(f"memory grew by {figures.growth() / 2**20:.0f} MiB after the first third")
    return figures


async def watch(figures: Figures) -> None:
    """Note the memory, four times a second."""
    while True:
        figures.memory.append(memory())
        await asyncio.sleep(0.25)


def memory() -> int:
    """Return how much memory this process holds; client and server are both in it."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def sockets(pid: int | str = "self") -> int:
    """Return how many sockets a process has open."""
    links = []
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        try:
            links.append(entry.readlink().name)
        except FileNotFoundError:
            continue
    return sum(link.startswith("socket:") for link in links)


def on_mock(callers: int, seconds: float) -> Figures:
    """Soak the embedded mock."""
    served = mock.Mock(limit=UNLIMITED)
    with mock.serve(served.app) as base_url:
        return asyncio.run(soak("the embedded mock", base_url, served.environment(), callers, seconds))


def on_agent(callers: int, seconds: float) -> Figures:
    """Soak a real agent."""
    with agent_server.serve(seconds=PATIENCE, limit=UNLIMITED) as served:
        assert served.supervisor  # noqa: S101 - no socket was given
        agent = served.supervisor.pid
        before = sockets(agent or "self")
        figures = asyncio.run(soak("a real guest agent", served.base_url, served.environment, callers, seconds))
        until = time.monotonic() + 5
        while sockets(agent or "self") > before and time.monotonic() < until:
            time.sleep(0.1)  # the agent may not have noticed yet that a connection was closed
        if served.supervisor.pid != agent:
            figures.troubles.append("the agent was started again")
        elif (left := sockets(agent or "self") - before) > 0:
            figures.troubles.append(f"{left} sockets are left in the agent")
    return figures


def main() -> int:
    """Soak both for half of the time each, and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--seconds", type=float, default=20.0, help="for both together (20)")
    parser.add_argument("--callers", type=int, default=1000, help="how many at once (1000)")
    options = parser.parse_args()
    # Two ends of each connection are in this process.
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 2 * options.callers + 200
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(wanted, hard) if hard > 0 else wanted), hard))
    troubles = 0
    for run in (on_mock, on_agent):
        before = sockets(), threading.active_count()
        try:
            figures = run(options.callers, options.seconds / 2)
        except Misconfigured as error:
            print(f"skipped: {error}")
            continue
        gc.collect()
        if (after := (sockets(), threading.active_count())) != before:
            figures.troubles.append(f"sockets and threads: {before} before, {after} after")
        print("\n".join(figures.lines()), flush=True)
        troubles += len(figures.troubles)
    return 1 if troubles else 0


if __name__ == "__main__":
    sys.exit(main())
