"""Time every line at every point, each round paired with `torch.nn.RNN`; no time is asserted.

python -m pytest benchmarks/bench_loops.py --benchmark-only --benchmark-json results.json
python -m rnn_benchmarks.report results.json --html report.html
"""

import time
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import pytest
from rnn_benchmarks.agreement import allowance, require_agreement
from rnn_benchmarks.grid import GRIDS, Point
from rnn_benchmarks.lines import LINES, YARDSTICK
from rnn_benchmarks.pairs import WARMUP_ROUNDS, rounds_for, time_pairs, timed
from rnn_benchmarks.threads import thread_limit
from rnn_benchmarks.workload import Workload, draw


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test for every point of the chosen grid and every line, the lines of a point in a row."""
    points = GRIDS[metafunc.config.getoption("--rnn-grid")]()
    metafunc.parametrize("point", points, ids=str, scope="module")
    metafunc.parametrize("line_name", LINES)


@pytest.fixture(scope="module")
def threads(request: pytest.FixtureRequest) -> Iterator[dict[str, int]]:
    """The thread counts in force, as read back."""
    try:
        with thread_limit(request.config.getoption("--rnn-threads")) as counts:
            yield counts
    except ValueError as error:
        pytest.exit(f"--rnn-{error}", returncode=pytest.ExitCode.USAGE_ERROR)


@pytest.fixture(scope="module")
def workload(point: Point) -> Workload:
    """The weights and inputs of a point."""
    return draw(point)


# The timer is fixed, since both halves of a pair must be read from the same clock.
@pytest.mark.benchmark(timer=time.perf_counter, disable_gc=True)
# Where lines disagree the fixture stays unused, which is no second error.
@pytest.mark.filterwarnings("ignore::pytest_benchmark.logger.PytestBenchmarkWarning")
def test_line(
    benchmark: Any, threads: dict[str, int], point: Point, workload: Workload, line_name: str
) -> None:
    """The line computes what the yardstick computes; then both are timed in pairs."""
    line = LINES[line_name]
    run, run_yardstick = line.prepare(workload), YARDSTICK.prepare(workload)

    allowed = allowance(workload)
    found = require_agreement(
        line.collect(run()),
        YARDSTICK.collect(run_yardstick()),
        allowed,
        names=(line.title, YARDSTICK.title),
    )

    rounds = rounds_for(timed(run_yardstick)[0] + timed(run)[0])
    benchmark.group = str(point)
    yardstick_seconds = time_pairs(benchmark, run, run_yardstick, rounds, time.perf_counter)
    benchmark.extra_info.update(
        point=asdict(point),
        output_size=workload.weights["W_ho"].shape[0],
        line=line.name,
        title=line.title,
        yardstick=YARDSTICK.name,
        yardstick_title=YARDSTICK.title,
        yardstick_seconds=yardstick_seconds,
        warmup_rounds=WARMUP_ROUNDS,
        threads=threads,
        largest_difference=asdict(found),
        allowed_difference=asdict(allowed),
    )
