"""The mean error of each activation of a gated cell: seen where it is off."""

from collections.abc import Callable

import numpy as np
import pytest
from rnn_conformance.bounds.statistics import DEVIATIONS, MEAN_ROUNDINGS, activation_mean
from rnn_conformance.cases.case import Case
from rnn_conformance.cases.catalogue import FIRST_STEPS
from rnn_conformance.cells.cell import Trace
from rnn_conformance.cells.weights import of_cell as weights_of
from rnn_conformance.checks.subject import Subject
from rnn_conformance.contract.call import DTYPES, GATED, Array, Call, Dtype
from rnn_conformance.variants.gated import RIGHT
from rnn_conformance.variants.recurrence import Recurrence, of_cell

OFF = 5  # u, which is 3e-7 in float32


class SigmoidOff(Recurrence):
    def gate(self, a: Array) -> Array:
        return super().gate(a) + OFF * np.finfo(a.dtype).eps / 2


class TanhOff(Recurrence):
    def activation(self, call: Call, a: Array) -> Array:
        return super().activation(call, a) + OFF * np.finfo(a.dtype).eps / 2


def shares(make: Callable[[], Recurrence], cell: str, dtype: Dtype) -> dict[str, float]:
    case = Case(*FIRST_STEPS, cell=cell, dtype=dtype, weights="moderate")
    data, states = case.data(), Subject(make()).result(case).output
    w = weights_of(data.weights, 0, 0, data.options)
    means = case.equation.statistics(Trace(w, data.inputs, data.initial[0], dtype), states)
    return {one.what: abs(float((one.found / one.limit).item())) for one in means}


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("cell", GATED)
def test_an_activation_that_is_off_is_seen_where_it_is(cell: str, dtype: Dtype) -> None:
    for wrong, function in ((SigmoidOff, "σ"), (TanhOff, "tanh")):
        found = shares(of_cell(wrong, cell), cell, dtype)
        worst = max(found, key=found.__getitem__)
        assert found[worst] > 1, found
        assert function in worst


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("right", RIGHT.values(), ids=RIGHT)
def test_right_ways_are_far_within(right: type[Recurrence], dtype: Dtype) -> None:
    (cell,) = right.claims & {*GATED}
    assert max(shares(right, cell, dtype).values()) < 0.2


def test_a_mean_by_hand() -> None:
    r, D, u = np.array([[3.0, 1.0], [1.0, -1.0]]), np.array([[1.0, 2.0], [2.0, 0.0]]), 0.5
    found = activation_mean("σ", r, D, u)
    assert found.found.item() == (3 + 2 + 2) / 9 / u
    assert found.limit.item() == DEVIATIONS * np.sqrt(5**2 + 2**2) / 9 / u + MEAN_ROUNDINGS
