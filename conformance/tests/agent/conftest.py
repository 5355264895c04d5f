"""A real guest agent behind the endpoint for each test; skipped where the agent is not installed."""

from collections.abc import Iterator

import httpx
import pytest
from agent.endpoint import PATIENCE, Endpoint
from hostup_conformance.keeping.misconfigured import Misconfigured
from hostup_conformance.mock.agent_server import serve
from hostup_conformance.mock.supervisor import find_program


@pytest.fixture
def installed() -> None:
    try:
        find_program()
    except Misconfigured as error:
        pytest.skip(str(error))


@pytest.fixture
def endpoint(installed: None) -> Iterator[Endpoint]:  # noqa: ARG001
    with serve(seconds=PATIENCE) as served:
        headers = {"Authorization": f"Bearer {served.environment['HOSTUP_API_KEY']}"}
        with httpx.Client(base_url=served.base_url, headers=headers, timeout=30, trust_env=False) as http:
            yield Endpoint(served, http)
