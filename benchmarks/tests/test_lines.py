"""Every line computes what torch.nn.RNN computes, and a wrong one is refused."""

import sys
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from rnn_benchmarks.agreement import DisagreementError, expect, require_agreement
from rnn_benchmarks.choices import DTYPES, TITLES, YARDSTICK, Point, default_grid, full_grid
from rnn_benchmarks.lines import LINES, Line, Trajectory
from rnn_benchmarks.machine import thread_counts, thread_limit
from rnn_benchmarks.rivals import MODULES, load
from rnn_benchmarks.workload import Workload, draw
from rnn_reference.weights import Array

# The frameworks of rivals warn of themselves.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
# Compiles for many seconds; bench_loops requires its agreement in any case, before it is timed.
SLOW = {"torch-compile"}
SHAPES = [(7, 3, 5, 6), (23, 1, 9, 4), (12, 2, 3, 40)]


def small(dtype: str, shape: tuple[int, int, int, int] = SHAPES[0]) -> Workload:
    return draw(Point(*shape, dtype=dtype))


def run(line: Line, workload: Workload) -> Trajectory:
    return line.collect(line.prepare(workload)())


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", [name for name in TITLES if name not in SLOW])
def test_a_line_agrees_and_repeats_itself(name: str, dtype: str) -> None:
    loaded = load([name], threads=1)
    if name in loaded.absent:
        pytest.skip(loaded.absent[name])
    line = loaded.lines[name]
    for shape in SHAPES:
        if line.takes(Point(*shape, dtype=dtype)):
            workload = small(dtype, shape)
            call = line.prepare(workload)
            for _ in range(2):
                require_agreement(name, line.collect(call()), expect(workload))


def changed(w: Workload, name: str, change: Callable[[Array], Array]) -> Workload:
    return replace(w, weights={**w.weights, name: change(w.weights[name])})


WRONG: dict[str, Callable[[Workload], Workload]] = {
    "W_hh transposed": lambda w: changed(w, "W_hh", np.transpose),
    "no b_xh": lambda w: changed(w, "b_xh", np.zeros_like),
    "no b_hh": lambda w: changed(w, "b_hh", np.zeros_like),
    "no b_ho": lambda w: changed(w, "b_ho", np.zeros_like),
    "inputs reversed in time": lambda w: replace(w, inputs=w.inputs[::-1].copy()),
    "sequences exchanged": lambda w: replace(w, inputs=w.inputs[:, ::-1].copy()),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_a_wrong_line_is_refused_even_where_most_is_allowed(wrong: str) -> None:
    workload = small("float32", (4, 3, 256, 512))
    found = run(LINES["batch-rnn"], WRONG[wrong](workload))
    with pytest.raises(DisagreementError, match=r"of wrong differ first at t=\d.*; not timed"):
        require_agreement("wrong", found, expect(workload))


def test_what_is_allowed_is_a_few_roundings() -> None:
    expected = expect(small("float32", (4, 3, 256, 512)))
    outputs, states = expected.bounds
    assert states.max() < 1e-3
    assert outputs.max() < 1e-2


def test_nan_another_dtype_and_another_shape_are_refused() -> None:
    workload = small("float64")
    right, expected = run(LINES[YARDSTICK], workload), expect(workload)
    for wrong in (right.states * np.nan, right.states.astype(np.float32), right.states[1:]):
        with pytest.raises(DisagreementError, match="states of wrong"):
            require_agreement("wrong", right._replace(states=wrong), expected)


@pytest.mark.parametrize("dtype", DTYPES)
def test_each_plan_of_the_floor_agrees(dtype: str) -> None:
    floor = load(["floor"], threads=1)
    if floor.absent:
        pytest.skip(floor.absent["floor"])
    from rnn_benchmarks.rivals.floor import ORGANISATIONS, Plan, with_plan
    from rnn_benchmarks.rivals.native import native

    for shape in SHAPES:
        workload, loop = small(dtype, shape), native(dtype)
        for organisation in ORGANISATIONS:
            plan = Plan(organisation, max(1, shape[3] // 3), max(1, shape[1] - 1))
            line = Line(partial(with_plan, loop=loop, plan=plan))
            require_agreement(organisation, run(line, workload), expect(workload))


def test_a_line_whose_framework_is_missing_is_absent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "rnn_benchmarks.rivals.numba_loop", raising=False)
    monkeypatch.setitem(sys.modules, "numba", None)
    loaded = load(["numba", "batch-rnn"], threads=1)
    assert list(loaded.lines) == ["batch-rnn"]
    assert loaded.absent == {"numba": "numba is not installed"}


def test_every_library_keeps_to_the_thread_count() -> None:
    before = dict(thread_counts())
    for threads in (1, 2):
        with thread_limit(threads):
            assert {count for _, count in thread_counts()} == {threads}
    assert dict(thread_counts()) == before


def test_lines_have_titles_and_the_default_grid_is_part_of_the_full_one() -> None:
    assert {*LINES, *MODULES} == set(TITLES)
    assert len(default_grid()) == 24
    assert len(set(full_grid())) == 288
    assert set(default_grid()) < set(full_grid())
