"""What ports do otherwise in the readout y_t = W_ho h_t + b_ho, as edits of it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from rnn_conformance.bounds.balls import Float64, Precision, gamma
from rnn_conformance.cells import changes
from rnn_conformance.cells.edits import (
    Edit,
    Edits,
    Indices,
    Trials,
    Values,
    as_float32,
    for_each,
    of_matrices,
    of_vectors,
    product,
)
from rnn_conformance.cells.moves import OTHERS, USUAL, Move, at
from rnn_conformance.contract.call import Array

PREACTIVATION, FIRST = "the pre-activation", "the state of the first layer"
OWN = {name: name for name in ("W_ho h_t", "b_ho")}  # the terms of y


@dataclass(frozen=True)
class Outputs:
    """Numbers of a readout.

    Attributes:
        W, b: (O, D·H) and (O,).
        states, off: (T + 1, B, D·H) in the order of time, h_0 first, and how far off they can be.
        t, row, u: (N,).
        others: (N, D·H), what can be mistaken for the states, and how far off it can be, by name.
        lengths: (B,), how many real steps each row has.
        before: (N,), the numbers of the step before each, 0 at first.
        found: (N,).
    """

    W: Array
    b: Array
    states: Float64
    off: Float64
    others: Mapping[str, Values]
    t: Indices
    row: Indices
    u: Indices
    lengths: Indices
    before: Float64
    found: Float64
    precision: Precision


def _right(s: Outputs) -> Float64:
    return _of(s, s.states[s.t + 1, s.row], s.W)


def _of(s: Outputs, states: Float64, W: Array) -> Float64:
    return product(states, W, s.u)[0]


def _of_their_radius(s: Outputs) -> Float64:
    return _of(s, s.off.max(axis=0)[s.row], np.abs(s.W))


def _moved(move: Move, s: Outputs) -> Float64:
    t, row = move(at(s.t, len(s.states) - 1, s.row, s.lengths))
    return _of(s, s.states[t + 1, row], s.W)


def _of_the_state_before(s: Outputs) -> Float64:
    return _of(s, s.states[s.t, s.row], s.W)


def _with_states(change: Callable[[Float64], Float64], s: Outputs) -> Float64:
    return _of(s, change(s.states[s.t + 1, s.row]), s.W)


def _with_weight(change: Callable[[Array], Array], s: Outputs) -> Float64:
    W = change(s.W)
    return _of(s, s.states[s.t + 1, s.row], W if W.shape == s.W.shape else s.W)


def _of_others(name: str, s: Outputs) -> Float64:
    return _of(s, s.others[name][0], s.W)


def _of_their_own_radius(name: str, s: Outputs) -> Float64:
    return _of(s, s.others[name][1], np.abs(s.W))


def _times(factor: float, term: Float64) -> Float64:
    return factor * term


def _passed(change: changes.Function, s: Outputs) -> Float64:
    return _of(s, change(s.states[1:])[s.t, s.row], s.W)


def _of_passed(change: changes.Function, s: Outputs) -> Float64:
    """The absolute values that are added up where a sequence is summed first."""
    return _of(s, np.abs(change(np.abs(s.states[1:])))[s.t, s.row], np.abs(s.W))


def _in_rows(rows: changes.OfRows, s: Outputs) -> tuple[Float64, Float64]:
    """y after a change of whole rows, and how far off it can be."""
    W, h = s.W.astype(np.float64), s.states[s.t + 1, s.row]
    y, n = h @ W.T + s.b, np.arange(len(s.u))
    size = np.abs(h) @ np.abs(W).T + np.abs(s.b)
    own = gamma(W.shape[1] + 2, s.precision.both) * size + W.shape[1] * s.precision.flushed
    found, radius = rows.bounded(y, own, s.precision.both)
    return found[n, s.u], radius[n, s.u]


def _library() -> Iterator[Edit]:
    yield Edit("y_t is that of h_{t-1}, h_0 at first", {"product": _of_the_state_before})
    for name in (PREACTIVATION, FIRST):
        of_them = {"product": partial(_of_others, name), "others": name}
        yield Edit(f"y_t is that of {name}", of_them)
    for where, move in {**USUAL, **OTHERS}.items():
        yield Edit(f"y_t is taken {where}", {"product": partial(_moved, move)})
    for says, of_vector in of_vectors():
        yield Edit(f"h_t {says} for y_t", {"product": partial(_with_states, of_vector)})
    for says, of_matrix in of_matrices():
        yield Edit(f"W_ho {says}".replace(" ,", ","), {"product": partial(_with_weight, of_matrix)})
    yield Edit("W_ho h_t is missing", {"product": lambda s: 0.0 * _right(s)})
    for says, factor in (("missing", 0), ("added twice", 2), ("halved", 0.5), ("subtracted", -1)):
        yield Edit(f"b_ho is {says}", {"bias": partial(_times, factor)})
    for says, change in {**changes.NUMBERS, **changes.DECIMALS, **OF_Y}.items():
        yield Edit(f"y {says}", {"after": change})
    for says, of_rows in changes.ROWS.items():
        yield Edit(f"y {says}", {"rows": of_rows, "product": None, "bias": None})
        yield Edit(f"h_t {says} for y_t", {"product": partial(_with_states, of_rows.change)})
    for says, change in {**changes.NUMBERS, **changes.DECIMALS}.items():
        yield Edit(f"h_t {says} for y_t", {"product": partial(_with_states, change)})
    for says, change in changes.PASSED.items():
        yield Edit(f"h_t {says} for y_t", {"product": partial(_passed, change), "passed": change})
    yield Edit("b_ho of unit 0 is added to every unit", {"bias": None, "of_first": True})
    yield Edit("y_{t-1} is added to y_t", {"plus": True})
    yield Edit("y is computed in float32", {"allows": as_float32})


OF_Y: Mapping[str, Callable[[Float64], Float64]] = {
    "goes through a clip to [-1, 1]": lambda a: np.clip(a, -1, 1),
    "goes through a rounding to float16": lambda a: a.astype(np.float16).astype(np.float64),
}
LIBRARY: tuple[Edit, ...] = tuple(_library())


class ReadoutTrials(Trials):
    """Numbers of the readouts of several calls."""

    def __init__(self, outputs: Sequence[Outputs]) -> None:
        def each(of: Callable[[Outputs], Any]) -> Any:
            return np.concatenate([for_each(s.u, of(s)) for s in outputs])

        self.found, self.edits = each(lambda s: s.found), LIBRARY
        self._before = each(lambda s: s.before)
        self._bias = each(lambda s: s.b[s.u].astype(np.float64))
        self._first = each(lambda s: s.b[0].astype(np.float64))
        with np.errstate(all="ignore"):
            self._right = each(_right)
            products = [edit for edit in LIBRARY if edit.does.get("product")]
            self._edited = {edit: each(edit.does["product"]) for edit in products}
            rows = {edit: edit.does["rows"] for edit in LIBRARY if "rows" in edit.does}
            self._in_rows = {
                edit: [
                    np.concatenate(part)
                    for part in zip(*(_in_rows(of, s) for s in outputs), strict=True)
                ]
                for edit, of in rows.items()
            }
            self._parts = {"W_ho h_{t-1}": each(_of_the_state_before), "y_{t-1}": self._before}
            passed = [edit for edit in products if "passed" in edit.does]
            steps = each(lambda s: len(s.states) + 1)
            self._passed = {
                edit: gamma(steps, each(lambda s: s.precision.both))
                * each(partial(_of_passed, edit.does["passed"]))
                for edit in passed
            }
            self._off = {n: each(partial(_of_their_own_radius, n)) for n in (PREACTIVATION, FIRST)}
            size = each(lambda s: product(s.states[s.t + 1, s.row], s.W, s.u)[1])
        u, eta = each(lambda s: s.precision.both), each(lambda s: s.precision.flushed)
        self._u = u
        m = each(lambda s: s.W.shape[1] + 2)
        self._size, self._gamma, self._least = size + np.abs(self._bias), gamma(m, u), m * eta
        self._least = self._least + each(_of_their_radius)
        self.features: Mapping[str, Float64] = {}

    def values(self, edits: Edits, at: Indices) -> Values:
        product, bias, size = self._right[at], self._bias[at], self._size[at]
        does = {slot: edit for edit in edits for slot in edit.does}
        radius = self._gamma[at] * (size + abs(self._first[at]) * ("of_first" in does))
        radius = radius + self._least[at]
        if "rows" in does:
            own = self._in_rows[does["rows"]]
            usual = product + bias, radius
            product, radius = changes.told_apart((own[0][at], own[1][at]), usual)
            bias = 0 * bias
        elif "product" in does:
            product = self._edited[does["product"]][at]
            radius = radius + self._gamma[at] * np.abs(product)
        if "others" in does:
            radius = radius + self._off[does["others"].does["others"]][at]
        if "passed" in does:
            radius = radius + self._passed[does["passed"]][at]
        if "of_first" in does:
            bias = self._first[at]
        elif "bias" in does and "rows" not in does:
            bias = does["bias"].does["bias"](bias)
        y = product + bias
        if "plus" in does:
            y, radius = y + self._before[at], radius + 2 * self._u[at] * np.abs(self._before[at])
        known = {"W_ho h_t": product, "b_ho": bias}
        for name, c in does["more"].does["more"].items() if "more" in does else ():
            part = known[name] if name in known else self._parts[name][at]
            y, radius = y + c * part, radius + (1 + abs(c)) * self._gamma[at] * (size + abs(part))
        if "allows" in does:
            radius = as_float32(self.found[at], y, radius, self._u[at])
        if "after" not in does:
            return y, radius
        after = does["after"].does["after"]
        y, lower, upper = after(y), after(y - radius), after(y + radius)
        return y, np.fmax(np.abs(upper - y), np.abs(lower - y)) + radius

    def estimated(self, edits: Edits, at: Indices) -> tuple[Edit, ...]:
        product, bias = self._right[at], self._bias[at]
        y, found, many = product + bias, self.found[at], max(5, len(at) // 50)
        changed = (
            Edit(f"y {says}", {"after": change})
            for says, change in changes.estimated(found, y, many)
        )
        if {"more", "product", "rows"} & {slot for edit in edits for slot in edit.does}:
            return tuple(changed)
        parts = {"W_ho h_t": product, "b_ho": bias, **{n: v[at] for n, v in self._parts.items()}}
        mixed = (
            Edit(changes.in_words(some, OWN, "y_t"), {"more": some})
            for some in changes.mixtures(found - y, parts, many)
            if not {*some} <= {*OWN} or np.abs(1 + some[max(some)] - changes.USUAL).min() > 1e-3
        )
        return *changed, *mixed
