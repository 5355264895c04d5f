"""PID: which command. Every request here has the full key and is for a VPS of the caller, except in PID-05."""

import re
from collections.abc import Collection

from hostup_conformance.contract import ask, content, paths, selectors
from hostup_conformance.contract.rules import Exchanges, Findings, rule
from hostup_conformance.keeping.safe_text import short_json

#: What a command may be that is no text, by its type in Python.
JSON_TYPES = {bool: "a boolean", int: "a number", float: "a number", list: "an array", dict: "an object"}


def with_pid(*kinds: ask.Pid) -> selectors.Selector:
    """Select requests with the full key for the caller's own VPS whose pid is of one of these kinds."""
    asked = selectors.asking(credential="full", vps="own", pid=set(kinds))
    return lambda e: selectors.understood(e) and asked(e)


@rule("PID-01", seeks="pid that is no integer")
def no_integer_is_refused(exchanges: Exchanges) -> Findings:
    """A status code below 400 is a finding, whatever the body. PID-06 judges a 5xx, PID-11 what looks like a number.

    The availability passes for a query that is none, as its percent sign stands alone: some frameworks drop such a
    parameter before the server's own code is asked.
    """
    for e in exchanges.each(with_pid(ask.Pid.INVALID)):
        dropped = ask.NO_ESCAPE.search(e.request.query) and content.present(e, content.AVAILABILITY)
        if content.below(e, 400) and not dropped:
            yield e, "a 4xx", content.status_of(e)


def is_no_firewalls(e: ask.Exchange) -> bool:
    """A response that is not the page of a firewall, which has a form of its own."""
    return not selectors.by_firewall(e)


@rule("PID-02", seeks="refusal by the server itself of a pid that is no integer")
def no_integer_is_400(exchanges: Exchanges) -> Findings:
    """Of the 4xx, 400 and 404 pass: some routers find no path where a parameter has the wrong type.

    A refusal by a firewall, in a form of its own, is exempt.
    """
    for e in exchanges.each(with_pid(ask.Pid.INVALID), content.refused, is_no_firewalls):
        if e.status not in {400, 404}:
            yield e, "status 400, or 404", content.status_of(e)


@rule("PID-03", seeks="pid that no process can have")
def impossible_is_refused(exchanges: Exchanges) -> Findings:
    """A status code below 400 is a finding. PID-06 judges a 5xx."""
    for e in exchanges.each(with_pid(ask.Pid.IMPOSSIBLE)):
        if content.below(e, 400):
            yield e, "a 4xx", content.status_of(e)


@rule("PID-04", seeks="pid of no command")
def unknown_is_refused(exchanges: Exchanges) -> Findings:
    """A status code below 400 is a finding. PID-06 judges a 5xx.

    The end of a command with the pid 1 passes, since a server with numbers of its own may have given it long ago.
    """
    commands = exchanges.target.pids
    unknown = selectors.asking(credential="full", vps={"own", "unavailable"}, pid=ask.Pid.UNKNOWN)
    for e in exchanges.each(
        selectors.understood, unknown, lambda e: e.ask.vps == "own" or e.ask.number not in commands
    ):
        if content.below(e, 400) and not (e.ask.number == 1 and content.member(e, "exited") is True):
            yield e, "a 4xx", f"{content.status_of(e)}{exchanges.whose(e)}"


@rule("PID-05", seeks="poll of a command under another VPS")
def belongs_to_its_vps(exchanges: Exchanges) -> Findings:
    """Command output in a 200 is a finding if the pid is of a command of the caller's other VPS.

    Anything else passes. Where that VPS has output for a pid that nobody has, PID-04 judges that. Another VPS that the
    list shows may have a command with the same pid: there, only what the command of the run prints is a finding.
    """
    commands = exchanges.target.pids
    elsewhere = selectors.asking(credential="full", vps={"unavailable", "foreign", "other"})
    others = exchanges.known(selectors.understood, elsewhere, lambda e: e.ask.number not in commands)
    made_up = {e.ask.vps for e in others if shows_output(e)}
    for e in exchanges.each(selectors.understood, elsewhere, lambda e: e.ask.number in commands):
        may_be_its_own = e.ask.vps == "other" and not exchanges.whose(e)
        if shows_output(e) and e.ask.vps not in made_up and not may_be_its_own:
            yield e, "a 4xx", f"command output ({', '.join(content.present(e, content.OUTPUT))}){exchanges.whose(e)}"


@rule("PID-06", seeks="poll of no command")
def no_pid_is_5xx(exchanges: Exchanges) -> Findings:
    """A 5xx is a finding; any other status code passes. HTTP-08 judges a 5xx for a pid that is not UTF-8."""
    for e in exchanges.each(
        with_pid(ask.Pid.UNKNOWN, ask.Pid.IMPOSSIBLE, ask.Pid.LOOSE, ask.Pid.INVALID, ask.Pid.EMPTY, ask.Pid.REPEATED)
    ):
        if content.failed(e) and not selectors.by_parser(e):
            yield e, "no 5xx", content.status_of(e)


def is_improper_start(e: ask.Exchange) -> bool:
    """A start with the full key on the caller's own VPS whose command is not as documented."""
    return selectors.is_start_on_own(e) and e.ask.command is None


def is_empty_start(e: ask.Exchange) -> bool:
    """A POST without a body, with the full key for the caller's own VPS, to a server that offers starts."""
    asked = e.ask.endpoint and selectors.ours(e) and e.ask.pid == ask.Pid.ABSENT
    bare = e.request.method == "POST" and not e.request.body and not e.ask.devious
    return asked and bare and e.status is not None and e.status not in {404, 429, *ask.NOT_OFFERED}


@rule("PID-09", seeks="start without a valid command")
def no_improper_start(exchanges: Exchanges) -> Findings:
    """Any 4xx passes; any other status code is a finding. START-26 judges a 5xx for a body that is no readable JSON.

    The start of a number or a boolean passes, since many validators take it for the text that it is written as. Where
    all long commands are cut, START-19 judges that, also of one that is too long. A server may be busy (503).
    """
    cut = any(life.name == "longest" for life in exchanges.altered)
    for e in content.served_first(exchanges.each(lambda e: is_improper_start(e) or is_empty_start(e))):
        if cut and content.below(e, 400) and len(str(ask.command_of(e.request) or "")) > paths.LONGEST_COMMAND:
            continue
        is_scalar = isinstance(ask.command_of(e.request), bool | int | float)
        by_parser = content.failed(e) and selectors.by_parser(e)
        passes = by_parser or exchanges.found_it_busy(e) or (e.status == 200 and is_scalar)
        if not (content.refused(e) or passes):
            yield e, f"a 4xx for {what_is_improper(e)}", content.status_of(e)


def what_is_improper(e: ask.Exchange) -> str:
    """Return what a start has in place of a valid command, for a finding."""
    body, command = ask.json_of(e.request), ask.command_of(e.request)
    if not e.request.body:
        return "a POST without a body"
    if not isinstance(body, dict):
        return "a body that is no JSON" + ("" if body is None and e.request.body.strip() != b"null" else " object")
    if command == "":
        return "an empty command"
    if isinstance(command, str):
        return f"a command of {len(command)} characters ({paths.LONGEST_COMMAND} are allowed)"
    if command is None:
        return "the command null" if "command" in body else "a body without a command"
    return f"a command that is {JSON_TYPES[type(command)]}"


@rule("PID-10", seeks="refusal by the server itself of a start without a valid command")
def improper_start_is_400(exchanges: Exchanges) -> Findings:
    """Of the 4xx, 400 passes, and 413 as well, which says of a command that it is too long.

    So does any 4xx for a body that is no JSON object, which the framework may refuse, and a page of a firewall that
    takes the body for an attack. A server that forbids every start with 403 is not judged.
    """
    proper = {e.status for e in exchanges.known(selectors.is_start_on_own) if not is_improper_start(e)}
    refused = exchanges.each(is_improper_start, content.refused, is_no_firewalls, lambda e: ask.has_object(e.request))
    for e in refused if proper != {403} else ():
        if e.status not in {400, 413}:
            yield e, "status 400", content.status_of(e)


def is_loose_or_second(e: ask.Exchange) -> bool:
    """A poll whose pid is in another form than documented, comes twice, or stands after another parameter."""
    return e.ask.pid != ask.Pid.STRANGE or (len(e.ask.pids) == 1 and e.request.query.startswith("x="))


@rule("PID-11", seeks="pid in another form")
def pid_is_not_ignored(exchanges: Exchanges) -> Findings:
    """A member of the availability in a 200 is a finding.

    A refusal passes, and so does command output. POLL-02 judges a pid that is an integer, and PID-01 one that no parser
    takes for an integer.
    """
    for e in exchanges.each(with_pid(ask.Pid.LOOSE, ask.Pid.REPEATED, ask.Pid.STRANGE), is_loose_or_second):
        if e.status == 200 and (shown := content.availability_in(e)):
            yield e, "a 4xx, or command output", f"the availability ({', '.join(shown)})"


@rule("PID-12", seeks="poll of no command")
def of_no_other_command(exchanges: Exchanges) -> Findings:
    """Command output in a 200 is a finding if a command has that pid only without the sign, or in the lowest 32 bits.

    So is output that is not empty for a pid that no process can have, and for a query without a parameter pid; and what
    a command of the run prints that was started once, for a pid that is like its own. A server that has output for
    every unknown pid is exempt, since PID-04 judges it. A pid that some parsers take for an integer may get the output
    of the command with that integer; exited true is a finding if that command was still seen to run later.
    """
    kinds = (ask.Pid.FINISHED, ask.Pid.RUNNING, ask.Pid.UNKNOWN, ask.Pid.IMPOSSIBLE, ask.Pid.LOOSE, ask.Pid.STRANGE)
    selected = exchanges.each(with_pid(*kinds), lambda e: e.ask.pid != ask.Pid.STRANGE or not e.ask.pids or is_like(e))
    made_up = any(shows_output(e) and e.ask.pid == ask.Pid.UNKNOWN and (e.ask.number or 0) < 2**31 for e in selected)
    running = [e for e in selected if e.ask.pid == ask.Pid.RUNNING and shows_output(e)]
    ran_until = next((e.number for e in reversed(running) if e.body.get("exited") is False), 0)
    commands = exchanges.target.pids
    for e in selected:
        if e.ask.pid.known or made_up or not shows_output(e):
            continue
        nobodys = e.ask.pid in {ask.Pid.IMPOSSIBLE, ask.Pid.STRANGE} and (not is_like(e) or is_anothers(e, exchanges))
        printed, like = nobodys and bool(content.member(e, "stdout")), resembled(e, commands)
        if printed or like:
            output = f"command output ({', '.join(content.present(e, content.OUTPUT))})"
            yield e, "a 4xx", f"{output}{exchanges.whose(e)}{like}"
        elif e.ask.pid == ask.Pid.LOOSE and e.number < ran_until and e.body.get("exited") is True:
            yield e, "a 4xx, or the state of the command that runs", {"exited": True}


def is_like(e: ask.Exchange) -> bool:
    """A poll of a pid that is like that of a command of the run; somebody else's command may have it."""
    return e.ask.pid == ask.Pid.STRANGE and len(e.ask.pids) == 1 and e.request.query.endswith("&x=1")


def is_anothers(e: ask.Exchange, exchanges: Exchanges) -> bool:
    """Whether a poll got the output of a command of the run that was started once, if each pid leads to its own."""
    printed = exchanges.life_of_output(e)
    sent = exchanges.known(lambda one: printed is not None and one.ask.command == printed.start.ask.command)
    return len(sent) == 1 and not exchanges.mixed_up


def resembled(e: ask.Exchange, commands: Collection[int]) -> str:
    """Return which command has a pid but for the sign or the bits above 32, in words; empty if none has."""
    number = e.ask.number
    if number is None or (pid := abs(number) % 2**32) not in commands or pid == number:
        return ""
    return f": {number} is {pid} with a sign" if abs(number) == pid else f": {number} has the lowest 32 bits of {pid}"


def shows_output(e: ask.Exchange) -> bool:
    """Whether a response is a 200 with command output."""
    return e.status == 200 and bool(content.present(e, content.OUTPUT))


@rule("PID-14", seeks="pid with a prefix or an exponent")
def only_integers_reach_commands(exchanges: Exchanges) -> Findings:
    """Command output in a 200 is a finding for a pid with a prefix (0x1f) or an exponent (5e3).

    What many parsers of integers take passes: signs, zeros and white space, a fraction of zeros, underscores, and
    digits of other scripts. So does a 0 before a pid, unless its digits, taken as octal, are the pid of a command, and
    not every unknown pid has output.
    """
    made_up = any(map(shows_output, exchanges.known(with_pid(ask.Pid.UNKNOWN))))
    commands = set[int]() if made_up else exchanges.target.pids
    for e in exchanges.each(with_pid(ask.Pid.LOOSE), lambda e: is_prefixed(e) or is_octal(e, commands)):
        if shows_output(e):
            octal = "" if is_prefixed(e) else f", as of {int(e.ask.pids[0], 8)}: it is read as octal"
            yield e, "a 4xx", f"command output for the pid {short_json(e.ask.pids[0], 60)}{octal}"


def is_prefixed(e: ask.Exchange) -> bool:
    """A pid with a prefix or an exponent."""
    return bool(re.search("[xXeE]", e.ask.pids[0]))


def is_octal(e: ask.Exchange, commands: Collection[int]) -> bool:
    """A pid that begins with 0, whose digits are the pid of a command if they are octal ones, and of none if not."""
    digits = re.fullmatch(r"0[0-7]{1,20}", e.ask.pids[0])
    return digits is not None and int(digits[0], 8) in commands and int(digits[0]) not in commands
