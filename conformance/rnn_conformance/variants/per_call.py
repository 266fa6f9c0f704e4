"""A right layer whose pieces know the call, and one that drops out in training."""

from copy import copy

import numpy as np
import numpy.typing as npt

from rnn_conformance.contract.call import FEATURES, Answer, Array, Call, Lengths, Options
from rnn_conformance.variants.recurrence import Recurrence

Mask = npt.NDArray[np.bool_]


class PerCall(Recurrence):
    """Runs each call in a copy of itself, so that a piece may keep there what concerns the call."""

    call: Call

    def run(self, call: Call) -> Answer:
        alone = copy(self)
        alone.call = call
        return super(PerCall, alone).run(call)


class Dropping(PerCall):
    """Dropout between the layers in training: zero, or scaled by 1 / (1 - p)."""

    claims = FEATURES

    def __init__(self) -> None:
        self.rng = np.random.default_rng(0)

    def layer_output(self, x: Array, steps: Lengths, layer: int, o: Options) -> Array:
        right = super().layer_output(x, steps, layer, o)
        return self.dropped(right, o) if self.drops(layer, o) else right

    def drops(self, layer: int, o: Options) -> bool:
        """Whether what this layer hands on goes through dropout."""
        return self.call.training and o.dropout > 0 and layer < o.num_layers - 1

    def dropped(self, x: Array, o: Options) -> Array:
        kept: Array = np.where(self.zeroed(x, o), 0, x * self.scale(o))
        return kept.astype(x.dtype)

    def zeroed(self, x: Array, o: Options) -> Mask:
        """Which numbers are set to zero."""
        return self.rng.random(x.shape) < o.dropout

    def scale(self, o: Options) -> float:
        return 1 / (1 - o.dropout)
