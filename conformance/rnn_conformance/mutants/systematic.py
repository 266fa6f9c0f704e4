"""Small errors in one direction, or in every number: each one is within the worst-case bound."""

import numpy as np

from rnn_conformance.mutants.precision import rounded
from rnn_conformance.mutants.registry import mutant
from rnn_conformance.protocol import Array
from rnn_conformance.recurrence import Recurrence, Weights


def bits(array: Array) -> int:
    """The bits of significand of its dtype: 24 or 53."""
    return np.finfo(array.dtype).nmant + 1


def truncated(exact: Array, dtype: np.dtype[np.floating]) -> Array:
    """`exact`, rounded toward zero."""
    nearest: Array = exact.astype(dtype)
    below: Array = np.nextafter(nearest, np.zeros_like(nearest))
    result: Array = np.where(np.abs(nearest) > np.abs(exact), below, nearest)
    return result


class TermByTerm(Recurrence):
    """A right implementation: the biases, then one product after the other, each rounded."""

    name = "TermByTerm"

    def preactivation(self, w: Weights, x: Array, h: Array) -> Array:
        a: Array = np.repeat((w["b_xh"] + w["b_hh"]).T, len(x), axis=0)
        for vectors, W in ((x, w["W_xh"]), (h, w["W_hh"])):
            for i in range(vectors.shape[1]):
                a = self.add(a, vectors[:, i : i + 1], W[:, i])
        return a

    def add(self, a: Array, v: Array, w: Array) -> Array:
        total: Array = a + v * w
        return total


@mutant("systematic", caught_by="systematic_error")
class SumsTruncated(TermByTerm):
    """Every addition is rounded toward zero."""

    def add(self, a: Array, v: Array, w: Array) -> Array:
        return truncated(a.astype(np.longdouble) + v * w, a.dtype)


@mutant("systematic", caught_by="systematic_error")
class SumsThreeBitsShort(TermByTerm):
    """Sums are kept with three bits less than claimed, 21 in float32."""

    def add(self, a: Array, v: Array, w: Array) -> Array:
        return rounded(a + v * w, bits(a) - 3)


@mutant("systematic", caught_by="systematic_error")
class PreactivationSixBitsShort(Recurrence):
    """The sum before the activation has six bits less than claimed, 18 in float32."""

    def activation(self, a: Array) -> Array:
        return np.tanh(rounded(a, bits(a) - 6))


@mutant("systematic", caught_by="systematic_error")
class RecurrentWeightsFourBitsShort(Recurrence):
    """W_hh is kept with four bits less than claimed, 20 in float32."""

    def weights(self, weights: Weights) -> Weights:
        weights = super().weights(weights)
        W_hh = weights["W_hh"]
        return {**weights, "W_hh": rounded(W_hh, bits(W_hh) - 4)}


@mutant("systematic", caught_by="systematic_error")
class BiasesFourBitsShort(Recurrence):
    """Both biases are kept with four bits less than claimed, 20 in float32."""

    def weights(self, weights: Weights) -> Weights:
        weights = super().weights(weights)
        narrow = {
            name: rounded(weights[name], bits(weights[name]) - 4) for name in ("b_xh", "b_hh")
        }
        return {**weights, **narrow}


class TanhOff(Recurrence):
    """tanh is wrong by a factor 1 + `share` eps and by `shift` eps; eps is 1.2e-7 in float32."""

    share = shift = 0.0

    def activation(self, a: Array) -> Array:
        eps = np.finfo(a.dtype).eps
        h = np.tanh(a.astype(np.longdouble))
        return (h + self.share * eps * h + self.shift * eps).astype(a.dtype)


@mutant("systematic", caught_by="systematic_error")
class TanhTooLarge(TanhOff):
    """tanh is too large by a share of 2.5 eps, 3e-7 in float32."""

    share = 2.5


@mutant("systematic", caught_by="systematic_error")
class TanhTooSmall(TanhOff):
    """tanh is too small by a share of 2.5 eps, 3e-7 in float32."""

    share = -2.5


@mutant("systematic", caught_by="systematic_error")
class TanhRaised(TanhOff):
    """tanh is too large by 1.25 eps, 1.5e-7 in float32, wherever it is."""

    shift = 1.25


@mutant("systematic", caught_by="systematic_error")
class TanhLowered(TanhOff):
    """tanh is too small by 1.25 eps, 1.5e-7 in float32, wherever it is."""

    shift = -1.25
