"""Writes the reports of a run into its folder; it must not know what is in them."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from hostup_conformance.reports import html, junit, summary


def as_json(record: dict[str, Any]) -> str:
    """Return the text of report.json."""
    return json.dumps(record, indent=2, ensure_ascii=False) + "\n"


#: What each report's text is made by. A new report is a function of the record here, and a name.
REPORTS = {
    "report.json": as_json,
    "report.html": html.render,
    "junit.xml": junit.render,
    "summary.md": summary.render,
}


def write_reports(record: dict[str, Any], directory: Path) -> None:
    """Write all reports; each appears whole or not at all. GitHub's job summary gets the short one too."""
    directory.mkdir(parents=True, exist_ok=True)
    for name, make in REPORTS.items():
        partial = directory / f".{name}"
        # Half of a surrogate pair cannot be written; as an escape it can.
        partial.write_text(make(record), encoding="utf-8", errors="backslashreplace")
        partial.replace(directory / name)
    if file := os.environ.get("GITHUB_STEP_SUMMARY"):
        with Path(file).open("a", encoding="utf-8") as step:
            step.write(summary.render(record))
