"""Wrong stacks: what a layer reads and gives, its weights and its states."""

from functools import partial

import numpy as np

from rnn_conformance.contract.call import Array, Call, Lengths, Options
from rnn_conformance.variants.per_call import PerCall
from rnn_conformance.variants.recurrence import Recurrence, Weights
from rnn_conformance.variants.wrong.registry import mutant

many_layers = partial(mutant, "layer", "layers")


class _KnowsWhatIsBelow(PerCall):
    """Keeps what the last layer read."""

    def without_padding(self, x: Array, steps: Lengths) -> Array:
        self.below = super().without_padding(x, steps)
        return self.below


@many_layers(
    caught_by="output", shipped_in="jihunchoi/recurrent-batch-normalization-pytorch#6 (LSTM)"
)
class InputsReadByEveryLayer(_KnowsWhatIsBelow):
    """Every layer reads the inputs again, where they are as wide as what the layer below gives."""

    def layer_output(self, x: Array, steps: Lengths, layer: int, o: Options) -> Array:
        right = super().layer_output(x, steps, layer, o)
        last = layer == o.num_layers - 1
        return right if last or self.below.shape != right.shape else self.below


@many_layers(caught_by="chain_of_layers")
class ResidualBetweenLayers(_KnowsWhatIsBelow):
    """A layer above the first adds what it reads to what it gives."""

    def layer_output(self, x: Array, steps: Lengths, layer: int, o: Options) -> Array:
        right = super().layer_output(x, steps, layer, o)
        result = right if layer == 0 else right + self.below
        self.below = result
        return result


@many_layers(caught_by="chain_of_layers")
class MiddleLayersSkipped(_KnowsWhatIsBelow):
    """The last layer reads what the first gives; those between them give only their h_n."""

    def layer_output(self, x: Array, steps: Lengths, layer: int, o: Options) -> Array:
        if not 0 < layer < o.num_layers - 1:
            self.below = super().layer_output(x, steps, layer, o)
        return self.below


@many_layers(caught_by="output")
class OutputOfFirstLayer(_KnowsWhatIsBelow):
    """The output is that of the first layer, while h_n is right."""

    def layer_output(self, x: Array, steps: Lengths, layer: int, o: Options) -> Array:
        right = super().layer_output(x, steps, layer, o)
        if layer == 0:
            self.below = right
        return self.below if layer == o.num_layers - 1 else right


@many_layers(caught_by="chain_of_layers")
class LayersAboveOneStepLate(Recurrence):
    """A layer above the first reads what the one below gave a step earlier."""

    def layer_output(self, x: Array, steps: Lengths, layer: int, o: Options) -> Array:
        right = super().layer_output(x, steps, layer, o)
        late = np.concatenate([np.zeros_like(right[:1]), right[:-1]])
        return right if layer == o.num_layers - 1 else late


@many_layers(caught_by="chain_of_layers")
class SecondLayerWeightsAbove(Recurrence):
    """Every layer above the second uses the weights of the second."""

    def weights_of(self, layer: int, d: int) -> str:
        return super().weights_of(min(layer, 1), d)


@many_layers(caught_by="chain_of_layers")
class FirstLayerBiasesForAll(Recurrence):
    """Every layer adds the biases of the first."""

    def cell(self, call: Call, layer: int, d: int) -> Weights:
        own, first = super().cell(call, layer, d), super().cell(call, 0, d)
        return {**own, "b_ih": first["b_ih"], "b_hh": first["b_hh"]}


@many_layers("h_0", caught_by="chain_of_layers")
class InitialStateOfFirstLayerForAll(Recurrence):
    """Every layer starts from the h_0 of the first."""

    def start(self, initial: Array, layer: int, d: int, o: Options) -> Array:
        return super().start(initial, 0, d, o)


@many_layers(caught_by="output", shipped_in="pclucas14/GansFallingShort#2")
class OneStateForAllLayers(PerCall):
    """There is one state: a layer goes on from the final state of the one below."""

    def last(self, states: Array, h_0: Array, steps: Lengths, d: int) -> Array:
        self.reached = super().last(states, h_0, steps, d)
        return self.reached

    def start(self, initial: Array, layer: int, d: int, o: Options) -> Array:
        return super().start(initial, layer, d, o) if layer == 0 else self.reached


@many_layers("bidirectional", "h_0", caught_by="output")
class InitialStatesByDirection(Recurrence):
    """h_0 is read as all layers of the forward direction, then all of the reverse one."""

    def start(self, initial: Array, layer: int, d: int, o: Options) -> Array:
        h_0: Array = initial[d * o.num_layers + layer]
        return h_0


@many_layers("bidirectional", "h_n", caught_by="final_state")
class FinalStatesByDirection(Recurrence):
    """h_n holds all layers of the forward direction, then all of the reverse one."""

    def stacked(self, h_n: list[Array], o: Options) -> Array:
        by_direction = [h for d in range(o.directions) for h in h_n[d :: o.directions]]
        return super().stacked(by_direction, o)


@many_layers("h_n", caught_by="final_state")
class FinalStatesFromTheTop(Recurrence):
    """h_n holds the last layer first."""

    def stacked(self, h_n: list[Array], o: Options) -> Array:
        layers = super().stacked(h_n, o).reshape(o.num_layers, o.directions, *h_n[0].shape)
        return np.concatenate(layers[::-1])


@many_layers("h_n", caught_by="final_state")
class FinalStateOfLastLayerForAll(Recurrence):
    """h_n repeats the last layer's final state for every layer."""

    def stacked(self, h_n: list[Array], o: Options) -> Array:
        return super().stacked(h_n[-o.directions :] * o.num_layers, o)


@many_layers(caught_by="output", shipped_in="apache/mxnet#17479")
class OffsetsComputedWithInputSize(Recurrence):
    """In the block of all weights, each layer is taken to be as large as if it read I features."""

    def cell(self, call: Call, layer: int, d: int) -> Weights:
        o = call.options
        start = (layer * o.directions + d) * _size(o, o.input_size)
        return {**super().cell(call, layer, d), "W_ih": _at(call, layer, start)}


@many_layers("bidirectional", caught_by="output")
class OffsetsWithoutDirections(Recurrence):
    """In the block of all weights, layers above the first are taken to read H numbers, not D·H."""

    def cell(self, call: Call, layer: int, d: int) -> Weights:
        w, o = super().cell(call, layer, d), call.options
        if layer == 0:
            return w
        above = ((layer - 1) * o.directions + d) * _size(o, o.hidden_size)
        return {**w, "W_ih": _at(call, layer, o.directions * _size(o, o.input_size) + above)}


@mutant("layer", caught_by="chain_of_layers")
class SquareWeightOfOneLayerTransposed(Recurrence):
    """A layer without others uses W_ih transposed where its shape allows it."""

    def cell(self, call: Call, layer: int, d: int) -> Weights:
        w, o = super().cell(call, layer, d), call.options
        square = o.num_layers == 1 and o.input_size == o.hidden_size
        return {**w, "W_ih": w["W_ih"].T} if square else w


def _size(o: Options, width: int) -> int:
    """How many numbers the weights of one layer and direction are, for so many inputs."""
    H = o.hidden_size
    return H * width + H * H + (2 * H if o.bias else 0)


def _at(call: Call, layer: int, start: int) -> Array:
    """The W_ih of a layer, read from a place in the block of all weights."""
    o = call.options
    block = np.concatenate([call.weights[name].ravel() for name in o.weight_shapes()])
    shape = o.weight_shapes()[f"weight_ih_l{layer}"]
    at = start + np.arange(shape[0] * shape[1])
    return np.take(block, at, mode="wrap").reshape(shape)
