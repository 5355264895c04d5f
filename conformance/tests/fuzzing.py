"""What the tests share whose cases are made by chance: how many there are, and texts that mean something."""

import os
from collections.abc import Callable
from random import Random
from typing import TypeVar

from hostile.server import KEYS
from hostup_conformance.mock import VPS_ID
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
