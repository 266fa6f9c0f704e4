"""Wrong from one call to the next: memory and state that outlive a call."""

import numpy as np

from rnn_conformance.mutants.registry import mutant
from rnn_conformance.protocol import Answer, Array, Call
from rnn_conformance.recurrence import Recurrence, Weights


@mutant("aliasing", caught_by="earlier_results_kept")
class ResultsOverwrittenByNextCall(Recurrence):
    """The states are returned in a buffer that the next call of the same size writes to."""

    def __init__(self) -> None:
        self.buffers: dict[tuple[tuple[int, ...], str], Array] = {}

    def laid_out(self, call: Call, array: Array) -> Array:
        array = super().laid_out(call, array)
        buffer = self.buffers.setdefault((array.shape, str(array.dtype)), np.empty_like(array))
        buffer[...] = array
        return buffer


@mutant("aliasing", caught_by="inputs_unchanged")
class InputsScaledInPlace(Recurrence):
    """The inputs are scaled in the caller's memory, after the copy that is computed with."""

    def rows(self, call: Call) -> Array:
        rows = super().rows(call).copy()
        np.multiply(call.inputs, 0.5, out=call.inputs)
        return rows


@mutant("aliasing", caught_by="inputs_unchanged")
class BiasesMergedInPlace(Recurrence):
    """b_hh is added into the caller's b_xh, and then set to zero."""

    def weights(self, weights: Weights) -> Weights:
        weights["b_xh"][...] += weights["b_hh"]
        weights["b_hh"][...] = 0
        return weights


@mutant("state", caught_by="calls_are_independent")
class StateOfLastCall(Recurrence):
    """An omitted h_0 goes on from the final state of the last call of the same batch size."""

    h_n: Array | None = None

    def initial(self, call: Call, batch_size: int) -> Array:
        h_0 = super().initial(call, batch_size)
        last = self.h_n
        if call.h_0 is not None or last is None or last.shape[1] != h_0.shape[1]:
            return h_0
        return np.resize(last, h_0.shape).astype(h_0.dtype)

    def answer(self, call: Call, states: list[Array], outputs: list[Array]) -> Answer:
        self.h_n = states[-1]
        return super().answer(call, states, outputs)


@mutant("state", caught_by="calls_are_independent")
class WeightsOfFirstCall(Recurrence):
    """The weights of the first call are kept for every later one of the same sizes."""

    def __init__(self) -> None:
        self.kept: dict[tuple[tuple[tuple[int, ...], str], ...], Weights] = {}

    def weights(self, weights: Weights) -> Weights:
        sizes = tuple((value.shape, str(value.dtype)) for value in weights.values())
        return self.kept.setdefault(sizes, weights)


@mutant("determinism", caught_by="calls_are_independent")
class DropoutLeftOn(Recurrence):
    """One state in a thousand is set to zero at random, as if dropout were left on."""

    def __init__(self) -> None:
        self.rng = np.random.default_rng(0)

    def activation(self, a: Array) -> Array:
        return np.where(self.rng.random(a.shape) < 1e-3, 0, np.tanh(a)).astype(a.dtype)
