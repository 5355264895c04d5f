"""A run about some requirements sends what judges them and what that needs, and is about them alone."""

from pathlib import Path

import pytest
from catalogue import every
from faults import FAULTS, Fault
from hostup_conformance.contract.server_verdict import server_requirements
from hostup_conformance.contract.target import Target
from hostup_conformance.mock import Mock
from hostup_conformance.sources import commands
from hostup_conformance.sources.requests import EVERYTHING
from judging import IMPATIENT, LIMITS, result_on, selected
from running import report_in, run, run_on
from stage import Stage
from test_faults import FIRST, IN_A_WHOLE_RUN, assert_noticed
from test_root_causes import CAUSES

#: Those that are tried in no whole run.
APART = {name: fault for name, fault in FAULTS.all().items() if name not in {*IN_A_WHOLE_RUN, *FIRST, *CAUSES}}
#: One of each requirement: of those if it has any. `test_further_faults.py` tries the others.
LAST = {
    **{fault.requirement: name for name, fault in FAULTS.all().items() if name not in IN_A_WHOLE_RUN},
    **{fault.requirement: name for name, fault in APART.items()},
}


@pytest.mark.parametrize("fault", every(40, ((n, f) for n, f in FAULTS.all().items() if n in LAST.values())))
def test_what_is_sent_for_a_requirement_shows_its_fault(fault: Fault) -> None:
    assert_noticed_alone(fault)


def assert_noticed_alone(fault: Fault) -> None:
    stage, limits = Stage(fault.change), IMPATIENT if fault.hangs else LIMITS
    assert_noticed(result_on(stage, fault.requirement, limits, allow_exec=fault.starts), stage)


def test_few_requests_judge_one_requirement() -> None:
    few = selected("POLL-02", allow_exec=False)
    assert few.purposes
    assert len(few.purposes) < 20
    assert not few.with_follow_ups
    probes = selected("PROBE-03", allow_exec=True)
    assert not probes.with_commands


def test_what_the_mock_does_not_show_is_looked_for_everywhere() -> None:
    assert selected("POLL-14", allow_exec=False) == EVERYTHING


@pytest.mark.parametrize(
    ("chosen", "code", "verdict"), [("PROBE-01", 0, "conformant"), ("PROBE-03", 1, "not_conformant")]
)
def test_the_verdict_is_about_what_was_asked_for(tmp_path: Path, chosen: str, code: int, verdict: str) -> None:
    done = run_on(Stage(FAULTS.named("vm_running_is_a_power_state").change), tmp_path, "-k", chosen)
    report = report_in(tmp_path)
    assert done.returncode == code, done.stdout
    assert (report["verdict"], report["only"]) == (verdict, [chosen])
    assert [entry["id"] for entry in report["requirements"]] == [chosen]
    assert report["requests"] < 60
    assert f"{verdict} ({chosen} alone): " in done.stdout
    for name in ("report.html", "summary.md", "badge.svg"):
        assert f"({chosen} alone)" in (tmp_path / "report" / name).read_text()


def test_what_could_not_be_judged_is_not_demonstrated(tmp_path: Path) -> None:
    done = run(tmp_path, "-k", "POLL-14")
    assert done.returncode == 1
    assert report_in(tmp_path)["verdict"] == "not_demonstrated"
    assert "nothing that was asked for could be judged" in done.stdout


def test_a_choice_of_nothing_is_not_demonstrated(tmp_path: Path) -> None:
    done = run(tmp_path, "-k", "NONE-01")
    assert done.returncode == 1
    report = report_in(tmp_path)
    assert (report["verdict"], report["requests"]) == ("not_demonstrated", 0)
    assert report["stopped"].startswith("pytest ran no test of a requirement")


def test_every_selection_has_what_shows_the_core() -> None:
    """Whether the endpoint works at all is part of each verdict."""
    target = Target.from_environment("http://127.0.0.1:1", Mock().environment(), kind="mock")
    steps = commands.script(target)
    for id in list(server_requirements())[::20]:
        only = selected(id, allow_exec=False)
        assert [step.purpose for step in only.of(steps)][:2] == [step.purpose for step in steps][:2]
