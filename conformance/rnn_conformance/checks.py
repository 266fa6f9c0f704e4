"""The checks: what is asked of an implementation in each case, and how the answer is judged.

The docstring of a check is its title, and then advice for whoever fails it.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from inspect import getdoc
from typing import Any

import numpy as np

from rnn_conformance import expected, statistics
from rnn_conformance.cases import H0, Case
from rnn_conformance.judgement import Judgement
from rnn_conformance.protocol import DTYPES, Array, Call
from rnn_conformance.subject import (
    Broken,
    Result,
    Subject,
    Violation,
    expected_shapes,
    in_the_dtype,
)

Applies = Callable[[Case, frozenset[str]], bool]


@dataclass(frozen=True)
class Check:
    """One question to an implementation.

    Attributes:
        name: its id, such as "hidden_states".
        title, advice: what it asks, and where to look when it fails.
        clauses: the ids of the clauses of the specification that it holds.
        applies: the cases in which it is asked.
        needs: what it asks for beside what the case has: other layouts, a given h_0, an h_n.
        judge: the judgements of a case; raises Violation where there is nothing to compare.
    """

    name: str
    title: str
    advice: str
    clauses: tuple[str, ...]
    applies: Applies
    needs: frozenset[str]
    judge: Callable[[Subject, Case], Iterator[Judgement]]


CHECKS: dict[str, Check] = {}


def _always(_: Case, __: frozenset[str]) -> bool:
    return True


def _check(
    *clauses: str, applies: Applies = _always, needs: tuple[str, ...] = ()
) -> Callable[[Callable[[Subject, Case], Iterator[Judgement]]], Check]:
    def register(judge: Callable[[Subject, Case], Iterator[Judgement]]) -> Check:
        title, _, advice = (getdoc(judge) or "").partition("\n\n")
        name = judge.__name__
        CHECKS[name] = Check(
            name, title, " ".join(advice.split()), clauses, applies, frozenset(needs), judge
        )
        return CHECKS[name]

    return register


def _contractive(case: Case, _: frozenset[str]) -> bool:
    return case.weights == "contractive"


def _short(case: Case, _: frozenset[str]) -> bool:
    """The cases in which a check calls several times: weights as usual, all but large sizes."""
    return case.weights == "normal" and case.T <= 50 and case.B <= 64


@_check("RNN-SHAPE-1", "RNN-SHAPE-2")
def shape_and_dtype(subject: Subject, case: Case) -> Iterator[Judgement]:
    """Every result is an array of the documented shape and of the dtype of the input.

    A float64 result of a float32 call is promoted somewhere (a Python float, a float64 constant); a
    missing axis of size 1 is a squeeze() without an axis.
    """
    data, (_, answer) = case.data(), subject.first(case)
    subject.ordered(answer, data, case.layout)
    for name, shape in expected_shapes(data, case.layout).items():
        value: Array | None = getattr(answer, name)
        if value is not None:
            in_the_dtype(f"{name} {shape}", value, case.dtype)
    return iter(())


@_check("RNN-CELL-1", "RNN-STATE-1", "RNN-PREC-1")
def hidden_states(subject: Subject, case: Case) -> Iterator[Judgement]:
    """Every hidden state follows from the one before it.

    h_t = tanh(W_xh x_t + b_xh + W_hh h_{t-1} + b_hh), judged from the implementation's own
    h_{t-1}. Wrong at step 0 only: look at h_0. Right at step 0 only: look at how the state is
    carried, and at W_hh. Wrong everywhere: weights transposed, a bias missing, another activation.
    """
    yield expected.steps(case, subject.result(case).hidden_states)


@_check("RNN-PREC-2", applies=lambda case, _: case.weights == "moderate" and case.dtype in DTYPES)
def systematic_error(subject: Subject, case: Case) -> Iterator[Judgement]:
    """Errors cancel over many states, as those of rounding to nearest do.

    Every state may be near enough and all be wrong in one direction. Where the mean error of h is
    off: a fast tanh, or sums that are truncated. Of a weight: it is kept narrower. Where only the
    root mean square is too large: sums have a few bits less than claimed.
    """
    data = case.data()
    seen = statistics.Trace(data.weights, data.inputs, data.initial, case.dtype)
    yield from statistics.judgements(seen, subject.result(case).hidden_states)


@_check(
    "RNN-CELL-4",
    applies=lambda case, _: _short(case, _) and case.dtype in DTYPES and case.h_0 != "zeros",
)
def nan_is_kept(subject: Subject, case: Case) -> Iterator[Judgement]:
    """A NaN in an input makes NaN of the row's states from then on, and of no others.

    Or it is refused with an error. A comparison, a clip or nan_to_num makes a number of it.
    """
    data, at = case.data(), case.T // 2
    inputs = data.inputs.copy()
    inputs[at, 0, 0] = np.nan
    call = replace(data, inputs=inputs).call(case.layout)
    try:
        found = subject.ordered(subject.answer(call), data, case.layout).hidden_states
    except Broken:
        raise
    except Violation:
        subject.result(case)  # refused, if it does compute what has no NaN
        return
    expected_nan = np.zeros(found.shape)
    expected_nan[at:, 0] = 1
    yield Judgement(
        "NaN in hidden_states", expected_nan, np.isnan(found) * 1.0, 0.0, "by its clause"
    )


@_check("RNN-STATE-3", needs=("h_n",))
def final_state(subject: Subject, case: Case) -> Iterator[Judgement]:
    """The final state is the state after the last step.

    It is judged from the implementation's own state before the last step.
    """
    result = subject.result(case)
    yield expected.last_step(case, result.hidden_states, result.part("h_n"))


@_check("RNN-READ-1")
def outputs(subject: Subject, case: Case) -> Iterator[Judgement]:
    """Every output is the readout of the state of the same step.

    y_t = W_ho h_t + b_ho, judged from the implementation's own h_t.
    """
    result = subject.result(case)
    yield expected.readout(case, result.hidden_states, result.part("outputs"))


@_check("RNN-CELL-1", applies=_contractive)
def trajectory(subject: Subject, case: Case) -> Iterator[Judgement]:
    """Whole trajectories agree with the NumPy reference, where the recurrence contracts.

    The reference runs in float64; the bound is the one-step bound, carried through time.
    """
    yield expected.trajectory(case, subject.result(case).hidden_states)


@_check(
    "RNN-LAYOUT-2",
    applies=lambda case, claimed: _contractive(case, claimed) and case.layout == "time_first",
    needs=("single",),
)
def single_equals_column(subject: Subject, case: Case) -> Iterator[Judgement]:
    """A sequence alone gives what it gives as a column of a batch.

    If `hidden_states` passes for batches only: is an input of rank 2 (T, input_size) mistaken for a
    batch of T sequences of one step?
    """
    batched = subject.result(case)
    for row in sorted({*range(min(case.B, 4)), case.B - 1}):
        single = subject.run(case.data().row(row), "single")
        yield from expected.same(case, batched.row(row), single, row)


@_check(
    "RNN-LAYOUT-1",
    applies=lambda case, claimed: _contractive(case, claimed) and case.layout == "batch_first",
    needs=("time_first",),
)
def batch_first_equals_time_first(subject: Subject, case: Case) -> Iterator[Judgement]:
    """The order of the axes changes nothing but the order of the axes.

    It concerns inputs, hidden states and outputs, and neither h_0 nor the final state. A reshape
    where a transpose is meant mixes sequences with time.
    """
    time_first = subject.result(replace(case, layout="time_first"))
    yield from expected.same(case, time_first, subject.result(case))


@_check(
    "RNN-STATE-1",
    applies=lambda case, claimed: _contractive(case, claimed) and case.h_0 == "none",
    needs=("h_0",),
)
def omitted_h_0_is_zeros(subject: Subject, case: Case) -> Iterator[Judgement]:
    """An omitted h_0 gives what zeros give."""
    zeros = subject.result(replace(case, h_0="zeros"))
    yield from expected.same(case, zeros, subject.result(case))


@_check("RNN-MEM-1")
def inputs_unchanged(subject: Subject, case: Case) -> Iterator[Judgement]:
    """Nothing that goes in is written to: weights, inputs and h_0 are the same afterwards.

    An in-place operation works on the caller's memory: copy h_0 before the loop.
    """
    after, _ = subject.first(case)
    yield from expected.unchanged(_given(case.call()), _given(after))


@_check("RNN-MEM-2", applies=_short)
def earlier_results_kept(subject: Subject, case: Case) -> Iterator[Judgement]:
    """What one call returned is not changed by the next ones.

    Results that are views of a buffer of the model are overwritten by a later call.
    """
    data = case.data()
    answer = subject.answer(data.call(case.layout))
    kept = subject.ordered(answer, data, case.layout).copy()
    for later in range(1, 4):  # more than one: two buffers may take turns
        subject.run(replace(case, seed=case.seed + later).data(), case.layout)
    now = subject.ordered(subject.reread(answer), data, case.layout)
    for name, was in kept.parts().items():
        yield expected.identical(f"{name} after other calls", was, now.parts()[name])


@_check("RNN-CALL-1", applies=_short)
def calls_are_independent(subject: Subject, case: Case) -> Iterator[Judgement]:
    """A call computes the same whatever was called before: other sizes, other weights, a given h_0.

    Look for a state carried over from the last call when h_0 is omitted, and for weights or shapes
    cached at the first call.
    """
    larger = replace(case, T=case.T + 4, B=case.B + (case.layout != "single"))
    given: H0 = "nonzero" if "h_0" in subject.claimed else "none"
    alike = replace(case, seed=case.seed + 1, h_0=given)
    for other in (larger, alike):
        subject.run(other.data(), case.layout)
        yield from _states_and_outputs(case, subject.run(case.data(), case.layout))


@_check("RNN-CALL-1", applies=_short)
def changes_in_place_are_seen(subject: Subject, case: Case) -> Iterator[Judgement]:
    """Weights, inputs and h_0 that were changed in place count in the next call.

    Look for weights that were packed, transposed or cached under the identity of an array.
    """
    call, other = case.call(), replace(case, seed=case.seed + 1)
    subject.answer(call)
    list(expected.unchanged(_given(case.call()), _given(call)))  # all of it is still there
    for name, value in _given(other.call()).items():
        if value is not None:
            _given(call)[name][...] = value
    result = subject.ordered(subject.answer(call), other.data(), case.layout)
    yield from _states_and_outputs(other, result)


def _states_and_outputs(case: Case, result: Result) -> Iterator[Judgement]:
    yield expected.steps(case, result.hidden_states)
    if result.outputs is not None:
        yield expected.readout(case, result.hidden_states, result.outputs)


def _given(call: Call) -> dict[str, Any]:
    """Everything that goes in, by name."""
    return {**call.weights, "inputs": call.inputs, "h_0": call.h_0}
