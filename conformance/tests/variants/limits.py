"""Variants of rate limits, and of what Prefer orders."""

from __future__ import annotations

import time
import zlib
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

from faults.auth import AVAILABLE
from faults.http import among_others, sent_later
from faults.probe import problem, refuse
from faults.rate import soon
from stage import Answered, Asked

from variants import allowed, is_ended


@allowed()
def retry_after_is_a_date(_asked: Asked, answered: Answered) -> None:
    """Retry-After is an HTTP-date."""
    if answered.status == 429:
        answered.header("Retry-After", format_datetime(datetime.now(UTC) + timedelta(seconds=30), usegmt=True))


@allowed()
def limits_on_each_answer(asked: Asked, answered: Answered) -> None:
    """Every response has the X-RateLimit header fields."""
    if answered.status != 429:
        answered.header("X-RateLimit-Limit", "600")
        answered.header("X-RateLimit-Remaining", str(600 - asked.nth()))
        answered.header("X-RateLimit-Reset", soon(seconds=60))


@allowed()
def limits_rarely(asked: Asked, answered: Answered) -> None:
    """A real rate limit is hit now and then, with Retry-After 0 or 1."""
    # The output of an ended command would be lost, and that would be a fault.
    if asked.method == "GET" and not is_ended(answered) and answered.status != 429 and asked.nth() in {7, 30, 60, 90}:
        refuse(asked, answered, 429, "rate_limit_exceeded", "Too many requests")
        wait = 1 if asked.nth("limits") == 3 else 0
        answered.header("Retry-After", str(wait))
        answered.header("X-RateLimit-Limit", "30")
        answered.header("X-RateLimit-Remaining", "0")
        answered.header("X-RateLimit-Reset", soon(seconds=wait))


@allowed()
def prefer_is_ignored(asked: Asked, answered: Answered) -> None:
    """Prefer: code=429 changes nothing."""
    if "prefer" in asked.headers:
        answered.become(200, AVAILABLE)


@allowed()
def prefer_is_refused(asked: Asked, answered: Answered) -> None:
    """Prefer is obeyed for 429 only."""
    if "prefer" in asked.headers and answered.status != 429:
        answered.become(200, AVAILABLE)


@allowed()
def limits_of_a_bucket(asked: Asked, answered: Answered) -> None:
    """The X-RateLimit header fields describe a bucket that fills up again; Reset is in seconds to wait."""
    answered.header("X-RateLimit-Limit", "20")
    answered.header("X-RateLimit-Remaining", str(asked.nth() * 7 % 20))
    if answered.status != 429:
        answered.header("X-RateLimit-Reset", "0")
    else:
        answered.header("X-RateLimit-Remaining", "0")


@allowed(warns={"HTTP-08"})
def few_at_a_time(asked: Asked, answered: Answered) -> None:
    """Of simultaneous requests, some get 503 or 429, and the others take a while."""
    if among_others(asked, answered) and asked.method == "GET" and asked.path.endswith("/exec"):
        if asked.nth("busy") % 2:
            answered.become(503, problem(asked, 503, "upstream_busy", "Busy"), "application/problem+json")
        else:
            refuse(asked, answered, 429, "rate_limit_exceeded", "Too many requests")
            for name, value in (("Limit", "2"), ("Remaining", "0"), ("Reset", soon(seconds=0))):
                answered.header(f"X-RateLimit-{name}", value)
            answered.header("Retry-After", "0")
    sent_later(asked, answered)


@allowed()
def revalidates(asked: Asked, answered: Answered) -> None:
    """Successes have a strong ETag of their body, and If-None-Match with it gets 304."""
    if answered.status == 200 and asked.method == "GET":
        tag = f'"{zlib.crc32(answered.body):x}"'
        if asked.headers.get("if-none-match") == tag:
            answered.become(304)
        answered.header("ETag", tag)


@allowed()
def head_without_a_length(asked: Asked, answered: Answered) -> None:
    """HEAD gets no Content-Length."""
    if asked.method == "HEAD":
        answered.header("Connection", "close")
        answered.raw = [answered.head(None)]


@allowed()
def limits_list_their_policies(_asked: Asked, answered: Answered) -> None:
    """X-RateLimit-Limit lists the policies after the limit, as in the third version of the draft."""
    if answered.status == 429:
        answered.header("X-RateLimit-Limit", "120, 120;w=60")
    elif answered.status == 200:
        answered.headers += [("X-RateLimit-Limit", "600, 600;w=60"), ("X-RateLimit-Remaining", "599")]


@allowed()
def limit_with_its_window(asked: Asked, answered: Answered) -> None:
    """The window stands behind the limit, after a semicolon."""
    if answered.status != 429:
        answered.header("X-RateLimit-Limit", "6000;w=60")
        answered.header("X-RateLimit-Remaining", str(6000 - asked.nth()))


@allowed()
def limits_of_a_second_and_a_month(asked: Asked, answered: Answered) -> None:
    """Two limits stand in each of the fields, of which the second is for a month."""
    if answered.status != 429:
        answered.header("X-RateLimit-Limit", "50, 15000")
        answered.header("X-RateLimit-Remaining", f"49, {15000 - asked.nth()}")
        answered.header("X-RateLimit-Reset", "1, 1419704")


@allowed()
def limit_of_a_month(asked: Asked, answered: Answered) -> None:
    """The limit resets in three weeks."""
    if answered.status != 429:
        answered.header("X-RateLimit-Limit", "150000")
        answered.header("X-RateLimit-Remaining", str(150000 - asked.nth()))
        answered.header("X-RateLimit-Reset", str(int(time.time()) + 21 * 86400))


@allowed()
def no_limit_is_minus_one(_asked: Asked, answered: Answered) -> None:
    """A key without limits gets -1 for both."""
    if answered.status != 429:
        answered.header("X-RateLimit-Limit", "-1")
        answered.header("X-RateLimit-Remaining", "-1")
