"""Wrong where little is right: no steps or rows, and sizes that are cut off or filled up."""

from dataclasses import replace

import numpy as np

from rnn_conformance.contract.call import Answer, Array, Call, Lengths
from rnn_conformance.variants.healthy import Permissive
from rnn_conformance.variants.recurrence import Recurrence
from rnn_conformance.variants.wrong.registry import mutant


@mutant("empty", caught_by="no_steps_refused")
class NoStepsTaken(Recurrence):
    """An input of no steps gives zeros as h_n, where it is declared to be refused."""

    def run(self, call: Call) -> Answer:
        if call.inputs.size == 0:
            o, rows = call.options, call.inputs.shape[:-1]
            output = np.zeros((*rows, o.directions * o.hidden_size), call.dtype)
            return Answer(output, np.zeros_like(self.initial(call, self.rows(call))))
        return super().run(call)


@mutant("empty", "h_0", "h_n", caught_by="no_steps_give_h_0")
class NoStepsGiveZeros(Permissive):
    """An input of no steps gives zeros as h_n rather than h_0."""

    def last(self, states: Array, h_0: Array, steps: Lengths, d: int) -> Array:
        return super().last(states, h_0, steps, d) * (len(states) > 0)


@mutant("empty", caught_by="no_rows_refused")
class NoRowsTaken(Permissive):
    """A batch of no rows is computed, where it is declared to be refused."""

    def refuse(self, call: Call) -> None:
        if call.inputs.size:
            super().refuse(call)


@mutant("empty", caught_by="no_rows_give_none")
class NoRowsRaise(Recurrence):
    """A batch of no rows raises, where it is declared to give none."""

    def rows(self, call: Call) -> Array:
        rows = super().rows(call)
        rows.max()
        return rows


@mutant("empty", "lengths", caught_by="length_0_refused")
class LengthZeroTaken(Recurrence):
    """A row of length 0 is taken for one of T steps, where it is declared to be refused."""

    shortest = 0


@mutant("empty", "lengths", "h_n", caught_by="length_0_gives_h_0")
class LengthZeroGivesStateOfLastStep(Permissive):
    """The state of a row of length 0 is read at index -1, the last step."""

    def last(self, states: Array, h_0: Array, steps: Lengths, d: int) -> Array:
        if not len(states):
            return h_0
        return Recurrence.last(self, states, h_0, steps, d)


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


@mutant("errors", "h_0", caught_by="wrong_states_refused", shipped_in="pytorch/pytorch#4002")
class StatesOfMoreLayersTaken(_Fits):
    """Of an h_0 for more layers than there are, the first ones are taken."""

    def fitted(self, call: Call) -> Call:
        o = call.options
        states = o.num_layers * o.directions
        return call if call.h_0 is None else replace(call, h_0=call.h_0[:states])


@mutant("errors", "h_0", caught_by="wrong_rows_refused", shipped_in="pytorch/pytorch#3789")
class StateOfOneRowBroadcast(_Fits):
    """An h_0 of one row is used for all rows."""

    def fitted(self, call: Call) -> Call:
        h_0 = call.h_0
        if h_0 is None or call.layout == "single" or h_0.shape[1] != 1:
            return call
        B = call.inputs.shape[0 if call.layout == "batch_first" else 1]
        return replace(call, h_0=np.repeat(h_0, B, axis=1))


@mutant("errors", "h_0", "single", caught_by="wrong_rows_refused")
class FirstStateTakenForOneSequence(_Fits):
    """Of an h_0 of several rows for one sequence, the first row is taken."""

    def fitted(self, call: Call) -> Call:
        h_0 = call.h_0
        if h_0 is None or call.layout != "single" or h_0.ndim != 3:
            return call
        return replace(call, h_0=h_0[:, 0])


@mutant("errors", "h_0", caught_by="wrong_states_refused")
class StateOfOneUnitBroadcast(_Fits):
    """An h_0 of one unit is used for all units."""

    def fitted(self, call: Call) -> Call:
        H, h_0 = call.options.hidden_size, call.h_0
        one = h_0 is not None and h_0.shape[-1] == 1
        return replace(call, h_0=np.repeat(h_0, H, axis=-1)) if one and h_0 is not None else call


@mutant("errors", "h_0", caught_by="wrong_states_refused")
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


@mutant("errors", "lengths", caught_by="lengths_refused")
class LengthsClippedToSteps(_Fits):
    """Lengths beyond T are taken for T."""

    def fitted(self, call: Call) -> Call:
        T = call.inputs.shape[1 if call.layout == "batch_first" else 0]
        return call if call.lengths is None else replace(call, lengths=np.minimum(call.lengths, T))


@mutant("errors", "lengths", caught_by="lengths_refused")
class NegativeLengthsFromTheEnd(_Fits):
    """A length below 1 is counted from T, as a negative index is."""

    def fitted(self, call: Call) -> Call:
        T, n = call.inputs.shape[1 if call.layout == "batch_first" else 0], call.lengths
        return call if n is None else replace(call, lengths=np.where(n < 1, n + T, n))


@mutant("errors", "lengths", caught_by="lengths_refused")
class LengthsFilledUp(_Fits):
    """Rows without a length have T steps."""

    def fitted(self, call: Call) -> Call:
        if call.lengths is None:
            return call
        T, B = call.inputs.shape[:2] if call.layout == "time_first" else call.inputs.shape[1::-1]
        missing = max(B - len(call.lengths), 0)
        return replace(call, lengths=np.append(call.lengths, np.full(missing, T)))


@mutant("errors", "lengths", caught_by="lengths_refused")
class LengthsCutOff(_Fits):
    """Lengths beyond the last row are not looked at."""

    def fitted(self, call: Call) -> Call:
        B = call.inputs.shape[0 if call.layout == "batch_first" else 1]
        return call if call.lengths is None else replace(call, lengths=call.lengths[:B])


@mutant("errors", "h_0", caught_by="wrong_rows_refused")
class StateOfOtherRowsBroadcast(_Fits):
    """An h_0 of several rows for inputs of one is broadcast: results of several rows."""

    def fitted(self, call: Call) -> Call:
        axis, h_0 = 0 if call.layout == "batch_first" else 1, call.h_0
        if h_0 is None or call.layout == "single":
            return call
        if call.inputs.shape[axis] != 1 or h_0.shape[1] < 2:
            return call
        inputs = np.repeat(call.inputs, h_0.shape[1], axis)
        lengths = None if call.lengths is None else np.repeat(call.lengths, h_0.shape[1])
        return replace(call, inputs=inputs, lengths=lengths)
