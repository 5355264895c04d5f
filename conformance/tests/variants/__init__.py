"""The variants: correct servers that differ from the mock in what the contract leaves free.

No rule may fail on one, and only those that `@allowed(warns={...})` names may warn. The docstring says how the server
differs.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module

from faults.probe import refuse
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


_VARIANTS: dict[str, Variant] = {}


def allowed(*, warns: set[str] | frozenset[str] = frozenset(), starts: bool = False) -> Callable[[Change], Change]:
    """Register a variant, with the requirements that warn of it."""

    def register(change: Change) -> Change:
        name = change.__name__
        assert name not in _VARIANTS, name
        assert change.__doc__, name
        _VARIANTS[name] = Variant(name, frozenset(warns), change, change.__doc__, starts)
        return change

    return register


def variants() -> dict[str, Variant]:
    """Return all variants by name."""
    for module in pkgutil.iter_modules(__path__):
        import_module(f"variants.{module.name}")
    return _VARIANTS


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
