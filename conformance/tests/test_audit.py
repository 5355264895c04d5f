"""`make audit` says what is known of the locked dependencies, and never that nothing is where it could not ask."""

import importlib.util
import json
from pathlib import Path
from types import ModuleType

import httpx
import pytest
import respx


@pytest.fixture
def audit() -> ModuleType:
    spec = importlib.util.spec_from_file_location("audit", Path(__file__).parents[1] / "audit.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def answered(request: httpx.Request) -> httpx.Response:
    asked = [query["package"]["name"] for query in json.loads(request.content)["queries"]]
    return httpx.Response(
        200, json={"results": [{"vulns": [{"id": "PYSEC-1"}]} if name == "httpx" else {} for name in asked]}
    )


def test_all_that_is_locked_is_asked_for(audit: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    with respx.mock:
        route = respx.post(audit.SERVICE).mock(side_effect=answered)
        assert audit.main() == 1
    queries = json.loads(route.calls.last.request.content)["queries"]
    locked = [line for line in audit.LOCKED.read_text().splitlines() if line[:1].isalnum()]
    assert len(queries) == len(locked) > 50
    assert all(query["version"][0].isdigit() for query in queries)
    assert ": PYSEC-1; see https://osv.dev/PYSEC-1" in capsys.readouterr().out


def test_nothing_known_is_well(audit: ModuleType) -> None:
    with respx.mock:
        respx.post(audit.SERVICE).mock(
            side_effect=lambda request: httpx.Response(
                200, json={"results": [{}] * len(json.loads(request.content)["queries"])}
            )
        )
        assert audit.main() == 0


@pytest.mark.parametrize(
    "response",
    [
        httpx.ConnectError("no network"),
        httpx.Response(503),
        httpx.Response(200, text="<html>"),
        httpx.Response(200, json={}),
        httpx.Response(200, json={"results": []}),
        httpx.Response(200, json=[]),
        httpx.Response(200, json={"results": [5] * 5000}),
    ],
    ids=str,
)
def test_what_could_not_be_asked_is_not_well(
    audit: ModuleType, capsys: pytest.CaptureFixture[str], response: httpx.Response | Exception
) -> None:
    with respx.mock:
        respx.post(audit.SERVICE).mock(side_effect=[response])
        assert audit.main() == 2
    assert capsys.readouterr().out.startswith("NOT CHECKED: ")
