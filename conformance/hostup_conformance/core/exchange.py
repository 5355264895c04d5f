"""An exchange: one request and its response, and what the request asks for in the contract's terms."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, Literal, Protocol, TypeVar

from hostup_conformance.core.messages import Headers, Request, Response

if TYPE_CHECKING:
    from datetime import datetime


class Asked(Protocol):
    """What core must know of what a request asks for; a contract's own class has more."""

    @property
    def ordered(self) -> int | None:
        """The status code that the request orders from a mock server (`Prefer: code=NNN`), if any."""

    @property
    def repeatable(self) -> bool:
        """Whether the request may be sent again if its response may have been lost."""

    @property
    def dispensable(self) -> bool:
        """Whether the run can do without a response to requests of this kind."""

    def longest_body(self, status: int) -> int:
        """Return how many bytes the body of a response with a status can need."""


A = TypeVar("A", bound=Asked)
#: There was no connection, since nothing listens, for instance; it was dropped before a byte of a response; or TLS did
#: not come about.
Lost = Literal["refused", "dropped", "tls", "proxy"]


@dataclass(frozen=True)
class Decoded:
    """What a client made of a response: the value that it returned, as JSON, or the exception that it raised."""

    value: Any = None
    raised: str | None = None


@dataclass
class Exchange(Generic[A]):
    """One request with its response, or with the failure that came instead."""

    number: int
    request: Request
    response: Response | None
    ask: A
    #: Why no complete response came.
    failure: str | None = None
    #: Why the response was not kept, where it was larger than its kind can need.
    too_large: str | None = None
    #: How the connection failed before a byte of a response came, where it did.
    lost: Lost | None = None
    #: Whether it failed for a moment: the same request got another response when it was sent again.
    recovered: bool = False
    #: How long it took, in seconds.
    seconds: float = 0.0
    when: datetime | None = None
    #: The purpose of the request, in the words of its source.
    purpose: str = ""
    #: The source that made it.
    source: str = "probe"
    #: What the generated client made of the response, where the client sent the request.
    decoded: Decoded | None = None

    @property
    def status(self) -> int | None:
        """The status code of the response."""
        return self.response.status if self.response else None

    def header(self, name: str) -> str | None:
        """Return the first response header field of that name, or None; also None if no response came."""
        return self.response.header(name) if self.response else None

    @property
    def body(self) -> Any:
        """The value of the JSON body, or None."""
        return self.response.json.value if self.response else None

    @property
    def obeyed(self) -> bool:
        """Whether the response was ordered, so that it says nothing else about the request."""
        return self.ask.ordered is not None and self.status == self.ask.ordered


def mark_recovered(exchanges: Sequence[Exchange[A]], transient: Callable[[Exchange[A]], bool]) -> None:
    """Mark the failures that passed, given which ones may pass."""
    good: set[tuple[str, str, Headers, bytes]] = set()
    for e in reversed(exchanges):
        key = (e.request.method, e.request.target, e.request.headers, e.request.body)
        if e.lost or transient(e):
            e.recovered = key in good
        elif e.response is not None:
            good.add(key)


#: Says what a request asks for, given the exchanges before it.
Classifier = Callable[[Request, Sequence[Exchange[A]]], A]
