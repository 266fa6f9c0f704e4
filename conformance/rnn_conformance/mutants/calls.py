"""Wrong from one call to the next: memory and state that outlive a call."""

import numpy as np

from rnn_conformance.mutants.registry import mutant
from rnn_conformance.protocol import Answer, Array, Call
from rnn_conformance.recurrence import Recurrence, Weights


@mutant("aliasing", caught_by="earlier_results_kept", shipped_in="Element-Research/rnn#211")
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


@mutant("state", caught_by="calls_are_independent", shipped_in="mlpack/mlpack#2747")
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


@mutant("state", caught_by="calls_are_independent", shipped_in="apache/mxnet#16037")
class WeightsOfFirstCall(Recurrence):
    """The weights of the first call are kept for every later one of the same sizes."""

    def __init__(self) -> None:
        self.kept: dict[tuple[tuple[tuple[int, ...], str], ...], Weights] = {}

    def weights(self, weights: Weights) -> Weights:
        sizes = tuple((value.shape, str(value.dtype)) for value in weights.values())
        return self.kept.setdefault(sizes, weights)


@mutant("determinism", caught_by="calls_are_independent", shipped_in="espnet/espnet#3539")
class DropoutLeftOn(Recurrence):
    """One state in a thousand is set to zero at random, as if dropout were left on."""

    def __init__(self) -> None:
        self.rng = np.random.default_rng(0)

    def activation(self, a: Array) -> Array:
        return np.where(self.rng.random(a.shape) < 1e-3, 0, np.tanh(a)).astype(a.dtype)


@mutant("state", caught_by="hidden_states")
class WrongAtFirstCall(Recurrence):
    """The first call of every size gives what an unfinished warm-up left."""

    def __init__(self) -> None:
        self.seen: set[tuple[object, ...]] = set()

    def answer(self, call: Call, states: list[Array], outputs: list[Array]) -> Answer:
        sizes = (call.inputs.shape, call.dtype, call.weights["W_hh"].shape)
        if sizes not in self.seen:
            self.seen.add(sizes)
            states = [h * 0.5 for h in states]
        return super().answer(call, states, outputs)


@mutant("state", caught_by="changes_in_place_are_seen", shipped_in="apache/mxnet#16037")
class WeightsPackedByIdentity(Recurrence):
    """Weights are packed once for each array, and later changes of the array are not seen."""

    def __init__(self) -> None:
        self.packed: dict[int, tuple[Array, Weights]] = {}

    def weights(self, weights: Weights) -> Weights:
        W = weights["W_hh"]  # kept, so that its id stays its own
        copies = {name: value.copy() for name, value in weights.items()}
        _, packed = self.packed.setdefault(id(W), (W, copies))
        return packed


@mutant("aliasing", caught_by="earlier_results_kept")
class TwoBuffersInTurn(Recurrence):
    """Results are given in two buffers that take turns: the call after the next overwrites them."""

    def __init__(self) -> None:
        self.buffers: dict[tuple[object, ...], tuple[Array, Array]] = {}
        self.calls = 0

    def laid_out(self, call: Call, array: Array) -> Array:
        array = super().laid_out(call, array)
        both = (np.empty_like(array), np.empty_like(array))
        self.calls += 1
        buffer = self.buffers.setdefault((array.shape, array.dtype), both)[self.calls // 2 % 2]
        buffer[...] = array
        return buffer


@mutant("aliasing", caught_by="inputs_unchanged")
class InitialStateOverwrittenInFastPath(Recurrence):
    """The caller's h_0 receives the final state where hidden_size is a multiple of sixteen."""

    def answer(self, call: Call, states: list[Array], outputs: list[Array]) -> Answer:
        if call.h_0 is not None and states[0].shape[1] % 16 == 0:
            call.h_0[...] = states[-1][0] if call.layout == "single" else states[-1]
        return super().answer(call, states, outputs)


@mutant("aliasing", caught_by="inputs_unchanged")
class InitialStateReceivesTheFinal(Recurrence):
    """The caller's h_0 is the array that holds the state, so that it receives the final one."""

    def answer(self, call: Call, states: list[Array], outputs: list[Array]) -> Answer:
        if call.h_0 is not None:
            call.h_0[...] = states[-1][0] if call.layout == "single" else states[-1]
        return super().answer(call, states, outputs)


@mutant("aliasing", caught_by="hidden_states")
class OneArrayForAllSteps(Recurrence):
    """The states of all steps are one array, updated in place: each is the last in the end."""

    def answer(self, call: Call, states: list[Array], outputs: list[Array]) -> Answer:
        return super().answer(call, [states[-1]] * len(states), outputs)


@mutant("state", caught_by="calls_are_independent")
class OutputsOfLastCallAdded(Recurrence):
    """A share of the last call's outputs is left in the buffer that the next one adds to."""

    def __init__(self) -> None:
        self.last: Array | None = None

    def readout(self, w: Weights, h: Array) -> Array:
        y = super().readout(w, h)
        left = 0.0 if self.last is None or self.last.shape != y.shape else 1e-3 * self.last
        return (y + left).astype(y.dtype)

    def answer(self, call: Call, states: list[Array], outputs: list[Array]) -> Answer:
        self.last = outputs[-1]
        return super().answer(call, states, outputs)
