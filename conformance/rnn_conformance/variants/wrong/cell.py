"""Wrong cells: biases and weights that are left out, or lie elsewhere."""

import numpy as np

from rnn_conformance.contract.call import Array, Call
from rnn_conformance.variants.per_call import PerCall
from rnn_conformance.variants.recurrence import Recurrence, Weights
from rnn_conformance.variants.wrong.registry import mutant


@mutant("cell", caught_by="output", shipped_in="google/flax#5595 (GRU)")
class RecurrentBiasDropped(Recurrence):
    """b_hh is not added."""

    def preactivation(self, w: Weights, x: Array, h: Array) -> Array:
        return super().preactivation({**w, "b_hh": 0 * w["b_hh"]}, x, h)


@mutant("cell", caught_by="output")
class InputBiasDropped(Recurrence):
    """b_ih is not added."""

    def preactivation(self, w: Weights, x: Array, h: Array) -> Array:
        return super().preactivation({**w, "b_ih": 0 * w["b_ih"]}, x, h)


@mutant("cell", caught_by="output")
class InputBiasForBoth(Recurrence):
    """b_ih is added twice, and b_hh not at all."""

    def preactivation(self, w: Weights, x: Array, h: Array) -> Array:
        return super().preactivation({**w, "b_hh": w["b_ih"]}, x, h)


@mutant("cell", caught_by="output", shipped_in="rasbt/machine-learning-book#106")
class RecurrentBiasForBoth(Recurrence):
    """b_hh is added twice, and b_ih not at all."""

    def preactivation(self, w: Weights, x: Array, h: Array) -> Array:
        return super().preactivation({**w, "b_ih": w["b_hh"]}, x, h)


@mutant("cell", caught_by="output", shipped_in="lisa-lab/DeepLearningTutorials#81 (LSTM)")
class InputBiasTwice(Recurrence):
    """b_ih is added to the product with the inputs and again in the step."""

    def preactivation(self, w: Weights, x: Array, h: Array) -> Array:
        return super().preactivation(w, x, h) + w["b_ih"]


@mutant("cell", caught_by="output", shipped_in="lisa-lab/DeepLearningTutorials#81 (LSTM)")
class BiasesDoubled(Recurrence):
    """The sum of both biases is added twice."""

    def preactivation(self, w: Weights, x: Array, h: Array) -> Array:
        return super().preactivation(w, x, h) + w["b_ih"] + w["b_hh"]


@mutant("cell", caught_by="output", shipped_in="ml-explore/mlx#3249 (GRU)")
class RecurrentBiasDroppedAtZeroState(Recurrence):
    """The recurrent part, b_hh with it, is skipped while the state is zero."""

    def preactivation(self, w: Weights, x: Array, h: Array) -> Array:
        return super().preactivation(w if h.any() else {**w, "b_hh": 0 * w["b_hh"]}, x, h)


@mutant("cell", caught_by="output", shipped_in="apache/tvm#3410 (LSTM)", of="plain")
class BiasOutsideActivation(Recurrence):
    """The biases are added after the activation."""

    def step(self, call: Call, w: Weights, x: Array, h: Array) -> Array:
        bias = w["b_ih"] + w["b_hh"]
        return super().step(call, {**w, "b_ih": 0 * bias, "b_hh": 0 * bias}, x, h) + bias


@mutant("cell", "no_bias", caught_by="output")
class BiasOfOnesWhereOff(Recurrence):
    """Without biases, ones are added in the place of b_ih."""

    def direction(self, call: Call, w: Weights, x: Array, h: Array) -> Array:
        changed = w if call.options.bias else {**w, "b_ih": w["b_ih"] + 1}
        return super().direction(call, changed, x, h)


@mutant("cell", caught_by="options_matter")
class BiasAlwaysOff(Recurrence):
    """The biases are never added."""

    def cell(self, call: Call, layer: int, d: int) -> Weights:
        w = super().cell(call, layer, d)
        return {**w, "b_ih": 0 * w["b_ih"], "b_hh": 0 * w["b_hh"]}


@mutant("cell", caught_by="output")
class RecurrentBiasAloneDropped(Recurrence):
    """b_hh is dropped where b_ih is all zeros, as if there were no bias then."""

    def cell(self, call: Call, layer: int, d: int) -> Weights:
        w = super().cell(call, layer, d)
        return w if w["b_ih"].any() else {**w, "b_hh": np.zeros_like(w["b_hh"])}


@mutant("cell", caught_by="output")
class InputBiasAloneDropped(Recurrence):
    """b_ih is dropped where b_hh is all zeros."""

    def cell(self, call: Call, layer: int, d: int) -> Weights:
        w = super().cell(call, layer, d)
        return w if w["b_hh"].any() else {**w, "b_ih": np.zeros_like(w["b_ih"])}


@mutant("cell", caught_by="output")
class RecurrentWeightTransposed(Recurrence):
    """W_hh is used transposed."""

    def preactivation(self, w: Weights, x: Array, h: Array) -> Array:
        return super().preactivation({**w, "W_hh": w["W_hh"].T}, x, h)


@mutant("cell", caught_by="output")
class SquareInputWeightTransposed(Recurrence):
    """W_ih is used transposed where its shape allows it."""

    def preactivation(self, w: Weights, x: Array, h: Array) -> Array:
        W = w["W_ih"]
        return super().preactivation({**w, "W_ih": W.T if len(W) == len(W.T) else W}, x, h)


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


@mutant("cell", caught_by="output")
class InputBiasLostBesideOneHot(PerCall):
    """Inputs of which one is 1 and the others are 0 are looked up; b_ih is forgotten there."""

    def preactivation(self, w: Weights, x: Array, h: Array) -> Array:
        one_hot = np.isin(self.call.inputs, (0, 1)).all() and (x.sum(axis=1) == 1).all()
        b_ih = np.zeros_like(w["b_ih"]) if one_hot else w["b_ih"]
        return super().preactivation({**w, "b_ih": b_ih}, x, h)


@mutant("cell", caught_by="output")
class IntegersClipped(Recurrence):
    """Inputs that are all integers are clipped to -1 and 1."""

    def rows(self, call: Call) -> Array:
        x = super().rows(call)
        return np.clip(x, -1, 1) if (x == np.round(x)).all() else x
