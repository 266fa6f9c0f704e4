"""A right layer with gradients in small pieces: a variant can replace exactly one of them."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from rnn_conformance.contract.call import (
    FEATURES,
    GATED,
    HALF_DTYPES,
    Answer,
    Array,
    Call,
    Lengths,
)
from rnn_conformance.variants.recurrence import Recurrence, Weights, of_cell, real

Gates = Mapping[str, Array]


@dataclass(frozen=True)
class Taped:
    """The forward pass of one direction, in the order in which it reads.

    Attributes:
        end: the end of the names of its weights, such as l0_reverse.
        way: 1 for the reverse one.
        x: (T, B, n).
        before, after: the state before each step and after it, (T, B, S·H).
    """

    end: str
    way: int
    w: Weights
    x: Array
    before: Array
    after: Array


class Differentiable(Recurrence):
    """`gradients` is the order of events; every other method is one thing that can go wrong."""

    name = "Differentiable"
    claims = FEATURES - {"dropout", *HALF_DTYPES}

    def run(self, call: Call) -> Answer:
        answer = super().run(call)
        if call.upstream is None:
            return answer
        return replace(answer, gradients=self.gradients(call))

    def gradients(self, call: Call) -> dict[str, Array]:
        o, H, D = call.options, call.options.hidden_size, call.options.directions
        x = self.rows(call)
        steps = self.steps(call, x)
        tape = self.taped(call, self.without_padding(x, steps), steps)
        d_output, d_last = self.of_output(call, x, steps), self.of_last(call, x)
        found: dict[str, Array] = {}
        initial = list[Array]()
        for number in reversed(range(o.num_layers)):
            d_inputs = []
            for d in reversed(range(D)):
                one, index = tape[number * D + d], number * D + d
                d_states = self.read(d_output[..., d * H : (d + 1) * H], steps, one.way)
                d_gates, d_products, d_first = self.through_time(
                    call, one, d_states, d_last[index], steps
                )
                initial.insert(0, d_first)
                found |= self.of_weights(call, one, d_gates, d_products)
                of_inputs = self.of_inputs(one.w["W_ih"], d_gates)
                d_inputs.append(self.turned_back(of_inputs, steps, one.way))
            d_output = self.of_both(d_inputs, steps)
        found["inputs"] = self.laid_out(call, d_output)
        return found | self.of_state(call, np.stack(initial))

    def taped(self, call: Call, x: Array, steps: Lengths) -> list[Taped]:
        """The forward pass again, bit for bit."""
        o, initial, tape = call.options, self.initial(call, x), []
        for layer in range(o.num_layers):
            halves = []
            for d, way in enumerate(o.ways):
                w, read = self.cell(call, layer, d), self.read(x, steps, way)
                h_0 = self.start(initial, layer, d, o)
                states = self.direction(call, w, read, h_0)
                before = np.concatenate([h_0[np.newaxis], states[:-1]])
                tape.append(Taped(self.weights_of(layer, d), way, w, read, before, states))
                halves.append(self.turned_back(states, steps, way)[..., : o.hidden_size])
            x = self.layer_output(self.joined(halves), steps, layer, o)
        return tape

    def of_output(self, call: Call, x: Array, steps: Lengths) -> Array:
        """dL/d of the output (T, B, D·H), 0 in the padding."""
        assert call.upstream is not None
        o, given = call.options, call.upstream.output
        if given is None:
            return np.zeros((*x.shape[:2], o.directions * o.hidden_size), x.dtype)
        rows = self.laid_out(call, given) if call.layout != "single" else given[:, np.newaxis]
        return np.where(real(x, steps), rows, 0).astype(x.dtype)

    def of_last(self, call: Call, x: Array) -> Array:
        """dL/d of the final state (L·D, B, S·H)."""
        assert call.upstream is not None
        o, parts = call.options, []
        for part in o.parts:
            given = getattr(call.upstream, f"{part}_n")
            shape = (o.num_layers * o.directions, x.shape[1], o.hidden_size)
            parts.append(np.zeros(shape, x.dtype) if given is None else given.reshape(shape))
        return np.concatenate(parts, axis=-1)

    def through_time(
        self, call: Call, one: Taped, d_states: Array, d_last: Array, steps: Lengths
    ) -> tuple[Array, Array, Array]:
        """dL/d of pre-activations, (T, B, G·H), as W_ih and W_hh see them; of the first state."""
        d_state, gates, products = np.zeros_like(one.after[0]), list[Array](), list[Array]()
        for t in reversed(range(len(one.x))):
            d_state = d_state + self.arriving(d_states[t], d_last, t, steps)
            d, du, d_state = self.back(call, one, t, d_state)
            inside = self.inside(t, steps)
            gates.insert(0, np.where(inside, d, 0).astype(d.dtype))
            products.insert(0, np.where(inside, du, 0).astype(d.dtype))
            d_state = np.where(inside, d_state, 0).astype(d.dtype)
        return np.stack(gates), np.stack(products), d_state

    def inside(self, t: int, steps: Lengths) -> npt.NDArray[np.bool_]:
        """Which rows have not ended, (B, 1)."""
        return steps[:, np.newaxis] > t

    def arriving(self, d_states: Array, d_last: Array, t: int, steps: Lengths) -> Array:
        """What the loss adds to dL/d of the state after a step, (B, S·H)."""
        found = np.where(steps[:, np.newaxis] == t + 1, d_last, 0).astype(d_last.dtype)
        H = d_states.shape[-1]
        found[:, :H] += d_states
        return found

    def back(self, call: Call, one: Taped, t: int, d_state: Array) -> tuple[Array, Array, Array]:
        """dL/d of pre-activations, as W_ih and W_hh see them, and of the state before the step."""
        cell = call.options.cell
        if cell == "lstm":
            return self.back_lstm(call, one, t, d_state)
        if cell in ("gru", "gru_reset_before"):
            return self.back_gru(call, one, t, d_state)
        d = d_state * self.slope(call, one.after[t])
        return d, d, self.handed_back(one.w["W_hh"], d)

    def slope(self, call: Call, h: Array) -> Array:
        """Of the activation, from what it gave."""
        found: Array = (h > 0).astype(h.dtype) if call.options.cell == "relu" else 1 - h * h
        return found

    def slope_of_gate(self, s: Array) -> Array:
        return s * (1 - s)

    def handed_back(self, W_hh: Array, d: Array) -> Array:
        """W_hh' d, by rows."""
        return d @ W_hh

    def of_inputs(self, W_ih: Array, d: Array) -> Array:
        """W_ih' d, by rows."""
        return d @ W_ih

    def back_lstm(
        self, call: Call, one: Taped, t: int, d_state: Array
    ) -> tuple[Array, Array, Array]:
        h, c_before = np.split(one.before[t], 2, axis=-1)
        _, c = np.split(one.after[t], 2, axis=-1)
        a = [self.preactivation(gate, one.x[t], h) for gate in self.gates(one.w, 4)]
        i, f, o = (self.gate(a[k]) for k in (0, 1, 3))
        g, tanh_c = self.activation(call, a[2]), self.activation(call, c)
        dh, dc = np.split(d_state, 2, axis=-1)
        dc = dc + dh * o * self.slope(call, tanh_c)
        d = np.concatenate(
            [
                dc * g * self.slope_of_gate(i),
                dc * c_before * self.slope_of_gate(f),
                dc * i * self.slope(call, g),
                dh * tanh_c * self.slope_of_gate(o),
            ],
            axis=-1,
        )
        before = np.concatenate([self.handed_back(one.w["W_hh"], d), f * dc], axis=-1)
        return d, d, before

    def back_gru(
        self, call: Call, one: Taped, t: int, d_state: Array
    ) -> tuple[Array, Array, Array]:
        h, x = one.before[t], one.x[t]
        w_r, w_z, w_n = self.gates(one.w, 3)
        r, z = (self.gate(self.preactivation(gate, x, h)) for gate in (w_r, w_z))
        n = self.activation(call, self.candidate(call, w_n, x, h, r))
        d_n = d_state * (1 - z) * self.slope(call, n)
        d_z = d_state * (h - n) * self.slope_of_gate(z)
        kept = z * d_state
        if call.options.cell == "gru_reset_before":
            q = self.handed_back(w_n["W_hh"], d_n)
            d_r = q * h * self.slope_of_gate(r)
            d = np.concatenate([d_r, d_z, d_n], axis=-1)
            of_gates = self.handed_back(w_r["W_hh"], d_r) + self.handed_back(w_z["W_hh"], d_z)
            return d, d, kept + of_gates + r * q
        d_r = d_n * (h @ w_n["W_hh"].T + w_n["b_hh"]) * self.slope_of_gate(r)
        du = np.concatenate([d_r, d_z, d_n * r], axis=-1)
        d = np.concatenate([d_r, d_z, d_n], axis=-1)
        return d, du, kept + self.handed_back(one.w["W_hh"], du)

    def of_weights(self, call: Call, one: Taped, d: Array, du: Array) -> dict[str, Array]:
        """The gradients of the weights of a direction, by name."""
        h = one.before[..., : call.options.hidden_size]
        found = {
            "weight_ih": self.summed(d, one.x),
            "weight_hh": self.of_products(call, one, du, h),
        }
        if call.options.bias:
            found |= {"bias_ih": self.of_bias(d), "bias_hh": self.of_bias(du)}
        return {f"{what}_{one.end}": value for what, value in found.items()}

    def of_products(self, call: Call, one: Taped, du: Array, h: Array) -> Array:
        if call.options.cell != "gru_reset_before":
            return self.summed(du, h)
        H = h.shape[-1]
        w_r = self.gates(one.w, 3)[0]
        r = self.gate(self.preactivation(w_r, one.x, h))
        return np.concatenate(
            [self.summed(du[..., : 2 * H], h), self.summed(du[..., 2 * H :], r * h)]
        )

    def summed(self, d: Array, x: Array) -> Array:
        """The sum of d x' over steps and rows."""
        found: Array = d.reshape(-1, d.shape[-1]).T @ x.reshape(-1, x.shape[-1])
        return found

    def of_bias(self, d: Array) -> Array:
        found: Array = d.sum(axis=(0, 1))
        return found

    def of_both(self, of_inputs: list[Array], steps: Lengths) -> Array:
        """dL/d of a layer's inputs (T, B, n): the sum over its directions."""
        found = sum(of_inputs[1:], of_inputs[0])
        return np.where(real(found, steps), found, 0).astype(found.dtype)

    def of_state(self, call: Call, d_first: Array) -> dict[str, Array]:
        """dL/d of the initial state in its parts, where it is given."""
        parts = np.split(d_first, len(call.options.parts), axis=-1)
        if call.layout == "single":
            parts = [part[:, 0] for part in parts]
        return dict(zip(call.state, parts, strict=False))


RIGHT: dict[str, type[Recurrence]] = {
    "Differentiable": Differentiable,
    **{f"Differentiable ({cell})": of_cell(Differentiable, cell) for cell in GATED},
}
