"""How pids are given that come again: what is said of all that were given, and what one of them refutes."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hostup_conformance.contract.ask import Exchange
from hostup_conformance.contract.causes.pids import how_given
from hostup_conformance.contract.target import Target
from hostup_conformance.contract.understanding import understand
from hostup_conformance.http import exchange as core
from hostup_conformance.http import messages
from hostup_conformance.sources.start_steps import body_of, post
from judging import verdict_on
from stage import Request, Response

TARGET = Target("http://localhost", "server", "key", "vps_1")
BEGIN = datetime(2026, 4, 27, 12, 34, 56, tzinfo=UTC)
NOW = int(BEGIN.timestamp())


def start(number: int, pid: int, *, seconds: float, command: str = "") -> Exchange:
    """A start at a time that got a pid a tenth of a second later."""
    request = post(TARGET, body_of(command or f"echo {number}"))
    told = messages.Response(200, (("Content-Type", "application/json"),), json.dumps({"pid": pid}).encode())
    sent: Exchange = core.Exchange(number, request, told, understand(request, TARGET))
    return replace(sent, when=BEGIN + timedelta(seconds=seconds), seconds=0.1)


def said(pids: Sequence[int], seconds: Sequence[float] = ()) -> str:
    """What is said of the last start with some pids, one a second, or at other times."""
    starts = [
        start(at, pid, seconds=second)
        for at, (pid, second) in enumerate(zip(pids, seconds or range(len(pids)), strict=True), 1)
    ]
    return how_given(starts, starts[-1], starts[-2])


@pytest.mark.parametrize(
    ("pids", "otherwise", "words"),
    [
        ([7, 7, 7, 7], [7, 7, 7, 8], "as each of 4 starts"),
        ([20, 40, 40, 60], [20, 41, 41, 60], "it is rounded"),
        ([NOW, NOW + 1, NOW + 1, NOW + 2], [NOW, 5, 5, NOW], "the time in seconds"),
        ([NOW * 1000, NOW * 1000, NOW * 1000 + 7, NOW * 1000 + 7], [5, 5, 6, 6], "the time in milliseconds"),
        ([1, 2, 9, 9, 9, 9], [1, 9, 2, 9, 9, 9], "the largest"),
        ([3, 4, 5, 9, 9, 9, 9], [3, 3, 3, 9, 9, 9, 9], "the largest"),
        ([1, 2, 3, 1, 2, 3], [1, 3, 2, 1, 3, 2], "6 starts have 3 pids"),
        ([1, 2**53 + 2, 2**53 + 2], [1, 2, 2], "was rounded"),
    ],
)
def test_how_pids_are_given(pids: list[int], otherwise: list[int], words: str) -> None:
    assert words in said(pids)
    assert words not in said(otherwise)


def test_only_starts_at_the_same_time_share_a_pid() -> None:
    assert "drawn at once" in said([11, 12, 12], [0.0, 1.0, 1.05])
    assert "drawn at once" not in said([11, 12, 12], [0.0, 1.0, 3.0])


def test_pids_that_go_up_by_the_second_are_told() -> None:
    seconds = [0.1, 0.4, 1.2, 1.8, 3.0]
    assert "goes up by one a second" in said([7, 7, 8, 8, 10], seconds)
    assert "goes up by one a second" not in said([7, 7, 8, 8, 12], seconds)


def test_a_start_that_is_sent_twice_is_started_once() -> None:
    twice = [start(number, 5, seconds=float(number), command="echo a") for number in (1, 2)]
    assert "sent twice" in how_given(twice, twice[1], twice[0])
    assert "sent twice" not in said([5, 5])


@pytest.mark.catalogue
def test_pids_that_no_float_holds_fail_no_rule() -> None:
    def huge(request: Request, response: Response) -> None:
        """Give every third start a pid of 401 digits."""
        if response.is_started and request.nth("starts") % 3 == 0:
            pid = 10**400 + response.json["pid"]
            response.change(pid=pid, pollUrl=f"{request.path}?pid={pid}")

    results = verdict_on(huge, allow_exec=True, waits=False).results.values()
    assert [result.message for result in results if result.status == "error"] == []


def test_pids_that_only_fall_and_stay_are_not_counted() -> None:
    assert said([5, 3, 3, 3]) == ""
