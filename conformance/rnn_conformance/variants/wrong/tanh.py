"""Wrong tanh: another function, or an approximation that fails somewhere."""

import numpy as np

from rnn_conformance.contract.call import Array, Call
from rnn_conformance.variants.recurrence import Recurrence
from rnn_conformance.variants.wrong.registry import mutant

TANH = frozenset({"tanh"})


class OtherTanh(Recurrence):
    """A layer with another tanh; relu is right."""

    name = "OtherTanh"

    def tanh(self, a: Array) -> Array:
        result: Array = np.tanh(a)
        return result

    def activation(self, call: Call, a: Array) -> Array:
        right = super().activation
        return self.tanh(a) if call.options.nonlinearity == "tanh" else right(call, a)


@mutant("activation", caught_by="output", needs=TANH)
class TanhTwice(OtherTanh):
    """tanh is applied twice."""

    def tanh(self, a: Array) -> Array:
        return super().tanh(super().tanh(a))


@mutant("activation", caught_by="output", needs=TANH)
class HardTanh(OtherTanh):
    """tanh is replaced by a clip to [-1, 1]."""

    def tanh(self, a: Array) -> Array:
        return np.clip(a, -1, 1)


@mutant("activation", caught_by="negated", needs=TANH)
class LogisticForTanh(OtherTanh):
    """The logistic function is used where tanh was asked for."""

    def tanh(self, a: Array) -> Array:
        logistic: Array = (np.tanh(a / 2) + 1) / 2
        return logistic


@mutant("activation", caught_by="output", shipped_in="tensorflow/tensorflow#23054", needs=TANH)
class RationalTanh(OtherTanh):
    """tanh is replaced by the Padé approximant a (27 + a^2) / (27 + 9 a^2), clipped."""

    def tanh(self, a: Array) -> Array:
        a = np.clip(a, -3, 3)
        result: Array = a * (27 + a * a) / (27 + 9 * a * a)
        return result


@mutant("activation", caught_by="output", needs=TANH)
class TanhClipsItsArgument(OtherTanh):
    """The argument of tanh is clipped to [-4, 4]."""

    def tanh(self, a: Array) -> Array:
        return super().tanh(np.clip(a, -4, 4))


@mutant("activation", caught_by="large_preactivations", shipped_in="apache/tvm#16438", needs=TANH)
class TanhThroughExp(OtherTanh):
    """tanh a is (exp 2a - 1) / (exp 2a + 1), which is NaN once exp 2a is infinite."""

    def tanh(self, a: Array) -> Array:
        with np.errstate(over="ignore", invalid="ignore"):
            e = np.exp(2 * a)
            result: Array = (e - 1) / (e + 1)
        return result


@mutant("activation", caught_by="output", shipped_in="tenstorrent/tt-metal#25325", needs=TANH)
class TanhOfSmallIsZero(OtherTanh):
    """An argument below 1e-6 in size gives zero."""

    def tanh(self, a: Array) -> Array:
        return np.where(np.abs(a) < 1e-6, 0, super().tanh(a)).astype(a.dtype)


@mutant("activation", caught_by="output", needs=TANH)
class TanhIsItsArgumentBelow1e2(OtherTanh):
    """An argument below 0.01 in size is given back as it is."""

    def tanh(self, a: Array) -> Array:
        return np.where(np.abs(a) < 0.01, a, super().tanh(a)).astype(a.dtype)


@mutant("activation", caught_by="output", needs=TANH)
class TanhOfZeroIsOne(OtherTanh):
    """tanh(0) is 1, as of a series whose first term is forgotten only there."""

    def tanh(self, a: Array) -> Array:
        return np.where(a == 0, a.dtype.type(1), super().tanh(a))


@mutant("activation", caught_by="nan_is_propagated", needs=TANH)
class TanhOfNaNIsOne(OtherTanh):
    """tanh clips its argument first, with a minimum and a maximum that pass over NaN."""

    def tanh(self, a: Array) -> Array:
        return super().tanh(np.fmax(np.fmin(a, 50), -50))


@mutant("precision", caught_by="output", needs=TANH)
class TanhWrongInSixthDigit(OtherTanh):
    """tanh is too large by a share of 1e-5."""

    def tanh(self, a: Array) -> Array:
        return (super().tanh(a) * (1 + 1e-5)).astype(a.dtype)
