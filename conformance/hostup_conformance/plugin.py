"""The pytest plugin: options, and nothing else unless the suite is what pytest was asked to run.

It is loaded into every pytest run where the suite is installed, so it must not import anything heavy.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest

PACKAGE = "hostup_conformance"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the suite's options."""
    group = parser.getgroup("hostup", "conformance of a guest-agent endpoint (with --pyargs hostup_conformance)")
    add = group.addoption
    add("--report-dir", metavar="DIR", default="conformance-report", help="where the reports go (conformance-report)")
    add("--backend", choices=["memory", "qemu-ga"], help="without --base-url: judge the mock, or a real guest agent")
    add("--allow-exec", nargs="?", const="", metavar="VPS_ID",
        help="start harmless commands on the VPS; a live server's id must be repeated as the value")  # fmt: skip
    add("--live", action="store_true", help="treat the server as a live one even on loopback: safe methods alone")
    # --strict (a SHOULD that is broken is a fail) is pytest's own flag, which this suite obeys in its way too.
    add("--plan", action="store_true", help="list what would be sent, and send nothing")
    add("--profile", default="full", help="what the server offers: full, static, or a list of capabilities")
    add("--max-requests", type=int, metavar="N", help="send no more than N requests (150 for live servers)")
    add("--timeout-seconds", type=float, default=10.0, metavar="S", help="how long one answer may take (10)")
    add("--har", metavar="FILE", help="judge the recorded traffic in FILE (HAR 1.2), and send nothing")
    add("--record", metavar="FILE", help="write the exchanges of this run to FILE (HAR 1.2), without keys")
    add("--waivers", metavar="FILE", help="requirements that are known to be broken, each with reason and expiry")


def pytest_configure(config: pytest.Config) -> None:
    """Start the suite if it is what this run is about; raise `pytest.UsageError` for what it cannot start with."""
    if is_asked_for(config):
        from hostup_conformance.session import Conformance

        config.pluginmanager.register(Conformance.from_config(config), "hostup-conformance")


def is_asked_for(config: pytest.Config) -> bool:
    """Whether one of pytest's arguments is this package, by name or by path."""
    here = Path(__file__).parent
    for arg in config.args:
        name = arg.partition("::")[0]
        if name == PACKAGE or name.startswith(PACKAGE + ".") or here in (path := Path(name).resolve(), *path.parents):
            return True
    return False
