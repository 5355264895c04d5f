"""One version of the contract: the document, the ledger, and the client's Python interface."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import griffe
import yaml
from hostup_conformance.judging.ledger import load_yaml
from openapi_spec_validator import validate
from packaging.version import Version

PACKAGE = "hostup_agent_exec"
METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
#: Members that allow neither more nor less, wherever they are; so does every x- extension, except for DIRECTIONS. The
#: scopes are those that an error of the client names, and no correct response comes near x-largest-body.
ANNOTATIONS = {
    "title", "summary", "description", "example", "examples", "default", "deprecated", "externalDocs", "$comment",
    "tags", "operationId", "contact", "license", "termsOfService", "scopes",
}  # fmt: skip
#: Members that only callers read: links, and the extensions that the client's templates use.
DIRECTIONS = {
    "links", "x-access", "x-chosen-by", "x-commands", "x-error", "x-not-judged", "x-outcome", "x-pages",
    "x-problem", "x-repeatable", "x-run", "x-tolerant", "x-wait-until",
}  # fmt: skip


class Unusable(Exception):
    """The two versions cannot be compared. The message says why, and names the remedy."""


@dataclass(frozen=True)
class Contract:
    """One version: the document, the ledger by id, and the client's package, if there is one."""

    document: dict[str, Any]
    ledger: dict[str, dict[str, Any]]
    package: griffe.Module | None

    @classmethod
    def read(cls, folder: Path) -> Contract:
        """Read a version from a folder that has `spec/` and `generated/`.

        Raises:
            Unusable: there is no contract in it
        """
        try:
            document = load_yaml((folder / "spec" / "openapi.yaml").read_bytes())
            validate(document)
            Version(str(document["info"]["version"]))
        except Exception as error:  # the file, YAML and the validator raise many
            first = str(error).partition("\n")[0]
            raise Unusable(f"spec/openapi.yaml is not an OpenAPI document with a version: {first}") from None
        try:
            file = folder / "spec" / "requirements.yaml"
            entries = load_yaml(file.read_bytes()) if file.exists() else None
            ledger = {entry["id"]: entry for entry in entries or [] if entry["level"] and entry["title"]}
        except (yaml.YAMLError, TypeError, KeyError) as error:
            raise Unusable(f"spec/requirements.yaml is not a list of requirements: {error}") from None
        return cls(document, ledger, interface(folder / "generated"))

    @property
    def version(self) -> str:
        """The version that the document gives itself."""
        return str(self.document["info"]["version"])

    def resolve(self, node: Any) -> Any:
        """Follow references to what they name; raise `Unusable` for those that lead nowhere in this document."""
        seen: list[str] = []
        while isinstance(node, dict) and isinstance(node.get("$ref"), str):
            seen.append(node["$ref"])
            try:
                node = self._at(node["$ref"])
            except (KeyError, TypeError, ValueError, IndexError):
                raise Unusable(f"the reference {seen[-1]} names nothing in the document") from None
            if len(seen) > len({*seen}):
                raise Unusable(f"the reference {seen[-1]} leads back to itself")
        return node

    def _at(self, reference: str) -> Any:
        if not reference.startswith("#/"):
            raise ValueError(reference)
        target: Any = self.document
        for part in unquote(reference[2:]).split("/"):
            key = part.replace("~1", "/").replace("~0", "~")
            target = target[int(key)] if isinstance(target, list) else target[key]
        return target

    def meaning(self, node: Any, within: tuple[str, ...] = ()) -> Any:
        """Return a part of the document with its references resolved, and without annotations."""
        if isinstance(node, list):
            return [self.meaning(item, within) for item in node]
        if not isinstance(node, dict):
            return node
        reference = node.get("$ref")
        if reference in within:
            return {"$ref": reference}
        if isinstance(reference, str):
            rest = {key: value for key, value in node.items() if key != "$ref"}
            return {"$ref": self.meaning(self.resolve(node), (*within, reference)), **self.meaning(rest, within)}
        return {key: self.meaning(value, within) for key, value in node.items() if means_something(key)}


def means_something(key: Any) -> bool:
    """Whether a member of the document may change what is right."""
    return key in DIRECTIONS or not (key in ANNOTATIONS or str(key).startswith("x-"))


def interface(folder: Path) -> griffe.Module | None:
    """Read the client's package, without importing it; None if there is none."""
    if not (folder / PACKAGE / "__init__.py").exists():
        return None
    package = griffe.load(PACKAGE, search_paths=[folder], try_relative_path=False)
    return package if isinstance(package, griffe.Module) else None
