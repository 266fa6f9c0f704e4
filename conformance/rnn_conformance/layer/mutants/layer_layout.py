"""Wrong layouts: the axes of inputs and output, where no size gives it away."""

import numpy as np

from rnn_conformance.layer.call import LayerAnswer, LayerCall, Lengths, Options
from rnn_conformance.layer.mutants.registry import mutant
from rnn_conformance.layer.per_call import PerCall
from rnn_conformance.layer.recurrence import LayerRecurrence
from rnn_conformance.protocol import Array

BATCH_FIRST = frozenset({"batch_first"})
SINGLE = frozenset({"single"})


@mutant("layout", caught_by="layer_output", needs=BATCH_FIRST)
class InputsReshaped(LayerRecurrence):
    """(B, T, I) is brought to (T, B, I) by a reshape, which mixes rows with time."""

    def rows(self, call: LayerCall) -> Array:
        right = super().rows(call)
        return call.inputs.reshape(right.shape) if call.layout == "batch_first" else right


@mutant(
    "layout",
    caught_by="layer_output",
    shipped_in="openvinotoolkit/openvino#37820",
    needs=BATCH_FIRST,
)
class SquareBatchFirstIgnored(LayerRecurrence):
    """batch_first is ignored where T equals B, so that no shape gives it away."""

    def rows(self, call: LayerCall) -> Array:
        right = super().rows(call)
        return call.inputs if right.shape == call.inputs.shape else right

    def answer(self, call: LayerCall, output: Array, h_n: Array) -> LayerAnswer:
        right = super().answer(call, output, h_n)
        same = call.layout == "batch_first" and right.output.shape == output.shape
        return LayerAnswer(output, h_n) if same else right


@mutant("layout", caught_by="layer_output", needs=BATCH_FIRST)
class SquareInputsNotTurned(LayerRecurrence):
    """Inputs of a batch_first call are read time first where T equals B; its output is right."""

    def rows(self, call: LayerCall) -> Array:
        right = super().rows(call)
        return call.inputs if right.shape == call.inputs.shape else right


@mutant(
    "layout",
    caught_by="layer_output",
    shipped_in="pytorch/pytorch#80306 (LSTM)",
    needs=BATCH_FIRST,
)
class OutputNotTurnedBack(LayerRecurrence):
    """The output of a batch_first call stays time first, where T equals B."""

    def answer(self, call: LayerCall, output: Array, h_n: Array) -> LayerAnswer:
        right = super().answer(call, output, h_n)
        return LayerAnswer(output, h_n) if right.output.shape == output.shape else right


@mutant("layout", caught_by="layer_output", shipped_in="sherjilozair/ctc#1", needs=BATCH_FIRST)
class OutputReshaped(LayerRecurrence):
    """The results of a batch_first call are brought to (B, T, n) by a reshape of (T, B, n)."""

    def laid_out(self, call: LayerCall, steps: Array) -> Array:
        return steps.reshape(super().laid_out(call, steps).shape)


@mutant(
    "layout",
    caught_by="layer_output",
    shipped_in="exe1023/LSTM_LN#1 (LSTM)",
    needs=BATCH_FIRST | {"layers"},
)
class TurnedBackBetweenLayers(PerCall):
    """Layers of a batch_first call hand on (B, T, n) for (T, B, n), where T equals B."""

    def layer_output(self, x: Array, steps: Lengths, layer: int, o: Options) -> Array:
        right = super().layer_output(x, steps, layer, o)
        turned = right.swapaxes(0, 1)
        inner = self.call.layout == "batch_first" and layer < o.num_layers - 1
        return turned if inner and turned.shape == right.shape else right


@mutant(
    "layout",
    caught_by="layer_output",
    shipped_in="keitakurita/Better_LSTM_PyTorch#6 (LSTM)",
)
class OmittedStateAsManyRowsAsSteps(LayerRecurrence):
    """An omitted h_0 has as many rows as the first axis of the inputs, which may be steps."""

    def initial(self, call: LayerCall, x: Array) -> Array:
        right = super().initial(call, x)
        shape = (len(right), len(call.inputs), right.shape[2])
        return np.zeros(shape, x.dtype) if call.h_0 is None else right
