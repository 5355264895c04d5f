"""The command line: `hostup-agent-exec --help`, or `python -m hostup_agent_exec --help`."""

from __future__ import annotations

import argparse
import json
import os
import shlex
import signal
import sys
import threading
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import fields
from typing import Any, NoReturn

import httpx

from . import AuthenticatedClient, __version__
from .api.agent import get_agent_exec, start_agent_exec
from .api.vps import list_vps
from .errors import CommandStillRunning, HostUpError, StartLost

PROGRAM = "hostup-agent-exec"
LATE, FAILED, KILLED, INTERRUPTED, CLOSED = 124, 125, 137, 130, 141
EXITS = f"""exit codes: that of the command that was run; {LATE} if it has not ended in time; {FAILED} for an error of this program;
{KILLED} if the command was killed or has no exit code; {INTERRUPTED} if this program was interrupted, 143 if it was terminated"""
NO_COMMANDS = f"{FAILED} for an error of this program; {INTERRUPTED} if it was interrupted, 143 if it was terminated"


class _Parser(argparse.ArgumentParser):
    """Ends with this program's own exit code, since any other may be a command's."""

    def error(self, message: str) -> NoReturn:
        self.print_usage(sys.stderr)
        self.exit(FAILED, f"{self.prog}: {message}\n")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog=PROGRAM,
        description="Runs commands and tells how they ended. The key is taken from HOSTUP_API_KEY in the environment, and the base URL from HOSTUP_BASE_URL (default: https://cloud.hostup.se).",
        epilog=EXITS,
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    commands = parser.add_subparsers(dest="asked", required=True, metavar="COMMAND")
    # What several commands take.
    json_too = _Parser(add_help=False)
    json_too.add_argument("--json", action="store_true", help="print JSON")
    times = _Parser(add_help=False)
    times.add_argument(
        "--timeout", type=float, default=300.0, metavar="SECONDS", help="how long to wait at most (default: 300)"
    )
    times.add_argument(
        "--interval",
        type=float,
        metavar="SECONDS",
        help="pause between polls (default: a quarter of a second, growing to five seconds)",
    )
    of_id = _Parser(add_help=False)
    of_id.add_argument(
        "id",
        metavar="ID",
        help="Public id of a VPS, exactly as `GET /api/v2/vps` returns it in `data[].id`. It may have any form.",
    )
    one = commands.add_parser(
        "run",
        parents=[of_id, times, json_too],
        help="run a command and wait for its end",
        description="Run a command and wait for its end.",
        epilog=EXITS,
    )
    one.add_argument(
        "command",
        metavar="COMMAND",
        nargs="*",
        help="one argument is taken as it is; several, after --, are quoted for a shell",
    )
    commands.add_parser(
        "probe",
        parents=[of_id, json_too],
        help="ask whether commands can be run in a VPS",
        description="Ask whether commands can be run in a VPS.",
        epilog=f"exit codes: 0 if available is true, 1 if it is not; {NO_COMMANDS}",
    )
    one = commands.add_parser(
        "wait",
        parents=[of_id, times, json_too],
        help="wait for the end of a command",
        description="Wait for the end of a command.",
        epilog=EXITS,
    )
    one.add_argument("pid", metavar="PID", type=int, help="Process id of a command, as returned by its start")
    commands.add_parser(
        "list",
        parents=[json_too],
        help="list the VPSs of the caller",
        description="List the VPSs of the caller.",
        epilog=f"exit codes: 0 if all were listed; {NO_COMMANDS}",
    )
    return parser


class _Stopped(KeyboardInterrupt):
    """Another signal than SIGINT is to end this program."""

    number = signal.SIGINT


def _stop(number: int, _: object) -> NoReturn:
    for each in (signal.SIGINT, number):  # a group may get it twice
        signal.signal(each, signal.SIG_IGN)
    stopped = _Stopped()
    stopped.number = signal.Signals(number)
    raise stopped


@contextmanager
def _telling() -> Generator[None, None, None]:
    """Let a signal that ends this program be told of what was begun, as an interrupt is."""
    known = {
        signal.SIGINT: signal.default_int_handler,
        signal.SIGTERM: signal.SIG_DFL,
        getattr(signal, "SIGHUP", signal.SIGTERM): signal.SIG_DFL,
    }
    is_main = threading.current_thread() is threading.main_thread()
    before = {number: handler for number, handler in known.items() if is_main and signal.getsignal(number) is handler}
    for number in before:
        signal.signal(number, _stop)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class _Progress:
    """A line on a terminal that says how long it has been running, and goes away."""

    def __init__(self, is_shown: bool) -> None:
        self._is_shown, self._begun, self._pid = is_shown and sys.stderr.isatty(), time.monotonic(), ""

    def started(self, name: object) -> None:
        self._pid = f" as {name}"
        self.show()

    def show(self, _: object = None) -> None:
        if self._is_shown:
            sys.stderr.write(f"\r\x1b[Krunning{self._pid}, {time.monotonic() - self._begun:.0f} s")
            sys.stderr.flush()

    def clear(self) -> None:
        if self._is_shown:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()


def _ended(output: Any, arguments: argparse.Namespace, progress: _Progress) -> int:
    progress.clear()
    code = output.exit_code
    try:
        if arguments.json:
            print(json.dumps(output.to_dict()))
        else:
            sys.stdout.write(output.stdout_text)
            sys.stdout.flush()
            sys.stderr.write(output.stderr_text)
    except OSError as error:
        error.add_note(f"its output cannot be printed; the exit code was {code if isinstance(code, int) else 'none'}")
        raise
    if not isinstance(code, int):
        return KILLED
    # A shell sees the lowest eight bits alone, and a failure must not look like success.
    return code if 0 <= code <= 255 else code % 256 or 1


def _printable(text: str) -> str:
    return "".join(letter if letter.isprintable() else "?" for letter in text)


def _told(error: Exception, client: AuthenticatedClient | None) -> str:
    text = str(error)
    if not isinstance(error, HostUpError):  # what a library says may quote bytes of a server
        text = _printable(text)[:300]
        text = text if isinstance(error, TypeError | ValueError) else f"{type(error).__name__}: {text}"
        if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout):
            text += " (check HOSTUP_BASE_URL, the network, and a proxy if one is set)"
        if isinstance(error, FileNotFoundError) and not error.filename:  # of a context for TLS
            text += " (check SSL_CERT_FILE and SSL_CERT_DIR)"
    return text.replace(client.token, "[key]") if client is not None else text


def _advice(error: Exception, arguments: argparse.Namespace) -> list[str]:
    """Say what it means for the one who gave these arguments, and what can be done."""
    advice: list[str] = list(getattr(error, "__notes__", []))
    response, status = getattr(error, "response", None), getattr(error, "status_code", None)
    if response is not None and "html" in response.headers.get("content-type", "").lower():
        advice.append("a page for people came: check HOSTUP_BASE_URL")
    if status == 401:
        advice.append("check HOSTUP_API_KEY")
    if status == 403 and arguments.asked == "run":
        advice.append("run needs a key with read:vm and write:vm")
    if status == 403 and arguments.asked == "probe":
        advice.append("probe needs a key with read:vm")
    if status == 403 and arguments.asked == "wait":
        advice.append("wait needs a key with write:vm")
    if status == 403 and arguments.asked == "list":
        advice.append("list needs a key with read:vm")
    if status == 404 and arguments.asked == "wait":
        advice.append("a command whose end was polled is forgotten")
    if isinstance(error, CommandStillRunning) and error.pid is not None:
        words = [PROGRAM, "wait", arguments.id, str(error.pid)]
        advice.append(f"go on with: {shlex.join(words)}")
    # One that was started is named by every error but StartLost.
    if isinstance(error, StartLost):
        advice.append("a command may have been started")
    known = [getattr(error, name, None) for name in ("pid",)]
    if status == 404 and arguments.asked in {"run", "probe"} and known == [None] * len(known):
        advice.append(f"check the id: {PROGRAM} list shows those there are")
    is_before = not isinstance(error, StartLost | TypeError | ValueError) and not hasattr(error, "__notes__")
    if arguments.asked == "run" and is_before and known == [None] * len(known):
        advice.append("nothing was started")
    return advice


def _do(arguments: argparse.Namespace, client: AuthenticatedClient) -> int:
    progress = _Progress(not arguments.json)
    call = {
        "run": _command_run,
        "probe": _command_probe,
        "wait": _command_wait,
        "list": _command_list_,
    }
    try:
        return call[arguments.asked](arguments, client, progress)
    finally:
        progress.clear()


def _command_run(arguments: argparse.Namespace, client: AuthenticatedClient, progress: _Progress) -> int:
    words: list[str] = arguments.command
    text = words[0] if len(words) == 1 else shlex.join(words)
    output = start_agent_exec.run(
        arguments.id,
        text,
        client=client,
        timeout=arguments.timeout,
        interval=arguments.interval,
        on_start=progress.started,
        on_progress=progress.show,
    )
    return _ended(output, arguments, progress)


def _command_probe(arguments: argparse.Namespace, client: AuthenticatedClient, progress: _Progress) -> int:
    told = get_agent_exec.sync(arguments.id, client=client)
    if arguments.json:
        print(json.dumps(told.to_dict()))
    else:
        for name, value in told.to_dict().items():
            print(f"{name}: {json.dumps(value, ensure_ascii=False)}")
    return 0 if told.available is True else 1


def _command_wait(arguments: argparse.Namespace, client: AuthenticatedClient, progress: _Progress) -> int:
    output = get_agent_exec.wait(
        arguments.id,
        arguments.pid,
        client=client,
        timeout=arguments.timeout,
        interval=arguments.interval,
        on_progress=progress.show,
    )
    return _ended(output, arguments, progress)


def _command_list_(arguments: argparse.Namespace, client: AuthenticatedClient, progress: _Progress) -> int:
    for item in list_vps.iterate(client=client):
        values = [getattr(item, field.name) for field in fields(item) if field.init]
        plain = "\t".join(_printable(str(value)) if value or value == 0 else "-" for value in values)
        print(json.dumps(item.to_dict()) if arguments.json else plain)
    return 0


def _arguments(given: list[str]) -> argparse.Namespace:
    before, after = (given[: given.index("--")], given[given.index("--") + 1 :]) if "--" in given else (given, [])
    parser = _parser()
    # Words of a command may also come after options; argparse leaves those over.
    arguments, words = parser.parse_known_args(before)
    if arguments.asked == "run":
        arguments.command += [word for word in words if not word.startswith("-")] + after
        words = [word for word in words if word.startswith("-")]
        if words:
            parser.error(f"unrecognized arguments: {' '.join(words)} (-- goes before a command with options)")
        if not arguments.command:
            parser.error("the command to run is missing")
    elif after:
        parser.error("nothing may stand after --")
    if words:
        parser.error(f"unrecognized arguments: {' '.join(words)}")
    return arguments


def main(argv: Sequence[str] | None = None) -> int:
    """Do what the arguments ask for, and return the exit code."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:  # it was closed
            setattr(sys, name, open(os.devnull, "w"))  # noqa: SIM115
        elif hasattr(stream, "reconfigure"):  # output may hold what the terminal cannot show
            stream.reconfigure(errors="replace")
    arguments = _arguments(list(sys.argv[1:] if argv is None else argv))
    with _telling():
        return _main(arguments)


def _main(arguments: argparse.Namespace) -> int:
    client: AuthenticatedClient | None = None
    try:
        with AuthenticatedClient(application="cli", retries=2) as client:
            code = _do(arguments, client)
            sys.stdout.flush()
            return code
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what is flushed at the end has nowhere to go
        return CLOSED
    except KeyboardInterrupt as interrupted:
        print(f"{PROGRAM}: interrupted", *getattr(interrupted, "__notes__", []), sep="; ", file=sys.stderr)
        return 128 + getattr(interrupted, "number", signal.SIGINT)
    except Exception as error:  # noqa: BLE001  (with the exit code of a traceback it would look like a command's)
        known = {name: value for name in ("pid",) if (value := getattr(error, name, None)) is not None}
        text = "; ".join([_told(error, client), *_advice(error, arguments)])
        if arguments.json:
            print(json.dumps({"error": type(error).__name__, "message": text, **known}))
        else:
            print(
                f"{PROGRAM}: {text}", *(f"{name} {value}" for name, value in known.items()), sep="; ", file=sys.stderr
            )
        # With a cause it was not the time that ended.
        return LATE if isinstance(error, CommandStillRunning) and error.__cause__ is None else FAILED


if __name__ == "__main__":
    sys.exit(main())
