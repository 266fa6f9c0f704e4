"""The gradient of one step of each cell, in balls; ' is a transposed matrix or a slope.

tanh, relu         d = dh (1 - h²), or dh where h > 0                 dh_{t-1} = W_hh' d
LSTM               dc = f_{t+1} dc_{t+1} + dh o (1 - tanh² c)
                   d_i = dc g i'    d_f = dc c_{t-1} f'    d_g = dc i (1 - g²)
                   d_o = dh tanh(c) o'
                   dh_{t-1} = W_hh' d                       dc_{t-1} = f dc
GRU                d_n = dh (1 - z) (1 - n²)                d_z = dh (h_{t-1} - n) z'
  reset after      d_r = d_n (W_hn h_{t-1} + b_hn) r'       du = (d_r, d_z, d_n r)
                   dh_{t-1} = z dh + W_hh' du
  reset before     q = W_hn' d_n    d_r = q h_{t-1} r'
                   dh_{t-1} = z dh + W_hr' d_r + W_hz' d_z + r q

dL/dy_t is added to each dh. s' is s (1 - s). What a step hands on without W_hh, dc of the LSTM and
dh of the GRU, does not show where d does: it is carried as a ball, and read off d by division where
that knows it better.
"""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from rnn_conformance.bounds.balls import Ball, Matrix, joined, product
from rnn_conformance.cells.activations import (
    ULPS,
    complement,
    gated_tanh,
    slope_of_sigmoid,
    slope_of_tanh,
)
from rnn_conformance.cells.adjoint import (
    Adjoint,
    Factors,
    Forward,
    Received,
    divided,
    nearest,
    right,
)
from rnn_conformance.cells.gated.balls import gates_of_gru, gates_of_lstm, gates_reset_before
from rnn_conformance.contract.call import Array


class Elman(Adjoint):
    """Of the plain RNN."""

    def of_gates(self, factors: Factors, dh: Ball, _: Ball, __: Matrix) -> Ball:
        return dh * factors[0]

    def received(self, _: Factors, W_hh_T: Matrix, d: Ball, __: Ball) -> Received:
        return Received(product(W_hh_T, d))


class Tanh(Elman):
    """The slope may come from h, from a wider h or from the pre-activation."""

    def factors(self, forward: Forward) -> Factors:
        h = forward.after
        p, size = h.precision, np.abs(h.value) + h.radius
        off = h.radius + (2 * ULPS + 2) * p.both * size + p.flushed
        return (slope_of_tanh(Ball(h.value, off, p)),)


class Relu(Elman):
    """The slope is 0 where h is 0; where h is not known so well, it may be 0 or 1."""

    def factors(self, forward: Forward) -> Factors:
        h = forward.after
        # A pre-activation that is below 0 leaves no more than eta.
        either = (np.abs(h.value) <= h.radius) & (h.radius > h.precision.flushed)
        return (Ball(np.float64(1) * (h.value > 0), np.float64(1) * either, h.precision),)


class Lstm(Adjoint):
    """Its factors are those of d_i, d_f, d_g side by side (times dc), of d_o, of dc, and f."""

    def factors(self, forward: Forward) -> Factors:
        h, c_before = forward.before.split(2)
        _, c = forward.after.split(2)
        i, f, g, o = gates_of_lstm(forward.x, forward.W_hh, forward.b_hh, h)
        tanh_c = gated_tanh(c)
        return (
            joined([g * slope_of_sigmoid(i), c_before * slope_of_sigmoid(f), i * slope_of_tanh(g)]),
            tanh_c * slope_of_sigmoid(o),
            o * slope_of_tanh(tanh_c),
            f,
        )

    def arrived(self, factors: Factors, dh: Ball, hidden: Ball | None) -> Ball:
        dc = dh * factors[2]
        return dc if hidden is None else hidden + dc

    def of_gates(self, factors: Factors, dh: Ball, arrived: Ball, _: Matrix) -> Ball:
        return joined([joined([arrived] * 3) * factors[0], dh * factors[1]])

    def seen(self, factors: Factors, arrived: Ball, computed: Ball, d: Array) -> Ball:
        of_dc = np.s_[..., : factors[0].value.shape[-1]]
        read = divided(d[of_dc], factors[0]).split(3)
        taken = np.split(right(d, computed)[of_dc], 3, axis=-1)
        return nearest(arrived, zip(read, taken, strict=True))

    def received(self, factors: Factors, W_hh_T: Matrix, d: Ball, arrived: Ball) -> Received:
        return Received(product(W_hh_T, d), factors[3] * arrived)


class Gru(Adjoint):
    """Its factors are those of d_n, d_z (times dh) and d_r (times d_n, or q), then z and r."""

    def factors(self, forward: Forward) -> Factors:
        h = forward.before
        r, z, n, a_n = gates_of_gru(forward.x, forward.W_hh, forward.b_hh, h)
        # d_n may multiply each product before they are added: one more rounding.
        return self._of(r, z, n, h, replace(a_n, terms=a_n.terms + 1).ball())

    def _of(self, r: Ball, z: Ball, n: Ball, h: Ball, beside: Ball) -> Factors:
        # (1 - z) dh may be dh - z dh, and (h - n) dh may be h dh - n dh: each product is rounded.
        return (
            complement(z.kept()) * slope_of_tanh(n),
            (h.kept().kept() - n.kept()) * slope_of_sigmoid(z),
            beside * slope_of_sigmoid(r),
            z,
            r,
        )

    def of_gates(self, factors: Factors, dh: Ball, _: Ball, __: Matrix) -> Ball:
        n, z, r = factors[:3]
        d_n = dh * n
        return joined([d_n * r, dh * z, d_n])

    def seen(self, factors: Factors, arrived: Ball, computed: Ball, d: Array) -> Ball:
        (_, d_z, d_n), (_, was_z, was_n) = np.split(d, 3, -1), computed.split(3)
        n, z = factors[:2]
        of_dh = ((divided(d_n, n), right(d_n, was_n)), (divided(d_z, z), right(d_z, was_z)))
        return nearest(arrived, of_dh)

    def received(self, factors: Factors, W_hh_T: Matrix, d: Ball, arrived: Ball) -> Received:
        du, _ = next(self.of_products(factors, d, arrived))
        return Received(product(W_hh_T, du) + (factors[3] * arrived).term())

    def of_products(self, factors: Factors, d: Ball, h: Ball) -> Iterator[tuple[Ball, Ball]]:
        d_r, d_z, d_n = d.split(3)
        yield joined([d_r, d_z, d_n * factors[4]]), h


class GruResetBefore(Gru):
    """The same factors; that of d_r is h times the slope, since it is q that is multiplied."""

    def factors(self, forward: Forward) -> Factors:
        h = forward.before
        r, z, n = gates_reset_before(forward.x, forward.W_hh, forward.b_hh, h)
        return self._of(r, z, n, h, h.kept())

    def of_gates(self, factors: Factors, dh: Ball, _: Ball, W_hh_T: Matrix) -> Ball:
        n, z, r = factors[:3]
        d_n = dh * n
        return joined([_q(W_hh_T, d_n) * r, dh * z, d_n])

    def received(self, factors: Factors, W_hh_T: Matrix, d: Ball, arrived: Ball) -> Received:
        H = arrived.value.shape[-1]
        d_r, d_z, d_n = d.split(3)
        q, kept = factors[4] * _q(W_hh_T, d_n), factors[3] * arrived
        of_gates = product(W_hh_T.reading(0, 2 * H), joined([d_r, d_z]))
        return Received(of_gates + q.term() + kept.term())

    def of_products(self, factors: Factors, d: Ball, h: Ball) -> Iterator[tuple[Ball, Ball]]:
        d_r, d_z, d_n = d.split(3)
        yield joined([d_r, d_z]), h
        yield d_n, factors[4] * h.kept()


def _q(W_hh_T: Matrix, d_n: Ball) -> Ball:
    """W_hn' d_n."""
    H = d_n.value.shape[-1]
    return product(W_hh_T.reading(2 * H, 3 * H), d_n).ball()


TANH, RELU, LSTM, GRU, GRU_RESET_BEFORE = Tanh(), Relu(), Lstm(), Gru(), GruResetBefore()
