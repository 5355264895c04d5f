from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import httpx

from ...client import AuthenticatedClient
from ...models.command_output import CommandOutput
from ...models.command_start import CommandStart
from ...models.problem import Problem
from ...models.started_command import StartedCommand
from ...types import Response, check, check_callback, check_segment, check_text
from .. import Waiting, decode, detailed, failure, running, started, starting, unavailable
from ..agent import get_agent_exec


def _get_kwargs(
    id: str,
    *,
    body: CommandStart,
) -> dict[str, Any]:
    check("id", id, str)
    check_segment("id", id)
    check("body", body, CommandStart)
    CommandStart.from_dict(body.to_dict())  # what would be refused in an answer is not sent either
    check_text("command", body.command, 1, 4096, "^[^\\u0000]*$")

    headers: dict[str, Any] = {}

    _kwargs: dict[str, Any] = {
        "method": "POST",
        "url": "/api/v2/vps/{id}/agent/exec".format(
            id=quote(id, safe=""),
        ),
    }
    _kwargs["json"] = body.to_dict()

    headers["Content-Type"] = "application/json"
    _kwargs["headers"] = headers
    return _kwargs


def _parse_response(response: httpx.Response) -> StartedCommand:
    if response.status_code == 200:
        return decode(response, StartedCommand.from_dict)
    raise failure(response)


def sync_detailed(
    id: str,
    *,
    client: AuthenticatedClient,
    body: CommandStart,
) -> Response[StartedCommand | Problem]:
    """Start a command inside the VPS

    Starts a command and returns at once, with the `pid` to poll it by; this needs the scope `write:vm`. The
    provider blocks some commands. If the response is lost, the command may have been started all the same, so do
    not repeat a start blindly.

    Args:
        id (str)
        body (CommandStart): A command to start.
        client: where to send, and as whom

    Raises:
        TypeError, ValueError: an argument is not what it has to be; nothing was sent
        InvalidResponse: a success whose body is not what the document says
        httpx.RequestError: no answer came

    Returns:
        the answer, whatever its status, and what its body says: StartedCommand, or the Problem of an error
    """
    response = client.send(
        _get_kwargs(
            id=id,
            body=body,
        )
    )
    return detailed(response, _parse_response)


def sync(
    id: str,
    *,
    client: AuthenticatedClient,
    body: CommandStart,
) -> StartedCommand:
    """Start a command inside the VPS

    Starts a command and returns at once, with the `pid` to poll it by; this needs the scope `write:vm`. The
    provider blocks some commands. If the response is lost, the command may have been started all the same, so do
    not repeat a start blindly.

    Args:
        id (str)
        body (CommandStart): A command to start.
        client: where to send, and as whom

    Raises:
        TypeError, ValueError: an argument is not what it has to be; nothing was sent
        HostUpError: any answer but the documented success; see the module ``errors``
        httpx.RequestError: no answer came

    Returns:
        StartedCommand
    """
    response = client.send(
        _get_kwargs(
            id=id,
            body=body,
        )
    )
    return _parse_response(response)


async def asyncio_detailed(
    id: str,
    *,
    client: AuthenticatedClient,
    body: CommandStart,
) -> Response[StartedCommand | Problem]:
    """Start a command inside the VPS

    Starts a command and returns at once, with the `pid` to poll it by; this needs the scope `write:vm`. The
    provider blocks some commands. If the response is lost, the command may have been started all the same, so do
    not repeat a start blindly.

    Args:
        id (str)
        body (CommandStart): A command to start.
        client: where to send, and as whom

    Raises:
        TypeError, ValueError: an argument is not what it has to be; nothing was sent
        InvalidResponse: a success whose body is not what the document says
        httpx.RequestError: no answer came

    Returns:
        the answer, whatever its status, and what its body says: StartedCommand, or the Problem of an error
    """
    response = await client.asend(
        _get_kwargs(
            id=id,
            body=body,
        )
    )
    return detailed(response, _parse_response)


async def asyncio(
    id: str,
    *,
    client: AuthenticatedClient,
    body: CommandStart,
) -> StartedCommand:
    """Start a command inside the VPS

    Starts a command and returns at once, with the `pid` to poll it by; this needs the scope `write:vm`. The
    provider blocks some commands. If the response is lost, the command may have been started all the same, so do
    not repeat a start blindly.

    Args:
        id (str)
        body (CommandStart): A command to start.
        client: where to send, and as whom

    Raises:
        TypeError, ValueError: an argument is not what it has to be; nothing was sent
        HostUpError: any answer but the documented success; see the module ``errors``
        httpx.RequestError: no answer came

    Returns:
        StartedCommand
    """
    response = await client.asend(
        _get_kwargs(
            id=id,
            body=body,
        )
    )
    return _parse_response(response)


def run(
    id: str,
    command: str,
    *,
    client: AuthenticatedClient,
    timeout: float = 300.0,
    interval: float = 1.0,
    on_start: Callable[[int], object] | None = None,
    on_progress: Callable[[CommandOutput], object] | None = None,
) -> CommandOutput:
    """Run a command and wait for its output: ask whether commands can be run, start it, poll until ``exited``.

    The command is started once at most, whatever happens. The time is for all of it, and it is started however little of
    it is left. When the time is over the command runs on, and so it does if this call is interrupted: ``on_start`` tells
    its pid before the first poll. An interruption before that may leave a command behind that nobody knows.

    Args:
        id (str)
        command (str): The command line for the guest's shell to run. It must not contain NUL.
        client: where to send, and as whom
        timeout: seconds to wait at most; 0 polls once
        interval: seconds between polls
        on_start: called with the pid, once the command was started; not a coroutine function
        on_progress: called with each state in which the command still runs

    Raises:
        TypeError, ValueError: an argument is not what it has to be; nothing was sent
        AgentUnavailable: commands cannot be run in the VPS now; none was started
        StartLost: a command was started, or may have been, and the answer does not tell which one it is
        CommandStillRunning: the time is over, or a poll cannot be sent; its ``state`` is the last one seen
        OutputLost: a poll may have been answered, but the answer did not arrive
        HostUpError: any other answer that is not the documented success. Each of these errors has the ``pid``
            once the command was started; without one no command was
        httpx.HTTPError: no answer to the probe came, or the start was never sent; no command was started
    """
    check_callback("on_start", on_start)
    check_callback("on_progress", on_progress)
    _kwargs = _get_kwargs(
        id=id,
        body=CommandStart(
            command=command,
        ),
    )
    waiting = Waiting(timeout, interval)
    availability = get_agent_exec.sync(id=id, client=client)
    if not availability.available:
        raise unavailable(availability)
    with starting():
        response = client.send(_kwargs)
        answer = _parse_response(response)
        pid = started(response, "pid", answer.pid, answer.poll_url)
    if on_start is not None:
        on_start(pid)
    with running(pid):
        return get_agent_exec.wait(
            id=id, pid=pid, client=client, timeout=waiting.left, interval=interval, on_progress=on_progress
        )


async def asyncio_run(
    id: str,
    command: str,
    *,
    client: AuthenticatedClient,
    timeout: float = 300.0,
    interval: float = 1.0,
    on_start: Callable[[int], object] | None = None,
    on_progress: Callable[[CommandOutput], object] | None = None,
) -> CommandOutput:
    """Run a command and wait for its output: ask whether commands can be run, start it, poll until ``exited``.

    The command is started once at most, whatever happens. The time is for all of it, and it is started however little of
    it is left. When the time is over the command runs on, and so it does if this call is interrupted: ``on_start`` tells
    its pid before the first poll. An interruption before that may leave a command behind that nobody knows.

    Args:
        id (str)
        command (str): The command line for the guest's shell to run. It must not contain NUL.
        client: where to send, and as whom
        timeout: seconds to wait at most; 0 polls once
        interval: seconds between polls
        on_start: called with the pid, once the command was started; not a coroutine function
        on_progress: called with each state in which the command still runs

    Raises:
        TypeError, ValueError: an argument is not what it has to be; nothing was sent
        AgentUnavailable: commands cannot be run in the VPS now; none was started
        StartLost: a command was started, or may have been, and the answer does not tell which one it is
        CommandStillRunning: the time is over, or a poll cannot be sent; its ``state`` is the last one seen
        OutputLost: a poll may have been answered, but the answer did not arrive
        HostUpError: any other answer that is not the documented success. Each of these errors has the ``pid``
            once the command was started; without one no command was
        httpx.HTTPError: no answer to the probe came, or the start was never sent; no command was started
    """
    check_callback("on_start", on_start)
    check_callback("on_progress", on_progress)
    _kwargs = _get_kwargs(
        id=id,
        body=CommandStart(
            command=command,
        ),
    )
    waiting = Waiting(timeout, interval)
    availability = await get_agent_exec.asyncio(id=id, client=client)
    if not availability.available:
        raise unavailable(availability)
    with starting():
        response = await client.asend(_kwargs)
        answer = _parse_response(response)
        pid = started(response, "pid", answer.pid, answer.poll_url)
    if on_start is not None:
        on_start(pid)
    with running(pid):
        return await get_agent_exec.asyncio_wait(
            id=id, pid=pid, client=client, timeout=waiting.left, interval=interval, on_progress=on_progress
        )
