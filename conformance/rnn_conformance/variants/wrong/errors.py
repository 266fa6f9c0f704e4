"""Sizes that do not fit, and are broadcast, cut off or filled up."""

from dataclasses import replace

import numpy as np

from rnn_conformance.contract.call import Answer, Call
from rnn_conformance.variants.recurrence import Recurrence
from rnn_conformance.variants.wrong.registry import mutant


class _Fits(Recurrence):
    """Makes a call fit before it is looked at."""

    def fitted(self, call: Call) -> Call:
        return call

    def run(self, call: Call) -> Answer:
        return super().run(self.fitted(call))


@mutant("errors", caught_by="wrong_inputs_refused", shipped_in="denizyuret/Knet.jl#413")
class FeaturesCutOff(_Fits):
    """Features beyond input_size are not looked at."""

    def fitted(self, call: Call) -> Call:
        return replace(call, inputs=call.inputs[..., : call.options.input_size])


@mutant("errors", caught_by="wrong_inputs_refused")
class FeaturesFilledUp(_Fits):
    """Features that are missing are taken for zeros."""

    def fitted(self, call: Call) -> Call:
        missing = max(call.options.input_size - call.inputs.shape[-1], 0)
        widths = [(0, 0)] * (call.inputs.ndim - 1) + [(0, missing)]
        return replace(call, inputs=np.pad(call.inputs, widths))


@mutant("errors", caught_by="wrong_inputs_refused", shipped_in="pytorch/pytorch#86576")
class FourthAxisTaken(_Fits):
    """Of an input of rank 4, the first part is taken."""

    def fitted(self, call: Call) -> Call:
        return replace(call, inputs=call.inputs[0]) if call.inputs.ndim == 4 else call


@mutant(
    "errors", caught_by="wrong_states_refused", shipped_in="pytorch/pytorch#4002", needs={"h_0"}
)
class StatesOfMoreLayersTaken(_Fits):
    """Of an h_0 for more layers than there are, the first ones are taken."""

    def fitted(self, call: Call) -> Call:
        o = call.options
        states = o.num_layers * o.directions
        return call if call.h_0 is None else replace(call, h_0=call.h_0[:states])


@mutant("errors", caught_by="wrong_rows_refused", shipped_in="pytorch/pytorch#3789", needs={"h_0"})
class StateOfOneRowBroadcast(_Fits):
    """An h_0 of one row is used for all rows."""

    def fitted(self, call: Call) -> Call:
        h_0 = call.h_0
        if h_0 is None or call.layout == "single" or h_0.shape[1] != 1:
            return call
        B = call.inputs.shape[0 if call.layout == "batch_first" else 1]
        return replace(call, h_0=np.repeat(h_0, B, axis=1))


@mutant("errors", caught_by="wrong_rows_refused", needs={"h_0", "single"})
class FirstStateTakenForOneSequence(_Fits):
    """Of an h_0 of several rows for one sequence, the first row is taken."""

    def fitted(self, call: Call) -> Call:
        h_0 = call.h_0
        if h_0 is None or call.layout != "single" or h_0.ndim != 3:
            return call
        return replace(call, h_0=h_0[:, 0])


@mutant("errors", caught_by="wrong_states_refused", needs={"h_0"})
class StateOfOneUnitBroadcast(_Fits):
    """An h_0 of one unit is used for all units."""

    def fitted(self, call: Call) -> Call:
        H, h_0 = call.options.hidden_size, call.h_0
        one = h_0 is not None and h_0.shape[-1] == 1
        return replace(call, h_0=np.repeat(h_0, H, axis=-1)) if one and h_0 is not None else call


@mutant("errors", caught_by="wrong_states_refused", needs={"h_0"})
class StateUnitsCutOff(_Fits):
    """Units of h_0 beyond hidden_size are not looked at."""

    def fitted(self, call: Call) -> Call:
        H = call.options.hidden_size
        return call if call.h_0 is None else replace(call, h_0=call.h_0[..., :H])


@mutant("errors", caught_by="wrong_weights_refused")
class SizesNotLookedAt(Recurrence):
    """No size is looked at: whatever NumPy makes of it is the result."""

    def refuse(self, call: Call) -> None:
        pass


@mutant("errors", caught_by="lengths_refused", needs={"lengths"})
class LengthsClippedToSteps(_Fits):
    """Lengths beyond T are taken for T."""

    def fitted(self, call: Call) -> Call:
        T = call.inputs.shape[1 if call.layout == "batch_first" else 0]
        return call if call.lengths is None else replace(call, lengths=np.minimum(call.lengths, T))


@mutant("errors", caught_by="lengths_refused", needs={"lengths"})
class NegativeLengthsFromTheEnd(_Fits):
    """A length below 1 is counted from T, as a negative index is."""

    def fitted(self, call: Call) -> Call:
        T, n = call.inputs.shape[1 if call.layout == "batch_first" else 0], call.lengths
        return call if n is None else replace(call, lengths=np.where(n < 1, n + T, n))


@mutant("errors", caught_by="lengths_refused", needs={"lengths"})
class LengthsFilledUp(_Fits):
    """Rows without a length have T steps."""

    def fitted(self, call: Call) -> Call:
        if call.lengths is None:
            return call
        T, B = call.inputs.shape[:2] if call.layout == "time_first" else call.inputs.shape[1::-1]
        missing = max(B - len(call.lengths), 0)
        return replace(call, lengths=np.append(call.lengths, np.full(missing, T)))


@mutant("errors", caught_by="lengths_refused", needs={"lengths"})
class LengthsCutOff(_Fits):
    """Lengths beyond the last row are not looked at."""

    def fitted(self, call: Call) -> Call:
        B = call.inputs.shape[0 if call.layout == "batch_first" else 1]
        return call if call.lengths is None else replace(call, lengths=call.lengths[:B])
