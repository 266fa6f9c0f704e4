"""Wrong where sizes, numbers or lengths meet: each alone, nothing shows."""

import numpy as np

from rnn_conformance.contract.call import Answer, Array, Call, Lengths
from rnn_conformance.variants.gated import Lstm
from rnn_conformance.variants.recurrence import Recurrence, Weights
from rnn_conformance.variants.wrong.registry import mutant


@mutant("together", caught_by="output")
class EqualStepsLeftOut(Recurrence):
    """A step that reads just what the one before it has read leaves the state as it is."""

    def direction(self, call: Call, w: Weights, x: Array, h: Array) -> Array:
        states: list[Array] = []
        for t in range(len(x)):
            same = t > 0 and np.array_equal(x[t], x[t - 1])
            h = h if same else self.in_format(call, self.step(call, w, x[t], h))
            states.append(h)
        return np.stack(states)


@mutant("together", "h_0", caught_by="output")
class EqualRowsShareAState(Recurrence):
    """Rows that read the same begin with the initial state of the first of them."""

    def initial(self, call: Call, x: Array) -> Array:
        h_0 = super().initial(call, x)
        _, first, which = np.unique(x, axis=1, return_index=True, return_inverse=True)
        return h_0[:, first[which.ravel()]]


@mutant("together", "lstm", "h_0", caught_by="output")
class CellLostWithoutHidden(Lstm):
    """Where h_0 is zeros, c_0 is taken for zeros too."""

    def initial(self, call: Call, x: Array) -> Array:
        state = super().initial(call, x)
        return state if state[..., : call.options.hidden_size].any() else 0 * state


@mutant("together", "lengths", "reverse", caught_by="output")
class ReverseOfOneRowReadsPadding(Recurrence):
    """The reverse direction of a batch of one row begins in its padding."""

    def read(self, x: Array, steps: Lengths, d: int) -> Array:
        return super().read(x, np.full_like(steps, len(x)) if len(steps) == 1 else steps, d)


@mutant("together", "lengths", "h_n", caught_by="final_state")
class OneShorterRowRunsOn(Recurrence):
    """Where one row alone ends, a step before all others, its last state is that a step later."""

    def last(self, states: Array, h_0: Array, steps: Lengths, d: int) -> Array:
        T = len(states)
        alone = (steps == T - 1).sum() == 1 and (steps >= T - 1).all() and len(steps) > 1
        return super().last(states, h_0, np.full_like(steps, T) if alone else steps, d)


@mutant("together", caught_by="output")
class CarriesOnFromACallOfOneStep(Recurrence):
    """Without h_0, a call of one step of one row begins where the last such call has ended."""

    def __init__(self) -> None:
        self.kept: dict[tuple[int, ...], Array] = {}

    def direction(self, call: Call, w: Weights, x: Array, h: Array) -> Array:
        if x.shape[:2] != (1, 1) or call.h_0 is not None or call.options.num_layers > 1:
            return super().direction(call, w, x, h)
        key = (*w["W_ih"].shape, *h.shape)
        states = super().direction(call, w, x, self.kept.get(key, h).astype(h.dtype))
        self.kept[key] = states[-1].copy()
        return states


@mutant("together", caught_by="output")
class TilesOfRowsAndUnitsLeftOut(Recurrence):
    """Units from the 64th on of rows from the 32nd on are zeros."""

    def step(self, call: Call, w: Weights, x: Array, h: Array) -> Array:
        new = super().step(call, w, x, h)
        new[32:, 64:] = 0
        return new


@mutant("together", caught_by="output")
class MoreRowsThanStepsTurned(Recurrence):
    """A batch of more rows than steps and as many as inputs and units is read the other way."""

    def direction(self, call: Call, w: Weights, x: Array, h: Array) -> Array:
        T, B, I = x.shape
        turned = T < B == I == call.options.hidden_size
        one = super().direction
        if not turned or call.layout == "single":
            return one(call, w, x, h)
        wrong = one(call, w, x.swapaxes(0, 1), np.resize(h, (T, *h.shape[1:])))
        return wrong.swapaxes(0, 1)


@mutant("together", "float16", caught_by="earlier_results_kept")
class OneBufferInFewBits(Recurrence):
    """In float16, the results of every call of the same sizes stand in one array."""

    def __init__(self) -> None:
        self.buffers: dict[tuple[int, ...], Array] = {}

    def answer(self, call: Call, output: Array, h_n: Array) -> Answer:
        if output.dtype == np.float16:
            buffer = self.buffers.setdefault(output.shape, np.empty_like(output))
            buffer[...] = output
            output = buffer
        return super().answer(call, output, h_n)
