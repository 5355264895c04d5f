"""What befell commands besides what they print: what is said of several, and what one of them refutes."""

import json
import tracemalloc
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hostup_conformance.contract.ask import SLEEP, Exchange
from hostup_conformance.contract.causes import mishaps
from hostup_conformance.contract.commands import SLEEPLESS, posix, recognized
from hostup_conformance.contract.lives import Life
from hostup_conformance.contract.target import Target
from hostup_conformance.contract.understanding import understand
from hostup_conformance.http import exchange as core
from hostup_conformance.http.messages import Response
from hostup_conformance.sources.start_steps import body_of, post

TARGET = Target("http://localhost", "server", "key", "vps_1")
BEGIN = datetime(2026, 4, 27, 12, 34, 56, tzinfo=UTC)


def sleeps(
    number: int, started: float, ran: list[float], ended: float | None = None, *, command: str = SLEEP, out: str = ""
) -> Life:
    """A command that was started at a time, seen to run at others, and said to have ended at one."""

    def at(seconds: float, *, exited: bool | None = None) -> Exchange:
        request = post(TARGET, body_of(command))
        told = Response(
            200,
            (("Content-Type", "application/json"),),
            json.dumps({"exited": exited, "exitCode": 0, "stdout": out}).encode(),
        )
        exchange: Exchange = core.Exchange(number + int(seconds * 100), request, told, understand(request, TARGET))
        return replace(exchange, when=BEGIN + timedelta(seconds=seconds))

    polls = [*(at(seconds, exited=False) for seconds in ran), *([at(ended, exited=True)] if ended else [])]
    return Life(at(started), recognized(command), "", polls)


def test_a_time_limit_lies_within_all_that_was_seen() -> None:
    ended = [sleeps(1, 0.0, [1.0, 1.5], 3.0), sleeps(2, 1.0, [2.0], 3.1)]
    found = mishaps.time_limit(ended, ended)
    assert found
    assert [round(seconds, 3) for seconds in found] == [1.5, 2.1]


def test_there_is_no_time_limit_where_something_ran_for_longer() -> None:
    ended = [sleeps(1, 0.0, [1.5], 3.0), sleeps(2, 1.0, [2.0], 3.1)]
    assert mishaps.time_limit(ended, [*ended, sleeps(3, 0.0, [9.0])]) is None
    assert mishaps.time_limit(ended[:1], ended) is None
    unseen = [*ended, sleeps(3, 0.0, [], 1.0)]
    assert mishaps.time_limit(unseen, unseen) is None
    assert mishaps.time_limit([], []) is None


def test_a_start_ends_what_runs_unless_something_ran_on() -> None:
    ended = [sleeps(1, 0.0, [], 3.0), sleeps(2, 1.0, [], 4.0)]
    last = sleeps(3, 2.0, [2.5])
    assert mishaps.ended_by_starts(ended, [*ended, last])
    assert not mishaps.ended_by_starts(ended, [sleeps(0, 0.0, [2.5]), *ended, last])
    assert not mishaps.ended_by_starts([*ended, last], [*ended, last])
    assert not mishaps.ended_by_starts([], [last])


def test_a_sleep_that_was_ended_is_no_guest_without_one() -> None:
    slow = next(command.text for command in posix("0123456789ab", 2.0) if command.name == "slow")
    ended = sleeps(1, 0.0, [1.0], 1.5, command=slow, out=f"begun{SLEEPLESS}ended")
    assert mishaps.cut_short([ended]) == []
    ended.has_sleep = True
    assert mishaps.cut_short([ended]) == [ended]


def test_what_is_seen_of_a_text_takes_little_more_than_the_text() -> None:
    """Python takes four bytes for each of these characters, and ninety for each one in a list of them."""
    text = "a \n\u200b" + "\U0001f600" * (1 << 18)
    tracemalloc.start()
    seen = mishaps.visible(text)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert seen == "a" + text[4:]
    assert most < 16 * len(text)
