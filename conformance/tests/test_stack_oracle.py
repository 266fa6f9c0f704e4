"""Bounds on whole results, of stacks, directions and lengths, against balls, from both sides.

No bound may be smaller than the farthest that rounding can take a right computation, nor more than
`MORE` times that: room for second orders of u. In float64 what is expected is as far off itself, so
the bound may be twice that.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import pytest
from flint import ctx
from rnn_conformance.bounds.balls import Precision
from rnn_conformance.cases.case import Case, Data
from rnn_conformance.cases.expected import Expectation, judge_readout, whole
from rnn_conformance.contract.call import Array, Dtype

from . import stack_oracle as oracle
from .ball_oracle import ARITHMETIC
from .stack_oracle import Ends

MORE: dict[Dtype, float] = {"float64": 2.001, "float32": 1.001, "float16": 1.1, "bfloat16": 1.2}
SMALL = Case(T=4, B=3, I=2, H=2, L=2)
CASES = {
    case.id: case
    for case in (
        replace(SMALL, T=6, H=3, L=3),
        replace(SMALL, bidirectional=True, dtype="float64"),
        replace(SMALL, L=3, bidirectional=True, lengths="unsorted"),
        replace(SMALL, lengths="unsorted", bias="off", dtype="float64"),
        replace(SMALL, L=1, bidirectional=True, lengths="unsorted", h_0="none"),
        replace(SMALL, lengths="sorted", dtype="float16"),
        Case(3, 4, 1, 1, 2, bias="off", h_0="zeros", lengths="sorted", dtype="bfloat16"),
    )
}
Change = Callable[[Data], Data]


@pytest.fixture(autouse=True)
def _bits() -> Iterator[None]:
    with ctx.workprec(256):
        yield


def changed(data: Data, change: Callable[[Array], Array]) -> Data:
    """Every number of the case, changed."""
    weights = {name: change(value) for name, value in data.weights.items()}
    h_0 = None if data.h_0 is None else change(data.h_0)
    return replace(data, weights=weights, inputs=change(data.inputs), h_0=h_0)


def as_drawn(data: Data) -> Data:
    return data


def positive(data: Data) -> Data:
    return changed(data, np.abs)


def zeros(data: Data) -> Data:
    return changed(data, np.zeros_like)


def with_relu(data: Data) -> Data:
    return replace(data, options=replace(data.options, cell="relu"))


def network(data: Data, dtype: Dtype) -> oracle.Network:
    o = data.options
    weights = {n: v for n, v in data.weights.items() if not n.endswith("_ho")}
    rounding = ARITHMETIC[dtype]
    return oracle.Network(o.num_layers, o.directions, o.cell, weights, rounding)


def numbers(found: Expectation, data: Data, dtype: Dtype) -> Iterator[tuple[Ends, float, float]]:
    """Every number that is read: its ends, what is expected, its bound."""
    net = network(data, dtype)
    for b, n in enumerate(data.steps):
        output, h_n = oracle.row(net, data.inputs[:n, b], data.initial[:, b])
        both = ((output, found.output, found.output_bound), (h_n, found.h_n, found.h_n_bound))
        for ends, expected, bound in both:
            assert np.shape(ends)[:2] == (len(ends), expected.shape[2])
            for (i, j), place in np.ndenumerate(expected[: len(ends), b]):
                yield ends[i][j], place, bound[i, b, j]


@pytest.mark.parametrize("change", [as_drawn, positive, zeros])
@pytest.mark.parametrize("case", CASES.values(), ids=list(CASES))
def test_bound_of_tanh_encloses_and_is_little_more(case: Case, change: Change) -> None:
    data = change(case.data())
    for ends, expected, bound in numbers(whole(data, Precision.of(case.dtype)), data, case.dtype):
        farthest = oracle.farthest(ends, expected)
        assert farthest <= bound <= MORE[case.dtype] * farthest


@pytest.mark.parametrize("change", [as_drawn, positive, zeros])
@pytest.mark.parametrize("case", CASES.values(), ids=list(CASES))
def test_bound_of_relu_encloses_and_is_little_more(case: Case, change: Change) -> None:
    """Little more where no unit is at rest: of one that is, the bound is as of one that is not."""
    data = with_relu(change(case.data()))
    more = np.inf if change is as_drawn else MORE[case.dtype]
    for ends, expected, bound in numbers(whole(data, Precision.of(case.dtype)), data, case.dtype):
        farthest = oracle.farthest(ends, expected)
        assert farthest <= bound <= more * farthest


@pytest.mark.parametrize("case", CASES.values(), ids=list(CASES))
def test_bound_of_any_slope_is_that_of_relu_without_units_at_rest(case: Case) -> None:
    """Of positive numbers relu has slope 1 everywhere, as `loose` assumes of tanh."""
    data, precision = positive(case.data()), Precision.of(case.dtype)
    tanh, steepest = whole(data, precision), whole(data, precision, loose=True)
    assert np.array_equal(tanh.output, steepest.output)
    relu = whole(with_relu(data), precision)
    same = whole(with_relu(data), precision, loose=True)
    assert np.array_equal(same.output_bound, relu.output_bound)
    assert (steepest.output_bound <= relu.output_bound).all()  # its states are smaller
    flat = whole(zeros(data), precision, loose=True)
    assert np.array_equal(flat.h_n_bound, whole(with_relu(zeros(data)), precision).h_n_bound)


@pytest.mark.parametrize("case", CASES.values(), ids=list(CASES))
def test_padding_is_expected_to_be_zero_exactly(case: Case) -> None:
    data = case.data()
    found, padding = whole(data, Precision.of(case.dtype)), ~data.real[..., 0]
    assert not found.output[padding].any()
    assert not found.output_bound[padding].any()


@pytest.mark.parametrize("dtype", MORE)
def test_bound_of_the_readout_encloses_and_is_little_more(dtype: Dtype) -> None:
    case = replace(SMALL, T=3, O=2, bidirectional=True, lengths="unsorted", dtype=dtype)
    data = case.data()
    output = np.where(data.real, data.inputs[..., [0, 1, 0, 1]], 0)  # any states would do
    judgement = judge_readout(data, Precision.of(dtype), output, output[..., :2])
    bounds = np.broadcast_to(judgement.bound, judgement.expected.shape)
    for (t, b, o), bound in np.ndenumerate(bounds):
        if t >= data.steps[b]:
            assert judgement.expected[t, b, o] == bound == 0
            continue
        W, bias = data.weights["W_ho"][o], data.weights["b_ho"][o]
        ends = oracle.readout(ARITHMETIC[dtype], W, float(bias), output[t, b])
        farthest = oracle.farthest(ends, float(judgement.expected[t, b, o]))
        assert farthest <= bound <= MORE[dtype] * farthest
