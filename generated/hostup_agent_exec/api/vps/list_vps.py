from typing import Any

import httpx

from ...client import AuthenticatedClient
from ...models.problem import Problem
from ...models.vps_page import VpsPage
from ...types import UNSET, Response, Unset, check
from .. import decode, detailed, failure, query


def _get_kwargs(
    *,
    limit: int | Unset = UNSET,
    cursor: str | Unset = UNSET,
    include: str | Unset = UNSET,
    primary_ip: str | Unset = UNSET,
    name: str | Unset = UNSET,
) -> dict[str, Any]:
    check("limit", limit, int, Unset)
    check("cursor", cursor, str, Unset)
    check("include", include, str, Unset)
    check("primary_ip", primary_ip, str, Unset)
    check("name", name, str, Unset)

    params: dict[str, Any] = {}

    params["limit"] = limit

    params["cursor"] = cursor

    params["include"] = include

    params["primaryIp"] = primary_ip

    params["name"] = name

    params = {k: v for k, v in params.items() if v is not UNSET and v is not None}

    _kwargs: dict[str, Any] = {
        "method": "GET",
        "url": "/api/v2/vps" + query(params),
    }
    return _kwargs


def _parse_response(response: httpx.Response) -> VpsPage:
    if response.status_code == 200:
        return decode(response, VpsPage.from_dict)
    raise failure(response)


def sync_detailed(
    *,
    client: AuthenticatedClient,
    limit: int | Unset = UNSET,
    cursor: str | Unset = UNSET,
    include: str | Unset = UNSET,
    primary_ip: str | Unset = UNSET,
    name: str | Unset = UNSET,
) -> Response[VpsPage | Problem]:
    """The VPSs of the caller

    Returns one page of the caller's VPSs, with their ids; this needs the scope `read:vm`.

    Args:
        limit (int | Unset)
        cursor (str | Unset)
        include (str | Unset)
        primary_ip (str | Unset)
        name (str | Unset)
        client: where to send, and as whom

    Raises:
        TypeError, ValueError: an argument is not what it has to be; nothing was sent
        InvalidResponse: a success whose body is not what the document says
        httpx.RequestError: no answer came

    Returns:
        the answer, whatever its status, and what its body says: VpsPage, or the Problem of an error
    """
    response = client.send(
        _get_kwargs(
            limit=limit,
            cursor=cursor,
            include=include,
            primary_ip=primary_ip,
            name=name,
        )
    )
    return detailed(response, _parse_response)


def sync(
    *,
    client: AuthenticatedClient,
    limit: int | Unset = UNSET,
    cursor: str | Unset = UNSET,
    include: str | Unset = UNSET,
    primary_ip: str | Unset = UNSET,
    name: str | Unset = UNSET,
) -> VpsPage:
    """The VPSs of the caller

    Returns one page of the caller's VPSs, with their ids; this needs the scope `read:vm`.

    Args:
        limit (int | Unset)
        cursor (str | Unset)
        include (str | Unset)
        primary_ip (str | Unset)
        name (str | Unset)
        client: where to send, and as whom

    Raises:
        TypeError, ValueError: an argument is not what it has to be; nothing was sent
        HostUpError: any answer but the documented success; see the module ``errors``
        httpx.RequestError: no answer came

    Returns:
        VpsPage
    """
    response = client.send(
        _get_kwargs(
            limit=limit,
            cursor=cursor,
            include=include,
            primary_ip=primary_ip,
            name=name,
        )
    )
    return _parse_response(response)


async def asyncio_detailed(
    *,
    client: AuthenticatedClient,
    limit: int | Unset = UNSET,
    cursor: str | Unset = UNSET,
    include: str | Unset = UNSET,
    primary_ip: str | Unset = UNSET,
    name: str | Unset = UNSET,
) -> Response[VpsPage | Problem]:
    """The VPSs of the caller

    Returns one page of the caller's VPSs, with their ids; this needs the scope `read:vm`.

    Args:
        limit (int | Unset)
        cursor (str | Unset)
        include (str | Unset)
        primary_ip (str | Unset)
        name (str | Unset)
        client: where to send, and as whom

    Raises:
        TypeError, ValueError: an argument is not what it has to be; nothing was sent
        InvalidResponse: a success whose body is not what the document says
        httpx.RequestError: no answer came

    Returns:
        the answer, whatever its status, and what its body says: VpsPage, or the Problem of an error
    """
    response = await client.asend(
        _get_kwargs(
            limit=limit,
            cursor=cursor,
            include=include,
            primary_ip=primary_ip,
            name=name,
        )
    )
    return detailed(response, _parse_response)


async def asyncio(
    *,
    client: AuthenticatedClient,
    limit: int | Unset = UNSET,
    cursor: str | Unset = UNSET,
    include: str | Unset = UNSET,
    primary_ip: str | Unset = UNSET,
    name: str | Unset = UNSET,
) -> VpsPage:
    """The VPSs of the caller

    Returns one page of the caller's VPSs, with their ids; this needs the scope `read:vm`.

    Args:
        limit (int | Unset)
        cursor (str | Unset)
        include (str | Unset)
        primary_ip (str | Unset)
        name (str | Unset)
        client: where to send, and as whom

    Raises:
        TypeError, ValueError: an argument is not what it has to be; nothing was sent
        HostUpError: any answer but the documented success; see the module ``errors``
        httpx.RequestError: no answer came

    Returns:
        VpsPage
    """
    response = await client.asend(
        _get_kwargs(
            limit=limit,
            cursor=cursor,
            include=include,
            primary_ip=primary_ip,
            name=name,
        )
    )
    return _parse_response(response)
