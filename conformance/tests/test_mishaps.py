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
from hostup_conformance.keeping.safe_text import visible
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


def test_a_start_that_failed_may_have_run_its_command() -> None:
    text = next(command.text for command in posix("0123456789ab", 2.0) if command.name == "again")
    twice = sleeps(2, 1.0, [], 1.1, command=text, out="2")
    failed = sleeps(1, 0.0, [], command=text).start
    assert [run.starts for run in mishaps.runs_of([twice])] == [1]
    assert [run.starts for run in mishaps.runs_of([twice], [failed])] == [2]
    once = sleeps(2, 1.0, [], 1.1, command=text, out="1")
    assert [run.starts for run in mishaps.runs_of([once], [failed])] == [1]


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
    seen = visible(text)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert seen == "a" + text[4:]
    assert most < 16 * len(text)


def run(name: str, starts: int, times: int, *, seconds: float = 0.0, after_end: int = 0, out: str = "") -> mishaps.Run:
    """A command that was started and ran so many times, and whose start took a time."""
    command = next(command for command in posix("0123456789ab", 2.0) if command.name == name)
    life = sleeps(1, 0.0, [], 9.0, command=command.text, out=out)
    life.start = replace(life.start, seconds=seconds)
    return mishaps.Run(life, starts, times, replace(life.start, number=2), after_end, int(seconds >= 0.5))


def test_what_takes_long_to_start_is_sent_again_unless_what_began_at_once_was_too() -> None:
    slow, quick = run("once", 1, 2, seconds=1.0), run("slow", 1, 1, seconds=0.1)
    assert "sent that again" in mishaps.why_run(slow, [slow, quick, run("again", 2, 3, seconds=1.0)])
    assert "sent that again" in mishaps.why_run(slow, [slow, run("slow", 1, 0, seconds=1.0)])
    assert "sent that again" not in mishaps.why_run(slow, [slow, run("slow", 1, 2, seconds=0.1)])
    assert "sent that again" not in mishaps.why_run(slow, [slow, run("slow", 1, 1, seconds=0.9)])


def test_a_poll_runs_a_command_again_unless_one_ran_too_often_that_was_not_polled() -> None:
    again = run("again", 2, 3, after_end=1)
    assert "a poll runs it again" in mishaps.why_run(again, [again, run("once", 1, 1)])
    assert "a poll" not in mishaps.why_run(again, [again, run("once", 1, 2)])
    assert "a poll" not in mishaps.why_run(run("again", 2, 3), [again, run("once", 1, 1)])


def test_what_lasts_is_given_out_again_unless_what_ends_at_once_ran_too_often() -> None:
    slow = run("slow", 1, 2, seconds=0.1)
    assert "a queue gave it out again" in mishaps.why_run(slow, [slow, run("once", 1, 1), run("again", 2, 2)])
    assert "a queue" not in mishaps.why_run(slow, [slow, run("once", 1, 2)])


def test_each_start_runs_a_command_several_times_unless_one_ran_once() -> None:
    once = run("once", 1, 2)
    assert "each start" in mishaps.why_run(once, [once, run("slow", 1, 2)])
    assert "each start" not in mishaps.why_run(once, [once, run("slow", 1, 1)])


def test_a_start_that_got_429_and_ran_is_told() -> None:
    twice = replace(run("again", 1, 2), refused_starts=1)
    assert "; 1 start of it got 429, was sent again, and ran" in mishaps.why_run(twice, [twice, run("once", 1, 1)])
    assert "429" not in mishaps.why_run(twice, [twice, run("once", 1, 2)])


def test_a_command_waits_for_its_first_poll_unless_another_did_not_run() -> None:
    once = run("once", 1, 0, out="done 0123456789ab")
    assert "first poll" in mishaps.why_run(once, [once, run("slow", 1, 1)])
    assert "first poll" not in mishaps.why_run(once, [once, run("slow", 1, 0)])
    assert "first poll" not in mishaps.why_run(run("once", 1, 0), [run("slow", 1, 1)])


def test_a_limit_of_characters_must_fit_all_that_is_longer() -> None:
    lives = {command.name: command for command in posix("0123456789ab", 2.0)}

    def printing(name: str, characters: int) -> Life:
        command = lives[name]
        return sleeps(1, 0.0, [], 1.0, command=command.text, out=command.stdout.decode()[:characters])

    whole, longest = printing("megabyte", 1 << 21), printing("longest", 900)
    begin = len(lives["longest"].text) - len(lives["longest"].stdout)
    more = len(lives["longest_in_bytes"].text) - len(lives["longest_in_bytes"].stdout.decode()) - begin
    in_bytes = printing("longest_in_bytes", 900 - more)
    assert mishaps.cut_after([whole, longest, in_bytes]) == begin + 900
    assert mishaps.cut_after([whole, longest, printing("longest_in_bytes", 900)]) is None
