from dataclasses import replace

import pytest
from rnn_benchmarks.findings import _where_others_win as where_others_win
from rnn_benchmarks.grid import MIDDLE, Point
from rnn_benchmarks.limit import (
    batch_size_table,
    distance_table,
    distances,
    mean_distance,
    worst_table,
)
from rnn_benchmarks.names import LIMIT, OURS
from rnn_benchmarks.ratios import Comparison, Verdict
from rnn_benchmarks.summary import Interval, Spread


def comparison(line: str, ratio: float, point: Point = MIDDLE, width: float = 1.1) -> Comparison:
    """A line at a point whose interval reaches from ratio / width to ratio · width."""
    return Comparison(
        point=point,
        line=line,
        title=line.title(),
        ratio=ratio,
        interval=Interval(ratio / width, ratio * width, 0.95),
        floor=Interval(1.0, 1.0, 0.95),
        verdict=Verdict.FASTER if ratio > 1 else Verdict.SLOWER,
        rounds=9,
        step=Spread(1.0, 1.0, 1.0),
        yardstick_step=Spread(1.0, 1.0, 1.0),
    )


def test_a_distance_is_the_floors_ratio_over_the_lines() -> None:
    ours, floor = comparison(OURS, 2.0, width=1.1), comparison(LIMIT, 3.0, width=1.2)
    (found,) = distances([ours, floor], "torch-rnn")
    assert found.distance == pytest.approx(1.5)
    assert (found.interval.low, found.interval.high) == pytest.approx((1.5 / 1.32, 1.5 * 1.32))
    assert found.interval.coverage == pytest.approx(0.9)


def test_the_yardstick_is_as_far_as_the_floor_is_fast_whatever_its_noise() -> None:
    yardstick, floor = comparison("torch-rnn", 1.03), comparison(LIMIT, 3.0)
    (found,) = distances([yardstick, floor], "torch-rnn")
    assert found.distance == 3.0
    assert (found.interval.low, found.interval.high) == (floor.interval.low, floor.interval.high)
    assert found.interval.coverage == pytest.approx(0.95)


def test_where_the_floor_is_missing_there_is_no_distance() -> None:
    other = replace(MIDDLE, B=1)
    every = [comparison(OURS, 2.0), comparison(LIMIT, 3.0), comparison(OURS, 2.0, other)]
    found = distances(every, "torch-rnn")
    assert [each.point for each in found] == [MIDDLE]
    assert distances(every[:1], "torch-rnn") == ()
    assert distance_table(()).rows == ()


def test_mean_distances_are_geometric_and_by_size() -> None:
    other = replace(MIDDLE, H=4)
    every = [
        *(comparison(OURS, 1.0), comparison(LIMIT, 2.0)),
        *(comparison(OURS, 1.0, other), comparison(LIMIT, 8.0, other)),
    ]
    found = distances(every, "torch-rnn")
    assert mean_distance(found) == pytest.approx(4.0)
    (row,) = distance_table(found).rows
    assert row[:2] == ("Batch-Rnn", "4.00")
    assert row[3:6] == ("8.00", "2.00", "8.00")
    assert "H=4" in row[-1]


def test_means_by_batch_size_are_over_the_points_that_have_it() -> None:
    one = replace(MIDDLE, B=1)
    every = [
        *(comparison(OURS, 1.0), comparison(LIMIT, 2.0)),
        *(comparison(OURS, 1.0, one), comparison(LIMIT, 5.0, one)),
    ]
    table = batch_size_table(distances(every, "torch-rnn"))
    assert table.columns == ("Line", "B=1", "B=32")
    assert table.rows == (("Batch-Rnn", "5.00", "2.00"),)
    assert batch_size_table(()).rows == ()


def test_worst_points_come_by_ratio_then_by_distance() -> None:
    points = [replace(MIDDLE, T=T) for T in range(1, 15)]
    every = [comparison(OURS, 1.0 + point.T, point) for point in points]
    every += [comparison(LIMIT, (1.0 + point.T) * point.T, point) for point in points]
    table = worst_table(every, distances(every, "torch-rnn"), OURS)
    assert table is not None
    steps = [int(row[0].split()[1].removeprefix("T=")) for row in table.rows]
    assert steps == [1, 2, 3, 4, 5, 6, 14, 13, 12, 11, 10, 9]
    assert worst_table(every, (), "nothing") is None


def test_others_win_only_where_their_intervals_are_clear_of_ours() -> None:
    one = replace(MIDDLE, B=1)
    ours = [comparison(OURS, 2.0), comparison(OURS, 2.0, one)]
    clear = [comparison("numba", 1.0), comparison("numba", 4.0, one)]
    (said,) = where_others_win(ours, [*ours, *clear])
    assert "Numba at B=1 (2.00 times as fast, 1 point)" in said
    assert "B=32" not in said
    noisy = [replace(each, verdict=Verdict.NOISY) for each in clear]
    (said,) = where_others_win(ours, [*ours, *noisy])
    assert said.startswith("No other line is clearly faster than")
    (said,) = where_others_win(ours, [*ours, comparison("numba", 2.2, one)])
    assert said.startswith("No other line is clearly faster than")
    assert list(where_others_win(ours, [*ours, comparison(LIMIT, 9.0)])) == []
