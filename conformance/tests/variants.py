"""The variants: correct servers that differ from the mock in what the contract leaves free.

No rule may fail on one, and none may warn but those that `@allowed(warns={...})` names. The docstring says how the
server differs.
"""

from __future__ import annotations

import gzip
import json
import re
import time
import zlib
from base64 import b64decode
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING
from urllib.parse import unquote_plus

from faults.auth import AVAILABLE
from faults.http import among_others, sent_later
from faults.probe import problem, refuse
from faults.rate import soon
from hostup_conformance.contract.commands import SLEEPLESS, recognized
from hostup_conformance.contract.paths import VPSS
from hostup_conformance.mock import API_KEY, FOREIGN_VPS_ID, UNAVAILABLE_VPS_ID, VPS_ID
from stage import CRLF, Answered, Asked, Change

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True)
class Variant:
    """A correct server, and which SHOULDs it chose not to follow."""

    name: str
    warns: frozenset[str]
    change: Change
    doc: str
    #: Whether it shows only where commands are started.
    starts: bool = False


_VARIANTS: dict[str, Variant] = {}


def allowed(*, warns: set[str] | frozenset[str] = frozenset(), starts: bool = False) -> Callable[[Change], Change]:
    """Register a variant, with the requirements that warn of it."""

    def register(change: Change) -> Change:
        name = change.__name__
        assert name not in _VARIANTS, name
        assert change.__doc__, name
        _VARIANTS[name] = Variant(name, frozenset(warns), change, change.__doc__, starts)
        return change

    return register


def variants() -> dict[str, Variant]:
    """Return all variants by name."""
    return _VARIANTS


def is_ended(answered: Answered) -> bool:
    """Whether it is the output of the command that has ended."""
    return answered.is_output and answered.json["exited"] is True


def payload(asked: Asked, answered: Answered) -> bytes:
    """Return the body as it may be sent: none for HEAD."""
    return b"" if asked.method == "HEAD" or answered.status in {204, 304} else answered.body


def invalid(asked: Asked, answered: Answered, pointer: str) -> None:
    """Become a 400 that names one parameter."""
    refuse(asked, answered, 400, "invalid_request", "Invalid request")
    answered.change(errors=[{"pointer": pointer, "detail": "It has the wrong form.", "code": "invalid_request"}])


# --- members


@allowed()
def available_alone(_asked: Asked, answered: Answered) -> None:
    """The availability has no reason and no vmRunning where all is well."""
    if answered.is_availability and answered.json["available"]:
        answered.drop("reason", "vmRunning")


@allowed()
def vm_state_is_unsaid(_asked: Asked, answered: Answered) -> None:
    """There is no vmRunning."""
    if answered.is_availability:
        answered.drop("vmRunning")


@allowed()
def vm_is_off(asked: Asked, answered: Answered) -> None:
    """The VPS without an agent is stopped."""
    if answered.is_availability and asked.vps == UNAVAILABLE_VPS_ID:
        answered.change(vmRunning=False, reason="Servern är avstängd.")
    if answered.status == 200 and asked.path == f"{VPSS}/{UNAVAILABLE_VPS_ID}/status":
        answered.change(powerState="stopped", uptimeSeconds=0)
    elif answered.status == 200 and asked.path == VPSS:
        stopped = {UNAVAILABLE_VPS_ID: {"powerState": "stopped"}}
        answered.change(data=[{**item, **stopped.get(item["id"], {})} for item in answered.json["data"]])


@allowed()
def more_members(_asked: Asked, answered: Answered) -> None:
    """Every body has members that nobody documented."""
    if isinstance(answered.json, dict):
        answered.change(agentVersion="8.2.0", _links={"self": {"href": "/"}}, tags=[1, None, {"a": []}])


@allowed()
def state_and_nothing_else(_asked: Asked, answered: Answered) -> None:
    """A running command is exited false, with null for the rest."""
    if answered.is_output and not answered.json["exited"]:
        answered.change(exitCode=None, stdout=None, stderr=None)


@allowed()
def empty_streams(_asked: Asked, answered: Answered) -> None:
    """A running command has empty streams."""
    if answered.is_output and not answered.json["exited"]:
        answered.change(stdout="", stderr="")


@allowed()
def output_names_its_pid(asked: Asked, answered: Answered) -> None:
    """Output has the pid, and how long the command took."""
    if answered.is_output and asked.pid:
        answered.change(pid=int(asked.pid), durationMs=12.5, truncated=False)


@allowed()
def no_stderr(_asked: Asked, answered: Answered) -> None:
    """A stream without output is absent."""
    if is_ended(answered):
        answered.drop("stderr")


@allowed()
def problem_with_extensions(_asked: Asked, answered: Answered) -> None:
    """Problems have extensions, and an empty errors."""
    if answered.is_problem:
        answered.change(extensions={"help": "https://developer.hostup.se/"}, errors=answered.json.get("errors", []))


@allowed()
def parameter_by_its_bare_name(_asked: Asked, answered: Answered) -> None:
    """The pointers of errors are bare names, or in fragment form."""
    if answered.is_problem and "errors" in answered.json:
        item = {"detail": "It has the wrong form.", "code": "invalid_request"}
        answered.change(errors=[{"pointer": "pid", **item}, {"pointer": "#/query/pid", **item}])


@allowed()
def problem_without_decoration(_asked: Asked, answered: Answered) -> None:
    """instance is an absolute URI of its own, requestId a UUID."""
    if answered.is_problem:
        request_id = answered.json["requestId"]
        answered.change(instance=f"urn:uuid:{request_id[4:12]}", requestId=f"{request_id[4:]}-4")


@allowed(warns={"PROBLEM-04"})
def smallest_problem(_asked: Asked, answered: Answered) -> None:
    """Problems have type, code and detail alone, and errors."""
    if answered.is_problem:
        answered.drop("title", "status", "instance", "requestId", "timestamp")


@allowed()
def titles_in_swedish(_asked: Asked, answered: Answered) -> None:
    """Titles and details are in Swedish."""
    if answered.is_problem:
        words = {400: "Ogiltig förfrågan", 401: "Ej inloggad", 403: "Ej tillåtet", 404: "Finns inte"}
        answered.change(title=words.get(answered.status, f"Fel {answered.status}"), detail="Något gick fel. 请重试")


@allowed()
def other_codes(_asked: Asked, answered: Answered) -> None:
    """The error reference's other codes: vps_not_found, rate_limited."""
    codes = {404: ("vps_not_found", "VPS not found"), 429: ("rate_limited", "Rate limited")}
    if answered.is_problem and answered.status in codes:
        code, title = codes[answered.status]
        answered.change(code=code, title=title, type="https://developer.hostup.se/errors/" + code)


@allowed()
def timestamps_with_offset(_asked: Asked, answered: Answered) -> None:
    """Timestamps end in +00:00, with microseconds."""
    if answered.is_problem:
        answered.change(timestamp=datetime.now(UTC).isoformat(timespec="microseconds"))


@allowed()
def timestamps_of_stockholm(_asked: Asked, answered: Answered) -> None:
    """Timestamps are in another zone, without a fraction."""
    if answered.is_problem:
        moment = datetime.now(UTC) + timedelta(hours=2)
        answered.change(timestamp=moment.isoformat(timespec="seconds").replace("+00:00", "+02:00"))


# --- media types, JSON, headers


@allowed()
def problems_as_plain_json(_asked: Asked, answered: Answered) -> None:
    """Problems are application/json."""
    if answered.is_problem:
        answered.header("Content-Type", "application/json")


@allowed()
def charset_is_named(_asked: Asked, answered: Answered) -> None:
    """Every Content-Type has a charset, quoted and in capitals where that is allowed."""
    answered.headers = [
        (name, f'{value}; charset="UTF-8"' if name.lower() == "content-type" else value)
        for name, value in answered.headers
    ]


@allowed()
def media_type_in_capitals(_asked: Asked, answered: Answered) -> None:
    """The media type is written in mixed case."""
    answered.headers = [
        (name, value.title() if name.lower() == "content-type" else value) for name, value in answered.headers
    ]


@allowed()
def headers_in_capitals(_asked: Asked, answered: Answered) -> None:
    """The names of headers are in capitals."""
    answered.headers = [(name.upper(), value) for name, value in answered.headers]


@allowed()
def pretty_json(_asked: Asked, answered: Answered) -> None:
    """JSON is indented, sorted, and ends in a newline."""
    if answered.json is not None:
        answered.body = json.dumps(answered.json, indent=4, sort_keys=True).replace("\n", "\r\n").encode() + b"\r\n"


@allowed()
def escaped_json(_asked: Asked, answered: Answered) -> None:
    """Every character of a string is escaped, solidus and surrogate pairs included."""
    if is_ended(answered):
        answered.change(stdout="å/😀\n")
    if answered.json is not None:
        answered.body = json.dumps(answered.json).replace("/", "\\/").encode()


@allowed()
def cookies_and_ids(asked: Asked, answered: Answered) -> None:
    """Answers have cookies, a request id, and what gateways add."""
    answered.headers += [
        ("Set-Cookie", f"__cf_bm=a.{asked.nth()}; Path=/; Secure; HttpOnly; SameSite=None"),
        ("X-Request-Id", f"req_{asked.nth():08}"),
        ("Server", "cloudflare"),
        ("Strict-Transport-Security", "max-age=31536000; includeSubDomains"),
        ("X-Content-Type-Options", "nosniff"),
        ("Vary", "Origin, Accept-Encoding"),
    ]


@allowed()
def etag(_asked: Asked, answered: Answered) -> None:
    """Successes have an ETag and may be kept by the caller alone, if it asks each time."""
    if answered.status == 200:
        answered.header("ETag", f'W/"{zlib.crc32(answered.body):x}"')
        answered.header("Cache-Control", "private, max-age=0, must-revalidate")


@allowed()
def no_word_of_caching(_asked: Asked, answered: Answered) -> None:
    """There is no Cache-Control."""
    answered.header("Cache-Control", None)


@allowed()
def cross_origin_for_all(asked: Asked, answered: Answered) -> None:
    """Any origin may read, without credentials; OPTIONS is answered for all."""
    answered.header("Access-Control-Allow-Origin", "*")
    if asked.method == "OPTIONS":
        answered.become(204)
        answered.header("Access-Control-Allow-Methods", "GET, POST")
        answered.header("Access-Control-Allow-Origin", "*")


@allowed()
def date_header(_asked: Asked, answered: Answered) -> None:
    """Every answer has a Date."""
    answered.header("Date", format_datetime(datetime.now(UTC), usegmt=True))


@allowed(warns={"AUTH-06"})
def no_challenge_at_all(_asked: Asked, answered: Answered) -> None:
    """A 401 has no WWW-Authenticate."""
    answered.header("WWW-Authenticate", None)


@allowed()
def several_challenges(asked: Asked, answered: Answered) -> None:
    """A 401 offers Basic as well, and tells whom gave a key that it is wrong."""
    if answered.status == 401:
        wrong = ', error="invalid_token"' if "authorization" in asked.headers else ""
        answered.header("WWW-Authenticate", f'Basic realm="web", Bearer realm="api"{wrong}')


# --- transport


@allowed()
def chunked(asked: Asked, answered: Answered) -> None:
    """The body comes in chunks, with an extension and a trailer."""
    if asked.method == "GET" and answered.body:
        answered.headers += [("Transfer-Encoding", "chunked"), ("Connection", "close")]
        half = len(answered.body) // 2
        first, second = answered.body[:half], answered.body[half:]
        chunks = [f"{len(part):X};x=1".encode() + CRLF + part + CRLF for part in (first, second) if part]
        answered.raw = [answered.head(None), *chunks, b"0\r\nX-Done: yes\r\n\r\n"]


@allowed()
def gzip_where_asked(asked: Asked, answered: Answered) -> None:
    """The body is compressed for whoever accepts that."""
    if "gzip" in asked.headers.get("accept-encoding", "") and asked.method == "GET":
        answered.body = gzip.compress(answered.body)
        answered.header("Content-Encoding", "gzip")
    answered.header("Vary", "Accept-Encoding")


@allowed()
def http_1_0(asked: Asked, answered: Answered) -> None:
    """HTTP/1.0: the end of the connection is the end of the body."""
    answered.raw = [answered.head(None).replace(b"HTTP/1.1", b"HTTP/1.0", 1), payload(asked, answered)]


@allowed()
def closes_each_connection(asked: Asked, answered: Answered) -> None:
    """Each connection serves one request, and says so."""
    answered.header("Connection", "close")
    answered.raw = [answered.head() + payload(asked, answered)]


@allowed()
def closes_without_a_word(asked: Asked, answered: Answered) -> None:
    """Connections are closed when idle, without being announced."""
    if asked.nth() % 4 == 0:
        answered.raw = [answered.head() + payload(asked, answered)]


@allowed()
def slow(asked: Asked, answered: Answered) -> None:
    """Every fourth answer takes a tenth of a second, and comes in two parts."""
    if asked.nth() % 4 == 0:
        answered.header("Connection", "close")
        answered.raw = [0.07, answered.head(), 0.03, payload(asked, answered)]


@allowed()
def interim_answers(asked: Asked, answered: Answered) -> None:
    """A 103 comes before each answer."""
    if asked.method == "GET":
        answered.header("Connection", "close")
        early = b"HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload\r\n\r\n"
        answered.raw = [early + answered.head() + answered.body]


@allowed()
def no_reason_phrase(_asked: Asked, answered: Answered) -> None:
    """The status line has no reason phrase."""
    answered.reason = ""


# --- rate limits and Prefer


@allowed()
def retry_after_is_a_date(_asked: Asked, answered: Answered) -> None:
    """Retry-After is an HTTP-date."""
    if answered.status == 429:
        answered.header("Retry-After", format_datetime(datetime.now(UTC) + timedelta(seconds=30), usegmt=True))


@allowed()
def limits_on_each_answer(asked: Asked, answered: Answered) -> None:
    """X-RateLimit headers are on every answer."""
    if answered.status != 429:
        answered.header("X-RateLimit-Limit", "600")
        answered.header("X-RateLimit-Remaining", str(600 - asked.nth()))
        answered.header("X-RateLimit-Reset", soon(seconds=60))


@allowed()
def limits_rarely(asked: Asked, answered: Answered) -> None:
    """A real rate limit is met now and then, with Retry-After: 0, or 1."""
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
    """Prefer is obeyed for 429 alone."""
    if "prefer" in asked.headers and answered.status != 429:
        answered.become(200, AVAILABLE)


@allowed()
def limits_of_a_bucket(asked: Asked, answered: Answered) -> None:
    """X-RateLimit header fields are those of a bucket that is filled again, with seconds to wait for Reset."""
    answered.header("X-RateLimit-Limit", "20")
    answered.header("X-RateLimit-Remaining", str(asked.nth() * 7 % 20))
    if answered.status != 429:
        answered.header("X-RateLimit-Reset", "0")
    else:
        answered.header("X-RateLimit-Remaining", "0")


@allowed(warns={"HTTP-08"})
def few_at_a_time(asked: Asked, answered: Answered) -> None:
    """Of requests that come at once some get a 503 or a 429; each of the others takes a while."""
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
    """Successes have a strong ETag of their body, and whoever has it gets 304."""
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


# --- refusals


@allowed()
def foreign_is_forbidden(asked: Asked, answered: Answered) -> None:
    """Somebody else's VPS is 403."""
    if answered.status == 404 and asked.vps == FOREIGN_VPS_ID and asked.path.endswith("/exec"):
        refuse(asked, answered, 403, "forbidden", "Forbidden")


@allowed()
def unknown_is_forbidden_too(asked: Asked, answered: Answered) -> None:
    """Every VPS that is not the caller's is 403, existing or not."""
    if answered.status == 404 and not asked.own and asked.vps != UNAVAILABLE_VPS_ID and asked.path.endswith("/exec"):
        refuse(asked, answered, 403, "forbidden", "Forbidden")


@allowed()
def malformed_ids_are_bad_requests(asked: Asked, answered: Answered) -> None:
    """An id of the wrong form is 400."""
    if answered.status == 404 and not re.fullmatch(r"vps_[0-9a-z]{26}", asked.vps) and asked.path.endswith("/exec"):
        invalid(asked, answered, "/id")


@allowed()
def malformed_pids_are_not_found(asked: Asked, answered: Answered) -> None:
    """A pid of the wrong form is 404."""
    if answered.status == 400 and "pid=" in asked.query:
        refuse(asked, answered, 404, "not_found", "Not found")


@allowed()
def empty_pid_is_none(asked: Asked, answered: Answered) -> None:
    """An empty pid counts as absent, and of several the last one counts."""
    if asked.full and asked.own and asked.method == "GET" and asked.query == "pid=":
        answered.become(200, AVAILABLE)
    if asked.full and asked.own and asked.query.count("pid=") > 1 and not asked.query.endswith("abc"):
        refuse(asked, answered, 404, "not_found", "Not found")


@allowed()
def gateway_answers_odd_paths(asked: Asked, answered: Answered) -> None:
    """Paths with odd characters get the gateway's own page."""
    if re.search(r"%(00|25|2f|ff)|\.\.", asked.path, re.IGNORECASE) or len(asked.path) > 1000:
        answered.become(400, b"<html><center><h1>400 Bad Request</h1></center></html>", "text/html")


@allowed()
def redirects_dot_segments(asked: Asked, answered: Answered) -> None:
    """A path with dot segments is redirected to the one without."""
    if re.search(r"/(\.|%2e){1,2}/", asked.path, re.IGNORECASE):
        answered.become(301, b"", "text/html")
        answered.header("Location", "/api/v2/agent/exec")


@allowed()
def malformed_credentials_are_bad_requests(asked: Asked, answered: Answered) -> None:
    """An Authorization of another scheme is 400."""
    scheme = asked.headers.get("authorization", "Bearer x").partition(" ")[0].lower()
    if answered.status == 401 and scheme != "bearer":
        refuse(asked, answered, 400, "invalid_request", "Invalid request")


@allowed()
def pids_are_read_leniently(asked: Asked, answered: Answered) -> None:
    """What Python's int() takes for an integer is one, and so is a number that is whole."""
    text = unquote_plus(asked.query.removeprefix("pid="))
    try:
        number = int(float(text)) if "e" in text or "." in text else int(text)
        known = number == asked.mock.running_pid and float(text.replace("_", "")).is_integer()
    except ValueError:
        return
    if known and answered.status == 400 and asked.full and asked.own and asked.method == "GET":
        answered.become(200, {"exited": False})


@allowed()
def slash_at_the_end_is_welcome(asked: Asked, answered: Answered) -> None:
    """A slash at the end is redirected, and one too many gets a page of the front end."""
    if asked.path.endswith("/exec/"):
        answered.become(308, b"", "text/html")
        answered.header("Location", asked.path.rstrip("/"))
    elif "//agent/" in asked.path:
        answered.become(404, b"<h1>404</h1>", "text/html")


@allowed()
def bodies_are_refused(asked: Asked, answered: Answered) -> None:
    """A GET with a body is refused, and so is a POST that claims to be one, by the front end's own page."""
    if (asked.method == "GET" and asked.body) or "x-http-method-override" in asked.headers:
        answered.become(400, b"<h1>Bad Request</h1>", "text/html")


@allowed()
def names_without_case(asked: Asked, answered: Answered) -> None:
    """A parameter's name has no case, and brackets do not count: such a poll needs write:vm as well."""
    if asked.reading and re.match(r"PID=|pid%5B", asked.query):
        refuse(asked, answered, 403, "forbidden", "Forbidden")


@allowed()
def keys_are_ascii(asked: Asked, answered: Answered) -> None:
    """A key that is not ASCII is a bad request."""
    if not asked.headers.get("authorization", "").isascii():
        refuse(asked, answered, 400, "invalid_request", "Invalid request")


# --- commands


@allowed()
def polls_can_be_repeated(asked: Asked, answered: Answered) -> None:
    """Output can be fetched again and again."""
    if is_ended(answered):
        asked.memory[asked.pid or ""] = answered.json
    elif answered.status == 404 and asked.full and asked.own and asked.pid in asked.memory and asked.method == "GET":
        answered.become(200, asked.memory[asked.pid])


@allowed()
def forgotten_is_invalid(asked: Asked, answered: Answered) -> None:
    """A pid that was fetched, or never known, is 400."""
    if answered.status == 404 and asked.full and asked.own and asked.pid and asked.path.endswith("/exec"):
        invalid(asked, answered, "/pid")


@allowed()
def death_by_signal(_asked: Asked, answered: Answered) -> None:
    """The command died by a signal: exited, and null for exitCode."""
    if is_ended(answered):
        answered.change(exitCode=None, signal=9)


@allowed()
def ended_without_a_code(_asked: Asked, answered: Answered) -> None:
    """The command has exited, and no more is said."""
    if is_ended(answered):
        answered.become(200, {"exited": True})


@allowed()
def negative_exit_code(_asked: Asked, answered: Answered) -> None:
    """The exit code is -1073741819, Windows' access violation as a signed number."""
    if is_ended(answered):
        answered.change(exitCode=-1073741819)


@allowed()
def large_exit_code(_asked: Asked, answered: Answered) -> None:
    """The exit code is 4294967295."""
    if is_ended(answered):
        answered.change(exitCode=4294967295)


@allowed()
def output_of_any_unicode(_asked: Asked, answered: Answered) -> None:
    """Output has control characters, both planes, private use, a byte order mark, and no normal form."""
    if is_ended(answered):
        characters = "".join(map(chr, [*range(0x20), 0x7F, 0x85, 0xA0, 0x2028, 0xFEFF, 0xFFFD, 0xFFFF, 0xE000]))
        answered.change(
            stdout=f"{characters}\U0001f600\U0010ffffe\u0301é\u202eabc", stderr="\\ud83d \x1b[31mred\x1b[0m"
        )


@allowed()
def output_is_a_page(_asked: Asked, answered: Answered) -> None:
    """Output is HTML."""
    if is_ended(answered):
        answered.change(stdout="<!doctype html><script>alert('</script>')</script>", stderr="</body>")


@allowed()
def output_is_a_stack_trace(_asked: Asked, answered: Answered) -> None:
    """Output is a trace, since the command crashed."""
    if is_ended(answered):
        trace = 'Traceback (most recent call last):\n  File "/app/main.py", line 3, in poll\nKeyError: 1'
        answered.change(exitCode=1, stderr=trace, stdout="panic: runtime error\ngoroutine 1 [running]:\n")


@allowed()
def output_is_a_problem(_asked: Asked, answered: Answered) -> None:
    """Output is a problem document, and a command output, as text."""
    if is_ended(answered):
        text = json.dumps({"type": "about:blank", "status": 500, "code": "internal_error", "detail": "no"})
        answered.change(stdout=text, stderr='{"exited": false, "available": true}')


@allowed()
def large_output(_asked: Asked, answered: Answered) -> None:
    """Output is of 2 MiB."""
    if is_ended(answered):
        answered.change(stdout="0123456789abcde\n" * 2**17)


@allowed()
def partial_output(asked: Asked, answered: Answered) -> None:
    """A running command shows what it has written so far, and that grows."""
    if answered.is_output and not answered.json["exited"]:
        answered.change(stdout="line\n" * asked.nth("polls"), stderr="")


# --- other methods


@allowed()
def post_starts_commands(asked: Asked, answered: Answered) -> None:
    """POST exists, and takes a command without a body for an empty one."""
    if asked.method == "POST" and asked.full and asked.own:
        answered.become(202, {"pid": 4343, "status": "started"})


@allowed()
def other_methods_are_not_found(asked: Asked, answered: Answered) -> None:
    """Every other method is 404."""
    if asked.method not in {"GET", "HEAD"}:
        refuse(asked, answered, 404, "not_found", "Not found")


@allowed()
def other_methods_are_not_implemented(asked: Asked, answered: Answered) -> None:
    """Every other method is 501, HEAD as well, without a body."""
    if asked.method != "GET":
        answered.become(501)


@allowed()
def get_alone(asked: Asked, answered: Answered) -> None:
    """Every other method is 405, HEAD as well, with Allow: GET."""
    if asked.method != "GET":
        answered.become(405, b"Method Not Allowed", "text/plain")
        answered.header("Allow", "GET")


@allowed()
def methods_need_a_key_first(asked: Asked, answered: Answered) -> None:
    """Whatever the method, 401 comes before 405."""
    if asked.method != "GET" and not asked.full and not asked.reading:
        refuse(asked, answered, 401, "unauthorized", "Unauthorized")
        answered.header("WWW-Authenticate", "Bearer")


@allowed(starts=True)
def started_without_a_url(_asked: Asked, answered: Answered) -> None:
    """What was started has no pollUrl."""
    if answered.is_started:
        answered.drop("pollUrl")


@allowed(starts=True)
def started_with_more(_asked: Asked, answered: Answered) -> None:
    """What was started has members that nobody knows."""
    if answered.is_started:
        answered.change(command="echo", startedAt="2026-04-27T12:34:56Z")


@allowed(starts=True, warns={"START-03"})
def started_without_a_pid(_asked: Asked, answered: Answered) -> None:
    """What was started has its pid in pollUrl alone."""
    if answered.is_started:
        answered.drop("pid")


@allowed(starts=True)
def started_below_a_prefix(_asked: Asked, answered: Answered) -> None:
    """pollUrl has the prefix of a gateway, and another parameter."""
    if answered.is_started:
        answered.change(pollUrl="/gateway" + answered.json["pollUrl"] + "&wait=1")


@allowed(starts=True)
def starts_elsewhere_are_forbidden(asked: Asked, answered: Answered) -> None:
    """A start in a VPS that is not the caller's is 403."""
    if asked.method == "POST" and asked.full and answered.status == 404:
        refuse(asked, answered, 403, "forbidden", "Forbidden")


@allowed(starts=True)
def started_runs_for_a_moment(asked: Asked, answered: Answered) -> None:
    """What was started has not ended for a fifth of a second."""
    memory = asked.memory
    if answered.is_started:
        memory[str(answered.json["pid"])] = (time.monotonic(), None)
    elif asked.full and asked.own and asked.pid in memory and answered.status in {200, 404}:
        began, output = memory[asked.pid]
        output = answered.json if answered.is_output else output
        if time.monotonic() - began < 0.2:
            memory[asked.pid] = (began, output)
            answered.become(200, {"exited": False})
        elif output:
            memory[asked.pid] = (began, None)
            answered.become(200, output)


@allowed(starts=True)
def starts_nothing(asked: Asked, answered: Answered) -> None:
    """There is no POST."""
    if asked.method == "POST":
        answered.become(405, b"Method Not Allowed", "text/plain")
        answered.header("Allow", "GET")


@allowed(starts=True)
def starts_few_at_a_time(asked: Asked, answered: Answered) -> None:
    """A start is refused while too many others run."""
    if answered.is_started and b"sleep" in asked.body:
        refuse(asked, answered, 409, "vps_not_ready", "VPS not ready")


@allowed(starts=True)
def sleeps_not(asked: Asked, answered: Answered) -> None:
    """The guest has no sleep: it ends at once."""
    if answered.is_started and b"sleep 60" in asked.body:
        asked.memory["sleep"] = str(answered.json["pid"])
    if answered.is_output and asked.pid == asked.memory.get("sleep"):
        if asked.nth("polls of sleep") > 1:
            refuse(asked, answered, 404, "not_found", "Not found")
        else:
            answered.json = {"exited": True, "exitCode": 127, "stderr": "sleep: not found"}


@allowed(starts=True)
def what_is_no_json_has_no_errors(asked: Asked, answered: Answered) -> None:
    """A 400 for a body that is no JSON object has nothing to point to, and no errors."""
    if answered.status == 400 and asked.body in {b"[]", b"null", b"{", b"\xff\xfe{", b"[" * 3000}:
        answered.drop("errors")


@allowed(starts=True)
def no_command_sleeps(asked: Asked, answered: Answered) -> None:
    """The guest has a shell and no sleep: the command that is to take a while ends at once."""
    commands = asked.memory.setdefault("commands", {})
    if answered.is_started:
        commands[str(answered.json["pid"])] = json.loads(asked.body)["command"]
    known = recognized(commands.get(asked.pid, ""))
    if answered.is_output and known and known.name == "slow":
        answered.json = {"exited": True, "exitCode": 0, "stdout": f"begun{SLEEPLESS}ended", "stderr": "done"}


@allowed(starts=True)
def started_with_an_encoded_url(_asked: Asked, answered: Answered) -> None:
    """pollUrl has a character of the id encoded that need not be."""
    if answered.is_started:
        answered.change(pollUrl=answered.json["pollUrl"].replace("vps_", "%76ps_", 1))


@allowed(starts=True)
def started_with_members_of_other_shapes(_asked: Asked, answered: Answered) -> None:
    """What was started says its state too."""
    if answered.is_started:
        answered.change(exited=False, available=True)


def guest(asked: Asked, answered: Answered, shell: str) -> None:
    """Be a guest with another shell, or none: of the suite's commands it runs `echo`, and those for its shell."""
    commands = asked.memory.setdefault("commands", {})
    if answered.is_started:
        commands[str(answered.json["pid"])] = json.loads(asked.body)["command"]
    command = commands.get(asked.pid, "")
    if not (answered.is_output and command):
        return
    program, _, text = command.partition(" ")
    printed = {"cmd": text.replace("%OS%", "Windows_NT"), "powershell": text.replace("$((6*7))", "42"), "none": text}
    if known := recognized(command):
        end = {"stdout": f"{known.stdout.decode()}\r\n", "stderr": f"{known.stderr.decode()} \r\n", "exitCode": 3}
    elif program == "echo":
        line_end = "\n" if shell == "none" else "\r\n"
        end = {"stdout": printed[shell].replace("$PSHOME", "C:\\pwsh") + line_end, "stderr": "", "exitCode": 0}
        if shell != "powershell":
            end["stdout"] = printed[shell] + line_end
    else:
        end = {"stdout": "", "stderr": f"{program}: not found", "exitCode": 9009}
    answered.json = {"exited": True, **end}


@allowed(starts=True)
def guest_has_cmd(asked: Asked, answered: Answered) -> None:
    """The guest is Windows with cmd.exe: lines end with CR LF, and there is no sleep."""
    guest(asked, answered, "cmd")


@allowed(starts=True)
def guest_has_powershell(asked: Asked, answered: Answered) -> None:
    """The guest is Windows with PowerShell."""
    guest(asked, answered, "powershell")


@allowed(starts=True)
def guest_has_no_shell(asked: Asked, answered: Answered) -> None:
    """A command is a program with its arguments; nothing is expanded."""
    guest(asked, answered, "none")


@allowed(starts=True)
def a_signal_has_no_exit_code(_asked: Asked, answered: Answered) -> None:
    """exitCode is absent after death by a signal, and an empty stream is absent."""
    if answered.is_output and answered.json["exited"]:
        answered.json = {name: value for name, value in answered.json.items() if value not in (None, "")}


@allowed(starts=True)
def a_signal_is_128_and_more(_asked: Asked, answered: Answered) -> None:
    """exitCode after death by a signal is 128 and its number, as in a shell."""
    if answered.is_output and answered.json["exited"] and answered.json.get("exitCode", 0) is None:
        answered.change(exitCode=137)


@allowed(starts=True)
def some_commands_are_blocked(asked: Asked, answered: Answered) -> None:
    """A provider's policy forbids rm, kill and redirections."""
    command = json.loads(asked.body)["command"] if answered.is_started else ""
    if any(word in command for word in ("rm -f", "kill", " > ", ">>")):
        refuse(asked, answered, 403, "forbidden", "Forbidden")


@allowed(starts=True)
def blocked_commands_have_a_code(asked: Asked, answered: Answered) -> None:
    """A command that a policy forbids is 400, with a code of the provider's own."""
    command = json.loads(asked.body)["command"] if answered.is_started else ""
    if any(word in command for word in ("rm -f", "kill")):
        refuse(asked, answered, 400, "command_blocked", "Command blocked")


@allowed(starts=True)
def starts_one_at_a_time(asked: Asked, answered: Answered) -> None:
    """While a command runs another start is 409: here each second one."""
    known = recognized(json.loads(asked.body)["command"]) if answered.is_started else None
    # These would have left their mark already.
    if known and known.name not in {"trace", "once", "again"} and asked.nth("starts") % 2:
        refuse(asked, answered, 409, "command_running", "Command running")


@allowed()
def ends_are_noticed_late(asked: Asked, answered: Answered) -> None:
    """The agent is asked once in a while: a command that has ended is said to run for half a second more."""
    if asked.full and asked.own and asked.pid and asked.pid != str(asked.mock.running_pid):
        output = asked.memory.setdefault(asked.pid, (time.monotonic(), answered.json if answered.is_output else None))
        if output[1] and time.monotonic() - output[0] < 0.5:
            answered.become(200, {"exited": False})
        elif output[1]:
            asked.memory[asked.pid] = (0.0, None)
            answered.become(200, output[1])


@allowed(starts=True)
def all_commands_are_blocked(asked: Asked, answered: Answered) -> None:
    """Commands are switched off for this VPS by a policy."""
    if answered.is_started:
        refuse(asked, answered, 403, "forbidden", "Forbidden")


@allowed(starts=True)
def output_says_that_it_is_truncated(_asked: Asked, answered: Answered) -> None:
    """64 KiB of a stream are kept, and the body says so."""
    if answered.is_output and len(answered.json.get("stdout", "").encode()) > 65536:
        kept = answered.json["stdout"].encode()[:65536].decode(errors="ignore")
        answered.change(stdout=kept, stdoutTruncated=True)


@allowed(starts=True)
def starts_are_limited(asked: Asked, answered: Answered) -> None:
    """Two commands may be started in a minute."""
    if answered.is_started and asked.nth("starts") > 2:
        answered.become(
            429, problem(asked, 429, "rate_limit_exceeded", "Too many requests"), "application/problem+json"
        )
        answered.headers += [("Retry-After", "60"), ("X-RateLimit-Limit", "2"), ("X-RateLimit-Remaining", "0")]
        answered.header("X-RateLimit-Reset", soon(seconds=60))


@allowed(starts=True)
def long_commands_are_too_large(asked: Asked, answered: Answered) -> None:
    """A command that is too long is 413."""
    if asked.method == "POST" and answered.status == 400 and len(asked.body) > 4096:
        refuse(asked, answered, 413, "invalid_request", "Invalid request")


@allowed(starts=True)
def chunked_starts_are_of_unknown_length(asked: Asked, answered: Answered) -> None:
    """A front end refuses a chunked start with 411 and a page of its own."""
    if answered.is_started and "transfer-encoding" in asked.headers:
        answered.become(411, b"<html><h1>411 Length Required</h1></html>", "text/html")


@allowed(starts=True)
def firewall_blocks_what_shells_read(asked: Asked, answered: Answered) -> None:
    """A firewall refuses commands with pipes, substitutions and paths of the system: 403, with a page of its own."""
    if asked.method == "POST" and re.search(rb"/etc/|/bin/|\$\(|`|;|\||&&", asked.body):
        answered.become(403, b"<html><h1>403 Forbidden</h1></html>", "text/html")


@allowed(starts=True, warns={"START-07"})
def large_bodies_are_refused_before_the_server(asked: Asked, answered: Answered) -> None:
    """A front end takes 16 KiB at most, which 4096 emoji do not fit into: 413, with a page of its own."""
    if len(asked.body) > 16384:
        answered.become(413, b"<html><h1>413 Request Entity Too Large</h1></html>", "text/html")


@allowed()
def unknown_pids_are_bad_requests(asked: Asked, answered: Answered) -> None:
    """A pid that nobody knows is 400, with nothing to point to."""
    if answered.status == 404 and asked.full and asked.own and asked.pid:
        refuse(asked, answered, 400, "invalid_request", "Invalid request")


@allowed()
def absent_extensions_are_null(_asked: Asked, answered: Answered) -> None:
    """extensions is null where there are none."""
    if answered.is_problem:
        answered.change(extensions=None)


@allowed()
def json_is_to_be_accepted_by_name(asked: Asked, answered: Answered) -> None:
    """A request whose Accept does not name JSON, as that in the documentation does, gets 406."""
    if "json" not in asked.headers.get("accept", ""):
        answered.become(406, b"<html><h1>406 Not Acceptable</h1></html>", "text/html")


@allowed()
def limits_list_their_policies(_asked: Asked, answered: Answered) -> None:
    """X-RateLimit-Limit has the policies after the limit, as a gateway of the draft's third version writes them."""
    if answered.status == 429:
        answered.header("X-RateLimit-Limit", "120, 120;w=60")
    elif answered.status == 200:
        answered.headers += [("X-RateLimit-Limit", "600, 600;w=60"), ("X-RateLimit-Remaining", "599")]


# --- the list and the status of VPSs


def beside(asked: Asked) -> bool:
    """Whether it is for the list or a status."""
    return not asked.path.endswith("/agent/exec")


@allowed()
def endpoint_alone(asked: Asked, answered: Answered) -> None:
    """There is neither a list nor a status: the framework's own 404, whoever asks."""
    if beside(asked):
        answered.become(404, b"Not Found", "text/plain")


@allowed()
def list_of_ids_alone(asked: Asked, answered: Answered) -> None:
    """The items of the list have nothing but the id."""
    if asked.path == VPSS and answered.status == 200:
        answered.change(data=[{"id": item["id"]} for item in answered.json["data"]])


@allowed()
def list_in_pages(asked: Asked, answered: Answered) -> None:
    """The first page of the list is full of others, and their names are null."""
    if asked.path == VPSS and answered.status == 200 and not asked.query:
        others = [{"id": f"vps_{number}", "name": None, "primaryIp": None} for number in range(20)]
        answered.json = {"data": others, "hasMore": True, "nextCursor": "20"}


@allowed()
def status_in_full(asked: Asked, answered: Answered) -> None:
    """The status has every documented member, and one more."""
    if asked.path.endswith("/status") and answered.status == 200:
        usage = {"usedGb": 1.5, "totalGb": 4, "usagePercent": 37.5}
        answered.change(
            uptimeSeconds=None, cpuUsagePercent=3, cpuCores=2, memory=usage, storage=usage,
            network={"inboundGb": 0, "outboundGb": 0, "totalGb": 0}, pendingTasks=[], region="se-1",
        )  # fmt: skip


@allowed()
def limit_is_clamped(asked: Asked, answered: Answered) -> None:
    """A limit that is not documented is as good as none, and no page is larger than one."""
    if asked.path == VPSS and answered.status == 400 and "limit=" in asked.query and "cursor" not in asked.query:
        answered.become(200, {"data": [{"id": VPS_ID}], "hasMore": True, "nextCursor": VPS_ID})


@allowed()
def list_is_one_page(asked: Asked, answered: Answered) -> None:
    """A cursor that was never given finds nothing, and hasMore and nextCursor are absent where there is no more."""
    if asked.path == VPSS and answered.status == 400 and "cursor=" in asked.query:
        answered.become(200, {"data": []})
    elif asked.path == VPSS and answered.status == 200 and not answered.json["hasMore"]:
        answered.drop("hasMore", "nextCursor")


@allowed()
def names_match_in_part(asked: Asked, answered: Answered) -> None:
    """A name finds all VPSs that have it in their name, in any case, and there are no addresses."""
    if asked.path == VPSS and answered.status == 200:
        items = [{**item, "name": item["name"].upper(), "primaryIp": None} for item in answered.json["data"]]
        if asked.query == "name=WEB-1":
            items = [{"id": VPS_ID, "name": "WEB-1"}, {"id": "vps_more", "name": "web-10"}]
        answered.change(data=items)


@allowed()
def filters_are_not_offered(asked: Asked, answered: Answered) -> None:
    """A filter is a parameter that nobody knows, and so a 400."""
    if asked.path == VPSS and ("name=" in asked.query or "primaryIp=" in asked.query):
        invalid(asked, answered, "name")


@allowed()
def status_in_whole_numbers(asked: Asked, answered: Answered) -> None:
    """Sizes and percentages are rounded to whole numbers, and more is transferred in all than in and out."""
    if asked.path.endswith("/status") and answered.status == 200:
        answered.change(
            memory={"usedGb": 1, "totalGb": 4, "usagePercent": 33},
            storage={"usedGb": 0, "totalGb": 1, "usagePercent": 41},
            network={"inboundGb": 1.5, "outboundGb": 1.5, "totalGb": 3.1},
            cpuUsagePercent=180.5,
        )


@allowed()
def vps_is_stopping(asked: Asked, answered: Answered) -> None:
    """The VPS without an agent is shown in the middle of its way: paused in the list, stopping by its status."""
    if asked.path == VPSS and answered.status == 200:
        answered.change(data=[{**item, "powerState": "paused"} for item in answered.json["data"]])
    elif asked.path == f"{VPSS}/{UNAVAILABLE_VPS_ID}/status" and answered.status == 200:
        answered.change(powerState="stopping", uptimeSeconds=None)


@allowed()
def status_says_nothing(asked: Asked, answered: Answered) -> None:
    """Every member of the status may be absent."""
    if asked.path.endswith("/status") and answered.status == 200:
        answered.json = {}


@allowed()
def list_needs_another_scope(asked: Asked, answered: Answered) -> None:
    """The keys that were given may not list, nor see a status."""
    if beside(asked) and answered.status == 200:
        refuse(asked, answered, 403, "forbidden", "Forbidden")


# --- what stands around a server in deployments (conformance/tests/deployments/ has the real ones)

#: What a firewall takes for an attack, percent-decoded.
ATTACK = re.compile(r"['\x00{\[\ufffd\U0001f4a9]|\bOR\b|/\.\.|0x")


@allowed()
def paths_are_normalized(asked: Asked, answered: Answered) -> None:
    """An encoded slash and dot segments after the own id are taken away, as by some front ends and routers."""
    if asked.vps in {f"{VPS_ID}/", f"{VPS_ID}/../{VPS_ID}"} and asked.full and asked.method == "GET":
        answered.become(200, AVAILABLE)


@allowed()
def ids_are_trimmed(asked: Asked, answered: Answered) -> None:
    """Blanks and a NUL after an id are ignored, as by some collations of databases."""
    if asked.vps.rstrip(" \0") == VPS_ID != asked.vps and asked.full and asked.method == "GET":
        answered.become(200, AVAILABLE)


@allowed(warns={"HTTP-08"})
def gateway_fails_once(asked: Asked, answered: Answered) -> None:
    """One request to the VPS that cannot be found gets 502, in HTML."""
    if asked.full and not asked.own and asked.method == "GET" and asked.nth("others") == 3:
        answered.become(502, b"<h1>502 Bad Gateway</h1>", "text/html")


@allowed(warns={"HTTP-08"})
def starts_with_503(asked: Asked, answered: Answered) -> None:
    """The first two requests get 503 without a body, and Retry-After."""
    if asked.nth() < 3:
        answered.become(503)
        answered.header("Retry-After", "0")


@allowed(warns={"HTTP-08"})
def cdn_cannot_reach_the_origin_once(asked: Asked, answered: Answered) -> None:
    """One request gets 522 with a problem document of the CDN's own."""
    if asked.nth() == 20:
        answered.become(
            522, {"type": "https://cdn.example/522", "title": "Timed out", "status": 522, "cause": "origin"}
        )


@allowed()
def connection_is_dropped_once(asked: Asked, answered: Answered) -> None:
    """One request on a connection that was kept open gets no response, since its worker is replaced."""
    if asked.nth() == 20:
        answered.raw = []


@allowed()
def firewall_refuses_attacks(asked: Asked, answered: Answered) -> None:
    """What looks like an attack in path or query is 403 in HTML."""
    if ATTACK.search(unquote_plus(f"{asked.path}?{asked.query}")) or len(asked.path + asked.query) > 1024:
        answered.become(403, b"<h1>403 Forbidden</h1>", "text/html")


@allowed()
def front_end_refuses_odd_bytes(asked: Asked, answered: Answered) -> None:
    """A NUL, and bytes that are no UTF-8, are 400 in HTML, in the query as in the path."""
    if re.search(r"%(00|ff)", asked.path + asked.query):
        answered.become(400, b"<h1>400 Bad Request</h1>", "text/html")


@allowed()
def control_characters_are_stripped(asked: Asked, answered: Answered) -> None:
    """A pid is read without its control characters."""
    if asked.full and asked.own and asked.pid == f"{asked.mock.running_pid}\0" and asked.method == "GET":
        answered.become(200, {"exited": False})


@allowed()
def trace_has_no_allow(asked: Asked, answered: Answered) -> None:
    """TRACE is 405 without Allow, from the front end."""
    if asked.method == "TRACE":
        answered.become(405, b"<h1>405 Not Allowed</h1>", "text/html")


@allowed()
def trace_is_served(asked: Asked, answered: Answered) -> None:
    """TRACE repeats the request."""
    if asked.method == "TRACE":
        lines = [f"TRACE {asked.path} HTTP/1.1", *(f"{name}: {value}" for name, value in asked.headers.items())]
        answered.become(200, "\r\n".join(lines).encode(), "message/http")


@allowed()
def other_schemes_are_taken(asked: Asked, answered: Answered) -> None:
    """The right key is also taken under Token, under Basic as the user, and without a scheme."""
    scheme, _, value = asked.headers.get("authorization", "").rpartition(" ")
    user = b64decode(value + "==").partition(b":")[0].decode("latin-1") if scheme == "Basic" else value
    other = user == API_KEY and scheme in {"Basic", "Token", ""}
    if other and asked.own and not asked.pid and asked.method == "GET" and answered.status == 401:
        answered.become(200, AVAILABLE)


@allowed(warns={"HTTP-20"})
def long_lines_are_cut_off(asked: Asked, answered: Answered) -> None:
    """A request line of more than 4 KiB ends the connection."""
    if len(asked.path) + len(asked.query) > 4096:
        answered.raw = []


@allowed()
def ended_pids_are_gone(asked: Asked, answered: Answered) -> None:
    """A pid whose output was fetched is 410."""
    if is_ended(answered):
        asked.memory["gone"] = asked.pid
    elif answered.status == 404 and asked.own and asked.pid and asked.pid == asked.memory.get("gone"):
        refuse(asked, answered, 410, "not_found", "Not found")


@allowed()
def hexadecimal_is_understood(asked: Asked, answered: Answered) -> None:
    """A pid may be hexadecimal, as JavaScript reads numbers."""
    if asked.pid == hex(asked.mock.running_pid) and answered.status == 400 and asked.full and asked.own:
        answered.become(200, {"exited": False})
