"""Reads and writes recorded traffic (HAR 1.2). It must not know whose traffic it is.

The format: http://www.softwareishard.com/blog/har-12-spec/. Browsers, proxies and schemathesis write it. Members of
our own begin with an underscore, as the format demands: what the run knew of its target, and what each request asked.
"""

import json
import re
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from time import process_time
from typing import Any
from urllib.parse import SplitResult

import jsonschema_rs

from hostup_conformance import __version__
from hostup_conformance.http.credentials import CREDENTIALS
from hostup_conformance.http.exchange import A, Exchange
from hostup_conformance.http.json_text import bytes_in_memory, count_values, has_more, schema_errors
from hostup_conformance.http.messages import CODINGS, Headers, Request, Response
from hostup_conformance.http.times import A_CENTURY, rfc3339
from hostup_conformance.keeping.files import FOR_ME, read_plain, write_whole
from hostup_conformance.keeping.misconfigured import Misconfigured
from hostup_conformance.keeping.redact import MARK
from hostup_conformance.keeping.safe_text import Redact, on_one_line, split_url
from hostup_conformance.keeping.time_limit import TimeUp, at_most

#: The form of an entry.
SCHEMA = Path(__file__).with_name("har.schema.json")
#: The largest file that is read, in bytes, and how many bytes of memory each JSON value in it counts for besides its
#: text and its strings, of which both together have twice the bytes of the file at most.
LARGEST_FILE, BYTES_PER_VALUE = 200 << 20, 200
#: For how many seconds a recording is read: the largest of ordinary ones takes ten.
READING_SECONDS = 60.0
#: How many JSON values an entry may have: its check by a schema takes ten times their memory.
MOST_VALUES = 50_000
#: The greatest number of entries, which can be judged in time.
MOST_ENTRIES = 5000
#: Responses with larger bodies (in bytes) are left out of a recording. Redaction may take long, so a response is left
#: out too once redacting has taken so many seconds in all; each still gets the last figure, in seconds.
RECORDED, RECORDING_SECONDS, LEAST_SECONDS = 8 << 20, 10.0, 0.02
#: How a recording names the version without chunks.
OLD = "HTTP/1.0"
#: How a recording names a connection, where that is a number.
NUMBER = re.compile("[1-9][0-9]{0,9}")
#: Header fields that no longer describe a body that was decoded before it was recorded.
DECODED = {*CODINGS, "content-length"}


@dataclass(frozen=True)
class Entry:
    """A recorded request and its response. `request.target` is the path and query of the recorded URL."""

    request: Request
    #: None if there is none: programs write no status, or 0, for a request that was cancelled or blocked.
    response: Response | None
    #: Whether the content of the response was recorded: browsers may leave it out, or put it into a file of its own.
    has_content: bool
    #: Duration in seconds.
    seconds: float
    when: datetime | None
    #: The suite's own notes on the request, if the suite made the recording.
    asks: dict[str, Any] = field(default_factory=dict)
    #: Scheme, host and port of the URL.
    origin: str = ""


@dataclass(frozen=True)
class Recording:
    """A recording: its entries in order, and, if this suite made it, what the run knew of its target."""

    entries: list[Entry]
    known: dict[str, Any] = field(default_factory=dict)


@contextmanager
def in_time(file: Path) -> Iterator[None]:
    """Raise `Misconfigured` if the block, which reads a recording and understands it, takes too long."""
    try:
        with at_most(READING_SECONDS):
            yield
    except TimeUp:
        why = f"it takes more than {READING_SECONDS:g} seconds to read"
        raise Misconfigured(f"recording {file}: {why}; record the endpoint's requests alone") from None


def read(file: Path) -> Recording:
    """Read a recording; raise `Misconfigured` if the file is not HAR, or is too large."""
    try:
        data = read_plain(file, LARGEST_FILE)
        if bytes_in_memory(data) + BYTES_PER_VALUE * count_values(data) > 2 * LARGEST_FILE:
            raise Misconfigured(f"recording {file}: too large to be judged; record the endpoint's requests alone")
        text = data.decode("utf-8-sig")
        del data
        # Some programs write NaN for an unknown time.
        whole = json.loads(text, parse_constant=lambda _: None)
        del text
        log = whole.get("log") if isinstance(whole, dict) else None
        entries, known = (log.get("entries"), log.get("_target") or {}) if isinstance(log, dict) else (None, {})
        if not isinstance(entries, list) or not isinstance(known, dict):
            raise ValueError("log.entries is no array, or log._target is no object")
        if len(entries) > MOST_ENTRIES:
            remedy = "record the endpoint's requests alone"
            raise Misconfigured(f"recording {file}: it has more than {MOST_ENTRIES} entries; {remedy}")
        return Recording([checked(entry, number) for number, entry in enumerate(entries)], known)
    except OSError as error:
        raise Misconfigured(f"recording {file}: {error.strerror}; give a recording (HAR 1.2)") from None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        why = on_one_line(str(error)[:300])
        raise Misconfigured(f"recording {file}: not HAR 1.2 ({why}); export it again") from None


def checked(entry: Any, number: int) -> Entry:
    """Return an entry of the file; raise `ValueError`, with the place, if it is malformed."""
    if has_more(entry, MOST_VALUES):
        raise ValueError(f"log.entries[{number}] has more than {MOST_VALUES} values")
    for error in schema_errors(form_of_entries(), entry, 1):
        place = "".join(f".{part}" for part in error.instance_path)
        raise ValueError(f"log.entries[{number}]{place}: {error.message[:200]}")
    try:
        return entry_of(entry)
    except (ValueError, OverflowError) as error:
        raise ValueError(f"log.entries[{number}]: {error}") from None


@cache
def form_of_entries() -> jsonschema_rs.Draft202012Validator:
    """Return what finds the mistakes in an entry, and quotes none of it: a value in the wrong place may be secret."""
    return jsonschema_rs.Draft202012Validator(json.loads(SCHEMA.read_text("utf-8")), mask="what is there")


def entry_of(entry: dict[str, Any]) -> Entry:
    """Return the messages of an entry that has the form of one."""
    recorded = entry["request"]
    parts = split(recorded["url"])
    target = parts.path + (f"?{parts.query}" if parts.query else "")
    body = body_of(recorded.get("postData") or {})
    return Entry(
        request=Request(recorded["method"], target, headers_of(recorded), body),
        response=response_of(entry.get("response"), entry.get("connection")),
        has_content=has_content(entry.get("response") or {}),
        seconds=min(max(float(entry.get("time") or 0), 0.0) / 1000, A_CENTURY),  # which can be added to any time
        when=rfc3339(entry["startedDateTime"]),
        asks=dict(recorded.get("_asks") or {}),
        origin=f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}",
    )


def split(url: str) -> SplitResult:
    """Return the parts of a URL; raise `ValueError`, which quotes no password of it, if it has none."""
    try:
        return split_url(url)
    except ValueError:
        raise ValueError("request.url is no URL") from None


def headers_of(message: dict[str, Any]) -> Headers:
    """Return the header fields of a message, without the pseudo-header fields of HTTP/2."""
    return tuple((h["name"], h["value"]) for h in message["headers"] if not h["name"].startswith(":"))


def has_content(recorded: dict[str, Any]) -> bool:
    """Whether a recorded response has its content, or had none: without a text, only a size of 0 says so."""
    content = recorded.get("content") or {}
    return content.get("text") is not None or not content.get("size")


def response_of(recorded: dict[str, Any] | None, connection: object) -> Response | None:
    """Return a recorded response, or None if there was none; its connection has a number, if it has one."""
    if not recorded or not recorded["status"]:
        return None
    headers = tuple(pair for pair in headers_of(recorded) if pair[0].lower() not in DECODED)
    body, is_old = body_of(recorded.get("content") or {}), recorded.get("httpVersion") == OLD
    number = int(connection) if isinstance(connection, str) and NUMBER.fullmatch(connection) else 0
    phrase = recorded.get("statusText") or ""
    return Response(int(recorded["status"]), headers, body, is_old=is_old, connection=number, phrase=phrase)


def body_of(content: dict[str, Any]) -> bytes:
    """Return the bytes of a `content` or a `postData`."""
    text = content.get("text") or ""
    return b64decode(text) if content.get("encoding") == "base64" else text.encode("utf-8", "surrogatepass")


def write(
    file: Path,
    exchanges: Iterable[Exchange[A]],
    base_url: str,
    redact: Redact,
    *,
    known: Mapping[str, Any],
    asks: Callable[[Exchange[A]], dict[str, Any]],
) -> None:
    """Write a recording without keys.

    Args:
        file: where to write it
        exchanges: what is recorded
        base_url: where the requests went
        redact: replaces the keys in a text
        known: what the run knew of its target, without keys
        asks: returns the suite's notes on what a request asks for
    """
    log = {"version": "1.2", "creator": {"name": "hostup-conformance", "version": __version__}, "_target": dict(known)}

    def parts() -> Iterator[str]:  # entry by entry, since the whole may be large
        yield f'{{"log": {json.dumps(log, ensure_ascii=False)[:-1]}, "entries": ['
        for number, entry in enumerate(entries_for(exchanges, base_url, redact, asks)):
            yield ",\n" if number else "\n"
            yield json.dumps(entry, ensure_ascii=False, indent=1)
        yield "\n]}}\n"

    # It has the output of commands, which are nobody else's business.
    write_whole(file, parts(), FOR_ME)


def entries_for(
    exchanges: Iterable[Exchange[A]], base_url: str, redact: Redact, asks: Callable[[Exchange[A]], dict[str, Any]]
) -> Iterator[dict[str, Any]]:
    """Yield exchanges as entries, leaving out responses that are too large or whose redaction takes too long."""
    left = RECORDING_SECONDS
    for exchange in exchanges:
        began = process_time()
        too_large = replace(exchange, response=None, too_large="not recorded, since its response is too large")
        try:
            if exchange.response and len(exchange.response.body) > RECORDED:
                raise TimeUp
            with at_most(max(left, LEAST_SECONDS)):
                entry = entry_for(exchange, base_url, redact, asks)
        except TimeUp:
            entry = entry_for(too_large, base_url, redact, asks)
        left -= process_time() - began
        yield entry


def entry_for(
    e: Exchange[A], base_url: str, redact: Redact, asks: Callable[[Exchange[A]], dict[str, Any]]
) -> dict[str, Any]:
    """Return an exchange as an entry."""
    milliseconds = round(e.seconds * 1000, 3)
    return {
        "startedDateTime": (e.when or datetime.now(UTC)).isoformat(),
        "time": milliseconds,
        "request": {
            **request_for(e.request, base_url, redact),
            "_asks": {**asks(e), "purpose": e.purpose, **({"aside": True} if e.aside else {}), **failure_of(e, redact)},
        },
        "response": response_for(e.response, redact),
        **({"connection": str(e.response.connection)} if e.response and e.response.connection else {}),
        "cache": {},
        "timings": {"send": 0, "wait": milliseconds, "receive": 0},
        # A failure may quote what the server sent.
        "comment": e.purpose if e.response else redact(f"{e.purpose}: {e.failure or e.too_large}"),
    }


def failure_of(e: Exchange[A], redact: Redact) -> dict[str, str]:
    """Return why an exchange has no complete response, and how it was lost, if it has none; a status of 0 does not."""
    return {"failure": redact(e.failure)} | ({"lost": e.lost} if e.lost else {}) if e.failure else {}


def request_for(request: Request, base_url: str, redact: Redact) -> dict[str, Any]:
    """Return a request as the format has it."""
    recorded: dict[str, Any] = {
        "method": request.method,
        "url": redact(base_url + request.target),
        "httpVersion": "HTTP/1.1",
        "headers": [recorded_field(name, value, redact) for name, value in request.headers],
        "queryString": [],
        "cookies": [],
        "headersSize": -1,
        "bodySize": len(request.body),
    }
    if request.body:
        mime_type = request.header("content-type") or ""
        recorded["postData"] = {"mimeType": mime_type, **content_for(request.body, redact)}
    return recorded


def response_for(response: Response | None, redact: Redact) -> dict[str, Any]:
    """Return a response as the format has it; where there is none, with the status 0, as browsers write it."""
    kept = response or Response(0, (), b"")
    return {
        "status": kept.status,
        "statusText": redact(kept.phrase),
        "httpVersion": OLD if kept.is_old else "HTTP/1.1",
        "headers": [{"name": redact(name), "value": redact(value)} for name, value in kept.headers],
        "cookies": [],
        "content": {
            "size": len(kept.body),
            "mimeType": redact(kept.header("content-type") or ""),
            **(content_for(kept.body, redact) if response else {}),
        },
        "redirectURL": redact(kept.header("location") or ""),
        "headersSize": -1,
        "bodySize": len(kept.body) if response else -1,
    }


def recorded_field(name: str, value: str, redact: Redact) -> dict[str, str]:
    """Return a request header field; the value of a credential is reduced to its scheme."""
    if name.lower() in CREDENTIALS:
        scheme, _, _ = value.rpartition(" ")
        value = f"{scheme} {MARK}".strip()
    return {"name": name, "value": redact(value)}


def content_for(body: bytes, redact: Redact) -> dict[str, Any]:
    """Return the members that hold a body: text in UTF-8 as it is, anything else in base64."""
    try:
        return {"text": redact(body.decode("utf-8"))}
    except UnicodeDecodeError:
        # Keys are ASCII, and Latin-1 decodes any bytes.
        redacted = redact(body.decode("latin-1")).encode("latin-1")
        return {"text": b64encode(redacted).decode(), "encoding": "base64"}
