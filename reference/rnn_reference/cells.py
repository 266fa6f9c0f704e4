"""One step of each cell: a line an equation, for a batch of sequences with a row each.

A step is given one layer's weights in one direction, the inputs x_t (B, I) and the state before it,
and returns its output (B, H) and the state after it. A state is a tuple of parts (B, H): the Elman
cell has one, h.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from rnn_reference.validation import Array

State = tuple[Array, ...]


class CellWeights(NamedTuple):
    """What a step reads, with G H rows where a cell has G gates; the Elman cell has one."""

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
