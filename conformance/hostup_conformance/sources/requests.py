"""What the requests of all sources are made of: header fields, keys, steps and stages. It sends nothing."""

from __future__ import annotations

from dataclasses import dataclass

from hostup_conformance import __version__
from hostup_conformance.contract.target import Target
from hostup_conformance.http.messages import Headers, Request

#: The header fields of the documentation's example. A content coding is only accepted if a step says so.
BASE_HEADERS: Headers = (
    ("Accept", "application/json"),
    ("Accept-Encoding", "identity"),
    ("User-Agent", f"hostup-conformance/{__version__}"),
)


@dataclass(frozen=True)
class Step:
    """One deliberate request. `client` is set if the generated client makes it."""

    purpose: str
    request: Request
    #: What the target must support for the response to mean anything (see `target.CAPABILITIES`).
    capability: str | None = None
    client: ClientCall | None = None


@dataclass(frozen=True)
class ClientCall:
    """A call of the generated client, in place of a plain request."""

    vps: str
    pid: int | None
    ordered: int | None
    #: Set for the start of a command.
    command: str | None = None


@dataclass(frozen=True)
class Stage:
    """Steps that are sent one after the other or, unless `ordered`, several at a time."""

    steps: list[Step]
    ordered: bool = True
    burst: bool = False
    #: Whether the steps may be sent at the same time as those of the next stage.
    beside: bool = False
    #: Whether the requests that depend on earlier responses are sent with it.
    with_dependent: bool = False
    #: Whether it comes after the end of the commands that the run has started.
    at_the_end: bool = False
    #: Whether it has the last starts that must be refused, after which the guest can tell which of them ran.
    last_refused: bool = False


def authorization(target: Target, key: str | None = "") -> Headers:
    """Return Authorization with the full key, or with `key` if that is not empty; no field for None."""
    return () if key is None else (("Authorization", f"Bearer {key or target.key}"),)


def authorized(path: str, target: Target) -> Request:
    """Return a GET with the full key."""
    return Request("GET", path, (*BASE_HEADERS, *authorization(target)))
