"""Systematic errors too small for the one-step bound, seen in the mean over many numbers.

The residuals of a large case are r = h_t - tanh(a_t), a_t from the implementation's own h_{t-1}, as
in the certificate, but in wider precision than the implementation's. In a right implementation

    r = s d + f(a),        s = sech^2(a),        root mean square of f <= A ulp(h),

d the rounding of the sum: of random sign, and independent from row to row (the model of Higham and
Mary, A new approach to probabilistic rounding error analysis, SIAM J. Sci. Comput. 41, 2019), but
for one rounding that is the same in all rows, where the biases are merged: u |b_xh + b_hh|.

For coefficients c that depend on a and on what came before, not on h_t, let X be the sum of c r
over the units of one row. Then, in whatever order and however precisely it is summed,

    |sum X| <= z (sqrt(sum of X^2, even t) + sqrt(sum of X^2, odd t)) + A sum |c| ulp(h)
               + u sum over units of |b_xh + b_hh| |sum of c s|

but for a chance of 4 exp(-z^2/2), 6e-8 for z = 6: a sum of symmetric variables, divided by the root
of the sum of their squares, has Gaussian tails (B. Efron, Student's t-test under symmetry
conditions, JASA 64, 1969). Even and odd steps are apart because a state that is kept wider than it
is returned makes the residuals of two steps in a row, and no others, depend on each other.

A is half of what the certificate allows to any one tanh. NumPy's and torch's are off by a mean of
0.2 ulp at most, but the rational function in Eigen, XLA and ONNX Runtime by 1.2 ulps (float32).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from rnn_conformance.bounds.certificate import TANH_ULPS, Float64, Precision, preactivation
from rnn_conformance.bounds.judgement import Judgement
from rnn_conformance.contract.call import Array, Dtype

DEVIATIONS = 6.0
TANH_ULPS_RMS = TANH_ULPS / 2
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
        h, slope, ulp: (T, B, H), tanh(a), sech^2(a) and the unit in the last place of tanh(a).
        scale: (T, B, H), the sum of the absolute terms of a; `roundings` as in `Affine`.
        v: (T B, I + 1 + H), what the weights are multiplied with: x_t, 1, h_{t-1}.
        weights: (H, I + 1 + H): W_xh, b_xh + b_hh, W_hh side by side.
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
    u: float
    judged: float

    @property
    def tanh(self) -> Float64:
        """The root mean square error that is allowed to tanh, (T, B, H)."""
        return TANH_ULPS_RMS * self.judged * self.ulp

    @property
    def merged_bias(self) -> Float64:
        """The rounding of b_xh + b_hh, (H,)."""
        bias = self.weights[:, self.weights.shape[1] - len(self.weights) - 1]
        return self.judged * self.u * np.abs(bias)


@dataclass(frozen=True)
class Trace:
    """What states came from: weights as in `Call`, inputs (T, B, I), h_0 (B, H), the dtype."""

    weights: Mapping[str, Array]
    inputs: Array
    initial: Array
    dtype: Dtype


def judgements(case: Trace, states: Array) -> Iterator[Judgement]:
    """Every statistic of the states (T, B, H) of a trace."""
    reason = (
        f"{DEVIATIONS:g} standard deviations of rounding errors of random sign, an error of "
        f"{TANH_ULPS_RMS:g} ulps rms of tanh and one rounding of each weight, "
        f"{Precision.of(case.dtype)}"
    )
    for one in statistics(residuals(case, states)):
        found, limit = one.found[np.newaxis], one.limit[np.newaxis]
        yield Judgement(one.what, np.zeros_like(found), found, limit, reason)


def residuals(data: Trace, states: Array) -> Residuals:
    """Of states (T, B, H)."""
    precision = Precision.of(data.dtype)
    wide: type[np.floating] = np.float64 if data.dtype == "float32" else WIDEST
    before = np.concatenate([data.initial[np.newaxis], states[:-1]])
    ones = np.ones((*before.shape[:2], 1))
    v = np.concatenate([data.inputs, ones, before], axis=2, dtype=wide)
    W = {name: value.astype(wide) for name, value in data.weights.items()}
    weights = np.hstack([W["W_xh"], W["b_xh"] + W["b_hh"], W["W_hh"]])
    h = np.tanh(v @ weights.T)
    a = preactivation(data.weights, data.inputs, before)
    return Residuals(
        r=(states - h).astype(np.float64),
        h=h.astype(np.float64),
        slope=(1 - h**2).astype(np.float64),
        ulp=np.spacing(np.abs(h).astype(data.dtype)).astype(np.float64),
        scale=a.scale,
        roundings=a.roundings,
        v=v.reshape(-1, v.shape[2]).astype(np.float64),
        weights=weights.astype(np.float64),
        u=precision.u,
        judged=1 + float(np.finfo(wide).eps) / 2 / precision.u,
    )


def statistics(of: Residuals) -> Iterator[Statistic]:
    """All of them: the mean error of tanh and of each weight, and the spread."""
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
    limit = DEVIATIONS * noise + (np.abs(c) * of.tanh).sum() + merged
    return _one(what, X.sum() / size, limit / size)


def weight_means(of: Residuals) -> Statistic:
    """How wrong each weight would have to be, in u: the mean of r / s that goes with what it meets.

    For each weight c = s v, with v one of x_t, 1 and h_{t-1}, at one unit; sum X / sum c^2 is the
    slope of r on c. A weight may be rounded once, as the sum of the biases may.
    """
    s, r, tanh = (part.reshape(-1, of.r.shape[2]) for part in (of.slope, of.r, of.tanh))
    odd = np.repeat(np.arange(len(of.r)) % 2 == 1, of.r.shape[1])
    squares, X2 = s**2, (s * r) ** 2
    noise = sum(np.sqrt((of.v[rows] ** 2).T @ X2[rows]) for rows in (odd, ~odd))
    size = (of.v**2).T @ squares
    own = of.u * np.abs(of.weights.T) * size
    merged = np.abs(of.v.T @ squares) * of.merged_bias
    limit = DEVIATIONS * noise + np.abs(of.v).T @ (s * tanh) + merged + own
    return Statistic(
        "mean error of the weights of each unit (rows: W_xh, b_xh + b_hh, W_hh), in u",
        of.v.T @ (s * r) / size / of.u,
        limit / size / of.u,
    )


def spread(of: Residuals) -> Statistic:
    """The root mean square of r over its prediction.

    Each of m roundings is uniform within u times a partial sum: a variance of u^2 scale^2 / 3 at
    most.
    """
    rounding = of.roundings * (of.judged * of.u * of.slope * of.scale) ** 2 / 3
    of_row = (of.r**2 / (rounding + of.tanh**2)).mean(axis=2)
    margin = DEVIATIONS * of_row.std() / np.sqrt(of_row.size)
    found = np.sqrt(np.maximum(of_row.mean() - margin, 0))
    return _one("root mean square error over the predicted one", found, 1.0)


def _one(what: str, found: float, limit: float) -> Statistic:
    return Statistic(what, np.full((1, 1), found), np.full((1, 1), limit))
