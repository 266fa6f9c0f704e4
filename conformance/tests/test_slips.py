"""How far beyond its bound a cell is that computes in fewer bits, or with other functions.

`python conformance/tests/test_slips.py` prints the tables of sensitivity.md.
"""

import sys
from functools import partial

import numpy as np
import pytest
from rnn_conformance.bounds.judgement import share
from rnn_conformance.cases.case import Case
from rnn_conformance.cells import CELLS
from rnn_conformance.checks.subject import Subject
from rnn_conformance.contract.call import DTYPES, GATED, Array, Call, Dtype
from rnn_conformance.variants.every import HEALTHY
from rnn_conformance.variants.gated import RIGHT
from rnn_conformance.variants.per_call import PerCall
from rnn_conformance.variants.recurrence import Recurrence, Weights, of_cell
from rnn_conformance.variants.wrong.precision import ProductsInTF32, StateInBfloat16


class TanhOff(Recurrence):
    """Every tanh is too large by a share of itself."""

    off = 0.0

    def activation(self, call: Call, a: Array) -> Array:
        right = super().activation(call, a)
        return right * right.dtype.type(1 + self.off)


class SigmoidOff(Recurrence):
    """Every σ is too large by a share of itself."""

    off = 0.0

    def gate(self, a: Array) -> Array:
        right = super().gate(a)
        return right * right.dtype.type(1 + self.off)


def by(variant: type[Recurrence], off: float) -> type[Recurrence]:
    return type(f"{variant.__name__} {off:g}", (variant,), {"off": off})


SLIPS: dict[str, type[Recurrence]] = {
    "right": Recurrence,
    "TF32": ProductsInTF32,
    "bfloat16 state": StateInBfloat16,
    "tanh 1e-5": by(TanhOff, 1e-5),
    "tanh 1e-6": by(TanhOff, 1e-6),
    "σ 1e-5": by(SigmoidOff, 1e-5),
    "σ 1e-6": by(SigmoidOff, 1e-6),
}
CASES = {
    "T = 1, B = 512, H = 16": partial(Case, 1, 512, 4, 16, weights="normal"),
    "T = 50, H = 128": partial(Case, 50, 3, 5, 128, weights="normal"),
    "T = 1000, gates near .999": partial(Case, 1000, 2, 3, 16, weights="remembering"),
}
# One layer of several, which shows through the others.
INSIDE = {
    "T = 9, H = 4, the first of 2": partial(Case, 9, 4, 5, 4, 2, weights="transparent"),
    **{
        f"T = 50, H = 16, both directions, the {name} of 3": partial(
            Case, 50, 6, 5, 16, 3, bidirectional=True, weights="transparent", dense=dense
        )
        for dense, name in enumerate(("first", "second", "last"))
    },
}
SMOOTH = ("tanh", *GATED)


class InOneLayer(PerCall):
    """One layer is that of a slip; the others are right."""

    slip: type[Recurrence] = Recurrence
    number = 0

    def cell(self, call: Call, layer: int, d: int) -> Weights:
        self.layer = layer
        return super().cell(call, layer, d)

    def direction(self, call: Call, w: Weights, x: Array, h: Array) -> Array:
        if self.layer != self.number:
            return super().direction(call, w, x, h)
        return self.slip().direction(call, w, x, h)


def in_one_layer(slip: type[Recurrence], case: Case) -> type[Recurrence]:
    """The slip in the dense layer of the case alone."""
    return type(slip.__name__, (InOneLayer,), {"slip": slip, "number": case.dense})


def worst(variant: type[Recurrence], case: Case) -> float:
    """The largest error of an output or a last state as a share of its bound."""
    subject = Subject(of_cell(variant, case.cell)())
    found, right = subject.result(case), subject.expected(case)
    assert found.h_n is not None
    output = share(right.output, found.output.astype(np.float64), right.output_bound)
    last = share(right.h_n, found.h_n.astype(np.float64), right.h_n_bound)
    return max(float(output.max()), float(last.max()))


@pytest.mark.parametrize("cell", GATED)
def test_slips_are_beyond_the_bound_and_right_cells_far_within(cell: str) -> None:
    case = CASES["T = 1, B = 512, H = 16"](cell=cell)
    shares = {name: worst(slip, case) for name, slip in SLIPS.items()}
    assert shares["right"] < 0.3
    assert shares["TF32"] > 10
    assert shares["bfloat16 state"] > 100
    assert min(shares["tanh 1e-5"], shares["σ 1e-5"]) > 1


@pytest.mark.parametrize("right", RIGHT.values(), ids=RIGHT)
def test_another_right_way_is_within_six_tenths(right: type[Recurrence]) -> None:
    (cell,) = right.claims & {*GATED}
    for kind in ("normal", "contractive", "special", "one_hot"):
        assert worst(right, Case(5, 3, 4, 8, cell=cell, weights=kind)) < 0.6, kind


@pytest.mark.parametrize("cell", SMOOTH)
@pytest.mark.parametrize("case", INSIDE.values(), ids=list(INSIDE))
def test_slips_inside_a_stack_are_beyond_the_bound(case: "partial[Case]", cell: str) -> None:
    asked = case(cell=cell)
    shares = {
        name: worst(in_one_layer(slip, asked), asked)
        for name, slip in SLIPS.items()
        if name in ("right", "TF32", "bfloat16 state", "tanh 1e-5")
    }
    assert shares["right"] < 0.3
    assert shares["TF32"] > 5
    assert shares["bfloat16 state"] > 50
    assert shares["tanh 1e-5"] > 1.5


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("right", HEALTHY.values(), ids=HEALTHY)
def test_another_right_stack_is_within_six_tenths(right: type[Recurrence], dtype: Dtype) -> None:
    for cell in right.claims & CELLS.keys():
        for dense in range(3):
            case = Case(
                9, 3, 5, 4, 3, cell, bidirectional=True, lengths="unsorted", dtype=dtype,
                weights="transparent", dense=dense,
            )  # fmt: skip
            assert worst(right, case) < 0.6, case.id


def main() -> None:
    for cells, cases, of in ((GATED, CASES, lambda slip, _: slip), (SMOOTH, INSIDE, in_one_layer)):
        lines = [f"| float32 | {' | '.join(SLIPS)} |", "| --- " * (len(SLIPS) + 1) + "|"]
        for cell in cells:
            for name, made in cases.items():
                case = made(cell=cell)
                row = [f"{worst(of(slip, case), case):.2g}" for slip in SLIPS.values()]
                lines.append(f"| {cell}, {name} | {' | '.join(row)} |")
        sys.stdout.write("\n".join(lines) + "\n\n")


if __name__ == "__main__":
    with np.errstate(all="ignore"):
        main()
