"""What is expected of a layer: from its own states where they show, else as a whole."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from rnn_conformance.bounds import certificate
from rnn_conformance.bounds.certificate import Float64, Precision
from rnn_conformance.bounds.judgement import Judgement
from rnn_conformance.bounds.reproduction import STEP, Formula, readout_formula, step_operands
from rnn_conformance.cases.case import Case, Data
from rnn_conformance.contract.call import Answer, Array, Lengths, Options


@dataclass(frozen=True)
class Expectation:
    """The results of a case with the bound on each number.

    Attributes:
        output, output_bound: (T, B, D·H); where there is padding, 0 and 0.
        h_n, h_n_bound: (L·D, B, H).
        reason: where the bound comes from.
        formula: how a number of the output comes about, where its own state before it shows.
    """

    output: Float64
    output_bound: Float64
    h_n: Float64
    h_n_bound: Float64
    reason: str
    formula: Formula | None = None


H_N = "h_n (step is layer·D + direction)"


def judge(
    expectation: Expectation, answer: Answer, data: Data, precision: Precision
) -> Iterator[Judgement]:
    """What is given of an answer, in one order whatever the layout, against what is expected."""
    yield judge_output(expectation, answer)
    if answer.h_n is not None:
        yield judge_h_n(expectation, answer.h_n)
    if answer.y is not None:
        yield readout(data, precision, answer.output, answer.y)


def judge_output(e: Expectation, answer: Answer) -> Judgement:
    """The output."""
    return Judgement("output", e.output, answer.output, e.output_bound, e.reason, formula=e.formula)


def judge_h_n(e: Expectation, h_n: Array) -> Judgement:
    """The final states (L·D, B, H)."""
    return Judgement(H_N, e.h_n, h_n, e.h_n_bound, e.reason)


def readout(data: Data, precision: Precision, output: Array, y: Array) -> Judgement:
    """The readout (T, B, O) from the output of the same step; padding is not looked at."""
    W_ho, b_ho = data.weights["W_ho"], data.weights["b_ho"][:, None]
    with np.errstate(over="ignore", invalid="ignore"):
        a = certificate.affine((W_ho, output), biases=(b_ho,))
        bound = certificate.readout_bound(a, precision)
    reason = f"gamma_{a.roundings}(u) (|W_ho||h_t| + |b_ho|), {precision}"
    formula = readout_formula({"W_ho": W_ho, "b_ho": b_ho}, output)
    expected, bound = (np.where(data.real, part, 0) for part in (a.value, bound))
    return Judgement("y", expected, y, bound, reason, formula=formula)


def of_answer(case: Case, answer: Answer) -> Expectation:
    """From the answer's own states where all of them show, else as a whole."""
    return from_own_states(case, answer) if case.L == 1 else as_a_whole(case)


def from_own_states(case: Case, answer: Answer) -> Expectation:
    """Each step of a single layer from the answer's own state before it."""
    data, precision = case.data(), Precision.of(case.dtype)
    D, H = case.options.directions, case.H
    output = answer.output.astype(np.float64)
    halves = (output[..., d * H : (d + 1) * H] for d in range(D))
    states = np.array([in_direction(h, data.lengths, d) for d, h in enumerate(halves)])
    before = np.concatenate([data.initial[:, None], states[:, :-1]], axis=1)
    # Garbage in the state before a step makes garbage of its bound; that step has failed.
    with np.errstate(over="ignore", invalid="ignore"):
        inputs = _each_read(_real_inputs(data), data)
        a = certificate.preactivation(layer_weights(data, 0), inputs, before)
        right = certificate.next_state(case.nonlinearity, a, precision)
        bound = right.bound()
    reason = certificate.state_reason(case.nonlinearity, a.roundings, precision)

    def operands(step: int, row: int, unit: int) -> Mapping[str, Any]:
        d, own_unit = divmod(unit, H)
        weights = cell_weights(data.weights, 0, d, case.options)
        real = step < data.steps[row]
        h = _in_time(before, data)[step, row, d * H : (d + 1) * H]
        return step_operands(weights, own_unit, data.inputs[step, row], h) if real else {}

    return Expectation(
        _in_time(right.expected, data),
        _in_time(bound, data),
        _last(right.expected, data),
        _last(bound, data),
        reason,
        Formula(STEP[case.nonlinearity], operands),
    )


def as_a_whole(case: Case) -> Expectation:
    """`whole` for the numbers of a case, which are the same in every layout."""
    return _as_a_whole(case.in_one_order)


@lru_cache(maxsize=2048)
def _as_a_whole(case: Case) -> Expectation:
    return whole(case.data(), Precision.of(case.dtype))


def whole(data: Data, precision: Precision, *, slope_one: bool = False) -> Expectation:
    """The results in float64, and how far from them rounding can take a layer.

    With `slope_one`, as far as it can with any activation that is no steeper than that.

    The distance that a step inherits, from the state before it and from the layer below, perturbs
    its pre-activation by |W_hh| d_{t-1} + |W_ih| d'_t at most.
    """
    o, D = data.options, data.options.directions
    output, bound = _real_inputs(data), np.zeros(data.inputs.shape)
    h_n, h_n_bound = [], []
    for layer in range(o.num_layers):
        inputs = _each_read(output, data)
        weights = layer_weights(data, layer)
        initial = data.initial[layer * D : (layer + 1) * D]
        states = certificate.trajectory(weights, inputs, initial, o.nonlinearity)
        bounds = certificate.trajectory_bound(
            weights,
            inputs,
            initial,
            states,
            precision,
            nonlinearity="relu" if slope_one else o.nonlinearity,
            inherited=_each_read(bound, data) if layer else None,
        )
        h_n.append(_last(states, data))
        h_n_bound.append(_last(bounds, data))
        output, bound = _in_time(states, data), _in_time(bounds, data)
    reason = f"the one-step bound, carried through time and layers, {precision}"
    return Expectation(output, bound, np.concatenate(h_n), np.concatenate(h_n_bound), reason)


def one_layer(data: Data) -> Answer:
    """What a single layer computes in float64."""
    weights, o = layer_weights(data, 0), data.options
    inputs = _each_read(_real_inputs(data), data)
    states = certificate.trajectory(weights, inputs, data.initial, o.nonlinearity)
    return Answer(_in_time(states, data), _last(states, data))


def _real_inputs(data: Data) -> Float64:
    """The inputs (T, B, I), zeros in the padding."""
    inputs = data.inputs.astype(np.float64)
    return inputs if data.lengths is None else np.where(data.real, inputs, 0)


def _each_read(values: Float64, data: Data) -> Float64:
    """(T, B, n) as each direction reads it, (D, T, B, n)."""
    return np.array([in_direction(values, data.lengths, d) for d in range(data.options.directions)])


def _in_time(values: Float64, data: Data) -> Float64:
    """What each direction computes, (D, T, B, H), in the order of time as (T, B, D·H)."""
    each = [in_direction(value, data.lengths, d) for d, value in enumerate(values)]
    joined = np.concatenate(each, axis=2)
    return joined if data.lengths is None else np.where(data.real, joined, 0)


def _last(values: Float64, data: Data) -> Float64:
    """What each direction computes at the last step of each row that it reads, (D, B, H)."""
    if data.lengths is None:
        return values[:, -1]
    last: Float64 = values[:, data.lengths - 1, np.arange(len(data.lengths))]
    return last


def in_direction(
    values: npt.NDArray[Any], lengths: Lengths | None, direction: int
) -> npt.NDArray[Any]:
    """(T, B, n) in the order in which a direction reads it; the reverse one is its own inverse.

    The reverse direction starts at each row's last real step; padding stays where it is.
    """
    if direction == 0:
        return values
    if lengths is None:
        return values[::-1]
    t = np.arange(len(values))[:, None]
    order = np.where(t < lengths, lengths - 1 - t, t)
    turned: npt.NDArray[Any] = values[order, np.arange(len(lengths))]
    return turned


def layer_weights(data: Data, layer: int) -> dict[str, Array]:
    """Those of each direction of a layer, one on the other, in float64."""
    each = [
        cell_weights(data.weights, layer, d, data.options) for d in range(data.options.directions)
    ]
    return {name: np.array([w[name] for w in each], np.float64) for name in each[0]}


def cell_weights(
    weights: Mapping[str, Array], layer: int, direction: int, options: Options
) -> dict[str, Array]:
    """The weights of one layer and direction, under the names of the seed model."""
    end = f"l{layer}{'_reverse' if direction else ''}"
    zeros = np.zeros((options.hidden_size, 1), weights["weight_hh_l0"].dtype)
    bias = {
        ours: weights[f"{theirs}_{end}"][:, None] if options.bias else zeros
        for ours, theirs in (("b_xh", "bias_ih"), ("b_hh", "bias_hh"))
    }
    return {"W_xh": weights[f"weight_ih_{end}"], "W_hh": weights[f"weight_hh_{end}"], **bias}
