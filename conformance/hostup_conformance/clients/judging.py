"""Judges the stories of a client by the rules for clients, and says when a client was seen to do its task."""

from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from hostup_conformance.clients.rules import client_rules
from hostup_conformance.clients.scenes import BASE_URL, FIRST, THROUGH
from hostup_conformance.clients.story import Exchange, Seen
from hostup_conformance.judging import verdict as core
from hostup_conformance.judging.defects import Defects
from hostup_conformance.judging.ledger import Requirement, requirements
from hostup_conformance.judging.root_cause import FORM, Breach, read_matrix
from hostup_conformance.judging.root_cause import root_causes as causes
from hostup_conformance.judging.rule import Exchanges
from hostup_conformance.keeping.redact import redactor

Verdict = core.Verdict[Seen]

#: Written by `make client-matrix`: each faulty client, and the requirements that report it.
MATRIX = Path(__file__).parent / "kill_matrix.json"
#: Requirements that one mistake breaks, each in scenes of its own: what breaks the first there would break it anywhere.
ALIKE = {"CLIENT-20": ("CLIENT-21", "CLIENT-22")}
#: Requirements that the task is finished in scenes of their own, which few clients of the matrix are played: what keeps
#: a client from finishing it elsewhere does so there.
ALSO_THROUGH = ("CLIENT-34", BASE_URL)


@cache
def client_requirements() -> dict[str, Requirement]:
    """Return the requirements for clients by id."""
    return {id: requirement for id, requirement in requirements().items() if requirement.area == "CLIENT"}


def judge_client(
    exchanges: Sequence[Exchange],
    not_shown: str | None = None,
    defects: Defects | None = None,
    time_up: Callable[[], str | None] = lambda: None,
    *,
    resumable: bool = False,
) -> Verdict:
    """Apply every rule for clients to the stories.

    `not_shown` is the reason why some could not be seen, if any, and `resumable` says whether another run may show
    them; `time_up` returns one once no more may be judged.
    """
    redact = redactor(tuple({e.ask.play.key for e in exchanges}))
    does = {f"--does {e.ask.play.does}" for e in exchanges}

    def lacking(requirement: Requirement, exercised: bool) -> str | None:
        missing = [need for need in requirement.needs if need not in does]
        return f"judged with {', '.join(missing)}, for a client that only probes" if missing and not exercised else None

    contract = core.Contract(client_rules(), client_requirements().values(), lacking, redact=redact)
    seen = core.Core(was_seen(exchanges))
    stories: Exchanges[Seen, None] = Exchanges(list(exchanges), None)
    return core.judge(stories, contract, seen, stopped=not_shown, resumable=resumable, time_up=time_up, defects=defects)


def was_seen(exchanges: Sequence[Exchange]) -> bool:
    """Whether the client was seen to do its task; if no scene allowed that, whether it sent a correct request.

    What a recording has without any response may never have been sent.
    """
    stories = [e.ask.story for e in exchanges if e.ask.story]
    if any(story.done for story in stories):
        return True
    possible = any(story.play.scene.completes for story in stories)
    sent = [e for story in stories for e in story.of("probe", "start", "poll")]
    return not possible and any(e.ask.delivered or not e.ask.play.recorded for e in sent)


def root_causes(verdict: Verdict) -> dict[str, list[str]]:
    """Return the broken requirements that explain others, or that no other explains, by the kill matrix."""
    broken = {id: result for id, result in verdict.results.items() if result.status in {"fail", "warn"}}
    places = {id: {finding.exchange.ask.play.scene.name for finding in broken[id].findings} for id in broken}
    for id, others in ALIKE.items():
        places.get(id, set()).update(*(places.get(other, ()) for other in others))
    breaches = [
        Breach(id, one.status == "fail", places[id], rank(one.requirement, places[id]), general=id == THROUGH)
        for id, one in broken.items()
    ]
    return causes(breaches, known() if breaches else {})


def rank(requirement: Requirement, scenes: set[str]) -> int:
    """Return how bad a breach is: a client that finishes its task where all goes well is not cut off elsewhere."""
    return FORM if requirement.id == THROUGH and FIRST not in scenes else requirement.rank


def known() -> dict[str, dict[str, Any]]:
    """Return the faults of the kill matrix, with what they would break in all scenes."""
    faults = read_matrix(MATRIX)["faults"]
    more = {name: ALSO_THROUGH for name, fault in faults.items() if THROUGH in fault["reported"]}
    return {name: {**fault, "reported": [*fault["reported"], *more.get(name, ())]} for name, fault in faults.items()}
