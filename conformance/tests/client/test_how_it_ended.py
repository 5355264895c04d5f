"""How a command has ended, and that its output is always a text."""

import pickle
from typing import Any

import httpx
import pytest
from client.voices import KEY, PID, VPS, Script, Voice
from hostup_agent_exec import errors
from hostup_agent_exec.api.agent import get_agent_exec
from hostup_agent_exec.models import CommandOutput


@pytest.mark.parametrize(
    ("members", "ok"),
    [
        ({"exited": True, "exitCode": 0}, True),
        ({"exited": True, "exitCode": 1}, False),
        ({"exited": True, "exitCode": None}, False),
        ({"exited": True}, False),
        ({"exited": False, "exitCode": 0}, False),
    ],
)
def test_only_an_end_with_zero_is_ok(members: dict[str, Any], ok: bool) -> None:
    assert CommandOutput.from_dict(members).ok is ok


def test_output_is_always_a_text() -> None:
    for stdout in ({}, {"stdout": None}, {"stdout": ""}):
        output = CommandOutput.from_dict({"exited": True, **stdout})
        assert (output.stdout_text, output.stderr_text) == ("", "")
    assert CommandOutput(exited=True, stdout="x").stdout_text == "x"


def test_a_command_that_failed_can_be_an_error(voice: Voice) -> None:
    failed = httpx.Response(200, json={"exited": True, "exitCode": 3, "stderr": f"a\x1b[1m\n{KEY} no such file\n"})
    assert voice.run(client=Script(poll=[failed]).client).exit_code == 3
    with pytest.raises(errors.CommandFailed) as caught:
        voice.run(client=Script(poll=[failed]).client, check=True)
    assert str(caught.value) == "the command ended with exit code 3: a\ufffd[1m [key] no such file"
    assert caught.value.output is not None
    assert (caught.value.output.exit_code, caught.value.pid) == (3, PID)
    again = pickle.loads(pickle.dumps(caught.value))  # noqa: S301
    assert again.output == caught.value.output


@pytest.mark.parametrize("code", [{}, {"exitCode": None}])
def test_a_killed_command_failed(voice: Voice, code: dict[str, Any]) -> None:
    killed = httpx.Response(200, json={"exited": True, **code})
    with pytest.raises(errors.CommandFailed, match="without an exit code"):
        voice.wait(client=Script(poll=[killed]).client, check=True)


@pytest.mark.parametrize(
    ("members", "says"),
    [
        ({"exitCode": 1}, "the command ended with exit code 1"),
        ({"stderr": "killed"}, "the command ended without an exit code: it was killed, or has none: killed"),
        ({"exitCode": 2, "stderr": "a" + "b" * 300}, "the command ended with exit code 2: " + "b" * 300),
        ({"exitCode": 2, "stderr": "a\0b"}, "the command ended with exit code 2: a\ufffdb"),
    ],
)
def test_a_failure_says_so_in_a_line(members: dict[str, Any], says: str) -> None:
    failed = httpx.Response(200, json={"exited": True, **members})
    with pytest.raises(errors.CommandFailed) as caught:
        get_agent_exec.wait(VPS, PID, client=Script(poll=[failed]).client, check=True)
    assert str(caught.value) == says
