"""A cell that the suite does not know: a leaky RNN, in this file and by one line that registers it.

h_t = (1 - a) h_{t-1} + a tanh(W_ih x_t + b_ih + W_hh h_{t-1} + b_hh),        a = 1/4
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rnn_conformance import Call, check, plan, vectors
from rnn_conformance.bounds.balls import Ball, Matrix, Sum, product
from rnn_conformance.cells import CELLS, Cell, CellWeights, decimals, register
from rnn_conformance.cells.activations import tanh
from rnn_conformance.cells.cell import Linear, Row
from rnn_conformance.contract.call import (
    GATES,
    GRADIENTS,
    HALF_DTYPES,
    NONLINEARITIES,
    PARTS,
    Array,
)
from rnn_conformance.variants.every import MUTANTS
from rnn_conformance.variants.recurrence import Recurrence
from rnn_conformance.vectors.export import vector_cases

from .miniatures import conforms_to_every_check
from .vector_results import compute

A = 0.25


@dataclass(frozen=True)
class Leaky(Cell):
    """The equation: in balls, in decimal digits and in NumPy."""

    name: str = "leaky"
    clause: str = "RNN-LEAKY-1"
    formula: str = f"{1 - A} * before + {A} * np.tanh(W_ih @ x + b_ih + W_hh @ h + b_hh)"
    odd: bool = True

    def read(self, x: Sum, W_hh: Matrix, b_hh: Sum, h: Ball) -> Ball:
        return tanh(x + product(W_hh, h) + b_hh)

    def after(self, read: Ball, h: Ball) -> Ball:
        return ((1 - A) * h.kept() + A * read).shown()

    def exact(self, x: Row, of_state: Linear, before: Row) -> Row:
        a, rows = Decimal(A), zip(x, of_state(before), before, strict=True)
        return [(1 - a) * last + a * decimals.tanh(one + other) for one, other, last in rows]

    def reason(self, roundings: int) -> str:
        return f"gamma_{roundings}(u) through tanh and the mean with the last state"

    def operands(self, w: CellWeights, unit: int, x: Array, h: Array) -> Mapping[str, Any]:
        return {**super().operands(w, unit, x, h), "before": h[unit]}


class Right(Recurrence):
    """The same in NumPy, in the dtype of the call."""

    name = "Leaky"
    claims = Recurrence.claims - {*NONLINEARITIES, *HALF_DTYPES, "float64"} | {"leaky"}

    def step(self, call: Call, w: Mapping[str, Array], x: Array, h: Array) -> Array:
        half: Array = (1 - A) * h + A * np.tanh(self.preactivation(w, x, h))
        return half


class Otherwise(Right):
    """Written as a step towards the tanh."""

    def step(self, call: Call, w: Mapping[str, Array], x: Array, h: Array) -> Array:
        result: Array = h + A * (np.tanh(self.preactivation(w, x, h)) - h)
        return result


WRONG = {
    "WithoutLeak": lambda h, f: f,
    "LeakOfEighths": lambda h, f: 0.875 * h + 0.125 * f,
    "LeakTwice": lambda h, f: (1 - A) ** 2 * h + A * f,
    "HalfAnUlpMore": lambda h, f: (1 - A) * h + A * f * h.dtype.type(1 + 2e-6),
}


def leaky_with_the_bug(name: str) -> Recurrence:
    """The toy cell with a bug that is known of another one."""
    bug = MUTANTS[name].make
    claims = bug.claims & Right.claims | {"leaky"}
    return type(name, (bug,), {"step": Right.step, "claims": claims})()  # type: ignore[no-any-return]


def bugs() -> Iterator[str]:
    """The first of those that each check must reject, and that are in no step and no gradient."""
    seen = set[str]()
    for name, bug in MUTANTS.items():
        elsewhere = not {"step", "activation", "preactivation"} & vars(bug.make).keys()
        others = {*NONLINEARITIES, "dropout", GRADIENTS}
        plain = bug.make.claims & {*NONLINEARITIES} and not bug.needs & others
        if plain and elsewhere and bug.caught_by not in seen:
            seen.add(bug.caught_by)
            yield name


@pytest.fixture(autouse=True)
def _registered() -> Iterator[None]:
    register(Leaky())
    yield
    del CELLS["leaky"], GATES["leaky"], PARTS["leaky"]


def test_a_right_one_conforms_and_is_asked_every_check() -> None:
    conforms_to_every_check(Right())


def test_another_order_of_operations_is_right() -> None:
    assert check(Otherwise(), checks=["output", "trajectory"], isolation=None).conforms


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_step_is_rejected(name: str) -> None:
    class Wrong(Right):
        def step(self, call: Call, w: Mapping[str, Array], x: Array, h: Array) -> Array:
            f = np.tanh(self.preactivation(w, x, h))
            return np.asarray(WRONG[name](h, f), h.dtype)

    assert any(item.execute().outcome == "failed" for item in plan(Wrong(), checks=["output"]))


@pytest.mark.parametrize("name", [*bugs()])
def test_a_bug_elsewhere_is_rejected_as_in_other_cells(name: str) -> None:
    wrong, asked = leaky_with_the_bug(name), [MUTANTS[name].caught_by]
    assert any(item.execute().outcome == "failed" for item in plan(wrong, checks=asked))


def test_vectors_are_exact_and_judge(tmp_path: Path) -> None:
    cases = [case for case in vector_cases() if case.cell == "leaky"]
    assert len(cases) > 50
    folder = tmp_path / "vectors"
    vectors.export(folder, only=[case.id for case in cases[::16]])
    assert vectors.verify(folder, compute(Right(), folder, tmp_path / "right")).conforms
    wrong = compute(leaky_with_the_bug("InitialStateIgnored"), folder, tmp_path / "wrong")
    assert not vectors.verify(folder, wrong).conforms
