from collections.abc import Iterable
from dataclasses import replace
from itertools import combinations, product

import pytest
from rnn_conformance.cases.case import Case
from rnn_conformance.cases.catalogue import PAIRS, catalogue, every_option
from rnn_conformance.cases.vacuity import refuse_vacuous
from rnn_conformance.contract.call import DTYPES, HALF_DTYPES

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


def test_ids_are_unique() -> None:
    assert len({case.id for case in CASES}) == len(CASES) == len({*CASES})
