"""Wrong layouts: axes of inputs, output and states that are exchanged, kept or dropped."""

from functools import partial

import numpy as np

from rnn_conformance.checks.subject import given
from rnn_conformance.contract.call import Answer, Array, Call, Lengths, Options
from rnn_conformance.variants.per_call import PerCall
from rnn_conformance.variants.recurrence import Recurrence, Weights
from rnn_conformance.variants.wrong.registry import mutant

of_layout = partial(mutant, "layout")


@of_layout("batch_first", "h_n", caught_by="shape_and_dtype")
class FinalStateBatchFirst(Recurrence):
    """h_n of a batch_first call is (B, L·D, H)."""

    def answer(self, call: Call, output: Array, h_n: Array) -> Answer:
        right = super().answer(call, output, h_n)
        turned = call.layout == "batch_first"
        return Answer(right.output, h_n.swapaxes(0, 1)) if turned else right


@of_layout(
    "layers",
    "h_n",
    caught_by="final_state",
    shipped_in="openvinotoolkit/openvino_contrib#703 (LSTM)",
)
class SquareFinalStateTurned(Recurrence):
    """h_n is given by rows first, where L·D equals B."""

    def stacked(self, h_n: list[Array], o: Options) -> Array:
        right = super().stacked(h_n, o)
        return right.swapaxes(0, 1) if right.shape[0] == right.shape[1] else right


@of_layout("layers", "h_n", caught_by="final_state")
class FinalStateReshaped(Recurrence):
    """h_n, gathered as (B, L·D, H), is brought to (L·D, B, H) by a reshape."""

    def stacked(self, h_n: list[Array], o: Options) -> Array:
        right = super().stacked(h_n, o)
        return np.stack(h_n, axis=1).reshape(right.shape)


@of_layout(
    "h_0",
    "layers",
    caught_by="output",
    shipped_in="Stable-Baselines-Team/stable-baselines3-contrib#111 (LSTM)",
)
class InitialStateReshaped(Recurrence):
    """h_0, kept by rows as (B, L·D, H), is brought to (L·D, B, H) by a reshape."""

    def initial(self, call: Call, x: Array) -> Array:
        right = super().initial(call, x)
        return right.swapaxes(0, 1).reshape(right.shape)


@of_layout("batch_first", "h_0", "layers", caught_by="output")
class SquareInitialStateBatchFirst(Recurrence):
    """h_0 of a batch_first call is read as (B, L·D, H), where L·D equals B."""

    def initial(self, call: Call, x: Array) -> Array:
        right = super().initial(call, x)
        turned = right.swapaxes(0, 1)
        return turned if call.layout == "batch_first" and turned.shape == right.shape else right


@of_layout("single", caught_by="output")
class SingleTakenForBatch(Recurrence):
    """An input (T, I) is taken for T rows of one step."""

    def direction(self, call: Call, w: Weights, x: Array, h: Array) -> Array:
        if call.layout != "single":
            return super().direction(call, w, x, h)
        return np.stack([self.in_format(call, self.step(call, w, one, h)) for one in x])


@of_layout("single", caught_by="shape_and_dtype")
class SingleKeepsAnAxis(Recurrence):
    """The results of one sequence keep an axis for a batch of one."""

    def answer(self, call: Call, output: Array, h_n: Array) -> Answer:
        return Answer(output, h_n) if call.layout == "single" else super().answer(call, output, h_n)


@of_layout(caught_by="shape_and_dtype", shipped_in="salesforce/pytorch-qrnn#11")
class Squeezed(Recurrence):
    """Every axis of length 1 is dropped from the results."""

    def laid_out(self, call: Call, steps: Array) -> Array:
        return super().laid_out(call, steps).squeeze()

    def answer(self, call: Call, output: Array, h_n: Array) -> Answer:
        right = super().answer(call, output, h_n)
        return Answer(right.output, given(right, "h_n").squeeze())


@of_layout("h_n", caught_by="shape_and_dtype", shipped_in="facebookresearch/minimax#2 (GRU)")
class FirstAxisOfOneStateDropped(Recurrence):
    """h_n of one layer and direction has no axis for them."""

    def answer(self, call: Call, output: Array, h_n: Array) -> Answer:
        right = super().answer(call, output, h_n)
        of_right = given(right, "h_n")
        return Answer(right.output, of_right[0] if len(h_n) == 1 else of_right)


@of_layout("batch_first", caught_by="output")
class InputsReshaped(Recurrence):
    """(B, T, I) is brought to (T, B, I) by a reshape, which mixes rows with time."""

    def rows(self, call: Call) -> Array:
        right = super().rows(call)
        return call.inputs.reshape(right.shape) if call.layout == "batch_first" else right


@of_layout("batch_first", caught_by="output")
class SquareInputsNotTurned(Recurrence):
    """Inputs of a batch_first call are read time first where T equals B; its output is right."""

    def rows(self, call: Call) -> Array:
        right = super().rows(call)
        return call.inputs if right.shape == call.inputs.shape else right


@of_layout("batch_first", caught_by="output", shipped_in="pytorch/pytorch#80306 (LSTM)")
class OutputNotTurnedBack(Recurrence):
    """The output of a batch_first call stays time first, where T equals B."""

    def answer(self, call: Call, output: Array, h_n: Array) -> Answer:
        right = super().answer(call, output, h_n)
        return Answer(output, h_n) if right.output.shape == output.shape else right


@of_layout("batch_first", caught_by="output", shipped_in="openvinotoolkit/openvino#37820")
class SquareBatchFirstIgnored(SquareInputsNotTurned, OutputNotTurnedBack):
    """batch_first is ignored where T equals B, so that no shape gives it away."""


@of_layout("batch_first", caught_by="output", shipped_in="sherjilozair/ctc#1")
class OutputReshaped(Recurrence):
    """The results of a batch_first call are brought to (B, T, n) by a reshape of (T, B, n)."""

    def laid_out(self, call: Call, steps: Array) -> Array:
        return steps.reshape(super().laid_out(call, steps).shape)


@of_layout("batch_first", "layers", caught_by="output", shipped_in="exe1023/LSTM_LN#1 (LSTM)")
class TurnedBackBetweenLayers(PerCall):
    """Layers of a batch_first call hand on (B, T, n) for (T, B, n), where T equals B."""

    def layer_output(self, x: Array, steps: Lengths, layer: int, o: Options) -> Array:
        right = super().layer_output(x, steps, layer, o)
        turned = right.swapaxes(0, 1)
        inner = self.call.layout == "batch_first" and layer < o.num_layers - 1
        return turned if inner and turned.shape == right.shape else right


@of_layout("time_first", caught_by="output", shipped_in="keitakurita/Better_LSTM_PyTorch#6 (LSTM)")
class OmittedStateAsManyRowsAsSteps(Recurrence):
    """An omitted h_0 has as many rows as the first axis of the inputs, which may be steps."""

    def initial(self, call: Call, x: Array) -> Array:
        right = super().initial(call, x)
        shape = (len(right), len(call.inputs), right.shape[2])
        return np.zeros(shape, x.dtype) if call.h_0 is None else right


@of_layout("single", "time_first", caught_by="single_equals_column")
class SingleSequenceWithoutState(Recurrence):
    """An input of rank 2 is taken for a batch of T sequences of one step."""

    def step(self, call: Call, w: Weights, x: Array, h: Array) -> Array:
        return super().step(call, w, x, h if call.layout != "single" else np.zeros_like(h))


@of_layout("batch_first", "time_first", caught_by="batch_first_equals_time_first")
class BatchFirstByReshape(InputsReshaped):
    """(B, T, I) is brought to (T, B, I) by a reshape, which mixes sequences with time."""
