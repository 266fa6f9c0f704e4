"""Right layers that follow other conventions."""

from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from rnn_conformance.contract.call import Array, Call, Lengths, Options
from rnn_conformance.contract.conventions import UNDEFINED
from rnn_conformance.variants.recurrence import Recurrence, Weights


class Permissive(Recurrence):
    """No steps and rows of length 0 are taken, and give h_0; a batch of no rows is refused."""

    name = "Permissive"
    shortest = 0
    conventions: ClassVar[Mapping[str, str]] = {
        "T = 0": "empty",
        "B = 0": "refused",
        "length 0": "h_0",
    }

    def refuse(self, call: Call) -> None:
        if self.rows(call).shape[1] == 0:
            raise ValueError(f"inputs: expected at least one row, got shape {call.inputs.shape}")
        super().refuse(call)

    def direction(self, call: Call, w: Weights, x: Array, h: Array) -> Array:
        return super().direction(call, w, x, h) if len(x) else np.empty((0, *h.shape), h.dtype)

    def last(self, states: Array, h_0: Array, steps: Lengths, d: int) -> Array:
        if not len(states):
            return h_0
        kept: Array = np.where((steps > 0)[:, None], super().last(states, h_0, steps, d), h_0)
        return kept


class PaddingLeft(Recurrence):
    """What stands in the padding of its output is not defined: the last state, repeated."""

    name = "PaddingLeft"
    conventions: ClassVar[Mapping[str, str]] = {"padded output": UNDEFINED}

    def layer_output(self, x: Array, steps: Lengths, layer: int, o: Options) -> Array:
        at = np.minimum(np.arange(len(x))[:, None], steps - 1)[..., None]
        return np.take_along_axis(super().layer_output(x, steps, layer, o), at, axis=0)
