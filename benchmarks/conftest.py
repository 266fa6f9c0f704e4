"""Options of the benchmarks, and the machine in what `--benchmark-json` writes."""

import warnings
from importlib.util import find_spec
from typing import Any

import pytest
from rnn_benchmarks.grid import GRIDS
from rnn_benchmarks.names import NAMES, chosen_names
from rnn_benchmarks.pairs import TARGET_SECONDS
from rnn_benchmarks.remarks import remarks_of

NEEDED = ("torch", "pytest_benchmark", "threadpoolctl", "matplotlib", "jinja2")
MISSING = [name for name in NEEDED if find_spec(name) is None]
collect_ignore_glob = ["tests/*"] if MISSING else []


def pytest_report_header() -> list[str]:
    """Say so where the benchmarks and their tests cannot run."""
    return [f"benchmarks: left out, without {', '.join(MISSING)}"] if MISSING else []


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the choice of points and lines, the thread count, and how long it may take."""
    group = parser.getgroup("rnn-benchmarks", "speed of RNN loops (benchmarks/bench_loops.py)")
    group.addoption(
        "--rnn-grid",
        choices=sorted(GRIDS),
        default="default",
        help="points to time: a small selection, or every combination. Default: default",
    )
    group.addoption(
        "--rnn-lines",
        default="",
        metavar="NAMES",
        help=f"lines to time, with commas between: {', '.join(NAMES)}. The yardstick, torch-rnn, "
        "is timed in any case. Default: all that can be run here",
    )
    group.addoption(
        "--rnn-seconds",
        type=float,
        default=TARGET_SECONDS,
        metavar="S",
        help="seconds of rounds for each line and point; slow points take what the fewest rounds "
        f"take. Default: {TARGET_SECONDS}",
    )
    group.addoption(
        "--rnn-limit",
        type=float,
        metavar="S",
        help="leave out points at which one call of the yardstick takes longer. Default: none",
    )
    group.addoption(
        "--rnn-threads",
        type=int,
        default=1,
        metavar="N",
        help="threads for every line and its libraries alike. Default: 1",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Refuse values that cannot be used, in one line.

    And let pytest-benchmark warn at the end of a session in which no line was fit to be timed: as
    an error, raised where pytest no longer catches it, that would end in a traceback.
    """
    try:
        chosen_names(config.getoption("--rnn-lines", default=""))  # none if collected late
    except ValueError as error:
        raise pytest.UsageError(f"--rnn-{error}") from error
    for option, least in (("--rnn-threads", 1), ("--rnn-seconds", 0), ("--rnn-limit", 0)):
        value = config.getoption(option, default=None)
        if value is not None and not value >= least:
            raise pytest.UsageError(f"{option}: expected at least {least}, got {value}")
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


@pytest.hookimpl(optionalhook=True)
def pytest_benchmark_update_json(config: pytest.Config, output_json: dict[str, Any]) -> None:
    """State which lines were absent and which points were left out."""
    remarks = remarks_of(config)
    ours = output_json["machine_info"]["rnn_benchmarks"]
    ours.update(absent=remarks.absent, left_out=remarks.left_out)
