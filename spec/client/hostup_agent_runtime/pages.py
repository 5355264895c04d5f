"""How pages are turned."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, TypeVar

from .errors import InvalidResponse, shown
from .sending import Options, Request, Steps, sending

if TYPE_CHECKING:
    from .client import Client
    from .values import Unset

P = TypeVar("P")
I = TypeVar("I")  # noqa: E741  (an item)

MOST_EMPTY = 100
"""How many pages in a row may hold nothing."""


def turning(
    client: Client,
    page: Callable[[str | Unset], Request[P]],
    cursor: str | Unset,
    read: Callable[[P], tuple[Sequence[I] | None, str | None, bool | None]],
    options: Options,
) -> Iterator[Steps[Sequence[I]]]:
    """Give the steps to each page, until one says that it is the last.

    Args:
        client: which sends
        page: makes the request of the page at a cursor
        cursor: of the first page
        read: tells of a page its items, the next cursor, and whether there is more
        options: how each request is sent

    Raises:
        InvalidResponse: there is to be more, and no way to it; a list that ends silently would look whole
    """
    following: list[str | Unset] = [cursor]
    failures: list[InvalidResponse] = []
    seen, empty = set[int](), 0
    last: Sequence[I] | None = None

    def turn() -> Steps[Sequence[I]]:
        nonlocal last, empty
        request = page(following.pop())
        response = yield from sending(client, request, options)
        items, cursor, is_more = read(client.read(request, response))
        empty = 0 if items else empty + 1
        if is_more is False or (is_more is None and not cursor):
            return items or ()
        got = ""
        if not cursor:
            got = "none"
        elif hash(cursor) in seen or (items and items == last):
            got = "a page that was seen before"
        elif empty >= MOST_EMPTY:
            got = f"{MOST_EMPTY} pages without an item"
        if got:
            failures.append(
                InvalidResponse(f"$: expected the cursor of another page, got {got} ({shown(response)})", response)
            )
        elif cursor:
            seen.add(hash(cursor))
            following.append(cursor)
        last = items
        return items or ()

    while following:
        yield turn()
    if failures:  # after the items of the page that has it
        raise failures.pop()
