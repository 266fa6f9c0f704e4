"""Implementations that share no code with the suite's own, some right, some with a bug."""

from collections.abc import Mapping

import numpy as np
from rnn_conformance.contract.call import Array, Call, Options
from rnn_conformance.variants.per_call import Dropping, Mask
from rnn_conformance.variants.recurrence import Recurrence
from rnn_conformance.variants.wrong.cell import RecurrentBiasDropped
from rnn_conformance.variants.wrong.state import InitialStateIgnored


def drops_b_hh(weights: Mapping[str, Array], inputs: Array, h_0: Array | None) -> dict[str, Array]:
    """All products in one sum, taken from its end; and without b_hh."""
    W = np.concatenate([weights["W_xh"], weights["W_hh"]], axis=1)[:, ::-1]
    h = np.zeros((inputs.shape[1], len(W)), inputs.dtype) if h_0 is None else h_0
    states = []
    for x in inputs:
        both = np.concatenate([x, h], axis=1)[:, ::-1]
        h = np.tanh(np.einsum("bi,hi->bh", both, W) + weights["b_xh"][:, 0])
        states.append(h)
    hidden_states = np.array(states)
    outputs = hidden_states @ weights["W_ho"].T + weights["b_ho"][:, 0]
    return {"hidden_states": hidden_states, "h_n": states[-1], "outputs": outputs}


class HalfOfRecurrentBias(Recurrence):
    """A bug that nobody has listed: b_hh counts half."""

    def preactivation(self, w: Mapping[str, Array], x: Array, h: Array) -> Array:
        half: Array = super().preactivation(w, x, h) - w["b_hh"] / 2
        return half


class LastUnitOfLaterRowsShrunk(Recurrence):
    """A bug that nobody has listed: the last unit is a tenth smaller from row 2 on."""

    def activation(self, call: Call, a: Array) -> Array:
        h = super().activation(call, a).copy()
        h[2:, -1] *= h.dtype.type(0.9)
        return h


def one_unit_negated_once(
    weights: Mapping[str, Array], inputs: Array, h_0: Array | None
) -> dict[str, Array]:
    """Right but for one unit at step 20, in runs so long that rounding decides where they lead."""
    h = np.zeros((inputs.shape[1], len(weights["W_hh"])), inputs.dtype) if h_0 is None else h_0
    states = []
    for t, x in enumerate(inputs):
        a = x @ weights["W_xh"].T + weights["b_xh"].T + h @ weights["W_hh"].T + weights["b_hh"].T
        h = np.tanh(a)
        if t == 20 and len(inputs) > 1024:
            h[:, 5] *= -1
        states.append(h)
    outputs = np.array(states) @ weights["W_ho"].T + weights["b_ho"][:, 0]
    return {"hidden_states": np.array(states), "h_n": h, "outputs": outputs}


class TanhTwoEpsSmall(Recurrence):
    """Every state is too small by a share of 2 eps."""

    def activation(self, call: Call, a: Array) -> Array:
        return super().activation(call, a) * a.dtype.type(1 - 2 * np.finfo(a.dtype).eps)


class TransposedWithoutInputBias(Recurrence):
    """b_ih is not added, and W_hh is transposed: two bugs that replace the same piece."""

    def preactivation(self, w: Mapping[str, Array], x: Array, h: Array) -> Array:
        a: Array = h @ w["W_hh"] + x @ w["W_ih"].T + w["b_hh"]
        return a


class DropsAndExchanges(Dropping):
    """Drops out in training, and holds the reverse direction's numbers first."""

    def joined(self, halves: list[Array]) -> Array:
        return np.concatenate([halves[1], halves[0]], axis=2) if len(halves) > 1 else halves[0]


class OneMaskForAllSteps(Dropping):
    """Draws one mask for all steps, with chance of its own."""

    def __init__(self) -> None:
        self.rng = np.random.default_rng(20261122)

    def zeroed(self, x: Array, o: Options) -> Mask:
        mask = self.rng.random(x.shape[1:]) < o.dropout
        return np.broadcast_to(mask, x.shape)


class TwoBugs(RecurrentBiasDropped, InitialStateIgnored):
    """b_hh is not added, and h_0 is not looked at."""

    name = "TwoBugs"
