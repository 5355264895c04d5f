"""Chunks, trailers, connections that break or drip, at every place."""

from collections.abc import Iterator

from client.serving import Part
from hostup_conformance.http.incoming import CRLF

from hostile import ANY, CORRECT, hostile
from hostile.server import KEEP, RESET, Request, forever, pauses, single

CHUNKED = b"Transfer-Encoding: chunked\r\n\r\n"
MIB = 2**20


def chunk(data: bytes, size: bytes = b"") -> bytes:
    return (size or b"%x" % len(data)) + CRLF + data + CRLF


@hostile(CORRECT)
def one_byte_chunks(request: Request) -> Iterator[Part]:
    """Each byte is a chunk, with an extension, and a trailer follows: all of it is allowed."""
    body = b"" if request.method == "HEAD" else b"".join(chunk(byte, b'1;a="b"') for byte in single(request.good.body))
    yield request.good.lines + CHUNKED
    if request.method != "HEAD":
        yield body + b"0\r\nX-Trailer: a\r\n\r\n"
    yield KEEP


@hostile()
def chunk_size_is_no_number(request: Request) -> Iterator[Part]:
    """A chunk's size is `zz`."""
    yield request.good.lines + CHUNKED + chunk(request.good.body, b"zz") + b"0\r\n\r\n"


@hostile(quick=True)
def chunk_size_of_twenty_digits(request: Request) -> Iterator[Part]:
    """A chunk's size has twenty digits, and little of it comes."""
    yield request.good.lines + CHUNKED + b"F" * 20 + CRLF + request.good.body
    yield 200.0


@hostile()
def no_last_chunk(request: Request) -> Iterator[Part]:
    """The last chunk is missing, and the connection ends."""
    yield request.good.lines + CHUNKED + chunk(request.good.body)


@hostile()
def chunks_without_end(request: Request) -> Iterator[Part]:
    """Chunks of a byte, as fast as it can, without end."""
    yield request.good.lines + CHUNKED
    yield from forever(b"1\r\n \r\n" * 10_000)


@hostile()
def trailers_without_end(request: Request) -> Iterator[Part]:
    """Trailer fields never end."""
    yield request.good.lines + CHUNKED + chunk(request.good.body) + b"0\r\n"
    yield from forever(b"X-A: a\r\n" * 1000)


@hostile()
def chunked_twice(request: Request) -> Iterator[Part]:
    """Transfer-Encoding is chunked, chunked."""
    inner = chunk(request.good.body) + b"0\r\n\r\n"
    yield request.good.lines + b"Transfer-Encoding: chunked, chunked\r\n\r\n" + chunk(inner) + b"0\r\n\r\n"


@hostile(ANY)
def body_after_head(request: Request) -> bytes:
    """HEAD gets a body as GET does."""
    return request.good.sent(body=request.good.body or b"{}")


@hostile(lookup=True)
def drips_the_status_line(request: Request) -> Iterator[Part]:
    """The status line comes a byte a second."""
    yield from pauses(single(request.sent()), 1.0)


@hostile()
def drips_the_body(request: Request) -> Iterator[Part]:
    """The body comes a byte a second."""
    yield request.good.lines + b"Content-Length: 100000\r\n\r\n"
    yield from pauses(forever(b" "), 1.0)


@hostile(ANY)
def drips_just_in_time(request: Request) -> Iterator[Part]:
    """Each whole response takes 3.5 seconds, just within what a client waits."""
    yield 3.5
    yield request.sent()


@hostile(lookup=True)
def says_nothing(_request: Request) -> Iterator[Part]:
    """No byte comes, and the connection stays open."""
    yield 200.0


@hostile()
def closes_at_once(_request: Request) -> Iterator[Part]:
    """The connection is closed without a byte."""
    yield b""


@hostile()
def resets_in_the_header(request: Request) -> Iterator[Part]:
    """The connection is reset in the header section."""
    yield request.good.lines
    yield RESET


@hostile()
def resets_in_a_chunk(request: Request) -> Iterator[Part]:
    """The connection is reset in a chunk."""
    yield request.good.lines + CHUNKED + b"100\r\n{"
    yield RESET


@hostile(ANY)
def resets_after_the_response(request: Request) -> Iterator[Part]:
    """The connection is reset right after each response, although it was to stay open."""
    yield request.sent()
    yield RESET


@hostile(ANY)
def closes_a_kept_connection(request: Request) -> Iterator[Part]:
    """Every third request on a kept connection is cut off without a byte."""
    if request.number % 3:
        yield request.sent()
        yield KEEP


@hostile(ANY)
def every_tenth_hangs(request: Request) -> Iterator[Part]:
    """Every tenth request gets nothing, the others are right."""
    if request.number % 10 == 0:
        yield 200.0
    yield request.sent()
    yield KEEP
