"""The one way to what people see at once: standard output, standard error, and pytest's log files.

Everything that is printed loses its keys here, whoever prints it: the suite, pytest, a library, or a traceback.
"""

import io
import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any, TextIO

from hostup_conformance.keeping.redact import redactor
from hostup_conformance.keeping.safe_text import on_one_line

#: The variables whose values are keys, and how those begin that hold more of them.
KEYS, MORE = ("HOSTUP_API_KEY", "HOSTUP_READ_API_KEY"), "HOSTUP_HEADER_"
#: How many characters of what another program has printed are looked at with what it prints next.
OVERLAP = 1000


def keys_in(environ: Mapping[str, str]) -> tuple[str, ...]:
    """Return the keys that an environment holds."""
    values = (value.strip() for name, value in environ.items() if name in KEYS or name.startswith(MORE))
    return tuple(dict.fromkeys(filter(None, values)))


class Secrets:
    """The keys that are known so far; more may become known while something is printed."""

    def __init__(self, known: Iterable[str]) -> None:
        self._known = tuple(dict.fromkeys(known))

    def learn(self, more: Iterable[str]) -> None:
        """Take more keys out of what is printed from now on."""
        self._known = tuple(dict.fromkeys((*self._known, *more)))

    def redact(self, text: str) -> str:
        """Return a text without keys."""
        return redactor(self._known)(text)


class Guarded(io.TextIOBase):
    """A stream that takes the keys out of everything written to it.

    If writing fails (a full disk, a pipe that nobody reads), the program goes on, and says so at its end.
    """

    def __init__(self, stream: TextIO, secrets: Secrets) -> None:
        self.stream, self.secrets = stream, secrets
        #: Why something could not be written, if that happened, and its reader had not merely gone.
        self.lost: str | None = None

    def write(self, text: str) -> int:
        """Redact and write."""
        safe = self.secrets.redact(text)
        try:
            self.stream.write(safe)
        except UnicodeEncodeError:
            self.write(safe.encode(self.encoding, "backslashreplace").decode(self.encoding))
        except OSError as error:
            self._lose(error)
        return len(text)

    def flush(self) -> None:
        """Flush the stream below."""
        try:
            self.stream.flush()
        except OSError as error:
            self._lose(error)

    def _lose(self, error: OSError) -> None:
        """Note the failure, and let what is still kept for the stream go nowhere: it would fail again at the exit."""
        self.lost = self.lost if isinstance(error, BrokenPipeError) else error.strerror
        with suppress(OSError, ValueError, AttributeError):
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self.stream.fileno())
            os.close(nowhere)

    def isatty(self) -> bool:
        """Whether the stream below is a terminal."""
        return self.stream.isatty()

    def fileno(self) -> int:
        """Return the descriptor of the stream below; raise `OSError` if it has none."""
        return self.stream.fileno()

    @property
    def encoding(self) -> str:  # type: ignore[override]
        """The encoding of the stream below."""
        return self.stream.encoding

    def __getattr__(self, name: str) -> Any:
        # What else pytest asks of a stream, such as its buffer.
        return getattr(self.stream, name)


def open_all() -> None:
    """Open the standard streams that were closed, as by `>&-`: few programs and libraries are prepared for that.

    Otherwise the next file or socket would get the number of one, and what is printed.
    """
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # which gets the lowest number that is free
        if getattr(sys, name) is None:
            nowhere = open(number, "w" if number else "r", encoding="utf-8", closefd=False)  # noqa: SIM115 - until the end
            setattr(sys, name, nowhere)
            setattr(sys, f"__{name}__", nowhere)


def guard(environ: Mapping[str, str]) -> Secrets:
    """Let standard output and error pass here from now on; return the keys that are taken out of them."""
    if isinstance(sys.stdout, Guarded) and isinstance(sys.stderr, Guarded):
        secrets = sys.stdout.secrets
        secrets.learn(keys_in(environ))
        return secrets
    secrets = Secrets(keys_in(environ))
    open_all()
    sys.stdout, sys.stderr = Guarded(sys.stdout, secrets), Guarded(sys.stderr, secrets)
    return secrets


@contextmanager
def guarded(environ: Mapping[str, str]) -> Iterator[Secrets]:
    """Let standard output and error pass here in the block."""
    before = sys.stdout, sys.stderr
    try:
        yield guard(environ)
    finally:
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        if why := lost():
            complain(f"the output could not be written ({why})")
        sys.stdout, sys.stderr = before


def lost() -> str | None:
    """Return why something could not be printed, if that was so though its reader had not gone."""
    return sys.stdout.lost if isinstance(sys.stdout, Guarded) else None


def say(text: str = "") -> None:
    """Print lines that are safe already."""
    print(text, flush=True)


def complain(text: str) -> None:
    """Print a message to standard error, on one line."""
    with suppress(OSError):
        print(f"hostup-conformance: {on_one_line(text)}", file=sys.stderr, flush=True)


class Relay:
    """Prints to standard error what another program prints, of which a key may be spread over several lines."""

    def __init__(self, secrets: Secrets) -> None:
        self._secrets = secrets
        #: The end of what has been printed, with its keys.
        self._before = ""

    def print(self, text: str) -> None:
        """Print whole lines, each as one, without the keys that begin in them, or go on in them."""
        redact = self._secrets.redact
        before, together = redact(self._before), redact(self._before + text)
        pairs = enumerate(zip(before, together, strict=False))
        printed = next((at for at, (one, other) in pairs if one != other), len(before))
        for line in together[printed:].splitlines():
            with suppress(OSError, ValueError):  # the stream may be closed at the end
                print(on_one_line(line), file=sys.stderr, flush=True)
        self._before = (self._before + text)[-OVERLAP:]
