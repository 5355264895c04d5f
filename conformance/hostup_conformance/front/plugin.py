"""The pytest plugin: adds the suite's options and starts the suite, both only if pytest was asked to run it.

Where the suite is installed, every run of pytest loads this module, so it must not import anything slow, nor claim the
name of an option that another plugin or a conftest.py may have.
"""

import copy
import os
from collections.abc import Generator, Iterable
from contextlib import suppress
from pathlib import Path

import pytest

from hostup_conformance.front.options import declared, without_option, written

PACKAGE = "hostup_conformance"
#: pytest's name for the plugin pytest-base-url, whose option --base-url means the same as ours.
BASE_URL_PLUGIN = "base_url"
#: The attributes of pytest's options with which it shows something, and begins no session.
WITHOUT_SESSION = ("help", "version", "markers")
#: The options of pytest itself that the reference names.
OF_PYTEST = ("--quiet", "--strict")


def pytest_addoption(pluginmanager: pytest.PytestPluginManager) -> None:
    """Keep keys out of what pytest says of the options of plugins, which it reads next, if the suite may be asked for.

    What it says of its own options comes before it loads any plugin.
    """
    config = pluginmanager.get_plugin("pytestconfig")
    if isinstance(config, pytest.Config) and is_named_in(map(str, config.invocation_params.args), config):
        from hostup_conformance.keeping.screen import guard

        guard(os.environ)


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
    try:
        again = parser.parse_known_args(args, namespace=copy.copy(early_config.option))
    except pytest.UsageError as error:
        raise pytest.UsageError(without_usage(str(error))) from None
    again.confcutdir = known.confcutdir
    early_config.known_args_namespace = again
    try:
        loaded = yield
    except ValueError as error:
        for option in declared():
            taken = (f"{{'{written(option)}'}} already added", f"{option.name!r} already used")
            if any(words in str(error) for words in taken):  # the option, or the attribute for its value
                raise twice(written(option)) from None
        raise
    check_known(parser, args, early_config)
    return loaded


def without_usage(text: str) -> str:
    """Return what pytest says of the value of an option, without its usage, and where it runs."""
    return text.partition(": error: ")[2].partition("\n")[0] or text


def check_known(parser: pytest.Parser, args: list[str], config: pytest.Config) -> None:
    """Raise `pytest.UsageError` for an option that there is none of: what pytest says of it begins with its usage."""
    _, unknown = parser.parse_known_and_unknown_args(args, namespace=copy.copy(config.option))
    if unknown:
        from hostup_conformance.keeping.safe_text import on_one_line
        from hostup_conformance.keeping.screen import guard

        said = without_option(unknown[0], [*map(written, declared()), *OF_PYTEST])
        raise pytest.UsageError(on_one_line(guard(os.environ).redact(said)))


def know_ini_option(config: pytest.Config, parser: pytest.Parser) -> None:
    """Register the ini option base_url in every run: other runs read the same file, and would warn of it."""
    try:
        config.getini("base_url")
    except ValueError:
        parser.addini("base_url", "the server that hostup_conformance judges, if --base-url names none")


def add_options(parser: pytest.Parser, plugins: pytest.PytestPluginManager) -> None:
    """Add the suite's options; raise `pytest.UsageError` if another plugin has one of the same name."""
    group = parser.getgroup("hostup", "conformance of a guest-agent endpoint (with --pyargs hostup_conformance)")
    for option in declared():
        if option.name == "base_url" and plugins.has_plugin(BASE_URL_PLUGIN):
            continue
        try:
            group.addoption(written(option), **option.metadata["told"])
        except ValueError:
            raise twice(written(option)) from None


def twice(name: str) -> pytest.UsageError:
    """Return the error for an option that another plugin or a conftest.py has too, with the remedy."""
    return pytest.UsageError(
        f"{name} is an option of hostup_conformance, and of a conftest.py or another plugin too; leave that out "
        "(pytest --noconftest, or -p no:NAME), or run hostup-conformance run, which reads no conftest.py"
    )


def pytest_configure(config: pytest.Config) -> None:
    """Start the suite if this run asks for it; raise `pytest.UsageError` if it cannot start."""
    if not is_named_in(config.args, config) or any(getattr(config.option, name) for name in WITHOUT_SESSION):
        return
    from hostup_conformance.keeping.missing import complaint
    from hostup_conformance.keeping.shortage import too_low

    if lacking := complaint() or too_low():
        raise pytest.UsageError(lacking)
    # The exchanges of a run are judged together, so pytest-xdist has nothing to distribute.
    config.option.dist, config.option.tx, config.option.numprocesses = "no", [], None
    config.option.forked = False  # pytest-forked, whose processes could not tell what they got
    config.option.doctestmodules = False  # would import all modules, of which some are programs
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
