"""Decides how many requests are under way at a time: one if the server is quick, several if it is slow."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from hostup_conformance.contract.sending import Wire
from hostup_conformance.http.connections import CONNECTIONS

T = TypeVar("T")

#: A server is slow if its median response takes longer than this, in seconds.
SLOW_SECONDS = 0.08
#: The part of a request's time limit that a server may need which serves all requests under way one by one.
SHARE = 0.6


def width(wire: Wire) -> int:
    """Return how many requests may be under way at a time, given how long the responses have taken so far.

    A server that serves requests one by one seems slower the more are under way, and so gets fewer. A server that could
    not take several at a time gets one.
    """
    seconds = sorted(exchange.seconds for exchange in wire.exchanges)
    usual = seconds[(len(seconds) - 1) // 2] if seconds else 0.0
    if usual <= SLOW_SECONDS or wire.one_at_a_time:
        return 1
    return max(1, min(CONNECTIONS, int(SHARE * wire.limits.request_seconds / usual)))


def side_by_side(tasks: Iterable[Callable[[], T]], at_once: int) -> list[T]:
    """Do tasks that send requests, several at a time, beginning them in order; return their results."""
    if at_once == 1:
        return [task() for task in tasks]
    with ThreadPoolExecutor(at_once) as pool:
        return list(pool.map(lambda task: task(), tasks))
