# pyright: reportPrivateUsage=false
from collections.abc import AsyncGenerator, AsyncIterable, Callable, Iterable, Mapping
from functools import partial

import httpx
from hostup_agent_runtime import fleet as _fleet
from hostup_agent_runtime import sending as _sending
from hostup_agent_runtime import values as _values
from hostup_agent_runtime import waiting as _waiting

from ...client import AuthenticatedClient
from ...models import CommandOutput
from ...models.command_start import CommandStart
from ...models.problem import Problem
from ...models.started_command import StartedCommand
from ...types import Response
from ..agent import get_agent_exec


def _request(
    id: str,
    *,
    body: CommandStart,
) -> _sending.Request[StartedCommand]:
    _values.check("id", id, str)
    _values.check_segment("id", id)
    _values.check("body", body, CommandStart)
    CommandStart.from_dict(body.to_dict())  # what would be refused in a response is not sent either
    _values.check_text("command", body.command, 1, 4096, "^[^\\u0000]*$")

    return _sending.Request(
        method="POST",
        target=f"/api/v2/vps/{_sending.segment(id)}/agent/exec",
        reads={200: _sending.json_body(_values.model(lambda: StartedCommand))},
        json=_values.to_json(body),
        starts_a_command=True,
        largest_body=1048576,
    )


def sync(
    id: str,
    *,
    client: AuthenticatedClient,
    body: CommandStart,
    timeout: float | httpx.Timeout | None = None,
    headers: Mapping[str, str] | None = None,
) -> StartedCommand:
    """Start a command inside the VPS.

    Starts a command and returns at once, with the `pid` to poll it by; this needs the scope `write:vm`. The
    provider blocks some commands. If the response is lost, the command may have been started all the same, so do
    not repeat a start blindly.

    Args:
        id: Public id of a VPS, exactly as `GET /api/v2/vps` returns it in `data[].id`. It may have any form.
        body: A command to start.
        client: where to send, and as whom
        timeout: as of the client, for this call
        headers: sent with this call, before those of the client


    Raises:
        TypeError, ValueError: an argument is not what it has to be; nothing was sent
        HostUpError: any response but the documented success; see the module ``errors``
        StartLost: a command may have been started, and no response came; the start is not repeated
        httpx.RequestError: the start was not sent
    """
    _made = _request(
        id=id,
        body=body,
    )
    return client.call(_made, timeout=timeout, headers=headers)


def sync_detailed(
    id: str,
    *,
    client: AuthenticatedClient,
    body: CommandStart,
    timeout: float | httpx.Timeout | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response[StartedCommand | Problem]:
    """As :func:`sync`, with the response, whatever its status, and what its body says."""
    _made = _request(
        id=id,
        body=body,
    )
    return client.detail(_made, timeout=timeout, headers=headers)


async def asyncio(
    id: str,
    *,
    client: AuthenticatedClient,
    body: CommandStart,
    timeout: float | httpx.Timeout | None = None,
    headers: Mapping[str, str] | None = None,
) -> StartedCommand:
    """As :func:`sync`, asynchronously."""
    _made = _request(
        id=id,
        body=body,
    )
    return await client.acall(_made, timeout=timeout, headers=headers)


async def asyncio_detailed(
    id: str,
    *,
    client: AuthenticatedClient,
    body: CommandStart,
    timeout: float | httpx.Timeout | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response[StartedCommand | Problem]:
    """As :func:`sync_detailed`, asynchronously."""
    _made = _request(
        id=id,
        body=body,
    )
    return await client.adetail(_made, timeout=timeout, headers=headers)


def _run(
    id: str,
    command: str,
    client: AuthenticatedClient,
    patience: _waiting.Patience,
    on_start: Callable[[int], object] | None,
) -> _sending.Steps[CommandOutput]:
    _values.check("command", command, str)
    _start = _request(
        id=id,
        body=CommandStart(
            command=command,
        ),
    )
    _probe = get_agent_exec._request(
        id=id,
    )

    def _poll(pid: int) -> _sending.Request[CommandOutput]:
        return get_agent_exec._request(id=id, pid=pid)

    return _waiting.running(client, _probe, _start, _poll, patience, on_start)


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

    The command is started at most once, whatever happens; a request that is refused with 429 is repeated in time. The timeout
    covers everything, waiting for a turn included; a request that is under way at its end gets ten more seconds. No command is
    started after it. A command keeps running after the timeout, and so it does if this call is interrupted: ``on_start`` gets
    its pid before the first poll, and a note on the exception has it too. If the start itself is interrupted, a command may run
    whose pid is not known.

    Args:
        id: Public id of a VPS, exactly as `GET /api/v2/vps` returns it in `data[].id`. It may have any form.
        command: The command line for the guest's shell to run. It must not contain NUL.
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
        CommandStillRunning: the time is over; its ``state`` is the last one seen
        OutputLost: the response to a poll was lost, and then the command was unknown, or no other response came in time
        CommandFailed: the command has failed, if ``check`` was asked for
        HostUpError: any other response that is not the documented success. Each of these errors has the ``pid`` once the
            command was started; without one nothing was, unless it is StartLost
        httpx.HTTPError: no response to the probe came, or the start was not sent; nothing was started
    """
    _steps = _run(
        id=id,
        command=command,
        client=client,
        patience=_waiting.Patience(timeout, interval, on_progress, check),
        on_start=on_start,
    )
    return client.perform(_steps)


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
    """As :func:`run`, asynchronously."""
    _steps = _run(
        id=id,
        command=command,
        client=client,
        patience=_waiting.Patience(timeout, interval, on_progress, check),
        on_start=on_start,
    )
    return await client.aperform(_steps)


def run_many(
    ids: Iterable[str] | AsyncIterable[str],
    command: str,
    *,
    client: AuthenticatedClient,
    limit: int = 20,
    timeout: float = 300.0,
    interval: float | None = None,
    on_start: Callable[[str, int], object] | None = None,
    on_progress: Callable[[str, CommandOutput], object] | None = None,
    check: bool = False,
) -> AsyncGenerator[tuple[str, CommandOutput | Exception], None]:
    """Run a command in each of many VPSs, several at once, on asyncio or trio; yield each with its result, as they finish.

    If one raises an exception (see :func:`run`), that takes the place of its result. When this is cancelled, what was begun and
    what nobody took is told in notes on the exception; after ``break`` and ``aclose()`` it is logged.

    Args:
        ids: for which to run it; an asynchronous iterator is read as needed
        command: The command line for the guest's shell to run. It must not contain NUL.
        client: where to send, and as whom
        limit: how many run at once, or have ended and wait to be taken
        timeout: seconds to wait at most; 0 starts it and polls once
        interval: seconds between polls; by default a quarter of a second that grows to five

        on_start: called with the id and the pid of each command that is started
        on_progress: called with the id and each state in which its command still runs
        check: whether a command that fails is an error

    Raises:
        TypeError, ValueError: ``limit``, ``ids`` or a callback is not what it has to be
    """
    _one = partial(asyncio_run, command=command, client=client, timeout=timeout, interval=interval, check=check)
    return _fleet.run_many(client, ids, _one, limit, on_start, on_progress)
