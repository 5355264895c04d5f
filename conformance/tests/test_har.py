"""Recorded traffic is judged by the same rules; what the suite records holds no key."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from faults import faults
from hostup_conformance.contract.judging import judge
from hostup_conformance.core.misconfigured import Misconfigured
from hostup_conformance.mock import API_KEY, READ_API_KEY
from hostup_conformance.sources import recording
from judging import run


@pytest.mark.parametrize(
    "name", ["available_is_text", "reading_is_enough_to_poll", "key_in_a_problem", "latin_1", "any_key_will_do"]
)
def test_a_recording_gets_the_verdict_of_the_run(tmp_path: Path, name: str) -> None:
    target, wire, _ = run(faults()[name].change)
    file = tmp_path / "run.har"
    recording.write(file, wire.exchanges, target)
    for key in (API_KEY, READ_API_KEY, API_KEY[:-1]):
        assert key not in file.read_text()
    exchanges, target, ignored = recording.read(file, target)
    assert ignored == sum(e.ask.resource == "other" for e in wire.exchanges)
    requirement = faults()[name].requirement
    if requirement != "SAFETY-01":  # the key is no longer there to be found
        assert judge(exchanges, target).results[requirement].status == "fail"


def test_the_recording_of_a_good_run_is_good(tmp_path: Path) -> None:
    target, wire, _ = run(None)
    recording.write(tmp_path / "run.har", wire.exchanges, target)
    verdict = judge(recording.read(tmp_path / "run.har", target)[0], target)
    assert verdict.name == "conformant"
    assert {id for id, r in verdict.results.items() if r.status in {"fail", "warn", "error"}} == set()


def entry(url: str, status: int = 200, text: str = '{"available":true}') -> dict[str, Any]:
    return {
        "startedDateTime": "2026-04-27T12:34:56.000Z",
        "time": 12,
        "request": {"method": "GET", "url": url, "headers": [{"name": ":authority", "value": "h"}]},
        "response": {
            "status": status,
            "headers": [{"name": "Content-Type", "value": "application/json"}],
            "content": {"text": text},
        },
    }


def test_other_endpoints_are_ignored_and_counted(tmp_path: Path) -> None:
    target, _, _ = run(None)
    urls = [
        "https://h/api/v2/vps/v/console",
        "https://h/",
        f"https://h/prefix/api/v2/vps/{target.vps}/agent/exec?pid=1",
    ]
    file = tmp_path / "browser.har"
    file.write_text(json.dumps({"log": {"entries": [entry(url) for url in urls]}}))
    exchanges, target, ignored = recording.read(file, target)
    assert ignored == 2
    assert [(e.ask.vps, e.ask.pid, e.ask.credential, e.status) for e in exchanges] == [("own", "unknown", "none", 200)]


def test_a_cancelled_request_has_no_answer(tmp_path: Path) -> None:
    target, _, _ = run(None)
    file = tmp_path / "browser.har"
    file.write_text(
        json.dumps({"log": {"entries": [entry(f"https://h/api/v2/vps/{target.vps}/agent/exec", status=0)]}})
    )
    assert recording.read(file, target)[0][0].response is None


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"log":{}}', '{"log":{"entries":[1]}}', "\xff", "[" * 100_000])
def test_what_is_no_har_is_named(tmp_path: Path, text: str) -> None:
    target, _, _ = run(None)
    file = tmp_path / "x.har"
    file.write_text(text, encoding="latin-1")
    with pytest.raises(Misconfigured, match=r"x\.har: no HAR 1\.2"):
        recording.read(file, target)
