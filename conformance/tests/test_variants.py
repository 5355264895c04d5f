"""No rule reports a variant."""

from collections.abc import Iterator

import pytest
from catalogue import every
from faults import FAULTS
from hostup_conformance.contract.server_verdict import Verdict, check_against_oracle
from hostup_conformance.http.limits import Limits
from hostup_conformance.sources import control_commands
from judging import run, verdict_by, verdict_on
from variants import VARIANTS, Variant

#: Long, since a busy machine must not make a correct server look slow.
PATIENT = Limits(request_seconds=10.0)


def blames_of(verdict: Verdict, variant: Variant) -> Iterator[str]:
    """Yield what is wrong with each rule that blames a variant, and how to mend that."""
    remedies = {
        "error": "Mend the rule",
        "fail": "Weaken the rule, or make it an OBSERVE",
        "warn": "Weaken the rule, make it an OBSERVE, or list it in the variant's warns",
    }
    for id, result in verdict.results.items():
        if result.status in remedies and not (result.status == "warn" and id in variant.warns):
            doc = " ".join(variant.doc.split())
            yield f"{id} finds fault with a correct server: *{doc}* {remedies[result.status]}: {result.message}"


@pytest.mark.parametrize("variant", every(100, VARIANTS.all().items()))
def test_variant_is_not_blamed(variant: Variant) -> None:
    _, wire, _ = run(variant.change, PATIENT, allow_exec=variant.starts)
    verdict = check_against_oracle(verdict_by(wire), wire.exchanges)
    assert not (blames := list(blames_of(verdict, variant))), "\n".join(blames)
    assert {id for id, r in verdict.results.items() if r.status == "warn"} == variant.warns
    assert verdict.name == "conformant"
    assert control_commands.PURPOSE not in {e.purpose for e in wire.exchanges}, "what was lost in its eyes was not"


def test_a_rule_that_blames_a_variant_is_told_how_to_be_mended() -> None:
    """Here a server with a fault stands for the variant."""
    fault = FAULTS.named("availability_is_left_out")
    variant = Variant(fault.name, frozenset(), fault.change, fault.doc)
    blames = "\n".join(blames_of(verdict_on(fault.change), variant))
    advice = "Weaken the rule, make it an OBSERVE, or list it in the variant's warns: "
    assert f"PROBE-06 finds fault with a correct server: *{fault.doc}* {advice}" in blames
