"""Many steps of one cell, judged in full only where the verdict can depend on it.

A trace is judged by its worst share, the largest |h_t - f(a)| / bound. The sum |W||v| in the bound
costs as much as `a`. By Cauchy and Schwarz, for a row p of |W| and a row q of |v|, of n numbers,

    p q = mean(p) sum(q) + (p - mean(p)) (q - mean(q))
       >= mean(p) sum(q) - |p - mean(p)| |q - mean(q)|,

which is O(n) for all units of a row together, with x_t and h_{t-1} apart. With the e that follows
from it, and as sech^2(|a| - e) >= 1 - tanh^2 a and |tanh a| >= tanh^2 a,

    bound >= (1 - tanh^2 a) e + tanh^2 a k,    k = 2 TANH_ULPS (u + the judge's u),

and for relu, bound >= e. A number whose error is at most the worst share found so far, times this,
is not worse. Whatever else there is, NaN and infinity included, gets the full bound.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
import numpy.typing as npt

from rnn_conformance.certificate import (
    JUDGE,
    TANH_ULPS,
    Affine,
    Float64,
    Precision,
    activation,
    gamma,
    preactivation,
    state_bound,
)
from rnn_conformance.judgement import share
from rnn_conformance.protocol import Array

SPARE = 2.0**-20  # of every lower bound, for its own rounding: n u is less for n up to 2^30
ALONE = 64  # a product over all numbers costs as much as the sums of one in so many
FEW = 32  # rows, whose whole bound costs less than to make the weights ready; or units
UNITS = 256  # whose weights are converted at a time, where rows are few

Rows = tuple[Float64, Float64]  # of inputs (R, I), and of the states before them (R, H)
Index = npt.NDArray[np.intp]


@dataclass(frozen=True)
class Judged:
    """Numbers that got their full bound.

    Attributes:
        index: row·H + unit of each, ascending.
        expected, found, bound, shares: as `index`.
    """

    index: Index
    expected: Float64
    found: Float64
    bound: Float64
    shares: Float64


class Sieve:
    """One cell, its weights made ready once for any number of rows.

    Args:
        weights: W_xh (H, I), b_xh (H, 1), W_hh (H, H), b_hh (H, 1).
        nonlinearity: "tanh" or "relu".
        precision: that is claimed for the states.
    """

    def __init__(
        self, weights: Mapping[str, Array], nonlinearity: str, precision: Precision
    ) -> None:
        self.nonlinearity, self.precision = nonlinearity, precision
        self._weights = weights
        self.roundings = weights["W_xh"].shape[1] + len(weights["W_hh"]) + 3

    def judged(self, rows: Rows, found: Float64, worst: float | None = None) -> Judged:
        """Every number of `found` (R, H) whose share may be above `worst`, judged in full.

        Where `worst` is None, the largest share of all is among them, and every one above 1.
        """
        if len(found) <= FEW:
            return self._all(rows, found)
        a = self._value(rows)
        expected = activation(self.nonlinearity, a)

        def in_full(index: Index) -> Judged:
            of = Affine(a.ravel()[index], self._scale(rows, index), self.roundings)
            return self._judged(index, of, expected.ravel()[index], found.ravel()[index])

        error = np.subtract(found, expected)
        np.abs(error, out=error)
        least = self._least_bound(rows, expected)
        if worst is None:
            most = np.where(least > 0, error / least, np.inf)
            suspect = int(np.argmax(most))
            within = most <= min(1.0, in_full(np.array([suspect])).shares.item())
            within.flat[suspect] = False
        else:
            least *= worst
            within = error <= least
        return in_full(np.flatnonzero(~within))

    def _all(self, rows: Rows, found: Float64) -> Judged:
        """All numbers in full, in blocks of units, so that their weights stay in the cache."""
        blocks = [slice(first, first + UNITS) for first in range(0, found.shape[1], UNITS)]
        parts = [
            preactivation({name: W[units] for name, W in self._weights.items()}, *rows)
            for units in blocks
        ]
        value = np.hstack([part.value for part in parts]).ravel()
        scale = np.hstack([part.scale for part in parts]).ravel()
        expected = activation(self.nonlinearity, value)
        of = Affine(value, scale, self.roundings)
        return self._judged(np.arange(found.size), of, expected, found.ravel())

    def _judged(self, index: Index, of: Affine, expected: Float64, found: Float64) -> Judged:
        bound = state_bound(self.nonlinearity, of, self.precision)
        return Judged(index, expected, found, bound, share(expected, found, bound))

    def _value(self, rows: Rows) -> Float64:
        """`a` of every row and unit, (R, H)."""
        (W_xh, W_hh), (x, h) = self._columns, rows
        a: Float64 = x @ W_xh
        a += h @ W_hh
        a += self._bias
        return a

    def _scale(self, rows: Rows, index: Index) -> Float64:
        """The sum of absolute values of these numbers."""
        row, unit = np.divmod(index, len(self._bias))
        if len(index) * ALONE > len(rows[0]) * len(self._bias):
            pairs = zip(rows, self._columns, strict=True)
            scale = sum((np.abs(v) @ np.abs(W) for v, W in pairs), self._bias_size)
            return scale[row, unit]
        matrices = self._weights["W_xh"], self._weights["W_hh"]
        sums = [
            np.vecdot(np.abs(v[row]), np.abs(W[unit])) for v, W in zip(rows, matrices, strict=True)
        ]
        found: Float64 = sum(sums, self._bias_size[unit])
        return found

    @cached_property
    def _columns(self) -> tuple[Float64, Float64]:
        """W_xh and W_hh with a column a unit; of few units, a product is faster in order F."""
        order: Literal["C", "F"] = "F" if len(self._weights["W_hh"]) <= FEW else "C"
        W_xh, W_hh = (self._weights[name].astype(np.float64, order) for name in ("W_xh", "W_hh"))
        return W_xh.T, W_hh.T

    @cached_property
    def _bias(self) -> Float64:
        b_xh, b_hh = (self._weights[name][:, 0].astype(np.float64) for name in ("b_xh", "b_hh"))
        return b_xh + b_hh

    @cached_property
    def _bias_size(self) -> Float64:
        b_xh, b_hh = (self._weights[name][:, 0].astype(np.float64) for name in ("b_xh", "b_hh"))
        return np.abs(b_xh) + np.abs(b_hh)

    @cached_property
    def _least_error(self) -> Float64:
        """What the moments of x_t and of h_{t-1}, and 1, give the least that e can be with."""
        parts = [_moments(W.T) / (len(W), 1) for W in self._columns]
        sums = np.column_stack([part * (1 - SPARE, -1 - SPARE) for part in parts])
        m = self.roundings
        per_size = gamma(m, self.precision.u) + gamma(m, JUDGE.u)
        return np.vstack([sums.T, self._bias_size]) * per_size * (1 - SPARE)

    def _least_bound(self, rows: Rows, expected: Float64) -> Float64:
        """Not above the full bound of any number, (R, H)."""
        ones = np.ones((len(expected), 1))
        e: Float64 = np.hstack([*map(_moments, rows), ones]) @ self._least_error
        if self.nonlinearity == "relu":
            return e
        k = 2 * TANH_ULPS * (self.precision.u + JUDGE.u) * (1 - SPARE)
        squares = expected * expected
        slope = (1 - 40 * JUDGE.u) - squares  # the tanh that is squared may be off by TANH_ULPS
        e *= np.maximum(slope, 0, out=slope)
        squares *= k
        e += squares
        return e


def _moments(rows: Float64) -> Float64:
    """The sum of |q| of each row q, and not less than |q - mean(q)|, (R, 2)."""
    n = rows.shape[1]
    total = np.abs(rows) @ np.ones(n)
    squares = np.vecdot(rows, rows)
    apart = np.maximum(squares - total * total / n, 0)
    apart += 16 * n * JUDGE.u * squares + n * JUDGE.eta
    return np.column_stack([total, np.sqrt(apart)])
