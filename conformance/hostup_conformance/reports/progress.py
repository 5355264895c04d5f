"""How far a run is, while it goes on: one line that changes on a terminal, elsewhere a line every ten seconds."""

import shutil
import time
from collections.abc import Callable
from typing import TextIO

from hostup_conformance.keeping.screen import Guarded

#: How many seconds a run may take before it says how far it is, and how often it says so: on a terminal, and elsewhere.
FIRST, OFTEN, SELDOM = 1.0, 0.5, 10.0


class Progress:
    """Tells how far a run is. A silent one tells nothing.

    Args:
        stream: where it is told
        start_line: begins a new line there, if one has been begun by somebody else
    """

    def __init__(
        self, stream: TextIO | Guarded, start_line: Callable[[], None] = lambda: None, *, silent: bool = False
    ) -> None:
        self._stream, self._start_line, self._silent = stream, start_line, silent
        self._live = stream.isatty()
        self._next = time.monotonic() + (FIRST if self._live else SELDOM)
        #: Whether the line that changes is on the screen.
        self._shown = False

    def tell(self, words: Callable[[], str]) -> None:
        """Say how far the run is, if it is time to say so; `words` are made only then."""
        if self._silent or time.monotonic() < self._next:
            return
        text = words()
        if not self._shown:
            self._start_line()
        if self._live:
            self._shown = True
            self._write(f"\r{text[: shutil.get_terminal_size().columns - 1]}\x1b[K")
        else:
            self._write(f"{text}\n")
        self._next = time.monotonic() + (OFTEN if self._live else SELDOM)

    def clear(self) -> None:
        """Take the line that changes off the screen, so that something else can be written there."""
        if self._shown:
            self._shown = False
            self._write("\r\x1b[K")

    def _write(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()
