"""Starts a deployment, judges it by the public command line, and ends its processes whatever happens."""

import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from hostup_conformance.mock import Mock
from running import KEPT as CLEAN
from running import hostup

from deployments.catalogue import HERE, KEPT, PLACES, Deployment, Server

#: What every server is told of keys, VPSs and pids; the habits' mock knows the same by itself.
ENVIRONMENT = Mock().environment()
START_SECONDS = 60.0


class Broken(Exception):
    """A deployment did not come up; the message holds what it logged."""


@dataclass(frozen=True)
class Outcome:
    """What became of a deployment: the suite's report, or why there is none."""

    deployment: Deployment
    report: dict[str, Any] | None
    reason: str = ""

    @property
    def verdict(self) -> str:
        """The verdict, or that it was skipped."""
        return self.report["verdict"] if self.report else "skipped" if self.reason.startswith("missing") else "broken"

    def ids(self, status: str) -> list[str]:
        """Return the requirements with a status."""
        entries = self.report["requirements"] if self.report else []
        return [entry["id"] for entry in entries if entry["status"] == status]

    @property
    def blamed(self) -> set[str]:
        """The requirements that fail or warn."""
        return {*self.ids("fail"), *self.ids("warn"), *self.ids("error")}

    @property
    def as_expected(self) -> bool:
        """Whether the verdict is the deserved one, with no failure or warning but the deserved ones."""
        return self.verdict == self.deployment.verdict and self.blamed <= self.deployment.deserves.keys()


def copy_node() -> None:
    """Put the servers for node where node finds their packages."""
    shutil.copytree(HERE / "node", KEPT / "node" / "run", dirs_exist_ok=True)


def missing(deployment: Deployment) -> list[str]:
    """Return what a deployment needs and this machine has not."""
    programs = [name for name in deployment.programs if not shutil.which(name, path=search_path())]
    programs = [name for name in programs if not Path(name).is_file()]
    packages = {f"pip: {name}": site(name) for name in deployment.pip}
    packages |= {f"npm: {name}": (KEPT / "node" / "node_modules" / name).is_dir() for name in deployment.npm}
    return programs + [name for name, there in packages.items() if not there]


def search_path() -> str:
    """Return PATH with the folders of system programs."""
    return os.pathsep.join([os.environ.get("PATH", ""), "/usr/local/sbin", "/usr/sbin", "/sbin"])


def site(package: str) -> bool:
    """Whether pip has installed a package for the catalogue."""
    return any((KEPT / "python").glob(f"lib/python3*/site-packages/{package}*"))


def run(deployment: Deployment) -> Outcome:
    """Judge a deployment."""
    if lacking := missing(deployment):
        return Outcome(deployment, None, f"missing {', '.join(lacking)}")
    with tempfile.TemporaryDirectory(prefix="deployment-") as name, ExitStack() as stack:
        work = Path(name)
        work.chmod(0o755)
        try:
            port = start(deployment, work, stack)
        except Broken as error:
            return Outcome(deployment, None, str(error))
        return judge(deployment, f"http://127.0.0.1:{port}{deployment.prefix}")


def start(deployment: Deployment, work: Path, stack: ExitStack) -> int:
    """Start the processes of a deployment, one after the other; return the port of the last."""
    places = {**PLACES, "@WORK@": str(work), "@UPSTREAM@": ""}
    for server in deployment.servers:
        places["@PORT@"] = str(free_port())
        for template in (HERE / "front").iterdir():
            (work / template.name).write_text(filled(template.read_text("utf-8"), places), "utf-8")
        stack.enter_context(running(server, places))
        places["@UPSTREAM@"] = places["@PORT@"]
    return int(places["@PORT@"])


@contextmanager
def running(server: Server, places: dict[str, str]) -> Iterator[None]:
    """Run a process and all that it starts until the end of the block."""
    given = {**server.environment, "PORT": places["@PORT@"], "WORK": places["@WORK@"], "PATH": search_path()}
    environment = {**CLEAN, **ENVIRONMENT, **{name: filled(value, places) for name, value in given.items()}}
    command, build = ([filled(part, places) for part in parts] for parts in (server.command, server.build))
    with tempfile.TemporaryFile("w+") as log:
        # Their own folder is on the path already where a server is a module.
        common = {"cwd": server.folder, "env": environment, "stdout": log, "stderr": log}
        if build and subprocess.run(build, check=False, **common).returncode:  # type: ignore[call-overload]
            raise Broken(f"{build[0]} failed: {tail(log)}")
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True, **common)  # type: ignore[call-overload]
        try:
            wait_for(int(places["@PORT@"]), process, log)
            yield
        finally:
            end(process)


def end(process: subprocess.Popen[Any]) -> None:
    """End a process with its whole group."""
    for sign in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError):
            os.killpg(process.pid, sign)
        with suppress(subprocess.TimeoutExpired):
            process.wait(5)


def wait_for(port: int, process: subprocess.Popen[Any], log: TextIO) -> None:
    """Wait until a process accepts connections."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise Broken(f"ended with {process.returncode}: {tail(log)}")
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.05)
    raise Broken(f"did not listen within {START_SECONDS:g} seconds: {tail(log)}")


def judge(deployment: Deployment, base_url: str) -> Outcome:
    """Run the suite by its command line, and read its report."""
    folder = KEPT / "reports" / deployment.name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    given = ENVIRONMENT if "--allow-exec" not in deployment.options else without_pids()
    done = hostup(folder, "run", base_url, "--report-dir", folder, *deployment.options, **given)
    (folder / "output.txt").write_text(done.stdout + done.stderr, "utf-8")
    try:
        return Outcome(deployment, json.loads((folder / "report.json").read_text("utf-8")))
    except (OSError, ValueError):
        return Outcome(deployment, None, (done.stdout + done.stderr)[-400:])


def without_pids() -> dict[str, str]:
    """Return the environment where commands may be started: no pid is given."""
    return {name: value for name, value in ENVIRONMENT.items() if "PID" not in name}


def filled(text: str, places: dict[str, str]) -> str:
    """Return a text with the places filled in."""
    for place, value in places.items():
        text = text.replace(place, value)
    return text


def free_port() -> int:
    """Return a port that the system chose, for programs that want to be told one."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def tail(log: TextIO) -> str:
    """Return the end of what a process logged."""
    log.seek(0)
    return log.read()[-600:].strip()
