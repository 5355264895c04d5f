"""Keeps keys out of everything that people see: terminal, reports, recordings, exceptions."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Iterable

MARK = "[redacted]"

#: How a text may be written character by character.
SPELT = ("%{:02X}", "%{:02x}", "\\u{:04x}", "\\u{:04X}", "&#{};")


def forms(secret: str) -> tuple[str, ...]:
    """Return the ways in which a key may stand in a text: plain, escaped, percent-encoded, in base64 and others."""
    # Base64 shows a key at one of three alignments; what depends on its neighbours is cut from both ends.
    padded = (b64encode(b"\0" * shift + secret.encode()).decode().rstrip("=") for shift in range(3))
    base64 = (text[cut:-1] for text, cut in zip(padded, (0, 2, 3), strict=True))
    escaped = json.dumps(secret)[1:-1]
    return (
        secret,
        escaped,
        escaped.replace("/", "\\/"),
        quote(secret, safe=""),
        *("".join(spelt.format(ord(c)) for c in secret) for spelt in SPELT),
        secret.encode().hex(),
        *(text for text in base64 if len(text) >= 8),
    )


class Redactor:
    """Finds and replaces keys in texts."""

    def __init__(self, secrets: Iterable[str]) -> None:
        # Longest first, so that a key that begins with another is replaced whole.
        found = sorted({form for secret in secrets if secret for form in forms(secret)}, key=len, reverse=True)
        self._pattern = re.compile("|".join(map(re.escape, found)) or r"(?!)")

    def __call__(self, text: str) -> str:
        """Return the text with every key replaced."""
        return self._pattern.sub(MARK, text)

    def finds_in(self, text: str) -> bool:
        """Whether the text holds a key."""
        return self._pattern.search(text) is not None
