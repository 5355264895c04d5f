"""The rules for clients: one pure function for each requirement of the area CLIENT, on the story of one scene.

    @rule("CLIENT-19", lambda story: story.last_poll is not None)
    def no_poll_after_the_end(story: Story) -> Findings:
        for poll in after(story.last_poll, story.of("poll")):
            yield poll, "no poll once exited was true", poll.request.target

The second argument selects the stories that exercise the requirement: if there are none, its status is `skip`. A
finding names the request that breaks it, or None if the end of the command does. `explain` shows the docstring under
"rule".
"""

from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

from hostup_conformance.clients.story import Exchange, Seen, Story
from hostup_conformance.judging import rule as core
from hostup_conformance.keeping.redact import redactor
from hostup_conformance.keeping.safe_text import counted, shown

__all__ = ["Findings", "Rule", "after", "client_rules", "difference", "rule"]

#: What a rule yields: the request that breaks the requirement, what was expected, and what came instead.
Findings = Iterator[tuple[Exchange | None, str, Any]]
Judge = Callable[[Story], Findings]
Rule: TypeAlias = core.Rule[core.Exchanges[Seen, None]]

_RULES: core.Rules[core.Exchanges[Seen, None]] = core.Rules(__name__, "rule")


def rule(id: str, applies: Callable[[Story], object]) -> Callable[[Judge], Judge]:
    """Register a rule that judges one story at a time."""

    def register(function: Judge) -> Judge:
        def judge(stories: core.Exchanges[Seen, None]) -> core.Findings[Seen]:
            for ending in stories.each(lambda e: e.ask.story is not None and bool(applies(e.ask.story))):
                # A client may repeat a mistake a hundred times in one scene, so only the first is reported.
                if ending.ask.story and (found := next(function(ending.ask.story), None)):
                    exchange, expected, got = found
                    scene = f" (scene {ending.ask.play.scene.name})"
                    text = shown(got, core.SHOWN - len(scene), redactor((ending.ask.play.key,)))
                    yield exchange or ending, expected, text + scene

        judge.__doc__ = function.__doc__
        _RULES.rule(id, seeks="scene that would show it")(judge)
        return function

    return register


def client_rules() -> dict[str, Rule]:
    """Return all rules for clients by the id of their requirement."""
    return _RULES.all()


def after(earlier: Exchange, exchanges: list[Exchange]) -> list[Exchange]:
    """Return the requests that arrived after the response to an earlier one had begun, or had failed."""
    since = earlier.ask.responded if earlier.ask.responded is not None else earlier.ask.arrived
    return [e for e in exchanges if e is not earlier and e.ask.arrived >= since]


def difference(expected: bytes, got: bytes, name: str) -> tuple[str, str]:
    """Return what is expected and what came, where two texts begin to differ."""
    at = next((i for i, (a, b) in enumerate(zip(expected, got, strict=False)) if a != b), min(len(expected), len(got)))
    near = slice(max(at - 8, 0), at + 24)
    ends = ", the end," if at == len(expected) else ""
    return (
        f"{expected[near]!r}{ends} near byte {at} of the {name} ({counted(len(expected), 'byte')} in all)",
        f"{got[near]!r} ({counted(len(got), 'byte')} in all)",
    )
