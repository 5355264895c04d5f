"""The generated client runs commands through a real guest agent."""

import asyncio
import platform
import signal
from collections.abc import Iterator

import pytest
from agent.endpoint import Endpoint
from hostup_agent_exec import AuthenticatedClient, errors
from hostup_agent_exec.api.agent import get_agent_exec, start_agent_exec
from hostup_conformance.mock import UNAVAILABLE_VPS_ID, VPS_ID


@pytest.fixture
def client(endpoint: Endpoint) -> Iterator[AuthenticatedClient]:
    with AuthenticatedClient(endpoint.served.base_url, endpoint.served.environment["HOSTUP_API_KEY"]) as made:
        yield made


def test_uname(client: AuthenticatedClient) -> None:
    output = start_agent_exec.run(VPS_ID, "uname -a", client=client, timeout=30, interval=0.02)
    assert output.exit_code == 0
    assert output.stdout
    assert platform.release() in output.stdout


def test_twenty_at_once(client: AuthenticatedClient) -> None:
    async def all_of_them() -> list[str | None]:
        async with client:
            runs = (
                start_agent_exec.asyncio_run(VPS_ID, f"echo {number}", client=client, timeout=30, interval=0.02)
                for number in range(20)
            )
            return [output.stdout or None for output in await asyncio.gather(*runs)]

    assert asyncio.run(all_of_them()) == [f"{number}\n" for number in range(20)]


def test_without_an_agent_nothing_is_started(client: AuthenticatedClient, endpoint: Endpoint) -> None:
    with pytest.raises(errors.AgentUnavailable) as caught:
        start_agent_exec.run(UNAVAILABLE_VPS_ID, "uname -a", client=client)
    assert caught.value.availability
    assert caught.value.availability.reason
    endpoint.signal(signal.SIGSTOP)  # one that hangs is none either
    with pytest.raises(errors.AgentUnavailable):
        start_agent_exec.run(VPS_ID, "uname -a", client=client)


def test_what_runs_on_can_be_waited_for_again(client: AuthenticatedClient) -> None:
    with pytest.raises(errors.CommandStillRunning) as caught:
        start_agent_exec.run(VPS_ID, "sleep 0.3; echo late", client=client, timeout=0)
    assert caught.value.pid
    output = get_agent_exec.wait(VPS_ID, caught.value.pid, client=client, timeout=30, interval=0.02)
    assert output.stdout == "late\n"
