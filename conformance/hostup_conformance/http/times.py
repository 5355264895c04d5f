"""Reads the forms of time that HTTP (RFC 9110) and RFC 3339 define. It must not know who sent them."""

import re
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime, parsedate_to_datetime

#: The greatest length of a text that is tried as a time, in characters.
LONGEST_TIME = 100
#: Longer waits are read as a century (in seconds), which can be added to any date without overflow.
A_CENTURY = 100 * 365.25 * 86400
EARLIEST, LATEST = datetime(1900, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
_RFC3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)")


def within_reckoning(moment: datetime) -> datetime:
    """Return a moment in UTC, or the nearest one from which years can be added or subtracted without overflow.

    Raise `OverflowError` if, in UTC, it is before the year 1 or after 9999.
    """
    return min(max(moment.astimezone(UTC), EARLIEST), LATEST)


def rfc3339(text: str) -> datetime | None:
    """Return the instant of an RFC 3339 date-time, or None if the text is not one."""
    if len(text) > LONGEST_TIME or not (text.isascii() and _RFC3339.fullmatch(text)):
        return None
    # RFC 3339 allows leap seconds, more than six decimals and lower case; Python does not.
    text = re.sub(r"\.(\d{1,6})\d*", lambda m: "." + m[1].ljust(6, "0"), text.upper())
    leap = text[17:19] == "60"
    try:
        moment = datetime.fromisoformat(text[:17] + "59" + text[19:] if leap else text) + timedelta(seconds=leap)
        return within_reckoning(moment)
    except (ValueError, OverflowError):
        return None


def http_date(text: str) -> datetime | None:
    """Return the instant of an HTTP-date (RFC 9110 section 5.6.7), or None if the text is not one."""
    if len(text) > LONGEST_TIME or not re.match(r"(Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*,? ", text):
        return None
    try:
        moment = parsedate_to_datetime(text)
        return within_reckoning(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
    except (ValueError, IndexError, TypeError, OverflowError):
        return None


def is_imf_fixdate(text: str) -> bool:
    """Whether a text is an HTTP-date in the one form that may be sent, with the day of the week that it was."""
    moment = http_date(text)
    return moment is not None and format_datetime(moment, usegmt=True) == text


def retry_after_seconds(text: str | None, now: datetime) -> float | None:
    """Return how many seconds a Retry-After (RFC 9110 section 10.2.3) asks for; None if it is neither number nor date.

    More than a century is read as a century.
    """
    text = (text or "").strip()
    if text.isascii() and text.isdecimal():
        return min(float(text), A_CENTURY)
    moment = http_date(text)
    return max((moment - now).total_seconds(), 0.0) if moment else None


def reset_moment(text: str, now: datetime) -> datetime | None:
    """Return the moment that an X-RateLimit-Reset names.

    It may be a date-time, an HTTP-date, (milli)seconds since 1970, or seconds to wait; of a list of these, which
    belongs to several limits, it is the first.
    """
    text = text.strip()
    if moment := rfc3339(text) or http_date(text):
        return moment
    text = text.partition(",")[0]
    if not (text.isascii() and re.fullmatch(r"\d{1,13}(\.\d+)?", text)):
        return None
    number = float(text)
    if number < 1e8:
        return now + timedelta(seconds=number)
    return datetime.fromtimestamp(number / 1000 if number > 1e11 else number, UTC)
