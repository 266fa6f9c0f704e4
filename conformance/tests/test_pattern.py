"""What failing cases have in common, and no passing one."""

from dataclasses import replace

import pytest
from rnn_conformance import BASIC, Case, check
from rnn_conformance.contract.declaration import Declaration, declared
from rnn_conformance.explain.pattern import pattern
from rnn_conformance.variants.every import MUTANTS

CASE = Case(7, 3, 5, 4, O=2)


@pytest.mark.parametrize(
    ("failing", "passing", "found"),
    [
        ([CASE], [], ["in every case"]),
        ([], [CASE], []),
        ([replace(CASE, dtype="float64")], [CASE], ["dtype = float64"]),
        ([replace(CASE, B=515)], [CASE, replace(CASE, B=512)], ["B ≥ 515"]),
        ([replace(CASE, T=9)], [CASE, replace(CASE, T=11)], ["T = 9"]),
        ([replace(CASE, I=4)], [CASE, replace(CASE, I=3)], ["I = H"]),
        (
            [replace(CASE, dtype="float64", h_0="none")],
            [CASE, replace(CASE, dtype="float64"), replace(CASE, h_0="none")],
            ["h_0 = none and dtype = float64"],
        ),
        ([CASE, replace(CASE, T=11)], [replace(CASE, T=9)], []),
    ],
)
def test_the_simplest_condition(failing: list[Case], passing: list[Case], found: list[str]) -> None:
    named = pattern(failing, passing)
    assert named == found if len(found) != 1 else found[0] in named


@pytest.mark.parametrize(
    ("mutant", "check_name", "condition"),
    [
        ("Float64InFloat32", "output", "dtype = float64"),
        ("RowsBeyond512", "output", "B ≥ 515"),
        ("SquareReadoutTransposed", "readout", "H = O"),
        ("RecurrentUnitsBeyond128", "output", "H ≥ 131"),
    ],
)
def test_what_it_says_of_known_bugs(mutant: str, check_name: str, condition: str) -> None:
    basic = declared(MUTANTS[mutant].make(), Declaration(claims=BASIC))
    report = check(basic, checks=[check_name], diagnosed=False)
    assert condition in report.patterns[check_name]
