"""The equations once more, on plain Python floats, with a bound for what rounding may change.

Nothing here is shared with the reference: sums are loops, tanh is the one of `math`.
"""

import math
from collections.abc import Mapping

import numpy as np
from rnn_reference import BatchRNN
from rnn_reference.weights import Array

from .drawn import AnyRNN, columns

U64 = 2.0**-53  # the unit roundoff of the Python floats used here


def gamma(terms: int, unit_roundoff: float) -> float:
    """The relative error of a sum with at most so many roundings to a term (Higham, ch. 3)."""
    return terms * unit_roundoff / (1 - terms * unit_roundoff)


def outside_bound(
    model: AnyRNN, inputs: Array, step_output: Mapping[int, Array], states: Mapping[int, Array]
) -> list[str]:
    """Every entry that is further from the equations than rounding allows; none if all is right.

    Each step is computed from the model's own previous state, so that no error is carried on.
    With n products and b biases, a term of the sum goes through at most n + b roundings, in
    whatever order it is summed, with or without FMA. One more makes up for the rounding of the sum
    of absolute values S below. So both sums, the model's of unit roundoff u and the one here, are
    within e = (gamma(m, u) + gamma(m, U64)) S of each other, with m = n + b + 1: I + H + 3 for a
    state and H + 2 for an output. tanh does not stretch distances; the two tanh themselves are
    good to 4 ulps (NumPy's claim for its vector loops; the C library's is better), an ulp being at
    most 2 u |tanh|. Results are read as float64, without error. Nothing here underflows.
    """
    u = float(np.finfo(model.dtype).eps) / 2
    W_xh, W_hh, W_ho = model.W_xh.tolist(), model.W_hh.tolist(), model.W_ho.tolist()
    b_xh, b_hh, b_ho = model.b_xh.tolist(), model.b_hh.tolist(), model.b_ho.tolist()
    x_of = (inputs if isinstance(model, BatchRNN) else inputs[:, np.newaxis]).tolist()
    found = []

    def compare(what: str, got: float, terms: list[float], squashed: bool) -> None:
        wanted, size, m = sum(terms), sum(map(abs, terms)), len(terms) + 1
        bound = (gamma(m, u) + gamma(m, U64)) * size
        if squashed:
            wanted = math.tanh(wanted)
            bound += 4 * 2 * (u + U64) * abs(wanted)
        if not abs(got - wanted) <= bound:
            found.append(f"{what}: expected {wanted!r} ± {bound:.1e}, got {got!r}")

    for t in range(len(x_of)):
        for b in range(columns(model, len(x_of[t]))):
            x, h = x_of[t][b], states[t - 1][:, b].tolist()
            for i in range(model.hidden_size):
                terms = [W_xh[i][j] * x[j] for j in range(model.input_size)]
                terms += [W_hh[i][j] * h[j] for j in range(model.hidden_size)]
                terms += [b_xh[i][0], b_hh[i][0]]
                compare(f"h_{t}[{i}, {b}]", float(states[t][i, b]), terms, squashed=True)
            h = states[t][:, b].tolist()
            for i in range(model.output_size):
                terms = [W_ho[i][j] * h[j] for j in range(model.hidden_size)] + [b_ho[i][0]]
                compare(f"y_{t}[{i}, {b}]", float(step_output[t][i, b]), terms, squashed=False)
    return found
