"""Wrong gradients of weights: sums over steps and rows, what they are taken with, precision."""

import numpy as np

from rnn_conformance.contract.call import Array, Call
from rnn_conformance.variants.differentiable import Differentiable
from rnn_conformance.variants.step_backwards import Taped
from rnn_conformance.variants.wrong.precision import BFLOAT16, FLOAT16, TF32, rounded
from rnn_conformance.variants.wrong.registry import mutant


@mutant(
    "gradients",
    "gradients",
    caught_by="gradient_of_weights",
    shipped_in="tensorflow/swift-apis#518",
)
class LastStepOfWeightsAlone(Differentiable):
    """The gradient of a weight is assigned at each step, not added: that of step 0 is left."""

    def summed(self, d: Array, x: Array) -> Array:
        return super().summed(d[:1], x[:1])


@mutant("gradients", "gradients", caught_by="gradient_of_weights", shipped_in="mlpack/mlpack#3679")
class BiasOfFirstRow(Differentiable):
    """The gradient of a bias is that of the first row in place of the sum over rows."""

    def of_bias(self, d: Array) -> Array:
        return super().of_bias(d[:, :1])


@mutant("gradients", "gradients", caught_by="gradient_of_weights", shipped_in="kvfrans/notes#5")
class BiasOverRowsAveraged(Differentiable):
    """The gradient of a bias is the mean over the rows in place of the sum."""

    def of_bias(self, d: Array) -> Array:
        return super().of_bias(d) / d.dtype.type(d.shape[1])


@mutant("gradients", "gradients", caught_by="gradient_of_weights")
class RowsAveraged(Differentiable):
    """The gradient of a weight is the mean over the rows in place of the sum."""

    def of_weights(self, call: Call, one: Taped, d: Array, du: Array) -> dict[str, Array]:
        found = super().of_weights(call, one, d, du)
        return {name: part / part.dtype.type(d.shape[1]) for name, part in found.items()}


@mutant("gradients", "gradients", caught_by="gradient_of_weights")
class StepsAveraged(Differentiable):
    """The gradient of a weight is the mean over the steps in place of the sum."""

    def of_weights(self, call: Call, one: Taped, d: Array, du: Array) -> dict[str, Array]:
        found = super().of_weights(call, one, d, du)
        return {name: part / part.dtype.type(len(d)) for name, part in found.items()}


@mutant(
    "gradients",
    "gradients",
    caught_by="gradient_of_weights",
    shipped_in="rasbt/stat453-deep-learning-ss21#5",
)
class BiasOverUnitsSummed(Differentiable):
    """The gradient of a bias is one sum over all units, the same for each."""

    def of_bias(self, d: Array) -> Array:
        return np.full_like(super().of_bias(d), d.sum())


@mutant("gradients", "gradients", caught_by="gradient_of_weights")
class InputBiasConstant(Differentiable):
    """b_ih has no gradient."""

    def of_weights(self, call: Call, one: Taped, d: Array, du: Array) -> dict[str, Array]:
        found = super().of_weights(call, one, d, du)
        return {name: part * (not name.startswith("bias_ih")) for name, part in found.items()}


@mutant("gradients", "gradients", caught_by="gradient_of_weights")
class RecurrentBiasConstant(Differentiable):
    """b_hh has no gradient."""

    def of_weights(self, call: Call, one: Taped, d: Array, du: Array) -> dict[str, Array]:
        found = super().of_weights(call, one, d, du)
        return {name: part * (not name.startswith("bias_hh")) for name, part in found.items()}


@mutant("gradients", "gradients", caught_by="gradient_of_weights")
class BiasAddedTwice(Differentiable):
    """Both biases share the memory of one gradient, to which each adds its own."""

    def of_weights(self, call: Call, one: Taped, d: Array, du: Array) -> dict[str, Array]:
        found = super().of_weights(call, one, d, du)
        both = [found[name] for name in found if name.startswith("bias")]
        return found | {name: np.sum(both, axis=0) for name in found if name.startswith("bias")}


@mutant("gradients", "gradients", caught_by="gradient_of_weights")
class StateAfterTheStep(Differentiable):
    """The gradient of W_hh is taken with the state after the step in place of that before it."""

    def of_products(self, call: Call, one: Taped, du: Array, h: Array) -> Array:
        return super().of_products(call, one, du, one.after[..., : h.shape[-1]])


@mutant("gradients", "gradients", "h_0", caught_by="gradient_of_weights")
class FirstStateForZeros(Differentiable):
    """The gradient of W_hh is taken as if h_0 were zeros, though it is given."""

    def of_products(self, call: Call, one: Taped, du: Array, h: Array) -> Array:
        return super().of_products(call, one, du, np.concatenate([0 * h[:1], h[1:]]))


@mutant("gradients", "gradients", caught_by="gradient_of_weights")
class LastStateForOmittedFirst(Differentiable):
    """Where h_0 is omitted, the state before step 0 is number -1: the last one."""

    def of_products(self, call: Call, one: Taped, du: Array, h: Array) -> Array:
        if call.h_0 is None:
            h = np.concatenate([one.after[-1:, :, : h.shape[-1]], h[1:]])
        return super().of_products(call, one, du, h)


@mutant("gradients", "gradients", caught_by="gradient_of_weights")
class WeightGradientsExchanged(Differentiable):
    """The gradients of W_ih and W_hh are exchanged, where their shapes are the same."""

    def of_weights(self, call: Call, one: Taped, d: Array, du: Array) -> dict[str, Array]:
        found = super().of_weights(call, one, d, du)
        ih, hh = f"weight_ih_{one.end}", f"weight_hh_{one.end}"
        alike = found[ih].shape == found[hh].shape
        return found | ({ih: found[hh], hh: found[ih]} if alike else {})


@mutant("gradients", "gradients", caught_by="gradient_of_weights")
class WeightsClipped(Differentiable):
    """The gradients of the weights are clipped at 1 and -1."""

    def of_weights(self, call: Call, one: Taped, d: Array, du: Array) -> dict[str, Array]:
        found = super().of_weights(call, one, d, du)
        return {name: np.clip(part, -1, 1) for name, part in found.items()}


@mutant("gradients", "gradients", caught_by="gradient_of_weights")
class WeightsClippedByNorm(Differentiable):
    """The gradient of each weight is made no longer than 1."""

    def of_weights(self, call: Call, one: Taped, d: Array, du: Array) -> dict[str, Array]:
        found = super().of_weights(call, one, d, du)
        norms = {name: np.maximum(np.linalg.norm(part), 1) for name, part in found.items()}
        return {name: part / part.dtype.type(norms[name]) for name, part in found.items()}


@mutant("gradients", "gradients", caught_by="gradient_of_weights")
class SumsInFloat16(Differentiable):
    """The gradient of W_hh is added up step by step in the 11 bits of float16."""

    bits, beyond = FLOAT16, 0

    def of_products(self, call: Call, one: Taped, du: Array, h: Array) -> Array:
        if len(du) <= self.beyond:
            return super().of_products(call, one, du, h)
        found = np.zeros((du.shape[-1], h.shape[-1]), du.dtype)
        for d_t, h_t in zip(du, h, strict=True):
            found = rounded(found + self.summed(d_t[np.newaxis], h_t[np.newaxis]), self.bits)
        return found


@mutant("gradients", "gradients", caught_by="gradient_of_weights")
class LongSumsInBfloat16(SumsInFloat16):
    """The gradient of W_hh is added up in bfloat16, where there are more than 16 steps."""

    bits, beyond = BFLOAT16, 16


@mutant("gradients", "gradients", caught_by="gradient_of_weights")
class FactorsOfSumsInTF32(Differentiable):
    """The factors of the gradient of W_hh are rounded to the 11 bits of TF32."""

    def of_products(self, call: Call, one: Taped, du: Array, h: Array) -> Array:
        return super().of_products(call, one, rounded(du, TF32), rounded(h, TF32))


@mutant("gradients", "gradients", caught_by="gradient_of_steps")
class HandedBackInTF32(Differentiable):
    """The factors of W_hh' d alone are rounded to the 11 bits of TF32."""

    def handed_back(self, W_hh: Array, d: Array) -> Array:
        return super().handed_back(rounded(W_hh, TF32), rounded(d, TF32))


@mutant("gradients", "gradients", caught_by="gradient_of_inputs")
class InputsInTF32(Differentiable):
    """The factors of W_ih' d alone are rounded to the 11 bits of TF32."""

    def to_inputs(self, W_ih: Array, d: Array) -> Array:
        return super().to_inputs(rounded(W_ih, TF32), rounded(d, TF32))


@mutant("gradients", "gradients", caught_by="gradient_of_large_losses")
class GradientsClipped(Differentiable):
    """Every gradient is clipped to [-1000, 1000]."""

    most = 1e3

    def gradients(self, call: Call) -> dict[str, Array]:
        found = super().gradients(call)
        return {name: np.clip(d, -self.most, self.most) for name, d in found.items()}


@mutant("gradients", "gradients", caught_by="gradient_of_large_losses")
class LargeGradientsClipped(GradientsClipped):
    """Every gradient is clipped to ±1e8."""

    most = 1e8
