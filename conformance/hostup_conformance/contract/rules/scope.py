"""SCOPE: what a key that has read:vm alone may do."""

from __future__ import annotations

from urllib.parse import unquote

from hostup_conformance.contract.ask import Exchange, Pid, is_devious, is_start
from hostup_conformance.contract.content import if_valid, member, named_members, output_members, show_status, status_of
from hostup_conformance.contract.rules import Findings, each
from hostup_conformance.contract.selectors import below, judged
from hostup_conformance.contract.target import Target


@each("SCOPE-01", lambda e: judged(e) and e.ask.credential == "read" and e.ask.vps == "own" and e.ask.pid == Pid.ABSENT)
def read_may_probe(e: Exchange) -> Findings:
    """Any status code but 200 is a finding: the probe needs no other scope than read:vm."""
    if e.status != 200:
        yield f"status 200{if_valid(e)}", status_of(e)


def tells_the_scope(exchanges: list[Exchange], _target: Target) -> list[Exchange]:
    """Return the polls with read:vm alone, without those that got 400 or 404 for a pid that the full key cannot poll.

    The server may have looked for the command first. The full key shows which kinds of pid it can poll in this run.
    """
    seen = {e.ask.pid for e in exchanges if e.ask.credential == "full" and e.status == 200}
    polls = [e for e in exchanges if e.ask.credential == "read"]
    return [e for e in polls if e.ask.pid in seen or e.status not in {400, 404}]


@each(
    "SCOPE-02",
    lambda e: judged(e) and e.ask.vps == "own" and e.ask.pid in {Pid.FINISHED, Pid.RUNNING, Pid.UNKNOWN},
    exercised_by=tells_the_scope,
)
def read_may_not_poll(e: Exchange) -> Findings:
    """The status code must be 403.

    400 and 404 show nothing if the full key got no 200 for that kind of pid in this run, since the server may look for
    the command first.
    """
    if e.status != 403:
        yield "status 403", status_of(e)


@each("SCOPE-03", lambda e: e.response is not None and e.request.method == "HEAD" and e.ask.credential == "read")
def head_needs_the_scope_of_get(e: Exchange) -> Findings:
    """A status code below 400 is a finding, since the same key's GET is refused."""
    if e.ask.pid != Pid.ABSENT and below(e, 400):
        yield "a refusal, as GET gets", show_status(e)


@each("SCOPE-04", lambda e: is_start(e) and e.ask.credential == "read" and e.ask.vps == "own")
def read_may_not_start(e: Exchange) -> Findings:
    """The status code must be 403: the command is as documented and the VPS is the caller's own."""
    if e.status != 403:
        yield "status 403", status_of(e)


def is_disguised_poll(e: Exchange) -> bool:
    """A poll with read:vm alone that is spelled so that a check of the scope may not recognize it."""
    elsewhere = e.ask.resource == "other" and "exec" in unquote(e.request.path).lower()
    odd = not e.ask.pid.well_formed or is_devious(e.request) or elsewhere
    return e.response is not None and e.ask.credential == "read" and odd and not e.ask.starts


@each("SCOPE-05", is_disguised_poll)
def no_variation_bypasses_the_scope(e: Exchange) -> Findings:
    """A member exited, stdout or stderr is a finding, at any depth, and so is the pid of a command in a 200.

    The availability passes: POLL-02 and PID-11 judge whether a pid may be ignored. SAFETY-03 judges output in an error.
    """
    if below(e, 400) and (found := sorted(output_members(e.body))):
        yield "no command output", named_members(found)
    elif e.status == 200 and member(e, "pid") is not None:
        yield "no start of a command", named_members(e.body)
