"""The order of the scripted requests: the telling ones first, the poll that gets the output after all refused ones."""

from dataclasses import replace
from urllib.parse import parse_qsl, urlsplit

import pytest
from hostup_conformance.contract.server_verdict import judge
from hostup_conformance.contract.target import Target
from hostup_conformance.mock import Mock
from hostup_conformance.sources import commands
from hostup_conformance.sources.requests import Rank
from hostup_conformance.sources.script import Script
from hostup_conformance.sources.start_steps import CommandScript
from judging import run_on_mock

#: What the strictest common rate limit lets through in a minute.
FIRST = 60
MOCK = Mock()
TARGET = Target.from_environment("http://127.0.0.1:1", MOCK.environment(), kind="mock")


def test_all_is_judged_within_sixty_requests() -> None:
    target, wire, _ = run_on_mock(live=True)

    def judged(count: int) -> set[str]:
        results = judge(wire.exchanges[:count], target).results
        return {id for id, one in results.items() if one.requirement.level != "OBSERVE" and one.status == "pass"}

    assert len(wire.exchanges) > FIRST
    # What is sent at once with others comes last, and a name in the query of the list matters least.
    assert judged(FIRST) == judged(len(wire.exchanges)) - {"HTTP-21", "VPS-24"}


def test_wrong_keys_come_late() -> None:
    """Guards that ban an address often do so after five wrong keys: most is judged before those."""
    _, wire, _ = run_on_mock(live=True)
    refused = [e.purpose for e in wire.exchanges if e.status == 401 and not e.obeyed]
    # In the order of the script: on a busy machine, several are under way at a time.
    assert sum(step.purpose in refused for step in commands.script(wire.target)[:45]) < 5
    assert len(refused) <= 45


def test_each_telling_step_has_a_place_of_its_own() -> None:
    steps = CommandScript(replace(TARGET, allow_exec=True), token=None).steps()
    telling = {step.purpose: step.telling for step in steps if step.telling}
    assert sorted(telling.values()) == list(range(1, len(telling) + 1))


@pytest.mark.parametrize("running", [MOCK.running_pid, None])
def test_the_poll_that_gets_the_output_comes_last(running: int | None) -> None:
    target = replace(TARGET, running_pid=running)
    after = [
        step.purpose
        for step in Script(target).steps()
        if step.rank >= Rank.ENDED
        and ("pid", str(target.finished_pid)) in parse_qsl(urlsplit(step.request.target).query)
        and f"Bearer {target.key}" != step.request.header("authorization")
    ]
    whose = ("with read:vm alone", "without a key", "with a wrong key")
    assert after == [f"the ended command {who}, afterwards" for who in whose]
