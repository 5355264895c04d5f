"""START: the start of a command, and its life until a poll reports its end."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qs, unquote

from hostup_conformance.contract.ask import Pid, is_start, new_pid
from hostup_conformance.contract.rules import Findings, FindingsAcross, across, each
from hostup_conformance.contract.selectors import (
    asks_output,
    envelope_of,
    has_json,
    is_output,
    member,
    new_poll,
    proper_command,
    started,
    starts,
    status_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hostup_conformance.contract.ask import Exchange
    from hostup_conformance.contract.target import Target


def text_of(e: Exchange) -> str:
    """Return the text that the command of a start is to print, if it is an `echo`."""
    program, _, text = (proper_command(e.request) or "").partition(" ")
    return text if program == "echo" else ""


@across("START-01", lambda e: starts(e) and text_of(e).isascii())
def start_is_answered(exchanges: list[Exchange], _target: Target) -> FindingsAcross:
    """The status code must be 200: the documentation has no 201 and no 202.

    A server that starts at least one command may refuse others as busy (409).
    """
    busy = {409} if any(e.status == 200 for e in exchanges) else set()
    for e in exchanges:
        if e.status not in {200, *busy}:
            yield e, "status 200", status_of(e)


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
        yield "pid: an integer above 0", e.body["pid"]
    if not isinstance(e.body.get("pollUrl", ""), str):
        yield "pollUrl: a string", e.body["pollUrl"]


@each("START-03", started)
def start_says_the_pid(e: Exchange) -> Findings:
    """The body must have a member named pid. START-02 judges its value."""
    if "pid" not in e.body:
        yield "the member pid", f"members {sorted(e.body)}"


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


def ends(exchanges: list[Exchange]) -> Iterator[tuple[Exchange, str]]:
    """Yield each report that an `echo` of the run has ended, with the text that it was to print."""
    texts: dict[str, str] = {}
    for e in exchanges:
        if poll := new_poll(e):
            texts[poll] = text_of(e)
        if (text := texts.get(e.request.target)) and member(e, "exited") is True:
            yield e, text


def of_started(e: Exchange) -> bool:
    """A start, or the output of a command that may have been started by the run."""
    return starts(e) or (asks_output(e) and is_output(e))


@across("START-05", of_started)
def output_is_the_commands(exchanges: list[Exchange], _target: Target) -> FindingsAcross:
    """stdout must be the text that the `echo` was given, apart from white space around it, and stderr must not hold it.

    START-07 judges texts with characters outside ASCII.
    """
    for e, text in ends(exchanges):
        if text.isascii() and str(e.body.get("stdout")).strip() != text:
            yield e, f"stdout: {text}", {"stdout": e.body.get("stdout")}
        if text.isascii() and text in str(e.body.get("stderr")):
            yield e, "nothing in stderr", {"stderr": e.body["stderr"]}


@across("START-06", lambda e: asks_output(e) and e.ask.pid == Pid.STARTED)
def comes_to_its_end(exchanges: list[Exchange], _target: Target) -> FindingsAcross:
    """At least one poll of each started `echo` must say exited true, since an `echo` takes no time."""
    polls: dict[str, list[Exchange]] = {}
    for e in exchanges:
        polls.setdefault(e.request.target, []).append(e)
    for same in polls.values():
        if not any(member(e, "exited") is True for e in same):
            said = same[-1].body if same[-1].status == 200 else status_of(same[-1])
            yield same[-1], f"exited true, in one of {len(same)} polls", said


@across("START-07", lambda e: of_started(e) and not (starts(e) and text_of(e).isascii()))
def text_is_passed_on(exchanges: list[Exchange], _target: Target) -> FindingsAcross:
    """The start must get 200, or 409 from a busy server, and stdout must be the text that the `echo` was given."""
    for e in exchanges:
        if starts(e) and e.status not in {200, 409}:
            yield e, "status 200", status_of(e)
    for e, text in ends(exchanges):
        if str(e.body.get("stdout")).strip() != text:
            yield e, f"stdout: {text}", {"stdout": e.body.get("stdout")}


@across("START-08", of_started)
def tells_the_exit_code(exchanges: list[Exchange], _target: Target) -> FindingsAcross:
    """exitCode of an `echo` must be the integer 0; a missing one is a finding."""
    for e, _ in ends(exchanges):
        code = e.body.get("exitCode")
        if code != 0 or isinstance(code, bool):
            yield e, "exitCode 0", {"exitCode": code} if "exitCode" in e.body else "no exitCode"


@each("START-09", lambda e: is_start(e) and e.ask.credential == "full" and e.ask.vps == "unavailable")
def no_start_without_agent(e: Exchange) -> Findings:
    """A status code below 400 is a finding. Any error passes, since the documentation does not say which it is."""
    if e.status is not None and e.status < 400:
        yield "an error", status_of(e)


@across("START-10", lambda e: is_new(e) or (asks_output(e) and is_output(e)))
def pids_differ(exchanges: list[Exchange], _target: Target) -> FindingsAcross:
    """A pid that comes again is a finding, unless a poll has reported the end of its earlier command in between."""
    alive: dict[str, Exchange] = {}
    for e in exchanges:
        if member(e, "exited") is True and not new_poll(e):
            alive.pop(e.request.target, None)
        if poll := new_poll(e):
            before = alive.setdefault(poll, e)
            if before is not e:
                yield (
                    e,
                    f"another pid than in request {before.number}, whose command may still run",
                    {"pid": new_pid(e)},
                )


def is_new(e: Exchange) -> bool:
    """A start on the caller's own VPS whose response has a pid."""
    return new_pid(e) is not None and e.ask.vps == "own"
