"""Every form of time in HTTP is read, and no other text raises an exception."""

from datetime import UTC, datetime

import pytest
from hostup_conformance.http.times import A_CENTURY, http_date, reset_moment, retry_after_seconds, rfc3339
from hypothesis import given
from hypothesis import strategies as st

NOW = datetime(2026, 4, 27, 12, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0),
        ("120", 120),
        ("9999999999", A_CENTURY),
        ("9" * 400, A_CENTURY),
        ("Mon, 27 Apr 2026 12:00:30 GMT", 30),
        ("Monday, 27-Apr-26 12:00:30 GMT", 30),
        ("Mon Apr 27 12:00:30 2026", 30),
        ("Sun, 06 Nov 1994 08:49:37 GMT", 0),
        ("-1", None),
        ("1.5", None),
        ("soon", None),
        ("", None),
        ("１", None),
        ("Fri, 31 Dec 99999999999 23:59:59 GMT", None),
        ("Wed, 21 Oct 2015 07:28:00 +9999999999", None),
        ("Mon, 99 Foo 2026 99:99:99 GMT", None),
    ],
)
def test_retry_after(text: str, seconds: float | None) -> None:
    assert retry_after_seconds(text, NOW) == seconds


@pytest.mark.parametrize(
    "text", ["2016-12-31T23:59:60Z", "9999-12-31T23:59:60Z", "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59"]
)
def test_the_ends_of_the_calendar_raise_nothing(text: str) -> None:
    moment = rfc3339(text)
    assert moment is None or moment.year in {1900, 2017, 2200}


@given(st.text("0123456789-:TZ+., GMTMonJanFri", max_size=40))
def test_no_text_is_an_exception(text: str) -> None:
    for moment in (rfc3339(text), http_date(text), reset_moment(text, NOW)):
        assert moment is None or moment.tzinfo is not None
