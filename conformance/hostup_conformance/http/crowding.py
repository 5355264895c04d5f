"""Finds out whether a server serves no more connections at a time than it has workers, each of which waits on one."""

from collections.abc import Hashable
from math import inf
from typing import Any

from hostup_conformance.http.exchange import Exchange

#: After so many requests for which no connection was kept open, some are again, to see whether that was the reason.
TRIED = 10


class Crowding:
    """The hypothesis that requests wait as long as so many other connections are open, and what speaks against it.

    Where it holds, none is kept open: each request would wait until a worker is free. It is given up if a request was
    served at once beside as many, or if one of the same kind takes as long when none is kept. And it is tried twice,
    since what was slow at first may only have been slow at first.
    """

    def __init__(self) -> None:
        #: Beside how many open connections a request was served at once.
        self._served_beside = 0.0
        #: How many have waited in a row, and of which kinds they were.
        self._waited, self._kinds = 0, set[Hashable]()
        #: Beside how many open connections requests waited when it was concluded.
        self._waited_beside = 0
        #: How often it was concluded, whether connections are kept, and from which request on they are again.
        self._times, self._keeps, self._again = 0, True, 0

    def look(self, e: Exchange[Any], number: int, *, others: int = 0) -> bool | None:
        """Return whether connections are to be kept open after an exchange; None if nothing is to change.

        What was sent with others may have waited for these. The others that are under way were sent while as many
        connections were kept as now.
        """
        if self._keeps:
            return self._look_beside_others(e, number + others)
        refuted = not others and e.kind in self._kinds and e.is_long
        if refuted:
            self._served_beside = inf
        if refuted or (self._times == 1 and number >= self._again):
            self._keeps = True
            return True
        return None

    @property
    def is_tried(self) -> bool:
        """Whether the next request that opens a connection beside others may wait for these, as others did before."""
        return self._keeps and self._times > 0 and self._served_beside < self._waited_beside

    def explains(self, e: Exchange[Any]) -> bool:
        """Whether a request got no response since so many other connections were open, as far as is known."""
        return not self._keeps and e.response is None and e.is_long and e.beside_open > self._served_beside

    def _look_beside_others(self, e: Exchange[Any], number: int) -> bool | None:
        if e.response and not e.is_long:
            self._served_beside = max(self._served_beside, e.beside_open)
        elif e.is_long and e.beside_open > self._served_beside:
            self._waited += 1
            self._kinds.add(e.kind)
            if self._waited > 1 or e.response is None or self._times:
                self._times, self._waited, self._again = self._times + 1, 0, number + TRIED
                self._keeps, self._waited_beside = False, e.beside_open
                return False
        return None
