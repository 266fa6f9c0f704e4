"""Which points and lines can be timed, and what is drawn for a point: the same for every line.

Needs no torch, so that the options work without it.
"""

from argparse import ArgumentTypeError
from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import product

import numpy as np
from rnn_reference.weights import Array, LayerSizes, layer_weight_shapes, weight_shapes

DTYPES = ("float32", "float64")
AXES = {"T": (10, 100, 1000), "B": (1, 5, 32, 256), "I": (9, 64, 256), "H": (4, 32, 128, 512)}
OUTPUT_SIZE = 16  # the readout is the smaller part of every line
SEED = 20240229
# The largest sum of |W_hh| along a row. Below 1 the recurrence forgets rounding errors, so right
# lines agree over the whole trajectory. Speed does not depend on it.
CONTRACTION = 0.5

GATES = {"rnn": 1, "lstm": 4, "gru": 3}
TRAINED = "-training"  # at the end of the name of a cell: both passes, with gradients
CELLS = (*GATES, *(f"{cell}{TRAINED}" for cell in GATES))
OURS = {cell: f"batch-{cell}" for cell in CELLS[:4]}
OURS |= {cell: f"plain-{cell}" for cell in CELLS[4:]}  # which have no fast backward pass
YARDSTICKS = {cell: f"torch-{cell}" for cell in CELLS}
LIMIT = "floor"
# Every line, by the name that an option takes and the title that a report shows.
TITLES = {
    "single": "SingleSequenceRNN",
    "blackboard": "blackboard loop",
    "batch-rnn": "BatchRNN",
    "rnn-cell": "torch.nn.RNNCell",
    "torch-rnn": "torch.nn.RNN",
    "onnxruntime": "ONNX Runtime",
    "jax-scan": "jax lax.scan",
    "numba": "numba",
    LIMIT: "C floor",
    "plain-lstm": "LSTM, plain",
    "batch-lstm": "BatchLSTM",
    "torch-lstm": "torch.nn.LSTM",
    "plain-gru": "GRU, plain",
    "batch-gru": "BatchGRU",
    "torch-gru": "torch.nn.GRU",
    "batch-rnn-training": "BatchRNN, both passes",
    "torch-rnn-training": "torch.nn.RNN, both passes",
    "plain-lstm-training": "LSTM, plain, both passes",
    "torch-lstm-training": "torch.nn.LSTM, both passes",
    "plain-gru-training": "GRU, plain, both passes",
    "torch-gru-training": "torch.nn.GRU, both passes",
}
CELL_OF = {
    name: next((cell for cell in CELLS if name.endswith(f"-{cell}")), "rnn") for name in TITLES
}


@dataclass(frozen=True)
class Point:
    """T steps of a batch of B sequences, input size I, hidden size H; every number in `dtype`.

    `cell` is one of CELLS.
    """

    T: int
    B: int
    I: int
    H: int
    dtype: str
    cell: str = "rnn"

    def __str__(self) -> str:
        return f"{self.cell}-{self.dtype}-T{self.T}-B{self.B}-I{self.I}-H{self.H}"


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
    """The names in a list with commas, in the order of TITLES, with the yardstick of each cell.

    Raises ArgumentTypeError for an unknown name.
    """
    wanted = {*text.replace(" ", "").split(",")}
    if unknown := ", ".join(sorted(wanted - set(TITLES))):
        raise ArgumentTypeError(f"expected names of {', '.join(TITLES)}, got {unknown}")
    wanted |= {YARDSTICKS[CELL_OF[name]] for name in wanted}
    return [name for name in TITLES if name in wanted]


@dataclass(frozen=True)
class Workload:
    """Weights and inputs (T, B, I).

    The six weights by name, biases as columns; of a cell with gates, those of one layer by torch's
    names. `losses` are dL/d of every output, (T, B, O) or (T, B, H), where gradients are computed.
    """

    weights: Mapping[str, Array]
    inputs: Array
    cell: str = "rnn"
    losses: Array | None = None


def draw(point: Point) -> Workload:
    """Inputs and pre-activations of unit size, drawn in float64 and then rounded to the dtype."""
    rng = np.random.default_rng((SEED, point.T, point.B, point.I, point.H))
    weights = {
        name: rng.standard_normal(shape) / np.sqrt(np.prod(shape[1:]))
        for name, shape in _shapes(point).items()
    }
    W_hh = weights["W_hh" if "W_hh" in weights else "weight_hh_l0"]
    W_hh *= CONTRACTION / np.abs(W_hh).sum(axis=1).max()
    inputs = rng.standard_normal((point.T, point.B, point.I)).astype(point.dtype)
    rounded = {name: w.astype(point.dtype) for name, w in weights.items()}
    losses = None
    if point.cell.endswith(TRAINED):
        width = OUTPUT_SIZE if "W_ho" in weights else point.H
        losses = rng.standard_normal((point.T, point.B, width)).astype(point.dtype)
    return Workload(rounded, inputs, point.cell, losses)


def _shapes(point: Point) -> Mapping[str, tuple[int, ...]]:
    cell = point.cell.removesuffix(TRAINED)
    if cell == "rnn":
        return weight_shapes(point.I, point.H, OUTPUT_SIZE)
    one_layer = LayerSizes(point.I, point.H, num_layers=1, bias=True, bidirectional=False)
    return layer_weight_shapes(one_layer, GATES[cell])
