"""Reads the forms of time that HTTP (RFC 9110) and RFC 3339 have; it must not know who sent them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

_RFC3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)")


def rfc3339(text: str) -> datetime | None:
    """Return the instant of an RFC 3339 date-time, None where the text is none."""
    if not (text.isascii() and _RFC3339.fullmatch(text)):
        return None
    # RFC 3339 allows a leap second, more digits and lower case; Python does not.
    text = re.sub(r"\.(\d{1,6})\d*", lambda m: "." + m[1].ljust(6, "0"), text.upper())
    leap = text[17:19] == "60"
    try:
        moment = datetime.fromisoformat(text[:17] + "59" + text[19:] if leap else text)
    except ValueError:
        return None
    return moment + timedelta(seconds=leap)


def http_date(text: str) -> datetime | None:
    """Return the instant of an HTTP-date (RFC 9110 section 5.6.7), None where the text is none."""
    if not re.match(r"(Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*,? ", text):
        return None
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, IndexError, TypeError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def retry_after_seconds(text: str | None, now: datetime) -> float | None:
    """Return how many seconds a Retry-After (RFC 9110 section 10.2.3) asks to wait, None where it is neither form."""
    text = (text or "").strip()
    if text.isascii() and text.isdecimal() and len(text) < 10:
        return float(text)
    moment = http_date(text)
    return max((moment - now).total_seconds(), 0.0) if moment else None


def reset_moment(text: str, now: datetime) -> datetime | None:
    """Return when an X-RateLimit-Reset lies: a date-time, an HTTP-date, epoch (milli)seconds, or seconds to go."""
    text = text.strip()
    if moment := rfc3339(text) or http_date(text):
        return moment
    if not (text.isascii() and re.fullmatch(r"\d{1,13}(\.\d+)?", text)):
        return None
    number = float(text)
    if number < 1e8:
        return now + timedelta(seconds=number)
    return datetime.fromtimestamp(number / 1000 if number > 1e11 else number, UTC)
