"""Wrong precision: narrower than claimed, somewhere."""

import numpy as np

from rnn_conformance.contract.call import Array, Call, Lengths, Options
from rnn_conformance.variants.recurrence import Recurrence, Weights
from rnn_conformance.variants.wrong.registry import mutant

BFLOAT16, FLOAT16, TF32 = 8, 11, 11  # bits of significand


@mutant("precision", "float64", caught_by="output", shipped_in="elixir-nx/axon#646")
class Float64InFloat32(Recurrence):
    """The states of a float64 call are stored in float32."""

    def step(self, call: Call, w: Weights, x: Array, h: Array) -> Array:
        return super().step(call, w, x, h).astype(np.float32).astype(x.dtype)


@mutant("precision", "float64", caught_by="output", shipped_in="elixir-nx/axon#646")
class Float64ComputedInFloat32(Recurrence):
    """A float64 call is computed in float32."""

    def step(self, call: Call, w: Weights, x: Array, h: Array) -> Array:
        narrow = {name: value.astype(np.float32) for name, value in w.items()}
        new = super().step(call, narrow, x.astype(np.float32), h.astype(np.float32))
        return new.astype(x.dtype)


@mutant("precision", caught_by="output", shipped_in="microsoft/onnxruntime#20338")
class ProductsInTF32(Recurrence):
    """The factors of every product are rounded to the 11 bits of TF32."""

    def preactivation(self, w: Weights, x: Array, h: Array) -> Array:
        narrow = {n: rounded(v, TF32) if n.startswith("W") else v for n, v in w.items()}
        return super().preactivation(narrow, rounded(x, TF32), rounded(h, TF32))


@mutant("precision", caught_by="output")
class StateInBfloat16(Recurrence):
    """The state is read in bfloat16, while the results are not rounded."""

    def preactivation(self, w: Weights, x: Array, h: Array) -> Array:
        return super().preactivation(w, x, rounded(h, BFLOAT16))


@mutant("precision", caught_by="output")
class StateRoundedToBfloat16(Recurrence):
    """Every new state is rounded to bfloat16, so that the results are."""

    def step(self, call: Call, w: Weights, x: Array, h: Array) -> Array:
        return rounded(super().step(call, w, x, h), BFLOAT16)


@mutant("precision", caught_by="output")
class StateInFloat16(Recurrence):
    """The state is read with the 11 bits of float16, while the results are not rounded."""

    def preactivation(self, w: Weights, x: Array, h: Array) -> Array:
        return super().preactivation(w, x, rounded(h, FLOAT16))


@mutant("precision", caught_by="output")
class PreactivationInBfloat16(Recurrence):
    """The sum before the activation is rounded to bfloat16."""

    def activation(self, call: Call, a: Array) -> Array:
        return super().activation(call, rounded(a, BFLOAT16))


@mutant("precision", caught_by="negated", of="plain")
class StateTruncatedDownwards(Recurrence):
    """The state is rounded to the 11 bits of float16, always downwards."""

    def step(self, call: Call, w: Weights, x: Array, h: Array) -> Array:
        mantissa, exponent = np.frexp(super().step(call, w, x, h))
        down: Array = np.ldexp(np.floor(np.ldexp(mantissa, 11)), exponent - 11)
        return down.astype(x.dtype)


@mutant("precision", "layers", caught_by="chain_of_layers")
class HandedOnInFloat16(Recurrence):
    """What one layer hands to the next is rounded to float16."""

    def layer_output(self, x: Array, steps: Lengths, layer: int, o: Options) -> Array:
        right = super().layer_output(x, steps, layer, o)
        return right if layer == o.num_layers - 1 else right.astype(np.float16).astype(x.dtype)


@mutant("precision", "h_n", caught_by="final_state")
class FinalStateInFloat16(Recurrence):
    """h_n is rounded to float16, the output is not."""

    def last(self, states: Array, h_0: Array, steps: Lengths, d: int) -> Array:
        return super().last(states, h_0, steps, d).astype(np.float16).astype(states.dtype)


@mutant("precision", "h_0", caught_by="output")
class InitialStateInFloat16(Recurrence):
    """h_0 is rounded to float16."""

    def initial(self, call: Call, x: Array) -> Array:
        return super().initial(call, x).astype(np.float16).astype(x.dtype)


@mutant("precision", caught_by="output")
class BiasesInBfloat16(Recurrence):
    """The sum of the biases is kept in bfloat16."""

    def cell(self, call: Call, layer: int, d: int) -> Weights:
        w = super().cell(call, layer, d)
        return {**w, "b_ih": rounded(w["b_ih"] + w["b_hh"], BFLOAT16), "b_hh": 0 * w["b_hh"]}


@mutant("precision", caught_by="powers_of_two")
class WeightsInFixedPoint(Recurrence):
    """W_ih is kept in fixed point: fine for numbers about 1, and coarse for small ones."""

    def cell(self, call: Call, layer: int, d: int) -> Weights:
        w = super().cell(call, layer, d)
        grid = np.finfo(call.dtype).eps / 16
        return {**w, "W_ih": (np.rint(w["W_ih"] / grid) * grid).astype(call.dtype)}


@mutant("precision", caught_by="powers_of_two")
class InputsClipped(Recurrence):
    """The inputs are clipped to [-100, 100]."""

    def rows(self, call: Call) -> Array:
        return np.clip(super().rows(call), -100, 100)


@mutant("precision", caught_by="output")
class InputsClippedAt6(Recurrence):
    """The inputs are clipped to [-6, 6]."""

    def rows(self, call: Call) -> Array:
        return np.clip(super().rows(call), -6, 6)


@mutant("precision", caught_by="powers_of_two")
class InputsClippedAtAMillion(Recurrence):
    """The inputs are clipped to [-1e6, 1e6]."""

    def rows(self, call: Call) -> Array:
        return np.clip(super().rows(call), -1e6, 1e6)


@mutant("precision", caught_by="powers_of_two")
class TinyInputsFlushed(Recurrence):
    """Inputs below 1e-8 in size are taken for zeros."""

    least = 1e-8

    def rows(self, call: Call) -> Array:
        x = super().rows(call)
        return np.where(np.abs(x) < self.least, 0, x).astype(x.dtype)


@mutant("precision", caught_by="powers_of_two")
class TiniestInputsFlushed(TinyInputsFlushed):
    """Inputs below 1e-30 in size are taken for zeros."""

    least = 1e-30


@mutant("precision", caught_by="powers_of_two")
class SmallWeightsDropped(Recurrence):
    """Weights below 1e-5 in size are taken for zeros."""

    def cell(self, call: Call, layer: int, d: int) -> Weights:
        w = super().cell(call, layer, d)
        small = np.abs(w["W_ih"]) < 1e-5
        return {**w, "W_ih": np.where(small, 0, w["W_ih"]).astype(call.dtype)}


def rounded(values: Array, bits: int) -> Array:
    """`values` with so many bits of significand, rounded to nearest, in their own dtype."""
    mantissa, exponent = np.frexp(values)
    result: Array = np.ldexp(np.rint(np.ldexp(mantissa, bits)), exponent - bits)
    return result.astype(values.dtype)
