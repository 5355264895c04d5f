"""What a run says in the terminal, in summary.md and to GitHub Actions: the most urgent first, and safely."""

import subprocess
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from demo import Lines
from hostup_conformance.front.record import ranges
from hostup_conformance.reports import figures, junit, summary, terminal
from hostup_conformance.reports.terminal import command_lines
from test_report_html import a_report

CURL = """curl -i -H 'Accept: application/json' -H 'Authorization: Bearer '"$HOSTUP_API_KEY" 'http://127.0.0.1:1/a?b=it'"'"'s'"""

NOTE = "the run's own command; start it again"


def printed(report: dict[str, Any], width: int | None) -> list[str]:
    terminal.print_summary(lines := Lines(), report, Path("none"), width)
    return lines.kept


def a_long_report() -> dict[str, Any]:
    """A report with long messages, and an ordinary command line in each evidence."""
    report = a_report()
    for entry in report["requirements"]:
        entry["message"] = entry["message"] and "expected " + "a word or two, and then some more " * 5
        for item in entry["evidence"]:
            item["curl"], item["note"] = CURL, NOTE
    return report


def test_elsewhere_each_requirement_has_one_line() -> None:
    lines = [line for line in printed(a_long_report(), None) if line.startswith(("fail", "warn"))]
    assert [line.split()[:2] for line in lines] == [["fail", "POLL-01"], ["fail", "POLL-02"], ["warn", "PROBE-06"]]
    assert all(line.endswith(f" | {CURL}") for line in lines)


def test_on_a_terminal_no_line_breaks_within_a_word() -> None:
    report = a_long_report()
    lines = printed(report, 80)
    assert max(map(len, lines)) <= 80 or max(lines, key=len).strip().count(" ") == 0
    words = " ".join(lines).split()
    assert [word for word in report["requirements"][11]["message"].split() if word not in words] == []


def shell_words(text: str) -> bytes:
    """The words of a command line, as a shell has them."""
    script = f'curl() {{ printf "<%s>" "$@"; }}; {text}'
    environment = {"HOSTUP_API_KEY": "k"}
    return subprocess.run(["bash", "-c", script], capture_output=True, env=environment, check=True).stdout


@pytest.mark.parametrize("width", [20, 40, 60, 80, 200])
def test_a_command_over_several_lines_is_one_to_a_shell(width: int) -> None:
    lines = command_lines(CURL, width, "   ")
    said = [shell_words(text) for text in ("\n".join(lines), CURL)]
    assert said[0] == said[1]
    assert len(lines) > 1 or width > len(CURL)


def test_what_to_know_of_a_command_stands_before_it_and_not_in_it() -> None:
    report = a_long_report()
    lines = printed(report, 400) + printed(report, None)
    for text in ("\n".join(lines), summary.render(report), junit.render(report)):
        assert text.index(NOTE) < text.index(CURL)
        assert not [line for line in text.splitlines() if NOTE in line.partition(CURL)[2]]


def test_the_summary_has_the_request_and_what_was_not_judged() -> None:
    report = a_long_report()
    text = summary.render(report)
    assert text.index("**fail POLL-01**") < text.index("**fail POLL-02**") < text.index("**warn PROBE-06**")
    assert f"  ```sh\n  {CURL}\n  ```" in text
    assert "<summary>2 requirements not judged</summary>" in text


def test_no_server_ends_a_block_of_the_summary() -> None:
    report = a_report()
    for entry in report["requirements"]:
        for item in entry["evidence"]:
            item["curl"] = "curl '```` </details> '"
    text = summary.render(report)
    assert "  `````sh\n  curl '```` </details> '\n  `````" in text


def test_github_is_told_the_most_urgent() -> None:
    report = a_long_report()
    lines = list(terminal.annotations_for(report, {"GITHUB_ACTIONS": "true"}))
    assert [line.partition(" title=")[0] for line in lines] == ["::error", "::error", "::warning"]
    assert list(terminal.annotations_for(report, {})) == []


@pytest.mark.parametrize("text", ["100% of\n::error::mine", "a,b:c\r\n##[command]", "\u2028::set-output name=x::y"])
def test_a_message_is_no_command_of_its_own(text: str) -> None:
    report = a_report()
    for entry in report["requirements"]:
        entry["message"], entry["title"] = text, text
    for line in terminal.annotations_for(report, {"GITHUB_ACTIONS": "true"}):
        assert len(line.splitlines()) == 1
        assert "%" not in line.replace("%25", "").replace("%3A", "").replace("%2C", "")
        title = line.partition(" title=")[2].partition("::")[0]
        assert ":" not in title
        assert "," not in title


def test_each_case_of_junit_has_its_share_of_the_time() -> None:
    report = a_report()
    for entry in report["requirements"]:
        entry["judged_on"] = ""
    report["requirements"][0]["judged_on"], report["requirements"][1]["judged_on"] = "1-2", "2"
    cases = list(ElementTree.fromstring(junit.render(report)).iter("testcase"))  # noqa: S314 - it is our own
    assert [case.get("time") for case in cases[:3]] == ["0.0150", "0.0050", "0.0000"]
    assert cases[0].get("name") == f"{report['requirements'][0]['id']} {report['requirements'][0]['title']}"


@pytest.mark.parametrize(
    ("numbers", "text"), [([], ""), ([7], "7"), ([3, 1, 2, 2], "1-3"), ([1, 2, 9, 11, 12], "1-2, 9, 11-12")]
)
def test_numbers_stand_as_ranges(numbers: list[int], text: str) -> None:
    assert ranges(numbers) == text
    assert list(figures.numbers(text)) == sorted(set(numbers))
