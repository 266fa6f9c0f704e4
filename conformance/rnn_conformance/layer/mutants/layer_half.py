"""Wrong in float16 or bfloat16 alone, which have kernels of their own."""

from collections.abc import Mapping

import numpy as np

from rnn_conformance.layer.call import LayerAnswer, LayerCall
from rnn_conformance.layer.mutants.registry import mutant
from rnn_conformance.layer.recurrence import LayerRecurrence
from rnn_conformance.protocol import Array


@mutant("precision", caught_by="layer_output", needs={"bfloat16"})
class RecurrentBiasDroppedInBfloat16(LayerRecurrence):
    """In bfloat16, b_hh is not added."""

    def cell(self, call: LayerCall, layer: int, d: int) -> Mapping[str, Array]:
        cell = super().cell(call, layer, d)
        return {**cell, "b_hh": np.zeros_like(cell["b_hh"])} if call.bfloat16 else cell


@mutant("activation", caught_by="layer_output", needs={"float16", "relu"})
class TanhForReluInFloat16(LayerRecurrence):
    """In float16, relu is computed as tanh."""

    def activation(self, call: LayerCall, a: Array) -> Array:
        tanh: Array = np.tanh(a)
        return tanh if call.dtype == np.float16 else super().activation(call, a)


@mutant("dtype", caught_by="layer_shape_and_dtype", needs={"float16"})
class FinalStatePromotedFromFloat16(LayerRecurrence):
    """Of a float16 call, h_n is float32."""

    def answer(self, call: LayerCall, output: Array, h_n: Array) -> LayerAnswer:
        wide = h_n.astype(np.float32) if call.dtype == np.float16 else h_n
        return super().answer(call, output, wide)


@mutant("dtype", caught_by="layer_shape_and_dtype", needs={"bfloat16"})
class Bfloat16NotRounded(LayerRecurrence):
    """In bfloat16, results keep all the bits that float32 has."""

    def in_format(self, call: LayerCall, values: Array) -> Array:
        return values
