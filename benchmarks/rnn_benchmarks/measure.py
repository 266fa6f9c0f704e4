"""Timing in pairs: the yardstick just before the line, in every round.

What disturbs a machine (another process, its clock speed) disturbs both halves of a pair alike, so
the ratio within a pair is steadier than either time. A short call finds the caches and branch
predictions of the other half, which can cost it as much as it takes: it is made twice, and timed
once. A ratio is the yardstick's time over the line's: 2 is twice as fast.
"""

import gc
import math
import time
from collections.abc import Callable, Sequence
from statistics import median
from typing import Any

Call = Callable[[], Any]
Clock = Callable[[], float]

TARGET_SECONDS = 0.4
FEWEST_ROUNDS, MOST_ROUNDS = 9, 200
SHORT_SECONDS = 2e-3  # of a call: the 20 µs that the other half may cost it are 1 % of that
CONFIDENCE = 0.95


def timed(call: Call, clock: Clock = time.perf_counter) -> tuple[float, Any]:
    """Seconds that a call took, with garbage collection off as in pytest-benchmark, and its result.

    The result is returned so that freeing it is no part of the time.
    """
    collecting = gc.isenabled()
    gc.disable()
    try:
        start = clock()
        result = call()
        return clock() - start, result
    finally:
        if collecting:
            gc.enable()


def rounds_for(pair_seconds: float, target: float) -> int:
    """How many pairs fill the target time, in seconds, within the limits."""
    if pair_seconds * MOST_ROUNDS <= target:
        return MOST_ROUNDS
    return max(FEWEST_ROUNDS, math.floor(target / pair_seconds))


def time_pairs(
    benchmark: Any, line: Call, yardstick: Call, target: float, clock: Clock = time.perf_counter
) -> list[float]:
    """Time pairs for `target` seconds, both calls having been made once before.

    pytest-benchmark's fixture, whose timer must be `clock`, keeps the seconds of the line. Returns
    those of the yardstick, in the same order.
    """
    first = [timed(call, clock)[0] for call in (yardstick, line)]
    short = min(first) < SHORT_SECONDS
    rounds = rounds_for(sum(first) * (1 + short), target)
    seconds: list[float] = []
    kept: list[object] = []

    def yardstick_first() -> None:
        kept.clear()  # so that neither half finds the other's result still in memory
        if short:
            yardstick()
        elapsed, result = timed(yardstick, clock)
        seconds.append(elapsed)
        del result
        if short:
            line()

    def then_line() -> None:
        kept.append(line())

    benchmark.pedantic(then_line, setup=yardstick_first, rounds=rounds, iterations=1)
    return seconds[:rounds]


def summarise(
    seconds: Sequence[float], yardstick_seconds: Sequence[float]
) -> dict[str, float | int]:
    """The n-th entries being a pair: median ratio, its interval, rounds, and both median times."""
    ratios = [y / s for s, y in zip(seconds, yardstick_seconds, strict=True)]
    low, high = median_interval(ratios)
    return {
        "ratio": median(ratios),
        "low": low,
        "high": high,
        "rounds": len(ratios),
        "seconds": median(seconds),
        "yardstick_seconds": median(yardstick_seconds),
    }


def median_interval(values: Sequence[float]) -> tuple[float, float]:
    """An interval for the median of whatever distribution the values were drawn from.

    The k-th smallest and k-th largest value, with the largest k for which they enclose the median
    with the confidence wanted: a sign test turned round, exact for independent values. Fewer than
    six values give their extremes.
    """
    ordered, count = sorted(values), len(values)
    tail, k = 0.5**count, 0  # the probability that at most k values are below the median
    while 1 - 2 * (tail + math.comb(count, k + 1) * 0.5**count) >= CONFIDENCE:
        k += 1
        tail += math.comb(count, k) * 0.5**count
    return ordered[k], ordered[count - 1 - k]
