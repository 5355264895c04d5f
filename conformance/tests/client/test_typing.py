"""Type checkers see what `tests/typing` says: assertions that hold, and ignores of which each is needed.

`make check` holds mypy and basedpyright to it, to which an ignore that is not needed is an error.
"""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]
TYPING = ROOT / "conformance" / "tests" / "typing"


def test_pyrefly_understands_the_client_too() -> None:
    options = ["--python-interpreter-path", sys.executable, "--search-path", str(ROOT / "generated")]
    command: list[str | Path] = [Path(sys.executable).parent / "pyrefly", "check", *options, TYPING / "must_pass.py"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_ignores_cover_both() -> None:
    refused = [line for line in (TYPING / "must_fail.py").read_text().splitlines() if "ignore[" in line]
    assert len(refused) > 15
    assert all("# type: ignore[" in line and "# pyright: ignore[" in line for line in refused)
