"""A server of the endpoint in front of a real QEMU guest agent.

    python -m hostup_conformance.mock.agent_server [SOCKET]

Without SOCKET it runs an agent of its own (Debian's `qemu-guest-agent`, which needs no VM) in a temporary folder, and
restarts it when it ends; commands then run on this machine, as this user. SOCKET may be that of a VM (QEMU's
`-chardev socket`). The server listens on loopback only and makes new keys each time, since they allow to run commands.
"""

import asyncio
import secrets
import signal
import sys
from base64 import b64decode
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, aclosing, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from anyio.from_thread import start_blocking_portal

from hostup_conformance.keeping.misconfigured import Misconfigured
from hostup_conformance.mock.face import Unavailable, create_app
from hostup_conformance.mock.guest_agent import AgentError, GuestAgent
from hostup_conformance.mock.memory import environment_of, listen, print_use, provider_of, server
from hostup_conformance.mock.supervisor import Supervisor, supervised

#: A shell script that ends when the process has ended whose pid is its argument.
WAIT_FOR = 'while kill -0 "$1" 2>/dev/null; do sleep 0.02; done'


class AgentBackend:
    """A VPS with a real guest agent. It knows only the commands that were started through it."""

    def __init__(self, agent: GuestAgent) -> None:
        self._agent = agent
        self._started: set[int] = set()

    def load(self) -> dict[str, Any]:
        """Return nothing, since the agent is only used to run commands."""
        return {}

    async def availability(self) -> dict[str, Any]:
        """Return whether the agent responds and allows commands. If it responds, the VM runs."""
        try:
            info = await self._agent.info()
        except (OSError, AgentError) as error:
            return {"available": False, "reason": reason(error)}
        commands = info.get("supported_commands")
        allowed = isinstance(commands, list) and any(
            isinstance(command, dict) and command.get("name") == "guest-exec" and command.get("enabled") is True
            for command in commands
        )
        why = None if allowed else "The guest agent does not allow commands."
        return {"available": allowed, "reason": why, "vmRunning": True}

    async def start(self, command: str) -> int:
        """Start a command in the guest's shell and return its pid; raise `Unavailable` if that fails."""
        try:
            pid = await self._agent.start("/bin/sh", "-c", command)
        except (OSError, AgentError) as error:
            raise Unavailable(reason(error)) from None
        self._started.add(pid)
        return pid

    async def poll(self, pid: int) -> dict[str, Any]:
        """Return a command's output.

        Raise `LookupError` for a pid that was not started here, or is forgotten, `Unavailable` if nobody can be asked.
        """
        if pid not in self._started:
            raise LookupError(pid)
        try:
            output = command_output(await self._agent.status(pid))
        except (OSError, AgentError) as error:
            # The request is well-formed, so what the agent rejects is the pid.
            if isinstance(error, AgentError) and error.kind == "GenericError":
                self._started.discard(pid)
                raise LookupError(pid) from None
            raise Unavailable(reason(error)) from None
        if output["exited"]:
            self._started.discard(pid)
        return output


def reason(error: OSError | AgentError) -> str:
    """Return a reason for people why the agent cannot be used, which does not reveal the server's paths."""
    if isinstance(error, AgentError):
        return (
            "The guest agent does not allow commands." if error.kind == "CommandNotFound" else "The guest agent failed."
        )
    if isinstance(error, TimeoutError):
        return "The guest agent does not respond."
    if isinstance(error, FileNotFoundError | ConnectionRefusedError):
        return "The guest agent is not running."
    return "The connection to the guest agent was lost."


def command_output(status: dict[str, Any]) -> dict[str, Any]:
    """Return a `guest-exec-status` in the endpoint's terms.

    An empty stream is absent, as with the agent. `exitCode` is null after death by a signal. Bytes that are not UTF-8
    become U+FFFD. The agent keeps 16 MiB of a stream; if it dropped the rest, `stdoutTruncated` or `stderrTruncated` is
    true: members of our own, since the contract has none for that.
    """
    output: dict[str, Any] = {"exited": status["exited"]}
    if status["exited"]:
        code = status.get("exitcode")
        output["exitCode"] = code if type(code) is int else None
    for name, stream in (("stdout", "out"), ("stderr", "err")):
        if data := status.get(f"{stream}-data"):
            output[name] = decoded(data)
        if status.get(f"{stream}-truncated"):
            output[f"{name}Truncated"] = True
    return output


def decoded(data: object) -> str:
    """Return a stream as text; raise `ConnectionResetError` if it is not base64: then the other side is no agent."""
    try:
        return b64decode(data, validate=True).decode("utf-8", "replace") if isinstance(data, str) else ""
    except ValueError:
        raise ConnectionResetError("the agent's output is not base64") from None


@dataclass(frozen=True)
class Served:
    """A running server: its address, the variables that make it a target, and the supervisor of its agent, if ours."""

    base_url: str
    environment: dict[str, str]
    supervisor: Supervisor | None
    running: asyncio.Task[None]


@asynccontextmanager
async def serving(socket: Path | None = None, seconds: float = 5.0) -> AsyncIterator[Served]:
    """Serve the agent behind a socket, or one of our own.

    The second VPS has no agent. The third belongs to another account and has the same agent, which shows whether a pid
    of one VPS is served under another.

    Args:
        socket: the agent's socket; None for an agent of our own
        seconds: how long a request to the agent may take
    """
    async with AsyncExitStack() as stack:
        supervisor = None if socket else await stack.enter_async_context(supervised())
        path = supervisor.socket if supervisor else socket
        assert path is not None  # noqa: S101 - one of the two is there
        # Our own agent may respond slowly at first, and without the pids less can be judged.
        agent = await stack.enter_async_context(aclosing(GuestAgent(path, 30.0 if supervisor else seconds)))
        own = AgentBackend(agent)
        key, read_key = (f"hu_agent_{kind}_{secrets.token_hex(16)}" for kind in ("full", "read"))
        unavailable = AgentBackend(GuestAgent(path.with_name("no-agent.sock")))
        provider = provider_of(key, read_key, own, unavailable, foreign=AgentBackend(agent))
        started = await fixtures(agent, own) or (await fixtures(agent, own) if supervisor else {})
        environment = {**environment_of(key, read_key), **started}
        agent.seconds = seconds
        listener, base_url = listen()
        stack.enter_context(listener)
        http = server(create_app(provider))
        running = asyncio.create_task(http.serve(sockets=[listener]))
        try:
            yield Served(base_url, environment, supervisor, running)
        finally:
            http.should_exit = True
            await running


async def fixtures(agent: GuestAgent, backend: AgentBackend) -> dict[str, str]:
    """Start a command and wait for its end, and one that keeps running; neither if the agent does not respond."""
    try:
        finished = await backend.start("uname -srm; echo 'to standard error' >&2; exit 3")
        waiting = await agent.start("/bin/sh", "-c", WAIT_FOR, "sh", str(finished))
        while not (await agent.status(waiting))["exited"]:
            await asyncio.sleep(0.02)
        running = await backend.start("sleep 600")
    except (Unavailable, OSError, AgentError):
        return {}
    return {"HOSTUP_FINISHED_PID": str(finished), "HOSTUP_RUNNING_PID": str(running)}


@contextmanager
def serve(socket: Path | None = None, seconds: float = 5.0) -> Iterator[Served]:
    """Serve in a thread of this process, as `serving` does."""
    with start_blocking_portal() as portal, portal.wrap_async_context_manager(serving(socket, seconds)) as served:
        yield served


async def foreground(socket: Path | None) -> None:
    """Print how to use the server, and serve until SIGINT or SIGTERM, which also end the agent and its commands."""
    task = asyncio.current_task()
    assert task  # noqa: S101 - this is a coroutine
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    async with serving(socket) as served:
        starting = """--json '{"command": "uname -a"}' """
        print_use("A real guest agent is served", served.base_url, served.environment, starting)
        await served.running


def main() -> None:
    """Serve in the foreground."""
    try:
        asyncio.run(foreground(Path(sys.argv[1]) if sys.argv[1:] else None))
    except Misconfigured as error:
        sys.exit(str(error))
    except (KeyboardInterrupt, asyncio.CancelledError):
        return


if __name__ == "__main__":
    main()
