"""An exchange: one request and its response, and what the contract says that the request asks for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from hostup_conformance.core.messages import Request, Response

if TYPE_CHECKING:
    from datetime import datetime


class Asked(Protocol):
    """What core must know of what a request asks for; a contract's own class says more."""

    @property
    def ordered(self) -> int | None:
        """The status that the request orders of a mock server (`Prefer: code=NNN`), if any."""

    @property
    def repeatable(self) -> bool:
        """Whether the request may be sent again where its response may have been lost."""

    @property
    def dispensable(self) -> bool:
        """Whether the run can go on without a response to requests of this kind."""

    def longest_body(self, status: int) -> int:
        """Return how many bytes the body of a response with a status can need."""


A = TypeVar("A", bound=Asked)


@dataclass(frozen=True)
class Decoded:
    """What a client made of a response: the value that it returned, as JSON, or the exception that it raised."""

    value: Any = None
    raised: str | None = None


@dataclass
class Exchange(Generic[A]):
    """One request and its response, or the failure that came in its place."""

    number: int
    request: Request
    response: Response | None
    ask: A
    #: Why no whole response came.
    failure: str | None = None
    #: Why the response was not kept, where it was larger than its kind can need.
    too_large: str | None = None
    #: How long it took, in seconds.
    seconds: float = 0.0
    when: datetime | None = None
    #: What the request was for, as its source says.
    purpose: str = ""
    #: Which source made it.
    source: str = "probe"
    #: What the generated client made of the response, where the client sent the request.
    decoded: Decoded | None = None

    @property
    def status(self) -> int | None:
        """The status code of the response."""
        return self.response.status if self.response else None

    def header(self, name: str) -> str | None:
        """Return the first header field of that name, None also where no response came."""
        return self.response.header(name) if self.response else None

    @property
    def body(self) -> Any:
        """The value of the JSON body, or None."""
        return self.response.json.value if self.response else None

    @property
    def obeyed(self) -> bool:
        """Whether this response was ordered, and so says nothing about the request otherwise."""
        return self.ask.ordered is not None and self.status == self.ask.ordered


#: Says what a request asks for, given the exchanges before it.
Classifier = Callable[[Request, Sequence[Exchange[A]]], A]
