"""The suite judges the real agent."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from hostup_conformance.agent_server import find_program
from hostup_conformance.target import Misconfigured

if TYPE_CHECKING:
    from pathlib import Path


def judge(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pytest", "--pyargs", "hostup_conformance", "-p", "no:cacheprovider"]
    environ = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
    return subprocess.run(
        [*command, "--report-dir", str(folder), *options],
        cwd=folder, env=environ, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip


@pytest.mark.usefixtures("installed")
def test_the_real_agent_conforms(tmp_path: Path) -> None:
    run = judge(tmp_path, "--backend", "qemu-ga")
    assert run.returncode == 0, run.stdout + run.stderr
    report = json.loads((tmp_path / "report.json").read_text())
    assert report["verdict"] == "conformant"
    assert report["target"]["kind"] == "server"
    assert {name: report["summary"][name] for name in ("fail", "warn", "disabled", "error")} == {
        "fail": 0, "warn": 0, "disabled": 0, "error": 0,
    }  # fmt: skip


def test_where_it_is_missing_the_message_names_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda *_, **__: None)
    with pytest.raises(Misconfigured, match="qemu-guest-agent"):
        find_program()


def test_an_own_server_and_a_given_one_exclude_each_other(tmp_path: Path) -> None:
    run = judge(tmp_path, "--backend", "qemu-ga", "--base-url", "http://127.0.0.1:1")
    assert run.returncode == pytest.ExitCode.USAGE_ERROR
    assert "--backend" in run.stderr
