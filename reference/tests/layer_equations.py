"""A stack of layers once more, a sequence at a time on plain Python floats, with an error bound.

Nothing here is shared with the reference: sums are loops, tanh is the one of `math`, and a sequence
of a batch is cut to its length and run alone.
"""

import math
from collections.abc import Mapping, Sequence

import numpy as np
from rnn_reference.weights import Array

from .one_step import U64, gamma

Vectors = list[list[float]]
Weights = Mapping[str, Array]


def _one_direction(weights: Weights, layer: str, xs: Vectors, h: list[float], f: str) -> Vectors:
    """The states after each of the inputs xs, from state h on."""
    W_ih, W_hh = (weights[f"weight_{of}_{layer}"].tolist() for of in ("ih", "hh"))
    zeros = [0.0] * len(h)
    b_ih, b_hh = (
        weights[name].tolist() if name in weights else zeros
        for name in (f"bias_ih_{layer}", f"bias_hh_{layer}")
    )
    states = []
    for x in xs:
        new = []
        for i in range(len(h)):
            a = b_ih[i] + b_hh[i]
            a += sum(W_ih[i][j] * x[j] for j in range(len(x)))
            a += sum(W_hh[i][j] * h[j] for j in range(len(h)))
            new.append(math.tanh(a) if f == "tanh" else max(a, 0.0))
        h = new
        states.append(h)
    return states


def _one_sequence(weights: Weights, xs: Vectors, h_0: Vectors, f: str) -> tuple[Vectors, Vectors]:
    """The last layer's outputs, and the last state of every layer and direction."""
    h_n: Vectors = []
    k = 0
    while f"weight_ih_l{k}" in weights:
        ys = _one_direction(weights, f"l{k}", xs, h_0[len(h_n)], f)
        h_n.append(ys[-1])
        if f"weight_ih_l{k}_reverse" in weights:
            read_backwards = _one_direction(weights, f"l{k}_reverse", xs[::-1], h_0[len(h_n)], f)
            h_n.append(read_backwards[-1])
            ys = [y + g for y, g in zip(ys, read_backwards[::-1], strict=True)]
        xs, k = ys, k + 1
    return xs, h_n


def expected(
    weights: Weights, inputs: Array, h_0: Array, nonlinearity: str, lengths: Sequence[int]
) -> tuple[Array, Array]:
    """Output (T, B, D*H) and h_n (L*D, B, H) in float64, from inputs and h_0 laid out likewise."""
    outputs, last_states = [], []
    for b, length in enumerate(lengths):
        xs, h = inputs[:length, b].tolist(), h_0[:, b].tolist()
        ys, h_n = _one_sequence(weights, xs, h, nonlinearity)
        outputs.append(ys + [[0.0] * len(ys[0])] * (len(inputs) - length))
        last_states.append(h_n)
    return np.array(outputs).swapaxes(0, 1), np.array(last_states).swapaxes(0, 1)


def apart(weights: Weights, inputs: Array, h_0: Array, u: float, v: float = U64) -> float:
    """How far two right evaluations, of unit roundoffs u and v, may be apart in any entry.

    Let X bound |x|, and A, C and b the absolute row sums of W_ih and W_hh and both biases. Neither
    f lets |f(a)| exceed |a|, so with C < 1 no state exceeds M = max(|h_0|, (A X + b) / (1 - C)),
    and the absolute values of a sum's terms add up to at most S = A X + C M + b. A term goes
    through at most I + H + 2 roundings, in whatever order (see one_step); one more makes up for
    each of: what M leaves out of rounding, and the rounding of this bound. With 4 ulps for a tanh
    that is at most 1, one evaluation of a step from given x and h errs by at most
    gamma(I + H + 4, u) S + 8 u, and two by their sum e.

    Neither f stretches distances. If the x of two evaluations are at most d' apart, their states
    are d_t ≤ A d' + C d_{t-1} + e apart, hence, the same h_0 given, d = (A d' + e) / (1 - C) at
    most at any step. The inputs of layer 0 are the same, d' = 0; the d' of layer k + 1 is the d of
    layer k, its X the M. Returned is the largest d. What stands in `inputs` must be finite.
    """
    X, d, largest = abs(inputs).max(), 0.0, 0.0
    slot = k = 0
    while f"weight_ih_l{k}" in weights:
        reached = []
        for layer in (f"l{k}", f"l{k}_reverse"):
            if f"weight_ih_{layer}" not in weights:
                continue
            W_ih, W_hh = (abs(weights[f"weight_{of}_{layer}"]) for of in ("ih", "hh"))
            A, C = (w.astype(float).sum(axis=1).max() for w in (W_ih, W_hh))
            both = [abs(weights.get(f"bias_{of}_{layer}", np.zeros(1))) for of in ("ih", "hh")]
            b = both[0].max() + both[1].max()
            assert C < 1, "the bound holds where W_hh contracts"
            M = max(abs(h_0[slot]).max(), (A * X + b) / (1 - C))
            S, m = A * X + C * M + b, W_ih.shape[1] + len(W_hh) + 4
            e = (gamma(m, u) + gamma(m, v)) * S + 8 * (u + v)
            reached.append((M, (A * d + e) / (1 - C)))
            slot += 1
        X, d = max(M for M, _ in reached), max(d for _, d in reached)
        largest, k = max(largest, d), k + 1
    return float(largest)
