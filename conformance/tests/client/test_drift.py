"""What lies in `generated/` is what `make generate` writes, whoever runs it and from where."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PACKAGE = ROOT / "generated" / "hostup_agent_exec"
DOCUMENT = ROOT / "spec" / "openapi.yaml"
TEMPLATES = ROOT / "spec" / "client" / "templates"


def files(package: Path) -> dict[str, bytes]:
    found = (path for path in package.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return {path.relative_to(package).as_posix(): path.read_bytes() for path in found}


def generate(cwd: Path, output: Path, document: Path = DOCUMENT, **environment: str) -> None:
    """Run what the Makefile runs, with the tools that lie beside this Python."""
    bin_ = Path(sys.executable).parent
    script = ROOT / "spec" / "client" / "generate.py"
    command: list[str | Path] = [sys.executable, script, "--document", document, "--output", output]
    path = f"{bin_}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        command, cwd=cwd, env={**os.environ, "PATH": path, **environment}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("seed", ["0", "1"])
def test_regenerating_changes_no_byte(seed: str, tmp_path: Path) -> None:
    cwd = ROOT
    if seed == "1":  # elsewhere, and beside a project with ideas of its own
        cwd = tmp_path / "elsewhere"
        cwd.mkdir()
        own = "[tool.ruff]\nline-length = 40\ntarget-version = 'py313'\nformat.quote-style = 'single'\n"
        for folder in (tmp_path, cwd):
            (folder / "pyproject.toml").write_text(own)
    output = tmp_path / "hostup_agent_exec"
    generate(cwd, output, PYTHONHASHSEED=seed)
    committed, fresh = files(PACKAGE), files(output)
    missing, extra = sorted(fresh.keys() - committed.keys()), sorted(committed.keys() - fresh.keys())
    different = sorted(name for name in fresh.keys() & committed.keys() if fresh[name] != committed[name])
    told = f"missing: {missing}, extra: {extra}, different: {different}; run make generate"
    assert not missing + extra + different, told


def test_the_templates_hold_only_what_differs() -> None:
    import openapi_python_client

    own = Path(openapi_python_client.__file__).parent / "templates"
    same = [
        path.name
        for path in TEMPLATES.rglob("*.jinja")
        if (own / path.relative_to(TEMPLATES)).exists()
        and (own / path.relative_to(TEMPLATES)).read_bytes() == path.read_bytes()
    ]
    assert same == []


def test_the_comparison_sees_a_file_too_many(tmp_path: Path) -> None:
    shutil.copytree(PACKAGE, tmp_path / "copy")
    (tmp_path / "copy" / "stale.py").touch()
    assert files(tmp_path / "copy").keys() - files(PACKAGE).keys() == {"stale.py"}
