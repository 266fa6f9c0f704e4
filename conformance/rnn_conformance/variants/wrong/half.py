"""Wrong in float16 or bfloat16 alone, which have kernels of their own."""

from collections.abc import Mapping

import numpy as np

from rnn_conformance.contract.call import Answer, Array, Call
from rnn_conformance.variants.recurrence import Recurrence
from rnn_conformance.variants.wrong.registry import mutant


@mutant("precision", caught_by="output", needs={"bfloat16"})
class RecurrentBiasDroppedInBfloat16(Recurrence):
    """In bfloat16, b_hh is not added."""

    def cell(self, call: Call, layer: int, d: int) -> Mapping[str, Array]:
        cell = super().cell(call, layer, d)
        return {**cell, "b_hh": np.zeros_like(cell["b_hh"])} if call.bfloat16 else cell


@mutant("activation", caught_by="output", needs={"float16", "relu"})
class TanhForReluInFloat16(Recurrence):
    """In float16, relu is computed as tanh."""

    def activation(self, call: Call, a: Array) -> Array:
        tanh: Array = np.tanh(a)
        return tanh if call.dtype == np.float16 else super().activation(call, a)


@mutant("dtype", caught_by="shape_and_dtype", needs={"float16", "h_n"})
class FinalStatePromotedFromFloat16(Recurrence):
    """Of a float16 call, h_n is float32."""

    def answer(self, call: Call, output: Array, h_n: Array) -> Answer:
        wide = h_n.astype(np.float32) if call.dtype == np.float16 else h_n
        return super().answer(call, output, wide)


@mutant("dtype", caught_by="shape_and_dtype", needs={"bfloat16"})
class Bfloat16NotRounded(Recurrence):
    """In bfloat16, results keep all the bits that float32 has."""

    def in_format(self, call: Call, values: Array) -> Array:
        return values
