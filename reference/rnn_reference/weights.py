"""Weights as one mapping: their names and shapes, and what is refused.

A model of one layer and a readout has six, `WEIGHT_NAMES`; a stack of layers has those of
`torch.nn.RNN`, `LSTM` or `GRU`, under their names, with H rows for each gate of its cell.
"""

from collections.abc import Iterable, Mapping
from itertools import product
from typing import NamedTuple

import numpy as np

from rnn_reference.validation import DTYPES, brief, expect, validate_array
from rnn_reference.validation import Array as Array  # for annotations of users

WEIGHT_NAMES = ("W_xh", "b_xh", "W_hh", "b_hh", "W_ho", "b_ho")
PARTS = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")  # of a layer's names in a stack
DIRECTIONS = ("", "_reverse")  # what a name ends in, in the order of states and of output halves


class LayerSizes(NamedTuple):
    """What the names and shapes of the weights of a stack decide."""

    input_size: int
    hidden_size: int
    num_layers: int
    bias: bool
    bidirectional: bool

    @property
    def directions(self) -> tuple[str, ...]:
        """What the names of each direction's weights end in."""
        return DIRECTIONS if self.bidirectional else DIRECTIONS[:1]


def weight_shapes(
    input_size: int, hidden_size: int, output_size: int
) -> dict[str, tuple[int, int]]:
    """The shape of every weight: a row for each unit that it feeds, biases as columns."""
    return {
        "W_xh": (hidden_size, input_size),
        "b_xh": (hidden_size, 1),
        "W_hh": (hidden_size, hidden_size),
        "b_hh": (hidden_size, 1),
        "W_ho": (output_size, hidden_size),
        "b_ho": (output_size, 1),
    }


def layer_weight_shapes(sizes: LayerSizes, gates: int) -> dict[str, tuple[int, ...]]:
    """The shape of every weight of a stack, in torch's order: layer, then direction, then part."""
    H, rows = sizes.hidden_size, gates * sizes.hidden_size
    shapes: dict[str, tuple[int, ...]] = {}
    for k in range(sizes.num_layers):
        width = sizes.input_size if k == 0 else H * len(sizes.directions)
        of_parts: dict[str, tuple[int, ...]] = {"weight_ih": (rows, width), "weight_hh": (rows, H)}
        if sizes.bias:
            of_parts |= {"bias_ih": (rows,), "bias_hh": (rows,)}
        for direction in sizes.directions:
            shapes |= {f"{part}_l{k}{direction}": shape for part, shape in of_parts.items()}
    return shapes


def validate_weights(weights: Mapping[str, Array]) -> dict[str, Array]:
    """A plain dict of the six weights, once they fit together.

    The sizes are read from W_xh (hidden_size, input_size) and W_ho (output_size, hidden_size), the
    dtype from W_xh. Raises TypeError (no mapping, no array, another dtype) or ValueError (unknown
    or missing names, a shape that does not fit, NaN or infinity).
    """
    validate_names(weights)
    hidden_size, input_size = _sizes_of("W_xh", weights)
    output_size, _ = _sizes_of("W_ho", weights)
    shapes = weight_shapes(input_size, hidden_size, output_size)
    return fitting(weights, shapes, weights["W_xh"].dtype)


def validate_layer_weights(
    weights: Mapping[str, Array], gates: int
) -> tuple[LayerSizes, dict[str, Array]]:
    """The sizes, and a plain dict of the weights in torch's order, once they fit together.

    Layers, directions and whether there are biases are read from the names, the sizes and the dtype
    from weight_ih_l0 (gates * hidden_size, input_size). Raises as `validate_weights` does.
    """
    validate_mapping(weights)
    # n weights make fewer than n layers, whatever a name says.
    names = product(range(len(weights)), PARTS, DIRECTIONS)
    known = [each for each in names if "{1}_l{0}{2}".format(*each) in weights]
    depth = 1 + max((k for k, _, _ in known), default=0)
    bias = any(part.startswith("bias") for _, part, _ in known)
    bidirectional = any(direction for _, _, direction in known)
    sizes = LayerSizes(1, 1, depth, bias, bidirectional)
    validate_names(weights, layer_weight_shapes(sizes, gates))
    rows, input_size = _sizes_of("weight_ih_l0", weights)
    of_each_gate = f"rows in {gates} equal parts, one a gate"
    expect(rows % gates == 0, ValueError, "weight_ih_l0", of_each_gate, (rows, input_size))
    sizes = sizes._replace(input_size=input_size, hidden_size=rows // gates)
    return sizes, fitting(weights, layer_weight_shapes(sizes, gates), weights["weight_ih_l0"].dtype)


def fitting(
    weights: Mapping[str, Array],
    shapes: Mapping[str, tuple[int, ...]],
    dtype: np.dtype[np.floating],
) -> dict[str, Array]:
    """A plain dict of the weights in the order of `shapes`, once names, shapes, dtype are right."""
    validate_names(weights, shapes)
    return {n: validate_array(n, weights[n], shape, dtype) for n, shape in shapes.items()}


def validate_mapping(weights: object) -> None:
    """Refuse all but a mapping."""
    if not isinstance(weights, Mapping):
        raise TypeError(f"weights: expected a mapping by name, got {type(weights).__name__}")


def validate_names(weights: Mapping[str, object], names: Iterable[str] = WEIGHT_NAMES) -> None:
    """Refuse all but a mapping of exactly these names; say which are unknown, which missing."""
    validate_mapping(weights)
    wanted = tuple(names)
    unknown = [brief(name) for name in weights if name not in wanted]
    missing = [name for name in wanted if name not in weights]
    if unknown or missing:
        problems = [f"unknown {', '.join(unknown)}"] * bool(unknown)
        problems += [f"missing {', '.join(missing)}"] * bool(missing)
        raise ValueError(f"weights: {'; '.join(problems)}; expected {', '.join(wanted)}")


def _sizes_of(name: str, weights: Mapping[str, object]) -> tuple[int, int]:
    """Rows and columns of this weight, once sizes and a dtype can be read from it."""
    value = weights[name]
    if not isinstance(value, np.ndarray):
        raise TypeError(f"{name}: expected a NumPy array, got {type(value).__name__}")
    if value.ndim != 2 or value.size == 0:
        raise ValueError(f"{name}: expected two axes, neither empty, got shape {value.shape}")
    if value.dtype not in DTYPES:
        raise TypeError(f"{name}: expected dtype float64 or float32, got {value.dtype}")
    rows, columns = value.shape
    return rows, columns
