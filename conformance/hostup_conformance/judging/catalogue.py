"""A catalogue: entries with names of their own, which the modules of a package add as they are imported."""

from __future__ import annotations

import pkgutil
from importlib import import_module
from typing import Generic, TypeVar

T = TypeVar("T")


class Catalogue(Generic[T]):
    """The entries of a package by name."""

    def __init__(self, package: str) -> None:
        self._package = package
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
            import_module(f"{self._package}.{module.name}")
        return self._entries
