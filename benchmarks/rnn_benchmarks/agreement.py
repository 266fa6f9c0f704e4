"""Proof, before anything is timed, that a line computes the recurrence.

Every line is compared with the same trajectory, computed in float64 as the equations stand. The
bounds are those of the suite: `trajectory_bound` for the states, and for the outputs the rounding
of the readout plus what |W_ho| makes of the distance of the states.
"""

from dataclasses import dataclass

import numpy as np
from rnn_conformance.bounds.certificate import (
    Precision,
    affine,
    gamma,
    readout_bound,
    trajectory_bound,
)
from rnn_reference.weights import Array

from rnn_benchmarks.lines import Trajectory
from rnn_benchmarks.workload import Workload


class DisagreementError(AssertionError):
    """A line computed something else."""


@dataclass(frozen=True)
class Expected:
    """A trajectory in float64, how far a right line can be from it, and the dtype of the lines."""

    values: Trajectory
    bounds: Trajectory
    dtype: np.dtype[np.floating]


def expect(workload: Workload) -> Expected:
    """What every line must compute from this workload."""
    W_xh, b_xh, W_hh, b_hh, W_ho, b_ho = (w.astype(np.float64) for w in workload.weights.values())
    T, B, _ = workload.inputs.shape
    h_0 = h = np.zeros((B, len(W_hh)))
    states = np.empty((T, *h.shape))
    for t, x in enumerate(workload.inputs.astype(np.float64)):
        h = states[t] = np.tanh(x @ W_xh.T + b_xh.T + h @ W_hh.T + b_hh.T)
    precision = Precision.of(workload.inputs.dtype)
    apart = trajectory_bound(workload.weights, workload.inputs, h_0, states, precision)
    readout = affine((W_ho, states), biases=(b_ho,))
    # The readout is rounded at the states of the line, which are `apart` from these.
    carried = (apart @ np.abs(W_ho).T) * (1 + gamma(readout.roundings, precision.u))
    outputs = readout_bound(readout, precision) + carried * readout.slack
    values, bounds = Trajectory(readout.value, states), Trajectory(outputs, apart)
    return Expected(values, bounds, workload.inputs.dtype)


def require_agreement(title: str, found: Trajectory, expected: Expected) -> None:
    """DisagreementError with the first number that differs by more than rounding explains."""
    pairs = zip(("outputs", "states"), found, expected.values, expected.bounds, strict=True)
    for name, actual, wanted, bound in pairs:
        if (actual.shape, actual.dtype) != (wanted.shape, expected.dtype):
            raise DisagreementError(
                f"{name} of {title}: expected {wanted.shape} {expected.dtype}, "
                f"got {actual.shape} {actual.dtype}; not timed"
            )
        outside = _outside(actual, wanted, bound)
        if outside is not None:
            t, row, unit = outside
            raise DisagreementError(
                f"{name} of {title} differ first at t={t}, row {row}, unit {unit}: expected "
                f"{wanted[outside]}, got {actual[outside]}, rounding explains "
                f"{bound[outside]:.1e}; not timed"
            )


def _outside(actual: Array, wanted: Array, bound: Array) -> tuple[int, ...] | None:
    """The first place outside the bound; a NaN is outside."""
    for t, step in enumerate(actual):  # a temporary array of a whole trajectory can be a gigabyte
        wrong = ~(np.abs(step - wanted[t]) <= bound[t])
        if wrong.any():
            return (t, *(int(i) for i in np.argwhere(wrong)[0]))
    return None
