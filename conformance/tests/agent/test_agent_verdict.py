"""The suite judges the real agent."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from agent.running import judge
from hostup_conformance.agent_server import find_program
from hostup_conformance.target import Misconfigured

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.usefixtures("installed")
def test_the_real_agent_conforms(tmp_path: Path) -> None:
    run = judge(tmp_path, "--backend", "qemu-ga", "--allow-exec")
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
