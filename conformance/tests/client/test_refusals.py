"""A command whose probe or start is refused for a while: `run` waits as long as it is told, within its time."""

import httpx
import pytest
from client.voices import BUSY, EXITED, REFUSED, STARTED, YES, Clock, Script, Voice
from hostup_agent_exec import errors


def test_run_waits_out_refusals(voice: Voice, clock: Clock) -> None:
    script = Script(probe=[REFUSED, REFUSED, BUSY, YES], start=[REFUSED, STARTED], poll=[REFUSED, EXITED])
    assert voice.run(client=script.client).ok
    assert script.seen == ["probe"] * 4 + ["start"] * 2 + ["poll"] * 2
    assert clock.slept == [7, 7, 3, 7, 7]


@pytest.mark.parametrize("kind", ["probe", "start"])
def test_a_refusal_beyond_the_deadline_is_told(voice: Voice, clock: Clock, kind: str) -> None:
    script = Script(**{kind: [REFUSED]})
    with pytest.raises(errors.RateLimited) as caught:
        voice.run(client=script.client, timeout=20)
    assert (caught.value.retry_after, caught.value.pid) == (7, None)
    assert clock.slept == [7, 7]


def test_one_busy_gateway_is_believed_once(voice: Voice, clock: Clock) -> None:
    script = Script(probe=[BUSY, BUSY, YES])
    with pytest.raises(errors.UnexpectedStatus, match="503"):
        voice.run(client=script.client)
    assert clock.slept == [3]


def test_a_busy_gateway_loses_a_start(voice: Voice, clock: Clock) -> None:
    with pytest.raises(errors.StartLost):
        voice.run(client=Script(start=[BUSY, STARTED]).client)
    assert clock.slept == []


@pytest.mark.parametrize(
    ("timeout", "probe", "slept"),
    [
        (0.5, httpx.Response(429), [0.25]),
        (7.1, REFUSED, [7]),
        (60, httpx.Response(503, headers={"Retry-After": "0"}), [0.1]),
    ],
)
def test_a_refusal_is_waited_out_fully(
    voice: Voice, clock: Clock, timeout: float, probe: httpx.Response, slept: list[float]
) -> None:
    script = Script(probe=[probe, YES])
    assert voice.run(client=script.client, timeout=timeout).ok
    assert clock.slept == slept


@pytest.mark.parametrize("kind", ["probe", "start"])
def test_a_pause_to_the_end_is_not_begun(voice: Voice, clock: Clock, kind: str) -> None:
    script = Script(**{kind: [REFUSED]})
    with pytest.raises(errors.RateLimited):
        voice.run(client=script.client, timeout=7)
    assert (script.seen[-1], clock.slept) == (kind, [])


def test_a_busy_gateway_is_not_waited_out(voice: Voice, clock: Clock) -> None:
    with pytest.raises(errors.UnexpectedStatus):
        voice.run(client=Script(probe=[BUSY, YES]).client, timeout=3)
    assert clock.slept == []
