"""Wrong gradients: of layers, directions, padding and layouts, and from one call to the next."""

from dataclasses import replace

import numpy as np

from rnn_conformance.contract.call import Array, Call, Lengths
from rnn_conformance.variants.differentiable import Differentiable
from rnn_conformance.variants.step_backwards import Taped
from rnn_conformance.variants.wrong.registry import mutant


@mutant(
    "gradients",
    "gradients",
    "layers",
    caught_by="gradient_of_weights",
    shipped_in="apache/mxnet#17872",
)
class BiasesOfUpperLayersConstant(Differentiable):
    """The biases of the layers above the first have no gradient."""

    def of_weights(self, call: Call, one: Taped, d: Array, du: Array) -> dict[str, Array]:
        found = super().of_weights(call, one, d, du)
        above = not one.end.startswith("l0")
        return {n: part * (not (above and n.startswith("bias"))) for n, part in found.items()}


@mutant("gradients", "gradients", "layers", caught_by="gradient_of_weights")
class LowerLayersDetached(Differentiable):
    """The layers below the last have no gradients."""

    def of_both(self, of_inputs: list[Array], steps: Lengths, layer: int) -> Array:
        return super().of_both(of_inputs, steps, layer) * (layer == 0)


@mutant("gradients", "gradients", "layers", caught_by="gradient_of_weights")
class UpperInputsOverwritten(Differentiable):
    """What a layer above the first reads is overwritten by what it gives, before W_ih uses it."""

    def overwritten(self, layer: int, layers: int) -> bool:
        """Whether the inputs of a layer are."""
        return layer > 0

    def of_weights(self, call: Call, one: Taped, d: Array, du: Array) -> dict[str, Array]:
        o, layer = call.options, int(one.end.removesuffix("_reverse")[1:])
        if self.overwritten(layer, o.num_layers):
            own = one.after[..., : o.hidden_size]
            one = replace(one, x=np.concatenate([own] * o.directions, axis=-1))
        return super().of_weights(call, one, d, du)


@mutant(
    "gradients",
    "gradients",
    "layers",
    caught_by="gradient_of_weights",
    shipped_in="apache/mxnet#18203 (GRU)",
)
class MiddleInputsOverwritten(UpperInputsOverwritten):
    """W_ih of a layer between others has its gradient from what the layer gives, not reads."""

    def overwritten(self, layer: int, layers: int) -> bool:
        return 0 < layer < layers - 1


@mutant(
    "gradients",
    "gradients",
    "bidirectional",
    "layers",
    caught_by="gradient_of_weights",
    shipped_in="apache/mxnet#18203 (LSTM)",
)
class LossOverwrittenByOtherDirection(Differentiable):
    """What a direction hands to the layer below overwrites dL/d of what the other one gives."""

    def of_direction(self, d_output: Array, d_inputs: list[Array], d: int, H: int) -> Array:
        overwritten = bool(d_inputs) and d_inputs[0].shape == d_output.shape
        return super().of_direction(d_inputs[0] if overwritten else d_output, d_inputs, d, H)


@mutant(
    "gradients",
    "gradients",
    "bidirectional",
    caught_by="gradient_of_weights",
    shipped_in="mlpack/mlpack#1742",
)
class WeightsOfOneDirection(Differentiable):
    """The weights of the forward direction have no gradient."""

    def of_weights(self, call: Call, one: Taped, d: Array, du: Array) -> dict[str, Array]:
        found = super().of_weights(call, one, d, du)
        forward = call.options.bidirectional and not one.way
        return {name: part * (not forward) for name, part in found.items()}


@mutant("gradients", "gradients", "bidirectional", caught_by="gradient_of_inputs")
class InputsOfOneDirection(Differentiable):
    """The gradient of the inputs is that of one direction in place of the sum of both."""

    def of_both(self, of_inputs: list[Array], steps: Lengths, layer: int) -> Array:
        return super().of_both(of_inputs[:1], steps, layer)


@mutant("gradients", "gradients", "bidirectional", caught_by="gradient_of_inputs")
class ReverseInputsNotTurnedBack(Differentiable):
    """The gradient of the inputs of the reverse direction is in the order in which it reads."""

    def inputs_in_time(self, of_inputs: Array, steps: Lengths, way: int) -> Array:
        return of_inputs


@mutant("gradients", "gradients", "lengths", caught_by="gradient_of_weights")
class LastStepForPadding(Differentiable):
    """In the padding, the gradients of the last real step count again for the weights."""

    def of_weights(self, call: Call, one: Taped, d: Array, du: Array) -> dict[str, Array]:
        steps = call.lengths
        if steps is not None:
            d, du = (clamped(part, steps) for part in (d, du))
        return super().of_weights(call, one, d, du)


@mutant("gradients", "gradients", "lengths", caught_by="gradient_of_weights")
class PaddedInputsTimesZero(Differentiable):
    """What stands in the padding of the inputs is multiplied with 0 for W_ih, and NaN stays NaN."""

    def of_weights(self, call: Call, one: Taped, d: Array, du: Array) -> dict[str, Array]:
        if one.end in ("l0", "l0_reverse"):
            x = self.rows(call)
            one = replace(one, x=self.read(x, self.steps(call, x), one.way))
        return super().of_weights(call, one, d, du)


@mutant("gradients", "gradients", "lengths", caught_by="gradient_of_inputs")
class InputsOfPadding(Differentiable):
    """In the padding, the gradient of the inputs is that of the last real step."""

    def of_both(self, of_inputs: list[Array], steps: Lengths, layer: int) -> Array:
        return clamped(super().of_both(of_inputs, steps, layer), steps)


@mutant("gradients", "gradients", "batch_first", caught_by="gradient_of_inputs")
class InputGradientReshaped(Differentiable):
    """The gradient of inputs (B, T, I) is that of (T, B, I), reshaped in place of transposed."""

    def gradients(self, call: Call) -> dict[str, Array]:
        found = super().gradients(call)
        part = found["inputs"]
        if call.layout == "batch_first":
            part = np.ascontiguousarray(part.swapaxes(0, 1)).reshape(part.shape)
        return found | {"inputs": part}


@mutant("gradients", "gradients", "batch_first", caught_by="gradient_of_steps")
class LossReshaped(Differentiable):
    """dL/d of an output (B, T, H) is reshaped to (T, B, H) in place of transposed."""

    def of_output(self, call: Call, x: Array, steps: Lengths) -> Array:
        if call.layout == "batch_first" and call.upstream and call.upstream.output is not None:
            B, T, H = call.upstream.output.shape
            turned = call.upstream.output.reshape(T, B, H).swapaxes(0, 1)
            call = replace(call, upstream=replace(call.upstream, output=turned))
        return super().of_output(call, x, steps)


def clamped(values: Array, steps: Lengths) -> Array:
    """(T, B, n) with each row's last real step in its padding too."""
    at = np.minimum(np.arange(len(values))[:, np.newaxis], steps - 1)
    return np.take_along_axis(values, at[..., np.newaxis], axis=0)
