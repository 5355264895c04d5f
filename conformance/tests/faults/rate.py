"""Faults of a 429."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

from stage import Request, Response

from faults import trips
from faults.probe import refuse


def soon(**delta: float) -> str:
    """Return a moment from now, as the provider writes it."""
    return (datetime.now(UTC) + timedelta(**delta)).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def limit_starts(request: Request, response: Response, *, most: int, seconds: int) -> None:
    """Refuse what starts a command once so many have been started, and ask to wait for some seconds."""
    if response.is_started and request.nth("starts") > most:
        refuse(request, response, 429, "rate_limit_exceeded", "Too many requests")
        for name, value in (("Limit", str(most)), ("Remaining", "0"), ("Reset", soon(seconds=seconds))):
            response.header(f"X-RateLimit-{name}", value)
        response.header("Retry-After", str(seconds))


@trips("RATE-01")
def no_retry_after(_request: Request, response: Response) -> None:
    """There is no Retry-After."""
    if response.status == 429:
        response.header("Retry-After", None)


@trips("RATE-01")
def retry_after_with_a_unit(_request: Request, response: Response) -> None:
    """Retry-After is 30s."""
    if response.status == 429:
        response.header("Retry-After", "30s")


@trips("RATE-01")
def two_retry_afters(_request: Request, response: Response) -> None:
    """There are two Retry-After header fields."""
    if response.status == 429:
        response.headers.append(("Retry-After", "60"))


@trips("RATE-02")
def no_reset(_request: Request, response: Response) -> None:
    """There is no X-RateLimit-Reset."""
    if response.status == 429:
        response.header("X-RateLimit-Reset", None)


@trips("RATE-02")
def other_names(_request: Request, response: Response) -> None:
    """The header fields are called RateLimit-*."""
    if response.status == 429:
        response.headers = [(name.replace("x-ratelimit", "ratelimit"), value) for name, value in response.headers]


@trips("RATE-03")
def limit_with_a_window(_request: Request, response: Response) -> None:
    """X-RateLimit-Limit is 120/min."""
    if response.status == 429:
        response.header("X-RateLimit-Limit", "120/min")


@trips("RATE-03")
def more_remains_than_the_limit(_request: Request, response: Response) -> None:
    """X-RateLimit-Remaining is above the limit."""
    if response.status == 429:
        response.header("X-RateLimit-Remaining", "99999")


@trips("RATE-03")
def reset_is_a_word(_request: Request, response: Response) -> None:
    """X-RateLimit-Reset is tomorrow."""
    if response.status == 429:
        response.header("X-RateLimit-Reset", "tomorrow")


@trips("RATE-04")
def reset_in_epoch_seconds(_request: Request, response: Response) -> None:
    """X-RateLimit-Reset is a number."""
    if response.status == 429:
        response.header("X-RateLimit-Reset", str(int(datetime.now(UTC).timestamp()) + 30))


@trips("RATE-05")
def something_remains(_request: Request, response: Response) -> None:
    """X-RateLimit-Remaining is 57."""
    if response.status == 429:
        response.header("X-RateLimit-Remaining", "57")


@trips("RATE-06")
def reset_lies_behind(_request: Request, response: Response) -> None:
    """X-RateLimit-Reset was an hour ago."""
    if response.status == 429:
        response.header("X-RateLimit-Reset", soon(hours=-1))


@trips("RATE-06")
def come_back_in_years(_request: Request, response: Response) -> None:
    """Retry-After is thirty years."""
    if response.status == 429:
        response.header("Retry-After", "946080000")
        response.header("X-RateLimit-Reset", soon(days=10950))


@trips("RATE-07")
def retry_after_is_in_milliseconds(_request: Request, response: Response) -> None:
    """Retry-After is a thousand times the seconds until X-RateLimit-Reset."""
    if response.status == 429:
        response.header("Retry-After", "120000")
        response.header("X-RateLimit-Reset", soon(minutes=2))


@trips("RATE-07")
def retry_after_is_the_time(_request: Request, response: Response) -> None:
    """Retry-After is the time at which the limit resets, in seconds since 1970."""
    if response.status == 429:
        response.header("Retry-After", str(int(datetime.now(UTC).timestamp()) + 30))


@trips("RATE-06")
def retry_after_lies_behind(_request: Request, response: Response) -> None:
    """Retry-After is yesterday's date."""
    if response.status == 429:
        response.header("Retry-After", format_datetime(datetime.now(UTC) - timedelta(days=1), usegmt=True))


@trips("RATE-01", starts=True)
def no_retry_after_for_starts(request: Request, response: Response) -> None:
    """The 429 of a start has no Retry-After."""
    if response.status == 429 and request.method == "POST":
        response.header("Retry-After", None)


@trips("RATE-08")
def successes_have_more_than_the_limit(_request: Request, response: Response) -> None:
    """Limit and remaining are exchanged in every success."""
    if response.status == 200:
        response.header("X-RateLimit-Limit", "12")
        response.header("X-RateLimit-Remaining", "600")


@trips("RATE-08")
def reset_of_years_ago(_request: Request, response: Response) -> None:
    """X-RateLimit-Reset is years ago in every success."""
    if response.status == 200:
        response.header("X-RateLimit-Reset", "2020-01-01T00:00:00Z")


@trips("RATE-08")
def reset_is_where_the_window_began(request: Request, response: Response) -> None:
    """X-RateLimit-Reset is the moment at which the window of a minute began, three seconds before the run at least."""
    if response.status == 200:
        response.header("X-RateLimit-Reset", request.memory.setdefault("began", soon(seconds=-3)))


@trips("RATE-09")
def waiting_for_nothing(request: Request, response: Response) -> None:
    """Retry-After is 0 although the next ten requests are refused as well; each response announces the limit."""
    left = 200 - request.nth("limit")
    if -10 <= left < 0 and response.status != 429:
        refuse(request, response, 429, "rate_limit_exceeded", "Too many requests")
        response.header("Retry-After", "0")
    for name, value in (("Limit", "200"), ("Remaining", str(max(left, 0))), ("Reset", soon(seconds=8))):
        if "prefer" not in request.headers:
            response.header(f"X-RateLimit-{name}", value)


@trips("RATE-09")
def a_limit_of_an_instant(request: Request, response: Response) -> None:
    """Retry-After is 0 although the limit lasts for two seconds and a half, and no response announces it."""
    if request.full and response.status != 429 and request.nth("limit") > 100:
        since = request.memory.setdefault("since", datetime.now(UTC))
        if datetime.now(UTC) - since < timedelta(seconds=2.5):
            refuse(request, response, 429, "rate_limit_exceeded", "Too many requests")
            response.header("Retry-After", "0")
            for name, value in (("Limit", "100"), ("Remaining", "0"), ("Reset", soon(seconds=2))):
                response.header(f"X-RateLimit-{name}", value)


@trips("RATE-11")
def no_limit_of_heads_resets(request: Request, response: Response) -> None:
    """A HEAD is limited, and stays so."""
    if request.full and request.method == "HEAD":
        refuse(request, response, 429, "rate_limit_exceeded", "Too many requests")
        for name, value in (("Limit", "1"), ("Remaining", "0"), ("Reset", soon(seconds=1))):
            response.header(f"X-RateLimit-{name}", value)
        response.header("Retry-After", "1")


@trips("RATE-07")
def retry_after_is_a_date(_request: Request, response: Response) -> None:
    """Retry-After is an HTTP-date."""
    if response.status == 429:
        response.header("Retry-After", format_datetime(datetime.now(UTC) + timedelta(seconds=30), usegmt=True))


@trips("RATE-11")
def the_limit_never_resets(request: Request, response: Response) -> None:
    """Once the limit is exceeded, it stays so."""
    if request.full and response.status != 429 and request.nth("limit") > 20:
        refuse(request, response, 429, "rate_limit_exceeded", "Too many requests")
        for name, value in (("Limit", "20"), ("Remaining", "0"), ("Reset", soon(seconds=1))):
            response.header(f"X-RateLimit-{name}", value)
        response.header("Retry-After", "1")


@trips("RATE-12")
def each_request_renews_the_window(request: Request, response: Response) -> None:
    """The limit resets three seconds after the last request; the server's clock shows that a quarter passes between."""
    if request.full and response.status != 429:
        number = request.nth("limit")
        now = datetime.now(UTC) + timedelta(seconds=number / 4)
        response.header("Date", format_datetime(now, usegmt=True))
        reset = (now + timedelta(seconds=3)).isoformat(timespec="milliseconds")
        for name, value in (("Limit", "900"), ("Remaining", str(900 - number)), ("Reset", reset)):
            response.header(f"X-RateLimit-{name}", value)


def refuse_beyond_a_window(request: Request, response: Response, status: int, code: str) -> None:
    """Refuse what is beyond 80 requests in two seconds, which each response announces."""
    now = datetime.now(UTC).timestamp()
    window = now - now % 2
    left = 80 - request.nth(f"in {window}")
    if left < 0 and response.status < 300:
        refuse(request, response, status, code, "Too many requests")
        if status == 429:
            response.header("Retry-After", "2")
    reset = datetime.fromtimestamp(window + 2, UTC).isoformat(timespec="milliseconds")
    for name, value in (("Limit", "80"), ("Remaining", str(max(left, 0))), ("Reset", reset)):
        response.header(f"X-RateLimit-{name}", value)


@trips("RATE-13")
def what_is_beyond_the_limit_is_forbidden(request: Request, response: Response) -> None:
    """Beyond a limit of 80 requests in two seconds, which each response announces, what was served gets 403."""
    refuse_beyond_a_window(request, response, 403, "forbidden")
