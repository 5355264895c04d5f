"""Turns what a server sent into text that is safe to keep and to show. It must not know who shows it.

Such text is of bounded length and contains no keys; control and bidirectional characters are written as escapes.
Decoding raises no exceptions. Keys are replaced before the text is cut, so that no half of a key survives.
"""

import json
import re
import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Any, Literal, TypeAlias
from unicodedata import combining, normalize
from urllib.parse import SplitResult, urlsplit

#: Replaces the keys in a text.
Redact: TypeAlias = Callable[[str], str]
#: Characters that a terminal may obey, that UTF-8 cannot encode, or that make one text look like another.
UNSAFE = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ufffe\uffff\ud800-\udfff]"
)
#: What a CI system would take for a command: of GitHub where a line may begin once a text is wrapped; of Azure and
#: TeamCity anywhere.
CI_COMMAND = re.compile(r"(^|\s):(?=:[A-Za-z])|#(?=#(?:\[|vso\[|teamcity\[))", re.MULTILINE | re.IGNORECASE)
#: So many combining characters in a row are put in order at most, which takes a time that grows with their square
#: (the stream-safe text of UAX #15, section 13), and what stands between more of them (U+034F).
COMBINED, JOINER = 30, "\u034f"
#: A URL with characters outside ASCII may have so many: the library puts its host in a normal form.
LONGEST_URL = 1 << 12
#: How many characters are read beyond the cut, to find a key that begins before it.
BEYOND = 1000


def unchanged(text: str) -> str:
    """Return the text itself: the `Redact` for text that cannot contain a key."""
    return text


def spelt_out(text: str) -> str:
    """Return a text of several lines with each unsafe character as an escape, and no command for a CI system."""
    return without_commands(UNSAFE.sub(lambda found: found[0].encode("unicode_escape").decode(), text))


def without_commands(text: str) -> str:
    """Return a text in which CI systems find no command, since its first character is an escape."""
    return CI_COMMAND.sub(lambda found: f"{found[1] or ''}\\x{ord(found[0][-1]):02x}", text)


def on_one_line(text: str) -> str:
    """Return a text as one line, with escapes for line ends and other characters that cannot be printed."""
    return without_commands("".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text))


@dataclass(frozen=True)
class Variable:
    """A variable of the shell, by its name. It is the only part of a command line that a shell may expand."""

    name: str

    def __str__(self) -> str:
        """Return it as a part of a word; a name that no variable can have is only text."""
        return f'"${self.name}"' if self.name.isascii() and self.name.isidentifier() else shlex.quote(self.name)


@dataclass(frozen=True)
class CommandLine:
    """A command for a shell: its words, each of texts and variables. The texts may be a stranger's."""

    words: Sequence[str | tuple[str | Variable, ...]]
    #: What to know before running it, in our own words. It is no part of the line: zsh knows no comments in what is
    #: typed, and curl would send the keys to each of these words.
    note: str = ""

    def noted(self, note: str) -> "CommandLine":
        """Return the same line with one more thing to know."""
        return CommandLine(self.words, "; ".join(filter(None, (note, self.note))))

    def shown(self, redact: Redact) -> str:
        """Return the line, in which a shell expands the variables and nothing else.

        Quoting comes last: the replacement of a key could take a quotation mark with it.
        """

        def part(part: str | Variable) -> str:
            return str(part) if isinstance(part, Variable) else quoted(redact(part))

        return " ".join(part(word) if isinstance(word, str) else "".join(map(part, word)) for word in self.words)


def quoted(text: str) -> str:
    """Return a text as a part of a word for a shell, on one line; a byte that is no UTF-8 is a surrogate in it.

    What cannot be printed is written in the form of POSIX.1-2024, between $' and '. A shell that does not know
    that form takes it for text too, since no quotation mark stands in it. A byte before a hexadecimal digit is octal:
    how many digits follow \\x, POSIX does not say, and mksh takes all.
    """
    if on_one_line(text) == text:
        return shlex.quote(text)

    def escaped(character: str) -> str:
        if character.isprintable() and character not in "\\'":
            return character
        errors = "surrogateescape" if "\udc80" <= character <= "\udcff" else "surrogatepass"
        return "".join(f"\\x{byte:02x}" for byte in character.encode("utf-8", errors))

    safe = without_commands("".join(map(escaped, text)))
    octal = re.sub(r"\\x([0-9a-f]{2})(?=[0-9A-Fa-f])", lambda byte: f"\\{int(byte[1], 16):03o}", safe)
    return f"$'{octal}'"


def beginning(data: bytes | str, longest: int, redact: Redact = unchanged) -> tuple[str, bool]:
    """Return the beginning of what a server sent, without keys, and whether there is more."""
    if isinstance(data, bytes):
        # A character has at most four bytes, so one that is cut in two lies beyond the end.
        data = data[: 4 * (longest + BEYOND)].decode("utf-8", "replace")
    text = redact(data[: longest + BEYOND])
    return text[:longest], len(text) > longest


def shown(value: Any, longest: int = 160, redact: Redact = unchanged) -> str:
    """Return a value on one line for a finding: a string as it is, anything else as abridged JSON."""
    text = value if isinstance(value, str) and value else short_json(value, longest + BEYOND)
    text, more = beginning(text, longest, redact)
    return on_one_line(text[: longest - 3] + "..." if more else text)


def counted(number: int, noun: str) -> str:
    """Return a number with its noun: "1 request", "2 requests"."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def listed(names: Sequence[str], most: int) -> str:
    """Return the first of some names, and how many more there are."""
    more = len(names) - most
    return ", ".join(names[:most]) + (f" and {more} more" if more > 0 else "")


def short_json(value: Any, longest: int) -> str:
    """Return the beginning of a value as JSON, without encoding the rest."""
    length = 0

    def within(part: str) -> bool:
        nonlocal length
        length += len(part)
        return length - len(part) <= longest

    parts = json.JSONEncoder(ensure_ascii=False, default=repr).iterencode(value)
    return "".join(takewhile(within, parts))


def visible(text: str) -> str:
    """Return what people see of a text: composed, without blanks and control characters."""
    composed = normal_form("NFC", text)
    unseen = (c for c in set(composed) if c.isspace() or not c.isprintable())
    return composed.translate(dict.fromkeys(map(ord, unseen)))


def normal_form(form: Literal["NFC", "NFD", "NFKC"], text: str) -> str:
    """Return a text in a normal form of Unicode, in a time that grows no faster than the text."""
    marks = "".join(re.escape(c) for c in set(text) if not c.isascii() and combining(normalize("NFKD", c)[0]))
    stream_safe = re.sub(f"[{marks}]{{{COMBINED}}}", rf"\g<0>{JOINER}", text) if marks else text
    return normalize(form, stream_safe)


def split_url(url: str) -> SplitResult:
    """Return the parts of a URL; raise `ValueError` if it is none, or is too long."""
    if len(url) > LONGEST_URL and not url.isascii():
        raise ValueError(f"a URL of {len(url):,} characters, some outside ASCII")
    return urlsplit(url)
