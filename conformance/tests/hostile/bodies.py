"""Hostile bodies: bombs, sizes, JSON that is big, deep or wide, numbers, encodings."""

import gzip
import zlib
from collections.abc import Iterator
from functools import cache

from client.serving import Part

from hostile import ANY, hostile
from hostile.server import KEEP, Request

MIB = 2**20


@cache
def bomb(mib: int, layers: int = 1) -> bytes:
    """Return blanks in gzip; further layers make it small enough to be sent often."""
    packer = zlib.compressobj(9, zlib.DEFLATED, zlib.MAX_WBITS | 16)
    data = b"".join(packer.compress(b" " * MIB) for _ in range(mib)) + packer.flush()
    for _ in range(layers - 1):
        data = gzip.compress(data, 9)
    return data


@cache
def blanks(mib: int) -> bytes:
    return b" " * (mib * MIB)


@cache
def escapes(mib: int) -> bytes:
    return b"\\u0001" * (mib * MIB // 6)


@hostile(lookup=True)
def gzip_bomb(request: Request) -> Iterator[Part]:
    """A gigabyte of blanks in a megabyte of gzip."""
    yield request.sent(b"Content-Encoding: gzip\r\n", bomb(1024))


@hostile()
def many_small_bombs(request: Request) -> Iterator[Part]:
    """150 MiB in 150 KB of gzip, in every response."""
    yield request.sent(b"Content-Encoding: gzip\r\n", bomb(150))


@hostile(ANY)
def bombs_of_a_few_mebibytes(request: Request) -> bytes:
    """The right JSON, with 30 MiB of blanks after it, in gzip."""
    return request.sent(b"Content-Encoding: gzip\r\n", gzip.compress(request.good.body + blanks(30), 1))


@hostile()
def nested_bomb(request: Request) -> Iterator[Part]:
    """A bomb in gzip in gzip in gzip."""
    yield request.sent(b"Content-Encoding: gzip, gzip, gzip\r\n", bomb(500, 3))


@hostile()
def coding_nobody_asked_for(request: Request) -> bytes:
    """Content-Encoding is br."""
    return request.sent(b"Content-Encoding: br\r\n", b"\x0b\x02\x80{}\x03")


@hostile()
def half_a_gzip(request: Request) -> bytes:
    """The gzip stops in its middle."""
    return request.sent(b"Content-Encoding: gzip\r\n", gzip.compress(request.good.body)[:-12])


@hostile(lookup=True)
def thirty_mebibytes_each(request: Request) -> bytes:
    """The right JSON with 30 MiB of blanks before it, in every response."""
    return request.sent(body=blanks(30) + request.good.body)


@hostile(quick=True)
def ten_thousand_small_responses(request: Request) -> Iterator[Part]:
    """Each response is followed by ten thousand others."""
    yield request.sent()
    yield b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}" * 10_000
    yield KEEP


@hostile(lookup=True, quick=True)
def json_a_million_deep(request: Request) -> Iterator[Part]:
    """Arrays in arrays, a million deep."""
    yield request.sent(body=b"[" * MIB)


@hostile()
def json_nine_hundred_deep(request: Request) -> bytes:
    """Objects in objects, 900 deep: a parser manages, what walks over it may not."""
    return request.sent(body=b'{"a":' * 900 + b"{}" + b"}" * 900)


@hostile(lookup=True)
def object_of_a_million_members(request: Request) -> Iterator[Part]:
    """An object of a million members."""
    yield request.sent(body=b"{" + b",".join(b'"m%d":{}' % n for n in range(MIB)) + b"}")


@hostile()
def objects_within_the_limit(request: Request) -> bytes:
    """Just under a mebibyte of empty objects, in every response."""
    return request.sent(body=b'{"a":[' + b",".join([b"{}"] * 340_000) + b"]}")


@hostile(quick=True)
def many_names_twice(request: Request) -> bytes:
    """Objects of 999 names that all stand twice."""
    one = b"{" + b",".join(b'"m%d":1' % (n // 2) for n in range(998)) + b"}"
    return request.sent(body=b"[" + b",".join([one] * 90) + b"]")


@hostile(ANY, lookup=True)
def list_without_end(request: Request) -> bytes:
    """Each page of the list names a next one, and VPSs that are not there."""
    if request.is_list:
        page = b'{"data":[{"id":"vps_%d"}],"hasMore":true,"nextCursor":"c%d"}' % (request.number, request.number)
        return request.sent(body=page)
    return request.sent()


@hostile()
def huge_exponent(request: Request) -> bytes:
    """1e999999999 and the like in the place of numbers and booleans."""
    return request.sent(body=b'{"available": 1e999999999, "exited": 1E400, "exitCode": -1e999, "status": 1e99999}')


@hostile(quick=True)
def number_of_five_thousand_digits(request: Request) -> bytes:
    """Integers of 5000 digits, which Python does not read, in status and exitCode."""
    digits = b"9" * 5000
    return request.sent(body=b'{"status": %s, "exited": true, "exitCode": -%s, "pid": %s}' % (digits, digits, digits))


@hostile()
def no_numbers(request: Request) -> bytes:
    """NaN, Infinity, -0, 0x10 and 01."""
    return request.sent(body=b'{"available": NaN, "exitCode": Infinity, "status": -0, "pid": -Infinity}')


@hostile()
def utf_16(request: Request) -> bytes:
    """The right JSON in UTF-16."""
    return request.sent(body=request.good.body.decode().encode("utf-16"))


@hostile()
def lone_surrogates(request: Request) -> bytes:
    """Halves of surrogate pairs, escaped and as they are, in names and values."""
    return request.sent(body=b'{"available": "\\ud800", "\\udfff": "\xed\xa0\x80", "detail": "\\udc80\\ud800x"}')


@hostile()
def bytes_of_all_kinds(request: Request) -> bytes:
    """256 bytes of every value, often."""
    return request.sent(body=bytes(range(256)) * 4000)


@hostile(quick=True)
def nothing(request: Request) -> bytes:
    """An empty body in every response."""
    return request.sent(body=b"")


@hostile()
def half_of_each_body(request: Request) -> bytes:
    """Half of the JSON, with a length that says so."""
    return request.sent(body=request.good.body[: len(request.good.body) // 2])


@hostile(ANY)
def output_of_190_mebibytes(request: Request) -> bytes:
    """Each poll that is allowed brings the largest output that an agent keeps, each byte of it written as six."""
    if request.good.status == 200 and "pid=" in request.target and request.method == "GET":
        return request.sent(body=b'{"exited": false, "stdout": "%s"}' % escapes(190))
    return request.sent()


#: Output that takes as much memory as it may, by what it is of, and how many MiB of that.
LARGEST = {b"a": 160, b"\\ud83d\\ude00": 190, "\U0001f600".encode(): 150, b'\\"': 199}


@cache
def packed(of: bytes) -> bytes:
    return gzip.compress(b'{"exited": true, "exitCode": 0, "stdout": "%s"}' % (of * (LARGEST[of] * MIB // len(of))), 1)


def output_of(of: bytes, request: Request) -> bytes:
    """Return the correct response, but for polls some output in gzip."""
    if request.good.status == 200 and "pid=" in request.target and request.method == "GET":
        return request.sent(b"Content-Encoding: gzip\r\n", packed(of))
    return request.sent()


@hostile(commands=True)
def bomb_of_letters(request: Request) -> bytes:
    """The output of each command is 160 MiB of letters, in gzip."""
    return output_of(b"a", request)


@hostile(commands=True)
def bomb_of_escaped_emoji(request: Request) -> bytes:
    """The output of each command is 190 MiB of escapes for emoji, in gzip."""
    return output_of(b"\\ud83d\\ude00", request)


@hostile(commands=True)
def bomb_of_emoji(request: Request) -> bytes:
    """The output of each command is 150 MiB of emoji, in gzip."""
    return output_of("\U0001f600".encode(), request)


@hostile(commands=True)
def bomb_of_quotes(request: Request) -> bytes:
    """The output of each command is 199 MiB of escaped quotation marks, in gzip."""
    return output_of(b'\\"', request)


@hostile(ANY)
def one_emoji_in_much_output(request: Request) -> bytes:
    """Output of 20 MiB with one character beyond U+FFFF, for which Python takes four bytes for each of them."""
    if request.good.status == 200 and "pid=" in request.target and request.method == "GET":
        return request.sent(
            body=b'{"exited": true, "exitCode": 0, "stdout": "\xf0\x9f\x98\x80%s"}' % (b"a" * (20 * MIB))
        )
    return request.sent()


@hostile(ANY)
def escapes_within_escapes(request: Request) -> bytes:
    """900 KB of percent signs that are escaped twice, in every response: each has to be read for keys in many ways."""
    return request.json(detail="%2525" * 180_000)


@hostile(ANY)
def much_to_compare_with_much(request: Request) -> bytes:
    """Two outputs of 60 MiB that begin with a blank, and 90,000 strings in each of ten other responses."""
    memory = request.memory
    if request.good.status == 200 and "pid=" in request.target and memory.setdefault("large", 0) < 2:
        memory["large"] += 1
        return request.json(stdout=" " + "x" * (60 * MIB))
    if "pid=" not in request.target and memory.setdefault("wide", 0) < 10:
        memory["wide"] += 1
        return request.json(filler=["s"] * 90_000)
    return request.sent()


@hostile(ANY)
def values_up_to_the_limit(request: Request) -> bytes:
    """A million members of objects, as many as a run keeps, in twenty responses."""
    few = request.memory.setdefault("responses", 0) < 20
    request.memory["responses"] += 1
    return request.json(**{f"m{n}": {} for n in range(24_000)}) if few else request.sent()


@hostile(ANY)
def errors_by_the_ten_thousand(request: Request) -> bytes:
    """Twelve thousand entries of errors[] in twenty problem documents."""
    few = request.good.status >= 400 and request.memory.setdefault("problems", 0) < 20
    if few:
        request.memory["problems"] += 1
    entry = {"detail": "d", "pointer": "/a~0" * 3, "code": "x"}
    return request.json(errors=[entry] * 12_000) if few else request.sent()
