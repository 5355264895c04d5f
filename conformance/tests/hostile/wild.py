"""What servers and front ends in the wild do, as users of HTTP clients have reported; much of it is allowed."""

import gzip
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

from client.serving import Part
from hostup_conformance.http.incoming import CRLF

from hostile import ANY, CORRECT, hostile
from hostile.server import IDLE, KEEP, Good, Request, single


def section(request: Request) -> bytes:
    """Return the status line and header lines of the correct response, without length and end."""
    return request.good.lines


def framed(request: Request, fields: bytes, content: bytes) -> bytes:
    """Return the correct response with other framing; without any content for HEAD."""
    return section(request) + fields + CRLF + (b"" if request.method == "HEAD" else content)


def chunked(body: bytes) -> bytes:
    return b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body) if body else b"0\r\n\r\n"


@hostile(CORRECT)
def a_408_when_idle(request: Request) -> Iterator[Part]:
    """HAProxy and nginx: a connection that was idle gets 408, unasked, and ends (RFC 9110 section 15.5.9)."""
    yield request.sent()
    yield IDLE
    yield b"HTTP/1.0 408 Request Time-out\r\nConnection: close\r\nContent-Type: text/html\r\n\r\n<h1>408</h1>\n"


@hostile(CORRECT, quick=True)
def closes_without_saying(request: Request) -> Iterator[Part]:
    """Each connection ends after its response, although nothing said so (RFC 9112 section 9.5)."""
    yield request.sent(b"Keep-Alive: timeout=5, max=100\r\nConnection: keep-alive\r\n")


@hostile(CORRECT)
def a_byte_a_segment(request: Request) -> Iterator[Part]:
    """Each byte is sent by itself, as fast as it can."""
    yield from single(request.sent())
    yield KEEP


@hostile(CORRECT)
def head_is_chunked(request: Request) -> bytes:
    """All that has content is in chunks, and the response to HEAD says so too, without any (RFC 9112 section 6.1)."""
    return framed(request, b"Transfer-Encoding: chunked\r\n", chunked(request.good.body))


@hostile(CORRECT)
def chunks_in_unusual_dress(request: Request) -> bytes:
    """Sizes with leading zeros and capitals, and extensions with quoted strings (RFC 9112 section 7.1)."""
    body = request.good.body
    parts = [body[at : at + 171] for at in range(0, len(body), 171)]
    chunks = b"".join(b'%08X;a;b=c;d="e \\"; f"\r\n%s\r\n' % (len(part), part) for part in parts)
    return framed(request, b"Transfer-Encoding: Chunked\r\n", chunks + b"000;end\r\n\r\n")


@hostile(CORRECT)
def fields_in_unusual_dress(request: Request) -> bytes:
    """Tabs or no blanks around values, empty fields, capitals, h2c on offer, and a policy of 15 KB."""
    length = len(request.good.body)
    fields = b"CONTENT-LENGTH:\t%d \t\r\nX-Empty:\r\nX-Tab:\ta\tb\t\r\nUpgrade: h2,h2c\r\n" % length
    fields += b'Connection: Upgrade, Keep-Alive\r\nAlt-Svc: h3=":443"; ma=86400\r\nServer-Timing:a;dur=1,,b\r\n'
    fields += b"Content-Security-Policy: default-src 'none'" + b"; img-src https://cdn.example" * 500 + CRLF
    return framed(request, fields, request.good.body)


@hostile(CORRECT)
def gzip_with_all_flags(request: Request) -> bytes:
    """Where gzip is accepted, it has a name, a comment, extra fields and a checksum of its header (RFC 1952)."""
    if "gzip" not in request.headers.get("accept-encoding", ""):
        return request.sent()
    head = b"\x1f\x8b\x08\x1e\0\0\0\0\0\xff" + b"\x04\0ABCD" + b"name\0" + b"comment\0"
    head += (zlib.crc32(head) & 0xFFFF).to_bytes(2, "little")
    return request.sent(
        b"Content-Encoding: gzip\r\nVary: Accept-Encoding\r\n", head + gzip.compress(request.good.body)[10:]
    )


@hostile(ANY)
def length_as_a_list(request: Request) -> bytes:
    """A proxy has put two equal lengths into one field (RFC 9110 section 8.6)."""
    length = b"%d" % len(request.good.body)
    return framed(request, b"Content-Length: " + length + b", " + length + CRLF, request.good.body)


@hostile()
def length_with_a_sign(request: Request) -> Iterator[Part]:
    """Content-Length: +42, which some languages take for a number."""
    yield framed(request, b"Content-Length: +%d\r\n" % len(request.good.body), request.good.body)


@hostile()
def length_of_the_decoded_body(request: Request) -> Iterator[Part]:
    """A filter has compressed the content, and left its length: the rest never comes."""
    body = gzip.compress(request.good.body + b" " * 2000)
    yield framed(request, b"Content-Encoding: gzip\r\nContent-Length: %d\r\n" % (len(request.good.body) + 2000), body)
    yield 100.0


@hostile()
def no_length_and_no_end(request: Request) -> Iterator[Part]:
    """No length, no chunks, and the connection stays open: where the content ends nobody can tell."""
    yield framed(request, b"Connection: keep-alive\r\n", request.good.body)
    yield 100.0


@hostile(ANY)
def chunked_in_http_1_0(request: Request) -> Iterator[Part]:
    """HTTP/1.0 with chunks, which that version does not know."""
    whole = framed(request, b"Transfer-Encoding: chunked\r\n", chunked(request.good.body))
    yield whole.replace(b"HTTP/1.1", b"HTTP/1.0", 1)


@hostile(ANY)
def the_last_chunk_of_nothing(request: Request) -> bytes:
    """OPTIONS gets 204, said to be chunked, with the last chunk: on a kept connection it begins the next response."""
    if request.method == "OPTIONS":
        return b"HTTP/1.1 204 No Content\r\nAllow: GET, HEAD, OPTIONS\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
    return request.sent()


@hostile(ANY)
def gzip_of_no_bytes(request: Request) -> bytes:
    """What has no content is said to be gzip all the same, HEAD and OPTIONS among it."""
    if request.method == "GET":
        return request.sent()
    return section(request) + b"Content-Encoding: gzip\r\nContent-Length: 0\r\n\r\n"


@hostile(ANY)
def two_content_types(request: Request) -> bytes:
    """A proxy adds its own Content-Type, as a second field or to the first one."""
    more = b"Content-Type: text/plain\r\n" if request.number % 2 else b"Content-Type: application/json, text/html\r\n"
    return request.sent(more)


@hostile(ANY)
def statuses_of_front_ends(request: Request) -> bytes:
    """Every seventh request gets a page with 502, 504, 520, 522, 524, 525, 530, 421, 425, 431, 499 or 598."""
    statuses = (502, 504, 520, 522, 524, 525, 530, 421, 425, 431, 499, 598)
    if request.number % 7:
        return request.sent()
    status = statuses[request.number // 7 % len(statuses)]
    page = b"" if request.method == "HEAD" else b"<h1>Error</h1>"
    return b"HTTP/1.1 %d\r\nContent-Type: text/html\r\nContent-Length: %d\r\n\r\n" % (status, len(page)) + page


@hostile()
def the_response_before(request: Request) -> bytes:
    """A proxy has lost count: each request gets the response to the one before, of whoever sent it."""
    before: Good = request.memory.get("last", request.good)
    request.memory["last"] = request.good
    return before.sent()


@hostile()
def a_cache_that_ignores_the_key(request: Request) -> bytes:
    """A cache keeps the first response for each path and query, whatever the key."""
    first: Good = request.memory.setdefault(request.target, request.good)
    return first.sent()


@hostile(ANY)
def a_clock_of_2038(request: Request) -> Iterator[Part]:
    """The server's clock is years ahead: its Date, and a Retry-After two seconds later on every fifteenth request."""
    now = datetime(2038, 1, 19, 3, 14, 8, tzinfo=UTC)
    date = b"Date: " + format_datetime(now, usegmt=True).encode() + CRLF
    if request.number % 15:
        yield request.sent(date)
    else:
        later = format_datetime(now + timedelta(seconds=2), usegmt=True).encode()
        body = b'{"type": "about:blank", "title": "Slow down", "status": 429, "code": "rate_limited", "detail": ""}'
        yield b"HTTP/1.1 429 X\r\nContent-Type: application/problem+json\r\n" + date
        yield b"Retry-After: %s\r\nContent-Length: %d\r\n\r\n" % (later, len(body)) + body
    yield KEEP


@hostile(ANY)
def nothing_remains_ever(request: Request) -> bytes:
    """Each response says that no request remains until a moment in seconds, milliseconds or years, in turn."""
    now = datetime.now(UTC)
    resets = (
        (now + timedelta(seconds=1)).isoformat(), str(int(now.timestamp() * 1000)), "1", "-1", "99999999999999999999",
        str(int(now.timestamp()) + 2), (now + timedelta(days=4000)).isoformat(), "", "1e9", str(now.timestamp() + 1),
    )  # fmt: skip
    reset = resets[request.number % len(resets)].encode()
    return request.sent(b"X-RateLimit-Limit: 1\r\nX-RateLimit-Remaining: 0\r\nX-RateLimit-Reset: " + reset + CRLF)
