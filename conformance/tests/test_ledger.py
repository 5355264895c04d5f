"""The contract's own soundness: the ledger's form, the document, and its examples."""

import re
from collections.abc import Iterator
from typing import Any

import jsonschema_rs
import pytest
from hostup_conformance.clients.judging import client_requirements
from hostup_conformance.clients.rules import client_rules
from hostup_conformance.contract.document import document
from hostup_conformance.contract.paths import resource_of
from hostup_conformance.contract.rules import rules
from hostup_conformance.contract.server_verdict import server_requirements
from hostup_conformance.contract.target import CAPABILITIES, VARIABLES
from hostup_conformance.judging.ledger import SPEC, load_yaml, requirements
from judging import run
from openapi_spec_validator import validate
from stage import Request, Response

#: Those that every run has need not be named.
OPTIONAL = {*VARIABLES.values()} - {"HOSTUP_API_KEY", "HOSTUP_VPS_ID"}
TEXT = {"type": "string", "minLength": 10, "pattern": r"\S$"}
ENTRY = {
    "type": "object",
    "required": ["id", "level", "title", "statement", "source", "why"],
    "additionalProperties": False,
    "properties": {
        "id": {"pattern": r"^(PROBE|POLL|START|AUTH|SCOPE|ID|PID|PROBLEM|RATE|HTTP|SAFETY|VPS|CLIENT)-\d\d$"},
        "level": {"enum": ["MUST", "SHOULD", "OBSERVE"]},
        "title": {**TEXT, "maxLength": 80},
        "statement": TEXT,
        "source": {
            **TEXT,
            "pattern": r"^(documentation|related|inferred|task|the documentation is silent|RFC \d+ section)|HTML form",
        },
        "why": TEXT,
        "needs": {
            "type": "array",
            "minItems": 1,
            "uniqueItems": True,
            "items": {
                "enum": [*OPTIONAL, *CAPABILITIES, "--allow-exec", "--does probe", "long keys", "two keys on loopback"]
            },
        },
        "served_by": {"type": "array", "minItems": 1, "items": {"enum": [*OPTIONAL, "--allow-exec"]}},
        "without_core": {"const": True},
        "if_offered": {"const": True},
        "harm": {"enum": ["cut", "key", "access", "effect", "output"]},
        "wfc": {"enum": [100, 101, 102, 204, 205, 206, 207, 209]},
    },
}


def entries() -> list[dict[str, Any]]:
    loaded: list[dict[str, Any]] = load_yaml((SPEC / "requirements.yaml").read_bytes())
    return loaded


def test_the_ledger_has_its_form() -> None:
    validator = jsonschema_rs.validator_for({"type": "array", "items": ENTRY})
    assert [f"{list(e.instance_path)}: {e.message}" for e in validator.iter_errors(entries())] == []


def test_a_run_that_was_cut_need_not_judge_limits() -> None:
    """A server need not show its limit."""
    of_limits = [entry for entry in entries() if entry["id"].startswith("RATE") and entry["level"] == "MUST"]
    assert of_limits
    assert [entry["id"] for entry in of_limits if "if_offered" not in entry] == []


def test_ids_are_unique_and_in_order() -> None:
    ids = [entry["id"] for entry in entries()]
    assert len(ids) == len(set(ids))
    for area in {id.partition("-")[0] for id in ids}:
        numbers = [int(id.partition("-")[2]) for id in ids if id.startswith(area + "-")]
        assert numbers == sorted(numbers), area


def test_rules_and_requirements_are_the_same() -> None:
    """Every requirement has a rule, and every rule a requirement."""
    written = rules().keys() | client_rules().keys()
    places = {
        id: "clients/rules/" if r.area == "CLIENT" else f"contract/rules/{r.area.lower()}.py"
        for id, r in requirements().items()
    }
    without = [f"write {id} into {place}" for id, place in places.items() if id not in written]
    assert not without, without[0]
    assert written - requirements().keys() == set()


def test_each_side_has_its_own_rules() -> None:
    """The rules for servers and for clients are those of their own requirements."""
    assert rules().keys() == server_requirements().keys()
    assert client_rules().keys() == client_requirements().keys()


def test_a_must_is_not_inferred() -> None:
    """A MUST needs the documentation or an RFC as its source; what is inferred is at most a SHOULD."""
    musts = [r for r in requirements().values() if r.level == "MUST"]
    assert [r.id for r in musts if not re.match(r"documentation|related|RFC|task", r.source)] == []


def test_the_document_is_valid() -> None:
    validate(document())


def examples(node: Any, place: str = "$") -> Iterator[tuple[str, Any, Any]]:
    """Yield every example with its schema and place."""
    if isinstance(node, list):
        for index, item in enumerate(node):
            yield from examples(item, f"{place}[{index}]")
    if not isinstance(node, dict):
        return
    if "schema" in node and isinstance(node["schema"], dict):
        if "example" in node:
            yield place, node["schema"], node["example"]
        for name, example in node.get("examples", {}).items():
            yield f"{place}.{name}", node["schema"], example["value"]
    for name, member in node.items():
        yield from examples(member, f"{place}.{name}")


def test_every_example_passes_its_schema() -> None:
    for place, schema, example in examples(document()):
        found = jsonschema_rs.Draft202012Validator({**document(), **schema}).iter_errors(example)
        assert [f"{place}: {error.message}" for error in found] == []


@pytest.mark.parametrize("status", ["400", "401", "403", "404", "429", "500"])
def test_every_error_has_its_own_example(status: str) -> None:
    operation = document()["paths"]["/api/v2/vps/{id}/agent/exec"]["get"]
    name = operation["responses"][status]["$ref"].rpartition("/")[2]
    response = document()["components"]["responses"][name]
    example = response["content"]["application/problem+json"]["example"]
    assert example["status"] == int(status)
    assert example["code"] == response["x-codes"][0]
    assert example["type"] == "https://developer.hostup.se/errors/" + example["code"]


def test_a_429_has_its_four_headers() -> None:
    headers = document()["components"]["responses"]["RateLimited"]["headers"]
    assert set(headers) == {"Retry-After", "X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset"}
    for header in headers.values():
        resolved = document()["components"]["headers"][header["$ref"].rpartition("/")[2]]
        assert {"schema", "example"} <= resolved.keys()


def test_each_operation_is_judged_or_says_why_not() -> None:
    sent: set[tuple[str, str]] = set()

    def note(request: Request, _response: Response) -> None:
        if (resource := resource_of(request.path)[0]) != "other":
            sent.add((request.method.lower(), resource))

    run(note)
    unjudged = [
        f"{method.upper()} {path}: let the suite send and judge it, or give it x-not-judged with the reason"
        for path, item in document()["paths"].items()
        for method, operation in item.items()
        if (method, resource_of(path)[0]) not in sent and not operation.get("x-not-judged")
    ]
    assert unjudged == []
