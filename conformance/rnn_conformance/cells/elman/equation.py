"""The equation of the plain RNN: in balls, in decimal digits, in NumPy and in words."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

import numpy as np
import numpy.typing as npt

from rnn_conformance.bounds.balls import Ball, Float64, Matrix, Sum, applied, product
from rnn_conformance.bounds.statistics import Statistic, statistics
from rnn_conformance.cells import adjoints, decimals
from rnn_conformance.cells.activations import ULPS, before_tanh, read_in_half, relu, tanh
from rnn_conformance.cells.adjoint import Adjoint
from rnn_conformance.cells.cell import EVERYWHERE, Cell, Kind, Linear, Row, Trace
from rnn_conformance.cells.edits import Edit, Steps, Trials
from rnn_conformance.cells.elman.edits import LIBRARY
from rnn_conformance.cells.elman.residuals import residuals
from rnn_conformance.cells.elman.trials import ElmanTrials
from rnn_conformance.contract.call import Array

SUM = "W_ih @ x + b_ih + W_hh @ h + b_hh"


class Elman(Cell):
    """What tanh and relu have in common."""

    def trials(self, steps: Sequence[Steps], library: Sequence[Edit] | None = None) -> Trials:
        return ElmanTrials(steps, LIBRARY if library is None else library)


@dataclass(frozen=True)
class Tanh(Elman):
    """h_t = tanh(W_ih x_t + b_ih + W_hh h_{t-1} + b_hh)."""

    name: str = "tanh"
    clause: str = "RNN-CELL-1"
    formula: str = f"np.tanh({SUM})"
    kinds: tuple[Kind, ...] = (*EVERYWHERE, "moderate")
    odd: bool = True
    pins: tuple[float | None, ...] = (None,)
    adjoint: Adjoint | None = adjoints.TANH

    @property
    def loose(self) -> Cell:
        return Steepest()

    def read(self, x: Sum, W_hh: Matrix, b_hh: Sum, h: Ball) -> Ball:
        return tanh(x + product(W_hh, h) + b_hh).shown()

    def handed_on(self, h: Ball, _: Ball) -> Ball:
        """x of h = tanh(x / 2), which may have been kept wider than it shows."""
        return read_in_half(before_tanh(h.kept(), least=0))

    def exact(self, x: Row, of_state: Linear, before: Row) -> Row:
        return [decimals.tanh(a + b) for a, b in zip(x, of_state(before), strict=True)]

    def reason(self, roundings: int) -> str:
        return f"gamma_{roundings}(u) sum |terms| through tanh, plus {ULPS} ulps and a rounding"

    def statistics(self, trace: Trace, states: Array) -> Iterator[Statistic]:
        return statistics(residuals(trace, states))


@dataclass(frozen=True)
class Relu(Elman):
    """h_t = max(W_ih x_t + b_ih + W_hh h_{t-1} + b_hh, 0)."""

    name: str = "relu"
    clause: str = "RNN-CELL-2"
    can_rest: bool = True
    formula: str = f"np.maximum({SUM}, 0)"
    kinds: tuple[Kind, ...] = (*Cell.kinds, "transparent")
    pins: tuple[float | None, ...] = (None,)
    adjoint: Adjoint | None = adjoints.RELU

    def read(self, x: Sum, W_hh: Matrix, b_hh: Sum, h: Ball) -> Ball:
        return relu(x + product(W_hh, h) + b_hh)

    def handed_on(self, h: Ball, _: Ball) -> Ball:
        """x of h = x / 2, as no state below it is negative."""
        return read_in_half(h.kept())

    def exact(self, x: Row, of_state: Linear, before: Row) -> Row:
        return [max(a + b, Decimal(0)) for a, b in zip(x, of_state(before), strict=True)]

    def reason(self, roundings: int) -> str:
        return f"gamma_{roundings}(u) sum |terms|"

    def alive(self, states: Float64) -> npt.NDArray[np.bool_]:
        nonzero: npt.NDArray[np.bool_] = states != 0
        return nonzero


class Steepest(Tanh):
    """tanh, bounded as if it were as steep everywhere as at 0."""

    def read(self, x: Sum, W_hh: Matrix, b_hh: Sum, h: Ball) -> Ball:
        return applied((x + product(W_hh, h) + b_hh).ball(), np.tanh, np.ones_like, ulps=0)


TANH, RELU = Tanh(), Relu()
