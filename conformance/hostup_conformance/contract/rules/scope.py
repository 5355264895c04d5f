"""SCOPE: what a key that has read:vm alone may do."""

from urllib.parse import unquote

from hostup_conformance.contract import ask, content, selectors
from hostup_conformance.contract.rules import Exchanges, Findings, rule

by_reader = selectors.asking(credential="read")


@rule("SCOPE-01", seeks="probe by a key with read:vm alone")
def read_may_probe(exchanges: Exchanges) -> Findings:
    """Any status code but 200 is a finding: the probe needs no other scope than read:vm.

    The VPS without an agent is looked at where the full key got 200 for it: PROBE-12 judges that.
    """
    probes = exchanges.known(selectors.understood, selectors.asking(pid=ask.Pid.ABSENT))
    by_full_key = selectors.asking(credential="full", vps="unavailable")
    ours = {"own", *("unavailable" for e in probes if by_full_key(e) and e.status == 200)}
    for e in [exchanges.take(e) for e in probes if by_reader(e) and e.ask.vps in ours]:
        if e.status != 200:
            yield e, f"status 200{content.if_valid(e)}", content.status_of(e)


#: A poll of the caller's own VPS that a key with read:vm alone must not make.
polls_own = selectors.asking(vps="own", pid={ask.Pid.FINISHED, ask.Pid.RUNNING, ask.Pid.STARTED, ask.Pid.UNKNOWN})


@rule("SCOPE-02", seeks="poll by a key with read:vm alone that would tell")
def read_may_not_poll(exchanges: Exchanges) -> Findings:
    """The status code must be 403.

    400 and 404 show nothing if the full key got no 200 for that kind of pid in this run, since the server may look for
    the command first, nor if it may have forgotten a command of the run. Nor does the availability, if the full key got
    it for a poll: POLL-02 judges that.
    """
    served = exchanges.known(selectors.succeeded, polls_own, selectors.asking(credential="full"))
    pollable = {e.ask.pid for e in served} - {ask.Pid.STARTED}
    for e in exchanges.known(selectors.understood, polls_own, by_reader):
        tells = e.ask.pid in pollable or e.status not in {400, 404}
        ignored = exchanges.pid_ignored and content.is_availability_alone(e)
        if tells and not ignored and exchanges.take(e).status != 403:
            yield e, "status 403", content.status_of(e)


@rule("SCOPE-03", seeks="HEAD of a poll by a key with read:vm alone that would tell")
def head_needs_the_scope_of_get(exchanges: Exchanges) -> Findings:
    """A status code below 400 is a finding, since the same key's GET is refused.

    It shows nothing where the full key got the availability for a poll: POLL-02 judges that. Nor does a 404 where no
    pid of a command is known.
    """
    heads = exchanges.known(by_reader, selectors.has_response, lambda e: e.request.method == "HEAD")
    polls = [e for e in heads if e.ask.pid != ask.Pid.ABSENT and not exchanges.pid_ignored]
    for e in filter(exchanges.tells_of_output, polls):
        if content.below(exchanges.take(e), 400):
            yield e, "a refusal, as GET gets", content.show_status(e)


@rule("SCOPE-04", seeks="start by a key with read:vm alone")
def read_may_not_start(exchanges: Exchanges) -> Findings:
    """The status code must be 403: the command is as documented and the VPS is the caller's own."""
    for e in exchanges.each(ask.is_start, selectors.asking(credential="read", vps="own")):
        if e.status != 403:
            yield e, "status 403", content.status_of(e)


def is_disguised_poll(e: ask.Exchange) -> bool:
    """A poll that is spelled so that a check of the scope may not recognize it."""
    elsewhere = e.ask.resource == "other" and "exec" in unquote(e.request.path).lower()
    odd = not e.ask.pid.well_formed or e.ask.devious or elsewhere
    return odd and not e.ask.starts


@rule("SCOPE-05", seeks="disguised poll by a key with read:vm alone that would tell")
def no_variation_bypasses_the_scope(exchanges: Exchanges) -> Findings:
    """A member exited, stdout or stderr is a finding, at any depth, and so is the pid of a command in a 200.

    The availability passes: POLL-02 and PID-11 judge whether a pid may be ignored. SAFETY-03 judges output in an error.
    A 404 shows nothing where no pid of a command is known. Where no poll is refused that is not disguised, nothing is
    bypassed: SCOPE-02 judges that.
    """
    plain = exchanges.known(selectors.understood, polls_own, by_reader)
    if any(e.status == 200 for e in plain) and not any(content.refused(e) for e in plain):
        return
    for e in exchanges.each(by_reader, selectors.has_response, is_disguised_poll, exchanges.tells_of_output):
        if content.below(e, 400) and (found := sorted(content.output_members(e.body))):
            yield e, "no command output", content.named_members(found)
        elif e.status == 200 and content.member(e, "pid") is not None:
            yield e, "no start of a command", content.named_members(e.body)
