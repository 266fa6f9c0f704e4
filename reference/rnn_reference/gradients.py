"""What gradients are returned as, and backpropagation through time for `BatchRNN`, for speed.

To read it, and for any cell and a stack of layers: `adjoints` and `through_time`.

Let d_t = dL/da_t for a_t = W_xh x_t + b_xh + W_hh h_{t-1} + b_hh, h_t = tanh a_t. From the last
step to the first, with dL/dy_t and, where L sees a state itself, dL/dh_t given,

    d_t = (1 - h_t^2) ([W_hh' W_ho'] [d_{t+1}; dL/dy_t] + dL/dh_t),        d_T = 0

(P. J. Werbos, Backpropagation through time: what it does and how to do it, Proceedings of the IEEE
78(10), 1990). The gradients are sums over all steps and the batch, W_hh's and W_ho's one product:

    [dL/dW_hh; dL/dW_ho] = sum [d_{t+1}; dL/dy_t] h_t'        dL/dW_xh = sum d_t x_t'
    dL/db_xh = dL/db_hh = sum d_t        dL/db_ho = sum dL/dy_t        dL/dh_{-1} = W_hh' d_0
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from rnn_reference.recurrence import CACHE_BYTES, product_with
from rnn_reference.validation import Array


class Gradients(NamedTuple):
    """What a loss L changes by: each array shaped as what it is of, and none shares memory.

    Attributes:
        weights: dL/dW by the name of the weight.
        h_0: dL/dh_{-1}, also where zeros stood for h_0.
        inputs: dL/dx, 0 in the padding; None where `BatchRNN.backward` is not asked for it.
        c_0: dL/dc_{-1}, of an LSTM alone.
    """

    weights: dict[str, Array]
    h_0: Array
    inputs: Array | None
    c_0: Array | None = None


class BackwardResult(NamedTuple):
    """What the `backward` of a stack returns: the results of its forward pass, and gradients.

    Attributes:
        output, h_n, c_n: what `forward` gives; c_n of an LSTM alone.
        gradients: those of a loss L on these.
    """

    output: Array
    h_n: Array
    c_n: Array | None
    gradients: Gradients


def backpropagation(
    weights: Mapping[str, Array],
    inputs: Array,
    states: Mapping[int, Array],
    output_gradients: Mapping[int, Array],
    state_gradients: Mapping[int, Array],
    of_inputs: bool,
) -> Gradients:
    """What `BatchRNN.backward` returns, of what it is given; nothing is written to or checked."""
    (T, B, I), (O, H) = inputs.shape, weights["W_ho"].shape
    sums = {name: np.zeros(weight.shape, weight.dtype) for name, weight in weights.items()}
    dx = np.empty_like(inputs, order="C") if of_inputs else None

    block = min(T, max(1, CACHE_BYTES // ((H + O) * B * inputs.itemsize)))
    read = np.zeros((block + 1, H + O, B), inputs.dtype)  # [d_{t+1}; dL/dy_t], of t = -1 first
    W_hh_T, W_ho_T = weights["W_hh"].T, weights["W_ho"].T
    back = product_with(np.ascontiguousarray(np.concatenate([W_hh_T, W_ho_T], axis=1)), B)
    through, no_output = np.empty((H, B), inputs.dtype), np.zeros((O, B), inputs.dtype)
    add, multiply = np.add, np.multiply
    for first in reversed(range(0, T, block)):
        steps = range(first, min(first + block, T))
        n = len(steps)
        h_t = [states[t] for t in steps]
        dy_t = [output_gradients.get(t, no_output) for t in steps]
        read[n, :H] = read[0, :H]  # d of the step after these
        read[1 : n + 1, H:] = np.concatenate(dy_t).reshape(n, O, B)
        slopes = np.concatenate(h_t).reshape(n, H, B)
        np.subtract(1, np.square(slopes, out=slopes), out=slopes)

        from_last = reversed(steps), read[n:0:-1], read[n - 1 :: -1, :H], slopes[::-1]
        for t, d_dy, d, slope in zip(*from_last, strict=True):
            back(d_dy, through)
            if t in state_gradients:
                add(through, state_gradients[t], through)
            multiply(through, slope, d)

        by_unit = read[: n + 1].transpose(1, 0, 2).reshape(H + O, -1)
        d, d_dy = by_unit[:H, :-B], by_unit[:, B:]
        of_both = d_dy @ np.concatenate(h_t, axis=1).T
        sums["W_hh"] += of_both[:H]
        sums["W_ho"] += of_both[H:]
        sums["W_xh"] += d @ inputs[first : first + n].reshape(-1, I)
        sums["b_xh"] += d.sum(axis=1, keepdims=True)
        sums["b_ho"] += d_dy[H:].sum(axis=1, keepdims=True)
        if dx is not None:
            np.matmul(d.T, weights["W_xh"], out=dx[first : first + n].reshape(-1, I))

    d_0 = read[0, :H]
    sums["W_hh"] += d_0 @ states[-1].T
    sums["b_hh"] += sums["b_xh"]
    return Gradients(sums, W_hh_T @ d_0, dx)
