"""One run of the suite inside pytest: source, verdict and reports, tied to pytest's own course.

Under pytest-xdist one worker does it all, since the exchanges of a run are judged together; the controller writes the
reports.
"""

from __future__ import annotations

import json
import os
import signal
import tempfile
import time
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from hostup_conformance import har
from hostup_conformance.reports import terminal
from hostup_conformance.reports.data import report_of
from hostup_conformance.reports.files import write_reports
from hostup_conformance.rules import show
from hostup_conformance.sources import commands, lookup, probe
from hostup_conformance.sources.generated import Generated
from hostup_conformance.target import Misconfigured, Target
from hostup_conformance.verdict import Verdict, hold_against_oracle, judge
from hostup_conformance.waivers import apply_waivers, read_waivers
from hostup_conformance.wire import Limits, Wire

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hostup_conformance.exchange import Exchange

#: How many requests a live server gets unless told otherwise, and how many more where commands may be started.
LIVE_REQUESTS, FOR_COMMANDS = 150, 75


class Conformance:
    """The state of a run. As a pytest plugin it prepares items, and reports at the end."""

    def __init__(self, config: pytest.Config, target: Target) -> None:
        self.config = config
        option = config.option
        self.wire = Wire(target, limits(option, target), live=option.live)
        self.generated = Generated(self.wire)
        self.recorded: list[Exchange] = []
        self.ignored = 0
        self.waivers = read_waivers(option.waivers)
        self.started, self._began = datetime.now(UTC), time.monotonic()
        if option.har:
            self.recorded, self.ignored = har.read(Path(option.har), target)
            self.wire.stop("the recording does not show it")
        for file in filter(None, (Path(option.report_dir) / "report.json", option.record and Path(option.record))):
            check_writable(file)
        #: The finished report; in the controller it comes from the worker.
        self.report: dict[str, Any] | None = None

    @classmethod
    def from_config(cls, config: pytest.Config) -> Conformance:
        """Read options and environment, and start the embedded mock if no server was named."""
        resources = ExitStack()
        config.add_cleanup(resources.close)
        # One run, one worker: another would send everything again, and take the output of one-shot pids away.
        config.option.tx = (getattr(config.option, "tx", None) or [])[:1]
        # Somebody's warnings are no verdict on a server.
        config.addinivalue_line("filterwarnings", "ignore")
        if config.option.xmlpath is None and not hasattr(config, "workerinput") and not config.option.plan:
            config.option.xmlpath = str(Path(config.option.report_dir) / "junit.xml")
        try:
            target = target_of(config, resources)
            if not target.vps and target.kind == "server":
                target = looked_up(target, config)
            return cls(config, with_commands(target, config.option))
        except Misconfigured as error:
            raise pytest.UsageError(str(error)) from None

    @property
    def target(self) -> Target:
        """What is judged, with what the run has learnt of it."""
        return self.wire.target

    @property
    def is_worker(self) -> bool:
        """Whether this process runs items for another, under pytest-xdist."""
        return hasattr(self.config, "workerinput")

    @property
    def is_controller(self) -> bool:
        """Whether other processes run the items."""
        return not self.is_worker and bool(getattr(self.config.option, "tx", None))

    @property
    def exchanges(self) -> list[Exchange]:
        """All exchanges so far."""
        return self.recorded or self.wire.exchanges

    def script(self) -> list[probe.Stage]:
        """Return what the scripted probe sends to this target."""
        return commands.stages(self.target, careful=self.wire.careful)

    def take_probe(self) -> None:
        """Send the scripted probe; the wire is stopped where a recording is judged."""
        if self.target.allow_exec:
            commands.begin(self.wire)
        probe.run(self.wire, self.script())

    @cached_property
    def verdict(self) -> Verdict:
        """The verdict on all exchanges; asked for the first time, it ends the sending."""
        return self._judge(self.wire.stopped)

    def _judge(self, stopped: str | None) -> Verdict:
        verdict = judge(self.exchanges, self.target, stopped)
        verdict = hold_against_oracle(verdict, self.exchanges)
        return apply_waivers(verdict, self.waivers, self.started.date(), strict=self.config.option.strict)

    # --- pytest's hooks, in the order of a run

    def pytest_sessionstart(self) -> None:
        """End in good order on SIGTERM as on Ctrl-C, so that the report is written."""
        signal.signal(signal.SIGTERM, signal.default_int_handler)

    def pytest_report_header(self) -> list[str]:
        """Say what is judged."""
        address = "served by the worker" if self.is_controller and self.target.kind == "mock" else self.target.base_url
        target = f"target: {address} ({self.target.kind}), profile {self.target.profile}"
        return [target, f"HOSTUP_VPS_ID: {show(self.target.vps)}, looked up"] if self.target.looked_up else [target]

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Put generated requests before the verdict."""
        items.sort(key=lambda item: "test_requirements" in item.nodeid)

    def pytest_runtestloop(self) -> bool | None:
        """With `--plan`, list the requests instead."""
        if not self.config.option.plan:
            return None
        terminal.print_plan(self)
        return True

    def pytest_report_teststatus(self, report: pytest.TestReport) -> tuple[str, str, str] | None:
        """Show a requirement's own status where pytest knows no such word."""
        status = dict(getattr(report, "user_properties", ())).get("status")  # a report of collection has none
        if report.when == "call" and isinstance(status, str) and status in {"warn", "observe", "disabled"}:
            return status, status[0], status.upper()
        return None

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Judge what there is, write the reports, and let a verdict other than conformant be seen in the exit code."""
        if self.config.option.plan or self.config.option.collectonly:
            return
        if not self.is_controller:
            self.report = report_of(self, self._final_verdict(session), time.monotonic() - self._began)
        if self.is_worker:
            self.config.workeroutput["hostup_report"] = json.dumps(self.report)  # type: ignore[attr-defined]
            return
        if self.report is None:
            self.report = report_of(self, judge([], self.target, "the worker ended without a report"), 0.0)
        write_reports(self.report, Path(self.config.option.report_dir))
        if self.config.option.record:
            har.write(Path(self.config.option.record), self.exchanges, self.target)
        if self.report["verdict"] != "conformant" and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def _final_verdict(self, session: pytest.Session) -> Verdict:
        if "verdict" in self.__dict__:
            return self.verdict
        interrupted = session.exitstatus == pytest.ExitCode.INTERRUPTED
        return self._judge("the run was interrupted" if interrupted else self.wire.stopped or "it was not asked for")

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Print the verdict, and a line for each requirement that is not pass."""
        if self.report:
            terminal.print_summary(terminalreporter, self.report, Path(self.config.option.report_dir))

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """Tell a worker which VPS was looked up."""
        node.workerinput["hostup_vps"] = self.target.vps

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Take over the report of the worker that made it."""
        text = getattr(node, "workeroutput", {}).get("hostup_report")
        candidate = json.loads(text) if text else None
        if candidate and (self.report is None or candidate["requests"] > self.report["requests"]):
            self.report = candidate

    @pytest.fixture(scope="session")
    def conformance(self) -> Iterator[Conformance]:
        """The run, with the scripted probe taken."""
        self.take_probe()
        yield self
        self.wire.close()


def target_of(config: pytest.Config, resources: ExitStack) -> Target:
    """Return the target that options and environment name, starting the embedded mock if they name none."""
    option = config.option
    given = getattr(option, "base_url", None)
    # Without the option its plugin says "" as well.
    if not given and any(arg.startswith("--base-url") for arg in map(str, config.invocation_params.args)):
        raise Misconfigured("--base-url is empty; give the server's address, or leave the option out for the mock")
    base_url = given or config.getini("base_url")
    if option.har:
        if not Path(option.har).is_file():
            raise Misconfigured(f"--har {option.har}: there is no such file, or it is none")
        return Target.from_environment(base_url or "http://har.invalid", os.environ, kind="har", profile=option.profile)
    if base_url and option.backend:
        raise Misconfigured("--backend starts a server of its own; leave out it or --base-url")
    if base_url:
        return Target.from_environment(base_url, os.environ, profile=option.profile)
    if option.backend == "qemu-ga":
        return agent_target(option, resources)
    from hostup_conformance.mock import Mock, serve

    mock = Mock()
    # Under xdist the controller judges nothing, and needs no server either.
    url = "http://127.0.0.1:1" if getattr(option, "tx", None) else resources.enter_context(serve(mock.app))
    return Target.from_environment(url, mock.environment(), kind="mock", profile=option.profile)


def looked_up(target: Target, config: pytest.Config) -> Target:
    """Return the target with a VPS from its list; under xdist the controller has looked, and the workers are told."""
    if config.option.plan or config.option.collectonly:
        raise Misconfigured("HOSTUP_VPS_ID is not set, and to look one up something would be sent; set it")
    told = getattr(config, "workerinput", {}).get("hostup_vps")
    return replace(target, vps=told, looked_up=True) if told else lookup.with_vps(target, limits(config.option, target))


def check_writable(file: Path) -> None:
    """Raise `Misconfigured` if a file cannot be written, before anything is sent for its sake."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=file.parent):
            pass
        if file.is_dir():
            raise IsADirectoryError(21, "a folder", str(file))
    except OSError as error:
        raise Misconfigured(f"{file} cannot be written ({error.strerror}); give another place") from None


def with_commands(target: Target, option: Any) -> Target:
    """Allow the start of commands if `--allow-exec` does; raise `Misconfigured` where it is not said plainly enough."""
    if option.allow_exec is None:
        return target
    if option.har:
        raise Misconfigured("--allow-exec starts commands, and --har sends nothing; leave out one of them")
    live = is_live(option, target)
    if option.allow_exec != target.vps and (live or option.allow_exec):
        raise Misconfigured(f"--allow-exec runs commands on a machine; repeat its id: --allow-exec={show(target.vps)}")
    return replace(target, allow_exec=True)


def agent_target(option: Any, resources: ExitStack) -> Target:
    """Return the target that is a real guest agent, started for this run; `Misconfigured` where it is not installed."""
    from hostup_conformance.agent_server import find_program, serve

    find_program()
    if getattr(option, "tx", None):
        # Under xdist the controller judges nothing, and needs no server either.
        environment = {"HOSTUP_API_KEY": "unused", "HOSTUP_VPS_ID": "unused"}
        return Target.from_environment("http://127.0.0.1:1", environment, profile=option.profile)
    served = resources.enter_context(serve())
    return Target.from_environment(served.base_url, served.environment, profile=option.profile)


def is_live(option: Any, target: Target) -> bool:
    """Whether the server may be somebody's."""
    return option.live or not target.is_loopback


def limits(option: Any, target: Target) -> Limits:
    """Return the bounds of a run; raise `Misconfigured` for ones that make no sense."""
    if option.max_requests is not None and option.max_requests < 1:
        raise Misconfigured(f"--max-requests {option.max_requests}: give a number above 0")
    if not 0 < option.timeout_seconds <= 60:
        raise Misconfigured(f"--timeout-seconds {option.timeout_seconds:g}: give a number above 0, and 60 at most")
    budget = LIVE_REQUESTS + FOR_COMMANDS * target.allow_exec
    requests = option.max_requests or (budget if is_live(option, target) else None)
    seconds = option.timeout_seconds
    default = Limits()
    return replace(default, requests=requests, request_seconds=seconds, next_seconds=min(seconds, default.next_seconds))
