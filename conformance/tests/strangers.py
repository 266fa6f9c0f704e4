"""Implementations that share no code with the suite's own, some right, some with a bug."""

from collections.abc import Mapping

import numpy as np
from rnn_conformance.contract.call import Array, Call, Options
from rnn_conformance.variants.per_call import Dropping, Mask
from rnn_conformance.variants.recurrence import Recurrence


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


class TanhTwoEpsSmall(Recurrence):
    """Every state is too small by a share of 2 eps."""

    def activation(self, call: Call, a: Array) -> Array:
        return super().activation(call, a) * a.dtype.type(1 - 2 * np.finfo(a.dtype).eps)


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
