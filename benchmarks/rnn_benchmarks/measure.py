"""Timing in pairs: the yardstick just before the line, in every round.

What disturbs a machine (another process, its clock speed) disturbs both halves of a pair alike, so
the ratio within a pair is steadier than either time. A short call finds the caches and branch
predictions of the other half, which can cost it as much as it takes: it is made twice, and timed
once.
"""

import time
from collections.abc import Callable
from timeit import Timer
from typing import Any

Call = Callable[[], Any]
Clock = Callable[[], float]

TARGET_SECONDS = 0.4
FEWEST_ROUNDS, MOST_ROUNDS = 9, 200
SHORT_SECONDS = 2e-3  # of a call: the 20 µs that the other half may cost it are 1 % of that


def rounds_for(pair_seconds: float, target: float) -> int:
    """How many pairs fill the target time, in seconds, within the limits."""
    return int(min(MOST_ROUNDS, max(FEWEST_ROUNDS, target / max(pair_seconds, 1e-9))))


def time_pairs(
    benchmark: Any, line: Call, yardstick: Call, target: float, clock: Clock = time.perf_counter
) -> list[float]:
    """Time pairs for `target` seconds, both calls having been made once before.

    pytest-benchmark's fixture, whose timer must be `clock`, keeps the seconds of the line. Returns
    those of the yardstick, in the same order.
    """
    first = [Timer(call, timer=clock).timeit(1) for call in (yardstick, line)]
    short = min(first) < SHORT_SECONDS
    rounds = rounds_for(sum(first) * (1 + short), target)
    seconds: list[float] = []
    kept: list[object] = []  # so that to free a result is no part of its time
    timer = Timer(lambda: kept.append(yardstick()), timer=clock)

    def before() -> None:
        kept.clear()  # so that neither half finds the other's result still in memory
        if short:
            yardstick()
        seconds.append(timer.timeit(1))  # without garbage collection, as pytest-benchmark
        kept.clear()
        if short:
            line()

    benchmark.pedantic(lambda: kept.append(line()), setup=before, rounds=rounds, iterations=1)
    return seconds[:rounds]
