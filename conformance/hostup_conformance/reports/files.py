"""Writes the reports of a run into its folder. It must not know what they contain."""

import json
import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

from hostup_conformance.judging.defects import failure
from hostup_conformance.keeping.files import append, beginning_of, is_among, remove, unwritten, write_whole
from hostup_conformance.reports import badge, html, junit, summary


def as_json(record: dict[str, Any]) -> str:
    """Return the text of report.json, with each exchange on a line of its own."""
    text = json.dumps({**record, "exchanges": []}, indent=2, ensure_ascii=False)
    lines = ",\n    ".join(json.dumps(exchange, ensure_ascii=False) for exchange in record.get("exchanges", ()))
    # Nothing that is quoted in the text can look like this member, since quotes within quotes are escaped.
    return text.replace('"exchanges": []', f'"exchanges": [\n    {lines}\n  ]' if lines else '"exchanges": []') + "\n"


#: The function that makes the text of each report from the record. Add a new report here; its text has one of `OURS`.
REPORTS = {
    "report.html": html.render,
    "report.json": as_json,
    "junit.xml": junit.render,
    "summary.md": summary.render,
    "badge.svg": badge.render,
}


#: What only a report or a recording of the suite says at its beginning: one of these.
OURS = (b"hostup-conformance", b'"suite_version"', b"## Conformance: ")
#: How many bytes that is.
SEARCHED = 1 << 20


def reports_in(directory: Path) -> list[Path]:
    """Return the files that a run writes."""
    return [directory / name for name in REPORTS]


def remove_reports(directory: Path, inputs: Iterable[Path]) -> None:
    """Remove the reports of an earlier run, so that none is taken for this one's; keep what this run is to read."""
    given = tuple(inputs)
    for report in reports_in(directory):
        if not any(is_among(file, [report]) for file in given) and not is_strange(report):
            remove(report)


def is_strange(file: Path) -> bool:
    """Whether a plain file that stands where a report or a recording is to be written is none of the suite's."""
    try:
        text = beginning_of(file, SEARCHED)
    except OSError:
        return os.path.isfile(file)
    return bool(text) and not any(words in text for words in OURS)


def write_reports(record: dict[str, Any], directory: Path, others: Iterable[Path] = ()) -> list[str]:
    """Write all reports, append the summary to GitHub's job summary, and return why some could not be written.

    That is left alone if it is a report, or one of the other files that the run reads or writes.
    """
    problems, file = write_files(record, directory), os.environ.get("GITHUB_STEP_SUMMARY")
    with suppress(Exception):
        if file and not is_among(Path(file), [*others, *reports_in(directory)]):
            append(Path(file), summary.render(record))
    return problems


def write_files(record: dict[str, Any], directory: Path) -> list[str]:
    """Write all reports, and return why some could not be written."""
    problems = []
    for name, make in REPORTS.items():
        try:
            write_whole(directory / name, [make(record)])
        except OSError as error:
            problems.append(unwritten(directory / name, error))
        except Exception as error:
            problems.append(f"{directory / name} could not be made ({failure(error)}); please report it")
    return problems
