"""A handful of the catalogue of real deployments; `make deployments` judges them all."""

import pytest
from deployments.catalogue import DEPLOYMENTS
from deployments.running import copy_node, missing, run

#: A front end, one server in Python, one in Node, one in another language, and habits of each kind.
HANDFUL = (
    "nginx",
    "nginx-prefix",
    "fastapi",
    "node",
    "php",
    "restart",
    "envoy-no-upstream",
    "access-proxy",
    "cloudfront",
    "sleep-is-blocked",
    "one-worker",
    "fail2ban-denies",
    "bunkerweb",
    "mistyped-key",
)


@pytest.mark.catalogue
@pytest.mark.parametrize("name", HANDFUL)
def test_is_found_to_be_what_it_is(name: str) -> None:
    deployment = DEPLOYMENTS.named(name)
    if lacking := missing(deployment):
        pytest.skip(f"{', '.join(lacking)} is missing: make deployments INSTALL=1 ONLY={name}")
    copy_node()
    outcome = run(deployment)
    assert outcome.verdict == deployment.verdict, outcome.reason or outcome.report
    assert outcome.blamed <= deployment.deserves.keys()


def test_every_deserved_complaint_has_its_reason() -> None:
    for deployment in DEPLOYMENTS.all().values():
        assert all(deployment.deserves.values()), deployment.name
