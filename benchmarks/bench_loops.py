"""Time every line at every point, each round paired with torch's layer; no time is asserted.

python -m pytest benchmarks/bench_loops.py --benchmark-only --benchmark-json results.json
python -m rnn_benchmarks.report results.json
"""

import time
from dataclasses import asdict, replace
from typing import Any

import numpy as np
import pytest
import torch
from rnn_benchmarks.agreement import Expected, expect, require_agreement
from rnn_benchmarks.measure import time_pairs
from rnn_benchmarks.rivals import load, thread_limit
from rnn_benchmarks.workload import (
    CELL_OF,
    CELLS,
    DTYPES,
    GRIDS,
    SEED,
    TITLES,
    YARDSTICKS,
    Point,
    Workload,
    draw,
)

NUMBERS = 4096  # for one tanh: a step with B = 32 and H = 128

pytestmark = [
    # The timer is fixed, since both halves of a pair must be read from the same clock.
    pytest.mark.benchmark(timer=time.perf_counter, disable_gc=True),
    # A line that is wrong is not timed, which is no second error.
    pytest.mark.filterwarnings("ignore::pytest_benchmark.logger.PytestBenchmarkWarning"),
    # The frameworks of rivals warn of themselves.
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning"),
]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test for every line at every point of the chosen grid, the lines of a cell in a row."""
    if "line_name" in metafunc.fixturenames:
        lines = metafunc.config.getoption("--rnn-lines")
        points = (
            replace(point, cell=cell)
            for point in GRIDS[metafunc.config.getoption("--rnn-grid")]()
            for cell in CELLS
        )
        pairs = [(p, line) for p in points for line in lines if CELL_OF[line] == p.cell]
        metafunc.parametrize(("point", "line_name"), pairs, ids=str, scope="module")


@pytest.fixture(scope="module")
def drawn(point: Point) -> tuple[Workload, Expected]:
    """The weights and inputs of a point, and what every line must compute from them."""
    workload = draw(point)
    return workload, expect(workload)


def test_line(
    pytestconfig: pytest.Config,
    benchmark: Any,
    point: Point,
    drawn: tuple[Workload, Expected],
    line_name: str,
) -> None:
    """The line computes what torch's layer computes; then both are timed in pairs."""
    limit, seconds, threads = (
        pytestconfig.getoption(f"--rnn-{name}") for name in ("limit", "seconds", "threads")
    )
    (workload, expected), title = drawn, TITLES[line_name]
    yardstick = load(YARDSTICKS[point.cell], threads)
    its_title = TITLES[YARDSTICKS[point.cell]]
    try:
        line = load(line_name, threads)
    except ImportError as error:
        pytest.skip(f"{line_name}: {error}")
    if not line.takes(point):
        pytest.skip(f"{title} does not take this batch size or dtype")
    with thread_limit(threads):  # of what is loaded by now
        run_yardstick = yardstick.prepare(workload)
        start = time.perf_counter()
        result = run_yardstick()
        taken = time.perf_counter() - start
        if limit is not None and taken > limit:
            pytest.skip(f"{point}: a call of {its_title} takes {taken:.2f} s")
        require_agreement(its_title, yardstick.collect(result), expected)
        run = line.prepare(workload)
        require_agreement(title, line.collect(run()), expected)
        yardstick_seconds = time_pairs(benchmark, run, run_yardstick, seconds)
    benchmark.group = str(point)
    benchmark.extra_info.update(asdict(point), line=line_name, yardstick_seconds=yardstick_seconds)


@pytest.mark.parametrize("dtype", DTYPES)
def test_tanh(pytestconfig: pytest.Config, benchmark: Any, dtype: str) -> None:
    """NumPy's tanh beside torch's, on as many numbers as a step has: why some sizes are slow."""
    option = pytestconfig.getoption
    x = np.random.default_rng(SEED).standard_normal(NUMBERS).astype(dtype)
    y, x_torch = np.empty_like(x), torch.from_numpy(x)
    y_torch = torch.empty_like(x_torch)
    calls = (lambda: np.tanh(x, out=y)), (lambda: torch.tanh(x_torch, out=y_torch))
    with thread_limit(option("--rnn-threads")):
        seconds = time_pairs(benchmark, *calls, option("--rnn-seconds"))
    benchmark.group = f"tanh-{dtype}"
    benchmark.extra_info.update(tanh=NUMBERS, dtype=dtype, yardstick_seconds=seconds)
