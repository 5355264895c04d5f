"""The suite beside other people's plugins, options and conftest.py files, in scratch projects."""

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
from faults import FAULTS
from hostup_conformance.front import start
from hostup_conformance.keeping import missing
from running import hostup, ran, report_in
from stage import Stage

# Whole runs, or many cases of one kind: `make catalogue` runs them.
pytestmark = pytest.mark.catalogue

#: A plugin with options that the suite has too, as pytest-profiling, pytest-base-url and many a project have them.
CLAIMS = """
def pytest_addoption(parser):
    parser.addoption("--live", action="store_true")
    parser.getgroup("profiling").addoption("--profile", action="store_true")
"""
BASE_URL = """
def pytest_addoption(parser):
    parser.addini("base_url", help="")
    parser.addoption("--base-url", default=None)
"""
A_TEST = """
def test_options(pytestconfig):
    assert pytestconfig.getoption("live") and pytestconfig.getoption("profile")
"""
#: Stands in for pytest-timeout, and says what the markers of all items ask for.
LIMITING = """
def pytest_configure(config):
    config.pluginmanager.register(Limits(), "timeout")

class Limits:
    def pytest_sessionfinish(self, session):
        asked = {mark.args[0] for item in session.items for mark in item.iter_markers("timeout")}
        print("limited to", sorted(asked))
"""
#: Stands in for pytest-forked, which runs each item in a process of its own.
FORKING = """
import pytest

def pytest_addoption(parser):
    parser.addoption("--forked", action="store_true")

@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item):
    if item.config.getoption("forked"):
        pytest.exit("it would run elsewhere")
"""
#: Judges the mock five times in one process.
AGAIN = """
import gc, weakref
import pytest

sessions = []

class Watching:
    def pytest_sessionstart(self, session):
        sessions.append(weakref.ref(session))

for _ in range(5):
    pytest.main(["--pyargs", "hostup_conformance", "-q", "--max-requests", "1"], plugins=[Watching()])
gc.collect()
print(f"\\n{sum(each() is not None for each in sessions)} of {len(sessions)} sessions")
"""
SUITE = ("--pyargs", "hostup_conformance")


def pytest_in(folder: Path, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run pytest in a folder whose modules can be imported."""
    program = (sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *arguments)
    return ran(
        folder, program, **{"PYTHONPATH": os.pathsep.join([str(folder), os.environ.get("PYTHONPATH", "")]), **environ}
    )


def test_many_runs_in_one_process_keep_nothing_of_each_other(tmp_path: Path) -> None:
    """As where an editor runs them: what the last one has left goes when the next one begins, or the one after that."""
    done = ran(tmp_path, [sys.executable, "-c", AGAIN])
    assert done.stdout.splitlines()[-1] in {"1 of 5 sessions", "2 of 5 sessions"}


@pytest.mark.parametrize(
    "option",
    [
        *("--collect-only", "--setup-only", "--setup-plan", "--fixtures", "--fixtures-per-test"),
        *("--help", "--version", "--markers"),
    ],
)
def test_what_only_shows_something_sends_nothing(tmp_path: Path, option: str) -> None:
    """And the reports of an earlier run stay."""
    (tmp_path / "conformance-report").mkdir()
    report = tmp_path / "conformance-report" / "report.html"
    report.write_text("hostup-conformance, an earlier run")
    asked: list[str] = []
    stage = Stage(lambda request, _response: asked.append(request.method))
    with stage.serve() as url:
        done = pytest_in(tmp_path, *SUITE, "--base-url", url, option, **stage.given())
    assert (done.returncode, asked) == (0, []), done.stdout + done.stderr
    assert report.read_text() == "hostup-conformance, an earlier run"


@pytest.mark.parametrize(
    "arguments", [("-p", "forking", "--forked"), ("--doctest-modules",), ("-p", "no:junitxml", "-p", "no:doctest")]
)
def test_options_for_tests_change_no_run(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    (tmp_path / "forking.py").write_text(FORKING)
    done = pytest_in(tmp_path, *SUITE, "--report-dir", "report", *arguments)
    assert done.returncode == 0, done.stdout + done.stderr
    assert report_in(tmp_path)["verdict"] == "conformant"


@pytest.mark.parametrize("place", ["conftest.py", "claiming.py"])
def test_a_project_keeps_its_own_options(tmp_path: Path, place: str) -> None:
    (tmp_path / place).write_text(CLAIMS)
    (tmp_path / "test_mine.py").write_text(A_TEST)
    plugin = [] if place == "conftest.py" else ["-p", "claiming"]
    done = pytest_in(tmp_path, *plugin, "--live", "--profile", "test_mine.py")
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_value_does_not_ask_for_the_suite(tmp_path: Path) -> None:
    """An option's value that is the suite's name does not ask for the suite."""
    (tmp_path / "conftest.py").write_text(CLAIMS)
    (tmp_path / "test_mine.py").write_text(A_TEST)
    done = pytest_in(tmp_path, "--live", "--profile", "-k", "not hostup_conformance", "--ignore", "hostup_conformance")
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_options_of_the_suite_are_unknown_elsewhere(tmp_path: Path) -> None:
    (tmp_path / "test_mine.py").write_text("def test_mine(): pass")
    assert "--pyargs hostup_conformance" not in pytest_in(tmp_path, "--help").stdout
    assert pytest_in(tmp_path, "--base-url", "http://127.0.0.1:9", "test_mine.py").returncode == 4


@pytest.mark.parametrize(
    ("place", "plugin", "says"),
    [
        ("conftest.py", [], "leave that out (pytest --noconftest, or -p no:NAME), or run hostup-conformance run"),
        ("claiming.py", ["-p", "claiming"], "leave that out (pytest --noconftest, or -p no:NAME)"),
    ],
)
def test_a_name_that_is_claimed_twice_is_told(tmp_path: Path, place: str, plugin: list[str], says: str) -> None:
    (tmp_path / place).write_text(CLAIMS)
    done = pytest_in(tmp_path, *plugin, *SUITE, "--plan")
    assert done.returncode == 4
    assert says in done.stderr
    assert "--live is an option of hostup_conformance" in done.stderr
    assert "Traceback" not in done.stdout + done.stderr


def test_the_command_is_not_concerned_with_a_project(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text(CLAIMS)
    (tmp_path / "pytest.ini").write_text("[pytest]\naddopts = --no-such-option -k nothing\n")
    done = hostup(tmp_path, "run", "--plan", "-W", "error")
    assert "Nothing was sent" in done.stdout, done.stdout + done.stderr


#: What stands in the configuration of other people's tests, and would keep the suite's items from being found or run.
HABITS = """
[pytest]
addopts = --strict -W error --doctest-modules --import-mode=importlib -x --runxfail -n auto
python_files = *_tests.py
python_functions = check_*
norecursedirs = *
filterwarnings = error
"""


def test_a_projects_own_habits_change_no_verdict(tmp_path: Path) -> None:
    """pytest has a --strict of its own, so the suite's is asked for on the command line alone."""
    (tmp_path / "pytest.ini").write_text(HABITS)
    stage = Stage(FAULTS.named("no_challenge").change)
    with stage.serve() as url:
        given = (*SUITE, "--base-url", url, "--report-dir", "report")
        done = pytest_in(tmp_path, *given, **stage.mock.environment())
        assert done.returncode == 0, done.stdout + done.stderr
        assert report_in(tmp_path)["summary"]["warn"] == 1
        strict = {"PYTEST_ADDOPTS": "--strict", **stage.mock.environment()}
        assert pytest_in(tmp_path, *given, **strict).returncode == 1


def test_a_timeout_per_test_ends_no_run(tmp_path: Path) -> None:
    """As pytest-timeout sets it, which pytest knows by the name timeout."""
    (tmp_path / "limiting.py").write_text(LIMITING)
    done = pytest_in(tmp_path, *SUITE, "--max-requests", "20", "-p", "limiting")
    assert "limited to [0]" in done.stdout, done.stdout + done.stderr


def test_the_remedy_for_a_claimed_name_works(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text(CLAIMS)
    assert pytest_in(tmp_path, "--noconftest", *SUITE, "--plan").returncode == 0


@pytest.mark.parametrize(
    ("arguments", "environ", "ini"),
    [
        (["--pyargs", "hostup_conformance.front.test_requirements", "--plan"], {}, ""),
        ([str(Path(missing.__file__).parents[1] / "front"), "--plan"], {}, ""),
        (["--plan"], {"PYTEST_ADDOPTS": "--pyargs hostup_conformance"}, ""),
        (["--plan", "--report-dir", "."], {}, "addopts = --pyargs\ntestpaths = hostup_conformance"),
        (["-p", "hostup_conformance.front.plugin", *SUITE, "--plan"], {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}, ""),
    ],
)
def test_the_suite_is_asked_for_in_many_ways(
    tmp_path: Path, arguments: list[str], environ: dict[str, str], ini: str
) -> None:
    (tmp_path / "pytest.ini").write_text(f"[pytest]\n{ini}\n")
    done = pytest_in(tmp_path, *arguments, **environ)
    assert "Nothing was sent" in done.stdout, done.stdout + done.stderr


def test_the_base_url_may_stand_in_the_configuration(tmp_path: Path) -> None:
    (tmp_path / "pytest.ini").write_text("[pytest]\nbase_url = https://example.invalid\naddopts = --strict-config\n")
    done = pytest_in(tmp_path, *SUITE, "--plan", HOSTUP_API_KEY="a-key-of-some-length", HOSTUP_VPS_ID="vps_1")
    assert "send these to https://example.invalid" in done.stdout, done.stdout + done.stderr
    (tmp_path / "test_mine.py").write_text("def test_mine(): pass")
    assert pytest_in(tmp_path, "test_mine.py").returncode == 0


@pytest.mark.parametrize("name", ["HOSTUP_BASE_URL", "PYTEST_BASE_URL"])
def test_no_server_is_taken_from_the_environment(tmp_path: Path, name: str) -> None:
    done = pytest_in(tmp_path, *SUITE, "--plan", **{name: "https://example.invalid"})
    assert "send these to http://127.0.0.1:" in done.stdout


@pytest.mark.parametrize("early", [True, False])
def test_another_plugin_may_own_the_base_url(tmp_path: Path, *, early: bool) -> None:
    """As pytest-base-url does, whichever is loaded first."""
    (tmp_path / "base_url.py").write_text(BASE_URL)
    order = ["-p", "base_url", "-p", "hostup_conformance.front.plugin"]
    arguments = order if early else [*order[2:], *order[:2]]
    done = pytest_in(
        tmp_path, *arguments, *SUITE, "--plan", "--base-url", "https://example.invalid",
        PYTEST_DISABLE_PLUGIN_AUTOLOAD="1", HOSTUP_API_KEY="a-key-of-some-length", HOSTUP_VPS_ID="vps_1",
    )  # fmt: skip
    assert "send these to https://example.invalid" in done.stdout, done.stdout + done.stderr


def test_a_run_leaves_its_reports_and_nothing_else(tmp_path: Path) -> None:
    ran(tmp_path, [sys.executable, "-m", "pytest", *SUITE, "--max-requests", "20"])
    assert [path.name for path in tmp_path.iterdir()] == ["conformance-report"]


def test_a_plan_ends_without_a_word_about_tests(tmp_path: Path) -> None:
    done = pytest_in(tmp_path, *SUITE, "--plan")
    assert done.returncode == 0
    assert "no tests ran" not in done.stdout


def test_without_the_extra_the_command_names_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    found = find_spec
    monkeypatch.setattr(missing, "find_spec", lambda name: None if name in {"yaml", "respx"} else found(name))
    assert start.main() == 4
    assert "the suite needs pyyaml, respx" in (said := capsys.readouterr().err)
    assert "WHEEL_OR_CHECKOUT[conformance]" in said


@pytest.mark.parametrize("module", ["respx", "mock"])
def test_without_the_extra_what_is_imported_names_it(module: str, tmp_path: Path) -> None:
    hidden = "import sys; sys.modules['jsonschema_rs'] = sys.modules['uvicorn'] = sys.modules['starlette'] = None"
    code = f"{hidden}\nimport hostup_conformance.{module}"
    done = ran(tmp_path, [sys.executable, "-c", code])
    assert "ModuleNotFoundError: the suite needs " in done.stderr
    assert "WHEEL_OR_CHECKOUT[conformance]" in done.stderr
