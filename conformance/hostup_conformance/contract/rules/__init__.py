"""The rules: one pure function for each requirement, named after what it decides. They send nothing.

To add one, write the requirement into `spec/requirements.yaml`, the function into the module of its area here, and a
fault that breaks it into `conformance/tests/faults/`. A new area is a new module here.

    @rule("PROBE-03")
    def availability_types(exchanges: Exchanges) -> Findings:
        for e in exchanges.each(selectors.is_availability):
            if not isinstance(e.body.get("available", True), bool):
                yield e, "available is a boolean", e.body["available"]

What a rule takes from `exchanges.each`, `ends` or `echoes`, it judges: if there is nothing to take, the status of the
requirement is `skip`, and `seeks` says what there was none of. `exchanges.all` returns what only helps to judge. Of
several selectors, each must select an exchange. `explain` shows the docstring under "rule".
"""

from typing import TypeAlias

from hostup_conformance.contract.ask import Ask
from hostup_conformance.contract.exchanges import Exchanges
from hostup_conformance.judging import rule as core

__all__ = ["Exchanges", "Findings", "rule", "rules"]

Findings: TypeAlias = core.Findings[Ask]
Rule: TypeAlias = core.Rule[Exchanges]

_RULES: core.Rules[Exchanges] = core.Rules(__name__, "rule")
rule = _RULES.rule


def rules() -> dict[str, Rule]:
    """Return all rules by the id of their requirement."""
    return _RULES.all()
