"""Wrong inner layers: off by so little, or so late, that only each of their own steps shows it."""

from functools import partial

import numpy as np

from rnn_conformance.contract.call import Array, Call, Lengths
from rnn_conformance.variants.per_call import PerCall
from rnn_conformance.variants.recurrence import Weights
from rnn_conformance.variants.wrong.precision import BFLOAT16, TF32, rounded
from rnn_conformance.variants.wrong.registry import mutant

inner = partial(mutant, "inner", "layers")
LATE = 20  # steps, after which something changes


class _Inner(PerCall):
    """Knows which layer and direction it computes."""

    def cell(self, call: Call, layer: int, d: int) -> Weights:
        self.layer, self.d = layer, d
        return super().cell(call, layer, d)

    @property
    def below_the_last(self) -> bool:
        return self.layer < self.call.options.num_layers - 1


@inner(caught_by="output")
class MiddleProductsInTF32(_Inner):
    """Between the first layer and the last, the factors of products have the 11 bits of TF32."""

    def preactivation(self, w: Weights, x: Array, h: Array) -> Array:
        if self.layer == 0 or not self.below_the_last:
            return super().preactivation(w, x, h)
        narrow = {n: rounded(v, TF32) if n.startswith("W") else v for n, v in w.items()}
        return super().preactivation(narrow, rounded(x, TF32), rounded(h, TF32))


@inner("bidirectional", caught_by="output")
class UpperReverseInFewerBits(_Inner):
    """The reverse direction of layers above the first rounds its sums to 18 bits."""

    def preactivation(self, w: Weights, x: Array, h: Array) -> Array:
        right = super().preactivation(w, x, h)
        return rounded(right, 18) if self.layer and self.d else right


@inner(caught_by="output")
class InnerStateInBfloat16AfterManySteps(_Inner):
    """Below the last layer, states from the 20th step on are rounded to bfloat16."""

    def direction(self, call: Call, w: Weights, x: Array, h: Array) -> Array:
        right = super().direction(call, w, x[:LATE], h)
        late = [right[-1]]
        for step in x[LATE:]:
            new = self.in_format(call, self.step(call, w, step, late[-1]))
            late.append(rounded(new, BFLOAT16) if self.below_the_last else new)
        return np.concatenate([right, *(state[np.newaxis] for state in late[1:])])


@inner("tanh", caught_by="output")
class InnerTanhClamped(_Inner):
    """Below the last layer, tanh ends at 0.9999 and -0.9999."""

    def activation(self, call: Call, a: Array) -> Array:
        right, end = super().activation(call, a), a.dtype.type(0.9999)
        clamped = self.below_the_last and call.options.cell == "tanh"
        return np.clip(right, -end, end) if clamped else right


@inner("relu", caught_by="output")
class InnerReluClipped(_Inner):
    """Below the last layer, relu ends at 6."""

    def activation(self, call: Call, a: Array) -> Array:
        right = super().activation(call, a)
        clipped = self.below_the_last and call.options.cell == "relu"
        return np.minimum(right, 6) if clipped else right


@inner("float32", caught_by="output")
class InnerTanhOff(_Inner):
    """Below the last layer, a float32 tanh is too large by 1e-5 of itself."""

    def activation(self, call: Call, a: Array) -> Array:
        right = super().activation(call, a)
        off = self.below_the_last and a.dtype == np.float32 and call.options.cell != "relu"
        return right * right.dtype.type(1 + 1e-5) if off else right


@inner("float32", caught_by="output", of="gated")
class InnerSigmoidOff(_Inner):
    """Below the last layer, a float32 σ is too large by 1e-5 of itself."""

    def gate(self, a: Array) -> Array:
        right = super().gate(a)
        off = self.below_the_last and a.dtype == np.float32
        return right * right.dtype.type(1 + 1e-5) if off else right


@inner("h_n", caught_by="final_state")
class FinalInnerStateOfAnEarlyStep(_Inner):
    """Below the last layer, h_n is the state after 20 steps where there are more."""

    def last(self, states: Array, h_0: Array, steps: Lengths, d: int) -> Array:
        early = np.minimum(steps, LATE) if self.below_the_last else steps
        return super().last(states, h_0, early, d)
