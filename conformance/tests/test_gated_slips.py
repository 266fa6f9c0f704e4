"""How far beyond its bound a gated cell is that computes in fewer bits, or with other functions.

`python conformance/tests/test_gated_slips.py` prints the table of sensitivity.md.
"""

import sys
from functools import partial

import numpy as np
import pytest
from rnn_conformance.bounds.balls import Precision
from rnn_conformance.bounds.judgement import share
from rnn_conformance.cases.case import Case
from rnn_conformance.cases.expected import from_own_states
from rnn_conformance.checks.subject import Subject
from rnn_conformance.contract.call import GATED, Array, Call
from rnn_conformance.variants.gated import RIGHT
from rnn_conformance.variants.recurrence import Recurrence, of_cell
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


def worst(variant: type[Recurrence], case: Case) -> float:
    """The largest error of an output or a last state as a share of its bound."""
    found = Subject(variant()).result(case)
    right = from_own_states(case.data(), Precision.of(case.dtype), found)
    assert found.h_n is not None
    output = share(right.output, found.output.astype(np.float64), right.output_bound)
    last = share(right.h_n, found.h_n.astype(np.float64), right.h_n_bound)
    return max(float(output.max()), float(last.max()))


@pytest.mark.parametrize("cell", GATED)
def test_slips_are_beyond_the_bound_and_right_cells_far_within(cell: str) -> None:
    case = CASES["T = 1, B = 512, H = 16"](cell=cell)
    shares = {name: worst(of_cell(slip, cell), case) for name, slip in SLIPS.items()}
    assert shares["right"] < 0.3
    assert shares["TF32"] > 10
    assert shares["bfloat16 state"] > 100
    assert min(shares["tanh 1e-5"], shares["σ 1e-5"]) > 1


@pytest.mark.parametrize("right", RIGHT.values(), ids=RIGHT)
def test_another_right_way_is_within_six_tenths(right: type[Recurrence]) -> None:
    (cell,) = right.claims & {*GATED}
    for kind in ("normal", "contractive", "special", "one_hot"):
        assert worst(right, Case(5, 3, 4, 8, cell=cell, weights=kind)) < 0.6, kind


def main() -> None:
    lines = [f"| float32 | {' | '.join(SLIPS)} |", "| --- " * (len(SLIPS) + 1) + "|"]
    for cell in GATED:
        for name, case in CASES.items():
            row = [f"{worst(of_cell(s, cell), case(cell=cell)):.2g}" for s in SLIPS.values()]
            lines.append(f"| {cell}, {name} | {' | '.join(row)} |")
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    with np.errstate(all="ignore"):
        main()
