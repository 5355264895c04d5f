from typing import Any
from urllib.parse import quote

import httpx

from ...client import AuthenticatedClient
from ...models.problem import Problem
from ...models.vps_status import VpsStatus
from ...types import Response, check, check_segment
from .. import decode, detailed, failure


def _get_kwargs(
    id: str,
) -> dict[str, Any]:
    check("id", id, str)
    check_segment("id", id)

    _kwargs: dict[str, Any] = {
        "method": "GET",
        "url": "/api/v2/vps/{id}/status".format(
            id=quote(id, safe=""),
        ),
    }
    return _kwargs


def _parse_response(response: httpx.Response) -> VpsStatus:
    if response.status_code == 200:
        return decode(response, VpsStatus.from_dict)
    raise failure(response)


def sync_detailed(
    id: str,
    *,
    client: AuthenticatedClient,
) -> Response[VpsStatus | Problem]:
    """Live status of a VPS

    Returns the power state and load of a VPS; this needs the scope `read:vm`.

    Args:
        id (str)
        client: where to send, and as whom

    Raises:
        TypeError, ValueError: an argument is not what it has to be; nothing was sent
        InvalidResponse: a success whose body is not what the document says
        httpx.RequestError: no answer came

    Returns:
        the answer, whatever its status, and what its body says: VpsStatus, or the Problem of an error
    """
    response = client.send(
        _get_kwargs(
            id=id,
        )
    )
    return detailed(response, _parse_response)


def sync(
    id: str,
    *,
    client: AuthenticatedClient,
) -> VpsStatus:
    """Live status of a VPS

    Returns the power state and load of a VPS; this needs the scope `read:vm`.

    Args:
        id (str)
        client: where to send, and as whom

    Raises:
        TypeError, ValueError: an argument is not what it has to be; nothing was sent
        HostUpError: any answer but the documented success; see the module ``errors``
        httpx.RequestError: no answer came

    Returns:
        VpsStatus
    """
    response = client.send(
        _get_kwargs(
            id=id,
        )
    )
    return _parse_response(response)


async def asyncio_detailed(
    id: str,
    *,
    client: AuthenticatedClient,
) -> Response[VpsStatus | Problem]:
    """Live status of a VPS

    Returns the power state and load of a VPS; this needs the scope `read:vm`.

    Args:
        id (str)
        client: where to send, and as whom

    Raises:
        TypeError, ValueError: an argument is not what it has to be; nothing was sent
        InvalidResponse: a success whose body is not what the document says
        httpx.RequestError: no answer came

    Returns:
        the answer, whatever its status, and what its body says: VpsStatus, or the Problem of an error
    """
    response = await client.asend(
        _get_kwargs(
            id=id,
        )
    )
    return detailed(response, _parse_response)


async def asyncio(
    id: str,
    *,
    client: AuthenticatedClient,
) -> VpsStatus:
    """Live status of a VPS

    Returns the power state and load of a VPS; this needs the scope `read:vm`.

    Args:
        id (str)
        client: where to send, and as whom

    Raises:
        TypeError, ValueError: an argument is not what it has to be; nothing was sent
        HostUpError: any answer but the documented success; see the module ``errors``
        httpx.RequestError: no answer came

    Returns:
        VpsStatus
    """
    response = await client.asend(
        _get_kwargs(
            id=id,
        )
    )
    return _parse_response(response)
