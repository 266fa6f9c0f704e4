"""Every line computes what torch's layer computes, and a wrong one is refused."""

import re
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pytest
import torch
from rnn_benchmarks.agreement import expect, require_agreement
from rnn_benchmarks.lines import LINES, Line
from rnn_benchmarks.rivals import MODULES, load, thread_limit
from rnn_benchmarks.training import TRAINING
from rnn_benchmarks.workload import (
    CELL_OF,
    DTYPES,
    GATES,
    TITLES,
    Point,
    Workload,
    default_grid,
    draw,
    full_grid,
)
from rnn_reference.weights import Array
from threadpoolctl import threadpool_info  # type: ignore[import-untyped]

# The frameworks of rivals warn of themselves.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
SMALL = Point(7, 3, 5, 6, "float32")
LARGE = Point(4, 3, 256, 512, "float32")  # where most is allowed
SHAPES = [(7, 3, 5, 6), (23, 1, 9, 4), (12, 2, 3, 40), (40, 64, 3, 80)]


def run(line: Line, workload: Workload) -> Any:
    return line.collect(line.prepare(workload)())


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", TITLES)
def test_a_line_agrees_and_repeats_itself(name: str, dtype: str) -> None:
    try:
        line = load(name, threads=1)
    except ImportError as error:
        pytest.skip(str(error))
    for shape in SHAPES:
        point = Point(*shape, dtype=dtype, cell=CELL_OF[name])
        if line.takes(point):
            workload = draw(point)
            call = line.prepare(workload)
            for _ in range(2):
                require_agreement(name, line.collect(call()), expect(workload))


def changed(w: Workload, name: str, change: Callable[[Array], Array]) -> Workload:
    return replace(w, weights={**w.weights, name: change(w.weights[name])})


WRONG: dict[str, Callable[[Workload], Workload]] = {
    "W_hh transposed": lambda w: changed(w, "W_hh", np.transpose),
    **{f"no {b}": partial(changed, name=b, change=np.zeros_like) for b in ("b_xh", "b_hh", "b_ho")},
    "inputs reversed in time": lambda w: replace(w, inputs=w.inputs[::-1].copy()),
    "sequences exchanged": lambda w: replace(w, inputs=w.inputs[:, ::-1].copy()),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_a_wrong_line_is_refused_even_where_most_is_allowed(wrong: str) -> None:
    workload = draw(LARGE)
    expected, found = expect(workload), run(LINES["batch-rnn"], WRONG[wrong](workload))
    outputs, states = expected.bounds
    assert states.max() < 1e-3
    assert outputs.max() < 1e-2
    with pytest.raises(AssertionError, match=r"of wrong differ first at t=\d.*; not timed"):
        require_agreement("wrong", found, expected)


def in_a_gate(name: str, gate: int, w: Workload) -> Workload:
    """With this gate's rows 0 in one weight."""

    def change(weight: Array) -> Array:
        of_gates = weight.reshape(GATES[w.cell], -1, *weight.shape[1:]).copy()
        of_gates[gate] = 0
        return of_gates.reshape(weight.shape)

    return changed(w, name, change)


WRONG_GATED: dict[str, Callable[[Workload], Workload]] = {
    "inputs reversed in time": WRONG["inputs reversed in time"],
    "sequences exchanged": WRONG["sequences exchanged"],
    "no W_hh in the last gate": partial(in_a_gate, "weight_hh_l0", -1),
    "no b_ih in the first gate": partial(in_a_gate, "bias_ih_l0", 0),
    "no b_hh in the second gate": partial(in_a_gate, "bias_hh_l0", 1),
}


@pytest.mark.parametrize("wrong", WRONG_GATED)
@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_a_wrong_line_of_a_cell_with_gates_is_refused(cell: str, wrong: str) -> None:
    workload = draw(replace(LARGE, cell=cell))
    expected = expect(workload)
    found = run(LINES[f"batch-{cell}"], WRONG_GATED[wrong](workload))
    assert max(bound.max() for bound in expected.bounds) < 1e-2
    with pytest.raises(AssertionError, match=r"of wrong differ first at t=\d.*; not timed"):
        require_agreement("wrong", found, expected)


@pytest.mark.parametrize("name", TRAINING)
def test_wrong_gradients_are_refused(name: str) -> None:
    workload = draw(replace(SMALL, cell=CELL_OF[name]))
    expected, found = expect(workload), run(TRAINING[name], workload)
    assert all(bound.max() < 1e-3 for bound in expected.bounds)
    for wrong in (found.gradients * 1.01, np.roll(found.gradients, 1), 0 * found.gradients):
        with pytest.raises(AssertionError, match="gradients of wrong differ first"):
            require_agreement("wrong", found._replace(gradients=wrong), expected)


def test_the_last_c_is_compared() -> None:
    workload = draw(replace(SMALL, cell="lstm"))
    right, expected = run(LINES["torch-lstm"], workload), expect(workload)
    h, c = right.states
    for wrong in ([c, h], [h, h], [h, c + 1e-4]):
        with pytest.raises(AssertionError, match="states of wrong differ first"):
            require_agreement("wrong", right._replace(states=np.stack(wrong)), expected)


def test_nan_another_dtype_and_another_shape_are_refused() -> None:
    workload = draw(SMALL)
    right, expected = run(LINES["torch-rnn"], workload), expect(workload)
    for wrong in (right.states * np.nan, right.states.astype(np.float64), right.states[1:]):
        with pytest.raises(AssertionError, match="states of wrong"):
            require_agreement("wrong", right._replace(states=wrong), expected)


def test_a_line_whose_framework_is_missing_is_absent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "rnn_benchmarks.rivals.numba_loop", raising=False)
    monkeypatch.setitem(sys.modules, "numba", None)
    with pytest.raises(ImportError, match="numba"):
        load("numba", threads=3)


def thread_counts() -> set[int]:
    """What torch, its MKL where it has one, and the others say that they will use."""
    mkl = re.findall(r"mkl_get_max_threads\(\) : (\d+)", torch.__config__.parallel_info())
    others = [library["num_threads"] for library in threadpool_info()]
    return {torch.get_num_threads(), *map(int, mkl), *others}


def test_every_library_keeps_to_the_thread_count() -> None:
    before = thread_counts()
    for threads in (1, 2):
        with thread_limit(threads):
            assert thread_counts() == {threads}
    assert thread_counts() == before


def test_lines_have_titles_and_the_default_grid_is_part_of_the_full_one() -> None:
    assert {*LINES, *TRAINING, *MODULES} == set(TITLES)
    assert len(default_grid()) == 24
    assert len(set(full_grid())) == 288
    assert set(default_grid()) < set(full_grid())
