"""No case is easy to pass by accident, and each way in which one could be is seen."""

from dataclasses import replace
from types import MappingProxyType
from typing import Any

import numpy as np
import pytest
from rnn_conformance import BASIC, Case, catalogue, check
from rnn_conformance.cases.case import Data
from rnn_conformance.cases.catalogue import random_cases
from rnn_conformance.cases.showing import gradient_cases
from rnn_conformance.cases.vacuity import Vacuous, refuse_vacuous, why_vacuous
from rnn_conformance.cells import CELLS
from rnn_conformance.contract.call import GATED
from rnn_conformance.variants.recurrence import Recurrence

DEEP = Case(5, 6, 4, 3, 3, "gru", bidirectional=True)
MARKED = Case(5, 3, 17, 4, weights="marked", loss="all")


@pytest.mark.parametrize("cell", CELLS)
def test_no_gradient_is_vacuous(cell: str) -> None:
    for case in {case.in_one_order for case in gradient_cases(cell)}:
        if case.dtype == "float32":  # in float64 the numbers are these, and the bounds are smaller
            refuse_vacuous(case)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("seed", "every"),  # with seed 0, this alone says so, and no run does
    [(0, 24), pytest.param(0, 1, marks=pytest.mark.weekly)],
)
def test_no_case_is_vacuous(seed: int, every: int) -> None:
    cases = {*catalogue(seed), *catalogue(seed, BASIC), *catalogue(seed, BASIC - {"h_0"})}
    assert len(cases) > 1150
    ids = sorted(case.id for case in cases if case.cell in GATED)
    some = {*ids[::every]}  # of the gated cells, which take long
    for case in cases:
        if case.cell not in GATED or case.id in some:
            refuse_vacuous(case)


THROUGH = Case(L=2, weights="transparent")


def changed(data: Data, name: str, change: Any) -> Data:
    """With one array changed."""
    if name in data.weights:
        weights = {**data.weights, name: change(data.weights[name])}
        return replace(data, weights=MappingProxyType(weights))
    return replace(data, **{name: change(getattr(data, name))})


def zeroed(array: Any) -> Any:
    return 0 * array


def symmetric(array: Any) -> Any:
    return array + array.T


def of_row_0(array: Any) -> Any:
    return np.broadcast_to(array[..., :1, :], array.shape)


@pytest.mark.parametrize(
    ("case", "name", "change", "why"),
    [
        (Case(), "bias_hh_l0", zeroed, "a bias is zero"),
        (Case(weights="normal"), "bias_hh_l0", zeroed, "a bias is zero"),
        (Case(), "weight_hh_l0", zeroed, "a weight of the state is zero"),
        (Case(), "weight_hh_l0", symmetric, "the weights of the state are symmetric"),
        (Case(), "h_0", of_row_0, "two rows of h_0 are equal"),
        (Case(weights="normal"), "inputs", lambda x: 1e4 * x, "an error shows in"),
        (Case(weights="moderate"), "inputs", lambda x: x + 2**25, "an error shows in"),
        (Case(lengths="unsorted"), "lengths", lambda n: n * 0 + 3, "not as different as"),
        (Case(lengths="unsorted"), "inputs", zeroed, "zeros in the padding"),
        (Case(cell="relu"), "bias_ih_l0", lambda b: b - 99, "an error shows in 0%"),
        (Case(L=3, dtype="bfloat16"), "inputs", np.copy, "the bound is"),
        (MARKED, "upstream", lambda given: given.each(np.zeros_like), "of weight_ih_l0 is zero"),
        (MARKED, "upstream", lambda given: given.each(lambda d: 1e-30 * d), "small for its bits"),
        (replace(DEEP, loss="all"), "inputs", np.copy, "the bound on the gradient of"),
        (replace(THROUGH, dense=1), "bias_hh_l1", zeroed, "a bias is zero"),
        (THROUGH, "weight_ih_l0", lambda W: 1e4 * W, "an error shows in"),
        (replace(THROUGH, dtype="float16"), "inputs", np.copy, "the bound is"),
    ],
)
def test_what_makes_a_case_vacuous(
    case: Case, name: str, change: Any, why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = Case.data
    monkeypatch.setattr(Case, "data", lambda self: changed(data(self), name, change))
    why_vacuous.cache_clear()  # of the numbers as they were
    with pytest.raises(Vacuous, match=why):
        refuse_vacuous(case)
    why_vacuous.cache_clear()


def test_a_vacuous_case_is_an_error_and_no_verdict(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(case: Case) -> None:
        raise Vacuous(f"case {case.id} is vacuous")

    monkeypatch.setattr("rnn_conformance.checks.plan.refuse_vacuous", refuse)
    with pytest.raises(ValueError, match="is vacuous"):
        check(Recurrence(), seed=1)


def test_a_case_of_gradients_that_is_vacuous_is_passed_over() -> None:
    dead = [case for case in gradient_cases("relu") if case.H == 1]
    assert all(why_vacuous(replace(case, seed=1)) for case in dead)
    assert len(dead) == 2
    assert not {replace(case, seed=1) for case in dead} & {*catalogue(1, BASIC | {"gradients"})}


def test_a_random_case_that_is_vacuous_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    usual = random_cases(1)
    why = {usual[0].in_one_order: "an error shows nowhere"}
    monkeypatch.setattr("rnn_conformance.cases.catalogue.why_vacuous", why.get)
    assert random_cases(1)[0] != usual[0]
    assert len(random_cases(1)) == len(usual)
