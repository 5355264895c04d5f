"""The entry point of hostup-conformance, which says so if the suite's dependencies are missing."""

import atexit
import gc
import io
import signal
import sys

from hostup_conformance.front import UNUSABLE
from hostup_conformance.keeping.interruption import SIGNALS, ended_at_once
from hostup_conformance.keeping.missing import complaint
from hostup_conformance.keeping.screen import complain

#: After how many new containers Python looks for those that are no longer used: most of what a run imports stays.
GARBAGE = 50_000


def main() -> int:
    """Run the command, or print what is not installed; return the exit code."""
    gc.set_threshold(GARBAGE)
    atexit.register(ignore_signals)  # the first one registered is called last
    for number in SIGNALS:
        if signal.getsignal(number) != signal.SIG_IGN:
            # Until a run handles its signals itself, it has sent and written nothing.
            signal.signal(number, ended_at_once)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # what is quoted may hold any character
    if lacking := complaint():
        complain(lacking)
        return UNUSABLE
    from hostup_conformance.front import cli

    return cli.main()


def ignore_signals() -> None:
    """Let no signal change the exit code while the interpreter ends, which takes back all handlers but this one."""
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)


if __name__ == "__main__":
    sys.exit(main())
