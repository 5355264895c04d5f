"""The variants: correct servers that differ from the mock in what the contract leaves free.

No rule may fail on one, and only those that `@allowed(warns={...})` names may warn. The docstring says how the server
differs.
"""

from collections.abc import Callable
from dataclasses import dataclass

from faults.probe import refuse
from hostup_conformance.judging.catalogue import Catalogue
from stage import Change, Request, Response


@dataclass(frozen=True)
class Variant:
    """A correct server, and which SHOULDs it chose not to follow."""

    name: str
    warns: frozenset[str]
    change: Change
    doc: str
    #: Whether it shows only where commands are started.
    starts: bool = False


VARIANTS: Catalogue[Variant] = Catalogue(__name__, "variant")


def allowed(*, warns: set[str] | frozenset[str] = frozenset(), starts: bool = False) -> Callable[[Change], Change]:
    """Register a variant, with the requirements that warn of it."""

    def register(change: Change) -> Change:
        name = change.__name__
        assert change.__doc__, name
        VARIANTS.add(name, Variant(name, frozenset(warns), change, change.__doc__, starts))
        return change

    return register


def is_ended(response: Response) -> bool:
    """Whether it is the output of the command that has ended."""
    return response.is_output and response.json["exited"] is True


def payload(request: Request, response: Response) -> bytes:
    """Return the body as it may be sent: none for HEAD."""
    return b"" if request.method == "HEAD" or response.status in {204, 304} else response.body


def invalid(request: Request, response: Response, pointer: str) -> None:
    """Become a 400 that names one parameter."""
    refuse(request, response, 400, "invalid_request", "Invalid request")
    response.change(errors=[{"pointer": pointer, "detail": "It has the wrong form.", "code": "invalid_request"}])
