"""Traces from anywhere, judged in pieces."""

import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rnn_conformance import certify
from rnn_conformance.protocol import Array
from rnn_conformance.trace import ROWS
from rnn_reference import BatchRNN

T, B, I, H = 3000, 4, 3, 5


def _trace(dtype: str = "float32", T: int = T) -> tuple[dict[str, Array], Array, Array]:
    rng = np.random.default_rng(0)
    model = BatchRNN(I, H, 1, dtype=dtype, rng=rng)
    inputs = rng.standard_normal((T, B, I)).astype(dtype)
    _, by_step = model.forward(inputs)
    return model.weights, inputs, np.stack([by_step[t].T for t in range(T)])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_right_trace_conforms(dtype: str) -> None:
    weights, inputs, states = _trace(dtype)
    assert T * B > 2 * ROWS, "one piece would not show that the pieces fit together"
    found = certify(weights, inputs, states)
    assert found.conforms
    assert found.first_outside is None
    assert found.worst_share < 1
    # In float64 the judge may compute the very same.
    assert dtype == "float64" or found.worst_share > 0.01
    assert found.worst.share == found.worst_share
    assert certify(weights, inputs[:, 1], states[:, 1]).conforms


@pytest.mark.parametrize("step", [0, 1, ROWS // B - 1, ROWS // B, ROWS // B + 1, T - 1])
def test_a_wrong_state_is_found_where_it_is(step: int) -> None:
    weights, inputs, states = _trace()
    states[step, 2, 1] += 1e-4
    found = certify(weights, inputs, states)
    assert not found.conforms
    assert found.first_outside is not None
    place = found.first_outside
    assert (place.step, place.row, place.unit) == (step, 2, 1)
    assert f"step {step}, row 2, unit 1" in str(found)


def test_initial_state_and_nonlinearity_count() -> None:
    weights, inputs, states = _trace(T=20)
    cut = certify(weights, inputs[5:], states[5:], h_0=states[4])
    assert cut.conforms
    assert not certify(weights, inputs[5:], states[5:]).conforms
    assert not certify(weights, inputs, states, nonlinearity="relu").conforms


def test_the_claimed_precision_decides() -> None:
    weights, inputs, states = _trace("float64", T=20)
    rounded = states.astype(np.float32)
    assert certify(weights, inputs, rounded).conforms
    assert not certify(weights, inputs, rounded, dtype="float64").conforms
    assert not certify(weights, inputs, rounded.astype(np.float64)).conforms


def test_a_trace_on_disk_is_judged_in_little_memory(tmp_path: Path) -> None:
    rows, wide = 200_000, 8
    rng = np.random.default_rng(1)
    model = BatchRNN(1, wide, 1, dtype="float32", rng=rng)
    inputs = rng.standard_normal((rows, 1, 1)).astype(np.float32)
    _, by_step = model.forward(inputs)
    np.save(tmp_path / "states.npy", np.stack([by_step[t].T for t in range(rows)]))
    del by_step
    states = np.load(tmp_path / "states.npy", mmap_mode="r")
    tracemalloc.start()
    found = certify(model.weights, inputs, states)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert found.conforms
    # A dozen arrays of ROWS·H float64 at a time, where all at once would be T·H of each.
    assert peak < 24 * ROWS * wide * 8 < rows * wide * 8 * 24 / 10


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"states": [[0.0]]}, TypeError, "states: expected a NumPy array, got list"),
        ({"states": np.zeros((9, B, H), np.float16)}, TypeError, "dtype: .* got float16"),
        ({"states": np.zeros((9, B, H - 1))}, ValueError, r"states: expected shape \(9, 4, 5\)"),
        ({"states": np.zeros(9)}, ValueError, r"states: expected shape .* got \(9,\)"),
        ({"inputs": np.zeros((8, B, I))}, ValueError, r"inputs: expected shape \(9, 4, 3\)"),
        ({"states": np.zeros((0, B, H))}, ValueError, r"states: .* one step .* got \(0, 4, 5\)"),
        ({"states": np.zeros((9, H))}, ValueError, r"inputs: expected shape \(9, 3\), got"),
        ({"inputs": [[[0.0]]]}, TypeError, "inputs: expected a NumPy array, got list"),
        ({"inputs": np.ma.zeros((9, B, I))}, TypeError, "inputs: .* got MaskedArray"),
        ({"inputs": np.zeros((9, B, I), complex)}, TypeError, "inputs: .* real .* complex128"),
        ({"inputs": np.zeros((9, B, I), object)}, TypeError, "inputs: .* got dtype object"),
        ({"h_0": [0.0]}, TypeError, "h_0: expected a NumPy array, got list"),
        ({"weights": [1]}, TypeError, "weights: expected a mapping by name, got list"),
        ({"h_0": np.zeros((B, H + 1))}, ValueError, r"h_0: expected shape \(4, 5\), got \(4, 6\)"),
        ({"nonlinearity": "gelu"}, ValueError, "nonlinearity: expected 'tanh' or 'relu'"),
        ({"dtype": "int8"}, TypeError, "dtype: expected float32 or float64, got int8"),
        ({"weights": {}}, ValueError, "missing W_xh"),
    ],
)
def test_bad_input(change: dict[str, Any], error: type[Exception], message: str) -> None:
    weights, inputs, states = _trace("float64", T=9)
    arguments: dict[str, Any] = {"weights": weights, "inputs": inputs, "states": states, **change}
    with pytest.raises(error, match=message):
        certify(**arguments)
