"""What ports give as h_n in place of the last state, as edits of where it is taken from."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from rnn_conformance.bounds.balls import Float64, Precision, gamma
from rnn_conformance.cells import changes
from rnn_conformance.cells.edits import Edit, Edits, Indices, Trials, Values
from rnn_conformance.cells.moves import FEW, OTHERS, USUAL, At, at, from_position


@dataclass(frozen=True)
class Finals:
    """Numbers of h_n; of several calls, each field is (N,).

    Attributes:
        T, B, H, D, L: of the call.
        s, step, b, u: where in its states a number is taken from: of which layer and direction,
            after how many steps that the direction reads, of which row and unit.
    """

    T: Indices
    B: Indices
    H: Indices
    D: Indices
    L: Indices
    s: Indices
    step: Indices
    b: Indices
    u: Indices

    @property
    def index(self) -> Indices:
        """In the states (L·D, T + 1, B, H), flat."""
        return ((self.s * (self.T + 1) + self.step) * self.B + self.b) * self.H + self.u


LAST = "the last state"
STEPS_BACK = {"the state before it": 1, "h_0": np.iinfo(np.int64).max // 2}  # where others stand
LAYERS: Mapping[str, Callable[[Finals], Any]] = {
    "h_n has the last layer first": lambda f: (f.L - 1 - f.s // f.D) * f.D + f.s % f.D,
    "h_n of every layer is that of the last": lambda f: (f.L - 1) * f.D + f.s % f.D,
    "h_n of every layer is that of the first": lambda f: f.s % f.D,
    "h_n has all layers of one direction, then of the other": lambda f: (
        f.s % f.L * f.D + f.s // f.L
    ),
    "h_n has the directions exchanged": lambda f: f.s // f.D * f.D + f.D - 1 - f.s % f.D,
    "h_n of both directions is that of the forward one": lambda f: f.s // f.D * f.D,
}


def _library(name: str, other: str) -> Iterator[Edit]:
    if other:
        yield Edit(f"{name} is {other}", {"other": True})
    for edit in _of_one_part():
        says = re.sub(r"\bh_n\b", name, edit.says)
        yield Edit(says, edit.does)


def _of_one_part() -> Iterator[Edit]:
    for where, move in {**USUAL, **OTHERS}.items():
        if "modulo" not in where:
            yield Edit(f"h_n is taken {where}", {"move": move})
    yield Edit("h_n is the state after the first step", {"move": from_position(1)[1]})
    for says, layer in LAYERS.items():
        yield Edit(says, {"s": layer})
    yield Edit("the units of h_n are in reverse order", {"u": lambda f: f.H - 1 - f.u})
    yield Edit(
        "h_n of (B, L·D, H) is read as (L·D, B, H)",
        {
            "s": lambda f: (f.s * f.B + f.b) % (f.L * f.D),
            "row": lambda f: (f.s * f.B + f.b) // (f.L * f.D),
        },
    )
    for name, to in (("float32", np.float32), ("float16", np.float16)):
        yield Edit(
            f"h_n is rounded to {name}", {"after": lambda h, to=to: h.astype(to).astype(float)}
        )
    for says, change in {**changes.NUMBERS, **changes.DECIMALS}.items():
        yield Edit(f"h_n {says}", {"after": change})
    for says, change in changes.POOLED.items():
        yield Edit(f"h_n {says}", {"pooled": change})


class FinalTrials(Trials):
    """Numbers of h_n.

    Args:
        places: by call, where each number should be taken from.
        states, radii: by call, (L·D, T + 1, B, H), and how far off they can be.
        lengths: by call, (B,).
        others: by call, states and radii of the part that may be taken for this one.
        name, other: of the result, and of that of the other part.
        last: whether each is the last state of its row.
    """

    def __init__(
        self,
        found: Sequence[Float64],
        places: Sequence[Finals],
        states: Sequence[Float64],
        radii: Sequence[Float64],
        lengths: Sequence[Indices],
        precisions: Sequence[Precision],
        others: Sequence[tuple[Float64, Float64]],
        *,
        name: str = "h_n",
        other: str = "",
        last: bool = True,
    ) -> None:
        self._name, self._last = name, last
        self.found, self.edits = np.concatenate(found), tuple(_library(name, other))
        names = vars(places[0])
        self._places = Finals(**{n: np.concatenate([getattr(p, n) for p in places]) for n in names})
        sizes = [state.size for state in states]
        counts = [len(part) for part in found]
        self._lengths = np.concatenate(lengths)
        rows = [at(each, 0, np.arange(len(each)), each) for each in lengths]
        self._orders = [
            np.concatenate([getattr(one, name) for one in rows])
            for name in ("order", "rank", "twice")
        ]
        self._row = np.repeat(np.cumsum([0, *map(len, lengths[:-1])]), counts)
        self._start = np.repeat(np.cumsum([0, *sizes[:-1]]), counts)
        self._states = np.concatenate([state.ravel() for state in states])
        self._others = [np.concatenate([n.ravel() for n in of]) for of in zip(*others, strict=True)]
        self._radii = np.concatenate([radius.ravel() for radius in radii])
        calls = [*zip(places, states, radii, lengths, precisions, strict=True)]
        self._pooled = {
            change: [
                np.concatenate(part)
                for part in zip(*(_pooled(change, *c) for c in calls), strict=True)
            ]
            for change in changes.POOLED.values()
        }
        self._u = np.repeat([p.both for p in precisions], counts)
        self.features: Mapping[str, Float64] = {}

    def values(self, edits: Edits, at: Indices) -> Values:
        f = Finals(**{name: part[at] for name, part in vars(self._places).items()})
        does = {slot: what for edit in edits for slot, what in edit.does.items()}
        lengths, first = self._lengths, self._row[at]
        s, row = (
            does[slot](f) if slot in does else right for slot, right in (("s", f.s), ("row", f.b))
        )
        f = replace(f, s=s, b=row, step=lengths[first + row] if self._last else f.step)
        if "u" in does:
            f = replace(f, u=does["u"](f))
        moved = f
        if "move" in does:
            order, rank, twice = (part[first + f.b] for part in self._orders)
            ends = lengths[first + f.b] + 1
            place = At(f.step, f.T + 1, ends, ends, f.b, f.B, order, rank, twice, back=False)
            step, row = does["move"](place)
            if self._last:  # another row's own last
                step = np.where(step == f.step, lengths[first + row], step)
            moved = replace(f, step=step, b=row)
        index = self._start[at] + moved.index
        own = self._others if "other" in does else (self._states, self._radii)
        value, radius = (numbers[index] for numbers in own)
        if "pooled" in does:
            value, radius = (part[at] for part in self._pooled[does["pooled"]])
        if "mix" in does:
            parts = {name: self._part(name, at) for name in STEPS_BACK} | {LAST: value}
            each = [c * parts[name] for name, c in does["mix"].items()]
            size, factor = np.sum(np.abs(each), axis=0), sum(map(abs, does["mix"].values()))
            value = np.sum(each, axis=0)
            radius = factor * radius + (len(each) + 1) * self._u[at] * size
        if "after" in does:
            after, lower, upper = (does["after"](value + off) for off in (0, -radius, radius))
            value, radius = after, np.fmax(np.abs(lower - after), np.abs(upper - after))
        return value, radius + 2 * self._u[at] * np.abs(value)

    def estimated(self, edits: Edits, at: Indices) -> tuple[Edit, ...]:
        if {"after", "mix"} & {slot for edit in edits for slot in edit.does}:
            return ()
        usual, _ = self.values(edits, at)
        many = max(FEW, len(at) // 50)
        several = changes.estimated(self.found[at], usual, many)
        found = [Edit(f"{self._name} {says}", {"after": change}) for says, change in several]
        parts = {name: self._part(name, at) for name in STEPS_BACK}
        for some in changes.mixtures(self.found[at] - usual, {LAST: usual, **parts}, many):
            terms = {LAST: 1 + some.get(LAST, 0), **{n: c for n, c in some.items() if n != LAST}}
            says = " + ".join(f"{c:.6g} times {name}" for name, c in terms.items() if c)
            found.append(Edit(f"{self._name} is {says}", {"mix": terms}))
        return tuple(found)

    def _part(self, name: str, at: Indices) -> Float64:
        """The state of another step in place of the last one."""
        places = Finals(**{field: part[at] for field, part in vars(self._places).items()})
        step = np.maximum(places.step - STEPS_BACK[name], 0)
        part: Float64 = self._states[self._start[at] + replace(places, step=step).index]
        return part


def _pooled(
    change: changes.Function, f: Finals, states: Float64, radii: Float64, lengths: Indices,
    p: Precision,
) -> tuple[Float64, Float64]:  # fmt: skip
    """Of the real steps of each number's row, and how far off it can be."""
    real = np.arange(1, states.shape[1])[:, np.newaxis] <= lengths[f.b]
    each, off = (part[f.s, 1:, f.b, f.u].T for part in (states, radii))
    found, radius = np.zeros((2, len(f.s)))
    for n in map(int, np.unique(lengths[f.b])):
        rows = real.sum(axis=0) == n
        if n:
            some, sizes = each[:n, rows], np.abs(each[:n, rows])
            found[rows] = change(some)
            radius[rows] = change(off[:n, rows]) + gamma(n + 1, p.both) * change(sizes)
    return found, radius
