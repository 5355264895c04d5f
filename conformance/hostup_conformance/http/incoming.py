"""Reads requests of HTTP/1.1 byte for byte, as long as their bytes may come. It must not know who sends them."""

import asyncio
from collections.abc import Callable

from hostup_conformance.http.messages import Headers, Request

CRLF = b"\r\n"
#: The greatest number of bytes in a header section, and in a body; and how much of a body is read at once.
LARGEST_HEAD, LARGEST_BODY, PIECE = 2**16, 2**20, 2**14
#: No length has more digits.
LONGEST_LENGTH = 20
#: What is said of a request whose connection ended before its body, or within it.
CUT = "the body is shorter than the request says"
#: Counts bytes that were received; raises `TooMuch`.
Count = Callable[[int], None]


class Malformed(Exception):
    """What was received is not an HTTP/1.1 request; the message says why."""


async def read_request(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, count: Count
) -> tuple[Request, bool] | None:
    """Return the next request on a connection, and whether it is HTTP/1.0; None at the end.

    Raise `Malformed` if it is not a request.
    """
    try:
        head = await reader.readuntil(2 * CRLF)
    except asyncio.LimitOverrunError:
        raise Malformed(f"a header section of more than {LARGEST_HEAD >> 10} KiB") from None
    except asyncio.IncompleteReadError as error:
        if b"\n\n" in error.partial:
            raise Malformed(f"header lines that end with LF alone, without CR: {error.partial[:60]!r}") from None
        if error.partial:
            what = "not an HTTP request" if error.partial.strip() else "an empty line behind a request (RFC 9112 2.2)"
            raise Malformed(f"{what}: {error.partial[:60]!r}") from None
        return None
    count(len(head))
    method, target, headers, is_old = parsed(head[:-4])
    if any(name.lower() == "expect" and value.lower() == "100-continue" for name, value in headers):
        writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    return Request(method, target, headers, await read_body(reader, headers, count)), is_old


def parsed(head: bytes) -> tuple[str, str, Headers, bool]:
    """Return method, target, fields, and whether it is HTTP/1.0; raise `Malformed` if RFC 9112 does not allow them."""
    first, *lines = head.decode("latin-1").split("\r\n")
    words = first.split(" ")
    if len(words) != 3 or not words[2].startswith("HTTP/1.") or not words[0].isascii() or not words[1].isascii():
        raise Malformed(f"not a request line of HTTP/1.1: {first[:60]!r}")
    headers = []
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon or not name or name != name.strip():
            raise Malformed(f"not a header field: {name[:30]!r}")
        headers.append((name, value.strip(" \t")))
    return words[0], words[1], tuple(headers), words[2] == "HTTP/1.0"


async def read_body(reader: asyncio.StreamReader, headers: Headers, count: Count) -> bytes:
    """Return the content of a request; raise `Malformed` if it has no clear end or is too large."""
    names = {name.lower(): value for name, value in headers}
    try:
        if "chunked" in names.get("transfer-encoding", "").lower():
            return await read_chunks(reader, count)
        size = int(names.get("content-length", "0")[:LONGEST_LENGTH])
        if not 0 <= size <= LARGEST_BODY:
            raise Malformed(f"a body of more than {LARGEST_BODY >> 20} MiB")
        return await read_exactly(reader, size, count)
    except asyncio.IncompleteReadError as error:
        came = f": {len(error.partial)} of {error.expected} bytes came" if error.partial else ""
        raise Malformed(f"{CUT}{came}") from None
    except (ValueError, asyncio.LimitOverrunError):
        raise Malformed("nothing tells where the body ends") from None


async def read_exactly(reader: asyncio.StreamReader, size: int, count: Count) -> bytes:
    """Return so many bytes, each counted when it comes; raise `asyncio.IncompleteReadError` if there are fewer."""
    data = bytearray()
    while len(data) < size:
        if not (piece := await reader.read(min(PIECE, size - len(data)))):
            raise asyncio.IncompleteReadError(bytes(data), size)
        count(len(piece))
        data += piece
    return bytes(data)


async def read_chunks(reader: asyncio.StreamReader, count: Count) -> bytes:
    """Return a chunked body (RFC 9112, section 7.1)."""
    body = bytearray()
    while size := int((await reader.readuntil(CRLF)).partition(b";")[0][:LONGEST_LENGTH], 16):
        if not 0 < size <= LARGEST_BODY - len(body):
            raise Malformed(f"a body of more than {LARGEST_BODY >> 20} MiB")
        body += (await read_exactly(reader, size + 2, count))[:-2]
    while (line := await reader.readuntil(CRLF)) != CRLF:
        count(len(line))
    return bytes(body)
