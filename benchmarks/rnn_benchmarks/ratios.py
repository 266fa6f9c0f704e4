"""From times of rounds to ratios: medians, their intervals, and what they can show.

A ratio is the yardstick's time over the line's: 2 is twice as fast as the yardstick.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from statistics import median, quantiles

from rnn_benchmarks.grid import Point
from rnn_benchmarks.results import Measurement, Results

CONFIDENCE = 0.95

# A yardstick that differs from itself by more than this factor says nothing about other lines.
NOISE_LIMIT = 1.10


@dataclass(frozen=True)
class Interval:
    """From the low to the high end; `coverage` is the probability to enclose what is sought."""

    low: float
    high: float
    coverage: float


class Verdict(Enum):
    """What a ratio shows, next to what the yardstick shows against itself.

    LEVEL: no difference shown. NOISY: the machine was too noisy to say. FLOOR: the yardstick.
    """

    FASTER = "faster"
    SLOWER = "slower"
    LEVEL = "level"
    NOISY = "noisy"
    FLOOR = "noise floor"


@dataclass(frozen=True)
class Spread:
    """Quartiles of a time per step, in seconds."""

    low: float
    median: float
    high: float


@dataclass(frozen=True)
class Comparison:
    """A line against the yardstick at one point. `floor` is the yardstick against itself."""

    point: Point
    line: str
    title: str
    ratio: float
    interval: Interval
    floor: Interval
    verdict: Verdict
    rounds: int
    step: Spread
    yardstick_step: Spread


def compare(results: Results) -> tuple[Comparison, ...]:
    """Every measurement as a comparison, in the order of the file."""
    floors = {
        each.point: _floor(median_interval(_ratios(each)))
        for each in results.measurements
        if each.line == results.yardstick
    }
    return tuple(
        _comparison(each, floors[each.point], is_floor=each.line == results.yardstick)
        for each in results.measurements
    )


def median_interval(values: Sequence[float], confidence: float = CONFIDENCE) -> Interval:
    """An interval for the median of whatever distribution the values were drawn from.

    The k-th smallest and k-th largest value, with the largest k for which they enclose the median
    with at least this confidence: a sign test turned round, exact for independent values. Too few
    values give their extremes, with the lower coverage that these have.
    """
    ordered, count = sorted(values), len(values)
    tail, chosen = 0.0, (0, 1 - 2 * 0.5**count)
    for k in range((count + 1) // 2):
        tail += math.comb(count, k) * 0.5**count
        if 1 - 2 * tail < confidence:
            break
        chosen = (k, 1 - 2 * tail)
    k, coverage = chosen
    return Interval(ordered[k], ordered[count - 1 - k], max(coverage, 0.0))


def is_noisy(floor: Interval) -> bool:
    """Whether the yardstick's ratio to itself reaches beyond the limit, on either side."""
    return floor.high > NOISE_LIMIT or floor.low < 1 / NOISE_LIMIT


def _ratios(measurement: Measurement) -> list[float]:
    pairs = zip(measurement.yardstick_seconds, measurement.seconds, strict=True)
    return [yardstick / line for yardstick, line in pairs]


def _floor(interval: Interval) -> Interval:
    """Widened to contain 1: what is not 1 there is an effect of order, not of speed."""
    return Interval(min(interval.low, 1.0), max(interval.high, 1.0), interval.coverage)


def _comparison(measurement: Measurement, floor: Interval, *, is_floor: bool) -> Comparison:
    ratios = _ratios(measurement)
    interval = median_interval(ratios)
    return Comparison(
        point=measurement.point,
        line=measurement.line,
        title=measurement.title,
        ratio=median(ratios),
        interval=interval,
        floor=floor,
        verdict=Verdict.FLOOR if is_floor else _verdict(interval, floor),
        rounds=len(ratios),
        step=_spread(measurement.seconds, measurement.point.T),
        yardstick_step=_spread(measurement.yardstick_seconds, measurement.point.T),
    )


def _verdict(interval: Interval, floor: Interval) -> Verdict:
    if is_noisy(floor):
        return Verdict.NOISY
    if interval.low > floor.high:
        return Verdict.FASTER
    if interval.high < floor.low:
        return Verdict.SLOWER
    return Verdict.LEVEL


def _spread(seconds: Sequence[float], steps: int) -> Spread:
    if len(seconds) == 1:
        return Spread(*[seconds[0] / steps] * 3)
    low, middle, high = quantiles(seconds, n=4, method="inclusive")
    return Spread(low / steps, middle / steps, high / steps)
