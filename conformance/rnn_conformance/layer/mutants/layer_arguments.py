"""Wrong with what the caller owns: arguments that are written to."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from rnn_conformance.layer.call import LayerAnswer, LayerCall, Lengths
from rnn_conformance.layer.mutants.registry import mutant
from rnn_conformance.layer.recurrence import LayerRecurrence
from rnn_conformance.protocol import Array

Weights = Mapping[str, Array]
GIVEN = frozenset({"h_0"})


@mutant(
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


@mutant("aliasing", caught_by="layer_inputs_unchanged", needs=GIVEN)
class InitialStateOverwrittenInFastPath(LayerRecurrence):
    """The caller's h_0 receives the final state where H is a multiple of sixteen."""

    def answer(self, call: LayerCall, output: Array, h_n: Array) -> LayerAnswer:
        right = super().answer(call, output, h_n)
        if call.h_0 is not None and call.options.hidden_size % 16 == 0:
            call.h_0[...] = right.h_n
        return right


@mutant("aliasing", caught_by="layer_inputs_unchanged", needs=GIVEN)
class EachStateReceivesTheNext(LayerRecurrence):
    """Each new state is written over the one before it too, the first over the caller's h_0."""

    def step(self, call: LayerCall, w: Weights, x: Array, h: Array) -> Array:
        new = super().step(call, w, x, h)
        h[...] = new
        return new


@mutant("aliasing", caught_by="layer_inputs_unchanged")
class InputsScaledInPlace(LayerRecurrence):
    """The inputs are scaled in the caller's memory, after the copy that is computed with."""

    def rows(self, call: LayerCall) -> Array:
        rows = super().rows(call).copy()
        np.multiply(call.inputs, 0.5, out=call.inputs)
        return rows


@mutant("aliasing", caught_by="memory_layouts")
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


@mutant("aliasing", caught_by="layer_inputs_unchanged", needs={"lengths"})
class PaddingClearedInPlace(LayerRecurrence):
    """The padding is set to zero in the caller's inputs."""

    def without_padding(self, x: Array, steps: Lengths) -> Array:
        x[...] = super().without_padding(x, steps)
        return x


@mutant("aliasing", caught_by="layer_inputs_unchanged", needs={"lengths"})
class LengthsSortedInPlace(LayerRecurrence):
    """The caller's lengths are sorted, after the copy that is computed with."""

    def steps(self, call: LayerCall, x: Array) -> Lengths:
        steps = super().steps(call, x).copy()
        if call.lengths is not None:
            call.lengths.sort()
        return steps


@mutant("aliasing", caught_by="layer_inputs_unchanged")
class BiasesMergedInPlace(LayerRecurrence):
    """b_hh is added into the caller's b_ih, and then set to zero."""

    def cell(self, call: LayerCall, layer: int, d: int) -> Weights:
        w = super().cell(call, layer, d)
        w["b_ih"][...] += w["b_hh"]
        w["b_hh"][...] = 0
        return w
