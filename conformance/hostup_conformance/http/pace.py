"""Decides when the next request may be sent: by the run's limits, by our own rate, and by what the server asks for."""

import re
import threading
import time
from dataclasses import replace
from math import inf

from hostup_conformance.http.exchange import A, Exchange
from hostup_conformance.http.limits import Limits
from hostup_conformance.http.times import reset_moment, retry_after_seconds

#: So many seconds after its end, the time of a run is surely used up.
SURELY = 0.01


class ByServer(str):
    """Why the server has ended a run: it shuts the caller out, or asks it to come back later."""

    __slots__ = ()


class PutOff(ByServer):
    """Why a run has ended to which the server said to come back later than a run may wait."""

    __slots__ = ()


class UsedUp(str):
    """Why a run has ended that has sent, or taken, as much as it may: a longer one may show more, or not."""

    __slots__ = ()


class Unsent(Exception):
    """A request was not sent. The message says why."""


class Stopped(Unsent):
    """The run sends nothing more."""


class Withheld(Unsent):
    """This request is not sent, mostly for safety."""


class Pace:
    """The pace of a run, the same for all threads that send."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        #: Why nothing more is sent, once that is so.
        self.stopped: str | None = None
        #: How many requests are waiting for their response, and how many have been sent, those included.
        self.under_way = self._sent = 0
        self._began = time.monotonic()
        #: Until when (monotonic) the server asked for no requests, and how long the run has waited so far, in seconds.
        self._closed_until = self._waited = 0.0
        #: When (monotonic) our own rate allows the next request.
        self._next_turn = 0.0
        self._aborted = threading.Event()
        self._lock = threading.Lock()

    def stop(self, reason: str) -> Stopped:
        """Send nothing from now on; return the exception to raise."""
        self.stopped = self.stopped or reason
        return Stopped(self.stopped)

    def abort(self, reason: str) -> None:
        """Send nothing from now on, and wait no longer."""
        self.stop(reason)
        self._aborted.set()

    @property
    def aborted(self) -> bool:
        """Whether the sending was broken off."""
        return self._aborted.is_set()

    def wait(self, seconds: float) -> None:
        """Return after so many seconds, or as soon as the sending is broken off."""
        self._aborted.wait(seconds)

    @property
    def requests_left(self) -> float:
        """How many more requests may be sent."""
        return inf if self._limits.requests is None else self._limits.requests - self._sent

    @property
    def seconds_left(self) -> float:
        """How many seconds of the run are left."""
        return max(0.0, self._began + self._limits.run_seconds - time.monotonic())

    def again(self) -> None:
        """Wait until a request may be sent that goes out once more, and count it; raise `Stopped` as `begin` does."""
        self.begin()
        self.end()

    def begin(self) -> None:
        """Wait until the next request may be sent, and count it; raise `Stopped` if no more may be sent."""
        while True:
            if self.stopped:
                raise Stopped(self.stopped)
            if self.seconds_left <= 0:
                raise self.stop(UsedUp("the time of the run is used up (--max-seconds)"))
            if (seconds := self._seconds_to_wait()) <= 0:
                return
            self.wait(min(seconds, self.seconds_left + SURELY))

    def wait_for_others(self, seconds: float) -> None:
        """Return once no request is under way, or after so many seconds."""
        until = time.monotonic() + seconds
        while self.under_way and time.monotonic() < until and not self.aborted:
            self.wait(SURELY)

    def end(self) -> None:
        """Note that a request waits for its response no longer."""
        with self._lock:
            self.under_way -= 1

    def _seconds_to_wait(self) -> float:
        """Return how many seconds the next request has to wait; if none, count it, or raise `Stopped`."""
        with self._lock:
            if self._limits.requests is not None and self._sent >= self._limits.requests:
                budget = f"the budget of {self._limits.requests} requests is used up (--max-requests)"
                raise self.stop(UsedUp(budget))
            now = time.monotonic()
            seconds = max(self._closed_until, self._next_turn) - now
            if seconds > 0:
                return seconds
            if self._limits.rate:
                self._next_turn = now + 1 / self._limits.rate
            self._sent += 1
            self.under_way += 1
            return 0.0

    def pause(self, seconds: float) -> None:
        """Hold back all requests for a moment."""
        with self._lock:
            self._closed_until = max(self._closed_until, time.monotonic() + seconds)

    def allow_waiting(self, seconds: float) -> None:
        """Let the run wait for the server's rate limits so many seconds more than its limits say."""
        self._limits = replace(self._limits, waiting_seconds=self._limits.waiting_seconds + seconds)

    def allow_requests_for_a_limit(self) -> None:
        """Let the run send as many requests more as its limits say."""
        limits = self._limits
        if limits.requests is not None:
            more = limits.requests + limits.requests_for_a_limit
            self._limits = replace(limits, requests=more, requests_for_a_limit=0)

    def obey_retry_after(self, e: Exchange[A], least: float = 0.0) -> None:
        """Hold back all requests until a Retry-After has passed; stop if the run may not wait for so long."""
        with self._lock:
            seconds = max(seconds_asked(e), least)
            if not self._close_for(seconds):
                self.stop(self.put_off(e, seconds))

    def put_off(self, e: Exchange[A], seconds: float, whom: str = "") -> PutOff:
        """Return why a run does not wait as the server asks it to."""
        waited = f" after {self._waited:.0f} s of waiting" if self._waited >= 1 else ""
        return PutOff(
            f"the server asks {whom}for a wait of {seconds:.0f} s{waited}, and a run waits for at most "
            f"{self._limits.waiting_seconds:g} seconds in all (Retry-After with {e.status}; --max-wait)"
        )

    def may_wait(self, seconds: float) -> bool:
        """Whether the run may wait for so many seconds more."""
        return self._waited + self._more(seconds, time.monotonic()) <= self._limits.waiting_seconds

    def _more(self, seconds: float, now: float) -> float:
        """Return for how many seconds more than they are anyhow requests are held back by a wait that begins now."""
        return max(seconds - max(self._closed_until - now, 0.0), 0.0)

    def wait_for_the_server(self, seconds: float) -> bool:
        """Hold back all requests for so many seconds, if the run may wait for so long; return whether it may."""
        with self._lock:
            return self._close_for(seconds)

    def obey_remaining(self, e: Exchange[A], others: int) -> None:
        """Hold back all requests until the rate limit resets, if a response says that it is used up.

        It is, if no more requests remain than are under way, since the server may not have counted those, or than
        `others` were when this one was sent, since those may just have ended, and as many follow. If the wait
        would be longer than the run may wait, requests go on until the server responds with 429.
        """
        remaining = leading_number(e.header("x-ratelimit-remaining"))
        if remaining is None or e.status == 429:
            return
        now = e.server_time
        reset = reset_moment(e.header("x-ratelimit-reset") or "", now)
        with self._lock:
            if reset is not None and remaining <= max(self.under_way, others):
                self._close_for(max((reset - now).total_seconds(), 0.0))

    def _close_for(self, seconds: float) -> bool:
        """Hold back all requests for so many seconds, if the run may wait for so long; return whether it may."""
        if not self.may_wait(seconds):
            return False
        now = time.monotonic()
        self._waited += self._more(seconds, now)
        self._closed_until = max(now + seconds, self._closed_until)
        return True


def leading_number(text: str | None) -> int | None:
    """Return the integer at the beginning of a header field, or None if there is none.

    Some gateways list their policies after it (`60, 60;w=60`, or `60;w=60`), and if two of them limit the rate, there
    are two values.
    """
    text = re.split("[,;]", text or "")[0].strip()
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else None


def retry_after(e: Exchange[A]) -> float | None:
    """Return how many seconds a response asks to wait, None if it does not ask.

    A date is taken for the end of its second, since servers leave the fraction of the moment that they mean out.
    """
    text = e.header("retry-after")
    seconds = retry_after_seconds(text, e.server_time)
    return seconds if seconds is None or (text or "").strip().isdecimal() else seconds + 1.0


def seconds_asked(limited: Exchange[A]) -> float:
    """Return how many seconds a response asks to wait: one, as a patient client would, without a usable Retry-After."""
    seconds = retry_after(limited)
    return max(seconds if seconds is not None else 1.0, 0.05)
