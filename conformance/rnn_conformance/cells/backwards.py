"""Gradients of a layer in balls: each step from the one after it as it shows, or all from the last.

Everything here is in the order in which a direction reads, so that the step after is the next one.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rnn_conformance.bounds.balls import (
    Ball,
    Float64,
    Matrix,
    Precision,
    Sum,
    constant,
    joined,
    product,
    summed,
)
from rnn_conformance.cells.adjoint import Adjoint, Factors, Forward
from rnn_conformance.cells.cell import Cell, CellWeights
from rnn_conformance.cells.running import from_inputs
from rnn_conformance.contract.call import Array, Lengths


@dataclass(frozen=True)
class Upstream:
    """dL/d of what a layer gives.

    Attributes:
        output: (D, T, B, H), 0 in the padding.
        last: of the final state, (D, B, S·H), exact.
        steps: how many steps each row has, (B,).
    """

    output: Ball
    last: Float64
    steps: Lengths


@dataclass(frozen=True)
class Gradients:
    """Those of a layer, a stack of directions.

    Attributes:
        adjoints: d_t, (D, T, B, G·H).
        inputs: W_ih' d_t of each direction, rows (D, T·B, n).
        initial: (D, B, S·H).
        weights: weight_ih (D, G·H, n), weight_hh (D, G·H, H), bias_ih and bias_hh (D, G·H).
    """

    adjoints: Ball
    inputs: Sum
    initial: Ball
    weights: Mapping[str, Ball]


def backwards(
    cell: Cell,
    w: CellWeights,
    inputs: Ball,
    before: Ball,
    after: Ball,
    upstream: Upstream,
    shown: Float64 | None = None,
) -> Gradients:
    """The gradients of one layer.

    Args:
        w: the weights of each direction, one on the other.
        inputs: (D, T, B, n).
        before, after: the state before each step, and after it, (D, T, B, S·H).
        shown: d_t as it was found, (D, T, B, G·H). A step is then judged from what shows of the
            step after it, and all else from d_t as it shows. Without it a step inherits the radius
            of the step after it.
    """
    adjoint, p = cell.adjoint, inputs.precision
    assert adjoint is not None
    of_steps = before.value.shape[:-1]
    x = from_inputs(w, inputs)
    forward = Forward(x, Matrix.of(w.W_hh), constant(w.b_hh, p), rows(before), rows(after))
    factors = adjoint.factors(forward)
    by_step = tuple(_shaped(factor, (*of_steps, -1)) for factor in factors)
    computed, initial = _through_time(cell, w, adjoint, by_step, upstream, shown)

    d = rows(computed if shown is None else _exact(_usable(shown, computed), p))
    h = rows(before.split(len(cell.parts))[0])
    pairs = [*adjoint.of_products(factors, d, h)]
    ones = _exact(np.ones((*d.value.shape[:-1], 1)), p)
    weights = {
        "weight_ih": summed(d, rows(inputs)),
        "weight_hh": joined([summed(of, read) for of, read in pairs], axis=-2),
        "bias_ih": _column(summed(d, ones)),
        "bias_hh": _column(joined([summed(of, ones) for of, _ in pairs], axis=-2)),
    }
    return Gradients(computed, product(_transposed(w.W_ih), d), initial, weights)


def _through_time(
    cell: Cell,
    w: CellWeights,
    adjoint: Adjoint,
    factors: Factors,
    upstream: Upstream,
    shown: Float64 | None,
) -> tuple[Ball, Ball]:
    """d_t of every step, and the gradient of the initial state."""
    p, W_hh_T, H = upstream.output.precision, _transposed(w.W_hh), w.W_hh.shape[-1]
    D, T, B, _ = upstream.output.value.shape
    values, radii = (np.zeros((D, T, B, cell.gates * H)) for _ in range(2))
    of_state = _exact(np.zeros((D, B, H)), p).term()
    last = _exact(upstream.last, p).split(len(cell.parts))
    hidden = _exact(np.zeros((D, B, H)), p) if len(cell.parts) > 1 else None
    for t in reversed(range(T)):
        left = (upstream.steps - t)[:, np.newaxis]  # how many steps a row has from here on
        real, ends = left > 0, left == 1
        at = tuple(factor.at(t) for factor in factors)
        arriving = upstream.output.at(t).term() + _where(ends, last[0]).term() + of_state
        dh = _where(real, arriving.ball())
        if hidden is not None:
            hidden = _where(ends, last[1], hidden)
        arrived = adjoint.arrived(at, dh, hidden)
        d = computed = _where(real, adjoint.of_gates(at, dh, arrived, W_hh_T))
        values[:, t], radii[:, t] = computed.value, computed.radius
        if shown is not None:
            d = _exact(_usable(shown[:, t], computed), p)
            arrived = adjoint.seen(at, arrived, computed, d.value)
        of_state, hidden = adjoint.received(at, W_hh_T, d, _where(real, arrived))
    initial = of_state.ball()
    return Ball(values, radii, p), initial if hidden is None else joined([initial, hidden])


def _usable(shown: Float64, computed: Ball) -> Float64:
    """What shows, and where that is no number what it should be: one failure makes no others."""
    return np.where(np.isfinite(shown), shown, computed.value)


def _exact(values: Float64, precision: Precision) -> Ball:
    return Ball(values.astype(np.float64), np.zeros(values.shape), precision)


def _shaped(ball: Ball, shape: tuple[int, ...]) -> Ball:
    radius = ball.radius.reshape(shape) if ball.radius.ndim else ball.radius
    return Ball(ball.value.reshape(shape), radius, ball.precision)


def rows(ball: Ball) -> Ball:
    """(D, T, B, n) as (D, T·B, n)."""
    D, T, B, n = ball.value.shape
    return _shaped(ball, (D, T * B, n))


def _where(chosen: npt.NDArray[np.bool_], ball: Ball, other: Ball | None = None) -> Ball:
    """The ball in these rows, in the others another one, or 0."""
    value, radius = (0.0, 0.0) if other is None else (other.value, other.radius)
    return Ball(
        np.where(chosen, ball.value, value), np.where(chosen, ball.radius, radius), ball.precision
    )


def _transposed(W: Array) -> Matrix:
    return Matrix.of(W.swapaxes(-1, -2))


def _column(ball: Ball) -> Ball:
    return _shaped(ball, ball.value.shape[:-1])
