"""Faults of credentials."""

import re

from hostup_conformance.mock import API_KEY, READ_API_KEY, VPS_ID
from stage import Request, Response

from faults import trips
from faults.probe import refuse, start_instead
from faults.rate import limit_starts

AVAILABLE = {"available": True, "reason": None, "vmRunning": True}


def let_in(request: Request, response: Response) -> None:
    """Respond to a refused request as if it had the right key."""
    if response.status == 401 and request.own and request.path.endswith("/exec"):
        response.become(200, AVAILABLE if request.pid is None else {"exited": False})


@trips("AUTH-01")
def open_to_all(request: Request, response: Response) -> None:
    """No key is needed to probe."""
    if (
        "authorization" not in request.headers
        and request.method == "GET"
        and request.pid is None
        and "=" not in request.query
    ):
        let_in(request, response)


@trips("AUTH-01")
def cached_before_the_key_is_seen(request: Request, response: Response) -> None:
    """An unchanged response is a 304 before the key is checked."""
    tags = request.memory.setdefault("tags", {})
    if request.headers.get("if-none-match") == tags.get(request.path, "none"):
        response.become(304)
    elif response.status == 200 and request.path.endswith("/exec"):
        tags[request.path] = f'"{hash(response.body)}"'
        response.header("ETag", tags[request.path])


@trips("AUTH-01", starts=True)
def pids_are_looked_up_before_the_key(request: Request, response: Response) -> None:
    """A poll of a command that was never started gets 404 before the key is looked at."""
    if response.status == 401 and (request.pid or "").isdecimal() and int(request.pid or 0) > 4194304:
        refuse(request, response, 404, "not_found", "Not found")


@trips("AUTH-01")
def ends_are_kept_for_anybody(request: Request, response: Response) -> None:
    """What told an end is kept in front, since it changes no more, and served to those without a key."""
    ends = request.memory.setdefault("ends", {})
    if response.is_output and response.json["exited"] and request.own:
        ends[request.pid] = response.json
    kept = request.own and request.method == "GET" and request.pid in ends
    if kept and response.status == 401 and request.token is None:
        response.become(200, ends[request.pid])


@trips("AUTH-01")
def session_stands_for_a_key(request: Request, response: Response) -> None:
    """Who sends back the cookie that was set for the first key is taken for its owner."""
    if request.token == API_KEY and response.status == 200:
        response.header("Set-Cookie", "sid=s%3A9f31c07d2b6e48a5; Path=/; HttpOnly")
    elif "sid=" in request.headers.get("cookie", "") and response.status in {401, 403} and request.own:
        response.become(200, AVAILABLE if request.pid is None else {"exited": False})


@trips("AUTH-01")
def without_key_forbidden(request: Request, response: Response) -> None:
    """A request without a key gets 403."""
    if response.status == 401 and "authorization" not in request.headers:
        refuse(request, response, 403, "forbidden", "Forbidden")


@trips("AUTH-01")
def without_key_a_login_page(request: Request, response: Response) -> None:
    """A request without a key is redirected to a login page."""
    if response.status == 401 and "authorization" not in request.headers:
        response.become(302, b"", "text/html")
        response.header("Location", "/login")


@trips("AUTH-02")
def keys_are_compared_as_patterns(request: Request, response: Response) -> None:
    """The key goes into SQL's LIKE, of which a percent sign is any key."""
    if request.headers.get("authorization") == "Bearer %":
        let_in(request, response)


@trips("AUTH-02")
def any_key_will_do(request: Request, response: Response) -> None:
    """Any bearer key is accepted."""
    if request.headers.get("authorization", "").startswith("Bearer "):
        let_in(request, response)


@trips("AUTH-02")
def keys_are_looked_up_in_an_object(request: Request, response: Response) -> None:
    """Keys are members of an object of JavaScript, which has others that nobody gave it."""
    if request.headers.get("authorization") in {"Bearer constructor", "Bearer toString", "Bearer __proto__"}:
        let_in(request, response)


@trips("AUTH-02")
def key_is_compared_by_its_beginning(request: Request, response: Response) -> None:
    """A truncated key is accepted."""
    if request.headers.get("authorization", "").startswith("Bearer ") and API_KEY.startswith(request.token or "?"):
        let_in(request, response)


@trips("AUTH-02")
def key_is_compared_by_its_end(request: Request, response: Response) -> None:
    """Only what follows the prefix of a key is looked at."""
    if request.headers.get("authorization", "").startswith("Bearer ") and (request.token or "?").endswith(API_KEY[8:]):
        let_in(request, response)


@trips("AUTH-02")
def keys_are_cleaned(request: Request, response: Response) -> None:
    """All that is no letter, digit, underscore or hyphen is removed from a key before it is looked up."""
    token = request.token or ""
    if token != API_KEY and re.sub("[^A-Za-z0-9_-]", "", token) == API_KEY:
        let_in(request, response)


@trips("AUTH-02")
def key_is_cut_before_it_is_compared(request: Request, response: Response) -> None:
    """A key as long as the right one is accepted if it begins as that does, but for its last four characters."""
    token = request.token or ""
    if (token[:-4], len(token)) == (API_KEY[:-4], len(API_KEY)):
        let_in(request, response)


@trips("AUTH-02")
def key_is_known_by_its_ends(request: Request, response: Response) -> None:
    """A key as long as the right one is accepted if it has its first ten characters and its last four."""
    token = request.token or ""
    if (token[:10], token[-4:], len(token)) == (API_KEY[:10], API_KEY[-4:], len(API_KEY)):
        let_in(request, response)


@trips("AUTH-02")
def key_is_compared_without_case(request: Request, response: Response) -> None:
    """A key in another case is accepted."""
    if (
        request.headers.get("authorization", "").startswith("Bearer ")
        and (request.token or "").lower() == API_KEY.lower()
    ):
        let_in(request, response)


@trips("AUTH-02")
def read_key_is_compared_in_small_letters(request: Request, response: Response) -> None:
    """A key with read:vm alone is looked up in a table whose collation takes capitals for small letters."""
    if (request.token or "").lower() == READ_API_KEY.lower() and request.pid is None:
        let_in(request, response)


@trips("AUTH-02")
def wrong_key_is_forbidden(request: Request, response: Response) -> None:
    """A wrong key gets 403."""
    if response.status == 401 and "authorization" in request.headers:
        refuse(request, response, 403, "forbidden", "Forbidden")


@trips("AUTH-03")
def basic_is_not_checked(request: Request, response: Response) -> None:
    """Any user name under Basic is accepted."""
    if request.headers.get("authorization", "").startswith("Basic "):
        let_in(request, response)


@trips("AUTH-03")
def second_scheme_is_not_checked(request: Request, response: Response) -> None:
    """Any key under the scheme Token is accepted."""
    if request.headers.get("authorization", "").startswith("Token "):
        let_in(request, response)


@trips("AUTH-03")
def no_scheme_crashes(request: Request, response: Response) -> None:
    """An Authorization of one word gets 500."""
    if response.status == 401 and " " not in request.headers.get("authorization", " "):
        refuse(request, response, 500, "internal_error", "Internal server error")


@trips("AUTH-04")
def scheme_in_lower_case_is_refused(request: Request, response: Response) -> None:
    """The scheme bearer, in lower case, is refused."""
    if request.headers.get("authorization", "").startswith("bearer"):
        refuse(request, response, 401, "unauthorized", "Unauthorized")
        response.header("WWW-Authenticate", "Bearer")


@trips("AUTH-05")
def key_in_the_query_is_accepted(request: Request, response: Response) -> None:
    """The key is also accepted as access_token in the query."""
    if f"access_token={API_KEY}" in request.query:
        let_in(request, response)


@trips("AUTH-06")
def no_challenge(_request: Request, response: Response) -> None:
    """A 401 has no WWW-Authenticate."""
    if response.status == 401:
        response.header("WWW-Authenticate", None)


@trips("AUTH-06")
def challenge_for_basic(_request: Request, response: Response) -> None:
    """A 401 asks for Basic."""
    if response.status == 401:
        response.header("WWW-Authenticate", 'Basic realm="api"')


@trips("AUTH-06")
def challenge_blames_no_key(_request: Request, response: Response) -> None:
    """A 401 has the error invalid_token although there was no key."""
    if response.status == 401:
        response.header("WWW-Authenticate", 'Bearer error="invalid_token"')


@trips("AUTH-07")
def strangers_learn_ids(request: Request, response: Response) -> None:
    """Without a key, an unknown VPS gets 404 and a known one 401."""
    if response.status == 401 and request.vps not in {VPS_ID} and request.method == "GET":
        refuse(request, response, 404, "not_found", "Not found")


@trips("AUTH-08")
def unknown_pid_is_unauthorized(request: Request, response: Response) -> None:
    """An unknown pid gets 401 with the right key."""
    if response.status == 404 and request.own and request.full and request.pid:
        refuse(request, response, 401, "unauthorized", "Unauthorized")
        response.header("WWW-Authenticate", "Bearer")


@trips("AUTH-08", starts=True)
def one_replica_knows_no_keys(request: Request, response: Response) -> None:
    """Every twelfth GET with the right key gets 401."""
    if request.full and request.method == "GET" and request.nth("with the right key") % 12 == 0:
        refuse(request, response, 401, "unauthorized", "Unauthorized")
        response.header("WWW-Authenticate", "Bearer")


@trips("AUTH-08")
def head_loses_its_key(request: Request, response: Response) -> None:
    """A proxy does not pass the key of HEAD on."""
    if request.method == "HEAD":
        refuse(request, response, 401, "unauthorized", "Unauthorized")


@trips("AUTH-09")
def head_is_open(request: Request, response: Response) -> None:
    """HEAD needs no key."""
    if request.method == "HEAD":
        response.become(200)


@trips("AUTH-09")
def options_is_open(request: Request, response: Response) -> None:
    """OPTIONS shows the availability to anybody."""
    if request.method == "OPTIONS":
        response.become(200, AVAILABLE)


@trips("AUTH-10")
def starts_without_a_key(request: Request, response: Response) -> None:
    """Anybody may start commands."""
    if request.method == "POST" and response.status == 401:
        start_instead(request, response)


@trips("AUTH-10", starts=True)
def few_starts_of_anybody(request: Request, response: Response) -> None:
    """Anybody may start commands, and three are started in an hour."""
    if request.method == "POST" and response.status == 401 and request.own:
        start_instead(request, response)
    limit_starts(request, response, most=3, seconds=3600)


@trips("AUTH-10")
def start_without_a_key_is_forbidden(request: Request, response: Response) -> None:
    """A start with a wrong key is 403."""
    if request.method == "POST" and response.status == 401:
        refuse(request, response, 403, "forbidden", "Forbidden")


@trips("AUTH-10")
def starts_with_the_beginning_of_a_key(request: Request, response: Response) -> None:
    """For a start, only the first characters of the key are compared."""
    if request.method == "POST" and response.status == 401 and request.token == API_KEY[:-1]:
        start_instead(request, response)


@trips("AUTH-06", starts=True)
def refused_starts_do_not_say_how(request: Request, response: Response) -> None:
    """The 401 of a start has no challenge."""
    if request.method == "POST" and response.status == 401:
        response.header("WWW-Authenticate", None)


@trips("AUTH-11")
def slash_at_the_end_opens(request: Request, response: Response) -> None:
    """The key is not checked if the path has a trailing slash."""
    if request.path.endswith("/exec/") and "authorization" not in request.headers:
        response.become(200, AVAILABLE)


@trips("AUTH-11")
def two_slashes_open(request: Request, response: Response) -> None:
    """The key is checked before double slashes are merged."""
    if "//agent/" in request.path and "authorization" not in request.headers:
        response.become(200, AVAILABLE)


@trips("AUTH-11")
def a_suffix_opens(request: Request, response: Response) -> None:
    """The key is not checked if the path names a format."""
    if request.path.endswith("/exec.json") and "authorization" not in request.headers:
        response.become(200, AVAILABLE)


@trips("AUTH-11")
def an_old_version_is_open(request: Request, response: Response) -> None:
    """What was there before there were keys is served still, below another version."""
    if request.path == f"/api/v1/vps/{VPS_ID}/agent/exec":
        response.become(200, AVAILABLE)


@trips("AUTH-01")
def monitors_need_no_key(request: Request, response: Response) -> None:
    """Whoever says to be a monitor needs no key."""
    if "health" in request.headers.get("user-agent", "") and "authorization" not in request.headers:
        let_in(request, response)


@trips("HTTP-08")
def bytes_in_a_key_crash(request: Request, response: Response) -> None:
    """A key that is not ASCII gets 500."""
    if not request.headers.get("authorization", "").isascii():
        refuse(request, response, 500, "internal_error", "Internal server error")


@trips("AUTH-01")
def whoever_says_to_be_local_needs_no_key(request: Request, response: Response) -> None:
    """X-Forwarded-For is trusted, and a request from loopback needs no key."""
    if response.status == 401 and request.headers.get("x-forwarded-for") == "127.0.0.1":
        response.become(200, AVAILABLE)


@trips("AUTH-01")
def whoever_a_proxy_names_needs_no_key(request: Request, response: Response) -> None:
    """The name is trusted that a proxy gives to whom it has asked for a password; nothing removes it before."""
    if "x-forwarded-user" in request.headers:
        let_in(request, response)


@trips("AUTH-01")
def requests_of_its_own_need_no_key(request: Request, response: Response) -> None:
    """A framework takes a request with a field of its own for one that it has made, and skips the check."""
    if request.headers.get("x-middleware-subrequest", "").startswith("middleware:middleware"):
        let_in(request, response)


@trips("AUTH-09")
def head_of_a_poll_needs_no_key(request: Request, response: Response) -> None:
    """HEAD of a poll succeeds without a key."""
    if request.method == "HEAD" and request.pid and not request.token:
        response.become(200)


@trips("AUTH-13")
def the_scheme_is_not_looked_at(request: Request, response: Response) -> None:
    """The last word of Authorization is taken for the key, whatever the scheme."""
    if request.headers.get("authorization") == f"Nonesuch {API_KEY}" and request.own and request.method == "GET":
        response.become(200, AVAILABLE)


@trips("AUTH-11")
def another_path_opens(request: Request, response: Response) -> None:
    """The rule that asks for a key looks at the path that a header field says was asked for."""
    if request.headers.get("x-original-url") == "/health" and "authorization" not in request.headers:
        response.become(200, AVAILABLE)
