"""Proof, before anything is timed, that a line computes the recurrence.

Every line is compared with the same trajectory, computed in float64 as the equations stand, within
the bounds of the suite: the one-step bound, carried through time and through the readout.
"""

from typing import NamedTuple

import numpy as np
from rnn_conformance.bounds.balls import Precision, exactly
from rnn_conformance.cells import CELLS, CellWeights
from rnn_conformance.cells.readout import readout
from rnn_conformance.cells.running import trajectory

from rnn_benchmarks.lines import Trajectory
from rnn_benchmarks.workload import Workload


class Expected(NamedTuple):
    """A trajectory in float64, how far a right line can be from it, and the dtype of the lines."""

    values: Trajectory
    bounds: Trajectory
    dtype: np.dtype[np.floating]


def expect(workload: Workload) -> Expected:
    """What every line must compute from this workload."""
    return _expect_rnn(workload) if workload.cell == "rnn" else _expect_gated(workload)


def _expect_gated(workload: Workload) -> Expected:
    inputs, cell = workload.inputs, CELLS[workload.cell]
    w, precision = CellWeights(*workload.weights.values()), Precision.of(inputs.dtype)
    H, parts = w.W_hh.shape[1], len(cell.parts)
    initial = np.zeros((inputs.shape[1], parts * H))
    states = trajectory(cell, w, exactly(inputs, precision), initial)
    values, bounds = (
        Trajectory(each[..., :H], np.stack(np.split(each[-1], parts, axis=1)))
        for each in (states.value, states.bound)
    )
    return Expected(values, bounds, inputs.dtype)


def _expect_rnn(workload: Workload) -> Expected:
    w, inputs = CellWeights.of_seed_model(workload.weights), workload.inputs
    h_0 = np.zeros((inputs.shape[1], len(w.W_hh)))
    states = trajectory(CELLS["tanh"], w, exactly(inputs, Precision.of(inputs.dtype)), h_0)
    last = {**workload.weights, "b_ho": workload.weights["b_ho"][:, 0]}
    outputs = readout(last, states).ball()
    values, bounds = (
        Trajectory(outputs.value, states.value),
        Trajectory(outputs.bound, states.bound),
    )
    return Expected(values, bounds, inputs.dtype)


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
            off = np.abs(step - wanted[t])
            if not (off <= bound[t]).all():  # NaN is not
                raise AssertionError(
                    f"{name} of {title} differ first at t={t}, by up to {off.max():.1e}, where "
                    f"rounding explains up to {bound[t].max():.1e}; not timed"
                )
