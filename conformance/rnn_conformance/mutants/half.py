"""Wrong in float16 or bfloat16 alone, which have kernels of their own."""

from dataclasses import replace

import numpy as np

from rnn_conformance.mutants.registry import mutant
from rnn_conformance.protocol import Answer, Array, Call
from rnn_conformance.recurrence import Recurrence, Weights


@mutant("precision", caught_by="hidden_states")
class RecurrentBiasDroppedInBfloat16(Recurrence):
    """In bfloat16, b_hh is not added."""

    def run(self, call: Call) -> Answer:
        unused = {"b_hh": np.zeros_like(call.weights["b_hh"])} if call.bfloat16 else {}
        return super().run(replace(call, weights={**call.weights, **unused}))


@mutant("precision", caught_by="outputs")
class ReadoutReversedInFloat16(Recurrence):
    """In float16, the readout takes the units of h_t in reverse order."""

    def readout(self, w: Weights, h: Array) -> Array:
        return super().readout(w, h[:, ::-1] if h.dtype == np.float16 else h)


@mutant("dtype", caught_by="shape_and_dtype")
class Bfloat16NotRounded(Recurrence):
    """In bfloat16, results keep all the bits that float32 has."""

    def in_format(self, call: Call, values: Array) -> Array:
        return values


@mutant("dtype", caught_by="shape_and_dtype")
class Float16Promoted(Recurrence):
    """In float16, the outputs are float32."""

    def answer(self, call: Call, states: list[Array], outputs: list[Array]) -> Answer:
        if call.dtype == np.float16:
            outputs = [y.astype(np.float32) for y in outputs]
        return super().answer(call, states, outputs)
