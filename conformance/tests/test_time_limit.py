"""Code that takes too long is ended, whatever it does, so that judging has an end."""

from __future__ import annotations

import re
import signal
import threading

import pytest
from hostup_conformance.contract.ask import understand
from hostup_conformance.contract.rules import Exchanges, Findings
from hostup_conformance.contract.target import Target
from hostup_conformance.http.exchange import Exchange
from hostup_conformance.http.messages import Request
from hostup_conformance.judging import rule
from hostup_conformance.judging.rule import Rules
from hostup_conformance.keeping.time_limit import TimeUp, at_most, end_now

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


def test_another_thread_can_end_it() -> None:
    threading.Timer(0.05, end_now).start()
    with pytest.raises(TimeUp), at_most(1000.0):
        endless_loop()


@pytest.mark.parametrize("finds", [True, False])
def test_a_rule_without_end_keeps_its_findings(monkeypatch: pytest.MonkeyPatch, finds: bool) -> None:
    """What it found breaks the requirement; where it found nothing, nobody knows."""
    monkeypatch.setattr(rule, "RULE_SECONDS", 0.02)
    rules: Rules[Exchanges] = Rules()

    @rules.rule("X-01")
    def slow(exchanges: Exchanges) -> Findings:
        """Find something, and go on."""
        if finds:
            yield exchanges.everything[0], "an end", "none"
        endless_loop()

    request = Request("GET", "/api/v2/vps")
    exchange = Exchange(1, request, None, understand(request, TARGET))
    if finds:
        assert [finding.got for finding in rules.by_id["X-01"](Exchanges([exchange], TARGET))[1]] == ["none"]
    else:
        with pytest.raises(TimeUp):
            rules.by_id["X-01"](Exchanges([exchange], TARGET))
