"""Checks of what a layer does where practice differs, each for those who declare that they do it.

The docstring of a check is its title, and then advice for whoever fails it.
"""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from rnn_conformance.bounds.judgement import Judgement, identical
from rnn_conformance.cases import expected
from rnn_conformance.cases.case import Case, Data
from rnn_conformance.checks.refusals import refused
from rnn_conformance.checks.registry import (
    check,
    comparable,
    relational,
    usual,
)
from rnn_conformance.checks.subject import Subject, given, in_one_order
from rnn_conformance.contract.call import DTYPES
from rnn_conformance.contract.conventions import ZEROS_IN_PADDING, following

ZERO = "zero, by its clause"


def whole(case: Case, _: frozenset[str]) -> bool:
    """Without lengths."""
    return case.lengths == "none"


def batched(case: Case, _: frozenset[str]) -> bool:
    """The same, in batches."""
    return case.lengths == "none" and case.layout != "single"


def with_lengths(case: Case, claimed: frozenset[str]) -> bool:
    """Comparable ones with lengths of every kind: of one dtype, which is enough."""
    dtype = next((d for d in DTYPES if d in claimed), None)
    return comparable(case) and case.dtype == dtype and case.lengths == "unsorted" and case.B > 1


@check("RNN-EMPTY-1", presumes=whole, among=usual, needs=(following("T = 0", "refused"),))
def no_steps_refused(subject: Subject, case: Case) -> Iterator[Judgement]:
    """An input of no steps is refused: `"T = 0"` is `"refused"` unless declared otherwise."""
    return refused(subject, {"no steps": _no_steps(case).call(case.layout)})


@check("RNN-EMPTY-1", presumes=whole, among=usual, needs=("h_n", following("T = 0", "empty")))
def no_steps_give_h_0(subject: Subject, case: Case) -> Iterator[Judgement]:
    """An input of no steps gives h_0 as h_n, which `"T = 0": "empty"` declares."""
    data = _no_steps(case)
    yield identical("h_n", data.initial, given(subject.run(data, case.layout), "h_n"))


@check("RNN-EMPTY-2", presumes=batched, among=usual, needs=(following("B = 0", "refused"),))
def no_rows_refused(subject: Subject, case: Case) -> Iterator[Judgement]:
    """A batch of no rows is refused, which `"B = 0": "refused"` declares."""
    return refused(subject, {"no rows": _no_rows(case).call(case.layout)})


@check("RNN-EMPTY-2", presumes=batched, among=usual, needs=(following("B = 0", "empty"),))
def no_rows_give_none(subject: Subject, case: Case) -> Iterator[Judgement]:
    """A batch of no rows gives results of none: `"B = 0"` is `"empty"` if nothing is declared."""
    subject.run(_no_rows(case), case.layout)
    return iter(())


@check(
    "RNN-LEN-6",
    presumes=with_lengths,
    among=relational,
    needs=(following("length 0", "refused"),),
)
def length_0_refused(subject: Subject, case: Case) -> Iterator[Judgement]:
    """A row of length 0 is refused: `"length 0"` is `"refused"` unless declared otherwise."""
    return refused(subject, {"a length of 0": _one_row_empty(case).call(case.layout)})


@check(
    "RNN-LEN-6",
    presumes=with_lengths,
    among=relational,
    needs=("h_n", following("length 0", "h_0")),
)
def length_0_gives_h_0(subject: Subject, case: Case) -> Iterator[Judgement]:
    """A row of length 0 gives h_0 as h_n, zeros as output, and changes no other row.

    Where the padding is declared to be undefined, the output of such a row is not looked at.
    """
    data, before = _one_row_empty(case), subject.result(case)
    found = in_one_order(subject.answer(data.call(case.layout)), data, case.layout)
    yield identical("h_n of the empty row", data.initial[:, :1], given(found, "h_n")[:, :1])
    if ZEROS_IN_PADDING in subject.claimed:
        none = found.output[:, :1]
        yield Judgement("output of the empty row", np.zeros_like(none), none, 0.0, ZERO)
    limit, others = expected.as_a_whole(case), slice(1, None)
    for name, bound in (("output", limit.output_bound), ("h_n", limit.h_n_bound)):
        was, now = (getattr(answer, name)[:, others] for answer in (before, found))
        yield Judgement(f"{name} of the others", was, now, 2 * bound[:, others], limit.reason)


@check("RNN-LEN-1", presumes=lambda case, _: case.lengths != "none", needs=(ZEROS_IN_PADDING,))
def padding_is_zero(subject: Subject, case: Case) -> Iterator[Judgement]:
    """The output is zero beyond a row's length, as is declared.

    Elsewhere the padding is not looked at. A mask that multiplies leaves NaN where NaN was.
    """
    output = subject.as_given(case).output
    found = np.where(case.data().real, 0, output)
    yield Judgement("output in the padding", np.zeros_like(found), found, 0.0, ZERO)


def _no_steps(case: Case) -> Data:
    data = case.data()
    return replace(data, inputs=data.inputs[:0])


def _no_rows(case: Case) -> Data:
    data = case.data()
    h_0 = None if data.h_0 is None else data.h_0[:, :0]
    return replace(data, inputs=data.inputs[:, :0], h_0=h_0)


def _one_row_empty(case: Case) -> Data:
    data = case.data()
    lengths = data.steps.copy()
    lengths[0] = 0
    return replace(data, lengths=lengths)
