"""`make` refuses a variable that nothing reads, so that no slip in a name leads to a verdict on something else."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
#: Each variable that the documentation, or CI, gives to make.
DOCUMENTED = sorted({
    name
    for file in (ROOT / "README.md", *ROOT.glob("conformance/*.md"), *ROOT.glob("spec/**/*.md"), ROOT / ".ci/run")
    for line in re.findall(r"\bmake [a-z].*", file.read_text())
    for name in re.findall(r"\b([A-Z_]{2,})=", line)
    if not name.startswith("HOSTUP_")
})  # fmt: skip


def make(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["make", "help", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("slip", ["BASE_URl", "base_url", "BASEURL", "URL", "ARG"])
def test_a_slip_in_the_name_of_a_variable_is_refused(slip: str) -> None:
    done = make(f"{slip}=http://127.0.0.1:1")
    assert done.returncode == 2
    assert f"nothing reads {slip}=; make help lists what is read" in done.stderr


def test_what_the_documentation_gives_is_read() -> None:
    assert {"BACKEND", "BASE_URL", "BASE", "PAGE"} <= set(DOCUMENTED)
    assert make(*(f"{name}=x" for name in DOCUMENTED), "ARGS=x", "HOSTUP_API_KEY=x").returncode == 0
