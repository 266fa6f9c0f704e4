"""What is expected of the results of a case, each with its bound and the reason for it."""

from collections.abc import Iterator, Mapping
from functools import lru_cache

import numpy as np
from rnn_reference import BatchRNN

from rnn_conformance import certificate
from rnn_conformance.cases import Case
from rnn_conformance.certificate import Affine, Float64, Precision
from rnn_conformance.judgement import Judgement
from rnn_conformance.protocol import Array
from rnn_conformance.reproduction import readout_formula, step_formula
from rnn_conformance.subject import Result, Violation


def steps(case: Case, states: Array) -> Judgement:
    """Every state from the one before it: the one-step certificate over (T, B, H)."""
    return _certified("hidden_states", case, slice(None), _before(case, states), states)


def last_step(case: Case, states: Array, h_n: Array) -> Judgement:
    """h_n (B, H) from the state before the last step."""
    return _certified("h_n", case, slice(-1, None), _before(case, states)[-1:], h_n[np.newaxis])


def readout(case: Case, states: Array, outputs: Array) -> Judgement:
    """Every output (T, B, O) from the state of the same step."""
    precision = Precision.of(case.dtype)
    y = _readout(case, states)
    reason = f"gamma_{y.roundings}(u) (|W_ho||h_t| + |b_ho|), {precision}"
    bound = certificate.readout_bound(y, precision)
    formula = readout_formula(case.data().weights, states)
    return Judgement("outputs", y.value, outputs, bound, reason, formula=formula)


def trajectory(case: Case, states: Array) -> Judgement:
    """All states (T, B, H) against the reference's, in float64."""
    reference, bound = _reference(case)
    reason = f"the one-step bound, carried through time, {Precision.of(case.dtype)}"
    return Judgement("hidden_states", reference, states, bound, reason)


def same(case: Case, first: Result, second: Result, row: int | None = None) -> Iterator[Judgement]:
    """Two runs on the same numbers, between which nothing but rounding may differ.

    With `row`, the results are those of this one sequence of the case.
    """
    apart = 2 * _reference(case)[1]
    if row is not None:
        apart = apart[:, row : row + 1]
    reason = f"twice the bound of a trajectory, {Precision.of(case.dtype)}"
    yield Judgement("hidden_states", first.hidden_states, second.hidden_states, apart, reason)
    if first.h_n is not None and second.h_n is not None:
        last = case.T - 1
        yield Judgement("h_n", first.h_n[None], second.h_n[None], apart[-1:], reason, last)
    if first.outputs is not None and second.outputs is not None:
        precision = Precision.of(case.dtype)
        a, b = _readout(case, first.hidden_states), _readout(case, second.hidden_states)
        W_ho = np.abs(case.data().weights["W_ho"].astype(np.float64))
        rounding = certificate.readout_bound(a, precision) + certificate.readout_bound(b, precision)
        bound = rounding + (apart @ W_ho.T) * a.slack
        yield Judgement("outputs", first.outputs, second.outputs, bound, reason)


def unchanged(before: Mapping[str, object], after: Mapping[str, object]) -> Iterator[Judgement]:
    """Every array that went in, after the call. Raises Violation where one is no longer there."""
    for name, was in before.items():
        if not isinstance(was, np.ndarray):
            continue
        found = after.get(name)
        if not isinstance(found, np.ndarray):
            raise Violation(f"{name}: was an array, came back as {type(found).__name__}")
        if found.shape != was.shape:
            raise Violation(f"{name}: came back with shape {found.shape}, was {was.shape}")
        yield identical(f"{name}, which was given", was, found)


def identical(what: str, before: Array, after: Array) -> Judgement:
    """Memory that nobody should have written to, of any rank; NaN is identical to NaN."""
    shape = (1,) * (3 - before.ndim) + before.shape
    same_bits = (before == after) | (np.isnan(before) & np.isnan(after))
    was, found = (np.where(same_bits, 0, values).reshape(shape) for values in (before, after))
    return Judgement(what, was, found, 0.0, "unchanged, bit for bit")


def _certified(what: str, case: Case, when: slice, before: Array, found: Array) -> Judgement:
    precision = Precision.of(case.dtype)
    data = case.data()
    # Garbage in the state before a step makes garbage of its bound; the step before has failed.
    with np.errstate(over="ignore", invalid="ignore"):
        a = certificate.preactivation(data.weights, data.inputs[when], before)
        bound = certificate.tanh_bound(a, precision)
        expected = np.tanh(a.value)
    formula = step_formula(data.weights, data.inputs[when], before)
    first_step = range(case.T)[when].start
    return Judgement(
        what,
        expected,
        found,
        bound,
        certificate.state_reason("tanh", a.roundings, precision),
        first_step,
        formula,
    )


def _before(case: Case, states: Array) -> Array:
    """The implementation's own state before each step, (T, B, H)."""
    return np.concatenate([case.data().initial[np.newaxis], states[:-1]])


def _readout(case: Case, states: Array) -> Affine:
    weights = case.data().weights
    with np.errstate(over="ignore", invalid="ignore"):
        return certificate.affine((weights["W_ho"], states), biases=(weights["b_ho"],))


def _reference(case: Case) -> tuple[Float64, Float64]:
    """The states (T, B, H) of the reference, in float64, and the bound on the distance to them."""
    return _bounded_reference(case.in_one_order)


@lru_cache(maxsize=2048)
def _bounded_reference(case: Case) -> tuple[Float64, Float64]:
    data, states = case.data(), _reference_states(case)
    precision = Precision.of(case.dtype)
    bound = certificate.trajectory_bound(data.weights, data.inputs, data.initial, states, precision)
    return states, bound


def reference_states(case: Case) -> Float64:
    """The states (T, B, H) of the reference, in float64; they are the same in every layout."""
    return _reference_states(case.in_one_order)


@lru_cache(maxsize=2048)
def _reference_states(case: Case) -> Float64:
    data = case.data()
    model = BatchRNN.from_weights(
        {name: value.astype(np.float64) for name, value in data.weights.items()}
    )
    initial = data.initial.astype(np.float64)
    _, hidden_states = model.forward(data.inputs.astype(np.float64), initial.T)
    states: Float64 = np.stack([hidden_states[t].T for t in range(case.T)]).astype(np.float64)
    return states
