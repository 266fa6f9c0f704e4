"""A cell over many steps: each from the state found before it, or all from the first."""

import numpy as np

from rnn_conformance.bounds.balls import (
    Ball,
    Float64,
    Matrix,
    Precision,
    Sum,
    constant,
    exactly,
    product,
)
from rnn_conformance.cells.cell import Cell, CellWeights, one_earlier
from rnn_conformance.contract.call import Array


def one_step(
    cell: Cell, w: CellWeights, inputs: Array, before: Array, precision: Precision, off: float = 0
) -> tuple[Ball, str]:
    """Every state after a single step from the state found before it, and why it is bounded so.

    It is for cells whose whole state shows; `trajectory` is for others too.

    Args:
        inputs, before: (T, B, I) and (T, B, H), or (D, T, B, I) and so on for a stack of weights.
        off: how far what is found of a state may be from what it was.
    """
    *stack, T, B, H = before.shape
    h = exactly(before, precision).reshaped(*stack, T * B, H)
    if off:
        h = Ball(h.value, np.full(h.value.shape, off), precision)
    x = from_inputs(w, exactly(inputs, precision))
    W_hh, b_hh = Matrix.of(w.W_hh), constant(w.b_hh, precision)
    found = cell.step(x, W_hh, b_hh, h)
    roundings = x.terms + W_hh.terms + b_hh.terms + 1
    return found.reshaped(*before.shape), f"{cell.reason(roundings)}, {precision}"


def trajectory(cell: Cell, w: CellWeights, inputs: Ball, initial: Array) -> Ball:
    """All states from the first, (T, B, S·H), or (D, T, B, S·H) of a stack of weights.

    The radius of a state is inherited by the next one. It stays small only where the recurrence
    contracts.

    Args:
        inputs: (T, B, I), with a radius where a layer below is not known exactly.
        initial: (B, S·H).
    """
    p = inputs.precision
    *stack, T, B, _ = inputs.value.shape
    x, h = from_inputs(w, inputs), exactly(initial, p)
    size = h.value.shape[-1]
    W_hh, b_hh = Matrix.of(w.W_hh), constant(w.b_hh, p)
    rows = (*stack, T, B, x.value.shape[-1])
    parts = (
        np.broadcast_to(part, x.value.shape).reshape(rows).swapaxes(0, -3)
        for part in (x.value, x.scale, x.radius)
    )
    values, radii = (np.empty((*stack, T, B, size)) for _ in range(2))
    for t, (value, scale, radius) in enumerate(zip(*parts, strict=True)):
        found = cell.step(Sum(value, scale, radius, x.terms, p), W_hh, b_hh, h)
        h = Ball(found.value[..., :size], found.radius[..., :size], p)
        values[..., t, :, :], radii[..., t, :, :] = h.value, h.radius
    return Ball(values, radii, p)


def from_shown(
    cell: Cell, w: CellWeights, inputs: Ball, initial: Array | Ball, shown: Ball
) -> Ball:
    """As `trajectory`, each state from what shows of the one before it.

    It inherits no more than the radius of that, and of what does not show. What does not is given
    as it is known once all that shows is seen.

    Args:
        initial: (B, S·H), exact or not.
        shown: (T, B, H), what was found of each state.
    """
    p = inputs.precision
    *stack, T, B, units = shown.value.shape
    state = initial if isinstance(initial, Ball) else exactly(initial, p)
    h = one_earlier(shown, state.split(len(cell.parts))[0]).reshaped(*stack, T * B, units)
    read = cell.read(from_inputs(w, inputs), Matrix.of(w.W_hh), constant(w.b_hh, p), h)
    if len(cell.parts) == 1:
        return cell.after(read, h).reshaped(*stack, T, B, units)
    reads = read.reshaped(*stack, T, B, read.value.shape[-1])
    values, radii = (np.empty((*stack, T, B, state.value.shape[-1])) for _ in range(2))
    for t in range(T):
        found = cell.after(reads.at(t), state)
        state = cell.seen(found, shown.at(t))
        values[..., t, :, :], radii[..., t, :, :] = state.value, state.radius
        values[..., t, :, :units] = found.value[..., :units]
        radii[..., t, :, :units] = found.radius[..., :units]
    return Ball(values, radii, p)


def with_inherited(w: CellWeights, radii: Float64) -> Float64:
    """How far off states (T, B, H) can be that were each off by so much in their own step.

    For an activation that is nowhere steeper than 1.
    """
    found, W = radii.copy(), np.abs(w.W_hh).T.astype(np.float64)
    for t in range(1, len(found)):
        found[t] += found[t - 1] @ W
    return found


def preactivation(w: CellWeights, x: Ball, h: Ball) -> Sum:
    """W_ih x_t + b_ih + W_hh h_{t-1} + b_hh of rows x and h."""
    p = x.precision
    products = product(Matrix.of(w.W_ih), x) + product(Matrix.of(w.W_hh), h)
    return products + constant(w.b_ih, p) + constant(w.b_hh, p)


def from_inputs(w: CellWeights, inputs: Ball) -> Sum:
    """W_ih x_t + b_ih, rows of all steps: (..., T·B, G·H)."""
    *stack, T, B, I = inputs.value.shape
    x = inputs.reshaped(*stack, T * B, I)
    return product(Matrix.of(w.W_ih), x) + constant(w.b_ih, inputs.precision)
