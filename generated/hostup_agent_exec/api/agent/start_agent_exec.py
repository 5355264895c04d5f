# pyright: reportPrivateUsage=false
from collections.abc import AsyncGenerator, AsyncIterable, Awaitable, Callable, Iterable, Mapping
from typing import Any

import httpx

from ... import api as _api
from ... import types as _types
from ...client import AuthenticatedClient
from ...models.command_output import CommandOutput
from ...models.command_start import CommandStart
from ...models.problem import Problem
from ...models.started_command import StartedCommand
from ...types import Response
from ..agent import get_agent_exec


def _get_kwargs(
    id: str,
    *,
    body: CommandStart,
) -> dict[str, Any]:
    _types.check("id", id, str)
    _types.check_segment("id", id)
    _types.check("body", body, CommandStart)
    CommandStart.from_dict(body.to_dict())  # what would be refused in a response is not sent either
    _types.check_text("command", body.command, 1, 4096, "^[^\\u0000]*$")

    _kwargs: dict[str, Any] = {
        "method": "POST",
        "url": "/api/v2/vps/{id}/agent/exec".format(
            id=_api.segment(id),
        ),
    }
    _headers: dict[str, str] = {}
    _kwargs["json"] = _types.to_json(body)

    _headers["Content-Type"] = "application/json"
    _kwargs["headers"] = _headers
    return _kwargs


def _parse_response(response: httpx.Response) -> StartedCommand:
    if response.status_code == 200:
        return _api.decode(response, StartedCommand.from_dict)
    raise _api.failure(response)


def sync_detailed(
    id: str,
    *,
    client: AuthenticatedClient,
    body: CommandStart,
    timeout: float | httpx.Timeout | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response[StartedCommand | Problem]:
    """Start a command inside the VPS

    Starts a command and returns at once, with the `pid` to poll it by; this needs the scope `write:vm`. The
    provider blocks some commands. If the response is lost, the command may have been started all the same, so do
    not repeat a start blindly.

    Args:
        id (str): Public id of a VPS, exactly as `GET /api/v2/vps` returns it in `data[].id`. It may have any
            form.
        body (CommandStart): A command to start.
        client: where to send, and as whom
        timeout: as of the client, for this call
        headers: sent with this call, before those of the client


    Raises:
        TypeError, ValueError: an argument is not what it has to be; nothing was sent
        InvalidResponse: a success whose body is not what the document says
        TooLarge: a body that is larger than the client takes
        httpx.RequestError: no response came, or not in time

    Returns:
        the response, whatever its status, and what its body says: StartedCommand, or the Problem of an error
    """
    _response = client.send(
        _get_kwargs(
            id=id,
            body=body,
        ),
        timeout=timeout,
        headers=headers,
        largest_body=1048576,
    )
    return _api.detailed(_response, _parse_response)


def sync(
    id: str,
    *,
    client: AuthenticatedClient,
    body: CommandStart,
    timeout: float | httpx.Timeout | None = None,
    headers: Mapping[str, str] | None = None,
) -> StartedCommand:
    """Start a command inside the VPS

    Starts a command and returns at once, with the `pid` to poll it by; this needs the scope `write:vm`. The
    provider blocks some commands. If the response is lost, the command may have been started all the same, so do
    not repeat a start blindly.

    Args:
        id (str): Public id of a VPS, exactly as `GET /api/v2/vps` returns it in `data[].id`. It may have any
            form.
        body (CommandStart): A command to start.
        client: where to send, and as whom
        timeout: as of the client, for this call
        headers: sent with this call, before those of the client


    Raises:
        TypeError, ValueError: an argument is not what it has to be; nothing was sent
        HostUpError: any response but the documented success; see the module ``errors``
        httpx.RequestError: no response came, or not in time

    Returns:
        StartedCommand
    """
    _response = client.send(
        _get_kwargs(
            id=id,
            body=body,
        ),
        timeout=timeout,
        headers=headers,
        largest_body=1048576,
    )
    return _parse_response(_response)


async def asyncio_detailed(
    id: str,
    *,
    client: AuthenticatedClient,
    body: CommandStart,
    timeout: float | httpx.Timeout | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response[StartedCommand | Problem]:
    """Start a command inside the VPS

    Starts a command and returns at once, with the `pid` to poll it by; this needs the scope `write:vm`. The
    provider blocks some commands. If the response is lost, the command may have been started all the same, so do
    not repeat a start blindly.

    Args:
        id (str): Public id of a VPS, exactly as `GET /api/v2/vps` returns it in `data[].id`. It may have any
            form.
        body (CommandStart): A command to start.
        client: where to send, and as whom
        timeout: as of the client, for this call
        headers: sent with this call, before those of the client


    Raises:
        TypeError, ValueError: an argument is not what it has to be; nothing was sent
        InvalidResponse: a success whose body is not what the document says
        TooLarge: a body that is larger than the client takes
        httpx.RequestError: no response came, or not in time

    Returns:
        the response, whatever its status, and what its body says: StartedCommand, or the Problem of an error
    """
    _response = await client.asend(
        _get_kwargs(
            id=id,
            body=body,
        ),
        timeout=timeout,
        headers=headers,
        largest_body=1048576,
    )
    return _api.detailed(_response, _parse_response)


async def asyncio(
    id: str,
    *,
    client: AuthenticatedClient,
    body: CommandStart,
    timeout: float | httpx.Timeout | None = None,
    headers: Mapping[str, str] | None = None,
) -> StartedCommand:
    """Start a command inside the VPS

    Starts a command and returns at once, with the `pid` to poll it by; this needs the scope `write:vm`. The
    provider blocks some commands. If the response is lost, the command may have been started all the same, so do
    not repeat a start blindly.

    Args:
        id (str): Public id of a VPS, exactly as `GET /api/v2/vps` returns it in `data[].id`. It may have any
            form.
        body (CommandStart): A command to start.
        client: where to send, and as whom
        timeout: as of the client, for this call
        headers: sent with this call, before those of the client


    Raises:
        TypeError, ValueError: an argument is not what it has to be; nothing was sent
        HostUpError: any response but the documented success; see the module ``errors``
        httpx.RequestError: no response came, or not in time

    Returns:
        StartedCommand
    """
    _response = await client.asend(
        _get_kwargs(
            id=id,
            body=body,
        ),
        timeout=timeout,
        headers=headers,
        largest_body=1048576,
    )
    return _parse_response(_response)


def run(
    id: str,
    command: str,
    *,
    client: AuthenticatedClient,
    timeout: float = 300.0,
    interval: float | None = None,
    on_start: Callable[[int], object] | None = None,
    on_progress: Callable[[CommandOutput], object] | None = None,
    check: bool = False,
) -> CommandOutput:
    """Run a command and wait for its end: ask whether it can be run, start it, poll until ``exited``.

    The command is started at most once, whatever happens; a request that is refused with 429 is repeated in time.
    The timeout covers everything; a request that is under way at its end gets ten more seconds. No command is started
    after it. A command keeps running after the timeout, and so it does if this call is interrupted: ``on_start``
    gets its pid before the first poll, and a note on the exception has it too. If the start itself is
    interrupted, a command may run whose pid is not known.

    Args:
        id (str): Public id of a VPS, exactly as `GET /api/v2/vps` returns it in `data[].id`. It may have any
            form.
        command (str): The command line for the guest's shell to run. It must not contain NUL.
        client: where to send, and as whom
        timeout: seconds to wait at most; 0 starts it and polls once
        interval: seconds between polls; by default a quarter of a second that grows to five
        on_start: called with the pid once the command is started; not a coroutine function
        on_progress: called with each state in which the command still runs
        check: whether a command that fails is an error

    Raises:
        TypeError, ValueError: an argument is not what it has to be; nothing was sent
        AgentUnavailable: it cannot be run now; nothing was started
        StartLost: it was or may have been started, but its pid is not known
        CommandStillRunning: the time is over, or a poll cannot be sent; its ``state`` is the last one seen
        OutputLost: a poll may have been answered, but the response did not arrive
        CommandFailed: the command has failed, if ``check`` was asked for
        HostUpError: any other response that is not the documented success. Each of these errors has the
            ``pid`` once the command was started; without one nothing was
        httpx.HTTPError: no response to the probe came, or the start was never sent, as when the time was over by then
            (httpx.PoolTimeout); nothing was started
    """
    _types.check("command", command, str)
    _types.check_callback("on_start", on_start)
    _types.check_callback("on_progress", on_progress)
    _kwargs = _get_kwargs(
        id=id,
        body=CommandStart(
            command=command,
        ),
    )
    with _api.Waiting(timeout, interval, "command", _kwargs, client) as _waiting:
        _response = client.send(
            get_agent_exec._get_kwargs(
                id=id,
            ),
            repeatable=True,
            again=_waiting.busy,
            end=_waiting.end,
            largest_body=1048576,
        )
        _availability = get_agent_exec._parse_absent(_response)
        if not _availability.available:
            raise _api.unavailable("commands cannot be run in this VPS now", _availability, _response)
        _waiting.starting()
        _response = client.send(
            _kwargs, again=_waiting.refused, end=_waiting.end, latest=_waiting.latest, largest_body=1048576
        )
        _started = _parse_response(_response)
        pid = _api.started(_response, "pid", int, _started.pid, _started.poll_url)
        _waiting.running(pid=pid)
        if on_start is not None:
            on_start(pid)
        return get_agent_exec.wait(
            id=id,
            pid=pid,
            client=client,
            timeout=_waiting.left,
            interval=interval,
            on_progress=on_progress,
            check=check,
        )


async def asyncio_run(
    id: str,
    command: str,
    *,
    client: AuthenticatedClient,
    timeout: float = 300.0,
    interval: float | None = None,
    on_start: Callable[[int], object] | None = None,
    on_progress: Callable[[CommandOutput], object] | None = None,
    check: bool = False,
) -> CommandOutput:
    """Run a command and wait for its end: ask whether it can be run, start it, poll until ``exited``.

    The command is started at most once, whatever happens; a request that is refused with 429 is repeated in time.
    The timeout covers everything; a request that is under way at its end gets ten more seconds. No command is started
    after it. A command keeps running after the timeout, and so it does if this call is interrupted: ``on_start``
    gets its pid before the first poll, and a note on the exception has it too. If the start itself is
    interrupted, a command may run whose pid is not known.

    Args:
        id (str): Public id of a VPS, exactly as `GET /api/v2/vps` returns it in `data[].id`. It may have any
            form.
        command (str): The command line for the guest's shell to run. It must not contain NUL.
        client: where to send, and as whom
        timeout: seconds to wait at most; 0 starts it and polls once
        interval: seconds between polls; by default a quarter of a second that grows to five
        on_start: called with the pid once the command is started; not a coroutine function
        on_progress: called with each state in which the command still runs
        check: whether a command that fails is an error

    Raises:
        TypeError, ValueError: an argument is not what it has to be; nothing was sent
        AgentUnavailable: it cannot be run now; nothing was started
        StartLost: it was or may have been started, but its pid is not known
        CommandStillRunning: the time is over, or a poll cannot be sent; its ``state`` is the last one seen
        OutputLost: a poll may have been answered, but the response did not arrive
        CommandFailed: the command has failed, if ``check`` was asked for
        HostUpError: any other response that is not the documented success. Each of these errors has the
            ``pid`` once the command was started; without one nothing was
        httpx.HTTPError: no response to the probe came, or the start was never sent, as when the time was over by then
            (httpx.PoolTimeout); nothing was started
    """
    _types.check("command", command, str)
    _types.check_callback("on_start", on_start)
    _types.check_callback("on_progress", on_progress)
    _kwargs = _get_kwargs(
        id=id,
        body=CommandStart(
            command=command,
        ),
    )
    with _api.Waiting(timeout, interval, "command", _kwargs, client) as _waiting:
        _response = await client.asend(
            get_agent_exec._get_kwargs(
                id=id,
            ),
            repeatable=True,
            again=_waiting.busy,
            end=_waiting.end,
            largest_body=1048576,
        )
        _availability = get_agent_exec._parse_absent(_response)
        if not _availability.available:
            raise _api.unavailable("commands cannot be run in this VPS now", _availability, _response)
        _waiting.starting()
        _response = await client.asend(
            _kwargs, again=_waiting.refused, end=_waiting.end, latest=_waiting.latest, largest_body=1048576
        )
        _started = _parse_response(_response)
        pid = _api.started(_response, "pid", int, _started.pid, _started.poll_url)
        _waiting.running(pid=pid)
        if on_start is not None:
            on_start(pid)
        return await get_agent_exec.asyncio_wait(
            id=id,
            pid=pid,
            client=client,
            timeout=_waiting.left,
            interval=interval,
            on_progress=on_progress,
            check=check,
        )


def run_many(
    ids: Iterable[str] | AsyncIterable[str],
    command: str,
    *,
    client: AuthenticatedClient,
    limit: int = 20,
    timeout: float = 300.0,
    interval: float | None = None,
    check: bool = False,
) -> AsyncGenerator[tuple[str, CommandOutput | Exception], None]:
    """Run a command for each of many, several at once, on asyncio; yield each with its result, as they finish.

    If one raises an exception (see ``asyncio_run``), that takes the place of its result.

    Args:
        ids: for which to run it; an asynchronous iterator is read as needed
        command (str): The command line for the guest's shell to run. It must not contain NUL.
        client: where to send, and as whom
        limit: how many run at once
        timeout: seconds to wait for each at most
        interval: seconds between polls; by default a quarter of a second that grows to five
        check: whether a command that fails is an error

    Raises:
        TypeError, ValueError: ``limit`` is not what it has to be
    """

    def _one(id: str) -> Awaitable[CommandOutput]:
        return asyncio_run(id=id, command=command, client=client, timeout=timeout, interval=interval, check=check)

    return _api.each(ids, _one, limit)
