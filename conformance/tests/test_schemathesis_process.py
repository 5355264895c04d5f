"""Schemathesis in a process of its own: what it answers, what becomes of a run if it does not, and what it is given."""

import base64
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hostup_conformance.contract import schemathesis_client
from hostup_conformance.contract.schemathesis_client import Schemathesis, Unanswered, environment
from running import report_in
from running import run as run_whole

#: The body of a 200 that violates the document.
WRONG = b'{"available": "yes"}'


@pytest.fixture(scope="module")
def asked() -> Iterator[Schemathesis]:
    """Share one, whose process is started again by whoever asks after an end: each start imports for half a second."""
    asked = Schemathesis()
    yield asked
    asked.end()


def note(asked: Schemathesis, body: bytes) -> object:
    """Return what schemathesis finds wrong with a 200 in JSON."""
    text, headers = base64.b64encode(body).decode(), [("Content-Type", "application/json")]
    return asked.ask("note", status=200, headers=headers, body=text, seconds=0.1)


def test_it_judges_a_response(asked: Schemathesis) -> None:
    assert note(asked, b'{"available": true}') is None
    assert note(asked, WRONG) == "Response violates schema"


@pytest.mark.catalogue
def test_what_it_makes_is_the_same_in_each_process(asked: Schemathesis) -> None:
    made = asked.ask("cases", most=4)
    asked.end()
    assert made == asked.ask("cases", most=4)
    assert [case["positive"] for case in made] == [True, False] * 4


def test_after_an_end_it_is_started_again(asked: Schemathesis) -> None:
    assert note(asked, WRONG)
    assert asked._process
    asked._process.kill()
    with pytest.raises(Unanswered, match="ended"):
        note(asked, WRONG)
    assert note(asked, WRONG)


def test_an_answer_is_not_waited_for_longer_than_allowed(asked: Schemathesis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schemathesis_client, "ANSWER_SECONDS", 0.0)
    with pytest.raises(Unanswered, match="longer than 0 s"):
        note(asked, WRONG)
    assert asked._process is None


def test_what_it_cannot_answer_is_told(asked: Schemathesis) -> None:
    with pytest.raises(Unanswered, match="AttributeError"):
        asked.ask("the time")
    assert note(asked, WRONG)


def test_it_obeys_no_project_and_gets_no_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither what lies in the working folder, nor what variables tell of a project's own tests."""
    (tmp_path / "schemathesis.toml").write_text("[[[")
    (tmp_path / "httpx.py").write_text("raise SystemExit")
    monkeypatch.chdir(tmp_path)
    for name, value in {
        "SCHEMATHESIS_HOOKS": "no_such_module",
        "PYTHONWARNINGS": "error",
        "PYTHONIOENCODING": "utf-16",
        "HOSTUP_API_KEY": "k",
    }.items():
        monkeypatch.setenv(name, value)
    asked = Schemathesis()
    assert note(asked, WRONG)
    asked.end()
    assert "HOSTUP_API_KEY" not in environment()


def test_a_run_imports_it_in_no_other_process() -> None:
    """It takes longer to import than all of the suite."""
    names = "{'schemathesis', 'hypothesis'} & set(sys.modules)"
    imports = "import sys, hostup_conformance.front.session, hostup_conformance.front.test_generated"
    done = subprocess.run(
        [sys.executable, "-c", f"{imports}; print({names})"], capture_output=True, text=True, check=True
    )
    assert done.stdout == "set()\n"


@pytest.mark.catalogue
def test_a_run_without_it_says_so(tmp_path: Path) -> None:
    """What the rules found stands; what was not generated is an error of the suite."""
    (tmp_path / "broken.py").write_text(
        f"import {schemathesis_client.__name__} as module\nmodule.MODULE = 'no.such.module'\n"
    )
    done = run_whole(tmp_path, "-p", "broken")
    assert done.returncode == 1, done.stdout
    assert "Traceback" not in done.stdout
    report = report_in(tmp_path)
    assert report["summary"]["fail"] == 0
    assert report["summary"]["error"] > 0
    assert "the process of schemathesis ended" in done.stdout
