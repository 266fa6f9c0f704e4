"""Checks of conduct: memory, earlier calls, threads, extreme numbers, and what is refused.

The docstring of a check is its title, and then advice for whoever fails it.
"""

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np

from rnn_conformance.certificate import Precision
from rnn_conformance.expected import identical, unchanged
from rnn_conformance.judgement import Judgement
from rnn_conformance.layer import expected
from rnn_conformance.layer.call import LayerAnswer, LayerCall
from rnn_conformance.layer.cases import LayerCase
from rnn_conformance.layer.registry import check, relational
from rnn_conformance.layer.relations import same
from rnn_conformance.layer.subject import LayerSubject, in_one_order, ordered
from rnn_conformance.protocol import Array
from rnn_conformance.subject import Broken, Violation


def usual(case: LayerCase) -> bool:
    """A selection for what need not be asked of all: float32, tanh."""
    return relational(case) and case.dtype == "float32" and case.nonlinearity == "tanh"


@check("RNN-MEM-1", applies=usual)
def layer_inputs_unchanged(subject: LayerSubject, case: LayerCase) -> Iterator[Judgement]:
    """Nothing that goes in is written to: weights, inputs, h_0 and lengths."""
    call, before = case.call(), case.call()
    subject.answer(call)
    yield from unchanged(*({**vars(one), **one.weights} for one in (before, call)))


@check("RNN-MEM-2", applies=usual)
def layer_earlier_results_kept(subject: LayerSubject, case: LayerCase) -> Iterator[Judgement]:
    """What one call returned is not changed by the next ones.

    Results that are views of a buffer of the layer are overwritten by a later call.
    """
    first = in_one_order(subject.answer(case.call()), case.data(), case.layout)
    kept = LayerAnswer(first.output.copy(), first.h_n.copy())
    for later in range(1, 4):  # more than one: two buffers may take turns
        subject.run(replace(case, seed=case.seed + later).data(), case.layout)
    yield identical("output after other calls", kept.output, first.output)
    yield identical("h_n after other calls", kept.h_n, first.h_n)


@check("RNN-MEM-3", applies=relational)
def memory_layouts(subject: LayerSubject, case: LayerCase) -> Iterator[Judgement]:
    """Views that are strided, reversed, in Fortran order or read-only give the same results."""
    for change in (_strided, _backwards, _fortran, _read_only):
        call = _changed(case.call(), change)
        found = ordered(subject.answer(call), case.data(), case.layout)
        for judgement in same(case, subject.result(case), found):
            yield replace(judgement, what=f"{judgement.what} from {change.__name__[1:]} memory")


@check("RNN-CALL-1", applies=usual)
def layer_calls_are_independent(subject: LayerSubject, case: LayerCase) -> Iterator[Judgement]:
    """A call computes the same whatever was called before: other weights, lengths, sizes.

    Look for a state kept from the last call when h_0 is omitted, and for weights or shapes cached
    at an earlier one.
    """
    bare = replace(case, h_0="none")
    subject.run(bare.data(), case.layout)
    for other in _others(case):
        for one in (other, bare):
            answer = subject.run(one.data(), case.layout)
            yield from expected.judge(expected.as_a_whole(one), answer)


@check("RNN-CALL-2", applies=usual)
def layer_repeatable(subject: LayerSubject, case: LayerCase) -> Iterator[Judgement]:
    """The same call again gives the same, up to rounding."""
    for _ in range(3):
        yield from same(case, subject.result(case), subject.run(case.data(), case.layout))


@check("RNN-CALL-3", applies=usual)
def threads(subject: LayerSubject, case: LayerCase) -> Iterator[Judgement]:
    """Calls from several threads at once do not disturb each other, of whatever sizes they are."""
    cases = [case, *_others(case)] * 2  # the same call meets itself too
    data = [one.data() for one in cases]
    with ThreadPoolExecutor(len(cases)) as pool:
        found = list(pool.map(lambda numbers: subject.run(numbers, case.layout), data))
    for one, answer in zip(cases, found, strict=True):
        yield from same(one, subject.result(one), answer)


@check("RNN-CELL-1", "RNN-CELL-2", applies=relational)
def large_preactivations(subject: LayerSubject, case: LayerCase) -> Iterator[Judgement]:
    """tanh stays at -1 or 1 and relu goes on, however large the pre-activation.

    Wrong or NaN from some step on, where the inputs grow: exp 2a is infinite in float32 from a = 44
    on, and infinity divided by itself is NaN.
    """
    data = case.data()
    growth = np.geomspace(1, 2000, case.T)[:, None, None]
    large = replace(data, inputs=(data.inputs * growth).astype(data.inputs.dtype))
    limit = expected.whole(large, Precision.of(case.dtype))
    yield from expected.judge(limit, subject.run(large, case.layout))


@check("RNN-CELL-4", "RNN-LEN-5", applies=lambda c: relational(c) and c.L == 1)
def nan_is_propagated(subject: LayerSubject, case: LayerCase) -> Iterator[Judgement]:
    """A NaN that is read makes every number that depends on it NaN, and no other.

    Look for a relu that asks whether a > 0, for a minimum or maximum that passes over NaN, and for
    rows that are masked by a product with 0. To refuse NaN with an exception is as good.
    """
    data, H = case.data(), case.H
    row = int(np.argmax(data.steps))
    steps = int(data.steps[row])
    at = steps // 2
    inputs = data.inputs.copy()
    inputs[at, row, 0] = np.nan
    try:
        answer = subject.answer(replace(data, inputs=inputs).call(case.layout))
    except Broken:
        raise
    except Violation:
        return
    found, without = ordered(answer, data, case.layout), subject.result(case)
    output, h_n = np.zeros_like(found.output, bool), np.zeros_like(found.h_n, bool)
    output[at:steps, row, :H] = True
    output[: at + 1, row, H:] = True
    h_n[:, row] = True
    for name, values, reached in (("output", found.output, output), ("h_n", found.h_n, h_n)):
        where = f"{name} (1 for NaN, 0 for numbers)"
        yield Judgement(where, reached * 1.0, np.isnan(values) * 1.0, 0.0, "what depends on NaN")
    yield from same(
        case,
        LayerAnswer(np.where(output, 0, without.output), np.where(h_n, 0, without.h_n)),
        LayerAnswer(np.where(output, 0, found.output), np.where(h_n, 0, found.h_n)),
    )


@check("RNN-ERR-1", applies=lambda c: usual(c) and c.layout != "single" and c.L > 1)
def refusals(subject: LayerSubject, case: LayerCase) -> Iterator[Judgement]:
    """Sizes that do not fit are refused with an exception, not broadcast or cut off.

    A result here is a wrong one that nobody notices.
    """
    call = case.call()
    inputs, h_0 = call.inputs, call.h_0
    assert h_0 is not None
    wrong = {
        "inputs with a feature too many": replace(
            call, inputs=np.concatenate([inputs, inputs[..., :1]], axis=2)
        ),
        "inputs with a feature too few": replace(call, inputs=inputs[..., :-1].copy()),
        "inputs of rank 4": replace(call, inputs=inputs[None]),
        "h_0 with a layer too many": replace(call, h_0=np.concatenate([h_0, h_0[:1]])),
        "h_0 of one row": replace(call, h_0=h_0[:, :1].copy()),
        "h_0 with a unit too many": replace(call, h_0=np.concatenate([h_0, h_0[..., :1]], axis=2)),
        "h_0 of one unit": replace(call, h_0=h_0[..., :1].copy()),
        **{
            f"{name} of one row": replace(call, weights={**call.weights, name: value[:1].copy()})
            for name, value in call.weights.items()
        },
    }
    refused(subject, wrong)
    return iter(())


@check("RNN-ERR-2", applies=lambda c: usual(c) and c.lengths != "none")
def lengths_refused(subject: LayerSubject, case: LayerCase) -> Iterator[Judgement]:
    """Lengths that fit no row or no step are refused with an exception."""
    call = case.call()
    assert call.lengths is not None
    wrong = {
        "lengths beyond T": replace(call, lengths=call.lengths + case.T),
        "lengths below 0": replace(call, lengths=call.lengths - case.T),
        "lengths of too few rows": replace(call, lengths=call.lengths[:-1].copy()),
        "lengths of too many rows": replace(call, lengths=np.append(call.lengths, 1)),
    }
    refused(subject, wrong)
    return iter(())


def _others(case: LayerCase) -> tuple[LayerCase, ...]:
    """Calls of other steps and rows, of other weights, and of other units without what may be."""
    return (
        replace(case, T=case.T + 4, B=case.B + (case.layout != "single")),
        replace(case, seed=case.seed + 1),
        replace(case, H=case.H + 1, h_0="none", lengths="none"),
    )


def refused(subject: LayerSubject, calls: Mapping[str, LayerCall]) -> None:
    """Raises Violation, which names each call that was not refused, or the one that broke it."""
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
        raise Violation(f"{', '.join(taken)}: expected an exception, got a result")


def _changed(call: LayerCall, change: Callable[[Array], Array]) -> LayerCall:
    return replace(
        call,
        weights={name: change(value) for name, value in call.weights.items()},
        inputs=change(call.inputs),
        h_0=None if call.h_0 is None else change(call.h_0),
    )


def _strided(array: Array) -> Array:
    """Every second number of a wider array, the others NaN."""
    wide = np.full((*array.shape[:-1], 2 * array.shape[-1]), np.nan, array.dtype)
    wide[..., ::2] = array
    return wide[..., ::2]


def _backwards(array: Array) -> Array:
    return array[::-1].copy()[::-1]


def _fortran(array: Array) -> Array:
    return np.asfortranarray(array)


def _read_only(array: Array) -> Array:
    array.flags.writeable = False
    return array
