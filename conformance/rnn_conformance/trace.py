"""A verdict on hidden states that were computed anywhere, from the states alone."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from rnn_reference import validate_weights, weight_shapes

from rnn_conformance.certificate import (
    Precision,
    activation,
    preactivation,
    state_bound,
    state_reason,
)
from rnn_conformance.judgement import Judgement, Place
from rnn_conformance.protocol import Array

ROWS = 4096  # T·B rows judged at a time: what it needs beside the arguments does not grow with T


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
        states: h_0 … h_{T-1} after each step, (T, B, H), or (T, H).
        h_0: (B, H), or (H,); zeros where omitted.
        dtype: the precision that is claimed, float32 or float64; that of `states` where omitted.
        nonlinearity: "tanh" or "relu".

    Raises ValueError or TypeError that names the argument, what came and what was expected.
    """
    cell = _cell(weights)
    precision = Precision.of(_claimed(dtype, states))
    if nonlinearity not in ("tanh", "relu"):
        raise ValueError(f"nonlinearity: expected 'tanh' or 'relu', got {nonlinearity!r}")
    hidden_size, input_size = cell["W_xh"].shape
    if states.ndim == 2:
        inputs, states = _with_batch("inputs", inputs), states[:, np.newaxis]
        h_0 = h_0 if h_0 is None else np.asarray(h_0)[np.newaxis]
    T, B = states.shape[:2] if states.ndim == 3 else (0, 0)
    before = np.zeros((B, hidden_size)) if h_0 is None else h_0
    for name, array, shape in (
        ("states", states, (T, B, hidden_size)),
        ("inputs", inputs, (T, B, input_size)),
        ("h_0", before, (B, hidden_size)),
    ):
        if array.shape != shape or 0 in shape:
            raise ValueError(f"{name}: expected shape {shape}, got {array.shape}")
    worst: tuple[float, Place] | None = None
    first_outside: Place | None = None
    step = max(1, ROWS // B)
    for start in range(0, T, step):
        judgement = _judge(cell, inputs, states, before, nonlinearity, precision, start, step)
        found = judgement.worst()
        worst = found if worst is None or found[0] > worst[0] else worst
        first_outside = first_outside or judgement.first_outside()
        before = states[min(start + step, T) - 1]
    assert worst is not None
    return Certificate(first_outside is None, *worst, first_outside, judgement.reason)


def _judge(
    cell: Mapping[str, Array],
    inputs: Array,
    states: Array,
    before: Array,
    nonlinearity: str,
    precision: Precision,
    start: int,
    steps: int,
) -> Judgement:
    found = np.asarray(states[start : start + steps])
    previous = np.concatenate([np.asarray(before)[np.newaxis], found[:-1]])
    with np.errstate(over="ignore", invalid="ignore"):
        a = preactivation(cell, np.asarray(inputs[start : start + steps]), previous)
        bound = state_bound(nonlinearity, a, precision)
        expected = activation(nonlinearity, a.value)
    reason = state_reason(nonlinearity, a, precision)
    return Judgement("states", expected, found, bound, reason, start)


def _cell(weights: Mapping[str, Array]) -> dict[str, Array]:
    """The weights of the recurrence, checked; a readout that is missing is made up."""
    W_xh = weights.get("W_xh")
    if isinstance(W_xh, np.ndarray) and W_xh.ndim == 2:
        shapes = weight_shapes(W_xh.shape[1], W_xh.shape[0], 1)
        made_up = {name: np.zeros(shapes[name], W_xh.dtype) for name in ("W_ho", "b_ho")}
        weights = {**made_up, **weights}
    return validate_weights(weights)


def _claimed(dtype: npt.DTypeLike | None, states: Array) -> np.dtype[np.floating]:
    if not isinstance(states, np.ndarray):
        raise TypeError(f"states: expected a NumPy array, got {type(states).__name__}")
    claimed: np.dtype[Any] = np.dtype(states.dtype if dtype is None else dtype)
    if claimed not in (np.dtype(np.float32), np.dtype(np.float64)):
        raise TypeError(f"dtype: expected float32 or float64, got {claimed}")
    return claimed


def _with_batch(name: str, array: Array) -> Array:
    if array.ndim != 2:
        raise ValueError(f"{name}: expected rank 2 as states have, got shape {array.shape}")
    return array[:, np.newaxis]
