"""Wrong steps: read or given in another order, or lost from some number of steps on."""

from collections.abc import Mapping

import numpy as np

from rnn_conformance.contract.call import Array, Call, Lengths
from rnn_conformance.variants.recurrence import Recurrence, reversed_rows
from rnn_conformance.variants.wrong.registry import mutant

Weights = Mapping[str, Array]


@mutant("state", caught_by="output")
class StateOneStepLate(Recurrence):
    """The states are those before each step: the first is h_0, the last is missing."""

    def direction(self, call: Call, w: Weights, x: Array, h: Array) -> Array:
        return np.concatenate([h[None], super().direction(call, w, x, h)[:-1]])


@mutant("state", caught_by="output")
class TimeReversed(Recurrence):
    """The sequence is read from its end, and the states are returned in that order."""

    def read(self, x: Array, steps: Lengths, d: int) -> Array:
        return reversed_rows(x, steps)


@mutant("state", caught_by="output")
class FirstInputRepeated(Recurrence):
    """Every step reads the first input."""

    def direction(self, call: Call, w: Weights, x: Array, h: Array) -> Array:
        return super().direction(call, w, np.repeat(x[:1], len(x), axis=0), h)


@mutant("cell", caught_by="output", needs={"tanh"})
class ZeroStepMasked(Recurrence):
    """A step whose inputs are all zero is taken for padding: the state is kept."""

    def step(self, call: Call, w: Weights, x: Array, h: Array) -> Array:
        return np.where(x.any(axis=1, keepdims=True), super().step(call, w, x, h), h)


@mutant("sizes", caught_by="output")
class StateResetAfter1024Steps(Recurrence):
    """Sequences are read in pieces of 1024 steps, each of which starts from zeros."""

    def direction(self, call: Call, w: Weights, x: Array, h: Array) -> Array:
        right, pieces = super().direction, []
        for t in range(0, len(x), 1024):
            pieces.append(right(call, w, x[t : t + 1024], h if t == 0 else np.zeros_like(h)))
        return np.concatenate(pieces)


@mutant("sizes", caught_by="output")
class UnrolledLoopLeavesARest(Recurrence):
    """The loop is unrolled by four, and steps beyond the last multiple of four keep their state."""

    def direction(self, call: Call, w: Weights, x: Array, h: Array) -> Array:
        states = super().direction(call, w, x, h)
        whole = len(x) - len(x) % 4
        if 0 < whole < len(x):
            states[whole:] = states[whole - 1]
        return states


@mutant("sizes", caught_by="output")
class UnrolledLoopLeavesZeros(Recurrence):
    """The loop is unrolled by four, and steps beyond the last multiple of four are zero."""

    def direction(self, call: Call, w: Weights, x: Array, h: Array) -> Array:
        states = super().direction(call, w, x, h)
        states[len(x) - len(x) % 4 :] = 0
        return states


@mutant("sizes", caught_by="output")
class StepNumberIn8Bits(Recurrence):
    """The number of a step is kept in 8 bits, so that later ones read the first inputs again."""

    def direction(self, call: Call, w: Weights, x: Array, h: Array) -> Array:
        return super().direction(call, w, x[np.arange(len(x)) % 256], h)


@mutant("sizes", caught_by="output")
class StepsBeyond2048RepeatTheState(Recurrence):
    """Steps beyond the 2048th repeat the state."""

    def direction(self, call: Call, w: Weights, x: Array, h: Array) -> Array:
        states = super().direction(call, w, x, h)
        states[2048:] = states[2047:2048] if len(states) > 2048 else states[2048:]
        return states
