"""Lines that need a framework or a compiler: present only where these are.

Each module imports its framework and has `load(threads) -> Line`, which gives the framework that
many threads, or raises `UnavailableError`.
"""

from collections.abc import Iterable
from importlib import import_module
from typing import NamedTuple

from rnn_benchmarks.lines import LINES, Line, UnavailableError

MODULES = {
    "torch-compile": "torch_compile",
    "onnxruntime": "onnxruntime_rnn",
    "jax-scan": "jax_scan",
    "numba": "numba_loop",
    "floor": "floor",
}


class Loaded(NamedTuple):
    """The lines that can be run, and why the others cannot, each by name."""

    lines: dict[str, Line]
    absent: dict[str, str]


def load(names: Iterable[str], threads: int) -> Loaded:
    """The lines of these names, each with this many threads."""
    loaded = Loaded({}, {})
    for name in names:
        try:
            loaded.lines[name] = (
                LINES[name]
                if name in LINES
                else import_module(f"{__name__}.{MODULES[name]}").load(threads)
            )
        except ModuleNotFoundError as error:
            loaded.absent[name] = f"{error.name} is not installed"
        except UnavailableError as error:
            loaded.absent[name] = str(error)
    return loaded
