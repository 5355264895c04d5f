"""Writes report.json and report.html."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hostup_conformance.reports.data import as_json
from hostup_conformance.reports.html import render

if TYPE_CHECKING:
    from pathlib import Path


def write_reports(report: dict[str, Any], directory: Path) -> None:
    """Write both files; each appears whole or not at all."""
    directory.mkdir(parents=True, exist_ok=True)
    for name, make in (("report.json", as_json), ("report.html", render)):
        partial = directory / f".{name}"
        # A server can put half of a surrogate pair into its JSON; as an escape it is still JSON, and can be written.
        partial.write_text(make(report), encoding="utf-8", errors="backslashreplace")
        partial.replace(directory / name)
