"""Wrong final states: of another step, or of another row."""

import numpy as np

from rnn_conformance.contract.call import Array, Lengths
from rnn_conformance.variants.recurrence import Recurrence
from rnn_conformance.variants.wrong.registry import mutant


@mutant("state", caught_by="final_state", needs={"h_n"})
class FinalStateBeforeLastStep(Recurrence):
    """h_n is the state before the last step."""

    def last(self, states: Array, h_0: Array, steps: Lengths, d: int) -> Array:
        before: Array = np.concatenate([h_0[None], states])[steps - 1, np.arange(len(h_0))]
        return before


@mutant("state", caught_by="final_state", needs={"h_n"})
class FinalStateOfFirstRow(Recurrence):
    """h_n of every row is that of the first."""

    def last(self, states: Array, h_0: Array, steps: Lengths, d: int) -> Array:
        last = super().last(states, h_0, steps, d)
        return np.repeat(last[:1], len(last), axis=0)


@mutant("state", caught_by="final_state", needs={"h_n"})
class FinalStateOfFirstStep(Recurrence):
    """h_n is the state after the first step."""

    def last(self, states: Array, h_0: Array, steps: Lengths, d: int) -> Array:
        first: Array = states[0]
        return first
