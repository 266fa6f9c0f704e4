"""The mathematics of the verdict: how far from the equation a right implementation can be.

Each step is judged from the implementation's own previous state, in float64. For a recurrence that
is computed in precision u (unit roundoff), with I + H products and two biases to a sum,

    a     = W_xh x_t + b_xh + W_hh h_{t-1} + b_hh
    scale = |W_xh||x_t| + |b_xh| + |W_hh||h_{t-1}| + |b_hh|
    e     = gamma_m(u) scale + m eta,          m = I + H + 3,  gamma_m(u) = m u / (1 - m u)

bounds the error of `a` in any order of summation, with or without fused multiply-add, the biases
merged or not (N. J. Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed., section 3.1);
m eta, eta the smallest normal number, covers products and sums that are flushed to zero. Then

    |h_t - tanh a| <= sech^2(max(|a| - e, 0)) e + 2 k u |tanh a| + eta

by the mean value theorem, with k ulps allowed to the tanh. The judge's own rounding, in float64, is
bounded in the same way and added. If every step is inside, the layer computes the recurrence.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from rnn_conformance.contract.call import Array

Float64 = npt.NDArray[np.float64]

TANH_ULPS = 4


@dataclass(frozen=True)
class Precision:
    """The unit roundoff and the smallest normal number of a dtype."""

    name: str
    u: float
    eta: float

    @classmethod
    def of(cls, dtype: npt.DTypeLike) -> "Precision":
        """Of a dtype of NumPy, or of "bfloat16": 8 bits, the exponents of float32."""
        return _precision(dtype if isinstance(dtype, str) else np.dtype(dtype))

    def __str__(self) -> str:
        return f"u = 2^{round(np.log2(self.u))} ({self.name})"


@lru_cache
def _precision(dtype: str | np.dtype[Any]) -> Precision:
    if dtype == "bfloat16":
        return Precision("bfloat16", 2.0**-8, float(np.finfo(np.float32).smallest_normal))
    info = np.finfo(dtype)
    return Precision(info.dtype.name, float(info.eps) / 2, float(info.smallest_normal))


JUDGE = Precision.of(np.float64)
JUDGE_U = JUDGE.u


def gamma(m: int, u: float) -> float:
    """gamma_m = m u / (1 - m u), the relative error of m roundings (Higham, lemma 3.1)."""
    return m * u / (1 - m * u)


@dataclass(frozen=True)
class Affine:
    """W_1 v_1 + b_1 + W_2 v_2 + b_2 for many rows, in float64, with the sum of absolute values.

    Attributes:
        value, scale: (..., units).
        roundings: m, an upper bound of the roundings that any one term goes through.
    """

    value: Float64
    scale: Float64
    roundings: int

    def error(self, precision: Precision) -> Float64:
        """How far from the exact value a computation in this precision can be."""
        m = self.roundings
        return gamma(m, precision.u) * self.scale + m * precision.eta

    @property
    def judge_error(self) -> Float64:
        """How far from the exact value `self.value` can be."""
        return self.error(JUDGE)

    @property
    def slack(self) -> float:
        """Covers the rounding of the bound itself: its sums, and a few operations more."""
        return 1 + 4 * gamma(self.roundings + 16, JUDGE_U)


def affine(*terms: tuple[Array, Array], biases: tuple[Array, ...]) -> Affine:
    """Sum over (matrix (units, n), vectors (..., n)), plus the biases (units, 1).

    Matrices and biases may be stacks, (D, units, n), for vectors (D, ..., n).
    """
    matrices, vectors = zip(*terms, strict=True)
    ones = np.ones((*vectors[0].shape[:-1], len(biases)))
    W = np.concatenate([*matrices, *biases], axis=-1, dtype=np.float64)
    v = np.concatenate([*vectors, ones], axis=-1, dtype=np.float64)
    *stack, units, n = W.shape
    rows, columns, shape = v.reshape(*stack, -1, n), W.swapaxes(-1, -2), (*v.shape[:-1], units)
    value, scale = rows @ columns, np.abs(rows) @ np.abs(columns)
    return Affine(value.reshape(shape), scale.reshape(shape), n + 1)


def preactivation(weights: Mapping[str, Array], inputs: Array, previous: Array) -> Affine:
    """a for inputs (..., I) and the states before them (..., H)."""
    return affine(
        (weights["W_xh"], inputs),
        (weights["W_hh"], previous),
        biases=(weights["b_xh"], weights["b_hh"]),
    )


@dataclass(frozen=True)
class StateBound:
    """f(a), and the bound on |h_t - f(a)|: `growth` times what the error of `a` makes, plus `rest`.

    Attributes:
        expected: f(a), in float64.
        size, error: |a|, and how far off the sum `a` can be.
        flat: whether f is tanh, which flattens an error; relu carries it at most.
    """

    expected: Float64
    size: Float64
    error: Float64
    rest: Float64
    growth: float
    flat: bool

    def bound(self) -> Float64:
        """Of every state."""
        return self.with_error(self.error, self.size, self.rest)

    def with_error(self, error: Float64, size: Float64, rest: Float64) -> Float64:
        """Of states for which these stand in the place of its own."""
        through = _sech2(np.maximum(size - error, 0)) * error if self.flat else error
        bound: Float64 = self.growth * through + rest
        return bound


def activation(nonlinearity: str, a: Float64) -> Float64:
    """tanh or relu in float64."""
    return np.tanh(a) if nonlinearity == "tanh" else np.maximum(a, 0)


def next_state(nonlinearity: str, a: Affine, precision: Precision) -> StateBound:
    """tanh(a) or relu(a) and their bound: 4 ulps are allowed to tanh, relu rounds nothing."""
    e, size = a.error(precision) + a.judge_error, np.abs(a.value)
    expected = activation(nonlinearity, a.value)
    if nonlinearity == "relu":
        rest = np.full_like(size, precision.eta * a.slack)
        return StateBound(expected, size, e, rest, a.slack, flat=False)
    ulps = 2 * TANH_ULPS * (precision.u + JUDGE_U) * np.abs(expected)
    rest, growth = (ulps + precision.eta) * a.slack, (1 + 2 * TANH_ULPS * precision.u) * a.slack
    return StateBound(expected, size, e, rest, growth, flat=True)


def tanh_bound(a: Affine, precision: Precision) -> Float64:
    """The bound on |h_t - tanh(a)|."""
    return next_state("tanh", a, precision).bound()


@lru_cache
def state_reason(nonlinearity: str, roundings: int, precision: Precision) -> str:
    """The one-step bound in words."""
    through = f"through tanh, plus {TANH_ULPS} ulps of tanh" if nonlinearity == "tanh" else ""
    sums = f"gamma_{roundings}(u) (|W_xh||x_t| + |b_xh| + |W_hh||h_t-1| + |b_hh|)"
    return f"{sums} {through}, {precision}".replace(" ,", ",")


def readout_bound(y: Affine, precision: Precision) -> Float64:
    """The bound on |y_t - (W_ho h_t + b_ho)|."""
    bound: Float64 = (y.error(precision) + y.judge_error) * y.slack
    return bound


def _sech2(a: Float64) -> Float64:
    """sech(a)^2 of a >= 0; 0 rather than an overflow where a is large."""
    decay = np.exp(-2 * a)
    result: Float64 = 4 * decay / (1 + decay) ** 2
    return result


def trajectory(
    weights: Mapping[str, Array], inputs: Array, h_0: Array, nonlinearity: str = "tanh"
) -> Float64:
    """All states in float64, each from the one before: (T, B, H), or (D, T, B, H) of a stack."""
    biases = (weights["b_xh"], weights["b_hh"])
    from_inputs = affine((weights["W_xh"], inputs), biases=biases).value
    W_hh = weights["W_hh"].astype(np.float64).swapaxes(-1, -2)
    states, h = np.empty_like(from_inputs), h_0.astype(np.float64)
    for a, state in zip(from_inputs.swapaxes(0, -3), states.swapaxes(0, -3), strict=True):
        h = state[...] = activation(nonlinearity, a + h @ W_hh)
    return states


def trajectory_bound(
    weights: Mapping[str, Array],
    inputs: Array,
    h_0: Array,
    states: Float64,
    precision: Precision,
    *,
    nonlinearity: str = "tanh",
    inherited: Float64 | None = None,
) -> Float64:
    """The bound on the distance of two whole trajectories, one of them `states`, in float64.

    The distance d_{t-1} before a step perturbs its pre-activation by |W_hh| d_{t-1} at most, so the
    one-step bound with that perturbation bounds d_t. It stays small only where the recurrence
    contracts.

    Args:
        inputs, h_0, states: (T, B, I), (B, H), (T, B, H), or of a stack of weights (D, T, B, I)
            and so on; `states` computed in float64.
        precision: of the other trajectory.
        inherited: as inputs, how far the two trajectories' inputs are apart; None for not at all.
    """
    previous = np.concatenate([h_0[..., None, :, :], states[..., :-1, :, :]], axis=-3)
    a = preactivation(weights, inputs, previous)
    of_step = next_state(nonlinearity, a, precision)
    W_xh, W_hh = (
        np.abs(weights[name].astype(np.float64)).swapaxes(-1, -2)
        * (1 + gamma(a.roundings, precision.u))
        for name in ("W_xh", "W_hh")
    )
    # The judge's share in the one-step bound is here that of `states`, rounded in float64 too.
    own = of_step.error if inherited is None else of_step.error + inherited @ W_xh[..., None, :, :]
    distance, bounds = np.zeros(h_0.shape), np.empty_like(states)
    parts = own, of_step.size, of_step.rest + JUDGE.eta, bounds
    for error, size, rest, bound in zip(*(p.swapaxes(0, -3) for p in parts), strict=True):
        distance = bound[...] = of_step.with_error(error + distance @ W_hh, size, rest)
    return bounds
