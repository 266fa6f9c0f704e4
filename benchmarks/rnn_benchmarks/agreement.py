"""Proof, before anything is timed, that two lines compute the same.

In the largest norm, with ρ the largest sum of |W_hh| along a row, u the unit roundoff and
γ_n = n u / (1 − n u): whatever the order of its sums, one step of a right line adds at most

    ε = γ_{I+H+3} · s + 2 k u,        s = max|x| · ‖W_xh‖ + max|b_xh| + ρ + max|b_hh|,

(I + H products, two biases and one to spare; states are at most 1; the tanh is within k ulps and
does not enlarge a difference). An earlier error shrinks by ρ at each step, so no state is further
than ε / (1 − ρ) from the exact one, and no output further than

    ‖W_ho‖ · ε / (1 − ρ)  +  γ_{H+1} · (‖W_ho‖ + max|b_ho|).

Two right lines may stand on opposite sides of the exact trajectory: twice that is allowed.
"""

from dataclasses import dataclass

import numpy as np
from rnn_reference.weights import Array

from rnn_benchmarks.lines import Trajectory
from rnn_benchmarks.workload import Workload

TANH_ULPS = 4


class DisagreementError(AssertionError):
    """Two lines computed different trajectories."""


@dataclass(frozen=True)
class Allowance:
    """The largest absolute difference that rounding can make between two right lines."""

    states: float
    outputs: float


def allowance(workload: Workload) -> Allowance:
    """The bound of the module's docstring. ValueError where W_hh does not contract."""
    weights = workload.weights
    hidden_size, input_size = weights["W_xh"].shape
    unit_roundoff = float(np.finfo(weights["W_xh"].dtype).eps) / 2
    rho = _norm(weights["W_hh"])
    if not rho < 1:
        raise ValueError(f"W_hh: expected absolute row sums below 1, got {rho:.3g}")
    summed = (
        _largest(workload.inputs) * _norm(weights["W_xh"])
        + _largest(weights["b_xh"])
        + rho
        + _largest(weights["b_hh"])
    )
    step = (
        _gamma(input_size + hidden_size + 3, unit_roundoff) * summed + 2 * TANH_ULPS * unit_roundoff
    )
    state = step / (1 - rho)
    readout = _norm(weights["W_ho"])
    output = readout * state + _gamma(hidden_size + 1, unit_roundoff) * (
        readout + _largest(weights["b_ho"])
    )
    return Allowance(states=2 * state, outputs=2 * output)


def require_agreement(
    actual: Trajectory, expected: Trajectory, allowed: Allowance, *, names: tuple[str, str]
) -> Allowance:
    """The largest differences found; DisagreementError where one exceeds what is allowed."""
    return Allowance(
        states=_require("states", actual.states, expected.states, allowed.states, names),
        outputs=_require("outputs", actual.outputs, expected.outputs, allowed.outputs, names),
    )


def _require(
    what: str, actual: Array, expected: Array, allowed: float, names: tuple[str, str]
) -> float:
    pair = f"{what} of {names[0]} and {names[1]}"
    if (actual.shape, actual.dtype) != (expected.shape, expected.dtype):
        raise DisagreementError(
            f"{pair}: {actual.shape} {actual.dtype} against {expected.shape} {expected.dtype}; "
            "not timed"
        )
    largest = 0.0
    # Step by step, because a temporary of the size of the largest trajectory is a gigabyte.
    for t, (left, right) in enumerate(zip(actual, expected, strict=True)):
        difference = np.abs(left - right)
        if not (difference <= allowed).all():  # a NaN is not within it either
            sequence, row = np.argwhere(~(difference <= allowed))[0]
            raise DisagreementError(
                f"{pair} differ first at t={t}, sequence {sequence}, row {row}: "
                f"{left[sequence, row]} against {right[sequence, row]}, rounding explains "
                f"{allowed:.1e}; not timed"
            )
        largest = max(largest, float(difference.max()))
    return largest


def _gamma(terms: int, unit_roundoff: float) -> float:
    return terms * unit_roundoff / (1 - terms * unit_roundoff)


def _norm(weight: Array) -> float:
    return float(np.abs(weight.astype(np.float64)).sum(axis=1).max())


def _largest(values: Array) -> float:
    return float(max(values.max(), -values.min()))
