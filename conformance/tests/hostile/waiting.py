"""Retry-After in every form, redirects, and servers that change their mind."""

import json
from collections.abc import Iterator

from client.serving import Part

from hostile import ANY, BAD, hostile
from hostile.server import KEEP, Request

ODD = (
    b"0", b"-1", b"1.5", b"1e3", b"9999999999", b"10000000000", b"9" * 400, b"", b"soon", b"1, 1", b"0x10", b"+1",
    b"Sun, 06 Nov 1994 08:49:37 GMT", b"Sunday, 06-Nov-94 08:49:37 GMT", b"Sun Nov  6 08:49:37 1994",
    b"Fri, 31 Dec 99999999999 23:59:59 GMT", b"Fri, 31 Dec 9999 23:59:59 -9999", b"Mon, 99 Foo 2026 99:99:99 GMT",
    b"Wed, 21 Oct 2015 07:28:00 +9999999999", "１".encode(), b"2026-11-25T20:00:00Z", b"\xff\0",
)  # fmt: skip


def problem(status: int, code: str, *fields: bytes) -> bytes:
    body = json.dumps(
        {"type": f"https://developer.hostup.se/errors/{code}", "title": "T", "status": status, "detail": "D",
         "code": code, "instance": "/i", "requestId": "r", "timestamp": "2026-04-27T12:34:56.000Z"}
    ).encode()  # fmt: skip
    head = b"HTTP/1.1 %d X\r\nContent-Type: application/problem+json\r\n" % status
    return head + b"".join(field + b"\r\n" for field in fields) + b"Content-Length: %d\r\n\r\n" % len(body) + body


def limited(*fields: bytes, status: int = 429) -> bytes:
    code = "rate_limit_exceeded" if status == 429 else "upstream_unavailable"
    return problem(status, code, b"X-RateLimit-Limit: 60", b"X-RateLimit-Remaining: 0", *fields)


@hostile(ANY)
def each_odd_retry_after_once(request: Request) -> bytes:
    """Every third request gets 429 with another form of Retry-After, legal or not."""
    which, third = divmod(request.number, 3)
    return limited(b"Retry-After: " + ODD[which]) if third == 0 and which < len(ODD) else request.sent()


@hostile(ANY)
def each_odd_retry_after_with_503(request: Request) -> bytes:
    """Every third request gets 503 with another form of Retry-After, legal or not."""
    which, third = divmod(request.number, 3)
    return limited(b"Retry-After: " + ODD[which], status=503) if third == 0 and which < len(ODD) else request.sent()


@hostile(lookup=True)
def always_429(_request: Request) -> bytes:
    """429 to everything, with a Retry-After of one second."""
    return limited(b"Retry-After: 1")


@hostile(lookup=True)
def always_429_for_ever(_request: Request) -> bytes:
    """429 to everything, with a Retry-After of 10^10 seconds."""
    return limited(b"Retry-After: 10000000000")


@hostile(lookup=True)
def always_503(_request: Request) -> bytes:
    """503 to everything, with a Retry-After of two seconds."""
    return limited(b"Retry-After: 2", status=503)


@hostile(BAD)
def always_429_at_once(_request: Request) -> bytes:
    """429 to everything, with a Retry-After of 0."""
    return limited(b"Retry-After: 0")


@hostile(ANY)
def two_retry_afters(request: Request) -> bytes:
    """429 for the tenth request, with a Retry-After of a second and one of an hour."""
    return limited(b"Retry-After: 1", b"Retry-After: 3600") if request.number == 10 else request.sent()


@hostile(ANY)
def every_second_is_limited(request: Request) -> bytes:
    """Every second request gets 429, for a second."""
    return limited(b"Retry-After: 1") if request.number % 2 else request.sent()


def moved(request: Request, where: str) -> bytes:
    """Return a redirection."""
    status = (301, 302, 303, 307, 308)[request.number % 5]
    return f"HTTP/1.1 {status} X\r\nLocation: {where}\r\nContent-Length: 0\r\n\r\n".encode()


@hostile(lookup=True)
def redirects_to_metadata(request: Request) -> bytes:
    """Redirects to the metadata address of clouds, and to other places inside."""
    places = ("http://169.254.169.254/latest/meta-data/", "http://[fd00:ec2::254]/", "http://127.0.0.1:22/", "//[::1]")
    return moved(request, places[request.number % len(places)])


@hostile()
def redirects_with_the_key(request: Request) -> bytes:
    """Redirects to another host, with the key in the query."""
    return moved(request, f"https://evil.invalid/?token={request.key}")


@hostile()
def good_then_nothing(request: Request) -> Iterator[Part]:
    """Right for 30 requests, then no byte."""
    if request.number > 30:
        yield 200.0
    yield request.sent()
    yield KEEP


@hostile()
def good_then_resets(request: Request) -> Iterator[Part]:
    """Right for 30 requests, then every connection is closed without a byte."""
    if request.number <= 30:
        yield request.sent()
        yield KEEP


@hostile()
def good_then_huge(request: Request) -> bytes:
    """Right for 30 requests, then 30 MiB each."""
    return request.sent(body=request.good.body + (b" " * (30 << 20) if request.number > 30 else b""))


@hostile()
def another_mind_each_time(request: Request) -> bytes:
    """In turn: right, limited, moved, empty, an error, right again."""
    turns = (request.sent(), limited(b"Retry-After: 0"), moved(request, "/"), request.sent(body=b""), problem(500, "x"))
    return turns[request.number % 5]
