"""Hostile bodies: bombs, sizes, JSON that is big, deep or wide, numbers, encodings."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from functools import cache

from hostile import ANY, hostile
from hostile.server import KEEP, Asked, Part

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
def gzip_bomb(asked: Asked) -> Iterator[Part]:
    """A gigabyte of blanks in a megabyte of gzip."""
    yield asked.sent(b"Content-Encoding: gzip\r\n", bomb(1024))


@hostile()
def many_small_bombs(asked: Asked) -> Iterator[Part]:
    """150 MiB in 150 KB of gzip, in every response."""
    yield asked.sent(b"Content-Encoding: gzip\r\n", bomb(150))


@hostile(ANY)
def bombs_of_a_few_mebibytes(asked: Asked) -> Iterator[Part]:
    """The right JSON, with 30 MiB of blanks after it, in gzip."""
    yield asked.sent(b"Content-Encoding: gzip\r\n", gzip.compress(asked.good.body + blanks(30), 1))
    yield KEEP


@hostile()
def deflate_bomb(asked: Asked) -> Iterator[Part]:
    """300 MiB of blanks in deflate."""
    yield asked.sent(b"Content-Encoding: deflate\r\n", zlib.compress(blanks(300), 9))


@hostile()
def nested_bomb(asked: Asked) -> Iterator[Part]:
    """A bomb in gzip in gzip in gzip."""
    yield asked.sent(b"Content-Encoding: gzip, gzip, gzip\r\n", bomb(500, 3))


@hostile()
def a_thousand_codings(asked: Asked) -> Iterator[Part]:
    """Content-Encoding names gzip a thousand times."""
    yield asked.sent(b"Content-Encoding: " + b", ".join([b"gzip"] * 1000) + b"\r\n", bomb(1))


@hostile()
def coding_nobody_asked_for(asked: Asked) -> Iterator[Part]:
    """Content-Encoding is br."""
    yield asked.sent(b"Content-Encoding: br\r\n", b"\x0b\x02\x80{}\x03")
    yield KEEP


@hostile()
def half_a_gzip(asked: Asked) -> Iterator[Part]:
    """The gzip stops in its middle."""
    yield asked.sent(b"Content-Encoding: gzip\r\n", gzip.compress(asked.good.body)[:-12])
    yield KEEP


@hostile(lookup=True)
def thirty_mebibytes_each(asked: Asked) -> Iterator[Part]:
    """The right JSON with 30 MiB of blanks before it, in every response."""
    yield asked.sent(body=blanks(30) + asked.good.body)
    yield KEEP


@hostile(ANY)
def a_large_member_each(asked: Asked) -> Iterator[Part]:
    """A member of 900 KB in every response."""
    yield asked.json(filler="x" * 900_000)
    yield KEEP


@hostile()
def ten_thousand_small_responses(asked: Asked) -> Iterator[Part]:
    """Each response is followed by ten thousand others."""
    yield asked.sent()
    yield b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}" * 10_000
    yield KEEP


@hostile(lookup=True)
def json_a_million_deep(asked: Asked) -> Iterator[Part]:
    """Arrays in arrays, a million deep."""
    yield asked.sent(body=b"[" * MIB)


@hostile()
def json_nine_hundred_deep(asked: Asked) -> Iterator[Part]:
    """Objects in objects, 900 deep: a parser manages, what walks over it may not."""
    yield asked.sent(body=b'{"a":' * 900 + b"{}" + b"}" * 900)
    yield KEEP


@hostile(lookup=True)
def object_of_a_million_members(asked: Asked) -> Iterator[Part]:
    """An object of a million members."""
    yield asked.sent(body=b"{" + b",".join(b'"m%d":{}' % n for n in range(MIB)) + b"}")


@hostile()
def objects_by_the_million(asked: Asked) -> Iterator[Part]:
    """An array of a million empty objects: little on the wire, much in memory."""
    yield asked.sent(body=b"[" + b",".join([b"{}"] * MIB) + b"]")


@hostile()
def objects_within_the_limit(asked: Asked) -> Iterator[Part]:
    """Just under a mebibyte of empty objects, in every response."""
    yield asked.sent(body=b'{"a":[' + b",".join([b"{}"] * 340_000) + b"]}")
    yield KEEP


@hostile()
def the_same_name_a_hundred_thousand_times(asked: Asked) -> Iterator[Part]:
    """One name 50,000 times, in an object."""
    yield asked.sent(body=b"{" + b",".join([b'"available":true'] * 50_000) + b"}")
    yield KEEP


@hostile()
def many_names_twice(asked: Asked) -> Iterator[Part]:
    """Objects of 999 names that all stand twice."""
    one = b"{" + b",".join(b'"m%d":1' % (n // 2) for n in range(998)) + b"}"
    yield asked.sent(body=b"[" + b",".join([one] * 90) + b"]")
    yield KEEP


@hostile(ANY, lookup=True)
def list_of_a_million_vpss(asked: Asked) -> Iterator[Part]:
    """The list of VPSs has a million entries."""
    if asked.is_list:
        yield asked.sent(body=b'{"data":[' + b",".join(b'{"id":"vps_%d"}' % n for n in range(MIB)) + b"]}")
    else:
        yield asked.sent()
    yield KEEP


@hostile(ANY, lookup=True)
def list_without_end(asked: Asked) -> Iterator[Part]:
    """Each page of the list names a next one, and VPSs that are not there."""
    if asked.is_list:
        page = b'{"data":[{"id":"vps_%d"}],"hasMore":true,"nextCursor":"c%d"}' % (asked.number, asked.number)
        yield asked.sent(body=page)
    else:
        yield asked.sent()
    yield KEEP


@hostile()
def huge_exponent(asked: Asked) -> Iterator[Part]:
    """1e999999999 and the like in the place of numbers and booleans."""
    yield asked.sent(body=b'{"available": 1e999999999, "exited": 1E400, "exitCode": -1e999, "status": 1e99999}')
    yield KEEP


@hostile()
def number_of_a_million_digits(asked: Asked) -> Iterator[Part]:
    """An integer of 500,000 digits."""
    yield asked.sent(body=b'{"available": true, "exited": false, "exitCode": ' + b"9" * 500_000 + b"}")
    yield KEEP


@hostile()
def number_of_five_thousand_digits(asked: Asked) -> Iterator[Part]:
    """Integers of 5000 digits, which Python does not read, in status and exitCode."""
    digits = b"9" * 5000
    yield asked.sent(body=b'{"status": %s, "exited": true, "exitCode": -%s, "pid": %s}' % (digits, digits, digits))
    yield KEEP


@hostile()
def no_numbers(asked: Asked) -> Iterator[Part]:
    """NaN, Infinity, -0, 0x10 and 01."""
    yield asked.sent(body=b'{"available": NaN, "exitCode": Infinity, "status": -0, "pid": -Infinity}')
    yield KEEP


@hostile()
def utf_16(asked: Asked) -> Iterator[Part]:
    """The right JSON in UTF-16."""
    yield asked.sent(body=asked.good.body.decode().encode("utf-16"))
    yield KEEP


@hostile()
def utf_7(asked: Asked) -> Iterator[Part]:
    """HTML in UTF-7, said to be so."""
    yield asked.sent(body=b"+ADw-script+AD4-alert(1)+ADw-/script+AD4-")
    yield KEEP


@hostile()
def byte_order_mark(asked: Asked) -> Iterator[Part]:
    """A byte order mark before each body."""
    yield asked.sent(body=b"\xef\xbb\xbf" + asked.good.body)
    yield KEEP


@hostile()
def lone_surrogates(asked: Asked) -> Iterator[Part]:
    """Halves of surrogate pairs, escaped and as they are, in names and values."""
    yield asked.sent(body=b'{"available": "\\ud800", "\\udfff": "\xed\xa0\x80", "detail": "\\udc80\\ud800x"}')
    yield KEEP


@hostile()
def bytes_of_all_kinds(asked: Asked) -> Iterator[Part]:
    """256 bytes of every value, often."""
    yield asked.sent(body=bytes(range(256)) * 4000)
    yield KEEP


@hostile()
def an_image(asked: Asked) -> Iterator[Part]:
    """A PNG that says it is JSON."""
    yield asked.sent(body=b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + bytes(4000))
    yield KEEP


@hostile()
def two_texts(asked: Asked) -> Iterator[Part]:
    """Two JSON texts, one after the other."""
    yield asked.sent(body=asked.good.body * 2)
    yield KEEP


@hostile()
def nothing(asked: Asked) -> Iterator[Part]:
    """An empty body in every response."""
    yield asked.sent(body=b"")
    yield KEEP


@hostile()
def half_of_each_body(asked: Asked) -> Iterator[Part]:
    """Half of the JSON, with a length that says so."""
    yield asked.sent(body=asked.good.body[: len(asked.good.body) // 2])
    yield KEEP


@hostile(ANY)
def output_of_190_mebibytes(asked: Asked) -> Iterator[Part]:
    """Each poll that is allowed brings the largest output that an agent keeps, each byte of it written as six."""
    if asked.good.status == 200 and "pid=" in asked.target and asked.method == "GET":
        yield asked.sent(body=b'{"exited": false, "stdout": "%s"}' % escapes(190))
    else:
        yield asked.sent()
    yield KEEP


@hostile(ANY)
def one_emoji_in_much_output(asked: Asked) -> Iterator[Part]:
    """Output of 20 MiB with one character beyond U+FFFF, for which Python takes four bytes for each of them."""
    if asked.good.status == 200 and "pid=" in asked.target and asked.method == "GET":
        yield asked.sent(body=b'{"exited": true, "exitCode": 0, "stdout": "\xf0\x9f\x98\x80%s"}' % (b"a" * (20 * MIB)))
    else:
        yield asked.sent()
    yield KEEP


@hostile(ANY)
def escapes_within_escapes(asked: Asked) -> Iterator[Part]:
    """900 KB of percent signs that are escaped twice, in every response: each has to be read for keys in many ways."""
    yield asked.json(detail="%2525" * 180_000)
    yield KEEP


@hostile(ANY)
def much_to_compare_with_much(asked: Asked) -> Iterator[Part]:
    """Two outputs of 60 MiB that begin with a blank, and 90,000 strings in each of ten other responses."""
    memory = asked.memory
    if asked.good.status == 200 and "pid=" in asked.target and memory.setdefault("large", 0) < 2:
        memory["large"] += 1
        yield asked.json(stdout=" " + "x" * (60 * MIB))
    elif "pid=" not in asked.target and memory.setdefault("wide", 0) < 10:
        memory["wide"] += 1
        yield asked.json(filler=["s"] * 90_000)
    else:
        yield asked.sent()
    yield KEEP


@hostile(ANY)
def values_up_to_the_limit(asked: Asked) -> Iterator[Part]:
    """A million members of objects, as many as a run keeps, in twenty responses."""
    few = asked.memory.setdefault("responses", 0) < 20
    asked.memory["responses"] += 1
    yield asked.json(**{f"m{n}": {} for n in range(24_000)}) if few else asked.sent()
    yield KEEP


@hostile(ANY)
def errors_by_the_ten_thousand(asked: Asked) -> Iterator[Part]:
    """Twelve thousand entries of errors[] in twenty problem documents."""
    few = asked.good.status >= 400 and asked.memory.setdefault("problems", 0) < 20
    if few:
        asked.memory["problems"] += 1
    entry = {"detail": "d", "pointer": "/a~0" * 3, "code": "x"}
    yield asked.json(errors=[entry] * 12_000) if few else asked.sent()
    yield KEEP
