"""Reads JSON (RFC 8259) as lenient parsers do, and lists what a strict parser would reject. It knows no schema."""

import json
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import accumulate, islice
from typing import Any, TypeVar

import jsonschema_rs

T = TypeVar("T")

#: Integers of up to so many digits are read: the interpreter may be told to refuse longer ones, but not these.
MOST_DIGITS = sys.int_info.str_digits_check_threshold
#: So many characters before and after an error are shown.
AROUND = 24
#: How deeply arrays and objects may be nested: recursion over them must not exhaust the stack.
DEEPEST = 100
#: A string with its quotes, or to the end of the text if it has no second one: if that did not match, each quote in it
#: would be tried as the first in turn.
_STRING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z)', re.DOTALL)
#: How many characters of a string are kept, more than any command of a run prints: who looks at strings makes copies.
LONGEST_STRING = 1 << 22
#: How many characters of a string are checked for errors by a schema, more than any schema allows where it has a form.
LONGEST_CHECKED = 1 << 16
#: How a body begins that is still compressed (RFC 1952, section 2.3.1).
_GZIP = b"\x1f\x8b"
#: How a text in UTF-16 begins, in which a quote or a backslash is two bytes.
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
#: A character of several bytes in UTF-8, or its beginning, of which a text in another encoding hardly has any.
_SEVERAL = re.compile(rb"[\xc2-\xf4][\x80-\xbf]")
#: How a body begins that has been framed in chunks (RFC 9112, section 7.1).
_CHUNK = re.compile(rb"[0-9A-Fa-f]{1,8}\r\n[{\[<]")
#: The bytes of a character in UTF-8 after its first.
CONTINUATION = bytes(range(0x80, 0xC0))
#: A character above U+FFFF, in UTF-8 or as a JSON escape.
WIDE = re.compile(rb"[\xf0-\xf7]|\\u[Dd][89ABab]")


def count_values(body: bytes) -> int:
    """Return an upper bound of the number of values in a JSON text, without parsing it."""

    def count(text: bytes) -> int:
        return 1 + sum(text.count(mark) for mark in (b",", b"[", b"{"))

    # Commas and brackets in strings do not separate values, which matters only where there are many.
    roughly = count(body)
    return roughly if roughly < 10_000 or body.startswith(_UTF16) else count(_STRING.sub(b"", body))


def bytes_in_memory(body: bytes) -> int:
    """Return how many bytes a body and its strings need as text: one rare character makes every character wide."""
    if len(body) < 2**20:
        return len(body)
    escapes = body.replace(rb"\\", b"").count(rb"\u")
    wide = 4 if WIDE.search(body) else 2 if not body.isascii() or escapes else 1
    characters = len(body) if body.isascii() else len(body.translate(None, CONTINUATION))
    return characters * (1 if body.isascii() else wide) + wide * max(characters - 5 * escapes, 0)


@dataclass(frozen=True)
class JsonText:
    """A JSON text: its value (None if there is none), its defects, and the names of repeated members."""

    value: Any
    is_json: bool
    defects: tuple[str, ...] = ()
    duplicates: tuple[str, ...] = ()


def read_json(body: bytes, longest: int = LONGEST_STRING) -> JsonText:
    """Read bytes as JSON, continuing after each defect as lenient parsers do; longer strings are cut."""
    text, defects = decoded(body)
    duplicates: list[str] = []

    def pairs(members: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(members)
        if len(found) < len(members):
            duplicates.extend(sorted(name for name, times in Counter(n for n, _ in members).items() if times > 1))
        return found

    def constant(name: str) -> float:
        defects.append(f"{name} is not JSON")
        return float(name)

    def integer(digits: str) -> int | float:
        return int(digits) if len(digits) <= MOST_DIGITS else float("inf")  # no server means one of that length

    decoder = json.JSONDecoder(object_pairs_hook=pairs, parse_constant=constant, parse_int=integer)
    stripped = text.strip(" \t\r\n")
    try:
        value, end = decoder.raw_decode(stripped)
    except RecursionError:
        return JsonText(None, False, (*defects, "nested too deeply"))
    except ValueError as error:
        return JsonText(None, False, (*defects, why_not_json(stripped, error, decoder)))
    if is_deeper(value, DEEPEST):
        return JsonText(None, False, (*defects, f"nested more than {DEEPEST} deep"))
    if len(body) > longest:
        value = abridged(value, longest)
    if end < len(stripped):
        defects.append(f"something follows the JSON text: {stripped[end : end + 200]!r}")
    return JsonText(value, True, tuple(defects), tuple(duplicates))


def why_not_json(text: str, error: ValueError, decoder: json.JSONDecoder) -> str:
    """Return why a text is not JSON: what stands before it, if something does, or what it is instead."""
    if not text:
        return "empty"
    begin = text.find("{")
    with suppress(ValueError, RecursionError):
        if begin > 0 and decoder.raw_decode(text, begin)[1] == len(text):
            return f"something stands before the JSON text: {text[: min(begin, 200)]!r}"
    if not isinstance(error, json.JSONDecodeError):
        return f"not JSON: {error}"
    at = error.pos
    return (
        f"not JSON: {error}, in {text[max(0, at - AROUND) : at + AROUND]!r}" if at else f"not JSON, but {text[:60]!r}"
    )


def decoded(body: bytes) -> tuple[str, list[str]]:
    """Return a body as text, with the defects of its encoding."""
    defects = []
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        defects.append(f"not UTF-8: {error.reason} at byte {error.start}")
        text = body.decode("utf-16" if body.startswith(_UTF16) else "latin-1", "replace")
        if body.startswith(_GZIP):
            defects[0] += ", but gzip: it was compressed once more, it seems"
        elif body.startswith(_UTF16):
            defects[0] += ", but UTF-16, it seems"
        elif not _SEVERAL.search(body):
            defects[0] += ", but one byte for each character (ISO-8859-1 or the like), it seems"
    if _CHUNK.match(body):
        defects.append("the size of a chunk at the beginning: it was chunked twice, it seems")
    if text.startswith("\ufeff"):
        defects.append("a byte order mark at the beginning")
    return text.removeprefix("\ufeff"), defects


def levels(value: Any, most: int | None = None) -> Iterator[list[Any]]:
    """Yield the value, then the values in it level by level, of each array and object `most` at the most."""
    level = [value]
    while level:
        yield level
        level = [
            member
            for outer in level
            if isinstance(outer, list | dict)
            for member in islice(outer.values() if isinstance(outer, dict) else outer, most)
        ]


def is_deeper(value: Any, depth: int) -> bool:
    """Whether arrays and objects are nested deeper than a limit."""
    return any(isinstance(one, list | dict) for one in next(islice(levels(value), depth, None), ()))


def has_more(value: Any, most: int) -> bool:
    """Whether a value has more than so many values in it, at any depth."""
    return any(found > most for found in accumulate(map(len, levels(value, most + 1))))


def encodable(check: Callable[[Any], T], value: Any) -> T:
    """Return what a check of jsonschema-rs says of JSON, of which it makes a copy: long strings are cut before.

    Half a surrogate pair, which it cannot read, is replaced.
    """
    short = abridged(value, LONGEST_CHECKED)
    try:
        return check(short)
    except UnicodeEncodeError:
        return check(json.loads(json.dumps(short, ensure_ascii=False).encode("utf-8", "replace")))


def schema_errors(
    validator: jsonschema_rs.Draft202012Validator, value: Any, most: int
) -> list[jsonschema_rs.ValidationError]:
    """Return the first errors of JSON by a schema. All are made, each with a copy of what it is about."""
    if encodable(validator.is_valid, value):
        return []
    return encodable(lambda readable: [*islice(validator.iter_errors(readable), most)], value)


def abridged(value: Any, longest: int) -> Any:
    """Return JSON with so many characters of each string at most."""
    if isinstance(value, str):
        return value[:longest]
    if isinstance(value, dict):
        return {name[:longest]: abridged(member, longest) for name, member in value.items()}
    return [abridged(member, longest) for member in value] if isinstance(value, list) else value
