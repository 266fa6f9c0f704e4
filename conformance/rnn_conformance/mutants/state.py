"""Wrong states: what is carried from step to step, and where it starts."""

from collections.abc import Iterable

import numpy as np

from rnn_conformance.mutants.registry import mutant
from rnn_conformance.protocol import Answer, Array, Call
from rnn_conformance.recurrence import Recurrence, Weights


@mutant("state", caught_by="hidden_states", shipped_in="karpathy/makemore#3")
class StateNotCarried(Recurrence):
    """Every step starts from h_0."""

    def initial(self, call: Call, batch_size: int) -> Array:
        self.h_0 = super().initial(call, batch_size)
        return self.h_0

    def step(self, w: Weights, x: Array, h: Array) -> Array:
        return super().step(w, x, self.h_0)


@mutant("state", caught_by="hidden_states", shipped_in="onnx/onnx-tensorflow#408 (LSTM)")
class InitialStateIgnored(Recurrence):
    """h_0 is taken for zeros."""

    def initial(self, call: Call, batch_size: int) -> Array:
        return np.zeros_like(super().initial(call, batch_size))


@mutant("state", caught_by="hidden_states")
class InitialStateOfFirstRow(Recurrence):
    """Every sequence starts from the h_0 of the first."""

    def initial(self, call: Call, batch_size: int) -> Array:
        h_0 = super().initial(call, batch_size)
        return np.broadcast_to(h_0[0], h_0.shape)


@mutant("state", caught_by="hidden_states")
class InitialStateActivated(Recurrence):
    """h_0 goes through tanh before the first step."""

    def initial(self, call: Call, batch_size: int) -> Array:
        return np.tanh(super().initial(call, batch_size))


@mutant("state", caught_by="hidden_states")
class SquareInitialStateTransposed(Recurrence):
    """h_0 is read as (H, B) where batch_size equals hidden_size."""

    def initial(self, call: Call, batch_size: int) -> Array:
        h_0 = super().initial(call, batch_size)
        return h_0.T if h_0.shape[0] == h_0.shape[1] else h_0


@mutant("state", caught_by="omitted_h_0_is_zeros")
class OmittedStateIsOnes(Recurrence):
    """An omitted h_0 is taken for ones."""

    def initial(self, call: Call, batch_size: int) -> Array:
        h_0 = super().initial(call, batch_size)
        return np.ones_like(h_0) if call.h_0 is None else h_0


@mutant("state", caught_by="hidden_states")
class StateOneStepLate(Recurrence):
    """The states are those before each step: the first is h_0, the last is missing."""

    def answer(self, call: Call, states: list[Array], outputs: list[Array]) -> Answer:
        late = [self.initial(call, len(states[0])), *states[:-1]]
        return super().answer(call, late, outputs)


@mutant("state", caught_by="hidden_states")
class TimeReversed(Recurrence):
    """The sequence is read from its end, and the states are returned in that order."""

    def steps(self, inputs: Array) -> Iterable[int]:
        return reversed(range(len(inputs)))


@mutant("state", caught_by="hidden_states")
class FirstInputRepeated(Recurrence):
    """Every step reads the first input."""

    def steps(self, inputs: Array) -> Iterable[int]:
        return [0] * len(inputs)


@mutant("state", caught_by="hidden_states")
class StateMixedAcrossRows(Recurrence):
    """A sequence goes on from the state of its neighbour in the batch."""

    def step(self, w: Weights, x: Array, h: Array) -> Array:
        return super().step(w, x, np.roll(h, 1, axis=0))


@mutant("state", caught_by="hidden_states")
class ResidualState(Recurrence):
    """The state before the step is added to the new one."""

    def step(self, w: Weights, x: Array, h: Array) -> Array:
        return super().step(w, x, h) + h


@mutant("state", caught_by="final_state")
class FinalStateOfFirstStep(Recurrence):
    """h_n is the state after the first step."""

    def answer(self, call: Call, states: list[Array], outputs: list[Array]) -> Answer:
        answer = super().answer(call, states, outputs)
        first = states[0][0] if call.layout == "single" else states[0]
        return Answer(answer.hidden_states, first, answer.outputs)


@mutant("state", caught_by="final_state")
class FinalStateBeforeLastStep(Recurrence):
    """h_n is the state before the last step."""

    def answer(self, call: Call, states: list[Array], outputs: list[Array]) -> Answer:
        answer = super().answer(call, states, outputs)
        before = states[-2] if len(states) > 1 else self.initial(call, len(states[0]))
        h_n = before[0] if call.layout == "single" else before
        return Answer(answer.hidden_states, h_n, answer.outputs)


@mutant("aliasing", caught_by="hidden_states", shipped_in="pytorch/pytorch#142303")
class StatesShareOneBuffer(Recurrence):
    """Every state is written to the same memory, so that all of them read as the last."""

    def step(self, w: Weights, x: Array, h: Array) -> Array:
        h[...] = super().step(w, x, h)
        return h

    def initial(self, call: Call, batch_size: int) -> Array:
        return super().initial(call, batch_size).copy()


@mutant("aliasing", caught_by="inputs_unchanged", shipped_in="pytorch/pytorch#142303")
class InitialStateOverwritten(Recurrence):
    """The caller's h_0 is used as the buffer of the state."""

    def step(self, w: Weights, x: Array, h: Array) -> Array:
        new = super().step(w, x, h)
        h[...] = new
        return new
