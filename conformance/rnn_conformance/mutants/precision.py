"""Wrong precision: narrower than claimed, or another dtype."""

import numpy as np

from rnn_conformance.mutants.registry import mutant
from rnn_conformance.protocol import Answer, Array, Call
from rnn_conformance.recurrence import Recurrence, Weights


def rounded(values: Array, bits: int) -> Array:
    """`values` with so many bits of significand, rounded to nearest, in their own dtype."""
    mantissa, exponent = np.frexp(values)
    result: Array = np.ldexp(np.rint(np.ldexp(mantissa, bits)), exponent - bits)
    return result.astype(values.dtype)


@mutant("precision", caught_by="hidden_states", shipped_in="elixir-nx/axon#646")
class Float64InFloat32(Recurrence):
    """A float64 call is computed in float32."""

    def step(self, w: Weights, x: Array, h: Array) -> Array:
        narrow = {name: value.astype(np.float32) for name, value in w.items()}
        new = super().step(narrow, x.astype(np.float32), h.astype(np.float32))
        return new.astype(x.dtype)


@mutant("precision", caught_by="hidden_states")
class StateInBfloat16(Recurrence):
    """The state is kept in bfloat16 between steps."""

    def step(self, w: Weights, x: Array, h: Array) -> Array:
        return super().step(w, x, rounded(h, 8))


@mutant("precision", caught_by="hidden_states")
class StateInFloat16(Recurrence):
    """The state is kept with the 11 bits of float16 between steps."""

    def step(self, w: Weights, x: Array, h: Array) -> Array:
        return super().step(w, x, rounded(h, 11))


@mutant("precision", caught_by="hidden_states", shipped_in="microsoft/onnxruntime#20338")
class ProductsInTF32(Recurrence):
    """The factors of every product are rounded to the 11 bits of TF32."""

    def preactivation(self, w: Weights, x: Array, h: Array) -> Array:
        narrow = {n: rounded(v, 11) if n.startswith("W") else v for n, v in w.items()}
        return super().preactivation(narrow, rounded(x, 11), rounded(h, 11))


@mutant("precision", caught_by="hidden_states")
class PreactivationInBfloat16(Recurrence):
    """The sum before the activation is rounded to bfloat16."""

    def activation(self, a: Array) -> Array:
        return np.tanh(rounded(a, 8))


@mutant("precision", caught_by="hidden_states")
class TanhWrongInSixthDigit(Recurrence):
    """tanh is too large by a share of 1e-5."""

    def activation(self, a: Array) -> Array:
        return (np.tanh(a) * (1 + 1e-5)).astype(a.dtype)


@mutant(
    "dtype", caught_by="shape_and_dtype", shipped_in="MartinuzziFrancesco/LuxRecurrentLayers.jl#29"
)
class ResultInFloat64(Recurrence):
    """The results of a float32 call are float64."""

    def laid_out(self, call: Call, array: Array) -> Array:
        return super().laid_out(call, array).astype(np.float64)


@mutant("dtype", caught_by="shape_and_dtype")
class FinalStateInFloat64(Recurrence):
    """Only the final state of a float32 call is float64."""

    def answer(self, call: Call, states: list[Array], outputs: list[Array]) -> Answer:
        answer = super().answer(call, states, outputs)
        h_n = None if answer.h_n is None else answer.h_n.astype(np.float64)
        return Answer(answer.hidden_states, h_n, answer.outputs)
