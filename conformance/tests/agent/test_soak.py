"""The soak runs, and says what it measured; at length it is `make soak`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

SOAK = Path(__file__).parents[2] / "bench" / "soak.py"


def test_a_short_soak_loses_nothing() -> None:
    """A soak of a moment loses nothing, and leaves nothing behind."""
    command = [sys.executable, "-W", "error", str(SOAK), "--seconds", "2", "--callers", "50"]
    run = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    assert "each output as expected" in run.stdout
    assert "Warning" not in run.stderr
