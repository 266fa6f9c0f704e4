"""Checks of values: what a layer computes, number by number.

The docstring of a check is its title, and then advice for whoever fails it.
"""

from collections.abc import Iterator

from rnn_conformance.bounds import statistics
from rnn_conformance.bounds.balls import Precision
from rnn_conformance.bounds.judgement import Judgement
from rnn_conformance.cases import expected
from rnn_conformance.cases.case import Case
from rnn_conformance.cells.cell import Trace
from rnn_conformance.cells.weights import of_cell
from rnn_conformance.checks.registry import EQUATION, check, in_whole, relational
from rnn_conformance.checks.subject import (
    Subject,
    expected_shapes,
    given,
    parts_of,
)
from rnn_conformance.contract.call import DTYPES
from rnn_conformance.contract.refusal import in_the_dtype


@check("RNN-SHAPE-1", "RNN-SHAPE-2")
def shape_and_dtype(subject: Subject, case: Case) -> Iterator[Judgement]:
    """Output, h_n and readout have the documented shape and the dtype of the input.

    h_n keeps the batch second, whatever batch_first says; a missing axis of size 1 is a squeeze()
    without an axis. A float64 result of a float32 call is promoted somewhere (a Python float, a
    float64 constant).
    """
    subject.result(case)
    shapes = expected_shapes(case.data(), case.layout)
    for name, value in parts_of(subject.raw(case)).items():
        if name in shapes:
            in_the_dtype(f"{name} {shapes[name]}", value, case.dtype)
    return iter(())


@check(
    EQUATION, "RNN-CELL-3", "RNN-STATE-1", "RNN-DIR-1", "RNN-DIR-2", "RNN-DIR-3",
    "RNN-LAYER-1", "RNN-LAYER-2", "RNN-LAYOUT-1", "RNN-LAYOUT-2", "RNN-LEN-3",
    "RNN-LEN-4", "RNN-PREC-1",
)  # fmt: skip
def output(subject: Subject, case: Case) -> Iterator[Judgement]:
    """Every number of the output is right: step by step for one layer, as a whole for several.

    Of one layer each state is judged from the implementation's own state before it. So it is in
    cases of the kind `transparent`: all layers but one hand on what they read there, so that the
    output shows the states of that one, `dense_l1` in the name of the case. Wrong at step 0
    only: look at h_0. Right at step 0 only: look at how the state is carried, and at W_hh. Wrong
    everywhere: weights transposed, a bias missing, another activation. Else, which cases fail tells
    where to look: only those with `relu`, `bidirectional`, `reverse`, L above 1, `unsorted`
    lengths, `no_bias`, one layout, or one kind of h0.
    """
    result = subject.result(case)
    yield expected.judge_output(subject.expected(case), result)


@check("RNN-STATE-2", "RNN-STATE-3", "RNN-LEN-2", needs=("h_n",))
def final_state(subject: Subject, case: Case) -> Iterator[Judgement]:
    """h_n holds the last state of every layer and direction, in that order.

    The last state of the reverse direction is the one at step 0; with lengths, that of the forward
    direction is at the row's own last step.
    """
    result = subject.result(case)
    h_n = given(result, "h_n")
    yield from expected.judge_h_n(subject.expected(case), h_n, case.options.parts)


@check("RNN-READ-1", presumes=lambda case, _: case.O > 0, needs=("readout",))
def readout(subject: Subject, case: Case) -> Iterator[Judgement]:
    """Every y_t is the readout of the output of the same step.

    y_t = W_ho h_t + b_ho, judged from the implementation's own h_t.
    """
    result = subject.result(case)
    y = given(result, "y")
    yield expected.judge_readout(case.data(), Precision.of(case.dtype), result.output, y)


@check(
    EQUATION,
    presumes=in_whole(lambda case: case.L == 1),
    among=relational,
)
def trajectory(subject: Subject, case: Case) -> Iterator[Judgement]:
    """Whole trajectories of one layer agree with what float64 gives, if the recurrence contracts.

    The bound is the one-step bound, carried through time.
    """
    yield expected.judge_output(expected.as_a_whole(case), subject.result(case))


@check(
    "RNN-PREC-2",
    presumes=lambda case, _: case.weights == "moderate" and not case.drawn and case.dtype in DTYPES,
)
def systematic_error(subject: Subject, case: Case) -> Iterator[Judgement]:
    """Errors cancel over many states, as those of rounding to nearest do.

    Every state may be near enough and all be wrong in one direction. Where the mean error of h is
    off: a fast tanh, or sums that are truncated. Of a weight: it is kept narrower. Where only the
    root mean square is too large: sums have a few bits less than claimed.
    """
    data = case.data()
    weights = of_cell(data.weights, 0, 0, data.options)
    seen = Trace(weights, data.inputs, data.initial[0], case.dtype)
    means = case.equation.statistics(seen, subject.result(case).output)
    yield from statistics.judgements(means, case.dtype)
