"""Wrong gradients: what the loss sees of final states, and what initial states receive."""

import numpy as np

from rnn_conformance.contract.call import Array, Call, Lengths
from rnn_conformance.variants.differentiable import Differentiable
from rnn_conformance.variants.step_backwards import Taped
from rnn_conformance.variants.wrong.gradients_of_gates import Lstm
from rnn_conformance.variants.wrong.registry import mutant


@mutant("gradients", "gradients", "h_n", caught_by="gradient_of_steps")
class FinalStateUnseen(Differentiable):
    """What the loss sees of the final state is dropped."""

    def of_last(self, call: Call, x: Array) -> Array:
        return 0 * super().of_last(call, x)


@mutant("gradients", "gradients", "h_n", "single", caught_by="gradient_of_steps")
class FinalStateUnseenOfASequence(Differentiable):
    """What the loss sees of the final state is dropped where one sequence is given alone."""

    def of_last(self, call: Call, x: Array) -> Array:
        return super().of_last(call, x) * (call.layout != "single")


@mutant(
    "gradients",
    "gradients",
    "h_n",
    caught_by="gradient_of_steps",
    shipped_in="chainer/chainer#2505",
)
class OutputUnset(Differentiable):
    """Where the loss does not see the output, dL/d of it is memory that nobody cleared."""

    def of_output(self, call: Call, x: Array, steps: Lengths) -> Array:
        found = super().of_output(call, x, steps)
        assert call.upstream is not None
        unset = call.upstream.output is None and call.upstream.h_n is not None
        return found + np.nan if unset else found


@mutant("gradients", "gradients", caught_by="gradient_of_steps")
class FinalStateUnset(Differentiable):
    """Where the loss does not see the final state, dL/d of it is memory that nobody cleared."""

    def of_last(self, call: Call, x: Array) -> Array:
        found = super().of_last(call, x)
        assert call.upstream is not None
        unseen = call.upstream.h_n is None and call.upstream.c_n is None
        return found + found.dtype.type(0.5) if unseen else found


@mutant("gradients", "gradients", "h_n", caught_by="gradient_of_steps")
class FinalStateScaled(Differentiable):
    """dL/d of h_n is divided by its largest number, and multiplied again: NaN where all are 0."""

    def of_last(self, call: Call, x: Array) -> Array:
        found = super().of_last(call, x)
        assert call.upstream is not None
        given = call.upstream.h_n
        return found if given is None or given.any() else found * np.nan


@mutant("gradients", "gradients", "h_n", caught_by="gradient_of_steps")
class FinalStateForOutput(Differentiable):
    """dL/d of h_n takes the place of that of the last step's output: it is not added."""

    def of_output(self, call: Call, x: Array, steps: Lengths) -> Array:
        found = super().of_output(call, x, steps)
        assert call.upstream is not None
        if call.upstream.h_n is not None:
            found[steps - 1, np.arange(len(steps))] = 0
        return found


@mutant("gradients", "gradients", "h_n", "lengths", caught_by="gradient_of_steps")
class FinalStateAtLastPaddedStep(Differentiable):
    """dL/d of h_n arrives at the last step of the longest row, in each row."""

    def arriving(self, d_states: Array, d_last: Array, t: int, steps: Lengths) -> Array:
        return super().arriving(d_states, d_last, t, np.full_like(steps, steps.max()))


@mutant("gradients", "gradients", "h_n", "bidirectional", caught_by="gradient_of_steps")
class ReverseFinalStateAtTheWrongEnd(Differentiable):
    """dL/d of h_n of the reverse direction arrives at the step that it reads first."""

    def through_time(
        self, call: Call, one: Taped, d_states: Array, d_last: Array, steps: Lengths
    ) -> tuple[Array, Array, Array]:
        if one.way and call.options.bidirectional:
            H = call.options.hidden_size
            d_states, d_last = d_states.copy(), d_last.copy()
            d_states[0] += d_last[:, :H]
            d_last[:, :H] = 0
        return super().through_time(call, one, d_states, d_last, steps)


@mutant(
    "gradients",
    "gradients",
    "h_n",
    "lstm",
    caught_by="gradient_of_steps",
    shipped_in="deeplearning4j/deeplearning4j#8838",
)
class FinalCellUnseen(Lstm):
    """What the loss sees of c_n is dropped."""

    def of_last(self, call: Call, x: Array) -> Array:
        h, c = np.split(super().of_last(call, x), 2, axis=-1)
        return np.concatenate([h, 0 * c], axis=-1)


@mutant("gradients", "gradients", "h_n", "lstm", caught_by="gradient_of_steps")
class OutputUnsetBesideCell(Lstm):
    """Where the loss sees c_n alone, dL/d of the output is memory that nobody cleared."""

    def of_output(self, call: Call, x: Array, steps: Lengths) -> Array:
        found = super().of_output(call, x, steps)
        assert call.upstream is not None
        unset = call.upstream.output is None and call.upstream.h_n is None
        return found + np.nan if unset else found


@mutant("gradients", "gradients", "h_0", caught_by="gradient_of_states")
class InitialStateDetached(Differentiable):
    """The initial state has no gradient."""

    def of_state(self, call: Call, d_first: Array) -> dict[str, Array]:
        return super().of_state(call, 0 * d_first)


@mutant("gradients", "gradients", "h_0", caught_by="gradient_of_states")
class InitialStatesReversed(Differentiable):
    """The gradients of the initial states are in the order in which they were computed."""

    def of_state(self, call: Call, d_first: Array) -> dict[str, Array]:
        return super().of_state(call, d_first[::-1])


@mutant("gradients", "gradients", "h_0", "lengths", caught_by="gradient_of_states")
class InitialRowsLeftSorted(Differentiable):
    """The gradients of the initial states are in the order of rows that are sorted by length."""

    def of_state(self, call: Call, d_first: Array) -> dict[str, Array]:
        if call.lengths is not None:
            d_first = d_first[:, np.argsort(-call.lengths, kind="stable")]
        return super().of_state(call, d_first)


@mutant("gradients", "gradients", "lstm", "h_0", caught_by="gradient_of_states")
class InitialHiddenDetached(Lstm):
    """h_0 has no gradient; c_0 has."""

    def of_state(self, call: Call, d_first: Array) -> dict[str, Array]:
        found = super().of_state(call, d_first)
        return {name: part * (name != "h_0") for name, part in found.items()}


@mutant("gradients", "gradients", "lstm", "h_0", caught_by="gradient_of_states")
class InitialCellDetached(Lstm):
    """c_0 has no gradient; h_0 has."""

    def of_state(self, call: Call, d_first: Array) -> dict[str, Array]:
        found = super().of_state(call, d_first)
        return {name: part * (name != "c_0") for name, part in found.items()}
