"""The catalogue spans what it says, in cases made from their ids and the seed alone."""

from collections.abc import Iterable
from dataclasses import replace
from itertools import combinations, product
from typing import Any, get_args

import numpy as np
import pytest
from rnn_conformance.cases.case import H0, Case, LengthsKind
from rnn_conformance.cases.catalogue import PAIRS, RANDOM, catalogue, every_option, one_layer_cases
from rnn_conformance.cases.vacuity import refuse_vacuous
from rnn_conformance.cells import CELLS
from rnn_conformance.cells.drawing import EXTREMES
from rnn_conformance.contract.call import (
    BASIC,
    DTYPES,
    FEATURES,
    GRADIENTS,
    HALF_DTYPES,
    LAYOUTS,
    NONLINEARITIES,
)
from rnn_conformance.contract.conventions import NAN_IGNORED

Pair = tuple[tuple[str, object], ...]
LEVELS: dict[str, tuple[object, ...]] = {
    "dtype": (*DTYPES, *HALF_DTYPES),
    "layout": LAYOUTS,
    "layers": ("one", "several"),
    "cell": NONLINEARITIES,
    "bias": ("off", "zeros", "nonzero"),
    "bidirectional": (False, True),
    "h_0": get_args(H0),
    "lengths": get_args(LengthsKind),
}
# A sequence alone has no lengths.
IMPOSSIBLE = {
    (("layout", "single"), ("lengths", lengths)) for lengths in ("unsorted", "sorted", "equal")
}
POSSIBLE: set[Pair] = {
    pair
    for one, other in combinations(LEVELS, 2)
    for pair in product(*([(name, level) for level in LEVELS[name]] for name in (one, other)))
} - IMPOSSIBLE
WITHOUT_HALVES = {pair for pair in POSSIBLE if not {level for _, level in pair} & {*HALF_DTYPES}}
CASES = catalogue()


def pairs(cases: Iterable[Case]) -> set[Pair]:
    """The pairs of levels that come together in a case."""
    found: set[Pair] = set()
    for case in cases:
        levels = {**vars(case), "layers": "one" if case.L == 1 else "several"}
        found |= set(combinations([(name, levels[name]) for name in LEVELS], 2))
    return found


def missing(cases: Iterable[Case]) -> set[Pair]:
    """Pairs that no case has, or none of float32 and float64 though it could."""
    cases = list(cases)
    return (POSSIBLE - pairs(cases)) | (
        WITHOUT_HALVES - pairs(case for case in cases if case.dtype in DTYPES)
    )


def test_every_pair_of_options_comes_together() -> None:
    assert len(POSSIBLE) == 226
    assert pairs(every_option()) == POSSIBLE
    assert not missing(every_option())


def test_no_case_that_is_there_for_its_pairs_can_be_left_out() -> None:
    cases = set(every_option())
    assert len(missing(cases - {*PAIRS})) == 32
    for left_out in PAIRS:
        assert missing(cases - {left_out}), left_out.id


@pytest.mark.parametrize("seed", range(8))
def test_they_are_not_vacuous(seed: int) -> None:
    for case in PAIRS:
        refuse_vacuous(replace(case, seed=seed))


def test_the_reverse_direction_alone_comes_with_every_option_and_adds_nothing_for_others() -> None:
    turned = [case for case in CASES if case.reverse]
    options = ("dtype", "layout", "cell", "bias", "h_0", "lengths")
    for name in options:
        assert {getattr(case, name) for case in turned} >= {*LEVELS[name]}, name
    for case in turned:
        assert (case.L, case.bidirectional, case.options.ways) == (1, False, (1,))
        assert "reverse" in case.features
    assert {case.O > 0 for case in turned} == {case.drawn for case in turned} == {False, True}
    forward = {replace(case, reverse=False) for case in CASES}
    assert {*catalogue(0, (FEATURES | {*CELLS, GRADIENTS, NAN_IGNORED}) - {"reverse"})} == forward


def test_ids_are_unique_and_read_well() -> None:
    assert len({case.id for case in CASES}) == len(CASES) == len({*CASES})
    assert Case(7, 3, 5, 4).id == "float32-T7-B3-I5-H4-L1-tanh-h0"
    assert Case(B=1, layout="single", h_0="none").id == "float32-T7-I5-H3-L1-tanh-no_h0"
    assert Case(reverse=True).id == "float32-T7-B4-I5-H3-L1-tanh-reverse-h0"
    assert Case(L=2, bias="off", lengths="sorted", padding_nan=True, O=3, drawn=True).id == (
        "float32-T7-B4-I5-H3-O3-L2-tanh-no_bias-sorted-nan_padding-h0-drawn"
    )


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_one_layer_has_every_size_in_every_dtype_and_layout(dtype: str, layout: str) -> None:
    cases = [case for case in one_layer_cases() if (case.dtype, case.layout) == (dtype, layout)]
    assert {case.h_0 for case in cases} == set(get_args(H0))
    assert {case.weights for case in cases} >= {"normal", "initial", "contractive", "extreme"}
    for name in "TBIHO":
        assert any(getattr(case, name) == 1 for case in cases), f"no case has {name} = 1"
    assert any(len({case.T, case.B, case.I, case.H, case.O}) == 5 for case in cases)
    equal = [("I", "H"), ("H", "O"), ("T", "I")]
    equal += [("T", "B"), ("B", "H")] * (layout != "single")
    for one, other in equal:
        assert any(1 < getattr(case, one) == getattr(case, other) for case in cases), (one, other)
    assert any(case.T >= 1000 for case in cases if case.weights in ("normal", "initial")) == (
        layout != "batch_first"
    )
    assert layout == "single" or any(case.B > 512 for case in cases)
    assert any(case.T * case.B > 65536 for case in CASES if case.dtype == dtype)


@pytest.mark.parametrize("cell", CELLS)
def test_every_layer_of_a_stack_shows_through_the_others(cell: str) -> None:
    cases = [case for case in CASES if case.transparent and case.cell == cell]
    for dtype, L, two in product(DTYPES, (2, 3), (False, True)):
        some = [c for c in cases if (c.dtype, c.L, c.bidirectional) == (dtype, L, two)]
        assert {case.dense for case in some} == {*range(L)}
        assert all(case.I not in (case.H, (1 + two) * case.H) for case in some)
    assert {case.lengths for case in cases} > {"none"}
    assert {case.L * case.options.directions == case.B for case in cases} == {False, True}
    assert max(case.T for case in cases) == 50
    assert {case.bias == "off" for case in cases} == {False, cell in NONLINEARITIES}


def test_extreme_case_reaches_every_magnitude() -> None:
    weights = next(case for case in CASES if case.weights == "extreme").data().weights
    biases = np.abs(weights["bias_ih_l0"] + weights["bias_hh_l0"])
    for size in EXTREMES:
        assert np.isclose(biases, size, rtol=1e-5, atol=0).sum() == 2


@pytest.mark.parametrize(
    "claimed", [BASIC, frozenset({"single", "float64", "relu"}), BASIC - {"h_0"} | {"layers"}]
)
def test_narrow_claims_are_asked_what_they_can_be(claimed: frozenset[str]) -> None:
    cases = catalogue(0, claimed)
    assert len({case.id for case in cases}) == len(cases) > 30
    assert sum(case.drawn for case in cases) >= RANDOM / 2
    for case in cases:
        assert case.features <= claimed


def test_numbers_differ_in_nothing_but_what_was_changed() -> None:
    case = Case(O=2)
    numbers = case.data()
    changes = ({"layout": "batch_first"}, {"h_0": "none"}, {"dtype": "float64"})
    for other in (replace(case, **change).data() for change in changes):  # type: ignore[arg-type]
        assert np.array_equal(numbers.inputs, other.inputs.astype(np.float32))
        for name, value in numbers.weights.items():
            assert np.array_equal(value, other.weights[name].astype(np.float32))
    assert not np.array_equal(numbers.inputs, replace(case, seed=1).data().inputs)


def test_calls_get_memory_of_their_own() -> None:
    case = Case(lengths="unsorted", O=2)
    for array in (*case.data().weights.values(), case.data().inputs, case.data().initial):
        assert not array.flags.writeable
    call, data = case.call(), case.data()
    given: list[Any] = [*call.weights.values(), call.inputs, call.h_0, call.lengths]
    for part in given:
        part[...] = 1
    assert data.inputs.std() > 0.5
    assert data.steps.max() == case.T
    assert all(value.std() > 0 for value in (data.initial, *data.weights.values()))
