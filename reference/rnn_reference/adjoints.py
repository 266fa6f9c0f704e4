"""One step of each cell backwards: a line an equation, for a batch of sequences with a row each.

An adjoint is given what a step of `cells` is given, and dL/d of each part of the state after it. It
returns dL/d of what the step is given: weights (summed over the rows), x_t and the parts of the
state before it, each shaped as what it is of. Write dh for dL/dh_t, likewise dc, and

    d = dL/d(W_ih x_t + b_ih)    u = dL/d(W_hh h_{t-1} + b_hh)

(B, G H) in the order of the gates, which are the same but in the GRU. Then, whatever the cell,

    dL/dW_ih = Σ d x_t'    dL/db_ih = Σ d    dL/dx_t = W_ih' d
    dL/dW_hh = Σ u h_{t-1}'    dL/db_hh = Σ u

σ'(a) = σ(a) (1 - σ(a)) and tanh'(a) = 1 - tanh²(a) are computed from the activations themselves
(A. Graves, Supervised Sequence Labelling with Recurrent Neural Networks, 2012, chapters 3 and 4).
"""

from collections.abc import Callable

import numpy as np

from rnn_reference.cells import (
    CellWeights,
    State,
    Step,
    gru_gates,
    gru_reset_before_gates,
    gru_reset_before_step,
    gru_step,
    lstm_gates,
    lstm_step,
    relu_step,
    tanh_step,
)
from rnn_reference.validation import Array

Adjoint = Callable[[CellWeights, Array, State, State], tuple[CellWeights, Array, State]]


def of_weights(d: Array, x: Array, u: Array, h: Array) -> CellWeights:
    """dL/d of the four weights, from d and u (B, G H), x_t (B, I) and h_{t-1} (B, H)."""
    return CellWeights(W_ih=d.T @ x, W_hh=u.T @ h, b_ih=d.sum(axis=0), b_hh=u.sum(axis=0))


def tanh_adjoint(
    w: CellWeights, x: Array, state: State, d_state: State
) -> tuple[CellWeights, Array, State]:
    """d = u = dh * (1 - h_t²)    dL/dh_{t-1} = W_hh' u."""
    (h,), (dh,) = state, d_state
    after, _ = tanh_step(w, x, state)
    d = dh * (1 - after**2)
    return of_weights(d, x, d, h), d @ w.W_ih, (d @ w.W_hh,)


def relu_adjoint(
    w: CellWeights, x: Array, state: State, d_state: State
) -> tuple[CellWeights, Array, State]:
    """d = u = dh where h_t > 0, else 0    dL/dh_{t-1} = W_hh' u.

    At a pre-activation of exactly 0 the slope is 0, as torch has it.
    """
    (h,), (dh,) = state, d_state
    after, _ = relu_step(w, x, state)
    d = np.where(after > 0, dh, 0)
    return of_weights(d, x, d, h), d @ w.W_ih, (d @ w.W_hh,)


def lstm_adjoint(
    w: CellWeights, x: Array, state: State, d_state: State
) -> tuple[CellWeights, Array, State]:
    """With the gates i, f, g, o of `lstm_step` at t, d = u = (d_i, d_f, d_g, d_o).

    d_o = dh * tanh(c_t) * o (1 - o)
    dc' = dc + dh * o * (1 - tanh²(c_t))    in all, as h_t depends on c_t too
    d_i = dc' * g * i (1 - i)
    d_f = dc' * c_{t-1} * f (1 - f)
    d_g = dc' * i * (1 - g²)
    dL/dh_{t-1} = W_hh' u    dL/dc_{t-1} = dc' * f
    """
    (h, c), (dh, dc) = state, d_state
    i, f, g, o = lstm_gates(w, x, h)
    tanh_c = np.tanh(f * c + i * g)
    d_o = dh * tanh_c * o * (1 - o)
    dc = dc + dh * o * (1 - tanh_c**2)
    d_i = dc * g * i * (1 - i)
    d_f = dc * c * f * (1 - f)
    d_g = dc * i * (1 - g**2)
    d = np.concatenate([d_i, d_f, d_g, d_o], axis=1)
    return of_weights(d, x, d, h), d @ w.W_ih, (d @ w.W_hh, dc * f)


def gru_adjoint(
    w: CellWeights, x: Array, state: State, d_state: State
) -> tuple[CellWeights, Array, State]:
    """With the gates r, z, n of `gru_step` at t, d = (d_r, d_z, d_n) and u = (d_r, d_z, d_n * r).

    d_n = dh * (1 - z) * (1 - n²)
    d_z = dh * (h_{t-1} - n) * z (1 - z)
    d_r = d_n * (W_hn h_{t-1} + b_hn) * r (1 - r)
    dL/dh_{t-1} = dh * z + W_hh' u
    """
    (h,), (dh,) = state, d_state
    r, z, n, h_n = gru_gates(w, x, h)
    d_n = dh * (1 - z) * (1 - n**2)
    d_z = dh * (h - n) * z * (1 - z)
    d_r = d_n * h_n * r * (1 - r)
    d = np.concatenate([d_r, d_z, d_n], axis=1)
    u = np.concatenate([d_r, d_z, d_n * r], axis=1)
    return of_weights(d, x, u, h), d @ w.W_ih, (dh * z + u @ w.W_hh,)


def gru_reset_before_adjoint(
    w: CellWeights, x: Array, state: State, d_state: State
) -> tuple[CellWeights, Array, State]:
    """`gru_adjoint` but for what goes through r_t * h_{t-1}, which W_hn reads; d = u.

    q = dL/d(r * h_{t-1}) = W_hn' d_n
    d_r = q * h_{t-1} * r (1 - r)
    dL/dW_hn = Σ d_n (r * h_{t-1})'
    dL/dh_{t-1} = dh * z + W_hr' d_r + W_hz' d_z + r * q
    """
    (h,), (dh,) = state, d_state
    W_hr, W_hz, W_hn = np.split(w.W_hh, 3)
    r, z, n = gru_reset_before_gates(w, x, h)
    d_n = dh * (1 - z) * (1 - n**2)
    d_z = dh * (h - n) * z * (1 - z)
    q = d_n @ W_hn
    d_r = q * h * r * (1 - r)
    d = np.concatenate([d_r, d_z, d_n], axis=1)
    of_W_hh = np.concatenate([d_r.T @ h, d_z.T @ h, d_n.T @ (r * h)])
    before = dh * z + d_r @ W_hr + d_z @ W_hz + r * q
    return of_weights(d, x, d, h)._replace(W_hh=of_W_hh), d @ w.W_ih, (before,)


ADJOINTS: dict[Step, Adjoint] = {
    tanh_step: tanh_adjoint,
    relu_step: relu_adjoint,
    lstm_step: lstm_adjoint,
    gru_step: gru_adjoint,
    gru_reset_before_step: gru_reset_before_adjoint,
}
