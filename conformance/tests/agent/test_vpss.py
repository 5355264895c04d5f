"""The list and the status of VPSs, as the mock serves them and the generated client reads them."""

from collections.abc import Iterator

import pytest
from hostup_agent_exec import AuthenticatedClient, errors
from hostup_agent_exec.api.vps import get_vps_status, list_vps
from hostup_conformance.mock import API_KEY, FOREIGN_VPS_ID, READ_API_KEY, UNAVAILABLE_VPS_ID, VPS_ID, Mock, serve


@pytest.fixture
def client() -> Iterator[AuthenticatedClient]:
    with serve(Mock().app) as base_url, AuthenticatedClient(base_url, READ_API_KEY) as client:
        yield client


def test_the_callers_vpss_are_listed_page_by_page(client: AuthenticatedClient) -> None:
    assert [vps.id for vps in list_vps.sync(client=client).data] == [VPS_ID, UNAVAILABLE_VPS_ID]
    first = list_vps.sync(client=client, limit=1)
    assert ([vps.id for vps in first.data], first.has_more) == ([VPS_ID], True)
    assert isinstance(first.next_cursor, str)
    second = list_vps.sync(client=client, limit=1, cursor=first.next_cursor)
    assert ([vps.id for vps in second.data], second.has_more, second.next_cursor) == ([UNAVAILABLE_VPS_ID], False, None)


@pytest.mark.parametrize("limit", [0, 101])
def test_the_client_refuses_an_undocumented_limit(client: AuthenticatedClient, limit: int) -> None:
    with pytest.raises(ValueError, match="limit"):
        list_vps.sync(client=client, limit=limit)


def test_a_cursor_that_was_never_given_is_refused(client: AuthenticatedClient) -> None:
    with pytest.raises(errors.BadRequest):
        list_vps.sync(client=client, cursor=FOREIGN_VPS_ID)


def test_the_status_of_a_vps(client: AuthenticatedClient) -> None:
    status = get_vps_status.sync(VPS_ID, client=client)
    assert (status.id, status.power_state) == (VPS_ID, "running")
    with pytest.raises(errors.NotFound):
        get_vps_status.sync(FOREIGN_VPS_ID, client=client)


def test_both_need_a_key() -> None:
    with serve(Mock().app) as base_url, AuthenticatedClient(base_url, API_KEY + "x") as client:
        for call in (lambda: list_vps.sync(client=client), lambda: get_vps_status.sync(VPS_ID, client=client)):
            with pytest.raises(errors.Unauthorized):
                call()
