"""Reads the content of responses within bounds of size and memory, and decodes its coding."""

import re
import threading
import zlib
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from functools import cache
from io import BytesIO

from hostup_conformance.http.json_text import bytes_in_memory, count_values
from hostup_conformance.http.limits import Limits
from hostup_conformance.http.messages import Headers, values_of

#: The size (in bytes) from which a body is large, and after how many bodies above their limit no large one is read.
LARGE, ENOUGH = 1 << 20, 3
#: How many bytes are decompressed at once, to at most as many as `LARGE`.
PIECE = 1 << 16
#: No response needs more header fields, or more gzip members.
MOST_FIELDS, MOST_MEMBERS = 1000, 100
#: What may fill up the space behind a gzip member.
PADDING = re.compile(rb"\0*")


class TooLarge(Exception):
    """The response is larger than any of its kind need be, and is not kept. The message names the limit."""


class Memory:
    """The memory that the responses of a run may take. Once it is used up, what `stop` returns for it is raised."""

    def __init__(self, limits: Limits, stop: Callable[[str], Exception]) -> None:
        self._limits, self._stop = limits, stop
        self._bytes = self._values = self._too_large = 0
        #: Held while a large response is read: several at once would need too much memory.
        self._one_large = threading.Lock()
        self._lock = threading.Lock()

    def read(self, fields: Headers, chunks: Iterable[bytes], longest: int) -> tuple[bytes, str | None]:
        """Return the content of a response, decoded, and what was wrong with its coding, if anything.

        Args:
            fields: the header fields of the response
            chunks: its content as it arrives
            longest: how many bytes a response of its kind can need

        Raises:
            TooLarge: it has more bytes, or needs more memory
        """
        try:
            return self._read(fields, chunks, min(longest, self._limits.body_bytes))
        except TooLarge:
            self._too_large += 1
            raise

    def _read(self, fields: Headers, chunks: Iterable[bytes], limit: int) -> tuple[bytes, str | None]:
        if len(fields) > MOST_FIELDS:
            raise TooLarge(f"it has more than {MOST_FIELDS} header fields")
        if self._too_large >= ENOUGH:
            limit = min(limit, LARGE)
        with ExitStack() as turn:
            take_turn = cache(lambda: turn.enter_context(self._one_large))
            if limit > LARGE and "content-encoding" in values_of(fields):
                take_turn()
            left = self._limits.kept_bytes - self._bytes  # what is beyond it need not be read to be too much
            try:
                body = read_within(min(limit, left), chunks, take_turn)
                body, miscoded = decode_content(body, fields, min(limit, left))
            except TooLarge:
                if left < limit:
                    raise self._full() from None
                raise
            self._keep(body, fields)
        return body, miscoded

    def _keep(self, body: bytes, fields: Headers) -> None:
        """Count a response that is kept; raise `TooLarge` if it needs too much memory, stop if all together do.

        The one that is too much is not kept, and counts as not asked for: no single response is to blame.
        """
        limits = self._limits
        values = count_values(body)
        if values > limits.values:
            raise TooLarge(f"its body has more than {limits.values} JSON values")
        needed = bytes_in_memory(body)
        if needed > limits.text_bytes:
            raise TooLarge(f"its body needs more than {limits.text_bytes >> 20} MiB of memory as text")
        with self._lock:
            self._bytes += max(len(body), needed // 2)  # of a body of wide characters, more is kept than came
            self._values += values + len(fields)
            if self._bytes > limits.kept_bytes or self._values > limits.kept_values:
                raise self._full()

    def _full(self) -> Exception:
        """Stop the run; return the exception to raise."""
        limits = self._limits
        return self._stop(
            f"the responses are larger than a run keeps ({limits.kept_bytes >> 20} MiB and "
            f"{limits.kept_values} JSON values and header fields in all)"
        )


def read_within(limit: int, chunks: Iterable[bytes], take_turn: Callable[[], object]) -> bytes:
    """Return a body; take the turn for large ones if it is one; raise `TooLarge` if it is longer than the limit."""
    body = BytesIO()  # which needs no copy at its end, as a list of the chunks would
    for chunk in chunks:
        body.write(chunk)
        if body.tell() > LARGE:
            take_turn()
        if body.tell() > limit:
            raise TooLarge(f"its body is larger than {limit / 2**20:g} MiB")
    return body.getvalue()


def decode_content(body: bytes, headers: Headers, limit: int) -> tuple[bytes, str | None]:
    """Decode the content coding; return the body, and what was wrong with the coding, if anything.

    Raise `TooLarge` if the decoded body has more bytes than the limit.
    """
    coding = next((value.strip().lower() for name, value in headers if name.lower() == "content-encoding"), "identity")
    if coding in {"identity", ""} or not body:
        return body, None
    if coding not in {"gzip", "x-gzip", "deflate"}:
        return body, f"Content-Encoding {coding[:100]} was not asked for"
    decoded, at, members = BytesIO(), 0, 0
    while at < len(body) and members < MOST_MEMBERS:
        before = decoded.tell()
        try:
            end = decompress(body, at, decoded, limit)
        except zlib.error:
            decoded.truncate(before)
            whole = decoded.getvalue()
            return (whole, f"something follows the {coding} body") if members else (body, what_it_is(body, coding))
        if end is None:
            return decoded.getvalue(), f"the {coding} body is cut short"
        # A gzip body may consist of several members (RFC 1952 section 2.2).
        at = one.end() if (one := PADDING.match(body, end)) else end
        members += 1
    more = f"the {coding} body has more than {MOST_MEMBERS} members" if at < len(body) else None
    return decoded.getvalue(), more


def what_it_is(body: bytes, coding: str) -> str:
    """Return what a body is that is said to have a coding and has not."""
    in_base64 = body.startswith(b"H4sI") and coding.endswith("gzip")  # how the first three bytes of gzip look in base64
    return f"the body is not {coding}{', but gzip in base64' if in_base64 else ''}"


def decompress(data: bytes, at: int, into: BytesIO, limit: int) -> int | None:
    """Decompress one gzip member, or what deflate has made; return where it ends, None if it is cut short.

    It is done in pieces, since zlib would join a whole at its end, and so need twice its memory. Raise `TooLarge` if
    there are more bytes than the limit then.
    """
    decompressor = zlib.decompressobj(zlib.MAX_WBITS | 32)
    while at < len(data):
        rest = data[at : at + PIECE]
        at += len(rest)
        more = True
        while more:
            part = decompressor.decompress(rest, LARGE)
            into.write(part)
            if into.tell() > limit:
                raise TooLarge(f"its body decompresses to more than {limit >> 20} MiB")
            rest = decompressor.unconsumed_tail
            more = bool(rest) or len(part) == LARGE
        if decompressor.eof:
            return at - len(decompressor.unused_data)
    return None
