"""The weights and inputs of a point: drawn once, the same for every line."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from rnn_reference.weights import Array, weight_shapes

from rnn_benchmarks.choices import OUTPUT_SIZE, Point

SEED = 20240229
# The largest sum of |W_hh| along a row. Below 1 the recurrence forgets rounding errors, so right
# lines agree over the whole trajectory. Speed does not depend on it.
CONTRACTION = 0.5


@dataclass(frozen=True)
class Workload:
    """The six weights by name, biases as columns, and inputs (T, B, I)."""

    weights: Mapping[str, Array]
    inputs: Array


def draw(point: Point) -> Workload:
    """Inputs and pre-activations of unit size, drawn in float64 and then rounded to the dtype."""
    rng = np.random.default_rng((SEED, point.T, point.B, point.I, point.H))
    weights = {
        name: rng.standard_normal(shape) / np.sqrt(shape[1])
        for name, shape in weight_shapes(point.I, point.H, OUTPUT_SIZE).items()
    }
    weights["W_hh"] *= CONTRACTION / np.abs(weights["W_hh"]).sum(axis=1).max()
    inputs = rng.standard_normal((point.T, point.B, point.I))
    return Workload(
        {name: weight.astype(point.dtype) for name, weight in weights.items()},
        inputs.astype(point.dtype),
    )
