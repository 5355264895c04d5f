"""Requests that schemathesis generates from the document, one pytest item an operation."""

from typing import Any

import hypothesis
import pytest
import schemathesis
from schemathesis.specs.openapi.schemas import OpenApiSchema

from hostup_conformance.contract.oracles import operation
from hostup_conformance.contract.paths import ENDPOINT
from hostup_conformance.front.run import Run
from hostup_conformance.sources import linked

schema: OpenApiSchema = operation().schema
# Other methods may do harm; the script sends them where that is safe.
schema.config.phases.coverage.unexpected_methods = set()
operations = schema.include(path=ENDPOINT)


@schema.include(method="GET", path=ENDPOINT).parametrize()
@hypothesis.settings(linked.REPEATABLE, max_examples=12, phases=[hypothesis.Phase.explicit, hypothesis.Phase.generate])
def test_generated(case: schemathesis.Case[Any], conformance: Run) -> None:
    """Note a generated request, which is sent with the others before the verdict."""
    conformance.defects.survive(lambda: conformance.generated.add(case), None)


def test_linked(conformance: Run) -> None:
    """Start commands and poll them, following the document's links."""
    if not conformance.target.allow_exec:
        pytest.skip("run with --allow-exec, which starts harmless commands")
    conformance.send_all()
    with conformance.sending():
        linked.run(conformance.wire, operations)
