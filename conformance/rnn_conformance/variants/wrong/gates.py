"""Wrong gated cells, whichever it is: rows of two gates exchanged, another σ or tanh."""

import numpy as np

from rnn_conformance.contract.call import Array, Call
from rnn_conformance.variants.recurrence import Recurrence, Weights, of_gates
from rnn_conformance.variants.wrong.registry import mutant

EXCHANGED = {"lstm": (0, 1, 3, 2), "gru": (1, 0, 2)}  # as Core ML, and as Keras and ONNX, have them


class GatesExchanged(Recurrence):
    """Rows are taken for those of i, f, o, g in an LSTM, of z, r, n in a GRU."""

    names: tuple[str, ...] = ("W_ih", "W_hh", "b_ih", "b_hh")

    def exchanged(self, layer: int, d: int) -> bool:
        """Whether those of a layer and direction are."""
        return True

    def cell(self, call: Call, layer: int, d: int) -> Weights:
        w = super().cell(call, layer, d)
        if not self.exchanged(layer, d):
            return w
        return of_gates(w, EXCHANGED[call.options.cell], self.names)


@mutant("gates", caught_by="output", shipped_in="apple/coremltools#93", of="gated")
class GatesExchangedInBiases(GatesExchanged):
    """Two gates are exchanged in the biases alone."""

    names = ("b_ih", "b_hh")


@mutant("gates", caught_by="output", of="gated")
class GatesExchangedInRecurrentBias(GatesExchanged):
    """Two gates are exchanged in b_hh alone."""

    names = ("b_hh",)


@mutant("gates", caught_by="output", of="gated")
class GatesExchangedInRecurrentWeights(GatesExchanged):
    """Two gates are exchanged in W_hh alone."""

    names = ("W_hh",)


@mutant("gates", "bidirectional", caught_by="output", of="gated")
class GatesExchangedInReverse(GatesExchanged):
    """Two gates are exchanged in the reverse direction."""

    def exchanged(self, layer: int, d: int) -> bool:
        return d == 1


@mutant("gates", "layers", caught_by="output", of="gated")
class GatesExchangedAboveTheFirstLayer(GatesExchanged):
    """Two gates are exchanged in layers above the first."""

    def exchanged(self, layer: int, d: int) -> bool:
        return layer > 0


@mutant("gates", caught_by="output", of="gated")
class HardSigmoid(Recurrence):
    """σ(a) is max(0, min(1, 0.2 a + 0.5))."""

    def gate(self, a: Array) -> Array:
        return np.clip(a.dtype.type(0.2) * a + a.dtype.type(0.5), 0, 1)


@mutant("gates", "h_0", "float32", caught_by="systematic_error", of="gated")
class SigmoidRaised(Recurrence):
    """σ is too large by 3e-7 in float32, less than the bound of a step allows."""

    def gate(self, a: Array) -> Array:
        right = super().gate(a)
        return right + right.dtype.type(3e-7) if right.dtype == np.float32 else right


@mutant("gates", "h_0", "float32", caught_by="systematic_error", of="gated")
class GatedTanhRaised(Recurrence):
    """tanh is too large by 3e-7 in float32."""

    def activation(self, call: Call, a: Array) -> Array:
        right = super().activation(call, a)
        return right + right.dtype.type(3e-7) if right.dtype == np.float32 else right
