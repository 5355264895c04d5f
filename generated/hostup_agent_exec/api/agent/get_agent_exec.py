from http import HTTPStatus
from typing import Any
from urllib.parse import quote

import httpx

from ... import errors
from ...client import AuthenticatedClient, Client
from ...models.agent_availability import AgentAvailability
from ...models.command_output import CommandOutput
from ...models.problem import Problem
from ...types import UNSET, Response, Unset


def _get_kwargs(
    id: str,
    *,
    pid: int | Unset = UNSET,
) -> dict[str, Any]:

    params: dict[str, Any] = {}

    params["pid"] = pid

    params = {k: v for k, v in params.items() if v is not UNSET and v is not None}

    _kwargs: dict[str, Any] = {
        "method": "get",
        "url": "/api/v2/vps/{id}/agent/exec".format(
            id=quote(str(id), safe=""),
        ),
        "params": params,
    }

    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> AgentAvailability | CommandOutput | Problem | None:
    if response.status_code == 200:

        def _parse_response_200(data: object) -> AgentAvailability | CommandOutput:
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                response_200_type_0 = CommandOutput.from_dict(data)

                return response_200_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            if not isinstance(data, dict):
                raise TypeError()
            response_200_type_1 = AgentAvailability.from_dict(data)

            return response_200_type_1

        response_200 = _parse_response_200(response.json())

        return response_200

    if response.status_code == 400:
        response_400 = Problem.from_dict(response.json())

        return response_400

    if response.status_code == 401:
        response_401 = Problem.from_dict(response.json())

        return response_401

    if response.status_code == 403:
        response_403 = Problem.from_dict(response.json())

        return response_403

    if response.status_code == 404:
        response_404 = Problem.from_dict(response.json())

        return response_404

    if response.status_code == 429:
        response_429 = Problem.from_dict(response.json())

        return response_429

    if response.status_code == 500:
        response_500 = Problem.from_dict(response.json())

        return response_500

    if client.raise_on_unexpected_status:
        raise errors.UnexpectedStatus(response.status_code, response.content)
    else:
        return None


def _build_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Response[AgentAvailability | CommandOutput | Problem]:
    return Response(
        status_code=HTTPStatus(response.status_code),
        content=response.content,
        headers=response.headers,
        parsed=_parse_response(client=client, response=response),
    )


def sync_detailed(
    id: str,
    *,
    client: AuthenticatedClient,
    pid: int | Unset = UNSET,
) -> Response[AgentAvailability | CommandOutput | Problem]:
    """Availability of the guest agent, or the output of a command

     Without `pid`: whether commands can be run inside the VPS; needs the scope `read:vm`.
    With `pid`: the state and output of a command that was started earlier; needs the scope `write:vm`,
    since
    output may hold sensitive data from inside the guest.

    The guest agent forgets a process once it has reported that it exited: the poll that brings `exited:
    true`
    may be the only one that does. A poll is therefore not to be repeated blindly.

    Args:
        id (str):
        pid (int | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[AgentAvailability | CommandOutput | Problem]
    """

    kwargs = _get_kwargs(
        id=id,
        pid=pid,
    )

    response = client.get_httpx_client().request(
        **kwargs,
    )

    return _build_response(client=client, response=response)


def sync(
    id: str,
    *,
    client: AuthenticatedClient,
    pid: int | Unset = UNSET,
) -> AgentAvailability | CommandOutput | Problem | None:
    """Availability of the guest agent, or the output of a command

     Without `pid`: whether commands can be run inside the VPS; needs the scope `read:vm`.
    With `pid`: the state and output of a command that was started earlier; needs the scope `write:vm`,
    since
    output may hold sensitive data from inside the guest.

    The guest agent forgets a process once it has reported that it exited: the poll that brings `exited:
    true`
    may be the only one that does. A poll is therefore not to be repeated blindly.

    Args:
        id (str):
        pid (int | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        AgentAvailability | CommandOutput | Problem
    """

    return sync_detailed(
        id=id,
        client=client,
        pid=pid,
    ).parsed


async def asyncio_detailed(
    id: str,
    *,
    client: AuthenticatedClient,
    pid: int | Unset = UNSET,
) -> Response[AgentAvailability | CommandOutput | Problem]:
    """Availability of the guest agent, or the output of a command

     Without `pid`: whether commands can be run inside the VPS; needs the scope `read:vm`.
    With `pid`: the state and output of a command that was started earlier; needs the scope `write:vm`,
    since
    output may hold sensitive data from inside the guest.

    The guest agent forgets a process once it has reported that it exited: the poll that brings `exited:
    true`
    may be the only one that does. A poll is therefore not to be repeated blindly.

    Args:
        id (str):
        pid (int | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[AgentAvailability | CommandOutput | Problem]
    """

    kwargs = _get_kwargs(
        id=id,
        pid=pid,
    )

    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    id: str,
    *,
    client: AuthenticatedClient,
    pid: int | Unset = UNSET,
) -> AgentAvailability | CommandOutput | Problem | None:
    """Availability of the guest agent, or the output of a command

     Without `pid`: whether commands can be run inside the VPS; needs the scope `read:vm`.
    With `pid`: the state and output of a command that was started earlier; needs the scope `write:vm`,
    since
    output may hold sensitive data from inside the guest.

    The guest agent forgets a process once it has reported that it exited: the poll that brings `exited:
    true`
    may be the only one that does. A poll is therefore not to be repeated blindly.

    Args:
        id (str):
        pid (int | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        AgentAvailability | CommandOutput | Problem
    """

    return (
        await asyncio_detailed(
            id=id,
            client=client,
            pid=pid,
        )
    ).parsed
