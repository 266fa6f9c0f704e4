"""Wrong with memory: what the caller owns, and where it lies."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from rnn_conformance.checks.subject import given
from rnn_conformance.contract.call import Answer, Array, Call
from rnn_conformance.variants.recurrence import Recurrence
from rnn_conformance.variants.wrong.registry import mutant

Weights = Mapping[str, Array]


@mutant("aliasing", caught_by="earlier_results_kept", shipped_in="Element-Research/rnn#211")
class OutputOverwrittenByNextCall(Recurrence):
    """The output is in a buffer that the next call of the same size writes to."""

    def __init__(self) -> None:
        self.buffers: dict[tuple[tuple[int, ...], str], Array] = {}

    def answer(self, call: Call, output: Array, h_n: Array) -> Answer:
        right = super().answer(call, output, h_n)
        buffer = self.buffers.setdefault((output.shape, str(output.dtype)), right.output.copy())
        if buffer.shape != right.output.shape:
            return right
        buffer[...] = right.output
        return Answer(buffer, right.h_n)


@mutant("aliasing", caught_by="earlier_results_kept", needs={"h_n"})
class FinalStateOverwrittenByNextCall(Recurrence):
    """h_n is the state that the layer keeps, which the next call of the same size writes to."""

    def __init__(self) -> None:
        self.states: dict[tuple[tuple[int, ...], str], Array] = {}

    def answer(self, call: Call, output: Array, h_n: Array) -> Answer:
        right = super().answer(call, output, h_n)
        of_right = given(right, "h_n")
        state = self.states.setdefault((of_right.shape, str(h_n.dtype)), of_right.copy())
        state[...] = of_right
        return Answer(right.output, state)


@mutant("aliasing", caught_by="earlier_results_kept")
class TwoBuffersInTurn(Recurrence):
    """The output is in two buffers that take turns: the call after the next overwrites it."""

    def __init__(self) -> None:
        self.buffers: dict[tuple[tuple[int, ...], str], list[Array]] = {}

    def answer(self, call: Call, output: Array, h_n: Array) -> Answer:
        right = super().answer(call, output, h_n)
        both = [right.output.copy(), right.output.copy()]
        buffers = self.buffers.setdefault((right.output.shape, str(output.dtype)), both)
        buffers.reverse()
        buffers[0][...] = right.output
        return Answer(buffers[0], right.h_n)


@mutant("aliasing", caught_by="output", shipped_in="pytorch/pytorch#142303")
class StatesShareOneBuffer(Recurrence):
    """Every state is written to the same memory, so that all of them read as the last."""

    def direction(self, call: Call, w: Weights, x: Array, h: Array) -> Array:
        states = super().direction(call, w, x, h)
        return np.repeat(states[-1:], len(states), axis=0)


@mutant("aliasing", caught_by="output")
class OneArrayForAllSteps(Recurrence):
    """The output of all steps is one array, updated in place; each readout is taken in time."""

    def answer(self, call: Call, output: Array, h_n: Array) -> Answer:
        return super().answer(call, np.repeat(output[-1:], len(output), axis=0), h_n)


@mutant("aliasing", caught_by="memory_layouts", shipped_in="ml-explore/mlx#3720")
class NegativeStridesIgnored(Recurrence):
    """An input of negative stride is read from its first byte in memory onwards."""

    def rows(self, call: Call) -> Array:
        inputs = call.inputs
        onwards = inputs[::-1] if inputs.strides[0] < 0 else inputs
        return super().rows(replace(call, inputs=onwards))


@mutant("aliasing", caught_by="memory_layouts", shipped_in="huggingface/candle#3836")
class StridedWeightReadAsContiguous(Recurrence):
    """A weight that is a view is read from the memory behind it, as if that were contiguous."""

    def cell(self, call: Call, layer: int, d: int) -> Weights:
        return {name: _contiguous(value) for name, value in super().cell(call, layer, d).items()}


@mutant("aliasing", caught_by="memory_layouts", needs={"h_0"})
class FortranOrderReadAsC(Recurrence):
    """An h_0 in Fortran order is read in the order of its memory."""

    def initial(self, call: Call, x: Array) -> Array:
        if call.h_0 is None or call.h_0.flags.c_contiguous or not call.h_0.flags.f_contiguous:
            return super().initial(call, x)
        in_memory = call.h_0.ravel(order="K").reshape(call.h_0.shape)
        return super().initial(replace(call, h_0=in_memory), x)


def _contiguous(view: Array) -> Array:
    memory = view.base
    if memory is None or view.flags.c_contiguous:
        return view
    return memory.ravel()[: view.size].reshape(view.shape)
