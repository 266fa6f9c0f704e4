"""Chunks of time at once: certified always, the loop's states where it contracts, else the loop."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rnn_conformance import certify, run_in_chunks
from rnn_conformance.certificate import Float64, Precision, trajectory_bound
from rnn_conformance.chunks import BLOCK, FEWEST_STEPS, SHORTEST, Cell, all_states, cut_time
from rnn_conformance.parallel_in_time import ChunkedRun
from rnn_conformance.protocol import Array

Weights = dict[str, Array]


def drawn(
    T: int, B: int, I: int, H: int, *, radius: float, dtype: str = "float32", seed: int = 0
) -> tuple[Weights, Array]:
    """Weights whose W_hh has this spectral radius, and inputs (T, B, I)."""
    rng = np.random.default_rng(seed)
    W_hh = rng.standard_normal((H, H))
    weights = {
        "W_xh": rng.standard_normal((H, I)) / np.sqrt(I),
        "b_xh": rng.standard_normal((H, 1)) / 10,
        "W_hh": W_hh * radius / np.abs(np.linalg.eigvals(W_hh)).max(),
        "b_hh": rng.standard_normal((H, 1)) / 10,
    }
    inputs = rng.standard_normal((T, B, I)).astype(dtype)
    return {name: weight.astype(dtype) for name, weight in weights.items()}, inputs


def far_from_loop(
    weights: Weights, inputs: Array, h_0: Array | None, found: ChunkedRun, nonlinearity: str
) -> Array:
    """Each difference from the float64 loop as a share of the bound on whole trajectories."""
    start = np.zeros(found.h_n.shape, inputs.dtype) if h_0 is None else h_0
    wide = {name: weight.astype(np.float64) for name, weight in weights.items()}
    states = Cell.of(wide, nonlinearity).loop(inputs.astype(np.float64), start.astype(np.float64))
    exact: Float64 = states[1:].astype(np.float64)
    precision = Precision.of(inputs.dtype)
    bound = trajectory_bound(weights, inputs, start, exact, precision, nonlinearity=nonlinearity)
    share: Array = np.abs(found.states - exact) / bound
    return share


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("nonlinearity", ["tanh", "relu"])
@pytest.mark.parametrize("B", [1, 3])
@pytest.mark.parametrize("given_h_0", [False, True])
def test_contractive_weights_give_the_loop_s_states_in_few_steps(
    dtype: str, nonlinearity: str, B: int, given_h_0: bool
) -> None:
    T, H = 1200, 8
    weights, inputs = drawn(T, B, 4, H, radius=0.4, dtype=dtype)
    h_0 = np.full((B, H), 0.5, dtype) if given_h_0 else None
    found = run_in_chunks(weights, inputs, h_0=h_0, nonlinearity=nonlinearity)
    assert found.certificate.conforms
    assert not found.fell_back
    assert found.chunks > 1
    assert T / found.chunks + found.extra_steps < T / 4
    assert found.states.shape == (T, B, H)
    assert found.states.dtype == dtype
    assert np.array_equal(found.h_n, found.states[-1])
    assert certify(weights, inputs, found.states, h_0=h_0, nonlinearity=nonlinearity).conforms
    assert far_from_loop(weights, inputs, h_0, found, nonlinearity).max() <= 1


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_chaotic_weights_fall_back_soon_and_are_certified(dtype: str) -> None:
    weights, inputs = drawn(1000, 1, 4, 64, radius=3.0, dtype=dtype)
    found = run_in_chunks(weights, inputs)
    assert found.fell_back
    assert found.chunks > 1
    assert found.extra_steps <= 2 * BLOCK
    assert certify(weights, inputs, found.states).conforms


def test_inputs_that_turn_chaotic_late_fall_back_too() -> None:
    """Strong inputs saturate all that the first look sees; where there are none, it is chaotic."""
    weights, inputs = drawn(2000, 1, 4, 32, radius=4.0)
    inputs[:1700] *= 100
    inputs[1700:] = 0
    found = run_in_chunks(weights, inputs)
    assert found.fell_back
    assert found.extra_steps > 0
    assert certify(weights, inputs, found.states).conforms


def test_two_attractors_fall_back_where_the_guess_is_drawn_to_the_other() -> None:
    weights = {
        "W_xh": np.ones((1, 1)),
        "b_xh": np.full((1, 1), -0.01),
        "W_hh": np.full((1, 1), 2.0),
        "b_hh": np.zeros((1, 1)),
    }
    inputs, h_0 = np.zeros((1000, 1, 1)), np.ones((1, 1))
    found = run_in_chunks(weights, inputs, h_0=h_0)
    assert found.fell_back
    assert found.states.min() > 0.9
    assert certify(weights, inputs, found.states, h_0=h_0).conforms


def test_a_seam_left_open_is_rejected_by_the_certificate(monkeypatch: pytest.MonkeyPatch) -> None:
    weights, inputs = drawn(1000, 1, 4, 8, radius=0.9)
    monkeypatch.setattr(Cell, "closed", lambda self, h, there: np.ones(len(h), bool))
    cell = Cell.of(weights, "tanh")
    broken = all_states(cell, inputs, np.zeros((1, 8), np.float32))
    assert not broken.fell_back
    verdict = certify(weights, inputs, broken.states)
    assert not verdict.conforms
    assert verdict.first_outside is not None
    # The first seam is between the first chunk and the second.
    assert verdict.first_outside.step == cut_time(1000, 1, 8, "float32").steps

    found = run_in_chunks(weights, inputs)
    assert found.fell_back
    assert found.certificate.conforms
    assert np.array_equal(found.states, cell.loop(inputs, np.zeros((1, 8), np.float32))[1:])


@pytest.mark.parametrize("u", [1, 20])
def test_a_seam_is_closed_within_half_of_what_rounding_may_do(u: int) -> None:
    weights, _ = drawn(1, 1, 4, 8, radius=0.9)
    cell = Cell.of(weights, "tanh")
    h = np.random.default_rng(1).uniform(0.1, 1, (3, 2, 8)).astype(np.float32)
    there = h.copy()
    there[1] *= 1 + u * np.float32(2.0**-23)
    # gamma_15 / 2 = 7.5 units of roundoff, 3.75 units in the last place of 1.
    assert cell.closed(h, there).tolist() == [True, u == 1, True]


@pytest.mark.parametrize("T", [1, 2, SHORTEST - 1])
def test_short_sequences_are_left_to_the_loop(T: int) -> None:
    weights, inputs = drawn(T, 1, 3, 4, radius=0.5)
    found = run_in_chunks(weights, inputs)
    assert (found.chunks, found.extra_steps, found.fell_back) == (1, 0, False)
    assert found.states.shape == (T, 1, 4)
    assert found.certificate.conforms


def test_a_wide_batch_is_left_to_the_loop() -> None:
    assert cut_time(1000, 64, 128, "float32").chunks == 1


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("H", [1, 4, 32, 128, 512, 2048])
@pytest.mark.parametrize("B", [1, 3, 20])
@pytest.mark.parametrize("T", [1, 600, 1000, 100_003])
def test_time_is_cut_without_an_empty_chunk(T: int, B: int, H: int, dtype: str) -> None:
    cut = cut_time(T, B, H, dtype)
    assert (cut.chunks - 1) * cut.steps < T <= cut.chunks * cut.steps
    assert cut.chunks == 1 or cut.steps >= FEWEST_STEPS


def test_relu_that_overflows_is_never_returned() -> None:
    weights, inputs = drawn(1000, 1, 4, 8, radius=3.0)
    weights["W_hh"] = np.abs(weights["W_hh"])
    with pytest.raises(ArithmeticError, match="states: the loop's too are outside their bounds"):
        run_in_chunks(weights, inputs, nonlinearity="relu")


def test_a_gap_is_predicted_to_close_at_the_rate_it_shrank() -> None:
    weights, _ = drawn(1, 1, 4, 8, radius=0.9)
    cell = Cell.of(weights, "tanh")
    assert cell.steps_left(1.0, cell.allowed, 8) == 0
    assert cell.steps_left(1.0, cell.allowed**0.25, 8) == pytest.approx(24)
    for before, now in ((0.5, 0.5), (0.4, 0.5), (0.0, 0.5), (1.0, np.nan), (np.inf, 0.5)):
        assert cell.steps_left(before, now, 8) == np.inf


@settings(max_examples=40, deadline=None)
@given(
    T=st.integers(1, 1500),
    B=st.integers(1, 4),
    I=st.integers(1, 5),
    H=st.integers(1, 9),
    radius=st.sampled_from((0.0, 0.3, 0.9, 1.5, 4.0)),
    dtype=st.sampled_from(("float32", "float64")),
    seed=st.integers(0, 2**32 - 1),
)
def test_whatever_the_size_the_result_is_certified(
    T: int, B: int, I: int, H: int, radius: float, dtype: str, seed: int
) -> None:
    weights, inputs = drawn(T, B, I, H, radius=radius, dtype=dtype, seed=seed)
    before = {name: weight.copy() for name, weight in weights.items()}, inputs.copy()
    h_0 = np.random.default_rng(seed).uniform(-1, 1, (B, H)).astype(dtype)
    found = run_in_chunks(weights, inputs, h_0=h_0)
    assert found.certificate == certify(weights, inputs, found.states, h_0=h_0)
    assert found.certificate.conforms
    assert not found.fell_back or radius > 0.3
    assert np.array_equal(inputs, before[1])
    assert all(np.array_equal(weights[name], before[0][name]) for name in weights)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"inputs": np.zeros((0, 2, 3))}, ValueError, r"inputs: .* got shape \(0, 2, 3\)"),
        ({"inputs": np.zeros((5, 0, 3))}, ValueError, r"inputs: .* got shape \(5, 0, 3\)"),
        ({"inputs": np.zeros((5, 3))}, ValueError, r"inputs: .* got shape \(5, 3\)"),
        ({"inputs": np.zeros((5, 2, 4))}, ValueError, r"inputs: expected shape \(5, 2, 3\)"),
        ({"inputs": np.zeros((5, 2, 3), "f")}, TypeError, "inputs: expected dtype float64"),
        ({"inputs": np.full((5, 2, 3), np.nan)}, ValueError, "inputs: expected finite numbers"),
        ({"inputs": [[[0.0]]]}, TypeError, "inputs: expected an array .* got list"),
        ({"h_0": np.zeros((4, 2))}, ValueError, r"h_0: expected shape \(2, 4\), got \(4, 2\)"),
        ({"h_0": np.zeros((2, 4), "f")}, TypeError, "h_0: expected dtype float64"),
        ({"nonlinearity": "gelu"}, ValueError, "nonlinearity: expected 'tanh' or 'relu'"),
        ({"nonlinearity": None}, TypeError, "nonlinearity: expected 'tanh' or 'relu'"),
        ({"weights": {}}, ValueError, "weights: missing W_xh, b_xh, W_hh, b_hh"),
        ({"weights": None}, TypeError, "weights: expected a mapping by name, got NoneType"),
    ],
)
def test_bad_input(change: dict[str, Any], error: type[Exception], message: str) -> None:
    weights, inputs = drawn(5, 2, 3, 4, radius=0.5, dtype="float64")
    arguments: dict[str, Any] = {"weights": weights, "inputs": inputs, **change}
    with pytest.raises(error, match=message):
        run_in_chunks(**arguments)


@pytest.mark.parametrize("name", ["W_hh", "b_hh"])
def test_weights_that_do_not_fit_are_refused(name: str) -> None:
    weights, inputs = drawn(5, 2, 3, 4, radius=0.5)
    weights[name] = weights[name][:-1]
    with pytest.raises(ValueError, match=f"{name}: expected shape"):
        run_in_chunks(weights, inputs)


def test_a_readout_may_be_there() -> None:
    weights, inputs = drawn(5, 2, 3, 4, radius=0.5)
    weights |= {"W_ho": np.zeros((2, 4), np.float32), "b_ho": np.zeros((2, 1), np.float32)}
    assert run_in_chunks(weights, inputs).states.shape == (5, 2, 4)
