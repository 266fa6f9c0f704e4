"""Wrong gradients: of what is right forwards."""

import numpy as np

from rnn_conformance.contract.call import Array, Call, Lengths
from rnn_conformance.variants.differentiable import Differentiable, Taped
from rnn_conformance.variants.wrong.registry import mutant

TRUNCATED = 4


@mutant("gradients", "gradients", caught_by="gradient_of_steps", shipped_in="elixir-nx/axon#646")
class NotThroughTime(Differentiable):
    """A step hands nothing back through W_hh: only what the loss sees of it counts."""

    def handed_back(self, W_hh: Array, d: Array) -> Array:
        return 0 * super().handed_back(W_hh, d)


@mutant("gradients", "gradients", caught_by="gradient_of_steps")
class TruncatedThroughTime(Differentiable):
    """Nothing is handed back from every fourth step, as if the state before it were detached."""

    def back(self, call: Call, one: Taped, t: int, d_state: Array) -> tuple[Array, Array, Array]:
        d, du, before = super().back(call, one, t, d_state)
        return d, du, before * (t % TRUNCATED != 0)


@mutant("gradients", "gradients", caught_by="gradient_of_steps")
class HandedBackNotTransposed(Differentiable):
    """A step hands back W_hh d, gate by gate, in place of W_hh' d."""

    def handed_back(self, W_hh: Array, d: Array) -> Array:
        gates = len(W_hh) // W_hh.shape[1]
        each = zip(np.split(d, gates, axis=-1), np.split(W_hh, gates), strict=True)
        found: Array = np.sum([of_gate @ W.T for of_gate, W in each], axis=0)
        return found


@mutant("gradients", "gradients", caught_by="gradient_of_steps", shipped_in="chainer/chainer#2505")
class FinalStateUnseen(Differentiable):
    """What the loss sees of the final state is dropped."""

    def of_last(self, call: Call, x: Array) -> Array:
        return 0 * super().of_last(call, x)


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


@mutant("gradients", "gradients", caught_by="gradient_of_weights")
class StateAfterTheStep(Differentiable):
    """The gradient of W_hh is taken with the state after the step in place of that before it."""

    def of_products(self, call: Call, one: Taped, du: Array, h: Array) -> Array:
        return super().of_products(call, one, du, one.after[..., : h.shape[-1]])


@mutant("gradients", "gradients", "bidirectional", caught_by="gradient_of_inputs")
class InputsOfOneDirection(Differentiable):
    """The gradient of the inputs is that of one direction in place of the sum of both."""

    def of_both(self, of_inputs: list[Array], steps: Lengths) -> Array:
        return super().of_both(of_inputs[:1], steps)


@mutant("gradients", "gradients", "h_0", caught_by="gradient_of_states")
class InitialStatesReversed(Differentiable):
    """The gradients of the initial states are in the order in which they were computed."""

    def of_state(self, call: Call, d_first: Array) -> dict[str, Array]:
        return super().of_state(call, d_first[::-1])


@mutant("gradients", "gradients", caught_by="gradients_of_calls")
class GradientsAddUp(Differentiable):
    """The gradients of a later call of the same sizes are added to those of the first ones."""

    def __init__(self) -> None:
        self._kept: dict[object, dict[str, Array]] = {}

    def gradients(self, call: Call) -> dict[str, Array]:
        found = super().gradients(call)
        key = call.options, call.inputs.shape, call.dtype
        kept = self._kept.get(key, {})
        self._kept[key] = {name: kept.get(name, 0) + part for name, part in found.items()}
        return self._kept[key]


@mutant("gradients", "gradients", caught_by="gradient_of_large_losses")
class GradientsClipped(Differentiable):
    """Every gradient is clipped to [-1000, 1000]."""

    def gradients(self, call: Call) -> dict[str, Array]:
        return {name: np.clip(d, -1e3, 1e3) for name, d in super().gradients(call).items()}
