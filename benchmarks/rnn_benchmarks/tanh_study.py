"""Why two right lines do not agree bit by bit: their libraries round tanh differently."""

from dataclasses import dataclass

import numpy as np
import torch
from rnn_reference.weights import Array

from rnn_benchmarks.grid import DTYPES
from rnn_benchmarks.workload import SEED

ARGUMENTS = 1 << 20  # from the standard normal distribution, as pre-activations often are


@dataclass(frozen=True)
class TanhDifference:
    """NumPy's tanh beside torch's in one dtype.

    `share` is that of arguments at which they differ. `numpy_ulps` and `torch_ulps` are the worst
    errors, in units of the last place of the exact value; None where `truth` is not wider.
    """

    dtype: str
    arguments: int
    share: float
    numpy_ulps: float | None
    torch_ulps: float | None
    truth: str


def compare_tanh(arguments: int = ARGUMENTS) -> tuple[TanhDifference, ...]:
    """The comparison in each dtype, with np.longdouble's tanh for truth."""
    rng = np.random.default_rng(SEED)
    drawn = rng.standard_normal(arguments)
    bits = np.finfo(np.longdouble).nmant + 1
    found = []
    for dtype in DTYPES:
        x = drawn.astype(dtype)
        ours, theirs = np.tanh(x), torch.tanh(torch.from_numpy(x)).numpy()
        is_wider = bits > np.finfo(dtype).nmant + 8  # its own error is then below 1/100 ulp
        found.append(
            TanhDifference(
                dtype=dtype,
                arguments=arguments,
                share=float((ours != theirs).mean()),
                numpy_ulps=worst_ulps(ours, x) if is_wider else None,
                torch_ulps=worst_ulps(theirs, x) if is_wider else None,
                truth=f"np.longdouble, {bits} bits",
            )
        )
    return tuple(found)


def worst_ulps(values: Array, x: Array) -> float:
    """The largest error of values as tanh of x, in ulps of the exact value, by np.longdouble."""
    exact = np.tanh(x.astype(np.longdouble))
    ulp = np.spacing(np.abs(exact.astype(values.dtype))).astype(np.longdouble)
    return float((np.abs(values - exact) / ulp).max())
