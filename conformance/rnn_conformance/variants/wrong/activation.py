"""Wrong activations: another one than was asked for, or one that is not exact."""

from collections.abc import Mapping

import numpy as np

from rnn_conformance.contract.call import Array, Call, Lengths
from rnn_conformance.variants.recurrence import Recurrence
from rnn_conformance.variants.wrong.registry import mutant

Weights = Mapping[str, Array]
RELU = frozenset({"relu"})


@mutant("activation", caught_by="output", shipped_in="microsoft/onnxruntime#4034", needs=RELU)
class AlwaysTanh(Recurrence):
    """tanh is used where relu was asked for."""

    def activation(self, call: Call, a: Array) -> Array:
        return np.tanh(a)


@mutant("activation", caught_by="output", shipped_in="apache/mxnet#10257", needs={"tanh"})
class AlwaysRelu(Recurrence):
    """relu is used where tanh was asked for."""

    def activation(self, call: Call, a: Array) -> Array:
        return np.maximum(a, 0)


@mutant(
    "activation",
    caught_by="output",
    shipped_in="onnx/tensorflow-onnx#2211 (LSTM)",
    needs=RELU | {"bidirectional"},
)
class ReluLostWithTwoDirections(Recurrence):
    """A layer of two directions uses tanh where relu was asked for."""

    def activation(self, call: Call, a: Array) -> Array:
        return np.tanh(a) if call.options.bidirectional else super().activation(call, a)


@mutant("activation", caught_by="output", needs=RELU | {"layers"})
class ReluInFirstLayerOnly(Recurrence):
    """Layers above the first use tanh where relu was asked for."""

    def cell(self, call: Call, layer: int, d: int) -> Weights:
        return {**super().cell(call, layer, d), "layer": np.array(layer)}

    def step(self, call: Call, w: Weights, x: Array, h: Array) -> Array:
        return np.tanh(self.preactivation(w, x, h)) if w["layer"] else super().step(call, w, x, h)


@mutant("activation", caught_by="output", needs=RELU)
class LeakyRelu(Recurrence):
    """relu lets a hundredth of a negative argument through."""

    def activation(self, call: Call, a: Array) -> Array:
        leaky = np.maximum(a, 0.01 * a)
        return leaky if call.options.nonlinearity == "relu" else super().activation(call, a)


@mutant("activation", caught_by="output", shipped_in="tensorflow/swift-apis#97")
class NoActivation(Recurrence):
    """The pre-activation is the state."""

    def activation(self, call: Call, a: Array) -> Array:
        return a


@mutant("activation", caught_by="large_preactivations", needs=RELU)
class ReluClipped(Recurrence):
    """relu ends at 100."""

    def activation(self, call: Call, a: Array) -> Array:
        right = super().activation(call, a)
        return np.minimum(right, 100) if call.options.nonlinearity == "relu" else right


@mutant("activation", caught_by="nan_is_propagated", needs=RELU)
class ReluOfNaNIsZero(Recurrence):
    """relu keeps what is above 0, and gives 0 for everything else, NaN too."""

    def activation(self, call: Call, a: Array) -> Array:
        kept = np.where(a > 0, a, 0).astype(a.dtype)
        return kept if call.options.nonlinearity == "relu" else super().activation(call, a)


@mutant("activation", caught_by="nan_is_propagated")
class NaNReadAsZero(Recurrence):
    """A NaN in the inputs is taken for padding, and read as 0."""

    def without_padding(self, x: Array, steps: Lengths) -> Array:
        right = super().without_padding(x, steps)
        return np.where(np.isnan(right), 0, right).astype(x.dtype)


@mutant("activation", caught_by="nan_is_propagated")
class NaNTakenForZero(Recurrence):
    """A pre-activation that is NaN counts as zero."""

    def activation(self, call: Call, a: Array) -> Array:
        return super().activation(call, np.where(np.isnan(a), 0, a).astype(a.dtype))


@mutant("activation", caught_by="nan_is_propagated")
class RowsAddedWithWeightZero(Recurrence):
    """Each row adds all the others times 0, so that a NaN in one reaches them all."""

    def step(self, call: Call, w: Weights, x: Array, h: Array) -> Array:
        new = super().step(call, w, x, h)
        mixed: Array = new + 0 * new.sum(axis=0)
        return mixed
