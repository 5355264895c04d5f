"""The rules: one pure function for each requirement, named after what it decides.

A rule sees exchanges and yields findings; it sends nothing, and knows no server. To add one: write the requirement
into `spec/requirements.yaml`, the function into the module of its area here, and a fault that trips it into
`conformance/tests/faults/`.

    @each("PROBE-03", is_availability)
    def availability_types(e: Exchange) -> Findings:
        if not isinstance(e.body.get("available", True), bool):
            yield "available is a boolean", e.body["available"]

`each` judges one exchange at a time, `across` all of a run together. What the second argument selects is what the
requirement was exercised on: nothing selected means `skip`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from importlib import import_module
from inspect import cleandoc
from typing import TYPE_CHECKING, Any

from hostup_conformance.exchange import Exchange

if TYPE_CHECKING:
    from hostup_conformance.target import Target

AREAS = ("probe", "poll", "auth", "scope", "id", "pid", "problem", "rate", "http", "safety", "vps")

#: What a rule on one exchange yields: what was expected, and what was got instead.
Findings = Iterator[tuple[str, Any]]
#: What a rule across exchanges yields: the exchange that shows it, what was expected, what was got.
FindingsAcross = Iterator[tuple[Exchange, str, Any]]

Selector = Callable[[Exchange], bool]


@dataclass(frozen=True)
class Finding:
    """That an exchange is not as a requirement says; for an OBSERVE, what was seen."""

    exchange: Exchange
    expected: str
    got: str


@dataclass(frozen=True)
class Rule:
    """A requirement's id, which exchanges it applies to, and its judgement of those."""

    id: str
    applies: Selector
    judge: Callable[[list[Exchange], Target], Iterable[Finding]]

    @property
    def words(self) -> str:
        """What the rule's own docstring says of how it judges."""
        return cleandoc(self.judge.__doc__ or "")

    def __call__(self, exchanges: Iterable[Exchange], target: Target) -> tuple[int, list[Finding]]:
        """Return how many exchanges were judged, and the findings."""
        selected = [exchange for exchange in exchanges if self.applies(exchange)]
        return len(selected), list(self.judge(selected, target))


_RULES: dict[str, Rule] = {}


def each(id: str, applies: Selector) -> Callable[[Callable[[Exchange], Findings]], Callable[[Exchange], Findings]]:
    """Register a rule that judges one exchange at a time."""

    def register(function: Callable[[Exchange], Findings]) -> Callable[[Exchange], Findings]:
        def judge(selected: list[Exchange], _target: Target) -> Iterator[Finding]:
            for exchange in selected:
                for expected, got in function(exchange):
                    yield Finding(exchange, tame(expected), show(got))

        judge.__doc__ = function.__doc__
        _add(Rule(id, applies, judge))
        return function

    return register


def across(
    id: str, applies: Selector
) -> Callable[[Callable[[list[Exchange], Target], FindingsAcross]], Callable[[list[Exchange], Target], FindingsAcross]]:
    """Register a rule that judges all selected exchanges of a run together."""

    def register(
        function: Callable[[list[Exchange], Target], FindingsAcross],
    ) -> Callable[[list[Exchange], Target], FindingsAcross]:
        def judge(selected: list[Exchange], target: Target) -> Iterator[Finding]:
            for exchange, expected, got in function(selected, target):
                yield Finding(exchange, tame(expected), show(got))

        judge.__doc__ = function.__doc__
        _add(Rule(id, applies, judge))
        return function

    return register


def rules() -> dict[str, Rule]:
    """Return all rules by id."""
    for area in AREAS:
        import_module(f"{__name__}.{area}")
    return _RULES


def show(value: Any) -> str:
    """Return a value as a report shows it: strings that are sentences as they are, all else as short JSON."""
    return tame(value if isinstance(value, str) and value else json.dumps(value, ensure_ascii=False, default=repr), 160)


def tame(text: str, longest: int = 400) -> str:
    """Return a text that may hold what a server sent, cut short, and with control characters spelt out."""
    short = text if len(text) <= longest else text[: longest - 3] + "..."
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in short)


def _add(rule: Rule) -> None:
    if rule.id in _RULES:
        raise ValueError(f"two rules for {rule.id}")
    _RULES[rule.id] = rule
