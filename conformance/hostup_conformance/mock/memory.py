"""The embedded mock: a small provider in memory, served on a loopback port that the system chooses."""

import argparse
import re
import socket
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import partial
from itertools import count
from typing import Any

import uvicorn
from starlette.types import ASGIApp

from hostup_conformance.contract.commands import (
    NOTED,
    WRITING,
    Command,
    left,
    printed_anywhere,
    recognized,
    without_note,
)
from hostup_conformance.contract.document import document
from hostup_conformance.contract.paths import PATHS, path_of
from hostup_conformance.keeping.screen import say
from hostup_conformance.mock.face import Backend, Key, Provider, Unavailable, create_app

VPS_ID = "vps_01hxa3b4c5d6e7f8g9h0j1k2m3"
UNAVAILABLE_VPS_ID = "vps_01hxa3b4c5d6e7f8g9h0j1k2m4"
FOREIGN_VPS_ID = "vps_01hxa3b4c5d6e7f8g9h0j1k2m5"
#: What `uname -a` prints.
UNAME = "Linux web-1 6.12.0 x86_64\n"
#: These keys and ids are made up, and only the mock knows them.
API_KEY = "hu_mock_full_4f0c9a27d1e84b6c"
READ_API_KEY = "hu_mock_read_7b31e0d5a96f42c8"


#: Words without anything that a shell would act on; quotes are taken off.
PLAIN_WORD = re.compile(r"""(?:[^\s'"|&;<>()$`\\*?\[\]{}~#!]|'[^']*'|"[^"$`\\]*")+""")


def acted(command: str) -> Command:
    """Return what comes of echo, sleep, true, false, exit and `uname -a`; no other command can be found."""
    ends = partial(Command, "", command)
    if printed_anywhere(command):
        text = command.removeprefix("echo ").replace("$((6*7))", "42").replace("$PSHOME", "").replace("'", "")
        return ends(f"{text}\n".encode())
    program, *words = [re.sub(r"['\"]", "", word) for word in PLAIN_WORD.findall(command)] or ["true"]
    number = words[0] if len(words) == 1 and re.fullmatch(r"\d{1,9}(\.\d{1,9})?", words[0], re.ASCII) else ""
    if PLAIN_WORD.sub("", command).strip() or "\n" in command.strip():
        program, words = command, []  # it takes a shell
    if program == "echo" and words[:1] != ["-n"]:
        return ends(f"{' '.join(words)}\n".encode())
    if program in {"true", "false"}:
        return ends(exit_code=int(program == "false"))
    if program == "sleep" and number:
        return ends(seconds=float(number))
    if program == "exit" and (number.isdigit() or not words):
        return ends(exit_code=int(number or 0) % 256)
    if (program, words) == ("uname", ["-a"]):
        return ends(UNAME.encode())
    return ends(stderr=f"{program[:80]}: not supported by the mock\n".encode(), exit_code=127)


class MemoryAgent:
    """A simulated guest agent. Like a real one, it forgets a command once it has reported its end."""

    def __init__(self, availability: dict[str, Any]) -> None:
        self._availability = availability
        self._began = time.monotonic()
        #: The pids that the next commands will have.
        self.pids = count(4242)
        self._commands: dict[int, dict[str, Any]] = {}
        #: When each command ends that does not end at once (monotonic).
        self._ends: dict[int, float] = {}
        #: The lines that the suite's commands have written to files in the guest's temporary folder.
        self._files: dict[str, list[str]] = defaultdict(list)

    def add(self, **output: Any) -> int:
        """Add a command with the output that its polls will return; return its pid."""
        pid = next(self.pids)
        self._commands[pid] = output
        return pid

    def add_finished(self, stdout: str = UNAME, exit_code: int | None = 0, stderr: str = "") -> int:
        """Add a command that has ended; return its pid."""
        return self.add(exited=True, exitCode=exit_code, stdout=stdout, stderr=stderr)

    def load(self) -> dict[str, Any]:
        """Return an uptime of more than a day, and figures that never change: those of the document's example."""
        response = document()["paths"][PATHS["status"]]["get"]["responses"]["200"]
        example = response["content"]["application/json"]["example"]
        return {**example, "uptimeSeconds": example["uptimeSeconds"] + int(time.monotonic() - self._began)}

    async def availability(self) -> dict[str, Any]:
        """Return what this agent was created with."""
        return self._availability

    async def start(self, command: str) -> int:
        """Pretend to start a command: one of the suite's own, or what `acted` knows."""
        self._check_available()
        known = recognized(command)
        ran = known or left(command) or acted(command)
        stdout = self._printed(known) if known else ran.stdout.decode()
        pid = self.add_finished(stdout, ran.exit_code, ran.stderr.decode())
        self._ends[pid] = time.monotonic() + ran.seconds
        return pid

    def _printed(self, command: Command) -> str:
        """Return what a command of the suite prints; files that it would write are kept as lines in memory."""
        token = command.text.partition(f"-{command.name}-")[2].partition(";")[0]
        names = [token + ending for ending in ("", ".once", ".slow", ".again", ".ran")]
        ran, once, slow, again, noted = (self._files[name] for name in names)
        if command.name == "trace":
            lines = [*ran, *(f"{times:7} {name}" for name, times in sorted(Counter(noted).items()) if times > 1)]
            printed = "".join(f"{line}\n" for line in lines) + f" once {len(once)} slow {len(slow)}"
            for name in names:
                del self._files[name]
            return printed
        if command.name.startswith("refused"):
            ran.append(command.name)
        if command.name in NOTED and command != without_note(command):
            noted.append(command.name)
        if command.name in WRITING:
            self._files[f"{token}.{command.name}"].append("x")
        return str(len(again)) if command.name == "again" else command.stdout.decode("utf-8", "replace")

    async def poll(self, pid: int) -> dict[str, Any]:
        """Return a command's output, and forget it if it has ended; raise `KeyError` for an unknown pid."""
        self._check_available()
        output = self._commands[pid]
        if self._ends.get(pid, 0.0) > time.monotonic():
            return {"exited": False}
        if output["exited"]:
            del self._commands[pid]
        return output

    def _check_available(self) -> None:
        if not self._availability.get("available"):
            raise Unavailable(self._availability.get("reason") or "The guest agent is not available.")


class Mock:
    """A provider with three VPSs and two keys, and the variables that make it a target."""

    def __init__(self, limit: int = Provider.limit) -> None:
        self.agent = MemoryAgent({"available": True, "reason": None, "vmRunning": True})
        unavailable = MemoryAgent(
            {"available": False, "reason": "The guest agent does not respond.", "vmRunning": True}
        )
        foreign = MemoryAgent({"available": True, "reason": None, "vmRunning": True})
        self.running_pid = self.agent.add(exited=False)
        self.app = create_app(provider_of(API_KEY, READ_API_KEY, self.agent, unavailable, foreign, limit))

    def environment(self) -> dict[str, str]:
        """Return the variables that make this mock a target, with the pid of a new command that has ended."""
        return {
            **environment_of(API_KEY, READ_API_KEY),
            "HOSTUP_FINISHED_PID": str(self.agent.add_finished()),
            "HOSTUP_RUNNING_PID": str(self.running_pid),
        }


def provider_of(
    key: str, read_key: str, own: Backend, unavailable: Backend, foreign: Backend, limit: int = Provider.limit
) -> Provider:
    """Return a provider with two keys of one account, two VPSs of that account, and one of another."""
    return Provider(
        keys={key: Key("ours", frozenset({"read:vm", "write:vm"})), read_key: Key("ours", frozenset({"read:vm"}))},
        vpss={VPS_ID: ("ours", own), UNAVAILABLE_VPS_ID: ("ours", unavailable), FOREIGN_VPS_ID: ("theirs", foreign)},
        limit=limit,
    )


def environment_of(key: str, read_key: str) -> dict[str, str]:
    """Return the variables that make such a provider a target, except those for pids."""
    return {
        "HOSTUP_API_KEY": key,
        "HOSTUP_READ_API_KEY": read_key,
        "HOSTUP_VPS_ID": VPS_ID,
        "HOSTUP_UNAVAILABLE_VPS_ID": UNAVAILABLE_VPS_ID,
        "HOSTUP_FOREIGN_VPS_ID": FOREIGN_VPS_ID,
    }


def listen() -> tuple[socket.socket, str]:
    """Return a socket that listens on a loopback port that the system chooses, and its base URL."""
    # asyncio turns Nagle's algorithm off only if the protocol is named.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", 0))
    listener.listen(128)
    return listener, f"http://127.0.0.1:{listener.getsockname()[1]}"


def server(app: ASGIApp) -> uvicorn.Server:
    """Return a uvicorn server for an application, quiet and ready to be given a socket."""
    # The server keeps idle connections longer than clients do, so that none is closed while a request is on its way.
    config = uvicorn.Config(app, log_config=None, lifespan="off", ws="none", server_header=False, timeout_keep_alive=75)
    return uvicorn.Server(config)


@contextmanager
def serve(app: ASGIApp) -> Iterator[str]:
    """Serve an application in a thread of this process; give its base URL."""
    uvicorn_server, (listener, base_url) = server(app), listen()
    thread = threading.Thread(target=uvicorn_server.run, args=([listener],), daemon=True, name="mock")
    thread.start()
    try:
        yield base_url
    finally:
        uvicorn_server.should_exit = True
        thread.join(5)
        listener.close()


def main() -> None:
    """Serve the mock in the foreground, and print how to use it."""
    about = "Serves the embedded mock until Ctrl-C, and prints its address, its keys and a curl command."
    argparse.ArgumentParser(prog="python -m hostup_conformance.mock", description=about).parse_args()
    mock, (listener, base_url) = Mock(), listen()
    print_use("The embedded mock is served", base_url, mock.environment())
    with suppress(KeyboardInterrupt):
        server(mock.app).run([listener])


def print_use(what: str, base_url: str, environment: Mapping[str, str], curl_options: str = "") -> None:
    """Print how to use a server that runs in the foreground, in lines for a shell."""
    say(f"# {what} at {base_url} until Ctrl-C. In another terminal:")
    for name, value in {"HOSTUP_BASE_URL": base_url, **environment}.items():
        say(f"export {name}={value}")
    say(f'curl -H "Authorization: Bearer $HOSTUP_API_KEY" {curl_options}{base_url}{path_of(VPS_ID)}')
    say(f"make conformance BASE_URL={base_url}")
