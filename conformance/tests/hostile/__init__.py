"""The hostile servers: what no server should send, a function that gives it in the place of the correct response.

`@hostile()` registers one; the docstring says what it does. A run against any of them ends by itself in time, in a
bounded memory, with its reports and no traceback, and shows no key. Where a server is odd and yet correct, `verdict`
says so; what it says of others is up to the rules.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from hostup_conformance.judging.catalogue import Catalogue

from hostile.server import Behaviour

#: What a run may say of a server that is not correct.
BAD = frozenset({"not_conformant", "not_demonstrated"})
CORRECT = frozenset({"conformant"})
#: Of what is no HTTP server: it shows nothing of the server that is meant.
NOT_HTTP = frozenset({"not_demonstrated"})
ANY = BAD | CORRECT


@dataclass(frozen=True)
class Hostile:
    """One hostile server."""

    name: str
    behave: Behaviour
    doc: str
    verdicts: frozenset[str]
    #: Whether the VPS is to be looked up, so that the first requests are those of the look-up; a run may then end
    #: before it has begun (exit 4).
    lookup: bool = False
    #: Whether the keys hold characters that need an escape.
    special_keys: bool = False
    #: Whether it is so quick that `make test` includes it.
    quick: bool = False
    #: Whether the run may start commands there.
    commands: bool = False


HOSTILE_SERVERS: Catalogue[Hostile] = Catalogue(__name__, "hostile server")


def hostile(
    verdicts: frozenset[str] = BAD,
    *,
    lookup: bool = False,
    special_keys: bool = False,
    quick: bool = False,
    commands: bool = False,
) -> Callable[[Behaviour], Behaviour]:
    """Register a hostile server; with `lookup` a second time, for a run that has to look up a VPS there."""

    def register(behave: Behaviour) -> Behaviour:
        name = behave.__name__
        assert behave.__doc__, name
        server = Hostile(name, behave, behave.__doc__, verdicts, False, special_keys, quick, commands)
        HOSTILE_SERVERS.add(name, server)
        if lookup:
            second = replace(server, name=f"{name}_at_the_look_up", lookup=True, quick=False)
            HOSTILE_SERVERS.add(second.name, second)
        return behave

    return register
