"""The equations once more, on plain Python floats, with bounds for what rounding may change.

Nothing here is shared with the reference: sums are loops, tanh is the one of `math`.
"""

import math
from collections.abc import Mapping
from itertools import chain

import numpy as np
from rnn_reference import BatchRNN
from rnn_reference.weights import Array

from .models import StepRNN

U64 = 2.0**-53  # the unit roundoff of the Python floats used here


def gamma(terms: int, unit_roundoff: float) -> float:
    """The relative error of a sum with at most so many roundings to a term (Higham, ch. 3)."""
    return terms * unit_roundoff / (1 - terms * unit_roundoff)


def outside_bound(
    model: StepRNN, inputs: Array, step_output: Mapping[int, Array], states: Mapping[int, Array]
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
    w = {name: value.tolist() for name, value in model.weights.items()}
    x_of = (inputs if isinstance(model, BatchRNN) else inputs[:, np.newaxis]).tolist()
    found = []

    def compare(what: str, got: Array, b: int, terms_of: list[list[float]], squashed: bool) -> None:
        for i, terms in enumerate(terms_of):
            wanted, size, m = sum(terms), sum(map(abs, terms)), len(terms) + 1
            bound = (gamma(m, u) + gamma(m, U64)) * size
            if squashed:
                wanted = math.tanh(wanted)
                bound += 4 * 2 * (u + U64) * abs(wanted)
            if not abs(float(got[i, b]) - wanted) <= bound:
                found.append(
                    f"{what}[{i}, {b}]: expected {wanted!r} ± {bound:.1e}, got {got[i, b]}"
                )

    def products(rows: list[list[float]], v: list[float]) -> list[list[float]]:
        return [[a * b for a, b in zip(row, v, strict=True)] for row in rows]

    for t, x_t in enumerate(x_of):
        for b, x in enumerate(x_t[: states[t].shape[1]]):
            before, after = states[t - 1][:, b].tolist(), states[t][:, b].tolist()
            driven, carried = products(w["W_xh"], x), products(w["W_hh"], before)
            state = [
                [*chain(*row)] for row in zip(driven, carried, w["b_xh"], w["b_hh"], strict=True)
            ]
            read_out = zip(products(w["W_ho"], after), w["b_ho"], strict=True)
            output = [terms + bias for terms, bias in read_out]
            compare(f"h_{t}", states[t], b, state, squashed=True)
            compare(f"y_{t}", step_output[t], b, output, squashed=False)
    return found


def apart(weights: Mapping[str, Array], inputs: Array, h_0: Array, u: float) -> float:
    """How far two right evaluations of a stack, of unit roundoff u, may be apart in any entry.

    Let X bound |x|, and A, C and b the absolute row sums of W_ih and W_hh and both biases. Neither
    f lets |f(a)| exceed |a|, so with C < 1 no state exceeds M = max(|h_0|, (A X + b) / (1 - C)),
    and the absolute values of a sum's terms add up to at most S = A X + C M + b. A term goes
    through at most I + H + 2 roundings, in whatever order (see `outside_bound`); one more makes up
    for each of: what M leaves out of rounding, and the rounding of this bound. With 4 ulps for a
    tanh that is at most 1, one evaluation of a step from given x and h errs by at most
    gamma(I + H + 4, u) S + 8 u, and two by twice that, e.

    Neither f stretches distances. If the x of two evaluations are at most d' apart, their states
    are d_t ≤ A d' + C d_{t-1} + e apart, hence, the same h_0 given, d = (A d' + e) / (1 - C) at
    most at any step. The inputs of layer 0 are the same, d' = 0; the d' of layer k + 1 is the d of
    layer k, its X the M. Returned is the largest d. What stands in `inputs` must be finite.
    """
    X, d, largest, slots = abs(inputs).max(), 0.0, 0.0, iter(h_0)
    layers = sum(name.startswith("weight_ih") and "reverse" not in name for name in weights)
    for k in range(layers):
        reached = []
        for end in (f"l{k}", f"l{k}_reverse"):
            if f"weight_ih_{end}" not in weights:
                continue
            W_ih, W_hh = (abs(weights[f"weight_{of}_{end}"].astype(float)) for of in ("ih", "hh"))
            both = [abs(weights.get(f"bias_{of}_{end}", np.zeros(1))).max() for of in ("ih", "hh")]
            A, C, b = W_ih.sum(axis=1).max(), W_hh.sum(axis=1).max(), sum(both)
            assert C < 1, "the bound holds where W_hh contracts"
            M = max(abs(next(slots)).max(), (A * X + b) / (1 - C))
            S, m = A * X + C * M + b, W_ih.shape[1] + len(W_hh) + 4
            e = 2 * (gamma(m, u) * S + 8 * u)
            reached.append((M, (A * d + e) / (1 - C)))
        X, d = max(M for M, _ in reached), max(d for _, d in reached)
        largest = max(largest, d)
    return float(largest)
