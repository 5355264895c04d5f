"""Faults of credentials."""

from __future__ import annotations

from hostup_conformance.mock import API_KEY, VPS_ID
from stage import Answered, Asked

from faults import trips
from faults.probe import refuse, start_instead

AVAILABLE = {"available": True, "reason": None, "vmRunning": True}


def let_in(asked: Asked, answered: Answered) -> None:
    """Answer a refused request as if it had the right key."""
    if answered.status == 401 and asked.own and asked.path.endswith("/exec"):
        answered.become(200, AVAILABLE if asked.pid is None else {"exited": False})


@trips("AUTH-01")
def open_to_all(asked: Asked, answered: Answered) -> None:
    """No key is needed to probe."""
    if "authorization" not in asked.headers and asked.method == "GET" and asked.pid is None and "=" not in asked.query:
        let_in(asked, answered)


@trips("AUTH-01")
def cached_before_the_key_is_seen(asked: Asked, answered: Answered) -> None:
    """An unchanged response is a 304 before the key is checked."""
    tags = asked.memory.setdefault("tags", {})
    if asked.headers.get("if-none-match") == tags.get(asked.path, "none"):
        answered.become(304)
    elif answered.status == 200 and asked.path.endswith("/exec"):
        tags[asked.path] = f'"{hash(answered.body)}"'
        answered.header("ETag", tags[asked.path])


@trips("AUTH-01")
def without_key_forbidden(asked: Asked, answered: Answered) -> None:
    """A request without a key gets 403."""
    if answered.status == 401 and "authorization" not in asked.headers:
        refuse(asked, answered, 403, "forbidden", "Forbidden")


@trips("AUTH-01")
def without_key_a_login_page(asked: Asked, answered: Answered) -> None:
    """A request without a key is redirected to a login page."""
    if answered.status == 401 and "authorization" not in asked.headers:
        answered.become(302, b"", "text/html")
        answered.header("Location", "/login")


@trips("AUTH-02")
def any_key_will_do(asked: Asked, answered: Answered) -> None:
    """Any bearer key is accepted."""
    if asked.headers.get("authorization", "").startswith("Bearer "):
        let_in(asked, answered)


@trips("AUTH-02")
def key_is_compared_by_its_beginning(asked: Asked, answered: Answered) -> None:
    """A truncated key is accepted."""
    if asked.headers.get("authorization", "").startswith("Bearer ") and API_KEY.startswith(asked.token or "?"):
        let_in(asked, answered)


@trips("AUTH-02")
def key_is_compared_without_case(asked: Asked, answered: Answered) -> None:
    """A key in another case is accepted."""
    if asked.headers.get("authorization", "").startswith("Bearer ") and (asked.token or "").lower() == API_KEY.lower():
        let_in(asked, answered)


@trips("AUTH-02")
def wrong_key_is_forbidden(asked: Asked, answered: Answered) -> None:
    """A wrong key gets 403."""
    if answered.status == 401 and "authorization" in asked.headers:
        refuse(asked, answered, 403, "forbidden", "Forbidden")


@trips("AUTH-03")
def basic_is_not_checked(asked: Asked, answered: Answered) -> None:
    """Any user name under Basic is accepted."""
    if asked.headers.get("authorization", "").startswith("Basic "):
        let_in(asked, answered)


@trips("AUTH-03")
def second_scheme_is_not_checked(asked: Asked, answered: Answered) -> None:
    """Any key under the scheme Token is accepted."""
    if asked.headers.get("authorization", "").startswith("Token "):
        let_in(asked, answered)


@trips("AUTH-03")
def no_scheme_crashes(asked: Asked, answered: Answered) -> None:
    """An Authorization of one word gets 500."""
    if answered.status == 401 and " " not in asked.headers.get("authorization", " "):
        refuse(asked, answered, 500, "internal_error", "Internal server error")


@trips("AUTH-04")
def scheme_in_lower_case_is_refused(asked: Asked, answered: Answered) -> None:
    """The scheme bearer, in lower case, is refused."""
    if asked.headers.get("authorization", "").startswith("bearer"):
        refuse(asked, answered, 401, "unauthorized", "Unauthorized")
        answered.header("WWW-Authenticate", "Bearer")


@trips("AUTH-05")
def key_in_the_query_is_accepted(asked: Asked, answered: Answered) -> None:
    """The key is also accepted as access_token in the query."""
    if f"access_token={API_KEY}" in asked.query:
        let_in(asked, answered)


@trips("AUTH-06")
def no_challenge(_asked: Asked, answered: Answered) -> None:
    """A 401 has no WWW-Authenticate."""
    if answered.status == 401:
        answered.header("WWW-Authenticate", None)


@trips("AUTH-06")
def challenge_for_basic(_asked: Asked, answered: Answered) -> None:
    """A 401 asks for Basic."""
    if answered.status == 401:
        answered.header("WWW-Authenticate", 'Basic realm="api"')


@trips("AUTH-06")
def challenge_blames_no_key(_asked: Asked, answered: Answered) -> None:
    """A 401 has the error invalid_token although there was no key."""
    if answered.status == 401:
        answered.header("WWW-Authenticate", 'Bearer error="invalid_token"')


@trips("AUTH-07")
def strangers_learn_ids(asked: Asked, answered: Answered) -> None:
    """Without a key, an unknown VPS gets 404 and a known one 401."""
    if answered.status == 401 and asked.vps not in {VPS_ID} and asked.method == "GET":
        refuse(asked, answered, 404, "not_found", "Not found")


@trips("AUTH-08")
def unknown_pid_is_unauthorized(asked: Asked, answered: Answered) -> None:
    """An unknown pid gets 401 with the right key."""
    if answered.status == 404 and asked.own and asked.full and asked.pid:
        refuse(asked, answered, 401, "unauthorized", "Unauthorized")
        answered.header("WWW-Authenticate", "Bearer")


@trips("AUTH-09")
def head_is_open(asked: Asked, answered: Answered) -> None:
    """HEAD needs no key."""
    if asked.method == "HEAD":
        answered.become(200)


@trips("AUTH-09")
def options_is_open(asked: Asked, answered: Answered) -> None:
    """OPTIONS shows the availability to anybody."""
    if asked.method == "OPTIONS":
        answered.become(200, AVAILABLE)


@trips("AUTH-10")
def starts_without_a_key(asked: Asked, answered: Answered) -> None:
    """Anybody may start commands."""
    if asked.method == "POST" and answered.status == 401:
        start_instead(asked, answered)


@trips("AUTH-10")
def start_without_a_key_is_forbidden(asked: Asked, answered: Answered) -> None:
    """A start with a wrong key is 403."""
    if asked.method == "POST" and answered.status == 401:
        refuse(asked, answered, 403, "forbidden", "Forbidden")


@trips("AUTH-10")
def starts_with_the_beginning_of_a_key(asked: Asked, answered: Answered) -> None:
    """For a start, only the first characters of the key are compared."""
    if asked.method == "POST" and answered.status == 401 and asked.token == API_KEY[:-1]:
        start_instead(asked, answered)


@trips("AUTH-06", starts=True)
def refused_starts_do_not_say_how(asked: Asked, answered: Answered) -> None:
    """The 401 of a start has no challenge."""
    if asked.method == "POST" and answered.status == 401:
        answered.header("WWW-Authenticate", None)


@trips("AUTH-11")
def slash_at_the_end_opens(asked: Asked, answered: Answered) -> None:
    """The key is not checked if the path has a trailing slash."""
    if asked.path.endswith("/exec/") and "authorization" not in asked.headers:
        answered.become(200, AVAILABLE)


@trips("AUTH-11")
def two_slashes_open(asked: Asked, answered: Answered) -> None:
    """The key is checked before double slashes are merged."""
    if "//agent/" in asked.path and "authorization" not in asked.headers:
        answered.become(200, AVAILABLE)


@trips("HTTP-08")
def bytes_in_a_key_crash(asked: Asked, answered: Answered) -> None:
    """A key that is not ASCII gets 500."""
    if not asked.headers.get("authorization", "").isascii():
        refuse(asked, answered, 500, "internal_error", "Internal server error")


@trips("AUTH-01")
def whoever_says_to_be_local_needs_no_key(asked: Asked, answered: Answered) -> None:
    """X-Forwarded-For is trusted, and a request from loopback needs no key."""
    if answered.status == 401 and asked.headers.get("x-forwarded-for") == "127.0.0.1":
        answered.become(200, AVAILABLE)


@trips("AUTH-09")
def head_of_a_poll_needs_no_key(asked: Asked, answered: Answered) -> None:
    """HEAD of a poll succeeds without a key."""
    if asked.method == "HEAD" and asked.pid and not asked.token:
        answered.become(200)


@trips("AUTH-13")
def the_scheme_is_not_looked_at(asked: Asked, answered: Answered) -> None:
    """The last word of Authorization is taken for the key, whatever the scheme."""
    if asked.headers.get("authorization") == f"Nonesuch {API_KEY}" and asked.own and asked.method == "GET":
        answered.become(200, AVAILABLE)
