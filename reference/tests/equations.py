"""The equations once more, as the judge of the suite has them: it shares no code with this package.

Its bounds for what rounding may change are derived in `rnn_conformance.bounds`.
"""

from collections.abc import Mapping

import numpy as np
from rnn_conformance.bounds.balls import Precision, exactly
from rnn_conformance.cells import CELLS, CellWeights
from rnn_conformance.cells.readout import readout
from rnn_conformance.cells.running import one_step, trajectory
from rnn_reference.weights import Array

from .models import StepRNN

Steps = Mapping[int, Array]


def outside_bound(model: StepRNN, inputs: Array, outputs: Steps, states: Steps) -> list[str]:
    """What is further from the equations than rounding allows, anywhere; none if all is right.

    Each step is computed from the model's own previous state, so that no error is carried on.
    """
    precision, weights = Precision.of(model.dtype), model.weights
    before, after = (np.stack([states[t - i].T for t in outputs]) for i in (1, 0))
    rows = inputs.reshape(*after.shape[:2], model.input_size)
    w, last = CellWeights.of_seed_model(weights), weights | {"b_ho": weights["b_ho"][:, 0]}
    state, _ = one_step(CELLS["tanh"], w, rows, before, precision)
    output = readout(last, exactly(after, precision)).ball()
    found = {"h": (after, state), "y": (np.stack([y.T for y in outputs.values()]), output)}
    return [n for n, (a, ball) in found.items() if not (abs(a - ball.value) <= ball.bound).all()]


def apart(model: StepRNN, inputs: Array, h_0: Array) -> float:
    """How far a state of two right evaluations may be apart, over a whole trajectory."""
    x = exactly(inputs, Precision.of(model.dtype))
    w = CellWeights.of_seed_model(model.weights)
    return 2 * float(trajectory(CELLS["tanh"], w, x, h_0.T).bound.max())
