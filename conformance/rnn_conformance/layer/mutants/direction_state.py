"""Wrong directions: the states, weights and inputs that each of two directions gets."""

from collections.abc import Mapping

import numpy as np

from rnn_conformance.layer.call import LayerCall, Lengths, Options
from rnn_conformance.layer.mutants.registry import mutant
from rnn_conformance.layer.recurrence import LayerRecurrence
from rnn_conformance.protocol import Array

TWO = frozenset({"bidirectional"})


@mutant(
    "direction",
    caught_by="layer_output",
    shipped_in="microsoft/onnxruntime#1607",
    needs=TWO | {"h_0"},
)
class InitialStatesExchanged(LayerRecurrence):
    """Each direction starts from the h_0 of the other."""

    def start(self, initial: Array, layer: int, d: int, o: Options) -> Array:
        return super().start(initial, layer, o.directions - 1 - d, o)


@mutant(
    "direction",
    caught_by="layer_output",
    shipped_in="PaddlePaddle/Paddle#27644",
    needs=TWO | {"h_0"},
)
class OneInitialStateForBoth(LayerRecurrence):
    """The reverse direction starts from the h_0 of the forward one."""

    def start(self, initial: Array, layer: int, d: int, o: Options) -> Array:
        return super().start(initial, layer, 0, o)


@mutant(
    "direction",
    caught_by="layer_output",
    shipped_in="onnx/onnx-tensorflow#409 (LSTM)",
    needs=TWO | {"h_0"},
)
class InitialStateLostWithTwoDirections(LayerRecurrence):
    """A layer of two directions starts from zeros, whatever h_0 is."""

    def start(self, initial: Array, layer: int, d: int, o: Options) -> Array:
        right = super().start(initial, layer, d, o)
        return np.zeros_like(right) if o.bidirectional else right


@mutant(
    "direction", caught_by="layer_output", shipped_in="PaddlePaddle/PaddleSpeech#802", needs=TWO
)
class ForwardWeightsForBoth(LayerRecurrence):
    """The reverse direction uses the weights of the forward one."""

    def weights_of(self, layer: int, d: int) -> str:
        return super().weights_of(layer, 0)


@mutant("direction", caught_by="layer_output", needs=TWO)
class ForwardBiasesForBoth(LayerRecurrence):
    """The reverse direction adds the biases of the forward one."""

    def cell(self, call: LayerCall, layer: int, d: int) -> Mapping[str, Array]:
        own, forward = super().cell(call, layer, d), super().cell(call, layer, 0)
        return {**own, "b_ih": forward["b_ih"], "b_hh": forward["b_hh"]}


@mutant("direction", caught_by="layer_h_n", shipped_in="tflearn/tflearn#522", needs=TWO)
class FinalStateOfForwardTwice(LayerRecurrence):
    """h_n of the reverse direction is that of the forward one."""

    def stacked(self, h_n: list[Array], o: Options) -> Array:
        return super().stacked([h_n[i - i % o.directions] for i in range(len(h_n))], o)


@mutant("direction", caught_by="layer_h_n", shipped_in="yunjey/pytorch-tutorial#174", needs=TWO)
class FinalStateOfReverseAtItsStart(LayerRecurrence):
    """h_n of the reverse direction is its state at the last step of the sequence."""

    def last(self, states: Array, h_0: Array, steps: Lengths, d: int) -> Array:
        return states[0] if d else super().last(states, h_0, steps, d)


@mutant(
    "direction",
    caught_by="chain_of_layers",
    shipped_in="tensorlayer/TensorLayer#294",
    needs=TWO | {"layers"},
)
class DirectionsNeverMixed(LayerRecurrence):
    """A direction of a layer above the first reads only its own direction below."""

    def cell(self, call: LayerCall, layer: int, d: int) -> Mapping[str, Array]:
        w, H = super().cell(call, layer, d), call.options.hidden_size
        if layer == 0 or not call.options.bidirectional:
            return w
        own = np.zeros_like(w["W_ih"])
        own[:, d * H : (d + 1) * H] = w["W_ih"][:, d * H : (d + 1) * H]
        return {**w, "W_ih": own}
