"""The renderings of the document are those of the document, and valid."""

import json
from typing import Any

import pytest
from openapi_spec_validator import validate
from renderings import RENDERINGS, SPEC, rendered


@pytest.mark.parametrize("name", RENDERINGS)
def test_a_rendering_is_that_of_the_document(name: str) -> None:
    written = (SPEC / name).read_text(encoding="utf-8")
    assert written == rendered(name), f"spec/{name} is not that of spec/openapi.yaml; run make generate"


@pytest.mark.parametrize("name", RENDERINGS)
def test_a_rendering_is_valid_and_refers_to_nothing(name: str) -> None:
    text = rendered(name)
    validate(json.loads(text))
    assert "$ref" not in text


def test_the_older_rendering_has_nothing_new() -> None:
    """What only OpenAPI 3.1 has is translated: types in lists, and examples of a schema."""
    document = json.loads(rendered("openapi-3.0.json"))
    assert document["openapi"].startswith("3.0.")
    assert [node for node in nodes(document) if isinstance(node.get("type"), list)] == []
    assert [node for node in nodes(document) if isinstance(node.get("examples"), list)] == []


def test_an_availability_is_the_first_that_a_mock_takes() -> None:
    responses = json.loads(rendered("openapi.resolved.json"))["paths"]["/api/v2/vps/{id}/agent/exec"]["get"][
        "responses"
    ]
    first = responses["200"]["content"]["application/json"]["schema"]["anyOf"][0]
    examples = {name: member["examples"][0] for name, member in first["properties"].items()}
    assert examples.items() >= {"available": True, "reason": None, "vmRunning": True}.items()


def nodes(value: Any) -> list[dict[str, Any]]:
    """Return all objects within a JSON value."""
    members = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    own = [value] if isinstance(value, dict) else []
    return [*own, *(node for member in members for node in nodes(member))]
