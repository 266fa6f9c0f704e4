"""The floor: how fast a compiled loop is through the BLAS and the tanh that NumPy itself calls.

What NumPy's loop takes beyond this is the interpreter's. It does what every line does: it reads
the inputs as they are given and returns states and outputs in new memory. Of its organisations,
and of the sizes in which products are cut, the one that is fastest on the first steps of the
workload is taken. No proof that nothing is faster: the best compiled loop that was found.
"""

from collections.abc import Iterator
from ctypes import Structure, byref, c_int64, c_void_p
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from rnn_reference.weights import Array

from rnn_benchmarks.choices import DTYPES
from rnn_benchmarks.lines import Call, Line
from rnn_benchmarks.measure import timed
from rnn_benchmarks.rivals.native import Native, native
from rnn_benchmarks.workload import Workload

ORGANISATIONS = ("projected", "fused_rows", "fused_columns")
# OpenBLAS has kernels without packing for products of fewer multiplications than this.
SMALL_PRODUCT = 1_000_000
CHUNKS = (32, 64)  # sequences, where one product does not take all
BLOCK_BYTES = 1 << 18  # of projected inputs at once, so that they are still in the cache when used
TRIAL_MULTIPLICATIONS, TRIALS = 1e8, 5


class Plan(NamedTuple):
    """An organisation, and how many units, of how many sequences, one product computes."""

    organisation: str
    panel: int
    chunk: int


class Problem(Structure):
    """`problem_t` of floor.c."""

    _fields_ = (
        *((name, c_void_p) for name in ("gemm", "gemv", "tanh", "tanh_data")),
        *((name, c_int64) for name in ("T", "B", "I", "H", "O", "panel", "chunk", "block")),
        *((name, c_void_p) for name in ("x", "W", "W_xh", "b", "W_ho", "b_ho")),
    )


def load(threads: int) -> Line:
    """The line; its threads are NumPy's BLAS's. UnavailableError where it cannot be built."""
    del threads
    loops = {dtype: native(dtype) for dtype in DTYPES}
    return Line(lambda workload: prepare(workload, loops[workload.inputs.dtype.name]))


def prepare(workload: Workload, loop: Native) -> Call:
    """The call under the plan that is fastest on the first steps."""
    _, B, I = workload.inputs.shape
    H = len(workload.weights["W_hh"])
    steps = max(2, int(TRIAL_MULTIPLICATIONS / (B * H * (H + I))))
    trial = replace(workload, inputs=workload.inputs[:steps])

    def seconds(plan: Plan) -> float:
        run = with_plan(trial, loop, plan)
        return min(timed(run)[0] for _ in range(TRIALS))

    return with_plan(workload, loop, min(plans(B, I, H), key=seconds))


def plans(B: int, I: int, H: int) -> Iterator[Plan]:
    """What is tried: each organisation with its products whole, and cut to be small."""
    for organisation in ORGANISATIONS:
        yield Plan(organisation, H, B)
        terms = H if organisation == "projected" else H + I + 1
        for chunk in sorted({B, *(size for size in CHUNKS if size < B)}):
            panel = SMALL_PRODUCT // (chunk * terms) // 16 * 16
            if B > 1 and 16 <= panel < H:
                yield Plan(organisation, panel, chunk)


def with_plan(workload: Workload, loop: Native, plan: Plan) -> Call:
    """A call that returns outputs (T, B, O) and states (T, B, H), as views of new memory."""
    w, x = workload.weights, np.ascontiguousarray(workload.inputs)
    T, B, I = x.shape
    O, H = w["W_ho"].shape
    K, dtype = H + I + 1, x.dtype
    bias = w["b_xh"] + w["b_hh"]
    fused = np.hstack([w["W_hh"], w["W_xh"], bias])
    recurrent, rows = {
        "projected": (w["W_hh"].T, (B, H)),
        "fused_rows": (fused.T, (B, K)),
        "fused_columns": (fused, (K, B)),
    }[plan.organisation]
    arrays = {
        "x": x,
        "W": np.ascontiguousarray(recurrent),
        "W_xh": np.ascontiguousarray(w["W_xh"].T),
        "b": bias,
        "W_ho": np.ascontiguousarray(w["W_ho"]),
        "b_ho": w["b_ho"],
    }
    problem = Problem(
        *(loop.gemm, loop.gemv, loop.tanh, loop.tanh_data),
        *(T, B, I, H, O, plan.panel, plan.chunk, max(1, BLOCK_BYTES // (B * H * x.itemsize))),
        *(_address(array) for array in arrays.values()),
    )
    function = loop.library[plan.organisation]
    function.argtypes, function.restype = (c_void_p, c_void_p, c_void_p), None
    argument, columns = byref(problem), plan.organisation == "fused_columns"
    states_shape, outputs_shape = (T + 1, *rows), (T, O, B) if columns else (T, B, O)

    # The arrays are a default, as the struct that is passed holds their addresses alone.
    def forward(_kept: object = arrays) -> tuple[Array, Array]:
        states = np.empty(states_shape, dtype)
        outputs = np.empty(outputs_shape, dtype)
        function(argument, _address(states), _address(outputs))
        if columns:
            outputs, states = outputs.swapaxes(1, 2), states.swapaxes(1, 2)
        return outputs, states[1:, :, :H]

    return forward


def _address(array: Array) -> int:
    """Of the data, which is the first field of a PyArrayObject; `array.ctypes` is slow to make."""
    return c_void_p.from_address(id(array) + object.__basicsize__).value or 0
