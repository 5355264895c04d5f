"""With `--allow-exec`: harmless commands, to judge how one is started, and to have pids where none were given.

They are for a POSIX shell: `echo` with a random text, and `sleep`.
"""

from __future__ import annotations

import json
import time
from base64 import b64encode
from contextlib import suppress
from secrets import token_urlsafe
from typing import TYPE_CHECKING, Any

from hostup_conformance.contract.ask import SLEEP, known
from hostup_conformance.contract.paths import LONGEST_COMMAND, path_of
from hostup_conformance.core.messages import Headers, Request
from hostup_conformance.core.wire import Stopped
from hostup_conformance.sources import listing
from hostup_conformance.sources.requests import BASE_HEADERS, ClientCall, Stage, Step, authorization, authorized
from hostup_conformance.sources.script import Script, run, step_through

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hostup_conformance.contract.sending import Wire
    from hostup_conformance.contract.target import Target

#: Characters of two, three and four bytes, and some that encodings other than UTF-8 would change.
BEYOND_ASCII = "hostup-conformance-åß-€-😀-%20+:,=@/"
#: How many scenarios of linked requests there are, and of how many requests each.
SCENARIOS, STEPS = 3, 4
#: Those that `begin` starts, and those that the scenarios may.
MOST_COMMANDS = 5 + SCENARIOS * STEPS
#: How often a command that ends at once is polled, and how many seconds lie between.
POLLS, PAUSE = 20, 0.1


class CommandScript(Script):
    """Writes the steps of starts, as the script of the probe writes the others."""

    def refused(self) -> Stage:
        """Return the starts that are to be refused. Where one is not, what it starts is harmless."""
        return Stage(self._offered(self._refused()), ordered=False)

    def _refused(self) -> Iterator[Step]:
        target, body = self.target, body_of(echo())
        yield Step("a start without a key", post(target, body, key=None), "credentials")
        for key in (self._other_key(), target.key[:-1], target.key.swapcase()):
            if key not in {"", target.key}:
                yield Step("a start with a wrong key", post(target, body, key=key), "credentials")
        ordered = (("Prefer", "code=429"),)
        yield Step("a start, and an ordered 429", post(target, body, headers=ordered))
        basic = f"Basic {b64encode(f':{target.key}'.encode()).decode()}"
        yield Step(
            "a start with the key under Basic",
            post(target, body, key=None, headers=(("Authorization", basic),)),
            "credentials",
        )
        if target.read_key:
            yield Step("a start with read:vm alone", post(target, body, key=target.read_key), "scopes")
        yield Step("a start in an unknown VPS", post(target, body, vps=self._unknown_vps()), "ids")
        if target.foreign_vps:
            yield Step("a start in somebody else's VPS", post(target, body, vps=target.foreign_vps), "ids")
        if target.unavailable_vps:
            yield Step("a start in the VPS without an agent", post(target, body, vps=target.unavailable_vps), "ids")
        too_long = body_of("echo " + "x" * (LONGEST_COMMAND - 4))
        no_commands = [body_of(command) for command in ("", None, 5, ["echo"], {"run": "echo"})]
        for bad in (b"{}", b"[]", b"null", b"{", *no_commands, too_long):
            yield Step("a start without a proper command", post(target, bad), "input")


def stages(target: Target, *, careful: bool) -> list[Stage]:
    """Return the stages of the scripted probe, with the starts if commands may be started."""
    probing = Script(target, careful=careful).stages()
    if target.allow_exec:
        probing.insert(1, CommandScript(target, careful=careful).refused())
    return probing


def take(wire: Wire, target: Target, *, careful: bool) -> None:
    """Follow commands from start to end if they may be started, then take the script."""
    if target.allow_exec:
        begin(wire, target)
    target = known(target, wire.exchanges)
    run(wire, target, stages(target, careful=careful))
    listing.take(wire, target)


def begin(wire: Wire, target: Target) -> None:
    """Start commands, and follow them to their end; and those that the script needs where no pid was named.

    The ended command that the later steps need is started first, so it has ended when those have that are followed.
    """
    if not target.finished_pid:
        start(wire, target, "the start of a command that ends", echo())
    start(wire, target, "the start of a command, by the generated client", echo(), by_client=True)
    start(wire, target, "the start of a command of the greatest length", echo().ljust(LONGEST_COMMAND, "x"))
    start(wire, target, "the start of a command beyond ASCII", f"echo {BEYOND_ASCII}")
    if not target.running_pid:
        start(wire, target, "the start of a command that runs on", SLEEP)
    target = known(target, wire.exchanges)
    for pid in sorted(target.started_pids):
        follow(wire, target, pid)


def follow(wire: Wire, target: Target, pid: int) -> None:
    """Poll a command until it has ended, and once more; or until the wire sends no more."""
    request = poll(target, pid)
    with suppress(Stopped):
        for _ in range(POLLS):
            exchange = wire.send(request, purpose="a poll of the command that was started")
            if not isinstance(exchange.body, dict) or exchange.body.get("exited") is not False:
                break
            time.sleep(PAUSE)
        wire.send(request, purpose="the command that was started, once more")


def start(wire: Wire, target: Target, purpose: str, command: str, *, by_client: bool = False) -> None:
    """Start a command."""
    client = ClientCall(target.vps, None, None, command) if by_client else None
    step_through(wire, target, Step(purpose, post(target, body_of(command)), client=client))


def poll(target: Target, pid: int) -> Request:
    """Return the poll of a command, with the full key."""
    return authorized(f"{path_of(target.vps)}?pid={pid}", target)


def post(
    target: Target, body: bytes, *, vps: str | None = None, key: str | None = "", headers: Headers = ()
) -> Request:
    """Return the start of a command, with the full key unless another or None is given."""
    all_headers = (*BASE_HEADERS, ("Content-Type", "application/json"), *headers, *authorization(target, key))
    return Request("POST", path_of(vps or target.vps), all_headers, body)


def body_of(command: Any) -> bytes:
    """Return the body with a command, proper or not."""
    return json.dumps({"command": command}).encode()


def echo() -> str:
    """Return a command that prints a text of its own, in both cases."""
    return f"echo hostup-conformance-{token_urlsafe(12)}-aZ"
