"""The document in two other forms, for tools that cannot read `openapi.yaml`: `make generate` writes them.

`openapi.resolved.json` has no references and no YAML aliases. `openapi-3.0.json` is also OpenAPI 3.0, and has one media
type for each response. `conformance/tests/test_renderings.py` holds both to the document.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hostup_conformance.judging.ledger import load_yaml

SPEC = Path(__file__).parent
#: What OpenAPI 3.0 does not have: a summary of the document, and the name of a licence by an identifier.
NEW_IN_3_1 = {"summary", "license"}


def resolved(node: Any, document: dict[str, Any]) -> Any:
    """Return a part of the document with what its references name in their place."""
    if isinstance(node, list):
        return [resolved(item, document) for item in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        found: Any = document
        for name in node["$ref"].removeprefix("#/").split("/"):
            found = found[name]
        return resolved(found, document)
    return {str(name): resolved(member, document) for name, member in node.items()}


def without_components(document: dict[str, Any]) -> dict[str, Any]:
    """Return the whole document without references; of the components, only the security schemes are left."""
    whole: dict[str, Any] = resolved({**document, "components": {}}, document)
    return {**whole, "components": {"securitySchemes": document["components"]["securitySchemes"]}}


def as_3_0(document: dict[str, Any]) -> dict[str, Any]:
    """Return a resolved document as OpenAPI 3.0."""
    info = {name: member for name, member in document["info"].items() if name not in NEW_IN_3_1}
    older: dict[str, Any] = schemas_changed({**document, "openapi": "3.0.3", "info": info})
    return older


def schemas_changed(node: Any) -> Any:
    """Return a part of the document with its schemas, and the contents of its responses, as OpenAPI 3.0 has them."""
    if isinstance(node, list):
        return [schemas_changed(item) for item in node]
    if not isinstance(node, dict):
        return node
    changed = {name: schemas_changed(member) for name, member in node.items()}
    if isinstance(kinds := changed.get("type"), list):
        changed |= {"type": next(kind for kind in kinds if kind != "null"), "nullable": "null" in kinds}
    if isinstance(examples := changed.get("examples"), list):
        del changed["examples"]
        changed["example"] = examples[0]
    if "application/problem+json" in changed:
        # The two media types of an error have the same body, and some mocks can serve only one.
        changed.pop("application/json", None)
    return changed


RENDERINGS: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "openapi.resolved.json": without_components,
    "openapi-3.0.json": lambda document: as_3_0(without_components(document)),
}


def rendered(name: str) -> str:
    """Return the text of a rendering."""
    document = load_yaml((SPEC / "openapi.yaml").read_bytes())
    return json.dumps(RENDERINGS[name](document), indent=1, ensure_ascii=False) + "\n"


def main() -> None:
    """Write all renderings beside the document."""
    for name in RENDERINGS:
        (SPEC / name).write_text(rendered(name), encoding="utf-8")


if __name__ == "__main__":
    main()
