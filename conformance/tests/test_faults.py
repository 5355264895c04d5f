"""Every fault makes its requirement fail, or warn."""

import pytest
from catalogue import every
from faults import FAULTS, Fault
from hostup_conformance.contract.server_verdict import Result, check_against_oracle, server_requirements
from judging import IMPATIENT, LIMITS, run, run_on_mock, verdict_by
from stage import Request, Response, Stage
from test_root_causes import CAUSES

#: Faults that show only in a whole run: after other requests, or in responses of a kind that the mock does not give.
IN_A_WHOLE_RUN = {
    *("cached_before_the_key_is_seen", "conflict_without_pid", "gateway_has_the_code_of_500", "the_key_is_global"),
    *("a_limit_of_an_instant", "no_limit_of_heads_resets", "session_stands_for_a_key"),
    *("waiting_for_nothing", "a_running_command_makes_the_agent_unavailable", "pids_of_all_vpss_are_searched"),
    "what_is_beyond_the_limit_is_forbidden",
}
#: The first fault of each MUST that no other test makes a whole run with (`test_root_causes.py`). The others are tried
#: by what is sent for their requirement alone (`test_selection.py`, `test_further_faults.py`), as a whole run does too,
#: in a third of the time.
MUSTS = {id for id, requirement in server_requirements().items() if requirement.level == "MUST"}
FIRST = {
    **{fault.requirement: name for name, fault in reversed(FAULTS.all().items()) if fault.requirement in MUSTS},
    **dict.fromkeys((fault.requirement for fault in CAUSES.values()), ""),
}.values()
WHOLE = [(name, fault) for name, fault in FAULTS.all().items() if name in {*FIRST, *IN_A_WHOLE_RUN}]


@pytest.mark.parametrize("fault", every(100, WHOLE))
def test_fault_is_noticed(fault: Fault) -> None:
    _, wire, stage = run(fault.change, IMPATIENT if fault.hangs else LIMITS, allow_exec=fault.starts)
    verdict = check_against_oracle(verdict_by(wire), wire.exchanges)
    assert {id: r.message for id, r in verdict.results.items() if r.status == "error"} == {}
    assert verdict.summary["error"] == 0
    assert_noticed(verdict.results[fault.requirement], stage)


def assert_noticed(result: Result, stage: Stage) -> None:
    noticed = result.status == {"MUST": "fail", "SHOULD": "warn"}[result.requirement.level]
    assert noticed or stage.changed, "the fault changed no response: assign to response.json or use response.change"
    assert noticed, f"{result.requirement.id} has the status {result.status}: {result.message}"


def test_a_fault_that_changes_a_copy_of_the_body_is_told() -> None:
    def change_a_copy(_request: Request, response: Response) -> None:
        if response.is_availability:
            response.json["available"] = "yes"

    _, wire, stage = run(change_a_copy)
    with pytest.raises(AssertionError, match=r"^the fault changed no response: assign to response\.json or use "):
        assert_noticed(verdict_by(wire).results["PROBE-03"], stage)


def test_every_must_and_should_has_a_fault() -> None:
    judged = {id for id, requirement in server_requirements().items() if requirement.level != "OBSERVE"}
    assert judged == {fault.requirement for fault in FAULTS.all().values()}


@pytest.mark.parametrize("allow_exec", [False, True])
def test_the_mock_as_it_is_passes(allow_exec: bool) -> None:
    _, wire, _ = run_on_mock(allow_exec=allow_exec)
    verdict = check_against_oracle(verdict_by(wire), wire.exchanges)
    assert verdict.name == "conformant"
    assert {id: r.message for id, r in verdict.results.items() if r.status in {"fail", "warn", "error"}} == {}
