"""Wrong final states: of another step, or of another row."""

import numpy as np

from rnn_conformance.layer.call import Lengths
from rnn_conformance.layer.mutants.registry import mutant
from rnn_conformance.layer.recurrence import LayerRecurrence
from rnn_conformance.protocol import Array


@mutant("state", caught_by="layer_h_n")
class FinalStateBeforeLastStep(LayerRecurrence):
    """h_n is the state before the last step."""

    def last(self, states: Array, h_0: Array, steps: Lengths, d: int) -> Array:
        before: Array = np.concatenate([h_0[None], states])[steps - 1, np.arange(len(h_0))]
        return before


@mutant("state", caught_by="layer_h_n")
class FinalStateOfFirstRow(LayerRecurrence):
    """h_n of every row is that of the first."""

    def last(self, states: Array, h_0: Array, steps: Lengths, d: int) -> Array:
        last = super().last(states, h_0, steps, d)
        return np.repeat(last[:1], len(last), axis=0)


@mutant("state", caught_by="layer_h_n")
class FinalStateOfFirstStep(LayerRecurrence):
    """h_n is the state after the first step."""

    def last(self, states: Array, h_0: Array, steps: Lengths, d: int) -> Array:
        first: Array = states[0]
        return first
