"""What is expected of gradients is exact, of every cell and kind of case."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from flint import ctx
from rnn_conformance.bounds.judgement import share
from rnn_conformance.cases.case import Case
from rnn_conformance.cases.gradients import of_answer
from rnn_conformance.cells import CELLS
from rnn_conformance.contract.call import Answer, Array

from .gradient_oracle import Exact, exact

NEAR = 1e-12
SMALL = Case(T=3, B=2, I=8, H=2, dtype="float64", loss="all")
CASES = {
    case.id: case
    for cell in CELLS
    for case in (
        replace(SMALL, cell=cell, weights="marked", T=4, H=3),
        replace(SMALL, cell=cell, weights="marked", bidirectional=True, lengths="unsorted"),
        replace(SMALL, cell=cell, weights="marked", bias="off", loss="output"),
        replace(SMALL, cell=cell, weights="passing", I=14, H=3, lengths="unsorted"),
        replace(SMALL, cell=cell, weights="passing", I=9, reverse=True, loss="h_n"),
        replace(SMALL, cell=cell, I=3, L=2, bidirectional=True, lengths="unsorted"),
        replace(SMALL, cell=cell, I=3, L=2, bias="off", T=8, loss="h_n"),
    )
}


@pytest.fixture(autouse=True)
def _bits() -> Iterator[None]:
    with ctx.workprec(128):
        yield


def exact_of(case: Case) -> Exact:
    data, o = case.data(), case.options
    given = data.upstream
    assert given is not None
    zeros = np.zeros((case.L * o.directions, case.B, case.H))
    parts = [getattr(given, f"{part}_n") for part in o.parts]
    last = np.concatenate([zeros if part is None else part for part in parts], axis=-1)
    of_output = np.zeros((case.T, case.B, o.directions * case.H))
    output = of_output if given.output is None else given.output
    return exact(
        case.cell, case.L, o.ways, data.weights, data.inputs, data.initial,
        data.steps.tolist(), (output, last),
    )  # fmt: skip


def near(found: Array, right: Array) -> bool:
    return bool(np.abs(found - right).max() <= NEAR * np.abs(right).max())


@pytest.mark.parametrize("case", CASES.values(), ids=list(CASES))
def test_what_is_expected_is_exact_and_within_its_bound(case: Case) -> None:
    right = exact_of(case)
    found = of_answer(case, Answer(right.output, right.h_n, gradients=right.gradients))
    assert {*found.parts} == {*right.gradients}
    for name, part in found.parts.items():
        assert near(part.value, right.gradients[name]), name
        assert share(part.value, right.gradients[name], part.bound).max() <= 1, name
    if found.adjoints is not None:
        expected, shown = found.adjoints
        assert near(expected.value, right.adjoints)
        assert (shown == right.adjoints).all()
    assert (found.adjoints is None) == (case.weights == "contractive")
