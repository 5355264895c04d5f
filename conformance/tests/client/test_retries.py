"""What `retries=` of the client repeats, how often, and after which pauses."""

import random
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from client.serving import replied, serving
from client.voices import EXITED, KEY, PID, STARTED, VPS, YES, Clock, Script, Voice, new_client, played
from hostup_agent_exec import AuthenticatedClient, errors
from hostup_agent_exec.api.agent import get_agent_exec, start_agent_exec
from hostup_agent_exec.api.vps import get_vps_status, list_vps
from hostup_agent_exec.models import CommandStart
from hostup_conformance.http.scripted import Received, Reply


def repeated(
    count: int, *troubles: httpx.Response | type[Exception]
) -> tuple[AuthenticatedClient, list[httpx.Request]]:
    asked: list[httpx.Request] = []
    left = list(troubles)

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        if left:
            return played(left.pop(0), request)
        if request.method == "POST":
            return played(STARTED)
        if request.url.path.endswith("/vps"):
            return httpx.Response(200, json={"data": []})
        return played(EXITED if "pid" in request.url.params else YES)

    return new_client(retries=count, httpx_args={"transport": httpx.MockTransport(answer)}), asked


CALLS: dict[str, Callable[[AuthenticatedClient], Any]] = {
    "probe": lambda client: get_agent_exec.sync(VPS, client=client),
    "status": lambda client: get_vps_status.sync_detailed(VPS, client=client),
    "list": lambda client: list_vps.sync(client=client),
    "poll": lambda client: get_agent_exec.sync(VPS, client=client, pid=PID),
    "start": lambda client: start_agent_exec.sync(VPS, client=client, body=CommandStart("x")),
}
ALWAYS = ("probe", "status", "list")


@pytest.mark.parametrize("kind", CALLS)
@pytest.mark.parametrize("trouble", [httpx.Response(429), httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout])
def test_what_was_refused_is_repeated(clock: Clock, kind: str, trouble: Any) -> None:
    client, asked = repeated(3, trouble, trouble)
    CALLS[kind](client)
    assert len(asked) == 3
    assert all(0.25 <= pause <= 1 for pause in clock.slept)


@pytest.mark.parametrize("kind", CALLS)
@pytest.mark.parametrize(
    "trouble", [httpx.Response(502), httpx.Response(503), httpx.Response(504), httpx.ReadError, httpx.ReadTimeout]
)
def test_what_may_be_lost_is_repeated_where_harmless(clock: Clock, kind: str, trouble: Any) -> None:  # noqa: ARG001
    client, asked = repeated(3, trouble)
    if kind in ALWAYS:
        CALLS[kind](client)
        assert len(asked) == 2
    else:
        with pytest.raises((errors.HostUpError, httpx.RequestError)):
            CALLS[kind](client)
        assert len(asked) == 1


@pytest.mark.parametrize("trouble", [httpx.Response(500), httpx.Response(404), httpx.UnsupportedProtocol])
def test_other_troubles_are_not_repeated(trouble: Any) -> None:
    client, asked = repeated(3, trouble)
    with pytest.raises((errors.ResponseError, httpx.RequestError)):
        CALLS["probe"](client)
    assert len(asked) == 1


def test_by_default_nothing_is_repeated(voice: Voice) -> None:
    client, asked = repeated(0, httpx.ConnectError)
    with pytest.raises(httpx.ConnectError):
        voice.call(client=client)
    assert len(asked) == 1


@pytest.mark.parametrize(("count", "seconds"), [(2, 5), (9, 25)])
def test_retries_end_and_keep_the_deadline(voice: Voice, clock: Clock, count: int, seconds: int) -> None:
    client, asked = repeated(count, *[httpx.Response(429, headers={"Retry-After": str(seconds)})] * 9)
    with pytest.raises(errors.RateLimited):
        voice.call(client=client)
    assert (len(asked), clock.slept) == (3, [seconds, seconds])


@pytest.mark.parametrize(("timeout", "count"), [(5, 1), (5.1, 2)])
def test_nothing_is_repeated_after_the_deadline(voice: Voice, clock: Clock, timeout: float, count: int) -> None:
    client, asked = repeated(1, httpx.Response(429, headers={"Retry-After": "5"}))
    if count == 1:
        with pytest.raises(errors.RateLimited):
            voice.call(client=client, timeout=timeout)
    else:
        voice.call(client=client, timeout=timeout)
    assert (len(asked), len(clock.slept)) == (count, count - 1)


def test_pauses_double_up_to_eight_seconds(voice: Voice, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(random, "uniform", lambda least, most: most if (least, most) == (0.5, 1.0) else 0)
    client, _ = repeated(7, *[httpx.ReadError] * 7)
    voice.call(client=client)
    assert clock.slept == [0.5, 1, 2, 4, 8, 8, 8]


def test_a_probe_within_a_run_is_repeated_too(voice: Voice, clock: Clock) -> None:
    script = Script(probe=[httpx.ReadError, YES])
    client = new_client(retries=1, httpx_args={"transport": script})
    assert voice.run(client=client).ok
    assert (script.seen, len(clock.slept)) == (["probe", "probe", "start", "poll"], 1)


@pytest.mark.parametrize("kind", ["probe", "start", "poll"])
def test_within_a_run_retries_end_with_its_time(voice: Voice, clock: Clock, kind: str) -> None:
    script = Script(**{kind: [httpx.ConnectError]})
    client = new_client(retries=9, httpx_args={"transport": script})
    with pytest.raises((httpx.ConnectError, errors.CommandStillRunning)):
        voice.run(client=client, timeout=3)
    assert 1 < round(sum(clock.slept), 6) <= 3


def test_a_wait_s_own_pauses_go_before_retries(voice: Voice, clock: Clock) -> None:
    script = Script(poll=[httpx.Response(429), EXITED])
    client = new_client(retries=3, httpx_args={"transport": script})
    assert voice.wait(client=client, interval=2).ok
    assert clock.slept == [2]


def test_retries_go_through_the_proxy_of_the_environment(voice: Voice, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def proxy(received: Received) -> Reply:
        """Refuse the first request, and then respond in the place of every server."""
        asked.append(received.request.target)
        return replied({}, 503 if len(asked) == 1 else 200)

    with serving(proxy) as url:
        for name in ("http_proxy", "HTTP_PROXY"):
            monkeypatch.setenv(name, url)
        with AuthenticatedClient("http://h.test", KEY, allow_plain_http=True, retries=1) as client:
            voice.call("v", client=client)
    assert asked == ["http://h.test/api/v2/vps/v/agent/exec"] * 2


def test_a_wait_of_hundreds_of_digits_is_no_short_one(clock: Clock) -> None:
    client, asked = repeated(3, httpx.Response(429, headers={"Retry-After": "9" * 400}))
    with pytest.raises(errors.RateLimited):
        get_agent_exec.sync(VPS, client=client)
    assert (len(asked), clock.slept) == (1, [])
