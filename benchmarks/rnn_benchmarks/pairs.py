"""Timing in pairs: the yardstick just before the line, in every round.

What disturbs a machine (another process, its clock speed) disturbs both halves of a pair alike, so
the ratio within a pair is steadier than either time. A short call finds the caches and the branch
predictions of the other half, which can cost it as much as it takes: it is made twice, and timed
once.
"""

import gc
import math
import time
from collections.abc import Callable
from typing import Any, Protocol, TypeVar

TARGET_SECONDS = 0.4
MOST_ROUNDS = 200
# With fewer, an interval of 95 % for the median reaches to the extremes, and one hiccup spoils it.
FEWEST_ROUNDS = 9
# Where those would take this many times the target, there are fewer, and no warm-up but the
# agreement check; the interval of so few values covers less, which the report states.
PATIENCE = 10
ROUNDS_IF_SLOW = 3
# After the agreement check and the calibration, which have warmed up both already.
WARMUP_ROUNDS = 1
SHORT_SECONDS = 2e-3  # of a call: 20 µs, which is what the other half may cost it, are 1 % of that

Result = TypeVar("Result")
Call = Callable[[], object]
Clock = Callable[[], float]


class Benchmark(Protocol):
    """What is used of pytest-benchmark's fixture."""

    enabled: bool

    def pedantic(
        self,
        target: Call,
        *,
        setup: Callable[[], None],
        rounds: int,
        warmup_rounds: int,
        iterations: int,
    ) -> Any:
        """Call `setup` and then `target`, timed, in every round and every warm-up round."""


def rounds_for(pair_seconds: float, target: float = TARGET_SECONDS) -> int:
    """How many pairs fill the target time, in seconds, within the limits."""
    if pair_seconds * MOST_ROUNDS <= target:
        return MOST_ROUNDS
    return max(
        ROUNDS_IF_SLOW if _is_slow(pair_seconds, target) else FEWEST_ROUNDS,
        math.floor(target / pair_seconds),
    )


def warmup_rounds_for(pair_seconds: float, target: float = TARGET_SECONDS) -> int:
    """How many pairs are run before those that count."""
    return 0 if _is_slow(pair_seconds, target) else WARMUP_ROUNDS


def _is_slow(pair_seconds: float, target: float) -> bool:
    return pair_seconds * FEWEST_ROUNDS > target * PATIENCE


def timed(call: Callable[[], Result], clock: Clock = time.perf_counter) -> tuple[float, Result]:
    """Seconds that the call took, with garbage collection off as in pytest-benchmark, and result.

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


def settled(
    call: Callable[[], Result], short: bool, clock: Clock = time.perf_counter
) -> tuple[float, Result]:
    """As `timed`, after a call that is not, where it is short."""
    if short:
        call()
    return timed(call, clock)


def time_pairs(
    benchmark: Benchmark,
    line: Call,
    yardstick: Call,
    rounds: int,
    clock: Clock,
    warmup_rounds: int = WARMUP_ROUNDS,
    short: bool = False,
) -> tuple[float, ...]:
    """Time `rounds` pairs: pytest-benchmark keeps the line's seconds, returned are the yardstick's.

    Where calls are `short`, each is made once more before it is timed. `clock` must be the timer
    that pytest-benchmark uses. Both tuples are in the order of rounds.
    """
    seconds: list[float] = []
    kept: list[object] = []

    def yardstick_first() -> None:
        kept.clear()  # so that neither finds the other's result still in memory
        elapsed, result = settled(yardstick, short, clock)
        seconds.append(elapsed)
        del result
        if short:
            line()

    def then_line() -> None:
        kept.append(line())

    benchmark.pedantic(
        then_line,
        setup=yardstick_first,
        rounds=rounds,
        warmup_rounds=warmup_rounds,
        iterations=1,
    )
    if not benchmark.enabled:
        return tuple(seconds)
    if len(seconds) < warmup_rounds + rounds:
        raise RuntimeError(
            f"{rounds} rounds, but only {len(seconds) - warmup_rounds} calls before them"
        )
    return tuple(seconds[warmup_rounds : warmup_rounds + rounds])
