"""START: the start of a command, and its life until a poll reports its end."""

import re
from collections.abc import Iterator
from functools import partial
from itertools import pairwise, takewhile
from math import inf
from statistics import median
from urllib.parse import parse_qs, unquote

from hostup_conformance.contract import ask, commands, content, lives, paths, responder, selectors
from hostup_conformance.contract.causes import differences, mishaps, pids
from hostup_conformance.contract.causes.widespread import TO_THE_END
from hostup_conformance.contract.rules import Exchanges, Findings, rate
from hostup_conformance.contract.rules import rule as any_rule
from hostup_conformance.keeping.safe_text import counted, short_json, visible

#: Most rules judge what came at the end of a command.
rule = partial(any_rule, seeks="end of a command that would show it")
#: So many characters of a command say what it does.
BEGINNING = 20
#: If no more words are in all commands that were refused, and in no other, they may be why.
FEW_WORDS = 2
#: The status codes with which a provider may block a command, as the documentation of the POST says that some do.
BLOCKED = {400, 403, 422}
#: After how many seconds a command that ends at once should be reported as exited, and after how many it must be.
LONG_ENOUGH, TOO_LONG = 4.0, 10.0
#: From how many bytes on it is told how much a command prints.
MUCH_OUTPUT = 10_000
#: So many starts that fail show more than a bad moment, and what is said where a server starts no more.
FEW_STARTS = 3
FOR_GOOD = ", and so to the end, while no more ran than when others were started: no slot gets free, it seems"
#: Output that has less than this part of its characters was cut, whatever else was changed in it.
NEARLY_ALL = 0.9
#: So many polls of a command in a row do not fail because of a gateway that has a bad moment.
MANY_FAILURES = 5


def differs(exchanges: Exchanges, e: ask.Exchange, name: str, expected: bytes) -> object:
    """Return a stream if it differs from what was printed by more than line ends and surrounding white space."""
    text = expected.decode("utf-8", "replace")
    return None if mishaps.plain(lives.stream(e, name)) == mishaps.plain(text) else came(exchanges, e, name, text)


def came(exchanges: Exchanges, e: ask.Exchange, name: str, expected: str) -> object:
    """Return a stream, for a finding, or what became of it."""
    body, value = e.body if isinstance(e.body, dict) else {}, content.member(e, name)
    others = [member for member in body if member not in {*content.OUTPUT, "pid"}]
    if name not in body and others:
        return f"no {name}, but {', '.join(short_json(member, 40) for member in others[:3])}"
    words = None if value is not None and not isinstance(value, str) else exchanges.became(e, name, expected)
    if words or not isinstance(value, str) or value.strip() or name == "stderr":
        return f"{name} {words}" if words else {name: value}
    errors = exchanges.every_text.get((e.number, "stderr"))
    said = f", with {short_json(errors.came, 80)} in stderr" if errors and errors.came and not errors.whole else ""
    return f"{short_json({name: value}, 40)}{said}"


def shortened(expected: bytes) -> str:
    """Return what was printed, for a finding."""
    text = expected.decode("utf-8", "replace")
    return short_json(text, 120) if len(text) <= 60 else f"{short_json(text[:40], 80)}... ({len(text)} characters)"


@rule("START-01", seeks="start of a valid command")
def start_gets_200(exchanges: Exchanges) -> Findings:
    """The status code must be 200: the documentation has no 201 and no 202, which are judged as 200 elsewhere.

    403 passes, since a provider may block some commands or all. Where another command was started, 409, 429 and 503
    pass too, since the server may be busy, and so does a gateway's failure. A block with 400 or 422 passes there as
    well, unless it is for a command with nothing unusual but its length, or for the shortest alone. Where others are
    started, START-24 judges the starts that are chunked or name a charset. A gateway's failure does not pass if one
    start in five gets one, three at least, or if three get one other than 503 with good starts in between, or if all
    commands that take a while get one, or wait for the end, several at least, and no other gets one. Nor does 409 or
    503 without Retry-After, or any of the three once the Retry-After of the one before has passed, if the last starts,
    three at least, got it while no more commands ran than when others were started. Of a live server a 429 passes,
    since others may use its limit up.
    """
    selected = exchanges.each(
        selectors.starts, lambda e: not beyond_ascii(e) or (ask.is_started(e) and e.status != 200)
    )
    works = any(ask.is_started(e) for e in selected)
    tried = exchanges.known(lambda e: selectors.starts(e) or (is_limited(e) and not exchanges.target.is_live))
    no_longer = no_longer_started(tried, exchanges.every_life)
    unexcused = [*starts_that_wait(selected), *often_given_up(selected), *no_longer, *shortest_alone(selected)]
    for e in [*selected, *filter(is_limited, no_longer)]:
        if e.status not in {200, 403} and not (works and e not in unexcused and is_busy_or_blocks(e)):
            ever = FOR_GOOD if works and e in no_longer else ""
            yield e, "status 200", f"{content.status_of(e)}{by_length(e, exchanges)}{ever}"


def shortest_alone(starts: list[ask.Exchange]) -> list[ask.Exchange]:
    """Return the starts of a command of one character that were blocked, if that of no other command was."""
    blocked = [e for e in starts if e.status in BLOCKED]
    return blocked if {length_of(e) for e in blocked} == {1} else []


def is_limited(e: ask.Exchange) -> bool:
    """The start of a command, with the full key on the own VPS, that got a 429 which it did not order."""
    return e.ask.starts and e.ask.command is not None and selectors.ours(e) and e.limited


def starts_that_wait(starts: list[ask.Exchange]) -> list[ask.Exchange]:
    """Return the starts that failed, if those of all commands that take a while, and no others, fail or wait for it."""
    failed = [e for e in starts if content.failed(e)]
    others = [e for e in starts if not content.failed(e)]
    waited = [e.seconds > TO_THE_END * lives.seconds_asked(e) for e in others if lasts(e)]
    wait = len(failed) + len(waited) > 1 and all(may_last(e) for e in failed) and all(waited)
    return failed if wait and len(others) > len(failed) else []


def no_longer_started(starts: list[ask.Exchange], every: list[lives.Life]) -> list[ask.Exchange]:
    """Return the starts that a server was too busy for to the end, though no more ran than when it started others."""
    told = [(life, life.end.number if life.end else inf) for life in every]
    served = [e for e in starts if ask.is_started(e)]
    last = max((e.number for e in served), default=0)
    most = max((sum(seen_on(life, e) for life in every) for e in served), default=0)
    busy = [e for e in starts if e.status in selectors.BUSY and e.number > last]
    at_any_time = [e for e in busy if e.status != 429 and e.header("retry-after") is None]
    in_time = [e for before, e in pairwise(busy) if e.number > before.number and is_in_time(before, e)]
    tried = in_time or at_any_time
    idle = [e for e in tried if sum(life.start.number < e.number < end for life, end in told) <= most]
    return idle if len(idle) >= FEW_STARTS else []


def is_in_time(before: ask.Exchange, e: ask.Exchange) -> bool:
    """Whether a start came when the Retry-After of the one before, a second at least, had passed."""
    wait = rate.seconds_to_wait(before)
    return wait is not None and wait >= 1 and rate.seconds_between(before, e) >= wait


def seen_on(life: lives.Life, start: ask.Exchange) -> bool:
    """Whether a command ran when another was started: it had been started before, and was seen to run afterwards."""
    running = [e.number for e in life.polls if content.member(e, "exited") is False]
    before = life.start is not start and not lives.overlap(life.start, start)
    return before and life.start.number < start.number < max(running, default=0)


def often_given_up(starts: list[ask.Exchange]) -> list[ask.Exchange]:
    """Return the starts that a gateway gave up, if those are one in five, or came at several times; three at least."""
    given_up = [e for e in starts if selectors.by_gateway(e)]
    many = len(given_up) >= max(FEW_STARTS, len(starts) / 5)
    return given_up if many or responder.given_up_often(starts) else []


def lasts(e: ask.Exchange) -> bool:
    """The start of a command that takes a while."""
    return lives.seconds_asked(e) > 0


def may_last(e: ask.Exchange) -> bool:
    """The start of a command that takes a while, or does so if its input stays open."""
    known = commands.recognized(e.ask.command or "")
    return lasts(e) or bool(known and known.name == "input")


def is_busy_or_blocks(e: ask.Exchange) -> bool:
    """Whether a start was refused that may be served at another time, if framed otherwise, or with another command."""
    blocked = e.status in BLOCKED and not is_longest(e)
    return e.status in selectors.BUSY or blocked or is_framed(e) or selectors.by_gateway(e)


def beginning(e: ask.Exchange) -> str:
    """Return how a command begins: that of another is the same which differs in its token alone."""
    return (e.ask.command or "")[:BEGINNING]


def is_framed(e: ask.Exchange) -> bool:
    """A request that is chunked, or whose media type has a parameter."""
    return responder.is_chunked(e) or ";" in (e.request.header("content-type") or "")


def by_length(e: ask.Exchange, exchanges: Exchanges) -> str:
    """Return how long a command is, if all that were refused alike are longer than all started ones, or shorter."""
    sent = exchanges.known(selectors.starts)
    refused = {length_of(one) for one in sent if one.status == e.status}
    started = {length_of(one) for one in sent if ask.is_started(one)}
    alone = refused and started and (min(refused) > max(started) or max(refused) < min(started))
    return f" for a command of {counted(length_of(e), 'character')}" if alone else ""


def length_of(e: ask.Exchange) -> int:
    """Return how many characters the command of a start has."""
    return len(e.ask.command or "")


def is_longest(e: ask.Exchange) -> bool:
    """Whether the command of a start has the greatest length that the documentation allows."""
    return length_of(e) == paths.LONGEST_COMMAND


@rule("START-02", seeks="start that got 200")
def start_has_its_form(exchanges: Exchanges) -> Findings:
    """The body must be a JSON object without an envelope.

    Where present, pid must be an integer above 0 and pollUrl a string; one of both must be there, to poll by.
    """
    for e in exchanges.each(selectors.starts, selectors.has_json, ask.is_started):
        if not isinstance(e.body, dict):
            yield e, "a JSON object", content.in_place_of_object(e)
            continue
        envelope = content.envelope_of(e.body)
        if "pid" not in e.body and (envelope or "pollUrl" not in e.body):
            yield e, "the members pid and pollUrl", envelope or content.named_members(e.body)
        if "pid" in e.body and ask.new_pid(e) is None:
            yield e, "pid: an integer above 0", {"pid": e.body["pid"]}
        if not isinstance(e.body.get("pollUrl", ""), str):
            yield e, "pollUrl: a string", {"pollUrl": e.body["pollUrl"]}


@rule("START-32", seeks="start of a valid command")
def refusals_are_told(exchanges: Exchanges) -> Findings:
    """Reports the status codes with which valid commands were refused, and how many, and judges nothing.

    A provider may block commands, a firewall may take one for an attack, and a server may run one at a time. START-24
    judges those that are framed in another way.
    """
    refused: dict[str, list[ask.Exchange]] = {}
    accepted = set[str]()
    for e in exchanges.each(selectors.starts, lambda e: not is_framed(e)):
        if content.refused(e) and e.status != 429:
            refused.setdefault(content.named_status(e), []).append(e)
        elif selectors.started(e):
            accepted |= words_of(e)
    for status, alike in refused.items():
        known, more = commands.recognized(alike[0].ask.command or ""), ""
        if len(alike) > 1:
            more = f", and {counted(len(alike) - 1, 'command')} more"
            alone = sorted(set[str].intersection(*map(words_of, alike)) - accepted)
            if 0 < len(alone) <= FEW_WORDS:
                more += f", all with {' and '.join(short_json(word, 20) for word in alone)} in them"
        yield alike[0], "", f"{status} for {called(alike[0], known)}{more}"


def words_of(start: ask.Exchange) -> set[str]:
    """Return the words in the text of a command, and the characters between them, some of which a server may block."""
    return set(re.findall(r"\w+|[^\w\s]", start.ask.command or ""))


@rule("START-31", seeks="start that got a pid")
def pid_is_exact(exchanges: Exchanges) -> Findings:
    """A pid above 9007199254740991 is a finding, since many readers of JSON round it to another."""
    for e in exchanges.each(lambda e: ask.new_pid(e) is not None):
        if (pid := ask.new_pid(e) or 0) >= pids.EXACT:
            yield e, f"pid: at most {pids.EXACT - 1}", {"pid": pid}


@rule("START-03", seeks="start that got 200")
def start_says_the_pid(exchanges: Exchanges) -> Findings:
    """Reports what the first response without a member named pid has instead, and judges nothing.

    Where pollUrl has the pid, the run polls by that. START-02 judges the value of a pid.
    """
    for e in [e for e in exchanges.each(selectors.started) if "pid" not in e.body][:1]:
        yield e, "", f"no pid, but {content.named_members(e.body)}"


@rule("START-04", seeks="response to a start with a pollUrl")
def poll_url_leads_here(exchanges: Exchanges) -> Findings:
    """The path must end in that of the start, in any percent-encoding, and the query must have the response's pid.

    A prefix before the path passes, but not one in which the path begins as well.
    """
    for e in exchanges.each(selectors.started, lambda e: isinstance(e.body.get("pollUrl"), str)):
        url = e.body["pollUrl"]
        path, _, query = url.partition("?")
        segments, asked = ([unquote(part) for part in text.split("/")] for text in (path, e.request.target))
        here = path.startswith("/") and not path.startswith("//") and segments[-len(asked) + 1 :] == asked[1:]
        here = here and paths.BEFORE_VPSS not in "/".join(segments[: -len(asked) + 1])
        pid = ask.new_pid(e)
        if not here:
            yield e, f"the path {e.request.target}?pid={pid or '...'}", url
        elif pid is not None and parse_qs(query).get("pid") != [str(pid)]:
            yield e, "the same pid in pid and in pollUrl", f"pid {pid}, and {url}"


def of_another(exchanges: Exchanges, name: str) -> Findings:
    """Yield each command with a stream that holds what another command writes."""
    for text in exchanges.exchanged:
        if text.name == name and text.life.end:
            got = came(exchanges, text.life.end, name, text.sent)
            yield text.life.end, f"{name}: {shortened(text.sent.encode())}", got


@rule("START-05")
def output_is_the_commands(exchanges: Exchanges) -> Findings:
    """stdout must be what the command printed, apart from line ends and white space around it; stderr must not hold it.

    It must not be, or hold, what another command of the run prints: no other rule judges a command that got that. Where
    all output that has changed has changed alike, one rule tells of it: this one, if it judges some of that, else
    START-07 or START-13. The output of several simultaneous polls is START-21's.

    START-07 judges texts with characters outside ASCII, START-12 long ones, START-13 each byte. The command that finds
    out which system the guest has is judged by the beginning of its output, since only that is known.
    """
    yield from of_another(exchanges, "stdout")
    for life in exchanges.lives:
        begun = commands.printed_anywhere(lives.command_text(life))
        if life.end and begun not in lives.stream(exchanges.take(life.end), "stdout"):
            yield life.end, f"stdout: {begun}...", came(exchanges, life.end, "stdout", begun)
    for e, text in exchanges.echoes():
        if text.isascii() and lives.stream(e, "stdout").strip() != text:
            yield e, f"stdout: {text}", came(exchanges, e, "stdout", text)
        if text.isascii() and text in lives.stream(e, "stderr"):
            yield e, "nothing in stderr", {"stderr": e.body["stderr"]}
    ends = exchanges.ends(*commands.SHORT)
    found = [(e, command.stdout, differs(exchanges, e, "stdout", command.stdout)) for e, command in ends]
    # What tells what became of it comes first.
    for e, expected, got in sorted(found, key=lambda one: not isinstance(one[2], str)):
        if got:
            yield e, f"stdout: {shortened(expected)}", got


@rule("START-06")
def comes_to_its_end(exchanges: Exchanges) -> Findings:
    """A poll that says exited false is a finding, four seconds after the first that could have shown the end.

    A server that asks the agent only now and then may notice an end late. START-27 judges whether it ever does.
    """
    for life in exchanges.lives:
        lasts = life.command.seconds if life.command else 0.0
        begun = next((after for e in life.polls if (after := life.seconds_until(e)) >= lasts), inf)
        polls = [exchanges.take(e) for e in life.polls if life.is_short]
        late = [e for e in polls if life.seconds_until(e) >= begun + LONG_ENOUGH]
        if e := next((e for e in late if content.member(e, "exited") is False), None):
            yield e, "exited true by now", f"exited false {life.seconds_until(e):.1f} s after the start"


def beyond_ascii(e: ask.Exchange) -> bool:
    """A start whose command has characters outside ASCII."""
    return not (e.ask.command or "").isascii()


@rule("START-07", seeks="start of a command beyond ASCII")
def text_is_passed_on(exchanges: Exchanges) -> Findings:
    """The start must get 200, and stdout must be what the command printed.

    A busy server (409, 429 or 503) and one that blocks the command (403, or what commands in ASCII get) pass, and so
    does a front end that refuses large bodies in a form of its own. START-01 judges a success other than 200, and the
    refusal of a length that is refused in ASCII too, and HTTP-02 a body in another encoding. In a Windows guest, the
    console's code page decides what is printed.
    """
    ascii_alone = exchanges.known(selectors.starts, lambda e: not beyond_ascii(e))
    plain = [e for e in ascii_alone if (e.ask.command or "").isprintable()]
    blocked = {content.refusal(e) for e in plain if content.refused(e)}
    for e in exchanges.each(selectors.starts, beyond_ascii, lambda e: e.status not in {403, *selectors.BUSY}):
        elsewhere = by_length(e, exchanges) and any(is_longest(one) and one.status == e.status for one in ascii_alone)
        blocks = content.member(e, "detail") is not None and content.refusal(e) in blocked
        if not ask.is_started(e) and not elsewhere and not blocks and not selectors.by_front_end(e):
            in_bytes = counted(len((e.ask.command or "").encode()), "byte")
            got = f"{content.status_of(e)} for {counted(length_of(e), 'character')} in {in_bytes}"
            yield e, "status 200", got
    for e, text in exchanges.echoes() if exchanges.guest not in commands.WINDOWS else ():
        here = exchanges.told_by(e) in {None, "START-07"} and content.is_utf_8(e)
        if not text.isascii() and lives.stream(e, "stdout").strip() != text and here:
            yield e, f"stdout: {text}", came(exchanges, e, "stdout", text)
    for e, command in exchanges.ends("letters", "longest_in_bytes"):
        got, text = lives.stream(e, "stdout"), command.stdout.decode()
        torn = got.strip("\ufffd").rstrip()
        other = bool(got) and not (text.startswith(torn) or text.endswith(torn))
        told = exchanges.told_by(e)
        if (told == "START-07" or (other and not told)) and content.is_utf_8(e):
            yield e, f"stdout: {shortened(command.stdout)}", came(exchanges, e, "stdout", text)


def code_of(e: ask.Exchange, exchanges: Exchanges) -> object:
    """Return the exit code that came, for a finding, and what became of all of them."""
    if "exitCode" not in e.body:
        return "no exitCode"
    known = exchanges.code_fate
    return f"exitCode {short_json(e.body['exitCode'], 20)}: {known}" if known else {"exitCode": e.body["exitCode"]}


#: The commands that end well at once in every POSIX shell, and print no more than a buffer holds.
EASY = ("streams", "verbatim", "number", "nothing", "errors", "shared")


@rule("START-08")
def tells_the_exit_code(exchanges: Exchanges) -> Findings:
    """exitCode of a command that ended by itself must be there, and a number; of an `echo` it must be the integer 0."""
    for e, _ in exchanges.echoes():
        code = e.body.get("exitCode")
        if code != 0 or isinstance(code, bool):
            yield e, "exitCode 0", code_of(e, exchanges)
    for e, command in exchanges.ends("exit", "slow", "closed", *EASY, *commands.WINDOWS):
        code = e.body.get("exitCode")
        if code is None or isinstance(code, str):
            yield e, f"exitCode {command.exit_code}", code_of(e, exchanges)


@rule("START-09", seeks="start, and no probe, of the VPS without an agent")
def no_start_without_agent(exchanges: Exchanges) -> Findings:
    """A status code below 400 is a finding. Any error passes, since the documentation does not say which it is.

    A server that says available true in one of the run's probes is exempt: PROBE-07 judges that.
    """
    unavailable = selectors.asking(credential="full", vps="unavailable")
    told = exchanges.known(unavailable, lambda e: ask.is_start(e) or selectors.is_availability(e))
    if any(content.member(e, "available") is True for e in told):
        return
    for e in exchanges.each(ask.is_start, unavailable):
        if content.below(e, 400):
            yield e, "an error", f"{content.named_status(e)} with {short_json(e.body, 200)}"


@rule("START-10")
def pids_differ(exchanges: Exchanges) -> Findings:
    """A pid that comes again is a finding, unless a poll has reported the end of its earlier command in between.

    Where the same command is never started again, START-16 tells of it.
    """
    alive: dict[str, ask.Exchange] = {}
    told = {life.start.number for life, _ in exchanges.not_run_again}
    polled = exchanges.known(lambda e: is_new(e) or (selectors.asks_output(e) and selectors.is_output(e)))
    starts = [e for e in polled if is_new(e)]
    for e in polled:
        if not (poll := selectors.new_poll(e)):
            if content.member(e, "exited") is True:
                alive.pop(e.request.target, None)
            continue
        before = alive.setdefault(poll, exchanges.take(e))
        if before is not e and e.number not in told:
            why = "which was sent at the same time" if lives.overlap(before, e) else "whose command may still run"
            expected = f"another pid than in request {before.number}, {why}"
            yield e, expected, f"pid {ask.new_pid(e)}{pids.how_given(starts, e, before)}"


def is_new(e: ask.Exchange) -> bool:
    """A start on the caller's own VPS whose response has a pid."""
    return ask.new_pid(e) is not None and e.ask.vps == "own"


@rule("START-11")
def errors_are_the_commands(exchanges: Exchanges) -> Findings:
    """stderr must be what the command wrote to standard error, apart from line ends and white space around it.

    It must not be, or hold, what another command of the run writes. What the guest's shell writes there before each
    command, whatever the command is, passes; and so does a body that says that it was truncated.
    """
    yield from of_another(exchanges, "stderr")
    words = exchanges.words_of_the_guest.encode()
    for e, command in exchanges.ends("streams", "errors", "exit", "slow", "megabyte", "nothing", *commands.WINDOWS):
        usual, other = (differs(exchanges, e, "stderr", text + command.stderr) for text in (b"", words))
        if usual and other and not says_truncated(e):
            yield e, f"stderr: {shortened(command.stderr)}", usual


@rule("START-33")
def what_the_guest_writes_is_told(exchanges: Exchanges) -> Findings:
    """Reports what stderr of each command has that the command does not write, and judges nothing.

    START-11 judges what not all of them have.
    """
    said = exchanges.words_of_the_guest
    for e, _command in exchanges.ends("nothing", "number"):
        if said.strip():
            yield e, "", f"each command has it: {short_json(said, 120)}"
            return


@rule("START-12")
def output_is_whole(exchanges: Exchanges) -> Findings:
    """stdout of a command that prints a little more than 1 MiB, or less, must not be cut.

    A body that says that it was truncated passes. Of what is long, START-07 judges what has other characters.

    Another rule tells of output in which all that is missing is what is missing from other output too.
    """
    for e, command in exchanges.ends("letters", "longest", "longest_in_bytes", "megabyte"):
        got, printed = lives.stream(e, "stdout"), command.stdout.decode()
        whole, torn = printed.rstrip(), got.strip("\ufffd")  # which stands for a character that was cut
        cut = torn.rstrip() != whole and (printed.startswith(torn) or whole.endswith(torn.rstrip()))
        changed = cut or (command.name == "megabyte" and mishaps.plain(got) != mishaps.plain(printed))
        if changed and not exchanges.told_by(e) and not says_truncated(e):
            line = "" if "\n" in whole else "one line of "
            expected = f"{line}{len(printed):,} characters in stdout"
            short = not cut and len(got) < NEARLY_ALL * len(printed)
            what = came(exchanges, e, "stdout", printed) if got else "none"
            size = f"{len(got):,} characters, and " if short and isinstance(what, str) and got else ""
            yield e, expected, f"{size}{what}" if size else what


def says_truncated(e: ask.Exchange) -> bool:
    """Whether a body says that its output was truncated."""
    return any("trunc" in name.lower() and value for name, value in e.body.items())


@rule("START-13")
def output_is_exact(exchanges: Exchanges) -> Findings:
    """stdout and stderr must be what was written, to the byte: with blanks, line ends and control characters.

    Output that differs otherwise is judged by START-05 and START-11, except that of the command that prints control
    characters and what filters are known to mask; and another rule tells of what becomes of other output too.
    """
    words = exchanges.words_of_the_guest.encode()
    others = {(text.number, text.name) for text in exchanges.exchanged}
    for e, command in exchanges.ends("streams", "lines", "number", "exit_255", "control"):
        for name, expected in (("stdout", command.stdout), ("stderr", words + command.stderr)):
            text = expected.decode()
            elsewhere = command.name != "control" and visible(lives.stream(e, name)) != visible(text)
            elsewhere = elsewhere or (name == "stdout" and exchanges.told_by(e) not in {None, "START-13"})
            elsewhere = elsewhere or not content.is_utf_8(e) or (e.number, name) in others
            if command.exact and lives.stream(e, name) != text and not elsewhere:
                yield e, f"{name}: {short_json(text, len(text))}", came(exchanges, e, name, text)


@rule("START-14")
def exit_code_is_the_commands(exchanges: Exchanges) -> Findings:
    """exitCode, where present, must be that of the command: 1, 200, 255, or 0, also with something on standard error.

    A program that does not exist must not end with 0; which other code it gets depends on the guest. The right code as
    a string is START-08's.
    """
    for e, command in exchanges.ends("exit", "closed", *EASY, *commands.WINDOWS):
        if e.body.get("exitCode") not in (None, command.exit_code, str(command.exit_code)):
            yield e, f"exitCode {command.exit_code}", code_of(e, exchanges)
    for e, _ in exchanges.ends("unknown_program"):
        if e.body.get("exitCode") == 0:
            yield e, "an exitCode other than 0, for a program that does not exist", {"exitCode": 0}


@rule("START-15")
def death_is_no_success(exchanges: Exchanges) -> Findings:
    """exitCode of a command that a signal ended must not be 0. No code, null, and 128 and more pass.

    A command that goes on after it has sent itself the signal was not ended by it.
    """
    for e, command in exchanges.ends("killed"):
        goes_on = len(lives.stream(e, "stdout").strip()) > len(command.stdout)
        if e.body.get("exitCode") == 0 and not goes_on:
            yield e, "no exitCode, or one other than 0", {"exitCode": 0}


def waited_long(life: lives.Life, trace: ask.Exchange, others: list[lives.Life]) -> bool:
    """Whether a command should have run before a trace, whatever the server had to do at the time of its start."""
    told = next(one.start for one in others if one.end is trace)
    later = [one for one in others if one.start.number > life.start.number]
    long = next((one.command.seconds for one in others if one.command and one.name == "slow"), inf)
    return life.seconds_until(told) >= long and any(one.end and one.end.number < told.number for one in later)


@rule("START-16")
def runs_once(exchanges: Exchanges) -> Findings:
    """A command that writes a line into a file must have written one line after one start, and two after two.

    It must have written no more if it failed, or was polled while it ran, or once its end was told. And it must have
    done so although nobody has polled it, if it had the time that the slow command takes, if a command that was started
    after it has ended, if no other was ended before its time, which START-22 judges, and if none ran too often: then so
    may the one that removes what is counted. Nor is it judged if one that was seen to run has left no file. START-05
    judges a number that does not come as it was printed.
    """
    for life, earlier in exchanges.not_run_again:
        told = f"the pid of request {earlier.start.number}, which started the same command, and no other run of it"
        yield life.start, "a run of its own for each start", told
    runs = exchanges.runs
    for run in runs:
        exchanges.take(run.told_by)
    more = [run for run in runs if run.times > run.starts]
    less = [run for run in runs if run.times < run.starts]
    for run in more or ([] if any(map(left_no_trace, less)) else less):
        fails = mishaps.foreign_errors(run.life) not in {"", exchanges.words_of_the_guest.strip()}
        due = not fails and not exchanges.cut_short and waited_long(run.life, run.told_by, exchanges.lives)
        if run.times or (run.life.name == "once" and due):
            expected = f"a command that has run {counted(run.starts, 'time')} after {counted(run.starts, 'start')}"
            polls = " and several polls" if run.life.name == "slow" else ""
            got = f"it has run {counted(run.times, 'time')}{mishaps.why_run(run, runs)}"
            yield run.told_by, f"{expected}{polls}", got


def left_no_trace(run: mishaps.Run) -> bool:
    """Whether a command ran, by what it printed, and its file is gone: each may have a temporary folder of its own."""
    end = run.life.end
    printed = end and lives.stream(end, "stdout") == mishaps.printed(run.life)
    return run.life.name == "slow" and not run.times and bool(printed)


@rule("START-17")
def refusal_starts_nothing(exchanges: Exchanges) -> Findings:
    """A start that was refused with 4xx must not have run: its command would have left its name in a file."""
    traces = [life.end for life in exchanges.lives if life.end and lives.shows_traces(life)]
    printed = " ".join(lives.stream(e, "stdout") for e in traces)
    ran = [name for name in printed.split() if name.startswith("refused_")]
    for e in exchanges.each(ask.asks_start, content.refused) if printed else ():
        body = e.request.body.decode("utf-8", "replace")
        if any(f"hostup-{name}-" in body for name in ran):
            yield e, "a refused command that does not run", f"{content.status_of(e)}, and it ran in the guest"


@rule("START-18")
def start_does_not_wait(exchanges: Exchanges) -> Findings:
    """The start of a command that takes a while must not take that much longer than other starts."""
    quick = exchanges.known(lambda e: selectors.starts(e) and ask.is_started(e) and not lasts(e))
    usual = median([e.seconds for e in quick] or [0.0])
    for life in exchanges.lives:
        if life.name != "slow" or not life.command:
            continue
        if exchanges.take(life.start).seconds > usual + 0.8 * life.command.seconds:
            expected = f"a response before the command's {life.command.seconds:g} s are over"
            yield life.start, expected, f"one after {life.start.seconds:.1f} s"


@rule("START-19")
def runs_as_it_was_sent(exchanges: Exchanges) -> Findings:
    """A command with blanks, quotes, escapes, capital letters and two lines must reach the shell as it was sent.

    What it prints shows how the shell read it. START-13 judges the white space around that.

    Where other commands went wrong that have the characters which were changed, though they print none of these, the
    text of all of them was altered before they ran, and no other rule judges them. Where output has lost the same
    characters that stand in the text of no command, it is the output that was altered, and START-13 judges it.
    """
    as_sent = "a command that runs as it was sent"
    for at, life in enumerate(exchanges.altered):
        e = life.end or [life.start, *life.polls][-1]
        how = f"{named(life)}, which went wrong" if at or not exchanges.alteration else exchanges.alteration.words
        yield exchanges.take(e), as_sent, f"{mishaps.ALTERED}: {how}"
    for e, _ in exchanges.ends("killed"):
        if (word := words_for_kill(lives.stream(e, "stdout"))) is not None:
            yield e, as_sent, f'{mishaps.ALTERED}: "kill" became {short_json(word, 40)}'
    for e, command in exchanges.ends("verbatim", "lines"):
        got = differs(exchanges, e, "stdout", command.stdout)
        if got and not exchanges.told_by(e) and not is_lost_by_output(exchanges, e):
            ends = command.name == "lines" and stops_at_a_failure(e, command)
            how = f"{got}, with exitCode 1, that of its second line: it ended there, as with sh -e, it seems"
            yield e, f"stdout: {shortened(command.stdout)}", how if ends else got


def is_lost_by_output(exchanges: Exchanges, e: ask.Exchange) -> bool:
    """Whether all that the output of a command has lost, but for blanks, other output has lost as well."""
    lost = mishaps.lost(next(life for life in exchanges.lives if life.end is e)) - {" "}
    return bool(lost) and lost <= exchanges.lost_by_output


def words_for_kill(stdout: str) -> str | None:
    """Return what stands for "kill" in what the command prints that kills itself; None if it shows no change."""
    lived = re.match(r"before:after:(\S*)", stdout)
    return lived[1] if lived and lived[1] != "kill" else None


def stops_at_a_failure(e: ask.Exchange, command: commands.Command) -> bool:
    """Whether a command of several lines ended at the one that fails, and with its exit code."""
    first = command.stdout.decode().partition("B")[0]
    return lives.stream(e, "stdout").strip() == first and content.member(e, "exitCode") == 1


@rule("START-20")
def any_bytes_can_be_polled(exchanges: Exchanges) -> Findings:
    """Output that is not UTF-8 must come as a string with the valid characters.

    Anything may stand in place of the other bytes. A body with a member that names an encoding, or base64, passes.
    Where other commands fail as well, START-27 judges that, and another rule tells of what becomes of other output too.
    """
    others_fail = any(life.is_lost_undisturbed for life in exchanges.lives if life.name != "not_utf_8")
    for life in exchanges.lives_of("not_utf_8"):
        if not life.end:
            for e in [e for e in life.polls if content.failed(e) and not others_fail][:1]:
                yield e, "status 200, and a string", content.status_of(e)
            continue
        text = lives.stream(life.end, "stdout")
        names_another = any("encod" in name.lower() or "base64" in name.lower() for name in life.end.body)
        whole = text.startswith("aå") and text.rstrip().endswith("z")
        if not names_another and not whole and not exchanges.told_by(life.end):
            got = came(exchanges, life.end, "stdout", mishaps.printed(life))
            yield life.end, "stdout: aå...z, and any characters in between", got


@rule("START-21")
def simultaneous_polls_tear_nothing(exchanges: Exchanges) -> Findings:
    """Of several simultaneous polls of one pid, each that says exited true must have all of the output.

    The others may say that the command still runs, or that it is forgotten (4xx). HTTP-08 judges a 5xx, START-05 output
    that is garbled, or missing, without simultaneous polls too, and POLL-10 output that is gone in every later poll.
    """
    garbled = garbled_anyway(exchanges)
    gone = changes_later(exchanges.known(selectors.asks_output))
    for life in exchanges.lives_of("shared"):
        expected = life.command.stdout if life.command else b""
        for e in life.polls if not gone else ():
            got = lives.stream(e, "stdout")
            torn = content.member(e, "exited") is True and differs(exchanges, e, "stdout", expected)
            if torn and bool(got) not in garbled and not exchanges.so_became_others(life, e):
                how = differences.difference(expected.decode(), got)
                yield e, f"stdout: {shortened(expected)}", how or {"stdout": got}


def garbled_anyway(exchanges: Exchanges) -> set[bool]:
    """Return, of the commands that were polled one at a time and printed something else, which had any output."""
    names = {"shared", *mishaps.VARYING}
    alone = (text for text in exchanges.every_text.values() if text.life.name not in names and text.sent.isascii())
    return {bool(text.came) for text in alone if text.name == "stdout" and not text.whole}


def changes_later(polls: list[ask.Exchange]) -> bool:
    """Whether a later poll of a command that had ended, and none at the same time, said that it printed nothing."""
    ended = [e for e in polls if e.ask.pid == ask.Pid.FINISHED and content.member(e, "exited") is True]
    return any(lives.stream(ended[0], "stdout") and not lives.stream(e, "stdout") for e in ended[1:])


@rule("START-22")
def does_not_end_early(exchanges: Exchanges) -> Findings:
    """exited must not be true while a command runs whose duration is known, and nothing may end a command before.

    One of the run's commands was ended by something else if its exit code is that of a signal, or is missing though
    others have one, and its output is not whole. No other rule judges such a command.
    """
    for life in exchanges.every_life:
        if life.name == "slow" and life.end and life.end.when and not lives.sleepless(life):
            exchanges.take(life.end)
    for life in exchanges.cut_short:
        if life.end:
            expected = f"exited true at the end of {named(life)}{own_end(life)}"
            yield life.end, expected, early_end(life, exchanges.ended_by)


def own_end(life: lives.Life) -> str:
    """Return when a command ends by itself, and with which code, for a finding."""
    seconds = lives.seconds_of(life)
    code = life.command.exit_code if life.command else 0
    return f", {f'after {seconds:g} s and ' if seconds else ''}with exitCode {code}"


def early_end(life: lives.Life, why: str) -> str:
    """Return how a command ended before its time, for a finding, and why; else how much it had printed."""
    text, came, code = mishaps.printed(life).strip(), mishaps.stdout(life).strip(), mishaps.exit_code(life)
    ran = lives.seen_running(life)
    before = f" (exited false after {ran:.1f} s)" if ran else ""
    when = f"{lives.seconds_to_end(life):.1f} s after the start{before}"
    printed = f" and {len(came)} of {counted(len(text), 'character')} printed" if text else ""
    printed = ", in the middle of its sleep" if lives.without_sleep(life) else printed
    well = ", as if it had succeeded" if code == 0 and (came != text or not text) else ""
    with_code = f"with exitCode {short_json(life.end and life.end.body.get('exitCode'), 20)}"
    return f"an end {when}, {with_code}{why or printed + well}"


@rule("START-23")
def running_is_told_at_once(exchanges: Exchanges) -> Findings:
    """A poll of a command that takes a while must get 200 and exited false, and must not wait for the end.

    Where commands that do not take a while are lost too, START-27 judges that.
    """
    others_lost = any(life.is_lost_undisturbed for life in exchanges.lives if not lasts(life.start))
    usual = median([e.seconds for e in exchanges.everything if e.response] or [0.0])
    for life in exchanges.lives_of("slow"):
        if not life.command or not life.polls:
            continue
        e = life.polls[0]
        if e.status != 200 and e.status not in selectors.BUSY and not (content.refused(e) and others_lost):
            yield e, "status 200 with exited false", content.status_of(e)
        elif e.seconds > 0.7 * life.command.seconds + usual and content.member(e, "exited") is True:
            yield e, "exited false at once", f"exited true after {e.seconds:.1f} s"


def understands_its_framing(e: ask.Exchange) -> bool:
    """Whether the server may be sent what is framed so."""
    return not (responder.is_chunked(e) and e.response and e.response.is_old)


@rule("START-24", seeks="start that was framed in another way")
def framing_is_free(exchanges: Exchanges) -> Findings:
    """A start that is sent chunked, or with a charset parameter, must get what the same start gets otherwise.

    For a chunked start, a 411 passes too, and any refusal in HTTP/1.0, which has no chunks (RFC 9112 section 6.1). Any
    refusal by a busy server passes, and so does the page of a firewall, and that of a command like which others were
    refused.
    """
    sent = exchanges.known(selectors.is_start_on_own)
    works, plain = any(map(ask.is_started, sent)), [e for e in sent if not is_framed(e)]
    blocked = {beginning(e) for e in plain if e.status in BLOCKED} - {beginning(e) for e in plain if ask.is_started(e)}
    for e in exchanges.each(selectors.is_start_on_own, is_framed, understands_its_framing):
        passes = selectors.by_front_end(e) or selectors.by_firewall(e)
        passes |= e.status in BLOCKED and beginning(e) in blocked
        if works and not passes and not ask.is_started(e) and e.status not in selectors.BUSY:
            other = "Transfer-Encoding: chunked" if responder.is_chunked(e) else "the charset parameter"
            yield e, f"status 200, as without {other}", content.status_of(e)


def polls_after_refusal(exchanges: Exchanges) -> Iterator[tuple[ask.Exchange, list[ask.Exchange], int | None]]:
    """Yield the first poll with the full key of each command of which earlier polls were refused, with the refusals.

    With them comes the exit code that the command ends with.

    A command whose end was already reported, to whatever key or under whatever VPS, is left out, and so is one of which
    a poll got 429.
    """
    limited = {e.request.target for e in exchanges.known(lambda e: e.status == 429)}
    for life in exchanges.with_any_poll:
        first = next(iter(life.full_polls), None)
        refusals = life.refusals_before(first) if first else []
        if not first or not refusals or first.request.target in limited:
            continue
        before = [e for e in (*life.polls, *life.elsewhere) if e.number < first.number]
        if not any(content.member(e, "exited") is True for e in before):
            yield first, refusals, life.command.exit_code if life.command else 0


@rule("START-25", seeks="command of which a poll was refused before")
def refusal_uses_nothing_up(exchanges: Exchanges) -> Findings:
    """The first poll of a command with the full key must get its output, although earlier polls of it were refused.

    That may have been for their key or their VPS. A refusal is a finding only if, later in the run, a command of which
    no poll was refused reported its end, and if no such command was lost: START-27 judges that, and what is lost
    after a 429.
    """
    every = exchanges.with_any_poll
    undisturbed = [life.end.number for life in every if life.end and not life.refusals_before(life.end)]
    if exchanges.loses_undisturbed:
        return
    # A command of which one poll was refused tells more than one of which many were.
    found = sorted(polls_after_refusal(exchanges), key=lambda one: len(one[1]))
    spared = {(e.status, e.ask.vps) for first, refusals, _ in found if first.status == 200 for e in refusals}
    for first, refusals, code in found:
        exchanges.take(first)
        if content.refused(first) and first.status not in selectors.BUSY and first.number < max(undisturbed, default=0):
            kinds = {(e.status, e.ask.vps): e for e in reversed(refusals)}
            earlier = " and ".join(map(refusal_in_words, sorted(kinds.values(), key=lambda e: e.number)))
            why = f"; it ends with exitCode {code}, and what was refused so and ends with 0 got 200" if code else ""
            got = content.status_of(first) + (why if spared.issuperset(kinds) else "")
            yield first, f"status 200, since what was refused changes nothing: {earlier}", got


def refusal_in_words(e: ask.Exchange) -> str:
    """Return which request was refused, and how."""
    where = {"own": "", "unavailable": ", under the VPS without an agent"}.get(e.ask.vps or "", ", under another VPS")
    return f"request {e.number} ({content.named_status(e)}{where})"


@rule("START-26", seeks="start with a body that is hard to read")
def odd_body_is_no_failure(exchanges: Exchanges) -> Findings:
    """A 5xx is a finding. A refusal passes, and so do the start of the command, and the 503 of a server that is busy.

    The command has a NUL or half a surrogate pair, or the body is not UTF-8. HTTP-08 judges a gateway's failure that
    may have been transient, and what parsers do before the server's own code is asked: a 5xx in a form of the
    framework's own for a body that is not UTF-8, and any for one that is nested more deeply than many can read.
    """
    for e in exchanges.each(
        ask.asks_start, selectors.ours, lambda e: not (responder.is_readable(e) or responder.is_deep(e))
    ):
        passes = responder.is_page_of_parser(e) or selectors.by_gateway(e)
        if content.failed(e) and not passes and not exchanges.found_it_busy(e):
            yield e, "a 4xx", content.status_of(e)


@rule("START-27")
def end_is_reported(exchanges: Exchanges) -> Findings:
    """A poll of a command that ends at once must not get an error before another has reported the end.

    Nor may one say exited false ten seconds after the first, unless that only came late, as all that was started after
    it did; START-06 judges the time before that. A 409, a 429 and a 503 pass, since the server may be busy. So does a
    gateway's failure, if three of four commands came to their end, those that got it are not just the several that
    print most, and the command does not get it again and again while polls of others get 200. A server need not keep
    for more than thirty seconds what nobody polls. Unless it is a 5xx, what a command gets of which an earlier poll was
    refused is START-25's. One that OPTIONS or HEAD was asked for before is START-29's or START-30's; one that did not
    run as it was sent is START-19's, and one that did not run again START-16's. Where a 200 may have told the end in a
    form that nobody can read, others judge that.
    """
    every = exchanges.with_any_poll
    asked = {e.request.target for e in exchanges.asked_otherwise}
    elsewhere = [*exchanges.altered, *(life for life, _ in exchanges.not_run_again)]
    short = [life for life in lives.without(every, elsewhere) if life.is_short and life.full_polls]
    mostly = 4 * sum(life.end is not None for life in short) >= 3 * len(short)
    also = sum(life.lost is not None for life in short)
    served = [e.number for life in every for e in life.polls if e.status == 200]
    most = ", those that print most" if gateway_loses_the_largest(short) else ""
    told_since = first_ends_after(every)
    for life in short:
        polls = [exchanges.take(e) for e in life.full_polls]
        if late := next((e for e in said_to_run_too_long(life) if e.number > told_since[life.start.number]), None):
            expected = f"exited true for {named(life)}, as was told of commands that were started after it"
            yield late, expected, f"exited false {life.seconds_until(late):.0f} s after the start"
        gone = life.lost
        refused_before = life.refusals_before(polls[0]) and not (gone and content.failed(gone))
        passes = life.end or any(map(is_unreadable, polls)) or refused_before
        if passes or (selectors.new_poll(life.start) in asked and gone and content.refused(gone)):
            continue
        if gone:
            gateways = mostly and not most and selectors.by_gateway(gone)
            if not gateways or gone_for_good(polls, served):
                expected = f"status 200, until the end of {named(life)} was reported{although_busy(gone, exchanges)}"
                got = f"{content.status_of(gone)}, as of {also} of {counted(len(short), 'command')}{most}"
                yield gone, expected, got
        elif content.member(polls[-1], "exited") is False and life.seconds_polled >= TOO_LONG:
            said = f"exited false in all of {counted(len(polls), 'poll')}, {life.seconds_polled:.0f} s after the start"
            yield polls[-1], f"exited true for {named(life)}", said


def said_to_run_too_long(life: lives.Life) -> list[ask.Exchange]:
    """Return the polls that said a command runs when its end, which another told, was long due.

    Some servers look for an end only when they are asked, so the time counts from the first poll.
    """
    polls = life.full_polls if life.end else []
    due = TOO_LONG + lives.seconds_of(life) + (life.seconds_until(polls[0]) if polls else inf)
    return [e for e in polls if content.member(e, "exited") is False and due <= life.seconds_until(e) < inf]


def first_ends_after(every: list[lives.Life]) -> dict[int, float]:
    """Return, by the number of each start, that of the first poll which told the end of a command started later."""
    found, first = dict[int, float](), inf
    for life in reversed(every):
        found[life.start.number] = first
        first = min(first, life.end.number if life.end else inf)
    return found


def gateway_loses_the_largest(short: list[lives.Life]) -> bool:
    """Whether a gateway failed at several commands that print more than any other."""

    def printed(life: lives.Life) -> int:
        return len(life.command.stdout + life.command.stderr) if life.command else len(life.text)

    others = [printed(life) for life in short if life.end]
    given_up = [printed(life) for life in short if (e := life.lost) and selectors.by_gateway(e)]
    return len(given_up) > 1 and min(given_up) > max(others, default=inf)


def although_busy(gone: ask.Exchange, exchanges: Exchanges) -> str:
    """Return which poll of a command was put off before it was lost, and so must not have taken its output."""
    polls = [e for e in exchanges.everything if e.request.target == gone.request.target and e.number < gone.number]
    busy = [e for e in polls if e.status in selectors.BUSY]
    return f", since request {busy[-1].number} got {busy[-1].status} and so takes nothing" if busy else ""


def gone_for_good(polls: list[ask.Exchange], served: list[int]) -> bool:
    """Whether a command's last polls failed so often, while others were served, that no bad moment explains it."""
    failed = list(takewhile(content.failed, reversed(polls)))
    return len(failed) >= MANY_FAILURES and any(failed[-1].number < number < failed[0].number for number in served)


def is_unreadable(e: ask.Exchange) -> bool:
    """Whether a 200 has no exited that is true or false."""
    return e.status == 200 and not isinstance(content.member(e, "exited"), bool)


def named(life: lives.Life) -> str:
    """Return what a command is called, or its beginning."""
    printed = len(life.command.stdout) if life.command else 0
    return called(life.start, life.command) + (f", which prints {printed:,} bytes" if printed > MUCH_OUTPUT else "")


def called(start: ask.Exchange, known: commands.Command | None) -> str:
    """Return the name of the command of a start if it is known, or its beginning."""
    return f"the command named {known.name}" if known else short_json(start.ask.command, 60)


def has_a_command_elsewhere(e: ask.Exchange) -> bool:
    """An OPTIONS, PUT or GET with the full key and the content of a start, or a GET with a command in its query."""
    asked = e.ask.endpoint and selectors.ours(e) and selectors.has_response(e)
    by_get = e.request.method == "GET" and e.request.query.startswith("command=") and not e.ask.devious
    return asked and (by_get or (e.request.method in {"OPTIONS", "PUT", "GET"} and b'"command"' in e.request.body))


@rule("START-29", seeks="OPTIONS or PUT with a command, or GET with one in its query")
def only_post_starts(exchanges: Exchanges) -> Findings:
    """The command in the content of an OPTIONS or a PUT, or in the query of a GET, must not have run.

    Nor must that in the content of a GET which names POST as the method that is meant (X-HTTP-Method-Override). The
    trace shows what ran. HTTP-11 judges a PUT that only seems to have started a command, and a PATCH.
    """
    printed = " ".join(lives.stream(life.end, "stdout") for life in exchanges.lives_of("trace") if life.end)
    for e in exchanges.each(has_a_command_elsewhere):
        text = e.request.body.decode("utf-8", "replace") + unquote(e.request.query)
        if any(f"hostup-{name}-" in text for name in printed.split()):
            field = next((name for name in ask.OVERRIDES if e.request.header(name)), None)
            how = f"{e.request.method}{f' with {field}: {e.request.header(field)}' if field else ''}"
            yield e, f"no command that runs by {how}", f"{content.status_of(e)}, and it ran in the guest"


@rule("START-30", seeks="HEAD or OPTIONS of the poll of a command that had ended, and a poll after it")
def safe_methods_take_nothing(exchanges: Exchanges) -> Findings:
    """The first poll after the HEAD or OPTIONS must get the output.

    A busy server passes. So does one that loses the output of others too, which START-27 judges.
    """
    if exchanges.loses_undisturbed:
        return
    polls = exchanges.known(selectors.asks_output)
    for e in exchanges.asked_otherwise:
        later = next((one for one in polls if one.request.target == e.request.target and one.number > e.number), None)
        if later and content.refused(exchanges.take(later)) and later.status not in selectors.BUSY:
            yield later, f"status 200, since {e.request.method} (request {e.number}) is safe", content.status_of(later)


@rule("START-28", seeks="end of a command that reads its input")
def has_no_input(exchanges: Exchanges) -> Findings:
    """A command that reads a line must find the end of its input at once, and be reported as exited with code 0.

    It has started another process, which holds none of its streams and goes on for five seconds.
    """
    for life in exchanges.lives_of("input"):
        end, polled = life.end, life.polls and life.seconds_polled >= LONG_ENOUGH
        late = end and life.seconds_until(end) - life.seconds_until(life.polls[0]) > LONG_ENOUGH
        other = end and lives.stream(end, "stdout").strip() != "done" and not exchanges.told_by(end)
        if end and (late or other):
            code = short_json(content.member(end, "exitCode"), 20)
            result = f"exitCode {code} and stdout {short_json(content.member(end, 'stdout'), 60)}"
            said = f"exited true {life.seconds_until(end):.1f} s after the start, with {result}"
            yield end, 'exited true at once, with exitCode 0 and stdout "done"', said
        elif polled and not end and content.member(life.polls[-1], "exited") is False:
            yield life.polls[-1], "exited true at once", f"exited false {life.seconds_polled:.1f} s after the start"


@rule("START-34", seeks="end of a command that asks which shell there is")
def shell_reads_commands(exchanges: Exchanges) -> Findings:
    """An echo whose sum and variables come as they stand is a finding, unless others came expanded."""
    for life in exchanges.lives:
        if life.end and commands.printed_anywhere(lives.command_text(life)):
            e = exchanges.take(life.end)
            if exchanges.guest == "none":
                yield e, f"42 for {commands.SUM}, or another shell's expansion", lives.stream(e, "stdout")


@rule("START-35", seeks="end of a command that leaves a process behind")
def what_is_left_is_heard(exchanges: Exchanges) -> Findings:
    """stdout of a command whose shell ends at once must have what a process writes that it has left, a while later.

    What does not begin as it should is for other rules.
    """
    for life in exchanges.lives:
        command = commands.left(lives.command_text(life))
        got = lives.stream(life.end, "stdout").strip() if life.end else ""
        if not command or not life.end or not got.startswith("begun"):
            continue
        e, whole = exchanges.take(life.end), command.stdout.decode()
        if not got.startswith(whole):
            ended = f"exited true {lives.seconds_to_end(life):.1f} s after the start"
            why = "what the command leaves behind is ended with its shell, or what it writes is not waited for"
            yield e, f"stdout: {whole}, once that has come", f"stdout: {got}, and {ended}: {why}"
