"""What an LSTM or a GRU does otherwise in some steps is named with its place, and nothing else is.

No known bug does either of these, and only in these places.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest
from rnn_conformance import as_implementation, claims, plan
from rnn_conformance.cells.gated import trials
from rnn_conformance.contract.call import Array
from rnn_conformance.explain.stepwise import findings

CLAIMED = ("time_first", "float32", "float64", "h_0", "h_n")
SMALL, EVERY = 500, 7  # states of a case; one case of so many
Weights = Mapping[str, Array]
Said = tuple[list[tuple[str, str, str]], tuple[str, ...]]


def sigmoid(a: Array) -> Array:
    return np.asarray(0.5 * (1 + np.tanh(0.5 * a)))


def coupled(f: Array, i: Array) -> Array:
    """i of the last unit is 1 - f."""
    i[:, -1] = 1 - f[:, -1]
    return i


def read_shifted(h: Array, t: int) -> Array:
    """z multiplies the state of the row before, from step 3 on."""
    return np.roll(h, 1, axis=0) if t >= 3 else h


def lstm(of_i: Callable[[Array, Array], Array] = lambda _, i: i) -> Callable[..., Any]:
    @claims(*CLAIMED, "lstm")
    def function(w: Weights, inputs: Array, h_0: Any) -> dict[str, Array]:
        H = w["W_hh"].shape[1]
        h, c = h_0 or 2 * (np.zeros((inputs.shape[1], H), inputs.dtype),)
        states = []
        for x in inputs:
            a = x @ w["W_ih"].T + w["b_ih"] + h @ w["W_hh"].T + w["b_hh"]
            i, f, g, o = np.split(a, 4, axis=1)
            i, f, o = sigmoid(i), sigmoid(f), sigmoid(o)
            c = f * c + of_i(f, i) * np.tanh(g)
            h = o * np.tanh(c)
            states.append(h)
        return {"hidden_states": np.stack(states), "h_n": h, "c_n": c}

    return function


def gru(of_z: Callable[[Array, int], Array] = lambda h, _: h) -> Callable[..., Any]:
    @claims(*CLAIMED, "gru")
    def function(w: Weights, inputs: Array, h: Any) -> dict[str, Array]:
        if h is None:
            h = np.zeros((inputs.shape[1], w["W_hh"].shape[1]), inputs.dtype)
        states = []
        for t, x in enumerate(inputs):
            of_x = np.split(x @ w["W_ih"].T + w["b_ih"], 3, axis=1)
            of_h = np.split(h @ w["W_hh"].T + w["b_hh"], 3, axis=1)
            r, z = (sigmoid(one + other) for one, other in zip(of_x[:2], of_h[:2], strict=True))
            h = (1 - z) * np.tanh(of_x[2] + r * of_h[2]) + z * of_z(h, t)
            states.append(h)
        return {"hidden_states": np.stack(states), "h_n": h}

    return function


def said(function: Callable[..., Any]) -> Said:
    """What is found where, and what is left, of some small cases."""
    implementation = as_implementation(function)
    items = plan(implementation, checks=["output"])
    small = [i.case for i in items if i.case.T * i.case.B * i.case.H <= SMALL]
    cases = [*dict.fromkeys(small)][::EVERY]
    found, left = findings(implementation, items[0].subject.claimed, cases, frozenset(cases))
    assert all(one.contradicts == 0 for one in found)
    return [(one.result, one.what, one.where) for one in found], left


@pytest.mark.parametrize("right", [lstm(), gru()], ids=["lstm", "gru"])
def test_nothing_is_found_in_what_is_right(right: Callable[..., Any]) -> None:
    assert said(right) == ([], ())


def test_what_an_lstm_does_otherwise_is_named_with_its_place() -> None:
    found, left = said(lstm(coupled))
    assert found == [("states", "i is 1 - f", "last unit")]
    assert left == ()


def test_what_a_gru_does_otherwise_is_named_with_its_place() -> None:
    what = "the h_{t-1} of z h_{t-1} is taken from the row before"
    found, left = said(gru(read_shifted))
    assert found == [("states", what, "step ≥ 3")]
    assert left == ()


def test_what_takes_long_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trials, "MOST_EFFORT", -1)
    found, (left,) = said(gru(read_shifted))
    assert found == []
    assert left.endswith("; not every two edits were tried together, which takes long")
