"""JAX: `lax.scan` over the steps, the whole of it compiled ahead of time."""

import os
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp

from rnn_benchmarks.lines import Line
from rnn_benchmarks.measure import Call
from rnn_benchmarks.workload import Workload

POOL = "tf_XLAEigen"  # the name of the threads that compute


def load(threads: int) -> Line:
    """The line. ImportError where XLA has another number of threads, or they cannot be counted."""
    os.environ["NPROC"] = str(threads)  # read when its client starts, once in a process
    jax.devices("cpu")
    names = [path.read_text().strip() for path in Path("/proc/self/task").glob("*/comm")]
    if names.count(POOL) != threads:
        raise ImportError(f"{threads} threads are asked for, XLA has {names.count(POOL)}")
    return Line(prepare)


def prepare(workload: Workload) -> Call:
    """Compiles for the sizes of this workload."""
    with jax.enable_x64(True):
        W_xh, b_xh, W_hh, b_hh, W_ho, b_ho = map(jnp.asarray, workload.weights.values())
        inputs = jnp.asarray(workload.inputs)
        h_0 = jnp.zeros((inputs.shape[1], len(W_hh)), W_hh.dtype)

        def forward(inputs: Any) -> tuple[Any, Any]:
            def step(h: Any, projected: Any) -> tuple[Any, Any]:
                h = jnp.tanh(projected + h @ W_hh.T)
                return h, h

            _, states = jax.lax.scan(step, h_0, inputs @ W_xh.T + (b_xh + b_hh)[:, 0])
            return states @ W_ho.T + b_ho[:, 0], states

        compiled = jax.jit(forward).lower(inputs).compile()
    return lambda: tuple(each.block_until_ready() for each in compiled(inputs))
