"""What the verdict says of servers that show nothing, and of the suite's own failures."""

import re
import time
from collections import Counter
from dataclasses import replace
from datetime import timedelta

import pytest
from catalogue import first_of, further
from faults import FAULTS
from faults.probe import problem
from faults.probe import refuse as refused
from faults.rate import soon
from hostup_conformance.contract.ask import SLEEP, Exchange
from hostup_conformance.contract.ban import AFTER_A_PAUSE
from hostup_conformance.contract.document import document
from hostup_conformance.contract.lives import lives
from hostup_conformance.contract.paths import VPSS
from hostup_conformance.contract.responder import BURST
from hostup_conformance.contract.rules import Exchanges, Findings, Rule, rules
from hostup_conformance.contract.server_verdict import Verdict, check_against_oracle, judge
from hostup_conformance.http.connections import MOST_RESENT
from hostup_conformance.http.limits import Limits
from hostup_conformance.http.pace import Pace, PutOff, Stopped, UsedUp
from hostup_conformance.keeping.interruption import REASON
from hostup_conformance.mock import API_KEY, READ_API_KEY, VPS_ID
from hostup_conformance.sources import commands
from judging import IMPATIENT, LIMITS, result_on, run, run_on_mock, verdict_by, verdict_on, wire_to
from stage import Change, Request, Response, Stage
from variants import VARIANTS

#: Within so many requests a run says that there is nothing to judge.
SOON = 20
CODES = {401: "unauthorized", 403: "forbidden", 404: "not_found"}


@pytest.mark.parametrize("status", CODES)
@pytest.mark.parametrize("html", [False, True])
def test_a_server_that_refuses_everything_shows_nothing(status: int, html: bool) -> None:
    def refuse(request: Request, response: Response) -> None:
        response.become(status, b"<h1>no</h1>" if html else problem(request, status, CODES[status], CODES[status]))

    _target, wire, _ = run(refuse)
    verdict = verdict_by(wire)
    assert verdict.name == "not_demonstrated"
    assert verdict.summary["fail"] == 0
    assert str(status) in verdict.results["PROBE-01"].message
    assert len(wire.exchanges) <= SOON


@pytest.mark.parametrize(
    ("key", "vps", "status", "says"),
    [
        (
            API_KEY,
            "",
            401,
            "the status 401 for HOSTUP_VPS_ID (HOSTUP_READ_API_KEY gets 200 for it: check HOSTUP_API_KEY)",
        ),
        (
            "",
            VPS_ID,
            404,
            "the status 404 for HOSTUP_VPS_ID (it gets 200 for HOSTUP_UNAVAILABLE_VPS_ID: check HOSTUP_VPS_ID)",
        ),
    ],
)
def test_a_wrong_variable_is_told_from_the_others(key: str, vps: str, status: int, says: str) -> None:
    def refuse(request: Request, response: Response) -> None:
        if key in str(request.headers) and vps in request.path:
            response.become(status, problem(request, status, CODES[status], CODES[status]))

    _target, wire, _ = run(refuse)
    verdict = verdict_by(wire)
    assert verdict.name == "not_demonstrated"
    assert says in str(verdict.core.refused)


def test_a_base_url_may_hold_what_is_added() -> None:
    def refuse(request: Request, response: Response) -> None:
        response.become(404, problem(request, 404, "not_found", "Not found"))

    target, wire, _ = run(refuse)
    mistaken = replace(target, base_url=f"{target.base_url}/api")
    refused = judge(wire.exchanges, mistaken, wire.stopped).core.refused
    assert "the base URL ends in /api, which is added" in str(refused)


def test_a_server_that_limits_everything_demonstrates_nothing() -> None:
    """A server that responds 429 to everything demonstrates nothing, and soon gets no more requests."""

    def limit(request: Request, response: Response) -> None:
        response.become(429, problem(request, 429, "rate_limited", "Slow down"))
        response.headers += [("Retry-After", "0"), ("X-RateLimit-Limit", "1"), ("X-RateLimit-Remaining", "0")]
        response.header("X-RateLimit-Reset", "0")

    _target, wire, _ = run(limit, waits=False)
    verdict = verdict_by(wire)
    assert verdict.name == "not_demonstrated"
    assert verdict.results["RATE-01"].status == "pass"
    assert len(wire.exchanges) < 10


def test_a_429_without_header_fields_always_fails() -> None:
    """A 429 without its header fields fails even if nothing else was seen of the server."""

    def limit(request: Request, response: Response) -> None:
        response.become(429, problem(request, 429, "rate_limited", "Slow down"))

    verdict = verdict_on(limit, Limits(waiting_seconds=0))
    assert verdict.results["RATE-01"].status == "fail"
    assert verdict.name == "not_conformant"


def test_a_rule_that_breaks_is_the_suites_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks(_exchanges: Exchanges) -> Findings:
        raise KeyError("x")

    target, wire, _ = run_on_mock()
    monkeypatch.setitem(rules(), "POLL-03", Rule("POLL-03", breaks))
    verdict = judge(wire.exchanges, target)
    assert verdict.results["POLL-03"].status == "error"
    assert verdict.name == "not_demonstrated"


def finds_nothing(exchanges: Exchanges) -> Findings:
    """Judge everything, and find nothing wrong with it."""
    for _ in exchanges.each(lambda _: True):
        yield from ()


def test_what_schemathesis_alone_finds_is_the_suites_error(monkeypatch: pytest.MonkeyPatch) -> None:
    target, wire, _ = run(FAULTS.named("available_is_text").change)
    assert check_against_oracle(judge(wire.exchanges, target), wire.exchanges).summary["error"] == 0
    monkeypatch.setitem(rules(), "PROBE-03", Rule("PROBE-03", finds_nothing))
    results = check_against_oracle(judge(wire.exchanges, target), wire.exchanges).results
    assert results["PROBE-03"].status == "error"
    assert "schemathesis says" in results["PROBE-03"].message


@pytest.mark.parametrize(
    ("status", "says"), [(302, "a redirect to login.example"), (200, "a page in HTML"), (502, "the status 502")]
)
def test_what_stands_before_the_server_shows_nothing(status: int, says: str) -> None:
    def stand_between(_request: Request, response: Response) -> None:
        response.become(status, b"<h1>Sign in</h1>", "text/html")
        if status == 302:
            response.header("Location", "https://login.example/authorize")

    _target, wire, _ = run(stand_between)
    verdict = verdict_by(wire)
    assert verdict.name == "not_demonstrated"
    assert verdict.summary["fail"] == 0
    assert says in verdict.results["PROBE-01"].message
    assert len(wire.exchanges) <= SOON


@pytest.mark.parametrize(
    ("target", "says"),
    first_of(
        ("{path}/", "a redirect to the same path with a slash behind it"),
        ("https://api.example{path}", "a redirect to the same path at https://api.example"),
        ("/elsewhere", "a redirect to another path, perhaps a login page"),
    ),
)
def test_it_is_told_how_a_redirect_changes_the_path(target: str, says: str) -> None:
    def redirect(request: Request, response: Response) -> None:
        response.become(301)
        response.header("Location", target.format(path=request.path))

    assert says in (verdict_on(redirect).core.refused or "")


@pytest.mark.parametrize("sent", [b"", b"\x15\x03\x03\x00\x02\x02\x46"])
def test_what_does_not_speak_http_is_no_server(sent: bytes) -> None:
    """Another port, or one for TLS, shows nothing of a server."""

    def speak(_request: Request, response: Response) -> None:
        response.raw = [sent]

    verdict = verdict_on(speak)
    assert verdict.name == "not_demonstrated", verdict.results["HTTP-01"].message
    assert "check the base URL" in (verdict.core.refused or "")


def test_a_key_that_lists_is_not_blamed() -> None:
    def know_no_vps(request: Request, response: Response) -> None:
        if request.path != VPSS:
            response.become(404, problem(request, 404, "not_found", "Not found"))

    verdict = verdict_on(know_no_vps)
    assert "check the VPS id" in (verdict.core.refused or "")


@pytest.mark.catalogue
@pytest.mark.parametrize("starts", [False, True])
def test_a_run_goes_on_if_polls_work(starts: bool) -> None:
    """A run goes on where the probe is refused and polls are not."""

    def refuse_probes(request: Request, response: Response) -> None:
        if request.method == "GET" and request.pid is None and request.path.endswith("/exec"):
            response.become(403, problem(request, 403, "forbidden", "Forbidden"))

    verdict = verdict_on(refuse_probes, allow_exec=starts)
    assert verdict.results["PROBE-01"].status == "fail"
    assert verdict.results["POLL-01"].status == "pass"


def banned_after(most: int, *, silent: bool = False) -> Change:
    """Return a server that refuses everything, or closes each connection, after so many wrong keys."""

    def guard(request: Request, response: Response) -> None:
        if request.memory.get("wrong", 0) >= most:
            response.become(403, b"Forbidden", "text/plain")
            response.raw = [] if silent else None
        elif response.status == 401:
            request.nth("wrong")

    return guard


@pytest.mark.parametrize("silent", [False, True])
@pytest.mark.parametrize("most", first_of(5, 8, 10))
def test_a_ban_is_no_fault(most: int, silent: bool) -> None:
    _target, wire, _ = run(banned_after(most, silent=silent), waits=False)
    verdict = check_against_oracle(verdict_by(wire), wire.exchanges)
    assert "ban an address" in (wire.stopped or "")
    assert {id: one.message for id, one in verdict.results.items() if one.status in {"fail", "warn", "error"}} == {}
    assert verdict.name == ("not_demonstrated" if silent or most == 5 else "conformant")


def limited_again_and_again(times: int) -> Change:
    """Return a server that refuses everything with 403 for a second, each time that it has got so many requests."""

    def limit(request: Request, response: Response) -> None:
        now = time.monotonic()
        if request.memory.get("until", 0.0) <= now and request.nth("served") > 60:
            request.memory["served"] = 0
            request.memory["until"] = now + (1.0 if request.nth("limits") <= times else 0.0)
        if request.memory.get("until", 0.0) > now:
            response.become(403, problem(request, 403, "forbidden", "Forbidden"))

    return limit


@pytest.mark.parametrize("times", [1, 3])
def test_a_ban_that_passes_is_a_limit(times: int) -> None:
    _target, wire, _ = run(limited_again_and_again(times), waits=False)
    verdict = check_against_oracle(verdict_by(wire), wire.exchanges)
    assert ("a rate limit, it seems, which is to get 429" in (wire.stopped or "")) == (times > 1)
    assert "ban an address" not in (wire.stopped or "")
    assert [e.status for e in wire.exchanges if e.purpose == AFTER_A_PAUSE] == [200] * min(times, 2)
    assert verdict.name == "not_conformant"
    said = [one.message for one in verdict.results.values() if one.status == "fail"]
    assert any("a rate limit, it seems" in message or "a limit on the rate of" in message for message in said)


def test_a_revoked_key_is_no_ban() -> None:
    """Where no wrong key was sent, nothing explains that the right one is refused."""

    def revoke(request: Request, response: Response) -> None:
        if request.nth() > 20:
            response.become(403, problem(request, 403, "forbidden", "Forbidden"))

    target, wire, _ = run(revoke, waits=False)
    without_others = [e for e in wire.exchanges if e.ask.credential == "full"]
    assert judge(without_others, target).results["PROBE-01"].status == "fail"


def test_a_key_that_still_works_is_not_banned() -> None:
    """A server that forbids a lot of what should get 401 is not taken for one that forbids everything."""
    _target, wire, _ = run(FAULTS.named("wrong_key_is_forbidden").change)
    assert verdict_by(wire).results["AUTH-02"].status == "fail"
    assert wire.stopped is None


def test_what_an_odd_request_has_silenced_is_down() -> None:
    """A server that does not respond any more after a malformed id has failed."""

    def die(request: Request, response: Response) -> None:
        dead = request.memory.setdefault("dead", [])
        if dead or "%" in request.path:
            dead.append(request)
            response.raw = []

    _target, wire, _ = run(die)
    assert verdict_by(wire).results["HTTP-01"].status == "fail"


@pytest.mark.catalogue
@pytest.mark.parametrize(("wait", "said"), [("1", "fail"), ("3", "pass")])
def test_a_limit_that_starts_never_get_below_again_is_none(wait: str, said: str) -> None:
    """Where starts come before they were to be sent again, nothing shows that they would be refused for good."""
    target, wire, _ = run_on_mock(allow_exec=True)
    last = [e for e in wire.exchanges if e.ask.starts and e.status == 200][-1]
    assert last.when
    assert last.response
    refusal = replace(last.response, status=429, headers=(("Retry-After", wait),), body=b"{}")
    again = [
        replace(last, response=refusal, when=last.when + timedelta(seconds=2 * n), number=len(wire.exchanges) + n)
        for n in range(1, 5)
    ]
    result = judge([*wire.exchanges, *again], target).results["START-01"]
    assert (result.status, "no slot gets free" in result.message) == (said, said == "fail"), result.message


@pytest.mark.catalogue
def test_a_server_that_has_started_nothing_has_no_slots() -> None:
    stage = Stage(FAULTS.named("start_is_refused").change)
    message = result_on(stage, "START-01", allow_exec=True).message
    assert "got 409 vps_not_ready" in message
    assert "no slot gets free" not in message


@pytest.mark.parametrize(("times", "said"), [(2, "pass"), (3, "fail")])
def test_a_server_that_is_down_again_and_again_does_not_respond(times: int, said: str) -> None:
    target, wire, _ = run_on_mock()

    def refused(e: Exchange) -> Exchange:
        return replace(e, response=None, failure="connection failed", lost="refused", recovered=True)

    down = {40 * number for number in range(1, times + 1)}
    exchanges = [refused(e) if e.number in down else e for e in wire.exchanges]
    results = judge(exchanges, target).results
    assert (results["HTTP-01"].status, results["HTTP-08"].status) == (said, "warn")


def test_a_server_that_was_down_is_watched(monkeypatch: pytest.MonkeyPatch) -> None:
    with wire_to(Stage(None), kind="mock") as wire:
        monkeypatch.setattr(wire.pace, "wait", lambda _: None)
        commands.watch(wire)
    assert len(wire.exchanges) == commands.WATCHING


@pytest.mark.parametrize("seconds", [0.0, 0.1])
def test_the_budget_of_requests_is_kept(seconds: float) -> None:
    def slow(_request: Request, response: Response) -> None:
        response.pause = seconds

    _, wire, _ = run(slow, replace(LIMITS, requests=50), allow_exec=True)
    assert len(wire.exchanges) == 50


def test_a_run_cut_short_names_the_unjudged() -> None:
    verdict = verdict_on(None, replace(LIMITS, requests=30))
    assert verdict.name == "not_demonstrated"
    assert "AUTH-11" in verdict.unjudged
    assert verdict.summary["fail"] == 0


@pytest.mark.parametrize(
    ("why", "said"),
    [("the budget is used up", "not_demonstrated"), (PutOff("a wait of 60 s is asked for"), "conformant")],
)
def test_a_run_that_was_cut_owes_the_output_of_commands_unless_the_server_let_few_requests_through(
    why: str, said: str
) -> None:
    target, wire, _ = run_on_mock(allow_exec=True)
    killed = next(life for life in lives(wire.exchanges) if life.name == "killed")
    without = {e.number for e in (killed.start, *killed.polls)}
    verdict = judge([e for e in wire.exchanges if e.number not in without], target, why)
    assert (verdict.name, "START-15" in verdict.unjudged) == (said, said == "not_demonstrated")


@pytest.mark.parametrize(
    ("why", "said"), [("the budget is used up", "not_demonstrated"), (PutOff("a wait is asked for"), "conformant")]
)
def test_a_run_that_was_cut_owes_what_comes_last(why: str, said: str) -> None:
    target, wire, _ = run_on_mock()
    alone = [e for e in wire.exchanges if e.source != BURST]
    verdict = judge(alone, target, why)
    assert (verdict.name, "HTTP-21" in verdict.unjudged) == (said, said == "not_demonstrated")


@pytest.mark.parametrize(("why", "said"), [(REASON, "not_demonstrated"), ("the limit is reached", "conformant")])
def test_a_run_that_was_broken_off_proves_nothing(why: str, said: str) -> None:
    """It is open what else the server would have shown; where a limit ended a run, that need not be anything."""
    target, wire, _ = run_on_mock()
    verdict = judge(wire.exchanges, target, why)
    assert (verdict.name, "HTTP-09" in verdict.unjudged) == (said, why == REASON)


def test_an_announced_limit_is_waited_for() -> None:
    def tell(request: Request, response: Response) -> None:
        used = request.nth()
        response.header("X-RateLimit-Limit", "20")
        response.header("X-RateLimit-Remaining", str(max(20 - used, 0)))
        response.header("X-RateLimit-Reset", soon(seconds=1))

    _, wire, _ = run(tell, replace(LIMITS, requests=22))
    before, after = wire.exchanges[19:21]
    assert before.when
    assert after.when
    assert (after.when - before.when).total_seconds() > 0.5


@pytest.mark.parametrize(("after", "said"), [(20, "warn"), (56, "pass")])
def test_a_command_that_has_had_its_time_may_have_ended(after: int, said: str) -> None:
    """With a slow server, a run may take longer than the command that runs on."""
    target, wire, _ = run_on_mock(allow_exec=True)
    every = wire.exchanges
    life = next(life for life in lives(every) if life.start.ask.command == SLEEP)
    last, start = life.polls[-1], life.start.when
    assert last.response
    assert start
    response = replace(last.response, body=b'{"exited": true, "exitCode": 0}')
    ended = replace(last, response=response, when=start + timedelta(seconds=after), number=len(every) + 1)
    assert judge([*every, ended], target).results["POLL-06"].status == said


@pytest.mark.parametrize("body", first_of(b"", b"[1]"))
def test_a_poll_with_another_parameter_may_get_any_body(body: bytes) -> None:
    def garble(request: Request, response: Response) -> None:
        if request.full and "pid=" in request.query and "&" in request.query:
            response.become(200, body)

    assert verdict_on(garble, allow_exec=True).summary["error"] == 0


def test_judging_that_was_cut_short_proves_nothing() -> None:
    """A run whose judging was cut proves nothing, though its sending was not."""
    target, wire, _ = run_on_mock()
    verdict = judge(wire.exchanges, target, time_up=lambda: "the time for judging is used up")
    assert verdict.name == "not_demonstrated"
    assert "PROBE-01" in verdict.unjudged


def with_read_key(**more: str) -> Verdict:
    """Return the verdict on the mock by a key that may only read; `more` names what is given besides."""
    stage = Stage()
    given = {"HOSTUP_API_KEY": READ_API_KEY, "HOSTUP_VPS_ID": VPS_ID, **{name: stage.given()[name] for name in more}}
    with wire_to(stage, given) as wire:
        commands.run(wire)
    return verdict_by(wire)


def test_a_key_that_may_only_read_is_told() -> None:
    verdict = with_read_key()
    assert verdict.name == "conformant"
    polls = [one for one in verdict.results.values() if one.requirement.area in {"POLL", "PID"}]
    assert polls
    assert {one.status for one in polls} == {"disabled"}
    assert "lack write:vm" in verdict.results["PID-04"].message
    assert any("give a key with write:vm" in text for text in verdict.not_shown)


def test_a_key_that_should_poll_and_may_not_leaves_a_doubt() -> None:
    verdict = with_read_key(HOSTUP_RUNNING_PID="")
    assert verdict.name == "not_demonstrated"
    assert "lack write:vm" in str(verdict.core.doubt)


@pytest.mark.parametrize("whom", ["those who try keys", "whoever has not all scopes"])
def test_a_run_without_those_who_are_shut_out_concludes_nothing_of_them(whom: str) -> None:
    def shuts_out(request: Request, response: Response) -> None:
        """Ask for a longer wait than a run waits, once they have tried often enough, or from the beginning."""
        tried = response.status == 401 and request.nth("tried") > 5
        if not request.full and (tried or whom != "those who try keys"):
            response.become(429, problem(request, 429, "rate_limit_exceeded", "Too many requests"))
            response.header("Content-Type", "application/problem+json")
            response.header("Retry-After", "3600")
            for field, value in (("Limit", "5"), ("Remaining", "0"), ("Reset", soon(seconds=3600))):
                response.header(f"X-RateLimit-{field}", value)

    verdict = verdict_on(shuts_out)
    assert verdict.name == "not_demonstrated"
    assert "AUTH-03" in verdict.unjudged
    assert ("SCOPE-02" in verdict.unjudged) is (whom != "those who try keys")
    assert "the server asks some callers for a wait of 3600 s" in verdict.results["AUTH-03"].message


def test_keys_that_are_exchanged_are_told() -> None:
    stage = Stage()
    keys = {"HOSTUP_API_KEY": READ_API_KEY, "HOSTUP_READ_API_KEY": API_KEY, "HOSTUP_VPS_ID": VPS_ID}
    with wire_to(stage, keys, allow_exec=True) as wire:
        commands.run(wire)
    assert "HOSTUP_API_KEY and HOSTUP_READ_API_KEY are exchanged" in str(verdict_by(wire).core.doubt)


LACKS = "set HOSTUP_RUNNING_PID or HOSTUP_FINISHED_PID, or run with --allow-exec"


@pytest.mark.parametrize(("status", "said"), [(403, ("pass", "")), (404, ("disabled", LACKS))])
def test_a_404_for_a_pid_without_a_command_shows_nothing(status: int, said: tuple[str, str]) -> None:
    """A server may look for the command before it looks at the scope, so a pid is needed to know."""

    def refuse(request: Request, response: Response) -> None:
        if request.reading and (response.status != 200 or request.query):
            response.become(status, problem(request, status, CODES[status], CODES[status]))

    stage = Stage(refuse)
    with wire_to(stage, stage.given(starts=True)) as wire:
        commands.run(wire, slow_seconds=0.0)
    results = verdict_by(wire).results
    assert (results["SCOPE-02"].status, results["SCOPE-02"].message) == said
    assert results["SCOPE-05"].judged
    assert all(e.status != 404 for id in ("SCOPE-05", "SAFETY-03") for e in results[id].judged)


def test_a_client_is_not_blamed_for_an_end_that_was_reported_before() -> None:
    """In a run that was cut short, no later poll shows that the command is forgotten."""

    def end_at_once(request: Request, response: Response) -> None:
        if response.is_output and request.nth(request.pid or "") == 1:
            response.json = {"exited": True, "exitCode": 0}
        elif response.is_output:
            response.become(404, problem(request, 404, "not_found", "Not found"))

    results = verdict_on(end_at_once, replace(LIMITS, requests=30), allow_exec=True).results
    assert results["HTTP-13"].status == "pass"
    assert results["POLL-06"].status == "warn"


@pytest.mark.parametrize(("ended", "said"), [(True, True), (False, False)])
def test_a_named_command_may_have_ended_before_the_run(ended: bool, said: bool) -> None:
    def forget(request: Request, response: Response) -> None:
        if request.pid == str(request.mock.running_pid) and response.status == 200 and (ended or request.nth() % 2):
            response.become(404, problem(request, 404, "not_found", "Not found"))

    result = result_on(Stage(forget), "POLL-05")
    assert result.status == "fail"
    assert ("check HOSTUP_RUNNING_PID" in result.message) is said


def refuses_chunks(request: Request, response: Response) -> None:
    if request.method == "POST" and request.headers.get("transfer-encoding"):
        response.become(400, problem(request, 400, "invalid_request", "Invalid request"))


def refuses_commands_that_sleep(request: Request, response: Response) -> None:
    if b"sleep" in request.body:
        response.become(400, problem(request, 400, "invalid_request", "Invalid request"))


@pytest.mark.catalogue
@pytest.mark.parametrize(
    ("change", "stopped", "said"),
    [
        further((refuses_chunks, None, "no end of a command that would show it was seen")),
        (
            refuses_commands_that_sleep,
            None,
            "the start of a command that would show it was refused (400 invalid_request)",
        ),
        further((refuses_commands_that_sleep, "the run was interrupted", "the run was interrupted")),
        (
            refuses_commands_that_sleep,
            UsedUp("the budget is used up"),
            "no end of a command that would show it was seen; the budget is used up",
        ),
    ],
)
def test_it_is_told_why_a_command_was_not_seen(change: Change, stopped: str | None, said: str) -> None:
    _, wire, _ = run(change, allow_exec=True)
    no_end = [e for e in wire.exchanges if not (e.ask.pid.known and e.status == 200)]
    results = judge(no_end, wire.target, stopped).results
    assert {results[id].message for id in ("START-16", "START-22")} == {said}


@pytest.mark.catalogue
def test_a_command_that_never_ends_is_not_seen_to_work() -> None:
    """Where no command came to its end, the endpoint was not seen to work, whatever else passed."""
    verdict = verdict_on(FAULTS.named("never_exits").change, allow_exec=True, waits=False)
    assert "no poll reported the end of one" in str(verdict.core.doubt)
    assert verdict.results["START-27"].status == "fail"


@pytest.mark.catalogue
@pytest.mark.parametrize(("others", "said"), [(True, "fail"), (False, "pass")])
def test_an_end_is_told_too_late_where_those_of_others_are_told(others: bool, said: str) -> None:
    """Where no other was started later, the server may just be slow."""
    target, wire, _ = run_on_mock(allow_exec=True)
    every = wire.exchanges
    life = next(life for life in lives(every) if life.name == "nothing")
    end, start = life.end, life.start.when
    assert end
    assert end.response
    assert start
    runs = replace(end, response=replace(end.response, body=b'{"exited": false}'))
    first = replace(runs, when=start + timedelta(seconds=1), number=len(every) + 1)
    late = replace(runs, when=start + timedelta(seconds=12), number=len(every) + 2)
    last = replace(end, when=start + timedelta(seconds=13), number=len(every) + 3)
    before = [e for e in every if e is not end and (others or e.number <= life.start.number)]
    result = judge([*before, first, late, last], target).results["START-27"]
    assert (result.status, "exited false 12 s after the start" in result.message) == (said, said == "fail")
    assert judge([*before, late, last], target).results["START-27"].status == "pass", "it may look only when asked"


@pytest.mark.parametrize(("served", "said"), [("alone", "pass"), ("at once", "fail")])
def test_what_is_refused_as_it_must_be_is_not_mixed_up(served: str, said: str) -> None:
    """Where an unknown pid gets output when it is asked for alone, that is the mistake, and not a 404 among others."""
    target, wire, _ = run_on_mock()
    output = next(e.response for e in wire.exchanges if e.ask.pid == "finished" and e.status == 200)

    def is_served(e: Exchange) -> bool:
        unknown = (e.ask.credential, e.ask.vps, e.ask.pid) == ("full", "own", "unknown")
        return unknown and e.status == 404 and (e.source == BURST) is (served == "at once")

    assert any(map(is_served, wire.exchanges))
    long = [replace(e, seconds=1.0) if e.source == BURST else e for e in wire.exchanges]
    every = [replace(e, response=output) if is_served(e) else e for e in long]
    assert judge(every, target).results["HTTP-21"].status == said


def test_a_finding_says_what_was_improper_in_a_start() -> None:
    starts_all = result_on(Stage(FAULTS.named("starts_whatever_the_command").change), "PID-09", allow_exec=True)
    assert {finding.expected.removeprefix("a 4xx for ") for finding in starts_all.findings} == {
        "a POST without a body",
        "a body that is no JSON",
        "a body that is no JSON object",
        "a body without a command",
        "the command null",
        "an empty command",
        "a command of 4097 characters (4096 are allowed)",
        "a command that is an array",
        "a command that is an object",
    }


@pytest.mark.parametrize(
    ("name", "what"),
    first_of(
        ("chunked_bodies_are_not_read", "Transfer-Encoding: chunked"), ("a_charset_is_refused", "the charset parameter")
    ),
)
def test_a_finding_says_what_was_other_in_a_start(name: str, what: str) -> None:
    message = result_on(Stage(FAULTS.named(name).change), "START-24", allow_exec=True).message
    assert f"expected status 200, as without {what}, got " in message


def test_a_finding_about_the_input_says_what_was_printed() -> None:
    def empty(_request: Request, response: Response) -> None:
        if response.is_output and response.json.get("stdout") == "done":
            response.change(stdout="")

    assert 'exitCode 0 and stdout ""' in result_on(Stage(empty), "START-28", allow_exec=True).message


def test_output_that_another_got_before_is_not_missed() -> None:
    """That other poll should have been refused, which is what the report says."""
    verdict = verdict_on(FAULTS.named("pid_of_any_vps_is_taken").change)
    assert verdict.results["PID-05"].status == "fail"
    assert verdict.results["POLL-08"].status == "skip"


@pytest.mark.catalogue
def test_commands_that_a_firewall_blocks_are_told() -> None:
    firewall = VARIANTS.named("firewall_blocks_what_shells_read")
    said = verdict_on(firewall.change, allow_exec=True).not_shown[0]
    assert "got 403 and no problem document: a firewall takes them for attacks, it seems" in said
    assert not any("firewall" in text for text in verdict_by(run_on_mock(allow_exec=True)[1]).not_shown)


def test_what_was_not_seen_is_told_with_what_shows_most() -> None:
    said = verdict_by(run_on_mock()[1]).not_shown
    assert said[0].startswith("never seen: the start of a command")
    assert "--allow-exec" in said[1]


@pytest.mark.catalogue
def test_a_guest_without_programs_is_told() -> None:
    said = verdict_on(VARIANTS.named("no_command_sleeps").change, allow_exec=True).not_shown
    assert "commands found no program called sleep: is PATH set where they run?" in said


def test_what_is_given_is_not_asked_for() -> None:
    """Where no start gets a pid, those that would take their place are."""
    said = verdict_on(FAULTS.named("start_is_refused").change, allow_exec=True).not_shown
    assert any("set HOSTUP_FINISHED_PID" in text for text in said)
    assert not any("--allow-exec" in text for text in said)


@pytest.mark.parametrize(
    ("absent", "said"),
    first_of(
        (("/vps", "/status"), "the list and the status of VPSs"),
        ("/status", "the status of VPSs"),
        ("/vps", "the list of VPSs"),
    ),
)
def test_what_is_not_offered_is_told(absent: str | tuple[str, ...], said: str) -> None:
    def without(request: Request, response: Response) -> None:
        if request.path.endswith(absent):
            refused(request, response, 404, "not_found", "Not found")

    assert f"not offered: {said}" in verdict_on(without).not_shown


def repeats_examples(request: Request, response: Response) -> None:
    """Be a mock that responds with the document's examples, whoever asks for what."""
    kinds = {"/agent/exec": {"available": True, "reason": None, "vmRunning": True}, "/status": {"id": VPS_ID}}
    body = next((body for end, body in kinds.items() if request.path.endswith(end)), {"data": [{"id": VPS_ID}]})
    if request.headers.get("prefer") == "code=404":
        components = document()["components"]["responses"]
        response.become(404, components["NotFound"]["content"]["application/problem+json"]["example"])
    elif request.method == "GET":
        response.become(200, {"exited": False} if request.pid else body)


def with_profile(profile: str) -> Verdict:
    """Return the verdict on the mock that repeats examples, which is said to support this and nothing else."""
    given = {"HOSTUP_API_KEY": API_KEY, "HOSTUP_VPS_ID": "vps_another_than_in_examples"}
    with wire_to(Stage(repeats_examples), given, profile=profile) as wire:
        commands.run(wire)
    return verdict_by(wire)


def test_a_static_mock_is_not_blamed_for_what_its_profile_leaves_out() -> None:
    verdict = with_profile("static")
    assert verdict.name == "conformant"
    assert {id: r.message for id, r in verdict.results.items() if r.status in {"fail", "warn"}} == {}


def test_without_ids_nothing_is_said_about_them() -> None:
    verdict = with_profile("pids,input,fresh")
    about_ids = {"SAFETY-03", "PID-05", "VPS-05", "VPS-15"}
    assert {id: verdict.results[id].message for id in about_ids if verdict.results[id].status in {"fail", "warn"}} == {}


def test_what_looks_like_a_mock_is_told_its_profile() -> None:
    assert "--profile static" in with_profile("full").not_shown[0]


def test_refused_commands_are_told() -> None:
    """What a firewall takes for an attack was not judged, and the report says so."""

    def refuse_pipes(request: Request, response: Response) -> None:
        if response.is_started and b"|" in request.body:
            response.become(403, b"<h1>Request blocked</h1>", "text/html")

    result = result_on(Stage(refuse_pipes), "START-32", allow_exec=True)
    assert result.status == "observe"
    # Which of the five is the first depends on which responses come first.
    told = r'403 for the command named (trace|number|again), and 4 commands more, all with "\|" in them'
    assert re.fullmatch(told, result.message)


def test_methods_that_are_dropped_end_no_run() -> None:
    """Some libraries close the connection where they have no route; all that is asked for by GET can be judged."""

    def drops(request: Request, response: Response) -> None:
        if request.method not in {"GET", "POST"}:
            response.raw = []

    results = verdict_on(drops).results
    assert results["HTTP-01"].status == "fail"
    assert "by a method other than GET and POST" in results["HTTP-01"].message
    assert {results[id].status for id in ("AUTH-02", "SCOPE-02", "VPS-11")} == {"pass"}


def test_requests_that_hang_end_no_run() -> None:
    """Those of a kind are sent three times in a row at most, and all others are judged."""

    def hangs_at_odd_pids(request: Request, response: Response) -> None:
        try:
            int("0" if request.pid is None else request.pid)
        except ValueError:
            response.pause = 9.0

    _, wire, _ = run(hangs_at_odd_pids, IMPATIENT)
    results = verdict_by(wire).results
    assert "requests are for a pid that cannot be read as an integer" in results["HTTP-01"].message
    assert {results[id].status for id in ("AUTH-02", "SCOPE-02", "PID-05", "VPS-11")} == {"pass"}
    in_a_row, most = Counter[object](), 0
    for e in wire.exchanges:
        in_a_row[e.kind] = 0 if e.response else in_a_row[e.kind] + 1
        most = max(most, in_a_row[e.kind])
    assert 1 < most <= IMPATIENT.alike


@pytest.mark.catalogue
def test_what_a_start_waits_for_ends_no_run() -> None:
    def one_at_a_time(request: Request, response: Response) -> None:
        if response.is_started and request.memory.setdefault("runs", False):
            response.pause = 9.0
        request.memory["runs"] = request.memory.get("runs") or SLEEP.encode() in request.body

    _, wire, _ = run(one_at_a_time, IMPATIENT, allow_exec=True)
    results = verdict_by(wire).results
    assert 'which started "sleep 60", got a response: what runs blocks all' in results["HTTP-01"].message
    assert {results[id].status for id in ("AUTH-02", "SCOPE-02", "PID-05", "START-05")} == {"pass"}


def test_a_server_that_hangs_ends_a_run_soon() -> None:
    def hangs(request: Request, response: Response) -> None:
        if request.nth() > 20:
            response.pause = 9.0

    _, wire, _ = run(hangs, IMPATIENT)
    assert "in a row got no whole response" in (wire.stopped or "")
    assert sum(e.response is None for e in wire.exchanges) <= 4


def test_what_is_sent_again_is_counted() -> None:
    """A server that closes each kept connection at its second request gets hardly more than the run tells of."""

    def closes(request: Request, response: Response) -> None:
        request.nth()
        if request.nth(f"on {request.port}") > 1:
            response.raw = []

    _, wire, stage = run(closes, live=True)
    followed = sum(e.aside for e in wire.exchanges)  # what has to have the connection of another is sent again too
    assert 0 <= stage.memory["requests"] - len(wire.exchanges) <= MOST_RESENT + followed


def test_nothing_waits_beyond_the_time_of_a_run(monkeypatch: pytest.MonkeyPatch) -> None:
    pace, waited = Pace(Limits(run_seconds=0.05, rate=0.01)), list[float]()
    wait = pace.wait

    def noted(seconds: float) -> None:
        waited.append(seconds)
        wait(min(seconds, 0.1))

    monkeypatch.setattr(pace, "wait", noted)
    pace.begin()
    with pytest.raises(Stopped):
        pace.begin()
    assert max(waited) < 1


@pytest.mark.catalogue
def test_a_start_whose_response_was_lost_may_have_run() -> None:
    """So the command, which is started once more later on, has not run too often."""

    def loses_the_first(request: Request, response: Response) -> None:
        if request.method == "POST" and b": hostup-again-" in request.body and request.nth("again") == 1:
            response.raw = []

    results = verdict_on(loses_the_first, allow_exec=True).results
    assert results["START-16"].status == "pass", results["START-16"].message
    assert results["HTTP-01"].status == "fail"


def lets_in_and_says_too_much(request: Request, response: Response) -> None:
    """A wrong key gets the availability with blanks behind it, more than any response to a probe can need."""
    probes = request.method == "GET" and response.status == 401 and request.token and request.pid is None
    if probes and request.nth("wrong") > 1:
        response.become(200, {"available": True})
        response.body += b" " * (2 << 20)


def test_a_refusal_that_cannot_be_read_is_none() -> None:
    verdict = verdict_on(lets_in_and_says_too_much)
    assert verdict.results["AUTH-02"].status == "pass"
    assert verdict.name == "not_demonstrated"
    assert "AUTH-02" in verdict.unjudged


@pytest.mark.catalogue
def test_what_takes_long_is_told() -> None:
    def wait_for_a_pid(request: Request, response: Response) -> None:
        if response.status == 404 and request.pid and request.own and request.nth("waits") == 1:
            response.pause = 1.05

    result = result_on(Stage(wait_for_a_pid), "HTTP-29")
    assert result.status == "observe"
    assert re.match(r"1\.\d s for the ended command once more \(as a rule: \d+ ms\)$", result.message)
    assert result_on(Stage(), "HTTP-29").status == "pass"


@pytest.mark.catalogue
def test_a_server_that_gets_slower_and_slower_is_told() -> None:
    def tire(request: Request, response: Response) -> None:
        if request.nth() > 20 and response.is_availability and request.own:
            response.pause = 0.27

    result = result_on(Stage(tire), "HTTP-29")
    assert re.match(
        r"0\.\d s for a probe at the end, \d+ ms at most at the beginning: it gets slower and slower$", result.message
    )
