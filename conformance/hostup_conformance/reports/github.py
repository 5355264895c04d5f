"""Lines by which GitHub Actions shows what is broken beside the summary of a job."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from hostup_conformance.keeping.safe_text import on_one_line
from hostup_conformance.reports.order import mends

#: GitHub's command for each status. It shows ten of each command in a step.
COMMANDS = {"fail": "error", "error": "error", "warn": "warning"}
MOST = 10


def annotations_for(record: dict[str, Any], environment: Mapping[str, str]) -> Iterator[str]:
    """Yield a line for each requirement to mend, the most urgent first, if this is a job of GitHub Actions."""
    if environment.get("GITHUB_ACTIONS") != "true":
        return
    told = dict.fromkeys(COMMANDS.values(), 0)
    for mend in mends(record):
        command = COMMANDS[mend.entry["status"]]
        told[command] += 1
        if told[command] <= MOST:
            title = f"{mend.entry['id']} {mend.entry['title']}"
            yield f"::{command} title={escaped(title, ':,')}::{escaped(mend.entry['message'])}"


def escaped(text: str, also: str = "") -> str:
    """Return a text as one line in which GitHub finds the text alone, with its own escapes."""
    line = on_one_line(text).replace("%", "%25")
    for character in also:
        line = line.replace(character, f"%{ord(character):02X}")
    return line
