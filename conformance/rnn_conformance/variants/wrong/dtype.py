"""Results of another dtype than the inputs."""

from collections.abc import Mapping

import numpy as np

from rnn_conformance.contract.call import Answer, Array, Call, Lengths, Options
from rnn_conformance.variants.per_call import PerCall
from rnn_conformance.variants.recurrence import Recurrence, real
from rnn_conformance.variants.wrong.registry import mutant

Weights = Mapping[str, Array]
FLOAT32 = frozenset({"float32"})
FLOAT64 = frozenset({"float64"})


@mutant(
    "dtype",
    caught_by="shape_and_dtype",
    shipped_in="MartinuzziFrancesco/LuxRecurrentLayers.jl#29",
    needs=FLOAT32,
)
class OutputInFloat64(Recurrence):
    """A float64 number in the cell makes the output of a float32 call float64."""

    def laid_out(self, call: Call, steps: Array) -> Array:
        return super().laid_out(call, steps).astype(np.float64)


@mutant("dtype", caught_by="shape_and_dtype", needs=FLOAT32 | {"h_n"})
class FinalStateInFloat64(Recurrence):
    """Only h_n of a float32 call is float64."""

    def stacked(self, h_n: list[Array], o: Options) -> Array:
        return super().stacked(h_n, o).astype(np.float64)


@mutant("dtype", caught_by="shape_and_dtype", needs=FLOAT64)
class OutputAlwaysFloat32(Recurrence):
    """The output of a float64 call is float32."""

    def answer(self, call: Call, output: Array, h_n: Array) -> Answer:
        return super().answer(call, output.astype(np.float32), h_n)


@mutant("dtype", caught_by="shape_and_dtype", needs=FLOAT32)
class OmittedStatePromotes(Recurrence):
    """An omitted h_0 is float64 zeros, and so is all that follows from it."""

    def initial(self, call: Call, x: Array) -> Array:
        right = super().initial(call, x)
        return right.astype(np.float64) if call.h_0 is None else right

    def layer_output(self, x: Array, steps: Lengths, layer: int, o: Options) -> Array:
        return np.where(real(x, steps), x, 0)


@mutant(
    "dtype",
    caught_by="shape_and_dtype",
    shipped_in="tensorflow/tensorflow#35466",
    needs=FLOAT64,
)
class OmittedStateInFloat32(Recurrence):
    """An omitted h_0 is float32 zeros, and the state keeps their dtype."""

    def step(self, call: Call, w: Weights, x: Array, h: Array) -> Array:
        new = super().step(call, w, x, h)
        return new.astype(np.float32) if call.h_0 is None else new


@mutant(
    "dtype",
    caught_by="shape_and_dtype",
    shipped_in="keras-team/keras#1243",
    needs=FLOAT32 | {"lengths"},
)
class LengthsPromote(PerCall):
    """An integer mask made of the lengths turns a float32 output into float64."""

    def layer_output(self, x: Array, steps: Lengths, layer: int, o: Options) -> Array:
        right = super().layer_output(x, steps, layer, o)
        mask = real(x, steps).astype(np.int64)
        last = layer == o.num_layers - 1
        return right * mask if last and self.call.lengths is not None else right
