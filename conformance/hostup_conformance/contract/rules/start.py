"""START: the start of a command, and its life until a poll reports its end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from statistics import median
from typing import Any
from urllib.parse import parse_qs, unquote

from hostup_conformance.contract.ask import Exchange, Pid, asks_start, is_start, new_pid
from hostup_conformance.contract.commands import Command, printed_anywhere
from hostup_conformance.contract.content import envelope_of, member, named_members, status_of
from hostup_conformance.contract.lives import (
    Life,
    echoes,
    ended,
    ends,
    guest_in,
    lives,
    polled,
    sleepless,
    stream,
)
from hostup_conformance.contract.paths import LONGEST_COMMAND
from hostup_conformance.contract.rules import Findings, FindingsAcross, across, each
from hostup_conformance.contract.selectors import (
    BUSY,
    asks_output,
    below,
    failed,
    has_json,
    is_availability,
    is_chunked,
    is_from_firewall,
    is_of_unknown_length,
    is_output,
    is_readable,
    is_start_on_own,
    is_too_large,
    is_transient,
    is_unretried_failure,
    judged,
    new_poll,
    proper_command,
    refused,
    started,
    starts,
)
from hostup_conformance.contract.target import Target
from hostup_conformance.keeping.safe_text import counted

#: The status codes with which a provider may block a command, as the documentation of the POST says that some do.
BLOCKED = {400, 403, 422}
#: After how many seconds a command that ends at once should be reported as exited, and after how many it must be.
LONG_ENOUGH, TOO_LONG = 4.0, 10.0
#: The commands of the guests that have no POSIX shell.
WINDOWS = ("cmd", "powershell")


def differs(e: Exchange, name: str, expected: bytes) -> dict[str, Any] | None:
    """Return a stream if it differs from what was printed by more than line ends and surrounding white space."""
    plain = [text.replace("\r\n", "\n").strip() for text in (stream(e, name), expected.decode("utf-8", "replace"))]
    return None if plain[0] == plain[1] else {name: member(e, name)}


def shortened(expected: bytes) -> str:
    """Return what was printed, for a finding."""
    text = expected.decode("utf-8", "replace")
    return repr(text) if len(text) <= 60 else f"{text[:40]!r}... ({len(text)} characters)"


@across("START-01", lambda e: starts(e) and (proper_command(e.request) or "").isascii())
def start_gets_200(exchanges: list[Exchange], _target: Target) -> FindingsAcross:
    """The status code must be 200: the documentation has no 201 and no 202.

    403 passes, since a provider may block some commands or all. Where another command was started, 409, 429 and 503
    pass too, since the server may be busy, and so does a gateway's failure that comes once. A block with 400 or 422
    passes there as well, unless it is for a command with nothing unusual but its length. START-24 judges the 411 of a
    chunked start.
    """
    works = any(e.status == 200 for e in exchanges)
    for e in exchanges:
        let_pass = {200, 403, *(BUSY if works else set()), *(BLOCKED if works and not is_longest(e) else set())}
        if e.status not in let_pass and not (works and (is_unretried_failure(e) or is_of_unknown_length(e))):
            yield e, "status 200", status_of(e)


def is_longest(e: Exchange) -> bool:
    """Whether the command of a start has the greatest length that the documentation allows."""
    return len(proper_command(e.request) or "") == LONGEST_COMMAND


@each("START-02", lambda e: starts(e) and e.status == 200 and has_json(e))
def start_has_its_form(e: Exchange) -> Findings:
    """The body must be a JSON object without an envelope.

    Where present, pid must be an integer above 0 and pollUrl a string.
    """
    if not isinstance(e.body, dict):
        yield "a JSON object", e.body
        return
    envelope = envelope_of(e.body)
    if envelope and "pid" not in e.body:
        yield "the members pid and pollUrl", f"an envelope with the member {envelope}"
    if "pid" in e.body and new_pid(e) is None:
        yield "pid: an integer above 0", {"pid": e.body["pid"]}
    if not isinstance(e.body.get("pollUrl", ""), str):
        yield "pollUrl: a string", {"pollUrl": e.body["pollUrl"]}


@across("START-03", started)
def start_says_the_pid(exchanges: list[Exchange], _target: Target) -> FindingsAcross:
    """Reports what the first response without a member named pid has instead, and judges nothing.

    Where pollUrl has the pid, the run polls by that. START-02 judges the value of a pid.
    """
    for e in [e for e in exchanges if "pid" not in e.body][:1]:
        yield e, "", f"no pid, but {named_members(e.body)}"


@each("START-04", lambda e: started(e) and isinstance(e.body.get("pollUrl"), str))
def poll_url_leads_here(e: Exchange) -> Findings:
    """The path must end in that of the start, in any percent-encoding, and the query must have the response's pid.

    A prefix before the path passes.
    """
    url = e.body["pollUrl"]
    path, _, query = url.partition("?")
    segments, asked = ([unquote(part) for part in text.split("/")] for text in (path, e.request.target))
    here = path.startswith("/") and not path.startswith("//") and segments[-len(asked) + 1 :] == asked[1:]
    pid = e.body.get("pid")
    if not here or (pid is not None and parse_qs(query).get("pid") != [str(pid)]):
        yield f"the path {e.request.target}?pid={pid or '...'}", url


def is_start_or_output(e: Exchange) -> bool:
    """A start, or the output of a command that may have been started by the run."""
    return starts(e) or (asks_output(e) and is_output(e))


def is_start_or_poll(e: Exchange) -> bool:
    """A start, or a poll of a command that may have been started by the run, whatever its response."""
    return starts(e) or asks_output(e)


def each_end(id: str, *names: str) -> Callable[[Callable[[Exchange, Command], Findings]], None]:
    """Register a rule that judges each of these commands by the poll that reported its end."""

    def register(function: Callable[[Exchange, Command], Findings]) -> None:
        def judge(exchanges: list[Exchange], _target: Target) -> FindingsAcross:
            for e, command in ends(exchanges, *names):
                for expected, got in function(e, command):
                    yield e, expected, got

        judge.__doc__ = function.__doc__
        across(id, is_start_or_output, exercised_by=ended(*names))(judge)

    return register


@across("START-05", is_start_or_output, exercised_by=lambda every, _: [life.end for life in lives(every) if life.end])
def output_is_the_commands(exchanges: list[Exchange], _target: Target) -> FindingsAcross:
    """stdout must be what the command printed, apart from line ends and white space around it; stderr must not hold it.

    The output of several simultaneous polls is START-21's.

    START-07 judges texts with characters outside ASCII, START-12 long ones, START-13 each byte. The command that finds
    out which system the guest has is judged by the beginning of its output, since only that is known.
    """
    for life in lives(exchanges):
        begun = printed_anywhere(proper_command(life.start.request) or "")
        if life.end and begun not in stream(life.end, "stdout"):
            yield life.end, f"stdout: {begun}...", {"stdout": member(life.end, "stdout")}
    for e, text in echoes(exchanges):
        if text.isascii() and stream(e, "stdout").strip() != text:
            yield e, f"stdout: {text}", {"stdout": member(e, "stdout")}
        if text.isascii() and text in stream(e, "stderr"):
            yield e, "nothing in stderr", {"stderr": e.body["stderr"]}
    for e, command in ends(
        exchanges, "streams", "number", "nothing", "errors", "six_kilobytes", "exit", "slow", "cmd", "powershell"
    ):
        if got := differs(e, "stdout", command.stdout):
            yield e, f"stdout: {shortened(command.stdout)}", got


@across(
    "START-06",
    lambda e: is_new(e) or (asks_output(e) and e.ask.pid == Pid.STARTED),
    exercised_by=lambda every, _: [e for life in lives(every) for e in life.polls],
)
def comes_to_its_end(exchanges: list[Exchange], _target: Target) -> FindingsAcross:
    """A poll that says exited false four seconds after the first one is a finding, if the command ends at once.

    A server that asks the agent only now and then may notice an end late. START-27 judges whether it ever does.
    """
    for life in lives(exchanges):
        begun = life.seconds_until(life.polls[0]) if life.polls else 0.0
        late = [e for e in life.polls if member(e, "exited") is False and life.seconds_until(e) >= begun + LONG_ENOUGH]
        if life.is_short and late:
            yield late[0], "exited true by now", f"exited false {life.seconds_until(late[0]):.1f} s after the start"


def beyond_ascii(e: Exchange) -> bool:
    """A start whose command has characters outside ASCII."""
    return starts(e) and not (proper_command(e.request) or "").isascii()


@across(
    "START-07",
    lambda e: is_start_or_output(e) and not (starts(e) and not beyond_ascii(e)),
    exercised_by=lambda every, _: [e for e in every if starts(e) and e.status == 200],
)
def text_is_passed_on(exchanges: list[Exchange], _target: Target) -> FindingsAcross:
    """The start must get 200, and stdout must be what the command printed.

    A busy server (409, 429 or 503) and one that blocks the command (403) pass, and so does a front end that refuses
    large bodies in a form of its own. In a Windows guest, the console's code page decides what is printed.
    """
    for e in exchanges:
        if starts(e) and e.status not in {200, 403, *BUSY} and not is_too_large(e):
            yield e, "status 200", status_of(e)
    for e, text in echoes(exchanges) if guest_in(exchanges) not in WINDOWS else ():
        if stream(e, "stdout").strip() != text:
            yield e, f"stdout: {text}", {"stdout": member(e, "stdout")}
    for e, command in ends(exchanges, "letters", "longest_in_bytes"):
        got = stream(e, "stdout")
        if got and not command.stdout.decode().startswith(got.rstrip("\ufffd").rstrip()):
            yield e, f"stdout: {shortened(command.stdout)}", {"stdout": got}


@across(
    "START-08",
    is_start_or_output,
    exercised_by=lambda every, _: [e for e, _ in (*echoes(every), *ends(every, "exit", *WINDOWS))],
)
def tells_the_exit_code(exchanges: list[Exchange], _target: Target) -> FindingsAcross:
    """exitCode of a command that ended by itself must be there; of an `echo` it must be the integer 0."""
    for e, _ in echoes(exchanges):
        code = e.body.get("exitCode")
        if code != 0 or isinstance(code, bool):
            yield e, "exitCode 0", {"exitCode": code} if "exitCode" in e.body else "no exitCode"
    for e, command in ends(exchanges, "exit", *WINDOWS):
        if e.body.get("exitCode") is None:
            yield e, f"exitCode {command.exit_code}", "no exitCode"


def on_unavailable(e: Exchange) -> bool:
    """A start or a probe, with the full key, of the VPS whose agent is not available."""
    return e.ask.credential == "full" and e.ask.vps == "unavailable" and (is_start(e) or is_availability(e))


@across("START-09", on_unavailable)
def no_start_without_agent(exchanges: list[Exchange], _target: Target) -> FindingsAcross:
    """A status code below 400 is a finding. Any error passes, since the documentation does not say which it is.

    A server that says available true in one of the run's probes is exempt: PROBE-07 judges that.
    """
    if any(is_availability(e) and member(e, "available") is True for e in exchanges):
        return
    for e in exchanges:
        if is_start(e) and below(e, 400):
            yield e, "an error", status_of(e)


@across(
    "START-10",
    lambda e: is_new(e) or (asks_output(e) and is_output(e)),
    exercised_by=lambda every, _: filter(is_new, every),
)
def pids_differ(exchanges: list[Exchange], _target: Target) -> FindingsAcross:
    """A pid that comes again is a finding, unless a poll has reported the end of its earlier command in between."""
    alive: dict[str, Exchange] = {}
    for e in exchanges:
        if member(e, "exited") is True and not new_poll(e):
            alive.pop(e.request.target, None)
        if poll := new_poll(e):
            before = alive.setdefault(poll, e)
            if before is not e:
                expected = f"another pid than in request {before.number}, whose command may still run"
                yield e, expected, {"pid": new_pid(e)}


def is_new(e: Exchange) -> bool:
    """A start on the caller's own VPS whose response has a pid."""
    return new_pid(e) is not None and e.ask.vps == "own"


def words_of_the_guest(exchanges: list[Exchange]) -> str:
    """Return what a shell in the guest writes to standard error with each command, such as a warning of its locale."""
    silent = {stream(e, "stderr") for e, command in ends(exchanges, "number", "nothing") if not command.stderr}
    silent |= {stream(e, "stderr") for e, _ in echoes(exchanges)}
    return silent.pop() if len(silent) == 1 else ""


@across("START-11", is_start_or_output, exercised_by=ended("streams", "errors", "exit", "slow", *WINDOWS))
def errors_are_the_commands(exchanges: list[Exchange], _target: Target) -> FindingsAcross:
    """stderr must be what the command wrote to standard error, apart from line ends and white space around it.

    What the guest's shell writes there before each command, whatever the command is, passes.
    """
    words = words_of_the_guest(exchanges).encode()
    for e, command in ends(exchanges, "streams", "errors", "exit", "slow", *WINDOWS):
        if differs(e, "stderr", command.stderr) and (got := differs(e, "stderr", words + command.stderr)):
            yield e, f"stderr: {shortened(command.stderr)}", got


@each_end("START-12", "letters", "longest")
def output_is_whole(e: Exchange, command: Command) -> Findings:
    """stdout of a command that prints 100 KiB must not be cut. A body that says that it was truncated passes."""
    got, printed = stream(e, "stdout"), command.stdout.decode()
    cut = len(got) < len(printed) and printed.startswith(got.rstrip("\ufffd"))
    if cut and not any("trunc" in name.lower() and value for name, value in e.body.items()):
        yield f"{len(printed)} characters in stdout", f"the first {len(got)}"


@across("START-13", is_start_or_output, exercised_by=ended("streams", "lines", "number", "control"))
def output_is_exact(exchanges: list[Exchange], _target: Target) -> FindingsAcross:
    """stdout and stderr must be what was written, to the byte: with blanks, line ends and control characters.

    Output that differs otherwise is judged by START-05 and START-11, except that of the command that prints control
    characters.
    """
    words = words_of_the_guest(exchanges).encode()
    for e, command in ends(exchanges, "streams", "lines", "number", "control"):
        for name, expected in (("stdout", command.stdout), ("stderr", words + command.stderr)):
            elsewhere = command.name != "control" and differs_in_print(e, name, expected)
            if command.exact and stream(e, name) != expected.decode() and not elsewhere:
                yield e, f"{name}: {expected.decode()!r}", {name: member(e, name)}


def differs_in_print(e: Exchange, name: str, expected: bytes) -> bool:
    """Whether the printable characters of a stream differ from those that were written."""
    texts = (stream(e, name), expected.decode())
    return len({"".join(c for c in text if c.isprintable() and not c.isspace()) for text in texts}) > 1


@across("START-14", is_start_or_output, exercised_by=ended("exit", "unknown_program", *WINDOWS))
def exit_code_is_the_commands(exchanges: list[Exchange], _target: Target) -> FindingsAcross:
    """exitCode, where present, must be that of the command; the run asks for 1, 200 and 255.

    A program that does not exist must not end with 0; which other code it gets depends on the guest.
    """
    for e, command in ends(exchanges, "exit", *WINDOWS):
        if e.body.get("exitCode") is not None and e.body["exitCode"] != command.exit_code:
            yield e, f"exitCode {command.exit_code}", {"exitCode": e.body["exitCode"]}
    for e, _ in ends(exchanges, "unknown_program"):
        if e.body.get("exitCode") == 0:
            yield e, "an exitCode other than 0, for a program that does not exist", {"exitCode": 0}


@each_end("START-15", "killed")
def death_is_no_success(e: Exchange, _command: Command) -> Findings:
    """exitCode of a command that a signal ended must not be 0. No code, null, and 128 and more pass."""
    if e.body.get("exitCode") == 0:
        yield "no exitCode, or one other than 0", {"exitCode": 0}


@across("START-16", is_start_or_output, exercised_by=ended("once", "again"))
def runs_once(exchanges: list[Exchange], _target: Target) -> FindingsAcross:
    """A command that writes a line into a file must have written one line after one start, and two after two."""
    once = any(life.name == "once" for life in lives(exchanges))
    # The first trace is taken before anything is written.
    for e, _ in list(ends(exchanges, "trace"))[1:]:
        times = stream(e, "stdout").rpartition("once ")[2].strip()
        if once and times.isdecimal() and times != "1":
            yield e, "a command that ran once after one start", f"it ran {times} times"
    for number, (e, _) in enumerate(ends(exchanges, "again"), 1):
        times = stream(e, "stdout").strip()
        if times.isdecimal() and times != str(number):
            expected = f"a command that has run {counted(number, 'time')} after {counted(number, 'start')}"
            yield e, expected, "it has run once" if times == "1" else f"it has run {times} times"


def traced_refusals(exchanges: list[Exchange], target: Target) -> list[Exchange]:
    """Return the starts that were refused, if a command then printed which of them had run."""
    return [e for e in exchanges if e.ask.starts and refused(e)] if ended("trace")(exchanges, target) else []


@across("START-17", lambda e: asks_start(e) or (asks_output(e) and is_output(e)), exercised_by=traced_refusals)
def refusal_starts_nothing(exchanges: list[Exchange], _target: Target) -> FindingsAcross:
    """A start that was refused with 4xx must not have run: its command would have left its name in a file."""
    printed = " ".join(stream(end, "stdout") for end, _ in ends(exchanges, "trace"))
    ran = [name for name in printed.split() if name.startswith("refused_")]
    for e in exchanges:
        body = e.request.body.decode("utf-8", "replace") if e.ask.starts and refused(e) else ""
        if any(f"hostup-{name}-" in body for name in ran):
            yield e, "a refused command that does not run", f"{status_of(e)}, and it ran in the guest"


@across(
    "START-18",
    lambda e: starts(e) and e.status == 200,
    exercised_by=lambda every, _: [life.start for life in lives(every) if life.name == "slow"],
)
def start_does_not_wait(exchanges: list[Exchange], _target: Target) -> FindingsAcross:
    """The start of a command that takes a while must not take that much longer than other starts."""
    usual = median(e.seconds for e in exchanges) if exchanges else 0.0
    for life in lives(exchanges):
        if life.name == "slow" and life.command and life.start.seconds > usual + 0.8 * life.command.seconds:
            expected = f"a response before the command's {life.command.seconds:g} s are over"
            yield life.start, expected, f"one after {life.start.seconds:.1f} s"


@each_end("START-19", "verbatim", "lines")
def runs_as_it_was_sent(e: Exchange, command: Command) -> Findings:
    """A command with blanks, quotes, escapes, capital letters and two lines must reach the shell as it was sent.

    What it prints shows how the shell read it. START-13 judges the white space around that.
    """
    if stream(e, "stdout").strip() != command.stdout.decode().strip():
        yield f"stdout: {shortened(command.stdout)}", {"stdout": member(e, "stdout")}


@across("START-20", is_start_or_poll, exercised_by=polled("not_utf_8"))
def any_bytes_can_be_polled(exchanges: list[Exchange], _target: Target) -> FindingsAcross:
    """Output that is not UTF-8 must come as a string with the valid characters.

    Anything may stand in place of the other bytes.
    """
    for life in lives(exchanges):
        if life.name == "not_utf_8" and not life.end:
            for e in [e for e in life.polls if failed(e)][:1]:
                yield e, "status 200, and a string", status_of(e)
        text = stream(life.end, "stdout") if life.name == "not_utf_8" and life.end else "a...z"
        if not (text.startswith("a") and text.rstrip().endswith("z")):
            yield life.end or life.start, "stdout: a...z, and any characters in between", {"stdout": text}


@across("START-21", is_start_or_poll, exercised_by=polled("shared"))
def simultaneous_polls_tear_nothing(exchanges: list[Exchange], _target: Target) -> FindingsAcross:
    """Of several simultaneous polls of one pid, each that says exited true must have all of the output.

    The others may say that the command still runs, or that it is forgotten (4xx). HTTP-08 judges a 5xx.
    """
    for life in lives(exchanges):
        if life.name != "shared" or not life.command:
            continue
        for e in life.polls:
            if member(e, "exited") is True and differs(e, "stdout", life.command.stdout):
                yield e, f"stdout: {shortened(life.command.stdout)}", counted(len(stream(e, "stdout")), "character")


@across("START-22", is_start_or_output, exercised_by=ended("slow"))
def does_not_end_early(exchanges: list[Exchange], _target: Target) -> FindingsAcross:
    """exited must not be true while a command runs whose duration is known."""
    for life in lives(exchanges):
        if life.name != "slow" or sleepless(life):
            continue
        if not (life.command and life.end and life.end.when and life.start.when):
            continue
        ran = (life.end.when - life.start.when).total_seconds() + life.end.seconds
        if ran < 0.9 * life.command.seconds:
            yield life.end, f"exited false for {life.command.seconds:g} s", f"exited true after {ran:.1f} s"


@across("START-23", is_start_or_poll, exercised_by=polled("slow"))
def running_is_told_at_once(exchanges: list[Exchange], _target: Target) -> FindingsAcross:
    """A poll of a command that takes a while must get 200 and exited false, and must not wait for the end."""
    for life in lives(exchanges):
        if life.name != "slow" or not life.command or not life.polls:
            continue
        e = life.polls[0]
        if e.status != 200 and e.status not in BUSY:
            yield e, "status 200 with exited false", status_of(e)
        elif e.seconds > 0.7 * life.command.seconds and member(e, "exited") is True:
            yield e, "exited false at once", f"exited true after {e.seconds:.1f} s"


def is_framed_otherwise(e: Exchange) -> bool:
    """Whether a start is sent chunked, or with a parameter of its media type."""
    return is_chunked(e) or ";" in (e.request.header("content-type") or "")


@across("START-24", is_start_on_own, exercised_by=lambda every, _: filter(is_framed_otherwise, every))
def framing_is_free(exchanges: list[Exchange], _target: Target) -> FindingsAcross:
    """A start that is sent chunked, or with a charset parameter, must get what the same start gets otherwise.

    For a chunked start, a 411 passes too. Any refusal by a busy server passes, and so does the page of a firewall.
    """
    works = any(e.status == 200 for e in exchanges)
    for e in filter(is_framed_otherwise, exchanges):
        if works and not (e.status in {200, *BUSY} or is_of_unknown_length(e) or is_from_firewall(e)):
            yield e, "status 200", status_of(e)


def is_start_or_any_poll(e: Exchange) -> bool:
    """A start, or a poll of a pid with whatever key and of whatever VPS."""
    return starts(e) or (judged(e) and e.ask.number is not None)


def polls_after_refusal(exchanges: list[Exchange]) -> Iterator[tuple[Exchange, Exchange]]:
    """Yield the first poll with the full key of each command of which an earlier poll was refused, with the refusal.

    A command whose end was already reported, to whatever key or under whatever VPS, is left out.
    """
    for life in lives(exchanges):
        first = next((e for e in life.polls if e.ask.credential == "full"), None)
        refusals = refusals_before(life, first) if first else []
        if first and refusals and not any(has_ended(e, life, first) for e in exchanges):
            yield first, refusals[-1]


def refusals_before(life: Life, poll: Exchange) -> list[Exchange]:
    """Return the polls of a command that were refused before another poll of it."""
    return [e for e in life.polls if e.number < poll.number and e.status in {401, 403}]


def has_ended(e: Exchange, life: Life, poll: Exchange) -> bool:
    """Whether an exchange between the start of a command and a poll of it reported the end of the command."""
    between = life.start.number < e.number < poll.number
    return between and e.ask.number == poll.ask.number and member(e, "exited") is True


@across(
    "START-25", is_start_or_any_poll, exercised_by=lambda every, _: [first for first, _ in polls_after_refusal(every)]
)
def refusal_uses_nothing_up(exchanges: list[Exchange], _target: Target) -> FindingsAcross:
    """The first poll of a command with the full key must get its output, although earlier polls of it were refused.

    A refusal is a finding only if, later in the run, a command of which no poll was refused reported its end.
    """
    undisturbed = [life.end.number for life in lives(exchanges) if life.end and not refusals_before(life, life.end)]
    for first, refusal in polls_after_refusal(exchanges):
        if refused(first) and first.status not in BUSY and first.number < max(undisturbed, default=0):
            earlier = f"since request {refusal.number} was refused ({status_of(refusal)}) and changes nothing"
            yield first, f"status 200, {earlier}", status_of(first)


@each(
    "START-26",
    lambda e: asks_start(e) and e.ask.vps == "own" and e.ask.credential == "full" and not is_readable(e.request),
)
def odd_body_is_no_failure(e: Exchange) -> Findings:
    """A 5xx is a finding, whoever wrote it. A refusal passes, and so does the start of the command.

    The command has a NUL or half a surrogate pair, or the body is no readable JSON. A gateway's failure that may have
    been transient passes; HTTP-08 judges that.
    """
    if failed(e) and not is_unretried_failure(e):
        yield "a 4xx", status_of(e)


@across(
    "START-27",
    is_start_or_any_poll,
    exercised_by=lambda every, _: [e for life in lives(every) if life.is_short for e in polls_with_full_key(life)],
)
def end_is_reported(exchanges: list[Exchange], _target: Target) -> FindingsAcross:
    """A poll of a command that ends at once must not get an error before another has reported the end.

    Nor may one say exited false ten seconds after the start; START-06 judges the time before that. A 409, a 429 and
    a 503 pass, since the server may be busy, and so does a gateway's failure, if most commands came to their end. A
    command of which an earlier poll was refused is START-25's.
    """
    short = [life for life in lives(exchanges) if life.is_short and polls_with_full_key(life)]
    mostly = 2 * sum(life.end is not None for life in short) >= len(short)
    for life in short:
        polls = polls_with_full_key(life)
        if life.end or refusals_before(life, polls[0]):
            continue
        lost = [e for e in polls if e.status != 200 and e.status not in BUSY]
        if lost and not (mostly and is_transient(lost[0])):
            yield lost[0], "status 200, until the end was reported", status_of(lost[0])
        elif not lost and member(polls[-1], "exited") is False and life.seconds_polled >= TOO_LONG:
            said = f"exited false in all of {counted(len(polls), 'poll')}, {life.seconds_polled:.0f} s after the start"
            yield polls[-1], "exited true", said


def polls_with_full_key(life: Life) -> list[Exchange]:
    """Return the polls of a command that should tell its state."""
    return [e for e in life.polls if e.ask.credential == "full"]
