"""Checks of what is refused: inputs, states, weights and lengths that do not fit.

The docstring of a check is its title, and then advice for whoever fails it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np

from rnn_conformance.bounds.judgement import Judgement
from rnn_conformance.cases.case import Case
from rnn_conformance.checks.registry import check, usual
from rnn_conformance.checks.subject import Subject
from rnn_conformance.contract.call import Array, Call
from rnn_conformance.contract.conventions import REFUSES_WRONG_SIZES
from rnn_conformance.contract.refusal import TAKEN, Broken, Violation


def deepest(case: Case, claimed: frozenset[str]) -> bool:
    """Several units, inputs, outputs and rows: what is cut to one of them does not fit.

    Of several layers, or of one where no more are claimed; with an h_0 where that is claimed, since
    without it some frameworks take any number of batch axes.
    """
    several = min(case.I, case.H) > 1 and case.O != 1 and (case.B > 1 or case.layout == "single")
    given = case.h_0 != "none" or "h_0" not in claimed
    return several and given and (case.L > 1) == ("layers" in claimed)


def with_state(case: Case, claimed: frozenset[str]) -> bool:
    """Those of them that have an h_0."""
    return deepest(case, claimed) and case.h_0 != "none"


def with_lengths(case: Case, _: frozenset[str]) -> bool:
    """Several rows with lengths."""
    return case.lengths != "none" and case.B > 1


@check("RNN-ERR-1", presumes=deepest, among=usual, needs=(REFUSES_WRONG_SIZES,))
def wrong_inputs_refused(subject: Subject, case: Case) -> Iterator[Judgement]:
    """Inputs that do not fit are refused with an exception, not filled up or cut off.

    A result here is a wrong one that nobody notices.
    """
    call = case.call()
    inputs = call.inputs
    wrong = {
        "inputs with a feature too many": _one_more(inputs),
        "inputs with a feature too few": inputs[..., :-1].copy(),
        "inputs of rank 4": inputs[(None,) * (4 - inputs.ndim)],
    }
    return refused(subject, {what: replace(call, inputs=value) for what, value in wrong.items()})


@check("RNN-ERR-1", presumes=with_state, among=usual, needs=(REFUSES_WRONG_SIZES,))
def wrong_states_refused(subject: Subject, case: Case) -> Iterator[Judgement]:
    """An h_0 of other layers or units is refused with an exception, not broadcast or cut off.

    A result here is a wrong one that nobody notices.
    """
    call = case.call()
    wrong: dict[str, Call] = {}
    for name, value in call.state.items():
        shapes = {
            "with a layer too many": np.concatenate([value, value[:1]]),
            "with a unit too many": _one_more(value),
            "of one unit": value[..., :1].copy(),
        }
        wrong |= {f"{name} {what}": _with_state(call, name, part) for what, part in shapes.items()}
    return refused(subject, wrong)


@check("RNN-ERR-1", presumes=with_state, among=usual, needs=(REFUSES_WRONG_SIZES,))
def wrong_rows_refused(subject: Subject, case: Case) -> Iterator[Judgement]:
    """An h_0 of another batch than the inputs is refused with an exception, not broadcast.

    A result here is a wrong one that nobody notices.
    """
    call = case.call()
    wrong: dict[str, Call] = {}
    for name, value in call.state.items():
        if case.layout == "single":
            rows = {"of two rows for one sequence": np.stack([value, value], 1)}
        else:
            more = np.concatenate([value, value[:, :1]], 1)
            rows = {"of one row": value[:, :1].copy(), "with a row too many": more}
        wrong |= {f"{name} {what}": _with_state(call, name, part) for what, part in rows.items()}
    if case.layout != "single":
        wrong["h_0 of several rows for one"] = _of_one_row(call)
    return refused(subject, wrong)


@check("RNN-ERR-1", presumes=deepest, among=usual, needs=(REFUSES_WRONG_SIZES,))
def wrong_weights_refused(subject: Subject, case: Case) -> Iterator[Judgement]:
    """Weights that do not fit are refused with an exception, not broadcast.

    A result here is a wrong one that nobody notices.
    """
    call = case.call()
    wrong = {
        f"{name} of one row": replace(call, weights={**call.weights, name: value[:1].copy()})
        for name, value in call.weights.items()
    }
    return refused(subject, wrong)


@check("RNN-ERR-2", presumes=with_lengths, among=usual)
def lengths_refused(subject: Subject, case: Case) -> Iterator[Judgement]:
    """Lengths that fit no row or no step are refused with an exception."""
    call = case.call()
    assert call.lengths is not None
    wrong = {
        "lengths beyond T": call.lengths + case.T,
        "lengths below 0": np.full_like(call.lengths, -1),
        "lengths of too few rows": call.lengths[:-1].copy(),
        "lengths of too many rows": np.append(call.lengths, 1),
    }
    return refused(subject, {what: replace(call, lengths=value) for what, value in wrong.items()})


def refused(subject: Subject, calls: Mapping[str, Call]) -> Iterator[Judgement]:
    """No judgement, since there are no numbers.

    Raises Violation, which names each call that was not refused, or the one that broke it.
    """
    taken = []
    for what, call in calls.items():
        try:
            subject.answer(call)
        except Broken as broken:
            raise Broken(f"{what}: {broken}") from broken
        except Violation:
            continue
        taken.append(what)
    if taken:
        raise Violation(f"{', '.join(taken)}: {TAKEN}")
    return iter(())


def _with_state(call: Call, name: str, part: Array) -> Call:
    """With another part of the initial state: h_0, or c_0."""
    return replace(call, **{name: part})  # type: ignore[arg-type]


def _one_more(array: Array) -> Array:
    """The array with its first column again at the end."""
    return np.concatenate([array, array[..., :1]], axis=-1)


def _of_one_row(call: Call) -> Call:
    """The first row of a batch alone, but the h_0 of all rows."""
    row = np.s_[:1] if call.layout == "batch_first" else np.s_[:, :1]
    lengths = None if call.lengths is None else call.lengths[:1].copy()
    return replace(call, inputs=call.inputs[row].copy(), lengths=lengths)
