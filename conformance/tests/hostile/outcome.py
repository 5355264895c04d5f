"""What became of a run against a hostile server, and what is wrong with that."""

import json
import re
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, ClassVar

from hostile import Hostile
from hostile.keys import FORMS

#: A run ends within so many seconds, in so many MiB.
SECONDS, MEBIBYTES = 150.0, 1024.0
REPORTS = ("report.json", "report.html", "junit.xml")
EXIT_CODES = {"conformant": 0, "not_conformant": 1, "not_demonstrated": 1}
#: So long is a piece of a key that must not be seen.
PIECE = 8


@dataclass(frozen=True)
class Outcome:
    """One run."""

    hostile: Hostile
    seconds: float
    mebibytes: float
    code: int | None
    verdict: str
    reports: tuple[str, ...]
    #: How many of its seconds it computed: a busy machine makes the others.
    computed: float = 0.0
    wrong: list[str] = field(default_factory=list)

    header: ClassVar[str] = (
        f"{'server':46} {'s':>6} {'CPU s':>6} {'MiB':>6} {'exit':>4}  {'verdict':16} {'reports':8} wrong"
    )

    @property
    def row(self) -> str:
        """A line of the table. The reports are j(son), h(tml), x(ml)."""
        kinds = "".join({"report.json": "j", "report.html": "h", "junit.xml": "x"}[name] for name in self.reports)
        return (
            f"{self.hostile.name:46} {self.seconds:6.1f} {self.computed:6.1f} {self.mebibytes:6.0f} {self.code!s:>4}  "
            f"{self.verdict:16} {kinds:8} {'; '.join(self.wrong) or '-'}"
        )


def outcome_of(
    hostile: Hostile,
    folder: Path,
    keys: tuple[str, str],
    *,
    code: int | None,
    seconds: float,
    mebibytes: float,
    computed: float,
) -> Outcome:
    """Look at everything that a run has left in its folder."""
    report = read(folder / "report" / "report.json")
    verdict = report.get("verdict", "-")
    reports = tuple(name for name in REPORTS if (folder / "report" / name).is_file())
    texts = {path.name: path.read_text(errors="replace") for path in folder.rglob("*") if path.is_file()}
    wrong = []
    if code is None:
        wrong.append("did not end")
    if seconds > SECONDS:
        wrong.append(f"took {seconds:.0f} s")
    if mebibytes > MEBIBYTES:
        wrong.append(f"took {mebibytes:.0f} MiB")
    refused = hostile.lookup and code == 4
    if not refused:
        wrong += [f"no {name}" for name in REPORTS if name not in reports]
        if code != EXIT_CODES.get(verdict):
            wrong.append(f"exit {code} with the verdict {verdict}")
        if verdict not in hostile.verdicts:
            wrong.append(f"{verdict}, expected {' or '.join(sorted(hostile.verdicts))}")
        wrong += [f"{entry['id']}: {entry['message']}"[:200] for entry in report.get("requirements", ())
                  if entry["status"] == "error"]  # fmt: skip
    elif verdict != "-":
        wrong.append("a report of another run")
    if found := re.search(r"Traceback \(most recent|INTERNALERROR.*|=+ ERRORS =+", texts["output.txt"]):
        wrong.append(f"traceback: {texts['output.txt'][found.start() :][-300:]!r}")
    wrong += leaks(texts, keys)
    return Outcome(hostile, seconds, mebibytes, code, verdict, reports, computed, wrong)


def read(file: Path) -> dict[str, Any]:
    """Return a report, nothing where there is none."""
    try:
        report: dict[str, Any] = json.loads(file.read_text())
    except (OSError, ValueError):
        return {}
    return report


def leaks(texts: dict[str, str], keys: tuple[str, ...]) -> list[str]:
    """Return where a piece of a key stands, in whatever form."""
    return [
        f"{name} shows {seen}" for name, text in texts.items() for key in keys if (seen := seen_of(key, text.lower()))
    ]


def seen_of(key: str, low: str) -> str | None:
    """Return the first piece of a key that a text in lower case shows, with its form."""
    pieces = told(key)
    for at in range(len(low) - PIECE + 1):
        for form in pieces.get(low[at : at + PIECE], ()):
            if low.startswith(form, at):
                return f"{form!r}, a form of a piece of a key"
    return None


@cache
def told(key: str) -> dict[str, set[str]]:
    """Return the forms of all pieces of a key, in lower case, by their first characters.

    They are without what depends on what stands around the piece.
    """
    forms: dict[str, set[str]] = {}
    for piece in (key[at : at + PIECE] for at in range(len(key) - PIECE + 1)):
        for name, form in FORMS.items():
            text = form(piece).lower().rstrip("=")
            if name.startswith("base"):
                shift = int(name[-1]) if name[-1].isdecimal() else 0
                bits = 6 if "64" in name else 5
                text = text[-(-shift * 8 // bits) : (shift + len(piece)) * 8 // bits]
            forms.setdefault(text[:PIECE], set()).add(text)
    return forms
