"""A verdict on hidden states that were computed anywhere, from the states alone."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from rnn_reference import validate_weights, weight_shapes

from rnn_conformance.certificate import Float64, Precision, state_reason
from rnn_conformance.judgement import Place
from rnn_conformance.protocol import Array
from rnn_conformance.sieve import Judged, Sieve

# T·B rows judged at a time, so that what is needed beside the arguments does not grow with T: as
# many as make so many numbers, or twice that where there are four such blocks (memory new to the
# process costs more than the cache saves), but enough for a product to be worth its call.
ROWS, FEWEST_ROWS, NUMBERS = 4096, 64, 2**18

PRECISIONS = {np.dtype(name): Precision.of(name) for name in ("float32", "float64")}


@dataclass(frozen=True)
class Certificate:
    """The verdict on a trace.

    Attributes:
        conforms: whether every state follows from the one before it, within its bound.
        worst_share: the worst error as a share of its bound.
        worst: where that is.
        first_outside: the first state outside its bound, by step, row and unit; None if none is.
        reason: where the bound comes from.
    """

    conforms: bool
    worst_share: float
    worst: Place
    first_outside: Place | None
    reason: str

    def __str__(self) -> str:
        if self.first_outside is None:
            return f"conforms: {self.worst} ({self.reason})"
        return f"does not conform: {self.first_outside} ({self.reason})"


def certify(
    weights: Mapping[str, Array],
    inputs: Array,
    states: Array,
    *,
    h_0: Array | None = None,
    dtype: npt.DTypeLike | None = None,
    nonlinearity: str = "tanh",
) -> Certificate:
    """Judge hidden states that were computed anywhere, chunk by chunk.

    Args:
        weights: W_xh (H, I), b_xh (H, 1), W_hh (H, H), b_hh (H, 1); W_ho and b_ho may be there.
        inputs: (T, B, I), or (T, I) for one sequence; a `numpy.memmap` is read piece by piece.
        states: the state after each step, (T, B, H), or (T, H).
        h_0: the state before the first step, (B, H), or (H,); zeros where omitted.
        dtype: the precision that is claimed, float32 or float64; that of `states` where omitted.
        nonlinearity: "tanh" or "relu".

    Raises ValueError or TypeError that names the argument, what came and what was expected.
    """
    cell, inputs, states, before, precision = checked(
        weights, inputs, states, h_0, dtype, nonlinearity
    )
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        return _judged(Sieve(cell, nonlinearity, precision), inputs, states, before)


def checked(
    weights: Mapping[str, Array],
    inputs: Array,
    states: Array,
    h_0: Array | None,
    dtype: npt.DTypeLike | None,
    nonlinearity: str,
) -> tuple[Mapping[str, Array], Array, Array, Array, Precision]:
    """Weights, inputs (T, B, I), states (T, B, H), h_0 (B, H) and the precision that is claimed.

    Raises what `certify` raises.
    """
    cell = _cell(weights)
    precision = _claimed(dtype, states)
    if nonlinearity not in ("tanh", "relu"):
        raise ValueError(f"nonlinearity: expected 'tanh' or 'relu', got {nonlinearity!r}")
    hidden_size, input_size = cell["W_xh"].shape
    if states.ndim not in (2, 3) or 0 in states.shape:
        raise ValueError(
            f"states: expected shape (T, B, {hidden_size}) or (T, {hidden_size}), with one step "
            f"and one sequence at the least, got {states.shape}"
        )
    *batch, _ = states.shape[1:]
    before = np.zeros((*batch, hidden_size)) if h_0 is None else h_0
    for name, array, shape in (
        ("states", states, (len(states), *batch, hidden_size)),
        ("inputs", inputs, (len(states), *batch, input_size)),
        ("h_0", before, (*batch, hidden_size)),
    ):
        _numbers(name, array)
        if array.shape != shape:
            raise ValueError(f"{name}: expected shape {shape}, got {array.shape}")
    if not batch:
        inputs, states, before = (np.expand_dims(a, -2) for a in (inputs, states, before))
    return cell, inputs, states, before, precision


def _judged(sieve: Sieve, inputs: Array, states: Array, h_0: Array) -> Certificate:
    worst: Place | None = None
    worst_share: float | None = None
    first_outside: Place | None = None
    for steps, rows in blocks(states.shape, inputs.shape[2]):
        before, found = rows_of_block(inputs, states, h_0, steps, rows)
        judged = sieve.judged(before, found, worst_share)
        if judged is None:
            continue
        at = int(judged.shares.argmax())
        if worst_share is None or judged.shares[at] > worst_share:
            worst, worst_share = place_of(judged, at, steps, rows, states.shape), judged.shares[at]
        if first_outside is None and worst_share > 1:
            at = int((judged.shares > 1).argmax())
            first_outside = place_of(judged, at, steps, rows, states.shape)
        if worst_share == np.inf:
            break
    assert worst is not None
    assert worst_share is not None
    reason = state_reason(sieve.nonlinearity, sieve.roundings, sieve.precision)
    return Certificate(first_outside is None, float(worst_share), worst, first_outside, reason)


def blocks(shape: tuple[int, ...], input_size: int) -> Iterator[tuple[slice, slice]]:
    """Steps and rows of a trace (T, B, H) that are judged together, in the order of time."""
    T, B, H = shape
    row = 2 * input_size + 6 * H
    numbers = min(2 * NUMBERS, max(NUMBERS, T * B * row // 4))
    most = min(ROWS, max(FEWEST_ROWS, numbers // row))
    steps, rows = _evenly(T, max(1, most // B)), _evenly(B, most)
    for start in range(0, T, steps):
        for first in range(0, B, rows):
            yield slice(start, min(start + steps, T)), slice(first, min(first + rows, B))


def _evenly(size: int, most: int) -> int:
    """How large the parts of `size` are, that are as few as can be with `most` in each."""
    parts = -(-size // most)
    return -(-size // parts)


def rows_of_block(
    inputs: Array, states: Array, h_0: Array, steps: slice, rows: slice
) -> tuple[Float64, Float64]:
    """Of each step and row, x_t, h_{t-1}, 1 and 1, as `Sieve` takes them; and h_t."""
    x, found = inputs[steps, rows], np.ascontiguousarray(states[steps, rows], np.float64)
    I, H = x.shape[2], states.shape[2]
    before = np.empty((*x.shape[:2], I + H + 2))
    before[..., :I] = x
    before[0, :, I:-2] = states[steps.start - 1, rows] if steps.start else h_0[rows]
    before[1:, :, I:-2] = found[:-1]
    before[..., -2:] = 1
    return before.reshape(-1, I + H + 2), found.reshape(-1, H)


def place_of(judged: Judged, at: int, steps: slice, rows: slice, shape: tuple[int, ...]) -> Place:
    """Where in a trace (T, B, H) one number of a block's is."""
    row, unit = divmod(int(judged.index[at]), shape[2])
    step, row = divmod(row, rows.stop - rows.start)
    numbers = (float(part[at]) for part in (judged.expected, judged.found, judged.bound))
    return Place(steps.start + step, rows.start + row, unit, *numbers)


def _cell(weights: Mapping[str, Array]) -> dict[str, Array]:
    """The weights of the recurrence, checked; a readout that is missing is made up."""
    W_xh = weights.get("W_xh") if isinstance(weights, Mapping) else None
    if isinstance(W_xh, np.ndarray) and W_xh.ndim == 2 and not {"W_ho", "b_ho"} <= weights.keys():
        shapes = weight_shapes(W_xh.shape[1], W_xh.shape[0], 1)
        made_up = {name: np.zeros(shapes[name], W_xh.dtype) for name in ("W_ho", "b_ho")}
        weights = {**made_up, **weights}
    return validate_weights(weights)


def _claimed(dtype: npt.DTypeLike | None, states: Array) -> Precision:
    _numbers("states", states)
    claimed: np.dtype[Any] = np.dtype(states.dtype if dtype is None else dtype)
    if claimed not in PRECISIONS:
        raise TypeError(f"dtype: expected float32 or float64, got {claimed}")
    return PRECISIONS[claimed]


def _numbers(name: str, array: object) -> None:
    """Refuse what is no array, and what would lose a part or a mask of it in float64."""
    if not isinstance(array, np.ndarray) or isinstance(array, np.ma.MaskedArray):
        raise TypeError(f"{name}: expected a NumPy array, got {type(array).__name__}")
    if array.dtype.kind not in "fiu":
        raise TypeError(f"{name}: expected an array of real numbers, got dtype {array.dtype}")
