"""The recurrence in fifty decimal digits, rounded once to float64.

Nothing but Python's `decimal`, whose results are the same on every machine. Written from
specification.md; it shares no code with the reference.
"""

from collections.abc import Mapping, Sequence
from decimal import MAX_EMAX, MIN_EMIN, ROUND_HALF_EVEN, Context, Decimal, localcontext
from itertools import chain
from operator import mul
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from rnn_conformance.cases.case import Data
from rnn_conformance.contract.call import Array

FIFTY_DIGITS = Context(prec=50, rounding=ROUND_HALF_EVEN, Emin=MIN_EMIN, Emax=MAX_EMAX)
ZERO, ONE = Decimal(0), Decimal(1)
FLAT = 100  # from here on tanh is 1 to 86 digits
STRAIGHT = -13  # below 10^STRAIGHT tanh(a) is a - a^3/3 + 2 a^5/15 to 70 digits

Vec = list[Decimal]


class Exact(NamedTuple):
    """The results of a call.

    Attributes:
        output: (T, B, D·H) in float64, zeros in the padding.
        h_n: (L·D, B, H) in float64.
    """

    output: npt.NDArray[np.float64]
    h_n: npt.NDArray[np.float64]


class Cell(NamedTuple):
    """The weights of one layer and direction, row by row, and the sum of its biases."""

    W_ih: Sequence[Vec]
    W_hh: Sequence[Vec]
    bias: Vec
    relu: bool


def exact(data: Data) -> Exact:
    """What the layer computes in evaluation, each number rounded once; padding is never read.

    Raises ValueError where a weight, a real input or a state is no finite number.
    """
    o = data.options
    T, B, _ = data.inputs.shape
    L, D, H = o.num_layers, o.directions, o.hidden_size
    output, h_n = np.zeros((T, B, D * H)), np.zeros((L * D, B, H))
    with localcontext(FIFTY_DIGITS):
        cells = [_cell(data, layer, d) for layer in range(L) for d in range(D)]
        for b, length in enumerate(int(steps) for steps in data.steps):
            initial = [ZERO] * H
            sequence = _rows("inputs", data.inputs[:length, b])
            for layer in range(L):
                halves = []
                for d in range(D):
                    at = layer * D + d
                    h_0 = initial if data.h_0 is None else _row("h_0", data.h_0[at, b])
                    states = _states(cells[at], sequence[::-1] if d else sequence, h_0)
                    h_n[at, b] = [float(h) for h in states[-1]]
                    halves.append(states[::-1] if d else states)
                sequence = [list(chain(*parts)) for parts in zip(*halves, strict=True)]
            output[:length, b] = [[float(h) for h in states] for states in sequence]
    return Exact(output, h_n)


def tanh(a: Decimal) -> Decimal:
    """tanh to some thirty-six digits or more, in a context of fifty."""
    if abs(a) > FLAT:
        return ONE.copy_sign(a)
    if a.adjusted() < STRAIGHT:
        return a - a**3 / 3 + 2 * a**5 / 15
    e = (2 * a).exp()
    return (e - 1) / (e + 1)


def _states(cell: Cell, sequence: Sequence[Vec], h: Vec) -> list[Vec]:
    """The state after each step, in the order in which they are read."""
    states = []
    for x in sequence:
        h = [
            _activation(cell, sum(map(mul, W_x, x), b) + sum(map(mul, W_h, h), ZERO))
            for W_x, W_h, b in zip(cell.W_ih, cell.W_hh, cell.bias, strict=True)
        ]
        states.append(h)
    return states


def _activation(cell: Cell, a: Decimal) -> Decimal:
    if cell.relu:
        return a if a > 0 else ZERO
    return tanh(a)


def _cell(data: Data, layer: int, direction: int) -> Cell:
    weights: Mapping[str, Array] = data.weights
    end = f"l{layer}{'_reverse' if direction else ''}"
    bias = [ZERO] * data.options.hidden_size
    if data.options.bias:
        names = (f"bias_ih_{end}", f"bias_hh_{end}")
        both = (_row(name, weights[name]) for name in names)
        bias = [one + other for one, other in zip(*both, strict=True)]
    W_ih, W_hh = (_rows(name, weights[name]) for name in (f"weight_ih_{end}", f"weight_hh_{end}"))
    return Cell(W_ih, W_hh, bias, data.options.nonlinearity == "relu")


def _rows(name: str, values: Array) -> list[Vec]:
    return [_row(name, row) for row in values]


def _row(name: str, values: Array) -> Vec:
    """The very numbers, exactly: a binary fraction is a decimal one."""
    if not np.isfinite(values).all():
        raise ValueError(f"{name}: expected finite numbers, got {values.tolist()}")
    return [Decimal(value) for value in values.tolist()]
