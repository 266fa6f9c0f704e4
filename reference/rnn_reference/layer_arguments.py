"""What `RNN.forward` is given: looked over, and brought to one layout."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from rnn_reference.arguments import flag, generator_of
from rnn_reference.layer_weights import LayerSizes
from rnn_reference.weights import (
    Array,
    brief,
    refusal_of_nonfinite,
    validate_array,
    validate_finite,
    validate_kind,
)

Indices = npt.NDArray[np.integer]


class Batch(NamedTuple):
    """Sequences in time-major layout, all of them with a length."""

    inputs: Array  # (T, B, I), 0 in the padding; the caller's memory, or a copy
    h_0: Array  # (L*D, B, H), likewise
    lengths: npt.NDArray[np.intp]  # (B,)
    padding: npt.NDArray[np.bool_] | None  # (T, B), True where a sequence has ended; None: nowhere
    look_over: Callable[[Array], None] | None  # refuses inputs not yet known to be finite


def batch_of(
    inputs: Array,
    h_0: Array | None,
    lengths: Indices | None,
    sizes: LayerSizes,
    dtype: np.dtype[np.floating],
    batch_first: bool,
) -> Batch:
    """The arguments of `forward` as a batch; raises what `RNN.forward` documents."""
    I = sizes.input_size
    wanted = f"an array ({'batch_size, T' if batch_first else 'T, batch_size'}, {I}) or (T, {I})"
    if not isinstance(inputs, np.ndarray):
        raise TypeError(f"inputs: expected {wanted}, got {type(inputs).__name__}")
    if inputs.ndim not in (2, 3):
        raise ValueError(f"inputs: expected {wanted}, got shape {inputs.shape}")
    if 0 in inputs.shape[:-1]:
        raise ValueError(
            f"inputs: expected at least one step and one sequence, got shape {inputs.shape}"
        )
    one_sequence, batch_major = inputs.ndim == 2, inputs.ndim == 3 and batch_first
    if one_sequence and lengths is not None:
        raise ValueError(f"lengths: expected None for one sequence (T, {I}), got {brief(lengths)}")

    x = inputs[:, np.newaxis] if one_sequence else inputs
    x = x.swapaxes(0, 1) if batch_major else x
    steps, batch_size, _ = x.shape
    checked_lengths = _lengths(lengths, batch_size, steps)
    validate_kind("inputs", inputs, (*inputs.shape[:-1], I), dtype)
    padding: npt.NDArray[np.bool_] | None = None
    look_over: Callable[[Array], None] | None = refusal_of_nonfinite("inputs", inputs)
    if lengths is not None and (checked_lengths < steps).any():
        padding = np.arange(steps)[:, np.newaxis] >= checked_lengths
        validate_finite("inputs", inputs, padding.T if batch_major else padding)
        x = x.copy()
        x[padding] = 0
        look_over = None

    slots, H = sizes.num_layers * len(sizes.directions), sizes.hidden_size
    shape = (slots, H) if one_sequence else (slots, batch_size, H)
    h = np.zeros(shape, dtype) if h_0 is None else validate_array("h_0", h_0, shape, dtype)
    return Batch(x, h.reshape(slots, batch_size, H), checked_lengths, padding, look_over)


def _lengths(lengths: Indices | None, batch_size: int, steps: int) -> npt.NDArray[np.intp]:
    """A copy of `lengths` once they are 1 … steps; all are `steps` where it is None."""
    if lengths is None:
        return np.full(batch_size, steps, np.intp)
    wanted = f"an array ({batch_size},) of integers from 1 to {steps}"
    if not isinstance(lengths, np.ndarray) or isinstance(lengths, np.ma.MaskedArray):
        raise TypeError(f"lengths: expected {wanted}, got {type(lengths).__name__}")
    if lengths.shape != (batch_size,):
        raise ValueError(f"lengths: expected {wanted}, got shape {lengths.shape}")
    if lengths.dtype.kind not in "iu":
        raise TypeError(f"lengths: expected {wanted}, got dtype {lengths.dtype}")
    outside = np.flatnonzero((lengths < 1) | (lengths > steps))
    if outside.size:
        row = int(outside[0])
        raise ValueError(f"lengths: expected {wanted}, got {lengths[row]} at ({row},)")
    return lengths.astype(np.intp)


def dropout_generator(
    training: bool, rng: np.random.Generator | int | None, dropout: float, num_layers: int
) -> np.random.Generator | None:
    """What decides which outputs are dropped; None where none can be."""
    needed = flag("training", training) and dropout > 0 and num_layers > 1
    if rng is None and not needed:
        return None
    generator = generator_of(rng)  # refuses None
    return generator if needed else None
