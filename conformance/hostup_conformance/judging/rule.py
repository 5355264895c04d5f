"""A rule: a pure function from the exchanges of a run to findings, named after its requirement. It sends nothing.

It takes the exchanges that it judges from `Exchanges.each`, which notes them: they exercise the requirement, whose
status is `skip` if there are none. What only helps to judge those it takes from `Exchanges.known`. So what was
exercised cannot differ from what was looked at.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from inspect import cleandoc
from typing import Any, Generic, TypeAlias, TypeVar

from hostup_conformance.http.exchange import A, Exchange
from hostup_conformance.judging.catalogue import Catalogue
from hostup_conformance.keeping.safe_text import Redact, shown, unchanged
from hostup_conformance.keeping.time_limit import TimeUp, at_most

#: The target, which a contract's rules know besides the exchanges.
T = TypeVar("T")

#: What a rule yields: an exchange that breaks the requirement, what was expected, and what came instead.
Findings = Iterator[tuple[Exchange[A], str, Any]]

#: How many characters a finding shows of a value that came, and of a sentence, which may say at its end how that came.
SHOWN, SENTENCE = 160, 400
#: How many seconds of CPU a rule may use: a hundred times what the slowest needs for any correct server.
RULE_SECONDS = 10.0


@dataclass(frozen=True)
class Finding(Generic[A]):
    """An exchange that breaks a requirement, with what was expected and what came; for an OBSERVE, what was seen."""

    exchange: Exchange[A]
    expected: str
    got: str

    @property
    def words(self) -> str:
        """What was expected and what came, in a line."""
        return f"expected {self.expected}, got {self.got}" if self.expected else self.got


#: Tells whether an exchange is one of those that a rule needs.
Selector: TypeAlias = Callable[[Exchange[A]], bool]


@dataclass
class Exchanges(Generic[A, T]):
    """All exchanges of a run, from which a rule takes those that it judges; a contract's class knows more of them."""

    everything: list[Exchange[A]]
    target: T
    #: Those that the rule which judges now has taken, by identity.
    judged: dict[int, Exchange[A]] = field(default_factory=dict)
    #: What was selected before: many rules begin with the same selectors.
    _selected: dict[tuple[Selector[A], ...], list[Exchange[A]]] = field(default_factory=dict)

    @cached_property
    def lasting(self) -> list[Exchange[A]]:
        """All but the failures that recovered, by which no rule judges unless it says so."""
        return [e for e in self.everything if not e.recovered and not e.aside]

    def each(self, *selectors: Selector[A], whole_run: bool = False) -> list[Exchange[A]]:
        """Return the exchanges that all of the selectors select, to be judged.

        Of the whole run, those too that recovered, or that others may have spoilt.
        """
        if not whole_run:
            return [self.take(e) for e in self._chosen(selectors)]
        return [self.take(e) for e in self.everything if all(selects(e) for selects in selectors)]

    def known(self, *selectors: Selector[A]) -> list[Exchange[A]]:
        """Return the selected exchanges, to know more of those that are judged."""
        return [*self._chosen(selectors)]

    def _chosen(self, selectors: tuple[Selector[A], ...]) -> list[Exchange[A]]:
        if not selectors:
            return self.lasting
        if selectors not in self._selected:
            *before, last = selectors
            self._selected[selectors] = [e for e in self._chosen(tuple(before)) if last(e)]
        return self._selected[selectors]

    def take(self, e: Exchange[A]) -> Exchange[A]:
        """Note that an exchange is judged, and return it."""
        self.judged[id(e)] = e
        return e


#: A contract's class of exchanges.
E = TypeVar("E", bound=Exchanges[Any, Any])
#: What a rule is, apart from its id.
Judge: TypeAlias = Callable[[E], Findings[Any]]


@dataclass(frozen=True)
class Rule(Generic[E]):
    """The rule for one requirement."""

    id: str
    judge: Judge[E]
    #: What there was none of if the rule had nothing to judge, in words.
    seeks: str = ""

    @property
    def doc(self) -> str:
        """The rule's docstring, which explains how it judges."""
        return cleandoc(self.judge.__doc__ or "")

    def __call__(self, exchanges: E, redact: Redact = unchanged) -> tuple[list[Exchange[Any]], list[Finding[Any]]]:
        """Return the exchanges that were judged, and the findings as text without keys.

        Raises:
            TimeUp: it took too long, and had found nothing by then
        """
        findings: list[Finding[Any]] = []
        exchanges.judged.clear()
        try:
            with at_most(RULE_SECONDS):
                for exchange, expected, got in self.judge(exchanges):
                    exchanges.take(exchange)
                    words = shown(expected, SENTENCE, redact) if expected else ""
                    longest = SENTENCE if isinstance(got, str) else SHOWN
                    findings.append(Finding(exchange, words, shown(got, longest, redact)))
        except TimeUp:
            if not findings:
                raise
        return list(exchanges.judged.values()), findings


class Rules(Catalogue[Rule[E]]):
    """The rules of a contract by id."""

    def rule(self, id: str, *, seeks: str = "") -> Callable[[Judge[E]], Judge[E]]:
        """Register the rule for a requirement; `seeks` says what it looks for, if a run need not have any."""

        def register(function: Judge[E]) -> Judge[E]:
            self.add(id, Rule(id, function, seeks))
            return function

        return register
