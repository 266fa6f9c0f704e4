"""Wrong gradients of one step of an LSTM or a GRU."""

from dataclasses import replace

import numpy as np

from rnn_conformance.contract.call import NONLINEARITIES, Array, Call
from rnn_conformance.variants.differentiable import Differentiable
from rnn_conformance.variants.recurrence import Weights
from rnn_conformance.variants.step_backwards import GruStep, LstmStep, Taped
from rnn_conformance.variants.wrong.registry import mutant

OF_ANY_CELL = Differentiable.claims - {*NONLINEARITIES}


class Lstm(Differentiable):
    """Claims an LSTM alone."""

    claims = OF_ANY_CELL | {"lstm"}


class Gru(Differentiable):
    """Claims a GRU alone, which resets after the product."""

    claims = OF_ANY_CELL | {"gru"}


@mutant(
    "gradients",
    "gradients",
    "lstm",
    caught_by="gradient_of_steps",
    shipped_in="CaptainE/RNN-LSTM-in-numpy#1",
)
class ForgetGateForItsSlope(Lstm):
    """dL/d of the forget gate is multiplied with σ(f) in place of f (1 - f)."""

    def of_lstm_gates(self, call: Call, s: LstmStep, dh: Array, dc: Array) -> list[Array]:
        i, _, g, o = super().of_lstm_gates(call, s, dh, dc)
        return [i, dc * s.c_before * self.gate(s.f), g, o]


@mutant("gradients", "gradients", "lstm", caught_by="gradient_of_steps")
class ForgetSlopeOfOutputGate(Lstm):
    """The slope of the forget gate is that of the output gate."""

    def of_lstm_gates(self, call: Call, s: LstmStep, dh: Array, dc: Array) -> list[Array]:
        i, _, g, o = super().of_lstm_gates(call, s, dh, dc)
        return [i, dc * s.c_before * self.slope_of_gate(s.o), g, o]


@mutant("gradients", "gradients", "lstm", caught_by="gradient_of_steps")
class ForgetFromNewCell(Lstm):
    """dL/d of the forget gate is taken with the new c in place of the one before."""

    def of_lstm_gates(self, call: Call, s: LstmStep, dh: Array, dc: Array) -> list[Array]:
        return super().of_lstm_gates(call, replace(s, c_before=s.c), dh, dc)


@mutant("gradients", "gradients", "lstm", caught_by="gradient_of_steps")
class GateGradientsInAnotherOrder(Lstm):
    """The gradients of the gates are in the order i, f, o, g."""

    def of_lstm_gates(self, call: Call, s: LstmStep, dh: Array, dc: Array) -> list[Array]:
        i, f, g, o = super().of_lstm_gates(call, s, dh, dc)
        return [i, f, o, g]


@mutant("gradients", "gradients", "lstm", caught_by="gradient_of_steps")
class CellNotForgotten(Lstm):
    """c hands its gradient back as it is, not times f."""

    def cell_handed_back(self, s: LstmStep, dc: Array) -> Array:
        return dc


@mutant(
    "gradients",
    "gradients",
    "lstm",
    caught_by="gradient_of_steps",
    shipped_in="apache/mxnet#4057",
)
class CellGradientAssigned(Lstm):
    """dL/dc is assigned what h shows of it: what the next step hands back is lost."""

    def of_cell(self, call: Call, s: LstmStep, dh: Array, dc: Array) -> Array:
        return super().of_cell(call, s, dh, 0 * dc)


@mutant("gradients", "gradients", "lstm", caught_by="gradient_of_steps")
class CellDetached(Lstm):
    """c hands no gradient back, as if it were detached at every step."""

    def cell_handed_back(self, s: LstmStep, dc: Array) -> Array:
        return 0 * dc


@mutant("gradients", "gradients", "lstm", caught_by="gradient_of_steps")
class CellUnseenByState(Lstm):
    """dL/dc is what the next step hands back: what h shows of it is left out."""

    def of_cell(self, call: Call, s: LstmStep, dh: Array, dc: Array) -> Array:
        return dc


@mutant("gradients", "gradients", "lstm", caught_by="gradient_of_steps")
class SlopeOfCellMissing(Lstm):
    """h is taken for o c in place of o tanh(c)."""

    def of_cell(self, call: Call, s: LstmStep, dh: Array, dc: Array) -> Array:
        return dc + dh * s.o


@mutant(
    "gradients",
    "gradients",
    "lstm",
    caught_by="gradient_of_steps",
    shipped_in="llSourcell/LSTM_Networks#4",
)
class HandedBackWithoutSlopes(Lstm):
    """W_hh hands back dL/d of each gate without its slope."""

    def back_lstm(
        self, call: Call, one: Taped, t: int, d_state: Array
    ) -> tuple[Array, Array, Array]:
        d, du, before = super().back_lstm(call, one, t, d_state)
        s, (dh, dc) = self.lstm_step(call, one, t), np.split(d_state, 2, axis=-1)
        dc = self.of_cell(call, s, dh, dc)
        without = np.concatenate([dc * s.g, dc * s.c_before, dc * s.i, dh * s.tanh_c], axis=-1)
        of_cell = before[:, dh.shape[-1] :]
        handed = self.handed_back(one.w["W_hh"], without)
        return d, du, np.concatenate([handed, of_cell], axis=-1)


@mutant("gradients", "gradients", "gru", caught_by="gradient_of_steps")
class NothingKept(Gru):
    """What z keeps of the state before has no gradient: z dh is left out."""

    def kept_by_update(self, s: GruStep, dh: Array) -> Array:
        return 0 * dh


@mutant("gradients", "gradients", "gru", caught_by="gradient_of_steps")
class UpdateTurnedAround(Gru):
    """dL/dz is taken with n - h in place of h - n."""

    def of_update(self, s: GruStep, dh: Array) -> Array:
        return -super().of_update(s, dh)


@mutant("gradients", "gradients", "gru", caught_by="gradient_of_steps")
class CandidateTimesUpdate(Gru):
    """dL/dn is dh z in place of dh (1 - z)."""

    def of_candidate(self, call: Call, s: GruStep, dh: Array) -> Array:
        return super().of_candidate(call, replace(s, z=1 - s.z), dh)


@mutant("gradients", "gradients", "gru", caught_by="gradient_of_steps")
class SlopeOfCandidateMissing(Gru):
    """The slope of the tanh of n is left out."""

    def of_candidate(self, call: Call, s: GruStep, dh: Array) -> Array:
        return dh * (1 - s.z)


@mutant("gradients", "gradients", "gru", caught_by="gradient_of_steps")
class ResetWithoutBias(Gru):
    """dL/dr is taken with W_hn h in place of W_hn h + b_hn."""

    def of_reset(self, w_n: Weights, s: GruStep, d_n: Array) -> Array:
        return super().of_reset({**w_n, "b_hh": 0 * w_n["b_hh"]}, s, d_n)


@mutant("gradients", "gradients", "gru", caught_by="gradient_of_steps")
class ResetBeforeInGradient(Gru):
    """dL/dr is that of a reset before the product, W_hn' d_n times h."""

    def of_reset(self, w_n: Weights, s: GruStep, d_n: Array) -> Array:
        return self.handed_back(w_n["W_hh"], d_n) * s.h * self.slope_of_gate(s.r)


@mutant("gradients", "gradients", "gru", caught_by="gradient_of_weights")
class CandidateWeightsWithoutReset(Gru):
    """The gradient of W_hn is not multiplied with r."""

    def of_weights(self, call: Call, one: Taped, d: Array, du: Array) -> dict[str, Array]:
        found = super().of_weights(call, one, d, du)
        h = one.before[..., : call.options.hidden_size]
        return found | {f"weight_hh_{one.end}": self.of_products(call, one, d, h)}


@mutant("gradients", "gradients", "gru", caught_by="gradient_of_weights")
class CandidateBiasWithoutReset(Gru):
    """The gradient of b_hn is not multiplied with r: both biases have the same."""

    def of_weights(self, call: Call, one: Taped, d: Array, du: Array) -> dict[str, Array]:
        found = super().of_weights(call, one, d, du)
        name = f"bias_hh_{one.end}"
        return found | ({name: self.of_bias(d)} if name in found else {})
