"""The pytest plugin: adds the suite's options and starts the suite, both only if pytest was asked to run it.

Where the suite is installed, every run of pytest loads this module, so it must not import anything slow, nor claim the
name of an option that another plugin or a conftest.py may have.
"""

from __future__ import annotations

import copy
import os
from collections.abc import Generator, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from hostup_conformance.http.limits import FOR_COMMANDS, LIVE_REQUESTS, Limits

PACKAGE = "hostup_conformance"
#: pytest's name for the plugin pytest-base-url, whose option --base-url means the same as ours.
BASE_URL_PLUGIN = "base_url"

#: The suite's options with their arguments for argparse. `--strict` is pytest's own; the suite fails on a SHOULD with
#: it.
OPTIONS: dict[str, dict[str, Any]] = {
    "--base-url": {"metavar": "URL", "help": "the server to judge; a path prefix is allowed (default: the mock)"},
    "--report-dir": {
        "metavar": "DIR",
        "default": "conformance-report",
        "help": "where to write the reports (default: conformance-report)",
    },
    "--backend": {
        "choices": ["memory", "qemu-ga"],
        "help": "without --base-url, judge the mock (memory, the default) or a real guest agent",
    },
    "--app": {
        "metavar": "MODULE:ATTRIBUTE",
        "help": "judge an ASGI or WSGI application, served in this process; keys and ids come from the environment",
    },
    "--allow-exec": {
        "nargs": "?",
        "const": "",
        "metavar": "VPS_ID",
        "help": "start harmless commands on the VPS; for a live server, give the id of the VPS as the value",
    },
    "--live": {"action": "store_true", "help": "treat a loopback server as a live one: send only safe methods"},
    "--plan": {"action": "store_true", "help": "list the requests without sending them"},
    "--profile": {"default": "full", "help": "what the server supports: full, static, or a list of capabilities"},
    "--max-requests": {
        "type": int,
        "metavar": "N",
        "help": f"send at most N requests (default for live servers: {LIVE_REQUESTS}, "
        f"or {LIVE_REQUESTS + FOR_COMMANDS} with --allow-exec)",
    },
    "--rate": {"type": float, "metavar": "N", "help": "send at most N requests in a second (default: any number)"},
    "--max-wait": {
        "type": float,
        "metavar": "S",
        "help": f"wait at most S seconds in all where the server limits the rate (default: {Limits.waiting_seconds:g})",
    },
    "--max-seconds": {
        "type": float,
        "metavar": "S",
        "help": f"send for at most S seconds (default: {Limits.run_seconds:g})",
    },
    "--timeout-seconds": {
        "type": float,
        "default": Limits.request_seconds,
        "metavar": "S",
        "help": f"how many seconds one response may take (default: {Limits.request_seconds:g})",
    },
    "--header": {
        "metavar": "NAME",
        "action": "append",
        "default": [],
        "help": "send this header field with every request; its value comes from the environment variable "
        "HOSTUP_HEADER_NAME, with NAME in capitals and - as _ (repeatable)",
    },
    "--ca-file": {"metavar": "FILE", "help": "trust the CAs in FILE (PEM) too (default: those in SSL_CERT_FILE)"},
    "--client-cert": {
        "metavar": "FILE[:KEYFILE]",
        "help": "show the server this certificate (PEM), with its key in the same file or in KEYFILE",
    },
    "--allow-plain-http": {
        "metavar": "HOST",
        "action": "append",
        "default": [],
        "help": "send keys to HOST without TLS, as to a service of Docker Compose or Kubernetes (repeatable)",
    },
    "--har": {"metavar": "FILE", "help": "judge the recorded traffic in FILE (HAR 1.2) without sending anything"},
    "--record": {
        "metavar": "FILE",
        "help": "write the exchanges of this run to FILE (HAR 1.2), with all keys redacted",
    },
    "--waivers": {
        "metavar": "FILE",
        "help": "requirements that may be broken for a while, each with a reason and an expiry date",
    },
}


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_load_initial_conftests(
    early_config: pytest.Config, parser: pytest.Parser, args: list[str]
) -> Generator[None, object, object]:
    """Add the suite's options if the suite is asked for.

    `pytest_addoption` would be too early. Here the options of all other plugins are known, so that their values are not
    mistaken for the suite's name, and an option that is claimed twice can be reported.
    """
    know_ini_option(early_config, parser)
    known = early_config.known_args_namespace
    given = [*known.file_or_dir, *early_config.getini("testpaths")]
    if not is_named_in(given or [str(early_config.invocation_params.dir)], early_config):
        return (yield)
    from hostup_conformance.keeping.screen import guard

    guard(os.environ)  # before pytest says anything of its arguments
    add_options(parser, early_config.pluginmanager)
    # Parse again: the values of our options are no paths of tests, in which pytest looks for a conftest.py.
    again = parser.parse_known_args(args, namespace=copy.copy(early_config.option))
    again.confcutdir = known.confcutdir
    early_config.known_args_namespace = again
    try:
        return (yield)
    except ValueError as error:
        for name in OPTIONS:
            if is_about(error, name):
                raise twice(name) from None
        raise


def know_ini_option(config: pytest.Config, parser: pytest.Parser) -> None:
    """Register the ini option base_url in every run: other runs read the same file, and would warn of it."""
    try:
        config.getini("base_url")
    except ValueError:
        parser.addini("base_url", "the server that hostup_conformance judges, if --base-url names none")


def add_options(parser: pytest.Parser, plugins: pytest.PytestPluginManager) -> None:
    """Add the suite's options; raise `pytest.UsageError` if another plugin has one of the same name."""
    group = parser.getgroup("hostup", "conformance of a guest-agent endpoint (with --pyargs hostup_conformance)")
    for name, attributes in OPTIONS.items():
        if name == "--base-url" and plugins.has_plugin(BASE_URL_PLUGIN):
            continue
        try:
            group.addoption(name, **attributes)
        except ValueError:
            raise twice(name) from None


def is_about(error: ValueError, name: str) -> bool:
    """Whether pytest's error says that an option of this name, or its destination, is already taken."""
    return any(
        quoted in str(error) for quoted in (f"{{'{name}'}} already added", f"{destination(name)!r} already used")
    )


def destination(name: str) -> str:
    """Return the name of the attribute that holds an option's value."""
    return name.removeprefix("--").replace("-", "_")


def twice(name: str) -> pytest.UsageError:
    """Return the error for an option that another plugin or a conftest.py has too, with the remedy."""
    return pytest.UsageError(
        f"{name} is an option of hostup_conformance, and of a conftest.py or another plugin too; leave that out "
        "(pytest --noconftest, or -p no:NAME), or run hostup-conformance run, which reads no conftest.py"
    )


def pytest_configure(config: pytest.Config) -> None:
    """Start the suite if this run asks for it; raise `pytest.UsageError` if it cannot start."""
    if not is_named_in(config.args, config):
        return
    from hostup_conformance.keeping.missing import complaint

    if lacking := complaint():
        raise pytest.UsageError(lacking)
    # The exchanges of a run are judged together, so pytest-xdist has nothing to distribute.
    config.option.dist, config.option.tx, config.option.numprocesses = "no", [], None
    # Before the import below, which takes a second.
    from hostup_conformance.keeping.interruption import Interruption

    interruption = Interruption()
    config.add_cleanup(interruption.close)
    from hostup_conformance.front import session

    config.pluginmanager.register(session.Conformance.from_config(config, interruption), session.NAME)
    config.pluginmanager.register(session)  # for its fixture


def is_named_in(arguments: Iterable[str], config: pytest.Config) -> bool:
    """Whether one of pytest's arguments is this package, by name or by path."""
    here = Path(__file__).parents[1]
    for argument in arguments:
        name = argument.partition("::")[0]
        if name == PACKAGE or name.startswith(PACKAGE + "."):
            return True
        with suppress(OSError, ValueError):  # not every argument is a path
            path = (config.invocation_params.dir / name).resolve()
            if here in (path, *path.parents):
                return True
    return False
