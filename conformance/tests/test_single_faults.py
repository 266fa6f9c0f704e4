"""Each thing that a check looks at, wrong alone: the record's message begins with it.

What are numbers in results is in `test_comparisons`; here is the rest: what is not refused, what is
written to, NaN and infinity in the wrong place, options that are ignored, dropout.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from rnn_conformance import repeat
from rnn_conformance.cases.case import Case
from rnn_conformance.contract.call import FEATURES, Answer, Call
from rnn_conformance.variants.healthy import Plain

ONE = Case(O=2)
STACK = Case(O=2, L=3, bidirectional=True)
RAGGED = Case(O=2, L=3, bidirectional=True, lengths="unsorted")
SINGLE = replace(STACK, layout="single", B=1)
BATCH_FIRST = replace(STACK, layout="batch_first")
Change = Callable[[Answer, Call], Any]


class AtCall(Plain):
    """Right, but for what is done at one call, counted from 0."""

    name = "AtCall"
    claims = FEATURES - {"dropout"}

    def __init__(self, at: int, change: Change, **conventions: str) -> None:
        self.at, self.change, self.conventions, self.count = at, change, conventions, -1

    def run(self, call: Call) -> Any:
        self.count += 1
        with np.errstate(all="ignore"):
            answer = super().run(call)
        return self.change(answer, call) if self.count == self.at else answer


class TakesOne(AtCall):
    """Refuses every call but one."""

    def run(self, call: Call) -> Any:
        self.count += 1
        if self.count != self.at:
            raise ValueError("refused")
        return Answer(np.zeros(1))


def nothing(answer: Answer, call: Call) -> Answer:
    return answer


WEIGHTS = [
    f"{kind}_l{layer}{end} of one row"
    for layer in range(3)
    for end in ("", "_reverse")
    for kind in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
]
INPUTS = ["inputs with a feature too many", "inputs with a feature too few", "inputs of rank 4"]
STATES = ["h_0 with a layer too many", "h_0 with a unit too many", "h_0 of one unit"]
ROWS = ["h_0 of one row", "h_0 with a row too many", "h_0 of several rows for one"]
LENGTHS = [
    f"lengths {what}" for what in ("beyond T", "below 0", "of too few rows", "of too many rows")
]
REFUSED: list[tuple[str, Case, list[str]]] = [
    ("wrong_inputs_refused", STACK, INPUTS),
    ("wrong_states_refused", STACK, STATES),
    ("wrong_states_refused", SINGLE, STATES),
    ("wrong_rows_refused", STACK, ROWS),
    ("wrong_rows_refused", BATCH_FIRST, ROWS),
    ("wrong_rows_refused", RAGGED, ROWS),
    ("wrong_rows_refused", SINGLE, ["h_0 of two rows for one sequence"]),
    ("wrong_weights_refused", STACK, [*WEIGHTS, "W_ho of one row", "b_ho of one row"]),
    ("lengths_refused", RAGGED, LENGTHS),
    ("no_steps_refused", STACK, ["no steps"]),
    ("no_rows_refused", STACK, ["no rows"]),
    ("length_0_refused", RAGGED, ["a length of 0"]),
]
EDGES = ("T = 0", "B = 0", "length 0", "wrong sizes")


@pytest.mark.parametrize(("check", "case", "what"), REFUSED)
def test_each_call_that_is_taken_is_named(check: str, case: Case, what: list[str]) -> None:
    refused = dict.fromkeys(EDGES, "refused")
    for at, one in enumerate(what):
        found = repeat(TakesOne(at, nothing, **refused), check, case)
        assert found.message == f"{one}: expected an exception, got a result"
    assert repeat(TakesOne(len(what), nothing, **refused), check, case).outcome == "passed"


@pytest.mark.parametrize("at", [0, 1])
@pytest.mark.parametrize("name", ["weight_hh_l2_reverse", "inputs", "h_0", "lengths"])
def test_each_array_that_is_written_to_is_named(name: str, at: int) -> None:
    def written(answer: Answer, call: Call) -> Answer:
        array = {**call.weights, **vars(call)}[name]
        array[(-1,) * array.ndim] -= 1
        return answer

    found = repeat(AtCall(at, written), "inputs_unchanged", RAGGED)
    assert found.outcome == "failed"
    assert found.message.startswith(f"{name}, which was given: step ")


@pytest.mark.parametrize("shape", [(1, 15), (15, 1), (5, 3)])
def test_each_array_that_is_put_into_another_shape_is_named(shape: tuple[int, int]) -> None:
    def reshaped(answer: Answer, call: Call) -> Answer:
        weights: Any = call.weights
        weights["weight_ih_l0"] = weights["weight_ih_l0"].reshape(shape)
        return answer

    found = repeat(AtCall(0, reshaped), "inputs_unchanged", ONE)
    assert found.message == f"weight_ih_l0: came back with shape {shape}, was (3, 5)"


@pytest.mark.parametrize("name", ["changes_in_place_are_seen", "inputs_unchanged"])
def test_each_array_that_is_taken_away_is_named(name: str) -> None:
    def taken(answer: Answer, call: Call) -> Answer:
        weights: Any = call.weights
        weights["weight_ih_l0"] = None
        return answer

    found = repeat(AtCall(0, taken), name, ONE)
    assert found.message == "weight_ih_l0: was an array, came back as NoneType"


class Keeps(AtCall):
    """Takes the last number of an array from the first call, in all others."""

    def __init__(self, name: str) -> None:
        super().__init__(-1, nothing)
        self.array, self.kept = name, dict[str, Any]()

    def run(self, call: Call) -> Any:
        array = {**call.weights, **vars(call)}[self.array].copy()
        last = (-1,) * array.ndim
        array[last] = self.kept.setdefault("last", array[last])
        if self.array in call.weights:
            return super().run(replace(call, weights={**call.weights, self.array: array}))
        return super().run(replace(call, **{self.array: array}))


@pytest.mark.parametrize("name", [*ONE.call().weights, "inputs", "h_0"])
def test_each_array_whose_change_is_not_seen_is_named(name: str) -> None:
    found = repeat(Keeps(name), "changes_in_place_are_seen", ONE)
    part = "y" if name in ("W_ho", "b_ho") else "output"
    assert found.message.startswith(f"{part} after a change of {name}: step ")


@pytest.mark.parametrize("name", ["weight_hh_l2_reverse", "b_ho", "inputs", "h_0"])
def test_of_several_layers_all_is_changed_at_once(name: str) -> None:
    found = repeat(Keeps(name), "changes_in_place_are_seen", STACK)
    assert found.message.startswith(("output: step ", "y: step "))


@pytest.mark.parametrize("at", [1, 2, 3])
@pytest.mark.parametrize("part", ["output", "h_n", "y"])
def test_each_result_that_a_later_call_changes_is_named(part: str, at: int) -> None:
    kept: list[Answer] = []

    class Overwriting(Plain):
        def run(self, call: Call) -> Answer:
            kept.append(super().run(call))
            if len(kept) == at + 1:
                array = getattr(kept[0], part)
                array[(-1,) * array.ndim] += 1
            return kept[-1]

    found = repeat(Overwriting(), "earlier_results_kept", STACK)
    assert found.message.startswith(f"{part} after other calls: step ")
    assert len(kept) == 4


def put(part: str, index: Any, value: float) -> Change:
    """One number of a result is another."""

    def changed(answer: Answer, call: Call) -> Answer:
        array = getattr(answer, part).copy()
        array[index] = value
        return replace(answer, **{part: array})

    return changed


ONE_RAGGED = Case(O=2, bidirectional=True, lengths="unsorted")
STEPS = ONE_RAGGED.data().steps
LONGEST, SHORTEST = int(np.argmax(STEPS)), int(np.argmin(STEPS))
AT = ONE_RAGGED.T // 2
NAN, OTHER = " (1 for NaN, 0 for numbers): step ", ": step "


@pytest.mark.parametrize(
    ("part", "index", "value", "message"),
    [
        ("output", (AT, LONGEST, 0), 0.5, f"output{NAN}{AT}, row {LONGEST}, unit 0:"),
        ("output", (-1, LONGEST, 2), 0.5, f"output{NAN}6, row {LONGEST}, unit 2:"),
        ("output", (AT, LONGEST, -1), 0.5, f"output{NAN}{AT}, row {LONGEST}, unit 5:"),
        ("output", (0, LONGEST, 3), 0.5, f"output{NAN}0, row {LONGEST}, unit 3:"),
        ("output", (AT - 1, LONGEST, 2), np.nan, f"output{NAN}{AT - 1}, row {LONGEST}, unit 2:"),
        ("output", (AT + 1, LONGEST, 3), np.nan, f"output{NAN}{AT + 1}, row {LONGEST}, unit 3:"),
        ("output", (0, SHORTEST, 5), np.nan, f"output{NAN}0, row {SHORTEST}, unit 5:"),
        ("output", (AT - 1, LONGEST, 2), 9, f"output{OTHER}{AT - 1}, row {LONGEST}, unit 2:"),
        ("output", (-1, LONGEST, 3), 9, f"output{OTHER}5, row {LONGEST}, unit 3:"),
        ("output", (0, SHORTEST, 5), 9, f"output{OTHER}0, row {SHORTEST}, unit 5:"),
        ("h_n", (0, LONGEST, 0), 0.5, f"h_n{NAN}0, row {LONGEST}, unit 0:"),
        ("h_n", (1, LONGEST, 2), 0.5, f"h_n{NAN}1, row {LONGEST}, unit 2:"),
        ("h_n", (1, SHORTEST, 2), np.nan, f"h_n{NAN}1, row {SHORTEST}, unit 2:"),
        ("h_n", (1, SHORTEST, 2), 9, "h_n (step is layer·D + direction): step 1, row "),
        ("y", (0, LONGEST, 0), 0.5, f"y{NAN}0, row {LONGEST}, unit 0:"),
        ("y", (-1, LONGEST, 1), 0.5, f"y{NAN}6, row {LONGEST}, unit 1:"),
        ("y", (0, SHORTEST, 1), np.nan, f"y{NAN}0, row {SHORTEST}, unit 1:"),
        ("y", (0, SHORTEST, 1), 9, f"y{OTHER}0, row {SHORTEST}, unit 1:"),
    ],
)
def test_nan_in_the_wrong_place(part: str, index: Any, value: float, message: str) -> None:
    found = repeat(AtCall(0, put(part, index, value)), "nan_is_propagated", ONE_RAGGED)
    assert found.message.startswith(message)


@pytest.mark.parametrize("cell", ["tanh", "relu"])
@pytest.mark.parametrize(("at", "sign"), [(0, ""), (1, "-")])
def test_infinity_in_the_wrong_place(at: int, sign: str, cell: str) -> None:
    case = replace(ONE_RAGGED, cell=cell)
    wrong = put("output", (0, LONGEST, -1), 0.5)
    found = repeat(AtCall(at, wrong), "infinities_are_kept", case)
    assert found.message.startswith(f"output at an input of {sign}inf: step 0, row 0, unit 5:")
    right = put("output", (0, LONGEST, -1), np.nan)
    assert repeat(AtCall(at, right), "infinities_are_kept", case).outcome == "passed"


@pytest.mark.parametrize(("at", "name"), [(1, "bias"), (2, "h_0"), (3, "nonlinearity")])
def test_each_option_that_is_ignored_is_named(at: int, name: str) -> None:
    def ignored(answer: Answer, call: Call) -> Answer:
        return Plain().run(ONE.call())

    found = repeat(AtCall(at, ignored), "options_matter", ONE)
    assert found.message == f"output: expected another one when {name} is changed, got the same"


@pytest.mark.parametrize("part", ["output", "h_n", "y"])
def test_each_result_of_another_dtype_is_named(part: str) -> None:
    def wider(answer: Answer, call: Call) -> Answer:
        return replace(answer, **{part: getattr(answer, part).astype(np.float64)})

    found = repeat(AtCall(0, wider), "shape_and_dtype", BATCH_FIRST)
    assert found.message.startswith(f"{part} (")
    assert found.message.endswith("expected dtype float32, got float64")


@pytest.mark.parametrize("case", [RAGGED, replace(RAGGED, layout="batch_first")])
def test_the_last_number_of_the_padding_counts(case: Case) -> None:
    t, b = np.argwhere(~case.data().real[..., 0])[-1]
    index = (t, b, -1) if case.layout == "time_first" else (b, t, -1)
    wrong = AtCall(0, put("output", index, 1e-30), **{"padded output": "zeros"})
    found = repeat(wrong, "padding_is_zero", case)
    assert found.message.startswith(f"output in the padding: step {t}, row {b}, unit 5:")


class Empty(Plain):
    """A row without steps gives h_0, and so does a call without any."""

    claims = FEATURES - {"dropout"}
    conventions = {"T = 0": "empty", "length 0": "h_0"}  # noqa: RUF012
    shortest = 0

    def __init__(self, change: Change = nothing, at: int = 0) -> None:
        self.change, self.at, self.count = change, at, -1

    def run(self, call: Call) -> Any:
        self.count += 1
        if call.inputs.shape[0] == 0:
            assert call.h_0 is not None
            T, B, _ = call.inputs.shape
            o = call.options
            shape = (T, B, o.directions * o.hidden_size)
            answer = Answer(
                np.zeros(shape, call.dtype), call.h_0.copy(), np.zeros((T, B, 2), call.dtype)
            )
        else:
            answer = super().run(call)
        return self.change(answer, call) if self.count == self.at else answer

    def last(self, states: Any, h_0: Any, steps: Any, d: int) -> Any:
        return np.where(steps[:, None] > 0, super().last(states, h_0, steps, d), h_0)


LAST = (-1, -1, -1)


def test_no_steps_give_h_0() -> None:
    asked = "no_steps_give_h_0", STACK
    assert repeat(Empty(), *asked).outcome == "passed"
    found = repeat(Empty(put("h_n", LAST, 0.5)), *asked)
    assert found.message.startswith("h_n: step 5, row 3, unit 2: ")


@pytest.mark.parametrize(
    ("part", "index", "value", "message"),
    [
        ("h_n", (-1, 0, -1), 0.5, "h_n of the empty row: step 5, row 0, unit 2: "),
        ("output", (-1, 0, -1), 1e-30, "output of the empty row: step 6, row 0, unit 5: "),
        ("output", (0, -1, -1), 0.5, "output of the others: step 0, row 2, unit 5: "),
        ("h_n", LAST, 0.5, "h_n of the others: step 5, row 2, unit 2: "),
    ],
)
def test_a_length_of_0_gives_h_0(part: str, index: Any, value: float, message: str) -> None:
    asked = "length_0_gives_h_0", RAGGED
    assert repeat(Empty(), *asked).outcome == "passed"
    wrong = Empty(put(part, index, value), at=1)  # the first call is the case as it is
    assert repeat(wrong, *asked).message.startswith(message)
