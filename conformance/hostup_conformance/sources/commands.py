"""With `--allow-exec`: starts harmless commands, to judge their starts and ends, and to have pids if none was named.

The first command finds out what runs commands in the guest; the others depend on that. What a guest cannot do, or a
provider blocks, is left out.
"""

from __future__ import annotations

import json
import time
from base64 import b64encode
from contextlib import suppress
from dataclasses import replace
from functools import partial
from secrets import token_hex
from typing import TYPE_CHECKING, Any

from hostup_conformance.contract.ask import SLEEP, Pid, new_pid, with_started_commands
from hostup_conformance.contract.commands import (
    SLOW_SECONDS,
    Command,
    Guest,
    again,
    asks_guest,
    catalogue,
    guest_of,
    refused,
    trace,
)
from hostup_conformance.contract.paths import LONGEST_COMMAND, path_of
from hostup_conformance.contract.selectors import BUSY, member
from hostup_conformance.core.messages import Headers, Request
from hostup_conformance.core.wire import AT_ONCE, Stopped, Withheld
from hostup_conformance.sources import dependent
from hostup_conformance.sources.requests import BASE_HEADERS, ClientCall, Stage, Step, authorization, authorized
from hostup_conformance.sources.script import Script, run_stages, step_through
from hostup_conformance.sources.side_by_side import side_by_side

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from hostup_conformance.contract.ask import Exchange
    from hostup_conformance.contract.sending import Wire
    from hostup_conformance.contract.target import Target

#: Characters of two, three and four bytes, and some that encodings other than UTF-8 would change.
BEYOND_ASCII = "hostup-conformance-åße\u0301-€-😀-%20+:,=@/"
#: How many scenarios of linked requests there are, and of how many requests each.
SCENARIOS, STEPS = 2, 3
#: The greatest number of commands that are started: by `Life`, and by the scenarios.
MOST_COMMANDS = 34 + SCENARIOS * STEPS
#: For how many seconds a command that ends at once is polled, and the first and the longest pause between two polls.
PATIENCE, PAUSE, LONGEST_PAUSE = 4.0, 0.05, 0.5


class CommandScript(Script):
    """Writes the steps that start commands, as `Script` writes the others."""

    def refused(self, token: str | None) -> Stage:
        """Return the starts that must be refused. With a token, their commands leave a trace if they run."""
        return Stage(self._offered(self._refused(token)), ordered=False)

    def _refused(self, token: str | None) -> Iterator[Step]:
        target = self.target
        marked = (refused(number, token).text if token else echo() for number in range(100))

        def body() -> bytes:
            return body_of(next(marked))

        yield Step("a start without a key", post(target, body(), key=None), "credentials")
        for key in (self._other_key(), target.key[:-1], target.key.swapcase()):
            if key not in {"", target.key}:
                yield Step("a start with a wrong key", post(target, body(), key=key), "credentials")
        ordered = (("Prefer", "code=429"),)
        yield Step("a start, and an ordered 429", post(target, body_of(echo()), headers=ordered))
        basic = f"Basic {b64encode(f':{target.key}'.encode()).decode()}"
        yield Step(
            "a start with the key under Basic",
            post(target, body(), key=None, headers=(("Authorization", basic),)),
            "credentials",
        )
        if target.read_key:
            yield Step("a start with read:vm alone", post(target, body(), key=target.read_key), "scopes")
        yield Step("a start in an unknown VPS", post(target, body(), vps=self._unknown_vps()), "ids")
        if target.foreign_vps:
            yield Step("a start in somebody else's VPS", post(target, body(), vps=target.foreign_vps), "ids")
        if target.unavailable_vps:
            yield Step("a start in the VPS without an agent", post(target, body(), vps=target.unavailable_vps), "ids")
        yield from self._improper(marked)

    def _improper(self, marked: Iterator[str]) -> Iterator[Step]:
        """Yield starts with an invalid command, and with methods other than POST; `marked` yields valid commands."""
        target = self.target
        too_long = next(marked).ljust(LONGEST_COMMAND + 1, " ")
        no_commands = ["", None, 5, ["/bin/sh", "-c", next(marked)], {"run": next(marked)}]
        for bad in (b"{}", b"[]", b"null", b"{", b"\xff\xfe{", b"[" * 3000, *map(body_of, [*no_commands, too_long])):
            yield Step("a start without a proper command", post(target, bad), "input")
        for odd in ("\0", "\ud800"):
            yield Step("a start whose command has what no guest is given", post(target, body_of(echo() + odd)), "input")
        if not self.careful:
            for method in ("PUT", "PATCH"):
                as_start = replace(post(target, body_of(next(marked))), method=method)
                yield Step(f"{method}, with a command", as_start, "input")


def stages(target: Target, *, careful: bool, token: str | None = None) -> list[Stage]:
    """Return the stages of the scripted probe, including the starts if commands may be started."""
    probing = Script(target, careful=careful).stages()
    if target.allow_exec:
        probing.insert(1, CommandScript(target, careful=careful).refused(token))
    return probing


def run(wire: Wire, target: Target, *, careful: bool, slow_seconds: float = SLOW_SECONDS) -> None:
    """Send the scripted requests; if commands may be started, start some first, and poll them to their end in between.

    The first command started is the ended one that the last steps need, so it has ended by then.
    """
    if target.allow_exec:
        run_with_commands(wire, target, careful=careful, slow_seconds=slow_seconds)
    else:
        run_stages(wire, target, stages(target, careful=careful))
    target = with_started_commands(target, wire.exchanges)
    said = [member(e, "exited") for e in wire.exchanges if e.ask.pid == Pid.FINISHED and e.status == 200]
    if target.finished_pid and said and said[-1] is False:
        # A server that asks the agent only now and then notices an end late.
        follow(wire, target, target.finished_pid)
    if not careful:
        with suppress(Stopped):
            dependent.overrun(wire, target)


def run_with_commands(wire: Wire, target: Target, *, careful: bool, slow_seconds: float) -> None:
    """Start the commands, send the script, poll the commands to their end, and send the last steps of the script."""
    life = Life(wire, target, slow_seconds)
    with suppress(Stopped):
        life.begin()
    target = with_started_commands(target, wire.exchanges)
    first, then = split(stages(target, careful=careful, token=life.token if life.traced else None))
    run_stages(wire, target, first)
    with suppress(Stopped):
        life.end()
    run_stages(wire, target, then)


def split(stages: list[Stage]) -> tuple[list[Stage], list[Stage]]:
    """Separate the stages that come before the commands' end from those that come after it."""
    return [stage for stage in stages if not stage.at_the_end], [stage for stage in stages if stage.at_the_end]


class Life:
    """The commands of a run, from their start to the poll that reports their end."""

    def __init__(self, wire: Wire, target: Target, slow_seconds: float) -> None:
        self._wire, self._target, self._slow_seconds = wire, target, slow_seconds
        self.token = token_hex(6)
        #: Whether a file in the guest will show which of the refused commands ran.
        self.traced = False
        self._pids: dict[str, int | None] = {}
        #: The pid of the command of which some polls are refused before the first good one.
        self._spare: int | None = None
        self._postponed: list[Command] = []

    def begin(self) -> None:
        """Start all commands, and check that the slow one runs."""
        if not self._target.finished_pid:
            self._start("the start of a command that ends", echo())
        guest = self._guest()
        self._spare = self._start("the start of a command, by the generated client", echo(), by_client=True)
        self._start("the start of a command beyond ASCII", f"echo {BEYOND_ASCII}")
        if not self._target.running_pid:
            self._start("the start of a command that runs on", SLEEP)
        commands = catalogue(guest, self.token, self._slow_seconds) if guest else []
        if guest == "posix":
            # The guest only gets files that can be removed again, so this is tried first.
            ended = self._follow([self._start("the start of a command that removes its files", trace(self.token).text)])
            self.traced = any(member(e, "exited") is True for e in ended)
        else:
            self._start("the start of a command of the greatest length", echo().ljust(LONGEST_COMMAND, "x"))
        if not self.traced:
            commands = [command for command in commands if command.name not in {"once", "again"}]
        self._start_all(commands)
        if slow := self._pids.get("slow"):
            self._poll(slow, "a poll of the command that runs for a while")
        self._framed()

    def end(self) -> None:
        """Poll all commands to their end, and find out which refused ones ran."""
        if self._spare:
            path = f"{path_of(self._target.vps)}?pid={self._spare}"
            for key in {None, self._target.read_key}:
                refused = Request("GET", path, (*BASE_HEADERS, *authorization(self._target, key)))
                step_through(self._wire, self._target, Step("a poll that is refused, before one that is not", refused))
        if shared := self._pids.get("shared"):
            side_by_side([partial(self._poll, shared, "one of several polls at the same time")] * AT_ONCE, AT_ONCE)
        self._follow(self._outstanding())
        postponed, self._postponed = self._postponed, []
        for command in postponed:
            self._follow([self._start(purpose_of(command), command.text)])
        if self.traced:
            self._follow([self._start("the start of the same command again", again(self.token).text)])
            self._follow([self._start("the start of a command that tells what ran", trace(self.token).text)])
        self._follow(self._outstanding())

    def _guest(self) -> Guest | None:
        """Find out what runs commands in the guest."""
        text = asks_guest(self.token)
        ended = self._follow([self._start("the start of a command that tells what the guest is", text)])
        return next((guest for e in ended if (guest := guest_of(self.token, member(e, "stdout")))), None)

    def _start_all(self, commands: Iterable[Command]) -> None:
        """Start commands, several at once; postpone those for which the server is too busy."""

        def start(command: Command) -> None:
            with suppress(Stopped):
                self._pids[command.name] = self._start(purpose_of(command), command.text, postpone=command)

        side_by_side([partial(start, command) for command in commands], AT_ONCE)

    def _framed(self) -> None:
        """Start commands with requests that are framed or labelled in an unusual way."""
        target, chunked = self._target, (("Transfer-Encoding", "chunked"),)
        requests = {
            "a start, chunked": post(target, body_of(echo()), headers=chunked),
            "a start with a charset": post(target, body_of(echo()), content_type="application/json; charset=utf-8"),
        }
        for purpose, request in requests.items():
            step_through(self._wire, target, Step(purpose, request))

    def _start(
        self, purpose: str, command: str, *, by_client: bool = False, postpone: Command | None = None
    ) -> int | None:
        """Start a command; return its pid, or None if no response had one."""
        client = ClientCall(self._target.vps, None, None, command) if by_client else None
        step = Step(purpose, post(self._target, body_of(command)), client=client)
        exchange = step_through(self._wire, self._target, step)
        if postpone and (exchange is None or exchange.status in BUSY):
            self._postponed.append(postpone)
        return new_pid(exchange) if exchange else None

    def _outstanding(self) -> list[int]:
        """Return the pids of started commands whose end has not been reported yet."""
        polled = [e for e in self._wire.exchanges if e.ask.pid.known and e.ask.credential == "full"]
        ended = {e.ask.number for e in polled if member(e, "exited") is not False}
        return sorted(with_started_commands(self._target, self._wire.exchanges).started_pids - ended)

    def _follow(self, pids: Sequence[int | None]) -> list[Exchange]:
        """Poll commands until each has ended, several at once; return the last exchange of each."""
        followed = side_by_side([partial(follow, self._wire, self._target, pid) for pid in pids if pid], AT_ONCE)
        return [exchange for exchange in followed if exchange]

    def _poll(self, pid: int, purpose: str) -> Exchange | None:
        with suppress(Withheld, Stopped):
            return self._wire.send(poll(self._target, pid), purpose=purpose)
        return None


def follow(wire: Wire, target: Target, pid: int) -> Exchange | None:
    """Poll a command until it has ended, or until the wire sends no more; return the last exchange."""
    pause, deadline = PAUSE, time.monotonic() + PATIENCE
    exchange = None
    with suppress(Stopped, Withheld):
        while True:
            exchange = wire.send(poll(target, pid), purpose="a poll of the command that was started")
            if member(exchange, "exited") is not False or time.monotonic() > deadline:
                break
            wire.wait(pause)
            pause = min(2 * pause, LONGEST_PAUSE)
    return exchange


def purpose_of(command: Command) -> str:
    """Return the purpose of starting a command."""
    return f"the start of a command whose end is known ({command.name.replace('_', ' ')})"


def poll(target: Target, pid: int) -> Request:
    """Return the poll of a command, with the full key."""
    return authorized(f"{path_of(target.vps)}?pid={pid}", target)


def post(
    target: Target,
    body: bytes,
    *,
    vps: str | None = None,
    key: str | None = "",
    headers: Headers = (),
    content_type: str = "application/json",
) -> Request:
    """Return the start of a command, with the full key unless another or None is given."""
    all_headers = (*BASE_HEADERS, ("Content-Type", content_type), *headers, *authorization(target, key))
    return Request("POST", path_of(vps or target.vps), all_headers, body)


def body_of(command: Any) -> bytes:
    """Return a body with a command, valid or not."""
    return json.dumps({"command": command}).encode()


def echo() -> str:
    """Return a command that prints a unique text with small and capital letters."""
    return f"echo hostup-conformance-{token_hex(8)}-aZ"
