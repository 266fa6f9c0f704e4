"""The activations, as functions of balls."""

from dataclasses import replace

import numpy as np

from rnn_conformance.bounds.balls import JUDGE_U, Ball, Float64, Precision, Sum, applied, exactly
from rnn_conformance.cells.cell import HALF

ULPS = 4  # that tanh and sigmoid may be off
# Of a number below it, inside a gated cell: there tanh may come from sigmoid, and the reverse.
LENIENT = 0.5
BESIDE = 4  # roundings: a product with r, r's own either way, and two of what is kept wider


def tanh(a: Sum) -> Ball:
    """It flattens an error, and may be 4 ulps off."""
    return applied(a.ball(), np.tanh, sech2, ULPS)


def relu(a: Sum) -> Ball:
    """It rounds nothing, and hands on an error as it is at most, or what of it is above 0."""
    ball = a.ball()
    above = np.maximum(ball.value + ball.bound, 0)
    radius = np.minimum(ball.radius, above) + a.precision.flushed
    return Ball(np.maximum(ball.value, 0), radius, a.precision)


def gate(a: Ball) -> Ball:
    """σ(a) = 1 / (1 + exp(-a)), of a gate."""
    return applied(a, sigmoid, sigmoid_slope, ULPS, LENIENT)


def gated_tanh(a: Ball) -> Ball:
    """The tanh of a gated cell."""
    return applied(a, np.tanh, sech2, ULPS, LENIENT)


def pinned(bias: float, precision: Precision) -> Ball:
    """A gate that reads nothing but this bias."""
    return gate(exactly(np.array(bias), precision))


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


def complement(s: Ball) -> Ball:
    """1 - s of s = σ(a), which may be computed as σ(-a)."""
    p, value = s.precision, 1 - s.value
    return Ball(value, s.radius + (2 * ULPS + 1) * p.both * np.abs(value) + p.flushed, p)


def slope_of_sigmoid(s: Ball) -> Ball:
    """s (1 - s), the slope of s = σ(a), from s or from a: σ(a) σ(-a), each as far off as it may."""
    p, value = s.precision, s.value * (1 - s.value)
    inherited = s.radius * (np.abs(1 - 2 * s.value) + s.radius)
    rounded = (4 * ULPS + 1) * p.both * (value + s.radius)
    return Ball(value, inherited + rounded + p.flushed, p)


def slope_of_tanh(t: Ball) -> Ball:
    """1 - t^2, the slope of t = tanh(a), from t or from a."""
    p, size = t.precision, np.abs(t.value)
    value = 1 - t.value**2
    inherited = t.radius * (2 * size + t.radius)
    rounded = p.both * (2 * (size + t.radius) ** 2 + 4 * ULPS * value)
    return Ball(value, inherited + rounded + p.flushed, p)


def times(a: Sum, r: Ball) -> Sum:
    """r a, distributed over the terms of a or not."""
    value, size = np.abs(a.value), r.value + r.radius
    radius = size * a.radius + r.radius * value
    return replace(
        a,
        value=r.value * a.value,
        scale=size * a.scale,
        radius=radius,
        terms=a.terms + BESIDE,
    )


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
