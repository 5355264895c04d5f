"""Faults of transport, media types, JSON, statuses and methods."""

import gzip
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from functools import cache
from hashlib import sha256
from urllib.parse import unquote

from stage import Request, Response

from faults import trips
from faults.auth import AVAILABLE
from faults.probe import refuse


def probes(request: Request, response: Response) -> bool:
    """Whether the own VPS is probed with the full key."""
    return response.is_availability and request.own and request.full and request.method == "GET"


@cache
def blanks(mebibytes: int) -> bytes:
    """Return that many of spaces, compressed to a thousandth."""
    return gzip.compress(b" " * (mebibytes << 20))


@trips("HTTP-01")
def body_is_cut(request: Request, response: Response) -> None:
    """The connection ends after half of the body."""
    if probes(request, response):
        response.raw = [response.head(), response.body[: len(response.body) // 2]]


@trips("HTTP-01")
def body_goes_on(request: Request, response: Response) -> None:
    """The body has more bytes than Content-Length says."""
    if probes(request, response):
        response.raw = [response.head() + response.body + b"\n<!-- served by 3 -->"]


@trips("HTTP-01")
def lines_end_in_line_feeds(request: Request, response: Response) -> None:
    """The lines of a header section end without CR, which Node.js does not read."""
    content = b"" if request.method == "HEAD" else response.body
    response.raw = [response.head().replace(b"\r\n", b"\n") + content]


@trips("HTTP-01")
def length_is_negative(request: Request, response: Response) -> None:
    """Content-Length is -1."""
    if probes(request, response):
        response.raw = [response.head(-1).replace(b"Content-Length: ", b"Content-Length: -") + response.body]


@trips("HTTP-01")
def closes_without_a_response(request: Request, response: Response) -> None:
    """Every fifth request gets no response."""
    if request.nth() % 5 == 0:
        response.raw = []


@trips("HTTP-01")
def a_malformed_pid_ends_the_handler(request: Request, response: Response) -> None:
    """What serves the request reads the pid as an integer, and dies where it is none."""
    if response.status == 400 and request.pid is not None:
        response.raw = []


@trips("HTTP-01", hangs=True)
def hangs_before_the_response(_request: Request, response: Response) -> None:
    """A poll of the running command waits for the end of the command."""
    if response.is_output:
        response.raw = [60.0]


@trips("HTTP-01", hangs=True)
def hangs_within_the_response(request: Request, response: Response) -> None:
    """The response stops after the header section."""
    if probes(request, response):
        response.raw = [response.head(), 60.0]


@trips("HTTP-01", hangs=True)
def drips(_request: Request, response: Response) -> None:
    """A body of a thousand bytes comes one byte every tenth of a second."""
    if response.is_output:
        response.body += b" " * 1000
        response.raw = [response.head(), *(part for byte in response.body for part in (bytes([byte]), 0.1))]


@trips("HTTP-19")
def body_without_end(_request: Request, response: Response) -> None:
    """The body never ends, and comes as fast as it can."""
    if response.is_output:
        response.raw = [response.head(10**15), *([b" " * 2**20] * 400)]


@trips("HTTP-01")
def headers_without_end(_request: Request, response: Response) -> None:
    """The header section never ends."""
    if response.is_output:
        response.raw = [b"HTTP/1.1 200 OK\r\n", *([b"X-More: and more\r\n" * 1000] * 100)]


@trips("HTTP-19")
def bomb(request: Request, response: Response) -> None:
    """A small body that decompresses to a large one."""
    if probes(request, response) and "gzip" in request.headers.get("accept-encoding", ""):
        response.body = blanks(64)
        response.header("Content-Encoding", "gzip")


@trips("HTTP-01")
def another_protocol(request: Request, response: Response) -> None:
    """Polls get lines of another protocol than HTTP."""
    if request.pid:
        response.raw = [b"SSH-2.0-OpenSSH_9.7\r\n"]


@trips("HTTP-01")
def status_of_no_class(_request: Request, response: Response) -> None:
    """The probe of the VPS without an agent gets the status 999."""
    if response.status == 404:
        response.status = 999


@trips("HTTP-01")
def chunks_without_end(request: Request, response: Response) -> None:
    """The last chunk is missing."""
    if probes(request, response):
        response.header("Transfer-Encoding", "chunked")
        response.raw = [response.head(None) + b"5\r\n" + response.body[:5] + b"\r\n"]


@trips("HTTP-02")
def success_is_labelled_text(_request: Request, response: Response) -> None:
    """The Content-Type of a 200 is text/plain."""
    if response.status == 200:
        response.header("Content-Type", "text/plain")


@trips("HTTP-02")
def charset_is_latin_1(_request: Request, response: Response) -> None:
    """The Content-Type of a 200 says charset=iso-8859-1."""
    if response.status == 200:
        response.header("Content-Type", "application/json; charset=iso-8859-1")


@trips("HTTP-02")
def success_is_labelled_a_problem(_request: Request, response: Response) -> None:
    """The Content-Type of a 200 is application/problem+json."""
    if response.status == 200:
        response.header("Content-Type", "application/problem+json")


@trips("HTTP-03")
def byte_order_mark(_request: Request, response: Response) -> None:
    """The body begins with a byte order mark."""
    response.body = b"\xef\xbb\xbf" + response.body


@trips("HTTP-03")
def warning_after_the_json(_request: Request, response: Response) -> None:
    """A warning of the server's language runtime follows the JSON."""
    if response.is_availability:
        response.body += b"\nWarning: undefined index"


@trips("HTTP-03")
def not_a_number(_request: Request, response: Response) -> None:
    """A member is NaN."""
    if response.status == 200:
        response.body = response.body[:-1] + b',"load":NaN}'


@trips("HTTP-03")
def latin_1(_request: Request, response: Response) -> None:
    """The body is in Latin-1."""
    if response.is_output:
        response.body = response.body[:-1] + ',"user":"Åsa"}'.encode("latin-1")


@trips("HTTP-03")
def single_quotes(_request: Request, response: Response) -> None:
    """The body is a literal of another language, with single quotes."""
    if response.is_availability:
        response.body = repr(response.json).encode()


@trips("HTTP-04")
def name_twice(_request: Request, response: Response) -> None:
    """A member occurs twice, with different values."""
    if response.is_availability:
        response.body = response.body[:-1] + b',"vmRunning":true}'


@trips("HTTP-04")
def half_a_surrogate(_request: Request, response: Response) -> None:
    """A string has half of a surrogate pair."""
    if response.status == 200:
        response.body = response.body[:-1] + b',"note":"\\ud83d"}'


@trips("HTTP-05")
def nothing_new_is_204(request: Request, response: Response) -> None:
    """A poll of a running command gets 204."""
    if response.is_output and not response.json["exited"] and request.full:
        response.become(204)


@trips("HTTP-05")
def unknown_vps_is_202(request: Request, response: Response) -> None:
    """A pid that was never started gets 202."""
    if response.status == 404 and request.own and request.pid and request.full:
        response.status = 202
        response.json = {}


@trips("HTTP-06")
def redirect_to_a_slash(request: Request, response: Response) -> None:
    """A probe is redirected to the path with a trailing slash."""
    if probes(request, response):
        response.become(308)
        response.header("Location", request.path + "/")


@trips("HTTP-07")
def payment_required(request: Request, response: Response) -> None:
    """A poll of an unknown command gets 402."""
    if response.status == 404 and request.own and request.pid:
        refuse(request, response, 402, "payment_required", "Payment required")


@trips("HTTP-08")
def unknown_vps_crashes(request: Request, response: Response) -> None:
    """An unknown VPS gets 500."""
    if response.status == 404 and request.full and request.pid is None and request.path.endswith("exec"):
        refuse(request, response, 500, "internal_error", "Internal server error")


def compress(response: Response) -> None:
    """Send a body in gzip, and say so."""
    response.body = gzip.compress(response.body)
    response.header("Content-Encoding", "gzip")


@trips("HTTP-09")
def gzip_unasked(_request: Request, response: Response) -> None:
    """The body is in gzip although only identity was accepted."""
    if response.is_output:
        compress(response)


@trips("HTTP-09")
def gzip_by_its_label_alone(request: Request, response: Response) -> None:
    """Content-Encoding says gzip, but the body is not compressed."""
    if "gzip" in request.headers.get("accept-encoding", "") and response.status == 401:
        response.header("Content-Encoding", "gzip")


@trips("HTTP-10")
def public_for_an_hour(_request: Request, response: Response) -> None:
    """Any cache may keep the output."""
    if response.status == 200:
        response.header("Cache-Control", "public, max-age=3600")


@trips("HTTP-11")
def delete_succeeds(request: Request, response: Response) -> None:
    """DELETE gets 204."""
    if request.method == "DELETE":
        response.become(204)


@trips("HTTP-11")
def every_method_is_get(request: Request, response: Response) -> None:
    """POST gets the same response as GET."""
    if request.method == "POST":
        response.become(200, AVAILABLE)


@trips("HTTP-11")
def options_crashes(request: Request, response: Response) -> None:
    """OPTIONS gets 500."""
    if request.method == "OPTIONS":
        refuse(request, response, 500, "internal_error", "Internal server error")


@trips("HTTP-12")
def head_has_a_body(request: Request, response: Response) -> None:
    """HEAD has the body of GET, whose length it does not say."""
    if request.method == "HEAD" and response.status == 200:
        response.raw = [response.head(None) + b'{"available":true}']


@trips("HTTP-13")
def python_is_refused(request: Request, response: Response) -> None:
    """The front end refuses clients by their User-Agent."""
    if "hostup-agent-exec" in request.headers.get("user-agent", "") and response.status == 200:
        refuse(request, response, 403, "forbidden", "Forbidden")


@trips("HTTP-15")
def no_allow(_request: Request, response: Response) -> None:
    """A 405 has no Allow."""
    if response.status == 405:
        response.header("Allow", None)


@trips("HTTP-15")
def allow_names_what_it_refuses(request: Request, response: Response) -> None:
    """A 405 allows the method that it refuses."""
    if response.status == 405:
        response.header("Allow", f"GET, {request.method}")


@trips("HTTP-16")
def catch_all(request: Request, response: Response) -> None:
    """Every path below the VPS is the endpoint."""
    if (
        response.status == 404
        and request.full
        and not request.path.endswith("/agent/exec")
        and "/agent/" in request.path
    ):
        response.become(200, AVAILABLE)


@trips("HTTP-26")
def date_in_iso_form(_request: Request, response: Response) -> None:
    """Date is not an HTTP-date."""
    response.header("Date", "2026-04-27T12:34:56Z")


@trips("HTTP-26")
def last_modified_in_an_obsolete_form(_request: Request, response: Response) -> None:
    """Last-Modified is a date as asctime writes it."""
    if response.is_availability:
        response.header("Last-Modified", "Mon Apr 27 12:34:56 2026")


@trips("HTTP-26")
def last_modified_tomorrow(_request: Request, response: Response) -> None:
    """Last-Modified is an hour later than Date."""
    if response.is_availability:
        response.header("Last-Modified", format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True))


@trips("HTTP-26")
def etag_without_quotes(_request: Request, response: Response) -> None:
    """An ETag is a bare word."""
    if response.is_availability:
        response.header("ETag", sha256(response.body).hexdigest()[:16])


@trips("HTTP-27")
def a_part_is_not_said_to_be_one(request: Request, response: Response) -> None:
    """A Range gets a 206 with ten bytes, without a Content-Range."""
    if response.is_availability and "range" in request.headers:
        response.become(206, response.body[:10], "application/json")


@trips("HTTP-27")
def a_part_is_taken_for_the_whole(request: Request, response: Response) -> None:
    """A Range gets a 200 with ten bytes."""
    if response.is_availability and "range" in request.headers:
        response.become(200, response.body[:10], "application/json")


@trips("HTTP-17")
def no_date(_request: Request, response: Response) -> None:
    """No response has a Date."""
    response.dated = False


@trips("HTTP-18")
def no_content_type(_request: Request, response: Response) -> None:
    """No response has a Content-Type."""
    response.header("Content-Type", None)


@trips("HTTP-18", starts=True)
def starts_have_no_media_type(_request: Request, response: Response) -> None:
    """The response to a start has no Content-Type."""
    if response.is_started:
        response.header("Content-Type", None)


@trips("HTTP-10", starts=True)
def starts_may_be_cached(_request: Request, response: Response) -> None:
    """Any cache may keep the response to a start."""
    if response.is_started:
        response.header("Cache-Control", "public, max-age=3600")


@trips("HTTP-02")
def list_as_html(request: Request, response: Response) -> None:
    """The Content-Type of the list is text/html."""
    if request.path == "/api/v2/vps" and response.status == 200:
        response.header("Content-Type", "text/html")


@trips("HTTP-08")
def status_fails(request: Request, response: Response) -> None:
    """The status gets 500."""
    if request.path.endswith("/status") and response.status == 200:
        response.become(500, b"oops", "text/plain")


@trips("HTTP-19")
def two_mebibytes_of_blanks(_request: Request, response: Response) -> None:
    """Two mebibytes of blanks precede each problem."""
    if response.is_problem:
        response.body = b" " * (2 << 20) + response.body


@trips("HTTP-20")
def long_line_is_cut_off(request: Request, response: Response) -> None:
    """A request line of more than 4 KiB gets no response."""
    if len(request.path) + len(request.query) > 4096:
        response.raw = []


@trips("HTTP-08")
def every_fifth_is_502_once(request: Request, response: Response) -> None:
    """Every fifth request gets a 502, and a good response when it is repeated."""
    if request.nth() % 5 == 0 and request.method == "GET" and not response.is_output:
        response.become(502, b"<h1>502 Bad Gateway</h1>", "text/html")


#: How long, in seconds, each response of a server takes that has several requests under way.
UNDER_WAY = 0.004


def among_others(request: Request, response: Response) -> tuple[Request, Response] | None:
    """Delay the response; return the request before it with its response, if that one is still under way."""
    now = time.monotonic()
    until, *before = request.memory.get("under way", (0.0,))
    request.memory["under way"] = (now + UNDER_WAY, request, replace(response))
    return (before[0], before[1]) if now < until else None


def sent_later(request: Request, response: Response) -> None:
    """Send the response as it is now, a little later."""
    response.header("Connection", "close")
    response.raw = [UNDER_WAY, response.head() + (b"" if request.method == "HEAD" else response.body)]


@trips("HTTP-21")
def responses_get_mixed_up(request: Request, response: Response) -> None:
    """A request that comes while another is under way gets the other's response."""
    if other := among_others(request, response):
        response.status, response.headers, response.body = other[1].status, list(other[1].headers), other[1].body
    sent_later(request, response)


@trips("HTTP-21")
def the_key_is_global(request: Request, response: Response) -> None:
    """The last key received counts for everybody, so that refusals become successes."""
    if (
        among_others(request, response)
        and request.own
        and request.method == "GET"
        and response.status == 401
        and not request.query
    ):
        response.become(200, AVAILABLE)
    sent_later(request, response)


@trips("HTTP-22")
def head_has_no_length(request: Request, response: Response) -> None:
    """The Content-Length of HEAD is 0."""
    if request.method == "HEAD" and response.status == 200:
        response.raw = [response.head(0)]


@trips("HTTP-22")
def head_is_not_routed(request: Request, response: Response) -> None:
    """HEAD gets 404, since only GET has a route."""
    if request.method == "HEAD":
        refuse(request, response, 404, "not_found", "Not found")


@trips("HTTP-22")
def head_is_not_allowed(request: Request, response: Response) -> None:
    """HEAD gets 405, since the framework takes GET for GET alone."""
    if request.method == "HEAD":
        refuse(request, response, 405, "method_not_allowed", "Method not allowed")
        response.header("Allow", "GET, POST")


@trips("HTTP-23")
def etag_is_of_the_path(request: Request, response: Response) -> None:
    """The ETag depends on the path alone, so that a poll with that of the availability gets 304."""
    if response.status == 200 and request.own:
        response.header("ETag", '"5d41402a"' if response.is_availability else None)
        if request.headers.get("if-none-match") == '"5d41402a"':
            response.become(304)


@trips("HTTP-23")
def any_condition_holds(request: Request, response: Response) -> None:
    """Any If-None-Match gets 304."""
    if response.status == 200 and request.path.endswith("/exec"):
        response.header("ETag", f'W/"{len(response.body)}"')
        if "if-none-match" in request.headers:
            response.become(304)


@trips("HTTP-23")
def nothing_is_ever_modified(request: Request, response: Response) -> None:
    """Any If-Modified-Since gets 304."""
    if response.is_availability and "if-modified-since" in request.headers:
        response.become(304)


@trips("HTTP-23")
def an_etag_that_does_not_match_is_412(request: Request, response: Response) -> None:
    """If-None-Match is taken for If-Match."""
    if response.is_availability and "if-none-match" in request.headers:
        refuse(request, response, 412, "precondition_failed", "Precondition failed")


@trips("HTTP-03")
def id_is_put_into_a_template(request: Request, response: Response) -> None:
    """The 404 quotes the id unescaped."""
    if response.status == 404 and "%22" in request.path:
        response.body = response.body.replace(b'"detail":"', b'"detail":"No VPS ' + unquote(request.path).encode())


@trips("HTTP-17")
def date_is_of_another_day(_request: Request, response: Response) -> None:
    """The clock of the front end is two days slow."""
    response.header("Date", format_datetime(datetime.now(UTC) - timedelta(days=2), usegmt=True))


@trips("HTTP-03", starts=True)
def length_is_in_characters(request: Request, response: Response) -> None:
    """Content-Length counts characters, so that a body outside ASCII loses its end."""
    if request.method != "HEAD" and not response.body.isascii():
        response.header("Connection", "close")
        length = len(response.body.decode())
        response.raw = [response.head(length) + response.body[:length]]


@trips("HTTP-10")
def responses_expire_in_an_hour(_request: Request, response: Response) -> None:
    """The front end adds Expires to every success."""
    if response.status == 200:
        response.header("Cache-Control", None)
        response.header("Expires", format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True))


@trips("HTTP-11", starts=True)
def put_starts_too(request: Request, response: Response) -> None:
    """Any method but GET starts a command."""
    if request.method in {"PUT", "PATCH"} and request.body:
        response.become(200, {"pid": 4243})


@trips("HTTP-03")
def list_is_torn(request: Request, response: Response) -> None:
    """The list of VPSs ends in the middle, although its length is right."""
    if request.path == "/api/v2/vps" and response.status == 200:
        response.body = response.body[: len(response.body) // 2]


@trips("HTTP-08")
def unknown_parameters_crash(request: Request, response: Response) -> None:
    """A parameter that the documentation does not have makes the server fail."""
    if request.path.endswith("/exec") and request.query and not request.query.startswith("pid="):
        refuse(request, response, 500, "internal_error", "Internal server error")


@trips("HTTP-25")
def content_of_a_get_is_left(request: Request, response: Response) -> None:
    """The content of a GET stays in the connection, and the next request begins with it."""
    if request.method == "GET" and request.body and request.nth("contents") == 1:
        request.memory["left"] = request.body
    elif request.memory.pop("left", None):
        response.become(501, b"<h1>Unsupported method ('{}GET')</h1>", "text/html")


@trips("HTTP-25", starts=True)
def content_of_a_refused_start_is_left(request: Request, response: Response) -> None:
    """A start without a key is refused before its content is read, and the next request begins with that."""
    if request.method == "POST" and request.body and response.status == 401 and "authorization" not in request.headers:
        request.memory["left"] = request.body
    elif request.memory.pop("left", None) and request.own:
        response.become(400, b"<h1>Bad request line</h1>", "text/html")


@trips("HTTP-09")
def gzip_is_not_called_so(_request: Request, response: Response) -> None:
    """The bodies of errors are in gzip, which no header field says."""
    if response.is_problem:
        response.body = gzip.compress(response.body)


@trips("HTTP-09", starts=True)
def what_is_large_is_cut_when_it_is_compressed(request: Request, response: Response) -> None:
    """What compresses larger bodies is not flushed at their end."""
    if "gzip" in request.headers.get("accept-encoding", "") and len(response.body) > 2000:
        response.body = gzip.compress(response.body)[:-12]
        response.header("Content-Encoding", "gzip")


@trips("HTTP-03", starts=True)
def what_is_not_utf_8_empties_the_body(request: Request, response: Response) -> None:
    """Where output, or a path that is repeated in an error, is not UTF-8, the body cannot be encoded, and is empty."""
    if "%ff" in request.path.lower() or (response.is_output and "\ufffd" in response.json.get("stdout", "")):
        response.body = b""


@trips("HTTP-28")
def closes_in_name_only(_request: Request, response: Response) -> None:
    """Each response says that the connection is closed, which stays open."""
    response.header("Connection", "Close")


@trips("HTTP-01", starts=True)
def chunks_are_counted_in_characters(_request: Request, response: Response) -> None:
    """The size of a chunk is its number of characters, so that what has any outside ASCII is malformed."""
    if not response.body.isascii():
        size = len(response.body.decode())
        response.header("Transfer-Encoding", "chunked")
        response.raw = [response.head(None) + b"%x\r\n" % size + response.body + b"\r\n0\r\n\r\n"]


@trips("HTTP-03", starts=True)
def lengths_are_in_characters(_request: Request, response: Response) -> None:
    """Content-Length is the number of characters, so that a body ends too early that has any outside ASCII."""
    if response.is_output:
        response.body = response.body[: len(response.body.decode())]


@trips("HTTP-03", starts=True)
def bodies_are_in_latin_1(_request: Request, response: Response) -> None:
    """Bodies are in Latin-1, with ? for what that lacks."""
    if response.is_output:
        response.body = response.body.decode().encode("latin-1", "replace")


@trips("HTTP-30")
def cache_keeps_what_it_passes(request: Request, response: Response) -> None:
    """A cache in front keeps the status code 200 of each URL and key, and says how old a copy is."""
    if request.method == "GET" and response.status == 200:
        copies = request.memory.setdefault("copies", set())
        url = request.path, request.query, request.headers.get("authorization")
        response.header("Age", "3" if url in copies else "0")
        copies.add(url)


@trips("HTTP-30")
def cache_says_that_it_hit(request: Request, response: Response) -> None:
    """A cache in front keeps availabilities, and says so as RFC 9211 has it."""
    if request.method == "GET" and response.is_availability:
        response.header("Cache-Status", "edge.example; hit; ttl=2")


@trips("HTTP-31")
def json_is_to_be_accepted_by_name(request: Request, response: Response) -> None:
    """A request whose Accept does not name JSON gets 406, and so does one without Accept."""
    if "json" not in request.headers.get("accept", ""):
        response.become(406, b"<html><h1>406 Not Acceptable</h1></html>", "text/html")
