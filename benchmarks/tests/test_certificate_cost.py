"""The certificate's cost is measured in pairs, and laid out with its mean and its worst."""

import pytest
from rnn_benchmarks import certificate_cost
from rnn_benchmarks.certificate_cost import Cost, measure, table
from rnn_benchmarks.grid import DTYPES, SMALLEST, Point


def test_a_point_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(certificate_cost, "MOST_ROUNDS", 4)
    found = measure(SMALLEST)
    assert found.point == SMALLEST
    assert found.rounds == 4
    assert found.ratio > 0
    assert found.forward_seconds > 0


def test_table_names_mean_and_worst() -> None:
    costs = [
        Cost(Point(10, B, 9, 4, dtype), ratio, 0.001, 3)
        for dtype in DTYPES
        for B, ratio in ((1, 0.25), (5, 1.0))
    ]
    found = table(costs)
    assert "| 10 | 5 | 9 | 4 | float32 | 1 | 1.00 |" in found
    for dtype in DTYPES:
        assert f"{dtype}: geometric mean 0.50 of 2 points, worst 1.00 at {dtype}-T10-B5" in found


def test_states_that_do_not_conform_are_not_timed(monkeypatch: pytest.MonkeyPatch) -> None:
    class Wrong:
        conforms = False

    monkeypatch.setattr(certificate_cost, "certify", lambda *_: Wrong())
    with pytest.raises(ValueError, match=r"torch\.nn\.RNN at float32-T10-B1-I9-H4"):
        measure(SMALLEST)
