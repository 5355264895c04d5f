import os
import time
from collections.abc import Iterator
from functools import cache

import anyio
import httpx
import pytest
from client.voices import Clock, Voice, new_client
from hostup_agent_exec import AuthenticatedClient
from hypothesis import settings

# CI looks briefly; `make fuzz` sets a million.
settings.register_profile("client", deadline=None, max_examples=int(os.environ.get("HOSTUP_FUZZ_EXAMPLES", "50")))


@pytest.fixture(autouse=True, scope="session")
def certificates() -> Iterator[None]:
    """All clients share what they trust by default: to read it takes longer than most tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(httpx, "create_ssl_context", cache(httpx.create_ssl_context))
        yield


@pytest.fixture(params=["sync", "asyncio"])
def voice(request: pytest.FixtureRequest) -> Voice:
    return Voice(request.param)


@pytest.fixture
def client() -> Iterator[AuthenticatedClient]:
    with new_client() as made:
        yield made


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(time, "monotonic", lambda: made.now)
    monkeypatch.setattr(time, "sleep", made.sleep)
    monkeypatch.setattr(anyio, "sleep", made.async_sleep)
    return made
