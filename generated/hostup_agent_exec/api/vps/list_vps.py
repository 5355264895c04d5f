from collections.abc import AsyncGenerator, Iterator, Mapping
from typing import Any

import httpx

from ... import api as _api
from ... import types as _types
from ...client import AuthenticatedClient
from ...models.problem import Problem
from ...models.vps_item import VpsItem
from ...models.vps_page import VpsPage
from ...types import UNSET, Response, Unset


def _get_kwargs(
    *,
    limit: int | Unset = UNSET,
    cursor: str | Unset = UNSET,
    include: str | Unset = UNSET,
    primary_ip: str | Unset = UNSET,
    name: str | Unset = UNSET,
) -> dict[str, Any]:
    _types.check("limit", limit, int, Unset)
    _types.check_range("limit", limit, 1, 100)
    _types.check("cursor", cursor, str, Unset)
    _types.check("include", include, str, Unset)
    _types.check("primary_ip", primary_ip, str, Unset)
    _types.check("name", name, str, Unset)

    _params: dict[str, Any] = {}
    _params["limit"] = limit

    _params["cursor"] = cursor

    _params["include"] = include

    _params["primaryIp"] = primary_ip

    _params["name"] = name

    _kwargs: dict[str, Any] = {
        "method": "GET",
        "url": "/api/v2/vps" + _api.query(_params),
    }
    return _kwargs


def _parse_response(response: httpx.Response) -> VpsPage:
    if response.status_code == 200:
        return _api.decode(response, VpsPage.from_dict)
    raise _api.failure(response)


def sync_detailed(
    *,
    client: AuthenticatedClient,
    limit: int | Unset = UNSET,
    cursor: str | Unset = UNSET,
    include: str | Unset = UNSET,
    primary_ip: str | Unset = UNSET,
    name: str | Unset = UNSET,
    timeout: float | httpx.Timeout | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response[VpsPage | Problem]:
    """The VPSs of the caller

    Returns one page of the caller's VPSs, with their ids; this needs the scope `read:vm`.

    Args:
        limit (int | Unset): Largest number of VPSs in a page.
        cursor (str | Unset): Where the page begins; the `nextCursor` of the previous page.
        include (str | Unset): What else to include in each item. The allowed values are not public.
        primary_ip (str | Unset): Return only the VPS with this address.
        name (str | Unset): Return only VPSs with this name.
        client: where to send, and as whom
        timeout: as of the client, for this call
        headers: sent with this call, before those of the client


    Raises:
        TypeError, ValueError: an argument is not what it has to be; nothing was sent
        InvalidResponse: a success whose body is not what the document says
        TooLarge: a body that is larger than the client takes
        httpx.RequestError: no response came, or not in time

    Returns:
        the response, whatever its status, and what its body says: VpsPage, or the Problem of an error
    """
    _response = client.send(
        _get_kwargs(
            limit=limit,
            cursor=cursor,
            include=include,
            primary_ip=primary_ip,
            name=name,
        ),
        timeout=timeout,
        headers=headers,
        repeatable=True,
        largest_body=8388608,
    )
    return _api.detailed(_response, _parse_response)


def sync(
    *,
    client: AuthenticatedClient,
    limit: int | Unset = UNSET,
    cursor: str | Unset = UNSET,
    include: str | Unset = UNSET,
    primary_ip: str | Unset = UNSET,
    name: str | Unset = UNSET,
    timeout: float | httpx.Timeout | None = None,
    headers: Mapping[str, str] | None = None,
) -> VpsPage:
    """The VPSs of the caller

    Returns one page of the caller's VPSs, with their ids; this needs the scope `read:vm`.

    Args:
        limit (int | Unset): Largest number of VPSs in a page.
        cursor (str | Unset): Where the page begins; the `nextCursor` of the previous page.
        include (str | Unset): What else to include in each item. The allowed values are not public.
        primary_ip (str | Unset): Return only the VPS with this address.
        name (str | Unset): Return only VPSs with this name.
        client: where to send, and as whom
        timeout: as of the client, for this call
        headers: sent with this call, before those of the client


    Raises:
        TypeError, ValueError: an argument is not what it has to be; nothing was sent
        HostUpError: any response but the documented success; see the module ``errors``
        httpx.RequestError: no response came, or not in time

    Returns:
        VpsPage
    """
    _response = client.send(
        _get_kwargs(
            limit=limit,
            cursor=cursor,
            include=include,
            primary_ip=primary_ip,
            name=name,
        ),
        timeout=timeout,
        headers=headers,
        repeatable=True,
        largest_body=8388608,
    )
    return _parse_response(_response)


async def asyncio_detailed(
    *,
    client: AuthenticatedClient,
    limit: int | Unset = UNSET,
    cursor: str | Unset = UNSET,
    include: str | Unset = UNSET,
    primary_ip: str | Unset = UNSET,
    name: str | Unset = UNSET,
    timeout: float | httpx.Timeout | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response[VpsPage | Problem]:
    """The VPSs of the caller

    Returns one page of the caller's VPSs, with their ids; this needs the scope `read:vm`.

    Args:
        limit (int | Unset): Largest number of VPSs in a page.
        cursor (str | Unset): Where the page begins; the `nextCursor` of the previous page.
        include (str | Unset): What else to include in each item. The allowed values are not public.
        primary_ip (str | Unset): Return only the VPS with this address.
        name (str | Unset): Return only VPSs with this name.
        client: where to send, and as whom
        timeout: as of the client, for this call
        headers: sent with this call, before those of the client


    Raises:
        TypeError, ValueError: an argument is not what it has to be; nothing was sent
        InvalidResponse: a success whose body is not what the document says
        TooLarge: a body that is larger than the client takes
        httpx.RequestError: no response came, or not in time

    Returns:
        the response, whatever its status, and what its body says: VpsPage, or the Problem of an error
    """
    _response = await client.asend(
        _get_kwargs(
            limit=limit,
            cursor=cursor,
            include=include,
            primary_ip=primary_ip,
            name=name,
        ),
        timeout=timeout,
        headers=headers,
        repeatable=True,
        largest_body=8388608,
    )
    return _api.detailed(_response, _parse_response)


async def asyncio(
    *,
    client: AuthenticatedClient,
    limit: int | Unset = UNSET,
    cursor: str | Unset = UNSET,
    include: str | Unset = UNSET,
    primary_ip: str | Unset = UNSET,
    name: str | Unset = UNSET,
    timeout: float | httpx.Timeout | None = None,
    headers: Mapping[str, str] | None = None,
) -> VpsPage:
    """The VPSs of the caller

    Returns one page of the caller's VPSs, with their ids; this needs the scope `read:vm`.

    Args:
        limit (int | Unset): Largest number of VPSs in a page.
        cursor (str | Unset): Where the page begins; the `nextCursor` of the previous page.
        include (str | Unset): What else to include in each item. The allowed values are not public.
        primary_ip (str | Unset): Return only the VPS with this address.
        name (str | Unset): Return only VPSs with this name.
        client: where to send, and as whom
        timeout: as of the client, for this call
        headers: sent with this call, before those of the client


    Raises:
        TypeError, ValueError: an argument is not what it has to be; nothing was sent
        HostUpError: any response but the documented success; see the module ``errors``
        httpx.RequestError: no response came, or not in time

    Returns:
        VpsPage
    """
    _response = await client.asend(
        _get_kwargs(
            limit=limit,
            cursor=cursor,
            include=include,
            primary_ip=primary_ip,
            name=name,
        ),
        timeout=timeout,
        headers=headers,
        repeatable=True,
        largest_body=8388608,
    )
    return _parse_response(_response)


def iterate(
    *,
    client: AuthenticatedClient,
    limit: int | Unset = UNSET,
    cursor: str | Unset = UNSET,
    include: str | Unset = UNSET,
    primary_ip: str | Unset = UNSET,
    name: str | Unset = UNSET,
    timeout: float | httpx.Timeout | None = None,
    headers: Mapping[str, str] | None = None,
) -> Iterator[VpsItem]:
    """Every item of every page, one by one; a page is asked for when it is needed.

    Args:
        limit (int | Unset): Largest number of VPSs in a page.
        cursor (str | Unset): Where the page begins; the `nextCursor` of the previous page.
        include (str | Unset): What else to include in each item. The allowed values are not public.
        primary_ip (str | Unset): Return only the VPS with this address.
        name (str | Unset): Return only VPSs with this name.
        client: where to send, and as whom
        timeout: as of the client, for this call
        headers: sent with this call, before those of the client

    Raises:
        TypeError, ValueError: an argument is not what it has to be
        HostUpError: any response but the documented success; InvalidResponse also if the pages have no end
        httpx.RequestError: no response came, or not in time
    """
    _pages = _api.Pages()
    while True:
        _response = client.send(
            _get_kwargs(
                limit=limit,
                cursor=cursor,
                include=include,
                primary_ip=primary_ip,
                name=name,
            ),
            timeout=timeout,
            headers=headers,
            repeatable=True,
            largest_body=8388608,
        )
        _page = _parse_response(_response)
        _items = _page.data
        yield from _items
        _next = _pages.next(_response, _items, _page.next_cursor, _page.has_more)
        if _next is None:
            return
        cursor = _next


async def asyncio_iterate(
    *,
    client: AuthenticatedClient,
    limit: int | Unset = UNSET,
    cursor: str | Unset = UNSET,
    include: str | Unset = UNSET,
    primary_ip: str | Unset = UNSET,
    name: str | Unset = UNSET,
    timeout: float | httpx.Timeout | None = None,
    headers: Mapping[str, str] | None = None,
) -> AsyncGenerator[VpsItem, None]:
    """Every item of every page, one by one; a page is asked for when it is needed.

    Args:
        limit (int | Unset): Largest number of VPSs in a page.
        cursor (str | Unset): Where the page begins; the `nextCursor` of the previous page.
        include (str | Unset): What else to include in each item. The allowed values are not public.
        primary_ip (str | Unset): Return only the VPS with this address.
        name (str | Unset): Return only VPSs with this name.
        client: where to send, and as whom
        timeout: as of the client, for this call
        headers: sent with this call, before those of the client

    Raises:
        TypeError, ValueError: an argument is not what it has to be
        HostUpError: any response but the documented success; InvalidResponse also if the pages have no end
        httpx.RequestError: no response came, or not in time
    """
    _pages = _api.Pages()
    while True:
        _response = await client.asend(
            _get_kwargs(
                limit=limit,
                cursor=cursor,
                include=include,
                primary_ip=primary_ip,
                name=name,
            ),
            timeout=timeout,
            headers=headers,
            repeatable=True,
            largest_body=8388608,
        )
        _page = _parse_response(_response)
        _items = _page.data
        for _item in _items:
            yield _item
        _next = _pages.next(_response, _items, _page.next_cursor, _page.has_more)
        if _next is None:
            return
        cursor = _next
