"""Proof, before anything is timed, that a line computes the recurrence.

Every line is compared with the same trajectory in float64. The bounds are those of the suite:
`trajectory_bound` for the states, and for the outputs the rounding of the readout plus what |W_ho|
makes of the distance of the states.
"""

from typing import NamedTuple

import numpy as np
from rnn_conformance.bounds.certificate import (
    Precision,
    affine,
    gamma,
    readout_bound,
    trajectory,
    trajectory_bound,
)

from rnn_benchmarks.lines import Trajectory
from rnn_benchmarks.workload import Workload


class Expected(NamedTuple):
    """A trajectory in float64, how far a right line can be from it, and the dtype of the lines."""

    values: Trajectory
    bounds: Trajectory
    dtype: np.dtype[np.floating]


def expect(workload: Workload) -> Expected:
    """What every line must compute from this workload."""
    w, x = workload.weights, workload.inputs
    h_0, precision = np.zeros((x.shape[1], len(w["W_hh"]))), Precision.of(x.dtype)
    states = trajectory(w, x, h_0)
    apart = trajectory_bound(w, x, h_0, states, precision)
    readout = affine((w["W_ho"], states), biases=(w["b_ho"],))
    # The readout is rounded at the states of the line, which are `apart` from these.
    carried = (apart @ np.abs(w["W_ho"]).T) * (1 + gamma(readout.roundings, precision.u))
    outputs = readout_bound(readout, precision) + carried * readout.slack
    return Expected(Trajectory(readout.value, states), Trajectory(outputs, apart), x.dtype)


def require_agreement(title: str, found: Trajectory, expected: Expected) -> None:
    """Raise AssertionError with the first number that differs by more than rounding explains."""
    pairs = zip(Trajectory._fields, found, expected.values, expected.bounds, strict=True)
    for name, actual, wanted, bound in pairs:
        if (actual.shape, actual.dtype) != (wanted.shape, expected.dtype):
            raise AssertionError(
                f"{name} of {title}: expected {wanted.shape} {expected.dtype}, "
                f"got {actual.shape} {actual.dtype}; not timed"
            )
        for t, step in enumerate(actual):  # a temporary of a whole trajectory can be a gigabyte
            outside = np.argwhere(~(np.abs(step - wanted[t]) <= bound[t]))  # NaN is outside
            if len(outside):
                row, unit = outside[0]
                raise AssertionError(
                    f"{name} of {title} differ first at t={t}, row {row}, unit {unit}: expected "
                    f"{wanted[t, row, unit]}, got {step[row, unit]}, rounding explains "
                    f"{bound[t, row, unit]:.1e}; not timed"
                )
