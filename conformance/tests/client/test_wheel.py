"""The built wheel, alone in an empty environment, gives a client that works."""

import os
import subprocess
import sys
import venv
import zipfile
from importlib.metadata import distribution, requires
from pathlib import Path

import pytest
from client.serving import replied, serving
from client.test_readme import BLOCKS
from hostup_conformance.http.scripted import Received, Reply
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

from hostup_agent_exec.api.agent import start_agent_exec
running, most = set(), []

async def count(request):
    vps = request.url.path.split("/")[4]
    running.add(vps)
    most.append(len(running))
    await asyncio.sleep(0)
    if request.url.query:
        running.discard(vps)
    return httpx.Response(200, json={"pid": 1} if request.method == "POST" else answer(request).json())

async def eagerly():
    if hasattr(asyncio, "eager_task_factory"):
        asyncio.get_running_loop().set_task_factory(asyncio.eager_task_factory)
    transport = httpx.MockTransport(count)
    async with AuthenticatedClient("https://h.test", "key", httpx_args={"transport": transport}) as one:
        return [done async for _, done in start_agent_exec.run_many("a b c d e f".split(), "x", client=one, limit=2)]

assert all(done.exited for done in asyncio.run(eagerly()))
assert max(most) == 2, most

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


def provider(received: Received) -> Reply:
    """Know every VPS but one, whose commands have all ended."""
    target = received.request.target
    if "unknown" in target:
        return replied({"code": "vps_not_found"}, 404)
    if received.request.method == "POST":
        return replied({"pid": 4242})
    if target.partition("?")[0] == "/api/v2/vps":
        return replied({"data": [{"id": "vps_1"}]})
    return replied({"exited": True, "exitCode": 0} if "pid=" in target else {"available": True})


def test_the_readmes_blocks_run_there(environment: Path) -> None:
    with serving(provider) as url:
        variables = {"HOSTUP_BASE_URL": url, "HOSTUP_API_KEY": "k", "HOSTUP_VPS_ID": "v", "NO_PROXY": "*"}
        # All but those that need the suite, each a module of its own.
        blocks = [str(block.values[0]) for block in BLOCKS if "hostup_conformance" not in str(block.values[0])]
        proxy = '    httpx_args={"proxy": "http://proxy.example.com:3128"},\n'
        program = "".join(
            f"exec({block.replace('https://cloud.hostup.se', url).replace(proxy, '')!r}, {{}})\n" for block in blocks
        )
        command: list[str | Path] = [environment / "bin" / "python", "-I", "-W", "error", "-c", program]
        done = subprocess.run(command, env={**os.environ, **variables}, capture_output=True, text=True, check=False)
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
