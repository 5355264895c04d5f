"""Selects the cases of a test that `make test` runs; `make catalogue` runs the others."""

from collections.abc import Iterable
from typing import Any

import pytest


def first_of(*cases: Any) -> list[Any]:
    """Return the cases as parameters of a test, all but the first left to `make catalogue`."""
    return [case if number == 0 else further(case) for number, case in enumerate(cases)]


def further(case: Any, id: str | None = None) -> Any:
    """Return a case as a parameter of a test that is left to `make catalogue`."""
    return pytest.param(*(case if isinstance(case, tuple) else (case,)), id=id, marks=pytest.mark.catalogue)


def every(step: int, cases: Iterable[tuple[str, Any]]) -> list[Any]:
    """Return named cases as parameters, of which `make test` runs one in so many."""
    return [
        further(case, name) if number % step else pytest.param(case, id=name)
        for number, (name, case) in enumerate(cases)
    ]
