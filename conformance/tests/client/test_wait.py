"""Waiting, on a fake clock."""

import asyncio
import math
from typing import Any

import httpx
import pytest
from client.voices import PID, VPS, Clock, Script, Trouble, Voice, answering, played
from hostup_agent_exec import errors
from hostup_agent_exec.api.agent import get_agent_exec
from hostup_agent_exec.models import CommandOutput

RUNNING = httpx.Response(200, json={"exited": False})
EXITED = httpx.Response(200, json={"exited": True, "exitCode": 3, "stdout": "x"})


def script(clock: Clock, *polls: Trouble, takes: float = 0.0) -> Script:
    """Make a server that plays the responses to polls; each request takes its time."""
    return Script(poll=polls).taking(takes, clock)


def test_an_ended_command_is_returned_at_once(voice: Voice, clock: Clock) -> None:
    state = voice.wait(client=script(clock, EXITED).client)
    assert state == CommandOutput(exited=True, exit_code=3, stdout="x")
    assert clock.slept == []


def test_it_polls_at_intervals_and_tells_progress(voice: Voice, clock: Clock) -> None:
    seen: list[CommandOutput] = []
    server = script(clock, RUNNING, RUNNING, RUNNING, EXITED)
    assert voice.wait(client=server.client, timeout=60, interval=2, on_progress=seen.append).exited
    assert clock.slept == [2, 2, 2]
    assert seen == [CommandOutput(exited=False)] * 3
    assert len(server.seen) == 4


def test_by_default_intervals_grow_to_five_seconds(voice: Voice, clock: Clock) -> None:
    server = script(clock, RUNNING)
    with pytest.raises(errors.CommandStillRunning):
        voice.wait(client=server.client)
    assert clock.slept[:3] == [0.25, 0.375, 0.5625]
    assert max(clock.slept) == 5.0
    assert sum(clock.slept) == 300


def test_the_last_sleep_is_cut_to_the_deadline(voice: Voice, clock: Clock) -> None:
    server = script(clock, RUNNING)
    with pytest.raises(errors.CommandStillRunning) as caught:
        voice.wait(client=server.client, timeout=5, interval=2)
    assert clock.slept == [2, 2, 1]
    assert len(server.seen) == 4
    assert caught.value.state == CommandOutput(exited=False)
    assert caught.value.status_code == 200
    assert str(caught.value) == f"the command has not ended in time (GET /api/v2/vps/{VPS}/agent/exec?pid={PID})"


def test_a_timeout_of_zero_polls_once(voice: Voice, clock: Clock) -> None:
    server = script(clock, RUNNING)
    with pytest.raises(errors.CommandStillRunning):
        voice.wait(client=server.client, timeout=0)
    assert (len(server.seen), clock.slept) == (1, [])


def test_slow_answers_count(voice: Voice, clock: Clock) -> None:
    server = script(clock, RUNNING, takes=4)
    with pytest.raises(errors.CommandStillRunning):
        voice.wait(client=server.client, timeout=9, interval=1)
    assert clock.slept == [1]
    assert len(server.seen) == 2


def test_a_late_poll_has_ten_more_seconds(voice: Voice, clock: Clock) -> None:
    given: list[float] = []

    def answer(request: httpx.Request) -> httpx.Response:
        given.append(request.extensions["timeout"]["read"])
        clock.now += 1
        return played(RUNNING)

    with pytest.raises(errors.CommandStillRunning):
        voice.wait(client=answering(answer), timeout=40, interval=18)
    assert given == [30, 30, 12, 10]  # 30 is a phase's own time
    client = answering(answer).with_timeout(7)
    with pytest.raises(errors.CommandStillRunning):
        voice.wait(client=client, timeout=0)
    assert given[4:] == [7]


def test_a_short_interval_is_kept(voice: Voice, clock: Clock) -> None:
    voice.wait(client=script(clock, RUNNING, EXITED).client, interval=0.25)
    assert clock.slept == [0.25]


@pytest.mark.parametrize("status", [200, 429])
def test_it_waits_as_long_as_the_server_asks(voice: Voice, clock: Clock, status: int) -> None:
    asked = httpx.Response(status, json={"exited": False}, headers={"Retry-After": "7"})
    brief = httpx.Response(status, json={"exited": False}, headers={"Retry-After": "1"})
    voice.wait(client=script(clock, asked, brief, EXITED).client, interval=2)
    assert clock.slept == [7, 2]


def test_a_429_without_a_number_waits_the_interval(voice: Voice, clock: Clock) -> None:
    voice.wait(client=script(clock, httpx.Response(429), EXITED).client, interval=2)
    assert clock.slept == [2]


def test_a_pause_beyond_the_deadline_is_not_begun(voice: Voice, clock: Clock) -> None:
    server = script(clock, RUNNING, httpx.Response(429, headers={"Retry-After": "60"}))
    with pytest.raises(errors.CommandStillRunning) as caught:
        voice.wait(client=server.client, timeout=30, interval=1)
    assert clock.slept == [1]
    assert caught.value.state == CommandOutput(exited=False)
    assert (caught.value.status_code, caught.value.retry_after) == (429, 60)


def test_a_pause_to_the_deadline_is(voice: Voice, clock: Clock) -> None:
    server = script(clock, httpx.Response(429, headers={"Retry-After": "30"}), EXITED)
    assert voice.wait(client=server.client, timeout=30).exited
    assert clock.slept == [30]


def test_never_told_a_state_it_has_none(voice: Voice, clock: Clock) -> None:
    with pytest.raises(errors.CommandStillRunning) as caught:
        voice.wait(client=script(clock, httpx.Response(429)).client, timeout=3)
    assert caught.value.state is None


@pytest.mark.parametrize(
    "lost",
    [httpx.ReadTimeout, httpx.ReadError, httpx.WriteError, httpx.WriteTimeout, httpx.RemoteProtocolError,
     httpx.CloseError],
)  # fmt: skip
def test_after_a_lost_response_the_next_poll_tells(voice: Voice, clock: Clock, lost: type[Exception]) -> None:
    server = script(clock, RUNNING, lost, lost, EXITED)
    assert voice.wait(client=server.client).exited
    assert len(server.seen) == 4
    gone = script(clock, RUNNING, lost, httpx.Response(404))
    with pytest.raises(errors.OutputLost, match=r"the command is forgotten, and the response to an ") as caught:
        voice.wait(client=gone.client)
    assert (len(gone.seen), caught.value.pid, caught.value.status_code) == (3, PID, 404)
    assert type(caught.value.__cause__) is lost


def test_what_is_lost_at_the_end_is_told(voice: Voice, clock: Clock) -> None:
    says = rf"the response to a poll did not arrive, and none came in time \(GET /.*/{VPS}/.*pid={PID}\)"
    with pytest.raises(errors.OutputLost, match=says) as caught:
        voice.wait(client=script(clock, RUNNING, httpx.ReadError).client, timeout=3)
    assert (type(caught.value.__cause__), caught.value.response, sum(clock.slept)) == (httpx.ReadError, None, 3)


def test_what_says_that_it_runs_has_lost_nothing(voice: Voice, clock: Clock) -> None:
    server = script(clock, httpx.ReadError, RUNNING, httpx.Response(404))
    with pytest.raises(errors.NotFound):
        voice.wait(client=server.client)


def test_a_response_that_cannot_be_decoded_is_final(voice: Voice, clock: Clock) -> None:
    server = script(clock, httpx.DecodingError, EXITED)
    with pytest.raises(errors.OutputLost, match="the response to a poll was not read") as caught:
        voice.wait(client=server.client)
    assert (len(server.seen), type(caught.value.__cause__)) == (1, httpx.DecodingError)


@pytest.mark.usefixtures("clock")
@pytest.mark.parametrize("status", [429, 502])
@pytest.mark.parametrize("coding", ["br", "gzip"])
def test_an_error_that_cannot_be_decoded_ends_no_wait(voice: Voice, status: int, coding: str) -> None:
    seen = list[httpx.Request]()

    def respond(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        page = httpx.ByteStream(b"<html>")
        bad = httpx.Response(status, headers={"Content-Encoding": coding}, stream=page)
        return bad if len(seen) == 1 else played(EXITED)

    assert voice.wait(client=answering(respond)).exited


@pytest.mark.parametrize("status", [500, 502, 503, 504, 520])
def test_a_gateway_s_error_ends_no_wait(voice: Voice, clock: Clock, status: int) -> None:
    trouble = httpx.Response(status, json={"code": "upstream_timeout"}, headers={"Retry-After": "3"})
    assert voice.wait(client=script(clock, trouble, trouble, EXITED).client).exited
    assert clock.slept == [3, 3]
    with pytest.raises(errors.OutputLost, match=f"the response to a poll was {status}") as caught:
        voice.wait(client=script(clock, trouble).client, timeout=7)
    assert (caught.value.status_code, caught.value.code) == (status, "upstream_timeout")
    assert isinstance(caught.value.__cause__, errors.ResponseError)


def test_nor_does_a_front_that_has_closed_the_connection(voice: Voice, clock: Clock) -> None:
    """A 408 says that nobody has read the poll (RFC 9110, section 15.5.9)."""
    assert voice.wait(client=script(clock, httpx.Response(408), EXITED).client).exited


@pytest.mark.parametrize("error", [httpx.ConnectError, httpx.ConnectTimeout])
def test_a_server_that_is_away_for_a_while_ends_no_wait(voice: Voice, clock: Clock, error: type[Exception]) -> None:
    assert voice.wait(client=script(clock, RUNNING, error, error, EXITED).client).exited
    with pytest.raises(errors.CommandStillRunning) as caught:
        voice.wait(client=script(clock, RUNNING, error).client, timeout=9)
    assert (type(caught.value.__cause__), caught.value.pid) == (error, PID)


@pytest.mark.parametrize(
    "error", [httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError, httpx.UnsupportedProtocol]
)
def test_what_was_never_sent_raises_httpx_s_error(voice: Voice, clock: Clock, error: type[Exception]) -> None:
    with pytest.raises(error):
        voice.wait(client=script(clock, error).client)


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (httpx.Response(404), errors.NotFound),
        (httpx.Response(401), errors.Unauthorized),
        (httpx.Response(499), errors.UnexpectedStatus),
        (httpx.Response(204), errors.UnexpectedStatus),
        (httpx.Response(200, json={"available": True}), errors.InvalidResponse),
    ],
)
def test_other_answers_end_the_wait(
    voice: Voice, clock: Clock, answer: httpx.Response, error: type[errors.HostUpError]
) -> None:
    server = script(clock, answer, EXITED)
    with pytest.raises(error):
        voice.wait(client=server.client)
    assert len(server.seen) == 1


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"timeout": -1}, ValueError),
        ({"timeout": math.nan}, ValueError),
        ({"timeout": math.inf}, ValueError),
        ({"timeout": 10**400}, ValueError),
        ({"interval": 10**400}, ValueError),
        ({"on_progress": []}, TypeError),
        ({"timeout": None}, TypeError),
        ({"timeout": True}, TypeError),
        ({"interval": 0}, ValueError),
        ({"interval": -1}, ValueError),
        ({"interval": math.inf}, ValueError),
        ({"interval": "1"}, TypeError),
    ],
)
def test_senseless_times_are_refused(
    voice: Voice, clock: Clock, arguments: dict[str, Any], error: type[Exception]
) -> None:
    server = script(clock, EXITED)
    with pytest.raises(error, match=f"^{next(iter(arguments))}: expected "):
        voice.wait(client=server.client, **arguments)
    assert len(server.seen) == 0


def test_an_error_of_the_callback_is_passed_on(voice: Voice, clock: Clock) -> None:
    def fail(_: CommandOutput) -> None:
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        voice.wait(client=script(clock, RUNNING).client, on_progress=fail)


def test_it_can_be_cancelled() -> None:
    async def cancel() -> None:
        client = answering(httpx.Response(200, json={"exited": False}))
        async with client:
            task = asyncio.create_task(get_agent_exec.asyncio_wait(VPS, PID, client=client, interval=200))
            await asyncio.sleep(0.01)
            assert task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

    asyncio.run(cancel())


def test_the_longest_times_are_taken(voice: Voice, clock: Clock) -> None:
    assert voice.wait(client=script(clock, EXITED).client, timeout=1e9, interval=1e9).exited
    for name, says in (
        ("timeout", "timeout: expected a number of seconds from 0 to 1e+09"),
        ("interval", "interval: expected a number of seconds above 0, and 1e+09 at most"),
    ):
        with pytest.raises(ValueError, match="expected") as caught:
            voice.wait(client=script(clock, EXITED).client, **{name: 1.1e9})
        assert str(caught.value) == says
