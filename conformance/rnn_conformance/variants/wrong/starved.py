"""What passed while cases were missing: sizes, pairs of options, zeros, infinities, strides."""

from collections.abc import Mapping

import numpy as np

from rnn_conformance.contract.call import Answer, Array, Call, Options
from rnn_conformance.variants.per_call import PerCall
from rnn_conformance.variants.recurrence import Recurrence
from rnn_conformance.variants.wrong.registry import mutant

Weights = Mapping[str, Array]


@mutant("sizes", caught_by="output")
class UnitsBeyond16AreZero(Recurrence):
    """Hidden units beyond the 16th are zero."""

    def direction(self, call: Call, w: Weights, x: Array, h: Array) -> Array:
        states = super().direction(call, w, x, h)
        states[..., 16:] = 0
        return states


@mutant("state", caught_by="output")
class OmittedStateOfOneRowIsSmall(Recurrence):
    """An omitted h_0 of one row is 1e-5."""

    def initial(self, call: Call, x: Array) -> Array:
        h_0 = super().initial(call, x)
        return h_0 + h_0.dtype.type(1e-5) if call.h_0 is None and x.shape[1] == 1 else h_0


@mutant("activation", caught_by="output", needs={"no_bias", "tanh"})
class NegativeZeroIsNoNumber(Recurrence):
    """A pre-activation of -0.0 gives NaN; sums start from their first term."""

    def preactivation(self, w: Weights, x: Array, h: Array) -> Array:
        products = [(x, "W_ih"), (h, "W_hh")]
        terms: list[Array] = [
            v[:, i : i + 1] * w[name][:, i] for v, name in products for i in range(v.shape[1])
        ]
        terms += [w[name] for name in ("b_ih", "b_hh") if w[name].any()]
        return sum(terms[1:], terms[0])

    def activation(self, call: Call, a: Array) -> Array:
        negative = (a == 0) & np.signbit(a)
        return np.where(negative, a.dtype.type(np.nan), super().activation(call, a))


@mutant("sizes", caught_by="output")
class LastUnitOf40To64IsZero(Recurrence):
    """The last unit is zero where H is 40 to 64."""

    def direction(self, call: Call, w: Weights, x: Array, h: Array) -> Array:
        states = super().direction(call, w, x, h)
        if 40 <= h.shape[1] <= 64:
            states[..., -1] = 0
        return states


@mutant("sizes", caught_by="output")
class UnitsBeyond160FeedNothingBack(Recurrence):
    """Hidden units beyond the 160th feed nothing back."""

    def preactivation(self, w: Weights, x: Array, h: Array) -> Array:
        return super().preactivation({**w, "W_hh": w["W_hh"][:, :160]}, x, h[:, :160])


@mutant("sizes", caught_by="output")
class RowsBeyond100000AreZero(Recurrence):
    """Of B·T numbers of a unit, those beyond the 100,000th are zero."""

    def direction(self, call: Call, w: Weights, x: Array, h: Array) -> Array:
        states = super().direction(call, w, x, h)
        states.reshape(-1, h.shape[1])[100_000:] = 0
        return states


@mutant("activation", caught_by="infinities_are_kept")
class InfiniteInputsAreZero(Recurrence):
    """Infinite inputs are replaced by 0."""

    def rows(self, call: Call) -> Array:
        x = super().rows(call)
        return np.where(np.isinf(x), x.dtype.type(0), x)


@mutant("aliasing", caught_by="memory_layouts")
class StrideOfZeroReadAsContiguous(Recurrence):
    """Inputs of stride 0 are read as if they were contiguous: zeros stand for what lies beyond."""

    def rows(self, call: Call) -> Array:
        inputs = call.inputs
        if 0 in inputs.strides and inputs.size > 1:
            once = np.zeros_like(inputs)
            once[:1] = inputs[:1]
            inputs = once
        return super().rows(Call(**{**vars(call), "inputs": inputs}))


@mutant("errors", caught_by="wrong_rows_refused", needs={"h_0"})
class StateOfOtherRowsBroadcast(Recurrence):
    """An h_0 of several rows for inputs of one is broadcast: results of several rows."""

    def refuse(self, call: Call) -> None:
        if call.h_0 is None or call.layout == "single":
            return super().refuse(call)
        axis = 0 if call.layout == "batch_first" else 1
        if call.inputs.shape[axis] == 1 and call.h_0.shape[1] > 1:
            return None
        return super().refuse(call)

    def run(self, call: Call) -> Answer:
        self.refuse(call)
        axis = 0 if call.layout == "batch_first" else 1
        if call.layout != "single" and call.h_0 is not None:
            rows = call.h_0.shape[1]
            if call.inputs.shape[axis] == 1 and rows > 1:
                inputs = np.repeat(call.inputs, rows, axis)
                lengths = None if call.lengths is None else np.repeat(call.lengths, rows)
                call = Call(**{**vars(call), "inputs": inputs, "lengths": lengths})
        return super().run(call)


@mutant("layout", caught_by="single_equals_column", needs={"single", "time_first"})
class SingleSequenceWithoutState(Recurrence):
    """An input of rank 2 is taken for a batch of T sequences of one step."""

    def step(self, call: Call, w: Weights, x: Array, h: Array) -> Array:
        return super().step(call, w, x, h if call.layout != "single" else np.zeros_like(h))


@mutant("layout", caught_by="batch_first_equals_time_first", needs={"batch_first", "time_first"})
class BatchFirstByReshape(Recurrence):
    """(B, T, I) is brought to (T, B, I) by a reshape, which mixes sequences with time."""

    def rows(self, call: Call) -> Array:
        rows = super().rows(call)
        return call.inputs.reshape(rows.shape) if call.layout == "batch_first" else rows


@mutant("state", caught_by="trajectory", needs={"h_0"})
class EveryStateOffAtStep0(Recurrence):
    """The states of step 0 start from h_0 twice as large."""

    def start(self, initial: Array, layer: int, d: int, o: Options) -> Array:
        return 2 * super().start(initial, layer, d, o)


@mutant("cell", caught_by="output")
class InputBiasLostBesideOneHot(PerCall):
    """Inputs of which one is 1 and the others are 0 are looked up; b_ih is forgotten there."""

    def preactivation(self, w: Weights, x: Array, h: Array) -> Array:
        one_hot = np.isin(self.call.inputs, (0, 1)).all() and (x.sum(axis=1) == 1).all()
        b_ih = np.zeros_like(w["b_ih"]) if one_hot else w["b_ih"]
        return super().preactivation({**w, "b_ih": b_ih}, x, h)


@mutant("cell", caught_by="output")
class IntegersClipped(Recurrence):
    """Inputs that are all integers are clipped to -1 and 1."""

    def rows(self, call: Call) -> Array:
        x = super().rows(call)
        return np.clip(x, -1, 1) if (x == np.round(x)).all() else x


@mutant("threads", caught_by="threads")
class SumsInOneArray(Recurrence):
    """Calls of the same sizes share an array for their sums."""

    def __init__(self) -> None:
        self.sums: dict[object, Array] = {}

    def preactivation(self, w: Weights, x: Array, h: Array) -> Array:
        a = super().preactivation(w, x, h)
        shared = self.sums.setdefault((a.shape, a.dtype), np.empty_like(a))
        shared[...] = a
        return shared
