"""Options of the benchmarks, and the machine in what `--benchmark-json` writes."""

import warnings
from importlib.util import find_spec
from typing import Any

import pytest
from rnn_benchmarks.grid import GRIDS

NEEDED = ("torch", "pytest_benchmark", "threadpoolctl", "matplotlib", "jinja2")
MISSING = [name for name in NEEDED if find_spec(name) is None]
collect_ignore_glob = ["tests/*"] if MISSING else []


def pytest_report_header() -> list[str]:
    """Say so where the benchmarks and their tests cannot run."""
    return [f"benchmarks: left out, without {', '.join(MISSING)}"] if MISSING else []


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the choice of points and the thread count."""
    group = parser.getgroup("rnn-benchmarks", "speed of RNN loops (benchmarks/bench_loops.py)")
    group.addoption(
        "--rnn-grid",
        choices=sorted(GRIDS),
        default="default",
        help="points to time: a small selection, or every combination (hours). Default: default",
    )
    group.addoption(
        "--rnn-threads",
        type=int,
        default=1,
        metavar="N",
        help="threads for torch and for NumPy's BLAS alike. Default: 1",
    )


def pytest_configure() -> None:
    """Let pytest-benchmark warn at the end of a session in which no line was fit to be timed.

    As an error, raised where pytest no longer catches it, that would end in a traceback.
    """
    if "pytest_benchmark" not in MISSING:
        from pytest_benchmark.logger import PytestBenchmarkWarning

        warnings.filterwarnings("default", category=PytestBenchmarkWarning)


@pytest.hookimpl(optionalhook=True)
def pytest_benchmark_update_machine_info(
    config: pytest.Config, machine_info: dict[str, Any]
) -> None:
    """State processor, cores, versions, BLAS, and how pytest was called."""
    # Imported here: the options must work, and say what is missing, without torch.
    from rnn_benchmarks.machine import describe

    machine_info["rnn_benchmarks"] = {
        "machine": describe(),
        "arguments": [str(argument) for argument in config.invocation_params.args],
    }
