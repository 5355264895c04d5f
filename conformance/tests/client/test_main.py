"""The command line: what it prints where, and its exit codes."""

import dataclasses
import io
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import respx
from client.serving import replied, serving
from client.voices import BASE_URL, KEY, PID, VPS, Clock
from hostup_agent_exec import __main__ as program
from hostup_agent_exec import __version__
from hostup_agent_exec.__main__ import main
from hostup_agent_exec.models import CommandOutput
from hostup_conformance.http.scripted import Received, Reply

NAMED = f"the command was started: pid {PID}"
PATH = f"{BASE_URL}/api/v2/vps/{VPS}/agent/exec"


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> Iterator[respx.MockRouter]:  # noqa: ARG001
    monkeypatch.setenv("HOSTUP_API_KEY", KEY)
    monkeypatch.delenv("HOSTUP_BASE_URL", raising=False)
    with respx.mock(assert_all_called=False) as router:
        router.get(PATH, params={"pid": PID}, name="poll").respond(
            json={"exited": True, "exitCode": 0, "stdout": "Linux\n", "stderr": "hm\n"}
        )
        router.get(PATH, name="probe").respond(json={"available": True, "reason": None})
        router.post(PATH, name="start").respond(json={"pid": PID})
        yield router


#: Calls the program with some words; returns its exit code, its standard output and its standard error.
Told = Callable[..., tuple[int, str, str]]


@pytest.fixture
def told(capsys: pytest.CaptureFixture[str]) -> Told:
    return lambda *words: (main([*map(str, words)]), *capsys.readouterr())


def started(server: respx.MockRouter) -> str:
    command: str = json.loads(server["start"].calls[0].request.content)["command"]
    return command


def test_output_goes_to_the_right_streams(server: respx.MockRouter, told: Told) -> None:
    assert told("run", VPS, "--", "uname", "-a") == (0, "Linux\n", "hm\n")
    assert started(server) == "uname -a"


@pytest.mark.parametrize(
    ("words", "command"),
    [
        (["ls | wc"], "ls | wc"),
        (["--", "ls | wc"], "ls | wc"),
        (["--", "echo", "a b", "$x"], "echo 'a b' '$x'"),
        (["--", "git", "log", "--", "-f"], "git log -- -f"),
        (["--", "--json"], "--json"),
    ],
)
def test_words_are_joined_as_a_shell_needs_them(server: respx.MockRouter, words: list[str], command: str) -> None:
    assert main(["run", VPS, *words]) == 0
    assert started(server) == command


@pytest.mark.parametrize(
    ("ending", "code"),
    [({"exitCode": 3}, 3), ({"exitCode": None}, 137), ({}, 137), ({"exitCode": -1}, 255), ({"exitCode": 256}, 1)],
)
def test_the_exit_code_is_the_command_s(server: respx.MockRouter, ending: dict[str, object], code: int) -> None:
    server["poll"].respond(json={"exited": True, **ending})
    assert main(["run", VPS, "x"]) == code
    assert main(["wait", VPS, str(PID)]) == code


def test_nothing_that_a_server_names_is_obeyed_by_a_terminal(server: respx.MockRouter, told: Told) -> None:
    """Nor is the key printed that it repeats."""
    odd = f"x\x1b[2J\x9b31m\u202e\n{KEY}available: false"
    server["probe"].respond(json={"available": True, odd: odd})
    code, out, err = told("probe", VPS)
    assert (code, err) == (0, "")
    assert len(out.splitlines()) == 2
    assert all(line.isprintable() for line in out.splitlines())
    assert KEY not in out + told("probe", "--json", VPS)[1]


@pytest.mark.parametrize("opened", ['{"a":', "["])
def test_what_is_nested_too_deeply_is_an_error_of_the_package(
    server: respx.MockRouter, told: Told, opened: str
) -> None:
    for levels, expected in ((90, 0), (900, 125)):
        closed = {"[": "]"}.get(opened, "}") * levels
        body = f'{{"available": true, "a": {opened * levels}1{closed}}}'
        server["probe"].respond(content=body.encode(), headers={"Content-Type": "application/json"})
        code, _, err = told("probe", VPS)
        assert code == expected, err
        assert "RecursionError" not in err


def test_a_deadline_has_its_own_code(server: respx.MockRouter, told: Told) -> None:
    server["poll"].respond(json={"exited": False})
    asked, again = f"GET {PATH.removeprefix(BASE_URL)}?pid={PID}", f"hostup-agent-exec wait {VPS} {PID}"
    says = f"the command has not ended in time ({asked}); go on with: {again}; pid {PID}"
    ended = told("run", VPS, "--timeout", 3, "--interval", 1, "x")
    assert ended == (124, "", f"hostup-agent-exec: {says}\n")


def test_a_missing_key_is_named(monkeypatch: pytest.MonkeyPatch, told: Told) -> None:
    monkeypatch.delenv("HOSTUP_API_KEY", raising=False)
    code, _, err = told("list")
    assert (code, "HOSTUP_API_KEY" in err) == (125, True)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "arguments are required: COMMAND"),
        (["run"], ""),  # whose words differ by version of Python
        (["run", VPS], "the command to run is missing"),
        (["probe"], "arguments are required: ID"),
        (["wait", VPS, "x"], "argument PID: invalid int value: 'x'"),
        (["list", "--", "x"], "nothing may stand after --"),
        (["list", "x", "y"], "unrecognized arguments: x y"),
        (["run", VPS, "--odd", "x"], "unrecognized arguments: --odd (-- goes before a command with options)"),
    ],
)
def test_wrong_arguments_are_own_errors(arguments: list[str], says: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 125
    err = capsys.readouterr().err
    assert err.startswith("usage: hostup-agent-exec")
    assert err.endswith(f"{says}\n")


def test_it_names_itself_and_tries_three_times(server: respx.MockRouter, told: Told) -> None:
    busy, well = httpx.Response(503), httpx.Response(200, json={"available": True})
    server["probe"].mock(side_effect=[busy, busy, well])
    assert told("probe", VPS)[0] == 0
    assert server["probe"].calls.last.request.headers["User-Agent"].startswith("cli hostup-agent-exec/")
    server["probe"].mock(side_effect=[busy, busy, busy, well])
    code, _, err = told("probe", VPS)
    assert (code, "503" in err) == (125, True)


@pytest.fixture
def listing() -> Iterator[dict[str, str]]:
    """Serve a list of one VPS, whose name is not ASCII, and give the environment in which it is found."""
    with serving(lambda _: replied({"data": [{"id": VPS, "name": "nåd"}]})) as url:
        yield {**os.environ, "HOSTUP_BASE_URL": url, "HOSTUP_API_KEY": KEY, "PYTHONIOENCODING": "ascii"}


LIST = [sys.executable, "-m", "hostup_agent_exec", "list"]


def test_the_locale_changes_no_byte(listing: dict[str, str]) -> None:
    done = subprocess.run(LIST, env=listing, capture_output=True, check=False)
    assert (done.returncode, done.stdout.decode(), done.stderr) == (0, f"{VPS}\tnåd\t-\t-\t-\n", b"")


def test_a_closed_pipe_ends_it_quietly(listing: dict[str, str]) -> None:
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(LIST, env=listing, stdout=write, stderr=subprocess.PIPE, text=True, check=False)
    os.close(write)
    assert (done.returncode, done.stderr) == (141, "")


@pytest.mark.parametrize("closed", [">&-", ">&- 2>&-"])
def test_closed_streams_change_nothing_else(listing: dict[str, str], closed: str) -> None:
    command = ["sh", "-c", f'exec "$@" {closed}', "sh", *LIST]
    done = subprocess.run(command, env=listing, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("ALL_PROXY", "socks5://127.0.0.1:1", "NO_PROXY names: Using SOCKS proxy, but the 'socksio' package is not "),
        ("HTTPS_PROXY", "http://user:pass/word@127.0.0.1", "a proxy, in httpx_args or HTTPS_PROXY, HTTP_PROXY"),
        ("NO_PROXY", "::1,fd00::/8", "what NO_PROXY names: expected URLs and hosts"),
        ("HTTPS_PROXY", "odd://127.0.0.1", "Unknown scheme for proxy URL"),
        ("SSL_CERT_FILE", "/nonexistent", "SSL_CERT_FILE: [Errno 2] No such file or directory; nothing was started"),
        ("SSL_CERT_FILE", os.devnull, "SSL_CERT_FILE: [X509: NO_CERTIFICATE_OR_CRL_FOUND]"),
        ("SSL_CERT_FILE", "/", "SSL_CERT_FILE: "),
        ("SSL_CERT_FILE", "pipe", "SSL_CERT_FILE: expected a file, and it names a pipe"),
        ("SSLKEYLOGFILE", "/", "SSLKEYLOGFILE: [Errno 21] Is a directory: '/'; nothing was started"),
        ("SSLKEYLOGFILE", "pipe", "SSLKEYLOGFILE: expected a file, and it names a pipe"),
    ],
)
def test_what_is_wrong_around_it_is_an_own_error(name: str, value: str, says: str, tmp_path: Path) -> None:
    if value == "pipe":
        os.mkfifo(value := str(tmp_path / value))
    environment = {"HOSTUP_BASE_URL": "https://h.invalid", "HOSTUP_API_KEY": KEY, name: value}
    command = [sys.executable, "-m", "hostup_agent_exec", "run", VPS, "x"]
    proxies = ("proxy", "PROXY", "SSL_")
    others = {key: own for key, own in os.environ.items() if not any(part in key for part in proxies)}
    done = subprocess.run(command, env={**others, **environment}, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (125, "")
    assert len(done.stderr.splitlines()) == 1
    assert says in done.stderr
    assert done.stderr.endswith("; nothing was started\n") is not value.startswith("odd:")
    assert "'pass'" not in done.stderr


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="this system has no device that is always full")
@pytest.mark.parametrize(("words", "where"), [([], "2>/dev/full"), (["--json"], ">/dev/full"), (["--json"], "| true")])
def test_an_error_that_cannot_be_told_is_no_answer(words: list[str], where: str) -> None:
    environment = {**os.environ, "HOSTUP_BASE_URL": "http://127.0.0.1:9", "HOSTUP_API_KEY": KEY}
    probe = [sys.executable, "-m", "hostup_agent_exec", "probe", VPS, *words]
    command = ["bash", "-c", f'set -o pipefail; "$@" {where}', "bash", *probe]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (125, "")


class Full(io.StringIO):
    """A file on a disk without space."""

    def flush(self) -> None:
        raise OSError(28, "No space left on device")


@pytest.mark.parametrize(("ending", "code"), [({"exitCode": 3}, "3"), ({}, "none")])
def test_output_that_cannot_be_printed_is_told(
    server: respx.MockRouter, told: Told, monkeypatch: pytest.MonkeyPatch, ending: dict[str, int], code: str
) -> None:
    server["poll"].respond(json={"exited": True, **ending})
    monkeypatch.setattr(sys, "stdout", Full())
    own_code, _, err = told("run", VPS, "x")
    says = f"its output cannot be printed; the exit code was {code}"
    assert (own_code, err.endswith(f"No space left on device; {says}\n")) == (125, True)


@contextmanager
def handled_by_default(number: int) -> Iterator[Any]:
    """Let a signal do what it does by default, in processes that are started too, even if the tests ignore it."""
    default = signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL
    before = signal.signal(number, default)
    try:
        yield default
    finally:
        signal.signal(number, before)


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="this system has other signals")
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_a_signal_tells_what_was_begun(name: str) -> None:
    polled = threading.Event()

    def endless(received: Received) -> Reply:
        """Start a command that never ends."""
        if "pid=" not in received.request.target:
            return replied({"available": True} if received.request.method == "GET" else {"pid": PID})
        polled.set()
        return replied({"exited": False})

    with handled_by_default(signal.Signals[name]), serving(endless) as url:
        environment = {"HOSTUP_BASE_URL": url, "HOSTUP_API_KEY": KEY}
        command = [sys.executable, "-m", "hostup_agent_exec", "run", VPS, "sleep 99"]
        with subprocess.Popen(command, env={**os.environ, **environment}, stderr=subprocess.PIPE, text=True) as process:
            assert polled.wait(60)
            process.send_signal(signal.Signals[name])
            _, err = process.communicate()
    assert (process.returncode, err) == (128 + signal.Signals[name], f"hostup-agent-exec: interrupted; {NAMED}\n")


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="this system has other signals")
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_a_signal_that_comes_twice_counts_once(
    server: respx.MockRouter, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    number = signal.Signals[name]

    class Interrupted(io.StringIO):
        def write(self, text: str) -> int:
            signal.raise_signal(number)
            return super().write(text)

    def stop(_: httpx.Request) -> httpx.Response:
        signal.raise_signal(number)
        raise AssertionError

    server["poll"].mock(side_effect=stop)
    shown = Interrupted()
    monkeypatch.setattr(sys, "stderr", shown)
    with handled_by_default(number) as default:
        assert main(["run", VPS, "x"]) == 128 + number
        assert signal.getsignal(number) is default
    assert shown.getvalue() == f"hostup-agent-exec: interrupted; {NAMED}\n"


def test_signals_are_left_as_they_were(server: respx.MockRouter) -> None:
    seen: list[object] = []

    def answer(_: httpx.Request) -> httpx.Response:
        seen.extend(signal.getsignal(number) for number in numbers)
        return httpx.Response(200, json={"available": False})

    numbers = [signal.SIGINT, signal.SIGTERM]
    server["probe"].mock(side_effect=answer)
    with handled_by_default(signal.SIGINT) as default, handled_by_default(signal.SIGTERM) as ending:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)  # as for a program that nobody is to end
        assert main(["probe", VPS]) == 1
        assert signal.getsignal(signal.SIGTERM) is seen[1] is signal.SIG_IGN
        assert signal.getsignal(signal.SIGINT) is default is not seen[0]
        signal.signal(signal.SIGTERM, ending)
        in_thread = threading.Thread(target=main, args=(["probe", VPS],))
        in_thread.start()
        in_thread.join()
        assert seen[2:] == [default, ending]


def test_a_probe_says_yes_or_no(server: respx.MockRouter, told: Told) -> None:
    assert told("probe", VPS) == (0, "available: true\nreason: null\n", "")
    server["probe"].respond(json={})
    assert told("probe", "--json", VPS) == (1, "{}\n", "")


def test_the_list_has_every_page(server: respx.MockRouter, told: Told) -> None:
    pages = [
        {"data": [{"id": "a", "name": "web\t1"}], "nextCursor": "1"},
        {"data": [{"id": "b", "primaryIp": "192.0.2.1"}]},
    ]
    server.get(f"{BASE_URL}/api/v2/vps").mock(side_effect=[httpx.Response(200, json=page) for page in pages * 2])
    assert told("list") == (0, "a\tweb?1\t-\t-\t-\nb\t-\t192.0.2.1\t-\t-\n", "")
    code, out, _ = told("list", "--json")
    assert (code, [json.loads(line)["id"] for line in out.splitlines()]) == (0, ["a", "b"])


@pytest.mark.usefixtures("server")
@pytest.mark.parametrize("words", [["run", "--json", VPS, "x"], ["wait", "--json", VPS, str(PID)]])
def test_json_holds_the_whole_state(told: Told, words: list[str]) -> None:
    code, out, err = told(*words)
    assert (code, json.loads(out)["stdout"], err) == (0, "Linux\n", "")


def test_what_is_printed_is_json_without_a_key(
    server: respx.MockRouter, told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = 'hu_"quoted"\\key'
    monkeypatch.setenv("HOSTUP_API_KEY", key)
    body = json.dumps({"available": True, "echo": f"<{key}>"})[:-1] + ', "x": [1e999], "y": -1e999}'
    server.get(PATH, name="probe").respond(text=body)
    code, out, _ = told("probe", VPS, "--json")
    assert (code, json.loads(out)) == (0, {"available": True, "echo": "<[key]>", "x": [None], "y": None})


ID = "Public id of a VPS, exactly as `GET /api/v2/vps` returns it in `data[].id`"
TIMES = (
    "--timeout SECONDS how long to wait at most (default: 300) "
    "--interval SECONDS pause between polls (default: a quarter of a second, growing to five seconds) "
)
HELP = {
    (): (
        "[-h] [--version] COMMAND ... Runs commands and tells how they ended. The key is taken from HOSTUP_API_KEY in "
        "the environment, and the base URL from HOSTUP_BASE_URL (default: https://cloud.hostup.se). "
        "positional arguments: COMMAND run run a command and wait for its end probe ask whether commands can be run in "
        "a VPS wait wait for the end of a command list list the VPSs of the caller options: -h, --help show this help "
        "message and exit --version show program's version number and exit"
    ),
    ("run",): (
        "[-h] [--timeout SECONDS] [--interval SECONDS] [--json] ID [COMMAND ...] Run a command and wait for its end. "
        f"positional arguments: ID {ID} COMMAND one argument is taken as it is; several, after --, are quoted for a "
        f"shell options: -h, --help show this help message and exit {TIMES}--json print JSON"
    ),
    ("probe",): (
        f"[-h] [--json] ID Ask whether commands can be run in a VPS. positional arguments: ID {ID} "
        "options: -h, --help show this help message and exit --json print JSON"
    ),
    ("wait",): (
        "[-h] [--timeout SECONDS] [--interval SECONDS] [--json] ID PID Wait for the end of a command. positional "
        f"arguments: ID {ID} PID Process id of a command, as returned by its start "
        f"options: -h, --help show this help message and exit {TIMES}--json print JSON"
    ),
    ("list",): (
        "[-h] [--json] List the VPSs of the caller. options: -h, --help show this help message and exit "
        "--json print JSON"
    ),
}
EXITS = (
    "exit codes: that of the command that was run; 124 if it has not ended in time; 125 for an error of this program; "
    "137 if the command was killed or has no exit code; 130 if this program was interrupted, 143 if it was terminated"
)
NO_COMMANDS = "125 for an error of this program; 130 if it was interrupted, 143 if it was terminated"
EXITS_OF: dict[tuple[str, ...], str] = {
    ("probe",): f"exit codes: 0 if available is true, 1 if it is not; {NO_COMMANDS}",
    ("list",): f"exit codes: 0 if all were listed; {NO_COMMANDS}",
}


@pytest.mark.parametrize("command", HELP)
def test_help_says_what_a_command_takes(
    command: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "300")
    with pytest.raises(SystemExit) as caught:
        main([*command, "--help"])
    assert caught.value.code == 0
    said = " ".join(capsys.readouterr().out.split())
    assert said == " ".join(["usage: hostup-agent-exec", *command, HELP[command], EXITS_OF.get(command, EXITS)])


@pytest.mark.parametrize(
    ("options", "timeout", "interval"), [([], 300.0, None), (["--timeout", "2.5", "--interval", "0.5"], 2.5, 0.5)]
)
def test_times_are_passed_on(
    options: list[str], timeout: float, interval: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[tuple[object, ...]] = []

    def ended(**more: object) -> CommandOutput:
        what = more.get("command", more.get("pid"))
        given.append((more["id"], what, more["timeout"], more["interval"], callable(more["on_progress"])))
        return CommandOutput(exited=True, exit_code=0)

    monkeypatch.setenv("HOSTUP_API_KEY", KEY)
    commands = [dataclasses.replace(command, call=ended) for command in program.COMMANDS]
    monkeypatch.setattr(program, "COMMANDS", commands)
    assert main(["run", *options, VPS, "x"]) == main(["wait", *options, VPS, str(PID)]) == 0
    assert given == [(VPS, "x", timeout, interval, True), (VPS, PID, timeout, interval, True)]


@pytest.mark.parametrize(("reason", "says"), [("no agent å", ": no agent å"), ("a\x1bb", ": a?b"), (None, "")])
def test_the_reason_is_told(server: respx.MockRouter, told: Told, reason: str | None, says: str) -> None:
    server["probe"].respond(json={"available": False, "reason": reason})
    asked = f"(GET {PATH.removeprefix(BASE_URL)})"
    says = f"commands cannot be run in this VPS now{says} {asked}; nothing was started"
    assert told("run", VPS, "x") == (125, "", f"hostup-agent-exec: {says}\n")
    shown = f"available: false\nreason: {json.dumps(reason, ensure_ascii=False)}\n"
    assert told("probe", VPS) == (1, shown, "")


def test_it_tells_its_version(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["x", "--version"])
    with pytest.raises(SystemExit) as caught:
        main()
    assert (caught.value.code, capsys.readouterr().out) == (0, f"hostup-agent-exec {__version__}\n")


def test_a_terminal_s_line_goes_away(server: respx.MockRouter, told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    states = [{"exited": False}, {"exited": True, "exitCode": 255, "stderr": "hm"}]
    server["poll"].mock(side_effect=[httpx.Response(200, json=state) for state in states * 2])
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    code, _, err = told("run", VPS, "x")
    assert (code, err.split("\r\x1b[K")[1:]) == (255, [f"running as {PID}, 0 s", f"running as {PID}, 0 s", "hm"])
    assert told("wait", VPS, PID) == (255, "", "\r\x1b[Krunning, 0 s\r\x1b[Khm")


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (
            httpx.ConnectError(f"no {KEY}\x1b"),
            "ConnectError: no [key]? (check HOSTUP_BASE_URL, the network, and a proxy if one is set)",
        ),
        (httpx.ReadTimeout("a" * 400), f"ReadTimeout: {'a' * 300}"),
        (OSError("no"), "OSError: no"),
        (ValueError("no"), "no"),
    ],
)
def test_what_a_library_says_is_told_briefly(server: respx.MockRouter, told: Told, error: Exception, says: str) -> None:
    server["probe"].mock(side_effect=error)
    assert told("probe", VPS) == (125, "", f"hostup-agent-exec: {says}\n")
    code, out, _ = told("probe", "--json", VPS)
    assert (code, json.loads(out)) == (125, {"error": type(error).__name__, "message": says})


def test_a_reason_is_told_briefly(server: respx.MockRouter, told: Told) -> None:
    server["probe"].respond(json={"available": False, "reason": "a" * 400})
    _, _, err = told("run", VPS, "x")
    assert err.startswith(f"hostup-agent-exec: commands cannot be run in this VPS now: {'a' * 300} (GET ")


HTML = httpx.Response(200, text="<html>", headers={"Content-Type": "text/html"})


@pytest.mark.parametrize(
    ("arguments", "kind", "response", "says"),
    [
        (["probe", VPS], "probe", httpx.Response(403), ["probe needs a key with read:vm"]),
        (["probe", VPS], "probe", httpx.Response(401), ["check HOSTUP_API_KEY"]),
        (["probe", VPS], "probe", httpx.Response(404), ["check the id: hostup-agent-exec list shows those there are"]),
        (["run", VPS, "x"], "probe", httpx.Response(404),
         ["check the id: hostup-agent-exec list shows those there are", "nothing was started"]),
        (["run", VPS, "x"], "poll", httpx.Response(404), ["pid 4242"]),
        (["run", VPS, "x"], "poll", httpx.Response(500), ["pid 4242"]),
        (["wait", VPS, "4242"], "poll", httpx.Response(403), ["wait needs a key with write:vm", "pid 4242"]),
        (["run", VPS, "x"], "start", httpx.Response(403),
         ["run needs a key with read:vm and write:vm", "nothing was started"]),
        (["run", VPS, "x"], "poll", httpx.Response(403), ["run needs a key with read:vm and write:vm", "pid 4242"]),
        (["wait", VPS, "4242"], "poll", httpx.Response(404),
         ["a command whose end was polled is forgotten", "pid 4242"]),
        (["run", VPS, "x"], "probe", HTML, ["a page for people came: check HOSTUP_BASE_URL", "nothing was started"]),
        (["run", VPS, "x"], "start", HTML,
         ["a page for people came: check HOSTUP_BASE_URL", "a command may have been started"]),
        (["run", VPS, "x"], "start", httpx.Response(500), ["a command may have been started"]),
        (["run", VPS, "x"], "start", httpx.Response(429, headers={"Retry-After": "9999"}), ["nothing was started"]),
    ],
)  # fmt: skip
def test_an_error_ends_with_what_it_means(
    server: respx.MockRouter, told: Told, arguments: list[str], kind: str, response: httpx.Response, says: list[str]
) -> None:
    server[kind].mock(return_value=response)
    code, out, err = told(*arguments)
    assert (code, out, err.rstrip("\n").split("; ")[1:]) == (125, "", says)
    code, out, _ = told(arguments[0], "--json", *arguments[1:])
    assert (code, err.startswith(f"hostup-agent-exec: {json.loads(out)['message']}")) == (125, True)


def test_an_error_has_the_pid_as_json(server: respx.MockRouter, told: Told) -> None:
    server["poll"].respond(404)
    code, out, _ = told("wait", "--json", VPS, PID)
    error = json.loads(out)
    assert (code, error.pop("message")[:13], error) == (125, "404 Not Found", {"error": "NotFound", "pid": PID})


@pytest.mark.parametrize(
    ("kind", "notes"),
    [("probe", "no command was started"), ("start", "a command may have been started"), ("poll", NAMED)],
)
def test_an_interruption_tells_what_was_begun(server: respx.MockRouter, told: Told, kind: str, notes: str) -> None:
    def interrupt(_: httpx.Request) -> httpx.Response:
        raise KeyboardInterrupt

    server[kind].mock(side_effect=interrupt)
    assert told("run", VPS, "x") == (130, "", f"hostup-agent-exec: interrupted; {notes}\n")


def test_words_may_stand_between_options(server: respx.MockRouter) -> None:
    assert main(["run", VPS, "--timeout", "9", "echo", "--interval", "1", "a b"]) == 0
    assert started(server) == "echo 'a b'"


def test_a_stream_shows_what_it_can(server: respx.MockRouter, monkeypatch: pytest.MonkeyPatch) -> None:
    server["poll"].respond(json={"exited": True, "exitCode": 0, "stdout": "nåd", "stderr": "å"})
    shown = io.BytesIO(), io.BytesIO()
    for name, buffer in zip(("stdout", "stderr"), shown, strict=True):
        monkeypatch.setattr(sys, name, io.TextIOWrapper(buffer, encoding="ascii", errors="strict"))
    assert main(["run", VPS, "x"]) == 0
    sys.stderr.flush()
    assert [buffer.getvalue() for buffer in shown] == ["nåd".encode(), "å".encode()]
    without_encoding = io.StringIO()
    monkeypatch.setattr(sys, "stdout", without_encoding)
    assert main(["run", VPS, "x"]) == 0
    assert without_encoding.getvalue() == "nåd"


@pytest.mark.usefixtures("server")
def test_what_follows_a_closed_pipe_goes_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "w") as stream:
        monkeypatch.setattr(sys, "stdout", stream)
        assert main(["probe", VPS]) == 141
        stream.write("more")
        stream.flush()


def test_a_list_tells_the_scope_it_needs(server: respx.MockRouter, told: Told) -> None:
    listing = server.get(f"{BASE_URL}/api/v2/vps")
    for status, says in ((403, "; list needs a key with read:vm\n"), (400, "\n")):
        listing.respond(status)
        code, _, err = told("list")
        assert (code, err.endswith(f": GET /api/v2/vps{says}")) == (125, True)
