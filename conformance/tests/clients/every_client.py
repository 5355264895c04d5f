"""Every client of the catalogue, with what it needs to be run: `make clients`. Not among the quick tests."""

from __future__ import annotations

import pytest
from clients.catalogue import Client, right, wrong
from clients.matrix import FEW, reported, verdicts
from hostup_conformance.clients.judging import Verdict
from hostup_conformance.clients.scenes import scenes


def verdict_or_skip(verdict: Verdict | str) -> Verdict:
    if isinstance(verdict, str):
        pytest.skip(verdict)
    return verdict


@pytest.mark.parametrize("client", right(), ids=lambda client: client.name)
def test_a_right_client_is_conformant_in_all_scenes(client: Client) -> None:
    verdict = verdict_or_skip(verdicts([client], lambda _: scenes(), FEW)[client.name])
    assert {id: verdict.results[id].message for id in reported(verdict)} == {}
    assert verdict.name == "conformant"


@pytest.fixture(scope="module")
def found() -> dict[str, Verdict | str]:
    return verdicts(wrong(), lambda client: client.scenes)


@pytest.mark.parametrize("client", wrong(), ids=lambda client: client.name)
def test_a_wrong_client_is_noticed(client: Client, found: dict[str, Verdict | str]) -> None:
    verdict = verdict_or_skip(found[client.name])
    assert set(client.requirements) - set(reported(verdict)) == set(), client.doc
