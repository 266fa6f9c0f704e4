from pathlib import Path

import pytest
from rnn_benchmarks.pairs import (
    FEWEST_ROUNDS,
    MOST_ROUNDS,
    PATIENCE,
    ROUNDS_IF_SLOW,
    TARGET_SECONDS,
    WARMUP_ROUNDS,
    rounds_for,
    settled,
    time_pairs,
    timed,
    warmup_rounds_for,
)

pytest_plugins = ["pytester"]
HOUSE = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("pair_seconds", "rounds"),
    [
        (1e-9, MOST_ROUNDS),
        (TARGET_SECONDS / 20.5, 20),
        (TARGET_SECONDS, FEWEST_ROUNDS),
        (0.0, MOST_ROUNDS),
        (TARGET_SECONDS * PATIENCE, ROUNDS_IF_SLOW),
    ],
)
def test_rounds_fill_the_target_time_within_limits(pair_seconds: float, rounds: int) -> None:
    assert rounds_for(pair_seconds) == rounds


def test_slow_pairs_have_no_warm_up_of_their_own() -> None:
    assert warmup_rounds_for(TARGET_SECONDS) == WARMUP_ROUNDS
    assert warmup_rounds_for(TARGET_SECONDS * PATIENCE) == 0


def test_timed_returns_seconds_and_result() -> None:
    readings = iter([10.0, 12.5])
    assert timed(lambda: "result", lambda: next(readings)) == (2.5, "result")


# On this clock the n-th call of the yardstick takes n seconds and the call of the line after it
# takes 2n: a pair out of step, or a warm-up taken for a round, would not have the ratio 1/2.
SCRIPTED = """
import pytest
from rnn_benchmarks.pairs import WARMUP_ROUNDS, time_pairs

class Clock:
    __name__ = "scripted"
    now, calls = 0.0, 0
    def __call__(self):
        return self.now

clock = Clock()

def yardstick():
    clock.calls += 1
    clock.now += clock.calls

def line():
    clock.now += 2 * clock.calls

@pytest.mark.benchmark(timer=clock)
def test_pairs(benchmark):
    seconds = time_pairs(benchmark, line, yardstick, 12, clock)
    assert seconds == tuple(range(1 + WARMUP_ROUNDS, 13 + WARMUP_ROUNDS))
    assert benchmark.stats.stats.data == [2 * second for second in seconds]
"""


def test_each_round_is_paired_with_the_yardstick_just_before_it(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    # pytest-benchmark times nothing in a worker of xdist; what is tested here is no such worker.
    monkeypatch.delenv("PYTEST_XDIST_WORKER", raising=False)
    pytester.makeini(f"[pytest]\npythonpath = {HOUSE / 'benchmarks'}\nfilterwarnings = error\n")
    pytester.makepyfile(SCRIPTED)
    result = pytester.runpytest_subprocess("--benchmark-only", "-p", "no:cacheprovider")
    result.assert_outcomes(passed=1)


class Fake:
    """A fixture that calls `setup` for `called` of the rounds asked for."""

    def __init__(self, called: int, *, enabled: bool) -> None:
        self.called, self.enabled = called, enabled

    def pedantic(self, target, *, setup, rounds, warmup_rounds, iterations):  # type: ignore[no-untyped-def]
        for _ in range(self.called):
            setup()
            target()


def test_a_round_without_its_pair_is_an_error() -> None:
    with pytest.raises(RuntimeError, match="10 rounds, but only 9 calls"):
        time_pairs(Fake(9 + WARMUP_ROUNDS, enabled=True), str, str, 10, lambda: 0.0)


def test_calls_after_the_rounds_are_left_out() -> None:
    seconds = time_pairs(Fake(99, enabled=True), str, str, 10, lambda: 0.0)
    assert len(seconds) == 10


def test_disabled_benchmarks_run_once() -> None:
    assert len(time_pairs(Fake(1, enabled=False), str, str, 10, lambda: 0.0)) == 1


def test_neither_half_of_a_pair_finds_the_result_of_the_other() -> None:
    alive: list[int] = []

    class Result:
        count = 0

        def __init__(self) -> None:
            alive.append(Result.count)
            Result.count += 1

        def __del__(self) -> None:
            Result.count -= 1

    time_pairs(Fake(5, enabled=False), Result, Result, 5, lambda: 0.0)
    assert alive == [0] * 10


def test_a_short_call_is_timed_after_one_that_is_not() -> None:
    """The clock stands still but for calls: the first of two takes 5 s, the second 1 s."""
    now = [0.0]
    calls: list[str] = []

    def half(name: str) -> None:
        now[0] += 1 if calls[-1:] == [name] else 5
        calls.append(name)

    def line() -> None:
        half("line")

    def yardstick() -> None:
        half("yardstick")

    found = time_pairs(
        Fake(3, enabled=False), line, yardstick, 3, lambda: now[0], warmup_rounds=0, short=True
    )
    assert found == (1.0,) * 3
    assert calls == ["yardstick", "yardstick", "line", "line"] * 3
    assert settled(yardstick, short=False, clock=lambda: now[0])[0] == 5
