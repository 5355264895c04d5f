"""What became of what a command printed, by what became of what others printed. It judges nothing.

A fate is a hypothesis: it is told only if it explains all that has changed, and if nothing came whole that it would
have changed. Where there is none, it is said where a text differs.
"""

import html
import json
import re
from base64 import b64encode
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from math import inf
from urllib.parse import unquote, unquote_plus

from hostup_conformance.contract.ask import NO_ESCAPE, Exchange, new_pid
from hostup_conformance.contract.causes.differences import LONG, alike, beginning_of, difference, rearranged
from hostup_conformance.contract.causes.evidence import Evidence
from hostup_conformance.contract.causes.mishaps import (
    VARYING,
    Alteration,
    errors_of,
    exit_code,
    plain,
    printed,
    stdout,
    went_wrong,
)
from hostup_conformance.contract.causes.traits import of_one_kind
from hostup_conformance.contract.commands import ASKED_OF_GUEST, BY_A_SHELL, SHORT
from hostup_conformance.contract.content import member
from hostup_conformance.contract.lives import Life, command_text, overlap, seconds_to_end, sleepless, stream
from hostup_conformance.keeping.safe_text import normal_form, short_json, visible


def escaped(text: str, apostrophe: str, quote: str = "&quot;") -> str:
    """Return a text escaped for HTML, with one of the ways in which libraries write its quotation marks."""
    return html.escape(text, quote=False).replace('"', quote).replace("'", apostrophe)


#: What may become of a text, with how it looks then.
FORMS: dict[str, Callable[[str], str]] = {
    "in UTF-8 that was read as Latin-1": lambda text: text.encode().decode("latin-1"),
    "in UTF-8 that was read as Windows-1252": lambda text: text.encode().decode("cp1252", "replace"),
    "without any character outside ASCII": lambda text: replaced(text, ""),
    "with ? for each character outside ASCII": lambda text: replaced(text, "?"),
    "with ? for each byte outside ASCII": lambda text: replaced(text, "?", "utf-8"),
    "with ? for each unit of UTF-16 outside ASCII": lambda text: replaced(text, "?", "utf-16-le"),
    "with U+FFFD for each character outside ASCII": lambda text: replaced(text, "\ufffd"),
    "with U+FFFD for each byte outside ASCII": lambda text: replaced(text, "\ufffd", "utf-8"),
    "with an escape for each character outside ASCII": lambda text: text.encode("ascii", "backslashreplace").decode(),
    "with ? for each character that Latin-1 lacks": lambda text: replaced(text, "?", beyond="\xff"),
    "with ? for each character above U+FFFF": lambda text: replaced(text, "?", beyond="\uffff"),
    "with ?? for each character above U+FFFF": lambda text: replaced(text, "??", beyond="\uffff"),
    "without any character above U+FFFF": lambda text: replaced(text, "", beyond="\uffff"),
    "with U+FFFD for each character above U+FFFF": lambda text: replaced(text, "\ufffd", beyond="\uffff"),
    "with the lowest 16 bits of each character above U+FFFF": lambda text: "".join(chr(ord(c) & 0xFFFF) for c in text),
    "that ends before the first character above U+FFFF": lambda text: ended_before(text, "\uffff"),
    "that ends before the first character outside ASCII": lambda text: ended_before(text, "\x7f"),
    "with an escape of JSON for each character outside ASCII": lambda text: json_escaped(text),
    "in Unicode's normal form C": lambda text: normal_form("NFC", text),
    "in Unicode's normal form D": lambda text: normal_form("NFD", text),
    "in Unicode's normal form KC": lambda text: normal_form("NFKC", text),
    "without its last line, which has no line end": lambda text: text[: text.rfind("\n") + 1],
    "with its first line alone": lambda text: text.lstrip("\n").partition("\n")[0],
    "with its last line alone": lambda text: text.rstrip("\n").rpartition("\n")[2],
    "without its first line": lambda text: text.partition("\n")[2],
    "without empty lines": lambda text: re.sub(r"\n\s*\n", "\n", text),
    "without lines that came before": lambda text: "\n".join(dict.fromkeys(text.split("\n"))),
    "without white space at the ends of its lines": lambda text: re.sub(r"[^\S\n]+$", "", text, flags=re.MULTILINE),
    "with one blank for all white space in a row": lambda text: " ".join(text.split()),
    "with one blank for several in a row": lambda text: re.sub(" +", " ", text),
    "without control characters": lambda text: re.sub(r"[\0-\x08\x0b\x0c\x0e-\x1f\x7f]", "", text),
    "with a line feed for all that may end a line": lambda text: "\n".join(text.splitlines()),
    "without the sequences that terminals obey (ESC [)": lambda text: re.sub(r"\x1b\[[0-9;?]*[ -/]*[@-~]", "", text),
    "with <br> for each line end": lambda text: text.replace("\n", "<br>"),
    "with <br> before each line end": lambda text: text.replace("\n", "<br>\n"),
    "with <br /> before each line end": lambda text: text.replace("\n", "<br />\n"),
    "with blanks for each tab": lambda text: text.expandtabs(),
    "with the escapes of backslashes read": lambda text: unescaped(text, r"\\([nrt\\])"),
    "with all escapes of backslashes read": lambda text: unescaped(text, r"\\(u[0-9a-fA-F]{4}|.)"),
    "with its backslashes doubled": lambda text: text.replace("\\", "\\\\"),
    "without its backslashes": lambda text: text.replace("\\", ""),
    "with a backslash before each quotation mark and backslash": lambda text: re.sub(r"(['\"\\])", r"\\\1", text),
    "with a backslash before each double quotation mark": lambda text: text.replace('"', '\\"'),
    "with the escapes of a URL read": unquote,
    "with the escapes of a URL read, and blanks for +": unquote_plus,
    "with the escapes of a URL read, if each % begins one": lambda text: (
        text if NO_ESCAPE.search(text) else unquote(text)
    ),
    "without what stands between < and >": lambda text: re.sub("<[^<>]*>", "", text),
    "as a string of JSON": json.dumps,
    "with the escapes of JSON": lambda text: json.dumps(text)[1:-1],
    "escaped for HTML": html.escape,
    "escaped for HTML, with &#39;": partial(escaped, apostrophe="&#39;"),
    "escaped for HTML, with &#039;": partial(escaped, apostrophe="&#039;"),
    "escaped for HTML, with &apos;": partial(escaped, apostrophe="&apos;"),
    "escaped for HTML, with &#39; and &#34;": partial(escaped, apostrophe="&#39;", quote="&#34;"),
    "escaped for HTML, but for quotation marks": lambda text: html.escape(text, quote=False),
    "with the entities of HTML read": html.unescape,
    "in lower case": str.lower,
    "in upper case": str.upper,
    "in base64": lambda text: b64encode(text.encode()).decode(),
    "as Python shows bytes, with b and quotes": lambda text: repr(text.encode()) if text else "",
    "in hexadecimal": lambda text: text.encode().hex(),
}
#: What may become of an exit code, with how it is then.
CODES: dict[str, Callable[[Life, int], int | None]] = {
    "1 for every command that ends with 0 and writes to standard error": lambda life, code: code or wrote_errors(life),
    "1 for every command that writes to standard error": lambda life, code: 1 if wrote_errors(life) else code,
    "1 for every command that writes to standard error, and 0 for others": lambda life, _: wrote_errors(life),
    "1 for every failure": lambda _, code: min(code, 1),
    "255 for every failure": lambda _, code: code and 255,
    "the code modulo 128": lambda _, code: code % 128,
    "null for every failure": lambda _, code: code and None,
    "the code as a signed byte": lambda _, code: code - 256 * (code > 127),
    "256 times the code": lambda _, code: code * 256,
    "the code with a minus sign": lambda _, code: -code,
    "0 for failures, and 1 for others": lambda _, code: int(not code),
}
#: The command that closes its output before it ends.
CLOSED = "closed"
#: So many texts, at least, show of which commands they are lost, and so many others of which they are not.
FEW_TEXTS = 2
#: By so many commands it is known whose output they get, and which part of them shows it.
MOST_OWNERS, ALMOST_ALL = 50, 0.85
#: By so many texts it is known what becomes of one, of so many characters each.
MOST_TEXTS, LONGEST_TEXT = 200, 1 << 21
#: How many characters of the first line of a text, at least and at most, tell it from others; how many texts are looked
#: for in another, and in how many characters of that.
SHORTEST_MARK, MARK, MARKS, WITHIN = 8, 64, 64, 1 << 12


@dataclass(frozen=True)
class Text:
    """What a command wrote to a stream, and what came of it."""

    life: Life
    name: str
    sent: str
    came: str
    #: The number of the poll that reported the end.
    number: int

    @property
    def whole(self) -> bool:
        """Whether it came as it was written, but for what differs from system to system."""
        return plain(self.sent) == plain(self.came)

    @property
    def is_other(self) -> bool:
        """Whether it is standard output that may be that of another command."""
        return self.name == "stdout" and looks(self.sent) != looks(self.came)

    def has_become(self, form: Callable[[str], str]) -> bool:
        """Whether it came in a form."""
        return plain(formed(form, self.sent)) == plain(self.came)


@dataclass(frozen=True)
class Fate:
    """What became of all texts of a kind, in words."""

    words: str
    form: Callable[[str], str]
    concerns: Callable[[Text], bool]

    def explains(self, text: Text) -> bool:
        """Whether it is what became of a text."""
        return self.concerns(text) and not text.whole and text.has_become(self.form)


#: Of which texts something may become, with what shows that nothing became of others.
KINDS: dict[str, Callable[[Text], bool]] = {
    "": lambda _: True,
    " (where it has characters outside ASCII; what has none is whole)": lambda text: not text.sent.isascii(),
    " (in the command; what ASCII commands print is whole)": lambda text: not is_ascii(text.life),
    " (in the request; what is sent in ASCII is whole)": lambda text: not text.life.start.request.body.isascii(),
}


#: Which requirement tells of output, by what it judges of it.
TELLING: dict[str, Callable[[Text], bool]] = {
    "START-05": lambda text: text.sent.isascii() and (is_echo(text) or text.life.name.startswith(SHORT)),
    "START-07": lambda text: is_echo(text) or text.life.name in {"letters", "longest_in_bytes"},
    "START-13": lambda text: text.life.name == "control",
}


def formed(form: Callable[[str], str], text: str) -> str:
    """Return a text in a form; as it is if it has what the form knows nothing of, such as half a surrogate pair."""
    try:
        return form(text)
    except ValueError:
        return text


def is_echo(text: Text) -> bool:
    """Whether a command only prints the text that it has."""
    return bool(text.life.text)


def is_ascii(life: Life) -> bool:
    """Whether the command has no characters outside ASCII."""
    return command_text(life).isascii()


def replaced(text: str, by: str, unit: str = "utf-32-le", beyond: str = "\x7f") -> str:
    """Return a text in which something stands for each unit of the characters beyond another."""
    size = {"utf-8": 1, "utf-16-le": 2, "utf-32-le": 4}[unit]
    return re.sub(f"[^\0-{beyond}]", lambda found: by * (len(found[0].encode(unit)) // size), text)


def json_escaped(text: str) -> str:
    """Return a text with the escapes of JSON for what is not ASCII."""
    return re.sub(r"[^\0-\x7f]", lambda found: json.dumps(found[0])[1:-1], text)


def ended_before(text: str, beyond: str) -> str:
    """Return a text up to the first of the characters beyond another."""
    return re.split(f"[^\0-{beyond}]", text, maxsplit=1)[0]


def unescaped(text: str, escape: str) -> str:
    """Return a text with its escapes read."""
    named = {"n": "\n", "r": "\r", "t": "\t"}

    def read(found: re.Match[str]) -> str:
        return chr(int(found[1][1:], 16)) if len(found[1]) > 1 else named.get(found[1], found[1])

    return re.sub(escape, read, text)


def wrote_errors(life: Life) -> int:
    """Return 1 if a command writes to standard error, else 0."""
    return int(bool(errors_of(life)))


def texts_of(every: Iterable[Life]) -> list[Text]:
    """Return what the commands whose end was reported should have written, as far as it is known, and what came."""
    found = []
    for life in every:
        begun = printed(life)
        if life.end and not sleepless(life) and (life.command or begun):
            came = stream(life.end, "stdout")
            sent = begun if life.command else f"{begun}\n" if life.text else continued(begun, came, command_text(life))
            found.append(Text(life, "stdout", sent, came, life.end.number))
            found.append(Text(life, "stderr", errors_of(life), stream(life.end, "stderr"), life.end.number))
    return found


def continued(begun: str, came: str, command: str) -> str:
    """Return what a command printed of which the beginning is known: what came from there on, or as a shell has it."""
    rest = BY_A_SHELL if command.endswith(ASKED_OF_GUEST) else BY_A_SHELL.partition("-")[0]
    otherwise = begun in came and f"{begun}{rest}" not in came
    return came[came.index(begun) :] if otherwise else f"{begun}{rest}\n"


def fate_of(texts: Iterable[Text]) -> Fate | None:
    """Return what became of all texts that have changed; None if that is unknown."""
    fixed = [text for text in texts if text.life.name not in VARYING]
    short = [text for text in fixed[:MOST_TEXTS] if max(len(text.sent), len(text.came)) <= LONGEST_TEXT]
    changed = sorted((text for text in short if not text.whole), key=lambda text: len(text.sent))
    # Where nothing came, nothing shows what became of it; nor do texts of one length, where a size has to do with it.
    shows = any(plain(text.came) for text in short)
    several = len({len(text.came) for text in changed}) >= FEW_TEXTS
    forms = {**FORMS, **framed_as(changed[0])} if several else FORMS
    for words, concerns in KINDS.items() if changed and shows else ():
        others = [text for text in short if text.whole and concerns(text)]
        for name, form in forms.items() if all(map(concerns, changed)) else ():
            if all(text.has_become(form) for text in (*changed, *others)):
                return Fate(name + words, form, concerns)
    printed_some = [text for text in short if plain(text.sent)]
    return one_for_all(printed_some) or emptied(printed_some)


def one_for_all(texts: Sequence[Text]) -> Fate | None:
    """Return that all texts came as the same one, whatever was written, if several are not that one."""
    came = {text.came for text in texts}
    if len(came) != 1 or not any(map(plain, came)) or sum(not text.whole for text in texts) < FEW_TEXTS:
        return None
    [same] = came
    return Fate("that is the same for every command", lambda _: same, lambda text: bool(plain(text.sent)))


def form_of_commands(every: Sequence[Life]) -> Alteration | None:
    """Return in which form commands came before they ran, if those show it that print their own text.

    It was not the output that changed: in some of what others print that form does not show, or something else does.
    """
    texts = [text for text in texts_of(every) if text.name == "stdout" and text.life.name not in VARYING]
    shown = [text for text in texts if not text.whole and (is_echo(text) or text.life.name == "verbatim")]
    short = (text for text in texts if text not in shown and max(len(text.sent), len(text.came)) <= LONGEST_TEXT)
    others = [text for text in short if text.sent or text.came]
    if not shown or not all(plain(text.came) for text in shown):
        return None
    for words, form in FORMS.items():
        # A shell takes blanks together that no quotes protect.
        fit = all(formed(form, text.sent) != text.sent for text in shown)
        fit = fit and all(visible(formed(form, text.sent)) == visible(text.came) for text in shown if is_echo(text))
        fit = fit and all(text.has_become(form) for text in shown if not is_echo(text))
        if fit and not all(text.has_become(form) for text in others):
            wrong = [life for life in every if went_wrong(life) or life.name in VARYING]
            altered = [life for life in wrong if formed(form, command_text(life)) != command_text(life)]
            told = [*(text.life for text in shown if text.sent.isascii()), *filter(is_ascii, altered)]
            if not told:
                return None
            first = told[0]
            return Alteration(f"its text came {words}", [first, *(life for life in altered if life is not first)])
    return None


def framed_as(text: Text) -> dict[str, Callable[[str], str]]:
    """Return the forms in which every text has something before or after it, or lines of some width, if one has."""
    sent, came = plain(text.sent), plain(text.came)
    before, after = came.removesuffix(sent).rstrip(), came.removeprefix(sent).lstrip()
    found: dict[str, Callable[[str], str]] = {}
    if before and came.endswith(sent):
        gap = came[len(before) : len(came) - len(sent)] or "\n"
        found[f"with {short_json(before, LONG)} before it, as all have"] = lambda text: f"{before}{gap}{text}"
    if after and came.startswith(sent):
        gap = came[len(sent) : len(came) - len(after)] if sent else "\n"
        found[f"with {short_json(after, LONG)} after it, as all have"] = lambda text: f"{plain(text)}{gap}{after}"
    width = widest(came)
    if 0 < width < widest(sent):
        found[f"with a line end after each {width} characters of a line"] = partial(
            re.sub, rf"(.{{{width}}})(?=.)", r"\1\n"
        )
    return found


def widest(text: str) -> int:
    """Return how many characters the longest line of a text has."""
    return max(map(len, text.split("\n")))


def emptied(texts: Sequence[Text]) -> Fate | None:
    """Return of which commands all texts are lost that were not empty, if several are, and none of several others.

    Those may have printed as well, or have been polled sooner.
    """
    lost, whole = ([text for text in texts if text.whole is one] for one in (False, True))
    if len(lost) < FEW_TEXTS or any(plain(text.came) for text in lost):
        return None
    kind = of_one_kind([text.life for text in lost], [text.life for text in whole]) if whole else "command"
    soon = [seconds_to_end(text.life) for text in lost]
    later = min((text.life.seconds_until(text.life.end) for text in whole if text.life.end), default=inf)
    if not kind and all(printed(text.life) for text in lost) and not any(printed(text.life) for text in whole):
        kind = "command that prints something"
    if not kind and max(soon) < later < inf and len(whole) >= FEW_TEXTS:
        kind = f"command that was polled within {max(soon):.1f} s of its start, and of none after {later:.1f} s"
    is_there = any(text.name in text.life.end.body for text in lost if text.life.end)
    words = f"that is {'empty' if is_there else 'not there'}, as of every {kind}"
    return Fate(words, lambda _: "", lambda text: bool(plain(text.sent))) if kind else None


def telling(fate: Fate, texts: Iterable[Text]) -> str | None:
    """Return which requirement tells of a fate: the first of those that judge some of what it explains."""
    explained = [text for text in texts if text.name == "stdout" and fate.explains(text)]
    return next((id for id, judges in TELLING.items() if any(map(judges, explained))), None)


def code_fate(every: Iterable[Life]) -> str | None:
    """Return what became of all exit codes, if some have changed; None if that is unknown."""
    known = [(life, life.command.exit_code) for life in every if life.end and life.command and life.name not in VARYING]
    codes = [(life, own, exit_code(life)) for life, own in known if own is not None and life.name != "unknown_program"]
    changed = any(own != code for _, own, code in codes)
    # Something that reads the output may end before the one that closes it.
    for some, which in (
        (codes, ""),
        ([one for one in codes if one[0].name != CLOSED], " that does not close its output"),
    ):
        if changed and len({code for _, _, code in some}) == 1 < len({own for _, own, _ in some}):
            return f"{short_json(some[0][2], 20)} for every command{which}"
    found = (words for words, form in CODES.items() if all(form(life, own) == code for life, own, code in codes))
    return next(found, None) if changed else None


def owners(texts: Iterable[Text]) -> dict[str, Text]:
    """Return, by what it looks like and by its first line, which text is which; of two that look alike, the first."""
    found: dict[str, Text] = {}
    for text in texts:
        whole = looks(text.sent)
        found.setdefault(whole, text)
        if len(line := whole.partition("\n")[0][:MARK]) >= SHORTEST_MARK:
            found.setdefault(line, text)
    found.pop("", None)
    return found


def looks(text: str) -> str:
    """Return what a text looks like, whatever it counts."""
    return plain(re.sub(r"once \d+ slow \d+", "once 1 slow 1", text))


def owner_of(text: Text, known: Mapping[str, Text]) -> Text | None:
    """Return which other text came in place of one, or with it; None if none did, or if it is whole."""
    own, came, begun = looks(text.sent), looks(text.came), text.came[:WITHIN]
    other = looks(printed(text.life) if text.name == "stderr" else errors_of(text.life))
    if came in own or (other and other in came) or before(text):
        return None
    if len(came) > 1 and (one := known.get(came)) and one.life is not text.life:
        return one
    others = (pair for pair in islice(known.items(), MARKS) if pair[1].life is not text.life)
    marks = ((mark, one) for mark, one in others if len(mark) >= SHORTEST_MARK and mark in begun)
    return next((one for mark, one in marks if mark not in own), None)


def became(text: Text, fate: Fate | None, known: Mapping[str, Text]) -> str | None:
    """Return what became of a text, in words that follow its name; None if that is best seen."""
    if words := in_the_other_stream(text):
        return words
    if fate and fate.explains(text):
        return f"{fate.words}: {beginning_of(plain(text.came))}" if plain(text.came) else fate.words
    if one := owner_of(text, known):
        also = "" if looks(one.sent) == looks(text.came) else ", beside other text"
        writes = "prints" if one.name == "stdout" else "writes to standard error"
        return f"that the command of request {one.life.start.number} {writes}{also}: {beginning_of(text.came)}"
    if words := rest_of_it(text) or as_a_form(text, known.values()) or looks_the_same(text):
        return words
    if max(len(text.sent), len(text.came)) <= LONG:
        return f"{how}: {beginning_of(text.came)}" if (how := rearranged(text.sent, text.came)) else None
    return difference(text.sent, text.came)


def in_the_other_stream(text: Text) -> str | None:
    """What the command writes to one stream came in the other, with what belongs there or instead of it."""
    other = "stderr" if text.name == "stdout" else "stdout"
    came, beside = plain(text.came), plain(stream(text.life.end, other)) if text.life.end else ""
    written = errors_of(text.life) if other == "stderr" else printed(text.life)
    theirs = plain(written)
    if beside == plain(text.sent) != "" and beside not in came:
        return f"without it, which came as {other}: {beginning_of(beside)}"
    if not theirs or theirs not in came or theirs in text.sent or (other == "stdout" and theirs != came):
        return None
    terminal = ", and CR LF as from a terminal" if "\r\n" in text.came and "\r\n" not in text.sent + written else ""
    writes = "writes to standard error" if other == "stderr" else "prints"
    return f"that has what the command {writes}{terminal}: {beginning_of(text.came)}"


def rest_of_it(text: Text) -> str | None:
    """What polls got while the command ran is left out."""
    if not (polls := before(text)):
        return None
    what = beginning_of(stream(polls[-1], text.name))
    rest = f"{beginning_of(text.came)}: the rest of what request {polls[-1].number} got while it ran, {what}"
    return f"{rest}: a poll takes what it returns, it seems"


def as_a_form(text: Text, others: Iterable[Text]) -> str | None:
    """It came in a form, whatever became of others, unless some came whole that the form would have changed."""
    if text.whole or len(plain(text.came)) < SHORTEST_MARK:
        return None
    whole = [one for one in others if one.whole and one.name == text.name and len(one.sent) <= WITHIN]
    fits = (
        name for name, form in FORMS.items() if text.has_become(form) and all(one.has_become(form) for one in whole)
    )
    return next((f"{name}: {beginning_of(plain(text.came))}" for name in fits), None)


def before(text: Text) -> list[Exchange]:
    """Return the polls that got the beginning of a text while its command ran, if what came is the rest of it."""
    polls = [e for e in text.life.polls if member(e, "exited") is False and stream(e, text.name)]
    whole = looks("".join(stream(e, text.name) for e in polls) + text.came) == looks(text.sent)
    return polls if whole else []


def changed_throughout(sent: str, came: str) -> str | None:
    """Return which characters a text has lost wherever they stood, or what one has become there; None if neither."""
    gone = sorted(set(sent) - set(came))
    names = ", ".join("CR" if character == "\r" else ascii(character) for character in gone)
    if gone and came == "".join(character for character in sent if character not in gone):
        return f"that has lost each {names}"
    if len(gone) == 1:
        more, at = (len(came) - len(sent)) // sent.count(gone[0]), sent.index(gone[0])
        if came == sent.replace(gone[0], new := came[at : at + more + 1]):
            return f"that has {new!a} for each {names}"
    return None


def looks_the_same(text: Text) -> str | None:
    """It differs in what is not seen."""
    if visible(text.sent) != visible(text.came):
        return None
    if "\r" in text.came.strip() and text.came.strip() == text.sent.strip().replace("\n", "\r\n"):
        return "that has CR LF for each line end"
    if "\r\n" in text.sent and text.came == text.sent.replace("\r\n", "\n"):
        return "that has LF for each CR LF"
    if "\r" in text.sent and text.came == text.sent.replace("\r\n", "\n").replace("\r", "\n"):
        return "that has LF for each CR, and for each CR LF"
    if changed := changed_throughout(text.sent, text.came):
        return changed
    without = {
        text.sent.rstrip("\n"): "line ends at its end",
        text.sent.rstrip(): "white space at its end",
        text.sent.lstrip(): "white space at its beginning",
        text.sent.strip(): "white space around it",
    }
    if what := without.get(text.came):
        return f"without the {what}"
    at = alike(text.came, text.sent)
    if at == len(text.sent):
        return f"with {text.came[at : at + 3]!a} more at its end"
    here, there = (ascii(one[at : at + 3]) if one[at:] else "its end" for one in (text.came, text.sent))
    return f"that looks the same, but has {here} instead of {there} from character {at + 1} on"


def whose_output(evidence: Evidence) -> str | None:
    """Return whose output commands got in place of their own, if it is told in one way of almost all that did."""
    texts = texts_of(evidence.lives)
    known, alike = owners(texts), defaultdict[str, list[Life]](list)
    for text in texts:
        alike[looks(text.sent)].append(text.life)
    others = [(text, one) for text in texts if plain(text.came) and (one := owner_of(text, known))]
    pairs = [(text.life, alike[looks(one.sent)][:MOST_OWNERS]) for text, one in others[:MOST_OWNERS]]
    fits = {
        words: sum(any(holds(evidence, own, one) for one in ones if one is not own) for own, ones in pairs)
        for words, holds in WHOSE.items()
    }
    words = max(fits, key=fits.__getitem__)
    silent = not any(text.sent for text, _ in others)
    words = "that of another, and only where nothing is to be written: a buffer keeps it" if silent else words
    told = len(pairs) >= FEW_TEXTS and (silent or fits[words] >= ALMOST_ALL * len(pairs))
    return f"each got {words}, it seems" if told else None


def has_last(evidence: Evidence, own: Iterable[Exchange], then: Exchange | None, among: Iterable[Exchange]) -> bool:
    """Whether one of some exchanges came before another one, or with it, and none of others came between them."""
    if then is None:
        return False
    sent, done = evidence.sent, evidence.done
    latest = max((sent(o) for o in among if done(o) < sent(then)), default=-inf)
    return any(e is not then and sent(e) <= done(then) and latest <= done(e) for e in own)


def last_started(evidence: Evidence, other: Life, then: Exchange | None) -> bool:
    """Whether a command was the last to be started before a request."""
    return has_last(evidence, [other.start], then, (life.start for life in evidence.lives))


def last_polled(evidence: Evidence, other: Life, then: Exchange | None) -> bool:
    """Whether a command was the last to be polled before a request."""
    return has_last(evidence, other.polls, then, (e for life in evidence.lives for e in life.polls))


def has_pid_beside(own: Life, other: Life) -> bool:
    """Whether the pids of two commands differ by one."""
    return abs((new_pid(own.start) or 0) - (new_pid(other.start) or 0)) == 1


#: What they get where the pid is not looked at.
LAST = "the output of the command that was started last: the pid is not looked at"
#: Whose output commands may get in place of their own.
WHOSE: dict[str, Callable[[Evidence, Life, Life], bool]] = {
    "what another poll was to get that was under way with it: responses are mixed up": (
        lambda _, own, other: any(own.end and overlap(own.end, e) for e in other.polls)
    ),
    "that of a command that was started at the same time: starts at once get each other's command": (
        lambda _, own, other: overlap(own.start, other.start)
    ),
    "what another was to get, which got its own: the two are exchanged": (
        lambda _, own, other: plain(printed(own)) != "" and plain(printed(own)) in plain(stdout(other))
    ),
    "that of the pid beside its own, or of the start before: a start gives a pid that is one off, or the one before": (
        lambda evidence, own, other: has_pid_beside(own, other) or last_started(evidence, other, own.start)
    ),
    LAST: (lambda evidence, own, other: last_started(evidence, other, own.end)),
    "the output of the command that was polled before it: what comes is one poll late": (
        lambda evidence, own, other: last_polled(evidence, other, own.end)
    ),
}
