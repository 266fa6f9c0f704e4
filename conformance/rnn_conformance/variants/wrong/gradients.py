"""Wrong gradients of what is right forwards: what goes back from step to step."""

import numpy as np
import numpy.typing as npt

from rnn_conformance.contract.call import Array, Call, Lengths
from rnn_conformance.variants.differentiable import Differentiable
from rnn_conformance.variants.step_backwards import Taped
from rnn_conformance.variants.wrong.registry import mutant


@mutant("gradients", "gradients", caught_by="gradient_of_steps", shipped_in="qixianbiao/RNN#2")
class NotThroughTime(Differentiable):
    """A step hands nothing back through W_hh: only what the loss sees of it counts."""

    def handed_back(self, W_hh: Array, d: Array) -> Array:
        return 0 * super().handed_back(W_hh, d)


@mutant(
    "gradients",
    "gradients",
    caught_by="gradient_of_steps",
    shipped_in="FluxML/Flux.jl#2185",
)
class LastStepAlone(Differentiable):
    """The last step of a row is the only one that has gradients."""

    def through_time(
        self, call: Call, one: Taped, d_states: Array, d_last: Array, steps: Lengths
    ) -> tuple[Array, Array, Array]:
        d, du, first = super().through_time(call, one, d_states, d_last, steps)
        is_last = (np.arange(len(d))[:, np.newaxis] == steps - 1)[..., np.newaxis]
        return d * is_last, du * is_last, first * (steps == 1)[:, np.newaxis]


@mutant("gradients", "gradients", caught_by="gradient_of_steps")
class TruncatedThroughTime(Differentiable):
    """Nothing is handed back from every fourth step, as if the state before it were detached."""

    every = 4

    def back(self, call: Call, one: Taped, t: int, d_state: Array) -> tuple[Array, Array, Array]:
        d, du, before = super().back(call, one, t, d_state)
        return d, du, before * (t % self.every != 0 or t == 0)


@mutant("gradients", "gradients", caught_by="gradient_of_steps")
class TruncatedAfterSixteenSteps(TruncatedThroughTime):
    """Nothing is handed back from every sixteenth step."""

    every = 16


@mutant("gradients", "gradients", caught_by="gradient_of_steps")
class HandedBackNotTransposed(Differentiable):
    """A step hands back W_hh d, gate by gate, in place of W_hh' d."""

    def handed_back(self, W_hh: Array, d: Array) -> Array:
        gates = len(W_hh) // W_hh.shape[1]
        each = zip(np.split(d, gates, axis=-1), np.split(W_hh, gates), strict=True)
        found: Array = np.sum([of_gate @ W.T for of_gate, W in each], axis=0)
        return found


@mutant("gradients", "gradients", "lengths", caught_by="gradient_of_steps")
class PaddingHandsBack(Differentiable):
    """What the loss says of the padding goes back into the row."""

    def of_output(self, call: Call, x: Array, steps: Lengths) -> Array:
        return super().of_output(call, x, np.full_like(steps, len(x)))

    def inside(self, t: int, steps: Lengths) -> npt.NDArray[np.bool_]:
        return np.full((len(steps), 1), True)


@mutant("gradients", "gradients", "bidirectional", caught_by="gradient_of_steps")
class ReverseReadsLossInTime(Differentiable):
    """The reverse direction takes dL/d of the output in the order of time."""

    def loss_as_read(self, d_half: Array, steps: Lengths, way: int) -> Array:
        return d_half


@mutant("gradients", "gradients", "tanh", caught_by="gradient_of_steps")
class SlopeAtPreactivation(Differentiable):
    """The slope of tanh is 1 - a² in place of 1 - tanh² a."""

    def slope(self, call: Call, h: Array, a: Array) -> Array:
        return super().slope(call, h if call.options.cell == "relu" else a, a)


@mutant("gradients", "gradients", caught_by="gradient_of_steps", of="gated")
class SlopeOfGatedTanhAtPreactivation(SlopeAtPreactivation):
    """The slope of each tanh is 1 - a² in place of 1 - tanh² a."""


@mutant(
    "gradients",
    "gradients",
    "tanh",
    caught_by="gradient_of_steps",
    shipped_in="davidrmiller/neural2d#40",
)
class SlopeAtActivation(Differentiable):
    """The slope of tanh is taken at h in place of a: 1 - tanh² h."""

    def slope(self, call: Call, h: Array, a: Array) -> Array:
        return super().slope(call, h if call.options.cell == "relu" else np.tanh(h), a)


@mutant(
    "gradients",
    "gradients",
    caught_by="gradient_of_steps",
    shipped_in="nicklashansen/rnn_lstm_from_scratch#1",
    of="gated",
)
class SlopesAtActivations(SlopeAtActivation):
    """The slope of each tanh and σ is taken at what it gives, such as σ'(σ(a))."""

    def slope_of_gate(self, s: Array) -> Array:
        return super().slope_of_gate(self.gate(s))


@mutant("gradients", "gradients", caught_by="gradient_of_steps", of="plain")
class SlopeOfStateBefore(Differentiable):
    """The slope of a step is that of the state before it."""

    def back(self, call: Call, one: Taped, t: int, d_state: Array) -> tuple[Array, Array, Array]:
        d = d_state * self.slope(call, one.before[t], one.before[t])
        return d, d, self.handed_back(one.w["W_hh"], d)


@mutant(
    "gradients",
    "gradients",
    "relu",
    caught_by="gradient_of_steps",
    shipped_in="tensorflow/playground#19",
)
class ReluRisesAtZero(Differentiable):
    """The slope of relu at exactly 0 is 1."""

    def slope(self, call: Call, h: Array, a: Array) -> Array:
        right = super().slope(call, h, a)
        return np.where(a == 0, 1, right).astype(h.dtype) if call.options.cell == "relu" else right


@mutant(
    "gradients",
    "gradients",
    "relu",
    caught_by="gradient_of_steps",
    shipped_in="uptake/numpynet#35",
)
class ReluMaskedByItsOutput(Differentiable):
    """The slope of relu is 1 where h is not below 0, which is everywhere."""

    def slope(self, call: Call, h: Array, a: Array) -> Array:
        is_relu = call.options.cell == "relu"
        return (h >= 0).astype(h.dtype) if is_relu else super().slope(call, h, a)


@mutant("gradients", "gradients", caught_by="gradient_of_steps")
class SlopeTooLarge(Differentiable):
    """The slope of tanh or relu is too large by 1e-5 of it."""

    def slope(self, call: Call, h: Array, a: Array) -> Array:
        return super().slope(call, h, a) * h.dtype.type(1 + 1e-5)


@mutant("gradients", "gradients", caught_by="gradient_of_steps", of="gated")
class SlopeOfGateTooLarge(Differentiable):
    """The slope of σ is too large by 1e-5 of it."""

    def slope_of_gate(self, s: Array) -> Array:
        return super().slope_of_gate(s) * s.dtype.type(1 + 1e-5)


@mutant("gradients", "gradients", caught_by="gradient_of_steps", of="gated")
class TanhTooLargeByAMillionth(Differentiable):
    """tanh is too large by 1e-6 of it, in both passes."""

    def activation(self, call: Call, a: Array) -> Array:
        return super().activation(call, a) * a.dtype.type(1 + 1e-6)
