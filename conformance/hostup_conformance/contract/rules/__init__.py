"""The rules: one pure function for each requirement, named after what it decides. They send nothing.

To add one, write the requirement into `spec/requirements.yaml`, the function into the module of its area here, and a
fault that breaks it into `conformance/tests/faults/`. A new area is a new module here.

    @each("PROBE-03", is_availability)
    def availability_types(e: Exchange) -> Findings:
        if not isinstance(e.body.get("available", True), bool):
            yield "available is a boolean", e.body["available"]

`each` judges one exchange at a time, `across` all of a run together. The second argument selects the exchanges that
exercise the requirement: if there are none, its status is `skip`. If a rule has to see others too, which only help to
judge those, `exercised_by` returns the ones that count. `explain` shows the docstring under "rule".
"""

from __future__ import annotations

import pkgutil
from importlib import import_module
from typing import TypeAlias

from hostup_conformance.contract.ask import Ask
from hostup_conformance.contract.selectors import Selector
from hostup_conformance.contract.target import Target
from hostup_conformance.judging import rule as core
from hostup_conformance.judging.rule import Findings

__all__ = ["Findings", "FindingsAcross", "Selector", "across", "each", "rules"]

FindingsAcross: TypeAlias = core.FindingsAcross[Ask]
Rule: TypeAlias = core.Rule[Ask, Target]

_RULES: core.Rules[Ask, Target] = core.Rules()
each, across = _RULES.each, _RULES.across


def rules() -> dict[str, Rule]:
    """Return all rules by the id of their requirement."""
    for area in pkgutil.iter_modules(__path__):
        import_module(f"{__name__}.{area.name}")
    return _RULES.by_id
