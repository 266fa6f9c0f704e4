"""The LSTM of torch.nn.LSTM: in balls, in decimal digits and in words.

i, f, o = σ(W_ii x_t + b_ii + W_hi h_{t-1} + b_hi), …
g = tanh(W_ig x_t + b_ig + W_hg h_{t-1} + b_hg)
c_t = f c_{t-1} + i g,     h_t = o tanh(c_t)

The rows of the weights are those of i, f, g, o, in this order. h shows at every step, c at the end
alone: between, it is carried as a ball, and read off h = o tanh(c) where that knows it better.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from rnn_conformance.bounds.balls import Ball, Matrix, Sum, joined
from rnn_conformance.bounds.statistics import Statistic
from rnn_conformance.cells import adjoints, decimals
from rnn_conformance.cells.activation_means import of_lstm
from rnn_conformance.cells.activations import (
    before_tanh,
    gated_tanh,
    of_gates,
    pinned,
    read_in_half,
)
from rnn_conformance.cells.adjoint import Adjoint
from rnn_conformance.cells.cell import EVERYWHERE, Cell, Kind, Linear, Row, Trace, one_earlier
from rnn_conformance.cells.edits import Edit, Steps, Trials
from rnn_conformance.cells.gated.balls import gates_of_lstm
from rnn_conformance.cells.gated.lstm_edits import LIBRARY
from rnn_conformance.cells.gated.lstm_trials import LstmTrials
from rnn_conformance.contract.call import Array

OPEN = 50.0  # σ(50) is 1 but for 2e-22


@dataclass(frozen=True)
class Lstm(Cell):
    """c_t = f c_{t-1} + i g, h_t = o tanh(c_t)."""

    name: str = "lstm"
    clause: str = "LSTM-CELL-1"
    formula: str = ""  # c_{t-1} does not show
    kinds: tuple[Kind, ...] = (*EVERYWHERE, "remembering", "moderate")
    gates: int = 4
    parts: tuple[str, ...] = ("h", "c")
    pins: tuple[float | None, ...] = (OPEN, -OPEN, None, OPEN)
    remembers: tuple[float, ...] = (0, 7, 0, 0)
    adjoint: Adjoint | None = adjoints.LSTM

    def read(self, x: Sum, W_hh: Matrix, b_hh: Sum, h: Ball) -> Ball:
        return joined(gates_of_lstm(x, W_hh, b_hh, h))

    def after(self, read: Ball, state: Ball) -> Ball:
        i, f, g, o = read.split(4)
        c = f * state.split(2)[1] + i * g
        return joined([o * gated_tanh(c), c, o])

    def seen(self, state: Ball, h: Ball) -> Ball:
        """c is what h shows of it, where that is nearer than what is computed of it.

        A state that is wrong shows nothing.
        """
        computed, c, o = state.split(3)
        read = before_tanh(h.kept() / o)
        right = np.abs(h.value - computed.value) <= computed.bound + h.radius
        nearer = right & (read.radius < c.radius)
        value, radius = (
            np.where(nearer, ours, theirs)
            for ours, theirs in ((read.value, c.value), (read.radius, c.radius))
        )
        return joined(
            [
                Ball(h.value, np.broadcast_to(h.radius, radius.shape), c.precision),
                Ball(value, radius, c.precision),
            ]
        )

    def handed_on(self, h: Ball, initial: Ball) -> Ball:
        """x of h = o tanh(c), c = f c_{t-1} + i tanh(x / 2), with i and o open, f shut.

        c = atanh(h / o), whose radius grows by a rounding of h and of the product. So does that of
        i g = c - f c_{t-1} by a rounding of the sum and of each product. What f lets through has a
        radius of 4 U |c_{t-1}|, as its ulps are those of 1/2.
        """
        i, f, o = (pinned(self.pins[k] or 0, h.precision) for k in (0, 1, 3))
        c = before_tanh(h.kept() / o)
        kept = f * one_earlier(c, initial.split(2)[1])
        return read_in_half(before_tanh((c.kept() + -1.0 * kept) / i))

    def exact(self, x: Row, of_state: Linear, before: Row) -> Row:
        H = len(x) // 4
        a = [one + other for one, other in zip(x, of_state(before[:H]), strict=True)]
        i, f, o = (map(decimals.sigmoid, a[k * H : (k + 1) * H]) for k in (0, 1, 3))
        g = map(decimals.tanh, a[2 * H : 3 * H])
        kept = [i_u * g_u for i_u, g_u in zip(i, g, strict=True)]
        c = [f_u * c_u + new for f_u, c_u, new in zip(f, before[H:], kept, strict=True)]
        return [*(o_u * decimals.tanh(c_u) for o_u, c_u in zip(o, c, strict=True)), *c]

    def statistics(self, trace: Trace, states: Array) -> Iterator[Statistic]:
        return of_lstm(trace, states)

    def trials(self, steps: Sequence[Steps], library: Sequence[Edit] | None = None) -> Trials:
        return LstmTrials(steps, LIBRARY if library is None else library)

    def reason(self, roundings: int) -> str:
        return of_gates(roundings)


LSTM = Lstm()
