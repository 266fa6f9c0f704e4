"""Right LSTMs and GRUs: those of `Recurrence`, and what they can compute in another way."""

import numpy as np

from rnn_conformance.contract.call import NONLINEARITIES, Array, Call
from rnn_conformance.variants import healthy
from rnn_conformance.variants.recurrence import Recurrence, Weights, of_cell

OF_ANY_CELL = Recurrence.claims - {*NONLINEARITIES}


class Lstm(Recurrence):
    """Claims an LSTM alone."""

    claims = OF_ANY_CELL | {"lstm"}


class Gru(Recurrence):
    """Claims a GRU alone, which resets after the product."""

    claims = OF_ANY_CELL | {"gru"}


class GruResetBefore(Recurrence):
    """Claims a GRU alone, which resets before the product."""

    claims = OF_ANY_CELL | {"gru_reset_before"}


class SigmoidByTanh(Recurrence):
    """σ(a) is (1 + tanh(a / 2)) / 2, which has no relative accuracy near 0."""

    def gate(self, a: Array) -> Array:
        half = a.dtype.type(0.5)
        result: Array = half * (1 + np.tanh(half * a))
        return result


class TanhBySigmoid(Recurrence):
    """tanh(a) is 2 σ(2a) - 1, which has no relative accuracy near 0."""

    def activation(self, call: Call, a: Array) -> Array:
        return 2 * self.gate(2 * a) - 1


class TowardsTheOldState(Recurrence):
    """h_t of a GRU is n + z (h_{t-1} - n)."""

    def between(self, z: Array, n: Array, h: Array) -> Array:
        return n + z * (h - n)


class ComplementOnItsOwn(Recurrence):
    """1 - z of a GRU is σ(-a), computed on its own."""

    def gru(self, call: Call, w: Weights, x: Array, h: Array) -> Array:
        w_r, w_z, w_n = self.gates(w, 3)
        r, a = self.gate(self.preactivation(w_r, x, h)), self.preactivation(w_z, x, h)
        n = self.activation(call, self.candidate(call, w_n, x, h, r))
        return self.gate(-a) * n + self.gate(a) * h


class ResetDistributed(Recurrence):
    """r of a GRU multiplies each product with a weight of the state before they are added."""

    def candidate(self, call: Call, w: Weights, x: Array, h: Array, r: Array) -> Array:
        if call.options.cell != "gru":
            return super().candidate(call, w, x, h, r)
        a = x @ w["W_ih"].T + w["b_ih"]
        for i in range(h.shape[1]):
            a = a + r * w["W_hh"][:, i] * h[:, i : i + 1]
        return a + r * w["b_hh"]


class OneProductForAllGates(Recurrence):
    """The pre-activations of all gates come from one product with each of x and h."""

    def gates(self, w: Weights, count: int) -> list[Weights]:
        return [{**w, "gate": np.array(k), "count": np.array(count)} for k in range(count)]

    def preactivation(self, w: Weights, x: Array, h: Array) -> Array:
        every = super().preactivation(w, x, h)
        if "gate" not in w:
            return every
        return np.split(every, int(w["count"]), axis=-1)[int(w["gate"])]


class CellAsFloat64(Recurrence):
    """c of an LSTM is computed in float64 within a step, and rounded once."""

    def remembered(self, c: Array, i: Array, f: Array, g: Array) -> Array:
        wide = (part.astype(np.float64) for part in (c, i, f, g))
        return super().remembered(*wide).astype(c.dtype)


_OF_ALL = (
    SigmoidByTanh, TanhBySigmoid, OneProductForAllGates, healthy.FusedProduct, healthy.Columns,
    healthy.SummedBackwards, healthy.CompensatedSums, healthy.WiderInside, healthy.WiderSums,
    healthy.InputProductFirst, healthy.Packed,
)  # fmt: skip
_OF_GRU = (TowardsTheOldState, ComplementOnItsOwn, ResetDistributed)
_ALSO = {"lstm": (CellAsFloat64,), "gru": _OF_GRU, "gru_reset_before": _OF_GRU[:2]}
RIGHT = {
    (right := of_cell(variant, cell)).__name__: right
    for cell, also in _ALSO.items()
    for variant in (*_OF_ALL, *also)
}
