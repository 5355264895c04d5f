"""The kill matrix shows that each rule has a fault which it reports alone or first."""

from typing import Any

from faults import FAULTS
from hostup_conformance.contract.server_verdict import MATRIX, server_requirements
from hostup_conformance.judging.root_cause import read_matrix
from kill_matrix import causes, first_reported, indistinguishable, named_unlearnt
from variants import VARIANTS

WHOLE = read_matrix(MATRIX)
ROWS: dict[str, dict[str, Any]] = WHOLE["faults"]
JUDGED = [id for id, requirement in server_requirements().items() if requirement.level != "OBSERVE"]


def test_matrix_is_of_this_catalogue() -> None:
    measured = {(name, row["requirement"]) for name, row in ROWS.items()}
    differing = measured ^ {(name, fault.requirement) for name, fault in FAULTS.all().items()}
    assert not differing, f"not as in kill_matrix.json: {sorted(differing)}; run make kill-matrix"
    others = WHOLE["variants"].keys() ^ VARIANTS.all().keys()
    assert not others, f"not as in kill_matrix.json: {sorted(others)}; run make kill-matrix"


def test_every_fault_is_killed_by_its_own_requirement() -> None:
    assert [name for name, row in ROWS.items() if row["requirement"] not in row["reported"]] == []


def test_each_requirement_reports_a_fault_alone_or_first() -> None:
    """Each requirement has a fault that it reports alone, or that a summary blames on it first."""
    never = {*JUDGED} - {
        first_reported(row, ROWS) for row in ROWS.values() if first_reported(row, ROWS) == row["requirement"]
    }
    advice = "in conformance/tests/faults write a fault that is blamed on it alone or first, then run make kill-matrix"
    assert not never, f"{sorted(never)}: {advice}"


def test_no_two_requirements_are_indistinguishable() -> None:
    assert indistinguishable(ROWS.values()) == []


def test_no_variant_is_reported_beyond_what_it_declares() -> None:
    found = {name: set(row["reported"]) for name, row in WHOLE["variants"].items()}
    assert found == {name: set(variant.warns) for name, variant in VARIANTS.all().items()}


def test_each_requirement_has_a_good_and_a_bad_example() -> None:
    lacking = [id for id in JUDGED if not {"good", "bad"} <= WHOLE["examples"].get(id, {}).keys()]
    hint = "run make kill-matrix NAMES=FAULT; what the mock never shows needs a variant, named in its FOR_EXAMPLES too"
    assert not lacking, f"kill_matrix.json lacks a good or a bad example of {lacking}; {hint}"


def test_most_faults_are_blamed_on_their_own_requirement() -> None:
    """For at least 95 of 100 faults, a summary names their own requirement first."""
    named = [name for name, row in ROWS.items() if first_reported(row, ROWS) == row["requirement"]]
    assert len(named) >= 0.95 * len(ROWS)


def test_unseen_faults_are_mostly_named_right() -> None:
    """At least 9 of 10 faults are blamed on the right requirement by root-cause data from the other faults alone."""
    assert len(named_unlearnt(ROWS)) >= 0.9 * len(ROWS)


def test_each_broken_requirement_is_named_once() -> None:
    for row in ROWS.values():
        roots = causes(row["reported"], ROWS)
        named = [*roots, *(id for explained in roots.values() for id in explained)]
        assert sorted(named) == sorted(row["reported"])


def test_nothing_broken_has_no_cause() -> None:
    assert causes([], ROWS) == {}


def test_a_requirement_that_nobody_knows_stands_alone() -> None:
    assert causes(["XX-99"], ROWS) == {"XX-99": []}
