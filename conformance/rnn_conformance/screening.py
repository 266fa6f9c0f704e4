"""A look at a very large trace that costs O(H) a row, in the manner of Freivalds.

(R. Freivalds, Probabilistic machines can use less running time, IFIP Congress 1977.) For a vector s
of random signs, s.a = (s W) v + s.b needs no product with W, and where h_t = tanh(a), s.atanh(h_t)
is the same. With r = atanh(h_t) - a, a row is suspicious if any of J vectors gives |s.r| > theta,

    theta = (sqrt(H) gamma_m(u) (the mean over units of |W||v| + |b|) + k |h / (1 - h^2)|) / 4,

a quarter of what a right implementation may have at worst, were its errors of random sign: sums and
tanh, k as in `sieve`. Suspicious rows, and no others, get the full certificate, so that nothing
right is rejected, whatever theta is. In one row, something wrong is missed with a probability of

    at most (1 - (1 - theta^2 / |r|^2)^2 / 3)^J          where |r| > theta (R. Paley and A. Zygmund,
                                                         as the fourth moment of s.r is <= 3 |r|^4),
    at most exp(-J (d - theta)^2 / (2 |rest|^2))         for one unit that is d > theta off (W.
                                                         Hoeffding), the others `rest`.

The limit is coarse: theta is some sqrt(H) / 4 times the bound of one unit, so that one unit that is
off by a few times its bound is not seen; nor is any error of a row smaller than theta altogether.
The same vectors serve all rows: an error that has one direction in all of them is missed in all or
in none. A unit near 1 makes theta large and one at 1 the row suspicious: of saturated states little
is saved. relu cannot be undone, and is not screened.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from rnn_conformance.certificate import JUDGE, TANH_ULPS, Float64, Precision, gamma
from rnn_conformance.judgement import Place
from rnn_conformance.protocol import Array
from rnn_conformance.sieve import PARTS, Sieve
from rnn_conformance.trace import blocks, checked, place_of, rows_of_block

SHARE = 0.25


@dataclass(frozen=True)
class Screening:
    """What a screening found.

    Attributes:
        rows, suspicious: how many rows, T·B, there are, and how many got the full certificate.
        first_outside: the first number of those that is outside its bound; None where none is.
    """

    rows: int
    suspicious: int
    first_outside: Place | None

    @property
    def found_nothing(self) -> bool:
        """No proof that the states conform; the chance of a miss is stated above."""
        return self.first_outside is None

    def __str__(self) -> str:
        looked = f"{self.suspicious} of {self.rows} rows were suspicious"
        if self.first_outside is None:
            return f"nothing found: {looked}"
        return f"does not conform: {self.first_outside}; {looked}"


def screen(
    weights: Mapping[str, Array],
    inputs: Array,
    states: Array,
    *,
    rng: np.random.Generator,
    vectors: int = 4,
    h_0: Array | None = None,
    dtype: npt.DTypeLike | None = None,
) -> Screening:
    """Judge those rows of a trace of a tanh layer that look suspicious.

    Args:
        weights, inputs, states, h_0, dtype: as for `certify`.
        rng: draws the signs; whoever knows them beforehand can pass with anything.
        vectors: J, how many of them.

    Raises ValueError or TypeError that names the argument, what came and what was expected.
    """
    if not isinstance(rng, np.random.Generator):
        raise TypeError(f"rng: expected a numpy.random.Generator, got {type(rng).__name__}")
    if not isinstance(vectors, int) or not 1 <= vectors <= 1024:
        raise ValueError(f"vectors: expected an integer from 1 to 1024, got {vectors!r}")
    cell, inputs, states, h_0, precision = checked(weights, inputs, states, h_0, dtype, "tanh")
    T, B, H = states.shape
    signs = rng.choice((-1.0, 1.0), size=(H, vectors))
    look, sieve = Projections(cell, signs, precision), Sieve(cell, "tanh", precision)
    suspicious = 0
    first_outside: Place | None = None
    for steps, rows in blocks(states.shape, inputs.shape[2]):
        before, found = rows_of_block(inputs, states, h_0, steps, rows)
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            at = np.flatnonzero(look.suspicious(before, found))
            suspicious += len(at)
            if first_outside is not None or not len(at):
                continue
            judged = sieve.judged(before[at], found[at], 1.0)
        if judged is not None and (judged.shares > 1).any():
            row, unit = np.divmod(judged.index, H)
            of_block = replace(judged, index=at[row] * H + unit)
            first = int((judged.shares > 1).argmax())
            first_outside = place_of(of_block, first, steps, rows, states.shape)
    return Screening(T * B, suspicious, first_outside)


class Projections:
    """The step equation of one cell, both of its sides projected on the columns of signs (H, J)."""

    def __init__(self, weights: Mapping[str, Array], signs: Float64, precision: Precision) -> None:
        W = np.hstack([weights[name] for name in PARTS], dtype=np.float64)
        m = W.shape[1] + 1
        e = gamma(m, precision.u) + gamma(m, JUDGE.u)
        self._of_row = W.T @ signs
        self._of_sizes = np.abs(W).sum(axis=0) * e / np.sqrt(len(signs))  # the mean over the units
        self._signs = signs
        self._k = 2 * TANH_ULPS * (precision.u + JUDGE.u)

    def residuals(self, rows: Float64, found: Float64) -> tuple[Float64, Float64]:
        """|s.r| (R, J) and theta (R,) of states (R, H) that follow on rows, as `Sieve` has them."""
        apart = np.arctanh(found) @ self._signs
        apart -= rows @ self._of_row
        steep = found * found
        np.subtract(1, steep, out=steep)
        np.divide(found, steep, out=steep)
        theta = np.abs(rows) @ self._of_sizes
        theta += self._k * np.sqrt(np.vecdot(steep, steep))
        theta *= SHARE
        return np.abs(apart, out=apart), theta

    def suspicious(self, rows: Float64, found: Float64) -> npt.NDArray[np.bool_]:
        """Which rows are, (R,); NaN and infinity are."""
        apart, theta = self.residuals(rows, found)
        within = (apart <= theta[:, np.newaxis]) & np.isfinite(theta)[:, np.newaxis]
        suspicious: npt.NDArray[np.bool_] = np.logical_or.reduce(~within, axis=1)
        return suspicious
