"""Whole results of stacks and directions in ball arithmetic: the worst that rounding can do.

Written from contract/specification.md alone, row by row and number by number. Every number is a
pair of ends, the least and the most that a right computation can give, each a ball so thin that its
width never decides; what is known exactly has equal ends. Where all weights are positive or zero
the ends of a result are reached together: one computation that always errs upwards gives them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy.typing as npt
from flint import arb

from .ball_oracle import TANH_ULPS, Arithmetic

Ball = Any
Ends = tuple[Ball, Ball]
State = list[Ends]
Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Network:
    """The options, the weights by their names in the specification, what rounding may do."""

    layers: int
    directions: int
    nonlinearity: str
    weights: Mapping[str, Array]
    rounding: Arithmetic


def point(values: Array) -> State:
    return [(arb(float(v)), arb(float(v))) for v in values]


def row(net: Network, inputs: Array, h_0: Array) -> tuple[list[State], list[State]]:
    """Output (n, D·H) and h_n (L·D, H) of one row of n real steps (n, I), from h_0 (L·D, H)."""
    x, h_n = [point(step) for step in inputs], []
    for layer in range(net.layers):
        read_by_each = []
        for d in range(net.directions):
            end = f"l{layer}_reverse" if d == 1 else f"l{layer}"
            h = point(h_0[layer * net.directions + d])
            states = []
            for step in x if d == 0 else x[::-1]:
                h = [one_unit(net, end, j, step, h) for j in range(len(h))]
                states.append(h)
            h_n.append(h)
            read_by_each.append(states if d == 0 else states[::-1])
        x = [
            [unit for half in halves for unit in half] for halves in zip(*read_by_each, strict=True)
        ]
    return x, h_n


def one_unit(net: Network, end: str, j: int, x: State, h: State) -> Ends:
    """The least and the most of f(W_ih x_t + b_ih + W_hh h_{t-1} + b_hh) at unit j."""
    w = net.weights
    terms = list(zip(w[f"weight_ih_{end}"][j], x, strict=True))
    terms += zip(w[f"weight_hh_{end}"][j], h, strict=True)
    biases = [float(w[f"bias_{k}_{end}"][j]) for k in ("ih", "hh") if f"bias_ih_{end}" in w]
    m = sum(weight != 0 for weight, _ in terms) + 3
    lower, upper = (total(net.rounding, m, terms, biases, sign) for sign in (-1, +1))
    return activated(net, lower, -1), activated(net, upper, +1)


def total(
    rounding: Arithmetic, m: int, terms: Sequence[Any], biases: Sequence[float], sign: int
) -> Ball:
    """The sum, off by gamma_m of the absolute values and by m eta, as far as it goes that way."""
    value, size = arb(0), arb(0)
    for weight, (least, most) in terms:
        product = arb(float(weight)) * (most if (weight > 0) == (sign > 0) else least)
        value, size = value + product, size + abs(product)
    for bias in biases:
        value, size = value + bias, size + abs(bias)
    return value + sign * (rounding.gamma(m) * size + m * rounding.eta)


def activated(net: Network, a: Ball, sign: int) -> Ball:
    """f(a): tanh to four ulps, rounded once more as it shows; relu exactly; both may be flushed."""
    u, eta = net.rounding.u, net.rounding.eta
    if net.nonlinearity == "relu":
        return (a if a > 0 else arb(0)) + sign * eta
    kept = a.tanh() + sign * (2 * TANH_ULPS * u * abs(a.tanh()) + eta)
    return kept + sign * u * abs(kept)


def readout(rounding: Arithmetic, weights: Array, bias: float, h: Array) -> Ends:
    """The least and the most of one number of W_ho h_t + b_ho, of n products and a bias."""
    terms, m = list(zip(weights, point(h), strict=True)), len(weights) + 2
    return total(rounding, m, terms, [bias], -1), total(rounding, m, terms, [bias], +1)


def farthest(ends: Ends, expected: float) -> Ball:
    """How far from what is expected a right computation can be."""
    return max(ends[1] - expected, expected - ends[0])
