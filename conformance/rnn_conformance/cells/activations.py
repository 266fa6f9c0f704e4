"""The activations, as functions of balls."""

import numpy as np

from rnn_conformance.bounds.balls import JUDGE_U, Ball, Float64, Precision, Sum, applied, exactly
from rnn_conformance.cells.cell import HALF

ULPS = 4  # that tanh and sigmoid may be off
# Of a number below it, inside a gated cell: there tanh may come from sigmoid, and the reverse.
LENIENT = 0.5


def tanh(a: Sum) -> Ball:
    """It flattens an error, and may be 4 ulps off."""
    return applied(a.ball(), np.tanh, sech2, ULPS)


def relu(a: Sum) -> Ball:
    """It rounds nothing, and hands on an error as it is at most."""
    ball = a.ball()
    return Ball(np.maximum(ball.value, 0), ball.radius + a.precision.flushed, a.precision)


def gate(a: Sum) -> Ball:
    """σ(a) = 1 / (1 + exp(-a)), of a gate."""
    return applied(a.ball(), sigmoid, sigmoid_slope, ULPS, LENIENT)


def gated_tanh(a: Ball) -> Ball:
    """The tanh of a gated cell."""
    return applied(a, np.tanh, sech2, ULPS, LENIENT)


def pinned(bias: float, precision: Precision) -> Ball:
    """A gate that reads nothing but this bias."""
    a = exactly(np.array(bias), precision)
    return applied(a, sigmoid, sigmoid_slope, ULPS, LENIENT)


def before_tanh(h: Ball, least: float = LENIENT) -> Ball:
    """What a tanh can have been of; of no finite radius where every large number can.

    The ulps are those of the true tanh: of what was computed, divided by 1 - 2 k U, at the most.
    """
    p, size, ulps = h.precision, np.abs(h.value), 2 * ULPS * h.precision.both
    true = (size + h.radius + p.flushed) / (1 - ulps)
    off = h.radius + ulps * np.maximum(true, least) + p.flushed
    with np.errstate(divide="ignore", invalid="ignore"):
        value, end = np.arctanh(h.value), np.arctanh(np.minimum(size + off, 1))
        return Ball(value, end - np.abs(value) + JUDGE_U * np.abs(value), p)


def read_in_half(a: Ball) -> Ball:
    """What is read where this is half of it: a product with 1/2 is flushed, but not rounded."""
    return Ball(a.value / HALF, (a.radius + a.precision.flushed) / HALF, a.precision)


def of_gates(roundings: int) -> str:
    """Where the bound of a step of a gated cell comes from, without the precision."""
    return f"gamma_{roundings}(u) sum |terms| of each gate, {ULPS} ulps of each σ and tanh"


def sigmoid(a: Float64) -> Float64:
    """σ(a), of every finite a without an overflow."""
    decay = np.exp(-np.abs(a))
    result: Float64 = np.where(a < 0, decay, 1) / (1 + decay)
    return result


def sigmoid_slope(a: Float64) -> Float64:
    """σ(a) (1 - σ(a)) of a >= 0."""
    decay = np.exp(-a)
    result: Float64 = decay / (1 + decay) ** 2
    return result


def sech2(a: Float64) -> Float64:
    """sech(a)^2 of a >= 0, the slope of tanh; 0 rather than an overflow where a is large."""
    decay = np.exp(-2 * a)
    result: Float64 = 4 * decay / (1 + decay) ** 2
    return result
