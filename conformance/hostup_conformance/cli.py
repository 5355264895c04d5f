"""The command hostup-conformance: explains a requirement, and runs the suite for those who do not think in pytest."""

from __future__ import annotations

import argparse
import re
import sys
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from textwrap import fill, indent
from typing import TYPE_CHECKING

from hostup_conformance import __version__
from hostup_conformance.contract.judging import MATRIX as KILL_MATRIX
from hostup_conformance.core.ledger import Requirement, renamed, requirements
from hostup_conformance.core.root_cause import read_matrix

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

WIDTH = 100
#: How long the waiver in an explanation lasts.
WAIVED_DAYS = 60

BROKEN = {
    "MUST": "broken, it is a fail, and the server is not conformant",
    "SHOULD": "broken, it is a warn (with --strict a fail)",
    "OBSERVE": "the report says what the server does; nobody fails",
}
ENVIRONMENT = """\
for a server of your own or a live one, in the environment:
  HOSTUP_API_KEY             key with read:vm and write:vm (needed)
  HOSTUP_VPS_ID              a VPS whose agent is available (else it is looked up)
  HOSTUP_READ_API_KEY        key with read:vm alone
  HOSTUP_UNAVAILABLE_VPS_ID  a VPS whose agent is not available
  HOSTUP_FOREIGN_VPS_ID      a VPS of somebody else
  HOSTUP_FINISHED_PID, HOSTUP_RUNNING_PID
                             pids on HOSTUP_VPS_ID of a command that has ended, and of one that runs
"""
EXIT_CODES = """\
exit codes are pytest's: 0 conformant, 1 not conformant or not demonstrated, 2 interrupted (or unknown to this
command), 4 nothing was sent since something is missing or malformed"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command, and return its exit code."""
    ours, for_pytest = split(list(sys.argv[1:] if argv is None else argv))
    arguments = make_parser().parse_args(ours)
    if arguments.command == "explain":
        return explain(arguments.id)
    if arguments.command == "judge":
        return run_pytest([f"--har={arguments.file}", *for_pytest])
    return run_pytest([*([f"--base-url={arguments.url}"] if arguments.url else []), *for_pytest])


def split(argv: list[str]) -> tuple[list[str], list[str]]:
    """Part our own arguments from pytest's, which are all that follow the URL or file.

    argparse could not tell the value of an option that it does not know from a URL.
    """
    if argv[:1] not in (["run"], ["judge"]):
        return argv, []
    is_ours = len(argv) > 1 and (not argv[1].startswith("-") or argv[1] in {"-h", "--help"})
    ours = 2 if is_ours else 1
    return argv[:ours], argv[ours:]


def make_parser() -> argparse.ArgumentParser:
    """Return the parser of everything but pytest's arguments."""
    parser = argparse.ArgumentParser(
        prog="hostup-conformance",
        description="Judges whether a server of HostUp's guest-agent endpoint conforms to its contract.",
        epilog=f"{ENVIRONMENT}\n{EXIT_CODES}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    run = commands.add_parser(
        "run",
        help="judge the server at URL, or the embedded mock",
        usage="hostup-conformance run [URL] [PYTEST ARGUMENTS ...]",
        description="Judges the server at URL; without URL, the embedded mock, which shows that the suite works.",
        epilog=f"{ENVIRONMENT}\n{PYTEST_ARGUMENTS}\n{EXIT_CODES}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    run.add_argument("url", nargs="?", metavar="URL", help="where the server is; a path prefix is allowed")

    judge = commands.add_parser(
        "judge",
        help="judge recorded traffic, and send nothing",
        usage="hostup-conformance judge FILE.har [PYTEST ARGUMENTS ...]",
        description="Judges the exchanges in a HAR 1.2 file by the same rules. Entries of other endpoints are ignored.",
        epilog=f"{PYTEST_ARGUMENTS}\n{EXIT_CODES}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    judge.add_argument("file", metavar="FILE.har", help="from a browser, a proxy, or run --record FILE.har")

    explaining = commands.add_parser(
        "explain",
        help="say what a requirement asks, why, and how to waive it",
        description="Explains a requirement of the ledger.",
    )
    explaining.add_argument("id", metavar="ID", help="such as POLL-01")
    return parser


PYTEST_ARGUMENTS = """\
what follows goes to pytest as it is, for instance:
  --live                 treat the server as a live one even on loopback: safe methods alone
  --plan                 list what would be sent, and send nothing
  --profile static       what the server offers: full, static, or a list of capabilities
  --report-dir DIR       where report.html, report.json and junit.xml go (conformance-report)
  --waivers FILE         requirements that are known to be broken
  --strict               a broken SHOULD is a fail
  -k POLL                only some requirements
all of them: pytest --pyargs hostup_conformance --help
"""


def run_pytest(arguments: list[str]) -> int:
    """Run the suite, and return pytest's exit code."""
    import pytest

    # This command has imported the package before pytest could rewrite its asserts; its tests are rewritten anyhow.
    quiet = ["-W", "ignore::pytest.PytestAssertRewriteWarning"]
    return int(pytest.main(["--pyargs", "hostup_conformance", *quiet, *arguments]))


def explain(id: str) -> int:
    """Print what there is to know of a requirement; for an unknown id, those it may have been meant for."""
    meant = re.sub(r"-(\d)$", r"-0\1", id.upper())
    requirement = requirements().get(renamed().get(meant, meant))
    if requirement is None:
        print(f"hostup-conformance: there is no requirement {id}; {hint(meant)}", file=sys.stderr)
        return 2
    print("\n".join(explanation(requirement)))
    return 0


def hint(id: str) -> str:
    """Say which ids are near: all of an area, those alike in it, or those alike at all; else which areas there are."""
    areas: dict[str, list[str]] = {}
    for requirement in requirements().values():
        areas.setdefault(requirement.area, []).append(requirement.id)
    if id in areas:
        return f"{id} has {', '.join(areas[id])}"
    same = areas.get(id.partition("-")[0], [])
    if near := get_close_matches(id, same, n=3) or get_close_matches(id, requirements(), n=3):
        return f"near are {', '.join(near)}"
    return f"the areas are {', '.join(areas)}"


def explanation(requirement: Requirement) -> Iterator[str]:
    """Yield the paragraphs of an explanation."""
    from hostup_conformance.contract.rules import rules

    yield f"{requirement.id} ({requirement.level}) {requirement.title}\n"
    yield fill(requirement.statement, WIDTH, break_on_hyphens=False) + "\n"
    yield labelled("level", f"{requirement.level}: {BROKEN[requirement.level]}")
    yield labelled("source", requirement.source)
    yield labelled("why", requirement.why)
    rule = rules().get(requirement.id)
    yield labelled("rule", rule.words if rule else "there is none yet")
    if requirement.needs:
        yield labelled("needs", ", ".join(needed(need) for need in requirement.needs))
    if requirement.wfc is not None:
        yield labelled("wfc", f"fault category {requirement.wfc} of Web Fuzzing Commons")
    for kind, exchange in examples(requirement.id).items():
        yield f"\na {kind} exchange:\n{indent(exchange.rstrip(), '    ')}"
    yield "\n" + waiving(requirement)


def labelled(label: str, text: str) -> str:
    """Return a text with its label in the margin."""
    words = " ".join(text.split())
    return fill(words, WIDTH, initial_indent=f"{label:8}", subsequent_indent=" " * 8, break_on_hyphens=False)


def needed(need: str) -> str:
    """Return a variable as it is, and a capability with what it means."""
    from hostup_conformance.contract.target import CAPABILITIES

    return f"{need} (a target that {CAPABILITIES[need]})" if need in CAPABILITIES else need


def examples(id: str) -> dict[str, str]:
    """Return a good and a bad exchange of a requirement, or nothing where the kill matrix holds none."""
    found = read_matrix(KILL_MATRIX).get("examples", {}).get(id, {})
    return {kind: found[kind] for kind in ("good", "bad") if found.get(kind)}


def waiving(requirement: Requirement) -> str:
    """Say how to waive a requirement."""
    if requirement.level == "OBSERVE":
        return "There is nothing to waive: it never fails."
    until = datetime.now(UTC).date() + timedelta(days=WAIVED_DAYS)
    return f"""\
To waive it for a time, write into a file, and give that with --waivers FILE:

    - id: {requirement.id}
      reason: why it is broken, and who mends it
      expires: {until}

Until that day it is observed and nobody fails. A waiver that has expired, or is not needed any more, is a fail."""


if __name__ == "__main__":
    sys.exit(main())
