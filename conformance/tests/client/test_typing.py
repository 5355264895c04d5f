"""Type checkers see what `tests/typing` says: assertions that hold, and ignores of which each is needed."""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]
FILES = [str(ROOT / "conformance" / "tests" / "typing" / name) for name in ("must_pass.py", "must_fail.py")]
BIN = Path(sys.executable).parent


def run(*command: str | Path) -> str:
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return f"{done.stdout}{done.stderr}" if done.returncode else ""


def test_mypy_strict_sees_it_so() -> None:
    # Strict includes --warn-unused-ignores: a line that ought to fail and does not is an error too.
    assert run(BIN / "mypy", "--strict", "--cache-dir", ".mypy_cache/typing", *FILES) == ""


def test_pyright_strict_sees_it_so(tmp_path: Path) -> None:
    config = {
        "include": FILES,
        "extraPaths": [str(ROOT / "generated")],
        "typeCheckingMode": "strict",
        "enableTypeIgnoreComments": False,  # those are mypy's
        "reportUnnecessaryTypeIgnoreComment": "error",
    }
    (tmp_path / "pyrightconfig.json").write_text(json.dumps(config))
    assert run(BIN / "basedpyright", "--project", tmp_path, "--pythonpath", sys.executable) == ""


def test_pyrefly_understands_the_client_too() -> None:
    options = ["--python-interpreter-path", sys.executable, "--search-path", str(ROOT / "generated")]
    assert run(BIN / "pyrefly", "check", *options, FILES[0]) == ""


def test_the_ignores_cover_both() -> None:
    refused = [line for line in Path(FILES[1]).read_text().splitlines() if "ignore[" in line]
    assert len(refused) > 15
    assert all("# type: ignore[" in line and "# pyright: ignore[" in line for line in refused)
