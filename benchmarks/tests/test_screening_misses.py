"""The screening misses no more often than is stated, and finds what is large."""

from statistics import NormalDist

import numpy as np
import pytest
from rnn_benchmarks.grid import Point
from rnn_benchmarks.screening_misses import Missed, measure, most_missed

DRAWS = 400


@pytest.fixture(scope="module")
def found() -> list[Missed]:
    point = Point(1, 1, 16, 64, "float32")
    return list(measure(point, np.random.default_rng(0), DRAWS))


def test_errors_are_missed_no_more_often_than_stated(found: list[Missed]) -> None:
    deviations = -NormalDist().inv_cdf(1e-6)
    for one in found:
        for rate, most in zip(one.rates, one.bounds, strict=True):
            assert rate <= most + deviations * np.sqrt(most * (1 - most) / DRAWS) + 1e-12, one


def test_what_is_large_is_found_and_what_is_small_is_not(found: list[Missed]) -> None:
    rates = {(one.kind, one.size): one.rates for one in found}
    assert rates["one unit", 300] == (0.0, 0.0, 0.0)
    assert rates["one unit", 1] == (1.0, 1.0, 1.0)
    assert rates["W_hh transposed", 1][-1] == 0.0
    assert rates["every unit", 10][-1] == 0.0


def test_an_error_below_theta_may_always_be_missed() -> None:
    assert most_missed(np.array([0.5, 0.5]), 1.0) == 1.0
    assert most_missed(np.array([3.0, 1.0]), 1.0) == pytest.approx(np.exp(-2))
