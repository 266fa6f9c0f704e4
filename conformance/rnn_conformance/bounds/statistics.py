"""Systematic errors too small for the one-step bound, seen in the mean over many numbers.

The residuals of a large case are r = h_t - f(a_t), a_t from the implementation's own h_{t-1}, as
for a single step, but in wider precision than the implementation's. In a right implementation

    r = s d + g(a),        s = f'(a),        root mean square of g <= A ulp(h),

d the rounding of the sum: of random sign, and independent from row to row (the model of Higham and
Mary, A new approach to probabilistic rounding error analysis, SIAM J. Sci. Comput. 41, 2019), but
for one rounding that is the same in all rows, where two biases are merged: u |b|, b their sum.

For coefficients c that depend on a and on what came before, not on h_t, let X be the sum of c r
over the units of one row. Then, in whatever order and however precisely it is summed,

    |sum X| <= z (sqrt(sum of X^2, even t) + sqrt(sum of X^2, odd t)) + A sum |c| ulp(h)
               + u sum over units of |b| |sum of c s|

but for a chance of 4 exp(-z^2/2), 6e-8 for z = 6: a sum of symmetric variables, divided by the root
of the sum of their squares, has Gaussian tails (B. Efron, Student's t-test under symmetry
conditions, JASA 64, 1969). Even and odd steps are apart because a state that is kept wider than it
is returned makes the residuals of two steps in a row, and no others, depend on each other.

Of an activation inside a gated cell the mean error is estimated: D is the derivative of a number
that shows by what the activation gives, X the sum of D r over the units of a row. Then sum X over
sum D^2 is the mean error, and may be off by 6 sqrt(sum of X^2) / sum D^2 by chance, and by 3 u.

A is half of the ulps that a single activation is allowed. For tanh, NumPy and torch are off by 0.2
ulp on average at most, but the rational function in Eigen, XLA and ONNX Runtime by 1.2 (float32).
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from rnn_conformance.bounds.balls import Float64, Precision
from rnn_conformance.bounds.judgement import Judgement
from rnn_conformance.contract.call import Dtype

DEVIATIONS = 6.0
MEAN_ROUNDINGS = 3.0  # the mean error of an activation, in u
ULPS_RMS = 2.0  # half of what a single activation is allowed
BANDS = (1 / 8, 1 / 4, 1 / 2, 3 / 4, 1.0)
# For float64; where it is no wider than float64, what the judge adds is allowed as well.
WIDEST = np.longdouble


@dataclass(frozen=True)
class Statistic:
    """What the residuals are on average, and how far from 0 that may be, both (rows, units)."""

    what: str
    found: Float64
    limit: Float64


@dataclass(frozen=True)
class Residuals:
    """The residuals of a case and what they are judged by; T steps, B rows, H units.

    Attributes:
        r: (T, B, H), found minus expected.
        h, slope, ulp: (T, B, H), f(a), f'(a) and the unit in the last place of f(a).
        scale: (T, B, H), the sum of the absolute terms of a; `roundings` as in `Sum`.
        v: (T B, n), what the weights are multiplied with: x_t, 1, h_{t-1}.
        weights: (H, n), side by side.
        bias: (H,), the sum of the two biases.
        names: of the weights, as they stand side by side.
        u: of the claimed precision.
        judged: 1 + the judge's u as a share of it.
    """

    r: Float64
    h: Float64
    slope: Float64
    ulp: Float64
    scale: Float64
    roundings: int
    v: Float64
    weights: Float64
    bias: Float64
    names: str
    u: float
    judged: float

    @property
    def own(self) -> Float64:
        """The root mean square error that is allowed to the activation, (T, B, H)."""
        return ULPS_RMS * self.judged * self.ulp

    @property
    def merged_bias(self) -> Float64:
        """The rounding of the sum of the biases, (H,)."""
        return self.judged * self.u * np.abs(self.bias)


def judgements(statistics: Iterable[Statistic], dtype: Dtype) -> Iterator[Judgement]:
    """Every statistic."""
    reason = (
        f"{DEVIATIONS:g} standard deviations of rounding errors of random sign, the mean error "
        f"of an activation and one rounding of each weight, {Precision.of(dtype)}"
    )
    for one in statistics:
        found, limit = one.found[np.newaxis], one.limit[np.newaxis]
        yield Judgement(one.what, np.zeros_like(found), found, limit, reason)


def statistics(of: Residuals) -> Iterator[Statistic]:
    """All of them: the mean error of the activation and of each weight, and the spread."""
    for low, high in pairwise(BANDS):
        inside = (np.abs(of.h) >= low) & (np.abs(of.h) < high)
        where = f"of h where {low:g} <= |h| < {high:g}, in ulps"
        yield _mean(f"mean error {where}", of, inside / of.ulp)
        yield _mean(f"mean error away from 0 {where}", of, inside * np.sign(of.h) / of.ulp)
    yield weight_means(of)
    yield spread(of)


def _mean(what: str, of: Residuals, c: Float64) -> Statistic:
    """The sum of c r over that of |c| ulp(h): a mean in ulps, where c is (T, B, H)."""
    X = (c * of.r).sum(axis=2)
    size = max(float((np.abs(c) * of.ulp).sum()), 1.0)
    noise = np.sqrt((X[::2] ** 2).sum()) + np.sqrt((X[1::2] ** 2).sum())
    merged = np.abs((c * of.slope).sum(axis=(0, 1))) @ of.merged_bias
    limit = DEVIATIONS * noise + (np.abs(c) * of.own).sum() + merged
    return _one(what, X.sum() / size, limit / size)


def weight_means(of: Residuals) -> Statistic:
    """How wrong each weight would have to be, in u: the mean of r / s that goes with what it meets.

    For each weight c = s v, with v one of x_t, 1 and h_{t-1}, at one unit; sum X / sum c^2 is the
    slope of r on c. A weight may be rounded once, as the sum of the biases may.
    """
    s, r, own = (part.reshape(-1, of.r.shape[2]) for part in (of.slope, of.r, of.own))
    odd = np.repeat(np.arange(len(of.r)) % 2 == 1, of.r.shape[1])
    squares, X2 = s**2, (s * r) ** 2
    noise = sum(np.sqrt((of.v[rows] ** 2).T @ X2[rows]) for rows in (odd, ~odd))
    size = (of.v**2).T @ squares
    once = of.u * np.abs(of.weights.T) * size
    merged = np.abs(of.v.T @ squares) * of.merged_bias
    limit = DEVIATIONS * noise + np.abs(of.v).T @ (s * own) + merged + once
    return Statistic(
        f"mean error of the weights of each unit (rows: {of.names}), in u",
        of.v.T @ (s * r) / size / of.u,
        limit / size / of.u,
    )


def spread(of: Residuals) -> Statistic:
    """The root mean square of r over its prediction.

    Each of m roundings is uniform within u times a partial sum: a variance of u^2 scale^2 / 3 at
    most.
    """
    rounding = of.roundings * (of.judged * of.u * of.slope * of.scale) ** 2 / 3
    of_row = (of.r**2 / (rounding + of.own**2)).mean(axis=2)
    margin = DEVIATIONS * of_row.std() / np.sqrt(of_row.size)
    found = np.sqrt(np.maximum(of_row.mean() - margin, 0))
    return _one("root mean square error over the predicted one", found, 1.0)


def activation_mean(what: str, r: Float64, D: Float64, u: float) -> Statistic:
    """The mean error of an activation in u, from residuals r and derivatives D, both (B, H)."""
    X, size = (D * r).sum(axis=1), float((D**2).sum())
    chance = DEVIATIONS * float(np.sqrt((X**2).sum())) / size
    return _one(f"mean error of {what}, in u", X.sum() / size / u, chance / u + MEAN_ROUNDINGS)


def _one(what: str, found: float, limit: float) -> Statistic:
    return Statistic(what, np.full((1, 1), found), np.full((1, 1), limit))
