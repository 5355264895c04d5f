"""The rules: one pure function for each requirement, named after what it decides. They send nothing.

What a rule takes from `exchanges.each`, `ends`, `echoes` or `lives_of`, it judges; `exchanges.known` returns what only
helps to judge. `conformance/CONTRIBUTE.md` says all there is to know, with an example. A new area is a new module here.
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
