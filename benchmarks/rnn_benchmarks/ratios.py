"""From summaries to comparisons: what ratios and their intervals can show.

A ratio is the yardstick's time over the line's: 2 is twice as fast as the yardstick.
"""

from dataclasses import dataclass
from enum import Enum

from rnn_benchmarks.grid import Point
from rnn_benchmarks.results import Measurement, Results
from rnn_benchmarks.summary import Interval, Spread

# A yardstick that differs from itself by more than this factor says nothing about other lines.
NOISE_LIMIT = 1.10


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
        each.point: _floor(each.summary.interval)
        for each in results.measurements
        if each.line == results.yardstick
    }
    return tuple(
        _comparison(each, floors[each.point], is_floor=each.line == results.yardstick)
        for each in results.measurements
    )


def is_noisy(floor: Interval) -> bool:
    """Whether the yardstick's ratio to itself reaches beyond the limit, on either side."""
    return floor.high > NOISE_LIMIT or floor.low < 1 / NOISE_LIMIT


def _floor(interval: Interval) -> Interval:
    """Widened to contain 1: what is not 1 there is an effect of order, not of speed."""
    return Interval(min(interval.low, 1.0), max(interval.high, 1.0), interval.coverage)


def _comparison(measurement: Measurement, floor: Interval, *, is_floor: bool) -> Comparison:
    summary, steps = measurement.summary, measurement.point.T
    return Comparison(
        point=measurement.point,
        line=measurement.line,
        title=measurement.title,
        ratio=summary.ratio,
        interval=summary.interval,
        floor=floor,
        verdict=Verdict.FLOOR if is_floor else _verdict(summary.interval, floor),
        rounds=summary.rounds,
        step=summary.seconds.per_step(steps),
        yardstick_step=summary.yardstick_seconds.per_step(steps),
    )


def _verdict(interval: Interval, floor: Interval) -> Verdict:
    if is_noisy(floor):
        return Verdict.NOISY
    if interval.low > floor.high:
        return Verdict.FASTER
    if interval.high < floor.low:
        return Verdict.SLOWER
    return Verdict.LEVEL
