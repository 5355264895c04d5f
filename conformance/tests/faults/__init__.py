"""The faults: servers with one deliberate defect each, a function that changes the mock's responses.

`@trips("PROBE-03")` names the requirement that must notice; the docstring says what the server does wrong. One module
an area, as the rules have; the rule of a new MUST or SHOULD needs a new fault here, and nothing else. An OBSERVE has
none: it finds no fault.
"""

from collections.abc import Callable
from dataclasses import dataclass

from hostup_conformance.judging.catalogue import Catalogue
from hostup_conformance.judging.ledger import requirements
from stage import Change


@dataclass(frozen=True)
class Fault:
    """One deliberate defect."""

    name: str
    requirement: str
    change: Change
    doc: str
    #: Whether it keeps its clients waiting, so that a run with it wants a short time limit.
    hangs: bool = False
    #: Whether it shows only where commands are started.
    starts: bool = False


#: What is said where an OBSERVE is named.
OBSERVED = "an OBSERVE has no fault; show what it tells in conformance/tests/test_verdicts.py"
FAULTS: Catalogue[Fault] = Catalogue(__name__, "fault")


def trips(requirement: str, *, hangs: bool = False, starts: bool = False) -> Callable[[Change], Change]:
    """Register a fault, with the requirement that must notice it."""

    def register(change: Change) -> Change:
        name = change.__name__
        assert change.__doc__, name
        assert requirements()[requirement].level != "OBSERVE", f"{name}: {OBSERVED}"
        needs_start = starts or "--allow-exec" in requirements()[requirement].needs
        FAULTS.add(name, Fault(name, requirement, change, change.__doc__, hangs, needs_start))
        return change

    return register
