from collections.abc import Callable, Mapping
from typing import Any, overload

import httpx
from hostup_agent_runtime import sending as _sending
from hostup_agent_runtime import values as _values
from hostup_agent_runtime import waiting as _waiting

from ...client import AuthenticatedClient
from ...models.agent_availability import AgentAvailability
from ...models.command_output import CommandOutput
from ...models.problem import Problem
from ...types import UNSET, Response, Unset


def _read(pid: int | Unset) -> Callable[[Any], Any]:
    """The request says what its response has to be."""
    if isinstance(pid, Unset):
        return _values.chosen(AgentAvailability, CommandOutput)
    return _values.chosen(CommandOutput, AgentAvailability)


@overload
def _request(
    id: str,
    *,
    pid: Unset = UNSET,
) -> _sending.Request[AgentAvailability]: ...


@overload
def _request(
    id: str,
    *,
    pid: int,
) -> _sending.Request[CommandOutput]: ...


def _request(
    id: str,
    *,
    pid: int | Unset = UNSET,
) -> _sending.Request[AgentAvailability | CommandOutput]:
    _values.check("id", id, str)
    _values.check_segment("id", id)
    _values.check("pid", pid, int, Unset)
    _values.check_range("pid", pid, 1, None)

    return _sending.Request(
        method="GET",
        target=f"/api/v2/vps/{_sending.segment(id)}/agent/exec"
        + _sending.query(
            {
                "pid": pid,
            }
        ),
        reads={200: _sending.json_body(_read(pid))},
        is_repeatable=isinstance(pid, Unset),
        largest_body=1048576 if isinstance(pid, Unset) else 209715200,
    )


@overload
def sync(
    id: str,
    *,
    client: AuthenticatedClient,
    pid: Unset = UNSET,
    timeout: float | httpx.Timeout | None = None,
    headers: Mapping[str, str] | None = None,
) -> AgentAvailability: ...
@overload
def sync(
    id: str,
    *,
    client: AuthenticatedClient,
    pid: int,
    timeout: float | httpx.Timeout | None = None,
    headers: Mapping[str, str] | None = None,
) -> CommandOutput: ...
def sync(
    id: str,
    *,
    client: AuthenticatedClient,
    pid: int | Unset = UNSET,
    timeout: float | httpx.Timeout | None = None,
    headers: Mapping[str, str] | None = None,
) -> AgentAvailability | CommandOutput:
    """Availability of the guest agent, or the output of a command.

    Without `pid`, returns whether commands can be run inside the VPS; this needs the scope `read:vm`.
    With `pid`, returns the state and output of a command that was started earlier; this needs the scope
    `write:vm`, since output may hold sensitive data from inside the guest.

    The guest agent forgets a process once it has reported its exit, so `exited: true` may be returned only once.
    Do not repeat a poll blindly: if its response is lost, the output may be lost too.

    Args:
        id: Public id of a VPS, exactly as `GET /api/v2/vps` returns it in `data[].id`. It may have any form.
        pid: Process id of a command, as returned by its start. Omit it to ask for the availability.
        client: where to send, and as whom
        timeout: as of the client, for this call
        headers: sent with this call, before those of the client


    Raises:
        TypeError, ValueError: an argument is not what it has to be; nothing was sent
        HostUpError: any response but the documented success; see the module ``errors``
        httpx.RequestError: no response came, or not in time

    Returns:
        AgentAvailability without ``pid``, CommandOutput with it
    """
    _made: _sending.Request[AgentAvailability | CommandOutput] = _request(
        id=id,
        pid=pid,
    )
    return client.call(_made, timeout=timeout, headers=headers)


@overload
def sync_detailed(
    id: str,
    *,
    client: AuthenticatedClient,
    pid: Unset = UNSET,
    timeout: float | httpx.Timeout | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response[AgentAvailability | Problem]: ...
@overload
def sync_detailed(
    id: str,
    *,
    client: AuthenticatedClient,
    pid: int,
    timeout: float | httpx.Timeout | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response[CommandOutput | Problem]: ...
def sync_detailed(
    id: str,
    *,
    client: AuthenticatedClient,
    pid: int | Unset = UNSET,
    timeout: float | httpx.Timeout | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response[AgentAvailability | CommandOutput | Problem]:
    """As :func:`sync`, with the response, whatever its status, and what its body says."""
    _made: _sending.Request[AgentAvailability | CommandOutput] = _request(
        id=id,
        pid=pid,
    )
    return client.detail(_made, timeout=timeout, headers=headers)


@overload
async def asyncio(
    id: str,
    *,
    client: AuthenticatedClient,
    pid: Unset = UNSET,
    timeout: float | httpx.Timeout | None = None,
    headers: Mapping[str, str] | None = None,
) -> AgentAvailability: ...
@overload
async def asyncio(
    id: str,
    *,
    client: AuthenticatedClient,
    pid: int,
    timeout: float | httpx.Timeout | None = None,
    headers: Mapping[str, str] | None = None,
) -> CommandOutput: ...
async def asyncio(
    id: str,
    *,
    client: AuthenticatedClient,
    pid: int | Unset = UNSET,
    timeout: float | httpx.Timeout | None = None,
    headers: Mapping[str, str] | None = None,
) -> AgentAvailability | CommandOutput:
    """As :func:`sync`, asynchronously."""
    _made: _sending.Request[AgentAvailability | CommandOutput] = _request(
        id=id,
        pid=pid,
    )
    return await client.acall(_made, timeout=timeout, headers=headers)


@overload
async def asyncio_detailed(
    id: str,
    *,
    client: AuthenticatedClient,
    pid: Unset = UNSET,
    timeout: float | httpx.Timeout | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response[AgentAvailability | Problem]: ...
@overload
async def asyncio_detailed(
    id: str,
    *,
    client: AuthenticatedClient,
    pid: int,
    timeout: float | httpx.Timeout | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response[CommandOutput | Problem]: ...
async def asyncio_detailed(
    id: str,
    *,
    client: AuthenticatedClient,
    pid: int | Unset = UNSET,
    timeout: float | httpx.Timeout | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response[AgentAvailability | CommandOutput | Problem]:
    """As :func:`sync_detailed`, asynchronously."""
    _made: _sending.Request[AgentAvailability | CommandOutput] = _request(
        id=id,
        pid=pid,
    )
    return await client.adetail(_made, timeout=timeout, headers=headers)


def wait(
    id: str,
    pid: int,
    *,
    client: AuthenticatedClient,
    timeout: float = 300.0,
    interval: float | None = None,
    on_progress: Callable[[CommandOutput], object] | None = None,
    check: bool = False,
) -> CommandOutput:
    """Poll until ``exited``, or until the timeout.

    It polls at once, then at intervals (or later, if the server asks for that with Retry-After), and a last time at the
    deadline. A poll that is under way then gets ten more seconds, since its response may be the only one with the output.
    A response that is lost, or a status of 500 or above, does not end it: the next poll tells whether the output is still there.

    Args:
        id: Public id of a VPS, exactly as `GET /api/v2/vps` returns it in `data[].id`. It may have any form.
        pid: Process id of a command, as returned by its start. Omit it to ask for the availability.
        client: where to send, and as whom
        timeout: seconds to wait at most; 0 polls once
        interval: seconds between polls; by default a quarter of a second that grows to five
        on_progress: called with each state in which the command still runs
        check: whether a command that fails is an error

    Raises:
        TypeError, ValueError: an argument is not what it has to be; nothing was sent
        CommandStillRunning: the time is over; its ``state`` is the last one seen
        OutputLost: the response to a poll was lost, and then the command was unknown, or no other response came in time
        CommandFailed: the command has failed, if ``check`` was asked for
        HostUpError: a response that is neither the documented success, nor 429, nor 500 and above
        httpx.TransportError: the first poll was not sent
    """
    _values.check("pid", pid, int)
    _poll = _request(
        id=id,
        pid=pid,
    )
    _patience = _waiting.Patience(timeout, interval, on_progress, check)
    return client.perform(_waiting.polling(client, _poll, pid, _patience))


async def asyncio_wait(
    id: str,
    pid: int,
    *,
    client: AuthenticatedClient,
    timeout: float = 300.0,
    interval: float | None = None,
    on_progress: Callable[[CommandOutput], object] | None = None,
    check: bool = False,
) -> CommandOutput:
    """As :func:`wait`, asynchronously."""
    _values.check("pid", pid, int)
    _poll = _request(
        id=id,
        pid=pid,
    )
    _patience = _waiting.Patience(timeout, interval, on_progress, check)
    return await client.aperform(_waiting.polling(client, _poll, pid, _patience))
