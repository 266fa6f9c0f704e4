from collections.abc import Sequence
from dataclasses import replace
from itertools import product

import pytest
from rnn_benchmarks.grid import MIDDLE
from rnn_benchmarks.ratios import NOISE_LIMIT, Verdict, compare
from rnn_benchmarks.results import Measurement, Results
from rnn_benchmarks.summary import median_interval, summarise


def measurement(line: str, ratios: Sequence[float]) -> Measurement:
    """A measurement in which these are the ratios, round by round."""
    return Measurement(
        point=MIDDLE,
        line=line,
        title=line.title(),
        summary=summarise([1 / ratio for ratio in ratios], [1.0] * len(ratios)),
    )


def results(line: Measurement, floor: Sequence[float] = (1.0,) * 9) -> Results:
    """A run of one line and the yardstick at one point."""
    return Results(
        measurements=(line, measurement("yardstick", floor)),
        yardstick="yardstick",
        yardstick_title="Yardstick",
        output_size=16,
        threads={"torch": 1},
        machine={},
        arguments=(),
        date="",
        commit="",
        absent={},
        left_out=(),
    )


@pytest.mark.parametrize(
    ("count", "low", "high"),
    [(1, 0, 0), (5, 0, 4), (6, 0, 5), (8, 0, 7), (9, 1, 7), (20, 5, 14), (200, 85, 114)],
)
def test_interval_has_the_tabled_order_statistics_for_ends(count: int, low: int, high: int) -> None:
    interval = median_interval([float(value) for value in reversed(range(count))])
    assert (interval.low, interval.high) == (low, high)


@pytest.mark.parametrize("count", [1, 2, 6, 9, 12])
def test_coverage_is_the_share_of_samples_whose_interval_holds_the_median(count: int) -> None:
    held = 0
    for signs in product((-1, 1), repeat=count):  # a value is below or above the median, 0
        interval = median_interval([sign * (index + 1) for index, sign in enumerate(signs)])
        held += interval.low < 0 < interval.high
    assert median_interval(range(count)).coverage == pytest.approx(held / 2**count)


def test_coverage_is_reached_from_six_values_on() -> None:
    for count in range(6, 201):
        assert 0.95 <= median_interval(range(count)).coverage < 1


def test_ratios_are_taken_within_rounds() -> None:
    # The line takes half the time in each round, while the machine slows down and recovers.
    seconds = (1.0, 10.0, 3.0, 7.0, 5.0)
    line = replace(
        measurement("line", [1.0]),
        summary=summarise(seconds, [2 * second for second in seconds]),
    )
    comparison = compare(results(line))[0]
    assert comparison.ratio == comparison.interval.low == comparison.interval.high == 2
    assert comparison.step.median == 5 / MIDDLE.T
    assert (comparison.step.low, comparison.step.high) == (3 / MIDDLE.T, 7 / MIDDLE.T)
    assert comparison.yardstick_step.median == 10 / MIDDLE.T


QUIET = [0.98, 0.99, 1.0, 1.0, 1.0, 1.0, 1.0, 1.01, 1.02]
OFF_CENTRE = [1.05] * 9
NOISY = [0.5, 0.8, 0.9, 1.0, 1.0, 1.0, 1.1, 1.2, 2.0]


@pytest.mark.parametrize(
    ("line", "floor", "verdict"),
    [
        ([2.0] * 9, QUIET, Verdict.FASTER),
        ([0.5] * 9, QUIET, Verdict.SLOWER),
        ([1.005] * 9, QUIET, Verdict.LEVEL),
        (NOISY, QUIET, Verdict.LEVEL),
        ([1.04] * 9, OFF_CENTRE, Verdict.LEVEL),
        ([1.06] * 9, OFF_CENTRE, Verdict.FASTER),
        ([0.99] * 9, OFF_CENTRE, Verdict.SLOWER),
        ([2.0] * 9, NOISY, Verdict.NOISY),
        ([2.0] * 9, [1.01 * NOISE_LIMIT] * 9, Verdict.NOISY),
        ([2.0] * 9, [0.99 / NOISE_LIMIT] * 9, Verdict.NOISY),
    ],
)
def test_a_verdict_needs_more_than_the_noise(
    line: list[float], floor: list[float], verdict: Verdict
) -> None:
    comparison, yardstick = compare(results(measurement("line", line), floor))
    assert comparison.verdict is verdict
    assert yardstick.verdict is Verdict.FLOOR


def test_a_single_round_is_told_with_no_coverage() -> None:
    comparison = compare(results(measurement("line", [2.0])))[0]
    assert comparison.interval.coverage == 0
    assert comparison.step.low == comparison.step.high == comparison.step.median
