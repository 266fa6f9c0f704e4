"""What counts as outside a bound, and what is named first."""

import numpy as np
import pytest
from rnn_conformance.bounds.judgement import Judgement


def _judgement(
    found: list[float], bound: float = 1.0, expected: float = 0.0, first_step: int = 0
) -> Judgement:
    array = np.array(found).reshape(-1, 1, 1)
    right = np.full(array.shape, expected)
    return Judgement("h", right, array, bound, "a reason", first_step=first_step)


@pytest.mark.parametrize(
    ("found", "bound", "share"),
    [
        (0.0, 1.0, 0.0),
        (0.5, 1.0, 0.5),
        (-2.0, 1.0, 2.0),
        (0.0, 0.0, 0.0),  # exactly what was expected, where nothing else will do
        (1e-300, 0.0, np.inf),
        (np.nan, 1.0, np.inf),
        (np.inf, 1.0, np.inf),
        (-np.inf, np.inf, np.inf),
        (0.5, np.nan, np.inf),
    ],
)
def test_share(found: float, bound: float, share: float) -> None:
    assert _judgement([found], bound).shares().item() == share


def test_infinite_where_infinite_is_expected_is_not_accepted() -> None:
    assert _judgement([np.inf], expected=np.inf).shares().item() == np.inf


def test_on_the_bound_is_inside() -> None:
    assert _judgement([1.0]).first_outside() is None
    assert _judgement([np.nextafter(1.0, 2.0)]).first_outside() is not None


def test_first_outside_is_the_earliest_not_the_worst() -> None:
    found = np.zeros((4, 2, 3))
    found[2, 1, 0], found[3, 0, 0], found[2, 1, 2] = 5.0, 100.0, 7.0
    place = Judgement("h", np.zeros_like(found), found, 1.0, "r", first_step=10).first_outside()
    assert place is not None
    assert (place.step, place.row, place.unit) == (12, 1, 0)
    assert (place.expected, place.found, place.bound, place.share) == (0.0, 5.0, 1.0, 5.0)


def test_a_map_has_the_worst_of_all_rows_in_blocks() -> None:
    found = np.zeros((100, 2, 3))
    found[7, 1, 2], found[99, 0, 0], found[5, 0, 1] = 5.0, np.nan, 1.23456
    errors = Judgement("h", np.zeros_like(found), found, 1.0, "r", first_step=10).error_map()
    assert errors.units == (0, 1, 2)
    assert (errors.steps[:3], errors.steps[-1], len(errors.steps)) == ((10, 14, 18), 105, 24)
    shares = np.array(errors.shares)
    assert shares.shape == (24, 3)
    assert (shares[1, 2], shares[1, 1], shares[-1, 0]) == (5.0, 1.23, np.inf)
    assert np.count_nonzero(shares) == 3


def test_a_small_map_has_every_number() -> None:
    errors = _judgement([0.5, 3.0], first_step=4).error_map()
    assert (errors.steps, errors.units, errors.shares) == ((4, 5), (0,), ((0.5,), (3.0,)))


def test_worst() -> None:
    share, place = _judgement([0.1, -0.9, 0.3], first_step=3).worst()
    assert (share, place.step, place.found) == (0.9, 4, -0.9)


def test_description_names_place_values_and_count() -> None:
    judgement = _judgement([0.0, 3.0, np.nan], first_step=3)
    place = judgement.first_outside()
    assert place is not None
    assert judgement.describe(place) == (
        "h: step 4, row 0, unit 0: expected 0.0, found 3.0, bound 1 (error is 3 of it); "
        "2 of 3 numbers are outside, in steps 4-5, rows 0, units 0"
    )
