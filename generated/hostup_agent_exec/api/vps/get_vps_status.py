from collections.abc import Mapping
from typing import Any

import httpx

from ... import api as _api
from ... import types as _types
from ...client import AuthenticatedClient
from ...models.problem import Problem
from ...models.vps_status import VpsStatus
from ...types import Response


def _get_kwargs(
    id: str,
) -> dict[str, Any]:
    _types.check("id", id, str)
    _types.check_segment("id", id)

    _kwargs: dict[str, Any] = {
        "method": "GET",
        "url": "/api/v2/vps/{id}/status".format(
            id=_api.segment(id),
        ),
    }
    return _kwargs


def _parse_response(response: httpx.Response) -> VpsStatus:
    if response.status_code == 200:
        return _api.decode(response, VpsStatus.from_dict)
    raise _api.failure(response)


def sync_detailed(
    id: str,
    *,
    client: AuthenticatedClient,
    timeout: float | httpx.Timeout | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response[VpsStatus | Problem]:
    """Live status of a VPS

    Returns the power state and load of a VPS; this needs the scope `read:vm`.

    Args:
        id (str): Public id of a VPS, exactly as `GET /api/v2/vps` returns it in `data[].id`. It may have any
            form.
        client: where to send, and as whom
        timeout: as of the client, for this call
        headers: sent with this call, before those of the client


    Raises:
        TypeError, ValueError: an argument is not what it has to be; nothing was sent
        InvalidResponse: a success whose body is not what the document says
        TooLarge: a body that is larger than the client takes
        httpx.RequestError: no response came, or not in time

    Returns:
        the response, whatever its status, and what its body says: VpsStatus, or the Problem of an error
    """
    _response = client.send(
        _get_kwargs(
            id=id,
        ),
        timeout=timeout,
        headers=headers,
        repeatable=True,
        largest_body=1048576,
    )
    return _api.detailed(_response, _parse_response)


def sync(
    id: str,
    *,
    client: AuthenticatedClient,
    timeout: float | httpx.Timeout | None = None,
    headers: Mapping[str, str] | None = None,
) -> VpsStatus:
    """Live status of a VPS

    Returns the power state and load of a VPS; this needs the scope `read:vm`.

    Args:
        id (str): Public id of a VPS, exactly as `GET /api/v2/vps` returns it in `data[].id`. It may have any
            form.
        client: where to send, and as whom
        timeout: as of the client, for this call
        headers: sent with this call, before those of the client


    Raises:
        TypeError, ValueError: an argument is not what it has to be; nothing was sent
        HostUpError: any response but the documented success; see the module ``errors``
        httpx.RequestError: no response came, or not in time

    Returns:
        VpsStatus
    """
    _response = client.send(
        _get_kwargs(
            id=id,
        ),
        timeout=timeout,
        headers=headers,
        repeatable=True,
        largest_body=1048576,
    )
    return _parse_response(_response)


async def asyncio_detailed(
    id: str,
    *,
    client: AuthenticatedClient,
    timeout: float | httpx.Timeout | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response[VpsStatus | Problem]:
    """Live status of a VPS

    Returns the power state and load of a VPS; this needs the scope `read:vm`.

    Args:
        id (str): Public id of a VPS, exactly as `GET /api/v2/vps` returns it in `data[].id`. It may have any
            form.
        client: where to send, and as whom
        timeout: as of the client, for this call
        headers: sent with this call, before those of the client


    Raises:
        TypeError, ValueError: an argument is not what it has to be; nothing was sent
        InvalidResponse: a success whose body is not what the document says
        TooLarge: a body that is larger than the client takes
        httpx.RequestError: no response came, or not in time

    Returns:
        the response, whatever its status, and what its body says: VpsStatus, or the Problem of an error
    """
    _response = await client.asend(
        _get_kwargs(
            id=id,
        ),
        timeout=timeout,
        headers=headers,
        repeatable=True,
        largest_body=1048576,
    )
    return _api.detailed(_response, _parse_response)


async def asyncio(
    id: str,
    *,
    client: AuthenticatedClient,
    timeout: float | httpx.Timeout | None = None,
    headers: Mapping[str, str] | None = None,
) -> VpsStatus:
    """Live status of a VPS

    Returns the power state and load of a VPS; this needs the scope `read:vm`.

    Args:
        id (str): Public id of a VPS, exactly as `GET /api/v2/vps` returns it in `data[].id`. It may have any
            form.
        client: where to send, and as whom
        timeout: as of the client, for this call
        headers: sent with this call, before those of the client


    Raises:
        TypeError, ValueError: an argument is not what it has to be; nothing was sent
        HostUpError: any response but the documented success; see the module ``errors``
        httpx.RequestError: no response came, or not in time

    Returns:
        VpsStatus
    """
    _response = await client.asend(
        _get_kwargs(
            id=id,
        ),
        timeout=timeout,
        headers=headers,
        repeatable=True,
        largest_body=1048576,
    )
    return _parse_response(_response)
