"""What `make` takes from its caller.

It refuses a variable that nothing reads, so that no slip in a name leads to a verdict on something else.
"""

import os
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
#: Each target with a variable that the documentation, or CI, gives to it.
DOCUMENTED = sorted({
    (target, name)
    for file in (ROOT / "README.md", *ROOT.glob("conformance/*.md"), *ROOT.glob("spec/**/*.md"), ROOT / ".ci/run")
    for target, line in re.findall(r"\bmake ([a-z-]+)([^`\n]*)", file.read_text())
    for name in re.findall(r"\b([A-Z_]{2,})=", line)
    if not name.startswith("HOSTUP_")
})  # fmt: skip


def make(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["make", "-n", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("slip", ["BASE_URl", "base_url", "url", "BASEURL", "URL", "ARG", "BASE", "COMMAND", "INSTALL"])
def test_a_slip_in_the_name_of_a_variable_is_refused(slip: str) -> None:
    """BASE, COMMAND and INSTALL are read by other targets."""
    done = make("conformance", f"{slip}=1")
    assert done.returncode == 2
    assert f"nothing that is made reads {slip}=; make help lists what is read" in done.stderr


def test_what_the_documentation_gives_is_read() -> None:
    assert {("conformance", "BASE_URL"), ("spec-diff", "BASE"), ("page", "PAGE")} <= set(DOCUMENTED)
    for target, name in DOCUMENTED:
        assert make(target, f"{name}=1", "HOSTUP_API_KEY=x").returncode == 0, (target, name)


@pytest.mark.parametrize("given", ["test ALL=0", "conformance PLAN=yes", "deployments INSTALL=no", "fuzz EXAMPLES=few"])
def test_an_odd_value_is_refused(given: str) -> None:
    done = make(*given.split())
    assert done.returncode == 2
    assert f"{given.split()[1]} is" in done.stderr


def test_a_client_is_found_by_the_path_of_the_caller(tmp_path: Path) -> None:
    """It is not given the suite's Python; odd characters in the path change nothing."""
    folder, seen = tmp_path / "it's here", tmp_path / "seen"
    folder.mkdir()
    program = folder / "a-client"
    program.write_text(f'#!/bin/sh\nprintf %s "$PATH" > "{seen}"\n')
    program.chmod(0o755)
    path = f"{folder}:{os.environ['PATH']}"
    # The environment is there: nothing is to be installed (-o).
    given = ("COMMAND=a-client", "SCENE=well", f"REPORT_DIR={tmp_path / 'report'}")
    done = subprocess.run(
        ["make", "-o", ".venv/ready", "client", *given],
        cwd=ROOT,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert seen.exists(), done.stdout + done.stderr
    assert seen.read_text() == path
