"""Code that takes too long is ended, whatever it does, so that judging has an end."""

import gc
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import suppress
from dataclasses import replace
from math import inf
from typing import Any

import httpcore
import pytest
from hostup_conformance.contract.ask import Ask
from hostup_conformance.contract.rules import Exchanges, Findings
from hostup_conformance.contract.server_verdict import server_requirements
from hostup_conformance.contract.target import Target
from hostup_conformance.contract.understanding import understand
from hostup_conformance.front import run
from hostup_conformance.front.record import ReportedTarget, RunInfo, record_of
from hostup_conformance.front.reported_server import server
from hostup_conformance.http.bodies import Memory
from hostup_conformance.http.connections import Connections, NoResponse
from hostup_conformance.http.exchange import Exchange
from hostup_conformance.http.limits import Limits
from hostup_conformance.http.messages import Request, Response
from hostup_conformance.http.network import Transfer
from hostup_conformance.http.route import DIRECT
from hostup_conformance.judging import rule
from hostup_conformance.judging.rule import Finding, Rules
from hostup_conformance.judging.verdict import Core, Result, Verdict
from hostup_conformance.keeping.interruption import Interruption
from hostup_conformance.keeping.safe_text import Redact
from hostup_conformance.keeping.time_limit import TimeUp, at_most, done_by, end_now
from running import options_with

TARGET = Target("http://127.0.0.1:9", "server", "a key of many characters", "vps_1")


def endless_loop() -> None:
    while True:
        pass


def endless_pattern() -> None:
    re.match("(a|a)*b", "a" * 60)


@pytest.mark.parametrize("endless", [endless_loop, endless_pattern])
def test_what_has_no_end_is_ended(endless: object) -> None:
    assert callable(endless)
    before = signal.getsignal(signal.SIGPROF)
    with pytest.raises(TimeUp), at_most(0.02):
        endless()
    assert signal.getsignal(signal.SIGPROF) is before
    assert signal.getitimer(signal.ITIMER_PROF) == (0.0, 0.0)


def busy(seconds: float) -> None:
    until = time.process_time() + seconds
    while time.process_time() < until:
        pass


class SlowToGo:
    """Takes a while to be freed."""

    def __del__(self) -> None:
        busy(0.1)


@pytest.mark.filterwarnings("error::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("way", ["freed", "collected", "referred to"])
def test_no_end_is_lost_where_the_interpreter_would_only_print_it(way: str) -> None:
    """The signal comes again: what runs after such a callback is ended."""

    def gc_callback(phase: str, _info: dict[str, int]) -> None:
        if phase == "start":
            busy(0.1)

    def run() -> None:
        if way == "freed":
            SlowToGo()
        elif way == "referred to":
            forget: dict[str, Any] = {"__name__": "weakref", "busy": busy}
            exec("def remove(): busy(0.1)", forget)  # noqa: S102 - a function of that module
            forget["remove"]()
        else:
            gc.collect()
        endless_loop()

    gc.callbacks.append(gc_callback)
    try:
        with pytest.raises(TimeUp, match=r"endless|run"), at_most(0.02):
            run()
    finally:
        gc.callbacks.remove(gc_callback)


def test_another_thread_can_end_it() -> None:
    threading.Timer(0.05, end_now).start()
    with pytest.raises(TimeUp), at_most(1000.0):
        endless_loop()


@pytest.mark.parametrize("finds", [True, False])
def test_a_rule_without_end_keeps_its_findings(monkeypatch: pytest.MonkeyPatch, finds: bool) -> None:
    """What it found breaks the requirement; where it found nothing, nobody knows."""
    monkeypatch.setattr(rule, "RULE_SECONDS", 0.02)
    rules: Rules[Exchanges] = Rules(__name__, "rule")

    @rules.rule("X-01")
    def slow(exchanges: Exchanges) -> Findings:
        """Find something, and go on."""
        if finds:
            yield exchanges.everything[0], "an end", "none"
        endless_loop()

    request = Request("GET", "/api/v2/vps")
    exchange = Exchange(1, request, None, understand(request, TARGET))
    if finds:
        assert [finding.got for finding in rules.all()["X-01"](Exchanges([exchange], TARGET))[1]] == ["none"]
    else:
        with pytest.raises(TimeUp):
            rules.all()["X-01"](Exchanges([exchange], TARGET))


def test_a_limit_within_another_ends_with_it() -> None:
    """The outer one comes again after the inner one, and again while what it has ended goes on."""
    began = time.process_time()

    def goes_on() -> None:
        with suppress(TimeUp), at_most(1000.0):
            endless_loop()
        with suppress(TimeUp):
            endless_loop()
        endless_loop()

    with pytest.raises(TimeUp), at_most(0.05):
        goes_on()
    assert time.process_time() - began < 100.0
    assert signal.getitimer(signal.ITIMER_PROF) == (0.0, 0.0)


def test_an_inner_limit_leaves_the_outer_one_the_rest() -> None:
    with at_most(1000.0):
        with pytest.raises(TimeUp), at_most(0.02):
            endless_loop()
        assert 0 < signal.getitimer(signal.ITIMER_PROF)[0] < 1000.0


def test_after_the_deadline_everything_takes_a_moment() -> None:
    with pytest.raises(TimeUp):
        done_by(time.monotonic() - 5, endless_loop)
    assert done_by(time.monotonic() - 5, lambda: 7) == done_by(inf, lambda: 7) == 7


def finding_of(redact: Redact) -> tuple[Verdict[Ask], list[Exchange[Ask]], ReportedTarget[Ask]]:
    request = Request("GET", "/api/v2/vps/vps_1/agent/exec")
    exchange = Exchange(1, request, Response(404, (), b"{}"), understand(request, TARGET))
    results = {
        id: Result(requirement, "fail", 1, "a message", [Finding(exchange, "this", "that")])
        for id, requirement in list(server_requirements().items())[::20]
    }
    return Verdict(results, Core(seen=True)), [exchange] * 3000, replace(server(TARGET), redact=redact)


def test_a_record_is_built_by_its_deadline() -> None:
    """What is not shown by then is left out, and the record says so."""

    def endless(_text: str) -> str:
        endless_loop()
        return ""

    verdict, exchanges, reported = finding_of(endless)
    record = record_of(verdict, exchanges, reported, RunInfo(), lambda _: {}, by=time.monotonic() - 1)
    assert [entry["status"] for entry in record["requirements"]] == ["fail"] * len(verdict.results)
    assert record["exchanges"] == []
    assert record["verdict"] == "not_conformant"
    assert "used up" in record["stopped"]


def test_a_verdict_that_came_too_late_demonstrates_nothing() -> None:
    verdict = Verdict[Ask]({}, Core(seen=True))
    names = [verdict.name]
    assert verdict.defects.survive(endless_loop, None, by=0.0) is None
    assert [*names, verdict.name] == ["conformant", "not_demonstrated"]
    assert verdict.defects.message == ""


def test_a_dropped_connection_begins_no_new_deadline() -> None:
    deadlines = set()

    class Dropping(Connections):
        def _roundtrip(self, *_: object) -> Response:
            deadlines.add(self._network.transfer.deadline)
            if len(began) < 5:
                began.append(1)
                raise httpcore.ReadError("dropped")
            raise httpcore.ReadTimeout

    began: list[int] = []
    connections = Dropping("http://127.0.0.1:9", DIRECT, Memory(Limits(), lambda _: Exception()))
    with pytest.raises(NoResponse, match="no whole response within 3 seconds"):
        connections.fetch(Request("GET", "/"), 3, lambda _: 1, reuse=True)
    assert len(deadlines) == 1
    assert len(began) == 5


def test_what_reacts_to_no_signal_ends_with_the_process() -> None:
    """The function of the standard library takes a time in C that grows with the square of its text."""
    code = """
from time import monotonic
from unicodedata import normalize
from hostup_conformance.keeping import time_limit
time_limit.BY_FORCE = 0.2
time_limit.done_by(monotonic(), lambda: normalize("NFC", "a" + chr(0x316) + chr(0x300) * 10**6 + chr(0x316) * 10**6))
"""
    done = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (1, "", "")


def test_what_passes_its_deadline_is_broken_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """As a read within a tunnel of TLS does, which looks at no deadline while some byte comes now and then."""
    monkeypatch.setattr(run, "LATE", 0.2)
    monkeypatch.setattr(Transfer, "remaining", lambda _: 100.0)
    interruption, began = Interruption(), time.monotonic()
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        target = Target(url, "server", "a key of many characters", "vps_1")
        made = run.Run(options_with(url, max_seconds=0.5), target, interruption, lambda target, _: target)
        try:
            made.begin()
            made.send_all()
            assert made.wire.stopped is not None
            assert time.monotonic() - began < 50.0
        finally:
            made.end()
            interruption.close()
