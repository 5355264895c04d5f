"""Every client of the catalogue, or those that are named in ONLY, with what it needs to be run: `make clients`.

Not among the quick tests.
"""

import os

import pytest
from clients.catalogue import CLIENTS, Client
from clients.matrix import verdicts
from clients.test_clients import nothing_wrong
from hostup_conformance.clients.judging import Verdict
from hostup_conformance.clients.scenes import SCENES
from hostup_conformance.keeping.misconfigured import Misconfigured
from judging import reported

try:
    CHOSEN = CLIENTS.chosen(os.environ.get("ONLY", "").split()).values()
except Misconfigured as error:
    pytest.exit(str(error), returncode=pytest.ExitCode.USAGE_ERROR)
RIGHT = [client for client in CHOSEN if not client.requirements]
WRONG = [client for client in CHOSEN if client.requirements]


@pytest.mark.parametrize("client", RIGHT, ids=lambda client: client.name)
def test_a_right_client_is_conformant_in_all_scenes(client: Client) -> None:
    assert nothing_wrong(client, SCENES.all()) == "conformant"


@pytest.fixture(scope="module")
def found() -> dict[str, Verdict | str]:
    return verdicts(WRONG, lambda client: client.scenes)


@pytest.mark.parametrize("client", WRONG, ids=lambda client: client.name)
def test_a_wrong_client_is_noticed(client: Client, found: dict[str, Verdict | str]) -> None:
    if isinstance(verdict := found[client.name], str):
        pytest.skip(verdict)
    assert set(client.requirements) - set(reported(verdict)) == set(), client.doc
