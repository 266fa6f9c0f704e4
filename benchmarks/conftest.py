"""Options of the benchmarks, and the machine in what `--benchmark-json` writes."""

import warnings
from importlib.util import find_spec
from typing import Any

import pytest
from rnn_benchmarks.choices import GRIDS, TITLES, chosen_lines
from rnn_benchmarks.measure import TARGET_SECONDS

NEEDED = ("torch", "pytest_benchmark", "threadpoolctl", "matplotlib", "pandas")
MISSING = [name for name in NEEDED if find_spec(name) is None]
collect_ignore_glob = ["tests/*"] if MISSING else []
OPTIONS = ("grid", "lines", "seconds", "limit", "threads")


def pytest_report_header() -> list[str]:
    """Say so where the benchmarks and their tests cannot run."""
    return [f"benchmarks: left out, without {', '.join(MISSING)}"] if MISSING else []


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the choice of points and lines, the thread count, and how long it may take."""
    add = parser.getgroup(
        "rnn-benchmarks", "speed of RNN loops (benchmarks/bench_loops.py)"
    ).addoption
    lines = (
        f"lines to time, with commas between: {', '.join(TITLES)}; torch-rnn always. Default: all"
    )
    seconds = f"seconds of rounds for each line and point. Default: {TARGET_SECONDS}"
    limit = "leave out points at which one call of torch.nn.RNN takes longer. Default: none"
    add("--rnn-grid", choices=sorted(GRIDS), default="default", help="24 points, or all 288")
    add("--rnn-lines", default="", metavar="NAMES", help=lines)
    add("--rnn-seconds", type=float, default=TARGET_SECONDS, metavar="S", help=seconds)
    add("--rnn-limit", type=float, metavar="S", help=limit)
    add("--rnn-threads", type=int, default=1, metavar="N", help="for every line. Default: 1")


def pytest_configure(config: pytest.Config) -> None:
    """Refuse values that cannot be used, in one line."""
    try:
        chosen_lines(config.getoption("--rnn-lines", default=""))  # none if collected late
    except ValueError as error:
        raise pytest.UsageError(f"--rnn-lines: {error}") from error
    for option, least in (("--rnn-threads", 1), ("--rnn-seconds", 0), ("--rnn-limit", 0)):
        value = config.getoption(option, default=None)
        if value is not None and not value >= least:
            raise pytest.UsageError(f"{option}: expected at least {least}, got {value}")
    if "pytest_benchmark" not in MISSING:
        from pytest_benchmark.logger import PytestBenchmarkWarning

        # It warns at the end of a session that timed nothing, where pytest catches no error.
        warnings.filterwarnings("default", category=PytestBenchmarkWarning)


@pytest.hookimpl(optionalhook=True)
def pytest_benchmark_update_machine_info(
    config: pytest.Config, machine_info: dict[str, Any]
) -> None:
    """State processor, instruction set and versions, and the options of the run."""
    from rnn_benchmarks.machine import describe  # the options must work without torch

    options = {name: config.getoption(f"--rnn-{name}") for name in OPTIONS}
    machine_info["rnn_benchmarks"] = {"machine": describe(), "options": options}
