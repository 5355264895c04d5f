"""Wherever the suite itself fails, that is one error; all else is judged, and every report is written."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from catalogue import first_of
from faults import FAULTS
from hostup_conformance.clients import judging as client_judging
from hostup_conformance.contract import sending, server_verdict
from hostup_conformance.contract.target import Target
from hostup_conformance.front import NOT_CONFORMANT, client_run, record, reported_server, run
from hostup_conformance.front.options import ClientOptions
from hostup_conformance.front.run import Run
from hostup_conformance.http.wire import Wire
from hostup_conformance.judging import verdict
from hostup_conformance.judging.defects import SUITE
from hostup_conformance.keeping.interruption import Interruption
from hostup_conformance.reports import html
from hostup_conformance.reports.files import REPORTS
from hostup_conformance.reports.schema import complaint
from hostup_conformance.sources import recording
from judging import LIMITS
from judging import run as sent_to
from running import options_with, report_in
from running import run as run_whole

#: What explains a verdict, and makes the record of it.
RECORDING = [
    (server_verdict, "with_notes"),
    (sending, "with_started_commands"),
    (run, "root_causes"),
    *((record, name) for name in ("evidence", "headers_of", "redacted", "exchanges_in_short", "gist", "alike")),
    *((reported_server, name) for name in ("curl", "body_of", "stories")),
]
#: What judging takes besides the rules.
JUDGING = [
    *((server_verdict, name) for name in ("ban_in", "with_started_commands", "refusal_of_starts", "shows_core")),
    *((server_verdict, name) for name in ("refusal_of_core", "oracle", "not_shown")),
    *((run, name) for name in ("judge", "check_against_oracle", "apply_waivers")),
    (verdict, "unjudged"),
]


def breaks(*_: Any, **__: Any) -> Any:
    raise ValueError("a defect")


@pytest.fixture(scope="module")
def sent() -> tuple[Target, Wire[Any]]:
    """The exchanges of a run with a failure, a warning and what follows from them, which was cut for less to judge."""
    target, wire, _ = sent_to(FAULTS.named("available_is_text").change, replace(LIMITS, requests=80))
    return target, wire


@contextmanager
def unjudged(target: Target, wire: Wire[Any]) -> Iterator[Run]:
    """Give a run that has sent everything, and has judged nothing yet."""
    interruption = Interruption()
    made = Run(options_with(target.base_url), target, interruption, lambda target, _: target)
    recording.replay(made.wire, wire.exchanges)
    try:
        yield made
    finally:  # else one error would leave its handlers of signals to all that comes after
        made.wire.close()
        interruption.close()


@pytest.fixture
def finished(sent: tuple[Target, Wire[Any]]) -> Iterator[Run]:
    with unjudged(*sent) as made:
        yield made


@pytest.fixture(scope="module")
def expected(sent: tuple[Target, Wire[Any]]) -> dict[str, str]:
    """The statuses of that run if nothing fails."""
    with unjudged(*sent) as made:
        return statuses(made.final_record(interrupted=False))


def errors(report: dict[str, Any]) -> list[str]:
    return [entry["id"] for entry in report["requirements"] if entry["status"] == "error"]


def statuses(report: dict[str, Any]) -> dict[str, str]:
    return {entry["id"]: entry["status"] for entry in report["requirements"] if entry["id"] != SUITE.id}


def is_whole(report: dict[str, Any]) -> bool:
    """Whether a record has the form of report.json, and can be made into each report."""
    return complaint(report) is None and all(make(report) for make in REPORTS.values())


@pytest.mark.parametrize(("module", "name"), RECORDING)
def test_recording_may_fail(
    finished: Run, expected: dict[str, str], monkeypatch: pytest.MonkeyPatch, module: ModuleType, name: str
) -> None:
    monkeypatch.setattr(module, name, breaks)
    report = finished.final_record(interrupted=False)
    assert is_whole(report)
    assert errors(report) == [SUITE.id]
    assert "ValueError in breaks" in report["requirements"][-1]["message"]
    assert report["summary"]["error"] == 1
    assert report["verdict"] == "not_conformant"
    assert statuses(report) == expected


def test_how_far_a_run_is(finished: Run) -> None:
    assert re.fullmatch(rf"sending {len(finished.exchanges)} of about \d+, \d+ s, last .+", finished.how_far())


@pytest.mark.parametrize(("module", "name"), JUDGING)
def test_judging_may_fail(finished: Run, monkeypatch: pytest.MonkeyPatch, module: ModuleType, name: str) -> None:
    monkeypatch.setattr(module, name, breaks)
    report = finished.final_record(interrupted=False)
    assert is_whole(report)
    assert errors(report) == [SUITE.id]
    assert report["verdict"] != "conformant"


@pytest.mark.parametrize(
    ("module", "name"),
    [(client_run, "judge_client"), (client_run, "apply_waivers"), (client_run, "root_causes"),
     (client_judging, "was_seen")],
)  # fmt: skip
def test_a_client_is_reported_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, module: ModuleType, name: str
) -> None:
    monkeypatch.setattr(module, name, breaks)
    options = ClientOptions(("false",), "probe", ["well"], report_dir=tmp_path / "report")
    assert client_run.run(options) == NOT_CONFORMANT
    assert errors(report_in(tmp_path)) == [SUITE.id]


@pytest.mark.parametrize(
    ("place", "name"),
    first_of(
        ("contract.server_verdict", "refusal_of_core"),
        ("contract.server_verdict", "with_started_commands"),
        ("front.run", "root_causes"),
        ("front.record", "evidence"),
        ("sources.queue", "ban_in"),
        ("sources.generated", "safe_pid"),
        ("sources.follow_ups", "listing"),
    ),
)
def test_a_whole_run_survives(tmp_path: Path, place: str, name: str) -> None:
    """pytest shows the requirements as they were judged, and the exit code follows the verdict."""
    (tmp_path / "broken.py").write_text(
        f"import hostup_conformance.{place} as module\n"
        "def breaks(*_, **__): raise ValueError('a defect')\n"
        f"module.{name} = breaks\n"
    )
    done = run_whole(tmp_path, "-p", "broken")
    assert done.returncode == 1, done.stdout
    assert "Traceback" not in done.stdout
    assert "ValueError in breaks" in done.stdout
    assert all((tmp_path / "report" / name).is_file() for name in REPORTS)
    report = report_in(tmp_path)
    assert errors(report) == [SUITE.id]
    assert report["verdict"] == "not_demonstrated"
    assert report["summary"]["fail"] == 0


def test_a_report_that_cannot_be_made_costs_no_other(tmp_path: Path) -> None:
    (tmp_path / "broken.py").write_text(
        f"import {html.__name__} as module\ndef breaks(_): raise ValueError('a defect')\nmodule.mends = breaks\n"
    )
    done = run_whole(tmp_path, "-p", "broken", "-k", "PROBE-01")
    assert done.returncode == 3
    assert "report.html could not be made (ValueError in breaks" in done.stdout
    assert [name for name in REPORTS if not (tmp_path / "report" / name).exists()] == ["report.html"]
