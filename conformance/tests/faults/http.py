"""Faults of transport, media types, JSON, statuses and methods."""

from __future__ import annotations

import gzip
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from functools import cache
from urllib.parse import unquote

from stage import Answered, Asked

from faults import trips
from faults.auth import AVAILABLE
from faults.probe import refuse


def probes(asked: Asked, answered: Answered) -> bool:
    """Whether the own VPS is probed with the full key."""
    return answered.is_availability and asked.own and asked.full and asked.method == "GET"


@cache
def blanks(mebibytes: int) -> bytes:
    """Return that many of spaces, compressed to a thousandth."""
    return gzip.compress(b" " * (mebibytes << 20))


@trips("HTTP-01")
def body_is_cut(asked: Asked, answered: Answered) -> None:
    """The connection ends after half of the body."""
    if probes(asked, answered):
        answered.raw = [answered.head(), answered.body[: len(answered.body) // 2]]


@trips("HTTP-01")
def body_goes_on(asked: Asked, answered: Answered) -> None:
    """The body has more bytes than Content-Length says."""
    if probes(asked, answered):
        answered.raw = [answered.head() + answered.body + b"\n<!-- served by 3 -->"]


@trips("HTTP-01")
def length_is_negative(asked: Asked, answered: Answered) -> None:
    """Content-Length is -1."""
    if probes(asked, answered):
        answered.raw = [answered.head(-1).replace(b"Content-Length: ", b"Content-Length: -") + answered.body]


@trips("HTTP-01")
def closes_without_an_answer(asked: Asked, answered: Answered) -> None:
    """Every fifth request gets no response."""
    if asked.nth() % 5 == 0:
        answered.raw = []


@trips("HTTP-01", hangs=True)
def hangs_before_the_answer(_asked: Asked, answered: Answered) -> None:
    """A poll of the running command waits for the end of the command."""
    if answered.is_output:
        answered.raw = [60.0]


@trips("HTTP-01", hangs=True)
def hangs_within_the_answer(asked: Asked, answered: Answered) -> None:
    """The response stops after the header section."""
    if probes(asked, answered):
        answered.raw = [answered.head(), 60.0]


@trips("HTTP-01", hangs=True)
def drips(_asked: Asked, answered: Answered) -> None:
    """A body of a thousand bytes comes one byte every tenth of a second."""
    if answered.is_output:
        answered.body += b" " * 1000
        answered.raw = [answered.head(), *(part for byte in answered.body for part in (bytes([byte]), 0.1))]


@trips("HTTP-19")
def body_without_end(_asked: Asked, answered: Answered) -> None:
    """The body never ends, and comes as fast as it can."""
    if answered.is_output:
        answered.raw = [answered.head(10**15), *([b" " * 2**20] * 400)]


@trips("HTTP-01")
def headers_without_end(_asked: Asked, answered: Answered) -> None:
    """The header section never ends."""
    if answered.is_output:
        answered.raw = [b"HTTP/1.1 200 OK\r\n", *([b"X-More: and more\r\n" * 1000] * 100)]


@trips("HTTP-19")
def bomb(asked: Asked, answered: Answered) -> None:
    """A small body that decompresses to a large one."""
    if probes(asked, answered) and "gzip" in asked.headers.get("accept-encoding", ""):
        answered.body = blanks(64)
        answered.header("Content-Encoding", "gzip")


@trips("HTTP-01")
def another_protocol(asked: Asked, answered: Answered) -> None:
    """Polls get lines of another protocol than HTTP."""
    if asked.pid:
        answered.raw = [b"SSH-2.0-OpenSSH_9.7\r\n"]


@trips("HTTP-01")
def status_of_no_class(_asked: Asked, answered: Answered) -> None:
    """The probe of the VPS without an agent gets the status 999."""
    if answered.status == 404:
        answered.status = 999


@trips("HTTP-01")
def chunks_without_end(asked: Asked, answered: Answered) -> None:
    """The last chunk is missing."""
    if probes(asked, answered):
        answered.header("Transfer-Encoding", "chunked")
        answered.raw = [answered.head(None) + b"5\r\n" + answered.body[:5] + b"\r\n"]


@trips("HTTP-02")
def success_is_labelled_text(_asked: Asked, answered: Answered) -> None:
    """The Content-Type of a 200 is text/plain."""
    if answered.status == 200:
        answered.header("Content-Type", "text/plain")


@trips("HTTP-02")
def charset_is_latin_1(_asked: Asked, answered: Answered) -> None:
    """The Content-Type of a 200 says charset=iso-8859-1."""
    if answered.status == 200:
        answered.header("Content-Type", "application/json; charset=iso-8859-1")


@trips("HTTP-02")
def success_is_labelled_a_problem(_asked: Asked, answered: Answered) -> None:
    """The Content-Type of a 200 is application/problem+json."""
    if answered.status == 200:
        answered.header("Content-Type", "application/problem+json")


@trips("HTTP-03")
def byte_order_mark(_asked: Asked, answered: Answered) -> None:
    """The body begins with a byte order mark."""
    answered.body = b"\xef\xbb\xbf" + answered.body


@trips("HTTP-03")
def warning_after_the_json(_asked: Asked, answered: Answered) -> None:
    """A warning of the server's language runtime follows the JSON."""
    if answered.is_availability:
        answered.body += b"\nWarning: undefined index"


@trips("HTTP-03")
def not_a_number(_asked: Asked, answered: Answered) -> None:
    """A member is NaN."""
    if answered.status == 200:
        answered.body = answered.body[:-1] + b',"load":NaN}'


@trips("HTTP-03")
def latin_1(_asked: Asked, answered: Answered) -> None:
    """The body is in Latin-1."""
    if answered.is_output:
        answered.body = answered.body[:-1] + ',"user":"Åsa"}'.encode("latin-1")


@trips("HTTP-03")
def single_quotes(_asked: Asked, answered: Answered) -> None:
    """The body is a literal of another language, with single quotes."""
    if answered.is_availability:
        answered.body = repr(answered.json).encode()


@trips("HTTP-04")
def name_twice(_asked: Asked, answered: Answered) -> None:
    """A member occurs twice, with different values."""
    if answered.is_availability:
        answered.body = answered.body[:-1] + b',"vmRunning":true}'


@trips("HTTP-04")
def half_a_surrogate(_asked: Asked, answered: Answered) -> None:
    """A string has half of a surrogate pair."""
    if answered.status == 200:
        answered.body = answered.body[:-1] + b',"note":"\\ud83d"}'


@trips("HTTP-05")
def nothing_new_is_204(asked: Asked, answered: Answered) -> None:
    """A poll of a running command gets 204."""
    if answered.is_output and not answered.json["exited"] and asked.full:
        answered.become(204)


@trips("HTTP-05")
def unknown_vps_is_202(asked: Asked, answered: Answered) -> None:
    """A pid that was never started gets 202."""
    if answered.status == 404 and asked.own and asked.pid and asked.full:
        answered.status = 202
        answered.json = {}


@trips("HTTP-06")
def redirect_to_a_slash(asked: Asked, answered: Answered) -> None:
    """A probe is redirected to the path with a trailing slash."""
    if probes(asked, answered):
        answered.become(308)
        answered.header("Location", asked.path + "/")


@trips("HTTP-07")
def payment_required(asked: Asked, answered: Answered) -> None:
    """A poll of an unknown command gets 402."""
    if answered.status == 404 and asked.own and asked.pid:
        refuse(asked, answered, 402, "payment_required", "Payment required")


@trips("HTTP-08")
def unknown_vps_crashes(asked: Asked, answered: Answered) -> None:
    """An unknown VPS gets 500."""
    if answered.status == 404 and asked.full and asked.pid is None and asked.path.endswith("exec"):
        refuse(asked, answered, 500, "internal_error", "Internal server error")


@trips("HTTP-09")
def gzip_unasked(_asked: Asked, answered: Answered) -> None:
    """The body is in gzip although only identity was accepted."""
    if answered.is_output:
        answered.body = gzip.compress(answered.body)
        answered.header("Content-Encoding", "gzip")


@trips("HTTP-09")
def gzip_by_its_label_alone(asked: Asked, answered: Answered) -> None:
    """Content-Encoding says gzip, but the body is not compressed."""
    if "gzip" in asked.headers.get("accept-encoding", "") and answered.status == 401:
        answered.header("Content-Encoding", "gzip")


@trips("HTTP-10")
def public_for_an_hour(_asked: Asked, answered: Answered) -> None:
    """Any cache may keep the output."""
    if answered.status == 200:
        answered.header("Cache-Control", "public, max-age=3600")


@trips("HTTP-11")
def delete_succeeds(asked: Asked, answered: Answered) -> None:
    """DELETE gets 204."""
    if asked.method == "DELETE":
        answered.become(204)


@trips("HTTP-11")
def every_method_is_get(asked: Asked, answered: Answered) -> None:
    """POST gets the same response as GET."""
    if asked.method == "POST":
        answered.become(200, AVAILABLE)


@trips("HTTP-11")
def options_crashes(asked: Asked, answered: Answered) -> None:
    """OPTIONS gets 500."""
    if asked.method == "OPTIONS":
        refuse(asked, answered, 500, "internal_error", "Internal server error")


@trips("HTTP-12")
def head_has_a_body(asked: Asked, answered: Answered) -> None:
    """HEAD has the body of GET."""
    if asked.method == "HEAD" and answered.status == 200:
        answered.raw = [answered.head() + b'{"available":true}']


@trips("HTTP-13")
def python_is_refused(asked: Asked, answered: Answered) -> None:
    """The front end refuses clients by their User-Agent."""
    if "hostup-agent-exec" in asked.headers.get("user-agent", "") and answered.status == 200:
        refuse(asked, answered, 403, "forbidden", "Forbidden")


@trips("HTTP-15")
def no_allow(_asked: Asked, answered: Answered) -> None:
    """A 405 has no Allow."""
    if answered.status == 405:
        answered.header("Allow", None)


@trips("HTTP-15")
def allow_names_what_it_refuses(asked: Asked, answered: Answered) -> None:
    """A 405 allows the method that it refuses."""
    if answered.status == 405:
        answered.header("Allow", f"GET, {asked.method}")


@trips("HTTP-16")
def catch_all(asked: Asked, answered: Answered) -> None:
    """Every path below the VPS is the endpoint."""
    if answered.status == 404 and asked.full and not asked.path.endswith("/agent/exec") and "/agent/" in asked.path:
        answered.become(200, AVAILABLE)


@trips("HTTP-17")
def date_in_iso_form(_asked: Asked, answered: Answered) -> None:
    """Date is not an HTTP-date."""
    answered.header("Date", "2026-04-27T12:34:56Z")


@trips("HTTP-18")
def no_content_type(_asked: Asked, answered: Answered) -> None:
    """No response has a Content-Type."""
    answered.header("Content-Type", None)


@trips("HTTP-18", starts=True)
def starts_have_no_media_type(_asked: Asked, answered: Answered) -> None:
    """The response to a start has no Content-Type."""
    if answered.is_started:
        answered.header("Content-Type", None)


@trips("HTTP-10", starts=True)
def starts_may_be_cached(_asked: Asked, answered: Answered) -> None:
    """Any cache may keep the response to a start."""
    if answered.is_started:
        answered.header("Cache-Control", "public, max-age=3600")


@trips("HTTP-02")
def list_as_html(asked: Asked, answered: Answered) -> None:
    """The Content-Type of the list is text/html."""
    if asked.path == "/api/v2/vps" and answered.status == 200:
        answered.header("Content-Type", "text/html")


@trips("HTTP-08")
def status_fails(asked: Asked, answered: Answered) -> None:
    """The status gets 500."""
    if asked.path.endswith("/status") and answered.status == 200:
        answered.become(500, b"oops", "text/plain")


@trips("HTTP-19")
def two_mebibytes_of_blanks(_asked: Asked, answered: Answered) -> None:
    """Two mebibytes of blanks precede each problem."""
    if answered.is_problem:
        answered.body = b" " * (2 << 20) + answered.body


@trips("HTTP-20")
def long_line_is_cut_off(asked: Asked, answered: Answered) -> None:
    """A request line of more than 4 KiB gets no response."""
    if len(asked.path) + len(asked.query) > 4096:
        answered.raw = []


@trips("HTTP-08")
def every_fifth_is_502_once(asked: Asked, answered: Answered) -> None:
    """Every fifth request gets a 502, and a good response when it is repeated."""
    if asked.nth() % 5 == 0 and asked.method == "GET" and not answered.is_output:
        answered.become(502, b"<h1>502 Bad Gateway</h1>", "text/html")


#: How long, in seconds, each response of a server takes that has several requests under way.
UNDER_WAY = 0.004


def among_others(asked: Asked, answered: Answered) -> tuple[Asked, Answered] | None:
    """Delay the response; return the request before it with its response, if that one is still under way."""
    now = time.monotonic()
    until, *before = asked.memory.get("under way", (0.0,))
    asked.memory["under way"] = (now + UNDER_WAY, asked, replace(answered))
    return (before[0], before[1]) if now < until else None


def sent_later(asked: Asked, answered: Answered) -> None:
    """Send the response as it is now, a little later."""
    answered.header("Connection", "close")
    answered.raw = [UNDER_WAY, answered.head() + (b"" if asked.method == "HEAD" else answered.body)]


@trips("HTTP-21")
def responses_get_mixed_up(asked: Asked, answered: Answered) -> None:
    """A request that comes while another is under way gets the other's response."""
    if other := among_others(asked, answered):
        answered.status, answered.headers, answered.body = other[1].status, list(other[1].headers), other[1].body
    sent_later(asked, answered)


@trips("HTTP-21")
def the_key_is_global(asked: Asked, answered: Answered) -> None:
    """The last key received counts for everybody, so that refusals become successes."""
    if (
        among_others(asked, answered)
        and asked.own
        and asked.method == "GET"
        and answered.status == 401
        and not asked.query
    ):
        answered.become(200, AVAILABLE)
    sent_later(asked, answered)


@trips("HTTP-22")
def head_has_no_length(asked: Asked, answered: Answered) -> None:
    """The Content-Length of HEAD is 0."""
    if asked.method == "HEAD" and answered.status == 200:
        answered.raw = [answered.head(0)]


@trips("HTTP-23")
def etag_is_of_the_path(asked: Asked, answered: Answered) -> None:
    """The ETag depends on the path alone, so that a poll with that of the availability gets 304."""
    if answered.status == 200 and asked.own:
        answered.header("ETag", '"5d41402a"' if answered.is_availability else None)
        if asked.headers.get("if-none-match") == '"5d41402a"':
            answered.become(304)


@trips("HTTP-23")
def any_condition_holds(asked: Asked, answered: Answered) -> None:
    """Any If-None-Match gets 304."""
    if answered.status == 200 and asked.path.endswith("/exec"):
        answered.header("ETag", f'W/"{len(answered.body)}"')
        if "if-none-match" in asked.headers:
            answered.become(304)


@trips("HTTP-03")
def id_is_put_into_a_template(asked: Asked, answered: Answered) -> None:
    """The 404 quotes the id unescaped."""
    if answered.status == 404 and "%22" in asked.path:
        answered.body = answered.body.replace(b'"detail":"', b'"detail":"No VPS ' + unquote(asked.path).encode())


@trips("HTTP-17")
def date_is_of_another_day(_asked: Asked, answered: Answered) -> None:
    """The clock of the front end is two days slow."""
    answered.header("Date", format_datetime(datetime.now(UTC) - timedelta(days=2), usegmt=True))


@trips("HTTP-03", starts=True)
def length_is_in_characters(asked: Asked, answered: Answered) -> None:
    """Content-Length counts characters, so that a body outside ASCII loses its end."""
    if asked.method != "HEAD" and not answered.body.isascii():
        answered.header("Connection", "close")
        length = len(answered.body.decode())
        answered.raw = [answered.head(length) + answered.body[:length]]


@trips("HTTP-10")
def responses_expire_in_an_hour(_asked: Asked, answered: Answered) -> None:
    """The front end adds Expires to every success."""
    if answered.status == 200:
        answered.header("Cache-Control", None)
        answered.header("Expires", format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True))


@trips("HTTP-11", starts=True)
def put_starts_too(asked: Asked, answered: Answered) -> None:
    """Any method but GET starts a command."""
    if asked.method in {"PUT", "PATCH"} and asked.body:
        answered.become(200, {"pid": 4243})


@trips("HTTP-03")
def list_is_torn(asked: Asked, answered: Answered) -> None:
    """The list of VPSs ends in the middle, although its length is right."""
    if asked.path == "/api/v2/vps" and answered.status == 200:
        answered.body = answered.body[: len(answered.body) // 2]


@trips("HTTP-08")
def unknown_parameters_crash(asked: Asked, answered: Answered) -> None:
    """A parameter that the documentation does not have makes the server fail."""
    if asked.path.endswith("/exec") and asked.query and not asked.query.startswith("pid="):
        refuse(asked, answered, 500, "internal_error", "Internal server error")
