"""Runs a QEMU guest agent of our own on this machine, and leaves neither a process nor a file behind."""

import asyncio
import os
import shutil
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from hostup_conformance.keeping.misconfigured import Misconfigured

#: The environment of commands: nothing of ours, which may contain keys.
ENVIRONMENT = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8"}
#: A shell script that becomes the agent. A guard beside it waits for the end of its input, which comes when this
#: process ends, however it ends; then it removes the agent's folder and kills the group of the agent and its commands.
GUARDED = """folder=$1; shift; exec 3<&0 </dev/null
{ cat <&3 >/dev/null && { rm -rf -- "$folder"; kill -9 0; }; } &
exec "$@" 3<&-"""


class Supervisor:
    """Keeps an agent running in a folder: restarts one that ends, which has no memory of earlier commands."""

    #: Seconds between the end of an agent and the start of the next.
    pause = 1.0

    def __init__(self, folder: Path) -> None:
        self.socket = folder / "agent.sock"
        self._folder, self._program = folder, find_program()
        self._process: asyncio.subprocess.Process | None = None
        # The guards' input. Nothing is written to it; it ends with this process. A pipe by asyncio would end with each
        # agent.
        self._until_we_end, self._we_run = os.pipe()

    @property
    def pid(self) -> int | None:
        """The process id of the running agent, if there is one."""
        return self._process.pid if self._process and self._process.returncode is None else None

    async def start(self) -> None:
        """Start an agent and wait for its socket; raise `Misconfigured` if that does not appear."""
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
        # The agent is the leader of the process group of its commands.
        if self._process:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)


def find_program() -> str:
    """Return the path of qemu-ga; raise `Misconfigured` where it is not installed."""
    # Debian installs it in a folder that is only in root's PATH.
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
