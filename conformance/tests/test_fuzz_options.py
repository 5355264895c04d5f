"""Whatever the command is given, in arguments and environment, it begins, or says what is wrong and shows no key."""

import asyncio
import copy
import io
import os
import ssl
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any, NoReturn
from unittest.mock import patch

import pytest
from _pytest.config import get_config
from _pytest.config.exceptions import PrintHelp
from fuzzing import TEXTS, by_chance, each, some_characters
from hostile.outcome import leaks
from hostile.server import KEYS
from hostup_conformance.contract.target import VARIABLES, Target
from hostup_conformance.front import application, cli, client_run, plugin, preparation, session
from hostup_conformance.front.options import ClientOptions, Options, declared, written
from hostup_conformance.http import route
from hostup_conformance.keeping.interruption import Interruption
from hostup_conformance.keeping.misconfigured import Misconfigured
from hostup_conformance.keeping.screen import keys_in
from hostup_conformance.mock import VPS_ID, memory
from hypothesis import example, given

#: The options that have no value.
FLAGS = {
    written(one)
    for kind in (Options, ClientOptions)
    for one in declared(kind)
    if one.metadata["told"].get("action") == "store_true"
} | {"-q", "-x", "--strict", "--client", "--markdown", "--", "-h", "--help"}
#: The options of each command, and some of pytest's.
OF_SERVERS = (*(written(one) for one in declared(Options)), "-k", "-m", "-q", "-x", "-n", "-W", "--strict", "--color")
OF_CLIENTS = (*(written(one) for one in declared(ClientOptions)), "--", "-h")
COMMANDS = {
    "run": OF_SERVERS, "judge": (*OF_SERVERS, "--client", "--help"), "client": OF_CLIENTS,
    "explain": ("--help",), "compare": ("--markdown",), "rnu": OF_CLIENTS, "": (), "--version": OF_SERVERS,
}  # fmt: skip
#: The variables that a run reads.
READ = (
    *VARIABLES.values(), *route.CA_VARIABLES, "HOSTUP_HEADER_X_A", "HOSTUP_BASE_URL", "PYTEST_ADDOPTS", "COLUMNS",
    "HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "NO_PROXY", "https_proxy", "PYTEST_DISABLE_PLUGIN_AUTOLOAD",
)  # fmt: skip
URLS = (
    *("http://127.0.0.1:9", "https://h.invalid", "http://h.invalid/a?b#c", "http://u:p@h.invalid", "http://h:99999/"),
    *("http://[::1]:9/a", "http://[::1", "http://[v1.x]", "HTTP://LOCALHOST", "http://127.1", "http://0", "//h", "h:1"),
    *(
        "http://é.invalid",
        "http://xn--a.invalid",
        f"http://{'a' * 64}.invalid",
        "http://h.invalid:0",
        "http://",
        "http:",
    ),
    *("http://h.invalid:", "http://h.invalid/ä b", "http://127.0.0.1:9/api/v2/vps/x", f"https://{KEYS[0]}.invalid"),
    *("file:///etc/passwd", "http://h.invalid\\@h", "http://%00", "http://\ud800", "http://１２７.0.0.1", "a://b://c"),
)
NUMBERS = (
    "0",
    "-1",
    "1",
    "5",
    "60",
    "0.5",
    "1e3",
    "1e400",
    "nan",
    "inf",
    "9" * 5000,
    "0x1",
    "١",
    "1_0",
    " 1",
    "1" * 18,
)
WORDS = (
    *("static", "full", "credentials,scopes", "qemu-ga", "probe", "go", "well", "well*", "POLL-01", "poll-1"),
    *("X-A", "Host", "x y", "a:b", "json:loads", "no_such:app", ":", "a:", "json:", "os.path:join()", "127.0.0.1"),
    *("yes", "-", "--", "-k", "not", "(", "x" * 5000, "é" * 300, "*", "[", "'", '"', "a b", "\0", "\udcff"),
    *(*KEYS, "Bearer " + KEYS[0], KEYS[0][:12], f" {KEYS[1]}\n", f'"{KEYS[0]}"', KEYS[0].encode().hex()),
)
#: What stands in the folder in which all is tried, or does not: none of it may be written through.
FILES = (
    *("report", "new/deep", "empty.har", "x.har", "waivers.yaml", "report.json", "none", "folder", "folder/", "pipe"),
    *("to_device", "to_device/x", "to_itself", "to_nothing", "to_folder", ".", "..", "", "x" * 300, "empty.har:none"),
)
EXIT_CODES = {0, 1, 4}


@dataclass(frozen=True)
class Given:
    """What a process is given by its user."""

    argv: list[str]
    environ: dict[str, str]


def some_word(chance: Random) -> str:
    """Return a value, whatever it is for. None is the path of a file elsewhere."""
    if chance.random() < 0.1:
        return some_characters(chance).lstrip("/@")
    return chance.choice(chance.choice((URLS, NUMBERS, WORDS, FILES, FILES, TEXTS))).lstrip("/@")


def some_option(chance: Random, names: Sequence[str]) -> list[str]:
    """Return an option, or what resembles one, with a value or without one, in either form."""
    name, at = chance.choice(names or OF_SERVERS), chance.randrange(2, 12)
    if chance.random() < 0.05:
        name = name[:at] + chance.choice(("", "-", "x", "\ud800", KEYS[1])) + name[at + 1 :]
    if chance.random() < (0.95 if name in FLAGS else 0.1):
        return [name]
    value = some_word(chance)
    return [f"{name}={value}"] if chance.random() < 0.5 else [name, value]


def some_given(chance: Random) -> Given:
    command = chance.choices(tuple(COMMANDS), (8, 4, 4, 1, 1, 1, 1, 1))[0]
    first = [chance.choice(URLS)] if command == "run" and chance.random() < 0.5 else []
    argv = [command, *first, *(some_word(chance) for _ in range(chance.choice((0, 0, 0, 1, 2))))]
    argv += [word for _ in range(chance.randrange(4)) for word in some_option(chance, COMMANDS[command])]
    environ = dict(zip(VARIABLES.values(), (*KEYS, VPS_ID), strict=False)) if chance.random() < 0.8 else {}
    for _ in range(chance.choice((0, 0, 1, 3))):
        value = some_word(chance) if chance.random() < 0.7 else " ".join(some_option(chance, OF_SERVERS))
        environ[chance.choice(READ)] = passed(value)
    return Given([*map(passed, argv)], environ)


def passed(text: str) -> str:
    """Return a text as the system passes it to a process, and Python decodes it: any bytes but zero."""
    return os.fsdecode(text.encode("utf-8", "surrogatepass").replace(b"\0", b""))


class Quick(ssl.SSLContext):
    """Does not read the CAs of the system, which takes longer than all else."""

    def load_default_certs(self, *_: object) -> None:
        """Load none."""


class Prepared:
    """pytest, which has been started once to run the suite, up to the point where options and environment are read."""

    def __init__(self) -> None:
        arguments = ["--pyargs", plugin.PACKAGE, "--noconftest", "-o", "addopts="]
        self._config = get_config(arguments)
        self._config.parse(arguments)
        self._option = copy.copy(self._config.option)

    def main(self, arguments: Sequence[str]) -> int:
        """Read arguments and environment as a run does."""
        config, interruption, args = self._config, Interruption(), list(arguments)
        config.invocation_params = pytest.Config.InvocationParams(args=args, plugins=None, dir=Path.cwd())
        config._inicache.clear()
        try:
            plugin.check_known(config._parser, args, config)
            config.option = config._parser.parse(args, copy.copy(self._option))
            session.Conformance.from_config(config, interruption).run.end()
        except PrintHelp:
            pass
        except pytest.UsageError as error:
            print("ERROR:", *error.args, file=sys.stderr)
            return pytest.ExitCode.USAGE_ERROR
        finally:
            interruption.close()
            config._cleanup_stack.close()
        return pytest.ExitCode.OK


def unsent(*_: Any, **__: Any) -> NoReturn:
    raise Misconfigured("all is well so far, and something would be sent now")


@contextmanager
def loaded(name: str) -> Iterator[application.Served]:
    """Load an application, and do not serve it."""
    application.load(name)
    yield application.Served("http://127.0.0.1:9", {})


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A process that has been started, and goes no further than where something would be sent, run or served."""
    folder = tmp_path_factory.mktemp("one") / "two" / "three"
    (folder / "folder").mkdir(parents=True)
    for name, place in {"device": "/dev/null", "itself": "to_itself", "nothing": "none", "folder": "folder"}.items():
        (folder / f"to_{name}").symlink_to(place)
    os.mkfifo(folder / "pipe")
    (folder / "empty.har").touch()
    (folder / "x.har").write_text('{"log": {"version": "1.2", "entries": []}}', encoding="utf-8")
    (folder / "waivers.yaml").write_text("- {id: POLL-03, reason: x, expires: 2027-01-01}", encoding="utf-8")
    (folder / "report.json").write_text('{"format": 3}', encoding="utf-8")
    started = Prepared()
    target = Target("http://127.0.0.1:9", "server", KEYS[0], VPS_ID)
    with pytest.MonkeyPatch.context() as patches:
        patches.chdir(folder)
        patches.setattr(sys, "path", [*sys.path])
        patches.setattr(pytest, "main", started.main)
        patches.setattr(ssl, "create_default_context", lambda **_: Quick(ssl.PROTOCOL_TLS_CLIENT))
        patches.setattr(application, "serve", loaded)
        patches.setattr(memory, "serve", lambda _: nullcontext("http://127.0.0.1:9"))
        patches.setattr(preparation, "agent_target", lambda *_: target)
        patches.setattr(session, "looked_up", unsent)
        patches.setattr(client_run, "play_all", unsent)
        patches.setattr(client_run, "serve_by_hand", lambda *_: asyncio.sleep(0, []))
        patches.setattr(client_run, "write_files", lambda *_: None)
        yield


def outcome_of(given: Given) -> tuple[int, dict[str, str]]:
    """Return the exit code of the command, and what it prints."""
    out, err = io.StringIO(), io.StringIO()
    kept = {name: value for name, value in os.environ.items() if not name.startswith("HOSTUP_")}
    with ExitStack() as changed:
        changed.enter_context(patch.dict(os.environ, {**kept, **given.environ}, clear=True))
        changed.enter_context(patch.multiple(sys, stdout=out, stderr=err))
        try:
            code = cli.main(given.argv)
        except SystemExit as ended:
            code = ended.code if isinstance(ended.code, int) else -1
    return int(code), {"standard output": out.getvalue(), "standard error": err.getvalue()}


@each
@given(by_chance(some_given))
@example(Given(["run", "http://127.0.0.1:9", f"--max-requests={KEYS[0]}"], {"HOSTUP_API_KEY": KEYS[0]}))
@example(Given(["client", "--report-dir=--", "--", "true"], {}))
@example(Given(["client", "--by-hand", "--scene=*"], {}))
@example(Given(["judge", "x.har", "y", "--client"], {}))
@example(Given(["run", "http://127.0.0.1:9", "--header=--"], {"HOSTUP_API_KEY": KEYS[0]}))
@example(Given(["run", "https://h.invalid"], {"HOSTUP_API_KEY": KEYS[0], "HTTPS_PROXY": "http://\xe9.invalid"}))
@example(Given(["run", "https://h.invalid"], {"HOSTUP_API_KEY": KEYS[0], "HTTPS_PROXY": "http://%c3%a9:@h.invalid"}))
def test_any_options_are_read_or_refused(prepared: None, given: Given) -> None:  # noqa: ARG001
    code, printed = outcome_of(given)
    assert code in EXIT_CODES
    said = printed["standard error"]
    assert "Traceback" not in said
    assert code != 4 or "error" in said.lower() or said.startswith("hostup-conformance: ")
    assert all(character.isprintable() or character == "\n" for character in said)
    assert leaks(printed, tuple(set(KEYS) & set(keys_in(given.environ)))) == []
