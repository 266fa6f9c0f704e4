"""In which order each direction reads the steps of a row, and back."""

from typing import Any

import numpy as np
import numpy.typing as npt

from rnn_conformance.bounds.balls import Ball, Float64
from rnn_conformance.cases.case import Data
from rnn_conformance.contract.call import Array, Lengths


def as_read(inputs: Ball, data: Data) -> Ball:
    """As each direction reads it, (D, T, B, n)."""
    exact = inputs.radius.ndim == 0
    radius = inputs.radius if exact else each_read(inputs.radius, data)
    return Ball(each_read(inputs.value, data), radius, inputs.precision)


def written(states: Ball, data: Data) -> Ball:
    """What of each direction's states shows, in the order of time."""
    units = np.s_[..., : data.options.hidden_size]
    value, radius = (in_time(part[units], data) for part in (states.value, states.radius))
    return Ball(value, radius, states.precision)


def real_inputs(data: Data) -> Float64:
    """The inputs (T, B, I), zeros in the padding."""
    inputs = data.inputs.astype(np.float64)
    return inputs if data.lengths is None else np.where(data.real, inputs, 0)


def each_read(values: Float64, data: Data) -> Float64:
    """(T, B, n) as each direction reads it, (D, T, B, n)."""
    return np.array([in_direction(values, data.lengths, way) for way in data.options.ways])


def by_direction(values: Array, data: Data) -> Float64:
    """(T, B, D·n) in the order of time, as each direction reads its part: (D, T, B, n)."""
    halves = np.split(values.astype(np.float64), data.options.directions, axis=-1)
    ways = zip(halves, data.options.ways, strict=True)
    return np.stack([in_direction(half, data.lengths, way) for half, way in ways])


def in_time(values: Float64, data: Data) -> Float64:
    """What each direction computes, (D, T, B, H), in the order of time as (T, B, D·H)."""
    ways = zip(data.options.ways, values, strict=True)
    each = [in_direction(value, data.lengths, way) for way, value in ways]
    joined = np.concatenate(each, axis=2)
    return joined if data.lengths is None else np.where(data.real, joined, 0)


def last(values: Float64, data: Data) -> Float64:
    """What each direction computes at the last step of each row that it reads, (D, B, H)."""
    if data.lengths is None:
        return values[:, -1]
    found: Float64 = values[:, data.lengths - 1, np.arange(len(data.lengths))]
    return found


def in_direction(values: npt.NDArray[Any], lengths: Lengths | None, way: int) -> npt.NDArray[Any]:
    """(T, B, n) in the order in which a direction reads it, one of `Options.ways`.

    The reverse one, 1, is its own inverse: it starts at each row's last real step; padding stays
    where it is.
    """
    if way == 0:
        return values
    if lengths is None:
        return values[::-1]
    t = np.arange(len(values))[:, None]
    found: npt.NDArray[Any] = values[turned(t, lengths), np.arange(len(lengths))]
    return found


def turned(t: npt.NDArray[np.int64], lengths: Lengths) -> npt.NDArray[np.int64]:
    """The step in time of what the reverse direction reads as step t, and the other way round."""
    return np.where(t < lengths, lengths - 1 - t, t)
