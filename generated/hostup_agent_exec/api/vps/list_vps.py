from collections.abc import AsyncGenerator, Iterator, Mapping

import httpx
from hostup_agent_runtime import pages as _pages
from hostup_agent_runtime import sending as _sending
from hostup_agent_runtime import values as _values

from ...client import AuthenticatedClient
from ...models.problem import Problem
from ...models.vps_item import VpsItem
from ...models.vps_page import VpsPage
from ...types import UNSET, Response, Unset


def _request(
    *,
    limit: int | Unset = UNSET,
    cursor: str | Unset = UNSET,
    include: str | Unset = UNSET,
    primary_ip: str | Unset = UNSET,
    name: str | Unset = UNSET,
) -> _sending.Request[VpsPage]:
    _values.check("limit", limit, int, Unset)
    _values.check_range("limit", limit, 1, 100)
    _values.check("cursor", cursor, str, Unset)
    _values.check("include", include, str, Unset)
    _values.check("primary_ip", primary_ip, str, Unset)
    _values.check("name", name, str, Unset)

    return _sending.Request(
        method="GET",
        target=f"/api/v2/vps"
        + _sending.query(
            {
                "limit": limit,
                "cursor": cursor,
                "include": include,
                "primaryIp": primary_ip,
                "name": name,
            }
        ),
        reads={200: _sending.json_body(_values.model(lambda: VpsPage))},
        is_repeatable=True,
        largest_body=8388608,
    )


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
    """The VPSs of the caller.

    Returns one page of the caller's VPSs, with their ids; this needs the scope `read:vm`.

    Args:
        limit: Largest number of VPSs in a page. (1 to 100)
        cursor: Where the page begins; the `nextCursor` of the previous page.
        include: What else to include in each item. The allowed values are not public.
        primary_ip: Return only the VPS with this address.
        name: Return only VPSs with this name.
        client: where to send, and as whom
        timeout: as of the client, for this call
        headers: sent with this call, before those of the client


    Raises:
        TypeError, ValueError: an argument is not what it has to be; nothing was sent
        HostUpError: any response but the documented success; see the module ``errors``
        httpx.RequestError: no response came, or not in time
    """
    _made = _request(
        limit=limit,
        cursor=cursor,
        include=include,
        primary_ip=primary_ip,
        name=name,
    )
    return client.call(_made, timeout=timeout, headers=headers)


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
    """As :func:`sync`, with the response, whatever its status, and what its body says."""
    _made = _request(
        limit=limit,
        cursor=cursor,
        include=include,
        primary_ip=primary_ip,
        name=name,
    )
    return client.detail(_made, timeout=timeout, headers=headers)


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
    """As :func:`sync`, asynchronously."""
    _made = _request(
        limit=limit,
        cursor=cursor,
        include=include,
        primary_ip=primary_ip,
        name=name,
    )
    return await client.acall(_made, timeout=timeout, headers=headers)


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
    """As :func:`sync_detailed`, asynchronously."""
    _made = _request(
        limit=limit,
        cursor=cursor,
        include=include,
        primary_ip=primary_ip,
        name=name,
    )
    return await client.adetail(_made, timeout=timeout, headers=headers)


def _parts(page: VpsPage) -> tuple[list[VpsItem] | None, str | None, bool | None]:
    return page.data, page.next_cursor, page.has_more


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
        limit: Largest number of VPSs in a page. (1 to 100)
        cursor: Where the page begins; the `nextCursor` of the previous page.
        include: What else to include in each item. The allowed values are not public.
        primary_ip: Return only the VPS with this address.
        name: Return only VPSs with this name.
        client: where to send, and as whom
        timeout: as of the client, for this call
        headers: sent with this call, before those of the client


    Raises:
        TypeError, ValueError: an argument is not what it has to be
        HostUpError: any response but the documented success; InvalidResponse also if there are to be more pages and none can be
            asked for, or if they have no end
        httpx.RequestError: no response came, or not in time
    """

    def _page(_cursor: str | Unset) -> _sending.Request[VpsPage]:
        return _request(
            limit=limit,
            cursor=_cursor,
            include=include,
            primary_ip=primary_ip,
            name=name,
        )

    _options = _sending.Options(timeout=timeout, headers=headers)
    return client.iterate(lambda: _pages.turning(client, _page, cursor, _parts, _options))


def asyncio_iterate(
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
    """As :func:`iterate`, asynchronously."""

    def _page(_cursor: str | Unset) -> _sending.Request[VpsPage]:
        return _request(
            limit=limit,
            cursor=_cursor,
            include=include,
            primary_ip=primary_ip,
            name=name,
        )

    _options = _sending.Options(timeout=timeout, headers=headers)
    return client.aiterate(lambda: _pages.turning(client, _page, cursor, _parts, _options))
