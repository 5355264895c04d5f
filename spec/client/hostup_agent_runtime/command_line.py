"""The command line. Which commands there are, and what they call, is generated from the document."""

from __future__ import annotations

import argparse
import json
import os
import shlex
import signal
import sys
import threading
import time
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, NoReturn, cast

import httpx

from .connections import Unmade
from .errors import CommandStillRunning, HostUpError, StartLost, printable, without

if TYPE_CHECKING:
    from .client import AuthenticatedClient

LATE, FAILED, KILLED, INTERRUPTED, CLOSED = 124, 125, 137, 130, 141
_EXITS = (
    f"exit codes: that of the command that was run; {LATE} if it has not ended in time; {FAILED} for an error of this "
    f"program; {KILLED} if the command was killed or has no exit code; {INTERRUPTED} if this program was interrupted, "
    "143 if it was terminated"
)
_NO_COMMANDS = f"{FAILED} for an error of this program; {INTERRUPTED} if it was interrupted, 143 if it was terminated"


class Argument(NamedTuple):
    """An argument that must be given: its name in Python, its type and what it is."""

    name: str
    type: Callable[[str], Any]
    help: str


@dataclass(frozen=True, kw_only=True)
class Command:
    """A command of the command line.

    Args:
        name, help: as shown
        kind: ``run`` and ``wait`` return the output of a command, ``ask`` a model, ``list`` many
        call: what is called, with the arguments by name
        arguments: those that must be given
        words: for ``run``, the argument that takes the words of the command
        gate: for ``ask``, the attribute that must be true for exit code 0
        scopes: those that a key needs, for advice
    """

    name: str
    help: str
    kind: Literal["run", "wait", "ask", "list"]
    call: Callable[..., Any]
    arguments: tuple[Argument, ...] = ()
    words: str = ""
    gate: str = ""
    scopes: str = ""

    @property
    def exits(self) -> str:
        """What the exit codes mean."""
        if self.kind in ("run", "wait"):
            return _EXITS
        told = f"0 if {self.gate} is true, 1 if it is not" if self.kind == "ask" else "0 if all were listed"
        return f"exit codes: {told}; {_NO_COMMANDS}"


class _Parser(argparse.ArgumentParser):
    """Ends with this program's own exit code, since any other may be a command's."""

    def error(self, message: str) -> NoReturn:
        self.print_usage(sys.stderr)
        self.exit(FAILED, f"{self.prog}: {message}\n")


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
    hangup = getattr(signal, "SIGHUP", signal.SIGTERM)
    known = {signal.SIGINT: signal.default_int_handler, signal.SIGTERM: signal.SIG_DFL, hangup: signal.SIG_DFL}
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

    def __init__(self, *, is_shown: bool) -> None:
        self._is_shown, self._begun, self._pid = is_shown and sys.stderr.isatty(), time.monotonic(), ""

    def started(self, pid: int) -> None:
        self._pid = f" as {pid}"
        self.show()

    def show(self, _: object = None) -> None:
        self._write(f"\r\x1b[Krunning{self._pid}, {time.monotonic() - self._begun:.0f} s")

    def clear(self) -> None:
        self._write("\r\x1b[K")

    def _write(self, text: str) -> None:
        if self._is_shown:
            sys.stderr.write(text)
            sys.stderr.flush()


def _write(stream: Any, text: str) -> None:
    """Write a text in UTF-8 and byte by byte, whatever the platform does to line ends and the locale to characters."""
    buffer = getattr(stream, "buffer", None)
    if buffer is None:  # somebody has put a stream of text in its place
        stream.write(text)
        stream.flush()
    else:
        stream.flush()
        buffer.write(text.encode("utf-8", "surrogatepass"))
        buffer.flush()


def _nowhere(stream: Any) -> None:
    """Let what is flushed at the end go nowhere."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _last_word(stream: Any, text: str) -> None:
    """Say why this program ends. Where that cannot be written, its exit code alone tells it."""
    try:
        _write(stream, text)
    except OSError:
        _nowhere(stream)


class _CommandLine:
    """The program: its commands, and the client that they are called with."""

    def __init__(
        self, program: str, version: str, description: str, commands: Sequence[Command], make: type[AuthenticatedClient]
    ) -> None:
        self.program, self.version, self.description, self._make = program, version, description, make
        self.commands = {command.name: command for command in commands}
        self.client: AuthenticatedClient | None = None

    def parser(self) -> argparse.ArgumentParser:
        parser = _Parser(prog=self.program, description=self.description, epilog=_EXITS)
        parser.add_argument("--version", action="version", version=f"%(prog)s {self.version}")
        added = parser.add_subparsers(dest="asked", required=True, metavar="COMMAND")
        for command in self.commands.values():
            description = f"{command.help[:1].upper()}{command.help[1:]}."
            one = added.add_parser(command.name, help=command.help, description=description, epilog=command.exits)
            for name, kind, told in command.arguments:
                one.add_argument(name, metavar=name.upper(), type=kind, help=told.replace("%", "%%"))
            if command.words:
                told = "one argument is taken as it is; several, after --, are quoted for a shell"
                one.add_argument(command.words, metavar=command.words.upper(), nargs="*", help=told)
            if command.kind in ("run", "wait"):
                told = "how long to wait at most (default: 300)"
                one.add_argument("--timeout", type=float, default=300.0, metavar="SECONDS", help=told)
                told = "pause between polls (default: a quarter of a second, growing to five seconds)"
                one.add_argument("--interval", type=float, metavar="SECONDS", help=told)
            one.add_argument("--json", action="store_true", help="print JSON")
        return parser

    def arguments(self, given: list[str]) -> argparse.Namespace:
        here = given.index("--") if "--" in given else len(given)
        before, after = given[:here], given[here + 1 :]
        parser = self.parser()
        # Words of a command may also come after options; argparse leaves those over.
        arguments, left = parser.parse_known_args(before)
        named = self.commands[arguments.asked].words
        if named:
            words = [*getattr(arguments, named), *(word for word in left if not word.startswith("-")), *after]
            left = [word for word in left if word.startswith("-")]
            if not left and not words:
                parser.error("the command to run is missing")
            setattr(arguments, named, words[0] if len(words) == 1 else shlex.join(words))
        elif after:
            parser.error("nothing may stand after --")
        if left:
            hint = " (-- goes before a command with options)" if named else ""
            parser.error(f"unrecognized arguments: {' '.join(left)}{hint}")
        return arguments

    def do(self, arguments: argparse.Namespace, client: AuthenticatedClient) -> int:
        command = self.commands[arguments.asked]
        names = [name for name, *_ in command.arguments] + ([command.words] if command.words else [])
        values = {name: getattr(arguments, name) for name in names}
        if command.kind == "ask":
            return self._told(command.call(**values, client=client), command.gate, as_json=arguments.json)
        if command.kind == "list":
            return self._listed(command.call(**values, client=client), as_json=arguments.json)
        progress = _Progress(is_shown=not arguments.json)
        values |= {"timeout": arguments.timeout, "interval": arguments.interval, "on_progress": progress.show}
        if command.kind == "run":
            values["on_start"] = progress.started
        try:
            output = command.call(**values, client=client)
        finally:
            progress.clear()
        return _ended(output, as_json=arguments.json)

    def _told(self, model: Any, gate: str, *, as_json: bool) -> int:
        members = model.to_dict()
        lines = (
            [_json(members)]
            if as_json
            else [printable(f"{name}: {json.dumps(value, ensure_ascii=False)}") for name, value in members.items()]
        )
        self._say("".join(f"{line}\n" for line in lines))
        return 0 if getattr(model, gate) is True else 1

    def _listed(self, items: Iterable[Any], *, as_json: bool) -> int:
        for item in items:
            values = [getattr(item, member.attribute) for member in item.members]
            plain = "\t".join(printable(str(value)) if value or value == 0 else "-" for value in values)
            self._say(f"{_json(item.to_dict()) if as_json else plain}\n")
        return 0

    def _say(self, text: str) -> None:
        """Print what a server says, which may repeat the key."""
        _write(sys.stdout, without(_written(self.client.token), text) if self.client is not None else text)

    def main(self, arguments: argparse.Namespace) -> int:
        try:
            with self._make(application="cli", retries=2) as self.client:
                code = self.do(arguments, self.client)
                sys.stdout.flush()
                return code
        except BrokenPipeError:
            _nowhere(sys.stdout)
            return CLOSED
        except KeyboardInterrupt as interrupted:
            notes = getattr(interrupted, "__notes__", [])
            _last_word(sys.stderr, "; ".join([f"{self.program}: interrupted", *notes]) + "\n")
            return 128 + getattr(interrupted, "number", signal.SIGINT)
        except Exception as error:
            self._tell(error, arguments)
            return LATE if isinstance(error, CommandStillRunning) else FAILED

    def _tell(self, error: Exception, arguments: argparse.Namespace) -> None:
        pid = getattr(error, "pid", None)
        text = "; ".join([self._text(error), *self._advice(error, arguments)])
        if arguments.json:
            known = {} if pid is None else {"pid": pid}
            _last_word(sys.stdout, json.dumps({"error": type(error).__name__, "message": text, **known}) + "\n")
        else:
            known_pid = "" if pid is None else f"; pid {pid}"
            _last_word(sys.stderr, f"{self.program}: {text}{known_pid}\n")

    def _text(self, error: Exception) -> str:
        text = str(error)
        if not isinstance(error, HostUpError):  # what a library says may quote bytes of a server
            text = printable(text)[:300]
            text = text if isinstance(error, TypeError | ValueError) else f"{type(error).__name__}: {text}"
            if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout):
                text += f" (check {self._make.contract.base_url_variable}, the network, and a proxy if one is set)"
        return text.replace(self.client.token, "[key]") if self.client is not None else text

    def _advice(self, error: Exception, arguments: argparse.Namespace) -> list[str]:
        """Say what it means for the one who gave these arguments, and what can be done."""
        contract, command = self._make.contract, self.commands[arguments.asked]
        lister = next((one.name for one in self.commands.values() if one.kind == "list"), "")
        response, status = getattr(error, "response", None), getattr(error, "status_code", None)
        is_html = response is not None and "html" in response.headers.get("content-type", "").lower()
        pid, has_notes = getattr(error, "pid", None), hasattr(error, "__notes__")
        words = [self.program, "wait", *(str(getattr(arguments, name)) for name, *_ in command.arguments[:1]), str(pid)]
        is_told = isinstance(error, StartLost | TypeError | ValueError) and not isinstance(error, Unmade)
        is_before = pid is None and not has_notes and not is_told
        advice = {
            f"a page for people came: check {contract.base_url_variable}": is_html,
            f"check {contract.key_variable}": status == 401,
            f"{command.name} needs a key with {command.scopes}": status == 403 and command.scopes,
            "a command whose end was polled is forgotten": status == 404 and command.kind == "wait",
            f"go on with: {shlex.join(words)}": isinstance(error, CommandStillRunning) and pid is not None,
            "a command may have been started": isinstance(error, StartLost),
            f"check the id: {self.program} {lister} shows those there are": (
                status == 404 and pid is None and command.kind in ("ask", "run") and lister
            ),
            "nothing was started": command.kind == "run" and is_before,
        }
        return [*getattr(error, "__notes__", []), *(text for text, is_due in advice.items() if is_due)]


def _written(key: str) -> list[str]:
    """List how a key may stand in what is printed: as it is, and in a string of JSON, with more escapes or fewer."""
    return [key, *(json.dumps(key, ensure_ascii=is_ascii)[1:-1] for is_ascii in (True, False))]


def _json(value: Any) -> str:
    """Write JSON, which has no number that is beyond all others."""
    return json.dumps(_finite(value), allow_nan=False)


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _finite(member) for name, member in cast("dict[str, Any]", value).items()}
    if isinstance(value, list):
        return list(map(_finite, cast("Iterable[Any]", value)))
    return None if isinstance(value, float) and not isfinite(value) else value


def _ended(output: Any, *, as_json: bool) -> int:
    code: int | None = output.exit_code
    try:
        if as_json:
            _write(sys.stdout, f"{_json(output.to_dict())}\n")
        else:
            _write(sys.stdout, output.stdout_text)
            _write(sys.stderr, output.stderr_text)
    except OSError as error:
        error.add_note(f"its output cannot be printed; the exit code was {'none' if code is None else code}")
        raise
    if code is None:
        return KILLED
    # A shell sees the lowest eight bits alone, and a failure must not look like success.
    return code if 0 <= code <= 255 else code % 256 or 1


def main(
    argv: Sequence[str] | None,
    *,
    program: str,
    version: str,
    description: str,
    commands: Sequence[Command],
    make: type[AuthenticatedClient],
) -> int:
    """Do what the arguments ask for, and return the exit code."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:  # it was closed
            setattr(sys, name, open(os.devnull, "w"))  # noqa: SIM115
        elif hasattr(stream, "reconfigure"):  # output may hold what the terminal cannot show
            stream.reconfigure(errors="replace")
    line = _CommandLine(program, version, description, commands, make)
    arguments = line.arguments(list(sys.argv[1:] if argv is None else argv))
    with _telling():
        return line.main(arguments)
