"""The faults that neither a whole run is made with nor `test_selection.py` has: most faults of most requirements."""

import pytest
from faults import Fault
from test_selection import APART, LAST, assert_noticed_alone

# What is sent for each requirement shows one of its faults in `test_selection.py`: `make catalogue` runs the others.
pytestmark = pytest.mark.catalogue


@pytest.mark.parametrize(
    "fault", [pytest.param(fault, id=name) for name, fault in APART.items() if name not in LAST.values()]
)
def test_what_is_sent_for_a_requirement_shows_its_further_faults(fault: Fault) -> None:
    assert_noticed_alone(fault)
