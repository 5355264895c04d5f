"""Runs the suite as its users do, in a process of its own."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NoReturn

import prepared
from hostup_conformance.front.options import Options, declared
from hostup_conformance.keeping.misconfigured import Misconfigured
from stage import ByteServer

#: Whatever runs these tests must not change the runs that they start, nor slow them down by two seconds of compiling.
KEPT = {
    name: value
    for name, value in os.environ.items()
    if not name.startswith(("HOSTUP_", "PYTEST_", "COV_", "PYTHONDONTWRITEBYTECODE"))
}


#: The module that the suite is run by, and what pytest is told of it. That a copy has imported its plugins is no news.
PYTEST = "pytest"
SUITE = (
    *("-p", "no:cacheprovider", "-W", "ignore::pytest.PytestAssertRewriteWarning"),
    *("--pyargs", "hostup_conformance"),
)


def command(*arguments: str | Path) -> list[str]:
    return [sys.executable, "-m", PYTEST, *SUITE, *map(str, arguments)]


def ran(folder: Path, program: Iterable[str | Path], **environ: str) -> subprocess.CompletedProcess[str]:
    """Run a program in a folder to its end."""
    return subprocess.run(
        [*program], cwd=folder, env={**KEPT, **environ}, capture_output=True, text=True, timeout=120, check=False
    )


def run(folder: Path, *arguments: str | Path, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run the suite in an empty folder, with its reports in `folder/report`."""
    return run_module(folder, PYTEST, *SUITE, "--report-dir", folder / "report", *arguments, **environ)


def run_on(server: ByteServer, folder: Path, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run the suite on a server, as `run` does."""
    with server.serve() as url:
        return run(folder, "--base-url", url, *arguments, **server.given())


def hostup(folder: Path, *arguments: str | Path, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run the command in a folder."""
    return run_module(folder, "hostup_conformance.front.cli", *arguments, **environ)


def run_module(folder: Path, module: str, *arguments: str | Path, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run a module in a folder, and in a new Python where its environment may matter to Python or other packages."""
    if any(not name.startswith("HOSTUP_") for name in environ):
        return ran(folder, (sys.executable, "-m", module, *arguments), **environ)
    return prepared.run(module, [*map(str, arguments)], folder, {**KEPT, **environ})


def exit_with(main: Callable[[], int]) -> NoReturn:
    """Be a command: exit with what it returns, or with the message of what its user gave that cannot be used."""
    try:
        sys.exit(main())
    except Misconfigured as error:
        sys.exit(str(error))


def eventually(happened: Callable[[], object], seconds: float = 30.0) -> None:
    """Wait until something has happened; fail if it has not in time."""
    until = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < until, f"it did not happen within {seconds:g} seconds"
        time.sleep(0.02)


def report_in(folder: Path) -> dict[str, Any]:
    report: dict[str, Any] = json.loads((folder / "report" / "report.json").read_text())
    return report


def options_with(base_url: str, **options: Any) -> Options:
    """Return options as pytest would have them."""
    plain = {option.name: option.metadata["told"].get("default") for option in declared()}
    return Options.read(SimpleNamespace(**{**plain, "strict": False, **options}), base_url, [])
