from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from rnn_benchmarks.agreement import Allowance, DisagreementError, allowance, require_agreement
from rnn_benchmarks.grid import DTYPES, HIDDEN_SIZES, INPUT_SIZES, Point
from rnn_benchmarks.lines import BATCH_RNN, YARDSTICK, Trajectory
from rnn_benchmarks.workload import Workload, draw
from rnn_reference.weights import Array

# More terms, and so more is allowed, than at any other point of the grid.
LOOSEST = Point(T=4, B=3, I=max(INPUT_SIZES), H=max(HIDDEN_SIZES), dtype="float32")


def changed(workload: Workload, **weights: Array) -> Workload:
    return replace(workload, weights={**workload.weights, **weights})


def zeros(workload: Workload, name: str) -> Workload:
    return changed(workload, **{name: np.zeros_like(workload.weights[name])})


WRONG: dict[str, Callable[[Workload], Workload]] = {
    "W_hh transposed": lambda w: changed(w, W_hh=w.weights["W_hh"].T.copy()),
    "no recurrence": lambda w: zeros(w, "W_hh"),
    "no b_xh": lambda w: zeros(w, "b_xh"),
    "no b_hh": lambda w: zeros(w, "b_hh"),
    "no b_ho": lambda w: zeros(w, "b_ho"),
    "inputs reversed in time": lambda w: replace(w, inputs=w.inputs[::-1].copy()),
    "sequences exchanged": lambda w: replace(w, inputs=w.inputs[:, ::-1].copy()),
}


def run(workload: Workload) -> Trajectory:
    return BATCH_RNN.collect(BATCH_RNN.prepare(workload)())


@pytest.mark.parametrize("wrong", WRONG)
def test_a_wrong_line_is_refused_even_where_most_is_allowed(wrong: str) -> None:
    workload = draw(LOOSEST)
    expected = YARDSTICK.collect(YARDSTICK.prepare(workload)())
    with pytest.raises(DisagreementError, match=r"of wrong and right differ first at t=\d.*not ti"):
        require_agreement(
            run(WRONG[wrong](workload)),
            expected,
            allowance(workload),
            names=("wrong", "right"),
        )


def test_what_is_allowed_encloses_the_rounding_of_float32() -> None:
    workload = draw(LOOSEST)
    wide = Workload(
        weights={name: weight.astype(np.float64) for name, weight in workload.weights.items()},
        inputs=workload.inputs.astype(np.float64),
    )
    narrow, exact, allowed = run(workload), run(wide), allowance(workload)
    assert 0 < np.abs(narrow.states - exact.states).max() <= allowed.states / 2
    assert 0 < np.abs(narrow.outputs - exact.outputs).max() <= allowed.outputs / 2


@pytest.mark.parametrize("dtype", DTYPES)
def test_what_is_allowed_follows_the_precision(dtype: str) -> None:
    allowed = allowance(draw(replace(LOOSEST, dtype=dtype)))
    assert 1e3 < allowed.states / np.finfo(dtype).eps < 1e5


def test_differences_found_are_returned() -> None:
    workload = draw(LOOSEST)
    left = run(workload)
    right = Trajectory(left.states + np.float32(2**-12), left.outputs)
    found = require_agreement(left, right, Allowance(1.0, 1.0), names=("left", "right"))
    assert found.states == pytest.approx(2**-12, rel=1e-3)
    assert found.outputs == 0


def test_nan_is_no_agreement() -> None:
    trajectory = Trajectory(np.full((2, 1, 1), np.nan), np.zeros((2, 1, 1)))
    with pytest.raises(DisagreementError, match="states of a and b differ first at t=0"):
        require_agreement(trajectory, trajectory, Allowance(1.0, 1.0), names=("a", "b"))


@pytest.mark.parametrize(
    "other", [np.zeros((1, 1, 1)), np.zeros((2, 1, 1), np.float32)], ids=["shape", "dtype"]
)
def test_another_shape_or_dtype_is_no_agreement(other: Array) -> None:
    states = np.zeros((2, 1, 1))
    with pytest.raises(DisagreementError, match=r"outputs of a and b.* against .*not timed"):
        require_agreement(
            Trajectory(states, other),
            Trajectory(states, np.zeros((2, 1, 1))),
            Allowance(1.0, 1.0),
            names=("a", "b"),
        )


def test_weights_that_do_not_contract_are_refused() -> None:
    workload = draw(replace(LOOSEST, H=4))
    with pytest.raises(ValueError, match="W_hh: expected absolute row sums below 1"):
        allowance(changed(workload, W_hh=np.eye(4, dtype=np.float32)))
