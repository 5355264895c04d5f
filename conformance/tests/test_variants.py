"""No rule reports a variant."""

import pytest
from catalogue import every
from hostup_conformance.http.limits import Limits
from judging import verdict_on
from variants import VARIANTS, Variant

#: Long, since a busy machine must not make a correct server look slow.
PATIENT = Limits(request_seconds=10.0)


@pytest.mark.parametrize("variant", every(8, VARIANTS.all().items()))
def test_variant_is_not_blamed(variant: Variant) -> None:
    verdict = verdict_on(variant.change, limits=PATIENT, allow_exec=variant.starts)
    blamed = {id: r.message for id, r in verdict.results.items() if r.status in {"fail", "error"}}
    warned = {id: r.message for id, r in verdict.results.items() if r.status == "warn"}
    assert blamed == {}
    assert {id: message for id, message in warned.items() if id not in variant.warns} == {}
    assert warned.keys() == variant.warns
    assert verdict.name == "conformant"
