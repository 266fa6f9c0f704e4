"""Numba: the loop compiled, products through `np.dot`, which there is SciPy's BLAS."""

import numba
import numpy as np
import scipy.linalg  # noqa: F401 - its BLAS must be there when the threads are set
from rnn_reference.weights import Array

from rnn_benchmarks.lines import Line
from rnn_benchmarks.measure import Call
from rnn_benchmarks.workload import Workload


def load(_threads: int) -> Line:
    """The line; the loop itself has one thread, its BLAS those that every BLAS is given."""
    return Line(prepare)


def prepare(workload: Workload) -> Call:
    """The first call in each dtype compiles: seconds."""
    w = workload.weights
    W_xh_T, W_hh_T, W_ho_T = (np.ascontiguousarray(w[n].T) for n in ("W_xh", "W_hh", "W_ho"))
    bias, b_ho = (w["b_xh"] + w["b_hh"])[:, 0], w["b_ho"][:, 0].copy()
    return lambda: compiled(workload.inputs, W_xh_T, W_hh_T, bias, W_ho_T, b_ho)


def recurrence(
    inputs: Array, W_xh_T: Array, W_hh_T: Array, bias: Array, W_ho_T: Array, b_ho: Array
) -> tuple[Array, Array]:
    """Outputs (T, B, O) and states (T, B, H) from inputs (T, B, I) and the transposed weights."""
    T, B, I = inputs.shape
    H = len(bias)
    states = np.dot(inputs.reshape(T * B, I), W_xh_T)
    h = np.zeros((B, H), inputs.dtype)
    product = np.empty((B, H), inputs.dtype)
    for t in range(T):
        np.dot(h, W_hh_T, product)
        h = states[t * B : (t + 1) * B]
        for row in range(B):
            for unit in range(H):
                h[row, unit] = np.tanh(h[row, unit] + bias[unit] + product[row, unit])
    outputs = np.dot(states, W_ho_T) + b_ho
    return outputs.reshape(T, B, len(b_ho)), states.reshape(T, B, H)


compiled = numba.njit(recurrence)
