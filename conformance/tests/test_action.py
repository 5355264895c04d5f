"""The composite action of GitHub, whose steps run here as scripts, and the other files for those who have no clone."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from faults import FAULTS
from hostup_conformance.clients import examples
from hostup_conformance.contract.target import VARIABLES
from hostup_conformance.front import cli
from hostup_conformance.front.options import ClientOptions, declared, written
from hostup_conformance.mock import API_KEY, VPS_ID
from running import ran, report_in
from running import run as run_suite
from stage import Stage

ROOT = Path(__file__).parents[2]
ACTION = ROOT / ".github" / "actions" / "conformance"
RIGHT = f"{sys.executable} {Path(examples.__file__).parent / 'client.py'}"
README = "\n".join((ROOT / "conformance" / name).read_text("utf-8") for name in ("README.md", "CLIENTS.md"))


def action() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((ACTION / "action.yml").read_text("utf-8"))
    return loaded


def step(name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(one for one in action()["runs"]["steps"] if one.get("name") == name)
    return found


def run(name: str, folder: Path, **given: str) -> tuple[subprocess.CompletedProcess[str], str]:
    """Run a step as the runner does, with these inputs; return what it did, and its outputs."""
    inputs = {key: value.get("default", "") for key, value in action()["inputs"].items()}
    inputs |= {key.replace("_", "-"): value for key, value in given.items()}

    def value_of(expression: re.Match[str]) -> str:
        kind, _, key = expression[1].partition(".")
        return inputs[key] if kind == "inputs" else sys.executable

    one = step(name)
    environment = {key: re.sub(r"\$\{\{ (\S+) \}\}", value_of, value) for key, value in one["env"].items()}
    runner = {"RUNNER_TEMP": str(folder), "GITHUB_ACTION_PATH": str(ACTION), "GITHUB_OUTPUT": str(folder / "output")}
    command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", one["run"]]
    done = ran(folder, command, **runner, **environment)
    output = folder / "output"
    return done, output.read_text() if output.exists() else ""


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """A folder for a runner, in which the suite is installed: it is the one that runs these tests."""
    programs = tmp_path / "hostup-conformance" / "bin"
    programs.mkdir(parents=True)
    for program in ("python", "hostup-conformance"):
        (programs / program).write_text(f'#!/bin/sh\nexec "{Path(sys.executable).parent / program}" "$@"\n')
        (programs / program).chmod(0o755)
    return tmp_path


def test_the_action_judges_a_server(installed: Path) -> None:
    done, output = run("Judge", installed, report_dir="report", args="--max-requests 5 --strict")
    assert done.returncode == 1, done.stdout + done.stderr  # the run was cut
    assert output == "verdict=not_demonstrated\n"
    assert report_in(installed)["requests"] <= 5


@pytest.mark.catalogue
def test_the_action_judges_a_client(installed: Path) -> None:
    done, output = run("Judge", installed, report_dir="report", client=RIGHT, args="--scene well")
    assert (done.returncode, output) == (0, "verdict=conformant\n"), done.stdout + done.stderr
    assert report_in(installed)["target"]["kind"] == "client"


@pytest.mark.catalogue
def test_arguments_are_read_as_a_shell_reads_them(installed: Path) -> None:
    done, _ = run("Judge", installed, report_dir="report", args='-k "PROBE-01 or PROBE-02"')
    assert done.returncode == 0, done.stdout + done.stderr
    assert report_in(installed)["only"] == ["PROBE-01", "PROBE-02"]
    done, _ = run("Judge", installed, report_dir="report", args='-k "PROBE-01')
    assert (done.returncode, done.stderr) == (4, 'a quotation mark is not closed in: -k "PROBE-01\n')


@pytest.mark.catalogue
def test_what_became_worse_fails(installed: Path) -> None:
    of_one = {"report_dir": "report", "args": "-k PROBE-03", "compare_with": "before/report.json"}
    run_suite(installed, "--report-dir", installed / "before", "-k", "PROBE-03")
    same, _ = run("Judge", installed, **of_one)
    assert same.returncode == 0, same.stdout + same.stderr
    with Stage(FAULTS.named("available_is_text").change).serve() as url:
        worse, _ = run("Judge", installed, base_url=url, api_key=API_KEY, vps_id=VPS_ID, **of_one)
    assert worse.returncode == 1
    assert "conformant \N{RIGHTWARDS ARROW} not_conformant" in worse.stdout


@pytest.mark.catalogue
def test_a_usage_error_is_told_and_has_no_verdict(installed: Path) -> None:
    done, output = run("Judge", installed, base_url="https://example.com", report_dir="report")
    assert (done.returncode, output) == (4, "")
    assert "HOSTUP_API_KEY is not set" in done.stderr


@pytest.mark.catalogue
def test_no_input_becomes_a_command(installed: Path) -> None:
    done, _ = run("Judge", installed, base_url='$(touch "$RUNNER_TEMP/run")"; touch "$RUNNER_TEMP/run"', api_key="k")
    assert done.returncode == 4
    assert not (installed / "run").exists()
    assert not re.search(r"\$\{\{", step("Judge")["run"] + step("Install the suite")["run"])


def test_the_action_installs_this_repository(tmp_path: Path) -> None:
    """The installation itself needs an index, so only what it would install is looked at."""
    script = step("Install the suite")["run"]
    assert f'"$GITHUB_ACTION_PATH/{os.path.relpath(ROOT, ACTION)}[conformance]"' in script
    pretended = tmp_path / "python"
    pretended.write_text('#!/bin/sh\nmkdir -p "$3/bin"\nln -s /bin/echo "$3/bin/pip"\n')
    pretended.chmod(0o755)
    runner = {"RUNNER_TEMP": str(tmp_path), "GITHUB_ACTION_PATH": "/a", "PYTHON": str(pretended)}
    command = ["bash", "-e", "-c", script]
    done = ran(tmp_path, command, **runner)
    assert done.stdout == "install --quiet /a/../../..[conformance]\n"


def test_the_action_takes_every_key_and_id() -> None:
    """A pid is good for one run only, so it is no input."""
    assert {name for name in VARIABLES.values() if "PID" not in name} <= set(step("Judge")["env"])


def test_workflows_run_what_ci_runs() -> None:
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text("utf-8"))
    steps = [one for job in workflow["jobs"].values() for one in job["steps"]]
    assert "bash .ci/run" in [one.get("run") for one in steps]
    used = [one["uses"] for one in steps if one.get("uses", "").startswith("./")]
    assert [ROOT / path for path in used] == [ACTION]
    given = next(one["with"] for one in steps if one.get("uses") == "./.github/actions/conformance")
    assert given.keys() <= action()["inputs"].keys()


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


def test_the_jobs_in_the_readme_use_what_there_is() -> None:
    jobs = [yaml.safe_load(block) for block in blocks("yaml")]
    used = [one for job in jobs for part in job.get("jobs", {}).values() for one in part["steps"]]
    ours = [one for one in used if "hostup-agent-exec" in one.get("uses", "")]
    assert len(ours) == 2  # of a server, and of a client
    for one in ours:
        assert (ROOT / one["uses"].partition("@")[0].split("/", 2)[2]) == ACTION
        assert one["with"].keys() <= action()["inputs"].keys()


def test_the_commands_in_the_readme_are_ours() -> None:
    text = README
    commands = re.findall(r"hostup-conformance (run|judge|client|compare|explain)\b([^\n`|]*)", text)
    assert len(commands) > 10
    known = {
        *map(written, (*declared(), *declared(ClientOptions))),
        *re.findall(r'"(--[a-z-]+)"', Path(cli.__file__).read_text("utf-8")),
    }
    for command, rest in commands:
        given = set(re.findall(r"(?<!\S)--[a-z-]+", rest.partition(" -- ")[0]))
        assert given <= known, (command, rest)
