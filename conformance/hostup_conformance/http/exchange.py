"""An exchange: one request and its response, and what the request asks for in the contract's terms."""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import wraps
from typing import Any, Generic, Literal, Protocol, TypeVar

from hostup_conformance.http.messages import Headers, Request, Response
from hostup_conformance.http.times import http_date


class Meaning(Protocol):
    """What the wire must know of what a request asks for; a contract's own class has more.

    As it stands, it says that nothing is ordered, repeated, done without or unavailable, and that no body is needed.
    """

    @property
    def ordered(self) -> int | None:
        """The status code that the request orders from a mock server (`Prefer: code=NNN`), if any."""
        return None

    @property
    def repeatable(self) -> bool:
        """Whether the request may be sent again if its response may have been lost."""
        return False

    @property
    def dispensable(self) -> bool:
        """Whether the run can do without a response to requests of this kind."""
        return False

    @property
    def needed(self) -> bool:
        """Whether a run is over that may send no more requests of those who send this one."""
        return True

    @property
    def limited_like(self) -> Hashable:
        """Who sends it, by what rate limits count: requests of all that are alike in it may be limited together."""
        return None

    @property
    def held_back_with(self) -> tuple[Hashable, ...]:
        """Of whom a limit holds the request back."""
        return (self.limited_like,)

    @property
    def served_like(self) -> tuple[Hashable, ...]:
        """What of the request decides, beside its method, whether it is served: all that are alike in it may hang."""
        return ()

    @property
    def unavailable(self) -> bool:
        """Whether the request is for what is known to be unavailable: its Retry-After is about that alone."""
        return False

    def longest_body(self, status: int) -> int:  # noqa: ARG002 - a contract's own class may need it
        """Return how many bytes the body of a response with a status can need."""
        return 0


A = TypeVar("A", bound=Meaning)
#: The source of a request that follows one with content on its connection, to see whether that content was read.
AFTER_CONTENT = "after content"
#: The source of a request that is sent again alone and on a new connection, as curl would send it.
ALONE = "alone"
#: How a request was lost: there was no connection (nothing listens, for instance); it was dropped before the first byte
#: of a response; TLS, or a proxy, failed; nothing came in time; or what came is not HTTP.
Lost = Literal["refused", "dropped", "tls", "proxy", "silent", "foreign"]
#: A request that takes so many seconds may have waited for the end of another connection.
QUEUED = 0.9
#: The ways that may pass, as while a server restarts.
MAY_PASS: set[Lost | None] = {"refused", "dropped", "tls", "proxy"}


@dataclass(frozen=True)
class Decoded:
    """What a client made of a response: the value that it returned, as JSON, or the exception that it raised."""

    value: Any = None
    raised: str | None = None


@dataclass(eq=False)
class Exchange(Generic[A]):
    """One request with its response, or with the failure that came instead."""

    number: int
    request: Request
    response: Response | None
    ask: A
    #: Why there is no complete response.
    failure: str | None = None
    #: Why the response was not kept, if it was larger than any response of its kind need be.
    too_large: str | None = None
    #: How the connection failed, if it failed before the first byte of a response.
    lost: Lost | None = None
    #: Whether the failure was transient: the same request got another response when it was sent again.
    recovered: bool = False
    #: Duration in seconds.
    seconds: float = 0.0
    #: When the request was sent.
    when: datetime | None = None
    #: Why the request was sent, in the words of its source.
    purpose: str = ""
    #: The source that made it.
    source: str = "probe"
    #: Whether it had a connection of its own, on which another request follows to see whether its content was read.
    followed: bool = False
    #: Beside how many open connections it opened one; 0 if it did not, or if none is kept.
    beside_open: int = 0
    #: What the generated client made of the response, if it sent the request.
    decoded: Decoded | None = None
    #: What was decided once about it (`decided_once`), by what decided it.
    decisions: dict[Hashable, Any] = field(default_factory=dict, init=False, repr=False)

    @property
    def is_long(self) -> bool:
        """Whether it may have waited for the end of another connection."""
        return self.lost == "silent" or self.seconds >= QUEUED

    @property
    def broke_off(self) -> bool:
        """Whether it failed after the beginning of a response, which may have had an effect."""
        return bool(self.failure) and self.lost is None

    @property
    def kind(self) -> tuple[Hashable, ...]:
        """What of the request decides whether it is served: all of a kind may hang."""
        return self.request.method, *self.ask.served_like

    @property
    def status(self) -> int | None:
        """The status code of the response."""
        return self.response.status if self.response else None

    def header(self, name: str) -> str | None:
        """Return the first response header field of that name, or None; also None if no response came."""
        return self.response.header(name) if self.response else None

    @property
    def server_time(self) -> datetime:
        """When the server responded: by its Date, since its other dates are made with that clock, or else by ours."""
        return http_date(self.header("date") or "") or self.when or datetime.now(UTC)

    @property
    def body(self) -> Any:
        """The value of the JSON body, or None."""
        return self.response.json.value if self.response else None

    @property
    def aside(self) -> bool:
        """Whether another request may have spoilt the response, so that it says nothing about its own."""
        return self.source == AFTER_CONTENT

    @property
    def obeyed(self) -> bool:
        """Whether the response was ordered, and so says nothing about how the server understood the request."""
        return self.ask.ordered is not None and self.status == self.ask.ordered

    @property
    def limited(self) -> bool:
        """Whether it got a 429 that it did not order."""
        return self.status == 429 and not self.obeyed


def mark_recovered(exchanges: Sequence[Exchange[A]], transient: Callable[[Exchange[A]], bool]) -> None:
    """Mark each failure after which the same request got a response; `transient` says which failures count."""
    good: set[tuple[str, str, Headers, bytes]] = set()
    for e in reversed(exchanges):
        key = (e.request.method, e.request.target, e.request.headers, e.request.body)
        if e.lost in MAY_PASS or transient(e):
            e.recovered = key in good
        elif e.response is not None:
            good.add(key)


R = TypeVar("R")


def decided_once(decide: Callable[[Exchange[A]], R]) -> Callable[[Exchange[A]], R]:
    """Decide something once for each exchange: it is asked of all of them again, with each request that is sent."""

    @wraps(decide)
    def known(e: Exchange[A]) -> R:
        try:
            decided: R = e.decisions[decide]
        except KeyError:
            decided = e.decisions[decide] = decide(e)
        return decided

    return known


#: Says what a request asks for, given the exchanges before it.
Classifier = Callable[[Request, Sequence[Exchange[A]]], A]
