"""Wrong cells: biases and weights."""

from collections.abc import Mapping

import numpy as np

from rnn_conformance.layer.call import LayerCall
from rnn_conformance.layer.mutants.registry import layer_mutant
from rnn_conformance.layer.recurrence import LayerRecurrence
from rnn_conformance.protocol import Array

Weights = Mapping[str, Array]
RELU = frozenset({"relu"})


@layer_mutant("cell", caught_by="layer_output", shipped_in="google/flax#5595 (GRU)")
class RecurrentBiasDropped(LayerRecurrence):
    """b_hh is not added."""

    def preactivation(self, w: Weights, x: Array, h: Array) -> Array:
        return super().preactivation({**w, "b_hh": 0 * w["b_hh"]}, x, h)


@layer_mutant("cell", caught_by="layer_output", shipped_in="rasbt/machine-learning-book#106")
class RecurrentBiasForBoth(LayerRecurrence):
    """b_hh is added twice, and b_ih not at all."""

    def preactivation(self, w: Weights, x: Array, h: Array) -> Array:
        return super().preactivation({**w, "b_ih": w["b_hh"]}, x, h)


@layer_mutant(
    "cell", caught_by="layer_output", shipped_in="lisa-lab/DeepLearningTutorials#81 (LSTM)"
)
class InputBiasTwice(LayerRecurrence):
    """b_ih is added to the product with the inputs and again in the step."""

    def preactivation(self, w: Weights, x: Array, h: Array) -> Array:
        return super().preactivation(w, x, h) + w["b_ih"]


@layer_mutant("cell", caught_by="layer_output", shipped_in="apache/tvm#3410 (LSTM)")
class BiasOutsideActivation(LayerRecurrence):
    """The biases are added after the activation."""

    def step(self, call: LayerCall, w: Weights, x: Array, h: Array) -> Array:
        bias = w["b_ih"] + w["b_hh"]
        return super().step(call, {**w, "b_ih": 0 * bias, "b_hh": 0 * bias}, x, h) + bias


@layer_mutant("cell", caught_by="layer_output", needs={"no_bias"})
class BiasOfOnesWhereOff(LayerRecurrence):
    """Without biases, ones are added in the place of b_ih."""

    def cell(self, call: LayerCall, layer: int, d: int) -> Weights:
        w = super().cell(call, layer, d)
        return w if call.options.bias else {**w, "b_ih": w["b_ih"] + 1}


@layer_mutant("cell", caught_by="options_matter")
class BiasAlwaysOff(LayerRecurrence):
    """The biases are never added."""

    def cell(self, call: LayerCall, layer: int, d: int) -> Weights:
        w = super().cell(call, layer, d)
        return {**w, "b_ih": 0 * w["b_ih"], "b_hh": 0 * w["b_hh"]}


@layer_mutant("cell", caught_by="layer_output")
class RecurrentWeightTransposed(LayerRecurrence):
    """W_hh is used transposed."""

    def preactivation(self, w: Weights, x: Array, h: Array) -> Array:
        return super().preactivation({**w, "W_hh": w["W_hh"].T}, x, h)


@layer_mutant("cell", caught_by="layer_output")
class SquareInputWeightTransposed(LayerRecurrence):
    """W_ih is used transposed where its shape allows it."""

    def preactivation(self, w: Weights, x: Array, h: Array) -> Array:
        W = w["W_ih"]
        return super().preactivation({**w, "W_ih": W.T if len(W) == len(W.T) else W}, x, h)


@layer_mutant("cell", caught_by="units_permuted")
class InputWeightReshaped(LayerRecurrence):
    """W_ih, stored column by column, is read row by row."""

    def cell(self, call: LayerCall, layer: int, d: int) -> Weights:
        w = super().cell(call, layer, d)
        return {**w, "W_ih": w["W_ih"].ravel(order="F").reshape(w["W_ih"].shape)}


@layer_mutant("cell", caught_by="units_permuted")
class RecurrentUnitsReversed(LayerRecurrence):
    """The units that W_hh reads from are in reverse order."""

    def preactivation(self, w: Weights, x: Array, h: Array) -> Array:
        return super().preactivation(w, x, h[:, ::-1])


@layer_mutant("cell", caught_by="union_of_two")
class SparseWeightLosesItsLast(LayerRecurrence):
    """A W_hh at least half of zeros is kept sparse, without the last number of each row."""

    def preactivation(self, w: Weights, x: Array, h: Array) -> Array:
        W = w["W_hh"]
        if 2 * np.count_nonzero(W) > W.size:
            return super().preactivation(w, x, h)
        numbers = (W != 0).cumsum(axis=1)
        kept = np.where((W != 0) & (numbers < numbers[:, -1:]), W, 0)
        return super().preactivation({**w, "W_hh": kept}, x, h)


@layer_mutant("cell", caught_by="union_of_two")
class SparseWeightLosesItsLastRow(LayerRecurrence):
    """A W_hh at least half of zeros is kept sparse, without its last row."""

    def preactivation(self, w: Weights, x: Array, h: Array) -> Array:
        W = w["W_hh"].copy()
        if 2 * np.count_nonzero(W) <= W.size:
            W[-1] = 0
        return super().preactivation({**w, "W_hh": W}, x, h)
