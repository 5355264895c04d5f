"""How many requests may be under way at a time: one where the server is quick, several where each takes long."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

from hostup_conformance.core.wire import CONNECTIONS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from hostup_conformance.contract.sending import Wire

T = TypeVar("T")

#: A server counts as slow if its usual response takes longer than this, in seconds.
SLOW_SECONDS = 0.08
#: Which part of the time for one response all that are under way may need, if the server takes them one by one.
SHARE = 0.6


def width(wire: Wire) -> int:
    """Return how many requests may be under way, by how long the responses took so far.

    A server that takes one request after the other seems slower the more are under way, and so gets fewer; one that
    could not take several at a time gets one.
    """
    seconds = sorted(exchange.seconds for exchange in wire.exchanges)
    usual = seconds[(len(seconds) - 1) // 2] if seconds else 0.0
    if usual <= SLOW_SECONDS or wire.one_at_a_time:
        return 1
    return max(1, min(CONNECTIONS, int(SHARE * wire.limits.request_seconds / usual)))


def side_by_side(tasks: Iterable[Callable[[], T]], at_once: int) -> list[T]:
    """Do tasks that send requests, several at a time, and begin them in their order; return what they return."""
    if at_once == 1:
        return [task() for task in tasks]
    with ThreadPoolExecutor(at_once) as pool:
        return list(pool.map(lambda task: task(), tasks))
