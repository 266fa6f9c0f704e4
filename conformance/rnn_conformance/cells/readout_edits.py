"""What ports do otherwise in the readout y_t = W_ho h_t + b_ho, as edits of it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from rnn_conformance.bounds.balls import Float64, Precision, gamma
from rnn_conformance.cells.edits import (
    Edit,
    Edits,
    Indices,
    Trials,
    Values,
    agreed,
    as_float32,
    product,
)
from rnn_conformance.contract.call import Array

Rows = tuple[Any, Any]


@dataclass(frozen=True)
class Outputs:
    """Numbers of a readout.

    Attributes:
        W, b: (O, D·H) and (O,).
        states: (T + 1, B, D·H) in the order of time, h_0 first.
        t, row, u: (N,).
        found: (N,).
    """

    W: Array
    b: Array
    states: Float64
    t: Indices
    row: Indices
    u: Indices
    found: Float64
    precision: Precision


def _from(where: Callable[[Outputs, int, int], Rows]) -> Callable[[Outputs], Float64]:
    """From the states of another step and row: of (numbers, T, B); -1 is h_0."""

    def term(s: Outputs) -> Float64:
        t, row = where(s, len(s.states) - 1, s.states.shape[1])
        return product(s.states[t + 1, row], s.W, s.u)[0]

    return term


def _right(s: Outputs) -> Float64:
    return product(s.states[s.t + 1, s.row], s.W, s.u)[0]


def _transposed(s: Outputs) -> Float64:
    square = s.W.shape[0] == s.W.shape[1]
    return product(s.states[s.t + 1, s.row], s.W.T if square else s.W, s.u)[0]


def _reversed(s: Outputs) -> Float64:
    return product(s.states[s.t + 1, s.row, ::-1], s.W, s.u)[0]


def _times(factor: float, term: Float64) -> Float64:
    return factor * term


def _softmax(s: Outputs) -> Float64:
    y = s.states[s.t + 1, s.row] @ s.W.T.astype(np.float64) + s.b
    share = np.exp(y - y.max(axis=1, keepdims=True))
    found: Float64 = share[np.arange(len(y)), s.u] / share.sum(axis=1)
    return found


MOVED: Mapping[str, Callable[[Outputs, int, int], Rows]] = {
    "y_t is that of h_{t-1}": lambda s, *_: (s.t - 1, s.row),
    "y_t is that of h_{t+1}": lambda s, T, _: (np.minimum(s.t + 1, T - 1), s.row),
    "every y_t is that of the last step": lambda s, T, _: (0 * s.t + T - 1, s.row),
    "every y_t is that of step 0": lambda s, *_: (0 * s.t, s.row),
    "y is given from its last step": lambda s, T, _: (T - 1 - s.t, s.row),
    "y of row 0 stands in every row": lambda s, *_: (s.t, 0 * s.row),
    "y of the row before stands in each": lambda s, *_: (s.t, s.row - 1),
    "y of the next row stands in each": lambda s, _, B: (s.t, (s.row + 1) % B),
    "y of (T·B, O) is read as (B, T)": lambda s, T, B: divmod(s.row * T + s.t, B),
    "y of (B·T, O) is read as (T, B)": lambda s, T, B: divmod(s.t * B + s.row, T)[::-1],
}


def _library() -> Iterator[Edit]:
    for says, where in MOVED.items():
        yield Edit(says, {"product": _from(where)})
    yield Edit("W_ho is transposed", {"product": _transposed})
    yield Edit("h_t is read in reverse order of units", {"product": _reversed})
    yield Edit("W_ho h_t is missing", {"product": lambda s: 0.0 * _right(s)})
    for says, factor in (("missing", 0), ("added twice", 2), ("halved", 0.5), ("subtracted", -1)):
        yield Edit(f"b_ho is {says}", {"bias": partial(_times, factor)})
    functions: Mapping[str, Callable[[Float64], Float64]] = {
        "tanh": np.tanh,
        "relu": lambda a: np.maximum(a, 0),
        "the logistic function": lambda a: 1 / (1 + np.exp(-a)),
        "a rounding to float16": lambda a: a.astype(np.float16).astype(np.float64),
    }
    for name, function in functions.items():
        yield Edit(f"y goes through {name}", {"after": function})
    yield Edit("y is computed in float32", {"allows": as_float32})
    yield Edit("y goes through softmax", {"product": _softmax, "bias": partial(_times, 0)})


LIBRARY: tuple[Edit, ...] = tuple(_library())


class ReadoutTrials(Trials):
    """Numbers of the readouts of several calls."""

    def __init__(self, outputs: Sequence[Outputs]) -> None:
        def each(of: Callable[[Outputs], Any]) -> Any:
            return np.concatenate([np.broadcast_to(of(s), s.u.shape) for s in outputs])

        self.found, self.edits = each(lambda s: s.found), LIBRARY
        self._bias = each(lambda s: s.b[s.u].astype(np.float64))
        with np.errstate(all="ignore"):
            self._right = each(_right)
            products = [edit for edit in LIBRARY if "product" in edit.does]
            self._edited = {edit: each(edit.does["product"]) for edit in products}
            size = each(lambda s: product(s.states[s.t + 1, s.row], s.W, s.u)[1])
        u, eta = each(lambda s: s.precision.both), each(lambda s: s.precision.flushed)
        self._u = u
        m = each(lambda s: s.W.shape[1] + 2)
        most = np.fmax(size, np.max([np.abs(v) for v in self._edited.values()], axis=0))
        self._radius = gamma(m, u) * (most + np.abs(self._bias)) + m * eta
        self.features: Mapping[str, Float64] = {}

    def values(self, edits: Edits, at: Indices) -> Values:
        product, bias, radius = self._right[at], self._bias[at], self._radius[at]
        does = {slot: edit for edit in edits for slot in edit.does}
        if "product" in does:
            product = self._edited[does["product"]][at]
        if "bias" in does:
            bias = does["bias"].does["bias"](bias)
        y = product + bias
        if "allows" in does:
            radius = as_float32(self.found[at], y, radius, self._u[at])
        if "after" not in does:
            return y, radius
        after = does["after"].does["after"]
        y, lower, upper = after(y), after(y - radius), after(y + radius)
        return y, np.fmax(np.abs(upper - y), np.abs(lower - y)) + radius

    def estimated(self, _: Edits, at: Indices) -> tuple[Edit, ...]:
        y, found, many = self._right[at] + self._bias[at], self.found[at], max(5, len(at) // 50)
        ratios = np.divide(found, y, out=np.full_like(y, np.nan), where=y != 0)
        constants = (
            Edit(f"y is {c:.9g}", {"after": partial(lambda c, y: np.full_like(y, c), c)})
            for c in agreed(found, 0, many)
        )
        factors = (
            Edit(f"y is {c:.7g} times as large", {"after": partial(_times, c)})
            for c in agreed(ratios, 1e-5, many)
            if abs(c - 1) > 1e-5 and c
        )
        return *constants, *factors
