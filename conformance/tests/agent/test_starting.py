"""Starts in front of the simulated agent: who may start what."""

import asyncio
import json
import time
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from hostup_conformance.contract.commands import Command
from hostup_conformance.mock import API_KEY, FOREIGN_VPS_ID, READ_API_KEY, UNAVAILABLE_VPS_ID, VPS_ID, Mock
from hostup_conformance.mock import memory as servers_mock
from hostup_conformance.mock.memory import acted


def post(
    content: bytes, *, key: str | None = API_KEY, vps: str = VPS_ID, media_type: str | None = "application/json"
) -> tuple[httpx.Response, Mock]:
    mock = Mock()

    async def send() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(mock.app), base_url="http://mock") as client:
            headers = {"Authorization": f"Bearer {key}"} if key else {}
            headers |= {"Content-Type": media_type} if media_type else {}
            return await client.post(f"/api/v2/vps/{vps}/agent/exec", content=content, headers=headers)

    return asyncio.run(send()), mock


def body(command: Any) -> bytes:
    return json.dumps({"command": command}).encode()


@pytest.mark.parametrize("command", ["x", "x" * 4096, "ü" * 4096, "💩" * 4096, " "])
def test_a_command_is_started(command: str) -> None:
    response, mock = post(body(command))
    assert response.status_code == 200
    pid = response.json()["pid"]
    assert response.json() == {"pid": pid, "pollUrl": f"/api/v2/vps/{VPS_ID}/agent/exec?pid={pid}"}
    assert asyncio.run(mock.agent.poll(pid))["exited"] is True


@pytest.mark.parametrize(
    ("command", "result"),
    [
        ("echo to be seen", {"stdout": b"to be seen\n"}),
        ("echo  'a  b' \"c\" d'e'", {"stdout": b"a  b c de\n"}),
        ("echo 'hi | wc'", {"stdout": b"hi | wc\n"}),
        ("echo", {"stdout": b"\n"}),
        (" ", {}),
        ("true", {}),
        ("false", {"exit_code": 1}),
        ("exit 3", {"exit_code": 3}),
        ("exit 256", {}),
        ("exit", {}),
        ("sleep 60", {"seconds": 60}),
        ("sleep 0.5", {"seconds": 0.5}),
        ("uname -a", {"stdout": b"Linux web-1 6.12.0 x86_64\n"}),
        *(
            (command, {"stderr": f"{command[:80]}: not supported by the mock\n".encode(), "exit_code": 127})
            for command in ("echo hi | wc", "sleep 1; echo x", "echo $HOME", "echo 'a", "x" * 4096, "ls", "a\nb")
        ),
        ("sleep x", {"stderr": b"sleep: not supported by the mock\n", "exit_code": 127}),
        ("exit 3 4", {"stderr": b"exit: not supported by the mock\n", "exit_code": 127}),
        ("echo -n x", {"stderr": b"echo: not supported by the mock\n", "exit_code": 127}),
    ],
)
def test_the_mock_pretends_or_says_it_cannot(command: str, result: dict[str, Any]) -> None:
    assert acted(command) == Command("", command, **result)


def test_the_simulated_agent_really_sleeps(monkeypatch: pytest.MonkeyPatch) -> None:
    agent = Mock().agent
    sleeping = asyncio.run(agent.start("sleep 60"))
    assert asyncio.run(agent.poll(sleeping)) == {"exited": False}
    now = time.monotonic()
    monkeypatch.setattr(servers_mock, "time", SimpleNamespace(monotonic=lambda: now + 61))
    assert asyncio.run(agent.poll(sleeping))["exitCode"] == 0


@pytest.mark.parametrize(
    ("content", "pointer"),
    [
        (b"{}", "/command"),
        (body(None), "/command"),
        (body(5), "/command"),
        (body(["ls"]), "/command"),
        (body(""), "/command"),
        (body("x" * 4097), "/command"),
        # The agent would run what stands before the NUL, and cannot read a lone surrogate.
        (body("echo \0x"), "/command"),
        (body("echo \ud800"), "/command"),
        (b"[]", "/command"),
        (b"null", "/command"),
        (b"", ""),
        (b"{", ""),
        (b"\xff", ""),
        (b"[" * 60000, ""),
        (b'{"command": "' + b"x" * 70000 + b'"}', ""),
    ],
)
def test_a_bad_body_is_refused(content: bytes, pointer: str) -> None:
    response, _ = post(content)
    assert response.status_code == 400
    assert response.headers["content-type"] == "application/problem+json"
    assert [item["pointer"] for item in response.json()["errors"]] == [pointer]


@pytest.mark.parametrize("media_type", [None, "text/plain", "application/x-www-form-urlencoded"])
def test_a_body_of_another_type_is_refused(media_type: str | None) -> None:
    assert post(body("x"), media_type=media_type)[0].status_code == 400


@pytest.mark.parametrize(
    ("key", "vps", "status"),
    [
        (None, VPS_ID, 401),
        ("wrong", VPS_ID, 401),
        (READ_API_KEY, VPS_ID, 403),
        (API_KEY, FOREIGN_VPS_ID, 404),
        (API_KEY, "vps_unknown", 404),
        (API_KEY, UNAVAILABLE_VPS_ID, 503),
    ],
)
def test_a_forbidden_start_is_refused_whatever_its_body(key: str | None, vps: str, status: int) -> None:
    """A key that may not start commands is refused whatever the body is."""
    contents = [body("x")] if status == 503 else [body("x"), b"{"]
    assert [post(content, key=key, vps=vps)[0].status_code for content in contents] == [status] * len(contents)


def test_the_mock_prints_all_that_a_client_needs(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whoever pastes it asks the mock, and not the provider."""
    monkeypatch.setattr(
        servers_mock, "server", lambda _app: SimpleNamespace(run=lambda listeners: listeners[0].close())
    )
    monkeypatch.setattr("sys.argv", ["mock"])
    servers_mock.main()
    exported = [line for line in capsys.readouterr().out.splitlines() if line.startswith("export ")]
    assert exported[0].startswith("export HOSTUP_BASE_URL=http://127.0.0.1:")
    assert {line.partition("=")[0] for line in exported[1:]} == {f"export {name}" for name in Mock().environment()}
