"""A right layer in small pieces, so that a variant can replace exactly one of them."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from rnn_conformance.contract.call import (
    FEATURES,
    GATED,
    NONLINEARITIES,
    Answer,
    Array,
    Call,
    Lengths,
    Options,
)
from rnn_conformance.contract.dtypes import bfloat16

Weights = Mapping[str, Array]


class Recurrence:
    """All layers and directions over a batch, a row a sequence.

    `run` is the order of events; every other method is one thing that can be done otherwise.
    """

    name = "Recurrence"
    shortest = 1  # length of a row that is taken
    claims = FEATURES - {"dropout"}

    def run(self, call: Call) -> Answer:
        self.refuse(call)
        o = call.options
        x = self.rows(call)
        steps = self.steps(call, x)
        initial = self.initial(call, x)
        x = self.without_padding(x, steps)
        h_n: list[Array] = []
        for layer in range(o.num_layers):
            halves = []
            for d, way in enumerate(o.ways):
                w = self.cell(call, layer, d)
                h_0 = self.start(initial, layer, d, o)
                states = self.direction(call, w, self.read(x, steps, way), h_0)
                h_n.append(self.last(states, h_0, steps, way))
                halves.append(self.turned_back(states, steps, way)[..., : o.hidden_size])
            x = self.layer_output(self.joined(halves), steps, layer, o)
        answer = self.answer(call, x, self.stacked(h_n, o))
        return (
            replace(answer, y=self.laid_out(call, self.readout(call, x)))
            if o.output_size
            else answer
        )

    def refuse(self, call: Call) -> None:
        """Raises ValueError where sizes do not fit."""
        o, shape, rank = call.options, call.inputs.shape, 2 if call.layout == "single" else 3
        batch = () if rank == 2 else (shape[0 if call.layout == "batch_first" else 1],)
        if len(shape) != rank or shape[-1] != o.input_size:
            raise ValueError(f"inputs: unexpected shape {shape}")
        states = (o.num_layers * o.directions, *batch, o.hidden_size)
        for name, part in call.state.items():
            if part.shape != states:
                raise ValueError(f"{name}: expected shape {states}, got {part.shape}")
        if call.state and len(call.state) < len(o.parts):
            raise ValueError(f"expected every part of {o.parts} or none, got {[*call.state]}")
        for name, wanted in o.weight_shapes().items():
            if call.weights[name].shape != wanted:
                raise ValueError(f"{name}: expected {wanted}, got {call.weights[name].shape}")
        if call.lengths is not None:
            T = shape[1 if call.layout == "batch_first" else 0]
            least, most = call.lengths.min(), call.lengths.max()
            if call.lengths.shape != batch or least < self.shortest or most > T:
                raise ValueError(f"lengths: unexpected {call.lengths}")

    def rows(self, call: Call) -> Array:
        """The inputs as (T, B, I)."""
        if call.layout == "single":
            return call.inputs[:, np.newaxis]
        return call.inputs.swapaxes(0, 1) if call.layout == "batch_first" else call.inputs

    def steps(self, call: Call, x: Array) -> Lengths:
        """How many steps each row has, (B,)."""
        return np.full(x.shape[1], len(x)) if call.lengths is None else call.lengths

    def initial(self, call: Call, x: Array) -> Array:
        """h_0 as (L·D, B, S·H), the parts of the state side by side."""
        o = call.options
        if call.h_0 is None:
            units = len(o.parts) * o.hidden_size
            return np.zeros((o.num_layers * o.directions, x.shape[1], units), x.dtype)
        parts = [*call.state.values()]
        state = parts[0] if len(parts) == 1 else np.concatenate(parts, axis=-1)
        return state[:, np.newaxis] if call.layout == "single" else state

    def without_padding(self, x: Array, steps: Lengths) -> Array:
        """Zeros where a row has ended, so that nothing there can matter."""
        return np.where(real(x, steps), x, 0).astype(x.dtype)

    def cell(self, call: Call, layer: int, d: int) -> Weights:
        """W_ih, W_hh, b_ih and b_hh of a layer and direction."""
        w, end = call.weights, self.weights_of(layer, d)
        zeros = np.zeros(len(w[f"weight_ih_{end}"]), call.dtype)
        return {
            "W_ih": w[f"weight_ih_{end}"],
            "W_hh": w[f"weight_hh_{end}"],
            "b_ih": w[f"bias_ih_{end}"] if call.options.bias else zeros,
            "b_hh": w[f"bias_hh_{end}"] if call.options.bias else zeros,
        }

    def weights_of(self, layer: int, d: int) -> str:
        return f"l{layer}{'_reverse' if d else ''}"

    def start(self, initial: Array, layer: int, d: int, o: Options) -> Array:
        """h_0 (B, S·H) of a layer and direction."""
        h_0: Array = initial[layer * o.directions + d]
        return h_0

    def read(self, x: Array, steps: Lengths, d: int) -> Array:
        """The inputs (T, B, n) in the order in which a direction reads them.

        Here and below, `d` is 1 for the reverse one, alone or not.
        """
        return reversed_rows(x, steps) if d else x

    def direction(self, call: Call, w: Weights, x: Array, h: Array) -> Array:
        """The states (T, B, S·H) in the order in which they are computed."""
        states = []
        for t in range(len(x)):
            h = self.in_format(call, self.step(call, w, x[t], h))
            states.append(h)
        return np.stack(states)

    def in_format(self, call: Call, values: Array) -> Array:
        """A state of the dtype that NumPy lacks, computed in float32 and rounded once."""
        return bfloat16(values) if call.bfloat16 else values

    def step(self, call: Call, w: Weights, x: Array, h: Array) -> Array:
        if call.options.cell in GATED:
            return (
                self.lstm(call, w, x, h) if call.options.cell == "lstm" else self.gru(call, w, x, h)
            )
        return self.activation(call, self.preactivation(w, x, h))

    def lstm(self, call: Call, w: Weights, x: Array, h: Array) -> Array:
        """The state (B, 2 H), h beside c."""
        H = h.shape[1] // 2
        h, c = h[:, :H], h[:, H:]
        i, f, g, o = (self.preactivation(gate, x, h) for gate in self.gates(w, 4))
        c = self.remembered(c, self.gate(i), self.gate(f), self.activation(call, g))
        return np.concatenate([self.shown(call, self.gate(o), c), c], axis=-1)

    def remembered(self, c: Array, i: Array, f: Array, g: Array) -> Array:
        """The new c of an LSTM."""
        return f * c + i * g

    def shown(self, call: Call, o: Array, c: Array) -> Array:
        """The new h of an LSTM."""
        return o * self.activation(call, c)

    def gru(self, call: Call, w: Weights, x: Array, h: Array) -> Array:
        """The state (B, H)."""
        w_r, w_z, w_n = self.gates(w, 3)
        r, z = (self.gate(self.preactivation(gate, x, h)) for gate in (w_r, w_z))
        return self.between(z, self.activation(call, self.candidate(call, w_n, x, h, r)), h)

    def candidate(self, call: Call, w: Weights, x: Array, h: Array, r: Array) -> Array:
        """What n of a GRU is the tanh of."""
        if call.options.cell == "gru_reset_before":
            return self.preactivation(w, x, r * h)
        from_inputs = self.preactivation({**w, "b_hh": 0 * w["b_hh"]}, x, np.zeros_like(h))
        from_state = self.preactivation({**w, "b_ih": 0 * w["b_ih"]}, np.zeros_like(x), h)
        return from_inputs + r * from_state

    def between(self, z: Array, n: Array, h: Array) -> Array:
        """The new h of a GRU."""
        return (1 - z) * n + z * h

    def gates(self, w: Weights, count: int) -> list[Weights]:
        """The weights of each gate, in the order of torch."""
        H = len(w["b_ih"]) // count
        rows = [slice(k * H, (k + 1) * H) for k in range(count)]
        return [{name: value[some] for name, value in w.items()} for some in rows]

    def gate(self, a: Array) -> Array:
        """σ(a)."""
        result: Array = 1 / (1 + np.exp(-a))
        return result

    def preactivation(self, w: Weights, x: Array, h: Array) -> Array:
        return x @ w["W_ih"].T + w["b_ih"] + h @ w["W_hh"].T + w["b_hh"]

    def activation(self, call: Call, a: Array) -> Array:
        return np.maximum(a, 0) if call.options.cell == "relu" else np.tanh(a)

    def last(self, states: Array, h_0: Array, steps: Lengths, d: int) -> Array:
        """The state (B, S·H) of each row after its last real step."""
        return states[steps - 1, np.arange(states.shape[1])]

    def turned_back(self, states: Array, steps: Lengths, d: int) -> Array:
        """The states in the order of time."""
        return reversed_rows(states, steps) if d else states

    def joined(self, halves: list[Array]) -> Array:
        """Forward beside reverse."""
        return np.concatenate(halves, axis=-1)

    def layer_output(self, x: Array, steps: Lengths, layer: int, o: Options) -> Array:
        """What a layer hands on, (T, B, D·H): zeros where a row has ended."""
        return np.where(real(x, steps), x, 0).astype(x.dtype)

    def readout(self, call: Call, output: Array) -> Array:
        """y (T, B, O) of the output of the last layer."""
        y: Array = output @ call.weights["W_ho"].T + call.weights["b_ho"]
        return self.in_format(call, y)

    def stacked(self, h_n: list[Array], o: Options) -> Array:
        return np.stack(h_n)

    def answer(self, call: Call, output: Array, h_n: Array) -> Answer:
        """The results, of (T, B, D·H) and (L·D, B, S·H), in the layout of the call."""
        h_n = h_n[:, 0] if call.layout == "single" else h_n
        h, c, *_ = (*np.split(h_n, len(call.options.parts), axis=-1), None)
        return Answer(self.laid_out(call, output), h, c_n=c)

    def laid_out(self, call: Call, steps: Array) -> Array:
        """(T, B, n) in the layout of the call."""
        if call.layout == "single":
            return steps[:, 0]
        return steps.swapaxes(0, 1) if call.layout == "batch_first" else steps


def of_gates(
    w: Weights, order: Sequence[int], names: Sequence[str] = ("W_ih", "W_hh", "b_ih", "b_hh")
) -> Weights:
    """These weights, with the rows of the gates in another order."""
    each = {name: np.split(w[name], len(order)) for name in names}
    return {**w, **{name: np.concatenate([of[k] for k in order]) for name, of in each.items()}}


R = TypeVar("R", bound=Recurrence)


def of_cell(variant: type[R], cell: str) -> type[R]:
    """The same variant, which claims another cell in the place of the nonlinearities."""
    name, claims = f"{variant.__name__} ({cell})", variant.claims - {*NONLINEARITIES} | {cell}
    return type(name, (variant,), {"name": name, "claims": claims})


def real(x: Array, steps: Lengths) -> npt.NDArray[np.bool_]:
    """Which steps of (T, B, n) are real: (T, B, 1)."""
    return (np.arange(len(x))[:, None] < steps)[..., None]


def reversed_rows(x: Array, steps: Lengths) -> Array:
    """Each row turned around within its own length."""
    t = np.arange(len(x))[:, np.newaxis]
    turned: Array = x[np.where(t < steps, steps - 1 - t, t), np.arange(x.shape[1])]
    return turned
