"""HAR 1.2: reads recorded traffic as exchanges, and writes exchanges as a recording without keys."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from hostup_conformance.exchange import Exchange
    from hostup_conformance.target import Target


def read(file: Path, target: Target) -> tuple[list[Exchange], int]:
    raise NotImplementedError


def write(file: Path, exchanges: list[Exchange], target: Target) -> None:
    raise NotImplementedError
