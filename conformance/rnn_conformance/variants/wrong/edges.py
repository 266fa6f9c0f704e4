"""Wrong where there is nothing: no steps, no rows, a row of length 0, the padding."""

import numpy as np

from rnn_conformance.contract.call import Answer, Array, Call, Lengths
from rnn_conformance.variants.permissive import Permissive
from rnn_conformance.variants.recurrence import Recurrence
from rnn_conformance.variants.wrong.registry import mutant


@mutant("empty", caught_by="no_steps_refused")
class NoStepsTaken(Recurrence):
    """An input of no steps gives zeros as h_n, where it is declared to be refused."""

    def run(self, call: Call) -> Answer:
        if call.inputs.size == 0:
            o, rows = call.options, call.inputs.shape[:-1]
            output = np.zeros((*rows, o.directions * o.hidden_size), call.dtype)
            return Answer(output, np.zeros_like(self.initial(call, self.rows(call))))
        return super().run(call)


@mutant("empty", caught_by="no_steps_give_h_0", needs={"h_0", "h_n"})
class NoStepsGiveZeros(Permissive):
    """An input of no steps gives zeros as h_n rather than h_0."""

    def last(self, states: Array, h_0: Array, steps: Lengths, d: int) -> Array:
        return super().last(states, h_0, steps, d) * (len(states) > 0)


@mutant("empty", caught_by="no_rows_refused")
class NoRowsTaken(Permissive):
    """A batch of no rows is computed, where it is declared to be refused."""

    def refuse(self, call: Call) -> None:
        if call.inputs.size:
            super().refuse(call)


@mutant("empty", caught_by="no_rows_give_none")
class NoRowsRaise(Recurrence):
    """A batch of no rows raises, where it is declared to give none."""

    def rows(self, call: Call) -> Array:
        rows = super().rows(call)
        rows.max()
        return rows


@mutant("empty", caught_by="length_0_refused", needs={"lengths"})
class LengthZeroTaken(Recurrence):
    """A row of length 0 is taken for one of T steps, where it is declared to be refused."""

    shortest = 0


@mutant("empty", caught_by="length_0_gives_h_0", needs={"lengths", "h_n"})
class LengthZeroGivesStateOfLastStep(Permissive):
    """The state of a row of length 0 is read at index -1, the last step."""

    def last(self, states: Array, h_0: Array, steps: Lengths, d: int) -> Array:
        if not len(states):
            return h_0
        return Recurrence.last(self, states, h_0, steps, d)
