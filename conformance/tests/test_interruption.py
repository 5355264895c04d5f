"""SIGINT and SIGTERM at any moment: the reports are complete, and of this run only."""

import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from catalogue import first_of
from client.serving import Part
from hostile.server import KEEP, HostileServer, Request
from hostup_conformance.contract.paths import path_of
from hostup_conformance.keeping.interruption import Interruption
from hostup_conformance.mock import API_KEY, VPS_ID
from hostup_conformance.reports.files import REPORTS
from hostup_conformance.sources.script import WARMING
from running import KEPT, command, ran, report_in, run, run_on

#: Seconds until what must happen counts as not happening.
DEADLINE = 100.0
#: A server that is right for so many requests, and then says nothing; the next one is alone, however slow it seems.
RIGHT = WARMING - 1


def slow_after(right: int) -> HostileServer:
    """Return a server that responds to some requests, and then keeps its clients waiting."""

    def behave(request: Request) -> Iterator[Part]:
        request.memory["requests"] = request.number
        if request.number > right:
            yield 200.0
        yield request.sent()
        yield KEEP

    return HostileServer(behave)


@pytest.mark.parametrize(("right", "lookup"), first_of((RIGHT, False), (0, True)))
def test_an_interrupted_run_stops_sending_and_reports(tmp_path: Path, right: int, lookup: bool) -> None:
    server = slow_after(right)
    environment = {name: value for name, value in server.given().items() if not lookup or "KEY" in name}
    with server.serve() as url:
        process = subprocess.Popen(
            command("--report-dir", tmp_path / "report", "--base-url", url, "--timeout-seconds", "60"),
            cwd=tmp_path, env={**KEPT, **environment}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        until = time.monotonic() + DEADLINE
        while server.memory.get("requests", 0) <= right and time.monotonic() < until:
            assert process.poll() is None
            time.sleep(0.05)
        process.send_signal(signal.SIGTERM if lookup else signal.SIGINT)
        output, _ = process.communicate(timeout=DEADLINE)
    assert process.returncode == 2, output.decode()
    # The one that was under way was broken off, and no other was sent.
    assert server.memory["requests"] == right + 1
    report = report_in(tmp_path)
    assert report["stopped"] == "the run was interrupted"
    assert report["requests"] == (0 if lookup else right)
    assert report["summary"]["fail"] == 0
    assert b"Traceback" not in output


def test_an_earlier_report_does_not_survive(tmp_path: Path) -> None:
    folder = tmp_path / "report"
    folder.mkdir()
    for name in REPORTS:
        (folder / name).write_text("hostup-conformance, an earlier run")
    assert run(tmp_path, "--base-url", "http://127.0.0.1:9").returncode == 4
    assert list(folder.iterdir()) == []


@pytest.mark.catalogue
@pytest.mark.parametrize("key", ["x", "ol", "he"])
def test_a_short_key_only_disables_its_check(tmp_path: Path, key: str) -> None:
    server = HostileServer(Request.sent)
    server.keys = (key, "another")
    done = run_on(server, tmp_path)
    assert done.returncode == 0, done.stdout
    entries = {entry["id"]: entry for entry in report_in(tmp_path)["requirements"]}
    assert entries["SAFETY-01"]["status"] == "disabled"
    assert "8 characters" in entries["SAFETY-01"]["message"]
    # The key in the query of a request is redacted by its place, and no piece of a word by its letters.
    assert not re.search(r"[a-z]\[redacted\]|\[redacted\][a-z]", (tmp_path / "report" / "report.html").read_text())


def test_a_short_key_is_refused_off_loopback(tmp_path: Path) -> None:
    done = run(tmp_path, "--base-url", "https://h.invalid", HOSTUP_API_KEY="short", HOSTUP_VPS_ID="v")
    assert done.returncode == 4
    assert "fewer than 8 characters" in done.stderr


@pytest.mark.catalogue
def test_a_full_disk_for_the_output_is_told(tmp_path: Path) -> None:
    """A run whose output cannot be written still has its reports."""
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            command("--report-dir", tmp_path / "report"),
            cwd=tmp_path, env=KEPT, stdout=full, stderr=subprocess.PIPE, text=True, timeout=DEADLINE, check=False,
        )  # fmt: skip
    assert done.returncode == 3
    assert "could not be written (No space left on device)" in done.stderr
    assert "Traceback" not in done.stderr
    assert report_in(tmp_path)["verdict"] == "conformant"


@pytest.mark.catalogue
def test_unwritten_reports_are_not_named(tmp_path: Path) -> None:
    """Folders take the places of reports while the run is under way."""
    folder = tmp_path / "report"

    def behave(request: Request) -> bytes:
        for name in {*REPORTS} - {"report.json"} if request.number == RIGHT else ():
            (folder / name).unlink(missing_ok=True)
            (folder / name).mkdir(parents=True)
        return request.sent()

    done = run_on(HostileServer(behave), tmp_path)
    assert done.returncode == 3
    assert "junit.xml could not be written (it is a folder)" in done.stdout
    assert [line for line in done.stdout.splitlines() if line.startswith("report:")] == [
        f"report: {folder / 'report.json'}"
    ]


def test_the_mock_ends_with_the_first_signal(tmp_path: Path) -> None:
    """A client that goes away within its body is nothing to tell of either."""
    mock = subprocess.Popen(
        [sys.executable, "-m", "hostup_conformance.mock"],
        cwd=tmp_path, env=KEPT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert mock.stdout is not None
    lines = [mock.stdout.readline() for _ in range(2)]
    port = int(lines[1].rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port)) as gone:
        head = f"POST {path_of(VPS_ID)} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {API_KEY}\r\n"
        gone.sendall(f"{head}Content-Length: 999\r\n\r\nx".encode())
    with socket.create_connection(("127.0.0.1", port)) as there:
        there.sendall(f"GET {path_of(VPS_ID)} HTTP/1.1\r\nHost: x\r\nPrefer: code={'9' * 5000}\r\n\r\n".encode())
        assert b" 401 " in there.recv(100)
    mock.send_signal(signal.SIGINT)
    _, said = mock.communicate(timeout=DEADLINE)
    assert said == ""


def test_a_second_signal_is_not_lost_in_what_the_interpreter_calls() -> None:
    class Held:
        def __del__(self) -> None:
            signal.raise_signal(signal.SIGINT)

    def held() -> None:
        Held()
        signal.pause()

    interruption = Interruption()
    signal.raise_signal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        held()
    interruption.close()


#: Sends every signal when the interpreter has taken back the handlers, and frees what a module holds.
AT_THE_VERY_END = """
import signal, sys
from hostup_conformance.front import start
class Last:
    def __del__(self, send=signal.raise_signal, signals=start.SIGNALS):
        for number in signals:
            send(number)
last = Last()
sys.argv = ["hostup-conformance", "--version"]
sys.exit(start.main())
"""


def test_no_signal_changes_the_exit_code_while_the_interpreter_ends(tmp_path: Path) -> None:
    done = ran(tmp_path, [sys.executable, "-c", AT_THE_VERY_END])
    assert (done.returncode, done.stderr) == (0, "")
