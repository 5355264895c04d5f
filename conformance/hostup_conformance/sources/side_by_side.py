"""How many requests may be under way at a time: one where the server is quick, several where each takes long."""

from __future__ import annotations

from collections import deque
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from hostup_conformance.core.wire import CONNECTIONS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from hostup_conformance.contract.sending import Wire

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
    if usual <= SLOW_SECONDS or wire.alone:
        return 1
    return max(1, min(CONNECTIONS, int(SHARE * wire.limits.request_seconds / usual)))


def side_by_side(tasks: Sequence[Callable[[], Any]], at_once: int) -> None:
    """Do tasks that send requests, several at a time, and begin them in their order."""
    if at_once == 1:
        for task in tasks:
            task()
        return
    with ThreadPoolExecutor(at_once) as pool:
        deque(pool.map(lambda task: task(), tasks), maxlen=0)
