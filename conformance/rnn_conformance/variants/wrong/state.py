"""Wrong states: what is carried from step to step, and where it starts and ends."""

from collections.abc import Mapping

import numpy as np

from rnn_conformance.checks.subject import given
from rnn_conformance.contract.call import Answer, Array, Call, Lengths
from rnn_conformance.variants.recurrence import Recurrence
from rnn_conformance.variants.wrong.registry import mutant

Weights = Mapping[str, Array]


@mutant("state", caught_by="output", shipped_in="karpathy/makemore#3")
class StateNotCarried(Recurrence):
    """Every step starts from h_0."""

    def direction(self, call: Call, w: Weights, x: Array, h: Array) -> Array:
        return np.stack([self.in_format(call, self.step(call, w, one, h)) for one in x])


@mutant("state", caught_by="output", shipped_in="onnx/onnx-mlir#367")
class StateUpdatedWhileRead(Recurrence):
    """A unit reads the new states of the units before it, and the old ones of those after it."""

    def step(self, call: Call, w: Weights, x: Array, h: Array) -> Array:
        new = h.copy()
        for unit in range(h.shape[1]):
            new[:, unit] = super().step(call, w, x, new)[:, unit]
        return new


@mutant(
    "state", caught_by="options_matter", shipped_in="onnx/onnx-tensorflow#408 (LSTM)", needs={"h_0"}
)
class InitialStateIgnored(Recurrence):
    """h_0 is taken for zeros."""

    def initial(self, call: Call, x: Array) -> Array:
        return np.zeros_like(super().initial(call, x))


@mutant("state", caught_by="output", needs={"h_0"})
class InitialStateOfFirstRow(Recurrence):
    """Every row starts from the h_0 of the first."""

    def initial(self, call: Call, x: Array) -> Array:
        h_0 = super().initial(call, x)
        return np.repeat(h_0[:, :1], h_0.shape[1], axis=1)


@mutant("state", caught_by="output", needs={"h_0"})
class InitialStateActivated(Recurrence):
    """h_0 goes through tanh before the first step."""

    def initial(self, call: Call, x: Array) -> Array:
        return np.tanh(super().initial(call, x))


@mutant("state", caught_by="output", needs={"h_0"})
class SquareInitialStateTransposed(Recurrence):
    """h_0 is read as (L·D, H, B) where B equals H."""

    def initial(self, call: Call, x: Array) -> Array:
        h_0 = super().initial(call, x)
        return h_0.swapaxes(1, 2) if h_0.shape[1] == h_0.shape[2] else h_0


@mutant("state", caught_by="omitted_h_0_is_zeros", needs={"h_0"})
class OmittedStateIsOnes(Recurrence):
    """An omitted h_0 is taken for ones."""

    def initial(self, call: Call, x: Array) -> Array:
        h_0 = super().initial(call, x)
        return np.ones_like(h_0) if call.h_0 is None else h_0


@mutant("state", caught_by="output", shipped_in="ml-explore/mlx#3249 (GRU)")
class OmittedStateDropsRecurrentBias(Recurrence):
    """Without h_0 the first step leaves out the recurrent part, b_hh with it."""

    def direction(self, call: Call, w: Weights, x: Array, h: Array) -> Array:
        if call.h_0 is not None:
            return super().direction(call, w, x, h)
        first = super().direction(call, {**w, "b_hh": 0 * w["b_hh"]}, x[:1], h)
        if len(x) == 1:
            return first
        return np.concatenate([first, super().direction(call, w, x[1:], first[0])])


@mutant("state", caught_by="output")
class StateOfNeighbour(Recurrence):
    """A row goes on from the state of its neighbour in the batch."""

    def step(self, call: Call, w: Weights, x: Array, h: Array) -> Array:
        return super().step(call, w, x, np.roll(h, 1, axis=0))


@mutant("state", caught_by="output", needs={"relu"})
class StateClippedToOne(Recurrence):
    """Every new state is clipped to [-1, 1], which tanh alone does not show."""

    def activation(self, call: Call, a: Array) -> Array:
        return np.clip(super().activation(call, a), -1, 1)


@mutant("state", caught_by="output")
class ResidualState(Recurrence):
    """The state before a step is added to the new one."""

    def step(self, call: Call, w: Weights, x: Array, h: Array) -> Array:
        return super().step(call, w, x, h) + h


@mutant("state", caught_by="split_and_carry", needs={"h_0"})
class CarriedStateOneStepOld(Recurrence):
    """An h_0 equal to the last h_n is taken for «go on», from what is kept: one step too old."""

    def __init__(self) -> None:
        self.kept: list[Array] = []
        self.old: list[Array] = []

    def last(self, states: Array, h_0: Array, steps: Lengths, d: int) -> Array:
        self.old.append(np.concatenate([h_0[None], states])[steps - 1, np.arange(len(h_0))])
        return super().last(states, h_0, steps, d)

    def initial(self, call: Call, x: Array) -> Array:
        right, old = super().initial(call, x), np.array(self.old)
        goes_on = (
            bool(self.kept) and call.h_0 is not None and np.array_equal(self.kept[0], call.h_0)
        )
        self.old.clear()
        return old.astype(right.dtype) if goes_on else right

    def answer(self, call: Call, output: Array, h_n: Array) -> Answer:
        right = super().answer(call, output, h_n)
        self.kept[:] = [given(right, "h_n")]
        return right
