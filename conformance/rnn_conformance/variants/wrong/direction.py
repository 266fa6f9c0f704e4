"""Wrong directions: what the reverse one reads, and where its states end up."""

import numpy as np

from rnn_conformance.contract.call import Array, Lengths
from rnn_conformance.variants.recurrence import Recurrence
from rnn_conformance.variants.wrong.registry import mutant

TWO = frozenset({"bidirectional"})


@mutant("direction", caught_by="output", shipped_in="stanfordmlgroup/nlc#8", needs=TWO)
class ReverseReadsForward(Recurrence):
    """The reverse direction reads the sequence forward, as the other one does."""

    def read(self, x: Array, steps: Lengths, d: int) -> Array:
        return x

    def turned_back(self, states: Array, steps: Lengths, d: int) -> Array:
        return states


@mutant("direction", caught_by="directions_apart", shipped_in="keras-team/keras#1431", needs=TWO)
class ReverseNotTurnedBack(Recurrence):
    """The states of the reverse direction are given in the order in which they are computed."""

    def turned_back(self, states: Array, steps: Lengths, d: int) -> Array:
        return states


@mutant(
    "direction",
    caught_by="directions_apart",
    shipped_in="NervanaSystems/ngraph#3176",
    needs=TWO | {"lengths"},
)
class ReversedOverPadding(Recurrence):
    """The reverse direction starts at step T-1, in the padding of shorter rows."""

    def read(self, x: Array, steps: Lengths, d: int) -> Array:
        return x[::-1] if d else x

    def turned_back(self, states: Array, steps: Lengths, d: int) -> Array:
        return states[::-1] if d else states

    def last(self, states: Array, h_0: Array, steps: Lengths, d: int) -> Array:
        return states[-1] if d else super().last(states, h_0, steps, d)


@mutant("direction", caught_by="output", needs=TWO | {"lengths"})
class TurnedBackOverPadding(Recurrence):
    """The reverse direction reads each row from its end, but its states are turned over T steps."""

    def turned_back(self, states: Array, steps: Lengths, d: int) -> Array:
        return states[::-1] if d else states


@mutant("direction", caught_by="output", shipped_in="apache/mxnet#15062", needs=TWO)
class OneStepNotReversed(Recurrence):
    """The reversal of a row of one step gives zeros."""

    def read(self, x: Array, steps: Lengths, d: int) -> Array:
        right = super().read(x, steps, d)
        return np.where((steps == 1)[:, None], 0, right).astype(x.dtype) if d else right


@mutant("direction", caught_by="output", shipped_in="kraiskil/onnx2c#95 (LSTM)", needs=TWO)
class FeaturesReversedForTime(Recurrence):
    """The reverse direction reads the features backwards, and the steps forward."""

    def read(self, x: Array, steps: Lengths, d: int) -> Array:
        return x[..., ::-1] if d else x

    def turned_back(self, states: Array, steps: Lengths, d: int) -> Array:
        return states


@mutant("direction", caught_by="output", needs=TWO)
class ReverseOneStepLate(Recurrence):
    """The reverse direction's state at a step is the one before that step was read."""

    def turned_back(self, states: Array, steps: Lengths, d: int) -> Array:
        late = np.concatenate([np.zeros_like(states[:1]), states[:-1]]) if d else states
        return super().turned_back(late, steps, d)


@mutant("direction", caught_by="output", needs=TWO)
class DirectionsExchanged(Recurrence):
    """The output holds the reverse direction's numbers, then the forward one's."""

    def joined(self, halves: list[Array]) -> Array:
        return super().joined(halves[::-1])


@mutant("direction", caught_by="output", shipped_in="pytorch/pytorch#11368", needs=TWO)
class DirectionsInterleaved(Recurrence):
    """The output holds both directions of the first unit, then of the second, and so on."""

    def joined(self, halves: list[Array]) -> Array:
        T, B, _ = halves[0].shape
        return np.stack(halves, axis=-1).reshape(T, B, -1)
