"""Many steps of one cell, judged in full only where the verdict can depend on it.

A trace is judged by its worst share, the largest |h_t - f(a)| / bound. The sum |W||v| in the bound
costs as much as `a`. By Cauchy and Schwarz, for a row p of |W| and a row q of |v|, of n numbers,

    p q = mean(p) sum(q) + (p - mean(p)) (q - mean(q))
       >= mean(p) sum(q) - |p - mean(p)| |q - mean(q)|,

which is O(n) for all units of a row together, with x_t and h_{t-1} apart. With the e that follows
from it, and as sech^2(|a| - e) >= 1 - tanh^2 a and |tanh a| >= tanh^2 a,

    bound >= (1 - tanh^2 a) e + tanh^2 a k = e + tanh^2 a (k - e),

with k = 2 TANH_ULPS (u + the judge's u), and for relu, bound >= e. A number whose error is at most
the worst share found so far, times this, is not worse. Whatever else there is, NaN and infinity
included, gets the full bound.

On the right, the rounding of the tanh (17 of the judge's u of its square) and of the operations is
less than 50 of them, of k or of |e|. Where tanh^2 a < 1/2, or |e| < k, that is within what is
spared of either; elsewhere, as 100 of them of |e| are made no more than SPARE k.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

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
    state_bound,
)
from rnn_conformance.judgement import share
from rnn_conformance.protocol import Array

SPARE = 2.0**-20  # of every lower bound, for its own rounding: n u is less for n up to 2^30
CLOSE = 0.9  # of the largest share that may be: what is above, is looked at first
# What follows changes the cost alone.
ALONE = 64  # a product over all numbers costs as much as the sums of one in so many
FEW, FEW_NUMBERS = 16, 8192  # rows, or numbers, whose whole bound costs less than to sift them
FEW_UNITS, FEW_WEIGHTS = 12, 2000  # whose |W||v|, or with so many more, costs less than moments
COLUMNS = 128  # units; up to so many, a product is faster with a column of W for each
SKINNY, PRODUCTS = 32, 10**6  # units; up to so many, OpenBLAS is faster at no more multiplications
WEIGHTS = 2**15  # that are converted at a time, so that they stay in the cache

PARTS = ("W_xh", "W_hh", "b_xh", "b_hh")  # of weights, in the order of a row

Index = npt.NDArray[np.intp]
Mask = npt.NDArray[np.bool_]


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

    A row is x_t, h_{t-1}, 1 and 1, in float64: what a row of W_xh, W_hh, b_xh and b_hh is for.

    Args:
        weights: W_xh (H, I), b_xh (H, 1), W_hh (H, H), b_hh (H, 1).
        nonlinearity: "tanh" or "relu".
        precision: that is claimed for the states.
    """

    def __init__(
        self, weights: Mapping[str, Array], nonlinearity: str, precision: Precision
    ) -> None:
        self.nonlinearity, self.precision = nonlinearity, precision
        self._parts = [weights[name] for name in PARTS]
        self.units, self.inputs = weights["W_xh"].shape
        self.roundings = self.inputs + self.units + 3
        self._few = (self.units - FEW_UNITS) * self.roundings <= FEW_WEIGHTS

    def judged(self, rows: Float64, found: Float64, worst: float | None = None) -> Judged | None:
        """Every number of `found` (R, H) whose share may be above `worst`, judged in full.

        Where `worst` is None, the largest share of all is among them, and every one above 1.
        """
        if len(rows) <= FEW or (worst is None and found.size <= FEW_NUMBERS):
            return self._all(rows, found)
        a = _product(rows, self._columns)
        expected = activation(self.nonlinearity, a)

        def in_full(within: Mask) -> Judged:
            index = np.flatnonzero(~within)
            of = Affine(a.ravel()[index], self._scale(rows, index), self.roundings)
            return self._judged(index, of, expected.ravel()[index], found.ravel()[index])

        error = np.subtract(found, expected)
        np.abs(error, out=error)
        if worst is not None:
            within = error <= self._least_bound(rows, expected, worst)
            return None if within.all() else in_full(within)
        least = self._least_bound(rows, expected)
        most = np.divide(error, np.maximum(least, 0, out=least), out=least)
        top = float(most.max())
        first = CLOSE * top if top < np.inf else 1.0
        within = most < first
        judged = in_full(within)
        worst = min(1.0, float(judged.shares.max()))
        return judged if worst >= first else in_full(within & (most <= worst))

    def _all(self, rows: Float64, found: Float64) -> Judged:
        """All numbers in full."""
        value, scale = np.empty(found.shape), np.empty(found.shape)
        for units in self._in_cache():
            W = self._columns_of(units)
            _product(rows, W, value[:, units])
            _product(rows, np.abs(W, out=W), scale[:, units], sizes=True)
        of = Affine(value.ravel(), scale.ravel(), self.roundings)
        expected = activation(self.nonlinearity, of.value)
        return self._judged(np.arange(found.size), of, expected, found.ravel())

    def _judged(self, index: Index, of: Affine, expected: Float64, found: Float64) -> Judged:
        bound = state_bound(self.nonlinearity, of, self.precision)
        return Judged(index, expected, found, bound, share(expected, found, bound))

    def _scale(self, rows: Float64, index: Index) -> Float64:
        """The sum of absolute values of these numbers."""
        row, unit = index // self.units, index % self.units
        if len(index) * ALONE > len(rows) * self.units:
            scale: Float64 = _product(rows, self._column_sizes, sizes=True)[row, unit]
        else:
            scale = np.vecdot(np.abs(rows[row]), np.abs(self._columns.T[unit]))
        return scale

    def _in_cache(self) -> Iterator[slice]:
        """All units, in blocks."""
        step = max(1, WEIGHTS // self.roundings)
        return (slice(first, first + step) for first in range(0, self.units, step))

    def _columns_of(self, units: slice) -> Float64:
        """W_xh, W_hh, b_xh and b_hh beside one another, with a column for each of these units."""
        W = np.concatenate([W[units] for W in self._parts], 1, dtype=np.float64).T
        return np.ascontiguousarray(W) if self.units <= COLUMNS else W

    @cached_property
    def _columns(self) -> Float64:
        return self._columns_of(slice(None))

    @cached_property
    def _column_sizes(self) -> Float64:
        return np.abs(self._columns)

    @cached_property
    def _least_error(self) -> Float64:
        """What the sizes of a row, by which they are multiplied, give the least that e can be."""
        m = self.roundings
        per_size = (gamma(m, self.precision.u) + gamma(m, JUDGE.u)) * (1 - SPARE)
        if self._few:
            return self._column_sizes * per_size
        W = self._columns.T
        blocks = (np.ascontiguousarray(W[units]) for units in self._in_cache())
        moments = np.concatenate([self._moments(block) for block in blocks], 1)
        moments[:2] *= (1 - SPARE) * per_size
        moments[2:4] *= (-1 - SPARE) * per_size
        moments[4] = np.abs(W[:, -2:]).sum(axis=1) * per_size
        return moments

    def _moments(self, rows: Float64) -> Float64:
        """Of the n numbers q of x_t, and of h_{t-1}, in each row, sum |q| / sqrt(n); of both, not
        less than ||q| - mean |q||; and 1: (5, R). Of a row of weights, the same.
        """
        moments, n = np.empty((5, len(rows))), self.roundings
        total, apart = moments[:2], moments[2:4]
        for at, q in enumerate((rows[:, : self.inputs], rows[:, self.inputs : -2])):
            np.matmul(np.abs(q), np.full(q.shape[1], q.shape[1] ** -0.5), out=total[at])
            np.vecdot(q, q, out=apart[at])
        apart *= 1 + 16 * n * JUDGE.u
        apart -= total * total
        apart += n * JUDGE.eta
        np.sqrt(apart, out=apart)
        moments[4] = 1
        return moments

    def _least_bound(self, rows: Float64, expected: Float64, times: float = 1.0) -> Float64:
        """Not above the full bound of any number, `times` this, (R, H)."""
        sizes = rows if self._few else self._moments(rows).T
        least_error = self._least_error * times
        e = _product(sizes, least_error, sizes=self._few)
        if self.nonlinearity == "relu":
            return e
        k = 2 * TANH_ULPS * (self.precision.u + JUDGE.u) * (1 - SPARE) * times
        cap = k * SPARE / (100 * JUDGE.u)
        most = e if self._few else sizes @ np.abs(least_error).max(axis=1, keepdims=True)
        if not most.max() <= cap:
            e *= np.minimum(cap / most, 1)
        to_k = k - e
        to_k *= expected
        to_k *= expected
        e += to_k
        return e


def _product(
    rows: Float64, columns: Float64, out: Float64 | None = None, *, sizes: bool = False
) -> Float64:
    """rows @ columns, or |rows| @ columns."""
    units = columns.shape[1]
    out = np.empty((len(rows), units)) if out is None else out
    step = max(1, PRODUCTS // columns.size) if units <= SKINNY else len(rows)
    for first in range(0, len(rows), step):
        part = rows[first : first + step]
        np.matmul(np.abs(part) if sizes else part, columns, out=out[first : first + len(part)])
    return out
