"""CLIENT: what a client says that only asks whether commands can be run."""

from __future__ import annotations

import json

from hostup_conformance.clients.rules import Findings, judging
from hostup_conformance.clients.rules.outcome import ended, last_words
from hostup_conformance.clients.story import Exchange, Story, got_200, says


def probed(story: Story) -> Exchange | None:
    """Return the last probe, if the client asks for nothing else and ended by itself before its time was up."""
    probes = story.of("probe") if story.task.does == "probe" and ended(story) and not story.gave_up else []
    return probes[-1] if probes else None


def told_no(e: Exchange) -> bool:
    """Whether the response to a probe is of the right form, and does not say that commands can be run."""
    return got_200(e) and isinstance(e.body, dict) and e.body.get("available") is not True


@judging("CLIENT-40", lambda story: (e := probed(story)) and (told_no(e) or story.availability))
def yes_means_true(story: Story) -> Findings:
    """A client that only probes must exit with 0 if `available` is true, and with another code if it is not.

    A missing member, null, a text and an envelope are a no.
    """
    e, outcome = probed(story), ended(story)
    if e and outcome and told_no(e) is (outcome.code == 0):
        available = json.dumps(e.body["available"], ensure_ascii=False) if "available" in e.body else "missing"
        expected = "a code other than 0" if told_no(e) else "the exit code 0"
        yield e, f"{expected}, since available is {available}", f"the exit code {outcome.code}{last_words(outcome)}"


@judging("CLIENT-41", lambda story: (e := probed(story)) and not says(e, "available", True))
def no_is_not_an_error(story: Story) -> Findings:
    """A client that only probes should exit with 1 for a no, and with neither 0 nor 1 if it got no such response.

    CLIENT-40 and CLIENT-27 judge an exit code of 0.
    """
    e, outcome = probed(story), ended(story)
    if e and outcome and outcome.code and told_no(e) is not (outcome.code == 1):
        expected = (
            "the exit code 1, which says no" if told_no(e) else "an exit code above 1, since it could not be asked"
        )
        yield e, expected, f"{outcome.code}{last_words(outcome)}"
