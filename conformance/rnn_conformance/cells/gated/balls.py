"""What gates do in balls: z between n and h; and other functions than the usual."""

from collections.abc import Callable

import numpy as np

from rnn_conformance.bounds.balls import Ball, Float64, gamma
from rnn_conformance.cells.activations import ULPS


def between(z: Ball, n: Ball, h: Ball) -> Ball:
    """(1 - z) n + z h, or n + z (h - n), where 1 - z may be σ(-a) on its own."""
    p, n_size, h_size = z.precision, np.abs(n.value), np.abs(h.value)
    inherited = (
        z.radius * (np.abs(h.value - n.value) + n.radius + h.radius)
        + (1 - z.value) * n.radius
        + z.value * h.radius
    )
    gates = 2 * ULPS * p.both * ((1 - z.value) * n_size + z.value * h_size)
    sums = gamma(4, p.both) * (n_size + n.radius + h_size + h.radius) + 4 * p.flushed
    return Ball((1 - z.value) * n.value + z.value * h.value, inherited + gates + sums, p)


def monotone(
    function: Callable[[Float64], Float64], a: Ball, ulps: float = 0, least: float = 0
) -> Ball:
    """A function that rises or falls throughout, computed to so many ulps of at least `least`."""
    p, value = a.precision, np.asarray(function(a.value), np.float64)
    ends = (np.asarray(function(a.value + way * a.radius), np.float64) for way in (-1, 1))
    through = np.fmax(*(np.abs(end - value) for end in ends))
    return Ball(value, through + 2 * ulps * p.both * np.fmax(np.abs(value), least), p)
