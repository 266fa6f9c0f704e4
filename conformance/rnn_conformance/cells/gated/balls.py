"""What gates do in balls: those of each cell, z between n and h, other functions than the usual."""

from collections.abc import Callable

import numpy as np

from rnn_conformance.bounds.balls import Ball, Float64, Matrix, Sum, gamma, product
from rnn_conformance.cells.activations import ULPS, gate, gated_tanh, times


def gates_of_lstm(x: Sum, W_hh: Matrix, b_hh: Sum, h: Ball) -> tuple[Ball, Ball, Ball, Ball]:
    """i, f, g and o, of x = W_ih x_t + b_ih."""
    a = (x + product(W_hh, h) + b_hh).ball()
    i, f, _, o = gate(a).split(4)
    return i, f, gated_tanh(a.split(4)[2]), o


def gates_of_gru(x: Sum, W_hh: Matrix, b_hh: Sum, h: Ball) -> tuple[Ball, Ball, Ball, Sum]:
    """r, z and n, and W_hn h_{t-1} + b_hn, of x = W_ih x_t + b_ih."""
    of_h = product(W_hh, h) + b_hh
    r, z, _ = gate((x + of_h).ball()).split(3)
    h_n = of_h.split(3)[2]
    return r, z, gated_tanh((x.split(3)[2] + times(h_n, r)).ball()), h_n


def gates_reset_before(x: Sum, W_hh: Matrix, b_hh: Sum, h: Ball) -> tuple[Ball, Ball, Ball]:
    """r, z and n, which reads r h_{t-1}, of x = W_ih x_t + b_ih."""
    r, z, _ = gate((x + product(W_hh, h) + b_hh).ball()).split(3)
    W_n, b_n = W_hh.split(3)[2], b_hh.split(3)[2]
    return r, z, gated_tanh((x.split(3)[2] + product(W_n, r * h.kept()) + b_n).ball())


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
