"""The recurrence in fifty decimal digits, rounded once to float64.

Nothing but Python's `decimal`, whose results are the same on every machine. The step is the cell's
`exact`; nothing is shared with the reference. Gradients come of the same steps by the chain rule.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
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
from rnn_conformance.vectors.traced import Traced, gradient

FIFTY_DIGITS = Context(prec=50, rounding=ROUND_HALF_EVEN, Emin=MIN_EMIN, Emax=MAX_EMAX)
ZERO = Decimal(0)

Weights = tuple[list[Row], list[Row], Row, Row]  # W_ih, W_hh, b_ih, b_hh


class Exact(NamedTuple):
    """The results of a call.

    Attributes:
        output: (T, B, D·H) in float64, zeros in the padding.
        h_n: (L·D, B, S·H) in float64, the parts of the state side by side.
        gradients: where the call asks for them, in float64 by name: "inputs" (T, B, n), "h_0"
            (L·D, B, S·H) where it is given, and each weight as it is; else nothing.
    """

    output: npt.NDArray[np.float64]
    h_n: npt.NDArray[np.float64]
    gradients: Mapping[str, npt.NDArray[np.float64]]


class _Digits(NamedTuple):
    """The results of a call before they are rounded: of each row, and of each state and row."""

    output: list[list[Row]]
    h_n: list[list[Row]]


def exact(data: Data) -> Exact:
    """What the layer computes in evaluation, each number rounded once; padding is never read.

    Raises ValueError where a weight, a real input or a state is no finite number.
    """
    T, B, _ = data.inputs.shape
    read = data if data.upstream is None else _traced(data)
    with localcontext(FIFTY_DIGITS):
        found = _computed(read)
        gradients = {} if data.upstream is None else _gradients(read, gradient(_loss(data, found)))
    output = np.zeros((T, B, data.options.directions * data.options.hidden_size))
    for b, steps in enumerate(found.output):
        output[: len(steps), b] = [[float(h) for h in row] for row in steps]
    h_n = np.array([[[float(h) for h in row] for row in rows] for rows in found.h_n])
    return Exact(output, h_n, gradients)


def _computed(data: Data) -> _Digits:
    o = data.options
    L, D, H = o.num_layers, o.directions, o.hidden_size
    cells = [_weights(of_cell(data.weights, i, d, o)) for i in range(L) for d in range(D)]
    found = _Digits([], [[] for _ in cells])
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
                found.h_n[at].append(states[-1])
                shown = [state[:H] for state in states]
                halves.append(shown[::-1] if d else shown)
            sequence = [list(chain(*parts)) for parts in zip(*halves, strict=True)]
        found.output.append(sequence)
    return found


def _traced(data: Data) -> Data:
    """The same numbers, of which the results know that they came from them."""
    trace: Callable[[Array], Array] = np.frompyfunc(Traced, 1, 1)
    return replace(
        data,
        weights={name: trace(value) for name, value in data.weights.items()},
        inputs=trace(data.inputs),
        h_0=None if data.h_0 is None else trace(data.h_0),
    )


def _loss(data: Data, found: _Digits) -> Decimal:
    """Of which the gradients of the results are those of the call."""
    given, H, loss = data.upstream, data.options.hidden_size, ZERO
    assert given is not None
    if given.output is not None:
        for b, steps in enumerate(found.output):
            for d, h in zip(_rows("upstream", given.output[: len(steps), b]), steps, strict=True):
                loss = sum(map(mul, d, h), loss)
    for k, part in enumerate(data.options.parts):
        of_part: Array | None = getattr(given, f"{part}_n")
        if of_part is not None:
            for of_rows, rows in zip(of_part, found.h_n, strict=True):
                for d, h in zip(_rows("upstream", of_rows), rows, strict=True):
                    loss = sum(map(mul, d, h[k * H : (k + 1) * H]), loss)
    return loss


def _gradients(data: Data, found: Mapping[int, Decimal]) -> dict[str, npt.NDArray[np.float64]]:
    state = {} if data.h_0 is None else {"h_0": data.h_0}
    rounded = np.frompyfunc(lambda number: float(found.get(id(number), ZERO)), 1, 1)
    given = {"inputs": data.inputs, **state, **data.weights}
    return {name: rounded(value).astype(np.float64) for name, value in given.items()}


def _states(cell: Cell, weights: Weights, sequence: Sequence[Row], h: Row) -> list[Row]:
    """The state after each step, in the order in which they are read."""
    W_ih, W_hh, b_ih, b_hh = weights
    states = []
    for x in sequence:
        h = cell.exact(_affine(W_ih, x, b_ih), partial(_affine, W_hh, b=b_hh), h)
        states.append(h)
    return states


def _affine(W: Sequence[Row], v: Row, b: Row) -> Row:
    return [sum(map(mul, row, v), bias) for row, bias in zip(W, b, strict=True)]


def _weights(w: CellWeights) -> Weights:
    W_ih, W_hh = _rows("W_ih", w.W_ih), _rows("W_hh", w.W_hh)
    return W_ih, W_hh, _row("b_ih", w.b_ih), _row("b_hh", w.b_hh)


def _rows(name: str, values: Array) -> list[Row]:
    return [_row(name, row) for row in values]


def _row(name: str, values: Array) -> Row:
    """The very numbers, exactly: a binary fraction is a decimal one."""
    row = [v if isinstance(v, Decimal) else Decimal(v) for v in values.tolist()]
    if not all(number.is_finite() for number in row):
        raise ValueError(f"{name}: expected finite numbers, got {values.tolist()}")
    return row
