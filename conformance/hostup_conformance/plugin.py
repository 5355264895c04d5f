"""The pytest plugin: adds the suite's options, and starts the suite only if pytest was asked to run it.

Every run of pytest loads it where the suite is installed, so it must not import anything slow.
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
    add(
        "--report-dir",
        metavar="DIR",
        default="conformance-report",
        help="where to write the reports (default: conformance-report)",
    )
    add(
        "--backend",
        choices=["memory", "qemu-ga"],
        help="without --base-url, judge the mock (memory, the default) or a real guest agent",
    )
    add("--allow-exec", nargs="?", const="", metavar="VPS_ID",
        help="start harmless commands on the VPS; for a live server, give the id of the VPS as the value")  # fmt: skip
    add("--live", action="store_true", help="treat a loopback server as a live one: send only safe methods")
    # --strict is pytest's own flag; for this suite it also means that a broken SHOULD is a fail.
    add("--plan", action="store_true", help="list the requests without sending them")
    add("--profile", default="full", help="what the server supports: full, static, or a list of capabilities")
    add("--max-requests", type=int, metavar="N", help="send at most N requests (default for live servers: 150)")
    add(
        "--timeout-seconds",
        type=float,
        default=10.0,
        metavar="S",
        help="how many seconds one response may take (default: 10)",
    )
    add("--har", metavar="FILE", help="judge the recorded traffic in FILE (HAR 1.2) without sending anything")
    add("--record", metavar="FILE", help="write the exchanges of this run to FILE (HAR 1.2), with all keys redacted")
    add(
        "--waivers",
        metavar="FILE",
        help="requirements that may be broken for a while, each with a reason and an expiry date",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Start the suite if this run asks for it; raise `pytest.UsageError` if it cannot start."""
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
