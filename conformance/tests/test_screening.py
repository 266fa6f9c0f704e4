"""A screening rejects nothing right, and finds what is large enough."""

from typing import Any

import numpy as np
import pytest
from rnn_conformance import certify
from rnn_conformance.protocol import Array
from rnn_conformance.screening import screen
from rnn_reference import BatchRNN

T, B, I, H = 60, 6, 8, 40


def _trace(dtype: str = "float32", bias: float = 0.3) -> tuple[dict[str, Array], Array, Array]:
    rng = np.random.default_rng(5)
    model = BatchRNN(I, H, 1, dtype=dtype, rng=rng)
    weights = {name: value.copy() for name, value in model.weights.items()}
    for name, factor in {"W_xh": 0.3, "W_hh": 0.1}.items():
        weights[name] *= np.array(factor, dtype)
    for name in ("b_xh", "b_hh"):
        weights[name][:] = bias * rng.standard_normal((H, 1))
    inputs = rng.standard_normal((T, B, I)).astype(dtype)
    return weights, inputs, _states(weights, inputs)


def _states(weights: dict[str, Array], inputs: Array) -> Array:
    _, by_step = BatchRNN.from_weights(weights).forward(inputs)
    return np.stack([by_step[t].T for t in range(T)])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("seed", range(5))
def test_what_is_right_is_not_suspicious(dtype: str, seed: int) -> None:
    found = screen(*_trace(dtype), rng=np.random.default_rng(seed))
    assert found.found_nothing
    assert (found.rows, found.suspicious) == (T * B, 0)
    assert str(found) == f"nothing found: 0 of {T * B} rows were suspicious"


def test_saturated_rows_are_judged_in_full_and_not_rejected() -> None:
    found = screen(*_trace(bias=30.0), rng=np.random.default_rng(0))
    assert found.suspicious == found.rows
    assert found.found_nothing


@pytest.mark.parametrize("wrong", ["W_hh transposed", "a bias", "a row", "one unit", "NaN"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_what_is_wrong_is_found_where_the_certificate_finds_it(wrong: str, dtype: str) -> None:
    weights, inputs, states = _trace(dtype)
    if wrong == "W_hh transposed":
        states = _states({**weights, "W_hh": weights["W_hh"].T.copy()}, inputs)
    elif wrong == "a bias":
        states = _states({**weights, "b_hh": 0 * weights["b_hh"]}, inputs)
    elif wrong == "a row":
        states[31, 2] *= np.array(0.99, dtype)
    elif wrong == "one unit":
        states[31, 2, 7] += 0.01
    else:
        states[31, 2, 7] = np.nan
    found = screen(weights, inputs, states, rng=np.random.default_rng(0), vectors=16)
    full = certify(weights, inputs, states)
    assert not found.found_nothing
    assert found.first_outside is not None
    assert full.first_outside is not None
    places = [(p.step, p.row, p.unit) for p in (found.first_outside, full.first_outside)]
    assert places[0] == places[1]
    assert "does not conform: step" in str(found)


def test_one_unit_a_little_off_is_not_seen() -> None:
    """The limit that is stated: the full certificate finds it, the screening does not look."""
    weights, inputs, right = _trace()
    at = (T - 1, 2, int(np.argmin(np.abs(right[-1, 2]))))
    far, near = right.copy(), right.copy()
    far[at] += 1e-3
    seen = certify(weights, inputs, far).first_outside
    assert seen is not None
    near[at] += 1.3 * seen.bound
    assert not certify(weights, inputs, near).conforms
    for seed in range(5):
        assert screen(weights, inputs, near, rng=np.random.default_rng(seed)).found_nothing
    assert not screen(weights, inputs, far, rng=np.random.default_rng(0)).found_nothing


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"rng": 0}, TypeError, "rng: expected a numpy.random.Generator, got int"),
        ({"vectors": 0}, ValueError, "vectors: expected an integer from 1 to 1024, got 0"),
        ({"vectors": 2.0}, ValueError, "vectors: expected an integer from 1 to 1024, got 2.0"),
        ({"states": np.zeros((T, B, H - 1))}, ValueError, "states: expected shape"),
        ({"dtype": "int8"}, TypeError, "dtype: expected float32 or float64, got int8"),
    ],
)
def test_bad_input(change: dict[str, Any], error: type[Exception], message: str) -> None:
    weights, inputs, states = _trace("float64")
    arguments = {"weights": weights, "inputs": inputs, "states": states}
    with pytest.raises(error, match=message):
        screen(**{**arguments, "rng": np.random.default_rng(0), **change})
