"""Results of another dtype than the inputs, and what is wrong in float16 or bfloat16 alone."""

import numpy as np

from rnn_conformance.contract.call import Answer, Array, Call, Lengths, Options
from rnn_conformance.variants.per_call import PerCall
from rnn_conformance.variants.recurrence import Recurrence, Weights, real
from rnn_conformance.variants.wrong.registry import mutant


@mutant(
    "dtype",
    "float32",
    caught_by="shape_and_dtype",
    shipped_in="MartinuzziFrancesco/LuxRecurrentLayers.jl#29",
)
class OutputInFloat64(Recurrence):
    """A float64 number in the cell makes the output of a float32 call float64."""

    def laid_out(self, call: Call, steps: Array) -> Array:
        return super().laid_out(call, steps).astype(np.float64)


@mutant("dtype", "float32", "h_n", caught_by="shape_and_dtype")
class FinalStateInFloat64(Recurrence):
    """Only h_n of a float32 call is float64."""

    def stacked(self, h_n: list[Array], o: Options) -> Array:
        return super().stacked(h_n, o).astype(np.float64)


@mutant("dtype", "float64", caught_by="shape_and_dtype")
class OutputAlwaysFloat32(Recurrence):
    """The output of a float64 call is float32."""

    def answer(self, call: Call, output: Array, h_n: Array) -> Answer:
        return super().answer(call, output.astype(np.float32), h_n)


@mutant("dtype", "float32", caught_by="shape_and_dtype")
class OmittedStatePromotes(Recurrence):
    """An omitted h_0 is float64 zeros, and so is all that follows from it."""

    def initial(self, call: Call, x: Array) -> Array:
        right = super().initial(call, x)
        return right.astype(np.float64) if call.h_0 is None else right

    def layer_output(self, x: Array, steps: Lengths, layer: int, o: Options) -> Array:
        return np.where(real(x, steps), x, 0)


@mutant("dtype", "float64", caught_by="shape_and_dtype", shipped_in="tensorflow/tensorflow#35466")
class OmittedStateInFloat32(Recurrence):
    """An omitted h_0 is float32 zeros, and the state keeps their dtype."""

    def step(self, call: Call, w: Weights, x: Array, h: Array) -> Array:
        new = super().step(call, w, x, h)
        return new.astype(np.float32) if call.h_0 is None else new


@mutant(
    "dtype", "float32", "lengths", caught_by="shape_and_dtype", shipped_in="keras-team/keras#1243"
)
class LengthsPromote(PerCall):
    """An integer mask made of the lengths turns a float32 output into float64."""

    def layer_output(self, x: Array, steps: Lengths, layer: int, o: Options) -> Array:
        right = super().layer_output(x, steps, layer, o)
        mask = real(x, steps).astype(np.int64)
        last = layer == o.num_layers - 1
        return right * mask if last and self.call.lengths is not None else right


@mutant("precision", "bfloat16", caught_by="output")
class RecurrentBiasDroppedInBfloat16(Recurrence):
    """In bfloat16, b_hh is not added."""

    def cell(self, call: Call, layer: int, d: int) -> Weights:
        cell = super().cell(call, layer, d)
        return {**cell, "b_hh": np.zeros_like(cell["b_hh"])} if call.bfloat16 else cell


@mutant("activation", "float16", "relu", caught_by="output")
class TanhForReluInFloat16(Recurrence):
    """In float16, relu is computed as tanh."""

    def activation(self, call: Call, a: Array) -> Array:
        tanh: Array = np.tanh(a)
        return tanh if call.dtype == np.float16 else super().activation(call, a)


@mutant("dtype", "float16", "h_n", caught_by="shape_and_dtype")
class FinalStatePromotedFromFloat16(Recurrence):
    """Of a float16 call, h_n is float32."""

    def answer(self, call: Call, output: Array, h_n: Array) -> Answer:
        wide = h_n.astype(np.float32) if call.dtype == np.float16 else h_n
        return super().answer(call, output, wide)


@mutant("dtype", "bfloat16", caught_by="shape_and_dtype")
class Bfloat16NotRounded(Recurrence):
    """In bfloat16, results keep all the bits that float32 has."""

    def in_format(self, call: Call, values: Array) -> Array:
        return values
