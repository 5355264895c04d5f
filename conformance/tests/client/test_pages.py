"""Every item of every page, and where the pages end."""

import asyncio
from typing import Any

import httpx
import pytest
from client.voices import Voice, answering
from hostup_agent_exec import AuthenticatedClient, errors
from hostup_agent_exec.api.vps import list_vps
from hostup_agent_exec.models import VpsItem


def pages(*bodies: dict[str, Any]) -> tuple[AuthenticatedClient, list[str]]:
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.query.decode())
        return httpx.Response(200, json=bodies[min(len(asked), len(bodies)) - 1])

    return answering(answer), asked


def ids(voice: Voice, client: AuthenticatedClient, **arguments: Any) -> list[str]:
    return [item.id for item in voice.items(client=client, **arguments)]


def page(*ids: str, **more: Any) -> dict[str, Any]:
    return {"data": [{"id": id} for id in ids], **more}


def test_every_page_is_turned(voice: Voice) -> None:
    client, asked = pages(
        page("a", "b", hasMore=True, nextCursor="1"), page(nextCursor="2"), page("c", hasMore=False, nextCursor="3")
    )
    assert ids(voice, client, limit=2, name="x") == ["a", "b", "c"]
    assert asked == ["limit=2&name=x", "limit=2&cursor=1&name=x", "limit=2&cursor=2&name=x"]


@pytest.mark.parametrize("end", [{}, {"nextCursor": None}, {"hasMore": False}, {"hasMore": False, "nextCursor": "9"}])
def test_the_last_page_is_known(voice: Voice, end: dict[str, Any]) -> None:
    client, asked = pages(page("a", **end))
    assert ids(voice, client) == ["a"]
    assert len(asked) == 1


@pytest.mark.parametrize(
    "end",
    [
        {"hasMore": True},
        {"hasMore": True, "nextCursor": None},
        {"hasMore": True, "nextCursor": ""},
        {"hasMore": True, "nextCursor": "1"},
        {"nextCursor": "1"},
        {"nextCursor": "2"},
    ],
)
def test_a_list_does_not_end_silently(voice: Voice, end: dict[str, Any]) -> None:
    client, asked = pages(page("a", nextCursor="1"), page("b", nextCursor="2"), page("c", **end))
    seen: list[str] = []

    def seen_before(item: VpsItem) -> bool:
        seen.append(item.id)
        return False

    async def collect() -> None:
        async with client:
            assert not [item async for item in list_vps.asyncio_iterate(client=client) if seen_before(item)]

    with pytest.raises(errors.InvalidResponse, match=r"^\$: expected the cursor of another page, got "):
        asyncio.run(collect()) if voice.is_async else list(filter(seen_before, list_vps.iterate(client=client)))
    assert (seen, len(asked)) == (["a", "b", "c"], 3)


def test_pages_that_repeat_themselves_are_an_error(voice: Voice) -> None:
    count = iter(range(10_000))
    client = answering(lambda _: httpx.Response(200, json=page("a", hasMore=True, nextCursor=str(next(count)))))
    with pytest.raises(errors.InvalidResponse, match="expected the cursor of another page"):
        ids(voice, client)


def test_a_hundred_empty_pages_end_the_walk(voice: Voice) -> None:
    asked: list[int] = []

    def page(_: httpx.Request) -> httpx.Response:
        asked.append(len(asked))
        items = [{"id": "a"}] if len(asked) == 60 else []
        return httpx.Response(200, json={"data": items, "nextCursor": str(len(asked)), "hasMore": True})

    with pytest.raises(
        errors.InvalidResponse, match=r"^\$: expected the cursor of another page, got 100 pages without an item \(GET "
    ) as caught:
        voice.items(client=answering(page))
    assert len(asked) == 160
    assert caught.value.status_code == 200


@pytest.mark.parametrize("limit", [0, 101, -1])
def test_a_limit_out_of_range_is_not_sent(limit: int) -> None:
    client, asked = pages(page())
    for call in (lambda: list_vps.sync(client=client, limit=limit), lambda: ids(Voice("sync"), client, limit=limit)):
        with pytest.raises(ValueError, match=r"^limit: expected 1 to 100$"):
            call()
    assert asked == []
