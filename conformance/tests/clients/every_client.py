"""Every client of the catalogue, with what it needs to be run: `make clients`. Not among the quick tests."""

import pytest
from clients.catalogue import Client, right, wrong
from clients.matrix import verdicts
from clients.test_clients import nothing_wrong
from hostup_conformance.clients.judging import Verdict
from hostup_conformance.clients.scenes import SCENES
from judging import reported


@pytest.mark.parametrize("client", right(), ids=lambda client: client.name)
def test_a_right_client_is_conformant_in_all_scenes(client: Client) -> None:
    assert nothing_wrong(client, SCENES.all()) == "conformant"


@pytest.fixture(scope="module")
def found() -> dict[str, Verdict | str]:
    return verdicts(wrong(), lambda client: client.scenes)


@pytest.mark.parametrize("client", wrong(), ids=lambda client: client.name)
def test_a_wrong_client_is_noticed(client: Client, found: dict[str, Verdict | str]) -> None:
    if isinstance(verdict := found[client.name], str):
        pytest.skip(verdict)
    assert set(client.requirements) - set(reported(verdict)) == set(), client.doc
