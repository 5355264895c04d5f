"""Faults of a 429."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

from stage import Answered, Asked

from faults import trips
from faults.probe import refuse


def soon(**delta: float) -> str:
    """Return a moment from now, as the provider writes it."""
    return (datetime.now(UTC) + timedelta(**delta)).isoformat(timespec="milliseconds").replace("+00:00", "Z")


@trips("RATE-01")
def no_retry_after(_asked: Asked, answered: Answered) -> None:
    """There is no Retry-After."""
    if answered.status == 429:
        answered.header("Retry-After", None)


@trips("RATE-01")
def retry_after_with_a_unit(_asked: Asked, answered: Answered) -> None:
    """Retry-After is 30s."""
    if answered.status == 429:
        answered.header("Retry-After", "30s")


@trips("RATE-01")
def two_retry_afters(_asked: Asked, answered: Answered) -> None:
    """There are two Retry-After header fields."""
    if answered.status == 429:
        answered.headers.append(("Retry-After", "60"))


@trips("RATE-02")
def no_reset(_asked: Asked, answered: Answered) -> None:
    """There is no X-RateLimit-Reset."""
    if answered.status == 429:
        answered.header("X-RateLimit-Reset", None)


@trips("RATE-02")
def other_names(_asked: Asked, answered: Answered) -> None:
    """The header fields are called RateLimit-*."""
    if answered.status == 429:
        answered.headers = [(name.replace("x-ratelimit", "ratelimit"), value) for name, value in answered.headers]


@trips("RATE-03")
def limit_with_a_window(_asked: Asked, answered: Answered) -> None:
    """X-RateLimit-Limit is 120/min."""
    if answered.status == 429:
        answered.header("X-RateLimit-Limit", "120/min")


@trips("RATE-03")
def more_remains_than_the_limit(_asked: Asked, answered: Answered) -> None:
    """X-RateLimit-Remaining is above the limit."""
    if answered.status == 429:
        answered.header("X-RateLimit-Remaining", "99999")


@trips("RATE-03")
def reset_is_a_word(_asked: Asked, answered: Answered) -> None:
    """X-RateLimit-Reset is tomorrow."""
    if answered.status == 429:
        answered.header("X-RateLimit-Reset", "tomorrow")


@trips("RATE-04")
def reset_in_epoch_seconds(_asked: Asked, answered: Answered) -> None:
    """X-RateLimit-Reset is a number."""
    if answered.status == 429:
        answered.header("X-RateLimit-Reset", str(int(datetime.now(UTC).timestamp()) + 30))


@trips("RATE-05")
def something_remains(_asked: Asked, answered: Answered) -> None:
    """X-RateLimit-Remaining is 57."""
    if answered.status == 429:
        answered.header("X-RateLimit-Remaining", "57")


@trips("RATE-06")
def reset_lies_behind(_asked: Asked, answered: Answered) -> None:
    """X-RateLimit-Reset was an hour ago."""
    if answered.status == 429:
        answered.header("X-RateLimit-Reset", soon(hours=-1))


@trips("RATE-06")
def come_back_in_years(_asked: Asked, answered: Answered) -> None:
    """Retry-After is thirty years."""
    if answered.status == 429:
        answered.header("Retry-After", "946080000")
        answered.header("X-RateLimit-Reset", soon(days=10950))


@trips("RATE-06")
def retry_after_lies_behind(_asked: Asked, answered: Answered) -> None:
    """Retry-After is yesterday's date."""
    if answered.status == 429:
        answered.header("Retry-After", format_datetime(datetime.now(UTC) - timedelta(days=1), usegmt=True))


@trips("RATE-01", starts=True)
def no_retry_after_for_starts(asked: Asked, answered: Answered) -> None:
    """The 429 of a start has no Retry-After."""
    if answered.status == 429 and asked.method == "POST":
        answered.header("Retry-After", None)


@trips("RATE-08")
def successes_have_more_than_the_limit(_asked: Asked, answered: Answered) -> None:
    """Limit and remaining are exchanged in every success."""
    if answered.status == 200:
        answered.header("X-RateLimit-Limit", "12")
        answered.header("X-RateLimit-Remaining", "600")


@trips("RATE-08")
def reset_of_years_ago(_asked: Asked, answered: Answered) -> None:
    """X-RateLimit-Reset is years ago in every success."""
    if answered.status == 200:
        answered.header("X-RateLimit-Reset", "2020-01-01T00:00:00Z")


@trips("RATE-09")
def waiting_for_nothing(asked: Asked, answered: Answered) -> None:
    """Retry-After is 0 although the limit lasts for a minute; each response announces the limit."""
    left = 250 - asked.nth("limit")
    if left < 0 and answered.status == 200:
        refuse(asked, answered, 429, "rate_limit_exceeded", "Too many requests")
        answered.header("Retry-After", "0")
    for name, value in (("Limit", "250"), ("Remaining", str(max(left, 0))), ("Reset", soon(seconds=8))):
        if "prefer" not in asked.headers:
            answered.header(f"X-RateLimit-{name}", value)
