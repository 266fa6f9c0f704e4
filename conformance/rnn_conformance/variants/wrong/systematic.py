"""Small errors in one direction, or in every number: each one is within the worst-case bound."""

import numpy as np

from rnn_conformance.contract.call import Array, Call
from rnn_conformance.variants.recurrence import Recurrence, Weights
from rnn_conformance.variants.wrong.activation import OtherTanh
from rnn_conformance.variants.wrong.precision import rounded
from rnn_conformance.variants.wrong.registry import mutant


class TermByTerm(Recurrence):
    """A right layer: the biases, then one product after the other, each rounded."""

    def preactivation(self, w: Weights, x: Array, h: Array) -> Array:
        a: Array = np.repeat((w["b_ih"] + w["b_hh"])[None], len(x), axis=0)
        for vectors, W in ((x, w["W_ih"]), (h, w["W_hh"])):
            for i in range(vectors.shape[1]):
                a = self.add(a, vectors[:, i : i + 1], W[:, i])
        return a

    def add(self, a: Array, v: Array, w: Array) -> Array:
        return a + v * w


@mutant("systematic", "tanh", caught_by="systematic_error")
class SumsTruncated(TermByTerm):
    """Every addition is rounded toward zero."""

    def add(self, a: Array, v: Array, w: Array) -> Array:
        return truncated(a.astype(np.longdouble) + v * w, a.dtype)


@mutant("systematic", "tanh", caught_by="systematic_error")
class SumsThreeBitsShort(TermByTerm):
    """Sums are kept with three bits less than claimed, 21 in float32."""

    def add(self, a: Array, v: Array, w: Array) -> Array:
        return rounded(a + v * w, bits(a) - 3)


@mutant("systematic", "tanh", caught_by="systematic_error")
class PreactivationSixBitsShort(Recurrence):
    """The sum before the activation has six bits less than claimed, 18 in float32."""

    def activation(self, call: Call, a: Array) -> Array:
        return super().activation(call, rounded(a, bits(a) - 6))


@mutant("systematic", "tanh", "h_0", caught_by="systematic_error")
class RecurrentWeightsFourBitsShort(Recurrence):
    """W_hh is kept with four bits less than claimed, 20 in float32."""

    def cell(self, call: Call, layer: int, d: int) -> Weights:
        return _four_bits_short(super().cell(call, layer, d), "W_hh")


@mutant("systematic", "tanh", caught_by="systematic_error")
class BiasesFourBitsShort(Recurrence):
    """Both biases are kept with four bits less than claimed, 20 in float32."""

    def cell(self, call: Call, layer: int, d: int) -> Weights:
        return _four_bits_short(super().cell(call, layer, d), "b_ih", "b_hh")


class TanhOff(OtherTanh):
    """tanh is wrong by a factor 1 + `share` eps and by `shift` eps; eps is 1.2e-7 in float32."""

    share = shift = 0.0

    def tanh(self, a: Array) -> Array:
        eps = np.finfo(a.dtype).eps
        h = np.tanh(a.astype(np.longdouble))
        return (h + self.share * eps * h + self.shift * eps).astype(a.dtype)


@mutant("systematic", "tanh", caught_by="systematic_error")
class TanhTooLarge(TanhOff):
    """tanh is too large by a share of 2.5 eps, 3e-7 in float32."""

    share = 2.5


@mutant("systematic", "tanh", caught_by="systematic_error")
class TanhTooSmall(TanhOff):
    """tanh is too small by a share of 2.5 eps, 3e-7 in float32."""

    share = -2.5


@mutant("systematic", "tanh", caught_by="systematic_error")
class TanhRaised(TanhOff):
    """tanh is too large by 1.25 eps, 1.5e-7 in float32, wherever it is."""

    shift = 1.25


@mutant("systematic", "tanh", caught_by="systematic_error")
class TanhLowered(TanhOff):
    """tanh is too small by 1.25 eps, 1.5e-7 in float32, wherever it is."""

    shift = -1.25


def bits(array: Array) -> int:
    """The bits of significand of its dtype: 24 or 53."""
    return np.finfo(array.dtype).nmant + 1


def truncated(exact: Array, dtype: np.dtype[np.floating]) -> Array:
    """`exact`, rounded toward zero."""
    nearest: Array = exact.astype(dtype)
    below: Array = np.nextafter(nearest, np.zeros_like(nearest))
    return np.where(np.abs(nearest) > np.abs(exact), below, nearest)


def _four_bits_short(w: Weights, *names: str) -> Weights:
    return {**w, **{name: rounded(w[name], bits(w[name]) - 4) for name in names}}
