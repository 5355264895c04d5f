"""Status lines and header sections."""

from collections.abc import Iterator

from client.serving import Part
from hostup_conformance.http.incoming import CRLF

from hostile import ANY, BAD, CORRECT, NOT_HTTP, hostile
from hostile.server import KEEP, Request, forever

MIB = 2**20


@hostile(CORRECT, quick=True)
def latin_1_header(request: Request) -> bytes:
    """A header field value holds a Latin-1 letter, as RFC 9110 section 5.5 allows."""
    return request.sent(b"X-Served-By: Malm\xf6\r\n")


@hostile(ANY)
def every_byte_in_a_header(request: Request) -> Iterator[Part]:
    """A header field value holds each byte but CR and LF."""
    yield request.sent(b"X-A: " + bytes(b for b in range(256) if b not in b"\r\n") + CRLF)


@hostile(ANY)
def folded_header(request: Request) -> Iterator[Part]:
    """A header field is folded over lines (obs-fold)."""
    yield request.sent(b"X-A: a\r\n\tb\r\n   c\r\n")


@hostile()
def header_without_colon(request: Request) -> Iterator[Part]:
    """A header line has no colon."""
    yield request.sent(b"this is no field\r\n")


@hostile()
def space_before_the_colon(request: Request) -> Iterator[Part]:
    """A space stands between name and colon."""
    yield request.sent(b"X-A : a\r\n")


@hostile()
def ten_thousand_fields(request: Request) -> Iterator[Part]:
    """Ten thousand header fields."""
    yield request.sent(b"".join(b"X-%d: a\r\n" % n for n in range(10_000)))


@hostile(quick=True)
def header_section_without_end(request: Request) -> Iterator[Part]:
    """Header fields never end."""
    yield request.good.lines
    yield from forever(b"X-A: a\r\n" * 1000)


@hostile(ANY)
def bare_cr(request: Request) -> Iterator[Part]:
    """A header field value holds a bare CR."""
    yield request.sent(b"X-A: a\rSet-Cookie: b\r\n")


@hostile(ANY)
def bare_lf(request: Request) -> Iterator[Part]:
    """The lines end in LF alone."""
    head, _, body = request.sent().partition(2 * CRLF)
    yield head.replace(CRLF, b"\n") + b"\n\n" + body


@hostile()
def status_of_four_digits(request: Request) -> Iterator[Part]:
    """The status code is 2000."""
    yield b"HTTP/1.1 2000 OK\r\n" + request.sent().partition(CRLF)[2]


@hostile()
def status_999(request: Request) -> Iterator[Part]:
    """The status code is 999, which no class has."""
    yield b"HTTP/1.1 999 Denied\r\n" + request.sent().partition(CRLF)[2]


@hostile()
def evil_status_line(_request: Request) -> Iterator[Part]:
    """The status line is an escape sequence and a script."""
    yield b"\x1b[2J<script>alert(1)</script>\xff\0 200 OK\r\n\r\n{}"


@hostile(quick=True)
def status_line_of_five_mebibytes(_request: Request) -> Iterator[Part]:
    """The reason phrase has 5 MiB."""
    yield b"HTTP/1.1 200 " + b"a" * 5 * MIB + CRLF * 2


@hostile(quick=True)
def length_below_zero(request: Request) -> Iterator[Part]:
    """Content-Length is -1, and every other time a number of a thousand digits."""
    length = b"9" * 1000 if request.number % 2 else b"-1"
    yield request.good.lines + b"Content-Length: " + length + CRLF * 2 + request.good.body


@hostile()
def http_0_9(request: Request) -> Iterator[Part]:
    """The body alone, as in HTTP/0.9."""
    yield request.good.body or b"{}"


@hostile(NOT_HTTP)
def http_2_preface(_request: Request) -> Iterator[Part]:
    """A server's HTTP/2 connection preface: SETTINGS, GOAWAY."""
    yield b"\0\0\0\x04\0\0\0\0\0" + b"\0\0\x08\x07\0\0\0\0\0" + b"\0" * 7 + b"\x0d"


@hostile(NOT_HTTP)
def a_tls_alert(_request: Request) -> Iterator[Part]:
    """A TLS alert, from a port that wants https."""
    yield b"\x15\x03\x01\0\x02\x02\x46"


@hostile(lookup=True, quick=True)
def early_hints_without_end(_request: Request) -> Iterator[Part]:
    """103 Early Hints without end."""
    yield from forever(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" * 1000)


@hostile()
def continue_without_end(_request: Request) -> Iterator[Part]:
    """100 Continue, once in a tenth of a second, without end."""
    for part in forever(b"HTTP/1.1 100 Continue\r\n\r\n"):
        yield 0.1
        yield part


@hostile(quick=True)
def switching_protocols(_request: Request) -> Iterator[Part]:
    """101 Switching Protocols, unasked, and bytes of another one."""
    yield b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: upgrade\r\n\r\n" + b"\0" * MIB


@hostile()
def split_response(request: Request) -> bytes:
    """The id of the path is put into a header field with a second response in it."""
    return request.sent(
        b"X-Id: a\r\nContent-Length: 2\r\n\r\n{}HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nX-B: b\r\n"
    )


@hostile()
def a_response_before_the_request(request: Request) -> Iterator[Part]:
    """After each response comes one that nobody asked for, a little later."""
    yield request.sent()
    yield 0.02
    yield b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 19\r\n\r\n{"available": true}'
    yield KEEP


@hostile(BAD)
def two_lengths(request: Request) -> Iterator[Part]:
    """Two of Content-Length that differ."""
    yield request.sent(b"Content-Length: 1\r\n")


@hostile()
def length_and_chunks(request: Request) -> Iterator[Part]:
    """Content-Length and Transfer-Encoding together."""
    body = request.good.body
    yield request.good.lines + b"Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n"
    yield b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)


@hostile(quick=True)
def length_of_an_exabyte(request: Request) -> Iterator[Part]:
    """Content-Length is 10^18, and the connection stays open."""
    yield request.good.lines + b"Content-Length: 1000000000000000000\r\n\r\n" + request.good.body
    yield 200.0


@hostile(ANY)
def length_in_other_digits(request: Request) -> Iterator[Part]:
    """Content-Length in Arabic-Indic digits."""
    yield request.good.lines + "Content-Length: ٢٠\r\n\r\n".encode() + request.good.body


@hostile(quick=True)
def body_without_end(request: Request) -> Iterator[Part]:
    """A body without a length that never ends, as fast as it can."""
    yield request.good.lines + CRLF
    yield from forever(b" " * MIB)


@hostile(ANY)
def sixty_kilobytes_of_lists(request: Request) -> bytes:
    """Nine header fields of 7 KB each, of what lists, parameters and quoted strings are made of."""
    lists = {
        b"Allow": b"a,", b"WWW-Authenticate": b'Bearer a="\\"",', b"Vary": b", ", b"Cache-Control": b"a=,",
        b"Set-Cookie": b"a;", b"Link": b"<>;", b"Content-Language": b"a,", b"X-A": b'"\\', b"ETag": b'"a",',
    }  # fmt: skip
    return request.sent(b"".join(name + b": " + part * (7000 // len(part)) + CRLF for name, part in lists.items()))


@hostile(ANY)
def eight_hundred_fields_of_ten_names(request: Request) -> bytes:
    """Eighty times each of ten header fields that a linter reads."""
    names = (b"Age", b"ETag", b"Date", b"Vary", b"Cache-Control", b"Set-Cookie", b"Link", b"Via", b"Allow", b"Location")
    return request.sent(b"".join(b"%s: a%d\r\n" % (name, n) for n in range(80) for name in names))
