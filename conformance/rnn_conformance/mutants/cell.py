"""Wrong cells: biases, weights and the activation."""

import numpy as np

from rnn_conformance.mutants.registry import mutant
from rnn_conformance.protocol import Array
from rnn_conformance.recurrence import Recurrence, Weights


@mutant("cell", caught_by="hidden_states", shipped_in="google/flax#5595 (GRU)")
class RecurrentBiasDropped(Recurrence):
    """b_hh is not added."""

    def weights(self, weights: Weights) -> Weights:
        weights = super().weights(weights)
        return {**weights, "b_hh": np.zeros_like(weights["b_hh"])}


@mutant("cell", caught_by="hidden_states")
class InputBiasDropped(Recurrence):
    """b_xh is not added."""

    def weights(self, weights: Weights) -> Weights:
        weights = super().weights(weights)
        return {**weights, "b_xh": np.zeros_like(weights["b_xh"])}


@mutant("cell", caught_by="hidden_states")
class InputBiasTwice(Recurrence):
    """b_xh is added twice, and b_hh not at all."""

    def weights(self, weights: Weights) -> Weights:
        weights = super().weights(weights)
        return {**weights, "b_hh": weights["b_xh"]}


@mutant("cell", caught_by="hidden_states")
class RecurrentBiasTwice(Recurrence):
    """b_hh is added twice, and b_xh not at all."""

    def weights(self, weights: Weights) -> Weights:
        weights = super().weights(weights)
        return {**weights, "b_xh": weights["b_hh"]}


@mutant("cell", caught_by="hidden_states", shipped_in="lisa-lab/DeepLearningTutorials#81 (LSTM)")
class BiasesDoubled(Recurrence):
    """The sum of both biases is added twice."""

    def preactivation(self, w: Weights, x: Array, h: Array) -> Array:
        return super().preactivation(w, x, h) + w["b_xh"].T + w["b_hh"].T


@mutant("cell", caught_by="hidden_states", shipped_in="apache/tvm#3410 (LSTM)")
class BiasOutsideActivation(Recurrence):
    """The biases are added after the activation: tanh(z) + b instead of tanh(z + b)."""

    def step(self, w: Weights, x: Array, h: Array) -> Array:
        b = w["b_xh"].T + w["b_hh"].T
        return self.activation(self.preactivation(w, x, h) - b) + b


@mutant("cell", caught_by="hidden_states", shipped_in="ml-explore/mlx#3249 (GRU)")
class RecurrentBiasDroppedAtZeroState(Recurrence):
    """The recurrent part, b_hh with it, is skipped while the state is zero."""

    def preactivation(self, w: Weights, x: Array, h: Array) -> Array:
        a = super().preactivation(w, x, h)
        return a if h.any() else a - w["b_hh"].T


@mutant("cell", caught_by="hidden_states")
class RecurrentWeightTransposed(Recurrence):
    """W_hh is used transposed."""

    def weights(self, weights: Weights) -> Weights:
        weights = super().weights(weights)
        return {**weights, "W_hh": weights["W_hh"].T}


@mutant("cell", caught_by="hidden_states")
class SquareInputWeightTransposed(Recurrence):
    """W_xh is used transposed where its shape allows it."""

    def weights(self, weights: Weights) -> Weights:
        weights = super().weights(weights)
        W = weights["W_xh"]
        return {**weights, "W_xh": W.T if W.shape[0] == W.shape[1] else W}


@mutant("cell", caught_by="hidden_states")
class InputWeightReshaped(Recurrence):
    """W_xh, stored column by column, is read row by row."""

    def weights(self, weights: Weights) -> Weights:
        weights = super().weights(weights)
        W = weights["W_xh"]
        return {**weights, "W_xh": W.ravel(order="F").reshape(W.shape)}


@mutant("cell", caught_by="hidden_states")
class SquareWeightsExchanged(Recurrence):
    """W_xh and W_hh are exchanged where their shapes allow it."""

    def weights(self, weights: Weights) -> Weights:
        weights = super().weights(weights)
        xh, hh = weights["W_xh"], weights["W_hh"]
        return {**weights, "W_xh": hh, "W_hh": xh} if xh.shape == hh.shape else weights


@mutant("cell", caught_by="hidden_states")
class RecurrentDiagonalOnly(Recurrence):
    """Only the diagonal of W_hh is used, as in an IndRNN."""

    def weights(self, weights: Weights) -> Weights:
        weights = super().weights(weights)
        return {**weights, "W_hh": np.diag(np.diag(weights["W_hh"]))}


@mutant("cell", caught_by="trajectory")
class UnitsPermutedInRecurrentWeight(Recurrence):
    """The units that W_hh reads from are in reverse order."""

    def weights(self, weights: Weights) -> Weights:
        weights = super().weights(weights)
        return {**weights, "W_hh": weights["W_hh"][:, ::-1]}


@mutant("activation", caught_by="hidden_states", shipped_in="apache/mxnet#10257")
class ReluForTanh(Recurrence):
    """relu is used where tanh was asked for."""

    def activation(self, a: Array) -> Array:
        return np.maximum(a, 0)


@mutant("activation", caught_by="hidden_states")
class SigmoidForTanh(Recurrence):
    """The logistic function is used where tanh was asked for."""

    def activation(self, a: Array) -> Array:
        return (np.tanh(a / 2) + 1) / 2


@mutant("activation", caught_by="hidden_states", shipped_in="tensorflow/swift-apis#97")
class NoActivation(Recurrence):
    """The pre-activation is the state."""

    def activation(self, a: Array) -> Array:
        return a


@mutant("activation", caught_by="hidden_states")
class TanhTwice(Recurrence):
    """tanh is applied twice."""

    def activation(self, a: Array) -> Array:
        return np.tanh(np.tanh(a))


@mutant("activation", caught_by="hidden_states")
class HardTanh(Recurrence):
    """tanh is replaced by a clip to [-1, 1]."""

    def activation(self, a: Array) -> Array:
        return np.clip(a, -1, 1)


@mutant("activation", caught_by="hidden_states", shipped_in="tensorflow/tensorflow#23054")
class RationalTanh(Recurrence):
    """tanh is replaced by the Padé approximant a (27 + a^2) / (27 + 9 a^2), clipped."""

    def activation(self, a: Array) -> Array:
        a = np.clip(a, -3, 3)
        result: Array = a * (27 + a * a) / (27 + 9 * a * a)
        return result


@mutant("activation", caught_by="hidden_states")
class TanhClipsItsArgument(Recurrence):
    """The argument of tanh is clipped to [-4, 4]."""

    def activation(self, a: Array) -> Array:
        return np.tanh(np.clip(a, -4, 4))


@mutant("activation", caught_by="hidden_states", shipped_in="apache/tvm#16438")
class TanhOverflows(Recurrence):
    """tanh is computed as (e^2a - 1) / (e^2a + 1), which is NaN for a large argument."""

    def activation(self, a: Array) -> Array:
        with np.errstate(over="ignore", invalid="ignore"):
            e = np.exp(2 * a)
            result: Array = (e - 1) / (e + 1)
        return result


@mutant("activation", caught_by="hidden_states", shipped_in="tenstorrent/tt-metal#25325")
class TanhOfSmallIsZero(Recurrence):
    """An argument below 1e-6 in size gives zero."""

    def activation(self, a: Array) -> Array:
        return np.where(np.abs(a) < 1e-6, 0, np.tanh(a)).astype(a.dtype)


@mutant("activation", caught_by="hidden_states")
class TanhIsItsArgumentBelow1e2(Recurrence):
    """An argument below 0.01 in size is given back as it is."""

    def activation(self, a: Array) -> Array:
        return np.where(np.abs(a) < 0.01, a, np.tanh(a)).astype(a.dtype)


@mutant("cell", caught_by="hidden_states")
class InputsClipped(Recurrence):
    """Inputs are clipped to [-6, 6]."""

    def preactivation(self, w: Weights, x: Array, h: Array) -> Array:
        return super().preactivation(w, np.clip(x, -6, 6), h)


@mutant("cell", caught_by="hidden_states")
class ZeroStepMasked(Recurrence):
    """A step whose inputs are all zero is taken for padding: the state is kept."""

    def step(self, w: Weights, x: Array, h: Array) -> Array:
        return np.where(x.any(axis=1, keepdims=True), super().step(w, x, h), h)


@mutant("activation", caught_by="nan_is_kept")
class NaNTakenForZero(Recurrence):
    """A pre-activation that is NaN counts as zero."""

    def activation(self, a: Array) -> Array:
        return super().activation(np.nan_to_num(a, nan=0.0))


@mutant("activation", caught_by="hidden_states")
class InputsClippedAt100(Recurrence):
    """Inputs are clipped to 100 either way."""

    def preactivation(self, w: Weights, x: Array, h: Array) -> Array:
        return super().preactivation(w, np.clip(x, -100, 100), h)
