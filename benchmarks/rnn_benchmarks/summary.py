"""A pair series as what is kept of it: the median ratio, its interval, and quartiles of times.

A ratio is the yardstick's time over the line's: 2 is twice as fast as the yardstick.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median, quantiles

CONFIDENCE = 0.95


@dataclass(frozen=True)
class Interval:
    """From the low to the high end; `coverage` is the probability to enclose what is sought."""

    low: float
    high: float
    coverage: float


@dataclass(frozen=True)
class Spread:
    """Quartiles of a time, in seconds."""

    low: float
    median: float
    high: float

    def per_step(self, steps: int) -> "Spread":
        """The same for one step of so many."""
        return Spread(self.low / steps, self.median / steps, self.high / steps)


@dataclass(frozen=True)
class Summary:
    """What the rounds of one line at one point come to; both times are those of a whole call."""

    ratio: float
    interval: Interval
    rounds: int
    seconds: Spread
    yardstick_seconds: Spread


def summarise(seconds: Sequence[float], yardstick_seconds: Sequence[float]) -> Summary:
    """The summary of rounds, in which the n-th entries of both are a pair."""
    pairs = zip(yardstick_seconds, seconds, strict=True)
    ratios = [yardstick / line for yardstick, line in pairs]
    return Summary(
        ratio=median(ratios),
        interval=median_interval(ratios),
        rounds=len(ratios),
        seconds=_spread(seconds),
        yardstick_seconds=_spread(yardstick_seconds),
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


def _spread(seconds: Sequence[float]) -> Spread:
    if len(seconds) == 1:
        return Spread(*[seconds[0]] * 3)
    return Spread(*quantiles(seconds, n=4, method="inclusive"))
