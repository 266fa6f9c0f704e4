"""Numbers with a radius: how far from the judge's number that of a right implementation can be.

A ball (v, e) holds v, which the judge computes in float64, and e, which bounds the distance from v
to what any right implementation holds that computes in precision u (unit roundoff). Both round, so
each rounding is charged once with U = u + u_judge: gamma_m(u) + gamma_m(u_judge) <= gamma_m(U),
with gamma_m(U) = m U / (1 - m U), since that is superadditive in U. Equations over balls are
written as equations over numbers:

    sum of w v, + sum of b   e = sum |w| e_v + gamma_m(U) (sum |w| (|v| + e_v) + sum |b|) + m eta
    a + b                    e = e_a + e_b + U (|a + b| + e_a + e_b) + eta
    c a, c exact             e = |c| e_a + U |c| (|a| + e_a) + eta
    a b                      e = |a| e_b + |b| e_a + e_a e_b + U (|a| + e_a)(|b| + e_b)
                                 + (1 + |a| + |b|) eta
    n / d                    e = (e_n + |n/d| e_d) / (|d| - e_d) + U |n/d| + eta
    f(a)                     e = w + 2 k U (max(|f(a)|, l) + w) + eta,
                             w = |f'|(max(|a| - e_a, 0)) e_a

A long sum is bounded in any order of summation, with or without fused multiply-add, biases merged
or not (N. J. Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed., section 3.1). m is
the number of its terms but zeros, and one for a state that is kept wider than it shows. eta, the
smallest normal number, covers products, sums and results that are flushed to zero, by the judge
too; k ulps are allowed to f, of numbers of at least l: 0 for a function that is as good near 0 as
elsewhere, 1/2 where tanh may be computed as 2 σ(2a) - 1, or σ as (1 + tanh(a/2)) / 2.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, overload

import numpy as np
import numpy.typing as npt

from rnn_conformance.contract.call import Array

Float64 = npt.NDArray[np.float64]

OWN = 1 + 1e-9  # covers the rounding of a bound itself


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

    @property
    def both(self) -> float:
        """U, the roundoff of the implementation and that of the judge."""
        return self.u + JUDGE_U

    @property
    def flushed(self) -> float:
        """eta, of both: what is lost where a number is flushed to zero."""
        return self.eta + JUDGE_ETA

    def __str__(self) -> str:
        return f"u = 2^{round(np.log2(self.u))} ({self.name})"


@lru_cache
def _precision(dtype: str | np.dtype[Any]) -> Precision:
    if dtype == "bfloat16":
        return Precision("bfloat16", 2.0**-8, float(np.finfo(np.float32).smallest_normal))
    info = np.finfo(dtype)
    return Precision(info.dtype.name, float(info.eps) / 2, float(info.smallest_normal))


JUDGE_U, JUDGE_ETA = 2.0**-53, 2.0**-1022


@overload
def gamma(m: int, u: float) -> float: ...
@overload
def gamma(m: npt.NDArray[np.int64], u: float) -> Float64: ...
def gamma(m: int | npt.NDArray[np.int64], u: float) -> Any:
    """gamma_m = m u / (1 - m u), the relative error of m roundings (Higham, lemma 3.1)."""
    return m * u / (1 - m * u)


@dataclass(frozen=True)
class Ball:
    """Numbers in float64, and how far from each a right implementation can be."""

    value: Float64
    radius: Float64
    precision: Precision

    @property
    def bound(self) -> Float64:
        """The radius, with what the judge rounds when it computes it."""
        bound: Float64 = self.radius * OWN
        return bound

    def __add__(self, other: "Ball") -> "Ball":
        value, radius = self.value + other.value, self.radius + other.radius
        return Ball(value, radius, self.precision)._computed()

    def __neg__(self) -> "Ball":
        return Ball(-self.value, self.radius, self.precision)

    def __sub__(self, other: "Ball") -> "Ball":
        return self + -other

    def at(self, t: int) -> "Ball":
        """Those of a step, of (..., T, B, units)."""
        radius = self.radius[..., t, :, :] if self.radius.ndim else self.radius
        return Ball(self.value[..., t, :, :], radius, self.precision)

    def reshaped(self, *shape: int) -> "Ball":
        """In another shape; one radius that stands for all of them stays as it is."""
        radius = self.radius.reshape(shape) if self.radius.ndim else self.radius
        return Ball(self.value.reshape(shape), radius, self.precision)

    def term(self) -> "Sum":
        """As one term of a long sum, which any product that made it may be part of."""
        return Sum(self.value, np.abs(self.value) + self.radius, self.radius, 1, self.precision)

    def __mul__(self, other: "Ball") -> "Ball":
        """By element, each of them any number of its ball."""
        a, b, p = np.abs(self.value), np.abs(other.value), self.precision
        radius = a * other.radius + b * self.radius + self.radius * other.radius
        rounded = p.both * (a + self.radius) * (b + other.radius) + p.flushed * (1 + a + b)
        return Ball(self.value * other.value, radius + rounded, p)

    def __truediv__(self, other: "Ball") -> "Ball":
        """By element; of no finite radius where what divides may be 0."""
        away = np.abs(other.value) - other.radius
        with np.errstate(divide="ignore", invalid="ignore"):
            value = self.value / other.value
            inherited = (self.radius + np.abs(value) * other.radius) / np.maximum(away, 0)
        return Ball(value, inherited, self.precision)._computed()

    def __rmul__(self, number: float) -> "Ball":
        """Times a number that has no error."""
        value, radius = number * self.value, abs(number) * self.radius
        return Ball(value, radius, self.precision)._computed()

    def split(self, count: int) -> "tuple[Ball, ...]":
        """As many parts of as many units, (..., S·H) as S times (..., H)."""
        if count == 1:
            return (self,)
        each = zip(_split(self.value, count), _split(self.radius, count), strict=True)
        return tuple([Ball(value, radius, self.precision) for value, radius in each])

    def kept(self) -> "Ball":
        """A state that shows, as it may have been kept: wider than it shows."""
        return self._computed()

    def shown(self) -> "Ball":
        """A state as it shows: rounded once more where it is kept wider."""
        return self._rounded(0)

    def _computed(self) -> "Ball":
        """Rounded once, or flushed to zero."""
        return self._rounded(self.precision.flushed)

    def _rounded(self, eta: float) -> "Ball":
        once = self.precision.both * (np.abs(self.value) + self.radius)
        return Ball(self.value, self.radius + once + eta, self.precision)


def _split(numbers: Float64, count: int) -> list[Float64]:
    """The last axis in equal parts; one number that stands for all of them stays as it is."""
    if numbers.ndim == 0:
        return [numbers] * count
    n = numbers.shape[-1] // count
    return [numbers[..., k * n : (k + 1) * n] for k in range(count)]


def joined(parts: Sequence[Ball], axis: int = -1) -> Ball:
    """The parts side by side, what `split` takes apart; or one after the other on another axis."""
    value, radius = (
        np.concatenate(numbers, axis=axis)
        for numbers in ([p.value for p in parts], [p.radius for p in parts])
    )
    return Ball(value, radius, parts[0].precision)


def exactly(values: Array, precision: Precision) -> Ball:
    """What is given, or shows: a ball of radius 0."""
    value = values.astype(np.float64)
    return Ball(value, np.zeros(()), precision)


@dataclass(frozen=True)
class Matrix:
    """A weight (units, n), or a stack of them (D, units, n), ready for products.

    Attributes:
        terms: the most numbers of a unit that are not 0.
    """

    columns: Float64
    size: Float64
    terms: int

    @classmethod
    def of(cls, W: Array) -> "Matrix":
        columns = np.ascontiguousarray(W.swapaxes(-1, -2), np.float64)
        return cls(columns, np.abs(columns), int(np.count_nonzero(W, axis=-1).max()))

    def reading(self, first: int, last: int) -> "Matrix":
        """The part that multiplies these of its n numbers."""
        terms = min(self.terms, last - first)
        return Matrix(self.columns[..., first:last, :], self.size[..., first:last, :], terms)

    def split(self, count: int) -> "tuple[Matrix, ...]":
        """As many matrices of as many units, such as those of the gates."""
        each = (_split(numbers, count) for numbers in (self.columns, self.size))
        return tuple(Matrix(W, size, self.terms) for W, size in zip(*each, strict=True))


@dataclass(frozen=True)
class Sum:
    """A long sum, open to further terms, which may be added in any order.

    Attributes:
        value, scale: (..., units), the sum and that of the absolute values of its terms.
        radius: what it inherits from the radii of its terms.
        terms: how many they are.
    """

    value: Float64
    scale: Float64
    radius: Float64
    terms: int
    precision: Precision

    @property
    def roundings(self) -> int:
        """m, the most roundings that any one term goes through."""
        return self.terms + 1

    def __add__(self, other: "Sum") -> "Sum":
        return Sum(
            self.value + other.value,
            self.scale + other.scale,
            self.radius + other.radius,
            self.terms + other.terms,
            self.precision,
        )

    def split(self, count: int) -> "tuple[Sum, ...]":
        """As many sums of as many units, such as those of the gates."""
        parts = (_split(numbers, count) for numbers in (self.value, self.scale, self.radius))
        each = zip(*parts, strict=True)
        return tuple(Sum(v, scale, e, self.terms, self.precision) for v, scale, e in each)

    def ball(self) -> Ball:
        """The sum, with all of its terms."""
        p, m = self.precision, self.roundings
        radius = self.radius + gamma(m, p.both) * self.scale + m * p.flushed
        return Ball(self.value, radius, p)


def product(W: Matrix, v: Ball) -> Sum:
    """W v for rows v (..., rows, n): (..., rows, units)."""
    size = np.abs(v.value)
    if v.radius.ndim == 0:
        scale, radius = size @ W.size, v.radius
    else:
        scale, radius = (size + v.radius) @ W.size, v.radius @ W.size
    return Sum(v.value @ W.columns, scale, radius, W.terms, v.precision)


def summed(d: Ball, x: Ball) -> Ball:
    """Sum over rows of d x', (..., units, n), of rows d (..., rows, units) and x (..., rows, n).

    e = sum (|d| e_x + e_d |x| + e_d e_x) + gamma_m(U) sum (|d| + e_d) (|x| + e_x) + m eta, with two
    roundings more than terms, as both may be kept wider than they show.
    """
    p, d_T, d_size = d.precision, d.value.swapaxes(-1, -2), np.abs(d.value).swapaxes(-1, -2)
    x_most = np.abs(x.value) + x.radius
    scale, radius = d_size @ x_most, np.zeros(())
    if x.radius.ndim:
        radius = radius + d_size @ x.radius
    if d.radius.ndim:
        of_d = d.radius.swapaxes(-1, -2) @ x_most
        scale, radius = scale + of_d, radius + of_d
    m = np.count_nonzero(x_most, axis=-2)[..., np.newaxis, :] + 2
    rounded = gamma(m, p.both) * scale + m * p.flushed
    return Ball(d_T @ x.value, radius + rounded, p)


def constant(b: Array, precision: Precision) -> Sum:
    """A bias (units,), or a stack of them (D, units), the same in every row."""
    value = b.astype(np.float64)[..., np.newaxis, :]
    return Sum(value, np.abs(value), np.zeros(()), 1, precision)


def applied(
    a: Ball,
    function: Callable[[Float64], Float64],
    slope: Callable[[Float64], Float64],
    ulps: int,
    least: float = 0,
) -> Ball:
    """An activation whose slope is largest at 0 and falls with |a|, computed to so many ulps.

    Args:
        slope: of |a|; not below that of the function anywhere.
        least: the size of the ulps where the function is smaller.
    """
    p, value = a.precision, function(a.value)
    through = slope(np.maximum(np.abs(a.value) - a.radius, 0)) * a.radius
    size = np.maximum(np.abs(value), least) + through
    return Ball(value, through + 2 * ulps * p.both * size + p.flushed, p)
