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
    """Half of the body, then the end."""
    if probes(asked, answered):
        answered.raw = [answered.head(), answered.body[: len(answered.body) // 2]]


@trips("HTTP-01")
def body_goes_on(asked: Asked, answered: Answered) -> None:
    """More bytes than Content-Length says."""
    if probes(asked, answered):
        answered.raw = [answered.head() + answered.body + b"\n<!-- served by 3 -->"]


@trips("HTTP-01")
def length_is_negative(asked: Asked, answered: Answered) -> None:
    """Content-Length is -1."""
    if probes(asked, answered):
        answered.raw = [answered.head(-1).replace(b"Content-Length: ", b"Content-Length: -") + answered.body]


@trips("HTTP-01")
def closes_without_an_answer(asked: Asked, answered: Answered) -> None:
    """Every fifth request gets nothing."""
    if asked.nth() % 5 == 0:
        answered.raw = []


@trips("HTTP-01", hangs=True)
def hangs_before_the_answer(_asked: Asked, answered: Answered) -> None:
    """A poll of the running command waits for its end."""
    if answered.is_output:
        answered.raw = [60.0]


@trips("HTTP-01", hangs=True)
def hangs_within_the_answer(asked: Asked, answered: Answered) -> None:
    """The head, then nothing."""
    if probes(asked, answered):
        answered.raw = [answered.head(), 60.0]


@trips("HTTP-01", hangs=True)
def drips(_asked: Asked, answered: Answered) -> None:
    """A byte every tenth of a second, in a body of a thousand."""
    if answered.is_output:
        answered.body += b" " * 1000
        answered.raw = [answered.head(), *(part for byte in answered.body for part in (bytes([byte]), 0.1))]


@trips("HTTP-19")
def body_without_end(_asked: Asked, answered: Answered) -> None:
    """A body that never ends, as fast as it goes."""
    if answered.is_output:
        answered.raw = [answered.head(10**15), *([b" " * 2**20] * 400)]


@trips("HTTP-01")
def headers_without_end(_asked: Asked, answered: Answered) -> None:
    """Headers that never end."""
    if answered.is_output:
        answered.raw = [b"HTTP/1.1 200 OK\r\n", *([b"X-More: and more\r\n" * 1000] * 100)]


@trips("HTTP-19")
def bomb(asked: Asked, answered: Answered) -> None:
    """A small body that decompresses to a large one."""
    if probes(asked, answered) and "gzip" in asked.headers.get("accept-encoding", ""):
        answered.body = blanks(64)
        answered.header("Content-Encoding", "gzip")


@trips("HTTP-01")
def another_protocol(_asked: Asked, answered: Answered) -> None:
    """What answers is no HTTP server."""
    answered.raw = [b"SSH-2.0-OpenSSH_9.7\r\n"]


@trips("HTTP-01")
def status_of_no_class(_asked: Asked, answered: Answered) -> None:
    """The probe of the VPS without an agent has status 999."""
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
    """A 200 is text/plain by its label."""
    if answered.status == 200:
        answered.header("Content-Type", "text/plain")


@trips("HTTP-02")
def charset_is_latin_1(_asked: Asked, answered: Answered) -> None:
    """A 200 says charset=iso-8859-1."""
    if answered.status == 200:
        answered.header("Content-Type", "application/json; charset=iso-8859-1")


@trips("HTTP-02")
def success_is_labelled_a_problem(_asked: Asked, answered: Answered) -> None:
    """A 200 is application/problem+json by its label."""
    if answered.status == 200:
        answered.header("Content-Type", "application/problem+json")


@trips("HTTP-03")
def byte_order_mark(_asked: Asked, answered: Answered) -> None:
    """The body begins with a byte order mark."""
    answered.body = b"\xef\xbb\xbf" + answered.body


@trips("HTTP-03")
def warning_after_the_json(_asked: Asked, answered: Answered) -> None:
    """A warning of the server's language follows the JSON."""
    if answered.is_availability:
        answered.body += b"\nWarning: undefined index"


@trips("HTTP-03")
def not_a_number(_asked: Asked, answered: Answered) -> None:
    """A member is NaN."""
    if answered.status == 200:
        answered.body = answered.body[:-1] + b',"load":NaN}'


@trips("HTTP-03")
def latin_1(_asked: Asked, answered: Answered) -> None:
    """The body is in another encoding."""
    if answered.is_output:
        answered.body = answered.body[:-1] + ',"user":"Åsa"}'.encode("latin-1")


@trips("HTTP-03")
def single_quotes(_asked: Asked, answered: Answered) -> None:
    """The body is a literal of another language."""
    if answered.is_availability:
        answered.body = repr(answered.json).encode()


@trips("HTTP-04")
def name_twice(_asked: Asked, answered: Answered) -> None:
    """A member occurs twice, with two values."""
    if answered.is_availability:
        answered.body = answered.body[:-1] + b',"vmRunning":true}'


@trips("HTTP-04")
def half_a_surrogate(_asked: Asked, answered: Answered) -> None:
    """A string has half of a surrogate pair."""
    if answered.status == 200:
        answered.body = answered.body[:-1] + b',"note":"\\ud83d"}'


@trips("HTTP-05")
def nothing_new_is_204(asked: Asked, answered: Answered) -> None:
    """A running command is 204."""
    if answered.is_output and not answered.json["exited"] and asked.full:
        answered.become(204)


@trips("HTTP-05")
def unknown_vps_is_202(asked: Asked, answered: Answered) -> None:
    """A pid that was never started is 202."""
    if answered.status == 404 and asked.own and asked.pid and asked.full:
        answered.status = 202
        answered.json = {}


@trips("HTTP-06")
def redirect_to_a_slash(asked: Asked, answered: Answered) -> None:
    """The probe is redirected to its path with a slash."""
    if probes(asked, answered):
        answered.become(308)
        answered.header("Location", asked.path + "/")


@trips("HTTP-07")
def payment_required(asked: Asked, answered: Answered) -> None:
    """A poll of an unknown command is 402."""
    if answered.status == 404 and asked.own and asked.pid:
        refuse(asked, answered, 402, "payment_required", "Payment required")


@trips("HTTP-08")
def unknown_vps_crashes(asked: Asked, answered: Answered) -> None:
    """An unknown VPS is a 500."""
    if answered.status == 404 and asked.full and asked.pid is None and asked.path.endswith("exec"):
        refuse(asked, answered, 500, "internal_error", "Internal server error")


@trips("HTTP-09")
def gzip_unasked(_asked: Asked, answered: Answered) -> None:
    """The body is gzip although identity was asked for."""
    if answered.is_output:
        answered.body = gzip.compress(answered.body)
        answered.header("Content-Encoding", "gzip")


@trips("HTTP-09")
def gzip_by_its_label_alone(asked: Asked, answered: Answered) -> None:
    """The body is not in the coding that it names."""
    if "gzip" in asked.headers.get("accept-encoding", "") and answered.status == 401:
        answered.header("Content-Encoding", "gzip")


@trips("HTTP-10")
def public_for_an_hour(_asked: Asked, answered: Answered) -> None:
    """Anybody's cache may keep the output."""
    if answered.status == 200:
        answered.header("Cache-Control", "public, max-age=3600")


@trips("HTTP-11")
def delete_succeeds(asked: Asked, answered: Answered) -> None:
    """DELETE is 204."""
    if asked.method == "DELETE":
        answered.become(204)


@trips("HTTP-11")
def every_method_is_get(asked: Asked, answered: Answered) -> None:
    """POST is answered as GET is."""
    if asked.method == "POST":
        answered.become(200, AVAILABLE)


@trips("HTTP-11")
def options_crashes(asked: Asked, answered: Answered) -> None:
    """OPTIONS is a 500."""
    if asked.method == "OPTIONS":
        refuse(asked, answered, 500, "internal_error", "Internal server error")


@trips("HTTP-12")
def head_has_a_body(asked: Asked, answered: Answered) -> None:
    """HEAD has the body of GET."""
    if asked.method == "HEAD" and answered.status == 200:
        answered.raw = [answered.head() + b'{"available":true}']


@trips("HTTP-13")
def python_is_refused(asked: Asked, answered: Answered) -> None:
    """The front end refuses clients by their name."""
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
    """Any path of the VPS is the endpoint."""
    if answered.status == 404 and asked.full and not asked.path.endswith("/agent/exec") and "/agent/" in asked.path:
        answered.become(200, AVAILABLE)


@trips("HTTP-17")
def date_in_iso_form(_asked: Asked, answered: Answered) -> None:
    """Date is no HTTP-date."""
    answered.header("Date", "2026-04-27T12:34:56Z")


@trips("HTTP-18")
def no_content_type(_asked: Asked, answered: Answered) -> None:
    """Nothing has a Content-Type."""
    answered.header("Content-Type", None)


@trips("HTTP-18", starts=True)
def starts_have_no_media_type(_asked: Asked, answered: Answered) -> None:
    """What was started comes without Content-Type."""
    if answered.is_started:
        answered.header("Content-Type", None)


@trips("HTTP-10", starts=True)
def starts_may_be_cached(_asked: Asked, answered: Answered) -> None:
    """What was started may be kept by any cache."""
    if answered.is_started:
        answered.header("Cache-Control", "public, max-age=3600")


@trips("HTTP-02")
def list_as_html(asked: Asked, answered: Answered) -> None:
    """The list is labelled as HTML."""
    if asked.path == "/api/v2/vps" and answered.status == 200:
        answered.header("Content-Type", "text/html")


@trips("HTTP-08")
def status_fails(asked: Asked, answered: Answered) -> None:
    """The status is a 500."""
    if asked.path.endswith("/status") and answered.status == 200:
        answered.become(500, b"oops", "text/plain")


@trips("HTTP-19")
def two_mebibytes_of_blanks(_asked: Asked, answered: Answered) -> None:
    """Two mebibytes of blanks stand before each problem."""
    if answered.is_problem:
        answered.body = b" " * (2 << 20) + answered.body


@trips("HTTP-20")
def long_line_is_cut_off(asked: Asked, answered: Answered) -> None:
    """A request line of more than 4 KiB gets nothing."""
    if len(asked.path) + len(asked.query) > 4096:
        answered.raw = []


@trips("HTTP-08")
def every_fifth_is_502_once(asked: Asked, answered: Answered) -> None:
    """Every fifth request gets a 502, and a good response when it is sent again."""
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
    """Whoever comes while another is waited for gets that one's response."""
    if other := among_others(asked, answered):
        answered.status, answered.headers, answered.body = other[1].status, list(other[1].headers), other[1].body
    sent_later(asked, answered)


@trips("HTTP-21")
def the_key_is_global(asked: Asked, answered: Answered) -> None:
    """The last key that came is everybody's, so that refusals become successes."""
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
    """The ETag is looked up by the path alone, so that whoever has that of the availability gets no output."""
    if answered.status == 200 and asked.own:
        answered.header("ETag", '"5d41402a"' if answered.is_availability else None)
        if asked.headers.get("if-none-match") == '"5d41402a"':
            answered.become(304)


@trips("HTTP-23")
def any_condition_holds(asked: Asked, answered: Answered) -> None:
    """Whoever sends an If-None-Match has everything already."""
    if answered.status == 200 and asked.path.endswith("/exec"):
        answered.header("ETag", f'W/"{len(answered.body)}"')
        if "if-none-match" in asked.headers:
            answered.become(304)


@trips("HTTP-03")
def id_is_put_into_a_template(asked: Asked, answered: Answered) -> None:
    """The 404 is a template with the id in it, unescaped."""
    if answered.status == 404 and "%22" in asked.path:
        answered.body = answered.body.replace(b'"detail":"', b'"detail":"No VPS ' + unquote(asked.path).encode())


@trips("HTTP-17")
def date_is_of_another_day(_asked: Asked, answered: Answered) -> None:
    """The clock of the front end is two days slow."""
    answered.header("Date", format_datetime(datetime.now(UTC) - timedelta(days=2), usegmt=True))


@trips("HTTP-03", starts=True)
def length_is_in_characters(asked: Asked, answered: Answered) -> None:
    """Content-Length is the number of characters, so that the end of a body beyond ASCII is lost."""
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
    """Whatever is no GET starts a command."""
    if asked.method in {"PUT", "PATCH"} and asked.body:
        answered.become(200, {"pid": 4243})
