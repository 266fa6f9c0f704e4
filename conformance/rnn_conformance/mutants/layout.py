"""Wrong shapes and sizes: axes confused, parts of the result not computed."""

from collections.abc import Iterable

import numpy as np

from rnn_conformance.mutants.registry import mutant
from rnn_conformance.protocol import Answer, Array, Call
from rnn_conformance.recurrence import Recurrence, Weights


@mutant("layout", caught_by="batch_first_equals_time_first")
class BatchFirstReshaped(Recurrence):
    """(B, T, I) is brought to (T, B, I) by a reshape, which mixes sequences with time."""

    def rows(self, call: Call) -> Array:
        rows = super().rows(call)
        return call.inputs.reshape(rows.shape) if call.layout == "batch_first" else rows


@mutant("layout", caught_by="hidden_states", shipped_in="openvinotoolkit/openvino#37820")
class SquareBatchFirstIgnored(Recurrence):
    """batch_first is ignored where T equals batch_size, so that no shape gives it away."""

    def rows(self, call: Call) -> Array:
        rows = super().rows(call)
        return call.inputs if rows.shape[0] == rows.shape[1] else rows


@mutant("layout", caught_by="single_equals_column")
class SingleTakenForBatch(Recurrence):
    """An input (T, input_size) is taken for a batch of T sequences of one step."""

    def step(self, w: Weights, x: Array, h: Array) -> Array:
        return super().step(w, x, self.h_0 if self.single else h)

    def initial(self, call: Call, batch_size: int) -> Array:
        self.single = call.layout == "single"
        self.h_0 = super().initial(call, batch_size)
        return self.h_0


@mutant("layout", caught_by="shape_and_dtype", shipped_in="salesforce/pytorch-qrnn#11")
class Squeezed(Recurrence):
    """Every axis of length 1 is dropped from the results."""

    def laid_out(self, call: Call, array: Array) -> Array:
        return super().laid_out(call, array).squeeze()


@mutant("layout", caught_by="hidden_states", shipped_in="sherjilozair/ctc#1")
class OutputsOfBatchFirstNotTurnedBack(Recurrence):
    """The results of a batch_first call are given as (B, T, n) by a reshape of (T, B, n)."""

    def laid_out(self, call: Call, array: Array) -> Array:
        right = super().laid_out(call, array)
        return array.reshape(right.shape)


@mutant("sizes", caught_by="hidden_states")
class UnrolledLoopLeavesARest(Recurrence):
    """The loop is unrolled by four, and steps beyond the last multiple of four are zero."""

    def answer(self, call: Call, states: list[Array], outputs: list[Array]) -> Answer:
        whole = len(states) - len(states) % 4
        states = [h if t < whole else np.zeros_like(h) for t, h in enumerate(states)]
        return super().answer(call, states, outputs)


@mutant("sizes", caught_by="hidden_states")
class VectorLoopLeavesARest(Recurrence):
    """Units beyond the last multiple of eight get no recurrent part, where H is above eight."""

    def weights(self, weights: Weights) -> Weights:
        weights = super().weights(weights)
        W_hh = weights["W_hh"].copy()
        whole = len(W_hh) - len(W_hh) % 8
        W_hh[whole or len(W_hh) :] = 0
        return {**weights, "W_hh": W_hh}


@mutant("sizes", caught_by="hidden_states", shipped_in="pytorch/pytorch#177834 (LSTM)")
class RowsBeyond512(Recurrence):
    """Sequences beyond the 512th keep their initial state."""

    def step(self, w: Weights, x: Array, h: Array) -> Array:
        new = super().step(w, x, h)
        new[512:] = h[512:]
        return new


@mutant("sizes", caught_by="hidden_states")
class RowNumberIn16Bits(Recurrence):
    """The number of a row of B·T is kept in 16 bits, so that later ones read the first again."""

    def laid_out(self, call: Call, array: Array) -> Array:
        rows = array.reshape(-1, array.shape[-1])
        return super().laid_out(call, rows[np.arange(len(rows)) % 65536].reshape(array.shape))


@mutant("sizes", caught_by="hidden_states")
class InputTailOverwritesBlock(Recurrence):
    """Input features beyond the last whole block of sixteen replace the sum instead of adding."""

    def preactivation(self, w: Weights, x: Array, h: Array) -> Array:
        tail = x.shape[1] - x.shape[1] % 16
        if 0 < tail < x.shape[1]:
            w, x = {**w, "W_xh": w["W_xh"][:, tail:]}, x[:, tail:]
        return super().preactivation(w, x, h)


@mutant("sizes", caught_by="hidden_states")
class InputsBeyond128(Recurrence):
    """Input features beyond the 128th are not read."""

    def preactivation(self, w: Weights, x: Array, h: Array) -> Array:
        return super().preactivation({**w, "W_xh": w["W_xh"][:, :128]}, x[:, :128], h)


@mutant("sizes", caught_by="hidden_states")
class RecurrentUnitsBeyond128(Recurrence):
    """Hidden units beyond the 128th feed nothing back."""

    def weights(self, weights: Weights) -> Weights:
        weights = super().weights(weights)
        W_hh = weights["W_hh"].copy()
        W_hh[:, 128:] = 0
        return {**weights, "W_hh": W_hh}


@mutant("sizes", caught_by="outputs")
class ReadoutTailDropped(Recurrence):
    """Outputs beyond the last whole block of sixteen are zero."""

    def readout(self, w: Weights, h: Array) -> Array:
        y = super().readout(w, h)
        whole = y.shape[1] - y.shape[1] % 16
        y[:, whole or y.shape[1] :] = 0
        return y


@mutant("sizes", caught_by="hidden_states")
class StateResetAfter1024Steps(Recurrence):
    """Sequences are read in pieces of 1024 steps, each of which starts from zeros."""

    def steps(self, inputs: Array) -> Iterable[int]:
        self.t = -1
        return super().steps(inputs)

    def step(self, w: Weights, x: Array, h: Array) -> Array:
        self.t += 1
        return super().step(w, x, h * (self.t % 1024 != 0 or self.t == 0))


@mutant("sizes", caught_by="hidden_states")
class LargeStateNotCleared(Recurrence):
    """An omitted h_0 of more than a thousand numbers is memory that nobody cleared."""

    def initial(self, call: Call, batch_size: int) -> Array:
        h_0 = super().initial(call, batch_size)
        return np.full_like(h_0, 0.3) if call.h_0 is None and h_0.size > 1000 else h_0
