"""Steps of an LSTM and a GRU in ball arithmetic, with every error as large as it may be.

Written from the equations alone, as `ball_oracle`, and sharing nothing with the judge. All errors
push a state in one direction, so that they add up.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from flint import arb

from .ball_oracle import (
    TANH_ULPS,
    Arithmetic,
    Array,
    Balls,
    Weights,
    balls,
    each,
    most_terms,
    preactivation,
)

HALF = arb(1) / 2


@dataclass(frozen=True)
class Adversary:
    """A right computation whose errors all push upwards (+1) or downwards (-1).

    Attributes:
        exact_sums: whether no sum is rounded, as one of a single product with 1/2 is not.
    """

    arithmetic: Arithmetic
    sign: int
    exact_sums: bool = False

    def sum(self, weights: Weights, x: Array | Balls, h: Array | Balls, way: Any) -> Balls:
        """A pre-activation, off by its whole error towards `way`."""
        a = preactivation(weights, x, h)
        found: Balls = a.value + (0 if self.exact_sums else way * a.error(self.arithmetic))
        return found

    def activation(self, f: Callable[[arb], arb], a: Balls, way: Any) -> Balls:
        """f(a), off by four ulps of the larger of itself and 1/2."""
        right = each(f, a)
        ulps = 2 * TANH_ULPS * self.arithmetic.u
        size = each(lambda y: max(abs(y), HALF), right)
        found: Balls = right + way * (ulps * size + self.arithmetic.eta)
        return found

    def rounded(self, values: Balls, way: Any) -> Balls:
        """Off by one rounding."""
        found: Balls = values + way * (self.arithmetic.u * abs(values) + self.arithmetic.eta)
        return found

    def lstm(self, w: Weights, x: Array, h: Array, c: Array | Balls) -> tuple[Balls, Balls]:
        """h and c, both before they are rounded."""
        s = self.sign
        i, f, g, o = by_gate(w, 4)
        c = balls(c)
        exact = [preactivation(gate, x, h).value for gate in (i, f, g, o)]
        towards = [s * sign_of(part) for part in (exact[2], c)]
        g_t = self.activation(tanh, self.sum(g, x, h, s), s)
        i_t, f_t = (
            self.activation(sigmoid, self.sum(gate, x, h, way), way)
            for gate, way in zip((i, f), towards, strict=True)
        )
        kept, new = f_t * c, i_t * g_t
        c_t = self.rounded(kept, s) + self.rounded(new, s)
        way = s * sign_of(c_t)
        o_t = self.activation(sigmoid, self.sum(o, x, h, way), way)
        return o_t * self.activation(tanh, c_t, s), c_t

    def gru(
        self, w: Weights, x: Array, h: Array, *, before: bool = False, alone: bool = False
    ) -> Balls:
        """h before it is rounded.

        Args:
            before: whether h_{t-1} is reset before the product.
            alone: whether 1 - z is σ(-a), computed on its own.
        """
        s, (r, z, n) = self.sign, by_gate(w, 3)
        W_in, W_hn, b_in, b_hn = (balls(part) for part in n)
        H = balls(h)
        none = (np.zeros_like(n[0]), n[1], np.zeros_like(n[2]), n[3])
        u = preactivation(none, x, h).value
        way_r = s * sign_of(u)
        r_t = self.activation(sigmoid, self.sum(r, x, h, way_r), way_r)
        rest = abs(balls(x)) @ abs(W_in).T + abs(b_in)
        if before:
            state = r_t * H
            value = balls(x) @ W_in.T + b_in + state @ W_hn.T + b_hn
            rest, reset = rest + abs(b_hn), abs(state) @ abs(W_hn).T
        else:
            value = balls(x) @ W_in.T + b_in + r_t * u
            reset = r_t * (abs(H) @ abs(W_hn).T + abs(b_hn))
        m = most_terms(W_in) + most_terms(W_hn) + 3
        gamma = self.arithmetic.gamma
        error = gamma(m) * rest + gamma(m + 1) * reset + (m + 1) * self.arithmetic.eta
        a = value + s * (0 if self.exact_sums else error)
        n_t = self.activation(tanh, a, s)
        way_z = s * sign_of(H - n_t)
        a_z = self.sum(z, x, h, way_z)
        z_t = self.activation(sigmoid, a_z, way_z)
        rest = self.rounded(1 - z_t, s * sign_of(n_t))
        if alone:
            z_t = self.activation(sigmoid, a_z, s * sign_of(H))
            rest = self.activation(sigmoid, -a_z, s * sign_of(n_t))
        found: Balls = self.rounded(rest * n_t, s) + self.rounded(z_t * H, s)
        return found


def by_gate(w: Weights, count: int) -> list[Weights]:
    """The weights of each gate."""
    parts = [np.split(part, count) for part in w]
    return [tuple(of[k] for of in parts) for k in range(count)]


def sign_of(values: Balls) -> Balls:
    """1 or -1; of 0, 1."""
    return each(lambda v: arb(-1) if v < 0 else arb(1), values)


def tanh(a: arb) -> arb:
    return a.tanh()


def sigmoid(a: arb) -> arb:
    return 1 / (1 + (-a).exp())
