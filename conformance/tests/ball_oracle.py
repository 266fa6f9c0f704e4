"""The equations in ball arithmetic: every number is a ball that contains the true one.

Written from the equations alone, and sharing nothing with the reference or the judge. A float
becomes a ball of radius zero, and Arb proves that every result encloses. A comparison of balls is
true only where it holds for all numbers in them: too few bits can make a test fail, never pass.
Precision is that of `flint.ctx`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from flint import arb, ctx

Array = npt.NDArray[np.floating]
Ball = Any  # an arb, which NumPy takes for an element of an array of objects
Balls = npt.NDArray[np.object_]
Weights = Sequence[Array]  # W_ih (H, I), W_hh (H, H), b_ih (H,), b_hh (H,)

TANH_ULPS = 4
NARROW = arb(2) ** -80


@dataclass(frozen=True)
class Arithmetic:
    """The unit roundoff and the smallest normal number; (0, 0) where nothing is rounded."""

    u: Ball
    eta: Ball

    def gamma(self, m: int) -> Ball:
        return m * self.u / (1 - m * self.u)


ARITHMETIC = {
    "float32": Arithmetic(arb(2) ** -24, arb(2) ** -126),
    "float64": Arithmetic(arb(2) ** -53, arb(2) ** -1022),
    "float16": Arithmetic(arb(2) ** -11, arb(2) ** -14),
    "bfloat16": Arithmetic(arb(2) ** -8, arb(2) ** -126),
}


@dataclass(frozen=True)
class Sum:
    """A sum of products and biases, the sum of their absolute values, and the roundings claimed."""

    value: Balls
    scale: Balls
    roundings: int

    def error(self, arithmetic: Arithmetic) -> Balls:
        """gamma_m(u) scale + m eta: the error of the sum in any order, with or without FMA."""
        m = self.roundings
        error: Balls = self.scale * arithmetic.gamma(m) + m * arithmetic.eta
        return error


def each(function: Callable[..., Ball], *arrays: npt.NDArray[Any]) -> Balls:
    """The function of one element of every array."""
    result: Balls = np.asarray(np.frompyfunc(function, len(arrays), 1)(*arrays), dtype=object)
    return result


def balls(values: Array | Balls) -> Balls:
    """Floats without any rounding; balls stay as they are."""
    if values.dtype == object:
        return values.astype(object)
    return each(arb, values.astype(np.float64))


def floats(values: Balls) -> npt.NDArray[np.float64]:
    """The midpoints, rounded to float64."""
    return values.astype(np.float64)


def floats_within(ends: Balls, sign: int | Array) -> npt.NDArray[np.float64]:
    """The float64 nearest to the upper end (sign +1) or lower end (-1), and not beyond it."""
    nearest = floats(ends)
    beyond = (sign * (balls(nearest) - ends) > 0).astype(bool)
    return np.where(beyond, np.nextafter(nearest, -sign * np.inf), nearest)


def preactivation(weights: Weights, x: Array | Balls, h: Array | Balls) -> Sum:
    """W_ih x_t + b_ih + W_hh h_{t-1} + b_hh, for rows x (B, I) and h (B, H)."""
    W_ih, W_hh, b_ih, b_hh = map(balls, weights)
    x, h = balls(x), balls(h)
    return Sum(
        x @ W_ih.T + b_ih + h @ W_hh.T + b_hh,
        abs(x) @ abs(W_ih).T + abs(b_ih) + abs(h) @ abs(W_hh).T + abs(b_hh),
        most_terms(W_ih) + most_terms(W_hh) + 3,
    )


def most_terms(W: Balls) -> int:
    """How many numbers of a unit's weights are not 0: a sum does not change by a 0."""
    return max(sum(1 for w in row if w != 0) for row in W)


def readout(weights: Mapping[str, Array], h: Array | Balls) -> Sum:
    """W_ho h_t + b_ho, for rows h (B, H)."""
    W_ho, b_ho, h = balls(weights["W_ho"]), balls(weights["b_ho"]), balls(h)
    return Sum(h @ W_ho.T + b_ho, abs(h) @ abs(W_ho).T + abs(b_ho), W_ho.shape[1] + 2)


def tanh(a: Balls) -> Balls:
    """Between the tanh of the two ends, as tanh rises; Arb's own of a wide ball can be infinite."""
    return each(lambda x: x.lower().tanh().union(x.upper().tanh()), a)


def rounded_state(a: Sum, arithmetic: Arithmetic, sign: int | Array) -> Balls:
    """tanh(a) with every error as large as a right computation can make it, in this direction.

    The sum is off by its whole error, the tanh by four ulps, and then flushed to zero besides. The
    state was kept wider, and is rounded as it shows.
    """
    kept = computed_tanh(a.value + sign * a.error(arithmetic), arithmetic, sign)
    state: Balls = kept + sign * arithmetic.u * abs(kept)
    return state


def computed_tanh(a: Balls, arithmetic: Arithmetic, sign: int | Array) -> Balls:
    """tanh(a), off by four ulps in this direction, and then flushed to zero besides."""
    s = tanh(a)
    kept: Balls = s + sign * (2 * TANH_ULPS * arithmetic.u * abs(s) + arithmetic.eta)
    return kept


def farthest_state(a: Sum, arithmetic: Arithmetic, expected: Array | Balls) -> Balls:
    """The largest |h - expected| over all states h that a right computation can give.

    They lie between the two of the largest errors, so one of these is the farthest from anything.
    """
    E = balls(expected)
    above, below = rounded_state(a, arithmetic, +1) - E, E - rounded_state(a, arithmetic, -1)
    return each(arb.max, above, below)


def farthest_sum(y: Sum, arithmetic: Arithmetic, expected: Array | Balls) -> Balls:
    """The largest |y - expected| over all results that a right computation of the sum can give."""
    result: Balls = abs(y.value - balls(expected)) + y.error(arithmetic)
    return result


def trajectory(weights: Weights, inputs: Array, h_0: Array) -> Balls:
    """All states (T, B, H) from inputs (T, B, I) and h_0 (B, H), of radius below 2^-80.

    Every step widens the balls by a few bits; the precision is doubled until enough is left.
    """
    bits = 128
    while True:
        with ctx.workprec(bits):
            h, states = balls(h_0), []
            for x in inputs:
                h = tanh(preactivation(weights, x, h).value)
                states.append(h)
        result: Balls = np.stack(states)
        if all(state.rad() < NARROW for state in result.ravel().tolist()):
            return result
        bits *= 2
