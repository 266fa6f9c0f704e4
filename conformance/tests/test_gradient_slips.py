"""How far beyond their bounds gradients are that are computed in fewer bits, or of other functions.

`python conformance/tests/test_gradient_slips.py` prints the table of sensitivity.md.
"""

import sys
from functools import cache

import numpy as np
import pytest
from rnn_conformance.bounds.judgement import share
from rnn_conformance.cases.case import Case
from rnn_conformance.cases.gradients import of_answer
from rnn_conformance.cases.showing import gradient_cases
from rnn_conformance.checks.subject import Subject
from rnn_conformance.contract.call import Array, Call
from rnn_conformance.variants.differentiable import Differentiable
from rnn_conformance.variants.recurrence import of_cell
from rnn_conformance.variants.wrong.precision import BFLOAT16, FLOAT16, TF32, rounded

CELLS = ("tanh", "lstm", "gru")


class InFewerBits(Differentiable):
    """Factors of products of the backward pass are rounded; those of all kinds or of one."""

    bits = TF32
    kinds: tuple[str, ...] = ("d", "dW", "dx")

    def of(self, kind: str, *factors: Array) -> list[Array]:
        return [rounded(x, self.bits) if kind in self.kinds else x for x in factors]

    def handed_back(self, W_hh: Array, d: Array) -> Array:
        return super().handed_back(*self.of("d", W_hh, d))

    def summed(self, d: Array, x: Array) -> Array:
        return super().summed(*self.of("dW", d, x))

    def to_inputs(self, W_ih: Array, d: Array) -> Array:
        return super().to_inputs(*self.of("dx", W_ih, d))


class InTF32BackThroughTime(InFewerBits):
    kinds = ("d",)


class WeightsInTF32(InFewerBits):
    kinds = ("dW",)


class InputsInTF32(InFewerBits):
    kinds = ("dx",)


class InBfloat16(InFewerBits):
    bits = BFLOAT16


class SumsInFloat16(Differentiable):
    """Each sum of products of the backward pass is rounded to float16."""

    def handed_back(self, W_hh: Array, d: Array) -> Array:
        return rounded(super().handed_back(W_hh, d), FLOAT16)

    def summed(self, d: Array, x: Array) -> Array:
        return rounded(super().summed(d, x), FLOAT16)

    def to_inputs(self, W_ih: Array, d: Array) -> Array:
        return rounded(super().to_inputs(W_ih, d), FLOAT16)


class SlopeOff(Differentiable):
    """Every slope is too large by 1e-5 of itself."""

    def slope(self, call: Call, h: Array, a: Array) -> Array:
        return super().slope(call, h, a) * h.dtype.type(1 + 1e-5)

    def slope_of_gate(self, s: Array) -> Array:
        return super().slope_of_gate(s) * s.dtype.type(1 + 1e-5)


class TanhOff(Differentiable):
    """Every tanh is too large by 1e-6 of itself."""

    def activation(self, call: Call, a: Array) -> Array:
        return super().activation(call, a) * a.dtype.type(1 + 1e-6)


SLIPS: dict[str, type[Differentiable]] = {
    "right": Differentiable,
    "TF32 in W_hh' d": InTF32BackThroughTime,
    "TF32 in dW": WeightsInTF32,
    "TF32 in dx": InputsInTF32,
    "bfloat16": InBfloat16,
    "float16 sums": SumsInFloat16,
    "slopes 1e-5": SlopeOff,
    "tanh 1e-6": TanhOff,
}
KINDS = ("d", "dx", "dW", "dh_0")


def marked(cell: str) -> list[Case]:
    found = [c for c in gradient_cases(cell) if c.weights == "marked" and c.dtype == "float32"]
    return [*dict.fromkeys(case.in_one_order for case in found)]


def kind_of(name: str) -> str:
    return {"inputs": "dx", "h_0": "dh_0"}.get(name, "dW")


def shares(variant: type[Differentiable], case: Case) -> dict[str, float]:
    """The worst error of each kind of gradient as a share of its bound."""
    found = Subject(variant()).result(case)
    right = of_answer(case, found)
    assert right.adjoints is not None
    assert found.gradients is not None
    expected, d = right.adjoints
    worst = dict.fromkeys(KINDS, 0.0)
    worst["d"] = float(share(expected.value, d, expected.bound).max())
    for name, part in right.parts.items():
        value = found.gradients[name].astype(np.float64)
        one = float(share(part.value, value, part.bound).max())
        worst[kind_of(name)] = max(worst[kind_of(name)], one)
    return worst


@cache
def worst(cell: str, slip: str) -> dict[str, float]:
    """Over the marked cases of a cell."""
    variant = of_cell(SLIPS[slip], cell) if cell != "tanh" else SLIPS[slip]
    each = [shares(variant, case) for case in marked(cell)]
    return {kind: max(one[kind] for one in each) for kind in KINDS}


@pytest.mark.parametrize("cell", CELLS)
def test_slips_are_beyond_the_bound_and_right_gradients_far_within(cell: str) -> None:
    assert max(worst(cell, "right").values()) < 0.6
    for slip, kind in (("TF32 in W_hh' d", "d"), ("TF32 in dW", "dW"), ("TF32 in dx", "dx")):
        assert worst(cell, slip)[kind] > 10, slip
    assert worst(cell, "bfloat16")["d"] > 100
    assert worst(cell, "float16 sums")["dW"] > 10
    assert worst(cell, "slopes 1e-5")["d"] > 1.5
    if cell != "tanh":  # whose slope comes from the state that shows
        assert worst(cell, "tanh 1e-6")["d"] > 1.5


def main() -> None:
    lines = [f"| float32 | | {' | '.join(SLIPS)} |", "| --- " * (len(SLIPS) + 2) + "|"]
    for cell in CELLS:
        for kind in KINDS:
            row = [f"{worst(cell, slip)[kind]:.2g}" for slip in SLIPS]
            lines.append(f"| {cell} | {kind} | {' | '.join(row)} |")
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    with np.errstate(all="ignore"):
        main()
