"""A right implementation in small pieces, so that a variant can replace exactly one of them."""

from collections.abc import Iterable, Mapping

import numpy as np

from rnn_conformance.formats import bfloat16
from rnn_conformance.protocol import EVERYTHING, Answer, Array, Call, Claims

Weights = Mapping[str, Array]


class Recurrence:
    """The recurrence over a batch, a row a sequence, in all layouts and dtypes.

    `run` is the order of events; every other method is one thing that can be done otherwise.
    """

    name = "Recurrence"
    claims: Claims = EVERYTHING

    def run(self, call: Call) -> Answer:
        weights = self.weights(call.weights)
        inputs = self.rows(call)
        h = self.initial(call, inputs.shape[1])
        states: list[Array] = []
        for t in self.steps(inputs):
            h = self.in_format(call, self.step(weights, inputs[t], h))
            states.append(h)
        outputs = [self.in_format(call, self.readout(weights, h)) for h in states]
        return self.answer(call, states, outputs)

    def in_format(self, call: Call, values: Array) -> Array:
        """A result of the dtype that NumPy lacks, computed in float32 and rounded once."""
        return bfloat16(values) if call.bfloat16 else values

    def weights(self, weights: Weights) -> Weights:
        return weights

    def rows(self, call: Call) -> Array:
        """The inputs as (T, B, I)."""
        if call.layout == "single":
            return call.inputs[:, np.newaxis]
        return call.inputs.swapaxes(0, 1) if call.layout == "batch_first" else call.inputs

    def initial(self, call: Call, batch_size: int) -> Array:
        """h_0 as (B, H)."""
        if call.h_0 is None:
            return np.zeros((batch_size, len(call.weights["W_hh"])), call.dtype)
        return np.atleast_2d(call.h_0)

    def steps(self, inputs: Array) -> Iterable[int]:
        return range(len(inputs))

    def step(self, w: Weights, x: Array, h: Array) -> Array:
        """(B, H) from (B, I) and (B, H)."""
        return self.activation(self.preactivation(w, x, h))

    def preactivation(self, w: Weights, x: Array, h: Array) -> Array:
        return x @ w["W_xh"].T + w["b_xh"].T + h @ w["W_hh"].T + w["b_hh"].T

    def activation(self, a: Array) -> Array:
        return np.tanh(a)

    def readout(self, w: Weights, h: Array) -> Array:
        """(B, O) from (B, H)."""
        return h @ w["W_ho"].T + w["b_ho"].T

    def answer(self, call: Call, states: list[Array], outputs: list[Array]) -> Answer:
        """The results of all steps, (B, H) and (B, O) each, in the layout of the call."""
        h_n = states[-1].copy()
        return Answer(
            self.laid_out(call, np.stack(states)),
            h_n[0] if call.layout == "single" else h_n,
            self.laid_out(call, np.stack(outputs)),
        )

    def laid_out(self, call: Call, array: Array) -> Array:
        """(T, B, n) in the layout of the call."""
        if call.layout == "single":
            return array[:, 0]
        return array.swapaxes(0, 1) if call.layout == "batch_first" else array
