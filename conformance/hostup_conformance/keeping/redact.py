r"""Keeps keys out of all that people see: terminal, reports, recordings and exceptions. It knows no formats.

Redaction works by construction. A text is read in every way that `readings` knows. In each, any eight consecutive
characters of a key are found, in either case and from either end, and so is any piece of its hexadecimal, base64 or
base32 form, at whatever alignment, that would reveal eight of its characters. So it does not matter how each character
of a key is written, or where the text was cut: fewer than eight characters of a key remain.

It does not know what no server writes by accident: base58, base85, uuencode, ROT13, compression, encryption, numbers
in octal or binary or without anything between them, objects of one character each, characters that are written twice,
fewer than eight characters at a time with other text between them, bytes in swapped pairs or read as UTF-16, and
numbers in lists that are encoded in hexadecimal, base64 or base32 in turn; nor, in a text of more than 4,096
characters, what is encoded twice in base32. So what is shown is small, and only what a finding is about.

The time is linear in the text: one look-up in a set for every few characters of each reading. The memory is that of a
window and of the keys: it grows with their characters, of which the first `ALL` are known in every form, the first
`ENCODED` also encoded, and the others as they are.
"""

import re
from base64 import b32encode, b64encode
from collections.abc import Callable, Container, Iterable, Iterator
from functools import cache, cached_property, lru_cache
from unicodedata import normalize  # noqa: TID251 - of one character

from hostup_conformance.keeping.readings import (
    DEPTH,
    EACH,
    ESCAPE,
    SEPARATORS,
    SHORT,
    Reading,
    every_reading,
    readings,
    span,
)

MARK = "[redacted]"
#: How many characters a label of a host name has at most (RFC 1035, section 2.3.4).
LABEL = 63
#: How many consecutive characters of a key are recognized. A shorter key cannot be told from ordinary text.
PIECE = 8
#: How many characters of the hexadecimal, base64 or base32 form of a key are recognized: they encode at most eight.
ENCODED_PIECE = 10
#: How many characters of keys are looked for in all forms, how many also encoded, and how many redacted texts are kept.
ALL, ENCODED, KEPT = 1 << 14, 1 << 16, 1000
#: How many characters of ASCII take as long as one of a key that has others: it has more forms.
DEAR = 16
#: How long a part of a piece is that is looked for first, and how many characters apart that is looked for.
MARKED, STRIDE = 4, PIECE - 4 + 1
#: How many characters are read at a time, and how many of the next ones with them.
WINDOW, OVERLAP = 1 << 18, 1 << 13
#: What names a credential: a key that is too short to be recognized alone is recognized after it.
_NAMED = r"(?i)(\b(?:bearer|authorization|api[-_]?key)\b[\s\"':=]{1,8}(?:(?:bearer|token|basic)\s{1,8})?)"
#: The characters that look like one of ASCII, as full-width letters do.
ASCII_ALIKE = {
    code: normal
    for first, last in ((0xFF01, 0xFF5E), (0x1D400, 0x1D7FF), (0x24B6, 0x24E9), (0x2460, 0x2468), (0x2070, 0x208E))
    for code in range(first, last + 1)
    if len(normal := normalize("NFKC", chr(code))) == 1 and normal.isascii()
}
ALIKE = frozenset(map(chr, ASCII_ALIKE))  # a pattern for so many takes sixty times as long


def folded(text: str) -> str:
    """Return a text as it is compared: without case, in one base64 alphabet, and of the same length."""
    if not text.isascii() and not ALIKE.isdisjoint(text):
        text = text.translate(ASCII_ALIKE)
    lower = text.lower() if text.isascii() else text.upper().lower()
    if len(lower) != len(text):
        lower = widening().sub("\ufffe", text).upper().lower()
    return lower.replace("-", "+").replace("_", "/")


@cache
def widening() -> re.Pattern[str]:
    """Return a pattern for the letters that become several when their case changes."""
    return re.compile(f"[{''.join(c for c in map(chr, range(0x10000)) if len(c.upper().lower()) != 1)}]")


def spellings(key: str) -> set[str]:
    """Return a key, the ways of reading it if it contains escapes itself, and the UTF-8 of each read as Latin-1.

    IDNA writes the letters of a label that are outside ASCII after all others (RFC 3492). It takes a time that grows
    with the square of the text, but no label is long.
    """
    read = {steps[-1].text for steps in readings(key)}
    read |= {text.encode("punycode").decode() for text in read if not text.isascii() and len(text) <= LABEL}
    return read | {text.encode("utf-8", "surrogatepass").decode("latin-1") for text in read}


def encodings(text: str) -> set[str]:
    """Return the encoded forms of a text, from its bytes in UTF-8 and, as Windows has them, in UTF-16."""
    return encoded(text.encode("utf-8", "surrogatepass")) | encoded(text.encode("utf-16-le", "surrogatepass"))


def encoded(data: bytes) -> set[str]:
    """Return the hexadecimal, base64 and base32 forms of bytes, without what depends on their neighbours."""

    def aligned(encode: Callable[[bytes], bytes], shift: int, bits: int) -> str:
        text = encode(b"\0" * shift + data).decode()
        return text[-(-shift * 8 // bits) : (shift + len(data)) * 8 // bits]

    return {
        data.hex(),
        *(aligned(b64encode, shift, 6) for shift in range(3)),
        *(aligned(b32encode, shift, 5) for shift in range(5)),
    }


def both_ways(texts: Iterable[str]) -> set[str]:
    """Return texts, and each from its end to its beginning."""
    return {way for text in texts for way in (text, text[::-1])}


def pieces(texts: Iterable[str], length: int) -> set[str]:
    """Return all substrings of a length, as they are compared."""
    return {text[at : at + length] for text in map(folded, texts) for at in range(len(text) - length + 1)}


class Redactor:
    """Finds and replaces keys in texts. A key of fewer than eight characters is replaced only after what names one."""

    def __init__(self, secrets: Iterable[str]) -> None:
        given = dict.fromkeys(filter(None, secrets))
        self._keys = [key for key in given if len(key) >= PIECE]
        short = sorted((re.escape(key) for key in given if len(key) < PIECE), key=len, reverse=True)
        self._short_texts = lru_cache(KEPT)(self._redacted)
        self._short = re.compile(rf"{_NAMED}(?:{'|'.join(short)})(?![\w-])") if short else None

    @cached_property
    def _looks_escaped(self) -> bool:
        return any(len(key) < 2 * PIECE or Reading(key).unescape(ESCAPE) for key in self._keys)

    def _kinds(self, text: str) -> list[re.Pattern[str]]:
        """Return the kinds of escapes to undo: each by itself too, if a key looks escaped or the text is short.

        A percent sign or a backslash before a key takes some of its characters for digits of an escape. What is left of
        a whole key is recognized without them, but not of a short one, nor of one that was cut.
        """
        return [ESCAPE, *EACH] if self._looks_escaped or len(text) < SHORT else [ESCAPE]

    def _shared_out(self) -> Iterator[tuple[str, int]]:
        """Yield the keys in order, each with how many characters of keys come before it, or as many as are as dear."""
        before = 0
        for key in self._keys:
            yield key, before + (0 if key.isascii() else DEAR * len(key))
            before += len(key)

    @cached_property
    def _plain(self) -> set[str]:
        """The pieces of the keys, and of their letters and digits alone."""
        found: set[str] = set()
        for key, before in self._shared_out():
            texts = spellings(key) if before < ALL else {key}
            bare = {separators.sub("", key) for separators in SEPARATORS}
            found |= pieces(both_ways(texts | {text for text in bare if len(text) >= PIECE}), PIECE)
        return found

    @cached_property
    def _encoded(self) -> set[str]:
        """The pieces of the encoded forms of the keys."""
        found: set[str] = set()
        for key, before in self._shared_out():
            if before < ALL:
                for text in both_ways([key]):
                    found |= pieces(encodings(text), ENCODED_PIECE)
            elif before < ENCODED:
                found |= pieces(encoded(key.encode("utf-8", "surrogatepass")), ENCODED_PIECE)
        return found

    @cached_property
    def _beginnings(self) -> set[str]:
        return self._plain | {piece[:PIECE] for piece in self._encoded}

    @cached_property
    def _marks(self) -> set[str]:
        return marks(self._beginnings)

    @cached_property
    def _marks_of_whole(self) -> set[str]:
        return marks(first for first in self._whole if len(first) == PIECE)

    @cached_property
    def _whole(self) -> dict[str, dict[int, set[str]]]:
        """All forms of whole keys, as they are compared, by their first characters and their lengths."""
        found: dict[str, dict[int, set[str]]] = {}
        for key, before in self._shared_out():
            texts = spellings(key) | encodings(key) if before < ALL else {key}
            for form in map(folded, texts):
                found.setdefault(form[:PIECE], {}).setdefault(len(form), set()).add(form)
        return found

    def __call__(self, text: str) -> str:
        """Return the text with every key in it, and every recognizable piece of one, replaced."""
        return self._redacted(text) if len(text) >= SHORT else self._short_texts(text)

    def _redacted(self, text: str) -> str:
        if self._short:
            text = self._short.sub(rf"\1{MARK}", text)
        if not self._keys:
            return text
        parts: list[str] = []
        end = 0
        for start, stop in merged(self._found(text)):
            parts += (text[end:start], MARK)
            end = stop
        return "".join((*parts, text[end:]))

    def finds_in(self, text: str, depth: int = DEPTH) -> bool:
        """Whether the text contains a whole key, in any form; `depth` limits how many times escapes are undone."""
        whole = self._whole if self._keys else {}
        for _, part in windows(text) if whole else ():
            for *_, last in readings(part, self._kinds(part), depth):
                read = folded(last.text)
                for at in places(read, whole, self._marks_of_whole):
                    for length, same in whole[read[at : at + PIECE]].items():
                        if read[at : at + length] in same:
                            return True
        return False

    def _found(self, text: str) -> Iterator[tuple[int, int]]:
        """Yield the start and end of what are pieces of a key in the text."""
        beginnings, plain, encoded = self._beginnings, self._plain, self._encoded
        for offset, part in windows(text):
            for steps in every_reading(part, self._kinds(part)):
                read = folded(steps[-1].text)
                found: list[tuple[int, int]] = []
                for at in places(read, beginnings, self._marks):
                    length = PIECE if read[at : at + PIECE] in plain else ENCODED_PIECE
                    if length == PIECE or read[at : at + length] in encoded:
                        found.append((at, at + length))
                # Those that overlap are asked for their place as one: a long key has as many pieces as characters.
                for begin, end in merged(found, apart=1):
                    start, stop = span(steps, begin, end)
                    yield offset + start, offset + stop


def marks(beginnings: Iterable[str]) -> set[str]:
    """Return all parts of some texts that are as long as a mark."""
    return {text[at : at + MARKED] for text in beginnings for at in range(PIECE - MARKED + 1)}


def places(text: str, beginnings: Container[str], marks: Container[str]) -> Iterator[int]:
    """Yield where one of some texts of `PIECE` characters stands in a text, given their parts.

    Each has a part of `MARKED` characters that begins at a multiple of `STRIDE`, so only there is looked first.
    """
    for mark in range(0, len(text) - MARKED + 1, STRIDE):
        if text[mark : mark + MARKED] in marks:
            for at in range(max(mark - STRIDE + 1, 0), mark + 1):
                if text[at : at + PIECE] in beginnings:
                    yield at


def windows(text: str) -> Iterator[tuple[int, str]]:
    """Yield overlapping parts of a text, each with its start."""
    for start in range(0, max(len(text), 1), WINDOW):
        yield start, text[start : start + WINDOW + OVERLAP]


def merged(spans: Iterable[tuple[int, int]], apart: int = 0) -> Iterator[tuple[int, int]]:
    """Yield spans in order, merging those that overlap; and those that touch, unless they are `apart` then."""
    begun: tuple[int, int] | None = None
    for start, stop in sorted(spans):
        if begun and start + apart <= begun[1]:
            begun = begun[0], max(begun[1], stop)
            continue
        if begun:
            yield begun
        begun = start, stop
    if begun:
        yield begun


def most_of(key: str) -> tuple[str, ...]:
    """Return three quarters of a key, its first and its last, which is too much to show; none of a short one."""
    most = 3 * len(key) // 4
    return (key[:most], key[-most:]) if len(key) >= 2 * PIECE else ()


@lru_cache(maxsize=16)
def redactor(secrets: tuple[str, ...]) -> Redactor:
    """Return the redactor of some secrets, from a cache, since it is costly to make."""
    return Redactor(secrets)
