"""Wrong with memory: what the caller owns, and where it lies."""

from dataclasses import replace

import numpy as np

from rnn_conformance.checks.subject import given
from rnn_conformance.contract.call import Answer, Array, Call, Lengths
from rnn_conformance.variants.recurrence import Recurrence, Weights
from rnn_conformance.variants.wrong.calls import Remembers, sizes_of
from rnn_conformance.variants.wrong.registry import mutant


@mutant("aliasing", "h_0", caught_by="inputs_unchanged", shipped_in="pytorch/pytorch#142303")
class InitialStateOverwritten(Recurrence):
    """The caller's h_0 is the memory of the state."""

    every = 1  # where H is a multiple of it

    def answer(self, call: Call, output: Array, h_n: Array) -> Answer:
        right = super().answer(call, output, h_n)
        if call.h_0 is not None and call.options.hidden_size % self.every == 0:
            call.h_0[...] = right.h_n
        return right


@mutant("aliasing", "h_0", caught_by="inputs_unchanged")
class InitialStateOverwrittenInFastPath(InitialStateOverwritten):
    """The caller's h_0 receives the final state where H is a multiple of sixteen."""

    every = 16


@mutant("aliasing", "h_0", caught_by="inputs_unchanged", of="plain")
class EachStateReceivesTheNext(Recurrence):
    """Each new state is written over the one before it too, the first over the caller's h_0."""

    def step(self, call: Call, w: Weights, x: Array, h: Array) -> Array:
        new = super().step(call, w, x, h)
        h[...] = new
        return new


@mutant("aliasing", caught_by="inputs_unchanged")
class InputsScaledInPlace(Recurrence):
    """The inputs are scaled in the caller's memory, after the copy that is computed with."""

    def rows(self, call: Call) -> Array:
        rows = super().rows(call).copy()
        np.multiply(call.inputs, 0.5, out=call.inputs)
        return rows


@mutant("aliasing", caught_by="memory_layouts")
class InputsScaledAndScaledBack(Recurrence):
    """The inputs are scaled in the caller's memory, and scaled back at the end."""

    def rows(self, call: Call) -> Array:
        np.multiply(call.inputs, 4, out=call.inputs)
        return super().rows(call)

    def run(self, call: Call) -> Answer:
        quarter = {n: v / 4 if n.startswith("weight_ih_l0") else v for n, v in call.weights.items()}
        answer = super().run(replace(call, weights=quarter))
        np.divide(call.inputs, 4, out=call.inputs)
        return answer


@mutant("aliasing", "lengths", caught_by="inputs_unchanged")
class PaddingClearedInPlace(Recurrence):
    """The padding is set to zero in the caller's inputs."""

    def without_padding(self, x: Array, steps: Lengths) -> Array:
        x[...] = super().without_padding(x, steps)
        return x


@mutant("aliasing", "lengths", caught_by="inputs_unchanged")
class LengthsSortedInPlace(Recurrence):
    """The caller's lengths are sorted, after the copy that is computed with."""

    def steps(self, call: Call, x: Array) -> Lengths:
        steps = super().steps(call, x).copy()
        if call.lengths is not None:
            call.lengths.sort()
        return steps


@mutant("aliasing", caught_by="inputs_unchanged")
class BiasesMergedInPlace(Recurrence):
    """b_hh is added into the caller's b_ih, and then set to zero."""

    def cell(self, call: Call, layer: int, d: int) -> Weights:
        w = super().cell(call, layer, d)
        w["b_ih"][...] += w["b_hh"]
        w["b_hh"][...] = 0
        return w


@mutant("aliasing", caught_by="earlier_results_kept", shipped_in="Element-Research/rnn#211")
class OutputOverwrittenByNextCall(Remembers):
    """The output is in a buffer that the next call of the same size writes to."""

    def answer(self, call: Call, output: Array, h_n: Array) -> Answer:
        right = super().answer(call, output, h_n)
        buffer = self.kept.setdefault(sizes_of(output), right.output.copy())
        if buffer.shape != right.output.shape:
            return right
        buffer[...] = right.output
        return Answer(buffer, right.h_n)


@mutant("aliasing", "h_n", caught_by="earlier_results_kept")
class FinalStateOverwrittenByNextCall(Remembers):
    """h_n is the state that the layer keeps, which the next call of the same size writes to."""

    def answer(self, call: Call, output: Array, h_n: Array) -> Answer:
        right = super().answer(call, output, h_n)
        of_right = given(right, "h_n")
        state = self.kept.setdefault(sizes_of(of_right), of_right.copy())
        state[...] = of_right
        return Answer(right.output, state)


@mutant("aliasing", caught_by="earlier_results_kept")
class TwoBuffersInTurn(Remembers):
    """The output is in two buffers that take turns: the call after the next overwrites it."""

    count = 2

    def answer(self, call: Call, output: Array, h_n: Array) -> Answer:
        right = super().answer(call, output, h_n)
        copies = [right.output.copy() for _ in range(self.count)]
        ring = self.kept.setdefault(sizes_of(right.output), copies)
        ring.append(ring.pop(0))
        ring[0][...] = right.output
        return Answer(ring[0], right.h_n)


@mutant("aliasing", caught_by="earlier_results_kept")
class SixteenBuffersInTurn(TwoBuffersInTurn):
    """The output is in sixteen buffers that take turns."""

    count = 16


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
        return {name: contiguous(value) for name, value in super().cell(call, layer, d).items()}


@mutant("aliasing", "h_0", caught_by="memory_layouts")
class FortranOrderReadAsC(Recurrence):
    """An h_0 in Fortran order is read in the order of its memory."""

    def initial(self, call: Call, x: Array) -> Array:
        if call.h_0 is None or call.h_0.flags.c_contiguous or not call.h_0.flags.f_contiguous:
            return super().initial(call, x)
        in_memory = call.h_0.ravel(order="K").reshape(call.h_0.shape)
        return super().initial(replace(call, h_0=in_memory), x)


@mutant("aliasing", caught_by="memory_layouts")
class StrideOfZeroReadAsContiguous(Recurrence):
    """Inputs of stride 0 are read as if they were contiguous: zeros stand for what lies beyond."""

    def rows(self, call: Call) -> Array:
        inputs = call.inputs
        if 0 in inputs.strides and inputs.size > 1:
            once = np.zeros_like(inputs)
            once[:1] = inputs[:1]
            inputs = once
        return super().rows(replace(call, inputs=inputs))


def contiguous(view: Array) -> Array:
    """What the memory behind a view holds from its start on, in the shape of the view."""
    memory = view.base
    if memory is None or view.flags.c_contiguous:
        return view
    return np.resize(memory, view.shape)
