"""A rule: a pure function from exchanges to findings, named after its requirement. It sends nothing.

`each` registers a rule that judges one exchange at a time, `across` a rule that judges all exchanges of a run together.
The second argument selects the exchanges that exercise the requirement: if there are none, its status is `skip`.
If the rule has to see others too, which only help to judge those, `exercised_by` returns the ones that count.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from inspect import cleandoc
from typing import Any, Generic, TypeVar

from hostup_conformance.http.exchange import A, Exchange
from hostup_conformance.keeping.safe_text import Redact, shown, unchanged
from hostup_conformance.keeping.time_limit import TimeUp, at_most

#: The target, which a contract's rules know besides the exchanges.
T = TypeVar("T")

#: What a rule on one exchange yields: what was expected, and what came instead.
Findings = Iterator[tuple[str, Any]]
#: What a rule across exchanges yields: the exchange that breaks the requirement, what was expected, and what came.
FindingsAcross = Iterator[tuple[Exchange[A], str, Any]]

#: How many characters a finding shows of what came, and of what was expected.
SHOWN, EXPECTED = 160, 400
#: How many seconds of CPU a rule may use: a hundred times what the slowest needs for any correct server.
RULE_SECONDS = 10.0


@dataclass(frozen=True)
class Finding(Generic[A]):
    """An exchange that breaks a requirement, with what was expected and what came; for an OBSERVE, what was seen."""

    exchange: Exchange[A]
    expected: str
    got: str


def all_of_them(selected: list[Exchange[A]], _target: T) -> list[Exchange[A]]:
    """Return all selected exchanges, since each exercises the requirement by itself."""
    return selected


@dataclass(frozen=True)
class Rule(Generic[A, T]):
    """The rule for one requirement: which exchanges it applies to, and how it judges them."""

    id: str
    applies: Callable[[Exchange[A]], bool]
    judge: Callable[[list[Exchange[A]], T], Iterable[tuple[Exchange[A], str, Any]]]
    #: Whether it also judges failures that recovered, which other rules are not shown.
    with_recovered: bool = False
    #: Returns those of the selected exchanges that exercise the requirement; the others help to judge them.
    exercised_by: Callable[[list[Exchange[A]], T], Iterable[Exchange[A]]] = all_of_them

    @property
    def words(self) -> str:
        """The rule's docstring, which explains how it judges."""
        return cleandoc(self.judge.__doc__ or "")

    def __call__(
        self, exchanges: Iterable[Exchange[A]], target: T, redact: Redact = unchanged
    ) -> tuple[int, list[Finding[A]]]:
        """Return how many exchanges were judged, and the findings as text without keys.

        Raises:
            TimeUp: it took too long, and had found nothing by then
        """
        selected = [e for e in exchanges if (self.with_recovered or not e.recovered) and self.applies(e)]
        findings: list[Finding[A]] = []
        exercised: set[int] = set()
        try:
            with at_most(RULE_SECONDS):
                exercised |= set(map(id, self.exercised_by(selected, target)))
                for exchange, expected, got in self.judge(selected, target):
                    words = shown(expected, EXPECTED, redact) if expected else ""
                    findings.append(Finding(exchange, words, shown(got, SHOWN, redact)))
        except TimeUp:
            if not findings:
                raise
        return len(exercised | {id(finding.exchange) for finding in findings}), findings


class Rules(Generic[A, T]):
    """The rules of a contract by id."""

    def __init__(self) -> None:
        self.by_id: dict[str, Rule[A, T]] = {}

    def each(
        self,
        id: str,
        applies: Callable[[Exchange[A]], bool],
        *,
        with_recovered: bool = False,
        exercised_by: Callable[[list[Exchange[A]], T], Iterable[Exchange[A]]] = all_of_them,
    ) -> Callable[[Callable[[Exchange[A]], Findings]], Callable[[Exchange[A]], Findings]]:
        """Register a rule that judges one exchange at a time.

        Args:
            id: that of its requirement
            applies: selects the exchanges that it is shown
            with_recovered: whether it is shown failures that recovered too
            exercised_by: returns those of them that it judges, if the others only help to tell
        """

        def register(function: Callable[[Exchange[A]], Findings]) -> Callable[[Exchange[A]], Findings]:
            def judge(selected: list[Exchange[A]], target: T) -> FindingsAcross[A]:
                for exchange in exercised_by(selected, target):
                    for expected, got in function(exchange):
                        yield exchange, expected, got

            self._add(Rule(id, applies, judge, with_recovered, exercised_by), function.__doc__)
            return function

        return register

    def across(
        self,
        id: str,
        applies: Callable[[Exchange[A]], bool],
        *,
        with_recovered: bool = False,
        exercised_by: Callable[[list[Exchange[A]], T], Iterable[Exchange[A]]] = all_of_them,
    ) -> Callable[
        [Callable[[list[Exchange[A]], T], FindingsAcross[A]]], Callable[[list[Exchange[A]], T], FindingsAcross[A]]
    ]:
        """Register a rule that judges all selected exchanges of a run together, as `each` does."""

        def register(
            function: Callable[[list[Exchange[A]], T], FindingsAcross[A]],
        ) -> Callable[[list[Exchange[A]], T], FindingsAcross[A]]:
            self._add(Rule(id, applies, function, with_recovered, exercised_by), function.__doc__)
            return function

        return register

    def _add(self, rule: Rule[A, T], words: str | None) -> None:
        if rule.id in self.by_id:
            raise ValueError(f"two rules for {rule.id}")
        rule.judge.__doc__ = words
        self.by_id[rule.id] = rule
