"""What the requests of all sources are made of: header fields, keys and steps. It sends nothing."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum, auto

from hostup_conformance import __version__
from hostup_conformance.contract.paths import path_of
from hostup_conformance.contract.target import SUITE, Target
from hostup_conformance.http.messages import Headers, Request

#: The header fields of the documentation's example. A content coding is only accepted if a step says so.
BASE_HEADERS: Headers = (
    ("Accept", "application/json"),
    ("Accept-Encoding", "identity"),
    ("User-Agent", f"{SUITE}/{__version__}"),
)
#: What a request says that accepts compressed bodies, as most HTTP libraries do.
CODED: Headers = (("Accept-Encoding", "gzip, deflate"),)
#: What a request says that rules gzip out (RFC 9110 section 12.5.3).
NOT_CODED: Headers = (("Accept-Encoding", "identity"),)


class Rank(IntEnum):
    """When a step is taken. Several of one rank may be under way at a time, unless they must be alone."""

    #: Shows how long responses take, which decides how many requests are under way at a time.
    WARMING = auto()
    #: The starts of those who must not start anything: first, since a server may allow only a few starts an hour.
    FORBIDDEN_STARTS = auto()
    #: Shows whether the endpoint works at all, or must come before the poll of the ended command.
    CORE = auto()
    #: The poll that gets the output of the ended command, and what follows it.
    ENDED = auto()
    #: Judges a requirement that no step before it judges, or else shows many faults of the catalogue.
    TELLING = auto()
    #: The last starts that must be refused. What tells whether their commands ran comes after them.
    REFUSED_STARTS = auto()
    #: All others; and the requests that depend on earlier responses.
    REST = auto()
    #: Requests of all kinds at once, in one order and in the other.
    BURST = auto()
    BACKWARDS = auto()


@dataclass(frozen=True)
class Step:
    """One deliberate request. `client` is set if the generated client makes it."""

    purpose: str
    request: Request
    #: What the target must support for the response to mean anything (see `target.CAPABILITIES`).
    capability: str | None = None
    client: "ClientCall | None" = None
    #: Its place among the telling steps, if it is one of them; of those with one purpose, that is the first.
    telling: int | None = None
    rank: Rank = Rank.REST

    @property
    def alone(self) -> bool:
        """Whether no other step may be under way with it."""
        return self.rank in {Rank.WARMING, Rank.ENDED}


@dataclass(frozen=True)
class ClientCall:
    """A call of the generated client, in place of a plain request."""

    vps: str
    pid: int | None
    ordered: int | None
    #: Set for the start of a command.
    command: str | None = None


@dataclass(frozen=True)
class Selection:
    """Which requests a run sends: all, or those that judge some requirements, and what these need."""

    #: Those of the chosen steps; None if all are chosen.
    purposes: frozenset[str] | None = None
    #: Whether commands are started, and whether there are requests that depend on earlier responses.
    with_commands: bool = True
    with_follow_ups: bool = True

    def of(self, steps: Iterable[Step]) -> list[Step]:
        """Return the selected steps. The first ones always belong to them: they show whether the endpoint works."""
        chosen = self.purposes
        return [step for step in steps if chosen is None or step.purpose in chosen or step.rank == Rank.WARMING]


EVERYTHING = Selection()


def authorization(target: Target, key: str | None = "") -> Headers:
    """Return Authorization with the full key, or with `key` if that is not empty; no field for None."""
    return () if key is None else (("Authorization", f"Bearer {key or target.key}"),)


def own_probe(target: Target) -> Request:
    """Return the probe of the VPS that is judged, as documented."""
    return authorized(path_of(target.vps), target)


def authorized(path: str, target: Target, headers: Headers = (), key: str | None = "") -> Request:
    """Return a GET with a key as for `authorization`; `headers` take the place of fields of the same names."""
    given = {name for name, _ in headers}
    usual = (pair for pair in BASE_HEADERS if pair[0] not in given)
    return Request("GET", path, (*usual, *headers, *authorization(target, key)))
