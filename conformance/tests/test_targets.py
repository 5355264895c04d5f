"""Servers that were not tuned to the suite: two written from the documentation alone, and a static mock."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from hostup_conformance.mock import API_KEY, VPS_ID
from running import report_in, run

# Whole runs, or many cases of one kind: `make catalogue` runs them.
pytestmark = pytest.mark.catalogue

TARGETS = Path(__file__).parent / "targets"
SPEC = Path(__file__).parents[2] / "spec" / "openapi.yaml"
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "hostup-conformance"
PRISM = {"private": True, "dependencies": {"@stoplight/prism-cli": "5.14.2"}}


@contextmanager
def started(command: list[str], directory: Path, stdout: int = subprocess.PIPE) -> Iterator[subprocess.Popen[str]]:
    """Run a server until the end of the block; what it logs on stderr is shown by pytest on a failure."""
    process = subprocess.Popen(command, cwd=directory, stdout=stdout, text=True)
    try:
        yield process
    finally:
        process.terminate()
        process.communicate(timeout=10)


def announced(process: subprocess.Popen[str]) -> tuple[str, dict[str, str]]:
    """Return base URL and environment, which our targets print as their first line."""
    assert process.stdout
    line = json.loads(process.stdout.readline())
    return line["base_url"], line["env"]


def judged(base_url: str, environment: dict[str, str], folder: Path, *options: str) -> dict[str, Any]:
    """Run the suite as its user would, and return its report."""
    done = run(folder, "--base-url", base_url, *options, **environment)
    assert (folder / "report" / "report.json").is_file(), done.stdout + done.stderr
    return report_in(folder)


def not_passed(report: dict[str, Any], *statuses: str) -> dict[str, str]:
    """Return id and message of what has one of the statuses; the servers here start no commands."""
    entries = [entry for entry in report["requirements"] if "--allow-exec" not in entry["message"]]
    return {entry["id"]: entry["message"] for entry in entries if entry["status"] in statuses}


def installed(package: dict[str, Any], *files: Path) -> Path:
    """Return a directory with the files and what npm installs for them; kept for the next time, made in one step."""
    if not shutil.which("node") or not shutil.which("npm"):
        pytest.skip("node and npm are not installed")
    text = json.dumps(package)
    digest = hashlib.sha256(b"\0".join([text.encode(), *(file.read_bytes() for file in files)])).hexdigest()[:16]
    if (directory := CACHE / digest).is_dir():
        return directory
    CACHE.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=CACHE) as name:
        partial = Path(name) / "new"
        partial.mkdir()
        (partial / "package.json").write_text(text, "utf-8")
        for file in files:
            shutil.copy(file, partial)
        npm = ["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"]
        try:
            run = subprocess.run(npm, cwd=partial, capture_output=True, text=True, timeout=300, check=False)
        except subprocess.TimeoutExpired:
            pytest.skip("npm install took longer than 5 minutes")
        if run.returncode:
            pytest.skip(f"npm install failed: {run.stderr.strip().splitlines()[-1:]}")
        # Another test process may have been faster; what it made is as good.
        with suppress(OSError):
            partial.rename(directory)
    return directory


def test_fastapi(tmp_path: Path) -> None:
    with started([sys.executable, str(TARGETS / "fastapi_server.py"), "--port", "0"], tmp_path) as process:
        report = judged(*announced(process), tmp_path)
    assert not_passed(report, "fail", "warn", "error", "disabled") == {}
    assert report["verdict"] == "conformant"


def test_express(tmp_path: Path) -> None:
    source = TARGETS / "express"
    directory = installed(json.loads((source / "package.json").read_text("utf-8")), source / "server.mjs")
    with started(["node", "server.mjs", "--port", "0"], directory) as process:
        report = judged(*announced(process), tmp_path)
    assert not_passed(report, "fail", "warn", "error", "disabled") == {}
    assert report["verdict"] == "conformant"


def test_prism(tmp_path: Path) -> None:
    """It repeats the document's examples, so it is judged on their form alone."""
    directory = installed(PRISM)
    with socket.create_server(("127.0.0.1", 0)) as chosen:
        port = chosen.getsockname()[1]
    command = ["node", "node_modules/@stoplight/prism-cli/dist/index.js", "mock", str(SPEC), "-h", "127.0.0.1"]
    # It logs every request to stdout; a pipe that nobody reads would stop it.
    with started([*command, "-p", str(port)], directory, subprocess.DEVNULL) as process:
        wait_for(port, process)
        environment = {"HOSTUP_API_KEY": API_KEY, "HOSTUP_VPS_ID": VPS_ID}
        report = judged(f"http://127.0.0.1:{port}", environment, tmp_path, "--profile", "static")
    assert not_passed(report, "fail", "error") == {}
    assert report["verdict"] == "conformant"
    assert report["target"]["profile"] == "static"


def wait_for(port: int, process: subprocess.Popen[str]) -> None:
    """Wait until a server accepts connections."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and process.poll() is None:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.1)
    pytest.fail("Prism did not start")
