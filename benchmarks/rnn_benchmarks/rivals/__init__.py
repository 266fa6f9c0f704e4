"""Lines that need a framework or a compiler, present only where these are; one thread count.

Each module imports its framework and has `load(threads) -> Line`, which gives the framework that
many threads, or raises ImportError where that cannot be.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib import import_module

import torch
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from rnn_benchmarks.lines import LINES, Line
from rnn_benchmarks.training import TRAINING

MODULES = {
    "onnxruntime": "onnxruntime_rnn",
    "jax-scan": "jax_scan",
    "numba": "numba_loop",
    "floor": "floor",
}


def load(name: str, threads: int) -> Line:
    """The line of this name, with this many threads; ImportError where it is not there."""
    ours = LINES | TRAINING
    return ours[name] if name in ours else _rival(MODULES[name], threads)


@cache
def _rival(module: str, threads: int) -> Line:
    line: Line = import_module(f"{__name__}.{module}").load(threads)
    return line


@contextmanager
def thread_limit(threads: int) -> Iterator[None]:
    """Give torch and every BLAS and OpenMP library that is loaded this many threads."""
    before = torch.get_num_threads()
    with threadpool_limits(limits=threads):
        torch.set_num_threads(threads)  # of its MKL too, which threadpoolctl does not see
        try:
            yield
        finally:
            torch.set_num_threads(before)
