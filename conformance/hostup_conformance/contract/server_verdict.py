"""Judges the exchanges of a run by HostUp's rules: says what the core of the contract is, and what is lacking."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

from hostup_conformance.contract.ask import Ask, Exchange, with_started_commands
from hostup_conformance.contract.ban import ban_in
from hostup_conformance.contract.causes.notes import comes_and_goes, with_notes
from hostup_conformance.contract.content import below
from hostup_conformance.contract.exchanges import Exchanges
from hostup_conformance.contract.not_shown import needs_polls, not_shown, unseen
from hostup_conformance.contract.oracles import schema_note
from hostup_conformance.contract.refusal import (
    doubt_about,
    refusal_of_core,
    refusal_of_polls,
    refusal_of_starts,
    shows_core,
)
from hostup_conformance.contract.rules import rules
from hostup_conformance.contract.selectors import is_plain, new_poll
from hostup_conformance.contract.target import KEYS, PIDS, Target
from hostup_conformance.http.pace import ByServer
from hostup_conformance.judging import verdict as core
from hostup_conformance.judging.defects import Defects
from hostup_conformance.judging.ledger import HARMS, Requirement, requirements
from hostup_conformance.judging.root_cause import Breach, area_of, read_matrix
from hostup_conformance.judging.root_cause import root_causes as causes
from hostup_conformance.judging.rule import Finding
from hostup_conformance.judging.verdict import Alike
from hostup_conformance.keeping.redact import PIECE, redactor

Verdict = core.Verdict[Ask]
Result = core.Result[Ask]

#: Written by `make kill-matrix`: each fault, the requirement that it breaks, and the requirements that report it.
MATRIX = Path(__file__).parent / "kill_matrix.json"


#: The areas whose requirements say who must be refused, and what their breach is if all of these were refused anyhow.
REFUSALS = {"AUTH", "SCOPE", "ID", "PID"}
HARMLESS = HARMS.index("form")
#: What a request does that gets no response, and that has not cut the run.
LOST = HARMS.index("output")
#: What says in general that a request was refused in a way that is not documented, unless that comes and goes.
GENERAL = {"AUTH-08"}


#: The requirements that say of whom a request is refused: by its key, and by its VPS.
KEPT_OUT = {"none": "AUTH-01", "wrong": "AUTH-02"}
STRANGERS = {"unknown": "ID-01", "foreign": "ID-02"}


@cache
def server_requirements() -> dict[str, Requirement]:
    """Return the requirements that servers have to keep, by id; those of the area CLIENT are for clients."""
    return {id: requirement for id, requirement in requirements().items() if requirement.area != "CLIENT"}


def judge(
    exchanges: Sequence[Exchange],
    target: Target,
    stopped: str | None = None,
    time_up: Callable[[], str | None] = lambda: None,
    defects: Defects | None = None,
    only: Collection[str] = (),
) -> Verdict:
    """Apply every rule to all exchanges, but not to those after the server has shut the caller out.

    `stopped` is the reason why sending ended early, if it did; `time_up` returns one once no more may be judged. The
    verdict is about the requirements in `only`, if there are any.
    """
    if ban := ban_in(exchanges):
        exchanges, stopped = exchanges[: ban.since], ByServer(ban.why)
    target = with_started_commands(target, exchanges)
    no_starts, no_polls = refusal_of_starts(exchanges), refusal_of_polls(exchanges)
    resumable = target.kind != "har"
    contract = core.Contract(
        rules(),
        [one for id, one in server_requirements().items() if not only or id in only],
        lacking=lambda requirement, exercised: lacking(requirement, target, no_starts, no_polls, exercised=exercised),
        unseen=lambda requirement: unseen(requirement, exchanges, stopped if resumable else None),
        redact=redactor(target.nearly_secrets),
    )
    seen = core_of(exchanges, target)
    verdict = core.judge(
        Exchanges(list(exchanges), target),
        contract,
        seen,
        stopped=stopped,
        resumable=resumable,
        time_up=time_up,
        defects=defects,
    )
    whole = verdict.results.get("HTTP-01")
    if ban and ban.silent and whole and whole.status == "pass":
        # It may as well be down, so it was not seen to give whole responses.
        verdict.results["HTTP-01"] = replace(whole, status="skip", exercised=0, message=ban.why)
        verdict.unjudged += ("HTTP-01",)
    passed = {id for id, result in verdict.results.items() if result.status == "pass"}
    verdict.unjudged += tuple(id for id in unread_refusals(exchanges) if id in passed)
    if only:
        judged = any(result.exercised for result in verdict.results.values())
        verdict.core = replace(seen, doubt=None if judged else "nothing that was asked for could be judged")
    else:
        verdict.not_shown = not_shown(verdict.results, exchanges, target)
    # What only explains it must not lose a verdict.
    return verdict.defects.survive(lambda: with_notes(verdict, exchanges, target.key, target.read_key), verdict)


def unread_refusals(exchanges: Sequence[Exchange]) -> list[str]:
    """Return the requirements of refusals of which some may be none: the response was too large to be kept."""
    large = [e for e in exchanges if e.too_large and e.ask.endpoint and not e.ask.starts]
    found = [KEPT_OUT.get(e.ask.credential) or STRANGERS.get(e.ask.vps or "") for e in large]
    return list(dict.fromkeys(filter(None, found)))


def core_of(exchanges: Sequence[Exchange], target: Target) -> core.Core:
    """Return whether the endpoint was seen to work, and how it was refused otherwise."""
    works = any(map(shows_core, exchanges))
    return core.Core(works, refusal_of_core(exchanges, target), doubt_about(exchanges, target) if works else None)


def check_against_oracle(
    verdict: Verdict, exchanges: Sequence[Exchange], time_up: Callable[[], str | None] = lambda: None
) -> Verdict:
    """Report an error of the suite where schemathesis finds something and no rule does."""
    ban = ban_in(exchanges)
    return core.check_against_oracle(verdict, exchanges[: ban.since] if ban else exchanges, oracle, time_up)


def root_causes(verdict: Verdict) -> dict[str, list[str]]:
    """Return the broken requirements that explain others, or that no other explains, by the kill matrix."""
    broken = [result for result in verdict.results.values() if result.status in {"fail", "warn"}]
    breaches = [breach_of(result, cut=bool(verdict.unjudged)) for result in broken]
    found = causes(breaches, read_matrix(MATRIX)["faults"] if breaches else {})
    fails = {breach.id for breach in breaches if breach.fails}
    for alike in verdict.of_one_cause:
        found = behind_the_first(found, alike, fails)
    return found


def breach_of(result: Result, *, cut: bool) -> Breach:
    """Return the breach of a requirement, which does less harm if everybody was refused who should have been.

    So it does if it has not cut the run.
    """
    id, found = result.requirement.id, result.findings
    harmless = kept_out(id, found) and not comes_and_goes(result)
    lost = result.requirement.harm == "cut" and not cut
    return Breach(
        id,
        fails=result.requirement.level == "MUST",  # --strict changes no cause
        places={place for one in found for place in places_of(one.exchange)},
        rank=HARMLESS if harmless else LOST if lost else result.requirement.rank,
        undue=let_in(id, found),
        general=id in GENERAL and harmless,
        later=2 * (area_of(id) == "VPS") + (not any(is_plain(one.exchange) for one in found)),
    )


def behind_the_first(roots: dict[str, list[str]], alike: Alike, fails: Collection[str]) -> dict[str, list[str]]:
    """Return the root causes, those that have one cause behind the requirement that tells of it, or else the first."""
    together = [id for id in roots if id in alike.ids]
    if not together:
        return roots
    # The form of an error says less than that something else was due; but no failure stands behind a warning.
    about_form, due = area_of(together[0]) == "PROBLEM", [id for id in alike.ids if area_of(id) != "PROBLEM"]
    other = next((id for id in due if about_form and (id in fails or together[0] not in fails)), None)
    first = alike.first or other or together[0]
    behind = [one for id in together for one in (id, *roots[id]) if one != first]
    gathered = dict[str, list[str]]()
    for id, followers in roots.items():
        if id == together[0]:
            gathered[first] = behind
        elif id not in together and id != first:
            gathered[id] = [one for one in followers if one != first]
    return gathered


def kept_out(id: str, findings: Sequence[Finding[Ask]]) -> bool:
    """Whether everybody who should have been refused was refused or sent elsewhere, though not as documented."""
    return area_of(id) in REFUSALS and all(not below(one.exchange, 300) for one in findings)


def let_in(id: str, findings: Sequence[Finding[Ask]]) -> bool:
    """Whether all that was found is requests that were served, and should have been refused."""
    return area_of(id) in REFUSALS and all(below(one.exchange, 300) for one in findings)


def places_of(e: Exchange) -> set[int | str]:
    """Return where an exchange stands: it is one of a kind, but of one command with its start and its polls."""
    command = new_poll(e) or (e.request.target if e.ask.pid.known and e.request.method != "POST" else None)
    return {e.number, command} if command else {e.number}


def oracle(e: Exchange) -> tuple[str, str] | None:
    """Return what schemathesis finds in an exchange, and the requirement that should have noticed."""
    beside = "PROBLEM-05" if e.status != 200 else "PROBE-03" if e.ask.pid == "absent" else "POLL-03"
    try:
        note = schema_note(e)
    except Exception as error:  # some responses are stranger than schemathesis expects
        return beside, f"schemathesis failed with {type(error).__name__}"
    return None if note is None else (beside, f"schemathesis says: {note}")


def lacking(
    requirement: Requirement, target: Target, no_starts: str | None, no_polls: str | None, *, exercised: bool
) -> str | None:
    """Return what would enable a requirement that lacks what it needs, or that was not exercised; None if nothing.

    `no_starts` and `no_polls` say how every start, and every poll, was refused, if they were.
    """
    missing = requirement.missing(target.has)
    if no_polls and (missing == [KEYS["read_key"]] or (not missing and needs_polls(requirement))):
        return no_polls  # the key that is missing may be the one that was given
    if missing:
        return enable(missing, target)
    if not exercised and requirement.is_unserved(target.has) and target.kind != "har":
        variables = [need for need in requirement.served_by if need.isupper()]
        return f"set {' or '.join(variables)}, or run with --allow-exec"
    if not exercised and "--allow-exec" in (*requirement.needs, *requirement.served_by):
        return no_starts
    return None


def enable(missing: list[str], target: Target) -> str:
    """Return what would enable a requirement."""
    if "--allow-exec" in missing and target.kind == "har":
        return "the recording has no start of a command"
    if "--allow-exec" in missing:
        return "run with --allow-exec, which starts harmless commands"
    if "two keys on loopback" in missing:
        missing = [KEYS["read_key"]]
    if "long keys" in missing:
        return f"use keys of at least {PIECE} characters: shorter ones may be a part of ordinary text"
    variables = [need for need in missing if need.isupper()]
    if variables:
        exec_too = ", or run with --allow-exec" if variables[-1] in PIDS.values() else ""
        return f"set {' and '.join(variables)}{exec_too}"
    return f"the profile {target.profile} does not offer: {', '.join(missing)}"
