"""The GRU of torch.nn.GRU, and the one that resets before the product: in balls and otherwise.

r, z = σ(W_ir x_t + b_ir + W_hr h_{t-1} + b_hr), …
n = tanh(W_in x_t + b_in + r (W_hn h_{t-1} + b_hn))      h_t = (1 - z) n + z h_{t-1}

The rows of the weights are those of r, z, n, in this order. Reset before the product, as ONNX has
it with linear_before_reset=0: n = tanh(W_in x_t + b_in + W_hn (r h_{t-1}) + b_hn).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np

from rnn_conformance.bounds.balls import Ball, Matrix, Sum, gamma, joined
from rnn_conformance.bounds.statistics import Statistic
from rnn_conformance.cells import adjoints, decimals
from rnn_conformance.cells.activation_means import of_gru
from rnn_conformance.cells.activations import (
    ULPS,
    before_tanh,
    of_gates,
    pinned,
    read_in_half,
)
from rnn_conformance.cells.adjoint import Adjoint
from rnn_conformance.cells.cell import (
    EVERYWHERE,
    Cell,
    CellWeights,
    Kind,
    Linear,
    Row,
    Trace,
    one_earlier,
)
from rnn_conformance.cells.edits import Edit, Steps, Trials
from rnn_conformance.cells.gated.balls import between, gates_of_gru, gates_reset_before
from rnn_conformance.cells.gated.gru_edits import LIBRARY
from rnn_conformance.cells.gated.gru_trials import GruTrials
from rnn_conformance.contract.call import Array

SHUT = -50.0  # σ(-50) is 2e-22
PRINTED = 16  # units
GATES = "r, z = 1 / (1 + np.exp(-(W_ih[:2] @ x + b_ih[:2] + W_hh[:2] @ h + b_hh[:2])))"


@dataclass(frozen=True)
class Gru(Cell):
    """h_t = (1 - z) n + z h_{t-1}, with n reset after the product."""

    name: str = "gru"
    clause: str = "GRU-CELL-1"
    formula: str = f"""{GATES}
n = np.tanh(W_ih[2] @ x + b_ih[2] + r * (W_hh[2] @ h + b_hh[2]))
(1 - z) * n + z * before"""
    kinds: tuple[Kind, ...] = (*EVERYWHERE, "remembering", "moderate")
    gates: int = 3
    pins: tuple[float | None, ...] = (0.0, SHUT, None)
    remembers: tuple[float, ...] = (0, 7, 0)
    adjoint: Adjoint | None = adjoints.GRU

    def read(self, x: Sum, W_hh: Matrix, b_hh: Sum, h: Ball) -> Ball:
        _, z, n, _ = gates_of_gru(x, W_hh, b_hh, h)
        return joined([z, n])

    def after(self, read: Ball, state: Ball) -> Ball:
        z, n = read.split(2)
        return between(z, n, state.kept())

    def handed_on(self, h: Ball, initial: Ball) -> Ball:
        """x of h = (1 - z) tanh(x / 2) + z h_{t-1}, with z shut."""
        z = pinned(self.pins[1] or 0, h.precision)
        n = mixed_with_little(z, h.kept(), one_earlier(h, initial).kept())
        return read_in_half(before_tanh(n))

    def exact(self, x: Row, of_state: Linear, before: Row) -> Row:
        h, H = of_state(before), len(before)
        r, z = gates_of(x, h, H)
        a = (x_n + r_u * h_n for x_n, r_u, h_n in zip(x[2 * H :], r, h[2 * H :], strict=True))
        return mixed(z, map(decimals.tanh, a), before)

    def statistics(self, trace: Trace, states: Array) -> Iterator[Statistic]:
        return of_gru(trace, states, before=False)

    def reason(self, roundings: int) -> str:
        return of_gates(roundings)

    def trials(self, steps: Sequence[Steps], library: Sequence[Edit] | None = None) -> Trials:
        return GruTrials(steps, LIBRARY if library is None else library)

    def operands(self, w: CellWeights, unit: int, x: Array, h: Array) -> Mapping[str, Any]:
        return {**super().operands(w, unit, x, h), "before": h[unit]}


@dataclass(frozen=True)
class GruResetBefore(Gru):
    """h_t = (1 - z) n + z h_{t-1}, with n reset before the product."""

    name: str = "gru_reset_before"
    clause: str = "GRU-CELL-2"
    adjoint: Adjoint | None = adjoints.GRU_RESET_BEFORE
    formula: str = """H = len(h)
a = W_ih[: 2 * H] @ x + b_ih[: 2 * H] + W_hh[: 2 * H] @ h + b_hh[: 2 * H]
r, z = np.split(1 / (1 + np.exp(-a)), 2)
n = np.tanh(W_ih[2 * H :] @ x + b_ih[2 * H :] + W_hh[2 * H :] @ (r * h) + b_hh[2 * H :])
((1 - z) * n + z * h)[int(unit)]"""

    def read(self, x: Sum, W_hh: Matrix, b_hh: Sum, h: Ball) -> Ball:
        _, z, n = gates_reset_before(x, W_hh, b_hh, h)
        return joined([z, n])

    def exact(self, x: Row, of_state: Linear, before: Row) -> Row:
        H = len(before)
        r, z = gates_of(x, of_state(before), H)
        reset = of_state([r_u * one for r_u, one in zip(r, before, strict=True)])
        a = (x_n + h_n for x_n, h_n in zip(x[2 * H :], reset[2 * H :], strict=True))
        return mixed(z, map(decimals.tanh, a), before)

    def statistics(self, trace: Trace, states: Array) -> Iterator[Statistic]:
        return of_gru(trace, states, before=True)

    def operands(self, w: CellWeights, unit: int, x: Array, h: Array) -> Mapping[str, Any]:
        """All of a layer, since every unit's r is read; none where that is too much to print."""
        return {**w._asdict(), "x": x, "h": h, "unit": unit} if len(h) <= PRINTED else {}


def gates_of(x: Row, h: Row, H: int) -> tuple[Row, Row]:
    """r and z, of the rows of x and h that are theirs."""
    r, z = ([decimals.sigmoid(x[u + k] + h[u + k]) for u in range(H)] for k in (0, H))
    return r, z


def mixed(z: Row, n: Iterable[Decimal], h: Row) -> Row:
    """(1 - z) n + z h."""
    return [(1 - z_u) * n_u + z_u * h_u for z_u, n_u, h_u in zip(z, n, h, strict=True)]


def mixed_with_little(z: Ball, h: Ball, before: Ball) -> Ball:
    """n of h = (1 - z) n + z h_{t-1}, where z is almost 0, so that n is almost h.

    By `between`, |h - n| <= (leak + 2 k U) |n| + (leak + 2 k U z) |h_{t-1}| + 4 eta, with the leak
    z + e_z + gamma_4; and |n| <= |h| + |h - n|.
    """
    p = h.precision
    leak, ulps = z.value + z.radius + gamma(4, p.both), 2 * ULPS * p.both
    from_before = (leak + ulps * z.value) * (np.abs(before.value) + before.radius)
    from_n = (leak + ulps) * (np.abs(h.value) + h.radius)
    off = (from_n + from_before + 4 * p.flushed) / (1 - leak - ulps)
    return Ball(h.value, h.radius + off, p)


GRU, GRU_RESET_BEFORE = Gru(), GruResetBefore()
