"""The numbers of one vector, read back and held against what its call says."""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from rnn_conformance.contract.call import PARTS, Layout
from rnn_conformance.contract.documents import content_of
from rnn_conformance.sources.exchange import GRADIENT, UPSTREAM, Tensors, arrays_of
from rnn_conformance.vectors.manifest import Vector

MOST_BYTES = 2_000_000

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Stored:
    """What is expected of a call.

    Attributes:
        dtype: of the results.
        shapes: of `output`, `h_n` and, if the state has it, `c_n`, as the caller gets them; where
            gradients are asked for, of `gradient.` and the name of what went in.
        expected, bound: of the same, in float64, as the caller gets them.
        real: which steps are no padding: (T, 1), (T, B, 1) or (B, T, 1), by layout.
    """

    dtype: str
    layout: Layout
    shapes: Mapping[str, Shape]
    expected: Tensors
    bound: Tensors
    real: npt.NDArray[np.bool_]


def stored(folder: Path, vector: Vector) -> Stored:
    """Read the numbers of a vector.

    Raises ValueError where the file is not the one of the manifest, or its arrays do not fit the
    call.
    """
    content = content_of(vector.file, folder / vector.file, MOST_BYTES, inside=folder)
    if (found := sha256(content).hexdigest()) != vector.sha256:
        raise ValueError(f"{vector.file}: expected sha256 {vector.sha256}, got {found}")
    arrays = arrays_of(vector.file, content)
    try:
        return _fitting(vector.call, arrays)
    except (KeyError, ValueError) as error:
        lacking = "no array " * isinstance(error, KeyError)
        raise ValueError(f"{vector.file}: {lacking}{error}") from error


def _fitting(call: Mapping[str, Any], arrays: Tensors) -> Stored:
    options, layout, inputs = call["options"], call["layout"], arrays["inputs"]
    D, H = 2 if options["bidirectional"] else 1, options["hidden_size"]
    steps: Shape = inputs.shape[:-1]
    if inputs.dtype != call["dtype"]:
        raise ValueError(f"inputs: expected {call['dtype']}, got {inputs.dtype}")
    if len(steps) != (1 if layout == "single" else 2) or 0 in steps:
        raise ValueError(f"inputs: expected a shape of the layout {layout}, got {inputs.shape}")
    T, rows = steps[0], steps[1:]
    if layout == "batch_first":
        T, rows = steps[1], steps[:1]
    cell = options.get("nonlinearity", options.get("cell"))
    if cell not in PARTS:
        raise ValueError(f"cell: expected one of {', '.join(PARTS)}, got {cell}")
    states = (options["num_layers"] * D, *rows, H)
    shapes = {"output": (*steps, D * H), **{f"{part}_n": states for part in PARTS[cell]}}
    if any(name.startswith(UPSTREAM) for name in arrays):
        shapes |= _of_gradients(arrays, states)
    for what in ("expected", "bound"):
        for name, shape in shapes.items():
            array = arrays[f"{what}.{name}"]
            if array.shape != shape or array.dtype != np.float64 or not np.isfinite(array).all():
                raise ValueError(
                    f"{what}.{name}: expected finite numbers of float64 {shape}, got {array.dtype} "
                    f"{array.shape}"
                )
    real = np.ones((*steps, 1), np.bool_)
    if "lengths" in arrays:
        lengths = arrays["lengths"]
        if not rows or lengths.shape != rows or lengths.dtype != np.int64:
            raise ValueError(f"lengths: expected int64 {rows}, got {lengths.dtype} {lengths.shape}")
        reached = np.arange(T)[:, None] < lengths
        real = (reached.T if layout == "batch_first" else reached)[..., None]
    expected = {name: arrays[f"expected.{name}"] for name in shapes}
    bound = {name: arrays[f"bound.{name}"] for name in shapes}
    return Stored(call["dtype"], layout, shapes, expected, bound, real)


def _of_gradients(arrays: Tensors, states: Shape) -> dict[str, Shape]:
    """The shape of each gradient, by its name in a file."""
    given = {name: a.shape for name, a in arrays.items() if "." not in name and name != "lengths"}
    for name, shape in given.items():
        fits = shape == states if name.endswith("_0") else name == "inputs" or len(shape) < 3
        if not fits or 0 in shape:
            raise ValueError(f"{name}: expected another shape, got {shape}")
    return {GRADIENT + name: shape for name, shape in given.items()}
