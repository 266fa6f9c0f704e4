from dataclasses import replace

import pytest
from rnn_benchmarks.grid import MIDDLE, Point, default_selection, full_grid
from rnn_benchmarks.growth import THEORY, exponent
from rnn_benchmarks.table import Table, markdown_table


def work(point: Point) -> float:
    """Time that grows as T¹ B^0.5 H^1.5, with another level for each I and dtype."""
    level = 3.0 * point.I if point.dtype == "float32" else 0.7
    return float(level * point.T * point.B**0.5 * point.H**1.5)


@pytest.mark.parametrize("points", [default_selection(), full_grid()], ids=["default", "full"])
def test_exponents_of_a_power_law_are_found_whatever_else_varies(points: tuple[Point, ...]) -> None:
    times = [(point, work(point)) for point in points]
    found = [exponent(times, axis) for axis in ("T", "B", "H")]
    assert found == pytest.approx([1.0, 0.5, 1.5])


def test_a_fixed_cost_lowers_the_exponent() -> None:
    times = [(point, work(point) + 1e9) for point in full_grid()]
    for axis in THEORY:
        fitted, exact = exponent(times, axis), exponent([(p, work(p)) for p, _ in times], axis)
        assert fitted is not None
        assert exact is not None
        assert fitted < exact


def test_the_fit_is_least_squares() -> None:
    times = [(replace(MIDDLE, T=T), seconds) for T, seconds in ((1, 1.0), (2, 4.0), (4, 4.0))]
    # In units of log 2: x = 0, 1, 2 and y = 0, 2, 2, so Σ(x - 1)(y - 4/3) / Σ(x - 1)² = 2 / 2.
    assert exponent(times, "T") == pytest.approx(1.0)


def test_a_column_of_single_characters_has_a_whole_rule() -> None:
    text = markdown_table(Table("", "", ("Line", "T"), (("a", "1"),)))
    assert text.splitlines()[1] == "| ---- | -: |"


def test_one_size_has_no_exponent() -> None:
    assert exponent([(MIDDLE, 1.0), (replace(MIDDLE, B=1), 2.0)], "T") is None
