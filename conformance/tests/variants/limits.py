"""Variants of rate limits, and of what Prefer orders."""

import time
import zlib
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

from faults.auth import AVAILABLE
from faults.http import among_others, sent_later
from faults.probe import problem, refuse
from faults.rate import refuse_beyond_a_window, soon
from stage import Request, Response

from variants import allowed, is_ended


@allowed()
def limits_on_each_response(request: Request, response: Response) -> None:
    """Every response has the X-RateLimit header fields."""
    if response.status != 429:
        response.header("X-RateLimit-Limit", "600")
        response.header("X-RateLimit-Remaining", str(600 - request.nth()))
        response.header("X-RateLimit-Reset", soon(seconds=60))


@allowed()
def limits_of_a_short_window(request: Request, response: Response) -> None:
    """The limit resets every two seconds; the server's clock shows that a quarter passes between two requests."""
    if response.status != 429:
        now = datetime.now(UTC) + timedelta(seconds=request.nth() / 4)
        passed = now.timestamp() % 2
        response.header("Date", format_datetime(now, usegmt=True))
        response.header("X-RateLimit-Limit", "600")
        response.header("X-RateLimit-Remaining", str(600 - int(100 * passed)))
        response.header("X-RateLimit-Reset", (now + timedelta(seconds=2 - passed)).isoformat())


@allowed()
def limits_in_each_window(request: Request, response: Response) -> None:
    """Beyond 80 requests in two seconds, which each response announces, what would be served gets 429."""
    if response.status != 429:
        refuse_beyond_a_window(request, response, 429, "rate_limit_exceeded")


@allowed()
def limits_rarely(request: Request, response: Response) -> None:
    """A real rate limit is hit now and then, with Retry-After 0 or 1."""
    # The output of an ended command would be lost, and that would be a fault.
    if (
        request.method == "GET"
        and not is_ended(response)
        and response.status != 429
        and request.nth() in {7, 30, 60, 90}
    ):
        refuse(request, response, 429, "rate_limit_exceeded", "Too many requests")
        wait = 1 if request.nth("limits") == 3 else 0
        response.header("Retry-After", str(wait))
        response.header("X-RateLimit-Limit", "30")
        response.header("X-RateLimit-Remaining", "0")
        response.header("X-RateLimit-Reset", soon(seconds=wait))


@allowed()
def prefer_is_ignored(request: Request, response: Response) -> None:
    """Prefer: code=429 changes nothing."""
    if "prefer" in request.headers:
        response.become(200, AVAILABLE)


@allowed()
def prefer_is_refused(request: Request, response: Response) -> None:
    """Prefer is obeyed for 429 only."""
    if "prefer" in request.headers and response.status != 429:
        response.become(200, AVAILABLE)


@allowed()
def limits_of_a_bucket(request: Request, response: Response) -> None:
    """The X-RateLimit header fields describe a bucket that fills up again; Reset is in seconds to wait."""
    response.header("X-RateLimit-Limit", "20")
    response.header("X-RateLimit-Remaining", str(request.nth() * 7 % 20))
    if response.status != 429:
        response.header("X-RateLimit-Reset", "0")
    else:
        response.header("X-RateLimit-Remaining", "0")


@allowed(warns={"HTTP-08"})
def few_at_a_time(request: Request, response: Response) -> None:
    """Of simultaneous requests, some get 503 or 429, and the others take a while."""
    if among_others(request, response) and request.method == "GET" and request.path.endswith("/exec"):
        if request.nth("busy") % 2:
            response.become(503, problem(request, 503, "upstream_busy", "Busy"), "application/problem+json")
        else:
            refuse(request, response, 429, "rate_limit_exceeded", "Too many requests")
            for name, value in (("Limit", "2"), ("Remaining", "0"), ("Reset", soon(seconds=0))):
                response.header(f"X-RateLimit-{name}", value)
            response.header("Retry-After", "0")
    sent_later(request, response)


@allowed()
def revalidates(request: Request, response: Response) -> None:
    """Successes have a strong ETag of their body, and If-None-Match with it gets 304."""
    if response.status == 200 and request.method == "GET":
        tag = f'"{zlib.crc32(response.body):x}"'
        if request.headers.get("if-none-match") == tag:
            response.become(304)
        response.header("ETag", tag)


@allowed()
def head_without_a_length(request: Request, response: Response) -> None:
    """HEAD gets no Content-Length."""
    if request.method == "HEAD":
        response.header("Connection", "close")
        response.raw = [response.head(None)]


@allowed()
def limits_list_their_policies(_request: Request, response: Response) -> None:
    """X-RateLimit-Limit lists the policies after the limit, as in the third version of the draft."""
    if response.status == 429:
        response.header("X-RateLimit-Limit", "120, 120;w=60")
    elif response.status == 200:
        response.headers += [("X-RateLimit-Limit", "600, 600;w=60"), ("X-RateLimit-Remaining", "599")]


@allowed()
def limit_with_its_window(request: Request, response: Response) -> None:
    """The window stands behind the limit, after a semicolon."""
    if response.status != 429:
        response.header("X-RateLimit-Limit", "6000;w=60")
        response.header("X-RateLimit-Remaining", str(6000 - request.nth()))


@allowed()
def limits_of_a_second_and_a_month(request: Request, response: Response) -> None:
    """Two limits stand in each of the fields, of which the second is for a month."""
    if response.status != 429:
        response.header("X-RateLimit-Limit", "50, 15000")
        response.header("X-RateLimit-Remaining", f"49, {15000 - request.nth()}")
        response.header("X-RateLimit-Reset", "1, 1419704")


@allowed()
def limit_of_a_month(request: Request, response: Response) -> None:
    """The limit resets in three weeks."""
    if response.status != 429:
        response.header("X-RateLimit-Limit", "150000")
        response.header("X-RateLimit-Remaining", str(150000 - request.nth()))
        response.header("X-RateLimit-Reset", str(int(time.time()) + 21 * 86400))


@allowed()
def no_limit_is_minus_one(_request: Request, response: Response) -> None:
    """A key without limits gets -1 for both."""
    if response.status != 429:
        response.header("X-RateLimit-Limit", "-1")
        response.header("X-RateLimit-Remaining", "-1")


@allowed()
def a_limit_meets_what_prefer_orders(request: Request, response: Response) -> None:
    """Prefer is ignored, and of two requests with it the second meets a real rate limit."""
    if request.headers.get("prefer") == "code=429":
        if request.nth("ordered") != 2:
            response.become(200, AVAILABLE)
    elif "prefer" in request.headers:
        response.become(200, AVAILABLE)


@allowed()
def the_limiter_repeats_the_path(request: Request, response: Response) -> None:
    """A front end limits the rate once, and repeats the decoded path, which is not UTF-8, in its problem."""
    if "%ff" in request.path and request.nth("odd paths") == 1:
        refuse(request, response, 429, "rate_limit_exceeded", "Too many requests")
        response.header("Retry-After", "0")
        response.header("X-RateLimit-Limit", "30")
        response.header("X-RateLimit-Remaining", "0")
        response.header("X-RateLimit-Reset", soon(seconds=0))
        response.body = response.body.replace(b"%ff%fe", b"\xff\xfe")
