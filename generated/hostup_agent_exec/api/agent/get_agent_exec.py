import time
from collections.abc import Callable
from typing import Any, overload
from urllib.parse import quote

import httpx

from ...client import AuthenticatedClient
from ...models.agent_availability import AgentAvailability
from ...models.command_output import CommandOutput
from ...models.problem import Problem
from ...types import (
    UNSET,
    Response,
    Unset,
    check,
    check_callback,
    check_segment,
)
from .. import Waiting, decode_chosen, detailed, failure, query


def _get_kwargs(
    id: str,
    *,
    pid: int | Unset = UNSET,
) -> dict[str, Any]:
    check("id", id, str)
    check_segment("id", id)
    check("pid", pid, int, Unset)
    if not isinstance(pid, Unset) and pid < 1:
        raise ValueError("pid: expected 1 or more")

    params: dict[str, Any] = {}

    params["pid"] = pid

    params = {k: v for k, v in params.items() if v is not UNSET and v is not None}

    _kwargs: dict[str, Any] = {
        "method": "GET",
        "url": "/api/v2/vps/{id}/agent/exec".format(
            id=quote(id, safe=""),
        )
        + query(params),
    }
    return _kwargs


def _parse_absent(response: httpx.Response) -> AgentAvailability:
    if response.status_code == 200:
        return decode_chosen(response, AgentAvailability, CommandOutput)
    raise failure(response)


def _parse_present(response: httpx.Response) -> CommandOutput:
    if response.status_code == 200:
        return decode_chosen(response, CommandOutput, AgentAvailability)
    raise failure(response)


def _parser(pid: int | Unset) -> Callable[[httpx.Response], AgentAvailability | CommandOutput]:
    """The request says what its answer has to be."""
    return _parse_absent if isinstance(pid, Unset) else _parse_present


@overload
def sync_detailed(
    id: str,
    *,
    client: AuthenticatedClient,
    pid: Unset = UNSET,
) -> Response[AgentAvailability | Problem]: ...
@overload
def sync_detailed(
    id: str,
    *,
    client: AuthenticatedClient,
    pid: int,
) -> Response[CommandOutput | Problem]: ...
def sync_detailed(
    id: str,
    *,
    client: AuthenticatedClient,
    pid: int | Unset = UNSET,
) -> Response[AgentAvailability | CommandOutput | Problem]:
    """Availability of the guest agent, or the output of a command

    Without `pid`, returns whether commands can be run inside the VPS; this needs the scope `read:vm`.
    With `pid`, returns the state and output of a command that was started earlier; this needs the scope
    `write:vm`, since output may hold sensitive data from inside the guest.

    The guest agent forgets a process once it has reported its exit, so `exited: true` may be returned only once.
    Do not repeat a poll blindly: if its response is lost, the output may be lost too.

    Args:
        id (str)
        pid (int | Unset)
        client: where to send, and as whom

    Raises:
        TypeError, ValueError: an argument is not what it has to be; nothing was sent
        InvalidResponse: a success whose body is not what the document says
        httpx.RequestError: no answer came

    Returns:
        the answer, whatever its status, and what its body says: AgentAvailability | CommandOutput, or the Problem of an error
    """
    response = client.send(
        _get_kwargs(
            id=id,
            pid=pid,
        )
    )
    return detailed(response, _parser(pid))


@overload
def sync(
    id: str,
    *,
    client: AuthenticatedClient,
    pid: Unset = UNSET,
) -> AgentAvailability: ...
@overload
def sync(
    id: str,
    *,
    client: AuthenticatedClient,
    pid: int,
) -> CommandOutput: ...
def sync(
    id: str,
    *,
    client: AuthenticatedClient,
    pid: int | Unset = UNSET,
) -> AgentAvailability | CommandOutput:
    """Availability of the guest agent, or the output of a command

    Without `pid`, returns whether commands can be run inside the VPS; this needs the scope `read:vm`.
    With `pid`, returns the state and output of a command that was started earlier; this needs the scope
    `write:vm`, since output may hold sensitive data from inside the guest.

    The guest agent forgets a process once it has reported its exit, so `exited: true` may be returned only once.
    Do not repeat a poll blindly: if its response is lost, the output may be lost too.

    Args:
        id (str)
        pid (int | Unset)
        client: where to send, and as whom

    Raises:
        TypeError, ValueError: an argument is not what it has to be; nothing was sent
        HostUpError: any answer but the documented success; see the module ``errors``
        httpx.RequestError: no answer came

    Returns:
        AgentAvailability without ``pid``, CommandOutput with it
    """
    response = client.send(
        _get_kwargs(
            id=id,
            pid=pid,
        )
    )
    return _parser(pid)(response)


@overload
async def asyncio_detailed(
    id: str,
    *,
    client: AuthenticatedClient,
    pid: Unset = UNSET,
) -> Response[AgentAvailability | Problem]: ...
@overload
async def asyncio_detailed(
    id: str,
    *,
    client: AuthenticatedClient,
    pid: int,
) -> Response[CommandOutput | Problem]: ...
async def asyncio_detailed(
    id: str,
    *,
    client: AuthenticatedClient,
    pid: int | Unset = UNSET,
) -> Response[AgentAvailability | CommandOutput | Problem]:
    """Availability of the guest agent, or the output of a command

    Without `pid`, returns whether commands can be run inside the VPS; this needs the scope `read:vm`.
    With `pid`, returns the state and output of a command that was started earlier; this needs the scope
    `write:vm`, since output may hold sensitive data from inside the guest.

    The guest agent forgets a process once it has reported its exit, so `exited: true` may be returned only once.
    Do not repeat a poll blindly: if its response is lost, the output may be lost too.

    Args:
        id (str)
        pid (int | Unset)
        client: where to send, and as whom

    Raises:
        TypeError, ValueError: an argument is not what it has to be; nothing was sent
        InvalidResponse: a success whose body is not what the document says
        httpx.RequestError: no answer came

    Returns:
        the answer, whatever its status, and what its body says: AgentAvailability | CommandOutput, or the Problem of an error
    """
    response = await client.asend(
        _get_kwargs(
            id=id,
            pid=pid,
        )
    )
    return detailed(response, _parser(pid))


@overload
async def asyncio(
    id: str,
    *,
    client: AuthenticatedClient,
    pid: Unset = UNSET,
) -> AgentAvailability: ...
@overload
async def asyncio(
    id: str,
    *,
    client: AuthenticatedClient,
    pid: int,
) -> CommandOutput: ...
async def asyncio(
    id: str,
    *,
    client: AuthenticatedClient,
    pid: int | Unset = UNSET,
) -> AgentAvailability | CommandOutput:
    """Availability of the guest agent, or the output of a command

    Without `pid`, returns whether commands can be run inside the VPS; this needs the scope `read:vm`.
    With `pid`, returns the state and output of a command that was started earlier; this needs the scope
    `write:vm`, since output may hold sensitive data from inside the guest.

    The guest agent forgets a process once it has reported its exit, so `exited: true` may be returned only once.
    Do not repeat a poll blindly: if its response is lost, the output may be lost too.

    Args:
        id (str)
        pid (int | Unset)
        client: where to send, and as whom

    Raises:
        TypeError, ValueError: an argument is not what it has to be; nothing was sent
        HostUpError: any answer but the documented success; see the module ``errors``
        httpx.RequestError: no answer came

    Returns:
        AgentAvailability without ``pid``, CommandOutput with it
    """
    response = await client.asend(
        _get_kwargs(
            id=id,
            pid=pid,
        )
    )
    return _parser(pid)(response)


def wait(
    id: str,
    pid: int,
    *,
    client: AuthenticatedClient,
    timeout: float = 300.0,
    interval: float = 1.0,
    on_progress: Callable[[CommandOutput], object] | None = None,
) -> CommandOutput:
    """Poll until ``exited``, or until the time is over.

    It polls at once, then every ``interval`` seconds, or later if the server asks for it with Retry-After, and a
    last time at the deadline. A poll under way is not cut short, lest its answer be lost, so the deadline may be
    passed by as much as one request takes. Each answer but the last is shown to ``on_progress``.

    Args:
        id (str)
        pid (int)
        client: where to send, and as whom
        timeout: seconds to wait at most; 0 polls once
        interval: seconds between polls
        on_progress: called with each state in which the command still runs

    Raises:
        TypeError, ValueError: an argument is not what it has to be; nothing was sent
        CommandStillRunning: the time is over; its ``state`` is the last one seen
        OutputLost: a poll may have been answered, but the answer did not arrive; it is not repeated, since a process
            is forgotten once its end has been reported
        HostUpError: an answer that is neither the documented success, nor 429, nor 500 and above
        httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError: nothing was sent
    """
    check_callback("on_progress", on_progress)
    check("pid", pid, int)
    _kwargs = _get_kwargs(
        id=id,
        pid=pid,
    )
    waiting = Waiting(timeout, interval, pid)
    while True:
        with waiting.poll():
            response = client.send(_kwargs)
            state = None if response.status_code == 429 else _parse_present(response)
        if state is not None:
            if state.exited:
                return state
            waiting.seen(state)
            if on_progress is not None:
                on_progress(state)
        time.sleep(waiting.pause(response))


async def asyncio_wait(
    id: str,
    pid: int,
    *,
    client: AuthenticatedClient,
    timeout: float = 300.0,
    interval: float = 1.0,
    on_progress: Callable[[CommandOutput], object] | None = None,
) -> CommandOutput:
    """Poll until ``exited``, or until the time is over.

    It polls at once, then every ``interval`` seconds, or later if the server asks for it with Retry-After, and a
    last time at the deadline. A poll under way is not cut short, lest its answer be lost, so the deadline may be
    passed by as much as one request takes. Each answer but the last is shown to ``on_progress``.

    Args:
        id (str)
        pid (int)
        client: where to send, and as whom
        timeout: seconds to wait at most; 0 polls once
        interval: seconds between polls
        on_progress: called with each state in which the command still runs

    Raises:
        TypeError, ValueError: an argument is not what it has to be; nothing was sent
        CommandStillRunning: the time is over; its ``state`` is the last one seen
        OutputLost: a poll may have been answered, but the answer did not arrive; it is not repeated, since a process
            is forgotten once its end has been reported
        HostUpError: an answer that is neither the documented success, nor 429, nor 500 and above
        httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError: nothing was sent
    """
    from anyio import sleep  # noqa: PLC0415  (slow to import, and loaded by httpx only if asynchronous)

    check_callback("on_progress", on_progress)
    check("pid", pid, int)
    _kwargs = _get_kwargs(
        id=id,
        pid=pid,
    )
    waiting = Waiting(timeout, interval, pid)
    while True:
        with waiting.poll():
            response = await client.asend(_kwargs)
            state = None if response.status_code == 429 else _parse_present(response)
        if state is not None:
            if state.exited:
                return state
            waiting.seen(state)
            if on_progress is not None:
                on_progress(state)
        await sleep(waiting.pause(response))
