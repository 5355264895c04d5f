"""The verdict: what the rules say about all exchanges of a run. The caller decides what the contract's core is."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Generic, Literal, get_args

from hostup_conformance.http.exchange import A, Exchange
from hostup_conformance.http.pace import UsedUp
from hostup_conformance.judging.defects import SUITE, Defects, failure
from hostup_conformance.judging.ledger import Requirement
from hostup_conformance.judging.rule import E, Finding, Rule
from hostup_conformance.keeping.interruption import REASON
from hostup_conformance.keeping.safe_text import Redact, shown, unchanged
from hostup_conformance.keeping.time_limit import TimeUp

Status = Literal["pass", "fail", "warn", "observe", "skip", "disabled", "error"]
STATUSES: tuple[Status, ...] = get_args(Status)
Name = Literal["conformant", "not_conformant", "not_demonstrated"]
#: The status of a broken requirement, by its level.
BROKEN: dict[str, Status] = {"MUST": "fail", "SHOULD": "warn", "OBSERVE": "observe"}


@dataclass
class Result(Generic[A]):
    """The outcome of one requirement."""

    requirement: Requirement
    status: Status
    exercised: int = 0
    message: str = ""
    findings: list[Finding[A]] = field(default_factory=list)
    #: The exchanges that were judged, whatever came of it.
    judged: list[Exchange[A]] = field(default_factory=list)


@dataclass(frozen=True)
class Core:
    """Whether the core of the contract was seen to work."""

    seen: bool
    #: How every request for it was refused, by the server or by something in front of it.
    refused: str | None = None
    #: What else was to be seen and was not, so that it was only seen to work in part.
    doubt: str | None = None


#: How many observations a message has.
OBSERVED = 3


@dataclass(frozen=True)
class Alike:
    """The broken requirements of which all that was found has one cause, and the one that tells of it best, if any."""

    first: str | None
    ids: tuple[str, ...]


@dataclass
class Verdict(Generic[A]):
    """The outcome of all requirements, and the one word that sums it up."""

    results: dict[str, Result[A]]
    core: Core
    #: The MUSTs that were left unjudged because the run was cut short.
    unjudged: tuple[str, ...] = ()
    #: What the verdict does not say, and what to give so that another says more.
    not_shown: tuple[str, ...] = ()
    #: The broken requirements that stand together, for each cause of several.
    of_one_cause: tuple[Alike, ...] = ()
    #: Where the suite itself failed outside its rules.
    defects: Defects = field(default_factory=Defects)

    @property
    def outcomes(self) -> list[Result[A]]:
        """The results, and one error if the suite itself failed outside its rules."""
        failed = [Result[A](SUITE, "error", message=self.defects.message)] if self.defects.message else []
        return [*self.results.values(), *failed]

    @property
    def name(self) -> Name:
        """The one word; conformant takes a working core, no MUST left unjudged, no error of the suite, and time."""
        statuses = {result.status for result in self.outcomes}
        if "fail" in statuses:
            return "not_conformant"
        whole = self.core.seen and not self.core.doubt and not self.unjudged and "error" not in statuses
        whole = whole and not self.defects.late
        return "conformant" if whole else "not_demonstrated"

    @property
    def summary(self) -> dict[Status, int]:
        """How many requirements have each status."""
        return {status: sum(r.status == status for r in self.outcomes) for status in STATUSES}


@dataclass(frozen=True)
class Contract(Generic[E]):
    """Everything that a contract says of how its exchanges are judged."""

    rules: Mapping[str, Rule[E]]
    requirements: Collection[Requirement]
    #: Says what a requirement needs that the run was not given: what nothing makes up for, or, where no exchange could
    #: be judged (False), what would have made that possible.
    lacking: Callable[[Requirement, bool], str | None] = lambda _requirement, _exercised: None
    #: Says why no exchange made it possible to judge a requirement, where that is known.
    unseen: Callable[[Requirement], str | None] = lambda _requirement: None
    #: Takes the keys out of what a finding shows.
    redact: Redact = unchanged


def judge(
    exchanges: E,
    contract: Contract[E],
    core: Core,
    *,
    stopped: str | None = None,
    resumable: bool = True,
    time_up: Callable[[], str | None] = lambda: None,
    defects: Defects | None = None,
) -> Verdict[Any]:
    """Apply every rule to all exchanges.

    Args:
        exchanges: all exchanges of the run
        contract: the requirements and their rules
        core: whether the core was seen to work
        stopped: why sending ended early, if it did
        resumable: whether a longer run would have judged more, which is not so of a recording
        time_up: returns the reason once no more may be judged
        defects: where the suite itself has failed so far, outside its rules
    """
    results: dict[str, Result[Any]] = {}
    not_reached: dict[str, Result[Any]] = {}
    for requirement in contract.requirements:
        if why := time_up():
            results[requirement.id] = not_reached[requirement.id] = Result(requirement, "skip", message=why)
            continue
        try:
            result = judge_one(requirement, exchanges, contract, stopped)
        except TimeUp as error:
            why = time_up()
            result = Result(requirement, "skip" if why else "error", message=why or f"the rule failed: {error}")
            if why:
                not_reached[requirement.id] = result
        except Exception as error:
            text = shown(failure(error), 300, contract.redact)
            result = Result(requirement, "error", message=f"the rule failed: {text}")
        unfounded = result.status == "skip" or not requirement.without_core
        if core.refused and unfounded and result.status != "disabled":
            # The refusals may be correct: nothing shows that base URL, key and id are right.
            message = f"the endpoint was never seen to work: {core.refused}"
            result = Result(requirement, "skip", 0, message)
        results[requirement.id] = result
    # A response that was too large to be kept could not be judged either.
    partly = stopped or any(e.too_large for e in exchanges.everything)
    skipped = results if partly and resumable else not_reached
    missed = unjudged(skipped, contract.unseen, broken_off=REASON in {stopped, time_up()})
    return Verdict(results, core, missed, defects=defects or Defects())


def nothing_judged(
    requirements: Iterable[Requirement], defects: Defects, why: str = "the suite failed before it could be judged"
) -> Verdict[Any]:
    """Return the verdict where judging itself failed, or has not begun."""
    results: dict[str, Result[Any]] = {one.id: Result(one, "skip", message=why) for one in requirements}
    return Verdict(results, Core(seen=False), defects=defects)


def unjudged(
    results: Mapping[str, Result[A]], unseen: Callable[[Requirement], str | None], *, broken_off: bool
) -> tuple[str, ...]:
    """Return the skipped MUSTs, without those that a server need not give the suite a chance to judge.

    Nor those of which it is known why no exchange shows them. Where somebody broke a run off, at whatever moment, it is
    open which chances the server would have given.
    """
    skipped = [result.requirement for result in results.values() if result.status == "skip"]
    owed = [one for one in skipped if one.level == "MUST" and (broken_off or not one.if_offered)]
    return tuple(one.id for one in owed if not unseen(one))


def judge_one(
    requirement: Requirement,
    exchanges: E,
    contract: Contract[E],
    stopped: str | None,
) -> Result[Any]:
    """Apply the rule of one requirement; raise `TimeUp` if it takes too long and finds nothing."""
    if message := contract.lacking(requirement, True):
        return Result(requirement, "disabled", message=message)
    rule = contract.rules[requirement.id]
    judged, findings = rule(exchanges, contract.redact)
    if not judged and (message := contract.lacking(requirement, False)):
        return Result(requirement, "disabled", message=message)
    if not judged:
        sought = f"no {rule.seeks} was seen" if rule.seeks else "no exchange made it possible to judge it"
        # A longer run may show it, or not; what else has ended a run says enough.
        known = contract.unseen(requirement) or (None if isinstance(stopped, UsedUp) else stopped)
        return Result(requirement, "skip", message=known or "; ".join(filter(None, (sought, stopped))))
    if not findings:
        return Result(requirement, "pass", len(judged), judged=judged)
    return Result(requirement, BROKEN[requirement.level], len(judged), first_words(findings), findings, judged)


def check_against_oracle(
    verdict: Verdict[A],
    exchanges: Iterable[Exchange[A]],
    oracle: Callable[[Exchange[A]], tuple[str, str] | None],
    time_up: Callable[[], str | None] = lambda: None,
) -> Verdict[A]:
    """Where an independent judge finds something in an exchange and no rule does, report an error of the suite.

    The oracle returns the id of the requirement that should have noticed, and what it found itself.
    """
    found = {f.exchange.number for r in verdict.results.values() if r.status in {"fail", "warn"} for f in r.findings}
    for e in exchanges:
        if time_up() or e.number in found or e.recovered or e.aside or (note := oracle(e)) is None:
            continue
        id, text = note
        if (result := verdict.results.get(id)) and result.status == "pass":
            message = f"{text} in request {e.number}; no rule does. Please report it."
            verdict.results[id] = replace(result, status="error", message=message)
    return verdict


def first_words(findings: list[Finding[A]]) -> str:
    """Return the first finding, and how many more there are; of an OBSERVE, the first findings that differ."""
    if findings[0].expected:
        told, more = [findings[0].words], len(findings) - 1
    else:
        told = [*dict.fromkeys(one.words for one in findings)][:OBSERVED]
        more = sum(one.words not in told for one in findings)
    return "; ".join(told) + (f" (and {more} more)" if more else "")
