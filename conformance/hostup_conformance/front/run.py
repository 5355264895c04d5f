"""One run of the suite on a server: its target, its sending, its verdict and its record. It must not know pytest."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import closing, contextmanager
from dataclasses import replace
from functools import cached_property
from typing import Any

from hostup_conformance.contract.ask import Exchange
from hostup_conformance.contract.sending import Wire
from hostup_conformance.contract.server_verdict import (
    Verdict,
    check_against_oracle,
    judge,
    root_causes,
    server_requirements,
)
from hostup_conformance.contract.target import Target
from hostup_conformance.front.options import Options
from hostup_conformance.front.plan import plan_of
from hostup_conformance.front.preparation import check_outputs, limits, with_commands
from hostup_conformance.front.record import RunInfo, record_of
from hostup_conformance.front.reported_server import server
from hostup_conformance.front.selection import selected
from hostup_conformance.http.pace import Pace
from hostup_conformance.judging.defects import Defects
from hostup_conformance.judging.verdict import nothing_judged
from hostup_conformance.judging.waivers import apply_waivers, read_waivers
from hostup_conformance.keeping.interruption import REASON, Interruption
from hostup_conformance.keeping.misconfigured import Misconfigured
from hostup_conformance.keeping.redact import redactor
from hostup_conformance.keeping.safe_text import shown
from hostup_conformance.keeping.shortage import shortage
from hostup_conformance.keeping.time_limit import end_now
from hostup_conformance.sources import commands, generated, lookup, recording, stateful
from hostup_conformance.sources.requests import EVERYTHING

#: Why nothing was judged if pytest ran no item that asks for the verdict.
NO_ITEM = (
    "pytest ran no test of a requirement: it failed (see above), or its options chose none "
    "(-k takes ids such as POLL-02; hostup-conformance explain lists them)"
)
#: What the reports say until the run ends, whatever ends it.
UNFINISHED = "the run did not come to its end"
#: For how many seconds judging may go on after the sending, and after an interruption.
JUDGING_SECONDS, INTERRUPTED_SECONDS = 15.0, 3.0
#: For how many more seconds after that the record may be built. Its reports and the recording take their own few.
RECORD_SECONDS = 8.0
#: So many seconds after the last request could be sent, what is still under way passes its own time: it is broken off.
LATE = 10.0
#: Why, if nothing has stopped the run before.
TOO_LONG = "a request did not end in its time"
#: How often, in seconds, the run looks whether the sending has ended.
LOOK_SECONDS = 0.25
#: About how many requests depend on earlier responses: those for lists and ETags, and the polls of commands.
DEPENDENT, FOR_COMMANDS = 15, 75


class Run:
    """The state of a run. `find_vps` completes a target whose VPS was not named, at the pace of the run."""

    def __init__(
        self, options: Options, target: Target, interruption: Interruption, find_vps: Callable[[Target, Pace], Target]
    ) -> None:
        self.options, self.interruption = options, interruption
        check_outputs(options.report_dir, options.record, options.inputs)
        self.waivers = read_waivers(options.waivers)
        self.info, self._began = RunInfo(), time.monotonic()
        recorded, target = list[Exchange](), replace(target, live=options.live)
        if options.har:
            recorded, target, ignored = recording.read(options.har, target)
            self.info = replace(self.info, ignored=ignored)
        bounds = limits(options, target)
        pace = Pace(bounds)
        if not target.vps and target.kind == "server":
            target = find_vps(target, pace)
        #: The target as options and environment have it; `target` adds what the run has learnt.
        self.configured = with_commands(target, options)
        self._sent_by = self._began + bounds.run_seconds + LATE
        self._judged_by = self._began + bounds.run_seconds + JUDGING_SECONDS
        self.wire = Wire(self.configured, bounds, pace)
        self.interruption.tell(self.wire.abort)
        self.interruption.tell(end_rules_later)
        if options.har:
            recording.replay(self.wire, recorded)
        #: The requirements that pytest was asked for, if not for all: the run is about these alone.
        self.only: tuple[str, ...] = ()
        #: The requests that judge these.
        self._chosen = EVERYTHING
        #: Sends; and the sending, once it has begun.
        self._thread = ThreadPoolExecutor(1)
        self._sending: Future[None] | None = None
        #: Where the suite itself failed, outside its rules.
        self.defects = Defects(redactor(self.configured.nearly_secrets))
        #: Called again and again while requests are sent, with what makes the words for how far the run is.
        self.watch: Callable[[Callable[[], str]], None] = lambda _words: None

    @property
    def target(self) -> Target:
        """What is judged, with what the run has learnt about it."""
        return self.defects.survive(lambda: self.wire.target, self.configured)

    @property
    def exchanges(self) -> list[Exchange]:
        """All exchanges so far."""
        return self.wire.exchanges

    @cached_property
    def verdict(self) -> Verdict:
        """The verdict on all exchanges. Its first use waits for the rest of the sending."""
        self.send_all()
        return self._judge(self.wire.cut)

    @cached_property
    def record(self) -> dict[str, Any]:
        """The record of the run, with its verdict: all that is shown of it is made once, within one time."""
        return self._recorded(self.verdict, self.wire.cut)

    @cached_property
    def items(self) -> dict[str, dict[str, Any]]:
        """The redacted entries of the requirements, by their ids."""
        return {entry["id"]: entry for entry in self.record["requirements"]}

    def final_record(self, *, interrupted: bool) -> dict[str, Any]:
        """Return the record of the run, of which what there is is judged if no item has asked for the verdict."""
        if "verdict" in self.__dict__:
            return self.record
        stopped = REASON if interrupted else self.wire.cut or NO_ITEM
        return self._recorded(self._judge(stopped), stopped)

    def first_record(self) -> dict[str, Any]:
        """Return the record of a run that ends without another one."""
        return self._recorded(nothing_judged(server_requirements().values(), Defects(), UNFINISHED), UNFINISHED)

    def _recorded(self, verdict: Verdict, stopped: str | None) -> dict[str, Any]:
        info = replace(self.info, seconds=time.monotonic() - self._began, stopped=stopped, only=self.only)
        by = INTERRUPTED_SECONDS + time.monotonic() if self.interruption.happened else self._judged_by + RECORD_SECONDS
        return record_of(verdict, self.exchanges, server(self.target, self.exchanges), info, root_causes, by)

    def _judge(self, stopped: str | None) -> Verdict:
        """Judge what there is. If the suite fails meanwhile, nothing is judged, and the report says so."""
        nothing = nothing_judged(server_requirements().values(), self.defects)
        return self.defects.survive(lambda: self._judged(stopped), nothing, self._judged_by)

    def _judged(self, stopped: str | None) -> Verdict:
        verdict = judge(self.exchanges, self.configured, stopped, self._time_up, self.defects, self.only)
        verdict = check_against_oracle(verdict, self.exchanges, self._time_up)
        return apply_waivers(verdict, self.waivers, self.info.started.date(), strict=self.options.strict)

    def _time_up(self) -> str | None:
        """Return why no more may be judged, once that is so."""
        if self.interruption.longer_ago_than(INTERRUPTED_SECONDS):
            return REASON
        return "the time for judging is used up" if time.monotonic() > self._judged_by else None

    def begin(self) -> None:
        """Begin to send, in a thread: pytest collects meanwhile."""
        with self.sending():
            self._sending = self._thread.submit(self._send)

    def end(self) -> None:
        """Send nothing more, and wait for what is under way. It is broken off if no item has asked for the verdict."""
        if "verdict" not in self.__dict__ and not self.wire.stopped:
            self.wire.abort(NO_ITEM)
        self._thread.shutdown()
        self.wire.close()

    def plan(self) -> dict[str, Any]:
        """Return what would be sent."""
        self._choose()
        return plan_of(self.wire, self._chosen)

    def _choose(self) -> None:
        """Find out which requests judge what was asked for."""
        if self.only and self.configured.kind != "har":
            self._chosen = self.defects.survive(lambda: selected(self.only, self.configured), EVERYTHING)

    def _send(self) -> None:
        """Send the scripted requests, or those of them that judge what was asked for, and what schemathesis makes."""
        self._choose()
        if self.only or self.configured.kind == "har":
            commands.run(self.wire, only=self._chosen)
            return
        with ThreadPoolExecutor(1) as meanwhile:
            cases = meanwhile.submit(generated.cases)
            commands.run(self.wire, links=lambda: self.defects.survive(lambda: stateful.run(self.wire), None))
            self.defects.survive(lambda: generated.run(self.wire, cases.result()), None)

    def send_all(self) -> None:
        """Wait until all is sent, and meanwhile say how far the run is."""
        with self.sending():
            while self._sending and not wait([self._sending], LOOK_SECONDS).done:
                self.watch(self.how_far)
                if time.monotonic() > self._sent_by:
                    self.wire.abort(TOO_LONG)
            if self._sending:
                self._sending.result()

    def how_far(self) -> str:
        """Return in words how far the run is, and what was sent last: what it waits for is often of the same kind."""
        sent, seconds = len(self.exchanges), time.monotonic() - self._began
        last = f", last {shown(self.exchanges[-1].purpose, 60)}" if sent else ""
        return f"sending {sent} of about {max(self._expected, sent)}, {seconds:.0f} s{last}"

    @property
    def _expected(self) -> int:
        """About how many requests are sent in all, if a correct server is judged."""
        steps, chosen = commands.script(self.configured), self._chosen
        expected = len(chosen.of(steps)) + (generated.MOST_CASES + DEPENDENT if chosen == EVERYTHING else 0)
        expected += FOR_COMMANDS if self.configured.allow_exec and chosen.with_commands else 0
        return min(expected, self.wire.limits.requests or expected)

    @contextmanager
    def sending(self) -> Iterator[None]:
        """Let a failure of the suite itself end the sending, and not the run: what there is can be judged."""
        try:
            yield
        except Exception as error:
            failed = "the suite failed while it sent requests"
            self.wire.stop(shortage(error) or f"{failed} ({self.defects.note(error)}); please report it")


def looked_up(target: Target, pace: Pace, options: Options, interruption: Interruption) -> Target:
    """Return the target with a VPS from its list; raise `Misconfigured` if there is none to judge with."""
    wire = Wire(target, limits(options, target), pace)
    interruption.tell(wire.abort)
    too_late = threading.Timer(pace.seconds_left + LATE, wire.abort, [TOO_LONG])
    too_late.daemon = True
    too_late.start()
    try:
        with closing(wire):
            lookup.run(wire)
        # An interrupted run reports the interruption, and not that there is no VPS.
        return target if interruption.happened else lookup.found(target, wire.exchanges)
    except Misconfigured:
        raise
    except Exception as error:
        why = Defects(redactor(target.nearly_secrets)).note(error)
        raise Misconfigured(f"HOSTUP_VPS_ID is not set, and the suite failed to look one up ({why}); set it") from None
    finally:
        too_late.cancel()


def end_rules_later(_reason: str) -> None:
    """After a moment, end the rule that judges then; no other one is asked after that."""
    timer = threading.Timer(INTERRUPTED_SECONDS, end_now)
    timer.daemon = True
    timer.start()
