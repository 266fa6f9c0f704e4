"""Wrong layouts: the axes of inputs and output, where no size gives it away."""

import numpy as np

from rnn_conformance.contract.call import Answer, Array, Call, Lengths, Options
from rnn_conformance.variants.per_call import PerCall
from rnn_conformance.variants.recurrence import Recurrence
from rnn_conformance.variants.wrong.registry import mutant

BATCH_FIRST = frozenset({"batch_first"})
SINGLE = frozenset({"single"})


@mutant("layout", caught_by="output", needs=BATCH_FIRST)
class InputsReshaped(Recurrence):
    """(B, T, I) is brought to (T, B, I) by a reshape, which mixes rows with time."""

    def rows(self, call: Call) -> Array:
        right = super().rows(call)
        return call.inputs.reshape(right.shape) if call.layout == "batch_first" else right


@mutant(
    "layout",
    caught_by="output",
    shipped_in="openvinotoolkit/openvino#37820",
    needs=BATCH_FIRST,
)
class SquareBatchFirstIgnored(Recurrence):
    """batch_first is ignored where T equals B, so that no shape gives it away."""

    def rows(self, call: Call) -> Array:
        right = super().rows(call)
        return call.inputs if right.shape == call.inputs.shape else right

    def answer(self, call: Call, output: Array, h_n: Array) -> Answer:
        right = super().answer(call, output, h_n)
        same = call.layout == "batch_first" and right.output.shape == output.shape
        return Answer(output, h_n) if same else right


@mutant("layout", caught_by="output", needs=BATCH_FIRST)
class SquareInputsNotTurned(Recurrence):
    """Inputs of a batch_first call are read time first where T equals B; its output is right."""

    def rows(self, call: Call) -> Array:
        right = super().rows(call)
        return call.inputs if right.shape == call.inputs.shape else right


@mutant(
    "layout",
    caught_by="output",
    shipped_in="pytorch/pytorch#80306 (LSTM)",
    needs=BATCH_FIRST,
)
class OutputNotTurnedBack(Recurrence):
    """The output of a batch_first call stays time first, where T equals B."""

    def answer(self, call: Call, output: Array, h_n: Array) -> Answer:
        right = super().answer(call, output, h_n)
        return Answer(output, h_n) if right.output.shape == output.shape else right


@mutant("layout", caught_by="output", shipped_in="sherjilozair/ctc#1", needs=BATCH_FIRST)
class OutputReshaped(Recurrence):
    """The results of a batch_first call are brought to (B, T, n) by a reshape of (T, B, n)."""

    def laid_out(self, call: Call, steps: Array) -> Array:
        return steps.reshape(super().laid_out(call, steps).shape)


@mutant(
    "layout",
    caught_by="output",
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
    caught_by="output",
    shipped_in="keitakurita/Better_LSTM_PyTorch#6 (LSTM)",
    needs={"time_first"},
)
class OmittedStateAsManyRowsAsSteps(Recurrence):
    """An omitted h_0 has as many rows as the first axis of the inputs, which may be steps."""

    def initial(self, call: Call, x: Array) -> Array:
        right = super().initial(call, x)
        shape = (len(right), len(call.inputs), right.shape[2])
        return np.zeros(shape, x.dtype) if call.h_0 is None else right
