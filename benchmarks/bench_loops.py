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
from rnn_benchmarks.lines import YARDSTICK
from rnn_benchmarks.names import chosen_names
from rnn_benchmarks.pairs import SHORT_SECONDS, rounds_for, time_pairs, timed, warmup_rounds_for
from rnn_benchmarks.remarks import remarks_of
from rnn_benchmarks.rivals import Loaded, load
from rnn_benchmarks.threads import thread_limit
from rnn_benchmarks.workload import Workload, draw


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test for every point of the chosen grid and every line, the lines of a point in a row."""
    points = GRIDS[metafunc.config.getoption("--rnn-grid")]()
    metafunc.parametrize("point", points, ids=str, scope="module")
    metafunc.parametrize("line_name", chosen_names(metafunc.config.getoption("--rnn-lines")))


@pytest.fixture(scope="module")
def loaded(request: pytest.FixtureRequest) -> Loaded:
    """The chosen lines, loaded before threads are limited, since they bring libraries of theirs."""
    option = request.config.getoption
    found = load(chosen_names(option("--rnn-lines")), option("--rnn-threads"))
    remarks_of(request.config).absent.update(found.absent)
    return found


@pytest.fixture(scope="module")
def threads(request: pytest.FixtureRequest, loaded: Loaded) -> Iterator[dict[str, int]]:
    """The thread counts in force, as read back."""
    with thread_limit(request.config.getoption("--rnn-threads")) as counts:
        yield counts | loaded.threads


@pytest.fixture(scope="module")
def workload(request: pytest.FixtureRequest, point: Point) -> Workload:
    """The weights and inputs of a point, which is skipped where one call takes too long."""
    drawn, limit = draw(point), request.config.getoption("--rnn-limit")
    request.getfixturevalue("threads")  # in force before anything is timed
    if limit is not None:
        seconds, _ = timed(YARDSTICK.prepare(drawn))
        if seconds > limit:
            remarks_of(request.config).left_out.append({"point": asdict(point), "seconds": seconds})
            pytest.skip(f"a call of {YARDSTICK.title} takes {seconds:.2f} s, the limit is {limit}")
    return drawn


# The timer is fixed, since both halves of a pair must be read from the same clock.
@pytest.mark.benchmark(timer=time.perf_counter, disable_gc=True)
# Where lines disagree the fixture stays unused, which is no second error.
@pytest.mark.filterwarnings("ignore::pytest_benchmark.logger.PytestBenchmarkWarning")
# What the frameworks of other lines say of themselves.
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
def test_line(
    request: pytest.FixtureRequest,
    benchmark: Any,
    loaded: Loaded,
    threads: dict[str, int],
    point: Point,
    workload: Workload,
    line_name: str,
) -> None:
    """The line computes what the yardstick computes; then both are timed in pairs."""
    if line_name in loaded.absent:
        pytest.skip(f"{line_name}: {loaded.absent[line_name]}")
    line = loaded.lines[line_name]
    if point.dtype not in line.dtypes:
        pytest.skip(f"{line.title} does not compute in {point.dtype}")
    run, run_yardstick = line.prepare(workload), YARDSTICK.prepare(workload)

    allowed = allowance(workload)
    first, result = timed(run)
    yardstick_first, yardstick_result = timed(run_yardstick)
    found = require_agreement(
        line.collect(result),
        YARDSTICK.collect(yardstick_result),
        allowed,
        names=(line.title, YARDSTICK.title),
    )
    del result, yardstick_result

    target = request.config.getoption("--rnn-seconds")
    warmup_rounds = warmup_rounds_for(first + yardstick_first, target)
    if warmup_rounds:  # the first calls of all are slower
        first, yardstick_first = timed(run)[0], timed(run_yardstick)[0]
    short = min(first, yardstick_first) < SHORT_SECONDS
    pair = (first + yardstick_first) * (2 if short else 1)
    benchmark.group = str(point)
    yardstick_seconds = time_pairs(
        benchmark,
        run,
        run_yardstick,
        rounds_for(pair, target),
        time.perf_counter,
        warmup_rounds,
        short,
    )
    benchmark.extra_info.update(
        point=asdict(point),
        output_size=workload.weights["W_ho"].shape[0],
        line=line.name,
        title=line.title,
        yardstick=YARDSTICK.name,
        yardstick_title=YARDSTICK.title,
        yardstick_seconds=yardstick_seconds,
        warmup_rounds=warmup_rounds,
        threads=threads,
        largest_difference=asdict(found),
        allowed_difference=asdict(allowed),
    )
