"""POLL: command output, the response to a request with pid."""

from math import inf

from hostup_conformance.contract import ask, content, lives, responder, selectors
from hostup_conformance.contract.rules import Exchanges, Findings, rule
from hostup_conformance.contract.target import PIDS
from hostup_conformance.keeping.safe_text import short_json

#: For how many seconds the command that runs on is sure to run.
SURE = 55.0

#: What to know of a 404 for a command that was named to run.
UNLESS_ENDED = f" (unless the command has ended: check {PIDS['running_pid']})"

of_finished, of_running = selectors.asking(pid=ask.Pid.FINISHED), selectors.asking(pid=ask.Pid.RUNNING)


def still_runs(e: ask.Exchange) -> bool:
    """Command output that says exited false."""
    return selectors.is_output(e) and e.body.get("exited") is False


@rule("POLL-01", seeks="poll that got 200")
def has_exited(exchanges: Exchanges) -> Findings:
    """The body must be a JSON object with the boolean exited at its top level.

    Where exited is missing and members of the availability stand in its place, POLL-02 judges the body.
    """
    for e in exchanges.each(selectors.succeeded, selectors.is_poll, selectors.has_json):
        if not isinstance(e.body, dict):
            yield e, "a JSON object", content.in_place_of_object(e)
        elif "exited" in e.body:
            if not isinstance(e.body["exited"], bool):
                yield e, "exited: a boolean", {"exited": e.body["exited"]}
        elif not content.present(e, content.AVAILABILITY):
            yield e, "the member exited", content.envelope_of(e.body) or content.named_members(e.body)


@rule("POLL-02", seeks="command output")
def not_availability(exchanges: Exchanges) -> Findings:
    """Any of the members available, reason and vmRunning is a finding, but for one that is null beside command output.

    Where a known pid gets them alone, the same response to any other pid is a finding as well: they have one cause.
    """
    others = exchanges.known(selectors.understood, selectors.ours, content.is_availability_alone)
    ignored = [exchanges.take(e) for e in others if exchanges.pid_ignored and e.ask.pids and not selectors.is_output(e)]
    for e in [*exchanges.each(selectors.is_output), *ignored]:
        if found := content.availability_in(e):
            yield e, "command output", f"members of the availability ({', '.join(found)})"


@rule("POLL-03", seeks="command output")
def types_are_the_agents(exchanges: Exchanges) -> Findings:
    """The types are those of the QEMU guest agent: exitCode an integer or null, stdout and stderr strings or null.

    A missing member passes; true and false are no integers, but 0.0 is one, as in JSON Schema. Where a POSIX shell runs
    the commands, none has a negative exitCode: that is how some languages name the signal that ended a process.
    """
    for e in exchanges.each(selectors.is_output):
        code = e.body.get("exitCode")
        whole = isinstance(code, int) or (isinstance(code, float) and code.is_integer())
        if code is not None and (isinstance(code, bool) or not whole):
            yield e, "exitCode: an integer or null", {"exitCode": code}
        elif code is not None and code < 0 and exchanges.guest == "posix":
            yield e, "exitCode: 0 to 255, or null where a signal ended the command", {"exitCode": code}
        for name in ("stdout", "stderr"):
            if not isinstance(e.body.get(name), str | None):
                yield e, f"{name}: a string or null", {name: e.body[name]}


@rule("POLL-04", seeks="command output, and no start that got 200,")
def spelling_is_documented(exchanges: Exchanges) -> Findings:
    """A member that differs from a missing documented one only in case, underscores or hyphens is a finding.

    In the response to a start, the documented names are those of its own members, such as pollUrl.
    """
    for e in exchanges.each(lambda e: selectors.is_output(e) or selectors.started(e)):
        names = content.STARTED if ask.is_start(e) else content.OUTPUT
        if found := content.misspelled(e.body, names):
            yield e, f"the spelling {', '.join(names)}", ", ".join(found)


@rule("POLL-05", seeks="poll of a command that was named or started")
def known_gets_200(exchanges: Exchanges) -> Findings:
    """Any status code but 200 is a finding for a command that runs.

    The agent may have forgotten one that has ended, so for such a command only a 5xx is a finding. A gateway's 5xx
    passes here, since the poll of an ended command is not sent again; HTTP-08 judges it. For any command, a 404 between
    two responses with 200 is a finding too. START-21 judges polls of one command at the same time. Where each poll of a
    command that was named to run gets 404, it may have ended before the run, which is said.
    """
    selected = exchanges.each(selectors.asks_output)
    ended, ran = set[str](), set[str]()
    # In whatever form it was asked for.
    told = [e for e in exchanges.everything if e.ask.vps == "own" and content.member(e, "exited") is True]
    ends = [(e.number, e.ask.number, content.member(e, "pid")) for e in reversed(told)]
    over: dict[int | None, int] = {pid: number for number, *pids in ends for pid in pids if isinstance(pid, int)}
    begun = {selectors.new_poll(life.start): life for life in exchanges.every_life}
    last = {e.request.target: e.number for e in selected if e.status == 200}
    lasting = [e for e in selected if of_finished(e) and not responder.may_pass(e)]
    unless = UNLESS_ENDED if is_never_known(exchanges) else ""
    for e in selected:
        if content.member(e, "exited") is True:
            ended.add(e.request.target)
        elif e.status == 200:
            ran.add(e.request.target)
        life = begun.get(e.request.target)
        if e.ask.pid == ask.Pid.RUNNING and life and life.seconds_until(e) > SURE:
            continue  # it may have ended by itself
        if e.ask.pid == ask.Pid.RUNNING and e.status != 200 and over.get(e.ask.number, e.number) >= e.number:
            yield e, f"status 200{unless}", content.status_of(e)
            continue
        if not content.failed(e) and e.status != 404:
            continue
        polls = [other for other in selected if other is not e and other.request.target == e.request.target]
        if (lasting and of_finished(e) and responder.may_pass(e)) or any(lives.overlap(e, other) for other in polls):
            continue
        if content.failed(e) and (e.ask.pid == ask.Pid.FINISHED or e.request.target in ended):
            yield e, "status 200, or 404 if it is forgotten", content.status_of(e)
        elif e.status == 404 and e.request.target in ran and e.number < last[e.request.target]:
            yield e, f"status 200, as before and in request {last[e.request.target]}", content.status_of(e)


def is_never_known(exchanges: Exchanges) -> bool:
    """Whether each poll of the command that runs on gets 404, and the run has not started it."""
    polls = exchanges.known(selectors.asks_output, of_running)
    own = any(ask.new_pid(e) == exchanges.target.running_pid for e in exchanges.known(ask.is_start))
    return not own and all(e.status == 404 for e in polls)


@rule("POLL-06", seeks="output of the command that runs on")
def running_has_not_exited(exchanges: Exchanges) -> Findings:
    """exited must not be true for the command that runs on, which was named or which the run has started.

    An exitCode other than 0 passes: the command failed, as where the guest has no sleep. It does not pass if the run
    has started the command and seen it run: something has ended it before its time. A command of the run that has had
    its time may have ended, as with a slow server; and a named one at any time, so this is a warning at most.
    """
    sleeping = [life for life in exchanges.every_life if life.start.ask.command == ask.SLEEP]
    for e in exchanges.each(selectors.asks_output, of_running, selectors.is_output):
        polls = [poll for life in sleeping if life.seconds_until(e) < SURE for poll in life.polls]
        ran = any(content.member(poll, "exited") is False for poll in polls if poll.number < e.number)
        had_its_time = any(e in life.polls and SURE <= life.seconds_until(e) + e.seconds < inf for life in sleeping)
        if e.body.get("exited") is True and not had_its_time and (ran or e.body.get("exitCode") in (0, None)):
            yield e, f"exited false, for the command with the pid {e.ask.number}, which runs on", {"exited": True}


@rule("POLL-07", seeks="output of the command that has ended")
def finished_has_exited(exchanges: Exchanges) -> Findings:
    """Some poll of the command that has ended must say exited true. The run polls for four seconds.

    That is long enough for a server that asks the agent only now and then, and so notices an end late.
    """
    selected = exchanges.each(selectors.asks_output, of_finished, selectors.is_output)
    if selected and not any(e.body.get("exited") is True for e in selected):
        for e in selected[-1:]:
            if e.body.get("exited") is False:
                yield e, f"exited true, for the command with the pid {e.ask.number}, which has ended", {"exited": False}


@rule("POLL-08", seeks="poll of the command that has ended, before any other request got its output,")
def finished_gets_200(exchanges: Exchanges) -> Findings:
    """Judges the first poll of the command by a key that has write:vm: any status code but 200 is a finding.

    The output may have been fetched before the run, so it is a warning at most. Where a request of the run that should
    have been refused got the output before, the rules judge that which say so.
    """
    first = exchanges.known(selectors.asks_output, of_finished)[:1]
    ends = [e for e in exchanges.known(selectors.succeeded, selectors.is_poll) if content.member(e, "exited") is True]
    for e in first:
        if any(end.ask.number == e.ask.number and end.number < e.number for end in ends):
            continue
        if exchanges.take(e).status != 200 and not responder.may_pass(e):
            unless = "unless its output was fetched before this run; a poll that is refused must not use it up"
            yield e, f"status 200 ({unless})", content.status_of(e)


@rule("POLL-09", seeks="command output")
def exited_never_goes_back(exchanges: Exchanges) -> Findings:
    """For each pid, exited false after exited true is a finding, whatever else the query had that got exited true.

    An error after exited true passes, since the agent may have forgotten the pid. So does exited false in response to a
    request that was under way at the same time.
    """
    ended: list[ask.Exchange] = []
    pids = exchanges.target.pids
    for e in exchanges.each(lambda e: tells_state(e) or (asks_for_more(e) and e.ask.number in pids)):
        exited = content.member(e, "exited")
        if exited is True:
            ended.append(e)
        elif exited is False:
            for before in ended:
                if before.ask.number == e.ask.number and not lives.overlap(before, e):
                    kept = "exited false: a cache keeps what a poll got before, it seems"
                    got = kept if asks_for_more(before) else {"exited": False}
                    yield e, f"exited true, as in request {before.number}, or a 4xx", got
                    break


def tells_state(e: ask.Exchange) -> bool:
    """The output of a known command for who may see it."""
    return selectors.asks_output(e) and selectors.is_output(e)


def asks_for_more(e: ask.Exchange) -> bool:
    """A poll by the full key whose query has another parameter too."""
    return selectors.succeeded(e) and selectors.asking(credential="full", vps="own", pid=ask.Pid.STRANGE)(e)


def ending(e: ask.Exchange) -> dict[str, object]:
    """Return the members of command output; an empty stream is as good as none."""
    return {name: None if e.body.get(name) == "" else e.body.get(name) for name in content.OUTPUT}


@rule("POLL-10", seeks="output of the command that has ended")
def output_stays_the_same(exchanges: Exchanges) -> Findings:
    """Every later response with exited true must have the exit code and the output of the first one.

    An empty stream may be missing or null.
    """
    selected = exchanges.each(selectors.asks_output, of_finished, selectors.is_output)
    ended = [e for e in selected if e.body.get("exited") is True]
    for e in ended[1:]:
        now, before = ending(e), ending(ended[0])
        if changed := [name for name in content.OUTPUT if now[name] != before[name]]:
            got = short_json({name: e.body.get(name) for name in changed}, 100)
            yield e, f"the same as in request {ended[0].number}", f"another {', '.join(changed)}: {got}"
            return


@rule("POLL-11", seeks="command that still runs")
def no_code_before_the_end(exchanges: Exchanges) -> Findings:
    """An exitCode that is neither null nor missing is a finding."""
    for e in exchanges.each(still_runs):
        if e.body.get("exitCode") is not None:
            yield e, "no exitCode with exited false", {"exitCode": e.body["exitCode"]}


@rule("POLL-13", seeks="poll of the command that has ended")
def polled_again(exchanges: Exchanges) -> Findings:
    """Reports what the poll after the first 200 got, and judges nothing."""
    selected = exchanges.each(selectors.asks_output, of_finished)
    ended = next((e for e in selected if e.status == 200), None)
    later = [e for e in selected if ended and e.number > ended.number]
    for e in later[:1]:
        yield e, "", "it can be polled again" if e.status == 200 else f"it has been forgotten ({content.status_of(e)})"


@rule("POLL-14", seeks="command output that names its pid")
def pid_is_the_one_asked_for(exchanges: Exchanges) -> Findings:
    """The member pid must be the number that was asked for, as a number or as a string."""
    for e in exchanges.each(selectors.is_output, lambda e: "pid" in e.body):
        asked = e.ask.pids[0]
        if str(e.body["pid"]) != asked:
            yield e, f"pid {asked}", {"pid": e.body["pid"]}


@rule("POLL-25", seeks="command that still runs")
def running_is_not_kept(exchanges: Exchanges) -> Findings:
    """Neither max-age nor Expires may declare exited false fresh for a time, not even for the caller's own cache."""
    for e in exchanges.each(still_runs):
        if seconds := content.fresh_seconds(e):
            yield e, "no cache to keep exited false", f"a response that is declared fresh for {seconds} seconds"
