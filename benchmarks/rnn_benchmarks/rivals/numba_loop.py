"""Numba: the loop compiled, products through `np.dot`, which there is SciPy's BLAS."""

import numba
import numpy as np
import scipy.linalg  # noqa: F401 - its BLAS must be there when the threads are set
from rnn_reference.weights import Array

from rnn_benchmarks.lines import Call, Line
from rnn_benchmarks.workload import Workload


def load(threads: int) -> Line:
    """The line; the loop itself has one thread, its BLAS those that every BLAS is given."""
    del threads
    compiled = numba.njit(recurrence)

    def prepare(workload: Workload) -> Call:
        arguments = workload.inputs, *arranged(workload)
        return lambda: compiled(*arguments)  # the first call in each dtype compiles: seconds

    return Line(prepare)


def arranged(workload: Workload) -> tuple[Array, ...]:
    """The weights as `recurrence` takes them."""
    w = workload.weights
    W_xh_T, W_hh_T, W_ho_T = (np.ascontiguousarray(w[n].T) for n in ("W_xh", "W_hh", "W_ho"))
    return W_xh_T, W_hh_T, (w["b_xh"] + w["b_hh"])[:, 0], W_ho_T, w["b_ho"][:, 0].copy()


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
