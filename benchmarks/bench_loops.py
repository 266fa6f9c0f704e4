"""Time every line at every point, each round paired with `torch.nn.RNN`; no time is asserted.

python -m pytest benchmarks/bench_loops.py --benchmark-only --benchmark-json results.json
python -m rnn_benchmarks.report results.json
"""

import time
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import numpy as np
import pytest
import torch
from rnn_benchmarks.agreement import Expected, expect, require_agreement
from rnn_benchmarks.choices import DTYPES, GRIDS, TITLES, YARDSTICK, Point, chosen_lines
from rnn_benchmarks.lines import LINES
from rnn_benchmarks.machine import thread_limit
from rnn_benchmarks.measure import time_pairs, timed
from rnn_benchmarks.rivals import Loaded, load
from rnn_benchmarks.workload import SEED, Workload, draw

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
    """A test for every point of the chosen grid and every line, the lines of a point in a row."""
    if "line_name" in metafunc.fixturenames:
        points = GRIDS[metafunc.config.getoption("--rnn-grid")]()
        metafunc.parametrize("point", points, ids=str, scope="module")
        metafunc.parametrize("line_name", chosen_lines(metafunc.config.getoption("--rnn-lines")))


@pytest.fixture(scope="module")
def loaded(request: pytest.FixtureRequest) -> Iterator[Loaded]:
    """The chosen lines, loaded before all libraries are given the same number of threads."""
    option = request.config.getoption
    found = load(chosen_lines(option("--rnn-lines")), option("--rnn-threads"))
    with thread_limit(option("--rnn-threads")):
        yield found


@pytest.fixture(scope="module")
def workload(request: pytest.FixtureRequest, loaded: Loaded, point: Point) -> Workload:
    """The weights and inputs of a point, which is skipped where one call takes too long."""
    drawn, limit = draw(point), request.config.getoption("--rnn-limit")
    if limit is not None:
        seconds, _ = timed(loaded.lines[YARDSTICK].prepare(drawn))
        if seconds > limit:
            pytest.skip(f"{point}: a call of {TITLES[YARDSTICK]} takes {seconds:.2f} s")
    return drawn


@pytest.fixture(scope="module")
def expected(workload: Workload) -> Expected:
    """What every line must compute at this point; `torch.nn.RNN` has been shown to."""
    found, yardstick = expect(workload), LINES[YARDSTICK]
    result = yardstick.collect(yardstick.prepare(workload)())
    require_agreement(TITLES[YARDSTICK], result, found)
    return found


def test_line(
    request: pytest.FixtureRequest,
    benchmark: Any,
    loaded: Loaded,
    point: Point,
    workload: Workload,
    expected: Expected,
    line_name: str,
) -> None:
    """The line computes what `torch.nn.RNN` computes; then both are timed in pairs."""
    if line_name in loaded.absent:
        pytest.skip(f"{line_name}: {loaded.absent[line_name]}")
    line, title = loaded.lines[line_name], TITLES[line_name]
    if not line.takes(point):
        pytest.skip(f"{title} does not take this batch size or dtype")
    run, run_yardstick = line.prepare(workload), LINES[YARDSTICK].prepare(workload)
    require_agreement(title, line.collect(run()), expected)
    run_yardstick()
    target = request.config.getoption("--rnn-seconds")
    seconds = time_pairs(benchmark, run, run_yardstick, target)
    benchmark.group = str(point)
    benchmark.extra_info.update(asdict(point), line=line_name, yardstick_seconds=seconds)


@pytest.mark.usefixtures("loaded")
@pytest.mark.parametrize("dtype", DTYPES)
def test_tanh(request: pytest.FixtureRequest, benchmark: Any, dtype: str) -> None:
    """NumPy's tanh beside torch's, on as many numbers as a step has: why some sizes are slow."""
    x = np.random.default_rng(SEED).standard_normal(NUMBERS).astype(dtype)
    y, x_torch = np.empty_like(x), torch.from_numpy(x)
    y_torch = torch.empty_like(x_torch)
    seconds = time_pairs(
        benchmark,
        lambda: np.tanh(x, out=y),
        lambda: torch.tanh(x_torch, out=y_torch),
        request.config.getoption("--rnn-seconds"),
    )
    benchmark.group = f"tanh-{dtype}"
    benchmark.extra_info.update(tanh=NUMBERS, dtype=dtype, yardstick_seconds=seconds)
