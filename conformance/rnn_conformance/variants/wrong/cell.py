"""Wrong cells: biases and weights."""

from collections.abc import Mapping

import numpy as np

from rnn_conformance.contract.call import Array, Call
from rnn_conformance.variants.recurrence import Recurrence
from rnn_conformance.variants.wrong.registry import mutant

Weights = Mapping[str, Array]
RELU = frozenset({"relu"})


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


@mutant("cell", caught_by="output", shipped_in="apache/tvm#3410 (LSTM)")
class BiasOutsideActivation(Recurrence):
    """The biases are added after the activation."""

    def step(self, call: Call, w: Weights, x: Array, h: Array) -> Array:
        bias = w["b_ih"] + w["b_hh"]
        return super().step(call, {**w, "b_ih": 0 * bias, "b_hh": 0 * bias}, x, h) + bias


@mutant("cell", caught_by="output", needs={"no_bias"})
class BiasOfOnesWhereOff(Recurrence):
    """Without biases, ones are added in the place of b_ih."""

    def cell(self, call: Call, layer: int, d: int) -> Weights:
        w = super().cell(call, layer, d)
        return w if call.options.bias else {**w, "b_ih": w["b_ih"] + 1}


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
