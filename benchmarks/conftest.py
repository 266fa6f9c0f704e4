"""Options of the benchmarks, and the machine in what `--benchmark-json` writes."""

import os
import re
import warnings
from importlib.util import find_spec
from typing import Any

import pytest
from rnn_benchmarks.measure import TARGET_SECONDS
from rnn_benchmarks.workload import GRIDS, TITLES, chosen_lines

NEEDED = ("torch", "pytest_benchmark", "threadpoolctl", "matplotlib", "pandas")
MISSING = ", ".join(name for name in NEEDED if find_spec(name) is None)
collect_ignore_glob = ["tests/*"] if MISSING else []
OPTIONS = ("grid", "lines", "seconds", "limit", "threads")


def pytest_report_header() -> list[str]:
    """Say so where the benchmarks and their tests cannot run."""
    return [f"benchmarks: left out, without {MISSING}"] if MISSING else []


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the choice of points and lines, the thread count, and how long it may take."""
    add = parser.getgroup(
        "rnn-benchmarks", "speed of RNN loops (benchmarks/bench_loops.py)"
    ).addoption
    lines = f"to time, with commas between: {', '.join(TITLES)}; torch-CELL always. Default: all"
    seconds = f"seconds of rounds for each line and point. Default: {TARGET_SECONDS}"
    limit = "leave out points at which one call of torch's layer takes longer. Default: none"
    add("--rnn-grid", choices=sorted(GRIDS), default="default", help="24 points a cell, or all 288")
    add("--rnn-lines", type=chosen_lines, default=[*TITLES], metavar="NAMES", help=lines)
    add("--rnn-seconds", type=float, default=TARGET_SECONDS, metavar="S", help=seconds)
    add("--rnn-limit", type=float, metavar="S", help=limit)
    add("--rnn-threads", type=int, default=1, metavar="N", help="for every line. Default: 1")


def pytest_configure() -> None:
    """pytest-benchmark warns after a session that timed nothing, where pytest catches no error."""
    warnings.filterwarnings("default", "Not saving anything, no benchmarks")


@pytest.hookimpl(optionalhook=True)
def pytest_benchmark_update_machine_info(
    config: pytest.Config, machine_info: dict[str, Any]
) -> None:
    """State processor, load, instruction set and versions, and the options of the run."""
    import numpy as np
    import torch  # the options must work without it

    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    load = f"{os.getloadavg()[2]:.1f}" if hasattr(os, "getloadavg") else "unknown"
    blas = (np.show_config("dicts") or {})["Build Dependencies"]["blas"]
    torch_blas = re.findall(r"BLAS_INFO=(\w+)", torch.__config__.show()) or ["another BLAS"]
    machine = {
        "Processor": machine_info["cpu"].get("brand_raw", "unknown"),
        "Instruction set": torch.backends.cpu.get_cpu_capability(),
        "Cores": f"{usable} usable of {os.cpu_count()}",
        "Load": f"{load}, mean of 15 minutes up to the end",
        "System": f"{machine_info['system']} {machine_info['machine']}",
        "Python": machine_info["python_version"],
        "NumPy": f"{np.__version__} with {blas['name']} {blas['version']}",
        "torch": f"{torch.__version__} with {torch_blas[0]}",
    }
    options = {name: config.getoption(f"--rnn-{name}") for name in OPTIONS}
    options["lines"] = ",".join(options["lines"])
    machine_info["rnn_benchmarks"] = {"machine": machine, "options": options}
