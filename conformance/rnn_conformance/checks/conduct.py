"""Checks of conduct: memory, earlier calls, threads, extreme numbers.

The docstring of a check is its title, and then advice for whoever fails it.
"""

import sys
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from time import sleep
from typing import Any

import numpy as np

from rnn_conformance.bounds.balls import Precision
from rnn_conformance.bounds.judgement import Judgement, identical
from rnn_conformance.cases import expected
from rnn_conformance.cases.case import Case, Data
from rnn_conformance.checks.registry import (
    EQUATION,
    check,
    comparable,
    in_whole,
    of_usual_size,
    relational,
    usual,
    usual_or_short,
)
from rnn_conformance.checks.relations import same
from rnn_conformance.checks.subject import (
    Subject,
    by_part,
    in_one_order,
    ordered,
    parts_of,
)
from rnn_conformance.contract.call import DTYPES, Answer, Array, Call
from rnn_conformance.contract.conventions import ANY_MEMORY
from rnn_conformance.contract.refusal import Broken, Violation, in_order

TURNS = 100  # steps of the longest calls that meet each other
CALLS, MANY_CALLS = 3, 20  # after another: several buffers may take turns
LINES = 300  # of Python, between which a call lets others run


def judged_anew(case: Case, _: frozenset[str]) -> bool:
    """Where the answer of any call can be judged: from its own states, or as a whole."""
    return case.L == 1 or comparable(case)


@check("RNN-MEM-1")
def inputs_unchanged(subject: Subject, case: Case) -> Iterator[Judgement]:
    """Nothing that goes in is written to: weights, inputs, h_0 and lengths.

    In the usual cases a second call is looked at too.
    """
    before, (call, _) = _given(case.data().view(case.layout)), subject.first(case)
    if not _same_bytes(before, _given(call)):
        yield from unchanged(before, _given(call))
    if usual(case, subject.claimed):
        call = case.call()
        subject.answer(call)
        yield from unchanged(before, _given(call))


@check("RNN-MEM-2", among=usual_or_short)
def earlier_results_kept(subject: Subject, case: Case) -> Iterator[Judgement]:
    """What one call returned is not changed by the next ones.

    Results that are views of a buffer of the layer are overwritten by a later call.
    """
    answer, data = subject.answer(case.call()), case.data()
    first = in_one_order(answer, data, case.layout)
    kept = {name: part.copy() for name, part in parts_of(first).items()}
    for later in range(1, (MANY_CALLS if case.T == 2 else CALLS) + 1):
        subject.run(replace(case, seed=case.seed + later).data(), case.layout)
    now = parts_of(in_one_order(subject.reread(answer), data, case.layout))
    for name, was in kept.items():
        yield identical(f"{name} after other calls", was, now[name])


def relational_or_square(case: Case, claimed: frozenset[str]) -> bool:
    """Those, and one in which rows can be taken for features."""
    square = (case.T, case.B, case.I, case.H) == (3, 5, 5, 4) and not case.reverse
    return square or relational(case, claimed)


@check(
    "RNN-MEM-3",
    presumes=in_whole(lambda c: not c.padding_nan),
    among=relational_or_square,
    needs=(ANY_MEMORY,),
)
def memory_layouts(subject: Subject, case: Case) -> Iterator[Judgement]:
    """Views that are strided, reversed, in Fortran order or read-only give the same results."""
    for change in (strided, backwards, fortran, read_only, broadcast):
        kind = change.__name__.replace("_", "-")
        said = f"changed(case.call(), {change.__name__})"
        call = changed(case.call(), change)
        try:
            if change is broadcast:
                judgements = [*_as_a_whole(subject, call, case)]
            else:
                found = ordered(subject.answer(call), case.data(), case.layout)
                judgements = [*same(case, subject.result(case), found)]
        except Violation as violation:
            violation.call = said
            raise
        for judgement in judgements:
            yield replace(judgement, what=f"{judgement.what} from {kind} memory", call=said)


@check("RNN-CALL-1", presumes=judged_anew, among=usual_or_short)
def calls_are_independent(subject: Subject, case: Case) -> Iterator[Judgement]:
    """A call computes the same whatever was called before: other weights, lengths, sizes.

    Look for a state kept from the last call when h_0 is omitted, and for weights or shapes cached
    at an earlier one.
    """
    bare = replace(case, h_0="none")
    subject.run(bare.data(), case.layout)
    for other in _others(case):
        for one in (other, bare):
            answer = subject.run(one.data(), case.layout)
            yield from _judged(one, answer)


@check("RNN-CALL-1", presumes=judged_anew, among=usual_or_short)
def changes_in_place_are_seen(subject: Subject, case: Case) -> Iterator[Judgement]:
    """Weights, inputs and h_0 that were changed in place count in the next call.

    Look for weights that were packed, transposed or cached under the identity of an array, or
    under a part of its numbers. Of one layer of usual size, the last number of one array is changed
    at a time; then all numbers of all arrays.
    """
    call = case.call()
    subject.answer(call)
    list(unchanged(_given(case.call()), _given(call)))  # all of it is still there
    one_by_one = {name: value for name, value in _given(call).items() if name != "lengths"}
    for name, value in one_by_one.items() if case.L == 1 and of_usual_size(case) else ():
        value[(-1,) * value.ndim] += value.dtype.type(0.25)
        for judgement in _as_a_whole(subject, call, case):
            yield replace(judgement, what=f"{judgement.what} after a change of {name}")
    other = replace(case, seed=case.seed + 1)
    for name, value in _given(other.call()).items():
        _given(call)[name][...] = value
    yield from _judged(other, ordered(subject.answer(call), other.data(), case.layout))


@check("RNN-CALL-2", presumes=in_whole(), among=usual)
def repeatable(subject: Subject, case: Case) -> Iterator[Judgement]:
    """The same call again gives the same, up to rounding."""
    for _ in range(3):
        yield from same(case, subject.result(case), subject.run(case.data(), case.layout))


@check("RNN-CALL-3", presumes=in_whole(), among=usual)
def threads(subject: Subject, case: Case) -> Iterator[Judgement]:
    """Calls from several threads at once do not disturb each other, of whatever sizes they are.

    Look for buffers that calls of the same sizes share.
    """
    cases = [case, replace(case, T=TURNS), *_others(case)]
    data = [one.data() for one in cases]
    # Torch compiles no frame that is traced, and what is judged of a framework is no Python.
    adapter = getattr(subject.implementation, "adapter", False)
    turns = (None, None, None) if adapter else (2, 3, None)

    with _quick_turns(), ThreadPoolExecutor(3 * len(cases)) as pool:  # the same calls meet too
        found = [
            pool.submit(_giving_way, subject.answer, numbers.call(case.layout), every)
            for every in turns
            for numbers in data
        ]
    for one, numbers, answer in zip(cases * 3, data * 3, found, strict=True):
        yield from same(one, subject.result(one), ordered(answer.result(), numbers, case.layout))


def _giving_way(run: Callable[[Call], Answer], call: Call, every: int | None) -> Answer:
    """A call, in which other threads run after every so many lines of Python, the first ones.

    Without it a loaded machine may run one short call after the other.
    """
    if every is None:
        return run(call)
    lines = 0

    def before_line(*_: object) -> Callable[..., Any]:
        nonlocal lines
        lines += 1
        if lines % every == 0:
            sleep(1e-5)
        if lines == LINES:
            sys.settrace(None)
        return before_line

    usual = sys.gettrace()
    sys.settrace(before_line)
    try:
        return run(call)
    finally:
        sys.settrace(usual)


@contextmanager
def _quick_turns() -> Iterator[None]:
    """Threads of Python take turns within a call, however short it is."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        yield
    finally:
        sys.setswitchinterval(usual)


@check(EQUATION, presumes=in_whole(), among=relational)
def large_preactivations(subject: Subject, case: Case) -> Iterator[Judgement]:
    """tanh stays at -1 or 1 and relu goes on, however large the pre-activation.

    Wrong or NaN from some step on, where the inputs grow: exp 2a is infinite in float32 from a = 44
    on, and infinity divided by itself is NaN.
    """
    data = case.data()
    growth = np.geomspace(1, 2000, case.T)[:, None, None]
    large = replace(data, inputs=(data.inputs * growth).astype(data.inputs.dtype))
    return _as_a_whole(subject, large.call(case.layout), case)


@check(
    "RNN-CELL-4",
    "RNN-LEN-5",
    presumes=lambda c, _: c.L == 1 and c.dtype in DTYPES,
    among=lambda c, claimed: relational(c, claimed) or usual_or_short(c, claimed),
)
def nan_is_propagated(subject: Subject, case: Case) -> Iterator[Judgement]:
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
    found = _unless_refused(subject, case, inputs)
    if found is None:
        return
    parts = by_part(found, case.options)
    reached = {name: np.zeros_like(part, bool) for name, part in parts.items()}
    for d, way in enumerate(case.options.ways):
        after = np.s_[: at + 1] if way else np.s_[at:steps]
        reached["output"][after, row, d * H : (d + 1) * H] = True
    for name in reached.keys() - {"output", "y"}:
        reached[name][:, row] = True
    if "y" in reached:
        reached["y"][reached["output"].any(axis=2)] = True
    for name, is_nan in reached.items():
        where = f"{name} (1 for NaN, 0 for numbers)"
        values = np.isnan(parts[name]) * 1.0
        yield Judgement(where, is_nan * 1.0, values, 0.0, "what depends on NaN")
    for one in _judged(case, found):
        others = ~reached[one.what.split()[0]]
        wanted, came, bound = (
            np.where(others, part, 0) for part in (one.expected, one.found, one.bound)
        )
        yield replace(one, expected=wanted, found=came, bound=bound)


@check("RNN-CELL-5", presumes=in_whole(lambda c: c.L == 1), among=relational)
def infinities_are_kept(subject: Subject, case: Case) -> Iterator[Judgement]:
    """An infinite input is computed with as IEEE arithmetic has it, or refused with an error.

    Its pre-activations are infinite, so tanh gives 1 or -1, relu infinity or 0; or NaN, where a
    formula subtracts infinity from itself. A number that takes its place gives something else.
    """
    data, precision = case.data(), Precision.of(case.dtype)
    row = int(np.argmax(data.steps))
    for value in (np.inf, -np.inf):
        inputs = data.inputs.copy()
        inputs[0, row, 0] = value
        answered = _unless_refused(subject, case, inputs)
        if answered is None:
            continue
        right = expected.from_own_states(replace(data, inputs=inputs), precision, answered)
        limit = right.output[0, row]
        found = answered.output[0, row].astype(np.float64)
        kept = (found == limit) | np.isnan(found)
        wanted, came = (np.where(kept, 0, part)[None, None] for part in (limit, found))
        bound = 8 * precision.u
        yield Judgement(
            f"output at an input of {value}", wanted, came, bound, "4 ulps of the activation"
        )


def _unless_refused(subject: Subject, case: Case, inputs: Array) -> Answer | None:
    """The answer to a case with other inputs, in one order; None if these alone are refused."""
    data = case.data()
    try:
        answer = subject.answer(replace(data, inputs=inputs).call(case.layout))
    except Broken:
        raise
    except Violation:
        subject.result(case)  # what fails here refuses more than these inputs
        return None
    return ordered(answer, data, case.layout)


def unchanged(before: Mapping[str, Array], after: Mapping[str, Any]) -> Iterator[Judgement]:
    """Every array that went in, after the call. Raises Violation where one is no longer there."""
    for name, was in before.items():
        found = after.get(name)
        if not isinstance(found, np.ndarray):
            raise Violation(f"{name}: was an array, came back as {type(found).__name__}")
        if found.shape != was.shape:
            raise Violation(f"{name}: came back with shape {found.shape}, was {was.shape}")
        yield identical(f"{name}, which was given", was, found)


def _judged(case: Case, answer: Answer) -> Iterator[Judgement]:
    """An answer to a case of one layer, or to a contractive one, whatever was called before."""
    precision = Precision.of(case.dtype)
    return expected.judge(expected.of_answer(case, answer), answer, case.data(), precision)


def _as_a_whole(subject: Subject, call: Call, case: Case) -> Iterator[Judgement]:
    """What a call gives that differs from that of the case in the numbers of its arrays alone."""
    data, precision = _data_of(call, case), Precision.of(case.dtype)
    found = ordered(subject.answer(call), data, case.layout)
    return expected.judge(expected.whole(data, precision), found, data, precision)


def _given(call: Call) -> dict[str, Any]:
    """Every array that goes in, by name."""
    loss = {} if call.upstream is None else vars(call.upstream)
    given = {**call.weights, "inputs": call.inputs, **call.state, "lengths": call.lengths}
    given |= {f"gradient of {name}": value for name, value in loss.items()}
    return {name: value for name, value in given.items() if value is not None}


def _same_bytes(before: Mapping[str, Array], after: Mapping[str, object]) -> bool:
    """Whether nothing was written to, which takes less time to see than a judgement."""
    return all(
        isinstance(found := after.get(name), np.ndarray)
        and found.shape == was.shape
        and found.tobytes() == was.tobytes()
        for name, was in before.items()
    )


def _data_of(call: Call, case: Case) -> Data:
    """The numbers of a call of this case, whose arrays were changed, as copies in one order."""
    parts = [part[:, None] if case.layout == "single" else part for part in call.state.values()]
    return replace(
        case.data(),
        weights={name: np.array(value) for name, value in call.weights.items()},
        inputs=np.array(in_order(call.inputs, case.layout)),
        h_0=np.concatenate(parts, -1) if parts else None,
    )


def _others(case: Case) -> tuple[Case, ...]:
    """Calls of other steps and rows, of other weights, and of other units without what may be."""
    return (
        replace(case, T=case.T + 4, B=case.B + (case.layout != "single")),
        replace(case, seed=case.seed + 1),
        replace(case, H=case.H + 1, h_0="none", lengths="none"),
    )


def changed(call: Call, change: Callable[[Array], Array]) -> Call:
    """The call with each of its arrays changed."""
    return replace(
        call,
        weights={name: change(value) for name, value in call.weights.items()},
        inputs=change(call.inputs),
        upstream=None if call.upstream is None else call.upstream.each(change),
        **{name: change(part) for name, part in call.state.items()},  # type: ignore[arg-type]
    )


def strided(array: Array) -> Array:
    """Every second number of a wider array, the others NaN."""
    wide = np.full((*array.shape[:-1], 2 * array.shape[-1]), np.nan, array.dtype)
    wide[..., ::2] = array
    return wide[..., ::2]


def backwards(array: Array) -> Array:
    """The same numbers, read from the end of their memory."""
    return array[::-1].copy()[::-1]


def broadcast(array: Array) -> Array:
    """The first entry of the first axis, repeated without memory of its own."""
    return np.broadcast_to(array[:1].copy(), array.shape)


def fortran(array: Array) -> Array:
    """The same numbers in Fortran order."""
    return np.asfortranarray(array)


def read_only(array: Array) -> Array:
    """The same array, which cannot be written to."""
    array.flags.writeable = False
    return array
