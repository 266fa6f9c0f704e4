"""Wrong from one call to the next: what outlives a call."""

from dataclasses import replace
from typing import Any

import numpy as np

from rnn_conformance.contract.call import Answer, Array, Call, Lengths, Options
from rnn_conformance.variants.per_call import PerCall
from rnn_conformance.variants.recurrence import Weights, real
from rnn_conformance.variants.wrong.registry import mutant


class Remembers(PerCall):
    """Keeps things from one call to the next, mostly by sizes."""

    def __init__(self) -> None:
        self.kept: dict[object, Any] = {}


@mutant("state", caught_by="calls_are_independent", shipped_in="mlpack/mlpack#2747")
class StateOfLastCall(Remembers):
    """An omitted h_0 goes on from the final state of the last call of the same sizes."""

    def initial(self, call: Call, x: Array) -> Array:
        h_0 = super().initial(call, x)
        return h_0 if call.h_0 is not None else self.kept.get(sizes_of(h_0), h_0)

    def answer(self, call: Call, output: Array, h_n: Array) -> Answer:
        self.kept[sizes_of(h_n)] = h_n
        return super().answer(call, output, h_n)


@mutant("state", caught_by="calls_are_independent", shipped_in="Samsung/ONE#14093 (GRU)")
class StateHalfCleared(StateOfLastCall):
    """Before a call without h_0, only the first half of the units of the last state is cleared."""

    def initial(self, call: Call, x: Array) -> Array:
        h_0 = super().initial(call, x).copy()
        if call.h_0 is None:
            h_0[..., : h_0.shape[2] // 2] = 0
        return h_0


@mutant("state", caught_by="output")
class WrongAtFirstCall(Remembers):
    """The first call of every size gives what an unfinished warm-up left."""

    def answer(self, call: Call, output: Array, h_n: Array) -> Answer:
        sizes = (call.inputs.shape, call.dtype, call.options)
        share = self.kept.get(sizes, 0.5)
        self.kept[sizes] = 1.0
        return super().answer(call, output * share, h_n * share)


@mutant("state", "no_bias", caught_by="options_matter", shipped_in="pytorch/pytorch#95563 (LSTM)")
class BiasOfEarlierCall(Remembers):
    """What is compiled with biases for some sizes is run again for a call without."""

    def cell(self, call: Call, layer: int, d: int) -> Weights:
        w, H, I = super().cell(call, layer, d), call.options.hidden_size, call.options.input_size
        key = (H, I, layer, d, call.options.directions, call.options.num_layers, call.dtype)
        if call.options.bias:
            self.kept[key] = w["b_ih"], w["b_hh"]
        b_ih, b_hh = self.kept.get(key, (w["b_ih"], w["b_hh"]))
        return {**w, "b_ih": b_ih, "b_hh": b_hh}


@mutant("state", "relu", "tanh", caught_by="options_matter")
class NonlinearityOfFirstCall(Remembers):
    """The nonlinearity of the first call is kept for every later one."""

    def activation(self, call: Call, a: Array) -> Array:
        first = self.kept.setdefault("nonlinearity", call.options.nonlinearity)
        return np.maximum(a, 0) if first == "relu" else np.tanh(a)


@mutant("state", "lengths", caught_by="calls_are_independent")
class LengthsOfEarlierCall(Remembers):
    """Where lengths are omitted, those of the last call of the same sizes hold."""

    def steps(self, call: Call, x: Array) -> Lengths:
        steps = super().steps(call, x)
        if call.lengths is not None:
            self.kept[sizes_of(x)] = steps.copy()
        found: Lengths = self.kept.get(sizes_of(x), steps)
        return found


@mutant("aliasing", "lengths", caught_by="padding_is_zero")
class PaddingOfEarlierCall(Remembers):
    """The output is written to memory used before, whose padding is not cleared."""

    def layer_output(self, x: Array, steps: Lengths, layer: int, o: Options) -> Array:
        before = self.kept.get(sizes_of(x), np.zeros_like(x))
        written = self.kept[sizes_of(x)] = np.where(real(x, steps), x, before)
        return written


@mutant("state", caught_by="output", shipped_in="apache/mxnet#16037")
class WeightsOfFirstCall(Remembers):
    """W_hh is packed at the first call, and kept for every later one of the same sizes."""

    def cell(self, call: Call, layer: int, d: int) -> Weights:
        w = super().cell(call, layer, d)
        packed = self.kept.setdefault((call.options, layer, d, call.dtype), w["W_hh"])
        return {**w, "W_hh": packed}


@mutant("state", caught_by="calls_are_independent", shipped_in="apache/mxnet#16037")
class AllWeightsOfFirstCall(Remembers):
    """The weights of the first call are kept for every later one of the same sizes."""

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
class WeightsPackedByIdentity(Remembers):
    """Weights are packed once for each array, and later changes of the array are not seen."""

    def cell(self, call: Call, layer: int, d: int) -> Weights:
        w = super().cell(call, layer, d)
        W = w["W_hh"]  # kept, so that its id stays its own
        copies = {name: value.copy() for name, value in w.items()}
        packed: Weights = self.kept.setdefault(id(W), (W, copies))[1]
        return packed


@mutant("state", caught_by="changes_in_place_are_seen")
class WeightsKeptUnderTheirFirstRow(Remembers):
    """W_hh is packed once for each first row of it, so that changes of others are not seen."""

    def cell(self, call: Call, layer: int, d: int) -> Weights:
        w = super().cell(call, layer, d)
        key = w["W_hh"][0].tobytes() + bytes(w["W_hh"].shape)
        return {**w, "W_hh": self.kept.setdefault(key, w["W_hh"].copy())}


def sizes_of(array: Array) -> tuple[object, ...]:
    """Shape and dtype, as a key."""
    return (*array.shape, str(array.dtype))
