"""Wrong cells: weights whose numbers lie elsewhere, or are left out."""

from collections.abc import Mapping

import numpy as np

from rnn_conformance.contract.call import Array, Call
from rnn_conformance.variants.recurrence import Recurrence
from rnn_conformance.variants.wrong.registry import mutant

Weights = Mapping[str, Array]


@mutant("cell", caught_by="units_permuted")
class InputWeightReshaped(Recurrence):
    """W_ih, stored column by column, is read row by row."""

    def cell(self, call: Call, layer: int, d: int) -> Weights:
        w = super().cell(call, layer, d)
        return {**w, "W_ih": w["W_ih"].ravel(order="F").reshape(w["W_ih"].shape)}


@mutant("cell", caught_by="units_permuted")
class RecurrentUnitsReversed(Recurrence):
    """The units that W_hh reads from are in reverse order."""

    def preactivation(self, w: Weights, x: Array, h: Array) -> Array:
        return super().preactivation(w, x, h[:, ::-1])


@mutant("cell", caught_by="output")
class SquareWeightsExchanged(Recurrence):
    """W_ih and W_hh are exchanged where their shapes allow it."""

    def preactivation(self, w: Weights, x: Array, h: Array) -> Array:
        alike = w["W_ih"].shape == w["W_hh"].shape
        exchanged = {**w, "W_ih": w["W_hh"], "W_hh": w["W_ih"]}
        return super().preactivation(exchanged if alike else w, x, h)


@mutant("cell", caught_by="output")
class RecurrentDiagonalOnly(Recurrence):
    """Only the diagonal of W_hh is used, as in an IndRNN."""

    def preactivation(self, w: Weights, x: Array, h: Array) -> Array:
        return super().preactivation({**w, "W_hh": np.diag(np.diag(w["W_hh"]))}, x, h)


@mutant("cell", caught_by="union_of_two")
class SparseWeightLosesItsLast(Recurrence):
    """A W_hh at least half of zeros is kept sparse, without the last number of each row."""

    def preactivation(self, w: Weights, x: Array, h: Array) -> Array:
        W = w["W_hh"]
        if 2 * np.count_nonzero(W) > W.size:
            return super().preactivation(w, x, h)
        numbers = (W != 0).cumsum(axis=1)
        kept = np.where((W != 0) & (numbers < numbers[:, -1:]), W, 0)
        return super().preactivation({**w, "W_hh": kept}, x, h)


@mutant("cell", caught_by="union_of_two")
class SparseWeightLosesItsLastRow(Recurrence):
    """A W_hh at least half of zeros is kept sparse, without its last row."""

    def preactivation(self, w: Weights, x: Array, h: Array) -> Array:
        W = w["W_hh"].copy()
        if 2 * np.count_nonzero(W) <= W.size:
            W[-1] = 0
        return super().preactivation({**w, "W_hh": W}, x, h)
