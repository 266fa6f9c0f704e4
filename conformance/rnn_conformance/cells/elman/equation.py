"""The equation of the plain RNN: in balls, in decimal digits, in NumPy and in words."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

import numpy as np
import numpy.typing as npt

from rnn_conformance.bounds.balls import Ball, Float64, Matrix, Sum, applied, product
from rnn_conformance.bounds.statistics import Statistic, statistics
from rnn_conformance.cells import adjoints, decimals
from rnn_conformance.cells.activations import ULPS, relu, tanh
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

    def step(self, x: Sum, W_hh: Matrix, b_hh: Sum, h: Ball) -> Ball:
        return tanh(x + product(W_hh, h) + b_hh).shown()

    def handed_on(self, output: Ball) -> Ball:
        h, u = output.value, output.precision.both
        off = output.radius + (2 * ULPS + 1) * u * np.abs(h)
        return Ball(np.arctanh(h), off / (1 - h**2), output.precision)

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
    kinds: tuple[Kind, ...] = ("contractive", "one_hot", "integers", "marked", "passing")
    formula: str = f"np.maximum({SUM}, 0)"
    pins: tuple[float | None, ...] = (None,)
    adjoint: Adjoint | None = adjoints.RELU

    def step(self, x: Sum, W_hh: Matrix, b_hh: Sum, h: Ball) -> Ball:
        return relu(x + product(W_hh, h) + b_hh)

    def handed_on(self, output: Ball) -> Ball:
        off = 2 * output.precision.both * np.abs(output.value)
        return Ball(output.value, output.radius + off, output.precision)

    def exact(self, x: Row, of_state: Linear, before: Row) -> Row:
        return [max(a + b, Decimal(0)) for a, b in zip(x, of_state(before), strict=True)]

    def reason(self, roundings: int) -> str:
        return f"gamma_{roundings}(u) sum |terms|"

    def alive(self, states: Float64) -> npt.NDArray[np.bool_]:
        nonzero: npt.NDArray[np.bool_] = states != 0
        return nonzero


class Steepest(Tanh):
    """tanh, bounded as if it were as steep everywhere as at 0."""

    def step(self, x: Sum, W_hh: Matrix, b_hh: Sum, h: Ball) -> Ball:
        return applied((x + product(W_hh, h) + b_hh).ball(), np.tanh, np.ones_like, ulps=0)


TANH, RELU = Tanh(), Relu()
