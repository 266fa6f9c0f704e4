from dataclasses import asdict

import pytest
from rnn_benchmarks.grid import GRIDS, MIDDLE, default_selection, full_grid

AXES = {"T": 3, "B": 4, "I": 3, "H": 4, "dtype": 2}


def test_full_grid_is_every_combination() -> None:
    points = full_grid()
    assert len(points) == 3 * 4 * 3 * 4 * 2
    assert len(set(points)) == len(points)


@pytest.mark.parametrize(("axis", "sizes"), AXES.items())
def test_default_selection_walks_each_axis_through_the_middle(axis: str, sizes: int) -> None:
    others = {name: value for name, value in asdict(MIDDLE).items() if name != axis}
    walked = [point for point in default_selection() if others.items() <= asdict(point).items()]
    assert len(walked) == sizes


def test_default_selection_is_small_and_alike_in_both_dtypes() -> None:
    points = default_selection()
    assert set(points) <= set(full_grid())
    assert len(points) == 24
    sizes = [[(p.T, p.B, p.I, p.H) for p in points if p.dtype == d] for d in ("float32", "float64")]
    assert sizes[0] == sizes[1]


def test_names_of_points_are_distinct_and_readable() -> None:
    assert str(MIDDLE) == "float32-T100-B32-I64-H128"
    assert len({str(point) for point in full_grid()}) == len(full_grid())


def test_grids_can_be_named() -> None:
    assert set(GRIDS) == {"default", "full"}
