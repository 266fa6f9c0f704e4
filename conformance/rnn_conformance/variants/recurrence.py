"""A right layer in small pieces, so that a variant can replace exactly one of them."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from rnn_conformance.contract.call import FEATURES, Answer, Array, Call, Lengths, Options
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
                halves.append(self.turned_back(states, steps, way))
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
        if call.h_0 is not None and call.h_0.shape != states:
            raise ValueError(f"h_0: expected shape {states}, got {call.h_0.shape}")
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
        """h_0 as (L·D, B, H)."""
        o = call.options
        if call.h_0 is None:
            return np.zeros((o.num_layers * o.directions, x.shape[1], o.hidden_size), x.dtype)
        return call.h_0[:, np.newaxis] if call.layout == "single" else call.h_0

    def without_padding(self, x: Array, steps: Lengths) -> Array:
        """Zeros where a row has ended, so that nothing there can matter."""
        return np.where(real(x, steps), x, 0).astype(x.dtype)

    def cell(self, call: Call, layer: int, d: int) -> Weights:
        """W_ih, W_hh, b_ih and b_hh of a layer and direction."""
        w, end = call.weights, self.weights_of(layer, d)
        H = call.options.hidden_size
        zeros = np.zeros(H, call.dtype)
        return {
            "W_ih": w[f"weight_ih_{end}"],
            "W_hh": w[f"weight_hh_{end}"],
            "b_ih": w[f"bias_ih_{end}"] if call.options.bias else zeros,
            "b_hh": w[f"bias_hh_{end}"] if call.options.bias else zeros,
        }

    def weights_of(self, layer: int, d: int) -> str:
        return f"l{layer}{'_reverse' if d else ''}"

    def start(self, initial: Array, layer: int, d: int, o: Options) -> Array:
        """h_0 (B, H) of a layer and direction."""
        h_0: Array = initial[layer * o.directions + d]
        return h_0

    def read(self, x: Array, steps: Lengths, d: int) -> Array:
        """The inputs (T, B, n) in the order in which a direction reads them.

        Here and below, `d` is 1 for the reverse one, alone or not.
        """
        return reversed_rows(x, steps) if d else x

    def direction(self, call: Call, w: Weights, x: Array, h: Array) -> Array:
        """The states (T, B, H) in the order in which they are computed."""
        states = []
        for t in range(len(x)):
            h = self.in_format(call, self.step(call, w, x[t], h))
            states.append(h)
        return np.stack(states)

    def in_format(self, call: Call, values: Array) -> Array:
        """A state of the dtype that NumPy lacks, computed in float32 and rounded once."""
        return bfloat16(values) if call.bfloat16 else values

    def step(self, call: Call, w: Weights, x: Array, h: Array) -> Array:
        return self.activation(call, self.preactivation(w, x, h))

    def preactivation(self, w: Weights, x: Array, h: Array) -> Array:
        return x @ w["W_ih"].T + w["b_ih"] + h @ w["W_hh"].T + w["b_hh"]

    def activation(self, call: Call, a: Array) -> Array:
        return np.tanh(a) if call.options.nonlinearity == "tanh" else np.maximum(a, 0)

    def last(self, states: Array, h_0: Array, steps: Lengths, d: int) -> Array:
        """The state (B, H) of each row after its last real step."""
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
        """The results (T, B, D·H) and (L·D, B, H) in the layout of the call."""
        h_n = h_n[:, 0] if call.layout == "single" else h_n
        return Answer(self.laid_out(call, output), h_n)

    def laid_out(self, call: Call, steps: Array) -> Array:
        """(T, B, n) in the layout of the call."""
        if call.layout == "single":
            return steps[:, 0]
        return steps.swapaxes(0, 1) if call.layout == "batch_first" else steps


def real(x: Array, steps: Lengths) -> npt.NDArray[np.bool_]:
    """Which steps of (T, B, n) are real: (T, B, 1)."""
    return (np.arange(len(x))[:, None] < steps)[..., None]


def reversed_rows(x: Array, steps: Lengths) -> Array:
    """Each row turned around within its own length."""
    if not len(steps):
        return x
    return np.stack([np.concatenate([x[:n, b][::-1], x[n:, b]]) for b, n in enumerate(steps)], 1)
