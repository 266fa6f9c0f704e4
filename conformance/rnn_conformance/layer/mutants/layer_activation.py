"""Wrong activations: another one than was asked for, or one that is not exact."""

from collections.abc import Mapping

import numpy as np

from rnn_conformance.layer.call import LayerCall
from rnn_conformance.layer.mutants.registry import layer_mutant
from rnn_conformance.layer.recurrence import LayerRecurrence
from rnn_conformance.protocol import Array

Weights = Mapping[str, Array]
RELU = frozenset({"relu"})


@layer_mutant(
    "activation", caught_by="layer_output", shipped_in="microsoft/onnxruntime#4034", needs=RELU
)
class AlwaysTanh(LayerRecurrence):
    """tanh is used where relu was asked for."""

    def activation(self, call: LayerCall, a: Array) -> Array:
        return np.tanh(a)


@layer_mutant(
    "activation", caught_by="layer_output", shipped_in="apache/mxnet#10257", needs={"tanh"}
)
class AlwaysRelu(LayerRecurrence):
    """relu is used where tanh was asked for."""

    def activation(self, call: LayerCall, a: Array) -> Array:
        return np.maximum(a, 0)


@layer_mutant(
    "activation",
    caught_by="layer_output",
    shipped_in="onnx/tensorflow-onnx#2211 (LSTM)",
    needs=RELU | {"bidirectional"},
)
class ReluLostWithTwoDirections(LayerRecurrence):
    """A layer of two directions uses tanh where relu was asked for."""

    def activation(self, call: LayerCall, a: Array) -> Array:
        return np.tanh(a) if call.options.bidirectional else super().activation(call, a)


@layer_mutant("activation", caught_by="layer_output", needs=RELU | {"layers"})
class ReluInFirstLayerOnly(LayerRecurrence):
    """Layers above the first use tanh where relu was asked for."""

    def cell(self, call: LayerCall, layer: int, d: int) -> Weights:
        return {**super().cell(call, layer, d), "layer": np.array(layer)}

    def step(self, call: LayerCall, w: Weights, x: Array, h: Array) -> Array:
        return np.tanh(self.preactivation(w, x, h)) if w["layer"] else super().step(call, w, x, h)


@layer_mutant("activation", caught_by="layer_output", needs=RELU)
class LeakyRelu(LayerRecurrence):
    """relu lets a hundredth of a negative argument through."""

    def activation(self, call: LayerCall, a: Array) -> Array:
        leaky = np.maximum(a, 0.01 * a)
        return leaky if call.options.nonlinearity == "relu" else super().activation(call, a)


@layer_mutant("activation", caught_by="layer_output", shipped_in="tensorflow/swift-apis#97")
class NoActivation(LayerRecurrence):
    """The pre-activation is the state."""

    def activation(self, call: LayerCall, a: Array) -> Array:
        return a


@layer_mutant("activation", caught_by="negated", needs={"tanh"})
class LogisticForTanh(LayerRecurrence):
    """The logistic function is used where tanh was asked for."""

    def activation(self, call: LayerCall, a: Array) -> Array:
        logistic: Array = (np.tanh(a / 2) + 1) / 2
        return logistic if call.options.nonlinearity == "tanh" else super().activation(call, a)


@layer_mutant(
    "activation", caught_by="layer_output", shipped_in="tensorflow/tensorflow#23054", needs={"tanh"}
)
class RationalTanh(LayerRecurrence):
    """tanh is replaced by the Padé approximant a (27 + a^2) / (27 + 9 a^2), clipped."""

    def activation(self, call: LayerCall, a: Array) -> Array:
        if call.options.nonlinearity != "tanh":
            return super().activation(call, a)
        a = np.clip(a, -3, 3)
        result: Array = a * (27 + a * a) / (27 + 9 * a * a)
        return result
