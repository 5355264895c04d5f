"""Runs the suite as its users do, in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def judge(folder: Path, *options: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Judge with these options; the reports go into the folder."""
    command = [sys.executable, "-m", "pytest", "--pyargs", "hostup_conformance", "-p", "no:cacheprovider"]
    environ = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
    return subprocess.run(
        [*command, "--report-dir", str(folder), *options],
        cwd=folder, env={**environ, **environment}, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
