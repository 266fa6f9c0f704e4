"""The loop of `BatchRNN`, organised for speed: `single` and `cells` have its equation to read.

A loop of NumPy spends its time between the calls, so there are few of them, each on memory that is
laid out for it, and a state is written to where it is returned. Where there are at most half as
many inputs as units, state and input stand in one array, with a column a sequence, and a step is
two calls:

    [h_t; ·] = tanh([W_hh  W_xh  b_xh  b_hh] [h_{t-1}; x_t; 1; 1])

Likewise where the inputs' copy costs less than a call: with at most 16 of them, if a cache holds
those of all steps, and for one sequence with at most 32 units. Elsewhere W_xh x_t and the biases
are computed first, for as many steps as a cache holds, with a row a sequence, as the inputs have
it; then a step is three calls. So it is too where the weights are not views of one array, and too
few steps would repay their copy.
"""

from collections.abc import Callable, Iterable
from typing import Literal, NamedTuple

import numpy as np

from rnn_reference.validation import Array

CACHE_BYTES = 2**20  # what the cache of one core holds
BYTES_REPAID = 2**11  # of weights, if they are copied: so many are repaid by a step of a sequence
SMALL_PRODUCT = 100**3  # up to so many multiplications OpenBLAS packs no operand, which costs more
FEWEST_ROWS = 32  # of a product or a part of one: fewer are worth no call of their own

CheckBlock = Callable[[Array], None]


class StepWeights(NamedTuple):
    """The weights of a step: (H, H), (H, I), (H, 1), (H, 1)."""

    W_hh: Array
    W_xh: Array
    b_xh: Array
    b_hh: Array


def side_by_side(W_hh: Array, W_xh: Array, b_xh: Array, b_hh: Array) -> StepWeights:
    """Copies that are views of one array [W_hh  W_xh  b_xh  b_hh]."""
    H, I = W_xh.shape
    # By columns a product with one vector or a few is faster, unless the matrix is large.
    large = H * (H + I + 2) * W_xh.itemsize > CACHE_BYTES
    order: Literal["C", "F"] = "C" if large and 2 * I <= H else "F"
    W = np.empty((H, H + I + 2), W_xh.dtype, order)
    np.concatenate((W_hh, W_xh, b_xh, b_hh), axis=1, out=W)
    return StepWeights(W[:, :H], W[:, H:-2], W[:, -2:-1], W[:, -1:])


def recurrence(
    inputs: Array, h_0: Array, weights: StepWeights, check_block: CheckBlock
) -> tuple[Array, Iterable[Array]]:
    """States (T + 1, B, H) of inputs (T, B, I) from h_0 (B, H), and a view (H, B) of each state.

    They are in memory that nothing else has, which need not be contiguous; the first is h_0. The
    weights of `side_by_side` need no copy. `check_block` is called with some steps of `inputs`
    after the other, each just before it is read, so that it comes from memory once. It may raise.
    """
    (steps, batch_size, I), H = inputs.shape, len(weights.W_hh)
    few_inputs = 2 * I <= H
    cheap = I <= 16 and inputs.nbytes <= CACHE_BYTES
    cheaper = batch_size == 1 and H <= 32
    W = _one_array(weights)
    if few_inputs or cheap or cheaper:
        size = H * (H + I + 2) * inputs.itemsize
        if W is None and size <= BYTES_REPAID * steps * batch_size:
            W = np.concatenate(weights, axis=1)
        if W is not None:
            return _in_one_array(inputs, h_0, W, check_block)
    return _inputs_first(inputs, h_0, weights, check_block)


def _one_array(weights: StepWeights) -> Array | None:
    """What all four weights are views of, if that is one array."""
    W = weights.W_hh.base
    return W if W is weights.W_xh.base is weights.b_xh.base is weights.b_hh.base else None


def _in_one_array(
    inputs: Array, h_0: Array, W: Array, check_block: CheckBlock
) -> tuple[Array, Iterable[Array]]:
    """States in an array that holds [h_{t-1}; x_t; 1; 1] for each t."""
    (steps, batch_size, _), (hidden_size, width) = inputs.shape, W.shape
    check_block(inputs)
    read = np.empty((steps + 1, width, batch_size), inputs.dtype)
    states = read[:, :hidden_size]
    states[0] = h_0.T
    read[:-1, hidden_size:-2] = inputs.transpose(0, 2, 1)
    read[:, -2:] = 1

    product, tanh, each = product_with(W, batch_size), np.tanh, list(states)
    for h_x_1_1, h in zip(read, each[1:], strict=False):  # of the last, nothing is read
        product(h_x_1_1, h)
        tanh(h, h)
    return states.transpose(0, 2, 1), each


def _inputs_first(
    inputs: Array, h_0: Array, weights: StepWeights, check_block: CheckBlock
) -> tuple[Array, Iterable[Array]]:
    """States each of which is W_xh x_t and the biases at first."""
    (steps, batch_size, _), hidden_size = inputs.shape, len(weights.W_hh)
    states = np.empty((steps + 1, batch_size, hidden_size), inputs.dtype)
    states[0] = h_0
    h, *to_come = states

    W_hh_T, W_xh_T, b = weights.W_hh.T, weights.W_xh.T, (weights.b_xh + weights.b_hh)[:, 0]
    recurrent, add, tanh = np.empty_like(h), np.add, np.tanh
    block = max(1, CACHE_BYTES // (inputs[0].nbytes + h.nbytes))
    for first in range(0, steps, block):
        x, ahead = inputs[first : first + block], states[1:][first : first + block]
        check_block(x)
        affine(x, W_xh_T, b, out=ahead)
        for h_next in to_come[first : first + block]:
            h.dot(W_hh_T, recurrent)
            add(h_next, recurrent, h_next)
            tanh(h_next, h_next)
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
