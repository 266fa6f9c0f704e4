"""Checks of conduct: memory, earlier calls, threads, and what is refused.

The docstring of a check is its title, and then advice for whoever fails it.
"""

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np

from rnn_conformance.expected import identical, unchanged
from rnn_conformance.judgement import Judgement
from rnn_conformance.layer.call import LayerAnswer, LayerCall
from rnn_conformance.layer.cases import LayerCase
from rnn_conformance.layer.registry import check, relational
from rnn_conformance.layer.relations import same
from rnn_conformance.layer.subject import LayerSubject, ordered
from rnn_conformance.protocol import Array
from rnn_conformance.subject import Violation

THREADS = 4


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
    """What one call returned is not changed by the next.

    Results that are views of a buffer of the layer are overwritten by the next call.
    """
    first = subject.run(case.data(), case.layout)
    kept = LayerAnswer(first.output.copy(), first.h_n.copy())
    subject.run(replace(case, seed=case.seed + 1).data(), case.layout)
    yield identical("output after another call", kept.output, first.output)
    yield identical("h_n after another call", kept.h_n, first.h_n)


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
    """A call computes the same whatever was called before: other weights, lengths, batch sizes.

    Look for a state kept from the last call when h_0 is omitted, and for weights or shapes cached
    at the first one.
    """
    bare = replace(case, h_0="none")
    first = subject.run(bare.data(), case.layout)
    for other in (
        replace(case, T=case.T + 4, B=case.B + (case.layout != "single")),
        replace(case, seed=case.seed + 1),
    ):
        subject.run(other.data(), case.layout)
        yield from same(bare, first, subject.run(bare.data(), case.layout))


@check("RNN-CALL-2", applies=usual)
def layer_repeatable(subject: LayerSubject, case: LayerCase) -> Iterator[Judgement]:
    """The same call again gives the same, up to rounding."""
    for _ in range(3):
        yield from same(case, subject.result(case), subject.run(case.data(), case.layout))


@check("RNN-CALL-3", applies=usual)
def threads(subject: LayerSubject, case: LayerCase) -> Iterator[Judgement]:
    """Calls from several threads at once do not disturb each other."""
    cases = [replace(case, seed=case.seed + i) for i in range(THREADS)]
    data = [one.data() for one in cases]
    with ThreadPoolExecutor(THREADS) as pool:
        found = list(pool.map(lambda numbers: subject.run(numbers, case.layout), data * 2))
    for one, answer in zip(cases * 2, found, strict=True):
        yield from same(one, subject.result(one), answer)


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
    _refused(subject, wrong)
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
    _refused(subject, wrong)
    return iter(())


def _refused(subject: LayerSubject, calls: Mapping[str, LayerCall]) -> None:
    """Raises Violation, which names each call that was not refused."""
    taken = []
    for what, call in calls.items():
        try:
            subject.answer(call)
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
