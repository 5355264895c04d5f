"""Notes where the suite itself fails outside its rules, so that the rest of a run is judged and reported all the same.

What fails is left out. All of it is one error of the suite, since one defect may show at many places.
"""

import traceback
from collections.abc import Callable
from typing import TypeVar

from hostup_conformance.judging.ledger import Requirement
from hostup_conformance.keeping.safe_text import Redact, shown, unchanged
from hostup_conformance.keeping.time_limit import TimeUp, done_by

R = TypeVar("R")

#: Stands for the suite among the requirements, in the reports of a run in which it failed.
SUITE = Requirement(
    id="SUITE-01",
    level="OBSERVE",
    title="The suite itself works",
    statement="Everything that the suite does besides its rules ends without an exception.",
    source="the suite itself",
    why="What failed was left out, so the verdict may lack something that the server shows.",
)
#: How many defects are named, and how many characters each may have.
NAMED, LONGEST = 3, 300


class Defects:
    """The exceptions of one run, in words without keys."""

    def __init__(self, redact: Redact = unchanged) -> None:
        self._redact = redact
        self._words: list[str] = []
        #: Whether something was left out since the time of the run was used up.
        self.late = False

    @property
    def message(self) -> str:
        """What has failed, in a sentence; empty if nothing has."""
        if not self._words:
            return ""
        more = len(self._words) - NAMED
        named = "; ".join(self._words[:NAMED]) + (f" (and {more} more)" if more > 0 else "")
        return f"the suite failed: {named}; please report it"

    def note(self, error: Exception) -> str:
        """Note an exception, and return it in words."""
        words = shown(failure(error), LONGEST, self._redact)
        if words not in self._words:
            self._words.append(words)
        return words

    def survive(self, step: Callable[[], R], otherwise: R, by: float | None = None) -> R:
        """Return what a step returns, or something else if it fails or takes too long: until `by` (monotonic)."""
        try:
            return step() if by is None else done_by(by, step)
        except TimeUp:
            self.late = True
            return otherwise
        except Exception as error:
            self.note(error)
            return otherwise


def failure(error: Exception) -> str:
    """Return an exception and where it was raised, for the developers of the suite."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__} in {last.name}, line {last.lineno}: {error}"
