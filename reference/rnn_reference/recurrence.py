"""The one recurrence, organised for speed: what a batch, a layer and a direction all run.

A loop of NumPy spends its time between the calls, so there are few of them, each on memory that is
laid out for it, and a state is written to where it is returned. Where there are at most half as
many inputs as units, state and input stand in one array, with a column a sequence, and a step is
two calls:

    [h_t; ·] = tanh([W_hh  W_xh  b_xh  b_hh] [h_{t-1}; x_t; 1; 1])

Likewise where the inputs' copy costs less than a call: with at most 16 of them, if a cache holds
those of all steps, and for one sequence with at most 32 units. Elsewhere W_xh x_t and the biases
are computed ahead, for as many steps as a cache holds, with a row a sequence, as the inputs have
it; then a step is three calls.
"""

from collections.abc import Callable, Iterable
from typing import Literal

import numpy as np

from rnn_reference.weights import Array

NONLINEARITIES: dict[str, Callable[[Array, Array], object]] = {  # of a, written to the second
    "tanh": np.tanh,
    "relu": lambda a, out: np.maximum(a, 0, out=out),
}
CACHE_BYTES = 2**20  # what the cache of one core holds
SMALL_PRODUCT = 100**3  # up to so many multiplications OpenBLAS packs no operand, which costs more
FEWEST_ROWS = 32  # of a product or a part of one: fewer are worth no call of their own

LookOver = Callable[[Array], None]


def side_by_side(W_hh: Array, W_xh: Array, b_xh: Array, b_hh: Array) -> Array:
    """[W_hh  W_xh  b_xh  b_hh], copied into one array for `recurrence`.

    Args:
        W_hh, W_xh, b_xh, b_hh: (H, H), (H, I), (H, 1), (H, 1).
    """
    H, I = W_xh.shape
    # By columns a product with one vector or a few is faster, unless the matrix is large.
    large = H * (H + I + 2) * W_xh.itemsize > CACHE_BYTES
    order: Literal["C", "F"] = "C" if large and 2 * I <= H else "F"
    W = np.empty((H, H + I + 2), W_xh.dtype, order)
    return np.concatenate((W_hh, W_xh, b_xh, b_hh), axis=1, out=W)


def recurrence(
    inputs: Array, h_0: Array, W: Array, nonlinearity: str, look_over: LookOver | None = None
) -> tuple[Array, Iterable[Array]]:
    """All states of h_t = f(W_xh x_t + b_xh + W_hh h_{t-1} + b_hh), for sequences of one length.

    Args:
        inputs: x_0 … x_{T-1}, (T, B, I), a row a sequence.
        h_0: the states before the first step, (B, H).
        W: [W_hh  W_xh  b_xh  b_hh] as `side_by_side` makes it.
        nonlinearity: f, "tanh" or "relu".
        look_over: called with some steps of `inputs` after the other, each just before it is read,
            so that it comes from memory once. It may raise.
        All of one dtype, and none is written to or checked: that is the callers' part.

    Returns:
        states (T + 1, B, H), in memory that nothing else has, which need not be contiguous:
        states[t] is the state once t inputs were read, so states[0] is h_0. And a view of each
        state, (H, B), a column a sequence.
    """
    batch_size, input_size = inputs.shape[1:]
    hidden_size = len(W)
    few_inputs = 2 * input_size <= hidden_size
    cheap = input_size <= 16 and inputs.nbytes <= CACHE_BYTES
    cheaper = batch_size == 1 and hidden_size <= 32
    run = _in_one_array if few_inputs or cheap or cheaper else _ahead
    return run(inputs, h_0, W, NONLINEARITIES[nonlinearity], look_over)


def _in_one_array(
    inputs: Array,
    h_0: Array,
    W: Array,
    f: Callable[[Array, Array], object],
    look_over: LookOver | None,
) -> tuple[Array, Iterable[Array]]:
    """States in an array that holds [h_{t-1}; x_t; 1; 1] for each t."""
    (steps, batch_size, _), hidden_size = inputs.shape, len(W)
    if look_over is not None:
        look_over(inputs)
    read = np.empty((steps + 1, W.shape[1], batch_size), inputs.dtype)
    states = read[:, :hidden_size]
    states[0] = h_0.T
    read[:-1, hidden_size:-2] = inputs.transpose(0, 2, 1)
    read[:, -2:] = 1

    product, each = product_with(W, batch_size), list(states)
    for h_x_1_1, h in zip(read, each[1:], strict=False):  # of the last, nothing is read
        product(h_x_1_1, h)
        f(h, h)
    return states.transpose(0, 2, 1), each


def _ahead(
    inputs: Array,
    h_0: Array,
    W: Array,
    f: Callable[[Array, Array], object],
    look_over: LookOver | None,
) -> tuple[Array, Iterable[Array]]:
    """States each of which is W_xh x_t and the biases at first."""
    (steps, batch_size, _), hidden_size = inputs.shape, len(W)
    states = np.empty((steps + 1, batch_size, hidden_size), inputs.dtype)
    states[0] = h_0
    h, *to_come = states

    W_hh_T, W_xh_T, b = W[:, :hidden_size].T, W[:, hidden_size:-2].T, W[:, -2] + W[:, -1]
    recurrent, add = np.empty_like(h), np.add
    block = max(1, CACHE_BYTES // (inputs[0].nbytes + h.nbytes))
    for first in range(0, steps, block):
        x, ahead = inputs[first : first + block], states[1:][first : first + block]
        if look_over is not None:
            look_over(x)
        affine(x, W_xh_T, b, out=ahead)
        for h_next in to_come[first : first + block]:
            h.dot(W_hh_T, recurrent)
            add(h_next, recurrent, h_next)
            f(h_next, h_next)
            h = h_next
    return states, states.transpose(0, 2, 1)


def affine(rows: Array, W: Array, b: Array, out: Array | None = None) -> Array:
    """v W + b for all rows v of (n, B, I), with W (I, N) and b (N,): (n, B, N)."""
    (n, B, I), N = rows.shape, len(b)
    if B < FEWEST_ROWS:
        flat = None if out is None else out.reshape(-1, N)
        out = np.matmul(rows.reshape(n * B, I), W, out=flat).reshape(n, B, N)
    else:
        out = np.matmul(np.ascontiguousarray(rows), W, out=out)
    out += b if B == 1 else spread(b, (B, N))
    return out


def spread(b: Array, shape: tuple[int, ...]) -> Array:
    """`b` broadcast in memory: what is added to long arrays in one sweep, not row by row."""
    wide = np.empty(shape, b.dtype)
    wide[:] = b
    return wide


def product_with(W: Array, columns: int) -> Callable[[Array, Array], object]:
    """What writes W z to an array, for z of so many columns: in parts, where these are faster."""
    multiplications = W.size * columns
    rows = len(W) if multiplications <= SMALL_PRODUCT else len(W) * SMALL_PRODUCT // multiplications
    if rows == len(W) or rows < FEWEST_ROWS:
        return W.dot
    upper = [(slice(i, i + rows), W[i : i + rows]) for i in range(0, len(W), rows)]

    def product(z: Array, out: Array) -> None:
        for part, W_part in upper:
            np.matmul(W_part, z, out=out[part])

    return product
