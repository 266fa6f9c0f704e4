"""Wrong activations: another one than was asked for, or one that fails somewhere."""

import numpy as np

from rnn_conformance.contract.call import Array, Call, Lengths
from rnn_conformance.variants.recurrence import Recurrence, Weights
from rnn_conformance.variants.wrong.registry import mutant


@mutant("activation", "relu", caught_by="output", shipped_in="microsoft/onnxruntime#4034")
class AlwaysTanh(Recurrence):
    """tanh is used where relu was asked for."""

    def activation(self, call: Call, a: Array) -> Array:
        return np.tanh(a)


@mutant("activation", "tanh", caught_by="output", shipped_in="apache/mxnet#10257")
class AlwaysRelu(Recurrence):
    """relu is used where tanh was asked for."""

    def activation(self, call: Call, a: Array) -> Array:
        return np.maximum(a, 0)


@mutant(
    "activation",
    "relu",
    "bidirectional",
    caught_by="output",
    shipped_in="onnx/tensorflow-onnx#2211 (LSTM)",
)
class ReluLostWithTwoDirections(Recurrence):
    """A layer of two directions uses tanh where relu was asked for."""

    def activation(self, call: Call, a: Array) -> Array:
        return np.tanh(a) if call.options.bidirectional else super().activation(call, a)


@mutant("activation", "relu", "layers", caught_by="output")
class ReluInFirstLayerOnly(Recurrence):
    """Layers above the first use tanh where relu was asked for."""

    def cell(self, call: Call, layer: int, d: int) -> Weights:
        return {**super().cell(call, layer, d), "layer": np.array(layer)}

    def step(self, call: Call, w: Weights, x: Array, h: Array) -> Array:
        return np.tanh(self.preactivation(w, x, h)) if w["layer"] else super().step(call, w, x, h)


@mutant("activation", "relu", caught_by="output")
class LeakyRelu(Recurrence):
    """relu lets a hundredth of a negative argument through."""

    def activation(self, call: Call, a: Array) -> Array:
        leaky = np.maximum(a, 0.01 * a)
        return leaky if call.options.nonlinearity == "relu" else super().activation(call, a)


@mutant("activation", caught_by="output", shipped_in="tensorflow/swift-apis#97")
class NoActivation(Recurrence):
    """The pre-activation is the state."""

    def activation(self, call: Call, a: Array) -> Array:
        return a


@mutant("activation", "relu", caught_by="large_preactivations")
class ReluClipped(Recurrence):
    """relu ends at 100."""

    def activation(self, call: Call, a: Array) -> Array:
        right = super().activation(call, a)
        return np.minimum(right, 100) if call.options.nonlinearity == "relu" else right


@mutant("activation", "relu", caught_by="nan_is_propagated")
class ReluOfNaNIsZero(Recurrence):
    """relu keeps what is above 0, and gives 0 for everything else, NaN too."""

    def activation(self, call: Call, a: Array) -> Array:
        kept = np.where(a > 0, a, 0).astype(a.dtype)
        return kept if call.options.nonlinearity == "relu" else super().activation(call, a)


@mutant("activation", caught_by="nan_is_propagated")
class NaNReadAsZero(Recurrence):
    """A NaN in the inputs is taken for padding, and read as 0."""

    def without_padding(self, x: Array, steps: Lengths) -> Array:
        right = super().without_padding(x, steps)
        return np.where(np.isnan(right), 0, right).astype(x.dtype)


@mutant("activation", caught_by="nan_is_propagated", of="plain")
class NaNTakenForZero(Recurrence):
    """A pre-activation that is NaN counts as zero."""

    def activation(self, call: Call, a: Array) -> Array:
        return super().activation(call, np.where(np.isnan(a), 0, a).astype(a.dtype))


@mutant("activation", caught_by="nan_is_propagated")
class RowsAddedWithWeightZero(Recurrence):
    """Each row adds all the others times 0, so that a NaN in one reaches them all."""

    def step(self, call: Call, w: Weights, x: Array, h: Array) -> Array:
        new = super().step(call, w, x, h)
        mixed: Array = new + 0 * new.sum(axis=0)
        return mixed


@mutant("activation", "no_bias", "tanh", caught_by="output")
class NegativeZeroIsNoNumber(Recurrence):
    """A pre-activation of -0.0 gives NaN; sums start from their first term."""

    def preactivation(self, w: Weights, x: Array, h: Array) -> Array:
        products = [(x, "W_ih"), (h, "W_hh")]
        terms: list[Array] = [
            v[:, i : i + 1] * w[name][:, i] for v, name in products for i in range(v.shape[1])
        ]
        terms += [w[name] for name in ("b_ih", "b_hh") if w[name].any()]
        return sum(terms[1:], terms[0])

    def activation(self, call: Call, a: Array) -> Array:
        negative = (a == 0) & np.signbit(a)
        return np.where(negative, a.dtype.type(np.nan), super().activation(call, a))


@mutant("activation", caught_by="infinities_are_kept")
class InfiniteInputsAreZero(Recurrence):
    """Infinite inputs are replaced by 0."""

    def rows(self, call: Call) -> Array:
        x = super().rows(call)
        return np.where(np.isinf(x), x.dtype.type(0), x)


class OtherTanh(Recurrence):
    """A layer with another tanh; relu is right."""

    def tanh(self, a: Array) -> Array:
        return np.tanh(a)

    def activation(self, call: Call, a: Array) -> Array:
        tanh = call.options.nonlinearity == "tanh"
        return self.tanh(a) if tanh else super().activation(call, a)


@mutant("activation", "tanh", caught_by="output")
class TanhTwice(OtherTanh):
    """tanh is applied twice."""

    def tanh(self, a: Array) -> Array:
        return super().tanh(super().tanh(a))


@mutant("activation", "tanh", caught_by="output")
class HardTanh(OtherTanh):
    """tanh is replaced by a clip to [-1, 1]."""

    def tanh(self, a: Array) -> Array:
        return np.clip(a, -1, 1)


@mutant("activation", "tanh", caught_by="negated")
class LogisticForTanh(OtherTanh):
    """The logistic function is used where tanh was asked for."""

    def tanh(self, a: Array) -> Array:
        return (np.tanh(a / 2) + 1) / 2


@mutant("activation", "tanh", caught_by="output", shipped_in="tensorflow/tensorflow#23054")
class RationalTanh(OtherTanh):
    """tanh is replaced by the Padé approximant a (27 + a^2) / (27 + 9 a^2), clipped."""

    def tanh(self, a: Array) -> Array:
        a = np.clip(a, -3, 3)
        return a * (27 + a * a) / (27 + 9 * a * a)


@mutant("activation", "tanh", caught_by="output")
class TanhClipsItsArgument(OtherTanh):
    """The argument of tanh is clipped to [-4, 4]."""

    def tanh(self, a: Array) -> Array:
        return super().tanh(np.clip(a, -4, 4))


@mutant("activation", "tanh", caught_by="large_preactivations", shipped_in="apache/tvm#16438")
class TanhThroughExp(OtherTanh):
    """tanh a is (exp 2a - 1) / (exp 2a + 1), which is NaN once exp 2a is infinite."""

    def tanh(self, a: Array) -> Array:
        with np.errstate(over="ignore", invalid="ignore"):
            e = np.exp(2 * a)
            result: Array = (e - 1) / (e + 1)
        return result


@mutant("activation", "tanh", caught_by="output", shipped_in="tenstorrent/tt-metal#25325")
class TanhOfSmallIsZero(OtherTanh):
    """An argument below 1e-6 in size gives zero."""

    def tanh(self, a: Array) -> Array:
        return np.where(np.abs(a) < 1e-6, 0, super().tanh(a)).astype(a.dtype)


@mutant("activation", "tanh", caught_by="output")
class TanhIsItsArgumentBelow1e2(OtherTanh):
    """An argument below 0.01 in size is given back as it is."""

    def tanh(self, a: Array) -> Array:
        return np.where(np.abs(a) < 0.01, a, super().tanh(a)).astype(a.dtype)


@mutant("activation", "tanh", caught_by="output")
class TanhOfZeroIsOne(OtherTanh):
    """tanh(0) is 1, as of a series whose first term is forgotten only there."""

    def tanh(self, a: Array) -> Array:
        return np.where(a == 0, a.dtype.type(1), super().tanh(a))


@mutant("activation", "tanh", caught_by="nan_is_propagated")
class TanhOfNaNIsOne(OtherTanh):
    """tanh clips its argument first, with a minimum and a maximum that pass over NaN."""

    def tanh(self, a: Array) -> Array:
        return super().tanh(np.fmax(np.fmin(a, 50), -50))


@mutant("precision", "tanh", caught_by="output")
class TanhWrongInSixthDigit(OtherTanh):
    """tanh is too large by a share of 1e-5."""

    def tanh(self, a: Array) -> Array:
        return (super().tanh(a) * (1 + 1e-5)).astype(a.dtype)
