"""The report as summary.md: the verdict and what to mend, in a few lines of Markdown."""

from __future__ import annotations

from typing import Any

from hostup_conformance.reports.figures import totals

#: The statuses that are shown, the worst first, with their meaning.
SHOWN = {"fail": "a MUST is broken", "error": "the suite itself failed", "warn": "a SHOULD is broken"}


def render(record: dict[str, Any]) -> str:
    """Return the text of summary.md."""
    lines = [
        f"## Conformance: {record['verdict'].replace('_', ' ')}",
        "",
        f"{code(record['target']['base_url'])}: {totals(record)}.",
    ]
    lines += ["", code(record["scope"]) + "."]
    if record["doubt"]:
        lines += ["", f"The endpoint was not seen to work whole: {code(record['doubt'])}"]
    if record["refused"]:
        lines += ["", f"The endpoint was never seen to work: {code(record['refused'])}"]
    elif record["stopped"] and record["target"]["kind"] != "har":
        lines += ["", f"Sending ended early: {code(record['stopped'])}"]
    if waived := [e["id"] for e in record["requirements"] if e["status"] == "observe" and e["level"] != "OBSERVE"]:
        lines += ["", f"Broken, but waived: {', '.join(waived)}."]
    entries = [entry for status in SHOWN for entry in record["requirements"] if entry["status"] == status]
    if entries:
        lines += ["", "| | requirement | message |", "|---|---|---|"]
        lines += [
            f"| {entry['status']} | **{entry['id']}** {entry['title']} | {follows(entry)}{code(entry['message'])} |"
            for entry in entries
        ]
    return "\n".join(lines) + "\n"


def follows(entry: dict[str, Any]) -> str:
    """Return which requirement to mend first, if another may explain this one."""
    return f"may follow from **{entry['root']}**: " if entry.get("root") else ""


def code(text: str) -> str:
    """Return a text as inline code that nothing in it can end, since a server may have sent it."""
    return "`" + " ".join(text.replace("`", "'").replace("|", "\\|").split()) + "`"
