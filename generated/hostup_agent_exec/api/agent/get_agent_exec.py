from collections.abc import Callable, Mapping
from typing import Any, overload

import httpx

from ... import api as _api
from ... import types as _types
from ...client import AuthenticatedClient
from ...models.agent_availability import AgentAvailability
from ...models.command_output import CommandOutput
from ...models.problem import Problem
from ...types import UNSET, Response, Unset


def _get_kwargs(
    id: str,
    *,
    pid: int | Unset = UNSET,
) -> dict[str, Any]:
    _types.check("id", id, str)
    _types.check_segment("id", id)
    _types.check("pid", pid, int, Unset)
    _types.check_range("pid", pid, 1, None)

    _params: dict[str, Any] = {}
    _params["pid"] = pid

    _kwargs: dict[str, Any] = {
        "method": "GET",
        "url": "/api/v2/vps/{id}/agent/exec".format(
            id=_api.segment(id),
        )
        + _api.query(_params),
    }
    return _kwargs


def _parse_absent(response: httpx.Response) -> AgentAvailability:
    if response.status_code == 200:
        return _api.decode_chosen(response, AgentAvailability, CommandOutput)
    raise _api.failure(response)


def _parse_present(response: httpx.Response) -> CommandOutput:
    if response.status_code == 200:
        return _api.decode_chosen(response, CommandOutput, AgentAvailability)
    raise _api.failure(response)


def _parser(pid: int | Unset) -> Callable[[httpx.Response], AgentAvailability | CommandOutput]:
    """The request says what its response has to be."""
    return _parse_absent if isinstance(pid, Unset) else _parse_present


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
    """Availability of the guest agent, or the output of a command

    Without `pid`, returns whether commands can be run inside the VPS; this needs the scope `read:vm`.
    With `pid`, returns the state and output of a command that was started earlier; this needs the scope
    `write:vm`, since output may hold sensitive data from inside the guest.

    The guest agent forgets a process once it has reported its exit, so `exited: true` may be returned only once.
    Do not repeat a poll blindly: if its response is lost, the output may be lost too.

    Args:
        id (str): Public id of a VPS, exactly as `GET /api/v2/vps` returns it in `data[].id`. It may have any
            form.
        pid (int | Unset): Process id of a command, as returned by its start. Omit it to ask for the
            availability.
        client: where to send, and as whom
        timeout: as of the client, for this call
        headers: sent with this call, before those of the client


    Raises:
        TypeError, ValueError: an argument is not what it has to be; nothing was sent
        InvalidResponse: a success whose body is not what the document says
        TooLarge: a body that is larger than the client takes
        httpx.RequestError: no response came, or not in time

    Returns:
        the response, whatever its status, and what its body says: AgentAvailability | CommandOutput, or the Problem of an error
    """
    _response = client.send(
        _get_kwargs(
            id=id,
            pid=pid,
        ),
        timeout=timeout,
        headers=headers,
        repeatable=isinstance(pid, _types.Unset),
        largest_body=1048576 if isinstance(pid, _types.Unset) else 209715200,
    )
    return _api.detailed(_response, _parser(pid))


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
    """Availability of the guest agent, or the output of a command

    Without `pid`, returns whether commands can be run inside the VPS; this needs the scope `read:vm`.
    With `pid`, returns the state and output of a command that was started earlier; this needs the scope
    `write:vm`, since output may hold sensitive data from inside the guest.

    The guest agent forgets a process once it has reported its exit, so `exited: true` may be returned only once.
    Do not repeat a poll blindly: if its response is lost, the output may be lost too.

    Args:
        id (str): Public id of a VPS, exactly as `GET /api/v2/vps` returns it in `data[].id`. It may have any
            form.
        pid (int | Unset): Process id of a command, as returned by its start. Omit it to ask for the
            availability.
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
    _response = client.send(
        _get_kwargs(
            id=id,
            pid=pid,
        ),
        timeout=timeout,
        headers=headers,
        repeatable=isinstance(pid, _types.Unset),
        largest_body=1048576 if isinstance(pid, _types.Unset) else 209715200,
    )
    return _parser(pid)(_response)


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
    """Availability of the guest agent, or the output of a command

    Without `pid`, returns whether commands can be run inside the VPS; this needs the scope `read:vm`.
    With `pid`, returns the state and output of a command that was started earlier; this needs the scope
    `write:vm`, since output may hold sensitive data from inside the guest.

    The guest agent forgets a process once it has reported its exit, so `exited: true` may be returned only once.
    Do not repeat a poll blindly: if its response is lost, the output may be lost too.

    Args:
        id (str): Public id of a VPS, exactly as `GET /api/v2/vps` returns it in `data[].id`. It may have any
            form.
        pid (int | Unset): Process id of a command, as returned by its start. Omit it to ask for the
            availability.
        client: where to send, and as whom
        timeout: as of the client, for this call
        headers: sent with this call, before those of the client


    Raises:
        TypeError, ValueError: an argument is not what it has to be; nothing was sent
        InvalidResponse: a success whose body is not what the document says
        TooLarge: a body that is larger than the client takes
        httpx.RequestError: no response came, or not in time

    Returns:
        the response, whatever its status, and what its body says: AgentAvailability | CommandOutput, or the Problem of an error
    """
    _response = await client.asend(
        _get_kwargs(
            id=id,
            pid=pid,
        ),
        timeout=timeout,
        headers=headers,
        repeatable=isinstance(pid, _types.Unset),
        largest_body=1048576 if isinstance(pid, _types.Unset) else 209715200,
    )
    return _api.detailed(_response, _parser(pid))


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
    """Availability of the guest agent, or the output of a command

    Without `pid`, returns whether commands can be run inside the VPS; this needs the scope `read:vm`.
    With `pid`, returns the state and output of a command that was started earlier; this needs the scope
    `write:vm`, since output may hold sensitive data from inside the guest.

    The guest agent forgets a process once it has reported its exit, so `exited: true` may be returned only once.
    Do not repeat a poll blindly: if its response is lost, the output may be lost too.

    Args:
        id (str): Public id of a VPS, exactly as `GET /api/v2/vps` returns it in `data[].id`. It may have any
            form.
        pid (int | Unset): Process id of a command, as returned by its start. Omit it to ask for the
            availability.
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
    _response = await client.asend(
        _get_kwargs(
            id=id,
            pid=pid,
        ),
        timeout=timeout,
        headers=headers,
        repeatable=isinstance(pid, _types.Unset),
        largest_body=1048576 if isinstance(pid, _types.Unset) else 209715200,
    )
    return _parser(pid)(_response)


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
    deadline. A poll that is under way then gets ten more seconds, since its response may be the only one with the output;
    after that it counts as lost. ``on_progress`` gets each state except the last.

    Args:
        id (str): Public id of a VPS, exactly as `GET /api/v2/vps` returns it in `data[].id`. It may have any
            form.
        pid (int): Process id of a command, as returned by its start. Omit it to ask for the availability.
        client: where to send, and as whom
        timeout: seconds to wait at most; 0 polls once
        interval: seconds between polls; by default a quarter of a second that grows to five
        on_progress: called with each state in which the command still runs
        check: whether a command that fails is an error

    Raises:
        TypeError, ValueError: an argument is not what it has to be; nothing was sent
        CommandStillRunning: the time is over; its ``state`` is the last one seen
        OutputLost: a poll may have been answered, but the response did not arrive; it is not repeated, since a process
            is forgotten once its end has been reported
        CommandFailed: the command has failed, if ``check`` was asked for
        HostUpError: a response that is neither the documented success, nor 429, nor 500 and above
        httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError: nothing was sent
    """
    _types.check_callback("on_progress", on_progress)
    _types.check("pid", pid, int)
    _kwargs = _get_kwargs(
        id=id,
        pid=pid,
    )
    _waiting = _api.Waiting(timeout, interval, "command", _kwargs, client, pid=pid)
    while True:
        with _waiting:
            _response = client.send(_kwargs, again=_waiting.once, end=_waiting.end, largest_body=209715200)
            _state = None if _response.status_code == 429 else _parse_present(_response)
        if _state is not None:
            if _state.exited:
                if check and not _state.ok:
                    raise _api.failed("command", _state, _state.exit_code, _state.stderr_text, client, pid=pid)
                return _state
            _waiting.seen(_state)
            if on_progress is not None:
                on_progress(_state)
        _api.sleep(_waiting.pause(_response))


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
    """Poll until ``exited``, or until the timeout.

    It polls at once, then at intervals (or later, if the server asks for that with Retry-After), and a last time at the
    deadline. A poll that is under way then gets ten more seconds, since its response may be the only one with the output;
    after that it counts as lost. ``on_progress`` gets each state except the last.

    Args:
        id (str): Public id of a VPS, exactly as `GET /api/v2/vps` returns it in `data[].id`. It may have any
            form.
        pid (int): Process id of a command, as returned by its start. Omit it to ask for the availability.
        client: where to send, and as whom
        timeout: seconds to wait at most; 0 polls once
        interval: seconds between polls; by default a quarter of a second that grows to five
        on_progress: called with each state in which the command still runs
        check: whether a command that fails is an error

    Raises:
        TypeError, ValueError: an argument is not what it has to be; nothing was sent
        CommandStillRunning: the time is over; its ``state`` is the last one seen
        OutputLost: a poll may have been answered, but the response did not arrive; it is not repeated, since a process
            is forgotten once its end has been reported
        CommandFailed: the command has failed, if ``check`` was asked for
        HostUpError: a response that is neither the documented success, nor 429, nor 500 and above
        httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError: nothing was sent
    """
    _types.check_callback("on_progress", on_progress)
    _types.check("pid", pid, int)
    _kwargs = _get_kwargs(
        id=id,
        pid=pid,
    )
    _waiting = _api.Waiting(timeout, interval, "command", _kwargs, client, pid=pid)
    while True:
        with _waiting:
            _response = await client.asend(_kwargs, again=_waiting.once, end=_waiting.end, largest_body=209715200)
            _state = None if _response.status_code == 429 else _parse_present(_response)
        if _state is not None:
            if _state.exited:
                if check and not _state.ok:
                    raise _api.failed("command", _state, _state.exit_code, _state.stderr_text, client, pid=pid)
                return _state
            _waiting.seen(_state)
            if on_progress is not None:
                on_progress(_state)
        await _api.asleep(_waiting.pause(_response))
