"""The router that plays the endpoint, and what the client makes of it."""

from contextlib import suppress

import httpx
import pytest
from client.voices import BASE_URL, KEY, PID, VPS, Clock, Voice, new_client
from hostup_agent_exec import errors
from hostup_agent_exec.models import AgentAvailability, CommandOutput
from hostup_conformance.respx import TROUBLE, router

URL = f"{BASE_URL}/api/v2/vps/{VPS}/agent/exec"
AUTH = {"Authorization": f"Bearer {KEY}"}


def outcome(voice: Voice, **arguments: int) -> str:
    try:
        answer = voice.detailed(client=new_client(), **arguments)
    except (httpx.HTTPError, errors.HostUpError) as error:
        return type(error).__name__
    return f"{answer.status_code} {type(answer.parsed).__name__}"


def test_by_default_it_answers_as_documented(voice: Voice) -> None:
    with router():
        assert voice.call(client=new_client()) == AgentAvailability(available=True, reason=None, vm_running=True)
        assert voice.call(client=new_client(), pid=PID) == CommandOutput(exited=False)
        assert voice.call(client=new_client(), pid=PID).exit_code == 0
        with pytest.raises(errors.NotFound):
            voice.call(client=new_client(), pid=PID)
        assert voice.call(client=new_client(), pid=PID + 1) == CommandOutput(exited=False)


def test_it_wants_a_key_and_a_pid() -> None:
    with router(), httpx.Client() as raw:
        assert raw.get(URL).status_code == 401
        assert raw.get(URL, headers={"Authorization": f"Basic {KEY}"}).status_code == 401
        for pid in ("", "0", "-1", "x", "²"):
            assert raw.get(URL, params={"pid": pid}, headers=AUTH).status_code == 400
        assert raw.get(URL).headers["Content-Type"] == "application/problem+json"


def test_it_starts_commands_that_are_some() -> None:
    with router(), httpx.Client(headers=AUTH) as raw:
        assert raw.post(URL, json={"command": "uname"}).json() == {
            "pid": PID, "pollUrl": f"/api/v2/vps/{VPS}/agent/exec?pid={PID}",
        }  # fmt: skip
        assert raw.post(URL, json={"command": "x" * 4096}).json()["pid"] == PID + 1
        for body in (
            b"",
            b"{",
            b"{}",
            b"[]",
            b'{"command": ""}',
            b'{"command": 7}',
            b'{"command": "%s"}' % (b"x" * 4097),
        ):
            assert raw.post(URL, content=body).status_code == 400
        assert raw.post(URL, json={"command": "uname"}, headers={"Authorization": "-"}).status_code == 401


def test_a_base_url_is_kept_to() -> None:
    with router(base_url="https://h.test/gate") as mock, httpx.Client() as raw:
        assert raw.get("https://h.test/gate/api/v2/vps/v/agent/exec", headers=AUTH).json()["available"] is True
        with pytest.raises(AssertionError, match="not mocked"):
            raw.get(URL)
        assert mock.calls.call_count == 1


@pytest.mark.parametrize(
    ("trouble", "expected"),
    [
        ("rate_limit", {"429 Problem"}),
        ("reset", {"ConnectError", "ConnectTimeout", "ReadError", "RemoteProtocolError", "WriteError"}),
        ("slow_body", {"ReadTimeout"}),
        ("torn_body", {"RemoteProtocolError"}),
        ("extra_members", {"200 AgentAvailability"}),
        ("html_error", {f"{status} NoneType" for status in (500, 502, 503, 504, 520, 524)}),
        ("empty_error", {f"{status} NoneType" for status in (401, 403, 404, 429, 500)}),
        ("internal_error", {"500 Problem"}),
    ],
)
def test_each_kind_of_trouble(voice: Voice, trouble: str, expected: set[str]) -> None:
    with router(profile=[trouble], rate=1):
        assert {outcome(voice) for _ in range(40)} == expected


def test_all_kinds_are_tried() -> None:
    assert len(TROUBLE) == 8


def test_the_seed_decides(voice: Voice) -> None:
    def run(seed: int) -> list[str]:
        with router(seed=seed, profile="hostile"):
            return [outcome(voice) for _ in range(20)]

    assert run(1) == run(1) != run(2)
    assert "200 AgentAvailability" in run(1)


def test_trouble_says_what_it_is() -> None:
    with router(profile={"rate_limit"}, rate=1), new_client() as client, pytest.raises(errors.RateLimited) as caught:
        Voice("sync").call(client=client)
    assert caught.value.retry_after in range(1, 61)
    assert caught.value.rate_limit is not None
    assert (caught.value.rate_limit.limit, caught.value.rate_limit.remaining) == (120, 0)


@pytest.mark.parametrize("profile", ["unknown", {"unknown"}, ["reset", "x"]])
def test_an_unknown_profile_is_refused(profile: str) -> None:
    with pytest.raises(ValueError, match="expected documented, hostile, or some of rate_limit"):
        router(profile=profile)


@pytest.mark.parametrize("seed", range(20))
def test_a_wait_in_a_storm_ends_as_documented(voice: Voice, clock: Clock, seed: int) -> None:
    documented = (errors.HostUpError, httpx.ConnectError, httpx.ConnectTimeout)
    with router(seed=seed, profile="hostile"), suppress(*documented):
        assert voice.wait(client=new_client(), timeout=100).exited
    assert clock.now <= 1100


def test_a_wait_with_the_documented_answers(voice: Voice, clock: Clock) -> None:
    with router():
        assert voice.wait(client=new_client()).stdout
    assert clock.slept == [0.25]
