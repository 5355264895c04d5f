"""Whole runs of pytest, as a user starts them: exit codes, reports, signals, and no key anywhere."""

import re
import socket
import sys
from pathlib import Path
from typing import Any

import pytest
from catalogue import first_of
from faults import FAULTS
from hostup_conformance.contract.server_verdict import server_requirements
from hostup_conformance.contract.target import altered_keys
from hostup_conformance.mock import API_KEY, READ_API_KEY, Mock
from running import hostup, ran, report_in, run, run_on
from stage import Request, Response, Stage


def test_without_arguments_the_mock_is_conformant(tmp_path: Path) -> None:
    """And no module of the suite is imported in a thread.

    Older Pythons cannot compile two modules for pytest at once, which the first run after an installation may do.
    """
    (tmp_path / "watch.py").write_text(
        "import sys, threading\n"
        "class Watch:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name.startswith('hostup') and threading.current_thread() is not threading.main_thread():\n"
        "            open('in_a_thread', 'a').write(name)\n"
        "sys.meta_path.insert(0, Watch())\n"
    )
    done = run(tmp_path, "-p", "watch", PYTHONPATH=str(tmp_path))
    assert done.returncode == 0, done.stdout
    assert not (tmp_path / "in_a_thread").exists()
    report = report_in(tmp_path)
    assert report["verdict"] == "conformant"
    assert report["target"]["kind"] == "mock"
    assert [entry["id"] for entry in report["requirements"]] == list(server_requirements())
    assert sum(report["summary"].values()) == len(server_requirements())
    assert report["requests"] == sum(report["methods"].values()) > 100
    assert (tmp_path / "report" / "junit.xml").read_text().count("<testcase") == len(server_requirements())
    assert "<html" in (tmp_path / "report" / "report.html").read_text()
    assert re.search(r"^conformant: the embedded mock \(", done.stdout, re.MULTILINE)


@pytest.mark.parametrize(
    ("arguments", "environ", "says"),
    first_of(
        (["--base-url", "http://127.0.0.1:9"], {}, "HOSTUP_API_KEY is not set; set it"),
        (["--base-url", "http://example.com"], Mock().environment(), "plain http"),
        (["--har", "none.har"], {}, "none.har: No such file"),
        (["--har", __file__], {}, "not HAR 1.2"),
        (["--base-url", ""], Mock().environment(), "--base-url is empty"),
        (["--base-url", "https://a..b"], Mock().environment(), "--base-url is not a URL"),
        (["--record", "/proc/x.har"], {}, "/proc/x.har cannot be written"),
        (["--report-dir", __file__], {}, "cannot be written"),
        (["--profile", "x"], {}, "--profile x"),
        (["--max-requests", "0"], {}, "--max-requests 0"),
        (["--waivers", "none.yaml"], {}, "--waivers none.yaml"),
        (["--waivers", "/dev/null"], {}, "give a list of {id: POLL-03, reason: why, expires: 2027-01-31}"),
    ),
)
def test_a_usage_error_names_a_remedy(tmp_path: Path, arguments: list[str], environ: dict[str, str], says: str) -> None:
    """A run that cannot start ends with exit code 4 and says what to do."""
    done = run(tmp_path, *arguments, **environ)
    assert done.returncode == 4
    assert says in done.stderr
    assert "Traceback" not in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("words", "reports"),
    first_of(
        (["run", "--har", "report/report.json"], ["report.json"]),
        (["judge", "report/report.json", "--client"], ["report.json"]),
        (["judge", "link"], ["report.json"]),
        (["run", "--waivers", "report/summary.md"], ["summary.md"]),
        (["judge", "in.har", "--record", "./in.har"], []),
        (["run", "--record", "report/junit.xml"], []),
        (["run", "http://127.0.0.1:9"], []),
        (["client", "--waivers", "none.yaml", "--", "true"], []),
        (["client", "--strict"], []),
    ),
)
def test_a_usage_error_leaves_inputs_and_no_verdict(tmp_path: Path, words: list[str], reports: list[str]) -> None:
    """Reports of an earlier run are not taken for those of this one, but what a run was to read is not removed."""
    (tmp_path / "report").mkdir()
    for name in ("report/report.json", "report/summary.md", "in.har"):
        (tmp_path / name).write_text("hostup-conformance, an earlier run")
    (tmp_path / "link").symlink_to("report/report.json")
    at = words.index("--") if "--" in words else len(words)
    arguments = [*words[:at], "--report-dir", "report", *words[at:]]
    done = hostup(tmp_path, *arguments)
    assert done.returncode == 4, done.stdout + done.stderr
    assert sorted(path.name for path in (tmp_path / "report").iterdir()) == reports
    assert (tmp_path / "in.har").read_text() == "hostup-conformance, an earlier run"
    assert ("would be replaced" in done.stderr) == (bool(reports) or "in.har" in words)


@pytest.mark.catalogue
def test_a_server_that_is_not_there_shows_nothing(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
        done = run(tmp_path, "--base-url", url, **Mock().environment())
    assert done.returncode == 1
    report = report_in(tmp_path)
    assert report["verdict"] == "not_demonstrated"
    assert report["summary"]["fail"] == 0
    lines = done.stdout.splitlines()
    at = next(number for number, line in enumerate(lines) if line.startswith("not_demonstrated: "))
    assert lines[at + 1].startswith("the endpoint was never seen to work: connection failed")
    assert lines[at + 2].startswith("judged 0 of ")
    assert "; " not in lines[at + 2]
    assert "check the base URL" in report["refused"]
    assert report["stopped"] == "the server does not accept connections"
    assert "Traceback" not in done.stdout + done.stderr


@pytest.mark.catalogue
def test_a_tls_failure_shows_nothing(tmp_path: Path) -> None:
    stage = Stage()
    with stage.serve() as url:
        done = run(tmp_path, "--base-url", url.replace("http:", "https:"), **stage.mock.environment())
    assert done.returncode == 1
    assert report_in(tmp_path)["verdict"] == "not_demonstrated"
    assert "TLS with the server failed" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr


@pytest.mark.parametrize("fault", first_of("key_in_a_header", "key_in_a_problem", "key_in_base64", "any_key_will_do"))
def test_a_failing_run_leaves_no_key(tmp_path: Path, fault: str) -> None:
    """No file and no line of output of a failing run contains a key."""
    done = run_on(Stage(FAULTS.named(fault).change), tmp_path, "-v", "--record", tmp_path / "run.har")
    assert done.returncode == 1, done.stdout
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert {"report.json", "report.html", "junit.xml", "run.har"} <= {path.name for path in files}
    texts = {path.name: path.read_text(errors="replace") for path in files}
    texts |= {"stdout": done.stdout, "stderr": done.stderr}
    for key in (API_KEY, READ_API_KEY, *altered_keys(API_KEY)):
        assert [name for name, text in texts.items() if key in text] == []


def test_nothing_is_sent_if_pytest_finds_no_such_file(tmp_path: Path) -> None:
    sent: list[str] = []
    done = run_on(Stage(lambda request, _: sent.append(request.path)), tmp_path, "nosuch.py")
    assert done.returncode == 4, done.stdout
    assert sent == []


@pytest.mark.catalogue
def test_strict_makes_a_warn_a_fail(tmp_path: Path) -> None:
    stage = Stage(FAULTS.named("no_challenge").change)
    assert run_on(stage, tmp_path).returncode == 0
    assert report_in(tmp_path)["summary"]["warn"] == 1
    assert run_on(stage, tmp_path, "--strict").returncode == 1


@pytest.mark.catalogue
def test_waivers(tmp_path: Path) -> None:
    stage = Stage(FAULTS.named("type_is_out_of_step").change)
    waivers = tmp_path / "waivers.yaml"

    def judged(expires: str, id: str = "PROBLEM-07") -> tuple[int, str]:
        waivers.write_text(f"- {{id: {id}, reason: known, expires: {expires}}}")
        done = run_on(stage, tmp_path, "--waivers", waivers)
        return done.returncode, next(e["status"] for e in report_in(tmp_path)["requirements"] if e["id"] == id)

    assert judged("2999-01-31") == (0, "observe")
    assert judged("2020-01-31") == (1, "fail")
    assert judged("2999-01-31", "AUTH-01") == (1, "fail")


@pytest.mark.catalogue
def test_a_path_prefix_is_part_of_the_address(tmp_path: Path) -> None:
    def move(request: Any, _response: Any) -> None:
        request.memory.setdefault("paths", set()).add(request.path.split("/api/")[0])

    stage = Stage(move)
    with stage.serve() as url:
        run(tmp_path, "--base-url", f"{url}/some/proxy/", "--max-requests", "3", **stage.mock.environment())
    assert stage.memory["paths"] == {"/some/proxy"}


def test_a_plan_sends_nothing(tmp_path: Path) -> None:
    stage = Stage(lambda request, _: request.memory.setdefault("asked", []).append(request))
    with stage.serve() as url:
        environment = stage.mock.environment()
        done = run(tmp_path, "--plan", "--live", "--base-url", url, **environment)
        starting = run(tmp_path, "--plan", "--allow-exec", "--base-url", url, **environment)
        of_one = run(tmp_path, "--plan", "-k", "PROBE-03", "--base-url", url, **environment)
        of_none = run(tmp_path, "--plan", "-k", "NONE-01", "--base-url", url, **environment)
    assert done.returncode == 0
    assert "start harmless commands" in starting.stdout
    noted = '{ echo exit_200 >> "${TMPDIR:-/tmp}/hostup-TOKEN".ran; } 2>&-'
    assert (
        f"$ : hostup-exit_200-TOKEN; {noted}; printf '{{\"out\": %s}}' 200; printf 'error of exit 200' >&2; exit 200\n"
        in starting.stdout
    )
    assert 0 < of_one.stdout.count("  GET  ") < done.stdout.count("  GET  ") / 2
    assert "generated by schemathesis" not in of_one.stdout
    assert "would send nothing" in of_none.stdout
    assert stage.memory == {}
    assert "Nothing was sent" in done.stdout
    assert "withheld" in done.stdout
    assert API_KEY not in done.stdout
    assert not (tmp_path / "report" / "report.json").exists()


@pytest.mark.catalogue
def test_pytest_xdist_has_nothing_to_distribute(tmp_path: Path) -> None:
    requests: list[Request] = []

    def change(request: Request, response: Response) -> None:
        requests.append(request)
        FAULTS.named("available_is_text").change(request, response)

    done = run_on(Stage(change), tmp_path, "-n", "2")
    assert done.returncode == 1, done.stdout
    report = report_in(tmp_path)
    assert [entry["id"] for entry in report["requirements"] if entry["status"] == "fail"] == ["PROBE-03"]
    assert report["requests"] == len(requests) > 100  # nobody else has sent anything


@pytest.mark.catalogue
def test_other_peoples_runs_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "test_mine.py").write_text("def test_mine() -> None: assert True")
    done = ran(tmp_path, [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "test_mine.py"])
    assert done.returncode == 0
    assert "conformance" not in done.stdout
    assert {path.name for path in tmp_path.iterdir()} - {"__pycache__"} == {"test_mine.py"}


@pytest.mark.catalogue
def test_a_recording_is_judged_and_nothing_is_sent(tmp_path: Path) -> None:
    assert run(tmp_path, "--record", tmp_path / "run.har").returncode == 0
    done = run(tmp_path, "--har", tmp_path / "run.har", **Mock().environment())
    assert done.returncode == 0, done.stdout
    report = report_in(tmp_path)
    assert report["target"]["kind"] == "har"
    assert "sending ended early" not in done.stdout
    run(tmp_path, "--har", tmp_path / "run.har")
    assert report_in(tmp_path)["summary"]["error"] == 0
