"""`make install` says that it was interrupted, and begins again when it is run again."""

import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]
#: Stands for Python: makes an environment with itself in it; its pip is killed where there is a file `interrupt`.
PYTHON = """#!/bin/sh
case "$*" in
*"-m venv"*) mkdir -p .venv/bin; cp "$0" .venv/bin/python;;
*"-m pip"*) if [ -e interrupt ]; then rm interrupt; touch .venv/half; kill -KILL $$; fi;;
esac
"""


def test_an_installation_that_was_interrupted_is_begun_again(tmp_path: Path) -> None:
    for name in ("Makefile", "pyproject.toml", "conformance/constraints.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    python = tmp_path / "python"
    python.write_text(PYTHON)
    python.chmod(0o755)
    (tmp_path / "interrupt").touch()
    command = ["make", "install", f"PYTHON={python}"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "\nthe installation was interrupted; run it again\n" in done.stderr
    assert (tmp_path / ".venv" / "half").exists()
    subprocess.run(command, cwd=tmp_path, capture_output=True, check=True)
    assert {path.name for path in (tmp_path / ".venv").iterdir()} == {"bin", "ready"}
