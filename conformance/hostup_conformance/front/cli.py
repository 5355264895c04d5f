"""The command hostup-conformance, for people who do not use pytest: reads the arguments, and calls what they name."""

import argparse
import os
import re
import sys
import textwrap
from collections.abc import Collection, Sequence
from functools import partial
from pathlib import Path
from typing import NoReturn

from hostup_conformance import __version__, clients
from hostup_conformance.clients.examples import example
from hostup_conformance.front import INTERRUPTED, UNUSABLE, UNWRITTEN
from hostup_conformance.front.options import ClientOptions, Options, declared, values_of, without_option, written
from hostup_conformance.keeping.misconfigured import Misconfigured
from hostup_conformance.keeping.safe_text import on_one_line
from hostup_conformance.keeping.screen import complain, guarded, lost, say
from hostup_conformance.keeping.shortage import told_of_shortage, too_low

#: What a project's conftest.py, configuration, plugins and environment change is meant for its own tests. A run has no
#: use for two plugins of pytest, nor for an assert that is rewritten, and they take a while.
ALONE = ("--noconftest", "-o", "addopts=", "--disable-plugin-autoload", "-p", "hostup_conformance.front.plugin",
         "-p", "no:unraisableexception", "-p", "no:threadexception", "--assert=plain", "--tb=no")  # fmt: skip
ENVIRONMENT = """\
environment variables, for a server other than the embedded mock:
  HOSTUP_API_KEY             key with read:vm and write:vm (required)
  HOSTUP_VPS_ID              a VPS whose agent is available (default: the first in the list)
  HOSTUP_READ_API_KEY        key with read:vm only
  HOSTUP_UNAVAILABLE_VPS_ID  a VPS whose agent is not available
  HOSTUP_FOREIGN_VPS_ID      a VPS of another account
  HOSTUP_FINISHED_PID, HOSTUP_RUNNING_PID
                             pids, on HOSTUP_VPS_ID, of a command that has ended and of one that runs
"""
EXIT_CODES = """\
exit codes are pytest's: 0 conformant, 1 not conformant or not demonstrated, 2 interrupted,
3 a report or the output could not be written, or the suite itself failed,
4 something is missing or malformed, and nothing was sent"""
#: What there is between the suite and a client that it judges.
CLIENT_CONTRACT = Path(clients.__file__).with_name("contract.md")
OF_PYTEST = """\
all further arguments go to pytest, which has more options (pytest --help), such as:
  -k POLL                judge only the requirements that match; to a server, only what judges them is sent
  --strict               fail if a SHOULD is broken
  --quiet                list no items, and show no more than dots of how far the run is
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command, and return its exit code, which says so if its output could not be written."""
    with guarded(os.environ):
        code = UNWRITTEN
        try:
            with told_of_shortage(complain):
                code = command(argv)
        except Misconfigured as error:
            complain(str(error))
            code = UNUSABLE
        except KeyboardInterrupt:
            complain("interrupted")
            code = INTERRUPTED
        except Exception as error:  # a traceback would be printed where nothing takes the keys out
            from hostup_conformance.judging.defects import failure

            complain(f"the suite failed ({failure(error)}); please report it")
        except SystemExit:
            sys.stdout.flush()
            if lost():
                sys.exit(UNWRITTEN)
            raise
        sys.stdout.flush()
        return UNWRITTEN if lost() else code


def command(argv: Sequence[str] | None) -> int:
    """Run the command, and return its exit code."""
    check_folder()
    ours, for_pytest = split(list(sys.argv[1:] if argv is None else argv))
    arguments = make_parser().read(ours)
    if arguments.command == "explain":
        from hostup_conformance.front.explain import explain, list_all

        return max(map(explain, arguments.ids)) if arguments.ids else list_all()
    if arguments.command == "compare":
        return compare(arguments.old, arguments.new, markdown=arguments.markdown)
    if arguments.command == "client":
        return judge_command(arguments, for_pytest)
    if arguments.command == "judge" and "--client" in for_pytest:
        return judge_recording(arguments.file, for_pytest)
    if arguments.command == "judge":
        return run_pytest([f"--har={arguments.file}", *for_pytest])
    given = bool(arguments.url) + sum(word.partition("=")[0] == "--base-url" for word in for_pytest)
    if has_late_url(for_pytest) or given > 1:
        late = "there are two URLs; give one" if given else "the URL stands after options; give it first"
        raise Misconfigured(f"{late}, as in hostup-conformance run URL --strict")
    return run_pytest([*([f"--base-url={arguments.url}"] if arguments.url else []), *for_pytest])


def has_late_url(words: list[str]) -> bool:
    """Whether a URL stands among the arguments for pytest, which would look for tests in it."""
    pairs = zip(["", *words], words, strict=False)
    return any(word.lower().startswith(("http://", "https://")) and last != "--base-url" for last, word in pairs)


def check_folder() -> None:
    """Raise `Misconfigured` if the working folder has gone, to which the paths of files may be relative."""
    try:
        Path.cwd()
    except OSError as error:
        raise Misconfigured(f"the working folder cannot be used ({error.strerror}); change to another one") from None


def split(argv: list[str]) -> tuple[list[str], list[str]]:
    """Separate our own arguments from those for pytest, after the URL or file, or from a client's command, after --.

    argparse cannot do that: it cannot tell a URL from the value of an option that it does not know.
    """
    if argv[:1] == ["client"] and "--" in argv:
        return argv[: argv.index("--")], argv[argv.index("--") + 1 :]
    if argv[:1] not in (["run"], ["judge"]):
        return argv, []
    is_ours = len(argv) > 1 and (not argv[1].startswith("-") or argv[1] in {"-h", "--help"})
    ours = 2 if is_ours else 1
    return argv[:ours], argv[ours:]


class Parser(argparse.ArgumentParser):
    """Ends with pytest's exit code for arguments that are wrong, which is not argparse's."""

    def read(self, words: Sequence[str]) -> argparse.Namespace:
        """Return the arguments; end with similar options for one that there is none of."""
        arguments, unknown = self.parse_known_args(words)
        if unknown and unknown[0].startswith("-"):
            self.error(without_option(unknown[0], [*map(written, declared(ClientOptions)), "--client", "--markdown"]))
        if unknown:
            after = "; give the client's command after --" if vars(arguments).get("command") == "client" else ""
            self.error(f"there is no use for {unknown[0]}{after}")
        return arguments

    def error(self, message: str) -> NoReturn:
        """Print the usage and what is wrong, and end."""
        self.print_usage(sys.stderr)
        self.exit(UNUSABLE, f"{self.prog}: error: {on_one_line(message)}\n")


def make_parser() -> Parser:
    """Return the parser of our own arguments."""
    parser = Parser(
        prog="hostup-conformance",
        description="Judges whether a server of HostUp's guest-agent endpoint conforms to the contract.",
        epilog=f"{ENVIRONMENT}\n{EXIT_CODES}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    formatted = partial(commands.add_parser, formatter_class=argparse.RawDescriptionHelpFormatter)
    run = formatted(
        "run",
        help="judge the server at URL, or the embedded mock",
        usage="hostup-conformance run [URL] [PYTEST ARGUMENTS ...]",
        description="Judges the server at URL. Without URL, judges the embedded mock, to show that the suite works.",
        epilog=f"{OF_PYTEST}\n{ENVIRONMENT}\n{EXIT_CODES}",
    )
    run.add_argument("url", nargs="?", metavar="URL", help="address of the server; a path prefix is allowed")
    add_options(run, Options)
    judge = formatted(
        "judge",
        help="judge recorded traffic without sending anything",
        usage="hostup-conformance judge FILE.har [--client] [PYTEST ARGUMENTS ...]",
        description="Judges the exchanges in a HAR 1.2 file by the same rules. Entries for other paths are ignored.\n"
        "With --client it judges the client that was recorded, and takes --report-dir, --strict and --waivers only.",
        epilog=f"{OF_PYTEST}\n{EXIT_CODES}",
    )
    judge.add_argument(
        "file", metavar="FILE.har", help="recorded by a browser, a proxy, or hostup-conformance run --record FILE.har"
    )
    add_options(judge, Options, {"profile", "report_dir", "waivers"})
    client = formatted(
        "client",
        help="judge a client: any command, in any language",
        usage="hostup-conformance client [OPTIONS] -- COMMAND [ARGUMENTS ...]",
        description="Judges a client of the endpoint. For each scene a server is started on loopback,\n"
        "and COMMAND is run with what it needs in its environment.",
        epilog=f"{for_terminals(CLIENT_CONTRACT.read_text('utf-8'))}\n\n{EXIT_CODES}",
    )
    add_options(client, ClientOptions)
    comparing = commands.add_parser(
        "compare",
        help="show what became worse, better or is new between two reports",
        description="Compares two reports of runs, requirement by requirement.",
        epilog="exit codes: 1 if something became worse, 0 if nothing did, 4 for a file that is not a report",
    )
    comparing.add_argument("old", metavar="OLD.json", type=Path, help="report.json of the earlier run, or its folder")
    comparing.add_argument("new", metavar="NEW.json", type=Path, help="report.json of the later run")
    comparing.add_argument("--markdown", action="store_true", help="print Markdown, for the summary of a CI job")
    explaining = commands.add_parser(
        "explain",
        help="show what a requirement demands, why, and how to waive it",
        description="Explains a requirement: its rule, its source, and a good and a bad exchange.",
    )
    explaining.add_argument("ids", metavar="ID", nargs="*", help="such as POLL-01; without any, all are listed")
    return parser


def for_terminals(markdown: str) -> str:
    """Return Markdown as plain text, in which each row of a table is a name with its words below it."""
    lines: list[str] = []
    header: list[str] = []
    paragraphs = re.sub(r"\n +(?=\S)", " ", re.sub(r"\*\*|`", "", markdown))
    for line in paragraphs.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split(" | ")]
        if not line.startswith("|"):
            header = []
            lines += textwrap.wrap(line, 118, subsequent_indent="  ") or [""]
        elif not header:
            header = cells
        elif len(cells) > 1:
            lines.append(f"  {cells[0]}")
            named = [cells[1], *map(": ".join, zip(header[2:], cells[2:], strict=True))]
            lines += [f"      {part}" for text in named for part in textwrap.wrap(text, 106)]
    return "\n".join(lines)


def add_options(parser: argparse.ArgumentParser, options: type, names: Collection[str] = ()) -> None:
    """Add options as they are declared, or those of some names. Those for servers are only shown: pytest reads them."""
    for one in declared(options):
        if not names or one.name in names:
            parser.add_argument(written(one), dest=one.name, **one.metadata["told"])


def judge_recording(file: str, words: Sequence[str]) -> int:
    """Judge the client in a recording, and return the exit code."""
    from hostup_conformance.front.client_run import judge_file

    parser = Parser(prog="hostup-conformance judge FILE.har", allow_abbrev=False)
    parser.add_argument("--client", action="store_true", help="judge the client in the recording, not the server")
    add_options(parser, ClientOptions, {"report_dir", "strict", "waivers"})
    arguments = parser.read(words)
    return judge_file(Path(file), ClientOptions(**values_of(arguments, ClientOptions)))


def judge_command(arguments: argparse.Namespace, words: list[str]) -> int:
    """Judge a client, or list the scenes, and return the exit code."""
    options = ClientOptions(tuple(words), **values_of(arguments, ClientOptions))
    if options.listed:
        from hostup_conformance.clients.scenes import SCENES

        for name, scene in SCENES.all().items():
            say(f"{name:30} {' '.join(scene.doc.split())}")
        return 0
    if options.example:
        say(example(options.example).removesuffix("\n"))
        return 0
    check_limits()
    from hostup_conformance.front.client_run import by_hand, run

    return by_hand(options) if options.by_hand else run(options)


def check_limits() -> None:
    """Raise `Misconfigured` if the system allows less than a run needs."""
    if why := too_low():
        raise Misconfigured(why)


def run_pytest(arguments: list[str]) -> int:
    """Run the suite, and return pytest's exit code."""
    check_limits()
    if "--plan" not in arguments:
        from hostup_conformance.contract.schemathesis_client import schemathesis

        schemathesis.start()  # before anything else, since it takes a while until it can answer
    import pytest

    if os.environ.pop("PYTEST_ADDOPTS", ""):
        complain("PYTEST_ADDOPTS is not used, since it is meant for tests of your own; give options to this command")
    return int(pytest.main(["--pyargs", "hostup_conformance", *ALONE, *arguments]))


def compare(old: Path, new: Path, *, markdown: bool) -> int:
    """Print how two reports differ, and return 1 if something became worse."""
    from hostup_conformance.reports import compare, schema

    before, after = schema.read(old), schema.read(new)
    if (before["target"]["kind"] == "client") != (after["target"]["kind"] == "client"):
        raise Misconfigured("one of the reports is about a client; give two that are about the same kind")
    if before.get("only", []) != after.get("only", []):
        raise Misconfigured("one of the reports is about some requirements alone (-k); give two about the same")
    if before["verdict"] == compare.NOTHING:
        raise Misconfigured(f"{old} demonstrated nothing that could have become worse; give the last report that did")
    comparison = compare.compare(before, after)
    lines = compare.markdown_of if markdown else compare.text_of
    say("\n".join(lines(comparison, before, after)))
    return 1 if comparison.is_worse else 0


if __name__ == "__main__":
    sys.exit(main())
