"""Numba: the loop compiled, products through `np.dot`, which there is SciPy's BLAS."""

from collections.abc import Callable
from typing import Any

import numba
import numpy as np
import scipy.linalg  # noqa: F401 - its BLAS must be there when the threads are set
from rnn_reference.weights import Array

from rnn_benchmarks.lines import Line, Trajectory
from rnn_benchmarks.workload import Workload

Arrays = tuple[Array, Array]


def load(threads: int) -> Line[Arrays]:
    """The line; the loop itself has one thread, its BLAS those that every BLAS is given."""
    del threads
    return Line("numba", "numba", prepare, collect)


def recurrence(
    inputs: Array, W_xh_T: Array, W_hh_T: Array, bias: Array, W_ho_T: Array, b_ho: Array
) -> Arrays:
    """Outputs (T·B, O) and states (T·B, H) from inputs (T, B, I) and the transposed weights."""
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
    return np.dot(states, W_ho_T) + b_ho, states


COMPILED: Any = numba.njit(recurrence)


def prepare(workload: Workload) -> Callable[[], Arrays]:
    """The first call in each dtype compiles: seconds."""
    w = workload.weights
    transposed = {name: np.ascontiguousarray(w[name].T) for name in ("W_xh", "W_hh", "W_ho")}
    bias, readout_bias = (w["b_xh"] + w["b_hh"])[:, 0], w["b_ho"][:, 0].copy()
    T, B, _ = workload.inputs.shape

    def forward() -> Arrays:
        outputs, states = COMPILED(
            workload.inputs,
            transposed["W_xh"],
            transposed["W_hh"],
            bias,
            transposed["W_ho"],
            readout_bias,
        )
        return outputs.reshape(T, B, -1), states.reshape(T, B, -1)

    return forward


def collect(result: Arrays) -> Trajectory:
    """Outputs (T, B, O) and states (T, B, H), which already are as wanted."""
    outputs, states = result
    return Trajectory(states=states, outputs=outputs)
