"""What is expected of a layer: from its own states where they show, else as a whole."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from rnn_reference import RNN

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
    """From the answer's own states where all of them show, else the reference's results."""
    return from_own_states(case, answer) if case.L == 1 else as_a_whole(case)


def from_own_states(case: Case, answer: Answer) -> Expectation:
    """Each step of a single layer from the answer's own state before it."""
    data, precision = case.data(), Precision.of(case.dtype)
    T, B, _ = data.inputs.shape
    H, D = case.H, case.options.directions
    output, output_bound = np.zeros((2, T, B, D * H))
    h_n, h_n_bound = np.zeros((2, D, B, H))
    rows = np.arange(B)
    reason, befores = "", []
    for d in range(D):
        own = slice(d * H, (d + 1) * H)
        inputs = in_direction(np.where(data.real, data.inputs, 0), data.steps, d)
        states = in_direction(answer.output[..., own], data.steps, d)
        before = np.concatenate([data.initial[d][None], states[:-1]])
        befores.append(in_direction(before, data.steps, d))
        # Garbage in the state before a step makes garbage of its bound; that step has failed.
        with np.errstate(over="ignore", invalid="ignore"):
            a = certificate.preactivation(
                cell_weights(data.weights, 0, d, case.options), inputs, before
            )
            expected = certificate.activation(case.nonlinearity, a.value)
            bound = certificate.state_bound(case.nonlinearity, a, precision)
        output[..., own] = np.where(data.real, in_direction(expected, data.steps, d), 0)
        output_bound[..., own] = np.where(data.real, in_direction(bound, data.steps, d), 0)
        h_n[d], h_n_bound[d] = expected[data.steps - 1, rows], bound[data.steps - 1, rows]
        reason = certificate.state_reason(case.nonlinearity, a.roundings, precision)

    def operands(step: int, row: int, unit: int) -> Mapping[str, Any]:
        d, own_unit = divmod(unit, H)
        weights = cell_weights(data.weights, 0, d, case.options)
        real = step < data.steps[row]
        x, h = data.inputs[step, row], befores[d][step, row]
        return step_operands(weights, own_unit, x, h) if real else {}

    formula = Formula(STEP[case.nonlinearity], operands)
    return Expectation(output, output_bound, h_n, h_n_bound, reason, formula)


def as_a_whole(case: Case) -> Expectation:
    """`whole` for the numbers of a case, which are the same in every layout."""
    return _as_a_whole(case.in_one_order)


@lru_cache(maxsize=2048)
def _as_a_whole(case: Case) -> Expectation:
    return whole(case.data(), Precision.of(case.dtype))


def whole(data: Data, precision: Precision, *, slope_one: bool = False) -> Expectation:
    """The reference's results in float64, and how far from them rounding can take a layer.

    With `slope_one`, as far as it can with any activation that is no steeper than that.

    The distance that a step inherits, from the state before it and from the layer below, perturbs
    its pre-activation by |W_hh| d_{t-1} + |W_ih| d'_t at most.
    """
    o, rows = data.options, np.arange(data.inputs.shape[1])
    below: Float64 = np.where(data.real, data.inputs, 0).astype(np.float64)
    below_bound: Float64 = np.zeros(data.inputs.shape)
    h_n, h_n_bound = np.zeros((2, *data.initial.shape))
    for layer in range(o.num_layers):
        outputs, bounds = [], []
        for d in range(o.directions):
            weights = cell_weights(data.weights, layer, d, o)
            initial = data.initial[layer * o.directions + d].astype(np.float64)
            states = _reference(
                weights, o.nonlinearity, in_direction(below, data.steps, d), initial
            )
            bound = certificate.trajectory_bound(
                weights,
                in_direction(below, data.steps, d),
                initial,
                states,
                precision,
                nonlinearity="relu" if slope_one else o.nonlinearity,
                inherited=in_direction(below_bound, data.steps, d).astype(np.float64),
            )
            at = layer * o.directions + d
            h_n[at], h_n_bound[at] = states[data.steps - 1, rows], bound[data.steps - 1, rows]
            outputs.append(np.where(data.real, in_direction(states, data.steps, d), 0))
            bounds.append(np.where(data.real, in_direction(bound, data.steps, d), 0))
        below, below_bound = np.concatenate(outputs, axis=2), np.concatenate(bounds, axis=2)
    reason = f"the one-step bound, carried through time and layers, {precision}"
    return Expectation(below, below_bound, h_n, h_n_bound, reason)


def in_direction(values: Array, steps: Lengths, direction: int) -> Array:
    """(T, B, n) in the order in which a direction reads it; the reverse one is its own inverse.

    The reverse direction starts at each row's last real step; padding stays where it is.
    """
    if direction == 0:
        return values
    t = np.arange(len(values))[:, None]
    order = np.where(t < steps, steps - 1 - t, t)
    return np.take_along_axis(values, order[..., None], axis=0)


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


def _reference(
    weights: Mapping[str, Array], nonlinearity: str, inputs: Array, initial: Array
) -> Float64:
    """The states (T, B, H) of one layer in one direction, by the reference in float64."""
    wide = {name: value.astype(np.float64) for name, value in weights.items()}
    layer = RNN.from_weights(
        {
            "weight_ih_l0": wide["W_xh"],
            "weight_hh_l0": wide["W_hh"],
            "bias_ih_l0": wide["b_xh"][:, 0],
            "bias_hh_l0": wide["b_hh"][:, 0],
        },
        nonlinearity=nonlinearity,
    )
    output, _ = layer.forward(inputs.astype(np.float64), initial[None])
    return output.astype(np.float64)
