"""The command hostup-conformance."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from catalogue import first_of
from hostup_conformance.clients.rules import client_rules
from hostup_conformance.contract.rules import rules
from hostup_conformance.contract.target import VARIABLES
from hostup_conformance.front import cli, explain
from hostup_conformance.front.options import ClientOptions, Options, declared, written
from hostup_conformance.http.limits import LIVE_REQUESTS, REQUESTS, Limits
from hostup_conformance.judging.ledger import requirements
from hostup_conformance.judging.waivers import read_waivers
from hostup_conformance.keeping.misconfigured import Misconfigured
from hostup_conformance.mock import API_KEY
from hostup_conformance.sources.commands import MOST_COMMANDS
from running import hostup

README = Path(__file__).parents[1] / "README.md"


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The arguments that pytest was given."""
    calls: list[list[str]] = []

    def record(arguments: list[str]) -> pytest.ExitCode:
        calls.append(arguments)
        return pytest.ExitCode.USAGE_ERROR

    monkeypatch.setattr(pytest, "main", record)
    return calls


def words(text: str) -> str:
    return " ".join(text.split())


def test_every_requirement_is_explained(capsys: pytest.CaptureFixture[str]) -> None:
    for id, requirement in requirements().items():
        assert cli.main(["explain", id]) == 0
        said = words(capsys.readouterr().out)
        rule = client_rules().get(id) or rules()[id]
        assert rule.doc, id
        of_ledger = (requirement.level, requirement.title, requirement.statement, requirement.source, requirement.why)
        for part in (id, *of_ledger, rule.doc, *requirement.needs):
            assert words(part) in said, id
        assert (f"fault category {requirement.wfc} of" in said) == (requirement.wfc is not None), id
        assert ("nothing to waive" in said) == (requirement.level == "OBSERVE"), id


def test_an_incomplete_waiver_gets_an_example(tmp_path: Path) -> None:
    file = tmp_path / "waivers.yaml"
    file.write_text("- {id: POLL-01, reason: why}\n", encoding="utf-8")
    with pytest.raises(Misconfigured, match=r"id, reason and expires, as in \{id: POLL-03, reason: why, expires: "):
        read_waivers(str(file))


def test_the_shown_waiver_is_one(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    cli.main(["explain", "POLL-01"])
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith(("    - id", "      "))]
    file = tmp_path / "waivers.yaml"
    file.write_text("\n".join(line for line in lines if not line.startswith(" " * 8)), encoding="utf-8")
    (waiver,) = read_waivers(str(file))
    assert waiver.id == "POLL-01"
    assert waiver.expires > datetime.now(UTC).date()


def test_lower_case_will_do(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["explain", "poll-01"]) == 0
    assert capsys.readouterr().out.startswith("POLL-01 (MUST)")


@pytest.mark.parametrize(
    ("id", "hint"),
    [
        ("POLL-99", "similar ids are POLL-"),
        ("POL-01", "similar ids are POLL-01"),
        ("poll1", "similar ids are POLL-"),
        ("x", "the areas are"),
    ],
)
def test_an_unknown_id_gets_a_hint(id: str, hint: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["explain", id]) == 4
    out, err = capsys.readouterr()
    assert out == ""
    assert f"there is no requirement {id}; {hint}" in err


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["client", "--qiuck", "--", "true"], "--qiuck; similar: --quick"),
        (["client", "--exmaple=go", "--", "true"], "--exmaple; similar: --example"),
        (["judge", "x.har", "--client", "--wavers=x"], "--wavers; similar: --waivers"),
        (["compare", "a", "b", "--markdwon"], "--markdwon; similar: --markdown"),
        (["explain", "--zzz"], "--zzz; --help lists all"),
    ],
)
def test_an_unknown_option_gets_a_hint(argv: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match=r"^4$"):
        cli.main(argv)
    assert f"there is no option {said}\n" in capsys.readouterr().err


def test_a_command_of_a_client_that_is_not_after_its_dashes_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match=r"^4$"):
        cli.main(["client", "node", "my-client.mjs"])
    assert "there is no use for node; give the client's command after --\n" in capsys.readouterr().err


def test_a_url_after_options_is_told(given: list[list[str]], capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["run", "--strict", "HTTP://127.0.0.1:1"]) == pytest.ExitCode.USAGE_ERROR
    assert "the URL stands after options; give it first" in capsys.readouterr().err
    assert given == []
    cli.main(["run", "--strict", "--base-url", "http://127.0.0.1:1"])
    assert len(given) == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    first_of(
        (["http://127.0.0.1:1", "--alow-exec"], "there is no option --alow-exec; similar: --allow-exec"),
        (["--bse-url=http://127.0.0.1:1"], "there is no option --bse-url; similar: --base-url"),
        (["--zzz"], "there is no option --zzz; --help lists all"),
        (["--rate", "5x"], "argument --rate: invalid float value: '5x'"),
        (["--max-wait"], "argument --max-wait: expected one argument"),
    ),
)
def test_pytest_does_not_answer_a_wrong_option_with_its_usage(tmp_path: Path, arguments: list[str], said: str) -> None:
    done = hostup(tmp_path, "run", *arguments)
    assert (done.returncode, done.stdout, done.stderr) == (4, "", f"ERROR: {said}\n\n")


def test_a_failure_shows_no_key(tmp_path: Path) -> None:
    """pytest opens this file before it knows any plugin, and raises what comes of it."""
    done = hostup(tmp_path, "run", "--plan", f"--debug=/proc/{API_KEY}", HOSTUP_API_KEY=API_KEY)
    assert (done.returncode, done.stdout) == (3, "")
    assert "the suite failed (FileNotFoundError in " in done.stderr
    assert API_KEY not in done.stderr
    assert "Traceback" not in done.stderr


def test_examples_come_from_the_kill_matrix(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    matrix = tmp_path / "kill_matrix.json"
    monkeypatch.setattr(explain, "KILL_MATRIX", matrix)
    assert explain.examples("POLL-01") == {}
    matrix.write_text("{}", encoding="utf-8")
    assert explain.examples("POLL-01") == {}
    matrix.write_text(
        json.dumps({"examples": {"POLL-01": {"bad": "GET /b\n\n200", "good": "GET /g"}}}), encoding="utf-8"
    )
    cli.main(["explain", "POLL-01"])
    out = capsys.readouterr().out
    assert "a good exchange:\n    GET /g\n\na bad exchange:\n    GET /b\n\n    200\n" in out


@pytest.mark.parametrize(
    ("argv", "passed"),
    [
        (["run"], []),
        (["run", "http://127.0.0.1:1/x"], ["--base-url=http://127.0.0.1:1/x"]),
        (["run", "--max-requests", "10"], ["--max-requests", "10"]),
        (
            ["run", "http://127.0.0.1:1", "--live", "-k", "POLL"],
            ["--base-url=http://127.0.0.1:1", "--live", "-k", "POLL"],
        ),
        (["judge", "traffic.har", "--strict"], ["--har=traffic.har", "--strict"]),
    ],
)
def test_pytest_gets_the_rest(argv: list[str], passed: list[str], given: list[list[str]]) -> None:
    assert cli.main(argv) == pytest.ExitCode.USAGE_ERROR
    assert given == [["--pyargs", "hostup_conformance", *cli.ALONE, *passed]]


def test_the_readme_names_options_variables_and_defaults() -> None:
    text, limits = words(README.read_text("utf-8")), Limits()
    assert [name for name in (*map(written, declared()), *VARIABLES.values()) if f"`{name}" not in text] == []
    assert [name for name in VARIABLES.values() if name not in cli.ENVIRONMENT] == []
    for said in (
        f"the default is {REQUESTS[False]}, or {REQUESTS[True]} with `--allow-exec`",
        f"for live servers {LIVE_REQUESTS[False]} and {LIVE_REQUESTS[True]} |",
        f"waits at most S seconds for rate limits (default: {limits.waiting_seconds:g})",
        f"sends for at most S seconds (default: {limits.run_seconds:g})",
        f"limits the time for one response (default: {limits.request_seconds:g})",
        f"starts at most {MOST_COMMANDS} harmless commands",
    ):
        assert said in text


@pytest.mark.parametrize("argv", [[], ["judge"], ["judge", "--strict"], ["nonsense"], ["client", "--does", "all"]])
def test_what_is_incomplete_is_refused(
    argv: list[str], given: list[list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(argv)
    assert ended.value.code == pytest.ExitCode.USAGE_ERROR
    assert "usage: hostup-conformance" in capsys.readouterr().err
    assert given == []


def test_without_an_id_all_requirements_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["explain"]) == 0
    listed = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in listed] == list(requirements())


@pytest.mark.parametrize(
    "argv", [["--help"], ["run", "--help"], ["judge", "-h"], ["client", "-h"], ["explain", "-h"], ["--version"]]
)
def test_help(argv: list[str], given: list[list[str]], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        cli.main(argv)
    out = capsys.readouterr().out
    assert out
    assert max(map(len, out.splitlines())) <= 120
    assert given == []


@pytest.mark.parametrize(("command", "options"), [("run", Options), ("client", ClientOptions)])
def test_help_shows_each_option(command: str, options: type, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        cli.main([command, "--help"])
    out = capsys.readouterr().out
    assert [name for one in declared(options) if (name := written(one)) not in out] == []
