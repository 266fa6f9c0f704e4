"""The one recurrence, organised for speed: what a batch, a layer and a direction all run."""

from collections.abc import Callable
from functools import partial
from itertools import pairwise

import numpy as np

from rnn_reference.weights import Array

NONLINEARITIES: dict[str, Callable[..., Array]] = {
    "tanh": np.tanh,
    "relu": partial(np.maximum, 0),
}


def recurrence(
    inputs: Array, h_0: Array, W_xh: Array, W_hh: Array, bias: Array | None, nonlinearity: str
) -> Array:
    """All states of h_t = f(W_xh x_t + bias + W_hh h_{t-1}), for sequences of equal length.

    Args:
        inputs: x_0 … x_{T-1}, (T, B, I), a row a sequence.
        h_0: the states before the first step, (B, H).
        W_xh, W_hh, bias: (H, I), (H, H) and (H,) or None, which adds nothing.
        nonlinearity: f, "tanh" or "relu".
        All of one dtype, and none is written to or looked over: that is the callers' part.

    Returns:
        states (T + 1, B, H), memory of its own: states[t] is the state once t inputs were read, so
        states[0] is h_0.
    """
    steps, batch_size, input_size = inputs.shape
    hidden_size, f = len(W_hh), NONLINEARITIES[nonlinearity]

    # A row a sequence, so that a step is one product of contiguous blocks.
    states = np.empty((steps + 1, batch_size, hidden_size), inputs.dtype)
    states[0] = h_0

    # W_xh x_t and the bias wait for no state: one product over all steps, written to where each
    # state will stand.
    rows = states[1:].reshape(-1, hidden_size)
    np.matmul(inputs.reshape(-1, input_size), W_xh.T, out=rows)
    if bias is not None:
        rows += bias

    recurrent = np.empty((batch_size, hidden_size), inputs.dtype)
    W_hh_T = np.ascontiguousarray(W_hh.T)
    for previous, state in pairwise(states):
        state += np.matmul(previous, W_hh_T, out=recurrent)
        f(state, out=state)
    return states
