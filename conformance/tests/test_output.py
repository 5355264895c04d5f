"""What became of what commands printed: what is said of it, and what is not."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hostup_conformance.contract.ask import Exchange
from hostup_conformance.contract.causes import differences, mishaps, output
from hostup_conformance.contract.causes.output import Text
from hostup_conformance.contract.commands import LETTERS, Command
from hostup_conformance.contract.lives import Life
from hostup_conformance.contract.target import Target
from hostup_conformance.contract.understanding import understand
from hostup_conformance.http import exchange as core
from hostup_conformance.http.messages import Request, Response
from hostup_conformance.sources.start_steps import body_of, post

TARGET = Target("http://localhost", "server", "key", "vps_1")
BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
#: Lines, the last without an end, with what programs escape, fold or drop.
SAMPLE = 'One\tline\n\nOne\tline\nblank \nOne\\n+%41 "<b>&amp;"  å e\u0301 € 😀\x0b\x1b[1mend'
LINES = "".join(f"line {number}\n" for number in range(1000))


def exchange(number: int, request: Request, response: Response | None = None) -> Exchange:
    return core.Exchange(number, request, response, understand(request, TARGET))


def text(sent: str, came: str, *, command: str = "true", code: int = 0, errors: str = "", told: int | None = 0) -> Text:
    """A text of a command, which ended with a code and was told to have ended with another."""
    start = exchange(1, post(TARGET, body_of(command, escaped=False)))
    body = json.dumps({"exited": True, "exitCode": told, "stdout": came, "stderr": ""}).encode()
    end = exchange(
        2, replace(start.request, method="GET"), Response(200, (("Content-Type", "application/json"),), body)
    )
    known = Command("known", command, sent.encode("utf-8", "surrogatepass"), errors.encode(), code)
    return Text(Life(start, known, "", [end]), "stdout", sent, came, 2)


@pytest.mark.parametrize("words", output.FORMS)
def test_a_form_is_told_unless_it_spared_something(words: str) -> None:
    form = output.FORMS[words]
    changed = text(SAMPLE, form(SAMPLE))
    fate = output.fate_of([changed, text("spared", form("spared"))])
    assert fate
    assert fate.form(SAMPLE) == form(SAMPLE)
    assert output.fate_of([changed, text(SAMPLE + ".", SAMPLE + ".")]) is None


def test_one_text_for_all_commands_is_no_form_and_no_alteration() -> None:
    texts = [text(f"{sent}\n", "hello\n", command=f"echo {sent}") for sent in ("first", "second", "third")]
    fate = output.fate_of(texts)
    assert fate
    assert fate.words == "that is the same for every command"
    assert mishaps.alteration([one.life for one in texts]) is None
    assert output.fate_of([*texts, text("spared", "spared")]) is None


@pytest.mark.parametrize("odd", ["\ud800", "&#" + "9" * 5000])
def test_a_form_knows_nothing_of_what_it_cannot_read(odd: str) -> None:
    """As what a server puts before its output, and the rest of what a guest prints."""
    texts = [text("first\n" + odd, "second\n" + odd), text(odd, odd[::-1])]
    assert output.fate_of(texts) is None
    assert output.form_of_commands([one.life for one in texts]) is None


def polled_after(seconds: float, sent: str, came: str) -> Text:
    """A text of a command that was polled to its end so many seconds after its start."""
    one = text(sent, came)
    one.life.start = replace(one.life.start, when=BEGAN)
    one.life.polls = [replace(e, when=BEGAN + timedelta(seconds=seconds)) for e in one.life.polls]
    return one


def test_what_is_missing_from_early_polls_alone_is_told_by_that() -> None:
    lost = [polled_after(0.1 * number, f"line {number}\n", "") for number in (1, 2, 3)]
    whole = [polled_after(number, "later\n", "later\n") for number in (2, 3)]
    fate = output.fate_of([*lost, *whole])
    assert fate
    assert fate.words == (
        "that is empty, as of every command that was polled within 0.3 s of its start, and of none after 2.0 s"
    )
    assert output.fate_of([*lost, *whole, polled_after(0.2, "soon\n", "soon\n")]) is None


def test_what_is_missing_altogether_shows_no_form() -> None:
    fate = output.fate_of([text("one line\n", ""), text("another\n", ""), text("", "")])
    assert fate
    assert fate.words == "that is empty, as of every command"
    assert output.fate_of([text("one line\n", ""), text("", "")]) is None


@pytest.mark.parametrize(
    ("odd", "usual", "words"),
    [
        ({"code": 3}, {}, "command that fails"),
        ({}, {"code": 3}, "command that ends with exitCode 0"),
        ({"errors": "e"}, {}, "command that writes something to standard error"),
        ({"sent": "x" * 4096}, {}, "command that prints 4,096 bytes or more"),
    ],
)
def test_it_is_told_of_which_commands_all_output_is_missing(
    odd: dict[str, Any], usual: dict[str, Any], words: str
) -> None:
    lost = [text(**{"sent": "some", "came": "", **odd}), text(**{"sent": "some", "came": "", **odd})]
    whole = [text("some", "some", **usual), text("other", "other", **usual), text("more", "more", **usual)]
    fate = output.fate_of([*lost, *whole])
    assert fate
    assert output.became(lost[0], fate, {}) == f"that is empty, as of every {words}"
    for contradiction in (replace(lost[0], came=lost[0].sent), text("some", "", **usual)):
        assert output.fate_of([*lost, *whole, contradiction]) is None
    assert output.fate_of([*lost, whole[0]]) is None


def test_what_becomes_of_commands_alone_is_told_of_these() -> None:
    changed = text("å", "?", command="printf å")
    spared = text("å", "å", command="printf '\\303\\245'")
    fate = output.fate_of([changed, spared])
    assert fate
    assert fate.words.endswith("(in the command; what ASCII commands print is whole)")
    assert not fate.explains(spared)


@pytest.mark.parametrize(
    ("came", "words"),
    [
        (LINES[:4000], "that is only the first 4,000 of 8,890 characters"),
        (LINES[-4000:], "that is only the last 4,000 of 8,890 characters"),
        (LINES[:4000] * 2 + LINES[4000:], "in which 4,000 characters come twice"),
        (LINES[:5000] + LINES[4000:], "in which 1,000 characters come twice, after the first 4,000"),
        (LINES[:4000] + LINES[5000:], "without 1,000 of 8,890 characters, after the first 4,000"),
        (LINES[4000:] + LINES[:4000], "in another order: the first 4,000 characters come last"),
        (LINES[:9] + LINES[:8:-1], "with the same 8,890 characters in another order, after the first 9"),
        (LINES.replace("e 5\n", "e V\n"), 'with "V" instead of "5", after the first 40'),
        (LINES.replace("ne", "n"), 'without "e", after the first 3, and so in 1000 places'),
        (LINES[:40] + "?" * 100, 'that is the same up to character 40 of 8,890, but then goes on with "?????'),
        (LINES[:4000] + "[cut]" + LINES[-90:], 'with "[cut]" instead of 4,800 characters, after the first 4,000'),
        (LINES + "$ ", 'that is whole, but goes on with "$ "'),
        ("Hello\n" + LINES, 'that is whole, but begins with "Hello\\n"'),
        (LINES * 3, "that comes 3 times"),
        (LINES[:70], "that is only the first 70 of 8,890 characters, which are 10 lines"),
        ("another", None),
    ],
)
def test_where_texts_differ(came: str, words: str | None) -> None:
    found = differences.difference(LINES, came)
    assert (found or "").startswith(words or "")
    assert bool(found) == bool(words)


def test_what_repeats_itself_does_not_tell_which_part_came() -> None:
    assert differences.difference("x" * 100, "x" * 40) == "that is only 40 of 100 characters"


@pytest.mark.parametrize("size", [300, 1000, 4096])
@pytest.mark.parametrize("errors", ["replace", "ignore"])
def test_blocks_that_end_within_a_character(size: int, errors: str) -> None:
    letters = LETTERS * 4000
    data = letters.encode()
    blocks = (data[at : at + size].decode(errors=errors) for at in range(0, len(data), size))
    found = differences.difference(letters, "".join(blocks))
    assert found
    assert f"wherever a block of {size:,} bytes ends within a character" in found
    elsewhere = letters[:100] + "?" + letters[101:]
    assert "block" not in (differences.difference(letters, elsewhere) or "")


def test_output_of_another_command_is_known() -> None:
    own, other = text("what it prints itself", "what another prints"), text("what another prints", "")
    known = output.owners([own, other])
    assert output.owner_of(own, known) is other
    mixed = replace(own, came="what it prints itself and what another prints")
    assert output.owner_of(mixed, known) is other
    for came in ("what it prints itself\n", "what nobody prints", ""):
        assert output.owner_of(replace(own, came=came), known) is None
    longer = text("what another prints, too", "what another prints, TOO")
    assert output.owner_of(longer, output.owners([other, longer])) is None


def test_standard_error_in_the_output_is_known() -> None:
    merged = text("printed", "printederror", errors="error")
    assert output.became(merged, None, {}) == 'that has what the command writes to standard error: "printederror"'
    assert output.became(text("printed", "PRINTED", errors="error"), None, {}) is None
    assert "standard error" not in str(output.became(text("an error", "an error!", errors="error"), None, {}))


@pytest.mark.parametrize("words", output.CODES)
def test_what_became_of_exit_codes(words: str) -> None:
    cases = [("", 0), ("e", 0), ("", 3), ("e", 200)]
    whole = [text("", "", code=code, errors=errors, told=code).life for errors, code in cases]
    codes = [output.CODES[words](life, code) for life, (_, code) in zip(whole, cases, strict=True)]
    changed = [text("", "", code=c, errors=e, told=told).life for (e, c), told in zip(cases, codes, strict=True)]
    assert output.code_fate(changed) == words
    assert output.code_fate([*changed, text("", "", code=77, errors="e", told=76).life]) is None
    assert output.code_fate(whole) is None


def test_what_stands_before_all_output_is_told() -> None:
    texts = [text(sent, f"Welcome\n{sent}") for sent in ("one", "other", "")]
    fate = output.fate_of(texts)
    assert fate
    assert fate.words == 'with "Welcome" before it, as all have'
    assert output.fate_of([*texts, text("whole", "whole")]) is None
    assert output.fate_of(texts[:1]) is None


def test_a_stream_that_is_not_there_is_no_empty_one() -> None:
    lost = [text("one line\n", ""), text("another\n", "")]
    for one in lost:
        one.life.polls = [
            replace(e, response=replace(e.response, body=b'{"exited": true}')) for e in one.life.polls if e.response
        ]
    fate = output.fate_of([*lost, text("", "")])
    assert fate
    assert fate.words == "that is not there, as of every command"
    assert differences.difference("a€b€" * 9, "a€b\ufffd" + "a€b€" * 8) == (
        'with U+FFFD instead of "€", after the first 3: what came in parts was decoded part by part, it seems'
    )


@pytest.mark.parametrize(
    ("came", "words"),
    [
        ("a\tb\nc\u2028d", "that has lost each '\\x1b'"),
        ("ab\nc\x1bd", "that has lost each '\\t', '\\u2028'"),
        ("a\tb\nc\x1b d", "that has ' ' for each '\\u2028'"),
    ],
)
def test_what_became_of_characters_that_are_not_seen_is_told(came: str, words: str) -> None:
    assert output.looks_the_same(text("a\tb\nc\x1b\u2028d", came)) == words
