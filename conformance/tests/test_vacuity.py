"""No case is easy to pass by accident, and each way in which one could be is seen."""

from dataclasses import replace
from types import MappingProxyType
from typing import Any

import numpy as np
import pytest
from rnn_conformance import Case, catalogue, check
from rnn_conformance.cases.vacuity import Vacuous, refuse_vacuous, why_vacuous
from rnn_conformance.recurrence import Recurrence
from rnn_conformance.variants.recurrence import Recurrence


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1])  # with seed 0, this alone says so, and no run does
def test_no_case_is_vacuous(seed: int) -> None:
    cases = {*catalogue(seed), *catalogue(seed, h_0=False), *catalogue(seed)}
    assert len(cases) > 900
    for case in cases:
        refuse_vacuous(case)


def changed(name: str, change: Any) -> Any:
    """`data` of a case, with one array changed."""

    def data(self: Case | Case) -> Any:
        numbers = original[type(self)](self)
        if name in numbers.weights:
            weights = {**numbers.weights, name: change(numbers.weights[name].copy())}
            return replace(numbers, weights=MappingProxyType(weights))
        return replace(numbers, **{name: change(getattr(numbers, name).copy())})

    return data


original: dict[type, Any] = {Case: Case.data, Case: Case.data}


def zeroed(array: Any) -> Any:
    return 0 * array


def symmetric(array: Any) -> Any:
    return array + array.T


def of_row_0(array: Any) -> Any:
    return np.broadcast_to(array[..., :1, :], array.shape)


@pytest.mark.parametrize(
    ("case", "name", "change", "why"),
    [
        (Case(4, 3, 5, 4), "b_hh", zeroed, "a bias is zero"),
        (Case(4, 3, 5, 4), "W_hh", zeroed, "W_hh has a zero"),
        (Case(4, 3, 5, 4), "W_hh", symmetric, "W_hh is symmetric"),
        (Case(4, 3, 5, 4), "h_0", of_row_0, "two rows of h_0 are equal"),
        (Case(4, 3, 5, 4), "inputs", lambda x: 1e4 * x, "an error shows in"),
        (Case(4, 3, 5, 4, weights="moderate"), "inputs", lambda x: x + 2**25, "an error shows in"),
        (Case(), "bias_hh_l0", zeroed, "a bias is zero"),
        (Case(), "weight_hh_l0", symmetric, "weight_hh is symmetric"),
        (Case(), "h_0", of_row_0, "two rows of h_0 are equal"),
        (Case(lengths="unsorted"), "lengths", lambda n: n * 0 + 3, "not as different as"),
        (Case(lengths="unsorted"), "inputs", zeroed, "zeros in the padding"),
        (Case(nonlinearity="relu"), "bias_ih_l0", lambda b: b - 99, "an error shows in 0%"),
        (Case(L=3, dtype="bfloat16"), "inputs", np.copy, "the bound is"),
    ],
)
def test_what_makes_a_case_vacuous(
    case: Any, name: str, change: Any, why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(case), "data", changed(name, change))
    why_vacuous.cache_clear()  # of the numbers as they were
    with pytest.raises(Vacuous, match=why):
        refuse_vacuous(case)
    why_vacuous.cache_clear()


@pytest.mark.parametrize("implementation", [Recurrence, Recurrence])
def test_a_vacuous_case_is_an_error_and_no_verdict(
    implementation: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(case: Any) -> None:
        raise Vacuous(f"case {case.id} is vacuous")

    monkeypatch.setattr("rnn_conformance.checks.plan.refuse_vacuous", refuse)
    with pytest.raises(ValueError, match="is vacuous"):
        check(implementation(), seed=1)
