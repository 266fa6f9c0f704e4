"""The activations, as functions of balls."""

import numpy as np

from rnn_conformance.bounds.balls import Ball, Float64, Sum, applied

ULPS = 4  # that tanh may be off


def tanh(a: Sum) -> Ball:
    """It flattens an error, and may be 4 ulps off."""
    return applied(a.ball(), np.tanh, sech2, ULPS)


def relu(a: Sum) -> Ball:
    """It rounds nothing, and hands on an error as it is at most."""
    ball = a.ball()
    return Ball(np.maximum(ball.value, 0), ball.radius + a.precision.flushed, a.precision)


def sech2(a: Float64) -> Float64:
    """sech(a)^2 of a >= 0, the slope of tanh; 0 rather than an overflow where a is large."""
    decay = np.exp(-2 * a)
    result: Float64 = 4 * decay / (1 + decay) ** 2
    return result
