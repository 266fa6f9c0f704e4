"""Checks of dropout, judged by what can be judged of a random thing.

The docstring of a check is its title, and then advice for whoever fails it.
"""

from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from rnn_conformance.bounds.balls import Float64, Precision
from rnn_conformance.bounds.judgement import Judgement
from rnn_conformance.cases.case import Case, Data
from rnn_conformance.cases.expected import Expectation, whole
from rnn_conformance.cells.weights import handing_on, with_inputs_scaled
from rnn_conformance.checks.registry import (
    check,
    comparable,
    in_whole,
    of_usual_size,
    relational,
)
from rnn_conformance.checks.relations import same
from rnn_conformance.checks.subject import Subject, ordered
from rnn_conformance.contract.call import Answer, Array

P, UNITS = 9 / 32, 256  # a share that 4 bits do not have; so many are drawn that it shows
SIGMAS = 6
LEAK = 1e-20  # of what is zero, through a gate that is shut


def of_several_usual(case: Case, _: frozenset[str]) -> bool:
    """Several layers with biases, of the sizes for which the limits of chance are worked out."""
    shows = case.L > 1 and case.bias != "off" and not case.padding_nan
    return shows and comparable(case) and of_usual_size(case)


@check("RNN-DROP-1", presumes=in_whole(lambda c: c.L > 1), among=relational, needs=("dropout",))
def dropout_off_in_evaluation(subject: Subject, case: Case) -> Iterator[Judgement]:
    """In evaluation, a layer with dropout computes what it does without."""
    data = case.data()
    with_dropout = replace(data, options=replace(data.options, dropout=0.5))
    yield from same(case, subject.result(case), subject.run(with_dropout, case.layout))


@check("RNN-DROP-4", presumes=in_whole(), among=relational, needs=("dropout",))
def training_without_dropout(subject: Subject, case: Case) -> Iterator[Judgement]:
    """In training, a layer without dropout computes what it does in evaluation."""
    yield from same(case, subject.result(case), _training(subject, case.data(), case))


@check(
    "RNN-DROP-2",
    presumes=lambda case, claimed: case.equation.memoryless and of_several_usual(case, claimed),
    among=relational,
    needs=("dropout",),
)
def dropout_between_layers(subject: Subject, case: Case) -> Iterator[Judgement]:
    """In training, a share p of what a layer hands on is zero, the rest is scaled by 1 / (1 - p).

    The layers are built to show it: the inputs are ones, and each hands on what it reads. Every
    number is drawn by itself: from call to call, step to step and so on, as many change to zero and
    back as chance has it. Shares may be six standard deviations off.
    """
    data, limit = _show_the_mask(case), _with_all_kept(case)
    calls = [_training(subject, data, case) for _ in range(2)]
    for answer in calls:
        yield _zero_or("output", case, answer.output, limit.output, limit.output_bound)
        if answer.h_n is not None:
            yield _zero_or("h_n", case, answer.h_n, limit.h_n, limit.h_n_bound)
    T, B, _ = data.inputs.shape
    sizes = (len(calls), T, B, data.options.directions, data.options.hidden_size)
    zero = _is_zero(np.stack([answer.output for answer in calls])).reshape(sizes)
    p = 1 - (1 - P) ** (case.L - 1)
    yield _share("zeros", zero, p)
    for axis, name in enumerate(("calls", "steps", "rows", "directions", "units")):
        pairs = sizes[axis] // 2
        if pairs:  # no number is in two of them, so that all are independent
            first, second = (zero.take(range(i, 2 * pairs, 2), axis) for i in range(2))
            yield _share(f"changes between {name}", first != second, 2 * p * (1 - p))


@check("RNN-DROP-2", presumes=in_whole(lambda c: c.L == 1), among=relational, needs=("dropout",))
def dropout_not_on_the_inputs(subject: Subject, case: Case) -> Iterator[Judgement]:
    """In training, a single layer drops nothing: its inputs come from no layer."""
    data = case.data()
    data = replace(data, options=replace(data.options, dropout=0.5))
    yield from same(case, subject.result(case), _training(subject, data, case))


@check("RNN-DROP-3", presumes=of_several_usual, among=relational, needs=("dropout",))
def dropout_not_after_the_last_layer(subject: Subject, case: Case) -> Iterator[Judgement]:
    """Dropout never touches what the last layer gives.

    The last layer here does not look at what it reads: dropout between layers does not show.
    """
    data = case.data()
    blind = with_inputs_scaled(data.weights, 0, range(case.L - 1, case.L))
    data = replace(data, weights=blind, options=replace(data.options, dropout=0.5))
    in_training = _training(subject, data, case)
    limit = whole(data, Precision.of(case.dtype))
    yield Judgement("output", limit.output, in_training.output, limit.output_bound, limit.reason)


def _training(subject: Subject, data: Data, case: Case) -> Answer:
    call = replace(data.call(case.layout), training=True)
    return ordered(subject.answer(call), data, case.layout)


def _show_the_mask(case: Case) -> Data:
    """Layers of many units, which hand on what they read: ones."""
    options = replace(case.options, hidden_size=UNITS, dropout=P)
    weights = handing_on(options, case.dtype, case.equation.pins)
    data = case.data()
    return replace(
        data,
        options=options,
        weights=weights,
        inputs=np.ones_like(data.inputs),
        h_0=None,
        lengths=None,
    )


@lru_cache(maxsize=64)
def _with_all_kept(case: Case) -> Expectation:
    """What is expected of these where nothing is dropped: the same of every implementation."""
    data = _show_the_mask(case)
    kept = with_inputs_scaled(data.weights, 1 / (1 - P), range(1, case.L))
    return whole(replace(data, weights=kept), Precision.of(case.dtype))


def _zero_or(what: str, case: Case, found: Array, kept: Float64, bound: Float64) -> Judgement:
    """What went through dropout: zero, or the number that nothing was dropped from."""
    roundings = 4 * (case.L - 1) * Precision.of(case.dtype).u * np.abs(kept)
    reason = "zero, or scaled by 1 / (1 - p) for each layer below, with four roundings for each"
    return Judgement(what, np.where(_is_zero(found), 0, kept), found, bound + roundings, reason)


def _is_zero(found: Array) -> npt.NDArray[np.bool_]:
    zero: npt.NDArray[np.bool_] = np.abs(found) <= LEAK
    return zero


def _share(what: str, drawn: npt.NDArray[np.bool_], p: float) -> Judgement:
    """How many of these draws came out true, each with probability p."""
    n, one = drawn.size, np.ones((1, 1, 1))
    reason = f"{SIGMAS} standard deviations of the mean of {n} draws"
    limit = SIGMAS * np.sqrt(p * (1 - p) / n)
    return Judgement(f"share of {what}", p * one, np.mean(drawn) * one, limit, reason)
