"""No key gets out, whatever its characters, however it is written, and wherever the text is cut."""

import base64
import html
import json
import os
import quopri
import random
import re
from collections.abc import Callable, Iterator
from unicodedata import normalize
from urllib.parse import quote

import pytest
from catalogue import first_of
from hostup_conformance.keeping.redact import ALL, ENCODED, KEPT, MARK, OVERLAP, PIECE, WINDOW, Redactor
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

KEY = "hu_mock_full_4f0c9a27d1e84b6c"
#: Letters that become others in other encodings, and characters that escapes are made of.
CHARACTERS = "abcdefgxyzABCXYZ0123456789_-.~\"\\%+/=<&';: #éßåÿŁжµ"
#: In how many texts keys are looked for; `make fuzz` gives more. One key stands in so many: to make what finds a key
#: takes longer than to use it.
CASES, PLACES = int(os.environ.get("HOSTUP_FUZZ_EXAMPLES", "160")), 16
keys = st.text(CHARACTERS, min_size=PIECE, max_size=40)


def each(form: str) -> Callable[[str], str]:
    return lambda text: "".join(form.format(ord(c)) for c in text)


def octets(form: str) -> Callable[[str], str]:
    return lambda text: "".join(form.format(byte) for byte in text.encode())


def padded(encode: Callable[[bytes], bytes], shift: int) -> Callable[[str], str]:
    return lambda text: encode(b"Bearer "[:shift] + text.encode()).decode()


#: How a text is written, and how somebody who knows that reads it again, whatever stands around it.
FORMS: dict[str, Callable[[str], str]] = {
    "plain": str,
    "lower": str.lower,
    "upper": str.upper,
    "percent where needed": lambda text: quote(text, safe=""),
    "lower percent where needed": lambda text: re.sub("%..", lambda m: m[0].lower(), quote(text, safe="")),
    "percent": octets("%{:02X}"),
    "lower percent": octets("%{:02x}"),
    "percent twice": lambda text: quote(quote(text, safe=""), safe=""),
    "JSON": lambda text: json.dumps(text)[1:-1],
    "JSON with slashes": lambda text: json.dumps(text, ensure_ascii=False)[1:-1].replace("/", "\\/"),
    "unicode": each("\\u{:04x}"),
    "upper unicode": each("\\u{:04X}"),
    "braces": each("\\u{{{:x}}}"),
    "bytes": octets("\\x{:02x}"),
    "octal": octets("\\{:03o}"),
    "repr": lambda text: repr(text.encode())[2:-1],
    "HTML": html.escape,
    "decimal": each("&#{};"),
    "entities": each("&#x{:x};"),
    "upper entities": each("&#x{:X};"),
    "hex": octets("{:02x}"),
    "upper hex": octets("{:02X}"),
    "NULs": "\0".join,
    "base64 of UTF-16": lambda text: base64.b64encode(text.encode("utf-16-le")).decode(),
    **{f"base64 at {shift}": padded(base64.b64encode, shift) for shift in range(3)},
    **{f"urlsafe base64 at {shift}": padded(base64.urlsafe_b64encode, shift) for shift in range(3)},
    **{f"base32 at {shift}": padded(base64.b32encode, shift) for shift in range(5)},
}


#: The same for forms that are not written in others.
ALONE: dict[str, Callable[[str], str]] = {
    "breaks of words": lambda text: "<wbr>".join(re.findall(".{1,7}", text)),
    "breaks of words with an attribute": lambda text: "<wbr data-v-7ba5bd90>".join(re.findall(".{1,7}", text)),
    "breaks of lines": lambda text: "<BR />\r\n".join(re.findall(".{1,6}", text)),
    "unseen characters": lambda text: "".join(c + "\u200b\u00ad\ufeff\u2060\ufe0f"[n % 5] for n, c in enumerate(text)),
    "short octal": octets("\\{:o}"),
    "dump": lambda text: text.encode().hex(" "),
    "upper dump": lambda text: text.encode().hex(":").upper(),
}
#: The same for characters as numbers, which may stand in what is escaped.
NUMBERED: dict[str, Callable[[str], str]] = {
    "numbers as in JSON": lambda text: json.dumps([*text.encode()], separators=(",", ":")),
    "numbers over lines": lambda text: json.dumps([*text.encode()], indent=4),
    "numbers as in Python": lambda text: repr([*text.encode()]),
    "numbers as in Go": lambda text: repr([*text.encode()]).replace(",", ""),
    "numbers as in C": lambda text: ", ".join(f"0x{byte:02x}" for byte in text.encode()),
    "quoted-printable": octets("={:02X}"),
    "lower quoted-printable": octets("={:02x}"),
    "quoted-printable where needed": lambda text: quopri.encodestring(text.encode(), quotetabs=True).decode("latin-1"),
    "quoted-printable over lines": lambda text: "=\r\n".join(text[at : at + 5] for at in range(0, len(text), 5)),
    "CSS": each("\\{:x} "),
    "long CSS": each("\\{:06x}"),
}
ESCAPED = ("plain", "percent", "lower percent where needed", "JSON", "unicode", "bytes", "HTML", "decimal", "entities")
CHAINS = [(first, second) for first in FORMS for second in FORMS] + [(form, "plain") for form in ALONE]
CHAINS += [(form, second) for form in NUMBERED for second in ESCAPED]
EVERY = FORMS | ALONE | NUMBERED


def unpercent(text: str) -> str:
    return re.sub("%([0-9A-Fa-f]{2})", lambda m: chr(int(m[1], 16)), text)


def unslash(text: str) -> str:
    def one(m: re.Match[str]) -> str:
        return chr(int(m[1] or m[2] or m[3], 16)) if m[1] or m[2] or m[3] else chr(int(m[4], 8)) if m[4] else m[5]

    return re.sub(r"\\(?:u([0-9a-fA-F]{4})|u\{([0-9a-f]+)\}|x([0-9a-fA-F]{2})|([0-7]{1,3})|([^0-9A-Za-z]))", one, text)


def decoded(text: str, alphabet: str, decode: Callable[[str], bytes], block: int) -> Iterator[str]:
    for run in re.findall(f"[{alphabet}]+", text):
        for at in range(block):
            part = run[at : at + (len(run) - at) // block * block]
            yield decode(part).decode("latin-1")


def from_numbers(text: str, form: str) -> str:
    if "quoted-printable" in form:
        return re.sub("=([0-9A-Fa-f]{2}|\r?\n)", lambda m: chr(int(m[1], 16)) if m[1].strip() else "", text)
    if "CSS" in form:
        return re.sub(r"\\([0-9a-f]{1,6}) ?", lambda m: chr(min(int(m[1], 16), 0x10FFFF)), text)
    codes = re.findall(r"(?<![^\[, \n])(?:0x[0-9a-f]{2}|[0-9]+)", text)
    return "".join(chr(int(code, 16 if "x" in code else 10)) for code in codes if len(code) < 5)


def attacks(text: str, form: str) -> Iterator[str]:
    """Yield what a text says to somebody who knows in which form a key may stand in it."""
    if "percent" in form:
        yield unpercent(unpercent(text)) if "twice" in form else unpercent(text)
    elif form in {
        "JSON",
        "JSON with slashes",
        "unicode",
        "upper unicode",
        "braces",
        "bytes",
        "octal",
        "short octal",
        "repr",
    }:
        yield unslash(text)
    elif form in {"HTML", "decimal", "entities", "upper entities"}:
        yield html.unescape(text)
    elif "hex" in form or "dump" in form:
        text = re.sub("[ :]", "", text) if "dump" in form else text
        yield from decoded(text, "0-9a-fA-F", bytes.fromhex, 2)
    elif "base64" in form:
        for inner in decoded(text.replace("-", "+").replace("_", "/"), "A-Za-z0-9+/", base64.b64decode, 4):
            yield inner.replace("\0", "") if "UTF-16" in form else inner
    elif "base32" in form:
        yield from decoded(text, "A-Z2-7", base64.b32decode, 8)
    elif form in NUMBERED:
        yield from_numbers(text, form)
    elif form in {"NULs", "unseen characters"}:
        yield re.sub("[\0\u200b\u00ad\ufeff\u2060\ufe0f]", "", text)
    else:
        yield text


def told(key: str, text: str, first: str, second: str) -> list[str]:
    """Return the pieces of a key that a text tells, if it was written in the first form and that in the second."""
    utf8 = key.encode().decode("latin-1")
    secret = {k[at : at + PIECE].lower() for k in (key, utf8) for at in range(len(k) - PIECE + 1)}
    found = []
    for part in text.split(MARK):
        for outer in attacks(part, second):
            for inner in (*attacks(outer, first), outer, part):
                low = inner.lower()
                found += [low[at : at + PIECE] for at in range(len(low) - PIECE + 1) if low[at : at + PIECE] in secret]
    return found


#: A key as it stands in a text: its form and the form of that, what stands around it, and where the text was cut.
places = st.tuples(
    st.sampled_from(CHAINS),
    st.text(CHARACTERS, max_size=12),
    st.text(CHARACTERS, max_size=12),
    st.floats(0, 0.7),
    st.floats(0.3, 1),
)


@settings(max_examples=max(CASES // PLACES, 1), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(key=keys, places=st.lists(places, min_size=PLACES, max_size=PLACES))
@example('abc%41de"fgh\\n', [(("JSON", "percent twice"), "", "", 0.0, 1.0)])
@example("0000000:", [(("percent twice", "plain"), "\\", "", 0.0, 1.0)])
@example("0000000'\"and more of it", [(("repr", "percent"), "%", "", 0.0, 0.36)])
@example("00000/µ0", [(("JSON with slashes", "base64 at 0"), "", "", 0.0, 1.0)])
@example("%2525%2525%2525", [(("percent", "HTML"), "%", "25", 0.0, 0.9)])
def test_no_piece_survives_in_sixteen_places(
    key: str, places: list[tuple[tuple[str, str], str, str, float, float]]
) -> None:
    redact = Redactor([key])
    for (first, second), before, after, begin, end in places:
        written = FORMS[second](EVERY[first](key))
        start, stop = int(begin * len(written)), int(end * len(written))
        whole = before * (start == 0) + written[start:stop] + after * (stop == len(written))
        assert told(key, redact(whole), first, second) == [], (first, second, whole)


@pytest.mark.parametrize("form", EVERY)
def test_every_form_is_redacted_and_nothing_else(form: str) -> None:
    """Every form of a key is found, and the text around it stays as it is."""
    redact = Redactor([KEY])
    written = EVERY[form](KEY)
    assert redact.finds_in(f"before: {written}")
    shown = redact(f'{{"before": "{written}", "after": [1]}}')
    assert MARK in shown
    assert shown.startswith('{"before": "')
    assert shown.endswith('", "after": [1]}')


def test_characters_may_each_be_written_differently() -> None:
    text = "h&#117;%5fm\\u006fck_%2566u\\x6c&#x6C;_4f0C9A27d1e84b6c"
    redact = Redactor([KEY])
    assert redact.finds_in(text)
    assert redact(f"<{text}>") == f"<{MARK}>"


def test_a_key_as_a_label_of_a_host_name_is_redacted() -> None:
    """IDNA writes its letters outside ASCII after all others."""
    redact = Redactor(["schlüssel-gärtnerei"])
    for label in ("xn--schlssel-grtnerei-zqb36b", "XN--SCHLSSEL-GRTNEREI-ZQB36B"):
        assert redact(f"https://{label}.example/") == f"https://{label[:4]}{MARK}.example/"


def test_a_shared_prefix_is_no_whole_key() -> None:
    assert not Redactor([KEY]).finds_in(KEY[:-1])
    assert not Redactor([KEY]).finds_in("hu_mock_full_0000000000000000")


@pytest.mark.parametrize("text", ["Control", "hu", "<h1>ol</h1>", "authorization is needed", "Bearer"])
def test_ordinary_text_stays_with_a_short_key(text: str) -> None:
    assert Redactor(["ol", "h"])(text) == text
    assert not Redactor(["ol", "h"]).finds_in(text)


@pytest.mark.parametrize("text", ["Authorization: Bearer ol", '"authorization": "ol"', "bearer  ol", "X-Api-Key=ol."])
def test_a_short_key_is_redacted_as_a_credential(text: str) -> None:
    """A key of fewer than eight characters is replaced only where a text names it as a credential."""
    assert Redactor(["ol"])(text) == text.replace("ol", MARK)


@pytest.mark.parametrize("at", [0, WINDOW - 3, WINDOW - 70, WINDOW + OVERLAP - 3, 2 * WINDOW - 1])
def test_a_long_text_is_read_across_its_windows(at: int) -> None:
    redact = Redactor([KEY])
    text = "." * at + octets("%{:02x}")(KEY) + "." * WINDOW
    assert redact.finds_in(text)
    assert redact(text) == "." * at + MARK + "." * WINDOW


#: Numbers, and what looks like the beginning of one.
NUMBERS = (
    "=",
    "=4",
    "=41",
    "=\n",
    ",",
    ", ",
    "104,",
    "104, ",
    " 104",
    "0x68, ",
    ",\\n",
    "\\6",
    "\\68 ",
    "104" + " " * 20,
)


@pytest.mark.parametrize(
    "text", ["%", "\\", "&", "&#", "\\u", "%25", "\\\\", "&amp;", "\0", KEY, KEY[:-1], "&#0000", *NUMBERS]
)
def test_a_text_that_repeats_itself_takes_no_longer(text: str) -> None:
    """Each is long; `test_scaling.py` tells how the time grows."""
    repeated = text * (2**16 // len(text))
    redact = Redactor([KEY])
    assert redact.finds_in(repeated) is (text == KEY)
    assert (MARK in redact(repeated)) is (KEY[:-1] in text)


def test_no_key_nothing_to_do() -> None:
    assert Redactor([])("a text") == "a text"
    assert not Redactor([""]).finds_in("a text")


def dump(text: str, group: int, line: int, *, number: bool) -> str:
    """Return bytes in hexadecimal, in groups and lines as programs print them."""
    data = text.encode()
    lines = []
    for start in range(0, len(data), line):
        part = data[start : start + line]
        groups = [part[at : at + group].hex() for at in range(0, len(part), group)]
        lines.append(f"{start:08x}: " * number + " ".join(groups))
    return "\n".join(lines)


#: How an accident sets the characters of a key apart, or makes them look like others.
APART: dict[str, Callable[[str], str]] = {
    "a list": lambda text: json.dumps([*text]),
    "a list over lines": lambda text: json.dumps([*text], indent=2),
    "a list in Python": lambda text: repr([*text]),
    "YAML": lambda text: "\n".join(f"- {c}" for c in text),
    "an object": lambda text: json.dumps({str(at): c for at, c in enumerate(text)}),
    "an object over lines": lambda text: json.dumps({str(at): c for at, c in enumerate(text)}, indent=4),
    "a dict of Python": lambda text: repr(dict(enumerate(text))),
    "an escaped list": lambda text: json.dumps(json.dumps([*text])),
    "blanks": " ".join,
    "line ends": "\n".join,
    "hyphens": "-".join,
    "tags": lambda text: "".join(f"<b>{c}</b>" for c in text),
    "one tag each": "<wbr>".join,
    "tags with attributes": lambda text: "".join(f'<span style="--n: {at}">{c}</span>' for at, c in enumerate(text)),
    "xxd": lambda text: dump(text, 2, 16, number=True),
    "hexdump": lambda text: dump(text, 1, 16, number=True),
    "od": lambda text: dump(text, 4, 8, number=False),
    "hex in lines": lambda text: dump(text, 8, 8, number=False),
    "hex with hyphens": lambda text: text.encode().hex("-"),
    "hex in C": lambda text: "".join(f'"\\x{byte:02x}"\n' for byte in text.encode()),
    "MIME": lambda text: "\n".join(re.findall(".{1,12}", base64.b64encode(text.encode()).decode())),
    "full-width letters": lambda text: "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in text),
    "mathematical letters": lambda text: re.sub("[a-z]", lambda m: chr(ord(m[0]) - 97 + 0x1D5BA), text),
    "an escaped object": lambda text: json.dumps(json.dumps({str(at): c for at, c in enumerate(text)}))[1:-1],
    "escaped pairs": lambda text: json.dumps(json.dumps([[at, c] for at, c in enumerate(text)]))[1:-1],
    "bytes in XML": lambda text: "".join(f"<c>{byte}</c>" for byte in text.encode()),
    "bytes in Rust": lambda text: ", ".join(f"{byte}u8" for byte in text.encode()),
    "escaped base64": lambda text: json.dumps(re.sub("(.{4})", r"\1\n", base64.b64encode(text.encode()).decode()))[
        1:-1
    ],
    "PEM": lambda text: re.sub("(.{8})", r"\1\r\n", base64.b64encode(text.encode()).decode()),
}


@pytest.mark.parametrize("form", APART)
def test_characters_that_stand_apart_are_found(form: str) -> None:
    letters = re.sub("[^0-9a-z]", "", KEY)
    shown = Redactor([KEY])(f'{{"before": "{APART[form](KEY)}", "after": [1]}}')
    assert shown.startswith('{"before": ')
    assert shown.endswith('"after": [1]}')
    assert MARK in shown
    for part in shown.split(MARK):
        rest = normalize("NFKC", re.sub("<[^>]*>|[\"'][0-9]+[\"']:|[0-9]+:", "", part)).lower()
        rest = re.sub("[^0-9a-z]", "", rest)
        told_of = [letters[at : at + PIECE] for at in range(len(letters) - PIECE + 1)]
        hexadecimal = [piece.encode().hex() for piece in told_of]
        assert not any(piece in rest for piece in (*told_of, *hexadecimal))


@pytest.mark.parametrize("form", [str, lambda key: base64.b64encode(key.encode()).decode()], ids=["plain", "base64"])
def test_a_backslash_before_each_character_makes_no_line_end(form: Callable[[str], str]) -> None:
    r"""Read as line ends, \n, \r and \t would take letters out of a key between any eight others."""
    key = "zrAntTrnBtnrCrtnDnrtEtrn"
    shown = Redactor([key])("\\".join(form(key)))
    assert max(map(len, shown.replace("\\", "").split(MARK))) < PIECE


#: How an accident writes characters one a line, in colours, as numbers, or from the end to the beginning.
OTHERWISE: dict[str, Callable[[str], str]] = {
    "cat -n": lambda text: "\n".join(f"{at:6}\t{c}" for at, c in enumerate(text)),
    "numbered lines": lambda text: "\n".join(f"{at}: {c}" for at, c in enumerate(text)),
    "numbered lines in quotes": lambda text: "\r\n".join(f"[{at}] = '{c}'" for at, c in enumerate(text)),
    "lines of words": lambda text: "\n".join(f"the character {at} is {c}" for at, c in enumerate(text)),
    "lines in JSON": lambda text: json.dumps("\n".join(text)),
    "numbered lines in JSON": lambda text: json.dumps("\n".join(f"{at} {c}" for at, c in enumerate(text))),
    "numbered lines in JSON in JSON": lambda text: json.dumps(OTHERWISE["numbered lines in JSON"](text)),
    "pairs": lambda text: repr([*enumerate(text)]),
    "pairs in JSON": lambda text: json.dumps([*enumerate(text)]),
    "colours": lambda text: "".join(f"\x1b[3{at % 8}m{c}" for at, c in enumerate(text)),
    "many colours": lambda text: "".join(f"\x1b[38;5;{at}m{c}\x1b[0m" for at, c in enumerate(text)),
    "colours in JSON": lambda text: json.dumps("".join(f"\x1b[1m{c}\x1b[0m" for c in text)),
    "colours in a script": lambda text: "".join(f"\\e[3{at % 8}m{c}" for at, c in enumerate(text)),
    "colours without an escape": lambda text: "".join(f"[3{at % 8}m{c}" for at, c in enumerate(text)),
    "a colour in the middle": lambda text: f"{text[:6]}\x1b[1m{text[6:12]}\x1b[0m{text[12:]}",
    "a link in the middle": lambda text: f"{text[:6]}\x1b]8;;https://a.example\x07{text[6:12]}\x1b]8;;\x07{text[12:]}",
    "numbers on lines": lambda text: "\n".join(str(ord(c)) for c in text),
    "numbers with semicolons": lambda text: "; ".join(str(ord(c)) for c in text),
    "numbers in strings": lambda text: json.dumps([str(ord(c)) for c in text]),
    "numbers in an object": lambda text: json.dumps({str(at): ord(c) for at, c in enumerate(text)}),
    "code points": lambda text: " ".join(f"U+{ord(c):04X}" for c in text),
    "from the end": lambda text: text[::-1],
    "base64 from the end": lambda text: base64.b64encode(text[::-1].encode()).decode(),
    "hexadecimal from the end": lambda text: text[::-1].encode().hex(),
}


@pytest.mark.parametrize("form", OTHERWISE)
def test_what_is_written_otherwise_is_found(form: str) -> None:
    for key in (KEY, "zq7VxK2mZf8Lw3Tn"):
        written = OTHERWISE[form](key)
        shown = Redactor([key])(f"before: {written} :after")
        assert shown.startswith("before: ")
        assert shown.endswith(" :after")
        assert shown.count(MARK) == 1
        assert len(shown.replace(MARK, "")) <= len("before:  :after") + len(written) / 4


ORDINARY = """\
HTTP/1.1 404 Not Found {"type":"https://developer.hostup.se/errors/not_found","requestId":"req_01hxa3b4c5d6e7f8g9h0j1k2m3"}
<ul><li>a</li><li>b</li></ul> - a - b - c 1, 2, 3, 4, 5, 6, 7, 8 {"0": "a", "1": "b", "2": "c", "3": "d", "4": "e"}
00000000: 4865 6c6c 6f2c 2077 6f72 6c64 210a       Hello, world!. deadbeefdeadbeefdeadbeefdeadbeef
1 a
2 b
3 c
4 d
5 e
6 f
\x1b[1ma\x1b[0mb\x1b[31mc\x1b[0m 104 101 108 108 111 33 33 33 104;101;108;108;111;33;33;33 U+0041 U+0042 U+0043
"""


def test_ordinary_text_stays() -> None:
    assert Redactor([KEY, KEY[::-1], "9b2d6f0a-7c1e-4b8f-a3d5-1e2f3a4b5c6d"])(ORDINARY * 20) == ORDINARY * 20


#: How many characters the keys have together: fewer than those of which every form is kept.
MANY = ALL // 2


def held(redact: Redactor) -> int:
    """Return how many pieces and forms a redactor keeps once it has been used both ways."""
    redact(KEY)
    redact.finds_in(KEY)
    forms = sum(len(forms) for by_length in redact._whole.values() for forms in by_length.values())
    return len(redact._plain) + len(redact._encoded) + forms


@pytest.mark.parametrize(
    ("alphabet", "length"), first_of(("0123456789abcdef", 40), ("abcXYZ+/=._-", 400), ("%25\\u0041&#;", 4000))
)
def test_what_is_kept_grows_with_the_keys_and_not_faster(alphabet: str, length: int) -> None:
    """Neither with their number times that of the forms, nor for one long key, while each is kept in every form."""
    chance = random.Random(length)  # noqa: S311 - it only varies the cases
    keys = ["".join(chance.choice(alphabet) for _ in range(length)) for _ in range(MANY // length)]
    half, whole = held(Redactor(keys[: len(keys) // 2])), held(Redactor(keys))
    assert whole <= 2.2 * half
    assert whole <= 100 * MANY


def test_of_very_many_keys_each_is_kept_as_it_is() -> None:
    keys = [f"{number:040x}"[::-1] for number in range(10_000)]
    redact = Redactor(keys)
    assert held(redact) <= 100 * ALL + 20 * ENCODED + 3 * 400_000
    assert redact(f"a {keys[-1]} z") == f"a {MARK} z"
    assert redact(f"a {base64.b64encode(keys[0].encode()).decode()} b").startswith(f"a {MARK}")


def test_what_was_redacted_is_kept_within_a_bound() -> None:
    redact = Redactor([KEY])
    for number in range(3 * KEPT):
        assert redact(f"{KEY} {number}") == f"{MARK} {number}"
    assert redact._short_texts.cache_info().currsize <= KEPT
