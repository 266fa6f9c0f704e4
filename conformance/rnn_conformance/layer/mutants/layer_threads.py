"""Wrong when several threads call at once: what belongs to a call is kept in the layer."""

from collections.abc import Mapping
from time import sleep

import numpy as np

from rnn_conformance.layer.call import LayerAnswer, LayerCall
from rnn_conformance.layer.mutants.registry import mutant
from rnn_conformance.layer.recurrence import LayerRecurrence
from rnn_conformance.protocol import Array

Weights = Mapping[str, Array]
PAUSE = 1e-3  # seconds, in which another thread has its turn


@mutant("threads", caught_by="threads", shipped_in="clab/dynet#1335")
class StateInTheLayer(LayerRecurrence):
    """The state between two steps is kept in the layer, which all threads share."""

    h: Array

    def direction(self, call: LayerCall, w: Weights, x: Array, h: Array) -> Array:
        self.h = h
        sleep(PAUSE)
        return super().direction(call, w, x, self.h)


@mutant("threads", caught_by="threads")
class WeightsInTheLayer(LayerRecurrence):
    """The weights of a call are kept in the layer, which all threads share."""

    w: Weights

    def cell(self, call: LayerCall, layer: int, d: int) -> Weights:
        self.w = super().cell(call, layer, d)
        sleep(PAUSE)
        return self.w


@mutant("threads", caught_by="threads")
class InputsInTheLayer(LayerRecurrence):
    """The inputs of a call are copied to memory of the layer, which all threads share."""

    x: Array

    def rows(self, call: LayerCall) -> Array:
        self.x = super().rows(call).copy()
        sleep(PAUSE)
        return self.x


@mutant("threads", caught_by="threads")
class StepsInTheLayer(LayerRecurrence):
    """How many steps a call has is kept in the layer, which all threads share."""

    T = 0

    def rows(self, call: LayerCall) -> Array:
        x = super().rows(call)
        self.T = len(x)
        sleep(PAUSE)
        return x

    def direction(self, call: LayerCall, w: Weights, x: Array, h: Array) -> Array:
        return super().direction(call, w, x[: self.T], h)


@mutant("threads", caught_by="threads", needs={"h_0"})
class OmissionInTheLayer(LayerRecurrence):
    """Whether h_0 is omitted is kept in the layer, which all threads share."""

    omitted = False

    def initial(self, call: LayerCall, x: Array) -> Array:
        right = super().initial(call, x)
        self.omitted = call.h_0 is None
        sleep(PAUSE)
        return np.zeros_like(right) if self.omitted else right


@mutant("threads", caught_by="threads")
class RefusesASecondThread(LayerRecurrence):
    """A call fails while another one is at work."""

    busy = False

    def run_layer(self, call: LayerCall) -> LayerAnswer:
        if self.busy:
            raise RuntimeError("a call is at work")
        self.busy = True
        sleep(PAUSE)
        try:
            return super().run_layer(call)
        finally:
            self.busy = False
