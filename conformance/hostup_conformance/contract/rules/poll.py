"""POLL: command output, which a request with pid gets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hostup_conformance.contract.ask import Pid, is_start
from hostup_conformance.contract.rules import Findings, FindingsAcross, across, each
from hostup_conformance.contract.selectors import (
    AVAILABILITY,
    OUTPUT,
    asks_output,
    envelope_of,
    has_json,
    is_output,
    is_poll,
    member,
    misspelled,
    started,
    status_of,
    succeeded,
)
from hostup_conformance.core.ledger import members_of

if TYPE_CHECKING:
    from hostup_conformance.contract.ask import Exchange
    from hostup_conformance.contract.target import Target


#: The members of the answer to a start.
STARTED = members_of("StartedCommand")


def of_finished(e: Exchange) -> bool:
    """A poll of the command that has ended, by a key that may."""
    return asks_output(e) and e.ask.pid == Pid.FINISHED


def of_running(e: Exchange) -> bool:
    """A poll of the command that runs, by a key that may."""
    return asks_output(e) and e.ask.pid == Pid.RUNNING


@each("POLL-01", lambda e: succeeded(e) and is_poll(e) and has_json(e))
def has_exited(e: Exchange) -> Findings:
    """A bare object with the boolean exited. A missing one beside members of the availability is POLL-02's."""
    if not isinstance(e.body, dict):
        yield "a JSON object", e.body
    elif "exited" in e.body:
        if not isinstance(e.body["exited"], bool):
            yield "exited: a boolean", e.body["exited"]
    elif not any(name in e.body for name in AVAILABILITY):
        envelope = envelope_of(e.body)
        yield (
            "the member exited",
            f"an envelope with the member {envelope}" if envelope else f"members {sorted(e.body)}",
        )


@each("POLL-02", is_output)
def not_availability(e: Exchange) -> Findings:
    """None of the members of the availability."""
    if found := [name for name in AVAILABILITY if name in e.body]:
        yield "command output", f"members of the availability ({', '.join(found)})"


@each("POLL-03", is_output)
def types(e: Exchange) -> Findings:
    """As the real agent has them; true is no integer."""
    code = e.body.get("exitCode")
    if code is not None and (isinstance(code, bool) or not isinstance(code, int)):
        yield "exitCode: an integer or null", code
    for name in ("stdout", "stderr"):
        if not isinstance(e.body.get(name), str | None):
            yield f"{name}: a string or null", e.body[name]


@each("POLL-04", lambda e: is_output(e) or started(e))
def spelling(e: Exchange) -> Findings:
    """A documented name in another spelling is meant to be the documented one."""
    names = STARTED if is_start(e) else OUTPUT
    if found := misspelled(e.body, names):
        yield f"the spelling {', '.join(names)}", ", ".join(found)


@across("POLL-05", asks_output)
def known_is_answered(exchanges: list[Exchange], _target: Target) -> FindingsAcross:
    """A running command is not refused; an ended one may have been forgotten, but is no reason to fail."""
    ended = set[str]()
    for e in exchanges:
        if member(e, "exited") is True:
            ended.add(e.request.target)
        if e.ask.pid == Pid.RUNNING and e.status != 200 and e.request.target not in ended:
            yield e, "status 200", status_of(e)
        elif (e.status or 0) >= 500 and (e.ask.pid == Pid.FINISHED or e.request.target in ended):
            yield e, "status 200, or 404 if it is forgotten", status_of(e)


@each("POLL-06", lambda e: of_running(e) and is_output(e))
def running_has_not_exited(e: Exchange) -> Findings:
    """The command may have ended since it was given, so this is a warning at most."""
    if e.body.get("exited") is True:
        yield "exited false, for HOSTUP_RUNNING_PID", {"exited": True}


@each("POLL-07", lambda e: of_finished(e) and is_output(e))
def finished_has_exited(e: Exchange) -> Findings:
    """Anything but false."""
    if e.body.get("exited") is False:
        yield "exited true, for HOSTUP_FINISHED_PID", {"exited": False}


@across("POLL-08", of_finished)
def finished_is_answered(exchanges: list[Exchange], _target: Target) -> FindingsAcross:
    """The first poll by a key that may. The pid may have been fetched before the run, so a warning at most."""
    for e in exchanges[:1]:
        if e.status != 200:
            yield e, "status 200 (was HOSTUP_FINISHED_PID polled before this run?)", status_of(e)


@across("POLL-09", lambda e: asks_output(e) and is_output(e))
def never_back(exchanges: list[Exchange], _target: Target) -> FindingsAcross:
    """After exited true comes no exited false."""
    ended: dict[str, Exchange] = {}
    for e in exchanges:
        if e.body.get("exited") is True:
            ended.setdefault(e.request.target, e)
        elif e.body.get("exited") is False and (before := ended.get(e.request.target)):
            yield e, f"exited true, as in request {before.number}, or a 4xx", {"exited": False}
            return


@across("POLL-10", lambda e: of_finished(e) and is_output(e))
def same_again(exchanges: list[Exchange], _target: Target) -> FindingsAcross:
    """Exit code and output are those of the first answer."""
    ended = [e for e in exchanges if e.body.get("exited") is True]
    for e in ended[1:]:
        if changed := [name for name in OUTPUT if e.body.get(name) != ended[0].body.get(name)]:
            yield e, f"the same as in request {ended[0].number}", f"another {', '.join(changed)}"
            return


@each("POLL-11", lambda e: is_output(e) and e.body.get("exited") is False)
def no_code_before_the_end(e: Exchange) -> Findings:
    """Null or absent."""
    if e.body.get("exitCode") is not None:
        yield "no exitCode with exited false", {"exitCode": e.body["exitCode"]}


@across("POLL-12", lambda e: is_output(e) and e.body.get("exited") is False)
def partial_output(exchanges: list[Exchange], _target: Target) -> FindingsAcross:
    """Seen once is seen."""
    for e in exchanges[:1]:
        given = [name for name in ("stdout", "stderr") if e.body.get(name)]
        yield e, "", f"{' and '.join(given)} given while running" if given else "none given while running"


@across("POLL-13", of_finished)
def again(exchanges: list[Exchange], _target: Target) -> FindingsAcross:
    """What came after the first answer with exited true."""
    ended = next((e for e in exchanges if e.status == 200), None)
    later = [e for e in exchanges if ended and e.number > ended.number]
    for e in later[:1]:
        yield e, "", "it can be polled again" if e.status == 200 else f"it is forgotten ({status_of(e)})"


@each("POLL-14", lambda e: is_output(e) and "pid" in e.body)
def names_its_pid(e: Exchange) -> Findings:
    """The same number, in whatever type."""
    asked = e.ask.pids[0]
    if str(e.body["pid"]) != asked:
        yield f"pid {asked}", {"pid": e.body["pid"]}
