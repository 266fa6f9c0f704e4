"""Pairs and rounds, on a clock that stands still but for calls."""

from collections.abc import Callable
from typing import Any

import pytest
from rnn_benchmarks.measure import FEWEST_ROUNDS, MOST_ROUNDS, rounds_for, time_pairs


class Clock:
    """Its own benchmark fixture too: it keeps the seconds of the line."""

    def __init__(self, *calls: str) -> None:
        self.now, self.calls, self.seconds = 0.0, ["", *calls], [0.0]

    def __call__(self) -> float:
        return self.now

    def call(self, name: str, first: float, again: float) -> Callable[[], None]:
        """A call that takes `again` seconds if the last call was the same, else `first`."""

        def run() -> None:
            self.now += again if self.calls[-1] == name else first
            self.calls.append(name)

        return run

    def pedantic(self, target: Any, *, setup: Any, rounds: int, iterations: int) -> None:
        self.calls, self.seconds = [""], []
        for _ in range(rounds):
            setup()
            start = self.now
            target()
            self.seconds.append(self.now - start)


@pytest.mark.parametrize(
    ("line", "yardstick", "target", "rounds", "made"),
    [
        ((2, 2), (3, 3), 50, 10, ["yardstick", "line"]),
        ((5e-3, 1e-3), (7e-3, 1.5e-3), 0, FEWEST_ROUNDS, ["yardstick"] * 2 + ["line"] * 2),
    ],
    ids=["long", "short: after a call that is not timed"],
)
def test_each_round_of_a_line_comes_just_after_one_of_the_yardstick(
    line: Any, yardstick: Any, target: float, rounds: int, made: list[str]
) -> None:
    clock = Clock("yardstick")  # so that the calibration finds it short
    calls = clock.call("line", *line), clock.call("yardstick", *yardstick)
    assert time_pairs(clock, *calls, target, clock) == pytest.approx([yardstick[1]] * rounds)
    assert clock.seconds == pytest.approx([line[1]] * rounds)
    assert clock.calls[1:] == made * rounds


def test_neither_half_of_a_pair_finds_the_result_of_the_other() -> None:
    alive: list[int] = []

    class Result:
        count = 0

        def __init__(self) -> None:
            alive.append(Result.count)
            Result.count += 1

        def __del__(self) -> None:
            Result.count -= 1

    time_pairs(Clock(), Result, Result, 0.0, lambda: 0.0)
    assert set(alive) == {0}


def test_rounds_fill_the_target_time_within_limits() -> None:
    rounds = [rounds_for(pair_seconds, 0.4) for pair_seconds in (1e-9, 0.4 / 20.5, 0.4, 60.0)]
    assert rounds == [MOST_ROUNDS, 20, FEWEST_ROUNDS, FEWEST_ROUNDS]
