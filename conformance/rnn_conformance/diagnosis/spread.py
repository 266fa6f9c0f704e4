"""How far apart rounding can take two implementations of the same wrong recurrence."""

from collections.abc import Mapping
from functools import lru_cache

import numpy as np

from rnn_conformance import certificate
from rnn_conformance.cases import Case
from rnn_conformance.certificate import Float64, Precision
from rnn_conformance.expected import reference_states
from rnn_conformance.layer.cases import LayerCase
from rnn_conformance.layer.expected import H_N, whole


@lru_cache(maxsize=256)
def spreads(case: Case | LayerCase) -> Mapping[str, Float64]:
    """By the name of each result of the recurrence: (T, B, units), or (L·D, B, H) for h_n.

    The bound of a trajectory, for an activation that is nowhere steeper than one, whatever it is:
    a wrong one need not be a tanh.
    """
    precision = Precision.of(case.dtype)
    with np.errstate(all="ignore"):  # what grows beyond all bounds is not compared
        if isinstance(case, LayerCase):
            limits = whole(case.data(), precision, slope_one=True)
            return {"output": limits.output_bound, H_N: limits.h_n_bound}
        data = case.data()
        states = reference_states(case)
        apart = certificate.trajectory_bound(
            data.weights, data.inputs, data.initial, states, precision, nonlinearity="relu"
        )
        W_ho = np.abs(data.weights["W_ho"].astype(np.float64))
        y = certificate.affine((data.weights["W_ho"], states), biases=(data.weights["b_ho"],))
        rounding = certificate.readout_bound(y, precision)
        return {
            "hidden_states": apart,
            "h_n": apart[-1:],
            "outputs": apart @ W_ho.T + rounding,
        }
