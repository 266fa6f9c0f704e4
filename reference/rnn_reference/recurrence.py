"""The one recurrence, organised for speed: what a batch, a layer and a direction all run.

A loop of NumPy spends its time between the calls, so there are few of them, each on memory that is
laid out for it: a state (H, B) holds a column a sequence, and is written to where it is returned.
Where a batch has few inputs beside units, state and input stand in one array, and a step is two
calls:

    [h_t; ·] = tanh([W_hh  W_xh  bias] [h_{t-1}; x_t; 1])

Elsewhere W_xh x_t + bias is computed ahead, for as many steps as a cache holds; then three calls.
"""

from collections.abc import Callable
from functools import partial

import numpy as np

from rnn_reference.weights import Array

NONLINEARITIES: dict[str, Callable[..., Array]] = {
    "tanh": np.tanh,
    "relu": partial(np.maximum, 0),
}
BLOCK_BYTES = 2**20  # of inputs and states together: what the cache of one core holds
SMALL_PRODUCT = 100**3  # up to so many multiplications OpenBLAS packs no operand, which costs more
FEWEST_ROWS = 32  # of a part: with fewer, the gain is small, and two threads at the whole gain more


def recurrence(
    inputs: Array,
    h_0: Array,
    W_xh: Array,
    W_hh: Array,
    bias: Array | None,
    nonlinearity: str,
    look_over: Callable[[Array], None] | None = None,
) -> Array:
    """All states of h_t = f(W_xh x_t + bias + W_hh h_{t-1}), for sequences of equal length.

    Args:
        inputs: x_0 … x_{T-1}, (T, B, I), a row a sequence.
        h_0: the states before the first step, (B, H).
        W_xh, W_hh, bias: (H, I), (H, H) and (H,) or None, which adds nothing.
        nonlinearity: f, "tanh" or "relu".
        look_over: called with some steps of `inputs` after the other, each just before it is read,
            so that it comes from memory once. It may raise.
        All of one dtype, and none is written to or checked: that is the callers' part.

    Returns:
        states (T + 1, B, H), in memory that nothing else has: states[t] is the state once t inputs
        were read, so states[0] is h_0. A view: states[t].T (H, B) is contiguous, states[t] is not.
    """
    b = np.zeros((len(W_hh), 1), W_xh.dtype) if bias is None else bias[:, np.newaxis]
    states, _ = in_columns(inputs, h_0.T, W_xh, W_hh, b, nonlinearity, look_over)
    return states.transpose(0, 2, 1)


def in_columns(
    inputs: Array,
    h_0: Array,
    W_xh: Array,
    W_hh: Array,
    bias: Array,
    nonlinearity: str,
    look_over: Callable[[Array], None] | None,
) -> tuple[Array, list[Array]]:
    """`recurrence` for h_0 (H, B) and a bias (H, 1): states (T + 1, H, B), and a list of each."""
    hidden_size, input_size = W_xh.shape
    several = inputs.shape[1] > 1
    run = _in_one_array if several and 2 * input_size <= hidden_size else _ahead
    return run(inputs, h_0, W_xh, W_hh, bias, NONLINEARITIES[nonlinearity], look_over)


def _in_one_array(
    inputs: Array,
    h_0: Array,
    W_xh: Array,
    W_hh: Array,
    bias: Array,
    f: Callable[..., Array],
    look_over: Callable[[Array], None] | None,
) -> tuple[Array, list[Array]]:
    """States in an array that holds [h_{t-1}; x_t; 1] for each t."""
    steps, batch_size, input_size = inputs.shape
    hidden_size = len(W_hh)
    if look_over is not None:
        look_over(inputs)
    read = np.empty((steps + 1, hidden_size + input_size + 1, batch_size), inputs.dtype)
    states = read[:, :hidden_size]
    states[0] = h_0
    read[:-1, hidden_size:-1] = inputs.transpose(0, 2, 1)
    read[:, -1] = 1

    W = np.empty((hidden_size, hidden_size + input_size + 1), inputs.dtype)
    W[:, :hidden_size], W[:, hidden_size:-1], W[:, -1:] = W_hh, W_xh, bias
    product = product_with(W, batch_size)
    each = list(states)
    for h_x_1, h in zip(read[:-1], each[1:], strict=True):
        product(h_x_1, h)
        f(h, out=h)
    return states, each


def _ahead(
    inputs: Array,
    h_0: Array,
    W_xh: Array,
    W_hh: Array,
    bias: Array,
    f: Callable[..., Array],
    look_over: Callable[[Array], None] | None,
) -> tuple[Array, list[Array]]:
    """States each of which is W_xh x_t + bias at first."""
    steps, batch_size, _ = inputs.shape
    states = np.empty((steps + 1, *h_0.shape), inputs.dtype)
    states[0] = h_0
    h, *to_come = each = list(states)

    product, recurrent, add = product_with(W_hh, batch_size), np.empty_like(h), np.add
    block = max(1, BLOCK_BYTES // (inputs[0].nbytes + h.nbytes))
    for first in range(0, steps, block):
        x, ahead = inputs[first : first + block], states[1:][first : first + block]
        if look_over is not None:
            look_over(x)
        _project(x, W_xh, out=ahead)
        ahead += bias
        for h_next in to_come[first : first + block]:
            product(h, recurrent)
            add(h_next, recurrent, h_next)
            f(h_next, out=h_next)
            h = h_next
    return states, each


def _project(x: Array, W_xh: Array, out: Array) -> None:
    """W_xh x_t for some steps of x (n, B, I), to out (n, H, B)."""
    x = np.ascontiguousarray(x)
    if x.shape[1] == 1:  # the steps of one sequence are a batch themselves
        np.matmul(x[:, 0], W_xh.T, out=out[..., 0])
    else:
        np.matmul(W_xh, x.transpose(0, 2, 1), out=out)


def product_with(W: Array, columns: int) -> Callable[[Array, Array], object]:
    """What writes W z to an array, for z of so many columns: in parts, where these are faster."""
    multiplications = W.size * columns
    rows = len(W) if multiplications <= SMALL_PRODUCT else len(W) * SMALL_PRODUCT // multiplications
    if rows == len(W) or rows < FEWEST_ROWS:
        return W.dot
    upper = [(slice(i, i + rows), W[i : i + rows].dot) for i in range(0, len(W), rows)]

    def product(z: Array, out: Array) -> None:
        for part, dot in upper:
            dot(z, out[part])

    return product
