"""Every requirement of the ledger as one pytest item: `pytest -v` reads as the ledger."""

import pytest

from hostup_conformance.contract.server_verdict import server_requirements
from hostup_conformance.front.run import Run
from hostup_conformance.judging.ledger import Requirement
from hostup_conformance.reports.terminal import finding_lines


@pytest.mark.parametrize("requirement", server_requirements().values(), ids=list(server_requirements()))
def test_requirement(
    requirement: Requirement,
    conformance: Run,
    request: pytest.FixtureRequest,
) -> None:
    """Show the outcome of one requirement, from the verdict on all exchanges."""
    entry = conformance.items[requirement.id]
    # Not by the fixture for it, which goes with -p no:junitxml.
    request.node.user_properties += ((name, entry[name]) for name in ("level", "status", "source"))
    if entry["status"] in {"fail", "error"}:
        pytest.fail("\n".join(finding_lines(entry)), pytrace=False)
    if entry["status"] in {"skip", "disabled"}:
        pytest.skip(entry["message"])
