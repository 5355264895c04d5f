"""Hostile bodies: bombs, sizes, JSON that is big, deep or wide, numbers, encodings."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from functools import cache

from hostup_conformance.http.scripted import Part

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
def bombs_of_a_few_mebibytes(request: Request) -> Iterator[Part]:
    """The right JSON, with 30 MiB of blanks after it, in gzip."""
    yield request.sent(b"Content-Encoding: gzip\r\n", gzip.compress(request.good.body + blanks(30), 1))
    yield KEEP


@hostile()
def nested_bomb(request: Request) -> Iterator[Part]:
    """A bomb in gzip in gzip in gzip."""
    yield request.sent(b"Content-Encoding: gzip, gzip, gzip\r\n", bomb(500, 3))


@hostile()
def coding_nobody_asked_for(request: Request) -> Iterator[Part]:
    """Content-Encoding is br."""
    yield request.sent(b"Content-Encoding: br\r\n", b"\x0b\x02\x80{}\x03")
    yield KEEP


@hostile()
def half_a_gzip(request: Request) -> Iterator[Part]:
    """The gzip stops in its middle."""
    yield request.sent(b"Content-Encoding: gzip\r\n", gzip.compress(request.good.body)[:-12])
    yield KEEP


@hostile(lookup=True)
def thirty_mebibytes_each(request: Request) -> Iterator[Part]:
    """The right JSON with 30 MiB of blanks before it, in every response."""
    yield request.sent(body=blanks(30) + request.good.body)
    yield KEEP


@hostile()
def ten_thousand_small_responses(request: Request) -> Iterator[Part]:
    """Each response is followed by ten thousand others."""
    yield request.sent()
    yield b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}" * 10_000
    yield KEEP


@hostile(lookup=True)
def json_a_million_deep(request: Request) -> Iterator[Part]:
    """Arrays in arrays, a million deep."""
    yield request.sent(body=b"[" * MIB)


@hostile()
def json_nine_hundred_deep(request: Request) -> Iterator[Part]:
    """Objects in objects, 900 deep: a parser manages, what walks over it may not."""
    yield request.sent(body=b'{"a":' * 900 + b"{}" + b"}" * 900)
    yield KEEP


@hostile(lookup=True)
def object_of_a_million_members(request: Request) -> Iterator[Part]:
    """An object of a million members."""
    yield request.sent(body=b"{" + b",".join(b'"m%d":{}' % n for n in range(MIB)) + b"}")


@hostile()
def objects_within_the_limit(request: Request) -> Iterator[Part]:
    """Just under a mebibyte of empty objects, in every response."""
    yield request.sent(body=b'{"a":[' + b",".join([b"{}"] * 340_000) + b"]}")
    yield KEEP


@hostile()
def many_names_twice(request: Request) -> Iterator[Part]:
    """Objects of 999 names that all stand twice."""
    one = b"{" + b",".join(b'"m%d":1' % (n // 2) for n in range(998)) + b"}"
    yield request.sent(body=b"[" + b",".join([one] * 90) + b"]")
    yield KEEP


@hostile(ANY, lookup=True)
def list_without_end(request: Request) -> Iterator[Part]:
    """Each page of the list names a next one, and VPSs that are not there."""
    if request.is_list:
        page = b'{"data":[{"id":"vps_%d"}],"hasMore":true,"nextCursor":"c%d"}' % (request.number, request.number)
        yield request.sent(body=page)
    else:
        yield request.sent()
    yield KEEP


@hostile()
def huge_exponent(request: Request) -> Iterator[Part]:
    """1e999999999 and the like in the place of numbers and booleans."""
    yield request.sent(body=b'{"available": 1e999999999, "exited": 1E400, "exitCode": -1e999, "status": 1e99999}')
    yield KEEP


@hostile()
def number_of_five_thousand_digits(request: Request) -> Iterator[Part]:
    """Integers of 5000 digits, which Python does not read, in status and exitCode."""
    digits = b"9" * 5000
    yield request.sent(body=b'{"status": %s, "exited": true, "exitCode": -%s, "pid": %s}' % (digits, digits, digits))
    yield KEEP


@hostile()
def no_numbers(request: Request) -> Iterator[Part]:
    """NaN, Infinity, -0, 0x10 and 01."""
    yield request.sent(body=b'{"available": NaN, "exitCode": Infinity, "status": -0, "pid": -Infinity}')
    yield KEEP


@hostile()
def utf_16(request: Request) -> Iterator[Part]:
    """The right JSON in UTF-16."""
    yield request.sent(body=request.good.body.decode().encode("utf-16"))
    yield KEEP


@hostile()
def lone_surrogates(request: Request) -> Iterator[Part]:
    """Halves of surrogate pairs, escaped and as they are, in names and values."""
    yield request.sent(body=b'{"available": "\\ud800", "\\udfff": "\xed\xa0\x80", "detail": "\\udc80\\ud800x"}')
    yield KEEP


@hostile()
def bytes_of_all_kinds(request: Request) -> Iterator[Part]:
    """256 bytes of every value, often."""
    yield request.sent(body=bytes(range(256)) * 4000)
    yield KEEP


@hostile()
def nothing(request: Request) -> Iterator[Part]:
    """An empty body in every response."""
    yield request.sent(body=b"")
    yield KEEP


@hostile()
def half_of_each_body(request: Request) -> Iterator[Part]:
    """Half of the JSON, with a length that says so."""
    yield request.sent(body=request.good.body[: len(request.good.body) // 2])
    yield KEEP


@hostile(ANY)
def output_of_190_mebibytes(request: Request) -> Iterator[Part]:
    """Each poll that is allowed brings the largest output that an agent keeps, each byte of it written as six."""
    if request.good.status == 200 and "pid=" in request.target and request.method == "GET":
        yield request.sent(body=b'{"exited": false, "stdout": "%s"}' % escapes(190))
    else:
        yield request.sent()
    yield KEEP


@hostile(ANY)
def one_emoji_in_much_output(request: Request) -> Iterator[Part]:
    """Output of 20 MiB with one character beyond U+FFFF, for which Python takes four bytes for each of them."""
    if request.good.status == 200 and "pid=" in request.target and request.method == "GET":
        yield request.sent(
            body=b'{"exited": true, "exitCode": 0, "stdout": "\xf0\x9f\x98\x80%s"}' % (b"a" * (20 * MIB))
        )
    else:
        yield request.sent()
    yield KEEP


@hostile(ANY)
def escapes_within_escapes(request: Request) -> Iterator[Part]:
    """900 KB of percent signs that are escaped twice, in every response: each has to be read for keys in many ways."""
    yield request.json(detail="%2525" * 180_000)
    yield KEEP


@hostile(ANY)
def much_to_compare_with_much(request: Request) -> Iterator[Part]:
    """Two outputs of 60 MiB that begin with a blank, and 90,000 strings in each of ten other responses."""
    memory = request.memory
    if request.good.status == 200 and "pid=" in request.target and memory.setdefault("large", 0) < 2:
        memory["large"] += 1
        yield request.json(stdout=" " + "x" * (60 * MIB))
    elif "pid=" not in request.target and memory.setdefault("wide", 0) < 10:
        memory["wide"] += 1
        yield request.json(filler=["s"] * 90_000)
    else:
        yield request.sent()
    yield KEEP


@hostile(ANY)
def values_up_to_the_limit(request: Request) -> Iterator[Part]:
    """A million members of objects, as many as a run keeps, in twenty responses."""
    few = request.memory.setdefault("responses", 0) < 20
    request.memory["responses"] += 1
    yield request.json(**{f"m{n}": {} for n in range(24_000)}) if few else request.sent()
    yield KEEP


@hostile(ANY)
def errors_by_the_ten_thousand(request: Request) -> Iterator[Part]:
    """Twelve thousand entries of errors[] in twenty problem documents."""
    few = request.good.status >= 400 and request.memory.setdefault("problems", 0) < 20
    if few:
        request.memory["problems"] += 1
    entry = {"detail": "d", "pointer": "/a~0" * 3, "code": "x"}
    yield request.json(errors=[entry] * 12_000) if few else request.sent()
    yield KEEP
