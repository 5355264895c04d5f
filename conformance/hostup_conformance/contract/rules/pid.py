"""PID: which command. Every request here has the full key and is for a VPS of the caller, except in PID-05."""

from __future__ import annotations

from hostup_conformance.contract.ask import NOT_OFFERED, Exchange, Pid, is_devious
from hostup_conformance.contract.content import AVAILABILITY, OUTPUT, present, status_of
from hostup_conformance.contract.rules import Findings, FindingsAcross, Selector, across, each
from hostup_conformance.contract.selectors import (
    below,
    command_of,
    failed,
    is_from_firewall,
    is_start_on_own,
    is_undecodable,
    judged,
    proper_command,
    refused,
)
from hostup_conformance.contract.target import Target


def with_pid(*kinds: Pid) -> Selector:
    """Select requests with the full key for the caller's own VPS whose pid is of one of these kinds."""
    return lambda e: judged(e) and e.ask.credential == "full" and e.ask.vps == "own" and e.ask.pid in kinds


@each("PID-01", with_pid(Pid.INVALID))
def no_integer_is_refused(e: Exchange) -> Findings:
    """A status code below 400 is a finding, whatever the body. PID-06 judges a 5xx, PID-11 what looks like a number."""
    if below(e, 400):
        yield "a 4xx", status_of(e)


@each("PID-02", lambda e: with_pid(Pid.INVALID)(e) and refused(e) and not is_from_firewall(e))
def no_integer_is_400(e: Exchange) -> Findings:
    """Of the 4xx, 400 and 404 pass: some routers find no path where a parameter has the wrong type.

    A refusal by a firewall, in a form of its own, is exempt.
    """
    if e.status not in {400, 404}:
        yield "status 400, or 404", status_of(e)


@each("PID-03", with_pid(Pid.IMPOSSIBLE))
def impossible_is_refused(e: Exchange) -> Findings:
    """A status code below 400 is a finding. PID-06 judges a 5xx."""
    if below(e, 400):
        yield "a 4xx", status_of(e)


@each("PID-04", with_pid(Pid.UNKNOWN))
def unknown_is_refused(e: Exchange) -> Findings:
    """A status code below 400 is a finding. PID-06 judges a 5xx."""
    if below(e, 400):
        yield "a 4xx", status_of(e)


def polls_elsewhere(exchanges: list[Exchange], target: Target) -> list[Exchange]:
    """Return the polls of the commands that were named or started, under another VPS than theirs."""
    commands = commands_of(target)
    return [e for e in exchanges if e.ask.number in commands]


@each(
    "PID-05",
    lambda e: judged(e) and e.ask.credential == "full" and e.ask.vps in {"unavailable", "foreign"},
    exercised_by=polls_elsewhere,
)
def belongs_to_its_vps(e: Exchange) -> Findings:
    """Command output in a 200 is a finding if the pid is of a command of the caller's other VPS.

    Anything else passes.
    """
    if shows_output(e):
        yield "a 4xx", f"command output ({', '.join(present(e, OUTPUT))})"


def commands_of(target: Target) -> set[int]:
    """Return the pids of the commands that were named or started, all on one VPS."""
    return {pid for pid in (target.running_pid, target.finished_pid, *target.started_pids) if pid is not None}


@each("PID-06", with_pid(Pid.UNKNOWN, Pid.IMPOSSIBLE, Pid.LOOSE, Pid.INVALID, Pid.EMPTY, Pid.REPEATED))
def no_pid_is_5xx(e: Exchange) -> Findings:
    """A 5xx is a finding; any other status code passes. HTTP-08 judges a 5xx for a pid that is not UTF-8."""
    if failed(e) and not is_undecodable(e):
        yield "no 5xx", status_of(e)


@each("PID-07", with_pid(Pid.EMPTY))
def empty_pid(e: Exchange) -> Findings:
    """Reports the status code of the response, and judges nothing."""
    yield "", status_of(e)


@each("PID-08", with_pid(Pid.REPEATED))
def repeated_pid(e: Exchange) -> Findings:
    """Reports the status code of the response, and judges nothing."""
    yield "", status_of(e)


def is_improper_start(e: Exchange) -> bool:
    """A start with the full key on the caller's own VPS whose command is not as documented."""
    return is_start_on_own(e) and proper_command(e.request) is None


def is_empty_start(e: Exchange) -> bool:
    """A POST without a body, with the full key for the caller's own VPS, to a server that offers starts."""
    ours = e.ask.endpoint and e.ask.credential == "full" and e.ask.vps == "own" and e.ask.pid == Pid.ABSENT
    bare = e.request.method == "POST" and not e.request.body and not is_devious(e.request)
    return ours and bare and e.status is not None and e.status not in {404, 429, *NOT_OFFERED}


def is_scalar(e: Exchange) -> bool:
    """Whether the command of a start is a number or a boolean."""
    return isinstance(command_of(e.request), bool | int | float)


@each("PID-09", lambda e: is_improper_start(e) or is_empty_start(e))
def no_improper_start(e: Exchange) -> Findings:
    """Any 4xx passes; any other status code is a finding. START-26 judges a 5xx for a body that is no readable JSON.

    The start of a number or a boolean passes, since many validators take it for the text that it is written as.
    """
    if not refused(e) and not (failed(e) and is_undecodable(e)) and not (e.status == 200 and is_scalar(e)):
        yield "a 4xx", status_of(e)


def refused_for_their_command(exchanges: list[Exchange], _target: Target) -> list[Exchange]:
    """Return the refused starts without a proper command; none if the server forbids proper ones too."""
    proper = {e.status for e in exchanges if not is_improper_start(e)}
    improper = [e for e in exchanges if is_improper_start(e) and refused(e) and not is_from_firewall(e)]
    return [] if proper == {403} else improper


@each("PID-10", is_start_on_own, exercised_by=refused_for_their_command)
def improper_start_is_400(e: Exchange) -> Findings:
    """Of the 4xx, 400 passes, and 413 as well, which says of a command that it is too long.

    A page of a firewall that takes the body for an attack passes. A server that forbids every start with 403 is not
    judged.
    """
    if e.status not in {400, 413}:
        yield "status 400", status_of(e)


@each("PID-11", with_pid(Pid.LOOSE, Pid.REPEATED))
def pid_is_not_ignored(e: Exchange) -> Findings:
    """A member of the availability in a 200 is a finding.

    A refusal passes, and so does command output. POLL-02 judges a pid that is an integer, and PID-01 one that no parser
    takes for an integer.
    """
    if e.status == 200 and (shown := present(e, AVAILABILITY)):
        yield "a 4xx, or command output", f"the availability ({', '.join(shown)})"


@across("PID-12", with_pid(Pid.FINISHED, Pid.RUNNING, Pid.UNKNOWN, Pid.IMPOSSIBLE, Pid.LOOSE))
def of_no_other_command(exchanges: list[Exchange], target: Target) -> FindingsAcross:
    """Command output in a 200 is a finding if a command has that pid only without the sign, or in the lowest 32 bits.

    A server that has output for every unknown pid is exempt, since PID-04 judges it. A pid that some parsers take for
    an integer may get the output of the command with that integer; exited true is a finding if that command was still
    seen to run later.
    """
    made_up = any(shows_output(e) and e.ask.pid == Pid.UNKNOWN and (e.ask.number or 0) < 2**31 for e in exchanges)
    seen_running = [
        e for e in exchanges if e.ask.pid == Pid.RUNNING and shows_output(e) and e.body.get("exited") is False
    ]
    ran_until = seen_running[-1].number if seen_running else 0
    commands = commands_of(target)
    for e in exchanges:
        if e.ask.pid.known or made_up or not shows_output(e):
            continue
        if e.ask.number is not None and abs(e.ask.number) % 2**32 in commands:
            yield e, "a 4xx", f"command output ({', '.join(present(e, OUTPUT))})"
        elif e.ask.pid == Pid.LOOSE and e.number < ran_until and e.body.get("exited") is True:
            yield e, "a 4xx, or the state of the command that runs", {"exited": True}


def shows_output(e: Exchange) -> bool:
    """Whether a response is a 200 with command output."""
    return e.status == 200 and bool(present(e, OUTPUT))


@across("PID-13", with_pid(Pid.LOOSE))
def accepted_forms(exchanges: list[Exchange], _target: Target) -> FindingsAcross:
    """Reports which ways to write a pid get a 200, and judges nothing."""
    taken = [e.ask.pids[0] for e in exchanges if e.status == 200]
    for e in exchanges[:1]:
        yield e, "", f"taken for an integer: {', '.join(map(repr, taken))}" if taken else "all are refused"
