"""POLL: command output, which a request with pid gets."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qs, unquote, urlsplit

from hostup_conformance.ledger import members_of
from hostup_conformance.rules import Findings, FindingsAcross, across, each
from hostup_conformance.rules.selectors import (
    AVAILABILITY,
    OUTPUT,
    asks_output,
    envelope_of,
    is_output,
    is_poll,
    member,
    misspelled,
    proper_command,
    status_of,
    succeeded,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hostup_conformance.exchange import Exchange
    from hostup_conformance.target import Target


#: The members of the answer to a start.
STARTED = members_of("StartedCommand")


def of_finished(e: Exchange) -> bool:
    """A poll of the command that has ended, by a key that may."""
    return asks_output(e) and e.ask.pid == "finished"


def of_running(e: Exchange) -> bool:
    """A poll of the command that runs, by a key that may."""
    return asks_output(e) and e.ask.pid == "running"


@each("POLL-01", lambda e: succeeded(e) and is_poll(e) and e.answer is not None and e.answer.json.is_json)
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
    names = STARTED if e.is_start else OUTPUT
    if found := misspelled(e.body, names):
        yield f"the spelling {', '.join(names)}", ", ".join(found)


@across("POLL-05", asks_output)
def known_is_answered(exchanges: list[Exchange], _target: Target) -> FindingsAcross:
    """A running command is not refused; an ended one may have been forgotten, but is no reason to fail."""
    ended = set[str]()
    for e in exchanges:
        if member(e, "exited") is True:
            ended.add(e.request.target)
        if e.ask.pid == "running" and e.status != 200 and e.request.target not in ended:
            yield e, "status 200", status_of(e)
        elif (e.status or 0) >= 500 and (e.ask.pid == "finished" or e.request.target in ended):
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
    asked = parse_qs(urlsplit(e.request.target).query).get("pid", [""])[0]
    if str(e.body["pid"]) != asked:
        yield f"pid {asked}", {"pid": e.body["pid"]}


def text_of(e: Exchange) -> str:
    """Return what the command of a start is to print, if it is an `echo`."""
    program, _, text = (proper_command(e.request) or "").partition(" ")
    return text if program == "echo" else ""


def starts(e: Exchange) -> bool:
    """The start of a proper command by a key that may, on the VPS whose agent is available."""
    return e.is_start and e.ask.credential == "full" and e.ask.vps == "own" and proper_command(e.request) is not None


def started(e: Exchange) -> bool:
    """A JSON object, got with 200 by a start."""
    return starts(e) and e.status == 200 and isinstance(e.body, dict)


@across("POLL-15", lambda e: starts(e) and text_of(e).isascii())
def start_is_answered(exchanges: list[Exchange], _target: Target) -> FindingsAcross:
    """200 exactly: the page has no 201 and no 202. A server that starts some may be busy for once (409)."""
    busy = {409} if any(e.status == 200 for e in exchanges) else set()
    for e in exchanges:
        if e.status not in {200, *busy}:
            yield e, "status 200", status_of(e)


@each("POLL-16", lambda e: starts(e) and e.status == 200 and e.answer is not None and e.answer.json.is_json)
def start_has_its_form(e: Exchange) -> Findings:
    """A bare object; pid an integer above 0 and pollUrl a string, where they are present."""
    if not isinstance(e.body, dict):
        yield "a JSON object", e.body
        return
    envelope = envelope_of(e.body)
    if envelope and "pid" not in e.body:
        yield "the members pid and pollUrl", f"an envelope with the member {envelope}"
    if "pid" in e.body and e.new_pid is None:
        yield "pid: an integer above 0", e.body["pid"]
    if not isinstance(e.body.get("pollUrl", ""), str):
        yield "pollUrl: a string", e.body["pollUrl"]


@each("POLL-17", started)
def start_says_the_pid(e: Exchange) -> Findings:
    """Under its name."""
    if "pid" not in e.body:
        yield "the member pid", f"members {sorted(e.body)}"


@each("POLL-18", lambda e: started(e) and isinstance(e.body.get("pollUrl"), str))
def poll_url_leads_here(e: Exchange) -> Findings:
    """The path that was asked, however it is encoded, perhaps below a prefix, with the pid."""
    url = e.body["pollUrl"]
    path, _, query = url.partition("?")
    segments, asked = ([unquote(part) for part in text.split("/")] for text in (path, e.request.target))
    here = path.startswith("/") and not path.startswith("//") and segments[-len(asked) + 1 :] == asked[1:]
    pid = e.body.get("pid")
    if not here or (pid is not None and parse_qs(query).get("pid") != [str(pid)]):
        yield f"the path {e.request.target}?pid={pid or '...'}", url


def ends(exchanges: list[Exchange]) -> Iterator[tuple[Exchange, str]]:
    """Yield each report of the end of an `echo` that the run has started, with the text that it was given."""
    texts: dict[str, str] = {}
    for e in exchanges:
        if e.new_poll:
            texts[e.new_poll] = text_of(e)
        if (text := texts.get(e.request.target)) and member(e, "exited") is True:
            yield e, text


def of_started(e: Exchange) -> bool:
    """A start, or the output of a command that may have been started."""
    return starts(e) or (asks_output(e) and is_output(e))


@across("POLL-19", of_started)
def output_is_the_commands(exchanges: list[Exchange], _target: Target) -> FindingsAcross:
    """What `echo` was given is what the poll of its pid returns, in stdout, and nothing else."""
    for e, text in ends(exchanges):
        if text.isascii() and str(e.body.get("stdout")).strip() != text:
            yield e, f"stdout: {text}", {"stdout": e.body.get("stdout")}
        if text.isascii() and text in str(e.body.get("stderr")):
            yield e, "nothing in stderr", {"stderr": e.body["stderr"]}


@across("POLL-20", lambda e: asks_output(e) and e.ask.pid == "started")
def comes_to_its_end(exchanges: list[Exchange], _target: Target) -> FindingsAcross:
    """One poll says so; `echo` takes no time."""
    polls: dict[str, list[Exchange]] = {}
    for e in exchanges:
        polls.setdefault(e.request.target, []).append(e)
    for same in polls.values():
        if not any(member(e, "exited") is True for e in same):
            said = same[-1].body if same[-1].status == 200 else status_of(same[-1])
            yield same[-1], f"exited true, in one of {len(same)} polls", said


@across("POLL-21", lambda e: of_started(e) and not (starts(e) and text_of(e).isascii()))
def text_is_passed_on(exchanges: list[Exchange], _target: Target) -> FindingsAcross:
    """A start with characters outside ASCII succeeds, and they come back."""
    for e in exchanges:
        if starts(e) and e.status not in {200, 409}:
            yield e, "status 200", status_of(e)
    for e, text in ends(exchanges):
        if str(e.body.get("stdout")).strip() != text:
            yield e, f"stdout: {text}", {"stdout": e.body.get("stdout")}


@across("POLL-22", of_started)
def tells_the_exit_code(exchanges: list[Exchange], _target: Target) -> FindingsAcross:
    """Of an `echo` it is 0."""
    for e, _ in ends(exchanges):
        code = e.body.get("exitCode")
        if code != 0 or isinstance(code, bool):
            yield e, "exitCode 0", {"exitCode": code} if "exitCode" in e.body else "no exitCode"


@each("POLL-23", lambda e: e.is_start and e.ask.credential == "full" and e.ask.vps == "unavailable")
def no_start_without_agent(e: Exchange) -> Findings:
    """Any error: which one is documented nowhere."""
    if e.status is not None and e.status < 400:
        yield "an error", status_of(e)


@across("POLL-24", lambda e: is_new(e) or (asks_output(e) and is_output(e)))
def pids_differ(exchanges: list[Exchange], _target: Target) -> FindingsAcross:
    """None comes again before its command is known to have ended."""
    alive: dict[str, Exchange] = {}
    for e in exchanges:
        if member(e, "exited") is True and not e.new_poll:
            alive.pop(e.request.target, None)
        if e.new_poll:
            before = alive.setdefault(e.new_poll, e)
            if before is not e:
                yield e, f"another pid than in request {before.number}, whose end was not reported", {"pid": e.new_pid}


def is_new(e: Exchange) -> bool:
    """A start that says the pid."""
    return e.new_pid is not None and e.ask.vps == "own"
