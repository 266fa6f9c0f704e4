"""The bounds of LSTM and GRU enclose what a right computation can give, and little more."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from typing import get_args

import numpy as np
import pytest
from flint import ctx
from rnn_conformance.bounds.balls import Precision
from rnn_conformance.bounds.judgement import share
from rnn_conformance.cases.case import Case
from rnn_conformance.cases.expected import from_own_states
from rnn_conformance.cells.cell import Kind
from rnn_conformance.cells.weights import of_cell
from rnn_conformance.contract.call import DTYPES, GATED, Answer, Dtype
from rnn_conformance.vectors.exact import exact

from .ball_oracle import ARITHMETIC, floats
from .gated_oracle import Adversary

KINDS = [kind for kind in get_args(Kind) if kind not in ("moderate", "marked", "passing")]


@pytest.fixture(autouse=True)
def _bits() -> Iterator[None]:
    with ctx.workprec(256):
        yield


def adversarial(case: Case, sign: int, *, alone: bool = False) -> Answer:
    """All states in the dtype of the case, each from the one before it, with all errors added."""
    data, by = case.data(), Adversary(ARITHMETIC[case.dtype], sign)
    w, lstm = of_cell(data.weights, 0, 0, data.options), case.cell == "lstm"
    state = data.initial[0]
    states = []
    for x in data.inputs:
        if lstm:
            parts = by.lstm(w, x, *np.split(state, 2, axis=-1))
            state = np.hstack([floats(part) for part in parts]).astype(case.dtype)
        else:
            before = case.cell == "gru_reset_before"
            new = by.gru(w, x, state, before=before, alone=alone)
            state = floats(new).astype(case.dtype)
        states.append(state[:, : case.H])
    return Answer(np.stack(states), state[np.newaxis])


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("cell", "alone"), [*product(GATED, (False, True))][1:])
def test_a_bound_encloses_every_error_at_its_largest_and_little_more(
    cell: str, alone: bool, dtype: Dtype, sign: int
) -> None:
    worst = {"output": 0.0, "h_n": 0.0}
    for kind in KINDS:
        case = Case(5, 3, 4, 3, cell=cell, dtype=dtype, weights=kind)
        found = adversarial(case, sign, alone=alone)
        right = from_own_states(case.data(), Precision.of(dtype), found)
        assert found.h_n is not None
        for name, expected, given, bound in (
            ("output", right.output, found.output, right.output_bound),
            ("h_n", right.h_n, found.h_n, right.h_n_bound),
        ):
            shares = share(expected, given.astype(np.float64), bound)
            assert shares.max() <= 1, (kind, name, shares.max())
            worst[name] = max(worst[name], float(shares.max()))
    # In float64 the judge rounds as much as what it judges, and is allowed for too.
    least = 0.5 if dtype == "float32" else 0.4
    assert min(worst.values()) > least, worst


@pytest.mark.parametrize("cell", GATED)
def test_decimal_digits_are_what_is_expected(cell: str) -> None:
    case = Case(L=2, bidirectional=True, lengths="unsorted", cell=cell, dtype="float64")
    digits, one = exact(case.data()), replace(case, L=1, bidirectional=False)
    right = exact(one.data())
    expected = from_own_states(one.data(), Precision.of("float64"), Answer(right.output))
    real = one.data().real[..., 0]
    assert np.abs(expected.output - right.output)[real].max() < 1e-15
    assert digits.output.shape == (7, 4, 6)
