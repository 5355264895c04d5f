"""Reads the OpenAPI document from `spec/`."""

import hashlib
from functools import cache
from typing import Any

from hostup_conformance.judging.ledger import SPEC, load_yaml


@cache
def document() -> dict[str, Any]:
    """Return the OpenAPI document."""
    loaded: dict[str, Any] = load_yaml((SPEC / "openapi.yaml").read_bytes())
    return loaded


def members_of(schema: str) -> tuple[str, ...]:
    """Return the names of a schema's members."""
    return tuple(document()["components"]["schemas"][schema]["properties"])


@cache
def spec_identity() -> dict[str, str]:
    """Return the version of the document and the sha256 of document and ledger together."""
    digest = hashlib.sha256()
    for name in ("openapi.yaml", "requirements.yaml"):
        digest.update((SPEC / name).read_bytes())
    return {"version": document()["info"]["version"], "sha256": digest.hexdigest()}
