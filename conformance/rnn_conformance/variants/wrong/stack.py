"""Wrong stacks: what a layer reads, and what it gives."""

import numpy as np

from rnn_conformance.contract.call import Array, Lengths, Options
from rnn_conformance.variants.per_call import PerCall
from rnn_conformance.variants.recurrence import Recurrence
from rnn_conformance.variants.wrong.registry import mutant

MANY = frozenset({"layers"})


class _KnowsWhatIsBelow(PerCall):
    """Keeps what the last layer read."""

    below: Array

    def without_padding(self, x: Array, steps: Lengths) -> Array:
        self.below = super().without_padding(x, steps)
        return self.below


@mutant(
    "layer",
    caught_by="output",
    shipped_in="jihunchoi/recurrent-batch-normalization-pytorch#6 (LSTM)",
    needs=MANY,
)
class InputsReadByEveryLayer(_KnowsWhatIsBelow):
    """Every layer reads the inputs again, where they are as wide as what the layer below gives."""

    def layer_output(self, x: Array, steps: Lengths, layer: int, o: Options) -> Array:
        right = super().layer_output(x, steps, layer, o)
        last = layer == o.num_layers - 1
        return right if last or self.below.shape != right.shape else self.below


@mutant("layer", caught_by="chain_of_layers", needs=MANY)
class ResidualBetweenLayers(_KnowsWhatIsBelow):
    """A layer above the first adds what it reads to what it gives."""

    def layer_output(self, x: Array, steps: Lengths, layer: int, o: Options) -> Array:
        right = super().layer_output(x, steps, layer, o)
        result = right if layer == 0 else right + self.below
        self.below = result
        return result


@mutant("layer", caught_by="chain_of_layers", needs=MANY)
class MiddleLayersSkipped(_KnowsWhatIsBelow):
    """The last layer reads what the first gives; those between them give only their h_n."""

    def layer_output(self, x: Array, steps: Lengths, layer: int, o: Options) -> Array:
        if not 0 < layer < o.num_layers - 1:
            self.below = super().layer_output(x, steps, layer, o)
        return self.below


@mutant("layer", caught_by="output", needs=MANY)
class OutputOfFirstLayer(_KnowsWhatIsBelow):
    """The output is that of the first layer, while h_n is right."""

    def layer_output(self, x: Array, steps: Lengths, layer: int, o: Options) -> Array:
        right = super().layer_output(x, steps, layer, o)
        if layer == 0:
            self.below = right
        return self.below if layer == o.num_layers - 1 else right


@mutant("layer", caught_by="chain_of_layers", needs=MANY)
class LayersAboveOneStepLate(Recurrence):
    """A layer above the first reads what the one below gave a step earlier."""

    def layer_output(self, x: Array, steps: Lengths, layer: int, o: Options) -> Array:
        right = super().layer_output(x, steps, layer, o)
        late = np.concatenate([np.zeros_like(right[:1]), right[:-1]])
        return right if layer == o.num_layers - 1 else late
