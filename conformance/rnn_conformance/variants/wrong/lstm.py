"""Wrong LSTMs: gates exchanged, and a cell that is kept, shown or begun otherwise."""

from dataclasses import replace

import numpy as np

from rnn_conformance.contract.call import Answer, Array, Call, Lengths, Options
from rnn_conformance.contract.dtypes import bfloat16
from rnn_conformance.variants.gated import Lstm
from rnn_conformance.variants.recurrence import Weights
from rnn_conformance.variants.wrong.registry import mutant


@mutant("lstm", "lstm", caught_by="output", shipped_in="CrispStrobe/CrispASR#106")
class GatesInOnnxOrder(Lstm):
    """The rows of i, f, g, o are taken for those of i, o, f, g."""

    def gates(self, w: Weights, count: int) -> list[Weights]:
        each = super().gates(w, count)
        return [each[k] for k in (0, 2, 3, 1)]


@mutant("lstm", "lstm", caught_by="output", shipped_in="NX-AI/xlstm#98")
class ForgetAndInputExchanged(Lstm):
    """The rows of i are those of f, and the reverse."""

    def gates(self, w: Weights, count: int) -> list[Weights]:
        i, f, g, o = super().gates(w, count)
        return [f, i, g, o]


@mutant("lstm", "lstm", "h_0", caught_by="output")
class InitialCellIgnored(Lstm):
    """c_0 is taken for zeros."""

    def initial(self, call: Call, x: Array) -> Array:
        h, c = np.split(super().initial(call, x), 2, axis=-1)
        return np.concatenate([h, 0 * c], axis=-1)


@mutant("lstm", "lstm", "h_0", caught_by="output", shipped_in="neulab/xnmt#223")
class InitialPartsExchanged(Lstm):
    """h_0 is taken for c_0, and the reverse."""

    def initial(self, call: Call, x: Array) -> Array:
        return np.concatenate(np.split(super().initial(call, x), 2, axis=-1)[::-1], axis=-1)


@mutant("lstm", "lstm", "h_0", caught_by="output")
class HiddenStateForBoth(Lstm):
    """h_0 is taken for c_0 too."""

    def initial(self, call: Call, x: Array) -> Array:
        h, _ = np.split(super().initial(call, x), 2, axis=-1)
        return np.concatenate([h, h], axis=-1)


@mutant("lstm", "lstm", "h_0", "bidirectional", caught_by="output")
class ForwardCellForBothDirections(Lstm):
    """The reverse direction begins with the c_0 of the forward one."""

    def start(self, initial: Array, layer: int, d: int, o: Options) -> Array:
        own, forward = (super(ForwardCellForBothDirections, self).start(initial, layer, of, o)
                        for of in (d, 0))  # fmt: skip
        H = o.hidden_size
        return np.concatenate([own[:, :H], forward[:, H:]], axis=1)


@mutant("lstm", "lstm", "h_0", caught_by="output")
class FirstCellForAllRows(Lstm):
    """The c_0 of the first row is that of every row."""

    def initial(self, call: Call, x: Array) -> Array:
        state, H = super().initial(call, x).copy(), call.options.hidden_size
        state[..., H:] = state[:, :1, H:]
        return state


@mutant("lstm", "lstm", caught_by="output")
class CellNotSquashed(Lstm):
    """h_t is o c_t, without tanh."""

    def shown(self, call: Call, o: Array, c: Array) -> Array:
        return o * c


@mutant("lstm", "lstm", caught_by="output")
class CellSquashedTwice(Lstm):
    """The c_t that is carried on is tanh(c_t)."""

    def remembered(self, c: Array, i: Array, f: Array, g: Array) -> Array:
        return np.tanh(super().remembered(c, i, f, g))


@mutant("lstm", "lstm", caught_by="output")
class LastCellShown(Lstm):
    """h_t is o tanh(c_{t-1})."""

    def lstm(self, call: Call, w: Weights, x: Array, h: Array) -> Array:
        H = h.shape[1] // 2
        new = super().lstm(call, w, x, h)
        o = self.gate(self.preactivation(self.gates(w, 4)[3], x, h[:, :H]))
        return np.concatenate([self.shown(call, o, h[:, H:]), new[:, H:]], axis=1)


@mutant("lstm", "lstm", caught_by="output", shipped_in="apple/coremltools#309")
class ForgetBiasAdded(Lstm):
    """1 is added to what f is the σ of, though the biases have it."""

    def gates(self, w: Weights, count: int) -> list[Weights]:
        i, f, g, o = super().gates(w, count)
        return [i, {**f, "b_ih": f["b_ih"] + 1}, g, o]


@mutant("lstm", "lstm", caught_by="output", shipped_in="kelvinxu/arctic-captions#7")
class ForgetBiasTwice(Lstm):
    """The biases of f are added twice."""

    def gates(self, w: Weights, count: int) -> list[Weights]:
        i, f, g, o = super().gates(w, count)
        return [i, {**f, "b_ih": 2 * f["b_ih"], "b_hh": 2 * f["b_hh"]}, g, o]


@mutant("lstm", "lstm", caught_by="output", shipped_in="apache/tvm#3410")
class ForgetBiasAfterSigmoid(Lstm):
    """The bias of f is added after σ."""

    def gates(self, w: Weights, count: int) -> list[Weights]:
        i, f, g, o = super().gates(w, count)
        return [i, {**f, "after": f["b_ih"], "b_ih": 0 * f["b_ih"]}, g, o]

    def lstm(self, call: Call, w: Weights, x: Array, h: Array) -> Array:
        h, c = np.split(h, 2, axis=-1)
        i, f, g, o = (self.preactivation(gate, x, h) for gate in self.gates(w, 4))
        forget = self.gate(f) + self.gates(w, 4)[1]["after"]
        c = self.remembered(c, self.gate(i), forget, self.activation(call, g))
        return np.concatenate([self.shown(call, self.gate(o), c), c], axis=-1)


@mutant("lstm", "lstm", caught_by="output", shipped_in="ddbourgin/numpy-ml#42")
class OutputBiasForForgetAndInput(Lstm):
    """i and f get the biases of o."""

    def gates(self, w: Weights, count: int) -> list[Weights]:
        i, f, g, o = super().gates(w, count)
        biases = {name: o[name] for name in ("b_ih", "b_hh")}
        return [{**i, **biases}, {**f, **biases}, g, o]


@mutant("lstm", "lstm", caught_by="output", shipped_in="farizrahman4u/seq2seq#230")
class InputForForget(Lstm):
    """f is i."""

    def remembered(self, c: Array, i: Array, f: Array, g: Array) -> Array:
        return super().remembered(c, i, i, g)


@mutant("lstm", "lstm", caught_by="output")
class GatesCoupled(Lstm):
    """f is 1 - i."""

    def remembered(self, c: Array, i: Array, f: Array, g: Array) -> Array:
        return super().remembered(c, i, 1 - i, g)


@mutant("lstm", "lstm", caught_by="output", shipped_in="MartinuzziFrancesco/torchrecurrent#22")
class CandidateAdded(Lstm):
    """c_t is f c_{t-1} + (i + g)."""

    def remembered(self, c: Array, i: Array, f: Array, g: Array) -> Array:
        return f * c + (i + g)


@mutant("lstm", "lstm", caught_by="output")
class CandidateBySigmoid(Lstm):
    """g is a σ, as the gates are."""

    def lstm(self, call: Call, w: Weights, x: Array, h: Array) -> Array:
        h, c = np.split(h, 2, axis=-1)
        i, f, g, o = (self.gate(self.preactivation(gate, x, h)) for gate in self.gates(w, 4))
        c = self.remembered(c, i, f, g)
        return np.concatenate([self.shown(call, o, c), c], axis=-1)


@mutant("lstm", "lstm", caught_by="output")
class CellClipped(Lstm):
    """c_t ends at 3 and -3, as a cell clip makes it."""

    def remembered(self, c: Array, i: Array, f: Array, g: Array) -> Array:
        return np.clip(super().remembered(c, i, f, g), -3, 3)


@mutant("lstm", "lstm", "h_0", caught_by="output")
class LargeCellClipped(Lstm):
    """c_t ends at 50 and -50, which few sequences reach."""

    def remembered(self, c: Array, i: Array, f: Array, g: Array) -> Array:
        return np.clip(super().remembered(c, i, f, g), -50, 50)


@mutant("lstm", "lstm", caught_by="output", shipped_in="Lasagne/Lasagne#448")
class Peephole(Lstm):
    """A tenth of c_{t-1} is added to what i and f are the σ of."""

    def lstm(self, call: Call, w: Weights, x: Array, h: Array) -> Array:
        h, c = np.split(h, 2, axis=-1)
        i, f, g, o = (self.preactivation(gate, x, h) for gate in self.gates(w, 4))
        seen = c.dtype.type(0.1) * c
        c = self.remembered(c, self.gate(i + seen), self.gate(f + seen), self.activation(call, g))
        return np.concatenate([self.shown(call, self.gate(o), c), c], axis=-1)


@mutant("lstm", "lstm", "lengths", "h_n", caught_by="final_state", shipped_in="jax-ml/jax#15169")
class CellOfThePadding(Lstm):
    """c_n is the cell after the last step of the batch, padding too."""

    def last(self, states: Array, h_0: Array, steps: Lengths, d: int) -> Array:
        H = states.shape[-1] // 2
        right = super().last(states, h_0, steps, d)
        return np.concatenate([right[:, :H], states[-1, :, H:]], axis=1)


@mutant("lstm", "lstm", "bidirectional", "h_n", caught_by="final_state")
class CellOfReverseAtItsFirstStep(Lstm):
    """The c_n of the reverse direction is the one after the first step that it reads."""

    def last(self, states: Array, h_0: Array, steps: Lengths, d: int) -> Array:
        H, right = states.shape[-1] // 2, super().last(states, h_0, steps, d)
        return np.concatenate([right[:, :H], states[0, :, H:]], axis=1) if d else right


@mutant("lstm", "lstm", "layers", "h_n", caught_by="final_state")
class CellsFromTheTop(Lstm):
    """c_n has the last layer first."""

    def stacked(self, h_n: list[Array], o: Options) -> Array:
        right, H = super().stacked(h_n, o), o.hidden_size
        return np.concatenate([right[..., :H], right[::-1, :, H:]], axis=-1)


@mutant("lstm", "lstm", "h_n", caught_by="final_state", shipped_in="neulab/xnmt#223")
class FinalPartsExchanged(Lstm):
    """c_n is given for h_n, and the reverse."""

    def answer(self, call: Call, output: Array, h_n: Array) -> Answer:
        right = super().answer(call, output, h_n)
        return replace(right, h_n=right.c_n, c_n=right.h_n)


@mutant("lstm", "lstm", "h_n", caught_by="final_state")
class CellSquashedAtTheEnd(Lstm):
    """c_n is tanh(c_n)."""

    def answer(self, call: Call, output: Array, h_n: Array) -> Answer:
        right = super().answer(call, output, h_n)
        assert right.c_n is not None
        return replace(right, c_n=np.tanh(right.c_n))


@mutant("lstm", "lstm", "h_n", "h_0", caught_by="final_state")
class CellOfZerosAtTheEnd(Lstm):
    """c_n is given as c_0."""

    def last(self, states: Array, h_0: Array, steps: Lengths, d: int) -> Array:
        H, right = states.shape[-1] // 2, super().last(states, h_0, steps, d)
        return np.concatenate([right[:, :H], h_0[:, H:]], axis=1)


@mutant("lstm", "lstm", caught_by="output")
class CellInBfloat16(Lstm):
    """c is kept in 8 bits between the steps."""

    def remembered(self, c: Array, i: Array, f: Array, g: Array) -> Array:
        new = super().remembered(c, i, f, g)
        return bfloat16(new.astype(np.float32)).astype(new.dtype)


@mutant("lstm", "lstm", "h_0", caught_by="wrong_states_refused")
class AnyCellTaken(Lstm):
    """A c_0 that does not fit is replaced by h_0."""

    def run(self, call: Call) -> Answer:
        fits = call.h_0 is None or (call.c_0 is not None and call.c_0.shape == call.h_0.shape)
        return super().run(call if fits else replace(call, c_0=call.h_0))
