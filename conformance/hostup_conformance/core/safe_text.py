"""The door: where what a server sent becomes text that is safe to keep and to show. It must not know who shows it.

Such text is decoded without exceptions, bounded, without keys, and with control characters and bidirectional ones spelt
out. Keys are replaced before anything is cut.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from itertools import takewhile
from typing import Any, TypeAlias

#: Takes the keys out of a text.
Redact: TypeAlias = Callable[[str], str]
#: What a terminal may take for a command, what no file in UTF-8 can hold, and what makes text look like another one.
UNSAFE = re.compile(
    r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ufffe\uffff\ud800-\udfff]"
)
#: How many characters beyond a cut are read for a key that begins before it.
BEYOND = 1000


def unchanged(text: str) -> str:
    """Return a text as it is, where no key can be in it."""
    return text


def spelt_out(text: str) -> str:
    """Return a text with each unsafe character as an escape."""
    return UNSAFE.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def on_one_line(text: str) -> str:
    """Return a text for one line, with an escape for each line end and all else that cannot be printed."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def beginning(data: bytes | str, longest: int, redact: Redact = unchanged) -> tuple[str, bool]:
    """Return the beginning of what a server sent, without keys, and whether there is more."""
    if isinstance(data, bytes):
        # A character has four bytes at most; one that is cut in two is beyond the end.
        data = data[: 4 * (longest + BEYOND)].decode("utf-8", "replace")
    text = redact(data[: longest + BEYOND])
    return text[:longest], len(text) > longest


def shown(value: Any, longest: int = 160, redact: Redact = unchanged) -> str:
    """Return a value of a finding in one line: strings that are sentences as they are, all else as short JSON."""
    text = value if isinstance(value, str) and value else short_json(value, longest + BEYOND)
    text, more = beginning(text, longest, redact)
    return on_one_line(text[: longest - 3] + "..." if more else text)


def short_json(value: Any, longest: int) -> str:
    """Return the beginning of a value as JSON, without writing all of it."""
    length = 0

    def within(part: str) -> bool:
        nonlocal length
        length += len(part)
        return length - len(part) <= longest

    parts = json.JSONEncoder(ensure_ascii=False, default=repr).iterencode(value)
    return "".join(takewhile(within, parts))
