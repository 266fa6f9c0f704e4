"""`LSTM` and `GRU`, organised for speed: `cells` has their equations to read.

As in `recurrence` there are few calls of NumPy, and a column is a sequence. Inputs and state stand
in one array, and the state is written to where the next step reads it, so that a product is a call
and so is an activation, for all gates that have it:

    [a_i; a_f; a_o; a_g] = [W_ih  b_ih + b_hh  W_hh] [x_t; 1; h_{t-1}]

The rows of W for a σ are negated once, as σ(a) = 1 / (1 + exp(-a)). The arrays of as many steps as
a cache holds are used again and again, and their states copied to what is returned.
"""

from collections.abc import Callable, Iterable

import numpy as np

from rnn_reference.cells import CellWeights, State, Step, gru_step, lstm_step
from rnn_reference.layer import GRU, LSTM
from rnn_reference.recurrence import CACHE_BYTES, product_with
from rnn_reference.stack import Stack
from rnn_reference.through_time import Lengths
from rnn_reference.validation import Array

Loop = Callable[[CellWeights, Array, State], tuple[Array, State]]
Steps = Iterable[tuple[Array, Array]]  # [x_t; 1; h_{t-1}], and where h_t is written to


def lstm_loop(w: CellWeights, x: Array, state: State) -> tuple[Array, State]:
    """Outputs (T, B, H) of inputs (T, B, I), and the last state: as many times `lstm_step`."""
    (h_0, c_0), one = state, x.dtype.type(1)
    i, f, g, o = _by_gate(4, w.W_ih, w.b_ih + w.b_hh, w.W_hh)
    product = _product_with(np.concatenate([-i, -f, -o, g]), h_0)
    a, c = np.empty((4, *h_0.T.shape), x.dtype), c_0.T.copy()
    products, sigmoids, (i, f, o, g) = a.reshape(-1, len(h_0)), a[:3], a
    exp, tanh, add, multiply, invert = np.exp, np.tanh, np.add, np.multiply, np.reciprocal

    def run(steps: Steps) -> None:
        for x_1_h, h in steps:
            product(x_1_h, products)
            exp(sigmoids, sigmoids)
            add(sigmoids, one, sigmoids)
            invert(sigmoids, sigmoids)
            tanh(g, g)
            multiply(f, c, c)
            multiply(i, g, g)
            add(c, g, c)
            tanh(c, h)
            multiply(o, h, h)

    outputs = _in_one_array(x, h_0, run)
    return outputs, (outputs[-1], c.T)


def gru_loop(w: CellWeights, x: Array, state: State) -> tuple[Array, State]:
    """Outputs (T, B, H) of inputs (T, B, I), and the last state: as many times `gru_step`."""
    (h_0,), one, I = state, x.dtype.type(1), x.shape[2]
    r, z, _ = _by_gate(3, w.W_ih, w.b_ih + w.b_hh, w.W_hh)
    *_, W_in_b_in = _by_gate(3, w.W_ih, w.b_ih)
    *_, b_hn_W_hn = _by_gate(3, w.b_hh, w.W_hh)
    of_r_z = _product_with(np.concatenate([-r, -z]), h_0)
    of_x, of_h = _product_with(W_in_b_in, h_0), _product_with(b_hn_W_hn, h_0)
    a = np.empty((4, *h_0.T.shape), x.dtype)
    products, sigmoids, (r, z, n, n_h) = a[:2].reshape(-1, len(h_0)), a[:2], a
    exp, tanh, add, multiply, invert = np.exp, np.tanh, np.add, np.multiply, np.reciprocal
    subtract = np.subtract

    def run(steps: Steps) -> None:
        for x_1_h, h in steps:
            of_r_z(x_1_h, products)
            exp(sigmoids, sigmoids)
            add(sigmoids, one, sigmoids)
            invert(sigmoids, sigmoids)
            of_x(x_1_h[: I + 1], n)
            of_h(x_1_h[I:], n_h)
            multiply(r, n_h, n_h)
            add(n, n_h, n)
            tanh(n, n)
            subtract(x_1_h[I + 1 :], n, h)  # (1 - z) n + z h is n + z (h - n)
            multiply(z, h, h)
            add(n, h, h)

    outputs = _in_one_array(x, h_0, run)
    return outputs, (outputs[-1],)


def _in_one_array(x: Array, h_0: Array, run: Callable[[Steps], None]) -> Array:
    """Outputs (T, B, H), once `run` has written each."""
    (T, B, I), H = x.shape, h_0.shape[1]
    block = min(T, max(1, CACHE_BYTES // ((I + 1 + H) * B * x.itemsize)))
    read, outputs = np.empty((block + 1, I + 1 + H, B), x.dtype), np.empty((T, B, H), x.dtype)
    inputs, states = read[:, :I], read[:, I + 1 :]
    read[:, I], states[0] = 1, h_0.T
    for first in range(0, T, block):
        n = min(block, T - first)
        inputs[:n] = x[first : first + n].transpose(0, 2, 1)
        with np.errstate(over="ignore"):  # as in `sigmoid`
            run(zip(read[:n], states[1 : n + 1], strict=True))
        outputs[first : first + n] = states[1 : n + 1].transpose(0, 2, 1)
        states[0] = states[n]
    return outputs


def _by_gate(gates: int, *weights: Array) -> Array:
    """Matrices and vectors side by side, (gates, H, ...)."""
    rows = np.concatenate([w.reshape(len(w), -1) for w in weights], axis=1)
    return rows.reshape(gates, len(rows) // gates, -1)


def _product_with(W: Array, h_0: Array) -> Callable[[Array, Array], object]:
    """`product_with`, for one vector by columns, as this is faster."""
    B = len(h_0)
    return product_with(W.copy(order="F" if B == 1 else "C"), B)


LOOPS: dict[Step, Loop] = {lstm_step: lstm_loop, gru_step: gru_loop}


class OneLength(Stack):
    """A stack with a fast loop for some steps, where no sequence ends before another.

    `backward` runs the plain loops, in both directions of time.
    """

    def _direction(
        self, weights: CellWeights, x: Array, state: State, lengths: Lengths, order: range
    ) -> tuple[Array, State]:
        loop = LOOPS.get(self._step)
        if loop is None or lengths.min() < len(x):
            return super()._direction(weights, x, state, lengths, order)
        outputs, last = loop(weights, x[:: order.step], state)
        return outputs[:: order.step], last


class BatchLSTM(OneLength, LSTM):
    """`LSTM`, organised for speed: the same arguments, and but for rounding the same results.

    Where some sequence has less than T steps, it is `LSTM` itself.
    """


class BatchGRU(OneLength, GRU):
    """`GRU`, organised for speed: the same arguments, and but for rounding the same results.

    Where some sequence has less than T steps, or `reset_after` is False, it is `GRU` itself.
    """
