"""Wrong layers inside a stack, which only ordinary weights, many units or many steps show."""

from functools import partial

import numpy as np

from rnn_conformance.contract.call import Array, Call, Lengths
from rnn_conformance.variants.per_call import PerCall
from rnn_conformance.variants.recurrence import Weights
from rnn_conformance.variants.wrong.precision import BFLOAT16, TF32, rounded
from rnn_conformance.variants.wrong.registry import mutant

inner = partial(mutant, "inner", "layers")
LATE = 20  # steps, after which something changes
BLOCK = 16  # units


class _Inside(PerCall):
    """Knows which layer and direction it computes."""

    def cell(self, call: Call, layer: int, d: int) -> Weights:
        self.layer, self.d = layer, d
        return super().cell(call, layer, d)

    @property
    def below_the_last(self) -> bool:
        return self.layer < self.call.options.num_layers - 1

    @property
    def in_blocks(self) -> bool:
        """Whether the units come in whole blocks, for which kernels may be others."""
        return self.call.options.hidden_size % BLOCK == 0


@inner(caught_by="output")
class MiddleProductsInTF32(_Inside):
    """Units in blocks of 16, between the first layer and the last: products have TF32's 11 bits."""

    def preactivation(self, w: Weights, x: Array, h: Array) -> Array:
        if self.layer == 0 or not (self.below_the_last and self.in_blocks):
            return super().preactivation(w, x, h)
        narrow = {n: rounded(v, TF32) if n.startswith("W") else v for n, v in w.items()}
        return super().preactivation(narrow, rounded(x, TF32), rounded(h, TF32))


@inner("bidirectional", caught_by="output")
class UpperReverseInFewerBits(_Inside):
    """Units in blocks of 16, the reverse direction above the first layer: sums have 14 bits."""

    def preactivation(self, w: Weights, x: Array, h: Array) -> Array:
        right = super().preactivation(w, x, h)
        return rounded(right, 14) if self.layer and self.d and self.in_blocks else right


@inner(caught_by="output")
class InnerStateInBfloat16AfterManySteps(_Inside):
    """Units in blocks of 16, below the last layer: bfloat16 states from the 20th step on."""

    def direction(self, call: Call, w: Weights, x: Array, h: Array) -> Array:
        if not (self.below_the_last and self.in_blocks):
            return super().direction(call, w, x, h)
        states = []
        for t, step in enumerate(x):
            h = self.in_format(call, self.step(call, w, step, h))
            h = h if t < LATE else rounded(h, BFLOAT16)
            states.append(h)
        return np.stack(states)


@inner("tanh", caught_by="output")
class UpperTanhClamped(_Inside):
    """Above the first layer, tanh ends at 0.9999 and -0.9999."""

    def activation(self, call: Call, a: Array) -> Array:
        right, end = super().activation(call, a), a.dtype.type(0.9999)
        clamped = self.layer and call.options.cell != "relu"
        return np.clip(right, -end, end) if clamped else right


@inner(caught_by="output", of="gated")
class UpperGatedTanhClamped(UpperTanhClamped):
    """Above the first layer, each tanh of a step ends at 0.9999 and -0.9999."""


@inner(caught_by="output")
class UpperStateWeightsClipped(_Inside):
    """Above the first layer, W_hh is clipped to [-2, 2]."""

    def cell(self, call: Call, layer: int, d: int) -> Weights:
        w = super().cell(call, layer, d)
        return {**w, "W_hh": np.clip(w["W_hh"], -2, 2)} if layer else w


@inner(caught_by="output", of="gated")
class UpperGatesCut(_Inside):
    """Above the first layer, σ(a) is 0 or 1 where |a| is above 5."""

    def gate(self, a: Array) -> Array:
        right = super().gate(a)
        return np.where(np.abs(a) > 5, np.rint(right), right) if self.layer else right


@inner("h_n", caught_by="final_state")
class FinalInnerStateOfAnEarlyStep(_Inside):
    """Units in blocks of 16, below the last layer: h_n is the state after 20 steps of more."""

    def last(self, states: Array, h_0: Array, steps: Lengths, d: int) -> Array:
        early = self.below_the_last and self.in_blocks
        return super().last(states, h_0, np.minimum(steps, LATE) if early else steps, d)
