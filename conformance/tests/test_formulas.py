"""The lines that repeat an expected number give it, at every place; in padding there are none."""

from dataclasses import replace

import numpy as np
import pytest
from rnn_conformance.bounds.balls import Precision
from rnn_conformance.bounds.judgement import Judgement, Place, identical
from rnn_conformance.cases.case import Case
from rnn_conformance.cases.expected import from_own_states, judge_readout
from rnn_conformance.contract.call import Answer
from rnn_conformance.variants.healthy import Plain

RAGGED = Case(T=4, B=3, I=2, H=2, O=2, bidirectional=True, lengths="unsorted")


@pytest.mark.parametrize(
    "case",
    [RAGGED, replace(RAGGED, cell="relu", bias="off")]
    + [replace(RAGGED, cell=cell) for cell in ("gru", "gru_reset_before")],
)
def test_formula_gives_every_expected_number(case: Case) -> None:
    data, precision = case.data(), Precision.of(case.dtype)
    found = Plain().run(case.call())
    assert found.y is not None
    output = np.where(data.real, found.output, 0)
    steps = from_own_states(data, precision, Answer(output, found.h_n))
    of_y = judge_readout(data, precision, output, found.y)
    for expected, formula in ((steps.output, steps.formula), (of_y.expected, of_y.formula)):
        assert formula is not None
        for t, b, j in np.ndindex(expected.shape):
            operands = formula.operands(t, b, j)
            real = data.real[t, b, 0]
            if formula is steps.formula:
                assert bool(operands) == real
            if real:
                names = {name: np.asarray(v, np.float64) for name, v in operands.items()}
                *steps_of, result = formula.code.splitlines()
                exec("\n".join(steps_of), scope := {"np": np, **names})
                value = eval(result, scope)
                assert value == pytest.approx(expected[t, b, j], rel=1e-14, abs=1e-16)


def test_places_are_given_as_ranges() -> None:
    found = np.zeros((9, 1, 1))
    found[[0, 1, 3, 5, 6, 8]] = 2.0
    judgement = Judgement("h", np.zeros_like(found), found, 1.0, "r")
    place = judgement.first_outside()
    assert place is not None
    assert "6 of 9 numbers are outside, in steps 0-1, 3, 5-6, 8, rows 0" in judgement.describe(
        place
    )
    found[...] = 0
    found[::2] = 2.0
    assert "in steps 0, 2, 4, 6, …, rows 0" in judgement.describe(place)


@pytest.mark.parametrize("rank", [1, 2, 3])
def test_memory_of_any_rank_is_compared_bit_for_bit(rank: int) -> None:
    before = np.ones((3, 4, 5)[:rank])
    before[(0,) * rank] = np.nan
    before[(1,) * rank] = np.inf
    assert identical("x", before, before.copy()).first_outside() is None
    for value in (np.nan, np.nextafter(1, 2), np.nextafter(1, 0)):
        after = before.copy()
        after[(-1,) * rank] = value
        place = identical("x", before, after).first_outside()
        assert place is not None
        last = (0,) * (3 - rank) + tuple(n - 1 for n in before.shape)
        assert (place.step, place.row, place.unit) == last


def test_exactly_is_said_where_nothing_else_will_do() -> None:
    assert str(Place(1, 2, 3, 0.5, 0.25, 0.0)) == (
        "step 1, row 2, unit 3: expected exactly 0.5, found 0.25"
    )
