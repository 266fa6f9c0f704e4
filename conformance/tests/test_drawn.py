"""Random cases: sizes that nobody has listed, any combination of options, none of them vacuous."""

from collections.abc import Sequence
from itertools import islice
from typing import get_args

import numpy as np
import pytest
from rnn_conformance.cases.case import H0, Bias, LengthsKind
from rnn_conformance.cases.catalogue import RANDOM, catalogue, random_cases
from rnn_conformance.cases.drawn import drawn_backwards, drawn_case
from rnn_conformance.cases.vacuity import refuse_vacuous
from rnn_conformance.contract.call import DTYPES, HALF_DTYPES, LAYOUTS, NONLINEARITIES

FIXED = {(case.T, case.B, case.I, case.H) for case in catalogue() if not case.drawn}


@pytest.mark.parametrize("seed", range(3))
def test_random_cases_reach_sizes_that_nobody_has_listed(seed: int) -> None:
    cases = random_cases(seed)
    assert len(cases) == len({*cases}) == RANDOM
    assert cases != random_cases(seed + 1)
    assert len({(case.T, case.B, case.I, case.H) for case in cases} - FIXED) > RANDOM / 2
    for case in cases:
        assert case.drawn
        refuse_vacuous(case)


@pytest.mark.parametrize("cell", ["relu", "lstm"])
def test_those_with_gradients_reach_sizes_and_options(cell: str) -> None:
    cases = [*islice(drawn_backwards(cell, 1), 200)]
    for name, least in {"T": 50, "B": 200, "I": 200, "H": 90, "L": 3}.items():
        assert max(getattr(case, name) for case in cases) > least, name
    assert {case.weights for case in cases} == {"contractive", "marked"}
    assert {case.lengths for case in cases} == {*get_args(LengthsKind)}
    assert {case.layout for case in cases} == {*LAYOUTS}
    assert {(case.bidirectional, case.reverse) for case in cases} > {(True, False), (False, True)}
    for case in cases:
        assert (case.cell, case.loss, case.drawn, case.O) == (cell, "all", True, 0)
        assert case.dtype in DTYPES
        assert 1 < case.T <= 64
        assert case.weights != "marked" or case.I >= case.T * case.B


def test_random_cases_span_the_space() -> None:
    rng = np.random.default_rng(0)
    cases = [drawn_case(rng, seed, products=20_000) for seed in range(2000)]
    spans: dict[str, Sequence[object]] = {
        "bias": get_args(Bias),
        "h_0": get_args(H0),
        "lengths": get_args(LengthsKind),
        "cell": NONLINEARITIES,
        "layout": LAYOUTS,
        "dtype": (*DTYPES, *HALF_DTYPES),
        "weights": ("contractive", "normal", "moderate"),
        "L": range(1, 5),
    } | dict.fromkeys(("bidirectional", "reverse", "padding_nan"), (False, True))
    for name, span in spans.items():
        assert {getattr(case, name) for case in cases} == set(span), name
    for name, least in {"T": 1000, "B": 300, "I": 200, "H": 90, "O": 60}.items():
        assert max(getattr(case, name) for case in cases) > least, name
    for case in cases:
        assert case.layout != "single" or (case.B, case.lengths) == (1, "none")
        assert case.weights == "contractive" or (case.L, case.cell) == (1, "tanh")
        assert not case.reverse or (case.L, case.bidirectional) == (1, False)
        assert not case.padding_nan or case.lengths != "none"
