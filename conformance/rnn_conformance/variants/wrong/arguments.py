"""Wrong with what the caller owns: arguments that are written to."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from rnn_conformance.contract.call import Answer, Array, Call, Lengths
from rnn_conformance.variants.recurrence import Recurrence
from rnn_conformance.variants.wrong.registry import mutant

Weights = Mapping[str, Array]
GIVEN = frozenset({"h_0"})


@mutant(
    "aliasing",
    caught_by="inputs_unchanged",
    shipped_in="pytorch/pytorch#142303",
    needs={"h_0"},
)
class InitialStateOverwritten(Recurrence):
    """The caller's h_0 is the memory of the state."""

    def answer(self, call: Call, output: Array, h_n: Array) -> Answer:
        right = super().answer(call, output, h_n)
        if call.h_0 is not None:
            call.h_0[...] = right.h_n
        return right


@mutant("aliasing", caught_by="inputs_unchanged", needs=GIVEN)
class InitialStateOverwrittenInFastPath(Recurrence):
    """The caller's h_0 receives the final state where H is a multiple of sixteen."""

    def answer(self, call: Call, output: Array, h_n: Array) -> Answer:
        right = super().answer(call, output, h_n)
        if call.h_0 is not None and call.options.hidden_size % 16 == 0:
            call.h_0[...] = right.h_n
        return right


@mutant("aliasing", caught_by="inputs_unchanged", needs=GIVEN)
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


@mutant("aliasing", caught_by="inputs_unchanged", needs={"lengths"})
class PaddingClearedInPlace(Recurrence):
    """The padding is set to zero in the caller's inputs."""

    def without_padding(self, x: Array, steps: Lengths) -> Array:
        x[...] = super().without_padding(x, steps)
        return x


@mutant("aliasing", caught_by="inputs_unchanged", needs={"lengths"})
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
