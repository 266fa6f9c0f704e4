"""Wrong axes of the states and of single sequences: exchanged, kept or dropped."""

from collections.abc import Mapping

import numpy as np

from rnn_conformance.checks.subject import given
from rnn_conformance.contract.call import Answer, Array, Call, Options
from rnn_conformance.variants.recurrence import Recurrence
from rnn_conformance.variants.wrong.registry import mutant

BATCH_FIRST = frozenset({"batch_first"})
SINGLE = frozenset({"single"})


@mutant("layout", caught_by="shape_and_dtype", needs=BATCH_FIRST | {"h_n"})
class FinalStateBatchFirst(Recurrence):
    """h_n of a batch_first call is (B, L·D, H)."""

    def answer(self, call: Call, output: Array, h_n: Array) -> Answer:
        right = super().answer(call, output, h_n)
        turned = call.layout == "batch_first"
        return Answer(right.output, h_n.swapaxes(0, 1)) if turned else right


@mutant(
    "layout",
    caught_by="final_state",
    shipped_in="openvinotoolkit/openvino_contrib#703 (LSTM)",
    needs={"layers", "h_n"},
)
class SquareFinalStateTurned(Recurrence):
    """h_n is given by rows first, where L·D equals B."""

    def stacked(self, h_n: list[Array], o: Options) -> Array:
        right = super().stacked(h_n, o)
        return right.swapaxes(0, 1) if right.shape[0] == right.shape[1] else right


@mutant("layout", caught_by="final_state", needs={"layers", "h_n"})
class FinalStateReshaped(Recurrence):
    """h_n, gathered as (B, L·D, H), is brought to (L·D, B, H) by a reshape."""

    def stacked(self, h_n: list[Array], o: Options) -> Array:
        right = super().stacked(h_n, o)
        return np.stack(h_n, axis=1).reshape(right.shape)


@mutant(
    "layout",
    caught_by="output",
    shipped_in="Stable-Baselines-Team/stable-baselines3-contrib#111 (LSTM)",
    needs={"h_0", "layers"},
)
class InitialStateReshaped(Recurrence):
    """h_0, kept by rows as (B, L·D, H), is brought to (L·D, B, H) by a reshape."""

    def initial(self, call: Call, x: Array) -> Array:
        right = super().initial(call, x)
        return right.swapaxes(0, 1).reshape(right.shape)


@mutant("layout", caught_by="output", needs=BATCH_FIRST | {"h_0"} | {"layers"})
class SquareInitialStateBatchFirst(Recurrence):
    """h_0 of a batch_first call is read as (B, L·D, H), where L·D equals B."""

    def initial(self, call: Call, x: Array) -> Array:
        right = super().initial(call, x)
        turned = right.swapaxes(0, 1)
        return turned if call.layout == "batch_first" and turned.shape == right.shape else right


@mutant("layout", caught_by="output", needs=SINGLE)
class SingleTakenForBatch(Recurrence):
    """An input (T, I) is taken for T rows of one step."""

    def direction(self, call: Call, w: Mapping[str, Array], x: Array, h: Array) -> Array:
        if call.layout != "single":
            return super().direction(call, w, x, h)
        return np.stack([self.in_format(call, self.step(call, w, one, h)) for one in x])


@mutant("layout", caught_by="shape_and_dtype", needs=SINGLE)
class SingleKeepsAnAxis(Recurrence):
    """The results of one sequence keep an axis for a batch of one."""

    def answer(self, call: Call, output: Array, h_n: Array) -> Answer:
        return Answer(output, h_n) if call.layout == "single" else super().answer(call, output, h_n)


@mutant("layout", caught_by="shape_and_dtype", shipped_in="salesforce/pytorch-qrnn#11")
class Squeezed(Recurrence):
    """Every axis of length 1 is dropped from the results."""

    def laid_out(self, call: Call, steps: Array) -> Array:
        return super().laid_out(call, steps).squeeze()

    def answer(self, call: Call, output: Array, h_n: Array) -> Answer:
        right = super().answer(call, output, h_n)
        return Answer(right.output, given(right, "h_n").squeeze())


@mutant(
    "layout",
    caught_by="shape_and_dtype",
    shipped_in="facebookresearch/minimax#2 (GRU)",
    needs={"h_n"},
)
class FirstAxisOfOneStateDropped(Recurrence):
    """h_n of one layer and direction has no axis for them."""

    def answer(self, call: Call, output: Array, h_n: Array) -> Answer:
        right = super().answer(call, output, h_n)
        of_right = given(right, "h_n")
        return Answer(right.output, of_right[0] if len(h_n) == 1 else of_right)
