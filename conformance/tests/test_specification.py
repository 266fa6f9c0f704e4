"""The specification and the checks: no clause without a check, no check without a clause."""

import re
from importlib.resources import files

import pytest
from rnn_conformance.contract.call import FEATURES
from rnn_conformance.profiles import ALL_CHECKS, CORE, LAYER

TEXT = files("rnn_conformance").joinpath("specification.md").read_text(encoding="utf-8")
CLAUSES = re.findall(r"^\*\*(RNN-[A-Z]+-\d+)\*\*", TEXT, re.MULTILINE)


def test_clauses_are_numbered_once_and_in_order() -> None:
    assert len(set(CLAUSES)) == len(CLAUSES) > 30
    by_subject: dict[str, list[int]] = {}
    for clause in CLAUSES:
        _, subject, number = clause.split("-")
        by_subject.setdefault(subject, []).append(int(number))
    for subject, numbers in by_subject.items():
        assert numbers == list(range(1, len(numbers) + 1)), subject


@pytest.mark.parametrize("clause", CLAUSES)
def test_no_clause_is_without_a_check(clause: str) -> None:
    assert any(clause in check.clauses for check in ALL_CHECKS.values())


@pytest.mark.parametrize("name", ALL_CHECKS)
def test_no_check_is_without_a_clause(name: str) -> None:
    cited = ALL_CHECKS[name].clauses
    assert cited
    assert set(cited) <= set(CLAUSES)


@pytest.mark.parametrize("name", ALL_CHECKS)
def test_every_check_says_what_it_asks(name: str) -> None:
    assert ALL_CHECKS[name].title.endswith(".")


def test_every_clause_is_held_in_some_case_by_each_check_that_cites_it() -> None:
    """A clause that no case of a check concerns would be cited in vain."""
    held = {
        (check.name, clause)
        for profile in (CORE, LAYER)
        for case in profile.catalogue(0, FEATURES)
        for check in profile.checks.values()
        if check.applies(case, FEATURES)
        for clause in check.clauses
        if case.concerns(clause)
    }
    assert held == {(name, c) for name, check in ALL_CHECKS.items() for c in check.clauses}
