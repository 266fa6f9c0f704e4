"""What is expected of layers: from their own states where these show, else as a whole."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from types import MappingProxyType
from typing import Any

import numpy as np

from rnn_conformance.bounds.balls import Ball, Float64, Precision, exactly
from rnn_conformance.bounds.judgement import Judgement
from rnn_conformance.bounds.reproduction import Formula
from rnn_conformance.cases.case import Case, Data
from rnn_conformance.cases.order import (
    as_read,
    by_direction,
    each_read,
    in_time,
    last,
    real_inputs,
    written,
)
from rnn_conformance.cells import CELLS, readout
from rnn_conformance.cells.running import from_shown, one_step, trajectory
from rnn_conformance.cells.weights import of_cell, of_layer
from rnn_conformance.contract.call import Answer, Array


@dataclass(frozen=True)
class Expectation:
    """The results of a case with the bound on each number.

    Attributes:
        output, output_bound: (T, B, D·H); where there is padding, 0 and 0.
        h_n, h_n_bound: (L·D, B, S·H), the parts of the state side by side.
        reason: where the bound comes from.
        y_bound: (T, B, O), of the readout as a whole; None where each y_t is judged from its own
            h_t, or there is no readout.
        formula: how a number of the output comes about, where its own state before it shows.
        layers: the states of each layer, (D, T, B, S·H), each direction in the order in which it
            reads; nothing where all of them show.
    """

    output: Float64
    output_bound: Float64
    h_n: Float64
    h_n_bound: Float64
    reason: str
    y_bound: Float64 | None = None
    formula: Formula | None = None
    layers: tuple[Ball, ...] = ()


def judge(
    expectation: Expectation, answer: Answer, data: Data, precision: Precision
) -> Iterator[Judgement]:
    """What is given of an answer, in one order whatever the layout, against what is expected."""
    yield judge_output(expectation, answer)
    if answer.h_n is not None:
        yield from judge_h_n(expectation, answer.h_n, data.options.parts)
    if answer.y is not None:
        yield judge_readout(data, precision, answer.output, answer.y)


def judge_output(e: Expectation, answer: Answer) -> Judgement:
    """The output."""
    return Judgement("output", e.output, answer.output, e.output_bound, e.reason, formula=e.formula)


def judge_h_n(e: Expectation, h_n: Array, parts: Sequence[str]) -> Iterator[Judgement]:
    """The final states (L·D, B, S·H), part by part."""
    each = (np.split(states, len(parts), axis=-1) for states in (e.h_n, h_n, e.h_n_bound))
    for part, expected, found, bound in zip(parts, *each, strict=True):
        yield Judgement(of_part(part), expected, found, bound, e.reason)


def of_part(part: str) -> str:
    """What a judgement of a part of the final state is called."""
    return f"{part}_n (step is layer·D + direction)"


def judge_readout(data: Data, precision: Precision, output: Array, y: Array) -> Judgement:
    """The readout (T, B, O) from the output of the same step; padding is not looked at."""
    with np.errstate(over="ignore", invalid="ignore"):
        a = readout.readout(data.weights, exactly(output, precision))
        right = a.ball()
        expected, bound = (np.where(data.real, part, 0) for part in (right.value, right.bound))
    formula = readout.formula(data.weights, output)
    return Judgement("y", expected, y, bound, readout.reason(a), formula=formula)


def of_answer(case: Case, answer: Answer) -> Expectation:
    """From the answer's own states where all of them show, else as a whole."""
    if not case.by_step:
        return as_a_whole(case)
    data, precision = case.data(), Precision.of(case.dtype)
    if case.transparent:
        return through_transparent(data, precision, answer.output, case.dense)
    return from_own_states(data, precision, answer)


def from_own_states(data: Data, precision: Precision, answer: Answer) -> Expectation:
    """Each step of a single layer from the answer's own state before it."""
    o, cell, H = data.options, CELLS[data.options.cell], data.options.hidden_size
    states = by_direction(answer.output, data)
    before = np.concatenate([data.initial[:, None, :, :H], states[:, :-1]], axis=1)
    # Garbage in the state before a step makes garbage of its bound; that step has failed.
    with np.errstate(over="ignore", invalid="ignore"):
        inputs, w = each_read(real_inputs(data), data), of_layer(data.weights, 0, o)
        if len(o.parts) == 1:
            right, reason = one_step(cell, w, inputs, before, precision)
        else:
            shown = exactly(states, precision)
            right = from_shown(cell, w, exactly(inputs, precision), data.initial, shown)
            reason = f"the one-step bound, carried where the state does not show, {precision}"

    def operands(step: int, row: int, unit: int) -> Mapping[str, Any]:
        d, own_unit = divmod(unit, H)
        real = step < data.steps[row] and len(o.parts) == 1
        h = in_time(before, data)[step, row, d * H : (d + 1) * H]
        w = of_cell(data.weights, 0, d, o)
        return cell.operands(w, own_unit, data.inputs[step, row], h) if real else {}

    return Expectation(
        in_time(right.value[..., :H], data),
        in_time(right.bound[..., :H], data),
        last(right.value, data),
        last(right.bound, data),
        reason,
        formula=Formula(cell.formula, operands),
        layers=(right,) if len(o.parts) > 1 else (),
    )


def through_transparent(data: Data, precision: Precision, output: Array, dense: int) -> Expectation:
    """Each step of one layer from its own state before it, where all other layers hand on.

    The state before a step is what the output shows of it; the state after it is handed on to the
    output, and judged there. Its last one, and those of other layers, are judged in h_n.
    """
    with np.errstate(all="ignore"):  # what cannot be read makes a bound of what follows infinite
        states = shown_through(data, precision, output, dense)
        found = whole(data, precision, shown={dense: states})
    return replace(found, reason=f"one step of layer {dense}, carried through layers, {precision}")


def shown_through(data: Data, precision: Precision, output: Array, layer: int) -> Ball:
    """The states (D, T, B, H) of a layer as the output shows them, where all above hand on.

    They are in the order in which each direction computes them.
    """
    o, D = data.options, data.options.directions
    states = exactly(by_direction(output, data), precision)
    for above in reversed(range(layer + 1, o.num_layers)):
        initial = exactly(data.initial[above * D : (above + 1) * D], precision)
        states = CELLS[o.cell].handed_on(states, initial)
    return states


def as_a_whole(case: Case) -> Expectation:
    """`whole` for the numbers of a case, which are the same in every layout."""
    return _as_a_whole(case.in_one_order)


@lru_cache(maxsize=2048)
def _as_a_whole(case: Case) -> Expectation:
    return whole(case.data(), Precision.of(case.dtype))


def whole(
    data: Data,
    precision: Precision,
    *,
    loose: bool = False,
    shown: Mapping[int, Ball] = MappingProxyType({}),
) -> Expectation:
    """The results in float64, and how far from them rounding can take a layer.

    What a step inherits, from the state before it and from the layer below, is carried on. With
    `loose`, as far as rounding can take it with any activation that is nowhere steeper than 1.

    Args:
        shown: of layers by number, what was found of their states, (D, T, B, H): each of their
            steps starts from that.
    """
    o, D = data.options, data.options.directions
    cell = CELLS[o.cell].loose if loose else CELLS[o.cell]
    inputs, layers = exactly(real_inputs(data), precision), []
    for layer in range(o.num_layers):
        initial = data.initial[layer * D : (layer + 1) * D]
        w, read, own = of_layer(data.weights, layer, o), as_read(inputs, data), shown.get(layer)
        if own is None:
            found = trajectory(cell, w, read, initial)
        else:
            found = from_shown(cell, w, read, initial, own)
        layers.append(found)
        inputs = written(found, data)
    reason = f"the one-step bound, carried through time and layers, {precision}"
    h_n, h_n_bound = (
        np.concatenate([last(part, data) for part in parts])
        for parts in ([one.value for one in layers], [one.bound for one in layers])
    )
    y = readout.readout(data.weights, inputs).ball() if o.output_size else None
    return Expectation(
        inputs.value,
        inputs.bound,
        h_n,
        h_n_bound,
        reason,
        None if y is None else np.where(data.real, y.bound, 0),
        layers=tuple(layers),
    )


def computed(data: Data) -> Answer:
    """What layers compute in float64."""
    with np.errstate(over="ignore", invalid="ignore"):  # of radii, which nobody asks for
        found = whole(data, Precision.of(np.float64))
    return Answer(found.output, found.h_n)
