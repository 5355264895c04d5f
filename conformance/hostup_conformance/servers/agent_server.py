"""A server of the endpoint in front of a real QEMU guest agent.

    python -m hostup_conformance.servers.agent_server [SOCKET]

Without a socket it starts an agent of its own (Debian's `qemu-guest-agent`, which needs no VM) in a temporary folder,
and starts it again when it ends; commands then run on this machine, as this user. A given socket may also be a VM's,
from QEMU's `-chardev socket`. It listens on loopback only, and its keys are made anew each time, since anybody
who holds them can run commands.
"""

from __future__ import annotations

import asyncio
import secrets
import signal
import sys
from base64 import b64decode
from contextlib import AsyncExitStack, aclosing, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from anyio.from_thread import start_blocking_portal

from hostup_conformance.core.misconfigured import Misconfigured
from hostup_conformance.servers.face import Key, Provider, Unavailable, create_app
from hostup_conformance.servers.guest_agent import AgentError, GuestAgent
from hostup_conformance.servers.mock import FOREIGN_VPS_ID, UNAVAILABLE_VPS_ID, VPS_ID, listen, server
from hostup_conformance.servers.supervisor import supervised

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from hostup_conformance.servers.supervisor import Supervisor

#: Ends when the process whose pid is its argument has ended.
WAIT_FOR = 'while kill -0 "$1" 2>/dev/null; do sleep 0.02; done'


class AgentBackend:
    """A VPS with a real guest agent. It only knows the commands that were started through it."""

    def __init__(self, agent: GuestAgent) -> None:
        self._agent = agent
        self._started: set[int] = set()

    def load(self) -> dict[str, Any]:
        """Return nothing: the agent is asked for commands alone."""
        return {}

    async def availability(self) -> dict[str, Any]:
        """Return whether the agent responds and would start commands. If it responds, the VM runs."""
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
        """Start a command in the guest's shell and return its pid; raise `Unavailable` if the agent did not."""
        try:
            pid = await self._agent.start("/bin/sh", "-c", command)
        except (OSError, AgentError) as error:
            raise Unavailable(reason(error)) from None
        self._started.add(pid)
        return pid

    async def poll(self, pid: int) -> dict[str, Any]:
        """Return a command's output.

        Raises `LookupError` for a pid that was not started here or that the agent has forgotten, and `Unavailable` when
        the agent cannot be asked.
        """
        if pid not in self._started:
            raise LookupError(pid)
        try:
            output = command_output(await self._agent.status(pid))
        except (OSError, AgentError) as error:
            # In a well-formed request for a status, the only thing that the agent can reject is the pid.
            if isinstance(error, AgentError) and error.kind == "GenericError":
                self._started.discard(pid)
                raise LookupError(pid) from None
            raise Unavailable(reason(error)) from None
        if output["exited"]:
            self._started.discard(pid)
        return output


def reason(error: OSError | AgentError) -> str:
    """Say for people why the agent cannot be used, without the server's own paths."""
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

    A stream in which nothing was written is absent, as with the agent. `exitCode` is null after death by a signal.
    Bytes that are not UTF-8 become U+FFFD. The agent keeps 16 MiB of a stream; that it dropped the rest is told by
    `stdoutTruncated` or `stderrTruncated`, members of our own, since the contract has none for it.
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
    """Return a stream as text; raise `ConnectionResetError` for what is not base64, which no agent sends."""
    try:
        return b64decode(data, validate=True).decode("utf-8", "replace") if isinstance(data, str) else ""
    except ValueError:
        raise ConnectionResetError("the agent's output is not base64") from None


@dataclass(frozen=True)
class Served:
    """A running server: its address, what makes it a target, and its agent's supervisor if the agent is our own."""

    base_url: str
    environment: dict[str, str]
    supervisor: Supervisor | None
    running: asyncio.Task[None]


@asynccontextmanager
async def serving(
    socket: Path | None = None, seconds: float = 5.0, limit: int = Provider.limit
) -> AsyncIterator[Served]:
    """Serve the agent behind a socket, or one of our own.

    A request to the agent may take `seconds`, and a key may send `limit` requests in a minute.

    The second VPS has no agent. The third is somebody else's, with the same agent, so that it shows whether a pid of
    one VPS is served under another.
    """
    async with AsyncExitStack() as stack:
        supervisor = None if socket else await stack.enter_async_context(supervised())
        path = supervisor.socket if supervisor else socket
        assert path is not None  # noqa: S101 - one of the two is there
        # Our own agent will respond, if slowly at first, and a run that judges it needs the pids.
        agent = await stack.enter_async_context(aclosing(GuestAgent(path, 30.0 if supervisor else seconds)))
        own = AgentBackend(agent)
        key, read_key = (f"hu_agent_{kind}_{secrets.token_hex(16)}" for kind in ("full", "read"))
        provider = Provider(
            keys={key: Key("ours", frozenset({"read:vm", "write:vm"})), read_key: Key("ours", frozenset({"read:vm"}))},
            vpss={
                VPS_ID: ("ours", own),
                UNAVAILABLE_VPS_ID: ("ours", AgentBackend(GuestAgent(path.with_name("no-agent.sock")))),
                FOREIGN_VPS_ID: ("theirs", AgentBackend(agent)),
            },
            limit=limit,
        )
        environment = {
            "HOSTUP_API_KEY": key,
            "HOSTUP_READ_API_KEY": read_key,
            "HOSTUP_VPS_ID": VPS_ID,
            "HOSTUP_UNAVAILABLE_VPS_ID": UNAVAILABLE_VPS_ID,
            "HOSTUP_FOREIGN_VPS_ID": FOREIGN_VPS_ID,
            **await fixtures(agent, own),
        }
        agent.seconds = seconds
        listener = stack.enter_context(listen())
        http = server(create_app(provider))
        running = asyncio.create_task(http.serve(sockets=[listener]))
        try:
            yield Served(f"http://127.0.0.1:{listener.getsockname()[1]}", environment, supervisor, running)
        finally:
            http.should_exit = True
            await running


async def fixtures(agent: GuestAgent, backend: AgentBackend) -> dict[str, str]:
    """Start a command that ends before this returns and one that keeps running; none if the agent does not respond."""
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
def serve(socket: Path | None = None, seconds: float = 5.0, limit: int = Provider.limit) -> Iterator[Served]:
    """Serve in a thread of this process, as `serving` does."""
    context = serving(socket, seconds, limit)
    with start_blocking_portal() as portal, portal.wrap_async_context_manager(context) as served:
        yield served


async def foreground(socket: Path | None) -> None:
    """Serve until SIGINT or SIGTERM, which also end the agent and its commands, and print how to use the server."""
    task = asyncio.current_task()
    assert task  # noqa: S101 - this is a coroutine
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    async with serving(socket) as served:
        print(f"# A real guest agent is served at {served.base_url} until Ctrl-C. In another terminal:")
        for name, value in served.environment.items():
            print(f"export {name}={value}")
        url = f"{served.base_url}/api/v2/vps/{VPS_ID}/agent/exec"
        print(f'curl -H "Authorization: Bearer $HOSTUP_API_KEY" --json \'{{"command": "uname -a"}}\' {url}')
        print(f"make conformance BASE_URL={served.base_url}", flush=True)
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
