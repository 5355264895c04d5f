"""Judges the exchanges of a run by HostUp's rules, and tells core what the contract's core is and what is lacking."""

from __future__ import annotations

from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from hostup_conformance.contract.ask import Ask, Exchange, with_started_commands
from hostup_conformance.contract.oracles import schema_note
from hostup_conformance.contract.rules import rules
from hostup_conformance.contract.selectors import asks_availability
from hostup_conformance.core import verdict as core
from hostup_conformance.core.ledger import Requirement, requirements
from hostup_conformance.core.redact import PIECE, redactor
from hostup_conformance.core.root_cause import read_matrix
from hostup_conformance.core.root_cause import root_causes as causes

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from hostup_conformance.contract.target import Target

Verdict = core.Verdict[Ask]
Result = core.Result[Ask]

#: The advice where something in front of the server answers in its place.
BEHIND = "give a base URL behind it, or what it asks for, with --header or --client-cert"
#: Written by `make kill-matrix`: each fault, the requirement that it breaks, and the requirements that report it.
MATRIX = Path(__file__).parent / "kill_matrix.json"


@cache
def server_requirements() -> dict[str, Requirement]:
    """Return the requirements that servers have to keep, by id; those of the area CLIENT are for clients."""
    return {id: requirement for id, requirement in requirements().items() if requirement.area != "CLIENT"}


def judge(
    exchanges: Sequence[Exchange],
    target: Target,
    stopped: str | None = None,
    time_up: Callable[[], str | None] = lambda: None,
) -> Verdict:
    """Apply every rule to all exchanges.

    `stopped` is the reason why sending ended early, if it did; `time_up` returns one once no more may be judged.
    """
    target = with_started_commands(target, exchanges)
    contract = core.Contract(
        target,
        rules(),
        server_requirements().values(),
        lacking=lambda requirement, exercised: lacking(requirement, target, exercised=exercised),
        redact=redactor(target.nearly_secrets),
    )
    seen = core.Core(any(map(shows_core, exchanges)), refusal_of_core(exchanges))
    return core.judge(list(exchanges), contract, seen, stopped=stopped, resumable=target.kind != "har", time_up=time_up)


def check_against_oracle(
    verdict: Verdict, exchanges: Sequence[Exchange], time_up: Callable[[], str | None] = lambda: None
) -> Verdict:
    """Report an error of the suite where schemathesis finds something and no rule does."""
    return core.check_against_oracle(verdict, exchanges, oracle, time_up)


def root_causes(verdict: Verdict) -> dict[str, list[str]]:
    """Return the broken requirements that explain others, or that no other explains, by the kill matrix."""
    broken = [id for id, result in verdict.results.items() if result.status in {"fail", "warn"}]
    failing = {id for id in broken if verdict.results[id].status == "fail"}
    places = {id: [finding.exchange.number for finding in verdict.results[id].findings] for id in broken}
    return causes(broken, list(requirements()), read_matrix(MATRIX)["faults"], failing, places) if broken else {}


def oracle(e: Exchange) -> tuple[str, str] | None:
    """Return what schemathesis finds in an exchange, and the requirement that should have noticed."""
    beside = "PROBLEM-05" if e.status != 200 else "PROBE-03" if e.ask.pid == "absent" else "POLL-03"
    try:
        note = schema_note(e)
    except Exception as error:  # some responses are stranger than schemathesis expects
        return beside, f"schemathesis failed with {type(error).__name__}"
    return None if note is None else (beside, f"schemathesis says: {note}")


def lacking(requirement: Requirement, target: Target, *, exercised: bool) -> str | None:
    """Return what would enable a requirement that lacks what it needs, or that was not exercised; None if nothing."""
    if missing := [need for need in requirement.needs if not target.has(need)]:
        return enable(missing, target)
    served_by = requirement.served_by
    if not exercised and served_by and not any(target.has(need) for need in served_by) and target.kind != "har":
        variables = [need for need in served_by if need.isupper()]
        return f"set {' or '.join(variables)}, or run with --allow-exec"
    return None


def enable(missing: list[str], target: Target) -> str:
    """Return what would enable a requirement."""
    if "--allow-exec" in missing:
        return (
            "the recording has no start of a command"
            if target.kind == "har"
            else ("run with --allow-exec, which starts harmless commands")
        )
    if "long keys" in missing:
        return f"use keys of at least {PIECE} characters: shorter ones may be a part of ordinary text"
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


def refusal_of_core(exchanges: Sequence[Exchange]) -> str | None:
    """Return how every request for the core was refused, by the server or something before it; None if one was not."""
    if any(map(shows_core, exchanges)):
        return None
    if in_between := what_stands_between(exchanges):
        return in_between
    core = [
        e.status
        for e in exchanges
        if e.request.method == "GET" and e.ask.endpoint and e.ask.credential == "full" and e.ask.vps == "own"
    ]
    if not core or not all(status is not None and 400 <= status < 500 for status in core):
        return None
    probes = [e for e in exchanges if asks_availability(e)]
    if probes and all(map(is_page, probes)):
        named = ", ".join(sorted({str(e.status) for e in probes}))
        return f"every probe got a page in HTML with the status {named}, perhaps of a proxy in front of it ({BEHIND})"
    seen = sorted({e.status for e in exchanges if e.status and (asks_availability(e) or e.status == 429)})
    return f"requests for it got the status {', '.join(map(str, seen))} (check the base URL, the key and the VPS id)"


def what_stands_between(exchanges: Sequence[Exchange]) -> str | None:
    """Return what kept every request from the endpoint, and the remedy; None if one got through."""
    asked = [
        e for e in exchanges if e.request.method == "GET" and not e.ask.pid.ill_formed and e.ask.vps != "malformed"
    ]
    if not asked:
        return None
    failures = [e.failure for e in asked if e.lost in {"tls", "proxy", "refused"}]
    statuses = sorted({e.status for e in asked if e.status})
    named = ", ".join(map(str, statuses))
    if len(failures) == len(asked):
        return f"{failures[0]} (check the base URL)"
    if len(failures) or len(asked) != sum(e.status is not None for e in asked):
        return None
    if statuses[0] >= 500:
        return f"every request got the status {named}: the server is down, or is starting (try again later)"
    if statuses[0] >= 300 and statuses[-1] < 400:
        return f"every request got the status {named}, {redirected(asked)} ({BEHIND})"
    if statuses == [200] and all(map(is_page, asked)):
        return f"every request got a page in HTML, perhaps a login page ({BEHIND})"
    return None


def is_page(e: Exchange) -> bool:
    """Whether a response is a page for people."""
    return e.response is not None and e.response.media_type == "text/html"


def redirected(asked: Sequence[Exchange]) -> str:
    """Return to which hosts requests were redirected, as an access proxy does to its login page."""
    hosts = sorted({host_of(e.header("location") or "")[:100] for e in asked})
    return f"a redirect to {', '.join(hosts[:3])}, perhaps a login page of an access proxy"


def host_of(location: str) -> str:
    """Return the host of a URL reference, or a description of one without a host."""
    with suppress(ValueError):
        return urlsplit(location).hostname or "another path"
    return "something that is not a URL"
