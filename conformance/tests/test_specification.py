"""The specification and the checks: no clause without a check, no check without a clause."""

import re
from importlib.resources import files

from rnn_conformance.cases.catalogue import catalogue
from rnn_conformance.cells import CELLS
from rnn_conformance.checks.every import CHECKS
from rnn_conformance.contract.call import FEATURES, GRADIENTS

TEXT = files("rnn_conformance.contract").joinpath("specification.md").read_text("utf-8")
CLAUSES = re.findall(r"^\*\*((?:RNN|LSTM|GRU)-[A-Z]+-\d+)\*\*", TEXT, re.MULTILINE)


def test_clauses_are_numbered_once_and_in_order() -> None:
    assert len(set(CLAUSES)) == len(CLAUSES) > 30
    by_subject: dict[str, list[int]] = {}
    for clause in CLAUSES:
        subject, _, number = clause.rpartition("-")
        by_subject.setdefault(subject, []).append(int(number))
    for subject, numbers in by_subject.items():
        assert numbers == list(range(1, len(numbers) + 1)), subject


def test_every_clause_has_a_check_and_every_check_a_clause_and_a_title() -> None:
    assert {clause for check in CHECKS.values() for clause in check.clauses} == {*CLAUSES}
    for check in CHECKS.values():
        assert check.clauses
        assert check.title.endswith(".")


def test_every_clause_is_held_in_some_case_by_each_check_that_cites_it() -> None:
    """A clause that no case of a check concerns would be cited in vain."""
    held = {
        (check.name, clause)
        for case in catalogue()
        for check in CHECKS.values()
        if check.asked(case, FEATURES | {GRADIENTS})
        for clause in check.holds(case)
    }
    cited = {(name, clause) for name, c in CHECKS.items() for clause in c.clauses}
    not_odd = {cell.clause for cell in CELLS.values() if not cell.odd}
    odd = {("negated", clause) for clause in not_odd} | {("options_matter", "RNN-CELL-2")}
    assert held == cited - odd
