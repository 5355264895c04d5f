"""The entry point of hostup-conformance, which says so if the suite's dependencies are missing."""

from __future__ import annotations

import sys

from hostup_conformance.missing import complaint


def main() -> int:
    """Run the command, or print what is not installed; return the exit code."""
    if lacking := complaint():
        print(f"hostup-conformance: {lacking}", file=sys.stderr)
        return 4
    from hostup_conformance import cli

    return cli.main()


if __name__ == "__main__":
    sys.exit(main())
