from typing import Any
from urllib.parse import quote

import httpx

from ...client import AuthenticatedClient
from ...models.command_start import CommandStart
from ...models.problem import Problem
from ...models.started_command import StartedCommand
from ...types import Response, check, check_segment
from .. import decode, detailed, failure


def _get_kwargs(
    id: str,
    *,
    body: CommandStart,
) -> dict[str, Any]:
    check("id", id, str)
    check_segment("id", id)
    check("body", body, CommandStart)
    CommandStart.from_dict(body.to_dict())  # what would be refused in an answer is not sent either

    headers: dict[str, Any] = {}

    _kwargs: dict[str, Any] = {
        "method": "POST",
        "url": "/api/v2/vps/{id}/agent/exec".format(
            id=quote(str(id), safe=""),
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

    Starts a command and answers at once with its `pid`, by which it is then polled; needs the scope `write:vm`.
    Some commands are blocked by the provider. After an answer that did not arrive the command may have been started
    all the same, so a start is not to be repeated blindly.

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

    Starts a command and answers at once with its `pid`, by which it is then polled; needs the scope `write:vm`.
    Some commands are blocked by the provider. After an answer that did not arrive the command may have been started
    all the same, so a start is not to be repeated blindly.

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

    Starts a command and answers at once with its `pid`, by which it is then polled; needs the scope `write:vm`.
    Some commands are blocked by the provider. After an answer that did not arrive the command may have been started
    all the same, so a start is not to be repeated blindly.

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

    Starts a command and answers at once with its `pid`, by which it is then polled; needs the scope `write:vm`.
    Some commands are blocked by the provider. After an answer that did not arrive the command may have been started
    all the same, so a start is not to be repeated blindly.

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
