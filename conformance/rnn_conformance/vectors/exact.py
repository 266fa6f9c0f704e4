"""The recurrence in fifty decimal digits, rounded once to float64.

Nothing but Python's `decimal`, whose results are the same on every machine. The step is the cell's
`exact`; nothing is shared with the reference.
"""

from collections.abc import Sequence
from decimal import MAX_EMAX, MIN_EMIN, ROUND_HALF_EVEN, Context, Decimal, localcontext
from functools import partial
from itertools import chain
from operator import mul
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from rnn_conformance.cases.case import Data
from rnn_conformance.cells import CELLS
from rnn_conformance.cells.cell import Cell, CellWeights, Row
from rnn_conformance.cells.weights import of_cell
from rnn_conformance.contract.call import Array

FIFTY_DIGITS = Context(prec=50, rounding=ROUND_HALF_EVEN, Emin=MIN_EMIN, Emax=MAX_EMAX)
ZERO = Decimal(0)

Digits = tuple[list[Row], list[Row], Row, Row]  # W_ih, W_hh, b_ih, b_hh


class Exact(NamedTuple):
    """The results of a call.

    Attributes:
        output: (T, B, D·H) in float64, zeros in the padding.
        h_n: (L·D, B, S·H) in float64, the parts of the state side by side.
    """

    output: npt.NDArray[np.float64]
    h_n: npt.NDArray[np.float64]


def exact(data: Data) -> Exact:
    """What the layer computes in evaluation, each number rounded once; padding is never read.

    Raises ValueError where a weight, a real input or a state is no finite number.
    """
    o = data.options
    T, B, _ = data.inputs.shape
    L, D, H = o.num_layers, o.directions, o.hidden_size
    output, h_n = np.zeros((T, B, D * H)), np.zeros((L * D, B, len(o.parts) * H))
    with localcontext(FIFTY_DIGITS):
        cells = [_digits(of_cell(data.weights, i, d, o)) for i in range(L) for d in range(D)]
        for b, length in enumerate(int(steps) for steps in data.steps):
            initial = [ZERO] * (len(o.parts) * H)
            sequence = _rows("inputs", data.inputs[:length, b])
            for layer in range(L):
                halves = []
                for d in range(D):
                    at = layer * D + d
                    h_0 = initial if data.h_0 is None else _row("h_0", data.h_0[at, b])
                    read = sequence[::-1] if d else sequence
                    states = _states(CELLS[o.cell], cells[at], read, h_0)
                    h_n[at, b] = [float(h) for h in states[-1]]
                    shown = [state[:H] for state in states]
                    halves.append(shown[::-1] if d else shown)
                sequence = [list(chain(*parts)) for parts in zip(*halves, strict=True)]
            output[:length, b] = [[float(h) for h in states] for states in sequence]
    return Exact(output, h_n)


def _states(cell: Cell, weights: Digits, sequence: Sequence[Row], h: Row) -> list[Row]:
    """The state after each step, in the order in which they are read."""
    W_ih, W_hh, b_ih, b_hh = weights
    states = []
    for x in sequence:
        h = cell.exact(_affine(W_ih, x, b_ih), partial(_affine, W_hh, b=b_hh), h)
        states.append(h)
    return states


def _affine(W: Sequence[Row], v: Row, b: Row) -> Row:
    return [sum(map(mul, row, v), bias) for row, bias in zip(W, b, strict=True)]


def _digits(w: CellWeights) -> Digits:
    W_ih, W_hh = _rows("W_ih", w.W_ih), _rows("W_hh", w.W_hh)
    return W_ih, W_hh, _row("b_ih", w.b_ih), _row("b_hh", w.b_hh)


def _rows(name: str, values: Array) -> list[Row]:
    return [_row(name, row) for row in values]


def _row(name: str, values: Array) -> Row:
    """The very numbers, exactly: a binary fraction is a decimal one."""
    if not np.isfinite(values).all():
        raise ValueError(f"{name}: expected finite numbers, got {values.tolist()}")
    return [Decimal(value) for value in values.tolist()]
