"""Wrong from one call to the next: weights that are kept."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from rnn_conformance.contract.call import Answer, Array, Call, Options
from rnn_conformance.variants.recurrence import Recurrence
from rnn_conformance.variants.wrong.calls import Remembers
from rnn_conformance.variants.wrong.registry import mutant

Weights = Mapping[str, Array]


@mutant("state", caught_by="output", shipped_in="apache/mxnet#16037")
class WeightsOfFirstCall(Remembers):
    """W_hh is packed at the first call, and kept for every later one of the same sizes."""

    def cell(self, call: Call, layer: int, d: int) -> Weights:
        w = super().cell(call, layer, d)
        packed = self.kept.setdefault((call.options, layer, d, call.dtype), w["W_hh"])
        return {**w, "W_hh": packed}


@mutant("state", caught_by="calls_are_independent", shipped_in="apache/mxnet#16037")
class AllWeightsOfFirstCall(Recurrence):
    """The weights of the first call are kept for every later one of the same sizes."""

    def __init__(self) -> None:
        self.kept: dict[tuple[Options, str], Weights] = {}

    def run(self, call: Call) -> Answer:
        kept = self.kept.setdefault((call.options, str(call.dtype)), call.weights)
        return super().run(replace(call, weights=kept))


@mutant("state", caught_by="calls_are_independent")
class WeightsOfLastCall(Remembers):
    """W_hh is packed for the next call of the same options while the call before it is at work."""

    def cell(self, call: Call, layer: int, d: int) -> Weights:
        w, key = super().cell(call, layer, d), (call.options, layer, d, call.dtype)
        packed, self.kept[key] = self.kept.get(key, w["W_hh"]), w["W_hh"]
        return {**w, "W_hh": packed}


@mutant("state", caught_by="calls_are_independent")
class WeightsKeptWhileSizesGrow(Remembers):
    """A call of more steps and rows than the last one of the same options goes on with its W_hh."""

    def cell(self, call: Call, layer: int, d: int) -> Weights:
        w, key = super().cell(call, layer, d), (call.options, layer, d, call.dtype)
        sizes = np.array(self.rows(call).shape[:2])
        if (sizes > self.kept.get((*key, "sizes"), sizes)).all():
            return {**w, "W_hh": self.kept[key]}
        self.kept[(*key, "sizes")], self.kept[key] = sizes, w["W_hh"]
        return w


@mutant("state", caught_by="changes_in_place_are_seen", shipped_in="apache/mxnet#16037")
class WeightsPackedByIdentity(Recurrence):
    """Weights are packed once for each array, and later changes of the array are not seen."""

    def __init__(self) -> None:
        self.packed: dict[int, tuple[Array, Weights]] = {}

    def cell(self, call: Call, layer: int, d: int) -> Weights:
        w = super().cell(call, layer, d)
        W = w["W_hh"]  # kept, so that its id stays its own
        copies = {name: value.copy() for name, value in w.items()}
        _, packed = self.packed.setdefault(id(W), (W, copies))
        return packed


@mutant("state", caught_by="changes_in_place_are_seen")
class WeightsKeptUnderTheirFirstRow(Recurrence):
    """W_hh is packed once for each first row of it, so that changes of others are not seen."""

    def __init__(self) -> None:
        self.packed: dict[bytes, Array] = {}

    def cell(self, call: Call, layer: int, d: int) -> Weights:
        w = super().cell(call, layer, d)
        key = w["W_hh"][0].tobytes() + bytes(w["W_hh"].shape)
        return {**w, "W_hh": self.packed.setdefault(key, w["W_hh"].copy())}
