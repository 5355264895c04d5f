"""Sends requests one by one, again where that may help, and records each as an exchange.

It must not know what a request is about: a classifier tells it, and a policy decides what may be sent.
"""

import threading
import time
from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from contextlib import ExitStack, suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import Generic

from hostup_conformance.http.bodies import Memory, TooLarge
from hostup_conformance.http.connections import Connections, NoResponse
from hostup_conformance.http.crowding import Crowding
from hostup_conformance.http.exchange import ALONE, A, Classifier, Exchange
from hostup_conformance.http.limits import Limits
from hostup_conformance.http.messages import Request
from hostup_conformance.http.pace import Pace, Stopped, Unsent, Withheld, retry_after, seconds_asked
from hostup_conformance.http.route import DIRECT, Route
from hostup_conformance.keeping.safe_text import counted

#: The longest Retry-After, in seconds, that is waited for before a request that the run can do without.
WAIT_IF_DISPENSABLE = 5.0
#: Why such a request is not sent, or one whose like the server does not want for longer than a run waits.
SHUT_OUT = "the server asked to wait with requests of this kind, and the run can do without them"
#: How long a request waits at least, in seconds, that was limited again after it had waited as told.
A_SECOND = 1.0
#: For how many seconds requests wait for those that are to be sent together with them.
READY = 1.0
#: How many times as long as the slowest response a request may take once several have timed out, and which part of the
#: limit that the first had.
PATIENT, LATER = 4.0, 0.15


#: Raises `Withheld` for a request that must not be sent, given what it asks for and the exchanges before it.
Policy = Callable[[Request, A, Sequence[Exchange[A]]], None]
#: Whether a response is a failure that may be transient: that of a gateway while its server restarts, for instance.
Transient = Callable[[Exchange[A]], bool]


class Wire(Generic[A]):
    """The one way to the server at a base URL. It records every exchange."""

    def __init__(
        self,
        base_url: str,
        limits: Limits,
        classify: Classifier[A],
        policy: Policy[A],
        transient: Transient[A] = lambda _: False,
        route: Route = DIRECT,
        pace: Pace | None = None,
    ) -> None:
        self.base_url, self.limits = base_url, limits
        self.exchanges: list[Exchange[A]] = []
        self.pace = pace or Pace(limits)
        self._connections = Connections(base_url, route, Memory(limits, self.pace.stop), self.pace.again)
        self._classify, self._policy, self._transient = classify, policy, transient
        #: How many requests in a row got no response, how many timed out, and how many of each kind.
        self._failures = self._timeouts = 0
        self._hung = Counter[Hashable]()
        #: Until when (monotonic) the server asked for none of what the run can do without, by who sends it.
        self._closed_until = dict[Hashable, float]()
        #: Why no more is sent of those whom the server asked to wait for longer than the run may, by who sends it.
        self._shut_out = dict[Hashable, str]()
        #: How many seconds the slowest response took.
        self._slowest = 0.0
        #: How many requests in a row have failed for good, and whether any request has worked.
        self._lasting, self._worked = 0, False
        #: Whether no connection is kept open for what is sent once.
        self._sparing = False
        #: Whether requests wait for the end of other connections.
        self._crowding = Crowding()
        #: The requests under way, with the greatest number of connections that were kept open meanwhile.
        self._under_way = set[Exchange[A]]()
        #: By which methods requests with content had a connection of their own.
        self._apart = set[str]()
        #: Whether requests are sent one at a time, since the server could not take several.
        self.one_at_a_time = False
        self._one = threading.Lock()
        self._lock = threading.Lock()

    @property
    def stopped(self) -> str | None:
        """Why nothing more is sent, once that is so."""
        return self.pace.stopped

    @property
    def cut(self) -> str | None:
        """Why not all was sent, if nothing more is, or nothing more of those who were to wait for too long."""
        return self.stopped or next(iter(self._shut_out.values()), None)

    def stop(self, reason: str) -> Stopped:
        """Send nothing from now on; return the exception to raise."""
        return self.pace.stop(reason)

    def close(self) -> None:
        """Close all connections."""
        self._connections.close()

    def close_idle_connections(self) -> None:
        """Close the connections that are kept open, while no request is under way.

        Each may occupy a worker of the server, and one with few workers would keep new connections waiting. So what is
        sent once has connections of its own from now on.
        """
        self._sparing = True
        self._connections.close_idle()

    def abort(self, reason: str) -> None:
        """Send nothing from now on, and break off the requests that are under way: they count as not sent."""
        self.pace.abort(reason)
        self._connections.abort()

    def check(self, request: Request) -> A:
        """Return what a request asks for; raise `Withheld` if the policy does not allow it."""
        ask = self._classify(request, self.exchanges)
        self._policy(request, ask, self.exchanges)
        return ask

    def record(self, exchange: Exchange[A]) -> None:
        """Number an exchange and add it to the others."""
        with self._lock:
            exchange.number = len(self.exchanges) + 1
            self.exchanges.append(exchange)

    def send(
        self,
        request: Request,
        *,
        purpose: str,
        source: str = "probe",
        once: bool = False,
        together: threading.Barrier | None = None,
    ) -> Exchange[A]:
        """Send a request and return its exchange; of several sent `together`, each when all of them may be sent.

        Unless `once`, it is sent again after a 429 that it did not order, and after a failure that may be transient.
        The next request, in whichever thread, obeys a Retry-After that came with either, or with a 503 for what is
        not known to be unavailable.

        Raises:
            Stopped: a bound of the run is reached
            Withheld: the request is not safe, such requests hang, or the run does without it
        """
        draft = Exchange(0, request, None, self.check(request), purpose=purpose, source=source)
        if self._hung[draft.kind] >= self.limits.alike:
            raise Withheld("several requests of this kind got no whole response in time")
        closed_until = max(self._closed_until.get(who, 0.0) for who in draft.ask.held_back_with)
        closed = draft.ask.dispensable and time.monotonic() < closed_until
        if closed or draft.ask.limited_like in self._shut_out:
            raise Withheld(SHUT_OUT)
        if once:
            exchange = self._send_once(draft, once=True, together=together)
            if exchange.limited and not self._shuts_out(exchange):
                self.pace.obey_retry_after(exchange)
            return exchange
        failed: list[Exchange[A]] = []
        while self._may_pass(exchange := self._send_in_turn(draft)):
            failed.append(exchange)
            if not self._pause(exchange, len(failed)):
                self._give_up(exchange)
                return exchange
        for failure in failed:
            failure.recovered = exchange.response is not None
        if exchange.response:
            self._worked, self._lasting = True, 0
        return exchange

    def try_to_send(self, request: Request, *, purpose: str, source: str = "probe") -> Exchange[A] | None:
        """As `send`; return None for what is not sent."""
        with suppress(Unsent):
            return self.send(request, purpose=purpose, source=source)
        return None

    def _may_pass(self, exchange: Exchange[A]) -> bool:
        """Whether the same request may be sent again, and might then get another response."""
        if exchange.lost == "refused":
            return True
        passing = exchange.lost == "dropped" or self._transient(exchange) or self._crowding.explains(exchange)
        return exchange.ask.repeatable and passing

    def _pause(self, exchange: Exchange[A], failures: int) -> bool:
        """Let nobody send for a moment, so that a failure may pass; return whether that is worth it."""
        most = 1 if exchange.lost in {"dropped", "silent"} else len(self.limits.pauses)
        if failures > most or self._lasting > 1 or self.stopped:
            return False
        self.pace.pause(self.limits.pauses[failures - 1])
        return True

    def _give_up(self, exchange: Exchange[A]) -> None:
        """Note that a request failed for good; end the run if the server has shown nothing but failures."""
        self._lasting += 1
        if exchange.lost == "refused":
            self.stop("the server does not accept connections")
        elif self._lasting > 1 and not self._worked:
            self.stop(f"every request got {f'status {exchange.status}' if exchange.status else 'no response'}")

    def _send_in_turn(self, draft: Exchange[A]) -> Exchange[A]:
        """Send a request, and again while it gets a 429 that it did not order."""
        times, in_turn = 0, False
        with ExitStack() as held:
            while True:
                if self.one_at_a_time and not in_turn:
                    # Whoever has to wait keeps its turn, or it would meet the next 429 whenever another was first.
                    held.enter_context(self._one)
                    in_turn = True
                exchange = self._send_once(draft)
                if not exchange.limited:
                    return exchange
                times += 1
                self._check_patience(exchange, times)
                # What was refused although it waited as told waits longer: the limit may have been rounded down to 0 s.
                self.pace.obey_retry_after(exchange, least=A_SECOND if times > 1 else 0.0)

    def _check_patience(self, exchange: Exchange[A], times: int) -> None:
        """Raise `Withheld` or `Stopped` if a request that got 429 so many times is not to be sent again."""
        asked = retry_after(exchange) is not None
        waited = "although each was waited out" if asked else "without Retry-After; a second was waited each time"
        limited = f"the server responded 429 to one request {counted(times, 'time')}, {waited}"
        enough = times > self.limits.repetitions
        if exchange.ask.dispensable and (enough or seconds_asked(exchange) > WAIT_IF_DISPENSABLE):
            self._closed_until[exchange.ask.limited_like] = time.monotonic() + seconds_asked(exchange)
            raise Withheld(limited)  # the run can do without it
        if enough:
            raise self.stop(limited)
        if self._shuts_out(exchange):
            raise Withheld(SHUT_OUT)

    def _shuts_out(self, limited: Exchange[A]) -> bool:
        """Whether no more is sent of those who sent this, since they are to wait for longer than the run may.

        They are noted here, unless the run needs them.
        """
        who, seconds = limited.ask.limited_like, seconds_asked(limited)
        if not limited.ask.needed and not self.pace.may_wait(seconds):
            self._shut_out.setdefault(who, self.pace.put_off(limited, seconds, "some callers "))
        return who in self._shut_out

    def _send_once(
        self, draft: Exchange[A], *, once: bool = False, together: threading.Barrier | None = None
    ) -> Exchange[A]:
        """Send a request when its time has come, record the exchange, and heed what the response says of waiting."""
        self.pace.begin()
        if together:
            with suppress(threading.BrokenBarrierError):  # one of them may not be sent at all
                together.wait(READY)
        others = self.pace.under_way - 1
        try:
            exchange = self._exchange(draft, once=once)
        finally:
            self.pace.end()
        transient = self._transient(exchange)
        refused = exchange.lost in {"refused", "dropped", "silent"} or exchange.status == 429 or transient
        if refused and not exchange.obeyed and not once and (others or self.pace.under_way):
            self.one_at_a_time = True  # it may have failed because others were under way
        if self.pace.aborted and exchange.response is None:
            raise Stopped(self.stopped or "")
        self.record(exchange)
        if not once:
            self.pace.obey_remaining(exchange, others)
        may_wait = (transient or exchange.status == 503) and not exchange.ask.unavailable
        if may_wait and not exchange.obeyed and retry_after(exchange) is not None:
            self.pace.obey_retry_after(exchange)
        return exchange

    def _exchange(self, draft: Exchange[A], *, once: bool) -> Exchange[A]:
        """Send a request once, and return what came as an exchange without a number."""
        request, has_content = draft.request, bool(draft.request.body)
        # A server that does not read the content of a request takes it for the next one (RFC 9112, section 9.3).
        exchange = replace(draft, followed=self._may_be_unread(request))
        apart = draft.aside or exchange.followed
        # A request on a kept connection may get lost and have to be sent again, which not every request may be.
        # What follows a response to HEAD that has a body, though it may have none, is no response to the next request.
        spoils = has_content or request.method == "HEAD"
        reuse = draft.ask.repeatable and not spoils and not (once and self._sparing) and draft.source != ALONE
        others = self.pace.under_way - 1
        if self._crowding.is_tried and not draft.ask.repeatable:
            # What cannot be sent again is not what it is tried with.
            self._connections.close_idle(apart=False if apart else None)
        before = self._connections.kept_open()
        exchange.beside_open = len(before)
        with self._lock:  # another request may be at its end, and look at all of them
            self._under_way.add(exchange)
        longest, seconds, began = draft.ask.longest_body, self._seconds, time.monotonic()
        exchange.when = datetime.now(UTC)  # after the other clock: the response came no later than the two together say
        try:
            exchange.response = self._connections.fetch(request, seconds, longest, reuse=reuse, apart=apart)
        except TooLarge as error:
            exchange.too_large = str(error)
        except NoResponse as error:
            exchange.failure, exchange.lost = str(error), error.lost
            if not self.pace.aborted:
                self._count_failure(error, exchange)
        exchange.seconds = time.monotonic() - began
        self._connections.responded |= exchange.failure is None
        with self._lock:
            after = self._connections.kept_open()
            for e in self._under_way:
                e.beside_open = max(e.beside_open, len(after))
            self._under_way.remove(exchange)
            if draft.aside or not (self._connections.opened_one or exchange.lost == "refused"):
                exchange.beside_open = 0
            elif not exchange.is_long:  # it may have been served at once since another was closed
                exchange.beside_open = len(before & after)
            kept = self._crowding.look(exchange, len(self.exchanges), others=max(others, self.pace.under_way - 1))
        if kept is not None:
            self._connections.keep(kept)
        if exchange.response:
            self._failures, self._slowest = 0, max(self._slowest, exchange.seconds)
            self._hung.pop(exchange.kind, None)
        return exchange

    @property
    def is_failing(self) -> bool:
        """Whether several requests in a row got no response: two of which any timed out, or more."""
        few = 2 if self._timeouts else 4
        return few <= self._failures and not self.stopped

    def _may_be_unread(self, request: Request) -> bool:
        """Whether a request is the first of its method with content that a server may leave unread.

        That of a GET means nothing, and what has no credentials may be refused before its content comes.
        """
        if not request.body or (request.method != "GET" and request.header("authorization") is not None):
            return False
        with self._lock:
            first = request.method not in self._apart
            self._apart.add(request.method)
        return first

    @property
    def _seconds(self) -> float:
        """How long the next request may take: no longer than a moment after the end of the run."""
        limits = self.limits
        if self._timeouts >= limits.alike:
            later = max(limits.later_seconds, LATER * limits.request_seconds)
            seconds = min(limits.next_seconds, max(later, PATIENT * self._slowest))
        elif self._timeouts:
            seconds = limits.next_seconds
        else:
            seconds = max(limits.request_seconds, 0.0 if self._connections.responded else limits.first_seconds)
        return min(seconds, self.pace.seconds_left + limits.request_seconds_at_the_end)

    def _count_failure(self, error: NoResponse, exchange: Exchange[A]) -> None:
        """Count a failure; stop if it was one too many, or if all others would fail as well."""
        with self._lock:
            self._failures += error.lost != "refused"
            self._timeouts += error.timed_out
            self._hung[exchange.kind] += error.timed_out
        if error.lost in {"tls", "proxy"}:
            self.stop(str(error))
        if self._failures >= self.limits.failures:
            self.stop_failing()
        if self._timeouts >= self.limits.timeouts:
            self.stop(f"{self._timeouts} requests got no whole response in time")

    def stop_failing(self) -> None:
        """Send nothing from now on, since requests get no response."""
        self.stop(f"{self._failures} requests in a row got no whole response")
