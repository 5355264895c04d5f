"""The endpoint passes on unchanged what a real guest agent does."""

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from agent.endpoint import PATIENCE, Endpoint
from hostup_conformance.keeping.processes import state
from hostup_conformance.mock import FOREIGN_VPS_ID, UNAVAILABLE_VPS_ID, VPS_ID
from hostup_conformance.mock.agent_server import serve
from hostup_conformance.mock.supervisor import find_program
from running import eventually

MIB = 2**20


def test_a_command_from_start_to_output(endpoint: Endpoint) -> None:
    assert endpoint.probe() == {"available": True, "reason": None, "vmRunning": True}
    started = endpoint.http.post(endpoint.path(), json={"command": "echo out; echo err >&2; exit 3"}).json()
    assert started["pollUrl"] == f"/api/v2/vps/{VPS_ID}/agent/exec?pid={started['pid']}"
    assert endpoint.wait(started["pid"]) == {"exited": True, "exitCode": 3, "stdout": "out\n", "stderr": "err\n"}


@pytest.mark.parametrize(
    ("command", "output"),
    [
        pytest.param("true", {"exitCode": 0}, id="empty streams are absent"),
        pytest.param("kill -9 $$", {"exitCode": None}, id="death by signal has no exit code"),
        pytest.param("exit 300", {"exitCode": 44}, id="exit codes are modulo 256"),
        pytest.param("printf 'a\\377\\000b'", {"exitCode": 0, "stdout": "a\ufffd\0b"}, id="not UTF-8, and NUL"),
        pytest.param("echo 'ü💩'", {"exitCode": 0, "stdout": "ü💩\n"}, id="UTF-8"),
        pytest.param("cat", {"exitCode": 0}, id="nothing to read"),
        pytest.param(
            "sleep 9 >/dev/null 2>&1 & echo on", {"exitCode": 0, "stdout": "on\n"}, id="a child without the pipe"
        ),
        pytest.param(
            """echo '"; $(id) '\\''`'""", {"exitCode": 0, "stdout": "\"; $(id) '`\n"}, id="quotes are the shell's"
        ),
    ],
)
def test_output(endpoint: Endpoint, command: str, output: dict[str, object]) -> None:
    assert endpoint.run(command) == {"exited": True, **output}


def test_an_unknown_program_is_the_shells_matter(endpoint: Endpoint) -> None:
    output = endpoint.run("no-such-program")
    assert output["exitCode"] == 127
    assert "not found" in output["stderr"]


def test_a_child_with_the_pipe_delays_the_end(endpoint: Endpoint) -> None:
    """As long as a child keeps the pipe open, the command counts as running."""
    pid = endpoint.start("sleep 60 & echo started")
    for _ in range(5):
        assert endpoint.poll(pid).json() == {"exited": False}
        time.sleep(0.05)


@pytest.mark.catalogue
def test_16_mib_are_kept_of_a_stream(endpoint: Endpoint) -> None:
    """16 MiB of a stream are kept, and the response says that the rest is missing."""
    output = endpoint.run(f"head -c {16 * MIB + 1} /dev/zero | tr '\\0' x")
    assert len(output["stdout"]) == 16 * MIB
    assert output["stdoutTruncated"] is True
    assert "stderrTruncated" not in output


def test_a_reported_pid_is_forgotten(endpoint: Endpoint) -> None:
    """A pid is forgotten once its end has been reported."""
    pid = endpoint.start("true")
    endpoint.wait(pid)
    assert endpoint.poll(pid).status_code == 404


def test_fifty_commands_at_once(endpoint: Endpoint) -> None:
    with ThreadPoolExecutor(25) as pool:
        outputs = list(pool.map(endpoint.run, [f"echo {number}; sleep 0.05" for number in range(50)]))
    assert [output["stdout"] for output in outputs] == [f"{number}\n" for number in range(50)]


def test_only_what_was_started_here_is_polled(endpoint: Endpoint) -> None:
    running = endpoint.served.environment["HOSTUP_RUNNING_PID"]
    assert endpoint.poll(running).json() == {"exited": False}
    assert endpoint.poll(os.getpid()).status_code == 404
    assert endpoint.poll(2**40).status_code == 404
    assert endpoint.poll(running, UNAVAILABLE_VPS_ID).status_code == 404
    assert endpoint.poll(running, FOREIGN_VPS_ID).status_code == 404
    assert endpoint.poll(running).json() == {"exited": False}


def test_a_vps_without_an_agent(endpoint: Endpoint) -> None:
    assert endpoint.probe(UNAVAILABLE_VPS_ID) == {"available": False, "reason": "The guest agent is not running."}
    response = endpoint.http.post(endpoint.path(UNAVAILABLE_VPS_ID), json={"command": "true"})
    assert (response.status_code, response.json()["code"]) == (503, "upstream_unavailable")


def test_a_hanging_agent_loses_nothing(endpoint: Endpoint) -> None:
    """While an agent hangs, requests get problems; afterwards nothing is lost."""
    pid = endpoint.start("echo kept")
    time.sleep(0.1)
    endpoint.signal(signal.SIGSTOP)
    began = time.monotonic()
    with ThreadPoolExecutor(10) as pool:
        responses = list(pool.map(endpoint.poll, [pid] * 10))
    assert {response.status_code for response in responses} == {503}
    assert endpoint.probe() == {"available": False, "reason": "The guest agent does not respond."}
    assert time.monotonic() - began < 3 * PATIENCE
    endpoint.signal(signal.SIGCONT)
    assert endpoint.probe()["available"] is True
    # The agent reported the end once, while nobody listened.
    assert endpoint.poll(pid).json() == {"exited": True, "exitCode": 0, "stdout": "kept\n"}
    assert endpoint.poll(pid).status_code == 404


def test_an_agent_that_ends_is_restarted(endpoint: Endpoint) -> None:
    """An agent that ends is started again, without memory of earlier commands."""
    pid = endpoint.start("sleep 60")
    endpoint.signal(signal.SIGKILL)
    assert endpoint.probe()["available"] is False
    assert endpoint.poll(pid).status_code == 503
    eventually(lambda: endpoint.probe()["available"])
    assert endpoint.poll(pid).status_code == 404
    assert endpoint.run("echo again")["stdout"] == "again\n"


def test_commands_see_nothing_of_our_environment(endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOSTUP_API_KEY", "secret")
    output = endpoint.run("env")["stdout"]
    assert "PATH=" in output
    assert "HOSTUP" not in output


@pytest.mark.usefixtures("installed")
def test_an_agent_that_allows_no_commands(tmp_path_factory: pytest.TempPathFactory) -> None:
    """An agent behind a given socket that allows no commands is reported as unavailable."""
    folder = tmp_path_factory.mktemp("s")
    socket = folder / "s"
    command = [find_program(), "-m", "unix-listen", "-p", str(socket), "-t", str(folder), "-b", "guest-exec"]
    with subprocess.Popen(command) as agent:
        while not socket.exists():
            time.sleep(0.01)
        with serve(socket, PATIENCE) as served, httpx.Client(base_url=served.base_url, trust_env=False) as http:
            http.headers["Authorization"] = f"Bearer {served.environment['HOSTUP_API_KEY']}"
            path = f"/api/v2/vps/{VPS_ID}/agent/exec"
            reason = "The guest agent does not allow commands."
            assert http.get(path).json() == {"available": False, "reason": reason, "vmRunning": True}
            refused = http.post(path, json={"command": "true"})
            assert (refused.status_code, refused.json()["detail"]) == (503, reason)
        assert agent.poll() is None
        agent.terminate()


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize("last", [signal.SIGCONT, signal.SIGSTOP, signal.SIGKILL])
def test_nothing_is_left_behind(last: signal.Signals) -> None:
    with serve(seconds=PATIENCE) as served:
        assert served.supervisor
        folder, agent = served.supervisor.socket.parent, served.supervisor.pid
        running = int(served.environment["HOSTUP_RUNNING_PID"])
        assert agent
        assert folder.is_dir()
        os.kill(running, 0)
        os.kill(agent, last)
    assert not folder.exists()
    assert not Path(f"/proc/{agent}").exists()
    eventually(lambda: state(running) in "ZX")  # one that ended may wait for whoever inherited it


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_an_ended_server_leaves_no_agent(installed: None, number: signal.Signals) -> None:  # noqa: ARG001
    command = [sys.executable, "-m", "hostup_conformance.mock.agent_server"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout
            said = [process.stdout.readline() for _ in range(10)]
            running = int(next(line for line in said if "RUNNING_PID" in line).rpartition("=")[2])
            process.send_signal(number)
            assert "Traceback" not in process.communicate(timeout=30)[1]
        finally:
            process.kill()
    # A child of the agent, which ended with it; nobody may have taken notice of that yet.
    command_line = Path(f"/proc/{running}/cmdline")
    assert not command_line.exists() or command_line.read_bytes() == b""
