"""Wrong with memory: what the caller owns, and where it lies."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from rnn_conformance.layer.call import LayerAnswer, LayerCall, Lengths
from rnn_conformance.layer.mutants.registry import layer_mutant
from rnn_conformance.layer.recurrence import LayerRecurrence
from rnn_conformance.layer.subject import given
from rnn_conformance.protocol import Array

Weights = Mapping[str, Array]


@layer_mutant(
    "aliasing", caught_by="layer_earlier_results_kept", shipped_in="Element-Research/rnn#211"
)
class OutputOverwrittenByNextCall(LayerRecurrence):
    """The output is in a buffer that the next call of the same size writes to."""

    def __init__(self) -> None:
        self.buffers: dict[tuple[tuple[int, ...], str], Array] = {}

    def answer(self, call: LayerCall, output: Array, h_n: Array) -> LayerAnswer:
        right = super().answer(call, output, h_n)
        buffer = self.buffers.setdefault((output.shape, str(output.dtype)), right.output.copy())
        if buffer.shape != right.output.shape:
            return right
        buffer[...] = right.output
        return LayerAnswer(buffer, right.h_n)


@layer_mutant("aliasing", caught_by="layer_earlier_results_kept")
class FinalStateOverwrittenByNextCall(LayerRecurrence):
    """h_n is the state that the layer keeps, which the next call of the same size writes to."""

    def __init__(self) -> None:
        self.states: dict[tuple[tuple[int, ...], str], Array] = {}

    def answer(self, call: LayerCall, output: Array, h_n: Array) -> LayerAnswer:
        right = super().answer(call, output, h_n)
        of_right = given(right, "h_n")
        state = self.states.setdefault((of_right.shape, str(h_n.dtype)), of_right.copy())
        state[...] = of_right
        return LayerAnswer(right.output, state)


@layer_mutant("aliasing", caught_by="layer_earlier_results_kept")
class TwoBuffersInTurn(LayerRecurrence):
    """The output is in two buffers that take turns: the call after the next overwrites it."""

    def __init__(self) -> None:
        self.buffers: dict[tuple[tuple[int, ...], str], list[Array]] = {}

    def answer(self, call: LayerCall, output: Array, h_n: Array) -> LayerAnswer:
        right = super().answer(call, output, h_n)
        both = [right.output.copy(), right.output.copy()]
        buffers = self.buffers.setdefault((right.output.shape, str(output.dtype)), both)
        buffers.reverse()
        buffers[0][...] = right.output
        return LayerAnswer(buffers[0], right.h_n)


@layer_mutant("aliasing", caught_by="layer_output", shipped_in="pytorch/pytorch#142303")
class StatesShareOneBuffer(LayerRecurrence):
    """Every state is written to the same memory, so that all of them read as the last."""

    def direction(self, call: LayerCall, w: Weights, x: Array, h: Array) -> Array:
        states = super().direction(call, w, x, h)
        return np.repeat(states[-1:], len(states), axis=0)


@layer_mutant(
    "aliasing",
    caught_by="layer_inputs_unchanged",
    shipped_in="pytorch/pytorch#142303",
    needs={"h_0"},
)
class InitialStateOverwritten(LayerRecurrence):
    """The caller's h_0 is the memory of the state."""

    def answer(self, call: LayerCall, output: Array, h_n: Array) -> LayerAnswer:
        right = super().answer(call, output, h_n)
        if call.h_0 is not None:
            call.h_0[...] = right.h_n
        return right


@layer_mutant("aliasing", caught_by="layer_inputs_unchanged", needs={"lengths"})
class PaddingClearedInPlace(LayerRecurrence):
    """The padding is set to zero in the caller's inputs."""

    def without_padding(self, x: Array, steps: Lengths) -> Array:
        x[...] = super().without_padding(x, steps)
        return x


@layer_mutant("aliasing", caught_by="layer_inputs_unchanged", needs={"lengths"})
class LengthsSortedInPlace(LayerRecurrence):
    """The caller's lengths are sorted, after the copy that is computed with."""

    def steps(self, call: LayerCall, x: Array) -> Lengths:
        steps = super().steps(call, x).copy()
        if call.lengths is not None:
            call.lengths.sort()
        return steps


@layer_mutant("aliasing", caught_by="layer_inputs_unchanged")
class BiasesMergedInPlace(LayerRecurrence):
    """b_hh is added into the caller's b_ih, and then set to zero."""

    def cell(self, call: LayerCall, layer: int, d: int) -> Weights:
        w = super().cell(call, layer, d)
        w["b_ih"][...] += w["b_hh"]
        w["b_hh"][...] = 0
        return w


@layer_mutant("aliasing", caught_by="memory_layouts")
class InputsScaledAndScaledBack(LayerRecurrence):
    """The inputs are scaled in the caller's memory, and scaled back at the end."""

    def rows(self, call: LayerCall) -> Array:
        np.multiply(call.inputs, 4, out=call.inputs)
        return super().rows(call)

    def run_layer(self, call: LayerCall) -> LayerAnswer:
        quarter = {n: v / 4 if n.startswith("weight_ih_l0") else v for n, v in call.weights.items()}
        answer = super().run_layer(replace(call, weights=quarter))
        np.divide(call.inputs, 4, out=call.inputs)
        return answer


@layer_mutant("aliasing", caught_by="memory_layouts", shipped_in="ml-explore/mlx#3720")
class NegativeStridesIgnored(LayerRecurrence):
    """An input of negative stride is read from its first byte in memory onwards."""

    def rows(self, call: LayerCall) -> Array:
        inputs = call.inputs
        onwards = inputs[::-1] if inputs.strides[0] < 0 else inputs
        return super().rows(replace(call, inputs=onwards))


@layer_mutant("aliasing", caught_by="memory_layouts", shipped_in="huggingface/candle#3836")
class StridedWeightReadAsContiguous(LayerRecurrence):
    """A weight that is a view is read from the memory behind it, as if that were contiguous."""

    def cell(self, call: LayerCall, layer: int, d: int) -> Weights:
        return {name: _contiguous(value) for name, value in super().cell(call, layer, d).items()}


@layer_mutant("aliasing", caught_by="memory_layouts", needs={"h_0"})
class FortranOrderReadAsC(LayerRecurrence):
    """An h_0 in Fortran order is read in the order of its memory."""

    def initial(self, call: LayerCall, x: Array) -> Array:
        if call.h_0 is None or call.h_0.flags.c_contiguous or not call.h_0.flags.f_contiguous:
            return super().initial(call, x)
        in_memory = call.h_0.ravel(order="K").reshape(call.h_0.shape)
        return super().initial(replace(call, h_0=in_memory), x)


def _contiguous(view: Array) -> Array:
    memory = view.base
    if memory is None or view.flags.c_contiguous:
        return view
    return memory.ravel()[: view.size].reshape(view.shape)
