"""One step backwards of a right layer in small pieces, of which a variant replaces exactly one."""

from dataclasses import dataclass

import numpy as np

from rnn_conformance.contract.call import Array, Call
from rnn_conformance.variants.recurrence import Recurrence, Weights


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


@dataclass(frozen=True)
class LstmStep:
    """What a step of an LSTM computes, each (B, H); `a_g` is what g is the tanh of."""

    i: Array
    f: Array
    g: Array
    o: Array
    a_g: Array
    c_before: Array
    c: Array
    tanh_c: Array


@dataclass(frozen=True)
class GruStep:
    """What a step of a GRU computes, each (B, H); `a_n` is what n is the tanh of."""

    r: Array
    z: Array
    n: Array
    a_n: Array
    h: Array


class StepBackwards(Recurrence):
    """`back` is a step; every other method is one thing that can be done otherwise in it."""

    def back(self, call: Call, one: Taped, t: int, d_state: Array) -> tuple[Array, Array, Array]:
        """dL/d of pre-activations, as W_ih and W_hh see them, and of the state before the step."""
        cell = call.options.cell
        if cell == "lstm":
            return self.back_lstm(call, one, t, d_state)
        if cell in ("gru", "gru_reset_before"):
            return self.back_gru(call, one, t, d_state)
        a = self.preactivation(one.w, one.x[t], one.before[t])
        d = d_state * self.slope(call, one.after[t], a)
        return d, d, self.handed_back(one.w["W_hh"], d)

    def slope(self, call: Call, h: Array, a: Array) -> Array:
        """Of the activation h of a, from h."""
        found: Array = (h > 0).astype(h.dtype) if call.options.cell == "relu" else 1 - h * h
        return found

    def slope_of_gate(self, s: Array) -> Array:
        return s * (1 - s)

    def handed_back(self, W_hh: Array, d: Array) -> Array:
        """W_hh' d, by rows."""
        return d @ W_hh

    def back_lstm(
        self, call: Call, one: Taped, t: int, d_state: Array
    ) -> tuple[Array, Array, Array]:
        s, W_hh = self.lstm_step(call, one, t), one.w["W_hh"]
        dh, dc = np.split(d_state, 2, axis=-1)
        dc = self.of_cell(call, s, dh, dc)
        d = np.concatenate(self.of_lstm_gates(call, s, dh, dc), axis=-1)
        before = [self.handed_back(W_hh, d), self.cell_handed_back(s, dc)]
        return d, d, np.concatenate(before, axis=-1)

    def lstm_step(self, call: Call, one: Taped, t: int) -> LstmStep:
        h, c_before = np.split(one.before[t], 2, axis=-1)
        _, c = np.split(one.after[t], 2, axis=-1)
        a = [self.preactivation(gate, one.x[t], h) for gate in self.gates(one.w, 4)]
        i, f, o = (self.gate(a[k]) for k in (0, 1, 3))
        g, tanh_c = self.activation(call, a[2]), self.activation(call, c)
        return LstmStep(i, f, g, o, a[2], c_before, c, tanh_c)

    def of_cell(self, call: Call, s: LstmStep, dh: Array, dc: Array) -> Array:
        """dL/dc of a step, from what the next one hands back and what h shows of c."""
        return dc + dh * s.o * self.slope(call, s.tanh_c, s.c)

    def of_lstm_gates(self, call: Call, s: LstmStep, dh: Array, dc: Array) -> list[Array]:
        """dL/d of the pre-activations of i, f, g and o."""
        return [
            dc * s.g * self.slope_of_gate(s.i),
            dc * s.c_before * self.slope_of_gate(s.f),
            dc * s.i * self.slope(call, s.g, s.a_g),
            dh * s.tanh_c * self.slope_of_gate(s.o),
        ]

    def cell_handed_back(self, s: LstmStep, dc: Array) -> Array:
        return s.f * dc

    def back_gru(
        self, call: Call, one: Taped, t: int, d_state: Array
    ) -> tuple[Array, Array, Array]:
        s, w_n = self.gru_step(call, one, t), self.gates(one.w, 3)[2]
        d_n, d_z = self.of_candidate(call, s, d_state), self.of_update(s, d_state)
        kept = self.kept_by_update(s, d_state)
        if call.options.cell == "gru_reset_before":
            q = self.handed_back(w_n["W_hh"], d_n)
            d_r: Array = q * s.h * self.slope_of_gate(s.r)
            d = np.concatenate([d_r, d_z, d_n], axis=-1)
            w_r, w_z, _ = self.gates(one.w, 3)
            of_gates = self.handed_back(w_r["W_hh"], d_r) + self.handed_back(w_z["W_hh"], d_z)
            return d, d, kept + of_gates + s.r * q
        d_r = self.of_reset(w_n, s, d_n)
        du = np.concatenate([d_r, d_z, d_n * s.r], axis=-1)
        d = np.concatenate([d_r, d_z, d_n], axis=-1)
        return d, du, kept + self.handed_back(one.w["W_hh"], du)

    def gru_step(self, call: Call, one: Taped, t: int) -> GruStep:
        h, x = one.before[t], one.x[t]
        w_r, w_z, w_n = self.gates(one.w, 3)
        r, z = (self.gate(self.preactivation(gate, x, h)) for gate in (w_r, w_z))
        a_n = self.candidate(call, w_n, x, h, r)
        return GruStep(r, z, self.activation(call, a_n), a_n, h)

    def of_candidate(self, call: Call, s: GruStep, dh: Array) -> Array:
        """dL/d of the pre-activation of n."""
        return dh * (1 - s.z) * self.slope(call, s.n, s.a_n)

    def of_update(self, s: GruStep, dh: Array) -> Array:
        """dL/d of the pre-activation of z."""
        return dh * (s.h - s.n) * self.slope_of_gate(s.z)

    def of_reset(self, w_n: Weights, s: GruStep, d_n: Array) -> Array:
        """dL/d of the pre-activation of r, where it resets the product."""
        return d_n * (s.h @ w_n["W_hh"].T + w_n["b_hh"]) * self.slope_of_gate(s.r)

    def kept_by_update(self, s: GruStep, dh: Array) -> Array:
        """What reaches the state before without the weights."""
        return s.z * dh
