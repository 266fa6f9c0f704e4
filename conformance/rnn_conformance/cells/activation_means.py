"""The mean errors of the activations of a gated cell, seen in its first step over many rows."""

from collections.abc import Iterator

import numpy as np

from rnn_conformance.bounds.balls import Float64, Precision
from rnn_conformance.bounds.statistics import WIDEST, Statistic, activation_mean
from rnn_conformance.cells.activations import sigmoid
from rnn_conformance.cells.cell import Trace
from rnn_conformance.contract.call import Array


def of_lstm(trace: Trace, states: Array) -> Iterator[Statistic]:
    """Of i, f, g, o and tanh(c), from h alone."""
    x, h, wide = _first(trace)
    h, c = np.split(h, 2, axis=1)
    a = np.split(x + h @ wide["W_hh"].T + wide["b_hh"], 4, axis=1)
    i, f, o, g = sigmoid(a[0]), sigmoid(a[1]), sigmoid(a[3]), np.tanh(a[2])
    shown = np.tanh(f * c + i * g)
    through = o * (1 - shown**2)
    derivatives = {
        "σ of i": through * g,
        "σ of f": through * c,
        "tanh of g": through * i,
        "σ of o": shown,
        "tanh of c": o,
    }
    yield from _means(trace, states[0] - o * shown, derivatives)


def of_gru(trace: Trace, states: Array, *, before: bool) -> Iterator[Statistic]:
    """Of r, z and n."""
    x, h, wide = _first(trace)
    W, b = np.split(wide["W_hh"], 3), np.split(wide["b_hh"], 3)
    x_r, x_z, x_n = np.split(x, 3, axis=1)
    r, z = sigmoid(x_r + h @ W[0].T + b[0]), sigmoid(x_z + h @ W[1].T + b[1])
    of_state = h @ W[2].T + b[2]
    n = np.tanh(x_n + (r * h) @ W[2].T + b[2] if before else x_n + r * of_state)
    through = (1 - z) * (1 - n**2)
    derivatives = {"σ of z": h - n, "tanh of n": 1 - z}
    if not before:  # else each unit's r shows in every unit
        derivatives["σ of r"] = through * of_state
    yield from _means(trace, states[0] - ((1 - z) * n + z * h), derivatives)


def _first(trace: Trace) -> tuple[Array, Array, dict[str, Array]]:
    """W_ih x + b_ih of the first step, the state before it and the weights, all wider."""
    wide = np.float64 if trace.dtype == "float32" else WIDEST
    w = {name: value.astype(wide) for name, value in trace.weights._asdict().items()}
    return trace.inputs[0].astype(wide) @ w["W_ih"].T + w["b_ih"], trace.initial.astype(wide), w


def _means(trace: Trace, r: Array, derivatives: dict[str, Array]) -> Iterator[Statistic]:
    u, found = Precision.of(trace.dtype).u, _float64(r)
    for what, D in derivatives.items():
        if D.any():  # f does not show without c_0, nor z without h_0 and n
            yield activation_mean(what, found, _float64(D), u)


def _float64(values: Array) -> Float64:
    return values.astype(np.float64)
