"""Reports side by side, and the JSON Schema of report.json."""

import json
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import replace
from math import inf, nan
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from faults import FAULTS
from hostup_conformance.contract.server_verdict import judge, root_causes
from hostup_conformance.front import cli
from hostup_conformance.front.record import RunInfo, record_of
from hostup_conformance.front.reported_server import server
from hostup_conformance.reports import badge
from hostup_conformance.reports.compare import compare
from hostup_conformance.reports.schema import FORMAT, complaint, schema
from judging import LIMITS, run
from running import report_in
from running import run as run_suite


@pytest.fixture(scope="module")
def report() -> dict[str, Any]:
    """The report of a server with a fault."""
    target, wire, _ = run(FAULTS.named("available_is_text").change)
    verdict = judge(wire.exchanges, target, wire.stopped)
    return record_of(verdict, wire.exchanges, server(target), RunInfo(), root_causes)


@pytest.mark.parametrize("seconds", [inf, nan])
def test_times_of_a_recording_may_be_anything(seconds: float) -> None:
    target, wire, _ = run(None, replace(LIMITS, requests=5))
    wire.exchanges[1].seconds = seconds
    made = record_of(judge(wire.exchanges, target, None), wire.exchanges, server(target), RunInfo(), root_causes)
    assert len(made["exchanges"]) == len(wire.exchanges)
    json.dumps(made, allow_nan=False)


def changed(report: dict[str, Any], **statuses: str) -> dict[str, Any]:
    """Return a report in which requirements, _ for -, have other statuses."""
    copy = deepcopy(report)
    for entry in copy["requirements"]:
        entry["status"] = statuses.get(entry["id"].replace("-", "_"), entry["status"])
    return copy


def undocumented(value: Any, part: dict[str, Any], place: str = "") -> Iterator[str]:
    """Yield the members that a schema does not name."""
    if "$ref" in part:
        part = schema()["$defs"][part["$ref"].rpartition("/")[2]]
    if isinstance(value, list):
        for item in value:
            yield from undocumented(item, part["items"], f"{place}[]")
    if isinstance(value, dict) and "additionalProperties" not in part:
        for name, member in value.items():
            if name in part["properties"]:
                yield from undocumented(member, part["properties"][name], f"{place}/{name}")
            else:
                yield f"{place}/{name}"


def test_the_schema_describes_real_reports(report: dict[str, Any], tmp_path: Path) -> None:
    run_suite(tmp_path, "--max-requests", "20")
    for real in (report, report_in(tmp_path)):
        assert complaint(real) is None
        assert set(undocumented(real, schema())) == set()
    assert report["requirements"][0]["evidence"] or any(entry["evidence"] for entry in report["requirements"])
    assert schema()["properties"]["format"]["const"] == FORMAT


@pytest.mark.parametrize(
    ("before", "after", "kind"),
    [
        ("pass", "fail", "worse"), ("pass", "warn", "worse"), ("warn", "fail", "worse"), ("skip", "fail", "judged"),
        ("disabled", "warn", "judged"), ("pass", "error", "worse"), ("fail", "warn", "better"),
        ("warn", "pass", "better"), ("fail", "observe", "better"), ("skip", "pass", "judged"),
        ("fail", "skip", "unjudged"), ("pass", "disabled", "unjudged"),
        ("pass", "observe", None), ("skip", "disabled", None), ("fail", "error", None), ("fail", "fail", None),
    ],
)  # fmt: skip
def test_each_change_has_a_kind(report: dict[str, Any], before: str, after: str, kind: str | None) -> None:
    lines = compare(changed(report, POLL_01=before), changed(report, POLL_01=after)).lines
    assert [of_kind for of_kind, _ in lines] == ([kind] if kind else [])
    assert all(f"POLL-01 {before} \N{RIGHTWARDS ARROW} {after}  " in line for _, line in lines)


def test_new_and_gone_requirements(report: dict[str, Any]) -> None:
    old, new = deepcopy(report), deepcopy(report)
    assert compare(old, new).lines == []
    old["requirements"] = [entry for entry in old["requirements"] if entry["id"] != "POLL-02"]
    new["requirements"] = [entry for entry in new["requirements"] if entry["id"] != "POLL-03"]
    for entry in new["requirements"]:
        entry["status"] = "fail" if entry["id"] == "POLL-02" else entry["status"]
    comparison = compare(old, new)
    assert [(kind, line.split()[0]) for kind, line in comparison.lines] == [("new", "POLL-02"), ("gone", "POLL-03")]


@pytest.mark.parametrize(
    ("before", "after", "worse"),
    [
        ("conformant", "not_demonstrated", True),
        ("conformant", "not_conformant", True),
        ("not_conformant", "not_demonstrated", True),
        ("not_conformant", "conformant", False),
        ("conformant", "conformant", False),
    ],
)
def test_a_change_of_the_verdict(report: dict[str, Any], before: str, after: str, worse: bool) -> None:
    comparison = compare({**report, "verdict": before}, {**report, "verdict": after})
    assert comparison.is_worse == worse
    change = before if before == after else f"{before} \N{RIGHTWARDS ARROW} {after}"
    assert comparison.sum == f"{change}: nothing has changed"


def test_a_night_in_which_more_was_judged_is_not_red(report: dict[str, Any]) -> None:
    assert not compare(changed(report, POLL_01="skip"), changed(report, POLL_01="warn")).is_worse
    assert compare(changed(report, POLL_01="pass"), changed(report, POLL_01="warn")).is_worse


def test_the_command_compares_files(report: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    old, new = tmp_path / "old.json", tmp_path / "new.json"
    old.write_text(json.dumps(changed(report, POLL_01="pass")))
    new.write_text(json.dumps(changed(report, POLL_01="fail", PROBE_03="pass")))
    assert cli.main(["compare", str(old), str(new)]) == 1
    said = capsys.readouterr().out
    assert said.splitlines()[0] == "not_conformant: 1 worse, 1 better"
    assert cli.main(["compare", str(old), str(old)]) == 0
    assert capsys.readouterr().out.startswith("not_conformant: nothing has changed\n")
    assert cli.main(["compare", str(old), str(new), "--markdown"]) == 1
    said = capsys.readouterr().out
    assert said.startswith("## Worse: not conformant: 1 worse, 1 better\n")
    assert "| worse | `POLL-01 pass \N{RIGHTWARDS ARROW} fail" in said
    assert "| better | `PROBE-03 fail \N{RIGHTWARDS ARROW} pass" in said


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (None, "No such file"),
        ("no json", "it is not JSON"),
        ('{"format": 3, "verdict": ' + "[" * 900 + "]" * 900 + "}", "it is not JSON"),
        ('{"format": 3, "x": "\U0001f511' + "a" * (1 << 21) + '"}', "it is too large as text"),
        ("[1]", "it has no format"),
        ('{"format": 2}', "its format is 2, and this version reads 3; judge again"),
        ('{"format": 4}', "use the version of the suite that has written it"),
        ('{"format": 3}', "is a required property"),
    ],
)
def test_a_file_that_is_no_report(
    tmp_path: Path,
    text: str | None,
    says: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("hostup_conformance.reports.schema.LARGEST_FILE", 3 << 20)
    file = tmp_path / "report.json"
    if text is not None:
        file.write_text(text)
    assert cli.main(["compare", str(file), str(file)]) == 4
    assert says in capsys.readouterr().err


def test_a_client_is_not_compared_with_a_server(
    report: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    server_report, client_report = tmp_path / "server.json", tmp_path / "client.json"
    server_report.write_text(json.dumps(report))
    client_report.write_text(json.dumps({**report, "target": {**report["target"], "kind": "client"}}))
    assert cli.main(["compare", str(server_report), str(client_report)]) == 4
    assert "about a client" in capsys.readouterr().err


@pytest.mark.parametrize("verdict", ["conformant", "not_conformant", "not_demonstrated"])
def test_the_badge_says_verdict_version_and_date(report: dict[str, Any], verdict: str) -> None:
    text = badge.render({**report, "verdict": verdict, "started": "2026-11-27T07:00:00Z"})
    drawing = ElementTree.fromstring(text)  # noqa: S314 - it is our own
    said = [text.text for text in drawing.iter("{http://www.w3.org/2000/svg}text")]
    assert said == [f"guest-agent API {report['spec']['version']}", f"{verdict.replace('_', ' ')}, 2026-11-27"]


def test_an_outage_is_no_baseline(report: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "report.json"
    file.write_text(json.dumps({**report, "verdict": "not_demonstrated"}))
    assert cli.main(["compare", str(file), str(file)]) == 4
    assert "demonstrated nothing that could have become worse; give the last" in capsys.readouterr().err


def test_reports_about_other_requirements_are_not_compared(
    report: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole, part = tmp_path / "whole.json", tmp_path / "part.json"
    whole.write_text(json.dumps(report))
    part.write_text(json.dumps({**report, "only": ["POLL-01"]}))
    assert cli.main(["compare", str(whole), str(part)]) == 4
    assert "about some requirements alone" in capsys.readouterr().err
