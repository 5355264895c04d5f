"""What type checkers have to understand of the client. It is checked, never run."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, assert_type

import httpx
from hostup_agent_exec import AuthenticatedClient, Client, errors
from hostup_agent_exec.api.agent import get_agent_exec, start_agent_exec
from hostup_agent_exec.api.vps import list_vps
from hostup_agent_exec.models import (
    AgentAvailability,
    CommandOutput,
    CommandStart,
    Problem,
    ProblemItem,
    StartedCommand,
    VpsItem,
)
from hostup_agent_exec.types import UNSET, Response, Unset


def the_request_decides(client: AuthenticatedClient, pid: int, either: int | Unset) -> None:
    assert_type(get_agent_exec.sync("v", client=client), AgentAvailability)
    assert_type(get_agent_exec.sync("v", client=client, pid=UNSET), AgentAvailability)
    assert_type(get_agent_exec.sync("v", client=client, pid=pid, timeout=2, headers={}), CommandOutput)
    assert_type(get_agent_exec.sync("v", client=client, pid=either), AgentAvailability | CommandOutput)
    assert_type(get_agent_exec.sync_detailed("v", client=client), Response[AgentAvailability | Problem])
    assert_type(get_agent_exec.sync_detailed(id="v", client=client, pid=pid), Response[CommandOutput | Problem])


async def and_so_it_does_asynchronously(client: AuthenticatedClient, pid: int) -> None:
    assert_type(await get_agent_exec.asyncio("v", client=client), AgentAvailability)
    assert_type(await get_agent_exec.asyncio("v", client=client, pid=pid), CommandOutput)
    assert_type(await get_agent_exec.asyncio_detailed("v", client=client), Response[AgentAvailability | Problem])
    assert_type(await get_agent_exec.asyncio_detailed("v", client=client, pid=pid), Response[CommandOutput | Problem])
    assert_type(await get_agent_exec.asyncio_wait("v", pid, client=client), CommandOutput)


def waiting(client: AuthenticatedClient) -> None:
    def show(state: CommandOutput) -> None:
        print(state.exited)

    output = get_agent_exec.wait("v", 4242, client=client, timeout=5, interval=0.5, on_progress=show)
    assert_type(output, CommandOutput)
    get_agent_exec.wait("v", 4242, client=client, on_progress=print)


async def running(client: AuthenticatedClient, pids: list[int]) -> None:
    assert_type(start_agent_exec.run("v", "uname -a", client=client, timeout=5, on_start=pids.append), CommandOutput)
    assert_type(await start_agent_exec.asyncio_run("v", "uname", client=client, on_progress=print), CommandOutput)
    assert_type(start_agent_exec.sync("v", client=client, body=CommandStart("uname")), StartedCommand)


async def many(client: AuthenticatedClient) -> None:
    async for id, outcome in start_agent_exec.run_many(["v"], "uname", client=client, limit=2, check=True):
        assert_type(id, str)
        assert_type(outcome, CommandOutput | Exception)
    async for item in list_vps.asyncio_iterate(client=client, limit=2):
        assert_type(item, VpsItem)
    for item in list_vps.iterate(client=client, timeout=3, headers={"X-A": "1"}):
        assert_type(item, VpsItem)


def members(availability: AgentAvailability, output: CommandOutput, problem: Problem) -> None:
    assert_type(availability.available, bool | None)
    assert_type(availability.reason, str | None)
    assert_type(availability.vm_running, bool | None)
    assert_type(output.exited, bool)
    assert_type(output.exit_code, int | None)
    assert_type(output.stdout or "", str)
    assert_type(output.stdout_text, str)
    assert_type(output.ok, bool)
    assert_type(output["new"], Any)
    assert_type(output.additional_properties, dict[str, Any])
    assert_type(problem.code, str | None)
    assert_type(problem.errors, list[ProblemItem] | None)
    assert_type(CommandOutput.from_dict({"exited": True}), CommandOutput)
    assert_type(output.to_dict(), dict[str, Any])


def a_response(response: Response[CommandOutput | Problem]) -> None:
    assert_type(response.status_code, int)
    assert_type(response.content, bytes)
    assert_type(response.headers, Mapping[str, str])
    assert_type(response.parsed, CommandOutput | Problem | None)
    wider: Response[AgentAvailability | CommandOutput | Problem] = response
    print(wider)


def failures(client: AuthenticatedClient) -> None:
    try:
        get_agent_exec.wait("v", 4242, client=client)
    except errors.RateLimited as error:
        assert_type(error.status_code, int)
        assert_type(error.response, httpx.Response)
        assert_type(error.retry_after, float | None)
        if error.rate_limit:
            assert_type(error.rate_limit.reset, datetime | None)
            assert_type(error.rate_limit.limit, int | None)
    except errors.CommandFailed as error:
        assert_type(error.output, CommandOutput)
    except errors.AgentUnavailable as error:
        assert_type(error.availability, AgentAvailability)
    except errors.CommandStillRunning as error:
        assert_type(error.pid, int | None)
        assert_type(error.state, CommandOutput | None)
    except errors.HostUpError as error:
        assert_type(error.status_code, int | None)
        assert_type(error.problem, Problem | None)
        assert_type(error.code, str | None)
        assert_type(error.request_id, str | None)
        assert_type(error.response, httpx.Response | None)


def the_client_object(client: AuthenticatedClient) -> None:
    assert_type(client.with_headers({"X-A": "1"}), AuthenticatedClient)
    assert_type(client.with_timeout(httpx.Timeout(3)).with_cookies({}), AuthenticatedClient)
    assert_type(client.with_timeout(3.5), AuthenticatedClient)
    assert_type(AuthenticatedClient(), AuthenticatedClient)
    assert_type(AuthenticatedClient(timeout=3, retries=2, max_body_bytes=9, application="a/1"), AuthenticatedClient)
    assert_type(client.set_httpx_client(httpx.Client()), AuthenticatedClient)
    assert_type(Client("https://h.test").with_headers({}), Client)
    with client as entered:
        assert_type(entered, AuthenticatedClient)
    client.token = "another"
