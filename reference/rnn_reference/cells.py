"""One step of each cell: a line an equation, for a batch of sequences with a row each.

A step is given one layer's weights in one direction, the inputs x_t (B, I) and the state before it,
and returns its output (B, H) and the state after it. A state is a tuple of parts (B, H): the Elman
cell and the GRU have one, h, the LSTM two, h and c. The output is the new h.

A gate has H rows of the weights: W_ii is the first H rows of the LSTM's W_ih, b_hi of its b_hh.
σ(a) = 1 / (1 + exp(-a)), * is by element.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from rnn_reference.validation import Array

State = tuple[Array, ...]


class CellWeights(NamedTuple):
    """What a step reads, with G H rows: G is 1 for the Elman cell, 4 the LSTM, 3 the GRU."""

    W_ih: Array  # (G H, I)
    W_hh: Array  # (G H, H)
    b_ih: Array  # (G H,), zeros where a layer has no bias
    b_hh: Array  # likewise


Step = Callable[[CellWeights, Array, State], tuple[Array, State]]


def tanh_step(w: CellWeights, x: Array, state: State) -> tuple[Array, State]:
    """h_t = tanh(W_ih x_t + b_ih + W_hh h_{t-1} + b_hh), which is the output and the state."""
    (h,) = state
    h = np.tanh(x @ w.W_ih.T + w.b_ih + h @ w.W_hh.T + w.b_hh)
    return h, (h,)


def relu_step(w: CellWeights, x: Array, state: State) -> tuple[Array, State]:
    """h_t = max(W_ih x_t + b_ih + W_hh h_{t-1} + b_hh, 0), which is the output and the state."""
    (h,) = state
    h = np.maximum(x @ w.W_ih.T + w.b_ih + h @ w.W_hh.T + w.b_hh, 0)
    return h, (h,)


ELMAN: dict[str, Step] = {"tanh": tanh_step, "relu": relu_step}  # by nonlinearity


def sigmoid(a: Array) -> Array:
    """σ(a) = 1 / (1 + exp(-a)), without a warning."""
    with np.errstate(over="ignore"):  # exp(-a) is infinite where σ(a) is no normal number
        return 1 / (1 + np.exp(-a))


def lstm_gates(w: CellWeights, x: Array, h: Array) -> tuple[Array, Array, Array, Array]:
    """i_t, f_t, g_t and o_t of `lstm_step`, from h_{t-1}."""
    a_i, a_f, a_g, a_o = np.split(x @ w.W_ih.T + w.b_ih + h @ w.W_hh.T + w.b_hh, 4, axis=1)
    return sigmoid(a_i), sigmoid(a_f), np.tanh(a_g), sigmoid(a_o)


def lstm_step(w: CellWeights, x: Array, state: State) -> tuple[Array, State]:
    """Gates i, f, g, o in this order, 4 H rows (PyTorch's documentation of `torch.nn.LSTM`).

    i_t = σ(W_ii x_t + b_ii + W_hi h_{t-1} + b_hi)
    f_t = σ(W_if x_t + b_if + W_hf h_{t-1} + b_hf)
    g_t = tanh(W_ig x_t + b_ig + W_hg h_{t-1} + b_hg)
    o_t = σ(W_io x_t + b_io + W_ho h_{t-1} + b_ho)
    c_t = f_t * c_{t-1} + i_t * g_t
    h_t = o_t * tanh(c_t)
    """
    h, c = state
    i, f, g, o = lstm_gates(w, x, h)
    c = f * c + i * g
    h = o * np.tanh(c)
    return h, (h, c)


def gru_gates(w: CellWeights, x: Array, h: Array) -> tuple[Array, Array, Array, Array]:
    """r_t, z_t and n_t of `gru_step`, from h_{t-1}, and W_hn h_{t-1} + b_hn."""
    x_r, x_z, x_n = np.split(x @ w.W_ih.T + w.b_ih, 3, axis=1)
    h_r, h_z, h_n = np.split(h @ w.W_hh.T + w.b_hh, 3, axis=1)
    r = sigmoid(x_r + h_r)
    z = sigmoid(x_z + h_z)
    n = np.tanh(x_n + r * h_n)
    return r, z, n, h_n


def gru_step(w: CellWeights, x: Array, state: State) -> tuple[Array, State]:
    """Gates r, z, n in this order, 3 H rows (PyTorch's documentation of `torch.nn.GRU`).

    r_t = σ(W_ir x_t + b_ir + W_hr h_{t-1} + b_hr)
    z_t = σ(W_iz x_t + b_iz + W_hz h_{t-1} + b_hz)
    n_t = tanh(W_in x_t + b_in + r_t * (W_hn h_{t-1} + b_hn))
    h_t = (1 - z_t) * n_t + z_t * h_{t-1}
    """
    (h,) = state
    _, z, n, _ = gru_gates(w, x, h)
    h = (1 - z) * n + z * h
    return h, (h,)


def gru_reset_before_gates(w: CellWeights, x: Array, h: Array) -> tuple[Array, Array, Array]:
    """r_t, z_t and n_t of `gru_reset_before_step`, from h_{t-1}."""
    (W_hr, W_hz, W_hn), (b_hr, b_hz, b_hn) = np.split(w.W_hh, 3), np.split(w.b_hh, 3)
    x_r, x_z, x_n = np.split(x @ w.W_ih.T + w.b_ih, 3, axis=1)
    r = sigmoid(x_r + h @ W_hr.T + b_hr)
    z = sigmoid(x_z + h @ W_hz.T + b_hz)
    n = np.tanh(x_n + (r * h) @ W_hn.T + b_hn)
    return r, z, n


def gru_reset_before_step(w: CellWeights, x: Array, state: State) -> tuple[Array, State]:
    """`gru_step` but for n_t, which resets h_{t-1} itself (ONNX's GRU, linear_before_reset=0).

    n_t = tanh(W_in x_t + b_in + W_hn (r_t * h_{t-1}) + b_hn)
    """
    (h,) = state
    _, z, n = gru_reset_before_gates(w, x, h)
    h = (1 - z) * n + z * h
    return h, (h,)
