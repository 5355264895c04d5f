"""A catalogue: entries with names of their own, which the modules of a package add as they are imported."""

import pkgutil
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from fnmatch import fnmatchcase
from importlib import import_module
from typing import Generic, TypeVar

from hostup_conformance.keeping.misconfigured import Misconfigured

T = TypeVar("T")


class Catalogue(Generic[T]):
    """The entries of a package by name; `kind` says what one of them is."""

    def __init__(self, package: str, kind: str) -> None:
        self._package, self._kind = package, kind
        self._entries: dict[str, T] = {}

    def add(self, name: str, entry: T) -> None:
        """Add an entry; raise `ValueError` if there is one of this name."""
        if name in self._entries:
            raise ValueError(f"{self._package} has two entries {name}")
        self._entries[name] = entry

    def all(self) -> dict[str, T]:
        """Return the entries of all modules of the package."""
        package = import_module(self._package)
        for module in pkgutil.iter_modules(getattr(package, "__path__", ())):
            if module.name != "__main__":
                import_module(f"{self._package}.{module.name}")
        return self._entries

    def named(self, name: str) -> T:
        """Return the entry of a name; raise `Misconfigured` if there is none."""
        return chosen(self.all(), [name], self._kind)[name]

    def chosen(self, names: Iterable[str]) -> dict[str, T]:
        """Return the entries of some names, as `chosen` does."""
        return chosen(self.all(), names, self._kind)


def chosen(entries: Mapping[str, T], names: Iterable[str], kind: str) -> dict[str, T]:
    """Return the entries of some names, in which * stands for any characters, or all entries if no name is given.

    Raises:
        Misconfigured: nothing has such a name; the message has similar ones
    """
    found: set[str] = set()
    for name in (names := [*names]):
        matching = {known for known in entries if fnmatchcase(known, name)}
        if not matching:
            near = get_close_matches(name, entries, n=3, cutoff=0)
            raise Misconfigured(f"there is no {kind} {name}; similar names are {', '.join(near)}")
        found |= matching
    return {name: entry for name, entry in entries.items() if name in found or not names}
