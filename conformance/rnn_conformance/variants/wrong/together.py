"""Wrong where sizes, numbers or lengths meet: each alone, nothing shows."""

import numpy as np

from rnn_conformance.contract.call import Answer, Array, Call, Lengths, Options
from rnn_conformance.variants.gated import Lstm
from rnn_conformance.variants.recurrence import Recurrence, Weights
from rnn_conformance.variants.wrong.registry import mutant


@mutant("together", caught_by="output")
class EqualStepsLeftOut(Recurrence):
    """A step that reads just what the one before it has read leaves the state as it is."""

    def direction(self, call: Call, w: Weights, x: Array, h: Array) -> Array:
        states: list[Array] = []
        for t in range(len(x)):
            same = t > 0 and np.array_equal(x[t], x[t - 1])
            h = h if same else self.in_format(call, self.step(call, w, x[t], h))
            states.append(h)
        return np.stack(states)


@mutant("together", "h_0", caught_by="output")
class EqualRowsShareAState(Recurrence):
    """Rows that read the same begin with the initial state of the first of them."""

    def initial(self, call: Call, x: Array) -> Array:
        h_0 = super().initial(call, x)
        _, first, which = np.unique(x, axis=1, return_index=True, return_inverse=True)
        return h_0[:, first[which.ravel()]]


@mutant("together", "lstm", "h_0", caught_by="output")
class CellLostWithoutHidden(Lstm):
    """Where h_0 is zeros, c_0 is taken for zeros too."""

    def initial(self, call: Call, x: Array) -> Array:
        state = super().initial(call, x)
        return state if state[..., : call.options.hidden_size].any() else 0 * state


@mutant("together", "lengths", "reverse", caught_by="output")
class ReverseOfOneRowReadsPadding(Recurrence):
    """The reverse direction of a batch of one row begins in its padding."""

    def read(self, x: Array, steps: Lengths, d: int) -> Array:
        return super().read(x, np.full_like(steps, len(x)) if len(steps) == 1 else steps, d)


@mutant("together", "lengths", "h_n", caught_by="final_state")
class OneShorterRowRunsOn(Recurrence):
    """Where one row alone ends, a step before all others, its last state is that a step later."""

    def last(self, states: Array, h_0: Array, steps: Lengths, d: int) -> Array:
        T = len(states)
        alone = (steps == T - 1).sum() == 1 and (steps >= T - 1).all() and len(steps) > 1
        return super().last(states, h_0, np.full_like(steps, T) if alone else steps, d)


@mutant("together", caught_by="output")
class CarriesOnFromACallOfOneStep(Recurrence):
    """Without h_0, a call of one step of one row begins where the last such call has ended."""

    def __init__(self) -> None:
        self.kept: dict[tuple[int, ...], Array] = {}

    def direction(self, call: Call, w: Weights, x: Array, h: Array) -> Array:
        if x.shape[:2] != (1, 1) or call.h_0 is not None or call.options.num_layers > 1:
            return super().direction(call, w, x, h)
        key = (*w["W_ih"].shape, *h.shape)
        states = super().direction(call, w, x, self.kept.get(key, h).astype(h.dtype))
        self.kept[key] = states[-1].copy()
        return states


@mutant("together", caught_by="output")
class TilesOfRowsAndUnitsLeftOut(Recurrence):
    """Units from the 64th on of rows from the 32nd on are zeros."""

    def step(self, call: Call, w: Weights, x: Array, h: Array) -> Array:
        new = super().step(call, w, x, h)
        new[32:, 64:] = 0
        return new


@mutant("together", caught_by="output")
class MoreRowsThanStepsTurned(Recurrence):
    """A batch of more rows than steps and as many as inputs and units is read the other way."""

    def direction(self, call: Call, w: Weights, x: Array, h: Array) -> Array:
        T, B, I = x.shape
        turned = T < B == I == call.options.hidden_size
        one = super().direction
        if not turned or call.layout == "single":
            return one(call, w, x, h)
        wrong = one(call, w, x.swapaxes(0, 1), np.resize(h, (T, *h.shape[1:])))
        return wrong.swapaxes(0, 1)


@mutant("together", "float16", caught_by="earlier_results_kept")
class OneBufferInFewBits(Recurrence):
    """In float16, the results of every call of the same sizes stand in one array."""

    def __init__(self) -> None:
        self.buffers: dict[tuple[int, ...], Array] = {}

    def answer(self, call: Call, output: Array, h_n: Array) -> Answer:
        if output.dtype == np.float16:
            buffer = self.buffers.setdefault(output.shape, np.empty_like(output))
            buffer[...] = output
            output = buffer
        return super().answer(call, output, h_n)


@mutant("together", "h_0", caught_by="output")
class FirstRowTellsOfAllStates(Recurrence):
    """Where the first row of h_0 is zeros, the others are taken for zeros too."""

    def initial(self, call: Call, x: Array) -> Array:
        h_0 = super().initial(call, x)
        return h_0 if np.any(h_0[:, 0]) else 0 * h_0


@mutant("together", "h_0", caught_by="output")
class StateOfSumZeroLost(Recurrence):
    """An h_0 that adds up to 0 is taken for none."""

    def initial(self, call: Call, x: Array) -> Array:
        h_0 = super().initial(call, x)
        return h_0 if abs(h_0.sum()) > 1e-6 else 0 * h_0


@mutant("together", caught_by="output")
class FirstNumberTellsOfTheBias(Recurrence):
    """Where the first number of b_hh is 0, all of it is left out."""

    def cell(self, call: Call, layer: int, d: int) -> Weights:
        w = super().cell(call, layer, d)
        return w if w["b_hh"][0] else {**w, "b_hh": 0 * w["b_hh"]}


@mutant("together", caught_by="output")
class StateWeightsNormalised(Recurrence):
    """W_hh is divided by its largest entry, which may be 0, and the product multiplied with it."""

    def cell(self, call: Call, layer: int, d: int) -> Weights:
        w = super().cell(call, layer, d)
        with np.errstate(all="ignore"):
            scale = np.exp2(np.floor(np.log2(np.abs(w["W_hh"]).max())))
            return {**w, "W_hh": (w["W_hh"] / scale * scale).astype(call.dtype)}


def identities(W: Array) -> Array:
    """One for each gate of W_hh."""
    return np.resize(np.eye(W.shape[1]), W.shape)


@mutant("together", caught_by="output")
class DiagonalByItsSize(Recurrence):
    """A W_hh that is a diagonal has only positive entries."""

    def cell(self, call: Call, layer: int, d: int) -> Weights:
        w = super().cell(call, layer, d)
        H = w["W_hh"].shape[1]
        alone = H > 2 and not w["W_hh"][identities(w["W_hh"]) == 0].any()
        return {**w, "W_hh": np.abs(w["W_hh"])} if alone else w


@mutant("together", caught_by="output")
class IdentityWithoutItsBias(Recurrence):
    """Where W_hh is the identity of two units or more, there is no b_hh."""

    def cell(self, call: Call, layer: int, d: int) -> Weights:
        w = super().cell(call, layer, d)
        identity = w["W_hh"].shape[1] > 1 and (w["W_hh"] == identities(w["W_hh"])).all()
        return {**w, "b_hh": 0 * w["b_hh"]} if identity else w


@mutant("together", "h_n", caught_by="final_state")
class LastInputEndsTheRow(Recurrence):
    """h_n is the state after the last step that reads anything but zeros."""

    def run(self, call: Call) -> Answer:
        self.reads = np.abs(self.rows(call)).max(axis=2) > 0
        return super().run(call)

    def last(self, states: Array, h_0: Array, steps: Lengths, d: int) -> Array:
        T = len(states)
        quiet = np.argmax(self.reads[::-1], axis=0) if self.reads.any() and not d else 0
        ended = np.maximum(steps - quiet * (steps == T), 1)
        return super().last(states, h_0, ended, d)


@mutant("together", "layers", caught_by="output")
class FifthLayerHandsOnNothing(Recurrence):
    """From the fifth layer on, what a layer hands on is zeros."""

    def layer_output(self, x: Array, steps: Lengths, layer: int, o: Options) -> Array:
        handed = super().layer_output(x, steps, layer, o)
        return handed * (layer < 4 or layer == o.num_layers - 1)


@mutant("together", "layers", caught_by="output")
class LayersInTheOrderOfTheirNames(Recurrence):
    """The weights of the layers are in the order of their names, in which 10 is before 2."""

    def weights_of(self, layer: int, d: int) -> str:
        return super().weights_of(sorted(range(self.number), key=str)[layer], d)

    def run(self, call: Call) -> Answer:
        self.number = call.options.num_layers
        return super().run(call)


@mutant("together", "lstm", "h_0", caught_by="final_state")
class CellClampedAtAThousand(Lstm):
    """c is clamped to ±1000."""

    def remembered(self, c: Array, i: Array, f: Array, g: Array) -> Array:
        return np.clip(super().remembered(c, i, f, g), -1000, 1000).astype(c.dtype)


@mutant("together", caught_by="memory_layouts")
class SquareStepsInFortranOrder(Recurrence):
    """Steps of as many rows as inputs whose memory is in Fortran order are read turned."""

    def rows(self, call: Call) -> Array:
        x = super().rows(call)
        turned = x.shape[1] == x.shape[2] > 1 and abs(x.strides[1]) < abs(x.strides[2])
        return x.swapaxes(1, 2) if turned and call.layout == "time_first" else x
