from collections.abc import Mapping

import httpx
from hostup_agent_runtime import sending as _sending
from hostup_agent_runtime import values as _values

from ...client import AuthenticatedClient
from ...models.problem import Problem
from ...models.vps_status import VpsStatus
from ...types import Response


def _request(
    id: str,
) -> _sending.Request[VpsStatus]:
    _values.check("id", id, str)
    _values.check_segment("id", id)

    return _sending.Request(
        method="GET",
        target=f"/api/v2/vps/{_sending.segment(id)}/status",
        reads={200: _sending.json_body(_values.model(lambda: VpsStatus))},
        is_repeatable=True,
        largest_body=1048576,
    )


def sync(
    id: str,
    *,
    client: AuthenticatedClient,
    timeout: float | httpx.Timeout | None = None,
    headers: Mapping[str, str] | None = None,
) -> VpsStatus:
    """Live status of a VPS.

    Returns the power state and load of a VPS; this needs the scope `read:vm`.

    Args:
        id: Public id of a VPS, exactly as `GET /api/v2/vps` returns it in `data[].id`. It may have any form.
        client: where to send, and as whom
        timeout: as of the client, for this call
        headers: sent with this call, before those of the client


    Raises:
        TypeError, ValueError: an argument is not what it has to be; nothing was sent
        HostUpError: any response but the documented success; see the module ``errors``
        httpx.RequestError: no response came, or not in time
    """
    _made = _request(
        id=id,
    )
    return client.call(_made, timeout=timeout, headers=headers)


def sync_detailed(
    id: str,
    *,
    client: AuthenticatedClient,
    timeout: float | httpx.Timeout | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response[VpsStatus | Problem]:
    """As :func:`sync`, with the response, whatever its status, and what its body says."""
    _made = _request(
        id=id,
    )
    return client.detail(_made, timeout=timeout, headers=headers)


async def asyncio(
    id: str,
    *,
    client: AuthenticatedClient,
    timeout: float | httpx.Timeout | None = None,
    headers: Mapping[str, str] | None = None,
) -> VpsStatus:
    """As :func:`sync`, asynchronously."""
    _made = _request(
        id=id,
    )
    return await client.acall(_made, timeout=timeout, headers=headers)


async def asyncio_detailed(
    id: str,
    *,
    client: AuthenticatedClient,
    timeout: float | httpx.Timeout | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response[VpsStatus | Problem]:
    """As :func:`sync_detailed`, asynchronously."""
    _made = _request(
        id=id,
    )
    return await client.adetail(_made, timeout=timeout, headers=headers)
