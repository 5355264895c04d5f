"""Requests that schemathesis generates from the document, one pytest item an operation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import hypothesis
import schemathesis

from hostup_conformance.ledger import document

if TYPE_CHECKING:
    from hostup_conformance.session import Conformance

schema = schemathesis.openapi.from_dict(document())
# Other methods change things on a customer's machine; the probe sends them where it is safe.
schema.config.phases.coverage.unexpected_methods = set()


@schema.include(method="GET", path="/api/v2/vps/{id}/agent/exec").parametrize()
@hypothesis.settings(
    max_examples=20,
    deadline=None,
    database=None,
    derandomize=True,
    suppress_health_check=list(hypothesis.HealthCheck),
    phases=[hypothesis.Phase.explicit, hypothesis.Phase.generate],
)
def test_generated(case: schemathesis.Case[Any], conformance: Conformance) -> None:
    """Send a generated request; what comes is judged with the rest."""
    conformance.generated.send(case)
