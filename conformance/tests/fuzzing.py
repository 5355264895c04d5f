"""What the tests share whose cases are made by chance: how many there are, and texts that mean something."""

import os
from collections.abc import Callable
from random import Random
from typing import Any, TypeVar

from hostile.outcome import leaks
from hostile.server import KEYS
from hostup_conformance.mock import VPS_ID
from hostup_conformance.reports.files import REPORTS
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

#: How many cases of each kind there are; `make fuzz` gives more.
CASES = int(os.environ.get("HOSTUP_FUZZ_EXAMPLES", "100"))
each = settings(
    max_examples=CASES,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture, HealthCheck.data_too_large],
)
TEXTS = (
    *("", "x", "unauthorized", "running", "/api/v2/resource", "2026-04-27T12:34:56.000Z", "9999-12-31T23:59:60Z"),
    *("https://developer.hostup.se/errors/not_found", "\ud800", "\x1b[2J", "\u202e", "at a(a/b.c:1)", KEYS[0], "null"),
    *("http://[::1", "//h", "é\u0301", "\ufffe]]>", "<b>", "%", "&#0;", "=1+1", KEYS[1][:-1], VPS_ID, "7", "\uffff"),
)
#: Characters that mean something to somebody, and all others.
CHARACTERS = (
    "\"'\\/<>&%=:;,()[]{}#?@\0\t\r\n\x1b\x7f\x85\u2028\u202e\ufeff\ud800\udfff\U0001f511 aZ09-_.\xe9\u0130\ufb03"
)

Made = TypeVar("Made")


def by_chance(make: Callable[[Random], Made]) -> st.SearchStrategy[Made]:
    """Return a strategy for what is made by chance: a seed is ten times as quick as all draws that it stands for."""
    return st.integers(0, 2**32 - 1).map(lambda seed: make(Random(seed)))  # noqa: S311 - it keeps no secret


def some_text(chance: Random) -> str:
    """Return a text that means something, or any characters."""
    return chance.choice(TEXTS) if chance.random() < 0.7 else some_characters(chance)


def some_characters(chance: Random) -> str:
    rare = (chr(chance.randrange(0x3000)), chr(chance.randrange(0x110000)))
    return "".join(chance.choices((*CHARACTERS, *rare), k=chance.randrange(20)))


def mangled(whole: bytes, chance: Random) -> bytes:
    """Return bytes of which a few are changed or left out, or none."""
    changed = bytearray(whole)
    for _ in range(chance.choice((0, 0, 1, 3))):
        at = chance.randrange(len(changed))
        changed[at : at + 1] = chance.choice((b"", chance.randbytes(1)))
    return bytes(changed)


def problems(record: dict[str, Any], keys: tuple[str, ...] = KEYS) -> list[str]:
    """Return what must not be: errors of the suite, reports that cannot be made, and keys in them."""
    errors = [f"{e['id']}: {e['message']}" for e in record["requirements"] if e["status"] == "error"]
    # Of the others a report shows what it shows in every run.
    shown = {**record, "requirements": [entry for entry in record["requirements"] if entry["evidence"]]}
    texts = {name: make(shown) for name, make in REPORTS.items()}
    for text in texts.values():
        text.encode("utf-8")
    return errors + leaks(texts, keys)
