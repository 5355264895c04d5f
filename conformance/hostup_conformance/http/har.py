"""Reads and writes recorded traffic (HAR 1.2). It must not know whose traffic it is.

The format: http://www.softwareishard.com/blog/har-12-spec/. Browsers, proxies and schemathesis write it. Members of
our own begin with an underscore, as the format demands: what the run knew of its target, and what each request asked.
"""

import json
import re
from base64 import b64decode, b64encode
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cache, partial, wraps
from itertools import chain, zip_longest
from pathlib import Path
from time import monotonic, process_time
from typing import Any, Concatenate, ParamSpec, TypeVar
from urllib.parse import unquote_plus, urlsplit

import jsonschema_rs

from hostup_conformance import __version__
from hostup_conformance.http.exchange import A, Exchange
from hostup_conformance.http.json_text import bytes_in_memory, count_values, has_more, read_json, schema_errors
from hostup_conformance.http.messages import Headers, Request, Response
from hostup_conformance.http.times import A_CENTURY, rfc3339
from hostup_conformance.keeping.files import FOR_ME, read_plain, write_whole
from hostup_conformance.keeping.misconfigured import Misconfigured
from hostup_conformance.keeping.redact import MARK
from hostup_conformance.keeping.safe_text import Redact, counted, on_one_line
from hostup_conformance.keeping.time_limit import TimeUp, at_most, before

P = ParamSpec("P")
T = TypeVar("T")
#: The form of an entry.
SCHEMA = Path(__file__).with_name("har.schema.json")
#: The largest file that is read, in bytes, and how many bytes of memory each JSON value in it counts for besides its
#: text and its strings, of which both together have twice the bytes of the file at most.
LARGEST_FILE, BYTES_PER_VALUE = 250 << 20, 200
#: For how many seconds a recording is read: the largest of ordinary ones takes ten.
READING_SECONDS = 60.0
#: How many JSON values an entry may have: its check by a schema takes ten times their memory.
MOST_VALUES = 50_000
#: The greatest number of entries, which can be judged in time; and how many characters of different credentials in it
#: can be kept out of reports.
MOST_ENTRIES, MOST_SECRET = 5000, 1 << 20
#: Responses with larger bodies (in bytes) are left out of a recording. Redaction may take long, so a response is left
#: out too once redacting has taken so many seconds in all; each still gets the last figure, in seconds.
RECORDED, RECORDING_SECONDS, A_MOMENT = 8 << 20, 10.0, 0.02
#: Header fields that no longer describe a body that was decoded before it was recorded.
CODINGS = {"content-encoding", "transfer-encoding", "content-length"}
#: Request header fields whose values are credentials; and what says so in the name of another field or a parameter.
CREDENTIALS = {"authorization", "proxy-authorization", "cookie", "x-api-key", "api-key", "x-auth-token"}
CREDENTIAL = re.compile(
    r"""(?<![a-z])(?:auth|hmac|jwt|dpop|keys?|otp|pass|pin|pwd?|pw|sid|sig|[a-z]{0,20}(?:sessid|sessionid))(?![a-z])
      | (?:access|api|auth|client|functions?|private|secret|session|shared|subscription)[-_]?(?:cert|id|key)(?![a-z])
      | (?<!page)token(?!i[sz]) | secret | passw | passphrase | cookie | session(?![a-z]) | credential | signature
      | bearer | saml | oidc | principal | authori[sz]ation | authentication""",
    re.IGNORECASE | re.VERBOSE,
)
#: Header fields whose values are shown of somebody else's recording, since they are no credentials by any standard.
#: (Authorization is shown as its scheme.) Of what else it has, the values are shown that are too short for one.
HARMLESS = frozenset(
    {*("accept", "accept-encoding", "accept-language", "accept-ranges", "access-control-allow-credentials")}
    | {*("access-control-allow-headers", "access-control-allow-methods", "access-control-allow-origin")}
    | {*("access-control-expose-headers", "access-control-max-age", "access-control-request-method", "age")}
    | {*("allow", "alt-svc", "authorization", "cache-control", "cf-ray", "connection", "content-disposition")}
    | {*("content-encoding", "content-language", "content-length", "content-location", "content-security-policy")}
    | {*("content-type", "date", "etag", "expect", "expires", "host", "if-match", "if-modified-since")}
    | {*("if-none-match", "keep-alive", "last-modified", "link", "location", "origin", "pragma", "prefer")}
    | {*("preference-applied", "proxy-authenticate", "range", "ratelimit", "ratelimit-limit", "ratelimit-policy")}
    | {*("ratelimit-remaining", "ratelimit-reset", "retry-after", "server", "strict-transport-security", "te")}
    | {*("traceparent", "trailer", "transfer-encoding", "upgrade", "user-agent", "vary", "via", "warning")}
    | {*("www-authenticate", "x-content-type-options", "x-forwarded-for", "x-http-method-override", "x-powered-by")}
    | {*("x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset", "x-request-id")}
)
#: How many characters of a name are looked at, and how long a credential is that is recognized where it stands alone.
LONGEST_NAME, SHORTEST_SECRET = 100, 8
#: What stands between parameters; and up to how many bytes of a body its members count.
SEPARATOR, LARGEST_SEARCHED = re.compile("[&;]"), 1 << 16
#: A name with its value as it may stand in any text: a parameter, a member of JSON in a string, an element of XML. A
#: value without a digit is a word.
NAMED = re.compile(
    r"""(?:^|(?P<before>[^\w.\[\]-]))(?P<name>[\w.\[\]-]{1,100})(?:\\{0,8}["']?\s{0,9}[=:]\s{0,9}\\{0,8}["']?|>)"""
    r"""(?=[^\s"'&;,<>\#\\:={}\[\]()]*[0-9])(?=(?P<value>[^\s"'&;,<>\#\\:={}\[\]()]{8,}=*))""",
    re.ASCII,
)
#: Parameters of addresses that are credentials, though their names do not say so, and what stands before one.
BEARING, BEFORE = {"assertion", "code", "nonce", "relaystate", "state", "ticket"}, {"?", "&", "#", ";"}


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


def in_time(understand: Callable[Concatenate[Path, P], T]) -> Callable[Concatenate[Path, P], T]:
    """Let a function that reads a recording, and understands it, raise `Misconfigured` if that takes too long."""

    @wraps(understand)
    def limited(file: Path, /, *args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return before(monotonic() + READING_SECONDS, partial(understand, file, *args, **kwargs))
        except TimeUp:
            why = f"it takes more than {READING_SECONDS:g} seconds to read"
            raise Misconfigured(f"--har {file}: {why}; record the endpoint's requests alone") from None

    return limited


def read(file: Path) -> Recording:
    """Read a recording; raise `Misconfigured` if the file is not HAR, or is too large."""
    try:
        data = read_plain(file, LARGEST_FILE)
        if bytes_in_memory(data) + BYTES_PER_VALUE * count_values(data) > 2 * LARGEST_FILE:
            raise Misconfigured(f"--har {file}: too large to be judged; record the endpoint's requests alone")
        # Some programs write NaN for an unknown time.
        log = json.loads(data.decode("utf-8-sig"), parse_constant=lambda _: None)["log"]
        del data
        entries, known = log["entries"], log.get("_target") or {}
        if not isinstance(entries, list) or not isinstance(known, dict):
            raise TypeError("log.entries is not an array, or log._target is not an object")
        if len(entries) > MOST_ENTRIES:
            remedy = "record the endpoint's requests alone"
            raise Misconfigured(f"--har {file}: it has more than {MOST_ENTRIES} entries; {remedy}")
        return Recording([checked(entry, number) for number, entry in enumerate(entries)], known)
    except OSError as error:
        raise Misconfigured(f"--har {file}: {error.strerror}; give a recording (HAR 1.2)") from None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        why = f"{type(error).__name__}: {on_one_line(str(error)[:300])}"
        raise Misconfigured(f"--har {file}: not HAR 1.2 ({why}); export it again") from None


def checked(entry: Any, number: int) -> Entry:
    """Return an entry of the file; raise `ValueError`, with the place, if it is malformed."""
    if has_more(entry, MOST_VALUES):
        raise ValueError(f"log.entries[{number}] has more than {MOST_VALUES} values")
    for error in schema_errors(form_of_entries(), entry, 1):
        place = ".".join(map(str, error.instance_path)) or "it"
        raise ValueError(f"log.entries[{number}].{place}: {error.message[:200]}")
    try:
        return entry_of(entry)
    except (ValueError, OverflowError) as error:
        raise ValueError(f"log.entries[{number}]: {error}") from None


@cache
def form_of_entries() -> jsonschema_rs.Draft202012Validator:
    """Return what finds the mistakes in an entry."""
    return jsonschema_rs.Draft202012Validator(json.loads(SCHEMA.read_text("utf-8")))


def entry_of(entry: dict[str, Any]) -> Entry:
    """Return the messages of an entry that has the form of one."""
    recorded = entry["request"]
    parts = urlsplit(recorded["url"])
    target = parts.path + (f"?{parts.query}" if parts.query else "")
    body = body_of(recorded.get("postData") or {})
    return Entry(
        request=Request(recorded["method"], target, headers_of(recorded), body),
        response=response_of(entry.get("response")),
        has_content=has_content(entry.get("response") or {}),
        seconds=min(max(float(entry.get("time") or 0), 0.0) / 1000, A_CENTURY),  # which can be added to any time
        when=rfc3339(entry["startedDateTime"]),
        asks=dict(recorded.get("_asks") or {}),
        origin=f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}",
    )


def headers_of(message: dict[str, Any]) -> Headers:
    """Return the header fields of a message, without the pseudo-header fields of HTTP/2."""
    return tuple((h["name"], h["value"]) for h in message["headers"] if not h["name"].startswith(":"))


def has_content(recorded: dict[str, Any]) -> bool:
    """Whether a recorded response has its content, or had none: without a text, only a size of 0 says so."""
    content = recorded.get("content") or {}
    return content.get("text") is not None or not content.get("size")


def response_of(recorded: dict[str, Any] | None) -> Response | None:
    """Return a recorded response, or None if there was none."""
    if not recorded or not recorded["status"]:
        return None
    headers = tuple(pair for pair in headers_of(recorded) if pair[0].lower() not in CODINGS)
    return Response(int(recorded["status"]), headers, body_of(recorded.get("content") or {}))


def body_of(content: dict[str, Any]) -> bytes:
    """Return the bytes of a `content` or a `postData`."""
    text = content.get("text") or ""
    return b64decode(text) if content.get("encoding") == "base64" else text.encode("utf-8", "surrogatepass")


def secrets_in(recorded: Iterable[Entry | Exchange[Any]]) -> set[str]:
    """Return the credentials that are sent in a recording, by the names of header fields, parameters and members.

    Raise `Misconfigured` if there are too many to be kept out of reports.
    """
    named = chain(*map(named_values, recorded))
    secrets = {value for name, value in named if len(value) >= SHORTEST_SECRET and is_credential(name)}
    if sum(map(len, secrets)) > MOST_SECRET:
        why = f"more than {MOST_SECRET >> 20} MiB of credentials, too much to be kept out of reports"
        raise Misconfigured(f"the recording has {why}; record fewer requests, or export it without sensitive data")
    return secrets


def named_values(one: Entry | Exchange[Any]) -> Iterator[tuple[str, str]]:
    """Yield what may be a credential in a request and its response, each with its name."""
    fields, body = (one.response.headers, one.response.body) if one.response else ((), b"")
    for name, value in one.request.headers + fields:
        yield from ((name, part) for part in parts_of(name, value))
    for name, _, value in parameters(one.request.target):
        yield from ((name, value), (name, unquote_plus(value)))
    for content in (one.request.body, body):
        yield from members(content)
        yield from named_in(content[:LARGEST_SEARCHED].decode("utf-8", "replace"))
    for text in (one.request.target, *(value for _, value in one.request.headers + fields)):
        yield from named_in(text)


def named_in(text: str) -> Iterator[tuple[str, str]]:
    """Yield the values in a text that have a name, each with that name."""
    for found in NAMED.finditer(text):
        is_bearing = found["before"] in BEFORE and found["name"].lower() in BEARING
        name = "credential" if is_bearing else found["name"]
        yield from ((name, found["value"]), (name, unquote_plus(found["value"])))


def members(body: bytes) -> Iterator[tuple[str, str]]:
    """Yield the members of JSON that are strings, at any depth, or the parameters of a form, each with its name."""
    if not body or len(body) > LARGEST_SEARCHED:
        return
    if body.lstrip()[:1] not in {b"{", b"["}:
        text = body.decode("utf-8", "replace")
        yield from ((name, unquote_plus(value)) for name, _, value in parameters(f"?{text}"))
        return
    level = [read_json(body).value]
    while level:
        inner = [pair for value in level if isinstance(value, dict) for pair in value.items()]
        yield from (pair for pair in inner if isinstance(pair[1], str))
        level = [value for _, value in inner] + [one for value in level if isinstance(value, list) for one in value]


def parts_of(name: str, value: str) -> list[str]:
    """Return the parts of a header field that may each be a credential: Authorization is without its scheme."""
    if name.lower() in {"authorization", "proxy-authorization"}:
        return [value.partition(" ")[2].strip() or value]
    if name.lower() == "cookie":
        return [cookie.partition("=")[2].strip() for cookie in value.split(";")]
    if name.lower() == "set-cookie":
        return [value.partition(";")[0].partition("=")[2].strip()]
    return [value.strip()]


def is_credential(name: str) -> bool:
    """Whether a header field or a parameter is a credential by its name."""
    return name.lower() in CREDENTIALS or CREDENTIAL.search(name[:LONGEST_NAME]) is not None


def parameters(address: str) -> Iterator[tuple[str, str, str]]:
    """Yield the parameters in the query of an address, each as its name, the equals sign, and its value, as sent."""
    query = address.partition("?")[2]
    yield from (part.partition("=") for part in SEPARATOR.split(query))


def without_credentials(request: Request, known: Collection[str] = ()) -> Request:
    """Return a request to be shown, with lengths in the places of what may be a credential.

    Of Authorization, the scheme is left: its key is taken out as all keys are. `known` are names of parameters that
    hold none.
    """
    query = request.target.partition("?")[2]
    between = SEPARATOR.findall(query)
    parts = (f"{name}{equals}{masked(name, value, known)}" for name, equals, value in parameters(request.target))
    query = "".join(chain.from_iterable(zip_longest(parts, between, fillvalue="")))
    fields = tuple((name, masked(name, value)) for name, value in request.headers)
    return replace(request, target=request.path + (f"?{query}" if query else ""), headers=fields)


def masked(name: str, value: str, harmless: Collection[str] = HARMLESS) -> str:
    """Return the value of a header field or parameter, or its length if it may be a credential by its name and length.

    Names in `harmless` are those of none, in lower case.
    """
    plain = unquote_plus(name)
    stays = not value or plain.partition("[")[0].strip().lower() in harmless
    if stays or (len(value) < SHORTEST_SECRET and not is_credential(plain)):
        return value
    return f"[{counted(len(value), 'character')}]"


def write(
    file: Path,
    exchanges: Iterable[Exchange[A]],
    base_url: str,
    redact: Redact,
    *,
    known: Mapping[str, Any],
    asks: Callable[[A], dict[str, Any]],
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
    exchanges: Iterable[Exchange[A]], base_url: str, redact: Redact, asks: Callable[[A], dict[str, Any]]
) -> Iterator[dict[str, Any]]:
    """Yield exchanges as entries, leaving out responses that are too large or whose redaction takes too long."""
    left = RECORDING_SECONDS
    for exchange in exchanges:
        began = process_time()
        too_large = replace(exchange, response=None, too_large="not recorded, since its response is too large")
        try:
            if exchange.response and len(exchange.response.body) > RECORDED:
                raise TimeUp
            with at_most(max(left, A_MOMENT)):
                entry = entry_for(exchange, base_url, redact, asks)
        except TimeUp:
            entry = entry_for(too_large, base_url, redact, asks)
        left -= process_time() - began
        yield entry


def entry_for(e: Exchange[A], base_url: str, redact: Redact, asks: Callable[[A], dict[str, Any]]) -> dict[str, Any]:
    """Return an exchange as an entry."""
    milliseconds = round(e.seconds * 1000, 3)
    return {
        "startedDateTime": (e.when or datetime.now(UTC)).isoformat(),
        "time": milliseconds,
        "request": {
            **request_for(e.request, base_url, redact),
            "_asks": {**asks(e.ask), "purpose": e.purpose, **({"aside": True} if e.aside else {})},
        },
        "response": response_for(e.response, redact),
        "cache": {},
        "timings": {"send": 0, "wait": milliseconds, "receive": 0},
        # A failure may quote what the server sent.
        "comment": e.purpose if e.response else redact(f"{e.purpose}: {e.failure or e.too_large}"),
    }


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
        "statusText": "",
        "httpVersion": "HTTP/1.1",
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
