"""The verdict: what the rules say of all exchanges of a run."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

from hostup_conformance.ledger import Requirement, requirements
from hostup_conformance.oracles import schema_note
from hostup_conformance.rules import Finding, rules
from hostup_conformance.rules.selectors import asks_availability

if TYPE_CHECKING:
    from hostup_conformance.exchange import Exchange
    from hostup_conformance.target import Target

Status = Literal["pass", "fail", "warn", "observe", "skip", "disabled", "error"]
STATUSES: tuple[Status, ...] = ("pass", "fail", "warn", "observe", "skip", "disabled", "error")


@dataclass
class Result:
    """What became of one requirement."""

    requirement: Requirement
    status: Status
    exercised: int = 0
    message: str = ""
    findings: list[Finding] = field(default_factory=list)


@dataclass
class Verdict:
    """What became of all, and the one word for it."""

    results: dict[str, Result]
    demonstrated: bool

    @property
    def name(self) -> Literal["conformant", "not_conformant", "not_demonstrated"]:
        """Conformant only if the core was seen to work and the suite itself did not fail."""
        statuses = {result.status for result in self.results.values()}
        if "fail" in statuses:
            return "not_conformant"
        return "conformant" if self.demonstrated and "error" not in statuses else "not_demonstrated"

    @property
    def summary(self) -> dict[Status, int]:
        """How many requirements have each status."""
        return {status: sum(r.status == status for r in self.results.values()) for status in STATUSES}


def judge(exchanges: list[Exchange], target: Target, stopped: str | None = None) -> Verdict:
    """Apply every rule to all exchanges."""
    demonstrated = any(shows_core(e) for e in exchanges)
    results = {}
    for requirement in requirements().values():
        result = judge_one(requirement, exchanges, target, stopped)
        if not demonstrated and only_refusals(exchanges) and requirement.area != "RATE" and result.status != "disabled":
            # Whoever refuses everything may be right to: nothing shows that the address, the key and the id are good.
            message = f"the core was never seen to work: {said(exchanges)} (check the base URL, the key and the VPS id)"
            result = Result(requirement, "skip", 0, message)
        results[requirement.id] = result
    return Verdict(results, demonstrated)


def hold_against_oracle(verdict: Verdict, exchanges: list[Exchange]) -> Verdict:
    """Where schemathesis finds something in an exchange and no rule does, the suite itself is at fault: say so."""
    found = {f.exchange.number for r in verdict.results.values() if r.status in {"fail", "warn"} for f in r.findings}
    for e in exchanges:
        if e.number in found or (note := schema_note(e)) is None:
            continue
        beside = "PROBLEM-05" if e.status != 200 else "PROBE-03" if e.ask.pid == "absent" else "POLL-03"
        if (result := verdict.results[beside]).status == "pass":
            message = f"schemathesis says of request {e.number}: {note}; no rule does. Please report it."
            verdict.results[beside] = replace(result, status="error", message=message)
    return verdict


def judge_one(requirement: Requirement, exchanges: list[Exchange], target: Target, stopped: str | None) -> Result:
    """Apply the rule of one requirement."""
    if missing := target.missing(requirement.needs):
        return Result(requirement, "disabled", message=enable(missing, target))
    try:
        exercised, findings = rules()[requirement.id](exchanges, target)
    except Exception as error:
        return Result(requirement, "error", message=f"the rule failed: {type(error).__name__}: {error}")
    if not exercised and requirement.area == "POLL" and not target.has_pid:
        message = "set HOSTUP_RUNNING_PID or HOSTUP_FINISHED_PID, or run with --allow-exec"
        return Result(requirement, "disabled", message=message)
    if not exercised:
        return Result(requirement, "skip", message=stopped or "nothing that was asked gave occasion to judge it")
    if not findings:
        return Result(requirement, "pass", exercised)
    broken: dict[str, Status] = {"MUST": "fail", "SHOULD": "warn", "OBSERVE": "observe"}
    return Result(requirement, broken[requirement.level], exercised, first_words(findings), findings)


def first_words(findings: list[Finding]) -> str:
    """Return expected and got of the first finding, and how many there are."""
    more = f" (and {len(findings) - 1} more)" if len(findings) > 1 else ""
    first = findings[0]
    return f"expected {first.expected}, got {first.got}{more}" if first.expected else first.got


def enable(missing: list[str], target: Target) -> str:
    """Say what would enable a requirement."""
    if "--allow-exec" in missing:
        return "run with --allow-exec, which starts harmless commands"
    variables = [need for need in missing if need.isupper()]
    if variables:
        return f"set {' and '.join(variables)}"
    return f"the profile {target.profile} does not offer: {', '.join(missing)}"


def shows_core(e: Exchange) -> bool:
    """A correct 200 of the probe, with the key, for the VPS whose agent is available."""
    return (
        asks_availability(e)
        and e.ask.credential == "full"
        and e.ask.vps == "own"
        and e.status == 200
        and isinstance(e.body, dict)
        and e.body.get("available", True) is True
    )


def only_refusals(exchanges: list[Exchange]) -> bool:
    """Whether answers came, and every one to the core was a refusal that may have nothing to do with the endpoint."""
    core = [
        e.status
        for e in exchanges
        if e.request.method == "GET" and e.ask.endpoint and e.ask.credential == "full" and e.ask.vps == "own"
    ]
    return bool(core) and all(status is not None and 400 <= status < 500 for status in core)


def said(exchanges: list[Exchange]) -> str:
    """Say with which statuses the core was refused."""
    core = {e.status for e in exchanges if asks_availability(e) or e.status == 429}
    return "it was answered " + ", ".join(str(status) for status in sorted(filter(None, core)))
