"""The command hostup-conformance, which also starts where the suite's dependencies are not installed, and says so."""

from __future__ import annotations

import sys

from hostup_conformance.missing import complaint


def main() -> int:
    """Run the command, or say what is not installed; return the exit code."""
    if lacking := complaint():
        print(f"hostup-conformance: {lacking}", file=sys.stderr)
        return 4
    from hostup_conformance import cli

    return cli.main()


if __name__ == "__main__":
    sys.exit(main())
