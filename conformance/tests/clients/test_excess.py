"""Clients without measure: the suite ends in time, in a bounded memory, without a traceback, and tells what it saw."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hostup_conformance.clients import rounds
from hostup_conformance.clients.scenes import SCENES
from running import KEPT

pytestmark = pytest.mark.catalogue

#: A client that does what it is to do.
EXAMPLE = Path(rounds.__file__).parent / "examples" / "client.py"
#: What each does with the address of the server; it has a socket library and nothing else.
CLIENTS = {
    "600 connections": "held = [connect() for _ in range(600)]; time.sleep(5)",
    "connections again and again": "held = []\nwhile True:\n  held.append(connect()); held = held[-300:]",
    "connections that are never used": "held = [connect() for _ in range(99)]; time.sleep(60)",
    "bodies without end": (
        "held = [connect() for _ in range(95)]\n"
        "for s in held: s.sendall(b'POST / HTTP/1.1\\r\\nContent-Length: 1048576\\r\\n\\r\\n')\n"
        "for _ in range(63):\n"
        "  for s in held: s.sendall(b'x' * 16384)\n"
        "time.sleep(60)"
    ),
    "chunks without end": (
        "s = connect(); s.sendall(b'POST / HTTP/1.1\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\n')\n"
        "while True: s.sendall(b'1000\\r\\n' + b'x' * 4096 + b'\\r\\n')"
    ),
    "trailers without end": (
        "s = connect(); s.sendall(b'POST / HTTP/1.1\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\n0\\r\\n')\n"
        "while True: s.sendall(b'A: b\\r\\n' * 1000)"
    ),
    "no requests at all": (
        "while True:\n  s = connect(); s.sendall(b'nonsense\\r\\n\\r\\n'); s.recv(99); s.close(); time.sleep(0.002)"
    ),
    "lengths of a million digits": (
        "s = connect()\n"
        "s.sendall(b'POST / HTTP/1.1\\r\\nContent-Length: ' + b'9' * 60000 + b'\\r\\n\\r\\n'); s.recv(99)"
    ),
    "output without end": "while True: os.write(1, b'x' * 65536)",
    "daemons without end": (
        "if os.fork(): time.sleep(2); os._exit(1)\n"
        "until = time.monotonic() + 20\n"
        "while time.monotonic() < until:\n"
        "  if not os.fork():\n"
        "    os.setsid()\n"
        "    os._exit(0 if os.fork() else os.execve('/bin/true', ['true'], {}))"
    ),
}
HEAD = f"""
import os, socket, sys, time
from urllib.parse import urlsplit

if os.environ["HOSTUP_SCENE"] == "well":  # or no other is played
    os.execv(sys.executable, [sys.executable, {str(EXAMPLE)!r}])
sys.stderr = open(os.devnull, "w")
at = urlsplit(os.environ["HOSTUP_BASE_URL"])

def connect():
    return socket.create_connection((at.hostname, at.port), 5)

"""


@pytest.mark.parametrize("name", CLIENTS)
def test_a_client_without_measure_is_ended(name: str, tmp_path: Path) -> None:
    (tmp_path / "client.py").write_text(HEAD + CLIENTS[name])
    jobs = 3 if name in {"600 connections", "bodies without end"} else 1  # one alone takes all of the machine
    played = [word for scene in list(SCENES.all())[: jobs + 1] for word in ("--scene", scene)]
    words = ["client", "--jobs", str(jobs), *played, "--report-dir", "report", "--", sys.executable, "client.py"]
    began = time.monotonic()
    with open(tmp_path / "out", "w") as out, open(tmp_path / "err", "w") as err:
        command = [sys.executable, "-m", "hostup_conformance.front.cli", *words]
        process = subprocess.Popen(command, cwd=tmp_path, env=KEPT, stdout=out, stderr=err)
        # The memory of this process and of those that it waited for: other tests have had other children.
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    printed, complained = ((tmp_path / name).read_text() for name in ("out", "err"))
    assert time.monotonic() - began < 400
    assert "Traceback" not in printed + complained
    assert len(complained) < 10_000
    assert process.returncode == 1
    assert json.loads((tmp_path / "report" / "report.json").read_text())["verdict"] in {
        "not_conformant",
        "not_demonstrated",
    }
    assert usage.ru_maxrss < 700 << 10
    assert [pid for pid in os.listdir("/proc") if pid.isdigit() and is_ours(pid, tmp_path)] == []


def is_ours(pid: str, folder: Path) -> bool:
    """Whether a process that has not ended was started in a folder."""
    try:
        return os.readlink(f"/proc/{pid}/cwd") == str(folder)
    except OSError:
        return False
