"""JAX: `lax.scan` over the steps, the whole of it compiled ahead of time.

XLA's threads cannot be set once it runs. It makes as many as there are processors that it may use
when its client starts, and these keep to them: so it is started while the process is held to that
many. A second count in one process is refused.
"""

import os
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp

from rnn_benchmarks.lines import Call, Line, UnavailableError
from rnn_benchmarks.workload import Workload

POOL = "tf_XLAEigen"  # the name of the threads that compute


def load(threads: int) -> Line:
    """The line. UnavailableError where its threads can be neither limited nor counted."""
    tasks = Path("/proc/self/task")
    if not hasattr(os, "sched_setaffinity") or not tasks.exists():
        raise UnavailableError("the threads of XLA can be limited on Linux alone")
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, sorted(allowed)[:threads])
    try:
        jax.devices("cpu")
    finally:
        os.sched_setaffinity(0, allowed)
    found = sum((task / "comm").read_text().strip() == POOL for task in tasks.iterdir())
    if found != min(threads, len(allowed)):
        raise UnavailableError(f"XLA was started with {found} threads, {threads} are asked for")
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
