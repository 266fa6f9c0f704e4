"""Wrong when several threads call at once: what belongs to a call is kept in the layer."""

from time import sleep

import numpy as np

from rnn_conformance.contract.call import Answer, Array, Call
from rnn_conformance.variants.recurrence import Recurrence, Weights
from rnn_conformance.variants.wrong.calls import Remembers, sizes_of
from rnn_conformance.variants.wrong.registry import mutant

PAUSE = 1e-3  # seconds, in which another thread has its turn


@mutant("threads", caught_by="threads")
class SumsInOneArray(Remembers):
    """Calls of the same sizes share an array for their sums."""

    def preactivation(self, w: Weights, x: Array, h: Array) -> Array:
        a = super().preactivation(w, x, h)
        shared: Array = self.kept.setdefault(sizes_of(a), np.empty_like(a))
        shared[...] = a
        return shared


@mutant("threads", caught_by="threads", shipped_in="clab/dynet#1335")
class StateInTheLayer(Recurrence):
    """The state between two steps is kept in the layer, which all threads share."""

    def direction(self, call: Call, w: Weights, x: Array, h: Array) -> Array:
        self.h = h
        sleep(PAUSE)
        return super().direction(call, w, x, self.h)


@mutant("threads", caught_by="threads")
class WeightsInTheLayer(Recurrence):
    """The weights of a call are kept in the layer, which all threads share."""

    def cell(self, call: Call, layer: int, d: int) -> Weights:
        self.w = super().cell(call, layer, d)
        sleep(PAUSE)
        return self.w


@mutant("threads", caught_by="threads")
class InputsInTheLayer(Recurrence):
    """The inputs of a call are copied to memory of the layer, which all threads share."""

    def rows(self, call: Call) -> Array:
        self.x = super().rows(call).copy()
        sleep(PAUSE)
        return self.x


@mutant("threads", caught_by="threads")
class StepsInTheLayer(Recurrence):
    """How many steps a call has is kept in the layer, which all threads share."""

    def rows(self, call: Call) -> Array:
        x = super().rows(call)
        self.T = len(x)
        sleep(PAUSE)
        return x

    def direction(self, call: Call, w: Weights, x: Array, h: Array) -> Array:
        return super().direction(call, w, x[: self.T], h)


@mutant("threads", "h_0", caught_by="threads")
class OmissionInTheLayer(Recurrence):
    """Whether h_0 is omitted is kept in the layer, which all threads share."""

    def initial(self, call: Call, x: Array) -> Array:
        right = super().initial(call, x)
        self.omitted = call.h_0 is None
        sleep(PAUSE)
        return np.zeros_like(right) if self.omitted else right


@mutant("threads", caught_by="threads")
class RefusesASecondThread(Recurrence):
    """A call fails while another one is at work."""

    busy = False

    def run(self, call: Call) -> Answer:
        if self.busy:
            raise RuntimeError("a call is at work")
        self.busy = True
        sleep(PAUSE)
        try:
            return super().run(call)
        finally:
            self.busy = False
