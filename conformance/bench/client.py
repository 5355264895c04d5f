"""What the client costs beside raw httpx and `json.loads`, and beside what the generator makes without our templates.

In one process, on a mock transport, all voices in rotation; the figures are medians, as ratios to raw in the same run.
Import times are of fresh interpreters, without the packages of httpx's own command line.
"""

import asyncio
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from statistics import median
from time import perf_counter
from timeit import timeit
from typing import Any
from urllib.parse import quote

import httpx

ROOT = Path(__file__).parents[2]
DOCUMENT = ROOT / "spec" / "openapi.yaml"
BASE_URL, KEY, VPS, PID = "https://cloud.hostup.se", "sk_bench", "vps_01hxa3b4c5d6e7f8g9h0j1k2m3", 4242
BODIES: dict[str, tuple[int, Any]] = {
    "probe": (200, {"available": True, "reason": None, "vmRunning": True}),
    "poll": (200, {"exited": True, "exitCode": 0, "stdout": "Linux web-1 6.12.0 x86_64\n", "stderr": ""}),
    "404": (
        404,
        {
            "type": "https://developer.hostup.se/errors/not_found", "title": "Not found", "status": 404,
            "detail": "There is no such VPS.", "code": "not_found", "instance": f"/api/v2/vps/{VPS}/agent/exec",
            "requestId": "req_01hxa3b4c5d6e7f8g9h0j1k2m6", "timestamp": "2026-04-27T12:34:56.000Z",
        },
    ),
}  # fmt: skip
RESPONSES = {name: (status, json.dumps(body).encode()) for name, (status, body) in BODIES.items()}

Voice = dict[str, Callable[[], object]]


def respond(request: httpx.Request) -> httpx.Response:
    name = "404" if b"unknown" in request.url.raw_path else "poll" if request.url.query else "probe"
    status, content = RESPONSES[name]
    return httpx.Response(status, content=content, headers={"Content-Type": "application/json"})


TRANSPORT = httpx.MockTransport(respond)


def raw(base_url: str = BASE_URL) -> Voice:
    """Write by hand what is needed to make the calls and to know whether they succeeded."""
    headers = {"Authorization": f"Bearer {KEY}", "Accept": "application/json"}
    client = httpx.Client(base_url=base_url, headers=headers, transport=TRANSPORT, timeout=30)
    before = "" if base_url else BASE_URL

    def get(id: str, params: dict[str, int] | None = None) -> tuple[bool, Any]:
        response = client.get(f"{before}/api/v2/vps/{quote(id, safe='')}/agent/exec", params=params)
        return response.is_success, json.loads(response.content)

    return {
        "probe": lambda: get(VPS),
        "poll": lambda: get(VPS, {"pid": PID}),
        "404": lambda: get("unknown"),
        "decode": lambda: json.loads(RESPONSES["poll"][1]),
    }


def ours() -> Voice:
    from hostup_agent_exec import AuthenticatedClient, errors
    from hostup_agent_exec.api.agent import get_agent_exec
    from hostup_agent_exec.models import CommandOutput
    from hostup_agent_runtime.values import parse

    client = AuthenticatedClient(BASE_URL, KEY, httpx_args={"transport": TRANSPORT})
    response = httpx.Response(200, content=RESPONSES["poll"][1])

    def failing() -> object:
        try:
            return get_agent_exec.sync("unknown", client=client)
        except errors.NotFound as error:
            return error

    return {
        "probe": lambda: get_agent_exec.sync(VPS, client=client),
        "poll": lambda: get_agent_exec.sync(VPS, client=client, pid=PID),
        "404": failing,
        "decode": lambda: CommandOutput.from_dict(parse(response.content)),
    }


def stock(folder: Path) -> Voice:
    """Make what openapi-python-client makes without our templates, under another name."""
    (folder / "config.yaml").write_text(
        "{package_name_override: stock_client, use_path_prefixes_for_title_model_names: false}"
    )
    command: list[str | Path] = ["openapi-python-client", "generate", "--path", DOCUMENT, "--meta", "none"]
    command += ["--config", folder / "config.yaml", "--output-path", folder / "stock_client"]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    sys.path.insert(0, str(folder))
    from stock_client import AuthenticatedClient  # type: ignore[import-not-found]
    from stock_client.api.agent import get_agent_exec  # type: ignore[import-not-found]
    from stock_client.models import CommandOutput  # type: ignore[import-not-found]

    client = AuthenticatedClient(BASE_URL, token=KEY, httpx_args={"transport": TRANSPORT})
    return {
        "probe": lambda: get_agent_exec.sync(VPS, client=client),
        "poll": lambda: get_agent_exec.sync(VPS, client=client, pid=PID),
        "404": lambda: get_agent_exec.sync("unknown", client=client),
        "decode": lambda: CommandOutput.from_dict(json.loads(RESPONSES["poll"][1])),
    }


def calls(voices: dict[str, Voice], rounds: int = 60, number: int = 60) -> dict[str, dict[str, float]]:
    """Return microseconds a call, by voice and kind, each the median of its rounds."""
    taken: dict[str, dict[str, list[float]]] = {name: {kind: [] for kind in voice} for name, voice in voices.items()}
    for turn in range(rounds):
        names = list(voices)
        for name in names[turn % len(names) :] + names[: turn % len(names)]:
            for kind, call in voices[name].items():
                taken[name][kind].append(timeit(call, number=number) / number * 1e6)
    return {name: {kind: median(times) for kind, times in kinds.items()} for name, kinds in taken.items()}


async def _serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(Exception, asyncio.CancelledError):
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            length = re.search(rb"(?i)content-length: (\d+)", head)
            if length:
                await reader.readexactly(int(length[1]))
            kind = b"POST" if head.startswith(b"POST") else b"poll" if b"?" in head.partition(b"\r")[0] else b"probe"
            body = {b"POST": b'{"pid": 4242}', b"poll": RESPONSES["poll"][1], b"probe": RESPONSES["probe"][1]}[kind]
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
            await writer.drain()
    writer.close()


@contextmanager
def server() -> Iterator[str]:
    """Serve the probe, the start and the poll on loopback, in a process of its own."""
    code = f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r}); import client; client.serve()"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as process:
        try:
            yield f"http://127.0.0.1:{process.stdout.readline().strip() if process.stdout else ''}"
        finally:
            process.kill()


def serve() -> None:
    async def forever() -> None:
        listening = await asyncio.start_server(_serve, "127.0.0.1", 0)
        print(listening.sockets[0].getsockname()[1], flush=True)
        await asyncio.sleep(600)

    asyncio.run(forever())


def commands(url: str, rounds: int = 15, number: int = 30) -> dict[str, dict[str, float]]:
    """Return microseconds a command that is run, beside three raw calls, over loopback."""
    from hostup_agent_exec import AuthenticatedClient
    from hostup_agent_exec.api.agent import start_agent_exec

    path = f"/api/v2/vps/{VPS}/agent/exec"
    with (
        httpx.Client(base_url=url, headers={"Authorization": f"Bearer {KEY}"}, timeout=30) as by_hand,
        AuthenticatedClient(url, KEY) as client,
    ):

        def three() -> object:
            by_hand.get(path).json()
            pid = by_hand.post(path, json={"command": "x"}).json()["pid"]
            return by_hand.get(path, params={"pid": pid}).json()

        voices: dict[str, Voice] = {
            "raw httpx": {"run": three},
            "hostup_agent_exec": {"run": lambda: start_agent_exec.run(VPS, "x", client=client)},
        }
        return calls(voices, rounds, number)


async def many(url: str, count: int = 2000, rounds: int = 3) -> dict[str, dict[str, float]]:
    """Return milliseconds for asynchronous probes at once, beside raw httpx with a semaphore."""
    from hostup_agent_exec import AuthenticatedClient
    from hostup_agent_exec.api.agent import get_agent_exec

    taken: dict[str, list[float]] = {"raw httpx": [], "hostup_agent_exec": []}
    for _ in range(rounds):
        async with httpx.AsyncClient(base_url=url, timeout=60) as by_hand:
            slots = asyncio.Semaphore(100)

            async def one(number: int, by_hand: httpx.AsyncClient = by_hand, slots: asyncio.Semaphore = slots) -> None:
                async with slots:
                    (await by_hand.get(f"/api/v2/vps/v{number}/agent/exec")).json()

            begun = perf_counter()
            await asyncio.gather(*map(one, range(count)))
            taken["raw httpx"].append((perf_counter() - begun) * 1e3)
        async with AuthenticatedClient(url, KEY) as client:
            begun = perf_counter()
            await asyncio.gather(*(get_agent_exec.asyncio(f"v{number}", client=client) for number in range(count)))
            taken["hostup_agent_exec"].append((perf_counter() - begun) * 1e3)
    return {name: {f"{count} probes": median(times)} for name, times in taken.items()}


def imports(statements: dict[str, str], path: list[str], rounds: int = 15) -> dict[str, float]:
    """Return milliseconds for each import, each the median of fresh interpreters."""
    code = "import sys, time; sys.modules['click'] = None; start = time.perf_counter(); "
    code += "{}; print(time.perf_counter() - start)"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path)}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    taken: dict[str, list[float]] = {name: [] for name in statements}
    for turn in range(rounds + 1):
        for name, statement in statements.items():
            command = [sys.executable, "-c", code.format(statement)]
            done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
            if turn:  # the first round writes the bytecode
                taken[name].append(float(done.stdout) * 1e3)
    return {name: median(times) for name, times in taken.items()}


def show(title: str, rows: dict[str, dict[str, float]], unit: str) -> None:
    base = rows["raw httpx"]
    print(f"\n{title}\n{'':28}" + "".join(f"{kind:>20}" for kind in base))
    for name, kinds in rows.items():
        print(
            f"{name:28}" + "".join(f"{value:10.1f} {unit} {value / base[kind]:6.2f}" for kind, value in kinds.items())
        )


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        voices = {
            "raw httpx": raw(),
            "raw httpx, whole URLs": raw(""),
            "hostup_agent_exec": ours(),
            "stock": stock(folder),
        }
        show("microseconds a call, and the ratio to raw httpx", calls(voices), "µs")
        times = imports(
            {
                "raw httpx": "import httpx",
                "hostup_agent_exec": "import hostup_agent_exec",
                "  with its operation": "import hostup_agent_exec.api.agent.get_agent_exec",
                "stock": "import stock_client",
                "  with its operation ": "import stock_client.api.agent.get_agent_exec",
            },
            [str(ROOT / "generated"), str(folder)],
        )
        with server() as url:
            show("microseconds a command, and three raw calls", commands(url), "µs")
            show("milliseconds for many at once", asyncio.run(many(url)), "ms")
        show("milliseconds to import", {name: {"import": ms} for name, ms in times.items()}, "ms")


if __name__ == "__main__":
    main()
