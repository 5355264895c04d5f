"""The report as summary.md: the verdict and what to mend, in a few lines of Markdown."""

import re
from collections.abc import Iterator
from typing import Any

from hostup_conformance.keeping.safe_text import counted
from hostup_conformance.reports.figures import Mend, about, doubts, mends, not_judged, totals

#: How many things to mend are shown, since GitHub shows no summary above a MiB.
MOST_MENDS = 40


def render(record: dict[str, Any]) -> str:
    """Return the text of summary.md."""
    lines = [
        f"## Conformance: {record['verdict'].replace('_', ' ')}{about(record)}",
        "",
        f"{code(record['target']['base_url'])}: {totals(record)}.",
    ]
    for words, reason in doubts(record):
        lines += ["", f"{words.capitalize()}: {code(reason)}"]
    lines += ["", code(record["scope"]) + "."]
    if waived := [e["id"] for e in record["requirements"] if e["status"] == "observe" and e["level"] != "OBSERVE"]:
        lines += ["", f"Broken, but waived: {', '.join(waived)}."]
    lines += [line for mend in mends(record)[:MOST_MENDS] for line in to_mend(mend)]
    if reasons := not_judged(record):
        total = counted(sum(map(len, reasons.values())), "requirement")
        lines += ["", f"<details><summary>{total} not judged</summary>", ""]
        by_number = sorted(reasons.items(), key=lambda item: -len(item[1]))
        lines += [f"- {len(ids)}: {code(message)} ({', '.join(ids)})" for (_, message), ids in by_number]
        lines += ["", "</details>"]
    return "\n".join(lines) + "\n"


def to_mend(mend: Mend) -> Iterator[str]:
    """Yield the lines for a requirement to mend: what is wrong, what may follow from it, and the request."""
    entry = mend.entry
    yield from ("", f"- **{entry['status']} {entry['id']}** {entry['title']}  ", f"  {code(entry['message'])}")
    if mend.explains:
        explained = ", ".join(f"**{one['id']}** ({one['status']})" for one in mend.explains)
        yield f"  This may explain {explained}."
    for item in entry["evidence"][:1]:
        fence = "`" * (1 + max(2, *map(len, re.findall("`+", item["curl"])), 0))
        yield from (
            "",
            "  <details><summary>the request</summary>",
            *(("", f"  {code(item['note'])}") if item.get("note") else ()),
            "",
            f"  {fence}sh",
            f"  {item['curl']}",
            f"  {fence}",
        )
        yield from ("", "  </details>")


def code(text: str) -> str:
    """Return a text as inline code that nothing in it can end, since a server may have sent it."""
    words = " ".join(text.replace("`", "'").replace("|", "\\|").split())
    return f"`{words or ' '}`"  # two backquotes would begin one
