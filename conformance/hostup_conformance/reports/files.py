"""Writes report.json and report.html."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hostup_conformance.reports.data import as_json

if TYPE_CHECKING:
    from pathlib import Path


def write_reports(report: dict[str, Any], directory: Path) -> None:
    """Write both files; each appears whole or not at all."""
    directory.mkdir(parents=True, exist_ok=True)
    for name, text in (("report.json", as_json(report)),):
        partial = directory / f".{name}"
        partial.write_text(text, encoding="utf-8")
        partial.replace(directory / name)
