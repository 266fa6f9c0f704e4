"""What an implementation is given by the checks that change a call: every array, exactly."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from rnn_conformance import repeat
from rnn_conformance.cases.case import PADDING, Case
from rnn_conformance.checks import conduct
from rnn_conformance.checks.conduct import LINES
from rnn_conformance.contract.call import FEATURES, GATES, Answer, Array, Call
from rnn_conformance.variants.healthy import Plain

CASE = Case(L=2, lengths="unsorted", O=2)
SINGLE = Case(L=2, layout="single", B=1)
BATCH_FIRST = replace(CASE, layout="batch_first")


class Recorder(Plain):
    """Right; it keeps every call, and refuses all but those of the case if it is told to."""

    name = "Recorder"
    claims = FEATURES - {"dropout"}

    def __init__(self, *, refusing: bool = False) -> None:
        self.calls: list[Call] = []
        self.refusing = refusing

    def run(self, call: Call) -> Answer:
        self.calls.append(call)
        if self.refusing:
            raise ValueError("refused")
        with np.errstate(all="ignore"):
            return super().run(call)


def calls(check: str, case: Case, *, refusing: bool = False) -> list[Call]:
    recorder = Recorder(refusing=refusing)
    assert repeat(recorder, check, case).outcome == "passed"
    return recorder.calls


def differences(check: str, case: Case) -> list[tuple[str, Array]]:
    """What differs from the case's own call in each call that is to be refused."""
    own = case.call()
    found = []
    for call in calls(check, case, refusing=True):
        arrays = [(name, getattr(call, name), getattr(own, name)) for name in ("inputs", "h_0")]
        arrays += [("lengths", call.lengths, own.lengths)]
        changed = [(n, new) for n, new, old in arrays if new is not None and not same(new, old)]
        assert call.weights.keys() == own.weights.keys()
        changed += [(n, w) for n, w in call.weights.items() if not same(w, own.weights[n])]
        found += changed
    return found


def same(one: Array, other: Array) -> bool:
    return one.shape == other.shape and np.array_equal(one, other)


SHAPES = [
    ("wrong_inputs_refused", CASE, {"inputs": [(7, 4, 6), (7, 4, 4), (1, 7, 4, 5)]}),
    ("wrong_inputs_refused", SINGLE, {"inputs": [(7, 6), (7, 4), (1, 1, 7, 5)]}),
    ("wrong_states_refused", CASE, {"h_0": [(3, 4, 3), (2, 4, 4), (2, 4, 1)]}),
    ("wrong_rows_refused", SINGLE, {"h_0": [(2, 2, 3)]}),
    (
        "wrong_rows_refused",
        CASE,
        {"h_0": [(2, 1, 3), (2, 5, 3)], "inputs": [(7, 1, 5)], "lengths": [(1,)]},
    ),
    (
        "wrong_rows_refused",
        BATCH_FIRST,
        {"h_0": [(2, 1, 3), (2, 5, 3)], "inputs": [(1, 7, 5)], "lengths": [(1,)]},
    ),
    (
        "wrong_weights_refused",
        CASE,
        {name: [(1, *shape[1:])] for name, shape in CASE.options.weight_shapes().items()},
    ),
]


@pytest.mark.parametrize(("check", "case", "shapes"), SHAPES)
def test_what_does_not_fit(
    check: str, case: Case, shapes: dict[str, list[tuple[int, ...]]]
) -> None:
    found: dict[str, list[tuple[int, ...]]] = {}
    for name, array in differences(check, case):
        found.setdefault(name, []).append(array.shape)
    assert found == shapes


def test_lengths_that_fit_nothing() -> None:
    own = CASE.data().lengths
    assert own is not None
    found = [array.tolist() for _, array in differences("lengths_refused", CASE)]
    assert found == [(own + 7).tolist(), [-1] * 4, own[:-1].tolist(), [*own, 1]]


MEMORY: list[Callable[[Array], bool]] = [
    lambda a: a.strides[-1] == 2 * a.itemsize,
    lambda a: a.strides[0] < 0,
    lambda a: bool(a.flags.f_contiguous),
    lambda a: not a.flags.writeable,
    lambda a: a.strides[0] == 0,
]


def test_memory_of_every_kind() -> None:
    strided, _, *rest = calls("memory_layouts", Case())  # the second is what they are held against
    given = [strided, *rest]
    for call, of_the_kind in zip(given, MEMORY, strict=True):
        assert call.h_0 is not None
        arrays = [a for a in (*call.weights.values(), call.inputs, call.h_0) if len(a) > 1]
        assert all(map(of_the_kind, arrays))


def test_steps_that_are_added_are_unlike_any_input_and_any_padding() -> None:
    longer, _ = calls("padding_added", CASE)
    assert longer.inputs.shape == (CASE.T + 3, CASE.B, CASE.I)
    assert (longer.inputs[CASE.T :] == -PADDING).all()


def test_calls_that_meet_in_threads() -> None:
    sizes = [
        (*call.inputs.shape[:2], call.options.hidden_size, call.h_0 is None)
        for call in calls("threads", Case())
    ]
    wanted = {(7, 4, 3, False): 2, (100, 4, 3, False): 1, (11, 5, 3, False): 1, (7, 4, 4, True): 1}
    assert {size: sizes.count(size) for size in sizes} == {
        # three times at once, and once alone for what is expected
        size: 4 * count
        for size, count in wanted.items()
    }


@pytest.mark.parametrize(("adapter", "least"), [(False, LINES // 2 + LINES // 3), (True, 0)])
def test_calls_that_meet_give_way_to_each_other_but_not_those_of_a_framework(
    adapter: bool, least: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    slept, recorder = list[float](), Recorder()
    monkeypatch.setattr(conduct, "sleep", slept.append)
    monkeypatch.setattr(recorder, "adapter", adapter, raising=False)
    assert repeat(recorder, "threads", Case()).outcome == "passed"
    assert len(slept) >= least
    assert bool(slept) != adapter


def test_only_cells_that_are_claimed_and_fit_the_weights_are_tried_in_place_of_another(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(GATES, "gated", 3)
    narrow, wide = Recorder(), Recorder()
    narrow.claims, wide.claims = FEATURES - {"dropout", "relu"}, Recorder.claims | {"gated"}
    for recorder, tried in ((narrow, {"tanh"}), (wide, {"tanh", "relu"})):
        assert repeat(recorder, "options_matter", Case()).outcome == "passed"
        assert {call.options.cell for call in recorder.calls} == tried


def test_an_empty_row_alone_is_empty() -> None:
    own = CASE.data().lengths
    assert own is not None
    found = calls("length_0_refused", CASE, refusing=True)
    assert [call.lengths.tolist() for call in found if call.lengths is not None] == [[0, *own[1:]]]


class WithoutFinalState(Recorder):
    """It gives no h_n, so the last output is carried."""

    claims = Recorder.claims - {"h_n"}


def test_the_last_output_is_carried_where_no_h_n_is_given() -> None:
    recorder, case = WithoutFinalState(), Case(T=6)
    assert repeat(recorder, "split_and_carry", case).outcome == "passed"
    first, second, whole = recorder.calls
    assert second.h_0 is not None
    assert np.array_equal(second.h_0, Plain().run(first).output[-1:])
    assert [len(call.inputs) for call in (first, second, whole)] == [3, 3, 6]
