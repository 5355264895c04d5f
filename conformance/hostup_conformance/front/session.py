"""A run of the suite as pytest's hooks, in their order. It must not know how anything is sent, judged or shown."""

import gc
import logging
import os
import shlex
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack, nullcontext
from functools import partial
from pathlib import Path
from typing import Any, TextIO

import pytest

from hostup_conformance.contract.server_verdict import server_requirements
from hostup_conformance.contract.target import Target, misspelt
from hostup_conformance.front.options import Options
from hostup_conformance.front.preparation import target_of
from hostup_conformance.front.run import Run, looked_up
from hostup_conformance.http.pace import Pace
from hostup_conformance.judging.ledger import Requirement
from hostup_conformance.keeping.files import unwritten
from hostup_conformance.keeping.interruption import Interruption
from hostup_conformance.keeping.misconfigured import Misconfigured
from hostup_conformance.keeping.redact import redactor
from hostup_conformance.keeping.safe_text import on_one_line, shown
from hostup_conformance.keeping.screen import Guarded, Secrets, complain, guard, say
from hostup_conformance.keeping.shortage import SHORTAGES, shortage
from hostup_conformance.reports import terminal
from hostup_conformance.reports.files import remove_reports, write_files, write_reports
from hostup_conformance.reports.progress import Progress
from hostup_conformance.sources import recording

#: The name by which pytest knows the run.
NAME = "hostup-conformance"
#: In columns. COLUMNS may say anything, and pytest prints lines of that length.
WIDEST = 1000
#: The attributes of pytest's options that let it show something, and run nothing: an earlier run keeps its reports.
ONLY_SHOWING = ("collectonly", "setuponly", "setupplan", "showfixtures", "show_fixtures_per_test", "cacheshow")
#: How many characters of what pytest tells of an item are shown, from the end: keys are looked for in all that is.
LONGEST_TOLD = 1 << 16
#: The exit codes of pytest that say nothing of a verdict.
ENDED = (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED)
#: The module of the items that are no requirements.
GENERATED = "test_generated.py"


class Conformance:
    """A run as a pytest plugin: it prepares items, and reports at the end."""

    def __init__(self, config: pytest.Config, run: Run) -> None:
        self.config, self.run = config, run
        #: Whether nothing is sent.
        self.only_shown = run.options.plan or may_only_show(config)
        #: The finished record.
        self.record: dict[str, Any] | None = None
        self.unwritten: list[str] = []
        #: What is taken out of all that is printed, and where pytest prints.
        self.secrets = guard(os.environ)
        self.screen: Guarded | None = None
        #: What says how far the run is.
        self.progress: Progress | None = None

    @classmethod
    def from_config(cls, config: pytest.Config, interruption: Interruption) -> "Conformance":
        """Read options and environment, and start the embedded mock if no server was named."""
        resources = ExitStack()
        config.add_cleanup(resources.close)
        # Python warnings do not affect the verdict, even if the user's configuration turns them into errors.
        config.addinivalue_line("filterwarnings", "ignore")
        leave_nothing_behind(config)
        let_items_be_found(config)
        base_url = getattr(config.option, "base_url", None) or config.getini("base_url") or ""
        # What was given for this run, and not in a project's configuration.
        given = [*map(str, config.invocation_params.args), *shlex.split(os.environ.get("PYTEST_ADDOPTS", ""))]
        try:
            options = Options.read(config.option, base_url, given)
            only_shown = options.plan or may_only_show(config)
            if not only_shown:
                remove_reports(options.report_dir, options.inputs.values())

            def find_vps(target: Target, pace: Pace) -> Target:
                if only_shown:
                    raise Misconfigured("HOSTUP_VPS_ID is not set, and to look one up something would be sent; set it")
                return looked_up(target, pace, options, interruption)

            target = target_of(options, resources)
            for words in misspelt(os.environ) if target.kind == "server" else ():
                complain(words)
            return cls(config, Run(options, target, interruption, find_vps))
        except Misconfigured as error:
            raise pytest.UsageError(on_one_line(guard(os.environ).redact(str(error)))) from None
        except SHORTAGES as error:
            if why := shortage(error):
                raise pytest.UsageError(why) from None
            raise

    # --- pytest's hooks, in the order of a run

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionstart(self) -> None:
        """Redact everything that pytest itself prints."""
        self.secrets.learn(self.run.configured.nearly_secrets)
        if (reporter := self.config.pluginmanager.get_plugin("terminalreporter")) is not None:
            writer = reporter._tw
            writer.fullwidth = min(writer.fullwidth, WIDEST)
            self.screen = writer._file = guarded_by(writer._file, self.secrets)
            silent = self.config.option.verbose < 0
            self.progress = Progress(self.screen, partial(begin_line, writer), silent=silent)
            self.run.watch = self._tell
            if all("hostup_conformance" in argument for argument in self.config.args):
                reporter.reportchars = ""  # pytest's list of what was skipped would push the verdict off the screen
        for handler in log_handlers(self.config):
            if isinstance(handler, logging.FileHandler) and handler.stream:
                self.config.add_cleanup(handler.stream.close)  # the handler closes what guards it
            handler.setStream(guarded_by(handler.stream, self.secrets))

    def pytest_report_header(self) -> list[str]:
        """Name the target in the header of pytest's output."""
        target = self.run.configured
        named = f"{target.name} at {target.base_url}" if target.name else f"{target.base_url} ({target.kind})"
        lines = [f"target: {named}, profile {target.profile}"]
        if target.kind == "mock" and "HOSTUP_BASE_URL" in os.environ:
            lines.append("HOSTUP_BASE_URL is for clients; to judge the server there, give --base-url (make: BASE_URL=)")
        return [*lines, f"HOSTUP_VPS_ID: {shown(target.vps)}, looked up"] if target.looked_up else lines

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection(self) -> None:
        """Begin to send, before anything that can be done while the first responses are under way.

        The first reports stand until they are replaced at the end, so that nothing that ends the process looks like a
        success. An application could do so at its first request.
        """
        if self.only_shown:
            return
        if self.run.options.app:
            write_files(self.run.first_record(), self.run.options.report_dir)
        if not may_leave_out_items(self.config):
            self.run.begin()
        if not self.run.options.app:
            write_files(self.run.first_record(), self.run.options.report_dir)

    @pytest.hookimpl(tryfirst=True)
    def pytest_ignore_collect(self, collection_path: Path) -> bool | None:
        """Let pytest find the suite's items, whichever folders a project's own tests are not in."""
        return False if collection_path == Path(__file__).parent else None

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Run the items that send generated requests before those that show the verdict.

        The first one waits for the whole run, so a time limit that pytest-timeout sets for each test is none for ours.
        """
        items.sort(key=lambda item: "test_requirements" in item.nodeid)
        if self.config.pluginmanager.has_plugin("timeout"):
            for item in items:
                if item.path.parent == Path(__file__).parent:
                    item.add_marker(pytest.mark.timeout(0))

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Note which requirements are left, if pytest was told to leave out others, and begin to send for these."""
        asked = [id for item in session.items if (id := requirement_of(item))]
        if asked and len(asked) < len(server_requirements()):
            self.run.only = tuple(asked)
        if asked and not self.only_shown and may_leave_out_items(self.config):
            self.run.begin()

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool | None:
        """With `--plan`, list the requests instead of sending them."""
        if not self.run.options.plan:
            return None
        self.config.option.verbose = -2  # with less, pytest's last line is that no tests ran
        if any(map(requirement_of, session.items)):
            terminal.print_plan(self.run.plan())
        else:
            say("No requirement was chosen, so a run would send nothing and judge nothing.")
        return True

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Redact the reports of pytest's items."""
        report = yield
        redact = redactor(self.run.configured.nearly_secrets)
        if report.failed:
            report.longrepr = redact(str(report.longrepr)[-LONGEST_TOLD:])
        report.sections = [(name, redact(text[-LONGEST_TOLD:])) for name, text in report.sections]
        return report

    def _tell(self, words: Callable[[], str]) -> None:
        """Say how far the run is. What is printed during a test would be captured."""
        capture = self.config.pluginmanager.get_plugin("capturemanager")
        with capture.global_and_fixture_disabled() if capture else nullcontext():
            if self.progress:
                self.progress.tell(words)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self) -> None:
        """Take the line that says how far the run is off the screen, before pytest writes there."""
        if self.progress:
            self.progress.clear()

    def pytest_report_teststatus(self, report: pytest.TestReport) -> tuple[str, str, str] | None:
        """Show the status of a requirement if pytest has no word for it, and what is none, so that the counts agree."""
        if report.when == "call" and GENERATED in report.nodeid and not report.failed:
            return ("", ".", "PASSED") if report.passed else ("", "s", "SKIPPED")
        status = dict(getattr(report, "user_properties", ())).get("status")  # a report of collection has none
        if report.when == "call" and isinstance(status, str) and status in {"warn", "observe", "disabled"}:
            return status, status[0], status.upper()
        return None

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Judge what there is and write the reports; set the exit code by the verdict."""
        if self.run.options.plan and session.exitstatus == pytest.ExitCode.NO_TESTS_COLLECTED:
            session.exitstatus = pytest.ExitCode.OK
        if self.only_shown:
            return
        self.run.end()
        self.record = self.run.final_record(interrupted=session.exitstatus == pytest.ExitCode.INTERRUPTED)
        self._write(session)
        # A run that had done all of it was not interrupted.
        if self.run.interruption.happened and self.record["stopped"]:
            session.exitstatus = pytest.ExitCode.INTERRUPTED
        elif self.record["verdict"] != "conformant" and session.exitstatus in ENDED:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def _write(self, session: pytest.Session) -> None:
        """Write reports and recording; what cannot be written is printed at the end, and sets the exit code."""
        assert self.record is not None  # noqa: S101 - it was made just now
        options = self.run.options
        others = [*options.inputs.values(), *([options.record] if options.record else [])]
        self.unwritten = write_reports(self.record, options.report_dir, others)
        if self.run.options.record:
            try:
                recording.write(self.run.options.record, self.run.exchanges, self.run.target)
            except OSError as error:
                self.unwritten.append(unwritten(self.run.options.record, error))
            except Exception as error:
                words = self.run.defects.note(error)
                self.unwritten.append(f"{self.run.options.record} could not be made ({words}); please report it")
        if self.screen and self.screen.lost:
            complain(f"the output could not be written ({self.screen.lost})")
        if self.unwritten or (self.screen and self.screen.lost):
            session.exitstatus = pytest.ExitCode.INTERNAL_ERROR

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Print the verdict, and a line for each requirement that did not pass."""
        if self.record:
            width = terminal.width_of(self.screen)
            terminal.print_summary(terminalreporter, self.record, self.run.options.report_dir, width)
        for problem in self.unwritten:
            terminalreporter.write_line(on_one_line(problem), red=True)


@pytest.fixture(scope="session")
def conformance(pytestconfig: pytest.Config) -> Iterator[Run]:
    """The run, with its scripted requests under way; what is left is sent at the end."""
    plugin = pytestconfig.pluginmanager.get_plugin(NAME)
    assert isinstance(plugin, Conformance)  # noqa: S101 - registered by that name
    # pytest collects garbage several times, and need not visit everything that was imported. What an earlier run in
    # this process has left is no part of that.
    if gc.get_freeze_count():
        gc.unfreeze()
        gc.collect()
    gc.freeze()
    yield plugin.run
    if not plugin.only_shown:
        plugin.run.send_all()


def may_only_show(config: pytest.Config) -> bool:
    """Whether pytest was told to show something instead of running items."""
    return any(getattr(config.option, name, None) not in (None, False) for name in ONLY_SHOWING)


def may_leave_out_items(config: pytest.Config) -> bool:
    """Whether pytest was told to choose items, by -k, -m, --deselect, or by their names; or what it may not find."""
    option = config.option
    return bool(option.keyword or option.markexpr or option.deselect or config.args != ["hostup_conformance"])


def requirement_of(item: Any) -> str | None:
    """Return the id of the requirement that an item shows, if it is one of ours."""
    ours = item.path.parent == Path(__file__).parent and hasattr(item, "callspec")
    found = item.callspec.params.get("requirement") if ours else None
    return found.id if isinstance(found, Requirement) else None


def begin_line(writer: Any) -> None:
    """Begin a new line of pytest's output, if it is within one."""
    if writer.width_of_current_line:
        writer.line()


def guarded_by(stream: TextIO, secrets: Secrets) -> Guarded:
    """Return a stream that takes keys out of what is written to it."""
    return stream if isinstance(stream, Guarded) else Guarded(stream, secrets)


def log_handlers(config: pytest.Config) -> list[logging.StreamHandler[Any]]:
    """Return the handlers by which pytest writes a log file, or logs to the terminal."""
    plugin = config.pluginmanager.get_plugin("logging-plugin")
    handlers = (getattr(plugin, name, None) for name in ("log_file_handler", "log_cli_handler"))
    return [handler for handler in handlers if isinstance(handler, logging.StreamHandler)]


def let_items_be_found(config: pytest.Config) -> None:
    """Let pytest find the suite's items, by whatever names a project's own tests are found."""
    for name in ("test_requirements", "test_generated"):
        config.addinivalue_line("python_files", f"{name}.py")
    for name in ("test_requirement", "test_generated", "test_linked"):
        config.addinivalue_line("python_functions", name)


def leave_nothing_behind(config: pytest.Config) -> None:
    """Keep pytest's caches out of the user's folder, where only reports should be written.

    Which items failed last is of no use to the next run, since all items depend on the same exchanges.
    """
    for name in ("lfplugin", "nfplugin"):
        if plugin := config.pluginmanager.get_plugin(name):
            config.pluginmanager.unregister(plugin)
