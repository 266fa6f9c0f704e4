"""Wrong readouts."""

import numpy as np

from rnn_conformance.mutants.registry import mutant
from rnn_conformance.protocol import Answer, Array, Call
from rnn_conformance.recurrence import Recurrence, Weights


@mutant("readout", caught_by="outputs")
class ReadoutBiasDropped(Recurrence):
    """b_ho is not added."""

    def readout(self, w: Weights, h: Array) -> Array:
        return super().readout(w, h) - w["b_ho"].T


@mutant("readout", caught_by="outputs")
class ReadoutActivated(Recurrence):
    """The output goes through tanh."""

    def readout(self, w: Weights, h: Array) -> Array:
        return np.tanh(super().readout(w, h))


@mutant("readout", caught_by="outputs")
class SquareReadoutTransposed(Recurrence):
    """W_ho is used transposed where its shape allows it."""

    def readout(self, w: Weights, h: Array) -> Array:
        W = w["W_ho"]
        return super().readout({**w, "W_ho": W.T if W.shape[0] == W.shape[1] else W}, h)


@mutant("readout", caught_by="outputs")
class ReadoutOneStepLate(Recurrence):
    """Every output is the readout of the state before the step."""

    def answer(self, call: Call, states: list[Array], outputs: list[Array]) -> Answer:
        first = self.readout(call.weights, self.initial(call, len(states[0])))
        return super().answer(call, states, [first, *outputs[:-1]])


@mutant("readout", caught_by="outputs")
class LastOutputRepeated(Recurrence):
    """Every output is that of the last step."""

    def answer(self, call: Call, states: list[Array], outputs: list[Array]) -> Answer:
        return super().answer(call, states, [outputs[-1]] * len(outputs))
