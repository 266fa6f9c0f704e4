"""The catalogue spans what it says, and none of its cases is easy to pass by accident."""

from dataclasses import replace

import numpy as np
import pytest
from rnn_conformance.cases import H0S, Case, catalogue
from rnn_conformance.contract.call import DTYPES, LAYOUTS

CASES = catalogue()


def test_ids_are_unique_and_read_well() -> None:
    assert len({case.id for case in CASES}) == len(CASES)
    assert Case(7, 3, 5, 4).id == "float32-T7-B3-I5-H4-h0"
    assert Case(7, 1, 5, 4, layout="single", h_0="none").id == "float32-T7-I5-H4-no_h0"
    assert (
        Case(1, 3, 5, 4, 3, "float64", "batch_first", "zeros", "contractive").id
        == "float64-T1-B3-I5-H4-O3-zero_h0-batch_first-contractive"
    )


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_dtype_and_layout_has_every_dimension(dtype: str, layout: str) -> None:
    cases = [case for case in CASES if (case.dtype, case.layout) == (dtype, layout)]
    assert {case.h_0 for case in cases} == set(H0S)
    assert {case.weights for case in cases} >= {"normal", "initial", "contractive"}
    for name in "TBIHO":
        assert any(getattr(case, name) == 1 for case in cases), f"no case has {name} = 1"
    assert any(len({case.T, case.B, case.I, case.H, case.O}) == 5 for case in cases)
    pairs = [("I", "H"), ("H", "O"), ("T", "I")]
    pairs += [("T", "B"), ("B", "H")] * (layout != "single")
    for one, other in pairs:
        assert any(1 < getattr(case, one) == getattr(case, other) for case in cases), (one, other)


@pytest.mark.parametrize("dtype", DTYPES)
def test_long_large_and_extreme_cases(dtype: str) -> None:
    cases = [case for case in CASES if case.dtype == dtype]
    assert any(case.T >= 1000 and case.weights in ("normal", "initial") for case in cases)
    assert any(case.T * case.B > 65536 for case in cases)
    assert any(case.B > 512 for case in cases)
    assert any(case.weights == "extreme" for case in cases)


def test_numbers_differ_in_nothing_but_what_was_changed() -> None:
    case = Case(4, 3, 5, 4)
    numbers = case.data()
    for other in (
        replace(case, layout="batch_first").data(),
        replace(case, h_0="none").data(),
        replace(case, dtype="float64").data(),
    ):
        assert np.array_equal(numbers.inputs, other.inputs.astype(np.float32))
        for name, value in numbers.weights.items():
            assert np.array_equal(value, other.weights[name].astype(np.float32))
    assert not np.array_equal(numbers.inputs, replace(case, seed=1).data().inputs)


def test_calls_get_memory_of_their_own() -> None:
    case = Case(4, 3, 5, 4)
    for array in (*case.data().weights.values(), case.data().inputs, case.data().initial):
        assert not array.flags.writeable
    first, second = case.call(), case.call()
    first.inputs[...] = 0
    first.weights["W_xh"][...] = 0
    assert first.h_0 is not None
    first.h_0[...] = 0
    assert np.array_equal(second.inputs, case.data().inputs)
    assert np.array_equal(second.weights["W_xh"], case.data().weights["W_xh"])
    assert np.array_equal(second.h_0, case.data().initial)  # type: ignore[arg-type]


def test_layouts() -> None:
    data = Case(4, 3, 5, 2).data()
    batch_first = data.call("batch_first")
    assert np.array_equal(batch_first.inputs[2, 1], data.inputs[1, 2])
    assert batch_first.inputs.shape == (3, 4, 5)
    assert batch_first.h_0 is not None
    assert batch_first.h_0.shape == (3, 2)
    single = data.row(2).call("single")
    assert np.array_equal(single.inputs, data.inputs[:, 2])
    assert np.array_equal(single.h_0, data.initial[2])  # type: ignore[arg-type]


def test_extreme_case_reaches_every_magnitude() -> None:
    case = next(case for case in CASES if case.weights == "extreme")
    biases = np.abs(case.data().weights["b_xh"] + case.data().weights["b_hh"])
    for size in (1e-8, 0.5, 3, 5, 9, 20, 45, 100, 1e4, 1e10):
        assert np.isclose(biases, size, rtol=1e-5, atol=0).sum() == 2
