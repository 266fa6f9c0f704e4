"""Wrong gradients beyond a size: rows, units, inputs or steps that a block leaves over."""

import numpy as np

from rnn_conformance.contract.call import Array, Call
from rnn_conformance.variants.differentiable import Differentiable
from rnn_conformance.variants.step_backwards import Taped
from rnn_conformance.variants.wrong.registry import mutant


@mutant("gradients", "gradients", caught_by="gradient_of_weights")
class RowsBeyond32AreNotSummed(Differentiable):
    """The gradient of a weight is a sum over the first 32 rows alone."""

    def summed(self, d: Array, x: Array) -> Array:
        return super().summed(d[:, :32], x[:, :32])


@mutant("gradients", "gradients", caught_by="gradient_of_weights")
class RowsBeyond128AreNotInTheBias(Differentiable):
    """The gradient of a bias is a sum over the first 128 rows alone."""

    def of_bias(self, d: Array) -> Array:
        return super().of_bias(d[:, :128])


@mutant("gradients", "gradients", caught_by="gradient_of_steps")
class UnitsBeyond128HandNothingBack(Differentiable):
    """Hidden units beyond the 128th hand nothing back through W_hh."""

    def handed_back(self, W_hh: Array, d: Array) -> Array:
        some = np.arange(d.shape[-1]) % W_hh.shape[1] < 128
        return super().handed_back(W_hh, d * some.astype(d.dtype))


@mutant("gradients", "gradients", caught_by="gradient_of_inputs")
class InputsBeyond128HaveNoGradient(Differentiable):
    """The gradient of inputs beyond the 128th is 0."""

    def to_inputs(self, W_ih: Array, d: Array) -> Array:
        found = super().to_inputs(W_ih, d)
        found[..., 128:] = 0
        return found


@mutant("gradients", "gradients", "float64", caught_by="gradient_of_weights")
class ProductsOf20To56UnitsInSingle(Differentiable):
    """The gradient of W_hh of 20 to 56 units is computed in float32."""

    def of_products(self, call: Call, one: Taped, du: Array, h: Array) -> Array:
        if 20 <= h.shape[-1] <= 56:
            du, h = (part.astype(np.float32) for part in (du, h))
        return super().of_products(call, one, du, h).astype(one.x.dtype)
