"""Wrong states: what is carried from step to step, in which order, where it starts and ends."""

import numpy as np

from rnn_conformance.checks.subject import given
from rnn_conformance.contract.call import Answer, Array, Call, Lengths, Options
from rnn_conformance.variants.recurrence import Recurrence, Weights, reversed_rows
from rnn_conformance.variants.wrong.calls import Remembers
from rnn_conformance.variants.wrong.registry import mutant


@mutant("state", "h_n", caught_by="final_state")
class FinalStateBeforeLastStep(Recurrence):
    """h_n is the state before the last step."""

    def last(self, states: Array, h_0: Array, steps: Lengths, d: int) -> Array:
        return np.concatenate([h_0[None], states])[steps - 1, np.arange(len(h_0))]


@mutant("state", "h_n", caught_by="final_state")
class FinalStateOfFirstRow(Recurrence):
    """h_n of every row is that of the first."""

    def last(self, states: Array, h_0: Array, steps: Lengths, d: int) -> Array:
        last = super().last(states, h_0, steps, d)
        return np.repeat(last[:1], len(last), axis=0)


@mutant("state", "h_n", caught_by="final_state")
class FinalStateOfFirstStep(Recurrence):
    """h_n is the state after the first step."""

    def last(self, states: Array, h_0: Array, steps: Lengths, d: int) -> Array:
        first: Array = states[0]
        return first


@mutant("state", caught_by="output")
class OmittedStateOfOneRowIsSmall(Recurrence):
    """An omitted h_0 of one row is 1e-5."""

    def initial(self, call: Call, x: Array) -> Array:
        h_0 = super().initial(call, x)
        return h_0 + h_0.dtype.type(1e-5) if call.h_0 is None and x.shape[1] == 1 else h_0


@mutant("state", "h_0", caught_by="trajectory")
class EveryStateOffAtStep0(Recurrence):
    """The states of step 0 start from h_0 twice as large."""

    def start(self, initial: Array, layer: int, d: int, o: Options) -> Array:
        return 2 * super().start(initial, layer, d, o)


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


@mutant("state", "h_0", caught_by="options_matter", shipped_in="onnx/onnx-tensorflow#408 (LSTM)")
class InitialStateIgnored(Recurrence):
    """h_0 is taken for zeros."""

    def initial(self, call: Call, x: Array) -> Array:
        return np.zeros_like(super().initial(call, x))


@mutant("state", "h_0", caught_by="output")
class InitialStateOfFirstRow(Recurrence):
    """Every row starts from the h_0 of the first."""

    def initial(self, call: Call, x: Array) -> Array:
        h_0 = super().initial(call, x)
        return np.repeat(h_0[:, :1], h_0.shape[1], axis=1)


@mutant("state", "h_0", caught_by="output")
class InitialStateActivated(Recurrence):
    """h_0 goes through tanh before the first step."""

    def initial(self, call: Call, x: Array) -> Array:
        return np.tanh(super().initial(call, x))


@mutant("state", "h_0", caught_by="output")
class SquareInitialStateTransposed(Recurrence):
    """h_0 is read as (L·D, H, B) where B equals H."""

    def initial(self, call: Call, x: Array) -> Array:
        h_0 = super().initial(call, x)
        return h_0.swapaxes(1, 2) if h_0.shape[1] == h_0.shape[2] else h_0


@mutant("state", "h_0", caught_by="omitted_h_0_is_zeros")
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


@mutant("state", "relu", caught_by="output")
class StateClippedToOne(Recurrence):
    """Every new state is clipped to [-1, 1], which tanh alone does not show."""

    def activation(self, call: Call, a: Array) -> Array:
        return np.clip(super().activation(call, a), -1, 1)


@mutant("state", caught_by="output")
class ResidualState(Recurrence):
    """The state before a step is added to the new one."""

    def step(self, call: Call, w: Weights, x: Array, h: Array) -> Array:
        return super().step(call, w, x, h) + h


@mutant("state", "h_0", caught_by="split_and_carry")
class CarriedStateOneStepOld(Remembers):
    """An h_0 equal to the last h_n is taken for «go on», from what is kept: one step too old."""

    def last(self, states: Array, h_0: Array, steps: Lengths, d: int) -> Array:
        before = np.concatenate([h_0[None], states])[steps - 1, np.arange(len(h_0))]
        self.kept.setdefault("old", []).append(before)
        return super().last(states, h_0, steps, d)

    def initial(self, call: Call, x: Array) -> Array:
        right, old = super().initial(call, x), np.array(self.kept.pop("old", []))
        goes_on = call.h_0 is not None and np.array_equal(self.kept.get("last", 0), call.h_0)
        return old.astype(right.dtype) if goes_on else right

    def answer(self, call: Call, output: Array, h_n: Array) -> Answer:
        right = super().answer(call, output, h_n)
        self.kept["last"] = given(right, "h_n")
        return right


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


@mutant("cell", "tanh", caught_by="output")
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
