"""Numbers of float16 and bfloat16 in NumPy's arrays, and the verdict on them."""

import numpy as np
import pytest
import torch
from rnn_conformance import catalogue, plan
from rnn_conformance.bounds.balls import Precision
from rnn_conformance.contract.call import HALF_DTYPES, Array, Dtype
from rnn_conformance.contract.dtypes import bfloat16, carrier, in_format
from rnn_conformance.variants.recurrence import Recurrence


def as_torch_has_it(values: Array) -> Array:
    found: Array = torch.from_numpy(values).bfloat16().float().numpy()
    return found


def test_bfloat16_is_rounded_as_torch_does() -> None:
    bits = np.random.default_rng(0).integers(0, 2**32, 100_000, dtype=np.uint32)
    values = bits.view(np.float32)
    numbers = values[~np.isnan(values)]
    assert np.array_equal(bfloat16(numbers), as_torch_has_it(numbers))


def test_bfloat16_at_ties_and_ends() -> None:
    tie_down, tie_up = np.float32(1 + 2**-8), np.float32(1 + 3 * 2**-8)
    largest = np.float32(np.finfo(np.float32).max)
    given = np.array([tie_down, tie_up, -tie_up, 0, -0.0, np.inf, largest], np.float32)
    wanted = [1, 1 + 2**-6, -1 - 2**-6, 0, 0, np.inf, np.inf]
    assert bfloat16(given).tolist() == wanted
    assert np.isnan(bfloat16(np.array([np.nan, -np.nan], np.float32))).all()
    assert np.array_equal(bfloat16(given), as_torch_has_it(given))


def test_formats_have_the_unit_roundoff_of_their_bits() -> None:
    for dtype, bits in (("float64", 53), ("float32", 24), ("float16", 11), ("bfloat16", 8)):
        assert Precision.of(dtype).u == 2.0**-bits
        assert f"({dtype})" in str(Precision.of(dtype))
    assert carrier("bfloat16") == carrier("float32") == np.float32
    assert carrier("float16") == np.float16


@pytest.mark.parametrize("dtype", HALF_DTYPES)
def test_calls_hold_numbers_of_the_format(dtype: Dtype) -> None:
    call = next(case for case in catalogue() if case.dtype == dtype).call()
    assert call.bfloat16 == (dtype == "bfloat16")
    for array in (call.inputs, *call.weights.values()):
        assert array.dtype == carrier(dtype)
        assert np.array_equal(array, in_format(array, dtype))


def test_a_claim_of_few_bits_is_judged_by_its_own_roundoff() -> None:
    planned = plan(Recurrence(), checks=["output", "readout", "final_state"])
    halves = [item.execute() for item in planned if item.case.dtype in HALF_DTYPES]
    assert len(halves) >= 70
    assert {r.outcome for r in halves} == {"passed"}
    assert {r.bound.rpartition(" ")[2] for r in halves} == {"(float16)", "(bfloat16)"}
