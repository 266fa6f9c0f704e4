"""Every comparison in a check counts: one number wrong in one call, and nothing else, is a failure.

A right implementation is asked all that a check asks. Then, for each call and each result in turn,
its first or last number is moved, and the record has to say so.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import product

import numpy as np
import pytest
from rnn_conformance import repeat
from rnn_conformance.cases.case import Case
from rnn_conformance.cases.expected import as_a_whole
from rnn_conformance.checks.records import Record
from rnn_conformance.checks.subject import parts_of
from rnn_conformance.contract.call import FEATURES, Answer, Array, Call
from rnn_conformance.variants.healthy import WiderInside

ONE = Case(O=2)
RAGGED = Case(O=2, bidirectional=True, lengths="unsorted")
STACK = Case(O=2, L=3, bidirectional=True)
BATCH_FIRST = Case(O=2, L=2, layout="batch_first")
INSIDE = [
    Case(L=2, bidirectional=True, lengths="unsorted", cell=cell, weights="transparent", dense=dense)
    for cell, dense in product(("tanh", "relu", "lstm", "gru"), (0, 1))
]
FAR = 1e-3  # thousands of times any bound here


class Moved(WiderInside):
    """All but exact, except for one number of one part of the answer to one call."""

    name = "Moved"
    claims = FEATURES | {"lstm", "gru"}

    def __init__(self, call: int = -1, part: str = "", end: int = 0, by: float = FAR) -> None:
        self.at, self.part, self.end, self.by = call, part, end, by
        self.answers: list[Answer] = []

    def run(self, call: Call) -> Answer:
        answer = super().run(call)
        self.answers.append(answer)
        if len(self.answers) - 1 != self.at:
            return answer
        moved = getattr(answer, self.part).copy()
        moved[self.place(call, moved)] += self.by
        return replace(answer, **{self.part: moved})

    def place(self, call: Call, part: Array) -> tuple[int, ...]:
        """The first number, or the last one that is real: of the last of the longest rows."""
        if self.end == 0 or call.lengths is None:
            return (self.end,) * part.ndim
        row = int(np.flatnonzero(call.lengths == call.lengths.max())[-1])
        if self.part in ("h_n", "c_n"):
            return -1, row, -1
        step = int(call.lengths.max()) - 1
        return (row, step, -1) if call.layout == "batch_first" else (step, row, -1)


@dataclass(frozen=True)
class Compared:
    """What of the answers a check compares: these parts, of the calls from this one on.

    Attributes:
        ends: which of the first and the last number it compares.
    """

    check: str
    case: Case
    parts: tuple[str, ...] = ("output", "h_n")
    first: int = 0
    ends: tuple[int, ...] = (0, -1)

    def __str__(self) -> str:
        return f"{self.check}-{self.case.id}"


ALL = ("output", "h_n", "y")
OF_TWO_RUNS = (
    *(
        Compared(check, case)
        for check in ("rows_permuted", "units_permuted", "negated", "powers_of_two", "repeatable")
        for case in (ONE, RAGGED, STACK, BATCH_FIRST)
    ),
    *(Compared("split_and_carry", case, ALL) for case in (ONE, BATCH_FIRST)),
    *(Compared("omitted_h_0_is_zeros", replace(case, h_0="zeros")) for case in (ONE, RAGGED)),
    *(Compared("padding_added", case) for case in (RAGGED, replace(RAGGED, layout="batch_first"))),
    Compared("batch_first_equals_time_first", BATCH_FIRST),
    Compared("dropout_off_in_evaluation", STACK),
    Compared("dropout_not_on_the_inputs", ONE),
    Compared("training_without_dropout", STACK),
)
OTHERS = (
    Compared("output", ONE, ("output",)),
    Compared("output", RAGGED, ("output",)),
    Compared("output", STACK, ("output",)),
    Compared("trajectory", RAGGED, ("output",)),
    Compared("final_state", RAGGED, ("h_n",)),
    *(Compared("output", case, ("output",)) for case in INSIDE),
    *(Compared("final_state", case, ("h_n", *["c_n"] * (case.cell == "lstm"))) for case in INSIDE),
    Compared("readout", RAGGED, ("output", "y")),
    *(Compared("chain_of_layers", case) for case in (STACK, BATCH_FIRST)),
    Compared("directions_apart", RAGGED),
    Compared("union_of_two", ONE),
    Compared("union_of_two", RAGGED),
    Compared("single_equals_column", STACK),
    Compared("single_equals_column", replace(ONE, B=7)),
    Compared("threads", ONE, ends=(-1,)),  # of dozens of calls
    Compared("memory_layouts", ONE),
    Compared("memory_layouts", BATCH_FIRST),
    Compared("memory_layouts", RAGGED, ("y",), first=5),
    Compared("calls_are_independent", RAGGED, ALL, first=1),
    Compared("calls_are_independent", STACK, ALL, first=1),
    Compared("changes_in_place_are_seen", RAGGED, ALL, first=1),
    Compared("changes_in_place_are_seen", replace(ONE, B=1, layout="single"), ALL, first=1),
    Compared("changes_in_place_are_seen", BATCH_FIRST, ALL, first=1),
    Compared("large_preactivations", STACK, ALL),
    Compared("large_preactivations", RAGGED, ALL),
    Compared("nan_is_propagated", ONE, ALL, ends=(-1,)),  # the first row is the one with NaN
    Compared("nan_is_propagated", RAGGED, ALL, ends=(0,)),  # the longest row is
    Compared("infinities_are_kept", ONE, ("output",), ends=(0,)),  # the first step alone
    Compared("dropout_not_after_the_last_layer", STACK, ("output",)),
)


FEEDS = ("split_and_carry", "chain_of_layers", "readout")  # a result is an input of another call


def failures(of: Compared, end: int) -> Iterator[tuple[int, str, Record]]:
    """A record for each call and part in turn, of which the first or last number is moved."""
    right = Moved()
    assert repeat(right, of.check, of.case).outcome == "passed"
    for call, answer in enumerate(right.answers):
        for part in parts_of(answer):
            if call >= of.first and part in of.parts:
                yield call, part, repeat(Moved(call, part, end), of.check, of.case)


@pytest.mark.parametrize(
    ("of", "end"), [(of, end) for of in (*OF_TWO_RUNS, *OTHERS) for end in of.ends], ids=str
)
def test_every_number_of_every_call_counts(of: Compared, end: int) -> None:
    found = list(failures(of, end))
    assert found
    for call, part, one in found:
        assert one.outcome == "failed", (call, part)
        assert of.check in FEEDS or one.message.startswith(part)


@pytest.mark.parametrize("of", OF_TWO_RUNS, ids=str)
def test_two_runs_may_be_apart_by_both_bounds(of: Compared) -> None:
    """Twice the bound of one, at the place that is named; and no failure within it."""
    limit = as_a_whole(of.case)
    for call, part, one in failures(of, -1):
        if one.first_outside is None or one.message.split(":")[0] != part:
            continue
        at = one.first_outside
        bound = getattr(limit, f"{part}_bound")[at.step, at.row, at.unit]
        assert at.bound == 2 * bound
        for share, outcome in ((0.75, "passed"), (1.25, "failed")):
            moved = Moved(call, part, -1, share * at.bound)
            assert repeat(moved, of.check, of.case).outcome == outcome


@pytest.mark.parametrize("case", [ONE, STACK, RAGGED], ids=lambda case: case.id)
def test_place_of_a_wrong_final_state_is_named(case: Case) -> None:
    longest = int(np.flatnonzero(case.data().steps == case.T)[-1])
    layers = case.L * case.options.directions
    for check in ("final_state", "repeatable", "large_preactivations"):
        at = repeat(Moved(0, "h_n", -1), check, case).first_outside
        assert at is not None
        assert (at.step, at.row, at.unit) == (layers - 1, longest, case.H - 1)
