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
from rnn_conformance.cells.cell import Cell, CellWeights
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
    h = exactly(before.reshape(*stack, T * B, H), precision)
    if off:
        h = Ball(h.value, np.full(h.value.shape, off), precision)
    x = from_inputs(w, exactly(inputs, precision))
    W_hh, b_hh = Matrix.of(w.W_hh), constant(w.b_hh, precision)
    found = cell.step(x, W_hh, b_hh, h)
    value, radius = (part.reshape(before.shape) for part in (found.value, found.radius))
    roundings = x.terms + W_hh.terms + b_hh.terms + 1
    return Ball(value, radius, precision), f"{cell.reason(roundings)}, {precision}"


def trajectory(
    cell: Cell, w: CellWeights, inputs: Ball, initial: Array | Ball, shown: Ball | None = None
) -> Ball:
    """All states from the first, (T, B, S·H), or (D, T, B, S·H) of a stack of weights.

    The radius of a state is inherited by the next one. It stays small only where the recurrence
    contracts.

    Args:
        inputs: (T, B, I), with a radius where a layer below is not known exactly.
        initial: (B, S·H), exact or not.
        shown: (T, B, H), what was found of each state: a step then starts from what shows of the
            state before it, and inherits no more than its radius and that of what does not show.
            What does not is given as it is known once all that shows is seen.
    """
    p = inputs.precision
    *stack, T, B, _ = inputs.value.shape
    x, h = from_inputs(w, inputs), initial if isinstance(initial, Ball) else exactly(initial, p)
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
        if shown is not None:
            units = shown.value.shape[-1]
            h = cell.seen(found, shown.at(t))
            values[..., t, :, units:] = h.value[..., units:]
            radii[..., t, :, units:] = h.radius[..., units:]
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
    flat = (*stack, T * B, I)
    radius = inputs.radius.reshape(flat) if inputs.radius.ndim else inputs.radius
    x = Ball(inputs.value.reshape(flat), radius, inputs.precision)
    return product(Matrix.of(w.W_ih), x) + constant(w.b_ih, inputs.precision)
