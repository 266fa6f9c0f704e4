"""Checks of gradients: dL/d of everything that goes in, for a loss L of what comes out.

The docstring of a check is its title, and then advice for whoever fails it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np

from rnn_conformance.bounds.balls import Precision
from rnn_conformance.bounds.judgement import Judgement
from rnn_conformance.cases import expected as values
from rnn_conformance.cases import gradients
from rnn_conformance.cases.case import Case
from rnn_conformance.cases.gradients import SHOWN, judge
from rnn_conformance.checks.conduct import backwards, changed, fortran, read_only, strided
from rnn_conformance.checks.registry import check
from rnn_conformance.checks.subject import Subject, ordered
from rnn_conformance.contract.call import Answer, Array
from rnn_conformance.contract.conventions import ANY_MEMORY, OF_EVERYTHING, OWN_PASS


def asked(case: Case, _: frozenset[str]) -> bool:
    """Whether gradients are asked for."""
    return case.loss != "none"


def shown(case: Case, claimed: frozenset[str]) -> bool:
    """Whether each step of the backward pass shows, and is that of the states that show."""
    return case.weights in SHOWN and case.loss != "none" and OWN_PASS not in claimed


def as_a_whole(case: Case, claimed: frozenset[str]) -> bool:
    """Whether gradients are judged as a whole, of a loss that sees all that is claimed."""
    sees = ("all",) if "h_n" in claimed else ("output", "h_n")
    return case.weights not in SHOWN and case.loss in sees


@check("RNN-GRAD-1", presumes=shown)
def gradient_of_steps(subject: Subject, case: Case) -> Iterator[Judgement]:
    """Each step of the backward pass is right, judged from what shows of the step after it.

    dL/d of each step's pre-activations shows, since each step has an input of its own. Unit u of
    gate k is number k·H + u. Right at the last step only: look at what W_hh hands back, and that it
    is transposed. Wrong at the last step: look at the slope of the activation, and at what the loss
    sees of h_n and c_n. Wrong with lengths only: a row's backward pass starts at its own last step.
    """
    subject.result(case)
    expected = subject.expected_gradients(case)
    assert expected.adjoints is not None
    right, found = expected.adjoints
    yield judge("the pre-activations", right, found, expected.reason)


@check("RNN-GRAD-2", "RNN-LEN-4", "RNN-DIR-1", "RNN-LAYER-1", presumes=asked)
def gradient_of_weights(subject: Subject, case: Case) -> Iterator[Judgement]:
    """The gradient of each weight is a sum over all steps and rows.

    Row and unit are those of the weight. Too small: a step, a row or a direction is missing, or a
    later one is assigned in place of added. W_hh alone: it is multiplied with the state before the
    step. One bias alone: both have the same gradient, but for n of a GRU.
    """
    yield from _judged(subject, case, [*case.data().weights])


@check(
    "RNN-GRAD-3", "RNN-LEN-4", "RNN-DIR-1", "RNN-LAYER-1", "RNN-LAYOUT-1",
    presumes=asked,
    needs=(OF_EVERYTHING,),
)  # fmt: skip
def gradient_of_inputs(subject: Subject, case: Case) -> Iterator[Judgement]:
    """The gradient of the inputs is that of their own step and row; in the padding it is 0."""
    yield from _judged(subject, case, ["inputs"])


@check(
    "RNN-GRAD-4",
    "RNN-STATE-2",
    presumes=lambda case, _: case.loss != "none" != case.h_0,
    needs=(OF_EVERYTHING,),
)
def gradient_of_states(subject: Subject, case: Case) -> Iterator[Judgement]:
    """The gradient of the initial state is what the first step that is read hands back.

    Of an LSTM, c_0 has one too.
    """
    yield from _judged(subject, case, ["h_0"])


@check(
    "RNN-GRAD-1",
    presumes=as_a_whole,
    among=lambda case, _: case.layout == "time_first" and case.lengths == "none",
)
def gradient_of_large_losses(subject: Subject, case: Case) -> Iterator[Judgement]:
    """A loss that is 2^60 times as large has gradients that are so too: none is clipped."""
    in_stack = case.L > 1 and OWN_PASS not in subject.claimed
    data, known = case.data(), subject.expected(case).layers if in_stack else ()
    assert data.upstream is not None
    large = replace(data, upstream=data.upstream.each(lambda d: d * d.dtype.type(2.0**60)))
    answer = subject.run(large, case.layout)
    expected = gradients.whole(large, Precision.of(case.dtype), known)
    yield from _of_call(subject, case, expected, answer, "of a large loss")


@check(
    "RNN-GRAD-5",
    presumes=asked,
    among=lambda case, _: case.weights == "marked" and case.T * case.B > 1,
)
def gradients_of_calls(subject: Subject, case: Case) -> Iterator[Judgement]:
    """The gradients of a call are its own: nothing of an earlier call is added to them.

    A call of other numbers and the same sizes, after the first one.
    """
    subject.result(case)
    other = replace(case, seed=case.seed + 1)
    answer = subject.run(other.data(), case.layout)
    expected = gradients.of_answer(other, answer, own_pass=OWN_PASS in subject.claimed)
    yield from _of_call(subject, case, expected, answer, "in a later call")


def in_a_model(case: Case, _: frozenset[str]) -> bool:
    """A selection for what several calls tell: of every option that changes a backward pass."""
    return not case.drawn and (case.lengths, case.bias) == ("none", "nonzero")


@check("RNN-GRAD-2", presumes=as_a_whole, among=in_a_model)
def gradients_in_training(subject: Subject, case: Case) -> Iterator[Judgement]:
    """In training, of the weights alone: the results and the gradients are the same.

    So is the first layer of a model trained: its inputs and its initial state want no gradient.
    There is no dropout.
    """
    data, precision = case.data(), Precision.of(case.dtype)
    call = replace(case.call(), training=True, of_weights=True)
    answer = ordered(subject.answer(call), data, case.layout)
    for judgement in values.judge(values.as_a_whole(case), answer, data, precision):
        yield replace(judgement, what=f"{judgement.what} in training")
    assert answer.gradients is not None
    expected = subject.expected_gradients(case)
    for name in data.weights:
        yield from _of(expected, answer.gradients, name, case, " in training")


@check("RNN-MEM-3", presumes=as_a_whole, among=in_a_model, needs=(ANY_MEMORY,))
def gradients_from_memory_layouts(subject: Subject, case: Case) -> Iterator[Judgement]:
    """Strided, reversed, Fortran, read-only or broadcast memory gives the same gradients.

    Look at dL/d of the results: that of a sum is one number, repeated without memory of its own.
    """
    call, data = case.call(), case.data()
    for change in (strided, backwards, fortran, read_only):
        answer = ordered(subject.answer(changed(case.call(), change)), data, case.layout)
        kind = change.__name__.replace("_", "-")
        expected = subject.expected_gradients(case)
        yield from _of_call(subject, case, expected, answer, f"from {kind} memory")
    assert call.upstream is not None
    assert data.upstream is not None
    call = replace(call, upstream=call.upstream.each(one_number))
    data = replace(data, upstream=data.upstream.each(one_number))
    answer = ordered(subject.answer(call), data, case.layout)
    expected = gradients.whole(data, Precision.of(case.dtype))
    yield from _of_call(subject, case, expected, answer, "from broadcast memory")


def one_number(array: Array) -> Array:
    """The first number, repeated without memory of its own."""
    return np.broadcast_to(array.ravel()[:1].copy(), array.shape)


def _judged(subject: Subject, case: Case, names: list[str]) -> Iterator[Judgement]:
    found = subject.result(case).gradients
    assert found is not None
    for name in names:
        yield from _of(subject.expected_gradients(case), found, name, case)


def _of_call(
    subject: Subject, case: Case, expected: gradients.Expected, answer: Answer, when: str
) -> Iterator[Judgement]:
    """All of another call that are asked for."""
    found = answer.gradients
    assert found is not None
    for name in found:
        if OF_EVERYTHING in subject.claimed or name not in ("inputs", "h_0"):
            yield from _of(expected, found, name, case, f" {when}")


def _of(
    expected: gradients.Expected, found: Mapping[str, Array], name: str, case: Case, when: str = ""
) -> Iterator[Judgement]:
    """Of one thing that goes in; each part of the initial state apart."""
    right, parts = expected.parts[name], case.options.parts if name == "h_0" else ()
    judged = judge(f"{name}{when}", right, found[name], expected.reason)
    if len(parts) < 2:
        yield judged
        return
    bound = np.broadcast_to(judged.bound, judged.found.shape)
    for n, part in enumerate(parts):
        own = np.s_[..., n * case.H : (n + 1) * case.H]
        yield replace(
            judged,
            what=judged.what.replace("h_0", f"{part}_0"),
            expected=judged.expected[own],
            found=judged.found[own],
            bound=bound[own],
        )
