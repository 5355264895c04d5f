"""What surrounds a run changes neither its verdict nor its promises: the system, the terminal, folders, other files."""

import errno
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import pytest
from catalogue import first_of
from hostup_conformance.clients import examples
from hostup_conformance.clients.play import ClientCommand
from hostup_conformance.clients.rounds import RunControl, play_each
from hostup_conformance.clients.scenes import FIRST, SCENES
from hostup_conformance.contract.target import Target
from hostup_conformance.front import UNWRITTEN, cli
from hostup_conformance.front.preparation import check_outputs
from hostup_conformance.front.run import Run
from hostup_conformance.http.har import MOST_VALUES, read
from hostup_conformance.judging.waivers import read_waivers
from hostup_conformance.keeping.files import write_whole
from hostup_conformance.keeping.interruption import Interruption
from hostup_conformance.keeping.misconfigured import Misconfigured
from hostup_conformance.keeping.shortage import shortage
from hostup_conformance.sources import recording
from running import eventually, hostup, ran, report_in, run


def refuse(error: Exception) -> Callable[..., NoReturn]:
    def refused(*_: object, **__: object) -> NoReturn:
        raise error

    return refused


NO_THREAD = RuntimeError("can't start new thread")
NO_PROCESS = BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable")
NO_FILE = OSError(errno.EMFILE, "Too many open files")


@pytest.mark.parametrize(
    ("owner", "name", "error", "what"),
    [
        (threading.Thread, "start", NO_THREAD, "threads"),
        (subprocess, "Popen", NO_PROCESS, "processes"),
        (subprocess, "Popen", MemoryError(), "memory"),
        (subprocess, "Popen", NO_FILE, "open files"),
        (sys.modules["socket"], "socket", NO_FILE, "open files"),
    ],
)
def test_no_client_is_to_blame_for_what_the_system_lacks(
    monkeypatch: pytest.MonkeyPatch, owner: object, name: str, error: Exception, what: str
) -> None:
    stop = RunControl()
    with monkeypatch.context() as patched:
        patched.setattr(owner, name, refuse(error))
        played = play_each([(ClientCommand((sys.executable, "-c", "")), SCENES.named(FIRST))], stop)
    assert played == [[]]
    assert stop.reason
    assert stop.reason.startswith(f"the system has no more {what} for the run; raise its limit")


@pytest.mark.skipif(sys.platform != "linux", reason="the limit counts differently elsewhere")
def test_a_client_is_not_conformant_where_scenes_were_left_out(tmp_path: Path) -> None:
    """Whatever ended the run before every MUST was judged: here it is a limit of the system, set while it runs."""
    program = """
import sys
from resource import RLIMIT_NOFILE, setrlimit
from hostup_conformance.front import cli
cli.check_limits = lambda: setrlimit(RLIMIT_NOFILE, (28, 28))
sys.exit(cli.main())
"""
    client = str(Path(examples.__file__).with_name("client.py"))
    done = ran(
        tmp_path, [sys.executable, "-c", program, "client", "--report-dir", "report", "--", sys.executable, client]
    )
    report = report_in(tmp_path)
    assert report["stopped"].startswith("the system has no more open files"), done.stdout
    assert report["summary"]["pass"] > 5
    assert report["unjudged"]
    assert (done.returncode, report["verdict"]) == (1, "not_demonstrated")


@pytest.mark.skipif(sys.platform != "linux", reason="the limits count differently elsewhere")
@pytest.mark.parametrize(
    ("limit", "what"),
    first_of(
        ("-n 12", "allows 12 open files, and a run needs 64; raise its limit (ulimit -n 64)"),
        ("-v 307200", "bytes of memory, and a run needs 536870912; raise its limit (ulimit -v 524288)"),
    ),
)
@pytest.mark.parametrize(
    "words",
    [
        ("pytest", "--pyargs", "hostup_conformance"),
        ("hostup_conformance.front.cli", "run"),
        ("hostup_conformance.front.cli", "client", "--", "true"),
    ],
    ids=["pytest", "run", "client"],
)
def test_a_limit_that_is_too_low_is_told_first(tmp_path: Path, limit: str, what: str, words: tuple[str, ...]) -> None:
    done = ran(tmp_path, ["sh", "-c", f'ulimit {limit}; exec "$@"', "sh", sys.executable, "-m", *words])
    assert (done.returncode, done.stdout.count("Traceback") + done.stderr.count("Traceback")) == (4, 0)
    assert what in done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(sys.platform != "linux", reason="the limit counts differently elsewhere")
def test_certificates_that_cannot_be_removed_are_left(tmp_path: Path) -> None:
    """A client has taken the suite all files: it has the rights of its user."""
    program = """
import resource
from hostup_conformance.clients.certificates import certificates
certificates()
resource.setrlimit(resource.RLIMIT_NOFILE, (3, 3))
"""
    done = ran(tmp_path, [sys.executable, "-c", program], TMPDIR=str(tmp_path))
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.skipif(not hasattr(signal, "SIGCHLD"), reason="the system has no such signal")
def test_an_exit_code_is_seen_though_the_ends_of_processes_were_to_be_ignored(tmp_path: Path) -> None:
    program = """
import os, signal, sys
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
os.execv(sys.executable, [sys.executable, "-m", "hostup_conformance.front.cli", *sys.argv[1:]])
"""
    client = ("--", sys.executable, "-c", "raise SystemExit(7)")
    done = ran(tmp_path, [sys.executable, "-c", program, "client", "--scene", FIRST, *client])
    assert "it exited with 7" in done.stdout, done.stdout + done.stderr


def test_what_else_fails_is_no_shortage(monkeypatch: pytest.MonkeyPatch) -> None:
    assert shortage(RuntimeError("x")) is None
    assert shortage(OSError("x")) is None
    assert shortage(FileNotFoundError(errno.ENOENT, "x")) is None
    monkeypatch.setattr(subprocess, "Popen", refuse(RuntimeError("x")))
    with pytest.raises(RuntimeError, match="x"):
        play_each([(ClientCommand(("true",)), SCENES.named(FIRST))], RunControl())


@pytest.mark.parametrize("error", [NO_THREAD, NO_PROCESS, NO_FILE, MemoryError()])
def test_a_command_says_what_the_system_lacks(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], error: Exception
) -> None:
    monkeypatch.setattr(cli, "command", refuse(error))
    assert cli.main([]) == UNWRITTEN
    assert "the system has no more" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["begin", "send_all"])
def test_a_run_without_threads_says_so(tmp_path: Path, name: str) -> None:
    """It is no defect of the suite, which would be an error among the requirements."""
    plugin = f"""
import hostup_conformance.front.run as run
def no_thread(*_):
    raise RuntimeError("can't start new thread")
submit, calls = run.ThreadPoolExecutor.submit, []
def few(self, *given):
    calls.append(1)
    return no_thread() if len(calls) > {int(name == "send_all")} else submit(self, *given)
run.ThreadPoolExecutor.submit = few
"""
    (tmp_path / "few.py").write_text(plugin)
    done = run(tmp_path, "-p", "few")
    assert "Traceback" not in done.stdout + done.stderr
    report = report_in(tmp_path)
    assert report["stopped"].startswith("the system has no more threads")
    assert report["summary"]["error"] == 0
    assert hasattr(Run, name)


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="the system has no such signal")
def test_a_terminal_that_is_closed_interrupts_a_run_unless_it_is_to_go_on() -> None:
    before = signal.getsignal(signal.SIGHUP)
    try:
        interruption = Interruption()
        os.kill(os.getpid(), signal.SIGHUP)
        eventually(lambda: interruption.happened)
        interruption.close()
        signal.signal(signal.SIGHUP, signal.SIG_IGN)  # as nohup does
        interruption = Interruption()
        assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
        interruption.close()
    finally:
        signal.signal(signal.SIGHUP, before)


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_a_signal_before_a_run_begins_ends_the_process_in_plain_words(name: str, tmp_path: Path) -> None:
    words = f"""
import os, signal
from hostup_conformance.front import start
start.complaint = lambda: os.kill(os.getpid(), signal.{name})
start.main()
"""
    done = ran(tmp_path, [sys.executable, "-c", words])
    assert (done.returncode, done.stderr) == (2, "hostup-conformance: interrupted\n")


@pytest.mark.catalogue
@pytest.mark.parametrize(
    "environ",
    [
        {"COLUMNS": "9" * 9, "SCHEMATHESIS_HOOKS": "no_such_module", "PYTHONWARNINGS": "error"},
        {"COLUMNS": f"-{'9' * 20}", "PYTHONOPTIMIZE": "2", "HOME": "/dev/null", "TMPDIR": "/nowhere", "TZ": "nowhere"},
        {
            "PYTHONINTMAXSTRDIGITS": "640",
            "PYTEST_ADDOPTS": "'-n auto",
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
            "LC_ALL": "C",
            "PYTHONUTF8": "0",
            "PYTHONIOENCODING": "ascii",
        },
    ],
    ids=lambda environ: next(iter(environ)),
)
def test_the_environment_changes_no_verdict(tmp_path: Path, environ: dict[str, str]) -> None:
    (tmp_path / "schemathesis.toml").write_text("[[[")
    done = hostup(tmp_path, "run", "--report-dir", "report", **environ)
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(done.stdout) < 100_000
    assert report_in(tmp_path)["verdict"] == "conformant"


def test_a_system_without_a_folder_for_temporary_files_is_no_defect(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """As in a container whose file system can only be read."""

    def nowhere(*_: object) -> NoReturn:
        raise FileNotFoundError(errno.ENOENT, "No usable temporary directory found in ['/tmp']")

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(cli, "command", nowhere)
    assert cli.main(["run"]) == UNWRITTEN
    expected = "hostup-conformance: no folder for temporary files can be written to; set TMPDIR to one that can\n"
    assert capfd.readouterr().err == expected


LONG, DEEP = "x" * 5000, "a/" * 1500


@pytest.mark.parametrize(
    "arguments",
    first_of(
        ["run", "--report-dir", DEEP],
        ["run", "--report-dir", LONG],
        ["run", "--record", DEEP + "x"],
        ["run", "--record", LONG],
        ["judge", LONG],
        ["judge", LONG, "--client"],
        ["run", "--waivers", LONG],
        ["run", "http://127.0.0.1:9", "--ca-file", LONG],
        ["run", "http://127.0.0.1:9", "--client-cert", f"x:{LONG}"],
        ["client", "--report-dir", DEEP, "--", "true"],
        ["client", "--report-dir", LONG, "--", "true"],
        ["client", "--", LONG],
        ["compare", LONG, LONG],
    ),
)
def test_a_name_that_no_file_can_have_is_a_usage_error(tmp_path: Path, arguments: list[str]) -> None:
    done = hostup(tmp_path, *arguments, HOSTUP_API_KEY="a-key-of-the-user", HOSTUP_VPS_ID="vps_1")
    assert done.returncode == 4, done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr


def test_a_recording_replaces_no_file_that_is_none(tmp_path: Path) -> None:
    for name, text in (("theirs.har", '{"log": {"creator": {"name": "a browser"}}}'), ("notes.txt", "mine")):
        (tmp_path / name).write_text(text)
        with pytest.raises(Misconfigured, match="is no recording of the suite, and would be replaced"):
            check_outputs(tmp_path / "report", tmp_path / name, {})
        assert (tmp_path / name).read_text() == text
    recording.write(tmp_path / "ours.har", [], Target("http://127.0.0.1:1", "server", "a-key", "vps_1"))
    (tmp_path / "empty.har").touch()
    for name in ("ours.har", "empty.har", "new.har"):
        check_outputs(tmp_path / "report", tmp_path / name, {})


def test_too_many_folders_are_an_error_of_the_file(tmp_path: Path) -> None:
    with pytest.raises(OSError, match=r"too many folders|too long"):
        write_whole(tmp_path / DEEP / "x", [""])


def test_a_folder_that_has_gone_is_a_usage_error(tmp_path: Path) -> None:
    (tmp_path / "gone").mkdir()
    words = "import os; os.rmdir(os.getcwd()); from hostup_conformance.front import cli; raise SystemExit(cli.main())"
    for command in (
        ["run"],
        ["client", "--", "true"],
        ["judge", "x"],
        ["judge", "/x", "--client"],
        ["compare", "x", "y"],
    ):
        (tmp_path / "gone").mkdir(exist_ok=True)
        done = ran(tmp_path / "gone", [sys.executable, "-c", words, *command])
        assert done.returncode == 4, done.stderr
        assert "Traceback" not in done.stderr


#: YAML in which tags, numbers and references stand for more than is written.
BOMBS = {
    "base 60": "- {id: POLL-01, reason: x, expires: 1" + ":59" * 200_000 + "}",
    "base 60, with a fraction": "- {id: POLL-01, reason: x, expires: 1" + ":59" * 200_000 + ".5}",
    "base 16": f"- {{id: POLL-01, reason: x, expires: 0x{'f' * 800_000}}}",
    "merge keys": "a0: &a0 {k: v}\n" + "".join(
        f"a{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 9)}]}}\n" for n in range(1, 30)
    ),
    "references": "- &a0 [x]\n" + "".join(f"- &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 30)),
    "a reference to itself": "- &a {id: *a, reason: *a, expires: *a}",
    "binary": "- {id: POLL-01, reason: !!binary '####', expires: 2030-01-01x}",
    "code": "- !!python/object/apply:os.abort []",
    "depth": "[" * 500_000,
    "a name that stands twice": "- {id: POLL-01, id: POLL-02, reason: x, expires: 2030-01-01}",
    "a list for a name that stands twice": "- {? [id] : a, ? [id] : b}",
}  # fmt: skip


@pytest.mark.parametrize("text", BOMBS.values(), ids=BOMBS)
def test_waivers_are_texts_and_nothing_that_they_could_stand_for(tmp_path: Path, text: str) -> None:
    file = tmp_path / "waivers.yaml"
    file.write_text(text)
    began = time.process_time()
    with pytest.raises(Misconfigured):
        read_waivers(str(file))
    assert time.process_time() - began < 8  # some took a minute, or all memory


def test_an_entry_of_a_recording_may_not_be_a_bomb_for_its_schema(tmp_path: Path) -> None:
    file = tmp_path / "x.har"
    file.write_text('{"log": {"entries": [{"request": {"x": [' + "{}," * MOST_VALUES + "{}]}}]}}")
    with pytest.raises(Misconfigured, match="more than 50000 values"):
        read(file)


@pytest.mark.parametrize("time_taken", ["1e308", "-1e308", "NaN", "1e-320"])
def test_a_recording_may_say_any_time(tmp_path: Path, time_taken: str) -> None:
    file = tmp_path / "x.har"
    request = '{"method": "GET", "url": "http://h/x", "headers": []}'
    file.write_text(
        f'{{"log": {{"entries": [{{"startedDateTime": "9999-12-31T23:59:59Z", "time": {time_taken}, '
        f'"request": {request}}}]}}}}'
    )
    (entry,) = read(file).entries
    assert 0 <= entry.seconds < 1e10
