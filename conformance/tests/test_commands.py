"""Commands are started only if the user wants it; then their pids take the place of given ones."""

import asyncio
import json
from collections import Counter
from dataclasses import replace
from functools import cache, partial
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import running
from catalogue import every, first_of
from faults import FAULTS
from faults.rate import soon
from hostup_conformance.contract.ask import Exchange, is_start, new_pid, with_started_commands
from hostup_conformance.contract.commands import guest_of, posix, trace
from hostup_conformance.contract.sending import Wire
from hostup_conformance.contract.server_verdict import Verdict
from hostup_conformance.contract.server_verdict import judge as verdict_of
from hostup_conformance.contract.target import Target
from hostup_conformance.http.limits import REQUESTS, Limits
from hostup_conformance.http.pace import Withheld
from hostup_conformance.mock import FOREIGN_VPS_ID, VPS_ID, Mock
from hostup_conformance.sources import commands, control_commands, started_commands
from hostup_conformance.sources import stateful as links
from hostup_conformance.sources.generated import MOST_CASES
from hostup_conformance.sources.start_steps import body_of, echo, post
from hostup_conformance.sources.started_commands import poll
from judging import IMPATIENT, LIMITS, verdict_by, wire_to, without_waiting
from stage import Change, Request, Response, Stage
from variants import VARIANTS


class Diary:
    """Writes down what is started, and changes nothing."""

    def __init__(self) -> None:
        self.started: list[Request] = []

    def __call__(self, request: Request, response: Response) -> None:
        if request.method == "POST" and response.status == 200:
            self.started.append(request)


def run(*, live: bool = False, allow_exec: bool = True) -> tuple[Target, Verdict, Wire, list[Request]]:
    """Judge the mock without a pid being given."""
    stage = Stage(diary := Diary())
    with wire_to(stage, stage.given(starts=True), Limits(), allow_exec=allow_exec, live=live) as wire:
        commands.run(wire)
    return with_started_commands(wire.target, wire.exchanges), verdict_by(wire), wire, diary.started


@cache
def ran(live: bool) -> tuple[Target, Verdict, Wire, list[Request]]:
    """Judge the mock once, and start commands."""
    return run(live=live)


@pytest.mark.parametrize("live", [False, True])
def test_a_command_is_judged_without_a_given_pid(live: bool) -> None:
    """With --allow-exec, the whole life of a command is judged although no pid was given."""
    target, verdict, _, started = ran(live)
    assert target.finished_pid
    assert target.running_pid
    assert target.started_pids
    assert 25 < len(started) <= commands.MOST_COMMANDS
    assert {
        id: r.message for id, r in verdict.results.items() if r.status in {"fail", "warn", "error", "disabled"}
    } == {}
    lived = {"POLL-05", "POLL-06", "POLL-07", "POLL-08", "START-01", "START-05", "START-06", "SCOPE-02", "PID-09"}
    assert {id: verdict.results[id].status for id in lived} == dict.fromkeys(lived, "pass")


def test_without_the_option_nothing_is_started() -> None:
    target, verdict, wire, started = run(allow_exec=False)
    assert started == []
    assert target.finished_pid is None
    assert verdict.results["START-01"].status == "disabled"
    assert "--allow-exec" in verdict.results["START-01"].message
    with pytest.raises(Withheld, match="--allow-exec"):
        wire.send(post(target, body_of("true")), purpose="a start")


def test_a_live_server_starts_commands_on_one_vps() -> None:
    """On a live server, commands are only started on the VPS that --allow-exec names."""
    target, _, wire, started = ran(True)
    assert {request.vps for request in started} == {VPS_ID}
    assert not any(e.request.method == "POST" and FOREIGN_VPS_ID in e.request.target for e in wire.exchanges)
    with pytest.raises(Withheld, match="no other VPS"):
        wire.send(post(target, body_of("true"), vps=FOREIGN_VPS_ID), purpose="a start")


@pytest.mark.parametrize(
    ("options", "exit_code"),
    first_of(
        (("--live", "--allow-exec"), pytest.ExitCode.USAGE_ERROR),
        (("--allow-exec",), pytest.ExitCode.OK),
        ((f"--allow-exec={VPS_ID}",), pytest.ExitCode.OK),
        (("--live", f"--allow-exec={VPS_ID}"), pytest.ExitCode.OK),
        (("--live", f"--allow-exec={FOREIGN_VPS_ID}"), pytest.ExitCode.USAGE_ERROR),
        ((f"--allow-exec={FOREIGN_VPS_ID}",), pytest.ExitCode.USAGE_ERROR),
        (("--base-url=https://agent.invalid", "--allow-exec"), pytest.ExitCode.USAGE_ERROR),
    ),
)
def test_a_live_servers_id_must_be_repeated(tmp_path: Path, options: tuple[str, ...], exit_code: int) -> None:
    done = running.run(tmp_path, *options, HOSTUP_API_KEY="hu_a_longer_key", HOSTUP_VPS_ID=VPS_ID)
    assert done.returncode == exit_code, done.stdout + done.stderr
    if exit_code == pytest.ExitCode.USAGE_ERROR:
        assert f"--allow-exec={VPS_ID}" in done.stderr
    else:
        assert running.report_in(tmp_path)["methods"]["POST"] > 3


def linked(change: Change | None = None, *, live: bool = False) -> tuple[Target, Verdict, Wire]:
    """Follow the document's links on a stage, and nothing else."""
    stage, limits = Stage(change), Limits(request_seconds=0.5, next_seconds=0.25)
    with wire_to(stage, stage.given(), limits, allow_exec=True, live=live) as wire, without_waiting(wire):
        links.run(wire)
    return with_started_commands(wire.target, wire.exchanges), verdict_by(wire), wire


@pytest.mark.parametrize("live", [False, True])
def test_links_lead_from_a_start_to_its_polls(live: bool) -> None:
    target, verdict, wire = linked(live=live)
    starts = [e for e in wire.exchanges if is_start(e)]
    assert {new_pid(e) for e in starts} == target.started_pids
    assert all(json.loads(e.request.body)["command"].startswith("echo hostup-conformance-") for e in starts)
    followed = {e.request.target for e in wire.exchanges if e.purpose == "following a link" and e.ask.pid == "started"}
    assert followed
    ended = {e.request.target for e in wire.exchanges if isinstance(e.body, dict) and e.body.get("exited") is True}
    assert len(ended) == len(starts)
    assert verdict.results["START-05"].status == verdict.results["START-06"].status == "pass"
    assert not [r.message for r in verdict.results.values() if r.status in {"fail", "warn", "error"}]


def nested_for_ever(request: Request, response: Response) -> None:
    if request.method == "POST":
        response.body = b"[" * 100_000


RESPONSES = {
    "nested_for_ever": nested_for_ever,
    **{name: one.change for name, one in FAULTS.all().items() if one.starts},
}


@pytest.mark.parametrize("change", every(24, RESPONSES.items()))
def test_no_response_trips_the_links(change: Change) -> None:
    """All that schemathesis is told of a response is its status, and the pid if there is one."""
    stage = Stage(change)
    with wire_to(stage, stage.given(), IMPATIENT, allow_exec=True) as wire:
        started = links.came_of(post(wire.target, body_of(echo())), wire)
        polled = links.came_of(poll(wire.target, started["json"].get("pid", 1)), wire)
    for told in (started, polled):
        assert type(told["status"]) is int
        assert [type(value) for value in told["json"].values()] in ([], [int])


def test_links_that_lead_nowhere_are_not_followed() -> None:
    _, verdict, wire = linked(nested_for_ever)
    assert {e.request.method for e in wire.exchanges} >= {"POST"}
    assert not failures(verdict)


def test_what_the_client_decodes_is_not_kept_beside_the_body_that_it_equals() -> None:
    """Output may be as large as the budget for what is kept, which counts it once."""
    _, _, wire, _ = ran(False)
    decoded = [(e.decoded, e.body) for e in wire.exchanges if e.decoded and not e.decoded.raised and e.status == 200]
    assert len(decoded) > 1
    assert all(one.value is body for one, body in decoded)


def test_no_rule_depends_on_a_type() -> None:
    """Every rule judges a whole run in which members of the bodies have another type than is documented."""
    target, _, wire, _ = ran(False)
    exchanges = [e for e in wire.exchanges if not e.response or len(e.response.body) < 1 << 20]
    values: tuple[object, ...] = (None, True, 1e999, "\ud800", [], [[{}]], {}, {"": [{}]})
    for value in values:
        assert not failures(verdict_of([with_members(e, value) for e in exchanges], target, None)), value


@pytest.mark.catalogue
def test_no_rule_depends_on_text_that_utf_8_can_encode() -> None:
    """Every rule judges a whole run in which every stream of a command begins with half of a surrogate pair."""
    target, _, wire, _ = ran(False)
    exchanges = []
    for e in wire.exchanges:
        if e.response and isinstance(e.body, dict) and "exited" in e.body:
            streams = {name: f"\ud800{e.body.get(name) or ''}" for name in ("stdout", "stderr")}
            body = json.dumps(e.body | streams).encode()
            exchanges.append(replace(e, response=replace(e.response, body=body)))
        else:
            exchanges.append(e)
    verdict = verdict_of(exchanges, target, None)
    assert not failures(verdict)
    assert {verdict.results[id].status for id in ("START-05", "START-11")} == {"fail"}


def with_members(e: Exchange, value: object) -> Exchange:
    """Return an exchange in whose response two of three members have another value."""
    if e.response is None or not isinstance(e.body, dict):
        return e
    body = json.dumps({name: value if (n + e.number) % 3 else old for n, (name, old) in enumerate(e.body.items())})
    return replace(e, response=replace(e.response, body=body.encode()))


def failures(verdict: Verdict) -> dict[str, str]:
    """Return the requirements that the suite itself could not judge."""
    return {id: result.message for id, result in verdict.results.items() if result.status == "error"}


def test_where_commands_never_end_no_other_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(started_commands, "PATIENCE", 0.0)
    with wire_to(Stage(FAULTS.named("polls_are_cached").change), kind="mock", allow_exec=True) as wire:
        for _ in range(started_commands.ENOUGH):
            assert started_commands.patience(wire) == started_commands.PATIENCE
            started_commands.follow(wire, started_commands.start(wire, echo(), "a start") or 0)
        assert started_commands.patience(wire) == started_commands.LITTLE_PATIENCE


@pytest.mark.parametrize(("cached", "said"), [(True, "fail"), (False, "pass")])
def test_a_cache_is_told_by_a_query_that_it_does_not_know(
    cached: bool, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def end_for_a_new_query(request: Request, response: Response) -> None:
        if request.pid and request.full:
            ended = cached and "&" in request.query
            response.become(200, {"exited": ended, "exitCode": 0 if ended else None})

    with wire_to(Stage(end_for_a_new_query), kind="mock", allow_exec=True) as wire:
        monkeypatch.setattr(wire.pace, "wait", lambda _: None)
        control_commands.ask_past_a_cache(wire)
    result = verdict_by(wire).results["POLL-09"]
    assert (result.status, "a cache keeps" in result.message) == (said, cached)


def test_the_mock_keeps_the_traces_of_two_runs_apart() -> None:
    """The last command of one run removes its own files, and not those that another run still counts."""
    agent = Mock().agent
    once = next(command.text for command in posix("ours", 0) if command.name == "once")

    async def printed() -> list[str]:
        texts = (once, trace("theirs").text, trace("ours").text)
        polled = [await agent.poll(await agent.start(text)) for text in texts]
        return [output["stdout"] for output in polled]

    assert asyncio.run(printed()) == ["done ours", " once 0 slow 0", " once 1 slow 0"]


def test_where_ends_are_told_late_all_commands_are_polled_before_one_is_followed() -> None:
    """So the time until then passes for all of them at once, and few polls are needed."""
    change = VARIANTS.named("ends_are_noticed_after_seconds").change
    limits = Limits(requests=REQUESTS[True] - MOST_CASES)
    with wire_to(Stage(change), limits=limits, kind="mock", allow_exec=True) as wire, without_waiting(wire):
        commands.run(wire, slow_seconds=0.4)
        links.run(wire)
    polls = Counter(e.ask.number for e in wire.exchanges if e.ask.pid.known and e.ask.credential == "full")
    assert sum(number == 2 for number in polls.values()) > len(polls) / 3
    assert wire.stopped is None


def announce_a_limit(_request: Request, response: Response) -> None:
    """Say that few requests remain, for a moment."""
    response.header("X-RateLimit-Limit", "20")
    response.header("X-RateLimit-Remaining", "3")
    response.header("X-RateLimit-Reset", soon(seconds=1))


@pytest.mark.parametrize("change", [announce_a_limit, FAULTS.named("a_start_forgets_the_results_before_it").change])
@pytest.mark.parametrize("each", [2, 3, 4])
def test_what_is_withheld_ends_no_run(change: Change, each: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each source of requests goes on without what is not sent, for whatever reason."""
    sent, send = count(1), Wire.send

    def withhold(wire: Wire, *given: Any, **more: Any) -> Any:
        if next(sent) % each == 0:
            raise Withheld("it is withheld for a test")
        return send(wire, *given, **more)

    monkeypatch.setattr(Wire, "send", withhold)
    with wire_to(Stage(change), limits=LIMITS, kind="mock", allow_exec=True) as wire, without_waiting(wire):
        commands.run(wire, slow_seconds=0.2, links=partial(links.run, wire))
    assert wire.stopped is None
    assert len(wire.exchanges) > 60


@pytest.mark.parametrize(
    ("printed", "guest"),
    [
        ("42-%OS%--$@", "posix"),
        ("42-%OS%--", "posix"),
        ("$((6*7))-Windows_NT-$PSHOME-'$@'", "cmd"),
        ("42-%OS%-C:\\pwsh-$@", "powershell"),
        ("$((6*7))-%OS%-$PSHOME-'$@'", "none"),
        ("$((6*7))-%OS%-$PSHOME-$@", "none"),
        ("$((6*7))", "none"),
        ("42", "posix"),
        ("42-%!O(MISSING)S%!-", "posix"),
        (r"$((6*7))-%OS%-$PSHOME-\$@", "posix"),
        (r"\$\(\(6\*7\)\)-%OS%-\$PSHOME-\$@", "posix"),
    ],
)
def test_a_guest_is_known_by_what_it_prints(printed: str, guest: str) -> None:
    """Backslashes come from no splitting of words: a shell has read what was escaped."""
    assert guest_of("token", f"hostup-guest-token-{printed}\r\n") == guest
