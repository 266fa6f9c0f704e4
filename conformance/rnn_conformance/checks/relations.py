"""Relations: two runs of the same layer that must agree, whatever is expected of each.

Each pair differs by a change of the problem that leaves every exact value as it is, so the results
differ by twice the bound of one at most. The docstring of a check is its title, and then advice for
whoever fails it.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from rnn_conformance.bounds.balls import Precision
from rnn_conformance.bounds.judgement import Judgement
from rnn_conformance.cases import expected
from rnn_conformance.cases.case import PADDING, Case, Data
from rnn_conformance.cases.order import in_direction
from rnn_conformance.cells.weights import (
    of_one_direction,
    of_one_layer,
    of_state,
    of_two,
    permuted,
    wide,
    with_biases_negated,
    with_inputs_scaled,
    without_readout,
)
from rnn_conformance.checks.registry import EQUATION, check, comparable, in_whole, relational
from rnn_conformance.checks.subject import Subject, parts_of
from rnn_conformance.contract.call import GATES, Answer, Array
from rnn_conformance.contract.refusal import Violation

EXTRA_STEPS = 3


def options_show(case: Case, _: frozenset[str]) -> bool:
    """Where each option changed alone changes the output: units at rest are so with and without."""
    given = case.bias == case.h_0 == "nonzero"
    return comparable(case) and given and not case.equation.can_rest


@check(
    "RNN-STATE-4",
    presumes=lambda c, claimed: (
        comparable(c)
        and c.T > 1
        and c.options.ways == (0,)
        and c.lengths == "none"
        and ((c.L == 1 and len(c.options.parts) == 1) or "h_n" in claimed)
    ),
    among=relational,
    needs=("h_0",),
)
def split_and_carry(subject: Subject, case: Case) -> Iterator[Judgement]:
    """A sequence cut in two, the second part started from h_n of the first, gives the whole."""
    data, cut = case.data(), case.T // 2
    first = subject.run(replace(data, inputs=data.inputs[:cut]), case.layout)
    carried = first.output[-1:] if first.h_n is None else first.h_n
    second = subject.run(replace(data, inputs=data.inputs[cut:], h_0=carried), case.layout)
    y = None
    if first.y is not None and second.y is not None:
        y = np.concatenate([first.y, second.y])
    joined = Answer(np.concatenate([first.output, second.output]), second.h_n, y)
    yield from same(case, subject.result(case), joined)


@check("RNN-LAYER-1", presumes=in_whole(lambda c: c.L > 1), among=relational)
def chain_of_layers(subject: Subject, case: Case) -> Iterator[Judgement]:
    """A stack equals its layers run one by one, each on the output of the one below."""
    data, h_n = _without_readout(case.data()), []
    x = data.inputs
    for layer in range(case.L):
        answer = subject.run(_one_layer(data, layer, x), case.layout)
        x = answer.output
        h_n.append(answer.h_n)
    yield from same(case, subject.result(case), Answer(x, _joined(h_n)))


@check(
    "RNN-DIR-1",
    "RNN-DIR-2",
    "RNN-DIR-3",
    presumes=in_whole(lambda c: c.options.ways != (0,) and c.L == 1),
    among=relational,
)
def directions_apart(subject: Subject, case: Case) -> Iterator[Judgement]:
    """Each direction of a bidirectional layer, and a reverse one, equals a forward layer.

    The reverse direction reads each row backwards from its last real step, and its states are given
    in the order of time.
    """
    data, halves, h_n = _without_readout(case.data()), [], []
    for d, way in enumerate(data.options.ways):
        backwards = in_direction(data.inputs, data.lengths, way)
        alone = subject.run(_one_direction(data, d, backwards), case.layout)
        halves.append(in_direction(alone.output, data.lengths, way))
        h_n.append(alone.h_n)
    apart = Answer(np.concatenate(halves, axis=2), _joined(h_n))
    yield from same(case, subject.result(case), apart)


@check("RNN-LEN-5", presumes=in_whole(lambda c: c.B > 1), among=relational)
def rows_permuted(subject: Subject, case: Case) -> Iterator[Judgement]:
    """The rows of a batch know nothing of each other: permuted, they give permuted results."""
    data, order = case.data(), np.roll(np.arange(case.B), 1)
    permuted = replace(
        data,
        inputs=data.inputs[:, order],
        h_0=None if data.h_0 is None else data.h_0[:, order],
        lengths=None if data.lengths is None else data.lengths[order],
    )
    found, back = subject.run(permuted, case.layout), np.argsort(order)
    yield from same(case, subject.result(case), _each(found, lambda part: part[:, back]))


@check(EQUATION, presumes=in_whole(lambda c: c.H > 1), among=relational)
def units_permuted(subject: Subject, case: Case) -> Iterator[Judgement]:
    """Hidden units have no order: permuted in all weights and h_0, they give permuted results."""
    data, order = case.data(), np.roll(np.arange(case.H), 1)
    weights = permuted(data.weights, order, data.options)
    of_parts = of_state(order, data.options)
    h_0 = None if data.h_0 is None else data.h_0[..., of_parts]
    found = subject.run(replace(data, weights=weights, h_0=h_0), case.layout)
    h_n = None if found.h_n is None else found.h_n[..., np.argsort(of_parts)]
    output = found.output[..., np.argsort(wide(order, data.options))]
    yield from same(case, subject.result(case), Answer(output, h_n, found.y))


@check(EQUATION, presumes=in_whole(lambda c: c.equation.odd), among=relational)
def negated(subject: Subject, case: Case) -> Iterator[Judgement]:
    """An odd activation such as tanh: inputs, h_0 and biases negated, the results are."""
    data = case.data()
    weights = with_biases_negated(data.weights)
    h_0 = None if data.h_0 is None else -data.h_0
    found = subject.run(replace(data, weights=weights, inputs=-data.inputs, h_0=h_0), case.layout)
    yield from same(case, subject.result(case), _each(found, np.negative))


@check("RNN-LEN-4", presumes=in_whole(lambda c: c.lengths != "none"), among=relational)
def padding_added(subject: Subject, case: Case) -> Iterator[Judgement]:
    """Steps beyond every row's length change nothing but the length of the output."""
    data = case.data()
    more = np.full((EXTRA_STEPS, *data.inputs.shape[1:]), -PADDING, data.inputs.dtype)
    found = subject.run(replace(data, inputs=np.concatenate([data.inputs, more])), case.layout)
    y = None if found.y is None else found.y[: case.T]
    yield from same(case, subject.result(case), Answer(found.output[: case.T], found.h_n, y))


@check("RNN-PREC-1", presumes=in_whole(), among=relational)
def powers_of_two(subject: Subject, case: Case) -> Iterator[Judgement]:
    """A power of two moved between the inputs and the weights of the first layer changes nothing.

    Look for inputs that are clipped, and for small inputs or weights that are taken for zeros.
    """
    data = case.data()
    for power in (100, -100):
        scale = data.inputs.dtype.type(2.0**power)
        weights = with_inputs_scaled(data.weights, float(1 / scale))
        scaled = replace(data, weights=weights, inputs=data.inputs * scale)
        for judgement in same(case, subject.result(case), subject.run(scaled, case.layout)):
            yield replace(judgement, what=f"{judgement.what} of inputs times 2^{power}")


@check(EQUATION, presumes=in_whole(lambda c: c.L == 1), among=relational)
def union_of_two(subject: Subject, case: Case) -> Iterator[Judgement]:
    """Two networks side by side in one, their weights in blocks, compute what each does alone."""
    data = _without_readout(case.data())
    o, S = data.options, len(data.options.parts)
    both, state = of_two(data.weights, o), np.repeat(np.arange(S), 2)
    twice = replace(
        data,
        options=replace(o, input_size=2 * o.input_size, hidden_size=2 * o.hidden_size),
        weights=both,
        inputs=np.concatenate([data.inputs, -data.inputs], axis=2),
        h_0=None if data.h_0 is None else data.h_0[..., _blocks(state, o.hidden_size)],
    )
    found, precision, H = subject.run(twice, case.layout), Precision.of(case.dtype), o.hidden_size
    limit = expected.whole(twice, precision)
    for half, alone in enumerate((data, replace(data, inputs=-data.inputs))):
        own = _blocks(2 * np.arange(o.directions) + half, H)
        h_n = np.s_[..., _blocks(2 * np.arange(S) + half, H)]
        yield from within_both(
            subject.run(alone, case.layout),
            Answer(found.output[..., own], None if found.h_n is None else found.h_n[h_n]),
            expected.whole(alone, precision) if half else expected.as_a_whole(case),
            replace(
                limit, output_bound=limit.output_bound[..., own], h_n_bound=limit.h_n_bound[h_n]
            ),
        )


@check(
    EQUATION,
    presumes=options_show,
    among=relational,
    needs=("no_bias", "h_0"),
)
def options_matter(subject: Subject, case: Case) -> Iterator[Judgement]:
    """One option changed, the output changes: none of them is silently ignored."""
    changed = {  # not lengths, which change the padding even where they are otherwise ignored
        "bias": replace(case, bias="off"),
        "h_0": replace(case, h_0="none"),
    }
    for cell, gates in GATES.items():
        if cell in subject.claimed and gates == GATES[case.cell] and cell != case.cell:
            changed["nonlinearity"] = replace(case, cell=cell)
    before = subject.result(case).output
    for name, changed_case in changed.items():
        if np.array_equal(before, subject.result(changed_case).output):
            raise Violation(f"output: expected another one when {name} is changed, got the same")
    return iter(())


@check(
    "RNN-LAYOUT-2",
    presumes=in_whole(lambda c: c.lengths == "none" and c.layout == "time_first"),
    among=relational,
    needs=("single",),
)
def single_equals_column(subject: Subject, case: Case) -> Iterator[Judgement]:
    """A sequence alone gives what it gives as a column of a batch.

    If it fails: is an input of rank 2 (T, input_size) mistaken for a batch of T sequences of one
    step?
    """
    batched, limit, data = subject.result(case), expected.as_a_whole(case), case.data()
    for row in sorted({*range(min(case.B, 4)), case.B - 1}):
        rows = slice(row, row + 1)
        h_0 = None if data.h_0 is None else data.h_0[:, rows]
        alone = subject.run(replace(data, inputs=data.inputs[:, rows], h_0=h_0), "single")
        bound = replace(
            limit,
            output_bound=limit.output_bound[:, rows],
            h_n_bound=limit.h_n_bound[:, rows],
            y_bound=None if limit.y_bound is None else limit.y_bound[:, rows],
        )
        of_row = Answer.of({n: part[:, rows] for n, part in parts_of(batched).items()})
        for judgement in within_both(of_row, alone, bound, bound):
            yield replace(judgement, what=f"{judgement.what} of row {row} alone")


@check(
    "RNN-LAYOUT-1",
    presumes=in_whole(lambda c: c.layout == "batch_first"),
    among=relational,
    needs=("time_first",),
)
def batch_first_equals_time_first(subject: Subject, case: Case) -> Iterator[Judgement]:
    """The order of the axes changes nothing but the order of the axes.

    It concerns inputs and outputs, and neither h_0 nor the final state. A reshape where a transpose
    is meant mixes sequences with time.
    """
    time_first = subject.result(replace(case, layout="time_first"))
    yield from same(case, time_first, subject.result(case))


@check(
    "RNN-STATE-1",
    presumes=in_whole(),
    among=relational,
    needs=("h_0",),
)
def omitted_h_0_is_zeros(subject: Subject, case: Case) -> Iterator[Judgement]:
    """An omitted h_0 gives what zeros give."""
    omitted, zeros = (replace(case, h_0=h_0) for h_0 in ("none", "zeros"))
    yield from same(omitted, subject.result(zeros), subject.result(omitted))


def same(case: Case, first: Answer, second: Answer) -> Iterator[Judgement]:
    """Two runs of a case between which nothing but rounding may differ."""
    limit = expected.as_a_whole(case)
    return within_both(first, second, limit, limit)


def within_both(
    first: Answer, second: Answer, one: expected.Expectation, other: expected.Expectation
) -> Iterator[Judgement]:
    """Two runs, each of which may be off by its own bound."""
    reason = f"the bounds of both runs: {one.reason}"
    apart = one.output_bound + other.output_bound
    yield Judgement("output", first.output, second.output, apart, reason)
    if first.h_n is not None and second.h_n is not None:
        yield Judgement("h_n", first.h_n, second.h_n, one.h_n_bound + other.h_n_bound, reason)
    if first.y is not None and second.y is not None:
        assert one.y_bound is not None is not other.y_bound
        yield Judgement("y", first.y, second.y, one.y_bound + other.y_bound, reason)


def _blocks(numbers: npt.NDArray[np.int64], size: int) -> npt.NDArray[np.int64]:
    """The places of blocks of so many units, one after the other."""
    return np.concatenate([np.arange(size) + size * number for number in numbers])


def _without_readout(data: Data) -> Data:
    options = replace(data.options, output_size=0)
    return replace(data, options=options, weights=without_readout(data.weights))


def _joined(h_n: list[Array | None]) -> Array | None:
    """Final states of several calls, one after the other; None if one is not given."""
    given = [part for part in h_n if part is not None]
    return np.concatenate(given) if len(given) == len(h_n) else None


def _each(answer: Answer, change: Callable[[Array], Array]) -> Answer:
    """Every part that is given, changed."""
    return Answer.of({name: change(part) for name, part in parts_of(answer).items()})


def _one_layer(data: Data, layer: int, inputs: Array) -> Data:
    o, D = data.options, data.options.directions
    return replace(
        data,
        options=replace(o, num_layers=1, input_size=inputs.shape[2]),
        weights=of_one_layer(data.weights, layer),
        inputs=inputs,
        h_0=None if data.h_0 is None else data.h_0[layer * D : (layer + 1) * D],
    )


def _one_direction(data: Data, d: int, inputs: Array) -> Data:
    return replace(
        data,
        options=replace(data.options, bidirectional=False, reverse=False),
        weights=of_one_direction(data.weights, d),
        inputs=inputs,
        h_0=None if data.h_0 is None else data.h_0[d : d + 1],
    )
