"""The pictures of a report show when requests were sent, and what became of a command."""

from typing import Any

import pytest
from hostup_conformance.reports.pictures import LANES, WIDTH, durations, sequence, timeline

POLL = "GET /api/v2/vps/vps_1/agent/exec?pid=4242"


def exchange(number: int, began: float | None = 0.0, seconds: float = 0.01, **members: Any) -> dict[str, Any]:
    plain = {"request": POLL, "sent": "", "status": 200, "failure": None, "body": "", "asks_to_wait": None}
    return {**plain, "number": number, "began": began, "seconds": seconds, "purpose": "a poll", "found": [], **members}


def test_a_request_stands_where_it_was_sent() -> None:
    line = timeline([exchange(1, 0.0, 0.1), exchange(2, 0.1, 0.3)], {})
    assert line
    assert [(bar.x, bar.width, bar.lane) for bar in line.bars] == [(0.0, 250.0, 0), (250.0, 750.0, 0)]
    assert (line.slowest.number, line.seconds, line.waits) == (2, 0.4, [])


def test_what_is_sent_at_the_same_time_stands_below_each_other() -> None:
    line = timeline([exchange(number, number / 100, 1.0) for number in range(LANES + 3)], {})
    assert line
    assert line.lanes == LANES
    assert all(bar.lane < LANES for bar in line.bars)


def test_a_long_wait_is_drawn_short_and_told() -> None:
    limited = exchange(1, 0.0, 1.0, status=429, asks_to_wait=30.0)
    line = timeline([limited, exchange(2, 31.0, 1.0), exchange(3, 62.0, 1.0)], {})
    assert line
    assert [(wait.before, wait.seconds, wait.asked) for wait in line.waits] == [(2, 30.0, True), (3, 30.0, False)]
    assert sum(wait.width for wait in line.waits) < WIDTH / 2
    assert line.bars[-1].x + line.bars[-1].width == pytest.approx(WIDTH)


def test_the_worst_status_marks_a_request() -> None:
    status = {"POLL-01": "fail", "POLL-02": "warn", "POLL-03": "observe"}
    found: tuple[list[str], ...] = (["POLL-02", "POLL-01"], ["POLL-03", "POLL-02"], ["POLL-03"], [])
    line = timeline([exchange(number, float(number), found=ids) for number, ids in enumerate(found)], status)
    assert line
    assert [bar.mark for bar in line.bars] == ["fail", "warn", "", ""]


@pytest.mark.parametrize(
    ("members", "kind"),
    [
        ({"status": 204}, "fine"),
        ({"status": 404}, "refused"),
        ({"status": 429}, "limited"),
        ({"status": 503}, "broken"),
        ({"status": 999}, "broken"),
        ({"status": None}, "lost"),
    ],
)
def test_a_status_code_has_its_kind(members: dict[str, Any], kind: str) -> None:
    line = timeline([exchange(1, **members)], {})
    assert line
    assert line.bars[0].kind == kind


def test_without_times_there_is_no_timeline() -> None:
    assert timeline([exchange(1, None)], {}) is None
    assert timeline([], {}) is None


def test_durations_are_counted_between_bounds() -> None:
    assert durations([0.0001, 0.0003, 0.3, 11.0]) == [
        ("under 1.0 ms", 2, 100.0), ("under 500 ms", 1, 50.0), ("over 10.0 s", 1, 50.0),
    ]  # fmt: skip


def test_a_long_story_is_told_by_its_ends_and_by_what_breaks_something() -> None:
    story = [exchange(number, number / 100, found=["POLL-01"] if number == 20 else []) for number in range(40)]
    rows = sequence(story, {"POLL-01": "fail"})
    assert [row.number for row in rows if not row.note] == [0, 1, 2, 19, 20, 21, 37, 38, 39]
    assert [row.note for row in rows if row.note] == ["16 more requests", "15 more requests"]
    assert [(row.number, row.breaks) for row in rows if row.mark] == [(20, ["POLL-01"])]


def test_a_story_is_about_some_requirements() -> None:
    story = [exchange(1, found=["POLL-01"]), exchange(2, found=["POLL-02"])]
    rows = sequence(story, {"POLL-01": "fail", "POLL-02": "warn"}, {"POLL-02"})
    assert [row.mark for row in rows] == ["", "warn"]


def test_a_lost_response_and_the_end_of_a_client_are_told() -> None:
    lost = exchange(1, status=None, failure="the connection was closed")
    rows = sequence([lost, exchange(2, 3.0, request="", failure="it exited with 1")], {})
    assert [(row.kind, row.response or row.note) for row in rows] == [
        ("lost", "the connection was closed after 10 ms"), ("", "3.0 s later"), ("end", "it exited with 1"),
    ]  # fmt: skip
    assert rows[0].request == "GET \N{HORIZONTAL ELLIPSIS}/exec?pid=4242"


def test_a_wait_that_was_asked_for_is_always_told() -> None:
    rows = sequence([exchange(1, status=429, asks_to_wait=2.0), exchange(2, 0.11)], {})
    assert rows[1].note == "100 ms later, of 2 s asked for"
