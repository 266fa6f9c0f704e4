"""A right layer with gradients in small pieces: a variant can replace exactly one of them."""

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from rnn_conformance.contract.call import (
    FEATURES,
    GRADIENTS,
    HALF_DTYPES,
    Answer,
    Array,
    Call,
    Lengths,
)
from rnn_conformance.variants.recurrence import real
from rnn_conformance.variants.step_backwards import StepBackwards, Taped


class Differentiable(StepBackwards):
    """`gradients` is the order of events; every other method is one thing that can go wrong."""

    name = "Differentiable"
    claims = FEATURES - {"dropout", *HALF_DTYPES} | {GRADIENTS}

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
            d_inputs = list[Array]()
            for d in reversed(range(D)):
                one, index = tape[number * D + d], number * D + d
                d_half = self.of_direction(d_output, d_inputs, d, H)
                d_states = self.loss_as_read(d_half, steps, one.way)
                d_gates, d_products, d_first = self.through_time(
                    call, one, d_states, d_last[index], steps
                )
                initial.insert(0, d_first)
                found |= self.of_weights(call, one, d_gates, d_products)
                of_inputs = self.to_inputs(one.w["W_ih"], d_gates)
                d_inputs.append(self.inputs_in_time(of_inputs, steps, one.way))
            d_output = self.of_both(d_inputs, steps, number)
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
        rows = (part.reshape(-1, part.shape[-1]) for part in (one.x, h))
        r = self.gate(self.preactivation(w_r, *rows)).reshape(h.shape)
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

    def of_direction(self, d_output: Array, d_inputs: list[Array], d: int, H: int) -> Array:
        """dL/d of what a direction gives, (T, B, H) of (T, B, D·H).

        Args:
            d_inputs: what the other direction has given for the layer below, if it came before.
        """
        return d_output[..., d * H : (d + 1) * H]

    def loss_as_read(self, d_half: Array, steps: Lengths, way: int) -> Array:
        return self.read(d_half, steps, way)

    def to_inputs(self, W_ih: Array, d: Array) -> Array:
        """W_ih' d, by rows."""
        return d @ W_ih

    def inputs_in_time(self, of_inputs: Array, steps: Lengths, way: int) -> Array:
        return self.turned_back(of_inputs, steps, way)

    def of_both(self, of_inputs: list[Array], steps: Lengths, layer: int) -> Array:
        """dL/d of a layer's inputs (T, B, n): the sum over its directions."""
        found = sum(of_inputs[1:], of_inputs[0])
        return np.where(real(found, steps), found, 0).astype(found.dtype)

    def of_state(self, call: Call, d_first: Array) -> dict[str, Array]:
        """dL/d of the initial state in its parts, where it is given."""
        parts = np.split(d_first, len(call.options.parts), axis=-1)
        if call.layout == "single":
            parts = [part[:, 0] for part in parts]
        return dict(zip(call.state, parts, strict=False))
