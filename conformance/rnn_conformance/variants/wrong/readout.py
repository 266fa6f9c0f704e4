"""Wrong readouts."""

from dataclasses import replace

import numpy as np

from rnn_conformance.contract.call import Array, Call
from rnn_conformance.variants.recurrence import Recurrence
from rnn_conformance.variants.wrong.calls import Remembers
from rnn_conformance.variants.wrong.registry import mutant


@mutant("readout", "readout", caught_by="readout")
class ReadoutBiasDropped(Recurrence):
    """b_ho is not added."""

    def readout(self, call: Call, output: Array) -> Array:
        return super().readout(_with(call, "b_ho", 0 * call.weights["b_ho"]), output)


@mutant("readout", "readout", caught_by="readout")
class ReadoutActivated(Recurrence):
    """The readout goes through tanh."""

    def readout(self, call: Call, output: Array) -> Array:
        return np.tanh(super().readout(call, output))


@mutant("readout", "readout", caught_by="readout")
class SquareReadoutTransposed(Recurrence):
    """W_ho is used transposed where its shape allows it."""

    def readout(self, call: Call, output: Array) -> Array:
        W = call.weights["W_ho"]
        return super().readout(_with(call, "W_ho", W.T if len(W) == len(W.T) else W), output)


@mutant("readout", "readout", caught_by="readout")
class ReadoutOneStepLate(Recurrence):
    """Every y_t is the readout of the output of the step before, the first that of h_0."""

    def readout(self, call: Call, output: Array) -> Array:
        h_0 = self.joined(list(self.initial(call, output)[-call.options.directions :]))
        return super().readout(call, np.concatenate([h_0[None], output[:-1]]))


@mutant("readout", "readout", caught_by="readout")
class LastOutputRepeated(Recurrence):
    """Every y_t is that of the last step."""

    def readout(self, call: Call, output: Array) -> Array:
        y = super().readout(call, output)
        return np.repeat(y[-1:], len(y), axis=0)


@mutant("sizes", "readout", caught_by="readout")
class ReadoutTailDropped(Recurrence):
    """Outputs of the readout beyond the last whole block of sixteen are zero."""

    def readout(self, call: Call, output: Array) -> Array:
        y = super().readout(call, output)
        O = y.shape[-1]
        y[..., O - O % 16 or O :] = 0
        return y


@mutant("sizes", "readout", caught_by="readout")
class OutputsBeyond40AreZero(Recurrence):
    """Outputs of the readout beyond the 40th are zero."""

    def readout(self, call: Call, output: Array) -> Array:
        y = super().readout(call, output)
        y[..., 40:] = 0
        return y


@mutant("precision", "readout", "float16", caught_by="readout")
class ReadoutReversedInFloat16(Recurrence):
    """In float16, the readout takes the units in reverse order."""

    def readout(self, call: Call, output: Array) -> Array:
        return super().readout(call, output[..., ::-1] if call.dtype == np.float16 else output)


@mutant("dtype", "readout", "float16", caught_by="shape_and_dtype")
class Float16Promoted(Recurrence):
    """In float16, the readout is float32."""

    def readout(self, call: Call, output: Array) -> Array:
        y = super().readout(call, output)
        return y.astype(np.float32) if call.dtype == np.float16 else y


@mutant("state", "readout", caught_by="calls_are_independent")
class OutputsOfLastCallAdded(Remembers):
    """A share of the last call's readout is left in the buffer that the next one adds to."""

    def readout(self, call: Call, output: Array) -> Array:
        y = super().readout(call, output)
        left = self.kept.get("y", y[:0])
        self.kept["y"] = y = (y + 1e-3 * left).astype(y.dtype) if left.shape == y.shape else y
        return y


def _with(call: Call, name: str, value: Array) -> Call:
    """The call with another weight."""
    return replace(call, weights={**call.weights, name: value})
