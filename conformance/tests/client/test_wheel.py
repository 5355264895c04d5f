"""The built wheel, alone in an empty environment, gives a client that works."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import venv
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import distribution, requires
from pathlib import Path

import pytest
from client.test_readme import BLOCKS
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[3]

PROGRAM = """
import sys
before = set(sys.modules)
import httpx
needed = {name.partition(".")[0] for name in set(sys.modules) - before}
import hostup_agent_exec
from hostup_agent_exec import AuthenticatedClient, errors, models, types
from hostup_agent_exec.api.agent import get_agent_exec

loaded = {name.partition(".")[0] for name in set(sys.modules) - before} - needed
foreign = loaded - set(sys.stdlib_module_names) - {"hostup_agent_exec", "hostup_agent_runtime"}
assert not foreign, foreign
assert hostup_agent_exec.__file__.startswith(sys.prefix), hostup_agent_exec.__file__

def answer(request):
    return httpx.Response(200, json={"exited": True} if request.url.query else {"available": True})

client = AuthenticatedClient("https://h.test", "key", httpx_args={"transport": httpx.MockTransport(answer)})
assert get_agent_exec.sync("v", client=client).available
assert get_agent_exec.sync("v", client=client, pid=1).exited

import asyncio

async def main():
    async with client:
        return await get_agent_exec.asyncio_wait("v", 1, client=client)

assert asyncio.run(main()).exited

import gc, weakref
responses = []

def fail(request):
    response = httpx.Response(500)
    responses.append(weakref.ref(response))
    return response

gc.disable()
client = AuthenticatedClient("https://h.test", "key", httpx_args={"transport": httpx.MockTransport(fail)})
try:
    get_agent_exec.wait("v", 1, client=client, timeout=0)
except errors.OutputLost:
    pass
assert responses[0]() is None, "a circle of frames keeps the response"
"""


def needed_by(name: str, found: set[str]) -> set[str]:
    """Collect a distribution and all that it needs here, without extras."""
    if name in found:
        return found
    found.add(name)
    for text in requires(name) or []:
        requirement = Requirement(text)
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
            needed_by(requirement.name, found)
    return found


@pytest.fixture(scope="session")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make an environment with the wheel, and with what its metadata asks for and nothing else; no network needed."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    venv.create(folder / "env", symlinks=True)
    site = next((folder / "env" / "lib").glob("python*")) / "site-packages"
    (wheel,) = folder.glob("*.whl")
    zipfile.ZipFile(wheel).extractall(site)
    for name in needed_by("hostup-agent-exec", set()) - {"hostup-agent-exec"}:
        for file in distribution(name).files or []:
            top = file.parts[0]
            if top != ".." and not (site / top).exists():
                (site / top).symlink_to(Path(str(distribution(name).locate_file(top))))
    return folder / "env"


def test_it_works_with_its_requirements_alone(environment: Path) -> None:
    python = environment / "bin" / "python"
    done = subprocess.run([python, "-I", "-W", "error", "-c", PROGRAM], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("version", ["3.12", "3.13", "3.14"])
def test_it_works_with_newer_pythons(environment: Path, version: str) -> None:
    uv = Path(sys.executable).parent / "uv"
    found = subprocess.run([uv, "python", "find", "--system", version], capture_output=True, text=True, check=False)
    if found.returncode:
        pytest.skip(f"no Python {version} here")
    site = next((environment / "lib").glob("python*")) / "site-packages"
    program = f"import sys; sys.path.append({str(site)!r}); sys.prefix = {str(environment)!r}\n{PROGRAM}"
    command = [found.stdout.strip(), "-I", "-S", "-W", "error", "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("resolution", ["lowest-direct", "highest"])
def test_it_works_with_oldest_and_newest(resolution: str, tmp_path: Path) -> None:
    build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(tmp_path)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    uv, python = Path(sys.executable).parent / "uv", tmp_path / "env" / "bin" / "python"
    subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, tmp_path / "env"], check=True)
    install: list[str | Path] = [uv, "pip", "install", "--quiet", "--python", python, "--resolution", resolution, wheel]
    if subprocess.run(install, capture_output=True, check=False).returncode:
        pytest.skip("the package registry cannot be reached")
    done = subprocess.run([python, "-I", "-W", "error", "-c", PROGRAM], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


class Provider(BaseHTTPRequestHandler):
    """Knows every VPS but one, and every command has ended."""

    def do_GET(self) -> None:
        if "unknown" in self.path:
            self.respond(404, {"code": "vps_not_found"})
        elif self.path.startswith("/api/v2/vps?") or self.path == "/api/v2/vps":
            self.respond(200, {"data": [{"id": "vps_1"}]})
        else:
            self.respond(200, {"exited": True, "exitCode": 0} if "pid=" in self.path else {"available": True})

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.respond(200, {"pid": 4242})

    def respond(self, status: int, body: object) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(json.dumps(body).encode())

    def log_message(self, *_: object) -> None:
        """Stay silent."""


def test_the_readmes_blocks_run_there(environment: Path) -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), Provider) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        url = f"http://127.0.0.1:{server.server_port}"
        variables = {"HOSTUP_BASE_URL": url, "HOSTUP_API_KEY": "k", "HOSTUP_VPS_ID": "v", "NO_PROXY": "*"}
        # All but those that need the suite, each a module of its own.
        blocks = [str(block.values[0]) for block in BLOCKS if "hostup_conformance" not in str(block.values[0])]
        proxy = '    httpx_args={"proxy": "http://proxy.example.com:3128"},\n'
        program = "".join(
            f"exec({block.replace('https://cloud.hostup.se', url).replace(proxy, '')!r}, {{}})\n" for block in blocks
        )
        command: list[str | Path] = [environment / "bin" / "python", "-I", "-W", "error", "-c", program]
        done = subprocess.run(command, env={**os.environ, **variables}, capture_output=True, text=True, check=False)
        server.shutdown()
        thread.join()
    assert (done.returncode, done.stderr) == (0, "")
    assert len(blocks) > 5


def test_the_metadata_is_the_client_s(environment: Path) -> None:
    (folder,) = environment.rglob("hostup_agent_exec-*.dist-info")
    metadata = (folder / "METADATA").read_text(encoding="utf-8")
    assert (ROOT / "spec" / "client" / "README.md").read_text(encoding="utf-8") in metadata
    assert "](" not in metadata  # a relative link would lead nowhere
    assert "License-Expression: MIT" in metadata
    assert list(folder.rglob("LICENSE"))


def test_it_needs_httpx_alone() -> None:
    needed = {Requirement(text) for text in requires("hostup-agent-exec") or [] if "extra ==" not in text}
    assert {requirement.name for requirement in needed} <= {"httpx", "attrs"}


def test_it_is_typed(environment: Path) -> None:
    assert list(environment.rglob("hostup_agent_exec/py.typed"))
