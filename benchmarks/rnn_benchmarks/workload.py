"""The weights and inputs of a point: drawn once, the same for every line."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from rnn_reference.weights import Array, weight_shapes

from rnn_benchmarks.grid import OUTPUT_SIZE, Point

SEED = 20240229

# The largest sum of |W_hh| along a row. Below 1 the recurrence forgets what rounding did to it, so
# right lines agree over the whole trajectory, however they order their sums. Speed does not depend
# on it: no line branches on the numbers.
CONTRACTION = 0.5


@dataclass(frozen=True)
class Workload:
    """The six weights by name, biases as columns, and inputs (T, B, I)."""

    weights: Mapping[str, Array]
    inputs: Array


def draw(point: Point, output_size: int = OUTPUT_SIZE) -> Workload:
    """Inputs, pre-activations and outputs of unit size, and a contractive W_hh.

    Drawn in float64 and then rounded, so that both dtypes of a point get the same numbers.
    """
    rng = np.random.default_rng((SEED, point.T, point.B, point.I, point.H))
    weights = {
        name: rng.standard_normal(shape) / np.sqrt(shape[1])
        for name, shape in weight_shapes(point.I, point.H, output_size).items()
    }
    weights["W_hh"] *= CONTRACTION / np.abs(weights["W_hh"]).sum(axis=1).max()
    # Uniform, so that the largest input, and with it the bound on disagreement, stays small.
    inputs = rng.uniform(-np.sqrt(3), np.sqrt(3), size=(point.T, point.B, point.I))
    return Workload(
        weights={name: weight.astype(point.dtype) for name, weight in weights.items()},
        inputs=inputs.astype(point.dtype),
    )
