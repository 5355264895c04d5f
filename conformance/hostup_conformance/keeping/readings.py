r"""Every way of reading a text: as it stands, with escapes undone, without what separates characters, and decoded.

Escapes are undone (percent, backslash, HTML entities, NULs, numbers in a row, code points, quoted-printable, CSS) until
nothing is left to undo; what separates single characters is taken out (blanks, line ends and what stands before them in
a line, punctuation, tags, the names of members, colours of a terminal); the end of an escape is put into the place of
what reports show as one; and runs of hexadecimal, base64 and base32 digits are decoded. Each reading remembers where
its characters stood in the original. It must not know what is looked for.
"""

import html
import re
from array import array
from base64 import b32decode, b64decode
from bisect import bisect_left, bisect_right
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from html.entities import html5
from itertools import islice

#: How many times escapes are undone: a value may be percent-encoded twice within a text that is itself escaped.
DEPTH = 5
#: The greatest number of ways in which a text is read by undoing escapes, and of those by decoding it.
READINGS, DECODINGS = 60, 200
#: A text of fewer characters is read in all ways: those that reports and terminals show are.
SHORT = 1 << 12
_HEX = "[0-9A-Fa-f]"
_KINDS = (
    rf"%u{_HEX}{{4}} | %{_HEX}{{2}}",
    rf"""\\u[Dd][89ABab]{_HEX}{{2}}\\u[Dd][C-Fc-f]{_HEX}{{2}}
       | \\[ux]\{{0{{0,8}}{_HEX}{{1,6}}\}} | \\U{_HEX}{{8}} | \\[uU]{_HEX}{{4}}
       | \\[xX]{_HEX}{{2}}
       | \\[0-7]{{1,3}} | \\[^0-9A-Za-z\x00]""",
    r"\x00",
    rf"""&\#[xX]0{{0,8}}{_HEX}{{1,6}};? | &\#0{{0,8}}[0-9]{{1,7}};?
       | &[A-Za-z][A-Za-z0-9]{{1,31}}; | &(?:amp|lt|gt|quot)""",
)
#: All kinds of escapes at once; and each by itself, for keys that look like escapes in part.
ESCAPE, *EACH = (re.compile(kinds, re.VERBOSE) for kinds in (" | ".join(_KINDS), *_KINDS))
#: Characters that nobody sees: what stands around them looks as if they were not there.
UNSEEN = re.compile("[\u00ad\u034f\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff]")
#: Where a long word may be broken in HTML, or is: a page that lets keys break puts one after every few characters.
BREAK = re.compile(r"<w?br(?:[\s/][^<>]{0,100})?>\s{0,9}", re.IGNORECASE)
#: Where bytes are dumped as pairs of digits, and what stands between those.
DUMP = re.compile(rf"{_HEX}{{2}}[ :](?:{_HEX}{{2}}[ :]){{3}}")
BETWEEN = re.compile(
    rf"[ :](?<={_HEX}{{2}}[ :])(?=(?:{_HEX}{{2}}[ :]?){{4}})|[ :](?<=(?:{_HEX}{{2}}[ :]){{4}})(?={_HEX}{{2}})"
)
#: The code of a character that a key may hold, and what stands after it in a list, over several lines too.
_CODE = rf"(?:0[xX]{_HEX}{{2}}|0{{0,2}}(?:25[0-5]|2[0-4][0-9]|1[0-9]{{2}}|[4-9][0-9]|3[2-9]))"
_NEXT = r"(?:u8)?(?:[^0-9A-Za-z\\]|\\[nrt]|</?[A-Za-z][^<>]{0,20}>){1,20}"
#: Characters as numbers in a list, in quoted-printable (which also breaks lines), as escapes of CSS, as code points.
LISTED = re.compile(rf"(?<![0-9]){_CODE}(?:{_NEXT}(?=[0-9]))?")
QUOTED_PRINTABLE = re.compile(rf"=[2-9A-Fa-f]{_HEX}|=\r?\n")
CSS = re.compile(rf"\\{_HEX}{{1,6}}[ ]?")
CODE_POINT = re.compile(rf"[Uu]\+{_HEX}{{4,6}}(?:[ ,]{{1,2}}(?=[Uu]\+))?")
#: Where they may stand. They are undone by themselves, since they may be ordinary text (`a=20`) or other escapes.
NUMBERS = {
    LISTED: (re.compile(f"(?<![0-9]){_CODE}(?:{_NEXT}{_CODE}){{7}}"),),
    QUOTED_PRINTABLE: (QUOTED_PRINTABLE,),
    CSS: (re.compile(rf"\\{_HEX}{{2}}"),),
    CODE_POINT: (CODE_POINT,),
}
#: What may separate single characters: tags, the names of members and other numbers, the line ends between lines of one
#: character each with what stands before that, colours of a terminal (and what is left of one without its escape), and
#: whatever is no digit of base64, or of nothing.
TAG = re.compile(r"<[^<>]{0,100}>")
MEMBER = re.compile(
    rf"""["']?(?<![0-9])[0-9]{{1,5}}["']?\s{{0,9}}:\s{{0,9}}(?=["'][^"'\\]["']|{_CODE}(?![0-9])[^:])"""
    r"""|(?<=[(\[])[0-9]{1,5},\s{0,9}(?=["'][^"'\\]["'])"""
)
_LINE_END = r"(?:\r?\n|\r|(?:\\r)?\\n)"
LINE = re.compile(
    rf"""["'`]?[,;]?[ \t]{{0,9}}{_LINE_END}(?:[^\r\n\\]{{0,40}}?[^0-9A-Za-z\r\n\\])?["'`]?"""
    rf"""(?=[!-\[\]-~\xa1-\U0010ffff]["'`]?[,;]?[ \t]{{0,9}}(?:{_LINE_END}|"\s{{0,9}}[,}}\]]|</|\Z))"""
)
COLOUR = re.compile(r"\[[0-9;]{1,20}m")
TERMINAL = re.compile(
    r"(?:\x1b|\\e)\[[0-?]{0,40}[ -/]{0,4}[@-~] | \x9b[0-?]{0,40}[ -/]{0,4}[@-~]"
    r" | \x1b\][^\x07\x1b]{0,200}(?:\x07|\x1b\\) | \x1b[()][0-9A-Z] | \[[0-9;]{1,20}m",
    re.VERBOSE,
)
SEPARATORS = tuple(
    # Where a backslash follows, it stands before each character, and so the letter does not mean a line end.
    re.compile(rf"(?:(?:\\[nrt]){{1,2}}(?!\\)|[^0-9A-Za-z{more}])+")
    for more in ("+/_-", "")
)
#: Characters that are shown as escapes, or written so in JSON.
SHOWN_ESCAPED = re.compile(
    "[\x00-\x1f\x7f-\xa0\xad\u061c\u2000-\u206f\u3000\ud800-\uf8ff\ufeff\ufff9-\uffff\U000e0000-\U0010ffff]"
)
#: How often tags or members stand where they separate single characters.
OFTEN = 6
#: The runs of digits of each encoding that may stand for eight characters.
HEX_RUN, BASE64_RUN, BASE32_RUN = (
    re.compile(f"[{digits}]{{{least},}}")
    for digits, least in (("0-9A-Fa-f", 16), ("0-9A-Za-z+/_-", 11), ("A-Za-z2-7", 13))
)
#: What a text may be that was encoded, and was written in another form before: ASCII, and other letters in UTF-8.
READABLE = re.compile(r"(?:[\x00\t\n\r -~]|[\xc2-\xf4][\x80-\xbf]{1,3}){8}")


@lru_cache(maxsize=4096)
def unescaped(escape: str) -> str:
    r"""Return the character that an escape stands for, or the escape itself if it stands for none.

    Escapes such as \n are left alone: no key contains a control character.
    """
    kind, digits = escape[0], escape[2:]
    try:
        if len(escape) == 1:  # it is unseen, or stands between the pairs of digits in which bytes are dumped
            return ""
        if kind == "%":
            return chr(int(escape.lstrip("%u"), 16))
        if kind == "&":
            known = html5.get(escape[1:].removesuffix(";") + ";", escape)
            text = html.unescape(escape) if escape[1] == "#" else known
            return text if len(text) == 1 else escape
        if len(escape) == 12:
            return bytes.fromhex(digits[:4] + escape[8:]).decode("utf-16-be")
        if escape[1] in "uUxX":
            return chr(int(digits.strip("{}"), 16))
        return chr(int(escape[1:], 8)) if escape[1:].isdecimal() else escape[1]
    except (ValueError, OverflowError):
        return escape


@lru_cache(maxsize=4096)
def character(number: str) -> str:
    """Return the character that a number stands for, with what stands around it in its form."""
    if number[0] in "\\Uu":  # of CSS, or a code point
        value = int(number.strip("\\Uu+ ,"), 16)
        return chr(value) if value < 0x110000 else number
    if number[0] == "=":
        return chr(int(number[1:], 16)) if number[1:].strip() else ""
    digits = re.split("[^0-9A-Za-z]|u8", number, maxsplit=1)[0]
    return chr(int(digits, 16 if "x" in digits.lower() else 10))


@lru_cache(maxsize=4096)
def last_of_escape(shown: str) -> str:
    """Return the last character of the escape of a character: it may be the first one of a piece of a key."""
    return shown.encode("unicode_escape").decode()[-1]


#: What is taken out whole.
APART = {BREAK, TAG, MEMBER, LINE, TERMINAL, *SEPARATORS}


def undoing(kind: re.Pattern[str] | None) -> Callable[[re.Match[str]], str]:
    """Return what makes of an escape of a kind the character that it stands for, or nothing if that is taken out."""
    if kind in APART:
        return lambda _: ""
    undo = last_of_escape if kind is SHOWN_ESCAPED else character if kind in NUMBERS else unescaped
    return lambda escape: undo(escape[0])


@dataclass(frozen=True)
class Reading:
    """A text, and the one of which it is a reading, with the escapes of a kind undone."""

    text: str
    before: str = ""
    kind: re.Pattern[str] | None = None

    @cached_property
    def _moves(self) -> tuple[list[int], list[int]]:
        """The positions of the characters that replaced an escape, and by how much the text is shorter up to each.

        Few readings show a key, and only then is it asked where that stood.
        """
        at: list[int] = []
        saved: list[int] = []
        shorter = 0
        for escape in self.kind.finditer(self.before) if self.kind else ():
            text = undoing(self.kind)(escape)
            if text != escape[0]:
                at.append(escape.start() - shorter + len(text) - 1)
                shorter += len(escape[0]) - len(text)
                saved.append(shorter)
        return at, saved

    def origin(self, place: int) -> int:
        """Return where a position was before the escapes were undone."""
        at, saved = self._moves
        before = bisect_left(at, place)
        return place + saved[before - 1] if before else place

    begin = origin

    def end(self, place: int) -> int:
        """Return where the character before a position ended; what was taken out after it does not belong to it."""
        return self.origin(place - 1) + 1 if self.kind in APART else self.origin(place)

    def unescape(self, escapes: re.Pattern[str]) -> "Reading | None":
        """Return this text with the escapes of a kind undone, or None if it has none."""
        text = escapes.sub("" if escapes in APART else undoing(escapes), self.text)
        return Reading(text, self.text, escapes) if text != self.text else None


@dataclass(frozen=True)
class Decoding:
    """What runs of digits stand for, one after the other, and how many bits each digit has.

    Of each run, it is kept where its characters begin in the text, and where its digits began before.
    """

    text: str
    bits: int
    starts: "array[int]"
    firsts: "array[int]"

    def _run(self, place: int) -> tuple[int, int]:
        """Return where the digits of the run began that has the character at a position, and which one that is."""
        run = bisect_right(self.starts, place) - 1
        return self.firsts[run], place - self.starts[run]

    def begin(self, place: int) -> int:
        """Return where the character at a position began."""
        first, at = self._run(place)
        return first + 8 * at // self.bits

    def end(self, place: int) -> int:
        """Return where the character before a position ended."""
        first, at = self._run(place - 1)
        return first - (-8 * (at + 1) // self.bits)


def decodings(text: str) -> Iterator[Decoding]:
    """Yield what a text says if its runs of digits are decoded: of each encoding, at each alignment."""
    yield from decoded(text, HEX_RUN, 4, 2, bytes.fromhex)
    yield from decoded(text, BASE64_RUN, 6, 4, lambda run: b64decode(run.translate(PLAIN_BASE64)))
    if len(text) < SHORT:
        yield from decoded(text, BASE32_RUN, 5, 8, lambda run: b32decode(run.upper()))


#: The digits of base64 in URLs, as those of base64.
PLAIN_BASE64 = str.maketrans("-_", "+/")


def decoded(
    text: str, runs: re.Pattern[str], bits: int, block: int, decode: Callable[[str], bytes]
) -> Iterator[Decoding]:
    """Yield what the runs of an encoding stand for, whose digits have so many bits, at each alignment in a block."""
    found = list(runs.finditer(text))
    for shift in range(block) if found else ():
        said: list[str] = []
        starts, firsts, length = array("l"), array("l"), 0
        for run in found:
            digits = run[0][shift:]
            count = len(digits) * bits // 8
            # What fills the last block up stands for characters that are cut off again.
            said.append(decode(digits + "A" * (-len(digits) % block)).decode("latin-1")[:count])
            starts.append(length)
            firsts.append(run.start() + shift)
            length += count
        yield Decoding("".join(said), bits, starts, firsts)


def rare_kinds(text: str) -> Iterator[re.Pattern[str]]:
    """Yield the kinds that few texts have: to look for them in every text would take several times as long."""
    if not text.isascii():
        yield UNSEEN
    if BREAK.search(text):
        yield BREAK
    if DUMP.search(text):
        yield BETWEEN
    for kind, signs in NUMBERS.items():
        if any(sign.search(text) for sign in signs):
            yield kind
    if any(sign in text for sign in ("\x1b", "\x9b", "\\e[")) or COLOUR.search(text):
        yield TERMINAL
    for kind, has in ((TAG, (">",)), (MEMBER, (":", ",")), (LINE, ("\n", "\r", "\\n"))):
        often = any(text.count(one) >= OFTEN for one in has)
        if often and sum(1 for _ in islice(kind.finditer(text), OFTEN)) == OFTEN:
            yield kind


def readings(text: str, kinds: Sequence[re.Pattern[str]] = (ESCAPE,), depth: int = DEPTH) -> Iterator[list[Reading]]:
    """Yield each way of reading a text, as the steps that lead to it: each step undoes one kind of escapes."""
    queue, seen = deque([([Reading(text)], False)]), {text}
    while queue:
        steps, numbered = queue.popleft()
        yield steps
        # What numbers stood for may look like anything, by chance.
        rare = () if numbered else rare_kinds(steps[-1].text)
        for kind in (*kinds, *rare) if len(steps) <= depth else ():
            further = steps[-1].unescape(kind)
            if further and further.text not in seen and len(seen) < READINGS:
                seen.add(further.text)
                queue.append(([*steps, further], numbered or kind in NUMBERS))


def every_reading(text: str, kinds: Sequence[re.Pattern[str]]) -> Iterator[list[Reading | Decoding]]:
    """Yield each way of reading a text: by undoing escapes, then also without separators, and decoded."""
    more = DECODINGS
    for steps in readings(text, kinds):
        yield [*steps]
        apart = [steps[-1].unescape(separators) for separators in SEPARATORS] if len(steps) < 4 else []
        apart += [steps[-1].unescape(SHOWN_ESCAPED)] if len(steps) == 1 else []
        for separate in filter(None, apart):
            yield [*steps, separate]
        for further in decodings(steps[-1].text) if more > 0 else ():
            more -= 1
            yield [*steps, further]
            # What was encoded may have been escaped or encoded before; of most alignments, nothing readable comes.
            inner = readings(further.text, kinds) if READABLE.search(further.text) else ()
            for _, *deeper in inner:
                if deeper:
                    yield [*steps, further, *deeper]
                text_of = deeper[-1].text if deeper else further.text
                for last in decodings(text_of) if more > 0 else ():
                    more -= 1
                    yield [*steps, further, *deeper, last]


def span(steps: Sequence[Reading | Decoding], start: int, stop: int) -> tuple[int, int]:
    """Return where a piece of the last reading stood in the original text."""
    for step in reversed(steps):
        start, stop = step.begin(start), step.end(stop)
    return start, stop
