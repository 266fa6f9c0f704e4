"""Which points and lines can be timed, and what is drawn for a point: the same for every line.

Needs no torch, so that the options work without it.
"""

from argparse import ArgumentTypeError
from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import product

import numpy as np
from rnn_reference.weights import Array, weight_shapes

DTYPES = ("float32", "float64")
AXES = {"T": (10, 100, 1000), "B": (1, 5, 32, 256), "I": (9, 64, 256), "H": (4, 32, 128, 512)}
OUTPUT_SIZE = 16  # the readout is the smaller part of every line
SEED = 20240229
# The largest sum of |W_hh| along a row. Below 1 the recurrence forgets rounding errors, so right
# lines agree over the whole trajectory. Speed does not depend on it.
CONTRACTION = 0.5

YARDSTICK, OURS, LIMIT = "torch-rnn", "batch-rnn", "floor"
# Every line, by the name that an option takes and the title that a report shows.
TITLES = {
    "single": "SingleSequenceRNN",
    "blackboard": "blackboard loop",
    OURS: "BatchRNN",
    "rnn-cell": "torch.nn.RNNCell",
    YARDSTICK: "torch.nn.RNN",
    "onnxruntime": "ONNX Runtime",
    "jax-scan": "jax lax.scan",
    "numba": "numba",
    LIMIT: "C floor",
}


@dataclass(frozen=True)
class Point:
    """T steps of a batch of B sequences, input size I, hidden size H; every number in `dtype`."""

    T: int
    B: int
    I: int
    H: int
    dtype: str

    def __str__(self) -> str:
        return f"{self.dtype}-T{self.T}-B{self.B}-I{self.I}-H{self.H}"


MIDDLE = Point(T=100, B=32, I=64, H=128, dtype="float32")
SMALLEST = Point(T=10, B=1, I=9, H=4, dtype="float32")  # where the cost is the loop itself


def default_grid() -> list[Point]:
    """The smallest point, and each axis walked through the middle one, in both dtypes."""

    def chosen(point: Point) -> bool:
        off = sum(getattr(point, axis) != getattr(MIDDLE, axis) for axis in AXES)
        return off < 2 or replace(point, dtype=SMALLEST.dtype) == SMALLEST

    return [*filter(chosen, full_grid())]


def full_grid() -> list[Point]:
    """Every combination of the axes."""
    return [Point(T, B, I, H, dtype) for dtype in DTYPES for T, B, I, H in product(*AXES.values())]


GRIDS = {"default": default_grid, "full": full_grid}


def chosen_lines(text: str) -> list[str]:
    """The names in a list with commas, in the order of TITLES, the yardstick always among them.

    Raises ArgumentTypeError for an unknown name.
    """
    wanted = {YARDSTICK, *text.replace(" ", "").split(",")}
    if unknown := ", ".join(sorted(wanted - set(TITLES))):
        raise ArgumentTypeError(f"expected names of {', '.join(TITLES)}, got {unknown}")
    return [name for name in TITLES if name in wanted]


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
    inputs = rng.standard_normal((point.T, point.B, point.I)).astype(point.dtype)
    return Workload({name: w.astype(point.dtype) for name, w in weights.items()}, inputs)
