"""How many numbers dropout may set to zero, or change from call to call: met from both sides.

The masks here are counted, not drawn: as many zeros, or as many changes along one axis, as six
standard deviations allow, and one more. All else is as chance has it.
"""

from dataclasses import replace
from math import ceil, floor, sqrt
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from rnn_conformance import repeat
from rnn_conformance.cases.case import Case
from rnn_conformance.checks.records import Record
from rnn_conformance.contract.call import FEATURES, Answer, Array, Call, Lengths, Options
from rnn_conformance.variants.healthy import Plain

P = 9 / 32
CASE = Case(L=2, bidirectional=True)
SIZES = (2, CASE.T, CASE.B, 2, 256)  # calls, steps, rows, directions, units
AXES = ("calls", "steps", "rows", "directions", "units")
Mask = npt.NDArray[np.bool_]


class Given(Plain):
    """Sets to zero, in each call in training, what it is told to."""

    claims = FEATURES

    def __init__(self, zero: Mask, times: float = 1 / (1 - P), part: str = "") -> None:
        self.zero, self.times, self.part, self.count, self.training = zero, times, part, 0, False

    def run(self, call: Call) -> Answer:
        self.training = call.training
        answer = super().run(call)
        self.count += 1
        return answer

    def layer_output(self, x: Array, steps: Lengths, layer: int, o: Options) -> Array:
        right = super().layer_output(x, steps, layer, o)
        if not self.training or layer == o.num_layers - 1:
            return right
        zero = self.zero[self.count].reshape(right.shape)
        return np.where(zero, 0, right * self.times).astype(right.dtype)


def shuffled(zeros: int, size: int, rng: np.random.Generator) -> Mask:
    return rng.permutation(np.arange(size) < zeros)


def with_zeros(count: int) -> Mask:
    """So many zeros anywhere."""
    return shuffled(count, int(np.prod(SIZES)), np.random.default_rng(0)).reshape(SIZES)


def with_changes(axis: int, count: int) -> Mask:
    """A quarter of zeros, of which so many change between the two of each pair along an axis."""
    rng = np.random.default_rng(0)
    pairs = SIZES[axis] // 2
    shape = (*SIZES[:axis], pairs, *SIZES[axis + 1 :])
    size = int(np.prod(shape))
    first = shuffled(round(P * size), size, rng)
    flipped = np.zeros(size, bool)
    for kind, n in ((first, count // 2), (~first, count - count // 2)):
        flipped[rng.permutation(np.flatnonzero(kind))[:n]] = True
    mask = with_zeros(int(P * np.prod(SIZES)))
    ends: list[Any] = [slice(None)] * axis
    mask[(*ends, slice(0, 2 * pairs, 2))] = first.reshape(shape)
    mask[(*ends, slice(1, 2 * pairs, 2))] = (first ^ flipped).reshape(shape)
    return mask


def record(implementation: Plain, case: Case = CASE) -> Record:
    return repeat(implementation, "dropout_between_layers", case)


def ends(p: float, n: int) -> tuple[int, int]:
    """The fewest and the most of n draws that are within six standard deviations."""
    away = 6 * sqrt(p * (1 - p) * n)
    return ceil(p * n - away), floor(p * n + away)


def test_share_of_zeros() -> None:
    least, most = ends(P, int(np.prod(SIZES)))
    for count in (least, most):
        assert record(Given(with_zeros(count))).outcome == "passed"
    for count in (least - 1, most + 1):
        assert record(Given(with_zeros(count))).message.startswith("share of zeros: ")


@pytest.mark.parametrize(("axis", "name"), [*enumerate(AXES)])
def test_changes_between(axis: int, name: str) -> None:
    pairs = int(np.prod(SIZES)) // SIZES[axis] * (SIZES[axis] // 2)
    least, most = ends(2 * P * (1 - P), pairs)
    for count in (least, most):
        assert record(Given(with_changes(axis, count))).outcome == "passed"
    for count in (least - 1, most + 1):
        message = record(Given(with_changes(axis, count))).message
        assert message.startswith(f"share of changes between {name}: ")


@pytest.mark.parametrize("count", [0, 1])
def test_zero_is_compared_in_every_call(count: int) -> None:
    """One number in one call that is neither zero nor scaled."""

    class Odd(Given):
        def run(self, call: Call) -> Answer:
            answer, at = super().run(call), self.count - 1
            output, h_n = answer.output.copy(), answer.h_n
            assert h_n is not None
            if at == count and self.part == "output":
                output[-1, -1, -1] = 1
            if at == count and self.part == "h_n":
                h_n = h_n.copy()
                h_n[self.layer, -1, -1] = 1.5
            return replace(answer, output=output, h_n=h_n)

        layer = 0

    usual = with_zeros(int(P * np.prod(SIZES)))
    assert record(Odd(usual)).outcome == "passed"
    assert record(Odd(usual, part="output")).message.startswith("output: step 6, row 3, unit 511: ")
    for layer in range(4):
        odd = Odd(usual, part="h_n")
        odd.layer = layer
        assert record(odd).message.startswith(f"h_n: step {layer}, row 3, unit 255: ")


@pytest.mark.parametrize(
    ("cell", "dtype", "within", "beyond"),
    [("relu", "float32", 5.4, 7.2), ("relu", "float64", 8.9, 11), ("tanh", "float32", 14, 17)],
)
def test_scale_to_a_few_roundings(cell: str, dtype: Any, within: float, beyond: float) -> None:
    """By hand, of relu: 4 U of the sum in each layer, 4 u of the scale; U is 2 u in float64. tanh
    flattens.
    """
    usual, eps = with_zeros(int(P * np.prod(SIZES))), float(np.finfo(dtype).eps)
    case = replace(CASE, dtype=dtype, cell=cell)
    for off, outcome in ((within, "passed"), (beyond, "failed")):
        for sign in (+1, -1):
            wrong = Given(usual, (1 + sign * off * eps) / (1 - P))
            assert record(wrong, case).outcome == outcome
