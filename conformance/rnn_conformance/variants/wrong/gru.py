"""Wrong GRUs: gates exchanged, a reset at the wrong place, an update turned around."""

import numpy as np

from rnn_conformance.contract.call import Array, Call
from rnn_conformance.variants.gated import Gru, GruResetBefore
from rnn_conformance.variants.per_call import PerCall
from rnn_conformance.variants.recurrence import Weights, of_gates
from rnn_conformance.variants.wrong.registry import mutant

TURNED = (1, 0, 2)  # z, r, n


@mutant("gru", "gru", caught_by="output", shipped_in="microsoft/onnxscript#2852")
class ResetBeforeForAfter(Gru):
    """h_{t-1} is reset before the product."""

    def candidate(self, call: Call, w: Weights, x: Array, h: Array, r: Array) -> Array:
        return self.preactivation(w, x, r * h)


@mutant("gru", "gru_reset_before", caught_by="output", shipped_in="onnx/keras-onnx#33")
class ResetAfterForBefore(GruResetBefore):
    """The product is reset after it is computed, with its bias."""

    def candidate(self, call: Call, w: Weights, x: Array, h: Array, r: Array) -> Array:
        from_state = h @ w["W_hh"].T + w["b_hh"]
        return x @ w["W_ih"].T + w["b_ih"] + r * from_state


@mutant("gru", "gru_reset_before", caught_by="output", shipped_in="ooples/AiDotNet#722")
class ResetOfTheReader(GruResetBefore):
    """Every unit resets what it reads by its own r, not by that of the unit it reads from."""

    def candidate(self, call: Call, w: Weights, x: Array, h: Array, r: Array) -> Array:
        return x @ w["W_ih"].T + w["b_ih"] + r * (h @ w["W_hh"].T) + w["b_hh"]


@mutant("gru", "gru", caught_by="output")
class RecurrentBiasOutsideReset(Gru):
    """b_hn is not reset."""

    def candidate(self, call: Call, w: Weights, x: Array, h: Array, r: Array) -> Array:
        return x @ w["W_ih"].T + w["b_ih"] + r * (h @ w["W_hh"].T) + w["b_hh"]


@mutant("gru", "gru", caught_by="output", shipped_in="google/flax#5594")
class CandidateBiasDropped(Gru):
    """b_hn is not added."""

    def candidate(self, call: Call, w: Weights, x: Array, h: Array, r: Array) -> Array:
        return super().candidate(call, {**w, "b_hh": 0 * w["b_hh"]}, x, h, r)


@mutant("gru", "gru", caught_by="output", shipped_in="ml-explore/mlx#3249")
class CandidateBiasDroppedWithoutState(PerCall, Gru):
    """b_hn is not added at the first step where h_0 is omitted."""

    claims = Gru.claims

    def candidate(self, call: Call, w: Weights, x: Array, h: Array, r: Array) -> Array:
        first = call.h_0 is None and not h.any()
        changed = {**w, "b_hh": 0 * w["b_hh"]} if first else w
        return super().candidate(call, changed, x, h, r)


@mutant("gru", "gru", caught_by="output")
class InputBiasReset(Gru):
    """b_in is reset with the product."""

    def candidate(self, call: Call, w: Weights, x: Array, h: Array, r: Array) -> Array:
        return x @ w["W_ih"].T + r * (w["b_ih"] + h @ w["W_hh"].T + w["b_hh"])


@mutant("gru", "gru", caught_by="output", shipped_in="zhiyongc/GRU-D#2")
class NeverReset(Gru):
    """r has no effect."""

    def candidate(self, call: Call, w: Weights, x: Array, h: Array, r: Array) -> Array:
        return self.preactivation(w, x, h)


@mutant("gru", "gru", caught_by="output")
class InputsReset(Gru):
    """The product with the inputs is reset, not that with the state."""

    def candidate(self, call: Call, w: Weights, x: Array, h: Array, r: Array) -> Array:
        return r * (x @ w["W_ih"].T + w["b_ih"]) + h @ w["W_hh"].T + w["b_hh"]


@mutant("gru", "gru", caught_by="output")
class EverythingReset(Gru):
    """Both products are reset."""

    def candidate(self, call: Call, w: Weights, x: Array, h: Array, r: Array) -> Array:
        return r * self.preactivation(w, x, h)


@mutant("gru", "gru", caught_by="output")
class ResetTurned(Gru):
    """What is kept by the reset is 1 - r."""

    def candidate(self, call: Call, w: Weights, x: Array, h: Array, r: Array) -> Array:
        return super().candidate(call, w, x, h, 1 - r)


@mutant("gru", "gru", "no_bias", caught_by="output", shipped_in="microsoft/onnxruntime#3893")
class ProductNotCleared(PerCall, Gru):
    """Without biases, the product with the state of a row is added to that of the row before."""

    claims = Gru.claims

    def candidate(self, call: Call, w: Weights, x: Array, h: Array, r: Array) -> Array:
        if call.options.bias:
            return super().candidate(call, w, x, h, r)
        return x @ w["W_ih"].T + r * np.cumsum(h @ w["W_hh"].T, axis=0, dtype=h.dtype)


@mutant("gru", "gru", caught_by="output", shipped_in="mindspore-ai/mindspore#149")
class UpdateTurned(Gru):
    """h_t is z n + (1 - z) h_{t-1}."""

    def between(self, z: Array, n: Array, h: Array) -> Array:
        return super().between(1 - z, n, h)


@mutant("gru", "gru", caught_by="output")
class UpdateByReset(Gru):
    """r stands in the place of z in the end."""

    def gru(self, call: Call, w: Weights, x: Array, h: Array) -> Array:
        w_r, _, w_n = self.gates(w, 3)
        r = self.gate(self.preactivation(w_r, x, h))
        return self.between(r, self.activation(call, self.candidate(call, w_n, x, h, r)), h)


@mutant("gru", "gru", caught_by="output")
class UpdateOfResetState(Gru):
    """z is computed from the state that r has reset."""

    def gru(self, call: Call, w: Weights, x: Array, h: Array) -> Array:
        w_r, w_z, w_n = self.gates(w, 3)
        r = self.gate(self.preactivation(w_r, x, h))
        z = self.gate(self.preactivation(w_z, x, r * h))
        return self.between(z, self.activation(call, self.candidate(call, w_n, x, h, r)), h)


@mutant("gru", "gru", caught_by="output")
class ResetStateCarried(Gru):
    """What z keeps is the state that r has reset."""

    def gru(self, call: Call, w: Weights, x: Array, h: Array) -> Array:
        w_r, w_z, w_n = self.gates(w, 3)
        r, z = (self.gate(self.preactivation(gate, x, h)) for gate in (w_r, w_z))
        return self.between(z, self.activation(call, self.candidate(call, w_n, x, h, r)), r * h)


@mutant("gru", "gru", caught_by="output")
class OldStateAdded(Gru):
    """h_t is (1 - z) n + h_{t-1}."""

    def between(self, z: Array, n: Array, h: Array) -> Array:
        return (1 - z) * n + h


@mutant("gru", "gru", caught_by="output")
class CandidateShown(Gru):
    """h_t is n."""

    def between(self, z: Array, n: Array, h: Array) -> Array:
        return n


@mutant("gru", "gru", caught_by="output")
class GatesInKerasOrder(Gru):
    """The rows of r, z, n are taken for those of z, r, n."""

    def cell(self, call: Call, layer: int, d: int) -> Weights:
        return of_gates(super().cell(call, layer, d), TURNED)
