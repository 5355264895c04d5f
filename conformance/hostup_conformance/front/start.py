"""The entry point of hostup-conformance, which says so if the suite's dependencies are missing."""

from __future__ import annotations

import io
import sys

from hostup_conformance.keeping.missing import complaint
from hostup_conformance.keeping.screen import complain


def main() -> int:
    """Run the command, or print what is not installed; return the exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # what is quoted may hold any character
    if lacking := complaint():
        complain(lacking)
        return 4
    from hostup_conformance.front import cli

    return cli.main()


if __name__ == "__main__":
    sys.exit(main())
