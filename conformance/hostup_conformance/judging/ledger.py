"""Reads the ledger of requirements from `spec/`. It must not know what they say."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Literal, get_args

import yaml

from hostup_conformance.keeping.misconfigured import Misconfigured

Level = Literal["MUST", "SHOULD", "OBSERVE"]
#: What a breach of a requirement does, from the worst on.
Harm = Literal["cut", "key", "access", "effect", "output", "form"]
HARMS: tuple[Harm, ...] = get_args(Harm)

_PACKAGE = Path(__file__).parents[1]
#: In an installed wheel the contract is inside the package; in the repository it is beside it.
SPEC = _PACKAGE / "spec" if (_PACKAGE / "spec").is_dir() else _PACKAGE.parents[1] / "spec"


@dataclass(frozen=True)
class Requirement:
    """One entry of the ledger; `spec/requirements.yaml` says what its fields mean."""

    id: str
    level: Level
    title: str
    statement: str
    source: str
    why: str
    needs: list[str] = field(default_factory=list)
    served_by: list[str] = field(default_factory=list)
    without_core: bool = False
    if_offered: bool = False
    harm: Harm = "form"
    wfc: int | None = None

    @property
    def area(self) -> str:
        """The part of the id before the number."""
        return self.id.partition("-")[0]

    def missing(self, has: Callable[[str], object]) -> list[str]:
        """Return what it needs, and was not given."""
        return [need for need in self.needs if not has(need)]

    def is_unserved(self, has: Callable[[str], object]) -> bool:
        """Whether nothing was given of what could serve to judge it, if something must."""
        return bool(self.served_by) and not any(map(has, self.served_by))

    def lacks(self, has: Callable[[str], object]) -> bool:
        """Whether something that it needs was not given, or all that could serve to judge it."""
        return bool(self.missing(has)) or self.is_unserved(has)

    @property
    def rank(self) -> int:
        """How bad a breach is: the lower, the worse."""
        return HARMS.index(self.harm)


def meant_by(id: str) -> str:
    """Return the id that somebody may mean: in capitals, and with two digits."""
    return re.sub(r"-(\d)$", r"-0\1", id.upper())


@cache
def requirements() -> dict[str, Requirement]:
    """Return all requirements by id, in the ledger's order; raise `Misconfigured` for an entry that is none."""
    entries = load_yaml((SPEC / "requirements.yaml").read_bytes())
    return {entry["id"]: requirement_of(entry) for entry in entries}


def requirement_of(entry: dict[str, Any]) -> Requirement:
    """Return the requirement that an entry has; raise `Misconfigured` if it has other members, or values."""
    try:
        requirement = Requirement(**entry)
    except TypeError as error:
        wrong = str(error).partition(" ")[2]
    else:
        if requirement.level in get_args(Level) and requirement.harm in HARMS:
            return requirement
        wrong = f"the level {requirement.level} or the harm {requirement.harm} is none"
    raise Misconfigured(f"{SPEC / 'requirements.yaml'}: {entry['id']}: {wrong}; its first lines say what an entry has")


def load_yaml(text: bytes) -> Any:
    """Return the value of a YAML text, by PyYAML's C loader if that is installed: it is ten times as fast."""
    return yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 - both are safe
