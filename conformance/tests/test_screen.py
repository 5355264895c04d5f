"""What is printed holds no key and no command for a CI system, whoever prints it and whatever becomes of the output."""

import ast
import io
import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest
from catalogue import first_of
from hostup_conformance.contract.target import Target
from hostup_conformance.front.record import redacted
from hostup_conformance.front.run import Run
from hostup_conformance.front.session import LONGEST_TOLD, Conformance
from hostup_conformance.http import credentials, har
from hostup_conformance.http.messages import Request, Response
from hostup_conformance.keeping import screen
from hostup_conformance.keeping.safe_text import on_one_line, spelt_out, unchanged
from hostup_conformance.keeping.screen import Guarded, Relay, Secrets
from hostup_conformance.mock import API_KEY, VPS_ID
from hostup_conformance.reports.files import REPORTS
from hostup_conformance.reports.schema import FORMAT
from recordings import entry, recorded
from running import KEPT, hostup, ran, run, run_on
from stage import Stage

KEY = "zq7VxK2mZf8Lw3Tn"
PACKAGE = Path(screen.__file__).parents[1]
#: What CI systems act on; each stands at the beginning of a line, or anywhere in one.
COMMANDS = ["::error::x", "  ::set-output name=x::y", "##[error]x", "##vso[task.complete]", "##teamcity[x]", "##VSO[x]"]
LINE_ENDS = ["\n", "\r\n", "\r", "\x0b", "\x0c", "\x1c", "\x85", "\u2028", "\u2029"]


def commands_in(text: str) -> list[str]:
    """Return the lines of a text on which a CI system would act, whatever it takes for the end of a line."""
    low = text.lower()
    return [
        line
        for line in low.splitlines()
        if line.lstrip().startswith("::") or any(mark in line for mark in ("##[", "##vso[", "##teamcity["))
    ]


@pytest.mark.parametrize("end", ["", *LINE_ENDS])
def test_no_text_holds_a_command_for_a_ci_system(end: str) -> None:
    for command in COMMANDS:
        text = f"{'before' if end else ''}{end}{command}"
        assert commands_in(text) or end in {"\x1c", ""}, text
        for safe in (spelt_out(text), on_one_line(text)):
            assert commands_in(safe) == []
            assert "\r" not in safe
        assert len(on_one_line(text).splitlines()) == 1, text


@pytest.mark.parametrize("name", ["message", "got", "stopped", "purpose", "request", "failure", "body", "curl"])
def test_no_member_of_a_record_holds_a_command(name: str) -> None:
    for command in COMMANDS:
        for text in (command, f"a\n{command}", f"\r{command}"):
            assert commands_in(redacted({name: text}, unchanged)[name]) == []
            ((member, value),) = redacted({name: {text: text}}, unchanged)[name].items()
            assert commands_in(member) == commands_in(value) == []


def test_ordinary_text_stays_as_it_is() -> None:
    for text in ("a::b", "std::vector", "## heading", "#", "[::1]:80", "a # b", "::", ": :x"):
        assert on_one_line(text) == text


@pytest.mark.parametrize(
    "arguments",
    first_of(
        ["--base-url", "http://127.0.0.1:9", "--header", f"X-Api-Key: {KEY}"],
        ["--base-url", f"http://127.0.0.1:9/?api_key={KEY}"],
        ["--base-url", f"http://{KEY}@127.0.0.1:9"],
        ["--profile", KEY],
        ["--waivers", KEY],
        ["--har", f"{KEY}.har"],
        ["--base-url", "http://127.0.0.1:9", "--ca-file", KEY],
        ["--base-url", "http://127.0.0.1:9", "--client-cert", KEY],
        ["--app", f"{KEY}:app"],
        ["--report-dir", f"/proc/{KEY}"],
        ["--record", f"/proc/{KEY}"],
        ["--base-url", "http://127.0.0.1:9", f"--allow-exec={KEY}", "--live"],
        [f"--unknown={KEY}"],
        [f"--{KEY}"],
        ["--rate", KEY],
        ["--max-requests", KEY],
        [f"--backend={KEY}"],
        ["-m", f"not {KEY} ("],
        ["-n", KEY],
    ),
)
def test_no_usage_error_shows_a_key(tmp_path: Path, arguments: list[str]) -> None:
    environ = {"HOSTUP_API_KEY": KEY, "HOSTUP_VPS_ID": "vps_1"}
    done = run(tmp_path, *arguments, **environ)
    assert done.returncode != 0
    assert KEY not in done.stdout + done.stderr
    assert done.stderr.strip()


@pytest.mark.parametrize("option", first_of("-p", "-c", "-o", "-W", "--rootdir", "--confcutdir", "--color"))
def test_pytest_complains_of_its_own_options_before_it_loads_a_plugin(tmp_path: Path, option: str) -> None:
    """Only the command, which is there before pytest, can keep a key out of that; the README says so."""
    program = "import pytest, sys; pytest.main(sys.argv[1:]); print(sorted(sys.modules))"
    command = [sys.executable, "-c", program, option, KEY, "--pyargs", "hostup_conformance"]
    done = ran(tmp_path, command, HOSTUP_API_KEY=KEY)
    assert KEY in done.stderr
    assert "'_pytest.config'" in done.stdout
    assert "hostup_conformance" not in done.stdout
    done = hostup(tmp_path, "run", option, KEY, HOSTUP_API_KEY=KEY)
    assert done.returncode != 0
    assert KEY not in done.stdout + done.stderr


@pytest.mark.parametrize("name", first_of("HOSTUP_FINISHED_PID", "HOSTUP_RUNNING_PID", "HOSTUP_UNAVAILABLE_VPS_ID"))
def test_no_complaint_of_a_variable_shows_a_key(tmp_path: Path, name: str) -> None:
    environ = {"HOSTUP_API_KEY": KEY, "HOSTUP_VPS_ID": "vps_1", name: f"'{KEY}'"}
    done = run(tmp_path, "--base-url", "http://127.0.0.1:9", **environ)
    assert done.returncode == 4
    assert KEY not in done.stdout + done.stderr


@pytest.mark.parametrize(
    "arguments",
    first_of(
        ["explain", KEY],
        ["compare", KEY, KEY],
        ["judge", KEY, "--client"],
        ["judge", KEY, "--client", f"--{KEY}"],
        ["client", "--scene", KEY, "--", "true"],
        ["client", "--waivers", KEY, "--", "true"],
        ["client", "--does", KEY],
        ["client", "--", KEY],
        [KEY],
    ),
)
def test_no_command_shows_a_key_in_its_complaint(tmp_path: Path, arguments: list[str]) -> None:
    done = hostup(tmp_path, *arguments, HOSTUP_API_KEY=KEY)
    assert done.returncode == 4
    assert KEY not in done.stdout + done.stderr


def test_a_client_that_is_given_the_key_or_prints_it_shows_none(tmp_path: Path) -> None:
    """Neither the words of its command nor what it finds in the environment of the suite."""
    parent = "import os; print(open(f'/proc/{os.getppid()}/environ').read())"
    words = ["client", "--scene", "well", "--", sys.executable, "-c", f"{parent}  # {KEY}"]
    # The system tells with which environment a process began.
    command = (sys.executable, "-m", "hostup_conformance.front.cli", *words)
    done = ran(tmp_path, command, HOSTUP_API_KEY=KEY, HOSTUP_HEADER_X=KEY[::-1])
    shown = (
        done.stdout + done.stderr + "".join(file.read_text() for file in (tmp_path / "conformance-report").iterdir())
    )
    assert done.returncode == 1
    assert KEY not in shown
    assert KEY[::-1] not in shown
    assert "HOSTUP_API_KEY=" in shown


SOMEBODY = {"Authorization": "Bearer of-somebody"}
EXEC = "https://h.example/api/v2/vps/vps_1/agent/exec"
#: Credentials under names that nobody has told the suite.
FIELDS = {
    **dict.fromkeys(("X-Auth-Key", "Private-Token", "X-Amz-Security-Token", "csrftoken"), KEY),
    "Ocp-Apim-Subscription-Key": KEY,
    "Cookie": f"hostup_session={KEY}; short=abcdefg",
    "Proxy-Authorization": f"Basic {KEY}",
    "Referer": f"https://h.example/?access_token={KEY}",
}
QUERY = "&".join(
    f"{name}={KEY}"
    for name in ("?api_key", "pid=1;token", "access_token", "X-Amz-Signature", "%61pi_key", "auth[token]")
)


@pytest.mark.parametrize("arguments", [["judge", "x.har"], ["judge", "x.har", "--client"]], ids=["server", "client"])
def test_credentials_of_others_are_shown_as_their_lengths(tmp_path: Path, arguments: list[str]) -> None:
    given = {"Set-Cookie": f"other={KEY[::-1]}; Path=/", "X-Auth-Key": "12345"}
    one = entry(f"{EXEC}{QUERY}", 500, f'{{"detail": "{KEY}"}}', sent={**SOMEBODY, **FIELDS}, got=given)
    recorded(tmp_path / "x.har", [one, {**one, "startedDateTime": "2026-04-27T12:34:57.000Z"}])
    done = hostup(tmp_path, *arguments, "--report-dir", "report")
    shown = done.stdout + done.stderr + "".join((tmp_path / "report" / name).read_text() for name in REPORTS)
    assert done.returncode in {0, 1}, shown
    assert "[16 characters]" in shown
    for secret in (KEY, KEY[::-1], "abcdefg", "12345", "of-somebody"):
        assert secret not in shown


def test_what_nobody_knows_to_be_harmless_is_shown_as_its_length() -> None:
    """No list of names is complete, so it is that of what is shown."""
    target = f"/api?pid=4242&PID[]=42;of-nobody-knows-what={KEY}&short=1&key=1&pid"
    fields = (("Accept", "application/json"), ("X-Of-Nobody-Knows-What", KEY), ("X-Short", "1"), ("X-Key", "1"))
    shown = credentials.without_credentials(Request("GET", target, fields), {"pid"})
    assert shown.target == "/api?pid=4242&PID[]=42;of-nobody-knows-what=[16 characters]&short=1&key=[1 character]&pid"
    assert shown.headers == (
        ("Accept", "application/json"),
        ("X-Of-Nobody-Knows-What", "[16 characters]"),
        ("X-Short", "1"),
        ("X-Key", "[1 character]"),
    )


@pytest.mark.parametrize(
    ("body", "found"),
    [
        (b'{"access_token": "abcdefgh", "code": "not_found", "inner": [{"userPassword": "ijklmnop"}]}', True),
        (b"client_secret=abcdefgh&state=1&passphrase=ijkl%6dnop", True),
        (b'{"type": "abcdefgh", "detail": "ijklmnop", "requestId": "req_12345678", "token": 12345678}', False),
        (b"\xff\xfe", False),
        (b"[" * 5000, False),
    ],
)
def test_members_are_credentials_by_name(body: bytes, found: bool) -> None:
    values = {value for name, value in credentials.members(body) if credentials.is_credential(name)}
    assert values == ({"abcdefgh", "ijklmnop"} if found else set())


@pytest.mark.parametrize(
    "text",
    [
        "<https://h.example/?a=1&access_token=%s>; rel=next", "report-uri https://h.example/?api_key=%s", "token: %s\n",
        "https://h.example/cb?code=%s&x=1", "https://h.example/cb#id_token=%s", 'x; filename="y?sig=%s"', "/a;token=%s",
        "https://h.example/?state=1&ticket=%s", r'{"a": "{\"token\": \"%s\"}"}', "<x><token>%s</token></x>",
    ],
)  # fmt: skip
def test_what_has_the_name_of_a_credential_is_one_wherever_it_stands(text: str) -> None:
    for request, response in (
        (Request("GET", "/"), Response(500, (("Link", text % KEY),), b"")),
        (Request("GET", "/"), Response(500, (), (text % KEY).encode() + b" " * (1 << 17))),
        (Request("GET", "/", (), (text % KEY).encode()), None),
    ):
        assert KEY in credentials.secrets_in([har.Entry(request, response, True, 0.0, None)])


def test_what_is_a_word_or_has_another_name_is_no_credential() -> None:
    text = 'token: expired, code: not_found1; "code": "12345678", key=abcdefghijkl, session=new, "token": 12345678'
    found = {value for name, value in credentials.named_in(text) if credentials.is_credential(name)}
    assert found == {"12345678"}


def test_a_cookie_is_no_key_in_the_response(tmp_path: Path) -> None:
    """A front end sets one: its value is kept out of reports, and is no fault of the server."""
    given = {"Set-Cookie": f"sid={KEY}; Path=/", "X-Csrf-Token": KEY}
    body = json.dumps({"available": True, "reason": None, "vmRunning": True})
    recorded(tmp_path / "x.har", [entry(EXEC, text=body, sent=SOMEBODY, got=given)])
    done = hostup(tmp_path, "judge", "x.har", "--report-dir", "report")
    report = json.loads((tmp_path / "report" / "report.json").read_text())
    (safety,) = (one for one in report["requirements"] if one["id"] == "SAFETY-01")
    assert safety["status"] == "pass", safety
    assert KEY not in done.stdout


@pytest.mark.catalogue
def test_a_log_file_of_pytest_holds_no_key(tmp_path: Path) -> None:
    log = tmp_path / "log.txt"
    run_on(Stage(), tmp_path, "--log-file", log, "--log-level", "DEBUG")
    assert len(log.read_text()) > 10_000
    assert VPS_ID in log.read_text()
    assert API_KEY not in log.read_text()


def test_of_what_pytest_tells_of_an_item_the_end_is_shown() -> None:
    """With --showlocals and --full-trace it may be megabytes, in which keys are looked for."""
    plugin, long = object.__new__(Conformance), f"{'a' * LONGEST_TOLD} the key {API_KEY}"
    plugin.run = cast("Run", SimpleNamespace(configured=Target("http://127.0.0.1:1", "server", API_KEY, VPS_ID)))
    report = pytest.TestReport("a", ("a", 1, "a"), {}, "failed", long, "call", [("Captured log", long)])
    steps = plugin.pytest_runtest_makereport()
    next(steps)
    with pytest.raises(StopIteration) as ended:
        steps.send(report)
    for text in (ended.value.value.longreprtext, ended.value.value.caplog):
        assert text.endswith(" the key [redacted]")
        assert len(text) < LONGEST_TOLD


@pytest.mark.parametrize(
    "arguments",
    first_of(
        ["explain", "POLL-01"], ["client", "--scenes"], ["compare", "x.json", "x.json"], ["run", "--plan"], ["--help"]
    ),
)
def test_an_output_that_cannot_be_written_is_told(tmp_path: Path, arguments: list[str]) -> None:
    (tmp_path / "x.json").write_text(a_report(tmp_path) if "compare" in arguments else "")
    command = [sys.executable, "-m", "hostup_conformance.front.cli", *arguments]
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            command, cwd=tmp_path, env=KEPT, stdout=full, stderr=subprocess.PIPE, text=True, timeout=60, check=False
        )
    assert done.returncode == 3
    assert done.stderr == "hostup-conformance: the output could not be written (No space left on device)\n"


@pytest.mark.parametrize("redirection", first_of(">&-", "2>&-", ">&- 2>&-", "| head -1", "| true", "2>/dev/full"))
@pytest.mark.parametrize("arguments", first_of("explain POLL-01", "client --scenes", "run --plan", "explain nothing"))
def test_an_output_that_nobody_reads_ends_without_a_traceback(tmp_path: Path, arguments: str, redirection: str) -> None:
    line = f"{sys.executable} -m hostup_conformance.front.cli {arguments} {redirection}"
    done = ran(tmp_path, ["bash", "-c", line])
    assert "Traceback" not in done.stdout + done.stderr
    assert "Exception" not in done.stdout + done.stderr
    assert done.returncode in {0, 4}


def a_report(folder: Path) -> str:
    assert FORMAT
    run(folder)
    return (folder / "report" / "report.json").read_text()


def test_keys_become_known_while_something_is_printed() -> None:
    below = io.StringIO()
    secrets = Secrets([])
    stream = Guarded(below, secrets)
    print(KEY, file=stream)
    secrets.learn([KEY])
    print(f"a {KEY} b", file=stream)
    assert below.getvalue() == f"{KEY}\na [redacted] b\n"


#: By what code prints, writes, reads files, starts programs or logs, by the names that it calls, uses or imports.
CALLED = {
    "writes": {"print", "write", "writelines", "write_text", "write_bytes", "pprint", "excepthook", "print_exc", "dump"}
    | {"print_exception", "print_last", "print_stack", "print_tb", "dump_traceback", "warn", "warn_explicit"},
    "touches files": {"open", "fdopen", "mkdir", "makedirs", "unlink", "rename", "symlink_to", "hardlink_to", "touch"}
    | {"chmod", "rmdir", "rmtree", "copyfile", "copytree", "move", "truncate", "NamedTemporaryFile", "mkstemp"}
    | {"TemporaryDirectory", "TemporaryFile", "SpooledTemporaryFile", "mkdtemp"},
    "reads files": {"read_text", "read_bytes", "open_text", "open_binary"},
    "starts programs": {"Popen", "system", "popen", "check_output", "check_call", "getoutput", "fork", "forkpty"}
    | {
        "posix_spawn",
        "execv",
        "execve",
        "execvp",
        "create_subprocess_exec",
        "create_subprocess_shell",
        "subprocess.run",
    },
    "uses a stream": {"sys.stdout", "sys.stderr", "sys.__stdout__", "sys.__stderr__"},
    "logs": {"logging", "warnings", "traceback", "pprint", "faulthandler", "syslog"},
}
#: The modules that are the one way, and what they do there.
ONE_WAY = {
    "writes": {
        "keeping/screen.py": "standard output and error",
        "keeping/files.py": "files",
        "http/network.py": "connections",
        "http/scripted.py": "connections",
        "http/incoming.py": "connections",
        "http/bodies.py": "a buffer in memory",
        "mock/guest_agent.py": "the socket of the agent",
        "keeping/interruption.py": "that it was interrupted, where none of these is there, or waited for",
        "contract/schemathesis_client.py": "a pipe to schemathesis",
        "contract/schemathesis_process.py": "in another process, the pipe to the run",
        "front/application.py": "pipes between an application and the suite",
        "clients/examples/client.py": "a client to begin with, which is not part of the suite",
        "reports/progress.py": "the screen that it is given",
        "clients/certificates.py": "what the suite has made itself, in a temporary folder",
    },
    "touches files": {
        "http/bodies.py": "a buffer in memory",
        "keeping/files.py": "all that a run is given",
        "keeping/screen.py": "the null device, and streams that were closed",
        "keeping/time_limit.py": "the null device, for what the interpreter says when it is ended by force",
        "front/application.py": "a pipe",
        "clients/certificates.py": "what the suite has made itself, in a temporary folder",
        "mock/supervisor.py": "the folder and the socket of an agent of our own",
        "front/preparation.py": "a file without a name, to see whether a folder can be written to",
        "clients/examples/client.py": "a request",
    },
    "reads files": {
        "judging/ledger.py": "its own requirements",
        "contract/document.py": "its own document",
        "contract/target.py": "the same, for the words that no key is",
        "judging/root_cause.py": "its own kill matrix",
        "clients/examples/__init__.py": "its own examples",
        "clients/traps.py": "its own table",
        "front/cli.py": "its own words",
        "http/har.py": "its own schema",
        "reports/html.py": "its own templates",
        "reports/schema.py": "its own schema",
        "keeping/processes.py": "what the system tells of processes",
    },
    "starts programs": {
        "clients/processes.py": "the client that is judged",
        "clients/certificates.py": "openssl",
        "contract/schemathesis_client.py": "schemathesis, in Python itself",
        "front/application.py": "the application that is judged",
        "mock/supervisor.py": "the guest agent",
    },
    "uses a stream": {
        "keeping/screen.py": "which guards them",
        "contract/schemathesis_process.py": "in another process, the pipe to the run",
        "front/start.py": "what they do with characters that they cannot encode",
        "front/cli.py": "what is said of usage errors, and the end of what is printed",
        "front/client_run.py": "whether it is a terminal, and its width",
        "front/application.py": "the end of what the application prints",
        "clients/examples/client.py": "a client to begin with",
    },
    "logs": {
        "front/session.py": "pytest's own handlers, which it guards",
        "judging/defects.py": "the place of a defect",
        "keeping/time_limit.py": "the end of the process by force, of which nothing is said",
        "front/application.py": "the first exception of an application, in its own process, whose output is guarded",
    },
}  # fmt: skip


def called(node: ast.AST) -> set[str]:
    """Return what a node calls or uses, by its name and that of the module before it, or imports."""
    if isinstance(node, ast.Call):
        node = node.func
        if isinstance(node, ast.Name):
            return {node.id}
    elif isinstance(node, ast.Import):
        return {alias.name.partition(".")[0] for alias in node.names}
    elif isinstance(node, ast.ImportFrom):
        return {(node.module or "").partition(".")[0], *(alias.name for alias in node.names)}
    if not isinstance(node, ast.Attribute):
        return set()
    return {node.attr, f"{node.value.id}.{node.attr}"} if isinstance(node.value, ast.Name) else {node.attr}


def ways_of(source: str) -> set[str]:
    """Return what code does of what is to be done in one place."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        known = called(node)
        if not known or {"har.write", "recording.write"} & known:  # which pass keeping/files.py
            continue
        kinds = CALLED if isinstance(node, ast.Call) else ("uses a stream", "logs")
        found |= {kind for kind in kinds if CALLED[kind] & known}
    return found


def test_nothing_goes_round_the_one_way() -> None:
    ways = {str(file.relative_to(PACKAGE)): ways_of(file.read_text("utf-8")) for file in PACKAGE.rglob("*.py")}
    for kind in CALLED:
        assert {name for name, found in ways.items() if kind in found} == ONE_WAY[kind].keys()


@pytest.mark.parametrize(
    ("source", "kind"),
    [
        ("print(1)", "writes"),
        ("import os; os.write(1, b'')", "writes"),
        ("json.dump(record, stream)", "writes"),
        ("self.stream.writelines(lines)", "writes"),
        ("Path(name).open('w')", "touches files"),
        ("os.open(name, 1)", "touches files"),
        ("file.unlink()", "touches files"),
        ("tempfile.mkstemp()", "touches files"),
        ("(folder / name).read_bytes()", "reads files"),
        ("subprocess.run(words)", "starts programs"),
        ("os.fork()", "starts programs"),
        ("stream = sys.stdout", "uses a stream"),
        ("sys.__stderr__.flush()", "uses a stream"),
        ("import logging.handlers", "logs"),
        ("from warnings import warn_explicit", "logs"),
    ],
)
def test_what_would_go_round_it_is_noticed(source: str, kind: str) -> None:
    assert kind in ways_of(source)
    assert not ways_of("text = shown(value); har.write(parts); wire.send(request)")


def test_no_program_is_given_the_streams_of_the_suite() -> None:
    """What it prints would go round the redaction."""
    given = {}
    for name in ONE_WAY["starts programs"]:
        for node in ast.walk(ast.parse((PACKAGE / name).read_text())):
            starts = called(node) & {"subprocess.Popen", "subprocess.run", "asyncio.create_subprocess_exec"}
            if starts and isinstance(node, ast.Call):
                given[name] = {keyword.arg for keyword in node.keywords}
    assert given.keys() == ONE_WAY["starts programs"].keys()
    assert all({"stdout", "stderr"} <= words or "capture_output" in words for words in given.values())


def test_the_command_and_the_plugin_are_guarded_before_they_say_anything() -> None:
    assert "guard(os.environ)" in (PACKAGE / "front" / "plugin.py").read_text()
    assert "guarded(os.environ)" in (PACKAGE / "front" / "cli.py").read_text()
    assert os.linesep == "\n"


@pytest.mark.parametrize("size", [1, 2, 7, 9])
@pytest.mark.parametrize("end", ["\n", ": \n", "\n  - "])
@pytest.mark.parametrize("together", [False, True])
def test_a_key_that_is_spread_over_lines_is_not_relayed(
    size: int, end: str, together: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    parts = [KEY[at : at + size] + end for at in range(0, len(KEY), size)]
    text = ["before\n", *parts, "\nafter\n"]
    relay = Relay(Secrets([KEY]))
    for part in ["".join(text)] if together else text:
        relay.print(part)
    shown = capsys.readouterr().err
    assert (shown.splitlines()[0], shown.splitlines()[-1]) == ("before", "after")
    left = "".join(line for line in shown.splitlines()[1:-1]).replace("[redacted]", "#")
    assert all(len(kept) < 8 for kept in "".join(c for c in left if c.isalnum() or c == "#").split("#"))


def test_what_is_relayed_in_pieces_is_whole(capsys: pytest.CaptureFixture[str]) -> None:
    relay = Relay(Secrets([KEY]))
    lines = [f"line {n} \x1b[1m{KEY if n % 3 == 0 else 'x' * n}\n" for n in range(60)]
    for line in lines:
        relay.print(line)
    expected = [on_one_line(line.rstrip("\n").replace(KEY, "[redacted]")) for line in lines]
    assert capsys.readouterr().err.splitlines() == expected
