"""The catalogue spans what it says, for whoever claims it, and its numbers are what they should."""

from collections.abc import Iterable, Set
from dataclasses import replace
from itertools import combinations, product
from typing import get_args

import numpy as np
import pytest
from rnn_conformance.cases.case import EXTREMES, H0, Case
from rnn_conformance.cases.catalogue import (
    PAIRS,
    RANDOM,
    catalogue,
    every_option,
    one_layer_cases,
    random_cases,
)
from rnn_conformance.cases.drawn import PRODUCTS
from rnn_conformance.cases.vacuity import refuse_vacuous
from rnn_conformance.contract.call import BASIC, DTYPES, FEATURES, HALF_DTYPES, LAYOUTS

CASES = catalogue()
LISTED = [case for case in CASES if not case.drawn]

Pair = tuple[tuple[str, object], ...]
LEVELS: dict[str, tuple[object, ...]] = {
    "dtype": (*DTYPES, *HALF_DTYPES),
    "layout": ("single", "time_first", "batch_first"),
    "layers": ("one", "several"),
    "nonlinearity": ("tanh", "relu"),
    "bias": ("off", "zeros", "nonzero"),
    "bidirectional": (False, True),
    "h_0": ("none", "zeros", "nonzero"),
    "lengths": ("none", "unsorted", "sorted", "equal"),
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
def test_cases_for_pairs_are_not_vacuous(seed: int) -> None:
    for case in PAIRS:
        refuse_vacuous(replace(case, seed=seed))


def test_ids_are_unique_and_read_well() -> None:
    assert len({case.id for case in CASES}) == len(CASES) == len({*CASES})
    assert Case().id == "float32-T7-B4-I5-H3-L1-tanh-h0"
    assert Case(B=1, layout="single", h_0="none").id == "float32-T7-I5-H3-L1-tanh-no_h0"
    full = Case(
        1, 3, 5, 4, 2, "relu", "off", True, "batch_first", "zeros", "sorted", "float64", True,
        "moderate", 3, drawn=True,
    )  # fmt: skip
    assert full.id == (
        "float64-T1-B3-I5-H4-O3-L2-relu-bidirectional-no_bias-sorted-nan_padding-zero_h0"
        "-batch_first-moderate-drawn"
    )


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_one_layer_has_every_dimension_in_every_dtype_and_layout(dtype: str, layout: str) -> None:
    cases = [case for case in one_layer_cases() if (case.dtype, case.layout) == (dtype, layout)]
    assert {case.h_0 for case in cases} == set(get_args(H0))
    kinds = {"normal", "initial", "contractive", "moderate", "extreme", "special"}
    assert {case.weights for case in cases} == kinds
    for name in "TBIHO":
        assert any(getattr(case, name) == 1 for case in cases), f"no case has {name} = 1"
    assert any(len({case.T, case.B, case.I, case.H, case.O}) == 5 for case in cases)
    equal = [("I", "H"), ("H", "O"), ("T", "I")]
    equal += [("T", "B"), ("B", "H")] * (layout != "single")
    for one, other in equal:
        assert any(1 < getattr(case, one) == getattr(case, other) for case in cases), (one, other)


@pytest.mark.parametrize("dtype", DTYPES)
def test_long_and_large_cases(dtype: str) -> None:
    cases = [case for case in LISTED if case.dtype == dtype]
    assert any(case.T >= 1000 and case.weights in ("normal", "initial") for case in cases)
    assert max(case.T for case in cases) > 2048
    assert max(case.H for case in cases) >= 200
    assert any(case.T * case.B > 100_000 for case in cases)
    assert any(case.B > 512 for case in cases)


@pytest.mark.parametrize(
    "claimed",
    [
        BASIC,
        FEATURES,
        frozenset(("float64", "batch_first", "relu")),
        frozenset(("float32", "single", "tanh", "layers", "readout")),
    ],
)
def test_no_case_asks_for_more_than_is_claimed(claimed: Set[str]) -> None:
    cases = catalogue(0, frozenset(claimed))
    assert len({case.id for case in cases}) == len(cases) > 80
    assert frozenset().union(*(case.features for case in cases)) <= claimed


def test_random_cases_are_drawn_from_the_seed_within_a_budget() -> None:
    assert [case for case in CASES if case.drawn] == [*random_cases(0)]
    several = [case for seed in range(4) for case in random_cases(seed)]
    assert len({case.id for case in several}) == len(several) == 4 * RANDOM
    for case in several:
        assert case.T * case.B * case.H * (case.I + case.H) <= PRODUCTS
        refuse_vacuous(case)


def test_numbers_differ_in_nothing_but_what_was_changed() -> None:
    case = Case(O=2)
    numbers = case.data()
    for other in (
        replace(case, layout="batch_first").data(),
        replace(case, h_0="none").data(),
        replace(case, bias="off").data(),
        replace(case, nonlinearity="relu").data(),
        replace(case, dtype="float64").data(),
    ):
        assert np.array_equal(numbers.inputs, other.inputs.astype(np.float32))
        for name, value in other.weights.items():
            assert np.array_equal(value.astype(np.float32), numbers.weights[name])
    assert not np.array_equal(numbers.inputs, replace(case, seed=1).data().inputs)


def test_calls_get_memory_of_their_own() -> None:
    data = Case(lengths="unsorted").data()
    for array in (*data.weights.values(), data.inputs, data.initial):
        assert not array.flags.writeable
    first, second = data.call("time_first"), data.call("time_first")
    assert first.h_0 is not None
    assert first.lengths is not None
    for changed in (first.inputs, first.weights["weight_hh_l0"], first.h_0, first.lengths):
        changed[...] = 0
    for now, was in (
        (second.inputs, data.inputs),
        (second.weights["weight_hh_l0"], data.weights["weight_hh_l0"]),
        (second.h_0, data.h_0),
        (second.lengths, data.lengths),
    ):
        assert now is not None
        assert was is not None
        assert np.array_equal(now, was)
        assert was.any()


def test_layouts() -> None:
    data = Case(4, 3, 5, 2).data()
    batch_first, single = data.call("batch_first"), data.call("single")
    assert batch_first.inputs.shape == (3, 4, 5)
    assert np.array_equal(batch_first.inputs[2, 1], data.inputs[1, 2])
    assert batch_first.h_0 is not None
    assert batch_first.h_0.shape == (1, 3, 2)
    assert single.h_0 is not None
    assert np.array_equal(single.inputs, data.inputs[:, 0])
    assert np.array_equal(single.h_0, data.initial[:, 0])


def test_extreme_case_reaches_every_magnitude() -> None:
    weights = next(case for case in CASES if case.weights == "extreme").data().weights
    biases = np.abs(weights["bias_ih_l0"] + weights["bias_hh_l0"])
    for size in EXTREMES:
        assert np.isclose(biases, size, rtol=1e-5, atol=0).sum() == 2
