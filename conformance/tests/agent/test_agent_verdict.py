"""The suite judges the real agent."""

from pathlib import Path

import pytest
from hostup_conformance.keeping.misconfigured import Misconfigured
from hostup_conformance.mock.supervisor import find_program
from running import report_in, run

# Whole runs, or many cases of one kind: `make catalogue` runs them.
pytestmark = pytest.mark.catalogue


@pytest.mark.usefixtures("installed")
def test_the_real_agent_conforms(tmp_path: Path) -> None:
    done = run(tmp_path, "--backend", "qemu-ga", "--allow-exec")
    assert done.returncode == 0, done.stdout + done.stderr
    report = report_in(tmp_path)
    assert report["verdict"] == "conformant"
    assert report["target"]["kind"] == "server"
    assert {name: report["summary"][name] for name in ("fail", "warn", "disabled", "error")} == {
        "fail": 0, "warn": 0, "disabled": 0, "error": 0,
    }  # fmt: skip


def test_a_missing_agent_is_named_with_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where qemu-ga is not installed, the message names Debian's package."""
    monkeypatch.setattr("shutil.which", lambda *_, **__: None)
    with pytest.raises(Misconfigured, match="qemu-guest-agent"):
        find_program()


def test_backend_and_base_url_exclude_each_other(tmp_path: Path) -> None:
    done = run(tmp_path, "--backend", "qemu-ga", "--base-url", "http://127.0.0.1:1")
    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert "--backend" in done.stderr
