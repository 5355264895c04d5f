"""Runs a QEMU guest agent of our own on this machine, and leaves neither a process nor a file behind."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from hostup_conformance.core.misconfigured import Misconfigured

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

#: The environment of commands: they see nothing of ours, least of all its keys.
ENVIRONMENT = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8"}
#: Becomes the agent. A process beside it waits for the end of its input, which comes with the end of this process,
#: however that comes; then it removes the agent's folder, and ends the group of the agent and its commands.
GUARDED = """folder=$1; shift; exec 3<&0 </dev/null
{ cat <&3 >/dev/null && { rm -rf -- "$folder"; kill -9 0; }; } &
exec "$@" 3<&-"""


class Supervisor:
    """Keeps an agent running in a folder: one that ends is started again, without memory of earlier commands."""

    #: Seconds between an agent's end and the next one's start.
    pause = 1.0

    def __init__(self, folder: Path) -> None:
        self.socket = folder / "agent.sock"
        self._folder, self._program = folder, find_program()
        self._process: asyncio.subprocess.Process | None = None
        # Nothing is written to it: that it ends tells the agents' guards that this process has ended, as the standard
        # input that asyncio makes would not, since that ends with each agent.
        self._until_we_end, self._we_run = os.pipe()

    @property
    def pid(self) -> int | None:
        """Process id of the agent that runs, if one does."""
        return self._process.pid if self._process and self._process.returncode is None else None

    async def start(self) -> None:
        """Start an agent, and return when its socket is there; raise `Misconfigured` if it does not come up."""
        self.socket.unlink(missing_ok=True)
        self._process = await asyncio.create_subprocess_exec(
            "/bin/sh", "-c", GUARDED, "sh", self._folder,
            self._program, "-m", "unix-listen", "-p", self.socket, "-t", self._folder,
            stdin=self._until_we_end, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
            cwd=self._folder, env=ENVIRONMENT, start_new_session=True,
        )  # fmt: skip
        with suppress(TimeoutError):
            async with asyncio.timeout(5):
                while not self.socket.exists() and self._process.returncode is None:
                    await asyncio.sleep(0.01)
        if not self.socket.exists():
            raise Misconfigured(f"{self._program} did not open its socket; run it by hand to see why")

    async def watch(self) -> None:
        """Start the agent again whenever it ends."""
        while self._process:
            await self._process.wait()
            self._end_commands()
            await asyncio.sleep(self.pause)
            await self.start()

    async def stop(self) -> None:
        """End the agent and every command that it started."""
        self._end_commands()
        if self._process:
            await self._process.wait()
        os.close(self._we_run)
        os.close(self._until_we_end)

    def _end_commands(self) -> None:
        # The agent leads the process group that its commands belong to.
        if self._process:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)


def find_program() -> str:
    """Return the path of qemu-ga; raise `Misconfigured` where it is not installed."""
    # Debian installs it in a folder that only root's PATH has.
    found = shutil.which("qemu-ga", path=os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/sbin"]))
    if found is None:
        raise Misconfigured("qemu-ga is not installed; Debian's package is qemu-guest-agent (apt-get install it)")
    return found


@asynccontextmanager
async def supervised() -> AsyncIterator[Supervisor]:
    """Run an agent of our own in a temporary folder."""
    with TemporaryDirectory(prefix="hostup-", ignore_cleanup_errors=True) as folder:
        supervisor = Supervisor(Path(folder))
        watching: asyncio.Task[None] | None = None
        try:
            await supervisor.start()
            watching = asyncio.create_task(supervisor.watch())
            yield supervisor
        finally:
            if watching:
                watching.cancel()
                with suppress(asyncio.CancelledError, Misconfigured):
                    await watching
            await supervisor.stop()
