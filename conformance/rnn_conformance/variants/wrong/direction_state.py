"""Wrong directions: the states, weights and inputs that each of two directions gets."""

from collections.abc import Mapping

import numpy as np

from rnn_conformance.contract.call import Array, Call, Lengths, Options
from rnn_conformance.variants.recurrence import Recurrence
from rnn_conformance.variants.wrong.registry import mutant

TWO = frozenset({"bidirectional"})


@mutant(
    "direction",
    caught_by="output",
    shipped_in="microsoft/onnxruntime#1607",
    needs=TWO | {"h_0"},
)
class InitialStatesExchanged(Recurrence):
    """Each direction starts from the h_0 of the other."""

    def start(self, initial: Array, layer: int, d: int, o: Options) -> Array:
        return super().start(initial, layer, o.directions - 1 - d, o)


@mutant(
    "direction",
    caught_by="output",
    shipped_in="PaddlePaddle/Paddle#27644",
    needs=TWO | {"h_0"},
)
class OneInitialStateForBoth(Recurrence):
    """The reverse direction starts from the h_0 of the forward one."""

    def start(self, initial: Array, layer: int, d: int, o: Options) -> Array:
        return super().start(initial, layer, 0, o)


@mutant(
    "direction",
    caught_by="output",
    shipped_in="onnx/onnx-tensorflow#409 (LSTM)",
    needs=TWO | {"h_0"},
)
class InitialStateLostWithTwoDirections(Recurrence):
    """A layer of two directions starts from zeros, whatever h_0 is."""

    def start(self, initial: Array, layer: int, d: int, o: Options) -> Array:
        right = super().start(initial, layer, d, o)
        return np.zeros_like(right) if o.bidirectional else right


@mutant("direction", caught_by="output", shipped_in="PaddlePaddle/PaddleSpeech#802", needs=TWO)
class ForwardWeightsForBoth(Recurrence):
    """The reverse direction uses the weights of the forward one."""

    def weights_of(self, layer: int, d: int) -> str:
        return super().weights_of(layer, 0)


@mutant("direction", caught_by="output", needs=TWO)
class ForwardBiasesForBoth(Recurrence):
    """The reverse direction adds the biases of the forward one."""

    def cell(self, call: Call, layer: int, d: int) -> Mapping[str, Array]:
        own, forward = super().cell(call, layer, d), super().cell(call, layer, 0)
        return {**own, "b_ih": forward["b_ih"], "b_hh": forward["b_hh"]}


@mutant("direction", caught_by="final_state", shipped_in="tflearn/tflearn#522", needs=TWO | {"h_n"})
class FinalStateOfForwardTwice(Recurrence):
    """h_n of the reverse direction is that of the forward one."""

    def stacked(self, h_n: list[Array], o: Options) -> Array:
        return super().stacked([h_n[i - i % o.directions] for i in range(len(h_n))], o)


@mutant(
    "direction",
    caught_by="final_state",
    shipped_in="yunjey/pytorch-tutorial#174",
    needs=TWO | {"h_n"},
)
class FinalStateOfReverseAtItsStart(Recurrence):
    """h_n of the reverse direction is its state at the last step of the sequence."""

    def last(self, states: Array, h_0: Array, steps: Lengths, d: int) -> Array:
        return states[0] if d else super().last(states, h_0, steps, d)


@mutant(
    "direction",
    caught_by="chain_of_layers",
    shipped_in="tensorlayer/TensorLayer#294",
    needs=TWO | {"layers"},
)
class DirectionsNeverMixed(Recurrence):
    """A direction of a layer above the first reads only its own direction below."""

    def cell(self, call: Call, layer: int, d: int) -> Mapping[str, Array]:
        w, H = super().cell(call, layer, d), call.options.hidden_size
        if layer == 0 or not call.options.bidirectional:
            return w
        own = np.zeros_like(w["W_ih"])
        own[:, d * H : (d + 1) * H] = w["W_ih"][:, d * H : (d + 1) * H]
        return {**w, "W_ih": own}
